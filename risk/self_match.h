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

/** Own orders that one order may push aside, at most. */
#define SELF_MATCH_MAX 8u

/**
 * True when an order would match one of ours and that cannot be prevented by changing ours: always when the mode is
 * to refuse; else when there are too many, they go over another session, or (to decrement) one is being replaced.
 *
 * Cost: the own orders of that side of the instrument.
 */
bool self_match_stays(const struct risk *r, const struct risk_inst *inst, const struct gn_order_req *q);

/** Cancel what an order would match, or take the common quantity off both. Returns what is left of its quantity. */
gn_qty self_match_clear(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc);

/** Enter an order in its list. */
void self_match_enter(struct risk *r, uint32_t slot);

/** Take it off. */
void self_match_leave(struct risk *r, uint32_t slot);

#endif
