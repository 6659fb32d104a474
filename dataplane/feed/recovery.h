/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_RECOVERY_H
#define FEED_RECOVERY_H

/**
 * @file
 * What a feed does about messages that no line brought: ask for them again, and when that is hopeless, build the
 * stale books anew from a snapshot. A part of struct feed; nothing else stops for it.
 *
 * While a snapshot is on its way the live stream goes on (its books are stale) and is kept in a log. When it is here
 * with the live sequence number N to go on from, and the log holds everything from N on, then for each stale book:
 *
 *     GN_MD_CLEAR
 *     the snapshot's messages, marked GN_MD_F_SNAPSHOT
 *     the logged messages from N on; those that were handed out before are marked GN_MD_F_SNAPSHOT too
 *     GN_MD_FRESH, when nothing was lost since N
 *
 * So every live message leaves the feed exactly once without that mark, in order, and a marked one is no news to
 * anybody but the book. Live messages of books that are not stale never wait.
 */

#include "dataplane/runtime/counters.h"

#include "live_log.h"
#include "rerequest.h"
#include "snapshot.h"

struct feed;
struct gn_link;

/** Zeroed memory recovers nothing. */
struct recovery_config {
	struct rerequest_config rerequest;
	uint16_t port_own; /* UDP port of ours from which requests leave, so that answers arrive as a line of rx_feed */
	struct snapshot_config snapshot;
	size_t log_bytes;  /* for live messages during a snapshot; default 64 MiB */
};

enum recovery_phase {
	RECOVERY_OFF = 0,
	RECOVERY_LOAD,   /* the snapshot is on its way */
	RECOVERY_CLEAR,  /* from here on live messages of the books in work go through the log only */
	RECOVERY_FILL,
	RECOVERY_HALT,   /* what the snapshot lists without a trading state does not trade */
	RECOVERY_REPLAY,
};

#define RECOVERY_COUNTERS(X)                                                              \
	X(request_sent, "requests for lost messages")                                     \
	X(request_short, "requests put off because their budget was spent")               \
	X(request_hopeless, "gaps that no request could fill")                            \
	X(rebuild, "times that the stale books were built anew from a snapshot")          \
	X(rebuild_again, "snapshots that did not fit the live stream, or came too late")  \
	X(rebuild_log_full, "times that the log of live messages was full")               \
	X(rebuild_msg_dropped, "live messages of stale books dropped because the log was full")

struct recovery_counters {
	RECOVERY_COUNTERS(GN_COUNTER_FIELD)
};

struct recovery {
	struct gn_link *out; /* feed_gateway; NULL: none */
	enum recovery_phase phase;
	uint16_t port_own;
	uint32_t at;         /* next locate of CLEAR and HALT */
	uint64_t seq_told;   /* live messages below it were handed out before the books were cleared */
	uint64_t fit_ns;     /* since when a complete snapshot waits for the live stream to reach it */
	struct rerequest rerequest;
	struct snapshot snapshot;
	struct live_log log;
	struct recovery_counters n;
};

/** Cold. 0 or -errno. */
int recovery_init(struct recovery *r, const struct recovery_config *config, uint32_t shard, uint32_t n_shards,
	struct gn_link *out);
void recovery_fini(struct recovery *r);

/** A gap that other lines had their time to fill. False: give it up. */
bool recovery_ask(struct feed *f, const struct arbiter_gap *gap, uint64_t now_ns);

/** Messages were given up: the books have to be built anew. */
void recovery_lost(struct feed *f, uint64_t now_ns);

/** Nothing is stale any more, or another session began. */
void recovery_stop(struct feed *f);

/** Hand out a datagram while a phase is on. */
void recovery_run(struct feed *f, struct moldudp64_reader *r, uint64_t rx_tsc);

/** One unit of work. False: there was nothing to do now. */
bool recovery_poll(struct feed *f, uint64_t now_ns);

/** Take a reply of gateway_feed. */
void recovery_reply(struct feed *f, const struct feed_reply *reply, uint32_t bytes, uint64_t now_ns);

#endif
