/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CHECK_H
#define RISK_CHECK_H

/** @file The verdict on a new order or a replacement. */

#include "risk.h"

/** What an order asks for, beside what stands in its request. */
struct check {
	struct risk_strategy *strategy;
	struct risk_account *account;
	struct risk_inst *inst;
	struct risk_cell *cell;
	uint32_t side;       /* index: side - 1 */
	gn_qty more_qty;     /* units more than are reserved for it already (a replacement takes over) */
	risk_ntl ntl;        /* of the whole order */
	risk_ntl more_ntl;   /* more than is reserved for it already */
	int64_t more_orders; /* 1, or 0 for a replacement */
	struct gn_quote quote;
	uint64_t duplicate_key;
	uint64_t now_tsc;
};

/**
 * Judge an order: the controls of controls.h, in that order; the first that it breaks is the verdict.
 *
 * Hot: no loop, no write. The caller has seen that strategy and instrument exist and that their gates are open, and
 * has filled `c` up to side; for a new order check_new() does.
 */
enum gn_verdict check_order(const struct risk *r, const struct gn_order_req *req, struct check *c);

/** Judge a replacement that can only reduce what is open: whether it is well formed, and nothing else. */
enum gn_verdict check_reduction(const struct risk *r, const struct gn_order_req *req, const struct check *c);

/** True when n is a multiple of the divisor. */
static inline bool risk_divides(const struct risk_divisor *d, uint64_t n)
{
	uint64_t q = n * d->inverse;

	return (q >> d->shift | q << (63 & -d->shift)) <= d->max;
}

/** Make a divisor of a positive number. Cold. */
struct risk_divisor risk_divisor(uint64_t n);

#endif
