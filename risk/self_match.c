/* SPDX-License-Identifier: BSD-3-Clause */
#include "self_match.h"

#include "pacing.h"

static bool self_match_crosses(const struct gn_order_req *q, const struct order *o)
{
	return q->side == GN_BUY ? q->px.e9 >= o->req.px.e9 : q->px.e9 <= o->req.px.e9;
}

/* Nothing can be done to this own order that would surely come before q at the venue. */
static bool self_match_fixed(const struct risk *r, const struct gn_order_req *q, const struct order *o)
{
	bool changing = o->heir != ORDER_NONE || (o->flags & ORDER_F_REPLACEMENT);

	return r->self_match == RISK_SELF_MATCH_REFUSE
	       || r->strategy[o->req.strategy].account != r->strategy[q->strategy].account
	       || !risk_is_up(r, o->req.strategy)
	       || (r->self_match == RISK_SELF_MATCH_DECREMENT
		       && (changing || (o->flags & ORDER_F_REDUCING) || q->kind == GN_REQ_REPLACE));
}

bool self_match_stays(const struct risk *r, const struct risk_inst *inst, const struct gn_order_req *q)
{
	uint32_t n = 0;

	for (uint32_t slot = inst->side[q->side == GN_BUY].resting; slot != ORDER_NONE;
		slot = r->orders.pool[slot].next) {
		const struct order *o = &r->orders.pool[slot];
		if (self_match_crosses(q, o) && (++n > SELF_MATCH_MAX || self_match_fixed(r, q, o)))
			return true;
	}
	return false;
}

void self_match_tighten(const struct risk *r, struct risk_inst *inst, uint32_t side)
{
	int64_t clear = SELF_MATCH_CLEAR;

	for (uint32_t slot = inst->side[side ^ 1].resting; slot != ORDER_NONE; slot = r->orders.pool[slot].next) {
		int64_t below = ~self_match_reach(r->orders.pool[slot].req.px.e9, side ^ 1);
		clear = below < clear ? below : clear;
	}
	inst->clear[side].e9 = clear;
}

gn_qty self_match_clear(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	gn_qty qty = q->qty;
	uint32_t next, found[SELF_MATCH_MAX], n = 0;

	for (uint32_t slot = r->inst[q->inst].side[q->side == GN_BUY].resting; slot != ORDER_NONE; slot = next) {
		next = r->orders.pool[slot].next;
		if (self_match_crosses(q, &r->orders.pool[slot]) && n < SELF_MATCH_MAX)
			found[n++] = slot;
	}
	for (uint32_t i = 0; i < n && qty > 0; i++) {
		struct order *o = &r->orders.pool[found[i]];
		bool all = r->self_match == RISK_SELF_MATCH_CANCEL_RESTING || qty >= o->leaves;
		if (o->state == ORDER_FREE)
			continue; /* withdrawn with another one */
		gn_qty common = qty < o->leaves ? qty : o->leaves;
		r->n.self_match_cancel++;
		o->flags |= ORDER_F_REDUCING;
		pacing_cancel(r, o, all ? 0 : o->executed + o->leaves - common, q->rx_tsc, now_tsc);
		qty -= r->self_match == RISK_SELF_MATCH_DECREMENT ? common : 0;
	}
	return qty;
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
		inst->side[side].resting = o->next;
	if (o->next != ORDER_NONE)
		r->orders.pool[o->next].prev = o->prev;
	o->flags &= (uint8_t)~ORDER_F_LISTED;
	if (inst->side[side].resting == ORDER_NONE)
		inst->clear[side ^ 1].e9 = SELF_MATCH_CLEAR;
}
