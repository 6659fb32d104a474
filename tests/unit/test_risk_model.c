/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Random requests, reports, market data, limit changes and kill switches go to the engine and to the model; verdicts,
 * orders, positions, exposures and what leaves must be equal after every step.
 *
 * GANNET_SEED sets the seed, GANNET_LONG=1 makes it ten million steps.
 */
#include <stdlib.h>

#include "risk_model.h"

#define EPISODE_STEPS 5000u

struct desk desk;
static uint64_t rng;

static uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return (rng * UINT64_C(2685821657736338717) >> 32) % below;
}

static bool chance(uint64_t one_in)
{
	return rnd(one_in) == 0;
}

static struct gn_order_req random_request(void)
{
	uint32_t s = (uint32_t)rnd(DESK_STRATEGIES);
	struct gn_order_req q =
		desk_order(s, (gn_side)(GN_BUY + rnd(2)), CENTS(9990 + (int64_t)rnd(21)), 1 + (gn_qty)rnd(100));
	const struct m_order *o = model.n_orders ? &model.order[rnd(model.n_orders)] : NULL;

	q.inst = (gn_inst)rnd(INSTS);
	q.flags = chance(4) ? GN_ORD_SHORT : chance(20) ? GN_ORD_SHORT_EXEMPT : 0;
	if (chance(400))
		q.px.e9 = (int64_t[]){0, -1, INT64_MIN, INT64_MAX, INT64_MAX / 4, 10000001}[rnd(6)];
	if (chance(400))
		q.qty = (int64_t[]){0, -1, INT64_MIN, INT64_MAX, RISK_QTY_MAX, RISK_QTY_MAX + 1}[rnd(6)];
	if (chance(300))
		q.side = (gn_side)rnd(4);
	if (chance(300))
		q.tif = (uint8_t)rnd(5);
	if (chance(300))
		q.inst = chance(2) ? INSTS : GN_INST_NONE;
	if (chance(300))
		q.oid = rnd(2) ? model.oid_last[s] : gn_oid_make((uint32_t)rnd(3), rnd(1000));
	if (chance(300))
		q.strategy = (uint32_t)rnd(4);
	if (chance(300))
		q.kind = (uint8_t)rnd(6);
	if (o && chance(3)) {
		q.kind = GN_REQ_REPLACE;
		q.oid_prev = o->oid;
		q.inst = o->inst;
		q.side = o->side;
		if (!chance(10)) {
			q.strategy = o->strategy;
			q.oid = gn_oid_make(o->strategy, ++desk.next[o->strategy]);
		}
		if (chance(2))
			q.px = o->px;
	} else if (o && chance(4)) {
		q.kind = GN_REQ_CANCEL;
		q.oid = o->oid;
		q.qty = chance(3) ? (gn_qty)rnd(50) : 0;
		if (!chance(20))
			q.strategy = o->strategy;
	}
	return q;
}

static void step_request(void)
{
	struct gn_order_req q = random_request(), judged = q;
	enum gn_verdict v = model_request(&q);

	AGREE(risk_request(&desk.risk, &judged, desk.now_tsc), v, "verdict");
}

static struct gn_exec random_report(void)
{
	const struct m_order *o = model.n_orders ? &model.order[rnd(model.n_orders)] : NULL;
	struct gn_exec e = {.oid = o ? o->oid : gn_oid_make(0, 1 + rnd(100)),
		.inst = 1,
		.side = GN_BUY,
		.match = ++model.n_entered};

