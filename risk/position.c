/* SPDX-License-Identifier: BSD-3-Clause */
#include "position.h"

/* The part of cost that belongs to `closed` of `held` units, without a product that could pass 128 bits. */
static risk_money position_cost_share(risk_money cost, gn_qty closed, gn_qty held)
{
	return cost / held * closed + cost % held * closed / held;
}

risk_money position_fill(struct position *p, gn_px px, gn_qty qty)
{
	gn_qty closed = 0; /* units of the old position that this fill ends, with the position's sign */

	if (p->qty > 0 && qty < 0)
		closed = -qty < p->qty ? -qty : p->qty;
	else if (p->qty < 0 && qty > 0)
		closed = qty < -p->qty ? -qty : p->qty;

	risk_money closed_cost = closed ? position_cost_share(p->cost, closed, p->qty) : 0;
	risk_money realised = gn_notional_e9(px, closed) - closed_cost;

	p->cost += gn_notional_e9(px, qty + closed) - closed_cost;
	p->qty += qty;
	return realised;
}
