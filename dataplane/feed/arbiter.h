/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_ARBITER_H
#define FEED_ARBITER_H

/**
 * @file
 * Arbitration of the lines of one MoldUDP64 session: every message once, in order, from whichever line is first.
 *
 * Pure: datagrams and times come from the caller, messages go back to the caller. One thread; nothing here allocates
 * after arbiter_init(). What comes before its turn is held until another line, or the answer to a request, brings
 * what is missing, or until the caller gives the gap up. The caller's loop:
 *
 *     arbiter_accept() for each datagram          > ARBITER_RUN: hand out the messages of the reader
 *     arbiter_release() while idle                > true: the same for a datagram that was held
 *     arbiter_gap()                               > true: something is missing; ask for it, or arbiter_give_up()
 *
 * Two doubtful things must be seen twice before they are believed, because believing a stray datagram would end the
 * feed: a session other than the present one, and a sequence number more than ARBITER_JUMP_MAX ahead.
 */

#include "dataplane/codec/moldudp64.h"

#include "hold.h"
#include "line_card.h"

#define ARBITER_LINES_MAX 8u
#define ARBITER_JUMP_MAX (UINT64_C(1) << 20)
#define ARBITER_RECENT 1024u

struct arbiter_config {
	struct moldudp64_session session; /* all zero: the first one that is seen, and the next one when that is over */
	uint32_t n_lines;                 /* 1 to ARBITER_LINES_MAX */
	uint32_t reply_lines;             /* bit per line: carries answers to requests, not the live stream */
	uint32_t hold_datagrams;
	uint64_t silence_ns; /* a line that brings nothing for longer is silent */
	uint64_t seq_first;  /* first message of interest; 1: the whole session */
};

/** A datagram as the port returned it. */
struct arbiter_in {
	const uint8_t *payload;
	uint32_t bytes;
	uint32_t line;
	uint64_t now_ns; /* any monotonic clock */
	uint64_t tag;    /* the caller's; comes back when the datagram was held */
};

enum arbiter_verdict {
	ARBITER_BAD = 0,   /* malformed, unknown line, a session that is not ours: dropped */
	ARBITER_RUN,       /* in order: hand out what is left in the reader */
	ARBITER_HELD,      /* something before it is missing */
	ARBITER_DUPLICATE, /* nothing new in it */
	ARBITER_LATE,      /* a duplicate now, but it may hold messages that were given up: the reader holds all of it */
	ARBITER_IDLE,      /* heartbeat or end of session */
	ARBITER_FULL,      /* something before it is missing and there is no room to hold it: dropped */
	ARBITER_DOUBTFUL,  /* far ahead, or another session, for the first time: kept aside or dropped */
	ARBITER_SESSION,   /* another session has begun: arbiter_session_begin(), then the same datagram again */
};

/** Messages [from, to) are missing and nothing that is held can go on. */
struct arbiter_gap {
	uint64_t from, to;
	uint64_t since_ns;
};

/** Where a message was first seen, to know by how much its line won. */
struct arbiter_recent {
	uint64_t seq, at_ns;
	uint32_t line;
	uint32_t reserved;
};

struct arbiter {
	uint64_t seq_next;  /* the next message to hand out */
	uint64_t seq_known; /* one past the last message known to exist */
	uint64_t known_ns;  /* since when */
	bool paused;        /* the caller hands nothing out now: hold everything */
	bool ended;         /* an end of session was seen */
	bool any_session;
	bool session_known;
	uint32_t n_lines;
	struct moldudp64_session session;
	struct moldudp64_session session_past;
	uint64_t silence_ns;
	uint64_t late_from, late_to; /* the caller's: messages within are wanted even though they come too late */
	uint64_t gap_seq, gap_ns; /* the gap at gap_seq was first noticed at gap_ns */
	uint64_t far_seq;         /* the doubtful sequence number that was seen last, 0: none */
	uint32_t far_line;
	struct arbiter_in candidate; /* the first datagram of another session; its bytes lie in candidate_bytes */
	uint8_t candidate_bytes[HOLD_DATAGRAM_BYTES_MAX];
	struct hold hold;
	struct {
		uint64_t run, duplicate, late, held, idle, bad, full, far, other_session, past_session, given_up;
	} n; /* datagrams by outcome; given_up in messages */
	struct line_card line[ARBITER_LINES_MAX];
	struct arbiter_recent recent[ARBITER_RECENT];
};

/** Cold. 0 or -errno. */
int arbiter_init(struct arbiter *a, const struct arbiter_config *config);
void arbiter_fini(struct arbiter *a);

/**
 * Take one datagram.
 *
 * A datagram in order costs the walk over its block lengths and about 10 ns; a duplicate less. Never trusts its bytes.
 *
 * @param r
 *   Written when the verdict is ARBITER_RUN or ARBITER_LATE: moldudp64_next() on it returns the new messages, points into the payload,
 *   and cannot fail: the datagram has been checked as a whole.
 */
enum arbiter_verdict arbiter_accept(struct arbiter *a, const struct arbiter_in *in, struct moldudp64_reader *r);

/**
 * Take the next held datagram whose turn has come.
 *
 * @param r
 *   As in arbiter_accept(); valid until the next call of that.
 * @param tag
 *   The one that came with the datagram.
 * @return
 *   False: there is none.
 */
bool arbiter_release(struct arbiter *a, struct moldudp64_reader *r, uint64_t *tag);

/** Is something known to exist that can neither be released nor is here? Hot when nothing is missing: one comparison. */
bool arbiter_gap_find(struct arbiter *a, struct arbiter_gap *gap);
static inline bool arbiter_gap(struct arbiter *a, struct arbiter_gap *gap)
{
	return __builtin_expect(a->seq_next != a->seq_known, 0) && arbiter_gap_find(a, gap);
}

/** Is so much held that the gap should be given up before its time? */
static inline bool arbiter_pressed(const struct arbiter *a)
{
	return a->hold.n >= a->hold.max - a->hold.max / 8;
}

/** Give up the present gap: its messages will be duplicates if they still come. */
void arbiter_give_up(struct arbiter *a, const struct arbiter_gap *gap);

/** Go back to a number that was given up: what was believed to come after it was no part of the stream. */
void arbiter_rewind(struct arbiter *a, uint64_t seq);

/** Has the session ended, with every message handed out? */
static inline bool arbiter_over(const struct arbiter *a)
{
	return a->ended && a->seq_next == a->seq_known;
}

/**
 * Leave the present session for that of the datagram that made arbiter_accept() say ARBITER_SESSION; the datagram
 * itself is to be given to arbiter_accept() again.
 *
 * What is held of the old session is dropped. The caller may set `paused` to have the new one held for a while.
 */
void arbiter_session_begin(struct arbiter *a, const struct arbiter_in *in);

/** Look for silent lines; every few milliseconds, or more seldom. */
void arbiter_watch(struct arbiter *a, uint64_t now_ns);

#endif
