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

/** A price as an order of the other side sees it: the larger, the further this order reaches. */
static inline int64_t self_match_reach(int64_t px_e9, uint32_t side)
{
	uint64_t mask = -(uint64_t)side;

	return (int64_t)(((uint64_t)px_e9 ^ mask) - mask);
}

/** True when an order reaches the bound of the other side: there may be a match. */
static inline bool self_match_near(const struct risk_inst *inst, const struct gn_order_req *q)
{
	return self_match_reach(q->px.e9, q->side - 1u) > inst->clear[q->side - 1u].e9;
}

#define SELF_MATCH_CLEAR (INT64_MAX / 2) /* no own order rests: further than any price reaches */

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

/** Make the bound exact for orders of this side. Cost: the own orders of the other side of the instrument. */
void self_match_tighten(const struct risk *r, struct risk_inst *inst, uint32_t side);

/** Orders of the other side meet one that reaches so far from now on. */
static inline void self_match_bound(struct risk_inst *inst, uint32_t side, int64_t reach)
{
	gn_px *clear = &inst->clear[side ^ 1];

	clear->e9 = ~reach < clear->e9 ? ~reach : clear->e9;
}

/** Put an order at the head of the list of its instrument and side. Sets its links; the caller the flag. */
static inline void self_match_link(struct order *pool, struct risk_inst_side *side, struct order *o, uint32_t slot)
{
	uint32_t head = side->resting;

	o->links = head; /* next; nobody before it */
	pool[head].prev = slot; /* of ORDER_NONE nobody reads it */
	side->resting = slot;
}

/** Enter an order in its list (again). */
static inline void self_match_enter(struct risk *r, uint32_t slot)
{
	struct order *o = &r->orders.pool[slot];
	struct risk_inst *inst = &r->inst[o->req.inst];
	uint32_t side = o->req.side - 1u;

	self_match_bound(inst, side, self_match_reach(o->req.px.e9, side));
	self_match_link(r->orders.pool, &inst->side[side], o, slot);
	o->flags |= ORDER_F_LISTED;
}

/** Take it off. */
void self_match_leave(struct risk *r, uint32_t slot);

#endif
