/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_POSITION_H
#define RISK_POSITION_H

/**
 * @file
 * A position at average cost, exact: every unit of money is either realised or in the cost of what is still held.
 */

#include <gannet/types.h>

typedef __int128 risk_money; /* 1e-9 quote units */

struct position {
	gn_qty qty; /* negative: short */
	gn_px mark; /* price at which it is valued */
	risk_money cost; /* paid for what is held; negative: received for what is short */
};

/** Money of several positions of one owner. */
struct risk_pnl {
	risk_money value; /* of the positions at their marks */
	risk_money cost; /* of the same positions */
	risk_money realised; /* by closing, fees not taken off */
	risk_money fees; /* paid; negative: rebates received */
};

static inline risk_money position_value(const struct position *p)
{
	return gn_notional_e9(p->mark, p->qty);
}

/** Average price of what is held, 0 when flat. */
static inline gn_px position_average(const struct position *p)
{
	return (gn_px){.e9 = p->qty ? (int64_t)(p->cost / p->qty) : 0};
}

/** What is won so far, unrealised included, fees taken off; negative is a loss. */
static inline risk_money risk_pnl_total(const struct risk_pnl *p)
{
	return p->realised + p->value - p->cost - p->fees;
}

/**
 * Account for a fill.
 *
 * @param qty
 *   Bought: positive. Sold: negative.
 * @return
 *   What the fill realised, fees not taken off.
 */
risk_money position_fill(struct position *p, gn_px px, gn_qty qty);

/** Money as an int64 of 1e-9 quote units, saturated: for reports and snapshots. */
static inline int64_t risk_money_e9(risk_money m)
{
	return m > INT64_MAX ? INT64_MAX : m < INT64_MIN ? INT64_MIN : (int64_t)m;
}

#endif