	if (chance(100))
		e.oid = rnd(2) ? gn_oid_make((uint32_t)rnd(4), 1 + rnd(1000)) : rnd(UINT64_MAX);
	e.kind = (uint8_t[]){GN_EXEC_FILLED, GN_EXEC_FILLED, GN_EXEC_CANCELED, GN_EXEC_CANCELED, GN_EXEC_RESTATED,
		GN_EXEC_CANCEL_REJECTED, GN_EXEC_CANCEL_PENDING, GN_EXEC_ACCEPTED}[rnd(8)];
	if (o && o->state == PENDING && !chance(10))
		e.kind = chance(6) ? GN_EXEC_REJECTED : o->parent ? GN_EXEC_REPLACED : GN_EXEC_ACCEPTED;
	if (chance(200))
		e.kind = (uint8_t)(rnd(2) ? rnd(GN_EXEC_UP) : 200);
	e.oid_prev = o ? o->parent : 0;
	e.px = CENTS(9990 + (int64_t)rnd(21));
	if (e.kind != GN_EXEC_FILLED && chance(2))
		e.px.e9 = 0;
	e.qty = 1 + (gn_qty)rnd(60);
	if (o && chance(2))
		e.qty = o->leaves;
	if (e.kind == GN_EXEC_ACCEPTED && o)
		e.qty = chance(10) ? 1 + (gn_qty)rnd(100) : o->total;
	if (e.kind == GN_EXEC_RESTATED && chance(2))
		e.reason = 'M';
	e.code = chance(2) ? GN_CODE_VOID : 17;
	e.flags = chance(30) ? GN_EXEC_F_DEAD : 0;
	if (e.kind == GN_EXEC_CANCELED && chance(4))
		e.flags = GN_EXEC_F_PREVENTED;
	if (e.kind == GN_EXEC_REPLACED && o)
		e.qty = o->leaves;
	if (model.n_fills && chance(40)) { /* a fill again, or made void */
		const struct m_fill *f = &model.fill[rnd(model.n_fills)];
		e.kind = chance(2) ? GN_EXEC_BROKEN : GN_EXEC_FILLED;
		e.match = f->match;
		e.oid = f->oid;
		e.px = f->px;
	}
	return e;
}

static void step_report(void)
{
	struct gn_exec e = random_report();
	const struct m_order *o = model_order(e.oid);

	if (o && o->state == WAITING)
		return; /* the venue cannot know it */
	if (e.kind == GN_EXEC_FILLED && model.n_fills >= FILLS_MAX)
		return;
	model_report(&e);
	risk_report(&desk.risk, &e, desk.now_tsc);
}

static void step_quote(void)
{
	gn_inst inst = (gn_inst)rnd(INSTS);
	int64_t bid = 9992 + (int64_t)rnd(12);
	uint32_t flags = chance(20) ? GN_VIEW_HALTED : chance(20) ? GN_VIEW_STALE : chance(10) ? GN_VIEW_NO_SHORT : 0;

	desk_quote(inst, chance(30) ? PX(0) : CENTS(bid), CENTS(bid + 1 + (int64_t)rnd(3)), flags);
}

static void step_housekeep(void)
{
	risk_housekeep(&desk.risk, desk.now_tsc);
	for (uint32_t inst = 0; inst < INSTS; inst++) {
		struct gn_quote q = gn_board_read(&desk.board, inst);
		int64_t px = q.bid.e9 && q.ask.e9 ? q.bid.e9 + (q.ask.e9 - q.bid.e9) / 2 : q.last.e9;
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			if (!(q.flags & GN_VIEW_STALE) && px > 0 && model_position[inst][s])
				model.mark[inst][s].e9 = px;
	}
	model_losses(0, DESK_STRATEGIES);
}

static uint8_t *switch_of(enum risk_level level, uint32_t index)
{
	return level == RISK_ENGINE     ? &model.killed_engine
	       : level == RISK_ACCOUNT  ? &model.killed_account[index]
	       : level == RISK_STRATEGY ? &model.killed_strategy[index]
	                                : &model.killed_inst[index];
}

static void step_switch(void)
{
	static const uint32_t n[RISK_LEVEL_COUNT] = {1, ACCOUNTS, DESK_STRATEGIES, INSTS};
	enum risk_level level = (enum risk_level)rnd(RISK_LEVEL_COUNT);
	uint32_t index = (uint32_t)rnd(n[level]);
	uint8_t *cause = switch_of(level, index);

	if (*cause) {
		AGREE(risk_release(&desk.risk, level, index, "model", desk.now_tsc), 1, "release");
		*cause = 0;
		for (uint32_t i = 0; level == RISK_STRATEGY && i < model.n_fills; i++)
			if (model.fill[i].strategy == index)
				model.fill[i].windowed = false;
	} else if (chance(8)) {
		AGREE(risk_kill(&desk.risk, level, index, RISK_CAUSE_PERSON, "model", desk.now_tsc), 1, "kill");
		*cause = RISK_CAUSE_PERSON;
	}
}

