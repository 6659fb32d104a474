/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_LINK_H
#define GN_LINK_H

/**
 * @file
 * A link joins two stages: a direct call when both share a core, a ring when they do not. The sender does not know.
 */

#include "spsc.h"

/**
 * A stage's handler of one message.
 *
 * @param ctx
 *   The reader's context.
 * @param from
 *   Which of the reader's links of this kind it came over: known by wiring, so it needs no trust in the message.
 * @param msg
 *   The message; valid during the call only.
 * @param bytes
 *   Its length, at most the msg_bytes_max that the port declared.
 */
typedef void gn_on_msg_fn(void *ctx, uint32_t from, const void *msg, uint32_t bytes);

/**
 * Optional: a message that will arrive soon; start loading what its handler will need, change nothing.
 *
 * @param step
 *   0: several messages ahead; 1: fewer messages ahead, what step 0 asked for has arrived.
 */
typedef void gn_hint_fn(void *ctx, const void *msg, uint32_t step);

#define GN_HINT_FAR 8u  /* messages ahead of the handler at which hint step 0 runs */
#define GN_HINT_NEAR 4u /* and step 1 */

/** Slots of a ring that one call can fill at most. */
struct gn_link_need {
	struct gn_spsc *ring;
	uint32_t slots;
};

/** The sender's end. Written by the sender's thread only, after wiring. */
struct gn_link {
	gn_on_msg_fn *on_msg; /* the reader's handler */
	void *ctx;            /* the reader's context */
	struct gn_spsc *ring; /* NULL: direct call */
	gn_hint_fn *hint;     /* the reader's, or NULL */
	uint32_t from;        /* told to the reader */
	uint32_t msg_bytes_max;
	bool lossy; /* wired for gn_link_try_send(): the runner gives no credit for it */
	uint32_t n_need;
	struct gn_link_need *need; /* lossy direct call: the rings that one call of the reader can fill */
	bool *owed; /* ring between stages of one thread: told that something waits in it; else NULL */
	uint64_t n_sent;
	uint64_t n_full; /* gn_link_try_send() that found no room */
	const char *name; /* "feed0>book0" */
};

/**
 * Send one message. The sender's thread only.
 *
 * Never fails: the runner has checked for credit before it called the stage. Costs a direct call or one copy.
 */
static inline void gn_link_send(struct gn_link *l, const void *msg, uint32_t bytes)
{
	l->n_sent++;
	if (!l->ring) {
		l->on_msg(l->ctx, l->from, msg, bytes);
		return;
	}
	GN_ASSERT(bytes <= l->msg_bytes_max);
	GN_ASSERT(gn_spsc_push(l->ring, msg, bytes));
	if (l->owed)
		*l->owed = true;
}

/** Whether one message can go over a lossy link now: into its ring, or all that its direct reader may send on. */
static inline bool gn_link_has_room(struct gn_link *l)
{
	if (l->ring)
		return gn_spsc_credit(l->ring, 1) != 0;
	for (uint32_t i = 0; i < l->n_need; i++) {
		if (gn_unlikely(gn_spsc_credit(l->need[i].ring, l->need[i].slots) < l->need[i].slots))
			return false;
	}
	return true;
}

/** Send one message if there is room: for links whose reader may be slow without stopping the sender. */
static inline bool gn_link_try_send(struct gn_link *l, const void *msg, uint32_t bytes)
{
	if (gn_unlikely(!gn_link_has_room(l))) {
		l->n_full++;
		return false;
	}
	gn_link_send(l, msg, bytes);
	return true;
}

/** A message may follow soon: pass the hint on to a direct reader. Changes nothing. */
static inline void gn_link_hint(struct gn_link *l, const void *msg, uint32_t step)
{
	if (!l->ring && l->hint)
		l->hint(l->ctx, msg, step);
}

/** Send n messages of one size that lie `stride` bytes apart; a direct reader gets its hints ahead of them. */
static inline void gn_link_send_burst(struct gn_link *l, const void *msgs, uint32_t bytes, uint32_t stride, uint32_t n)
{
	const uint8_t *p = msgs;
	uint32_t far = 0, near = 0;

	if (l->ring || !l->hint) {
		for (uint32_t i = 0; i < n; i++)
			gn_link_send(l, p + (size_t)i * stride, bytes);
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		for (; far < n && far < i + GN_HINT_FAR; far++)
			l->hint(l->ctx, p + (size_t)far * stride, 0);
		for (; near < n && near < i + GN_HINT_NEAR; near++)
			l->hint(l->ctx, p + (size_t)near * stride, 1);
		gn_link_send(l, p + (size_t)i * stride, bytes);
	}
}

#endif
