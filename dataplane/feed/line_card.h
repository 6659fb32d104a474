/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_LINE_CARD_H
#define FEED_LINE_CARD_H

/**
 * @file
 * The scorecard of one line: what it brought, what it won and by how much, what it lost, when it fell silent.
 *
 * Written by the feed's thread with plain stores. Everything here costs a few nanoseconds a datagram.
 */

#include <stdbool.h>
#include <stdint.h>

#define LEAD_BUCKETS 256u /* 8 an octave: a percentile is at most 12.5 % too high */
#define LINE_HOLES 8u

/** Leads in ns, counted by size. Small on purpose: every duplicate of the day is counted here, in the feed's own cache. */
struct lead_histogram {
	uint64_t n, max_ns;
	uint64_t count[LEAD_BUCKETS];
};

/** Count one lead. */
static inline void lead_count(struct lead_histogram *h, uint64_t ns)
{
	uint32_t octave = ns < 8 ? 2 : 63u - (uint32_t)__builtin_clzll(ns);
	uint32_t i = ns < 8 ? (uint32_t)ns : (octave - 2) * 8 + (uint32_t)(ns >> (octave - 3) & 7);

	h->n++;
	h->max_ns = ns > h->max_ns ? ns : h->max_ns;
	h->count[i < LEAD_BUCKETS ? i : LEAD_BUCKETS - 1]++;
}

/**
 * The lead that a share of the counted ones does not exceed; cold, walks the buckets.
 *
 * @param permille
 *   0 to 1000: 500 is the median.
 * @return
 *   Upper end of its bucket in ns, never above max_ns; 0 when nothing was counted.
 */
uint64_t lead_percentile(const struct lead_histogram *h, uint32_t permille);

/** Messages [from, to) that the line skipped. */
struct line_hole {
	uint64_t from, to;
};

/** One line. Sequences start anew with each session, counts do not. */
struct line_card {
	uint64_t seq_next;     /* the line's own place in the session */
	uint64_t at_ns;        /* its last datagram */
	uint64_t n_datagrams;  /* well-formed ones of the session, heartbeats included */
	uint64_t n_heartbeats;
	uint64_t n_wins;       /* datagrams of which at least one message was first seen here */
	uint64_t n_duplicates; /* datagrams that brought nothing new */
	uint64_t n_late;       /* messages that came after the line had moved past them */
	uint64_t n_lost;       /* messages that the line skipped and has not brought since */
	uint64_t n_bad;        /* malformed, or of another session */
	uint64_t n_silences;   /* times it brought nothing for longer than the limit */
	bool silent;
	bool reply;            /* answers to requests: is never silent and cannot lose */
	uint8_t hole_at;       /* of the holes below: the next to be written over */
	struct line_hole hole[LINE_HOLES];
	struct lead_histogram lead;
};

/** The line moved on other than by one datagram after the next: account for lost and late messages. */
void line_card_moved(struct line_card *c, uint64_t seq, uint64_t seq_end);

/** Account for a datagram's place in its line. Hot path. */
static inline void line_card_step(struct line_card *c, uint64_t seq, uint64_t seq_end)
{
	if (__builtin_expect(seq == c->seq_next, 1))
		c->seq_next = seq_end;
	else if (!c->reply)
		line_card_moved(c, seq, seq_end);
}

/** Is the line silent now? To be called now and then, also when nothing comes. */
void line_card_watch(struct line_card *c, uint64_t now_ns, uint64_t silence_ns);

/** A new session begins. */
void line_card_restart(struct line_card *c, uint64_t seq_first);

#endif
