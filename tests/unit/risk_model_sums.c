/* SPDX-License-Identifier: BSD-3-Clause */
/* Sums of the model: all orders and fills, every time. */
#include "risk_model.h"

struct model model;
uint64_t model_seed, model_step;

const struct risk_limits *model_limits(enum risk_level level, uint32_t index)
{
	return risk_limits_at(&desk.risk, level, index);
}

uint32_t model_account(uint32_t strategy)
{
	return desk.strategy[strategy].account;
}

int64_t model_least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

__int128 model_notional(gn_px px, gn_qty qty)
{
	__int128 exact = (__int128)px.e9 * qty;

	return exact >= 0 ? (exact + 1023) / 1024 : (exact - 1023) / 1024;
}

__int128 model_notional_limit(int64_t quote)
{
	if (quote == RISK_UNLIMITED)
		return (__int128)INT64_MAX / 4 - 2;
	return (__int128)quote * 1000000000 / 1024;
}

struct m_order *model_order(gn_oid oid)
{
	for (uint32_t i = 0; oid && i < model.n_orders; i++)
		if (model.order[i].oid == oid)
			return &model.order[i];
	return NULL;
}

struct m_order *model_heir(const struct m_order *o)
{
	for (uint32_t i = 0; i < model.n_orders; i++)
		if (model.order[i].parent == o->oid)
			return &model.order[i];
	return NULL;
}

gn_qty model_held_qty(const struct m_order *o)
{
	const struct m_order *p = model_order(o->parent);

	return !p ? o->leaves : o->leaves > p->leaves ? o->leaves - p->leaves : 0;
}

__int128 model_held_notional(const struct m_order *o)
{
	const struct m_order *p = model_order(o->parent);
	__int128 own = model_notional(o->px, o->leaves), theirs = p ? model_notional(p->px, p->leaves) : 0;

	return own > theirs ? own - theirs : 0;
}

static gn_qty position(uint32_t inst, uint32_t strategy)
{
	gn_qty sum = 0;

	for (uint32_t i = 0; i < model.n_fills; i++)
		if (model.fill[i].inst == inst && model.fill[i].strategy == strategy && !model.fill[i].broken)
			sum += model.fill[i].qty;
	return sum;
}

gn_qty model_position[INSTS][DESK_STRATEGIES];

void model_positions_again(void)
{
	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			model_position[inst][s] = position(inst, s);
}

gn_qty model_worst_cell(uint32_t inst, uint32_t strategy, gn_side side)
{
	gn_qty sum = side == GN_BUY ? model_position[inst][strategy] : -model_position[inst][strategy];

	for (uint32_t i = 0; i < model.n_orders; i++)
		if (model.order[i].inst == inst && model.order[i].strategy == strategy && model.order[i].side == side)
			sum += model_held_qty(&model.order[i]);
	return sum;
}

gn_qty model_worst_inst(uint32_t inst, gn_side side)
{
	gn_qty sum = 0;

	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		sum += model_worst_cell(inst, s, side);
	return sum;
}

static bool in_scope(uint32_t strategy, enum risk_level level, uint32_t index)
{
	return level == RISK_ENGINE || (level == RISK_ACCOUNT && model_account(strategy) == index)
	       || (level == RISK_STRATEGY && strategy == index);
}

struct exposure model_exposure(enum risk_level level, uint32_t index)
{
	struct exposure e = {0};

	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
			if (!in_scope(s, level, index))
				continue;
			__int128 n = model_notional(model.mark[inst][s], model_position[inst][s]);
			e.gross += n < 0 ? -n : n;
			e.net[0] += n;
			e.net[1] -= n;
		}
	for (uint32_t i = 0; i < model.n_orders; i++) {
		const struct m_order *o = &model.order[i];
		if (!in_scope(o->strategy, level, index))
			continue;
		e.gross += model_held_notional(o);
		e.net[o->side - 1] += model_held_notional(o);
		e.n_open += model_order(o->parent) == NULL;
	}
	return e;
}

/* What everything is worth: what was received less what was paid, what is held, less fees. */
__int128 model_worth(enum risk_level level, uint32_t index)
{
	__int128 sum = 0;

	for (uint32_t i = 0; i < model.n_fills; i++)
		if (in_scope(model.fill[i].strategy, level, index) && !model.fill[i].broken)
			sum -= (__int128)model.fill[i].px.e9 * model.fill[i].qty
			       + (__int128)desk.config.fee_remove_e9
			                 * (model.fill[i].qty < 0 ? -model.fill[i].qty : model.fill[i].qty);
	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			if (in_scope(s, level, index))
				sum += (__int128)model.mark[inst][s].e9 * model_position[inst][s];
	return sum;
}
