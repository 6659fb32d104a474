/* SPDX-License-Identifier: BSD-3-Clause */
/* Engine and model compared. */
#include "risk_model.h"

static void agree_scope(const struct risk_scope *s, enum risk_level level, uint32_t index)
{
	struct exposure e = model_exposure(level, index);

	AGREE(risk_ntl_from_quote(s->limits.gross_notional_max) - s->room.gross, e.gross, "gross");
	AGREE(risk_ntl_from_quote(s->limits.net_notional_max) - s->room.net[0], e.net[0], "net long");
	AGREE(risk_ntl_from_quote(s->limits.net_notional_max) - s->room.net[1], e.net[1], "net short");
	AGREE(risk_scope_open(s), e.n_open, "open orders");
	AGREE(risk_pnl_total(&s->pnl), model_worth(level, index), "profit and loss");
}

static void agree_orders(void)
{
	AGREE(orders_open(&desk.risk.orders), model.n_orders, "orders");
	for (uint32_t i = 0; i < model.n_orders; i++) {
		const struct m_order *o = &model.order[i];
		uint32_t slot = orders_find(&desk.risk.orders, o->oid);
		AGREE(slot != ORDER_NONE, 1, "order exists");
		AGREE(desk.risk.orders.pool[slot].leaves, o->leaves, "leaves");
		AGREE(desk.risk.orders.pool[slot].executed, o->executed, "executed");
		AGREE(desk.risk.orders.pool[slot].req.px.e9, o->px.e9, "price");
		AGREE(desk.risk.orders.pool[slot].reserved_qty, model_held_qty(o), "reserved quantity");
	}
}

void model_agree(void)
{
	agree_orders();
	for (uint32_t inst = 0; inst < INSTS; inst++) {
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
			const struct risk_cell *c = risk_cell(&desk.risk, inst, s);
			AGREE(risk_ledger(&desk.risk, inst, s)->pos.qty, model_position[inst][s], "position");
			AGREE(c->side[0].worst, model_worst_cell(inst, s, GN_BUY), "worst long");
			AGREE(c->side[1].worst, model_worst_cell(inst, s, GN_SELL), "worst short");
		}
		AGREE(desk.risk.inst[inst].side[0].worst, model_worst_inst(inst, GN_BUY), "worst long of all");
		AGREE(desk.risk.inst[inst].side[1].worst, model_worst_inst(inst, GN_SELL), "worst short of all");
	}
	agree_scope(&desk.risk.engine, RISK_ENGINE, 0);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		agree_scope(&desk.risk.account[a].scope, RISK_ACCOUNT, a);
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		agree_scope(&desk.risk.strategy[s].scope, RISK_STRATEGY, s);
}

/* What left: all of it in order when there is a pace; without one, orders and replacements. */
void model_agree_sent(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < desk.n_sent; i++) {
		if (!model.paced && desk.sent[i].kind == GN_REQ_CANCEL)
			continue;
		AGREE(n < model.n_sent, 1, "one more sent");
		AGREE(desk.sent[i].kind, model.sent[n].kind, "kind sent");
		AGREE(desk.sent[i].oid, model.sent[n].oid, "order sent");
		AGREE(desk.sent[i].qty, model.sent[n].qty, "quantity sent");
		n++;
	}
	AGREE(n, model.n_sent, "messages sent");
	desk.n_sent = model.n_sent = 0;
}
