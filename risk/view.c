/* SPDX-License-Identifier: BSD-3-Clause */
#include "view.h"

#include <string.h>

#define E9 INT64_C(1000000000)

/* Exposure in whole quote units, as limits are given; rounded up, so that nothing used reads as nothing. */
static int64_t view_quote(risk_ntl ntl)
{
	__int128 e9 = (__int128)ntl * (1 << RISK_NTL_SHIFT);

	return e9 > 0 ? (int64_t)((e9 + E9 - 1) / E9) : 0;
}

static int64_t view_used_e9(int64_t limit_quote, risk_ntl room)
{
	return risk_money_e9((risk_money)(risk_ntl_from_quote(limit_quote) - room) * (1 << RISK_NTL_SHIFT));
}

struct risk_owner_snapshot view_owner(const struct risk_scope *s, const struct kill_switch *sw)
{
	return (struct risk_owner_snapshot){
		.n_open = risk_scope_open(s),
		.position = s->position,
		.realised_e9 = risk_money_e9(s->pnl.realised),
		.unrealised_e9 = risk_money_e9(s->pnl.value - s->pnl.cost),
		.fees_e9 = risk_money_e9(s->pnl.fees),
		.gross_e9 = view_used_e9(s->limits.gross_notional_max, s->room.gross),
		.net_long_e9 = view_used_e9(s->limits.net_notional_max, s->room.net[0]),
		.net_short_e9 = view_used_e9(s->limits.net_notional_max, s->room.net[1]),
		.cause = sw->cause,
	};
}

static void view_scope(struct risk_view *v, const struct risk_scope *s, const struct kill_switch *sw)
{
	risk_money loss = -risk_pnl_total(&s->pnl);
	risk_ntl net = s->room.net[0] < s->room.net[1] ? s->room.net[0] : s->room.net[1];

	v->limits = s->limits;
	v->hard = s->hard;
	v->soft = s->soft;
	v->owner = view_owner(s, sw);
	v->used[RISK_KEY_gross_notional_max] =
		view_quote(risk_ntl_from_quote(s->limits.gross_notional_max) - s->room.gross);
	v->used[RISK_KEY_net_notional_max] = view_quote(risk_ntl_from_quote(s->limits.net_notional_max) - net);
	v->used[RISK_KEY_open_orders_max] = v->owner.n_open;
	v->used[RISK_KEY_loss_max] = loss > 0 ? (int64_t)((loss + E9 - 1) / E9) : 0;
}

/* Tokens that have not grown back. */
static int64_t view_tokens(const struct pace *p, uint64_t now_tsc)
{
	if (p->token_tsc == 0 || p->full_tsc <= now_tsc)
		return 0;
	return (int64_t)((p->full_tsc - now_tsc + p->token_tsc - 1) / p->token_tsc);
}

static struct risk_window_part view_window(const struct risk_window *w, uint64_t window_tsc, uint64_t now_tsc)
{
	struct risk_window_part sum = {0};

	for (uint64_t i = w->head; i != w->tail; i++) {
		const struct risk_window_part *p = &w->part[i % RISK_WINDOW_PARTS];
		if (now_tsc - p->tsc >= window_tsc)
			continue;
		sum.n += p->n;
		sum.qty += p->qty;
		sum.delta += p->delta;
	}
	return sum;
}

static void view_strategy(struct risk_view *v, const struct risk *r, const struct risk_strategy *s, uint64_t now_tsc)
{
	struct risk_window_part repeat = view_window(&s->repeat, s->repeat_tsc, now_tsc);
	struct risk_window_part protect = view_window(&s->protect, s->protect_tsc, now_tsc);
	int64_t unfilled = s->scope.limits.orders_unfilled_max - 1 - s->unfilled_spare;

	v->owner.n_orders = s->n_orders;
	v->owner.n_fills = s->n_fills;
	v->used[RISK_KEY_long_max] = v->used[RISK_KEY_short_max] = 0; /* until the walk finds more */
	v->used[RISK_KEY_orders_burst_max] = view_tokens(&s->rate, now_tsc);
	v->used[RISK_KEY_orders_unfilled_max] = unfilled > 0 ? unfilled : 0;
	v->used[RISK_KEY_repeat_fills_max] = repeat.n;
	v->used[RISK_KEY_protect_fills_max] = protect.n;
	v->used[RISK_KEY_protect_qty_max] = protect.qty;
	v->used[RISK_KEY_protect_delta_max] = protect.delta < 0 ? -protect.delta : protect.delta;
	v->used[RISK_KEY_rejects_max] = now_tsc - s->rejects_start_tsc < r->config.tsc_hz ? s->n_rejects : 0;
}

static void view_inst(struct risk_view *v, const struct risk *r, const struct risk_inst *i)
{
	v->limits = i->limits;
	v->hard = i->hard;
	v->used[RISK_KEY_long_max] = i->side[0].worst > 0 ? i->side[0].worst : 0;
	v->used[RISK_KEY_short_max] = i->side[1].worst > 0 ? i->side[1].worst : 0;
	for (unsigned side = 0; side < 2; side++)
		for (uint32_t slot = i->side[side].resting; slot != ORDER_NONE && v->owner.n_open < RISK_VIEW_ORDERS;
			slot = r->orders.pool[slot].next)
			v->owner.n_open++;
}

bool view_begin(struct risk_view *v, const struct risk *r, enum risk_level level, uint32_t index, uint64_t now_tsc)
{
	if ((unsigned)level >= RISK_LEVEL_COUNT || index >= r->kill.n[level])
		return false;
	const struct kill_switch *sw = &r->kill.sw[level][index];

	*v = (struct risk_view){.level = level,
		.index = index,
		.tsc = now_tsc,
		.owner.cause = sw->cause,
		.killed_tsc = sw->at_tsc,
		.sweep_left = r->sweep_left,
		.sweep_end_tsc = r->sweep_end_tsc,
		.n_cancels = r->n.sweep_cancel,
		.n_orders = orders_open(&r->orders)};
	memcpy(v->reason, sw->reason, sizeof(v->reason));
	for (unsigned key = 0; key < RISK_KEY_COUNT; key++)
		v->used[key] = RISK_VIEW_NONE;
	switch (level) {
	case RISK_ENGINE: view_scope(v, &r->engine, sw); break;
	case RISK_ACCOUNT:
		view_scope(v, &r->account[index].scope, sw);
		v->used[RISK_KEY_session_burst_max] = view_tokens(&r->account[index].session, now_tsc);
		break;
	case RISK_STRATEGY:
		view_scope(v, &r->strategy[index].scope, sw);
		view_strategy(v, r, &r->strategy[index], now_tsc);
		break;
	default: view_inst(v, r, &r->inst[index]);
	}
	return true;
}

bool view_step(struct risk_view *v, const struct risk *r)
{
	if (v->level != RISK_STRATEGY)
		return false;
	for (uint32_t n = 0; n < VIEW_STEP && v->inst_at < r->n_insts; n++, v->inst_at++) {
		const struct risk_cell *cell = risk_cell(r, v->inst_at, v->index);
		if (cell->side[0].worst > v->used[RISK_KEY_long_max])
			v->used[RISK_KEY_long_max] = cell->side[0].worst;
		if (cell->side[1].worst > v->used[RISK_KEY_short_max])
			v->used[RISK_KEY_short_max] = cell->side[1].worst;
	}
	return v->inst_at < r->n_insts;
}
