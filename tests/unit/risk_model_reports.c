/* SPDX-License-Identifier: BSD-3-Clause */
/* What the model makes of a report. */
#include "risk_model.h"

static void model_kill(uint8_t *cause, enum risk_cause now)
{
	if (!*cause)
		*cause = (uint8_t)now;
}

static bool loss_reached(enum risk_level level, uint32_t index)
{
	int64_t limit = model_limits(level, index)->loss_max;

	return limit != RISK_UNLIMITED && -model_worth(level, index) >= (__int128)limit * 1000000000;
}

void model_losses(uint32_t from, uint32_t to)
{
	for (uint32_t s = from; s < to; s++)
		if (loss_reached(RISK_STRATEGY, s))
			model_kill(&model.killed_strategy[s], RISK_CAUSE_LOSS);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		if ((to - from > 1 || a == model_account(from)) && loss_reached(RISK_ACCOUNT, a))
			model_kill(&model.killed_account[a], RISK_CAUSE_LOSS);
	if (loss_reached(RISK_ENGINE, 0))
		model_kill(&model.killed_engine, RISK_CAUSE_LOSS);
}

static void model_windows(uint32_t strategy)
{
	const struct risk_limits *l = model_limits(RISK_STRATEGY, strategy);
	int64_t n[2] = {0}, qty = 0, delta = 0;

	for (uint32_t i = 0; i < model.n_fills; i++) {
		const struct m_fill *f = &model.fill[i];
		if (f->strategy != strategy || !f->windowed)
			continue;
		n[0] += desk.now_tsc - f->tsc < (uint64_t)l->repeat_window_ms * 1000000;
		if (desk.now_tsc - f->tsc < (uint64_t)l->protect_window_ms * 1000000) {
			n[1]++;
			qty += f->qty < 0 ? -f->qty : f->qty;
			delta += f->qty;
		}
	}
	if (n[0] > l->repeat_fills_max)
		model_kill(&model.killed_strategy[strategy], RISK_CAUSE_REPEATED);
	if (n[1] > l->protect_fills_max || qty > l->protect_qty_max
		|| (delta < 0 ? -delta : delta) > l->protect_delta_max)
		model_kill(&model.killed_strategy[strategy], RISK_CAUSE_PROTECTION);
}

static void spend(struct m_order *o, gn_qty qty, bool of_chain)
{
	struct m_order *heir = model_heir(o);

	o->leaves = qty < o->leaves ? o->leaves - qty : 0;
	if (!of_chain)
		return;
	o->executed += qty;
	if (heir) {
		heir->executed = o->executed;
		heir->leaves = heir->total > heir->executed ? heir->total - heir->executed : 0;
	}
}

/* False: it was known already. */
static bool model_fill(struct m_order *o, const struct gn_exec *e)
{
	for (uint32_t i = 0; i < model.n_fills; i++)
		if (model.fill[i].match == e->match && model.fill[i].oid == e->oid && !model.fill[i].broken)
			return false;
	spend(o, e->qty, true);
	model.fill[model.n_fills++] = (struct m_fill){o->oid, e->match, desk.now_tsc, o->inst, o->strategy, e->px,
		o->side == GN_BUY ? e->qty : -e->qty, true, false};
	model.mark[o->inst][o->strategy] = e->px;
	if (desk.strategy[o->strategy].limits.orders_unfilled_max != RISK_UNLIMITED)
		model.unfilled_room[o->strategy] += model_limits(RISK_STRATEGY, o->strategy)->orders_per_fill_max;
	model_positions_again();
	model_windows(o->strategy);
	model_losses(o->strategy, o->strategy + 1);
	return true;
}

static void restate(struct m_order *o, gn_px px, gn_qty leaves)
{
	if (px.e9 > 0)
		o->px = px;
	if (leaves >= 0)
		o->leaves = leaves;
	o->entered = ++model.n_entered;
}

static void model_break(const struct gn_exec *e)
{
	for (uint32_t i = 0; i < model.n_fills; i++)
		if (model.fill[i].match == e->match && model.fill[i].oid == e->oid && !model.fill[i].broken) {
			model.fill[i].broken = true;
			model.mark[model.fill[i].inst][model.fill[i].strategy] = model.fill[i].px;
		}
	model_positions_again();
}

void model_report(const struct gn_exec *e)
{
	struct m_order *o = model_order(e->oid);

	if (e->kind == GN_EXEC_BROKEN) {
		model_break(e);
		return;
	}
	if (!o)
		return;
	bool is_heir = o->parent != 0;
	switch (e->kind) {
	case GN_EXEC_ACCEPTED:
		if (o->state != PENDING || is_heir)
			return;
		o->state = LIVE;
		restate(o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty > 0 ? e->qty - o->executed : o->leaves);
		break;
	case GN_EXEC_REPLACED:
		if (o->state != PENDING || !is_heir)
			return;
		if (model_order(o->parent)) {
			model_remove(model_order(o->parent));
			o = model_order(e->oid);
		}
		o->parent = 0;
		o->state = LIVE;
		restate(o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty);
		break;
	case GN_EXEC_FILLED:
		if (e->qty <= 0 || e->px.e9 <= 0 || !model_fill(o, e))
			return;
		break;
	case GN_EXEC_CANCELED:
		if (e->qty <= 0)
			return;
		o->reducing = false;
		spend(o, e->qty, e->flags & GN_EXEC_F_PREVENTED);
		break;
	case GN_EXEC_REJECTED:
		if (o->state != PENDING)
			return;
		o->leaves = 0;
		break;
	case GN_EXEC_RESTATED: restate(o, e->px, e->reason == 'M' ? e->qty : o->leaves); break;
	case GN_EXEC_CANCEL_REJECTED: o->reducing = false; return;
	default: return;
	}
	if (o->leaves == 0)
		model_remove(o);
}
