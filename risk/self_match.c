/* SPDX-License-Identifier: BSD-3-Clause */
#include "self_match.h"

static bool self_match_crosses(const struct gn_order_req *q, const struct order *o)
{
	return q->side == GN_BUY ? q->px.e9 >= o->req.px.e9 : q->px.e9 <= o->req.px.e9;
}

bool self_match_found(const struct risk *r, const struct risk_inst *inst, const struct gn_order_req *q)
{
	uint32_t slot = inst->resting[q->side == GN_BUY ? 1 : 0];

	while (slot != ORDER_NONE && !self_match_crosses(q, &r->orders.pool[slot]))
		slot = r->orders.pool[slot].next;
	return slot != ORDER_NONE;
}

void self_match_enter(struct risk *r, uint32_t slot)
{
	struct order *o = &r->orders.pool[slot];
	struct risk_inst *inst = &r->inst[o->req.inst];
	uint32_t side = o->req.side - 1u;
	uint32_t head = inst->resting[side];

	o->prev = ORDER_NONE;
	o->next = head;
	if (head != ORDER_NONE)
		r->orders.pool[head].prev = slot;
	inst->resting[side] = slot;
	o->flags |= ORDER_F_LISTED;
	if (side == 0 ? o->req.px.e9 > inst->best[0].e9 : o->req.px.e9 < inst->best[1].e9)
		inst->best[side] = o->req.px;
}

void self_match_leave(struct risk *r, uint32_t slot)
{
	struct order *o = &r->orders.pool[slot];
	struct risk_inst *inst = &r->inst[o->req.inst];
	uint32_t side = o->req.side - 1u;

	if (!(o->flags & ORDER_F_LISTED))
		return;
	if (o->prev != ORDER_NONE)
		r->orders.pool[o->prev].next = o->next;
	else
		inst->resting[side] = o->next;
	if (o->next != ORDER_NONE)
		r->orders.pool[o->next].prev = o->prev;
	o->flags &= (uint8_t)~ORDER_F_LISTED;
	if (inst->resting[side] == ORDER_NONE)
		inst->best[side].e9 = side == 0 ? 0 : INT64_MAX;
}