static void step_session(void)
{
	uint64_t set = rnd(1 << DESK_STRATEGIES);
	bool up = !chance(4);
	struct gn_exec e = {.kind = up ? GN_EXEC_UP : GN_EXEC_DOWN, .match = set};

	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		if (set >> s & 1)
			model.up[s] = up;
	risk_report(&desk.risk, &e, desk.now_tsc);
}

/* Keys whose buckets the model does not follow through a change are left alone. */
static void step_limit(void)
{
	enum risk_level level = (enum risk_level)rnd(RISK_LEVEL_COUNT);
	enum risk_key key = (enum risk_key)rnd(RISK_KEY_COUNT);
	uint32_t index = level == RISK_ENGINE ? 0 : (uint32_t)rnd(2);
	struct risk_limits *l = risk_limits_at(&desk.risk, level, index);

	if (key == RISK_KEY_orders_per_s_max || key == RISK_KEY_orders_burst_max || key == RISK_KEY_session_per_s_max
		|| key == RISK_KEY_session_burst_max || !(risk_key_info[key].levels & 1u << level))
		return;
	int64_t before = risk_limit_get(l, key),
		hard = risk_limit_get(level == RISK_INSTRUMENT ? &desk.risk.inst[index].hard
							       : &GN_CONTAINER_OF(l, struct risk_scope, limits)->hard,
			key);
	if (hard == RISK_UNLIMITED)
		return;
	int64_t value = chance(3)    ? hard
	                : chance(10) ? hard + (risk_key_info[key].less_is_tighter ? 1 : -1)
	                             : hard - hard / 4;
	bool allowed = value > 0 && (risk_key_info[key].less_is_tighter ? value <= hard : value >= hard);
	AGREE(risk_limit_set(&desk.risk, level, index, key, value, "model", "", desk.now_tsc) == 0, allowed,
		"limit change");
	AGREE(risk_limit_get(l, key), allowed ? value : before, "limit");
	if (key == RISK_KEY_orders_unfilled_max && allowed)
		model.unfilled_room[index] += value - before;
}

/* Some limits tight enough to be met, others open: another mix every episode. */
static int64_t some(int64_t limit)
{
	return chance(3) ? RISK_UNLIMITED : limit + (int64_t)rnd((uint64_t)limit);
}

static void random_level(struct risk_limits *l, enum risk_level level)
{
	*l = risk_limits_open(level);
	l->order_qty_max = some(90);
	l->order_notional_max = some(8000);
	if (level & 2) {
		l->long_max = some(300);
		l->short_max = some(300);
	}
	if (level != RISK_INSTRUMENT) {
		l->gross_notional_max = some(60000);
		l->net_notional_max = some(40000);
		l->open_orders_max = some(6);
		l->loss_max = model.paced ? RISK_UNLIMITED : some(3);
	}
}

static void random_strategy(struct risk_strategy_config *s)
{
	random_level(&s->limits, RISK_STRATEGY);
	s->account = (uint32_t)rnd(ACCOUNTS);
	s->may = chance(6) ? (uint32_t)rnd(8) : RISK_MAY_BUY | RISK_MAY_SELL | RISK_MAY_SHORT;
	s->limits.orders_unfilled_max = some(50);
	s->limits.orders_per_fill_max = 1 + (int64_t)rnd(10);
	s->limits.duplicate_window_us = 1 + (int64_t)rnd(20);
	if (chance(2)) {
		s->limits.orders_per_s_max = (int64_t)DESK_HZ / TOKEN_TSC;
		s->limits.orders_burst_max = 1 + (int64_t)rnd(20);
	}
	if (model.paced)
		return;
	s->limits.repeat_fills_max = 3 + (int64_t)rnd(20);
	s->limits.repeat_window_ms = 1;
	s->limits.protect_window_ms = 1;
	s->limits.protect_fills_max = some(5);
	s->limits.protect_qty_max = some(400);
	s->limits.protect_delta_max = some(300);
}

