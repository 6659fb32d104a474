/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_FEED_WORLD_H
#define TESTS_FEED_WORLD_H

/**
 * @file
 * A venue, a network and some feeds in simulated time: two lines that lose, repeat and reorder, re-request servers that
 * lose too, snapshot servers that refuse, cut and hang. One seed makes one world; nothing else has any influence.
 */

#include "dataplane/feed/feed.h"

#include "itch_day.h"

#define WORLD_FEEDS_MAX 4u
#define WORLD_REPLY_LINE 2u

struct world_config {
	uint64_t seed;
	uint32_t n_symbols, n_messages;
	bool directory;       /* the day begins with directory messages */
	uint32_t start_at;    /* messages before this one are not sent on the lines: a start in mid-day */
	uint32_t loss_pct;    /* of each line's datagrams; losses come in bursts that at times hit both lines */
	uint32_t repeat_pct, reorder_pct;
	bool tardy;           /* what a line loses it brings all the same, long after its time */
	uint32_t n_servers;   /* of re-requests; 0: none */
	uint32_t server_loss_pct; /* of requests and of answers */
	bool dead_server;     /* the first one never answers */
	bool glimpse;
	uint32_t glimpse_fault_pct; /* of connections: refused, rejected, cut, silent, nonsense */
	uint32_t n_feeds;     /* shards */
	struct feed_config feed; /* what is not implied by the above */
};

/** An event as a book would get it, its instrument told by name. */
struct world_event {
	struct gn_md md; /* inst and rx_tsc are 0 */
	gn_symbol symbol; /* 0: no instrument */
};

struct world_feed {
	struct feed feed;
	struct gn_link out, gateway;
	struct world *world;
	struct world_event event[2 * DAY_MESSAGES_MAX]; /* live news only: no snapshot, nothing of the engine's own */
	struct day_book book;  /* what the events make of it */
	struct day_book truth; /* what it should be at seq_truth */
	/* from here on zeroed for each world */
	uint32_t n_events;
	uint64_t seq_truth;
	uint16_t locate_of[DAY_SYMBOLS_MAX];
	gn_symbol symbol_of[DAY_SYMBOLS_MAX];
	bool stale[DAY_SYMBOLS_MAX], told[DAY_SYMBOLS_MAX];
	bool stale_rest; /* instruments that were not told yet are stale */
	bool check;      /* something was declared fresh */
	uint32_t n_fresh_all, n_checks;
	bool touched[DAY_SYMBOLS_MAX]; /* by symbol of the day: a message that was given up would have changed it */
	uint32_t conn; /* of the snapshot server's; 0: none */
};

struct world;

/** Run a world to its end; one at a time. Aborts with the seed on standard error when a book that is not stale is wrong. */
struct world *world_run(const struct world_config *config);
void world_free(struct world *w);

struct world_feed *world_feed(struct world *w, uint32_t i);
const struct day *world_day(const struct world *w);

/** What a feed that loses nothing makes of the day, told without any feed. Valid until the next call. */
const struct world_feed *world_ideal(const struct world *w);

/** Is every book of it fresh and right? */
bool world_feed_is_right(struct world_feed *wf);

/** Are the events of one instrument (or of none: word 0) in a the same as in b? */
bool world_same_events(const struct world_feed *a, const struct world_feed *b, gn_symbol symbol);

/** Are all events of a those of b, in the same order? */
bool world_same_stream(const struct world_feed *a, const struct world_feed *b);

/** Is what a has of one instrument (or of none) in b too, in the same order? */
bool world_part_of(const struct world_feed *a, const struct world_feed *b, gn_symbol symbol);

#endif
