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

/** Put an order at the head of the list of its instrument and side. Sets prev and next; the caller the flag. */
static inline void self_match_list(struct risk *r, struct risk_inst *inst, struct order *o, uint32_t slot)
{
	uint32_t side = o->req.side - 1u;
	uint32_t head = inst->resting[side];
	int64_t px = o->req.px.e9, best = inst->best[side].e9;

	o->prev = ORDER_NONE;
	o->next = head;
	if (head != ORDER_NONE)
		r->orders.pool[head].prev = slot;
	inst->resting[side] = slot;
	inst->best[side].e9 = (side == 0) == (px > best) ? px : best;
}

/** Enter an order in its list (again). */
static inline void self_match_enter(struct risk *r, uint32_t slot)
{
	struct order *o = &r->orders.pool[slot];

	self_match_list(r, &r->inst[o->req.inst], o, slot);
	o->flags |= ORDER_F_LISTED;
}

/** Take it off. */
void self_match_leave(struct risk *r, uint32_t slot);

#endif