static void begin_episode(void)
{
	desk_prepare();
	memset(&model, 0, sizeof(model));
	model.paced = chance(3);
	random_level(&desk.config.engine, RISK_ENGINE);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		random_level(&desk.account[a].limits, RISK_ACCOUNT);
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		random_strategy(&desk.strategy[s]);
	random_level(&desk.config.instrument_default, RISK_INSTRUMENT);
	desk.config.instrument_default.collar_bps = some(6);
	desk.config.instrument_default.collar_ticks = some(7);
	desk.config.instrument_default.stale_us_max = 20 + (int64_t)rnd(100);
	desk.config.orders_max = chance(3) ? 6 : ORDERS_MAX;
	desk.config.lot_default = chance(4) ? 5 : 1;
	desk.config.mark_shorts = chance(2);
	desk.config.locate_default = some(300);
	desk.config.allow_no_reference = chance(3);
	desk.config.self_match = (enum risk_self_match)rnd(3);
	desk.inst[0] = (struct risk_instrument_config){.inst = 2, .restricted = chance(6)};
	desk.config.n_instruments = 1;
	if (model.paced) {
		desk.config.venue_per_s = (int64_t)DESK_HZ / TOKEN_TSC;
		desk.config.venue_burst = 3 + (int64_t)rnd(5);
		desk.config.venue_reserve = (int64_t)rnd(3);
		desk.config.patience_us = (int64_t)rnd(12);
	}
	desk_open();
	desk.risk.n_insts = INSTS; /* the fixture has more */
	desk.risk.n_fast_insts = chance(4) ? 0 : INSTS; /* 0: every order is judged at leisure */
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
		int64_t burst = desk.strategy[s].limits.orders_burst_max;
		int64_t max =
			desk.strategy[s].limits.orders_per_s_max == RISK_UNLIMITED ? INT64_MAX : burst * TOKEN_TSC;
		model.rate[s] = (struct m_bucket){max, max, desk.now_tsc};
		model.unfilled_room[s] =
			desk.strategy[s].limits.orders_unfilled_max; /* orders take one each, fills give some back */
		model.up[s] = true;
	}
	int64_t max = model.paced ? desk.config.venue_burst * TOKEN_TSC : INT64_MAX;
	model.venue = (struct m_bucket){max, max, desk.now_tsc};
	for (uint32_t i = 0; i < INSTS; i++)
		model.permitted[i] = i != 2 || !desk.inst[0].restricted;
	model_positions_again();
}

static void one_step(void)
{
	uint64_t what = rnd(100);

	desk.now_tsc += rnd(model.paced ? 500 : 4000);
	desk.journal_full = chance(200);
	if (what < 50)
		step_request();
	else if (what < 88)
		step_report();
	else if (what < 91)
		step_quote();
	else if (what < 93)
		step_housekeep();
	else if (what < 94)
		step_limit();
	else if (!model.paced && what < 99)
		step_switch();
	else if (!model.paced && chance(4))
		step_session();
	if (chance(2)) {
		while (model.paced && model_poll()) {
		}
		desk_settle();
	}
	model_agree();
	model_agree_sent();
}

/* Everything ends; what is left of every limit is the limit, less what the positions take. */
static void end_episode(void)
{
	while (model.n_orders) {
		struct gn_exec e = {.kind = GN_EXEC_CANCELED,
			.oid = model.order[0].oid,
			.qty = model.order[0].leaves ? model.order[0].leaves : 1};
		model_report(&e);
		risk_report(&desk.risk, &e, desk.now_tsc);
	}
	model_agree();
	desk_expect_no_exposure();
	AGREE(desk.risk.n.duplicate_evicted, 0, "evictions from the duplicate window");
	risk_fini(&desk.risk);
	gn_board_fini(&desk.board);
}

TestSuite(risk_model, .timeout = 1200);

Test(risk_model, engine_and_model_agree_on_every_step)
{
	const char *given = getenv("GANNET_SEED"), *l = getenv("GANNET_LONG");
	uint64_t steps = l && l[0] == '1' ? 10000000 : 1000000, reached[GN_VERDICT_COUNT] = {0};

	model_seed = given ? strtoull(given, NULL, 0) : 20221;
	rng = model_seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (model_step = 0; model_step < steps;) {
		begin_episode();
		for (uint32_t i = 0; i < EPISODE_STEPS; i++, model_step++)
			one_step();
		for (unsigned v = 0; v < GN_VERDICT_COUNT; v++)
			reached[v] += desk.risk.verdicts[v];
		end_episode();
	}
	/* a walk that does not get everywhere proves nothing; the last two are not risk's own */
	for (unsigned v = GN_ACCEPTED; v < GN_REFUSED_BURST; v++)
		cr_expect_gt(reached[v], 10, "verdict %u: %lu times", v, reached[v]);
	cr_expect_gt(reached[GN_ACCEPTED], steps / 50);
}
