/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_PACING_H
#define RISK_PACING_H

/**
 * @file
 * The venue's pace: messages wait instead of being dropped. Cancels go first, then replacements, then new orders; a
 * reserve of the bucket belongs to cancels.
 */

#include "risk.h"

static inline uint64_t queue_depth(const struct risk_queue *q)
{
	return q->tail - q->head;
}

static inline bool queue_full(const struct risk_queue *q)
{
	return queue_depth(q) > q->mask;
}

/** How long a message of a class would wait now, as far as can be told; 0: it may go at once. */
static inline uint64_t pacing_wait_tsc(const struct risk *r, unsigned class, uint64_t now_tsc)
{
	uint64_t n_ahead = 0;

	for (unsigned i = 0; i <= class; i++)
		n_ahead += queue_depth(&r->queue[i]);
	return pace_wait_tsc(&r->venue, now_tsc, n_ahead + (class == RISK_QUEUE_CANCEL ? 0 : r->venue_reserve));
}

/** Put an id in its queue. False: the queue is full. */
static inline bool queue_push(struct risk_queue *q, gn_oid oid)
{
	if (queue_full(q))
		return false;
	q->oid[q->tail++ & q->mask] = oid;
	return true;
}

/**
 * Cancel an order, all of it or down to `leave` units in total: at once, or when the pace, the session and the order's
 * own state allow it. Never lost. An order that still waits is withdrawn on the spot.
 */
void pacing_cancel(struct risk *r, struct order *o, gn_qty leave, uint64_t rx_tsc, uint64_t now_tsc);

/** Rings for so many ids each. 0 or -errno. Cold. */
int pacing_init(struct risk *r, uint32_t n_ids, int node);
void pacing_fini(struct risk *r);

/** Let one waiting message go, when the pace allows it. True: one went, or a dead one left its queue. */
bool pacing_poll(struct risk *r, uint64_t now_tsc);

#endif
