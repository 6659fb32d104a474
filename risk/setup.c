/* SPDX-License-Identifier: BSD-3-Clause */
/* Cold: from the config to what the checks compare with, and from a changed limit to the same. */
#include "setup.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "duplicate.h"
#include "gate.h"
#include "pacing.h"
#include "self_match.h"
#include "tell.h"

static struct risk_divisor setup_divisor(uint64_t n)
{
	struct risk_divisor d = {.shift = (uint64_t)__builtin_ctzll(n), .max = UINT64_MAX / n};
	uint64_t odd = n >> d.shift;

	d.inverse = odd; /* right in 3 bits; each step doubles them */
	for (int i = 0; i < 5; i++)
		d.inverse *= 2 - odd * d.inverse;
	return d;
}

static int64_t setup_min(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* Ticks in so many microseconds; a limit without bound is longer than any day. */
static uint64_t setup_ticks(const struct risk *r, int64_t us)
{
	const int64_t year_us = INT64_C(366) * 86400 * 1000 * 1000;

	return (uint64_t)((unsigned __int128)r->config.tsc_hz * (uint64_t)setup_min(us, year_us) / 1000000);
}

static int64_t setup_us(int64_t ms)
{
	return ms < RISK_UNLIMITED / 1000 ? ms * 1000 : RISK_UNLIMITED;
}

/* Worst position in an instrument for orders of a side; a marked one is a short sale, whatever is held. */
static int64_t setup_worst_max(const struct risk *r, const struct risk_strategy *s, uint32_t side, bool marked)
{
	if (side == 0)
		return s->worst_max[0];
	if (marked)
		return s->may & RISK_MAY_SHORT ? s->worst_max[1] : INT64_MIN;
	return (s->may & RISK_MAY_SHORT) && !r->mark_shorts ? s->worst_max[1] : setup_min(s->worst_max[1], 0);
}

void setup_strategy_top(struct risk *r, uint32_t strategy)
{
	struct risk_strategy *s = &r->strategy[strategy];

	for (unsigned top = 0; top < GN_ARRAY_SIZE(s->top); top++) {
		bool open = s->gate == GN_ACCEPTED && (s->sides >> (GN_BUY + (top & 1)) & 1);
		s->top[top] = (risk_v4){
			s->order_qty_max, s->order_ntl_max, setup_worst_max(r, s, top & 1, top > 1), INT64_MAX};
		if (!open)
			s->top[top] = (risk_v4){-1, -1, -1, -1};
	}
}

void setup_inst_top(struct risk *r, gn_inst inst)
{
	struct risk_inst *i = &r->inst[inst];

	for (unsigned side = 0; side < 2; side++) {
		int64_t worst_max = side == 0 ? i->worst_max[0] : setup_min(i->worst_max[1], i->locate_qty);
		i->side[side].top = (risk_v4){i->order_qty_max, i->order_ntl_max, INT64_MAX, worst_max};
		if (i->gate != GN_ACCEPTED)
			i->side[side].top = (risk_v4){-1, -1, -1, -1};
	}
}

void setup_strategy(struct risk *r, uint32_t strategy)
{
	struct risk_strategy *s = &r->strategy[strategy];
	const struct risk_limits *own = &s->scope.limits, *account = &r->account[s->account].scope.limits,
				 *engine = &r->engine.limits;

	s->order_qty_max = risk_count_limit(
		setup_min(own->order_qty_max, setup_min(account->order_qty_max, engine->order_qty_max)));
	s->order_ntl_max = risk_ntl_from_quote(
		setup_min(own->order_notional_max, setup_min(account->order_notional_max, engine->order_notional_max)));
	s->worst_max[0] = risk_count_limit(own->long_max);
	s->worst_max[1] = risk_count_limit(own->short_max);
	s->repeat_tsc = setup_ticks(r, setup_us(own->repeat_window_ms));
	s->protect_tsc = setup_ticks(r, setup_us(own->protect_window_ms));
	s->duplicate_tsc = setup_ticks(r, own->duplicate_window_us);
	pace_set(&s->rate, own->orders_per_s_max, own->orders_burst_max, 0, r->config.tsc_hz);
	s->slack_tsc = (risk_v4){
		s->rate.slack_tsc, s->account_of->session.slack_kept_tsc, r->venue.slack_kept_tsc, INT64_MAX / 2};
	s->token_tsc = (risk_v4){
		(int64_t)s->rate.token_tsc, (int64_t)s->account_of->session.token_tsc, (int64_t)r->venue.token_tsc, 0};
	setup_strategy_top(r, strategy);
}

static void setup_account(struct risk *r, uint32_t account)
{
	const struct risk_limits *l = &r->account[account].scope.limits;

	pace_set(&r->account[account].session, l->session_per_s_max, l->session_burst_max, r->config.venue_reserve,
		r->config.tsc_hz);
}

void setup_inst(struct risk *r, gn_inst inst)
{
	struct risk_inst *i = &r->inst[inst];
	const struct risk_limits *l = &i->limits;
	__int128 collar2 = (__int128)2 * l->collar_ticks * i->tick.e9;

	i->order_qty_max = risk_count_limit(l->order_qty_max);
	i->order_ntl_max = risk_ntl_from_quote(l->order_notional_max);
	i->worst_max[0] = risk_count_limit(l->long_max);
	i->worst_max[1] = risk_count_limit(l->short_max);
	i->collar_bps = l->collar_bps;
	i->collar_share = l->collar_bps < 10000 ? (uint64_t)(((unsigned __int128)(uint64_t)l->collar_bps << 64) / 10000)
	                                        : UINT64_MAX;
	i->collar2_e9 = collar2 > INT64_MAX ? INT64_MAX : (int64_t)collar2;
	i->stale_tsc = l->stale_us_max == RISK_UNLIMITED ? UINT64_MAX / 4 : setup_ticks(r, l->stale_us_max);
	i->by_tick = setup_divisor((uint64_t)i->tick.e9);
	i->by_tick_below_1 = setup_divisor((uint64_t)i->tick_below_1.e9);
	setup_inst_top(r, inst);
}

void setup_room(struct risk_scope *s, const struct risk_limits *before)
{
	const struct risk_limits *now = &s->limits;
	risk_ntl net = risk_ntl_from_quote(now->net_notional_max) - risk_ntl_from_quote(before->net_notional_max);

	s->room.gross += risk_ntl_from_quote(now->gross_notional_max) - risk_ntl_from_quote(before->gross_notional_max);
	s->room.net[0] += net;
	s->room.net[1] += net;
	s->room.n_open += risk_count_limit(now->open_orders_max) - risk_count_limit(before->open_orders_max);
}

static int setup_validate_account(const struct risk_config *c, const struct risk_account_config *a)
{
	int rc = risk_limits_validate(&a->limits, RISK_ACCOUNT, a->name);

	if (rc == 0 && c->venue_reserve >= a->limits.session_burst_max)
		rc = gn_err(EINVAL,
			"risk: account %s: reserve of %lld for cancels, expected less than session_burst_max %lld",
			a->name, (long long)c->venue_reserve, (long long)a->limits.session_burst_max);
	return rc;
}

static int setup_validate_levels(const struct risk_config *c)
{
	int rc = risk_limits_validate(&c->engine, RISK_ENGINE, "");

	for (uint32_t i = 0; rc == 0 && i < c->n_accounts; i++)
		rc = setup_validate_account(c, &c->account[i]);
	for (uint32_t i = 0; rc == 0 && i < c->n_strategies; i++) {
		rc = risk_limits_validate(&c->strategy[i].limits, RISK_STRATEGY, c->strategy[i].name);
		if (rc == 0 && c->strategy[i].account >= c->n_accounts)
			rc = gn_err(EINVAL, "risk: strategy %s: account %u does not exist", c->strategy[i].name,
				c->strategy[i].account);
	}
	for (uint32_t i = 0; rc == 0 && i < c->n_instruments; i++) {
		struct risk_limits l = c->instrument[i].limits;
		risk_limits_inherit(&l, &c->instrument_default);
		rc = risk_limits_validate(&l, RISK_INSTRUMENT, "named in the config");
	}
	return rc == 0 && c->allow_unlisted ? risk_limits_validate(&c->instrument_default, RISK_INSTRUMENT, "default")
	                                    : rc;
}

int risk_config_validate(const struct risk_config *c)
{
	if (c->tsc_hz == 0)
		return gn_err(EINVAL, "risk: rate of the time-stamp counter is not known");
	if (c->orders_max == 0 || c->orders_max > RISK_ORDERS_MAX)
		return gn_err(EINVAL, "risk: orders_max is %u, expected 1 to %u", c->orders_max, RISK_ORDERS_MAX);
	if (c->n_strategies == 0 || c->n_strategies > GN_STRATEGIES_MAX)
		return gn_err(EINVAL, "risk: %u strategies, expected 1 to %u", c->n_strategies, GN_STRATEGIES_MAX);
	if (c->n_accounts == 0)
		return gn_err(EINVAL, "risk: no account is given");
	if (c->tick_default.e9 <= 0 || c->tick_below_1.e9 < 0 || c->lot_default <= 0)
		return gn_err(EINVAL, "risk: tick or lot is missing");
	if (c->reference == RISK_REFERENCE_NONE && !c->allow_no_reference)
		return gn_err(EINVAL, "risk: the price collar has no reference");
	if (c->venue_per_s <= 0 || c->venue_burst <= 0)
		return gn_err(EINVAL, "risk: the venue's message rate or burst is missing");
	if (c->venue_reserve < 0 || c->venue_reserve >= c->venue_burst)
		return gn_err(EINVAL, "risk: reserve of %lld for cancels, expected less than the burst of %lld",
			(long long)c->venue_reserve, (long long)c->venue_burst);
	if (c->patience_us < 0 || c->stale_kill_ms < 0 || c->session_kill_ms < 0 || c->clock_jump_ms < 0)
		return gn_err(EINVAL, "risk: a time is negative");
	return setup_validate_levels(c);
}

static int setup_memory(struct risk *r, int node)
{
	size_t n_cells = (size_t)r->n_insts * r->n_strategies;

	r->strategy = gn_mem_alloc(r->strategy_bytes = r->n_strategies * sizeof(*r->strategy), node);
	r->account = gn_mem_alloc(r->account_bytes = r->n_accounts * sizeof(*r->account), node);
	r->inst = gn_mem_alloc(r->inst_bytes = r->n_insts * sizeof(*r->inst), node);
	r->cell = gn_mem_alloc(r->cell_bytes = n_cells * sizeof(*r->cell), node);
	r->ledger = gn_mem_alloc(r->ledger_bytes = n_cells * sizeof(*r->ledger), node);
	r->held = gn_mem_alloc(r->held_bytes = n_cells * sizeof(*r->held), node);
	r->duplicate_bytes = sizeof(*r->duplicate) << RISK_DUPLICATE_SETS_BITS;
	r->duplicate = gn_mem_alloc(r->duplicate_bytes, node);
	r->fill = gn_mem_alloc(r->fill_bytes = RISK_FILLS * sizeof(*r->fill), node);
	if (!r->strategy || !r->account || !r->inst || !r->cell || !r->ledger || !r->held || !r->duplicate || !r->fill)
		return -ENOMEM;
	/* every open order can have one replacement under way */
	int rc = orders_init(&r->orders, r->config.orders_max * 2, r->config.orders_max, node);
	if (rc == 0)
		rc = pacing_init(r, r->config.orders_max * 2, node);
	return rc ? rc : kill_init(&r->kill, r->n_accounts, r->n_strategies, r->n_insts, node);
}

static void setup_scope(struct risk_scope *s, const struct risk_limits *l)
{
	static const struct risk_limits none;

	s->limits = s->hard = *l;
	setup_room(s, &none);
}

static void setup_owners(struct risk *r)
{
	const struct risk_config *c = &r->config;

	setup_scope(&r->engine, &c->engine);
	for (uint32_t i = 0; i < c->n_accounts; i++) {
		setup_scope(&r->account[i].scope, &c->account[i].limits);
		setup_account(r, i);
	}
	for (uint32_t i = 0; i < c->n_strategies; i++) {
		struct risk_strategy *s = &r->strategy[i];
		setup_scope(&s->scope, &c->strategy[i].limits);
		s->may = c->strategy[i].may;
		s->sides = (uint8_t)((s->may & RISK_MAY_BUY ? 1u << GN_BUY : 0)
				     | (s->may & (RISK_MAY_SELL | RISK_MAY_SHORT) ? 1u << GN_SELL : 0));
		s->account = c->strategy[i].account;
		s->account_of = &r->account[s->account];
		s->oid_last = gn_oid_make(i, 0);
		s->oid_top = gn_oid_make(i + 1, 0) - 1;
		s->unfilled_spare = c->strategy[i].limits.orders_unfilled_max - 1;
		setup_strategy(r, i);
	}
}

/*
 * n times ceil(2^64 / lot), modulo 2^64, stays below that number exactly when n is a multiple, as long as n times the lot
 * stays below 2^64; larger lots fail the quick test always and are judged by the exact one.
 */
static void setup_lot(struct risk_inst *i, uint64_t lot)
{
	i->by_lot = setup_divisor(lot);
	for (unsigned side = 0; side < 2; side++) {
		i->side[side].lot_part = lot < UINT64_MAX / RISK_QTY_MAX ? UINT64_MAX / lot + 1 : 1;
		i->side[side].lot_part_max = i->side[side].lot_part - 1;
	}
}

static void setup_inst_from(struct risk *r, gn_inst inst, const struct risk_instrument_config *from, bool permitted)
{
	const struct risk_config *c = &r->config;
	struct risk_inst *i = &r->inst[inst];

	i->limits = from->limits;
	risk_limits_inherit(&i->limits, &c->instrument_default);
	i->hard = i->limits;
	i->tick = from->tick.e9 > 0 ? from->tick : c->tick_default;
	i->tick_below_1 = from->tick.e9 > 0 || c->tick_below_1.e9 == 0 ? i->tick : c->tick_below_1;
	setup_lot(i, (uint64_t)(from->lot > 0 ? from->lot : c->lot_default));
	i->locate_qty = risk_count_limit(from->locate_qty ? from->locate_qty : c->locate_default);
	i->reference = from->reference;
	i->clear[0].e9 = i->clear[1].e9 = SELF_MATCH_CLEAR;
	i->permitted = permitted && !from->restricted;
	setup_inst(r, inst);
	gate_inst(r, inst);
}

static int setup_insts(struct risk *r)
{
	static const struct risk_instrument_config plain;

	for (gn_inst inst = 0; inst < r->n_insts; inst++)
		setup_inst_from(r, inst, &plain, r->config.allow_unlisted);
	for (uint32_t i = 0; i < r->config.n_instruments; i++) {
		const struct risk_instrument_config *from = &r->config.instrument[i];
		if (from->inst >= r->n_insts)
			return gn_err(
				EINVAL, "risk: instrument %u of the config, expected below %u", from->inst, r->n_insts);
		setup_inst_from(r, from->inst, from, true);
	}
	return 0;
}

int risk_init(struct risk *r, const struct risk_config *config, uint32_t n_insts, const struct gn_board *board,
	const struct risk_io *io, int node)
{
	int rc = risk_config_validate(config);

	if (rc)
		return rc;
	*r = (struct risk){
		.config = *config,
		.board = board,
		.io = *io,
		.n_strategies = config->n_strategies,
		.n_accounts = config->n_accounts,
		.n_insts = n_insts,
		.n_fast_insts = !board                 ? 0
	                        : board->max < n_insts ? board->max
	                                               : n_insts,
		.mark_shorts = config->mark_shorts,
		.reference = config->reference,
		.allow_no_reference = config->allow_no_reference,
		.self_match = config->self_match,
		.duplicate_shift = 64 - RISK_DUPLICATE_SETS_BITS,
		.sweep_id = 1,
		.journal_spare = -1,
		.need_of = {{-1, -1, 0, -1}, {-1, 0, -1, -1}},
	};
	rc = setup_memory(r, node);
	if (rc == 0) {
		r->patience_tsc = setup_ticks(r, config->patience_us);
		pace_set(&r->venue, config->venue_per_s, config->venue_burst, config->venue_reserve, config->tsc_hz);
		setup_owners(r);
		rc = setup_insts(r);
	}
	if (rc)
		risk_fini(r);
	else
		gate_strategies(r);
	return rc;
}

void risk_fini(struct risk *r)
{
	pacing_fini(r); /* its queues hang on the accounts */
	gn_mem_free(r->strategy, r->strategy_bytes);
	gn_mem_free(r->account, r->account_bytes);
	gn_mem_free(r->inst, r->inst_bytes);
	gn_mem_free(r->cell, r->cell_bytes);
	gn_mem_free(r->ledger, r->ledger_bytes);
	gn_mem_free(r->held, r->held_bytes);
	gn_mem_free(r->duplicate, r->duplicate_bytes);
	gn_mem_free(r->fill, r->fill_bytes);
	orders_fini(&r->orders);
	kill_fini(&r->kill);
	*r = (struct risk){0};
}

struct risk_limits *risk_limits_at(struct risk *r, enum risk_level level, uint32_t index)
{
	switch (level) {
	case RISK_ENGINE: return index == 0 ? &r->engine.limits : NULL;
	case RISK_ACCOUNT: return index < r->n_accounts ? &r->account[index].scope.limits : NULL;
	case RISK_STRATEGY: return index < r->n_strategies ? &r->strategy[index].scope.limits : NULL;
	case RISK_INSTRUMENT: return index < r->n_insts ? &r->inst[index].limits : NULL;
	default: return NULL;
	}
}

/* What a strategy may still send without a fill. A bound where there was none counts from now on. */
static void setup_unfilled(struct risk_strategy *s, int64_t before)
{
	int64_t now = s->scope.limits.orders_unfilled_max;

	if (now == before)
		return;
	s->unfilled_spare =
		before == RISK_UNLIMITED || now == RISK_UNLIMITED ? now - 1 : s->unfilled_spare + now - before;
}

/* After a limit of a level changed: everything that was computed from it. */
static void setup_again(struct risk *r, enum risk_level level, uint32_t index, const struct risk_limits *before)
{
	if (level == RISK_INSTRUMENT) {
		setup_inst(r, index);
		return;
	}
	struct risk_scope *s = level == RISK_ENGINE    ? &r->engine
	                       : level == RISK_ACCOUNT ? &r->account[index].scope
	                                               : &r->strategy[index].scope;
	setup_room(s, before);
	if (level == RISK_ACCOUNT)
		setup_account(r, index);
	if (level == RISK_STRATEGY)
		setup_unfilled(&r->strategy[index], before->orders_unfilled_max);
	for (uint32_t i = 0; i < r->n_strategies; i++)
		setup_strategy(r, i);
}

int risk_limit_set(struct risk *r, enum risk_level level, uint32_t index, enum risk_key key, int64_t value,
	const char *who, const char *second, uint64_t now_tsc)
{
	struct risk_limits *l = risk_limits_at(r, level, index);

	if (!l || (unsigned)key >= RISK_KEY_COUNT || !(risk_key_info[key].levels & (1u << level))) {
		r->n.limit_refused++;
		return gn_err(ENOENT, "risk: no such limit at this level");
	}
	struct risk_limits before = *l;
	const struct risk_limits *hard =
		level == RISK_INSTRUMENT ? &r->inst[index].hard : &GN_CONTAINER_OF(l, struct risk_scope, limits)->hard;
	if (!risk_limit_allowed(key, value, risk_limit_get(hard, key))) {
		r->n.limit_refused++;
		return gn_err(EPERM, "risk: %s %u: %s %lld is looser than the %lld of the start",
			risk_level_word(level), index, risk_key_info[key].name, (long long)value,
			(long long)risk_limit_get(hard, key));
	}
	bool looser = !risk_limit_allowed(key, value, risk_limit_get(l, key));
	if (looser && r->config.loosen_by_two && (!second[0] || strcmp(who, second) == 0)) {
		r->n.limit_refused++;
		return gn_err(
			EPERM, "risk: %s is loosened with the name of a second person only", risk_key_info[key].name);
	}
	risk_limit_put(l, key, value);
	setup_again(r, level, index, &before);
	r->n.limit_changed++;
	tell_change(r, now_tsc, "limit %s %u %s %lld>%lld %s %s", risk_level_word(level), index,
		risk_key_info[key].name, (long long)risk_limit_get(&before, key), (long long)value, who, second);
	return 0;
}
