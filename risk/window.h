/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_WINDOW_H
#define RISK_WINDOW_H

/** @file Fills within a sliding window of time. */

#include "risk.h"

/**
 * Add a fill.
 *
 * Exact for as many fills as there are parts; beyond that the newest ones share a part, so some stay a little longer
 * in the sums than they should, never shorter. Cost: one step for each part that leaves.
 *
 * @return
 *   The sums of all fills younger than window_tsc.
 */
static inline const struct risk_window_part *window_add(
	struct risk_window *w, uint64_t window_tsc, gn_qty delta, uint64_t now_tsc)
{
	for (; w->head != w->tail && now_tsc - w->part[w->head % RISK_WINDOW_PARTS].tsc >= window_tsc; w->head++) {
		const struct risk_window_part *old = &w->part[w->head % RISK_WINDOW_PARTS];
		w->sum.n -= old->n;
		w->sum.qty -= old->qty;
		w->sum.delta -= old->delta;
	}
	if (w->tail - w->head < RISK_WINDOW_PARTS)
		w->part[w->tail++ % RISK_WINDOW_PARTS] = (struct risk_window_part){0};

	struct risk_window_part *newest = &w->part[(w->tail - 1) % RISK_WINDOW_PARTS];
	gn_qty qty = delta < 0 ? -delta : delta;
	*newest = (struct risk_window_part){now_tsc, newest->n + 1, newest->qty + qty, newest->delta + delta};
	w->sum.n++;
	w->sum.qty += qty;
	w->sum.delta += delta;
	return &w->sum;
}

static inline void window_clear(struct risk_window *w)
{
	w->head = w->tail = 0;
	w->sum = (struct risk_window_part){0};
}

#endif
