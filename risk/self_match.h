/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_SELF_MATCH_H
#define RISK_SELF_MATCH_H

/**
 * @file
 * Our own resting orders by instrument and side, over all strategies: an order must not trade with them.
 *
 * The best own price is kept as a bound: exact or better than the truth. Only an order that reaches it walks the list.
 */

#include "risk.h"

/** True when an order reaches the bound of the other side: there may be a match. */
static inline bool self_match_near(const struct risk_inst *inst, const struct gn_order_req *q)
{
	return q->side == GN_BUY ? q->px.e9 >= inst->best[1].e9 : q->px.e9 <= inst->best[0].e9;
}

/** True when an open order of ours on the other side would match. Cost: the own orders of that side. */
bool self_match_found(const struct risk *r, const struct risk_inst *inst, const struct gn_order_req *q);

/** Enter an order in its list. */
void self_match_enter(struct risk *r, uint32_t slot);

/** Take it off. */
void self_match_leave(struct risk *r, uint32_t slot);

#endif
