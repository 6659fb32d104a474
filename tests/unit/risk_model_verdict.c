/* SPDX-License-Identifier: BSD-3-Clause */
/* The verdict of the model on a request, and what follows from it. */
#include "risk_model.h"

static enum gn_verdict verdict_of_cause(uint8_t cause)
{
	return cause == RISK_CAUSE_NONE                                         ? GN_ACCEPTED
	       : cause == RISK_CAUSE_LOSS                                       ? GN_REFUSED_LOSS
	       : cause == RISK_CAUSE_REPEATED || cause == RISK_CAUSE_PROTECTION ? GN_REFUSED_REPEATED
	                                                                        : GN_REFUSED_KILLED;
}

static enum gn_verdict gate_of(const struct gn_order_req *q)
{
	if (model.killed_engine)
		return verdict_of_cause(model.killed_engine);
	if (model.killed_account[model_account(q->strategy)])
		return verdict_of_cause(model.killed_account[model_account(q->strategy)]);
	if (model.killed_strategy[q->strategy])
		return verdict_of_cause(model.killed_strategy[q->strategy]);
	if (!model.up[q->strategy])
		return GN_REFUSED_SESSION;
	if (q->inst >= INSTS || !model.permitted[q->inst])
		return GN_REFUSED_INSTRUMENT;
	if (model.killed_inst[q->inst])
		return GN_REFUSED_KILLED;
	return q->side == GN_BUY || q->side == GN_SELL ? GN_ACCEPTED : GN_REFUSED_SIDE;
}

struct ask { /* what an order adds */
	gn_qty qty;
	__int128 ntl;
	int64_t orders;
};

static bool over_any(const struct gn_order_req *q, __int128 more, int which, enum risk_key key)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		uint32_t index = level == RISK_ACCOUNT    ? model_account(q->strategy)
		                 : level == RISK_STRATEGY ? q->strategy
		                                          : 0;
		struct exposure e = model_exposure(level, index);
		int64_t limit = risk_limit_get(model_limits(level, index), key);
		__int128 used = which == 0 ? e.gross : which == 1 ? e.net[q->side - 1] : e.n_open;
		__int128 most = which == 2 ? model_least(limit, RISK_QTY_MAX) : model_notional_limit(limit);
		if (more > 0 && used + more > most)
			return true;
	}
	return false;
}

static bool breaks_short(const struct gn_order_req *q, const struct gn_quote *quote, gn_qty more)
{
	bool marked = q->flags & (GN_ORD_SHORT | GN_ORD_SHORT_EXEMPT);

	if (q->side == GN_BUY || (!marked && model_worst_cell(q->inst, q->strategy, GN_SELL) + more <= 0))
		return false;
	if (!(desk.strategy[q->strategy].may & RISK_MAY_SHORT) || (desk.config.mark_shorts && !marked))
		return true;
	if (model_worst_inst(q->inst, GN_SELL) + more > model_least(desk.config.locate_default, RISK_QTY_MAX))
		return true;
	return (quote->flags & GN_VIEW_NO_SHORT) && !(q->flags & GN_ORD_SHORT_EXEMPT) && q->px.e9 <= quote->bid.e9;
}

static bool crosses(const struct gn_order_req *q, const struct m_order *o)
{
	return o->inst == q->inst && o->side != q->side
	       && (q->side == GN_BUY ? q->px.e9 >= o->px.e9 : q->px.e9 <= o->px.e9);
}

static bool breaks_self_match(const struct gn_order_req *q)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < model.n_orders; i++) {
		const struct m_order *o = &model.order[i];
		if (!crosses(q, o))
			continue;
		n++;
		if (desk.config.self_match == RISK_SELF_MATCH_REFUSE
			|| model_account(o->strategy) != model_account(q->strategy) || !model.up[o->strategy])
			return true;
		if (desk.config.self_match == RISK_SELF_MATCH_DECREMENT
			&& (o->reducing || o->parent || model_heir(o) || q->kind == GN_REQ_REPLACE))
			return true;
	}
	return n > 8;
}

