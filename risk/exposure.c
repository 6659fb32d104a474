/* SPDX-License-Identifier: BSD-3-Clause */
#include "exposure.h"

void exposure_of_heir(const struct order *heir, const struct order *parent, gn_qty *qty, risk_ntl *ntl)
{
	*qty = heir->leaves;
	*ntl = risk_ntl_of(heir->req.px, heir->leaves);
	if (!parent)
		return;
	*qty = *qty > parent->reserved_qty ? *qty - parent->reserved_qty : 0;
	*ntl = *ntl > parent->reserved_ntl ? *ntl - parent->reserved_ntl : 0;
}

/* Hold exactly so much. */
static void exposure_hold(struct risk *r, struct order *o, gn_qty qty, risk_ntl ntl)
{
	exposure_take(r, &o->req, qty - o->reserved_qty, ntl - o->reserved_ntl, 0);
	o->reserved_qty = qty;
	o->reserved_ntl = ntl;
}

void exposure_settle(struct risk *r, struct order *o)
{
	gn_qty qty = o->leaves;
	risk_ntl ntl = risk_ntl_of(o->req.px, o->leaves);

	if (o->flags & ORDER_F_REPLACEMENT) {
		uint32_t parent = orders_find(&r->orders, o->req.oid_prev);
		exposure_of_heir(o, parent != ORDER_NONE ? &r->orders.pool[parent] : NULL, &qty, &ntl);
	}
	exposure_hold(r, o, qty, ntl);
	if (o->heir != ORDER_NONE)
		exposure_settle(r, &r->orders.pool[o->heir]); /* an heir has no heir: one step */
}

static void room_move(union risk_room *room, risk_ntl before, risk_ntl after)
{
	room->gross -= (after < 0 ? -after : after) - (before < 0 ? -before : before);
	room->net[0] -= after - before;
	room->net[1] += after - before;
}

static void pnl_move(struct risk_pnl *p, const struct risk_pnl *by)
{
	p->value += by->value;
	p->cost += by->cost;
	p->realised += by->realised;
	p->fees += by->fees;
}

/* Every scope of a strategy sees the same change of a position. */
static void exposure_move(
	struct risk *r, uint32_t strategy, struct risk_ledger *ledger, const struct risk_pnl *by, gn_qty qty)
{
	struct risk_strategy *s = &r->strategy[strategy];
	struct risk_scope *scopes[] = {&s->scope, &r->account[s->account].scope, &r->engine};
	risk_ntl ntl = risk_ntl_signed(ledger->pos.mark, ledger->pos.qty);

	for (unsigned i = 0; i < GN_ARRAY_SIZE(scopes); i++) {
		room_move(&scopes[i]->room, ledger->ntl, ntl);
		pnl_move(&scopes[i]->pnl, by);
		scopes[i]->position += qty;
	}
	ledger->ntl = ntl;
}

/* The list of ledgers that are not flat: what has to be marked. */
static void exposure_list(struct risk *r, struct risk_ledger *ledger)
{
	uint32_t at = (uint32_t)(ledger - r->ledger);

	if (ledger->pos.qty != 0 && ledger->held == 0) {
		r->held[r->n_held++] = at;
		ledger->held = r->n_held;
	} else if (ledger->pos.qty == 0 && ledger->held != 0) {
		uint32_t last = r->held[--r->n_held];
		r->held[ledger->held - 1] = last;
		r->ledger[last].held = ledger->held;
		ledger->held = 0;
	}
}

risk_money exposure_fill(struct risk *r, uint32_t strategy, gn_inst inst, gn_px px, gn_qty qty, int64_t fee_e9)
{
	struct risk_cell *cell = risk_cell(r, inst, strategy);
	struct risk_ledger *ledger = risk_ledger(r, inst, strategy);
	struct position *pos = &ledger->pos;
	struct risk_pnl by = {.value = -position_value(pos), .cost = -pos->cost, .fees = fee_e9};

	by.realised = position_fill(pos, px, qty);
	pos->mark = px;
	by.value += position_value(pos);
	by.cost += pos->cost;
	cell->side[0].worst += qty;
	cell->side[1].worst -= qty;
	r->inst[inst].side[0].worst += qty;
	r->inst[inst].side[1].worst -= qty;
	exposure_move(r, strategy, ledger, &by, qty);
	exposure_list(r, ledger);
	ledger->realised += by.realised;
	ledger->fees += fee_e9;
	*(qty > 0 ? &ledger->bought : &ledger->sold) += qty > 0 ? qty : -qty;
	return by.realised;
}

void exposure_mark(struct risk *r, uint32_t strategy, gn_inst inst, gn_px mark)
{
	struct risk_ledger *ledger = risk_ledger(r, inst, strategy);
	struct risk_pnl by = {.value = -position_value(&ledger->pos)};

	ledger->pos.mark = mark;
	by.value += position_value(&ledger->pos);
	exposure_move(r, strategy, ledger, &by, 0);
}
