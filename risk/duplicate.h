/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_DUPLICATE_H
#define RISK_DUPLICATE_H

/** @file The same order again: orders accepted lately, in sets of one cache line, newest first. */

#include "risk.h"

#define RISK_DUPLICATE_SETS_BITS 12

/** Strategy, instrument, side, price and quantity in one word; never 0. */
static inline uint64_t duplicate_key(const struct gn_order_req *q)
{
	uint64_t who = (uint64_t)q->inst << 32 | q->strategy << 2 | q->side;

	return (((uint64_t)q->px.e9 * UINT64_C(0x9e3779b97f4a7c15) ^ (uint64_t)q->qty) * UINT64_C(0xc2b2ae3d27d4eb4f)
		       ^ who)
	               * UINT64_C(0x165667b19e3779f9)
	       | 1;
}

static inline struct risk_duplicate_set *duplicate_set(const struct risk *r, uint64_t key)
{
	return &r->duplicate[key >> r->duplicate_shift];
}

/** True when the order was accepted less than window_tsc ago. */
static inline bool duplicate_seen(const struct risk *r, uint64_t key, uint64_t now_tsc, uint64_t window_tsc)
{
	const struct risk_duplicate_set *set = duplicate_set(r, key);
	risk_v4 same = (set->key == (int64_t)key) & ((int64_t)(now_tsc - window_tsc) < set->tsc);

	return risk_v4_any(same);
}

/** Remember an accepted order; the oldest of its set leaves. */
static inline void duplicate_remember(struct risk *r, uint64_t key, uint64_t now_tsc, uint64_t window_tsc)
{
	struct risk_duplicate_set *set = duplicate_set(r, key);

	r->n.duplicate_evicted += (int64_t)(now_tsc - window_tsc) < set->tsc[RISK_DUPLICATE_WAYS - 1];
	set->key = __builtin_shufflevector(set->key, ((risk_v4){(int64_t)key}), 4, 0, 1, 2);
	set->tsc = __builtin_shufflevector(set->tsc, ((risk_v4){(int64_t)now_tsc}), 4, 0, 1, 2);
}

#endif