static bool breaks_duplicate(const struct gn_order_req *q)
{
	uint64_t window = (uint64_t)model_limits(RISK_STRATEGY, q->strategy)->duplicate_window_us * 1000;

	for (uint64_t i = model.n_seen > 512 ? model.n_seen - 512 : 0; i < model.n_seen; i++) {
		const struct m_seen *s = &model.seen[i % 512];
		if (s->inst == q->inst && s->strategy == q->strategy && s->side == q->side && s->px_e9 == q->px.e9
			&& s->qty == q->qty && desk.now_tsc - s->tsc < window)
			return true;
	}
	return false;
}

static bool breaks_patience(const struct gn_order_req *q)
{
	uint32_t n = model_n_waiting(RISK_QUEUE_COUNT);

	if (q->kind == GN_REQ_REPLACE || model.venue.max == INT64_MAX)
		return false;
	model_bucket_grow(&model.venue);
	int64_t lacks = (1 + desk.config.venue_reserve + n) * TOKEN_TSC - model.venue.level;
	return lacks > desk.config.patience_us * 1000;
}

static bool breaks_collar(const struct gn_order_req *q, const struct gn_quote *quote, const struct risk_limits *l)
{
	__int128 twice_off = 2 * (__int128)q->px.e9 - quote->bid.e9 - quote->ask.e9;

	if (quote->bid.e9 == 0 || quote->ask.e9 == 0)
		return false;
	twice_off = twice_off < 0 ? -twice_off : twice_off;
	return (l->collar_ticks != RISK_UNLIMITED
		       && twice_off > 2 * (__int128)l->collar_ticks * desk.config.tick_default.e9)
	       || twice_off * 10000 > ((__int128)quote->bid.e9 + quote->ask.e9) * l->collar_bps;
}

static int64_t tightest(const struct gn_order_req *q, enum risk_key key)
{
	return model_least(model_least(risk_limit_get(model_limits(RISK_ENGINE, 0), key),
				   risk_limit_get(model_limits(RISK_ACCOUNT, model_account(q->strategy)), key)),
		model_least(risk_limit_get(model_limits(RISK_STRATEGY, q->strategy), key),
			risk_limit_get(model_limits(RISK_INSTRUMENT, q->inst), key)));
}

static enum gn_verdict judge_form(const struct gn_order_req *q)
{
	int64_t tick = q->px.e9 < 1000000000 ? 100000 : 10000000;

	if (q->oid >> 48 != q->strategy + 1)
		return GN_REFUSED_STRATEGY;
	if (q->oid <= model.oid_last[q->strategy])
		return GN_REFUSED_DUPLICATE;
	if (q->side == GN_BUY && !(desk.strategy[q->strategy].may & RISK_MAY_BUY))
		return GN_REFUSED_SIDE;
	if (q->side == GN_SELL && !(desk.strategy[q->strategy].may & (RISK_MAY_SELL | RISK_MAY_SHORT)))
		return GN_REFUSED_SIDE;
	if (q->tif != GN_TIF_DAY && q->tif != GN_TIF_IOC)
		return GN_REFUSED_TIF;
	if (q->qty <= 0 || q->qty > model_least(tightest(q, RISK_KEY_order_qty_max), RISK_QTY_MAX))
		return GN_REFUSED_QTY;
	if (q->px.e9 <= 0 || q->px.e9 > INT64_MAX / 4)
		return GN_REFUSED_PRICE;
	return q->px.e9 % tick || q->qty % desk.config.lot_default ? GN_REFUSED_TICK : GN_ACCEPTED;
}

static enum gn_verdict judge(const struct gn_order_req *q, const struct ask *add)
{
	struct gn_quote quote = gn_board_read(&desk.board, q->inst);
	const struct risk_limits *inst = model_limits(RISK_INSTRUMENT, q->inst),
				 *own = model_limits(RISK_STRATEGY, q->strategy);
	enum gn_verdict v = judge_form(q);

