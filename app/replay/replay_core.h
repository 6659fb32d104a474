/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_REPLAY_CORE_H
#define REPLAY_REPLAY_CORE_H

/** @file What the parts of `gannet replay` share. Private to app/replay. */

#include "book/book.h"
#include "capture_reader.h"
#include "dataplane/feed/feed.h"
#include "replay_options.h"
#include "row.h"

#define REPLAY_INSTRUMENTS_MAX 16384u /* the largest venue lists 12,000 */

/** The order that an execution is about to hit. */
struct replay_resting {
	gn_side side; /* 0: unknown */
	gn_px px;
};

/** One level of both sides, as it was printed. */
struct replay_level {
	gn_px bid_px, ask_px;
	gn_qty bid_qty, ask_qty;
	uint32_t bid_orders, ask_orders;
};

struct replay {
	const struct replay_options *o;
	struct gn_instruments *table;
	struct feed feed;
	struct gn_link link; /* feed > on_event() */
	struct book_set books;
	struct row row;
	struct text_out out;
	/* where we are */
	bool began;            /* the feed is set up */
	enum capture_kind kind; /* of the stream */
	bool in_range, past_end;
	int rc;          /* why printing cannot go on */
	uint64_t seq;    /* of the last message, or datagram */
	uint64_t now_ns; /* of the capture */
	uint32_t instruments_max;
	/* of each instrument: what was printed last */
	struct replay_level *bbo;
	struct replay_level **levels;
	/* numbers */
	uint64_t by_kind[GN_MD_KIND_COUNT], n_attributed;
	uint64_t begin_ns, end_ns, fill_ns, n_bytes;
	struct capture_reader last; /* lines and counters of all files so far; not open */
};

/** Print the CSV head, if there is one. */
void replay_print_head(struct replay *r);

/** Apply one event to the books and print what it changed. */
void replay_event(struct replay *r, const struct gn_md *md);

/** Print the numbers of the whole run. */
void replay_print_stats(struct replay *r);

/** Free what replay_event() allocated. */
void replay_print_fini(struct replay *r);

/** The name of a kind of event. Never NULL. */
const char *replay_kind_name(uint8_t kind);

/** A row for an event of any kind. In replay_events.c. */
void replay_print_event_row(struct replay *r, const struct gn_md *md);

/** seq, ts_ns, symbol: what every row begins with. md may be NULL for a head. */
void replay_print_begin(struct replay *r, const struct gn_md *md);

#endif
