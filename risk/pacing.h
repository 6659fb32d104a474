/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_PACING_H
#define RISK_PACING_H

/**
 * @file
 * The pace of an order session and of the venue: messages wait instead of being dropped. Cancels go first, then
 * replacements, then new orders; a reserve of both buckets belongs to cancels.
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

static inline struct risk_account *pacing_account(const struct risk *r, const struct order *o)
{
	return &r->account[r->strategy[o->req.strategy].account];
}

/** True when a cancel may go: both buckets have a token. */
static inline bool pacing_ready(const struct risk *r, const struct risk_account *a, uint64_t now_tsc)
{
	return pace_ready(&r->venue, now_tsc) && pace_ready(&a->session, now_tsc);
}

/** True when an order may go: both buckets have a token beside the reserve. */
static inline bool pacing_ready_kept(const struct risk *r, const struct risk_account *a, uint64_t now_tsc)
{
	return pace_ready_kept(&r->venue, now_tsc) && pace_ready_kept(&a->session, now_tsc);
}

/** True when an order may go at once: nothing waits before it. */
static inline bool pacing_clear(const struct risk *r, const struct risk_account *a, uint64_t now_tsc)
{
	return r->n_waiting == 0 && pacing_ready_kept(r, a, now_tsc);
}

/** How long a new order would wait, with all that waits already ahead of it. */
uint64_t pacing_wait_tsc(const struct risk *r, const struct risk_account *a, uint64_t now_tsc);

static inline void pacing_take(struct risk *r, struct risk_account *a, uint64_t now_tsc)
{
	pace_take(&r->venue, now_tsc);
	pace_take(&a->session, now_tsc);
}

/** Put an id in a queue. False: it is full. */
bool pacing_push(struct risk *r, struct risk_account *a, unsigned class, gn_oid oid);

/**
 * Cancel an order, all of it or down to `leave` units in total: at once, or when the pace, the session and the order's
 * own state allow it. Never lost. An order that still waits is withdrawn on the spot; a partial cancel that cannot be
 * sent because the session is down becomes a whole one.
 */
void pacing_cancel(struct risk *r, struct order *o, gn_qty leave, uint64_t rx_tsc, uint64_t now_tsc);

/** Rings for so many ids each. 0 or -errno. Cold. */
int pacing_init(struct risk *r, uint32_t n_ids, int node);
void pacing_fini(struct risk *r);

/** Let one waiting message go, when the pace allows it. True: one went, or a dead one left its queue. */
bool pacing_poll(struct risk *r, uint64_t now_tsc);

#endif
