/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_FEED_H
#define FEED_FEED_H

/**
 * @file
 * The feed handler of one MoldUDP64 session of ITCH 5.0, or of one shard of it: datagrams > normalised events.
 *
 * Pure: datagrams and times come from the caller, events leave over a link (gn_link_send_burst, so a book on the same
 * thread gets its hints). One thread. Every call does a bounded amount of work and sends at most FEED_BURST events.
 */

#include <gannet/md.h>

#include "dataplane/runtime/counters.h"
#include "dataplane/runtime/link.h"

#include "arbiter.h"
#include "losses.h"
#include "recovery.h"
#include "symbols.h"

#define FEED_BATCH 64u  /* events in one gn_link_send_burst() */
#define FEED_BURST 512u /* a full datagram of the shortest messages, each the first of its instrument */

/** Zeroed memory is a whole configuration for one line: a member that is 0 takes the default named beside it. */
struct feed_config {
	char session[11];         /* MoldUDP64 session; "": whichever comes, and the next one after it */
	uint32_t n_lines;         /* 1 to ARBITER_LINES_MAX, those with answers to requests included; default 1 */
	uint32_t reply_lines;     /* bit per line: answers to requests */
	uint64_t wait_ns;         /* how long another line may take to bring what one lost; default 1 ms */
	uint64_t silence_ns;      /* default 3 s */
	uint64_t seq_first;       /* default 1 */
	uint32_t hold_datagrams;  /* default 4096: 8 MB */
	uint64_t midnight_ns;     /* of the venue's day, since the Unix epoch; 0: event times count from midnight */
	bool number_events;       /* offline: rx_tsc of an event is the sequence number of its message, not a trace id */
	uint32_t shard, n_shards; /* this handler takes the instruments with locate % n_shards == shard; default 1 shard */
	struct recovery_config recovery;
};

#define FEED_COUNTERS(X)                                                                          \
	X(pkt_rx, "datagrams from any line")                                                      \
	X(pkt_run, "datagrams handed out as they came")                                           \
	X(pkt_released, "datagrams handed out after they were held")                              \
	X(pkt_duplicate, "datagrams that brought nothing new")                                    \
	X(pkt_held, "datagrams that came before their turn")                                      \
	X(pkt_late, "datagrams with messages that had been given up")                             \
	X(pkt_idle, "heartbeats and ends of session")                                             \
	X(pkt_bad, "datagrams dropped: malformed, unknown line, not our session")                 \
	X(pkt_full, "datagrams dropped: no room to hold them")                                    \
	X(pkt_doubtful, "datagrams far ahead or of another session, not believed yet")            \
	X(gap_seen, "gaps that no line filled in time")                                           \
	X(msg_lost, "messages given up")                                                          \
	X(msg_late, "messages that came after they were given up")                                \
	X(msg_event, "messages that became events")                                               \
	X(msg_foreign, "messages of another shard")                                               \
	X(msg_empty, "messages without a byte")                                                   \
	X(msg_unknown_type, "messages of a type that ITCH 5.0 does not have")                     \
	X(msg_wrong_length, "messages whose length is not that of their type")                    \
	X(msg_unmapped, "messages dropped: nobody has said which instrument their number means")  \
	X(msg_refused, "messages dropped: instrument beyond the limit of the table")              \
	X(inst_learned, "instruments learned from a message other than the directory")            \
	X(inst_refused, "instruments beyond the limit of the table")                              \
	X(inst_moved, "venue numbers that changed their instrument within a session")             \
	X(stale_sent, "times that every book of the feed was declared stale")                     \
	X(fresh_sent, "times that a book, or all of them, were declared right again")             \
	X(rewind, "times that the feed went back because it had believed a wrong number") \
	X(session_change, "sessions that took the place of another")

struct feed_counters {
	FEED_COUNTERS(GN_COUNTER_FIELD)
};

struct feed {
	/* the hot part */
	struct gn_link *out;
	uint64_t midnight_ns;
	uint64_t rx_tsc; /* of the datagram in work */
	uint32_t n_batch;
	bool stale;      /* some book was told to be stale */
	bool all_stale;  /* and no book was told to be right since */
	bool late;       /* a gap is being asked for: books are behind */
	bool number_events;
	bool over_told;  /* the end of the session was handed on */
	uint64_t wait_ns;
	uint64_t now_ns; /* of the datagram or poll in work */
	uint32_t late_streak; /* datagrams of given-up messages without any other in between */
	struct gn_md batch[FEED_BATCH];
	struct symbols symbols;
	struct feed_counters n;
	/* what is left to be told to the books, a part of it a call */
	uint32_t clear_at; /* next locate whose book is to be cleared for a new session; 0: none */
	uint32_t fresh_at; /* 1 + next instrument whose book may be proven right; 0: none */
	struct arbiter arbiter;
	struct losses losses;
	struct recovery recovery;
};

/**
 * @param table
 *   Instruments are added to it.
 * @param out
 *   Gets struct gn_md.
 * @param gateway
 *   Gets struct feed_request; NULL: nothing is recovered, whatever the configuration says.
 * @return
 *   0 or -errno. Cold.
 */
int feed_init(struct feed *f, const struct feed_config *config, struct gn_instruments *table, struct gn_link *out,
	struct gn_link *gateway);
void feed_fini(struct feed *f);

/** Take one datagram; in->tag is its rx_tsc. Hot. */
void feed_datagram(struct feed *f, const struct arbiter_in *in);

/** Is there anything for feed_poll() to do, now or when time has passed? Hot: a few comparisons. */
static inline bool feed_pending(const struct feed *f)
{
	return f->arbiter.seq_next != f->arbiter.seq_known || (f->clear_at | f->fresh_at) != 0 || f->late ||
	       (f->arbiter.ended && !f->over_told) || f->recovery.phase != RECOVERY_OFF || f->recovery.snapshot.opened;
}

/**
 * Do one unit of what is pending: hand out a held datagram, give up a gap that has waited long enough, tell books.
 *
 * @param now_ns
 *   The clock of arbiter_in.now_ns.
 * @param now_tsc
 *   For events that no datagram caused.
 * @return
 *   False: there was nothing to do now.
 */
bool feed_poll(struct feed *f, uint64_t now_ns, uint64_t now_tsc);

/** Take a reply of gateway_feed. Bounded by what one reply holds. */
static inline void feed_reply(struct feed *f, const struct feed_reply *reply, uint32_t bytes, uint64_t now_ns)
{
	recovery_reply(f, reply, bytes, now_ns);
}

/** Look for silent lines; every few milliseconds. */
static inline void feed_watch(struct feed *f, uint64_t now_ns)
{
	arbiter_watch(&f->arbiter, now_ns);
}

/**
 * Take one ITCH message that came in order by other means than MoldUDP64 (a file). feed_flush() ends a group of them.
 *
 * @param rx_tsc
 *   Trace id of its events.
 */
void feed_message(struct feed *f, const uint8_t *msg, uint32_t bytes, uint64_t rx_tsc);

/** Send what is batched; the last event says that it is the last of its group. */
void feed_flush(struct feed *f);

#endif