	if (v != GN_ACCEPTED)
		return v;
	if (model_notional(q->px, q->qty) > model_notional_limit(tightest(q, RISK_KEY_order_notional_max)))
		return GN_REFUSED_NOTIONAL;
	if (quote.flags & GN_VIEW_HALTED)
		return GN_REFUSED_HALTED;
	if ((quote.flags & GN_VIEW_STALE) || desk.now_tsc - quote.tsc > (uint64_t)inst->stale_us_max * 1000)
		return GN_REFUSED_STALE;
	if ((quote.bid.e9 == 0 || quote.ask.e9 == 0) && !desk.config.allow_no_reference)
		return GN_REFUSED_REFERENCE;
	if (breaks_collar(q, &quote, inst))
		return GN_REFUSED_COLLAR;
	if (breaks_short(q, &quote, add->qty))
		return GN_REFUSED_SHORT;
	int64_t own_max = q->side == GN_BUY ? own->long_max : own->short_max;
	int64_t inst_max = q->side == GN_BUY ? inst->long_max : inst->short_max;
	if (add->qty > 0
		&& (model_worst_cell(q->inst, q->strategy, q->side) + add->qty > own_max
			|| model_worst_inst(q->inst, q->side) + add->qty > inst_max))
		return GN_REFUSED_POSITION;
	if (over_any(q, add->ntl, 0, RISK_KEY_gross_notional_max))
		return GN_REFUSED_GROSS;
	if (over_any(q, add->ntl, 1, RISK_KEY_net_notional_max))
		return GN_REFUSED_NET;
	if (over_any(q, add->orders, 2, RISK_KEY_open_orders_max))
		return GN_REFUSED_OPEN;
	if (!model_bucket_has(&model.rate[q->strategy], 0))
		return GN_REFUSED_RATE;
	if (model.unfilled_room[q->strategy] <= 0)
		return GN_REFUSED_RATIO;
	if (model.n_orders >= desk.config.orders_max)
		return GN_REFUSED_TABLE;
	if (desk.journal_full)
		return GN_REFUSED_JOURNAL;
	if (breaks_duplicate(q))
		return GN_REFUSED_DUPLICATE;
	if (breaks_self_match(q))
		return GN_REFUSED_SELF_MATCH;
	return breaks_patience(q) ? GN_REFUSED_PATIENCE : GN_ACCEPTED;
}

/* Own orders in the way, the latest first. Returns what is left of the quantity. */
static gn_qty clear_way(const struct gn_order_req *q)
{
	gn_oid way[16];
	uint64_t before = UINT64_MAX;
	uint32_t n = 0;
	gn_qty qty = q->qty;

	for (bool more = true; more;) {
		const struct m_order *latest = NULL;
		for (uint32_t i = 0; i < model.n_orders; i++)
			if (crosses(q, &model.order[i]) && model.order[i].entered < before
				&& (!latest || model.order[i].entered > latest->entered))
				latest = &model.order[i];
		more = latest != NULL;
		if (more) {
			before = latest->entered;
			way[n++] = latest->oid;
		}
	}
	for (uint32_t i = 0; i < n && qty > 0; i++) {
		struct m_order *o = model_order(way[i]);
		if (!o)
			continue;
		gn_qty common = model_least(qty, o->leaves), leaves = o->leaves, executed = o->executed;
		bool all = desk.config.self_match == RISK_SELF_MATCH_CANCEL_RESTING || qty >= leaves;
		o->reducing = true;
		model_ask_cancel(o, all ? 0 : executed + leaves - common);
		qty -= desk.config.self_match == RISK_SELF_MATCH_DECREMENT ? common : 0;
	}
	return qty;
}

