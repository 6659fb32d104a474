/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_DUPLICATE_H
#define RISK_DUPLICATE_H

/**
 * @file
 * The same order again. A cell keeps the newest order of each side; one that is pushed out of there while it is still
 * within its window moves to a set of one cache line, newest first.
 */

#include "risk.h"

#define RISK_DUPLICATE_SETS_BITS 12

/** What the older orders are found by: strategy, instrument, side, price and quantity in one word; never 0. */
static inline uint64_t duplicate_key(const struct gn_order_req *q, gn_px px, gn_qty qty)
{
	uint64_t who = (uint64_t)q->inst << 32 | q->strategy << 2 | q->side;

	return (((uint64_t)px.e9 * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)qty) * UINT64_C(0xc2b2ae3d27d4eb4f) ^ who)
	               * UINT64_C(0x165667b19e3779f9)
	       | 1;
}

static inline struct risk_duplicate_set *duplicate_set(const struct risk *r, uint64_t key)
{
	return &r->duplicate[key >> r->duplicate_shift];
}

/** True when no order of this side of the cell was accepted less than window_tsc ago. */
static inline bool duplicate_none(const struct risk_cell *cell, uint32_t side, uint64_t now_tsc, uint64_t window_tsc)
{
	return now_tsc - cell->side[side].last.tsc >= window_tsc;
}

/** True when the order was accepted less than window_tsc ago. */
static inline bool duplicate_seen(const struct risk *r, const struct risk_cell *cell, const struct gn_order_req *q,
	uint64_t now_tsc, uint64_t window_tsc)
{
	uint32_t side = q->side - 1u;
	const struct risk_seen *last = &cell->side[side].last;

	if (duplicate_none(cell, side, now_tsc, window_tsc))
		return false; /* the older ones are older still */
	if (last->px.e9 == q->px.e9 && last->qty == q->qty)
		return true;
	uint64_t key = duplicate_key(q, q->px, q->qty);
	const struct risk_duplicate_set *set = duplicate_set(r, key);
	return risk_v4_any((set->key == (int64_t)key) & ((int64_t)(now_tsc - window_tsc) < set->tsc));
}

/** Keep an order of q's kind that leaves its cell too early; the oldest of its set is forgotten. */
static inline void duplicate_push(struct risk *r, const struct gn_order_req *q, const struct risk_seen *old,
	uint64_t now_tsc, uint64_t window_tsc)
{
	uint64_t key = duplicate_key(q, old->px, old->qty);
	struct risk_duplicate_set *set = duplicate_set(r, key);

	r->n.duplicate_evicted += (int64_t)(now_tsc - window_tsc) < set->tsc[RISK_DUPLICATE_WAYS - 1];
	set->key = __builtin_shufflevector(set->key, ((risk_v4){(int64_t)key}), 4, 0, 1, 2);
	set->tsc = __builtin_shufflevector(set->tsc, ((risk_v4){(int64_t)old->tsc}), 4, 0, 1, 2);
}

#endif