static void enter(const struct gn_order_req *q, gn_qty qty, gn_oid parent)
{
	const struct m_order *p = model_order(parent);
	struct m_order o = {.oid = q->oid,
		.parent = parent,
		.inst = q->inst,
		.strategy = q->strategy,
		.side = q->side,
		.px = q->px,
		.total = qty,
		.executed = p ? p->executed : 0,
		.entered = ++model.n_entered,
		.state = PENDING};

	o.leaves = qty > o.executed ? qty - o.executed : 0;
	if (model_n_waiting(RISK_QUEUE_COUNT) == 0 && model_bucket_has(&model.venue, desk.config.venue_reserve)) {
		model_send(&o, q->kind, qty);
	} else {
		o.state = WAITING;
		model_enqueue(&o, parent ? RISK_QUEUE_REPLACE : RISK_QUEUE_NEW);
	}
	model.order[model.n_orders++] = o;
	model.seen[model.n_seen++ % 512] =
		(struct m_seen){q->inst, q->strategy, q->side, q->px.e9, q->qty, desk.now_tsc};
	model_bucket_take(&model.rate[q->strategy]);
	model.unfilled_room[q->strategy]--;
	model.oid_last[q->strategy] = q->oid;
}

static enum gn_verdict model_new(const struct gn_order_req *q)
{
	struct ask add = {q->qty, model_notional(q->px, q->qty), 1};
	enum gn_verdict v = gate_of(q);

	if (v == GN_ACCEPTED)
		v = judge(q, &add);
	if (v != GN_ACCEPTED)
		return v;
	gn_qty left = clear_way(q);
	if (left == 0)
		return GN_REFUSED_SELF_MATCH;
	enter(q, left, 0);
	return GN_ACCEPTED;
}

static enum gn_verdict model_replace(const struct gn_order_req *q)
{
	struct m_order *p = model_order(q->oid_prev);

	if (!model.up[q->strategy])
		return GN_REFUSED_SESSION;
	if (!p || p->strategy != q->strategy || model_heir(p) || p->parent || p->state == WAITING)
		return GN_REFUSED_UNKNOWN;
	if (q->inst != p->inst)
		return GN_REFUSED_INSTRUMENT;
	if (q->side != p->side)
		return GN_REFUSED_SIDE;
	if (q->qty <= 0 || q->qty > RISK_QTY_MAX)
		return GN_REFUSED_QTY;
	if (q->px.e9 <= 0 || q->px.e9 > INT64_MAX / 4)
		return GN_REFUSED_PRICE;
	gn_qty leaves = q->qty > p->executed ? q->qty - p->executed : 0;
	__int128 more = model_notional(q->px, leaves) - model_notional(p->px, p->leaves);
	bool keener = q->side == GN_BUY ? q->px.e9 > p->px.e9 : q->px.e9 < p->px.e9;
	if (leaves <= p->leaves && !keener && more <= 0) {
		int64_t tick = q->px.e9 < 1000000000 ? 100000 : 10000000;
		if (q->oid >> 48 != q->strategy + 1)
			return GN_REFUSED_STRATEGY;
		if (q->oid <= model.oid_last[q->strategy])
			return GN_REFUSED_DUPLICATE;
		if (q->tif != GN_TIF_DAY && q->tif != GN_TIF_IOC)
			return GN_REFUSED_TIF;
		if (q->px.e9 % tick || q->qty % desk.config.lot_default)
			return GN_REFUSED_TICK;
	} else {
		struct ask add = {leaves > p->leaves ? leaves - p->leaves : 0, more > 0 ? more : 0, 0};
		enum gn_verdict v = gate_of(q);
		if (v == GN_ACCEPTED)
			v = judge(q, &add);
		if (v != GN_ACCEPTED)
			return v;
		clear_way(q);
	}
	enter(q, q->qty, p->oid);
	return GN_ACCEPTED;
}

enum gn_verdict model_request(const struct gn_order_req *q)
{
	if (q->strategy >= DESK_STRATEGIES)
		return GN_REFUSED_STRATEGY;
	if (q->kind == GN_REQ_NEW)
		return model_new(q);
	if (q->kind == GN_REQ_REPLACE)
		return model_replace(q);
	if (q->kind != GN_REQ_CANCEL)
		return GN_REFUSED_KIND;
	struct m_order *o = model_order(q->oid);
	if (!o || o->strategy != q->strategy || q->qty < 0)
		return GN_REFUSED_UNKNOWN;
	model_ask_cancel(o, q->qty);
	return GN_ACCEPTED;
}
