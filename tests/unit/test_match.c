/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exchange/match.h"
#include "app/exchange/rng.h"
#include "dataplane/runtime/err.h"

#define DOLLAR 10000u
#define CLIENT (MATCH_OWNER_CLIENT + 0)

/* what the sink was told, as text: one line an event */
static char said[1 << 16];
static size_t said_bytes;
static struct match *m;

static void say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	said_bytes += (size_t)vsnprintf(said + said_bytes, sizeof(said) - said_bytes, fmt, ap);
	va_end(ap);
	cr_assert_lt(said_bytes, sizeof(said));
}

static void on_accepted(void *arg, struct match_order *o)
{
	(void)arg;
	say("accept %lu\n", o->tag);
}

static void on_rested(void *arg, struct match_order *o)
{
	(void)arg;
	say("rest %lu %u\n", o->tag, o->qty);
}

static void on_replaced(void *arg, const struct match_order *old, struct match_order *now)
{
	(void)arg;
	say("replace %lu by %lu%s\n", old->tag, now->tag, now->flags & MATCH_UNTRADED ? " rests" : "");
}

static void on_traded(void *arg, const struct match_trade *t)
{
	(void)arg;
	say("trade %lu %lu %u at %u\n", t->maker->tag, t->taker->tag, t->qty, t->px_e4 / DOLLAR);
}

static void on_canceled(void *arg, const struct match_order *o, uint32_t off, char why, bool rested)
{
	(void)arg;
	say("cancel %lu %u left %u %c%s\n", o->tag, off, o->qty, why, rested ? "" : " new");
}

static void on_prevented(void *arg, const struct match_trade *t)
{
	(void)arg;
	say("prevent %lu %lu %u\n", t->maker->tag, t->taker->tag, t->qty);
}

static struct match_config config = {
	.n_insts = 2,
	.orders_max = 1024,
	.sink = {NULL, on_accepted, on_rested, on_replaced, on_traded, on_canceled, on_prevented},
};

static void given_open_market(void)
{
	m = match_new(&config);
	cr_assert_not_null(m, "%s", gn_err_text());
	match_state_set(m, 0, MATCH_TRADING);
	match_state_set(m, 1, MATCH_TRADING);
}

static void forget(void)
{
	said_bytes = 0;
	said[0] = '\0';
}

static struct match_id enter_as(uint16_t owner, gn_side side, uint32_t qty, uint32_t dollars, uint8_t flags, uint64_t tag)
{
	struct match_ask ask = {.side = side, .qty = qty, .px_e4 = dollars * DOLLAR, .flags = flags, .tag = tag, .owner = owner};

	return match_enter(m, &ask);
}

static struct match_id buy(uint32_t qty, uint32_t dollars, uint64_t tag)
{
	return enter_as(0, GN_BUY, qty, dollars, 0, tag);
}

static struct match_id sell(uint32_t qty, uint32_t dollars, uint64_t tag)
{
	return enter_as(0, GN_SELL, qty, dollars, 0, tag);
}

static uint32_t open_of(struct match_id id)
{
	const struct match_order *o = match_find(m, id);

	return o ? o->qty : 0;
}

static void close_market(void)
{
	match_free(m);
}

TestSuite(match, .init = given_open_market, .fini = close_market, .timeout = 30);

Test(match, refuses_zeroed_and_senseless_requests_without_a_word)
{
	const struct match_ask bad[] = {
		{0},
		{.side = GN_BUY, .px_e4 = 1},                     /* no quantity */
		{.side = 3, .px_e4 = 1, .qty = 1},                /* no side */
		{.side = GN_BUY, .px_e4 = 1, .qty = 1, .inst = 2}, /* no such instrument */
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(match_enter(m, &bad[i]).ref, 0);
	cr_assert_str_empty(said);
}

Test(match, refuses_orders_while_halted_and_lets_them_leave)
{
	struct match_id id = buy(100, 10, 1);

	match_state_set(m, 0, MATCH_HALTED);
	cr_assert_eq(buy(100, 10, 2).ref, 0);
	cr_assert_eq(match_replace(m, id, &(struct match_ask){.qty = 1, .px_e4 = 1}).ref, 0);
	cr_assert_eq(open_of(id), 100);
	cr_assert(match_reduce(m, id, 100, MATCH_WHY_USER));
}

Test(match, unknown_finished_and_forged_ids_are_not_found)
{
	struct match_id id = buy(100, 10, 1);

	cr_assert_null(match_find(m, (struct match_id){0}));
	cr_assert_null(match_find(m, (struct match_id){.ref = id.ref, .slot = id.slot + 1}));
	cr_assert_null(match_find(m, (struct match_id){.ref = id.ref + 1, .slot = id.slot}));
	cr_assert_null(match_find(m, (struct match_id){.ref = id.ref, .slot = UINT32_MAX}));
	match_reduce(m, id, 100, MATCH_WHY_USER);
	cr_assert_null(match_find(m, id));
	cr_assert_not(match_reduce(m, id, 1, MATCH_WHY_USER));
	buy(100, 10, 2); /* takes the same record */
	cr_assert_null(match_find(m, id));
}

Test(match, better_price_trades_first_and_at_the_price_of_the_order_that_waited)
{
	sell(100, 11, 1);
	sell(100, 10, 2);
	forget();
	buy(150, 12, 3);
	cr_assert_str_eq(said, "accept 3\ntrade 2 3 100 at 10\ntrade 1 3 50 at 11\n");
}

Test(match, earlier_order_trades_first_at_one_price)
{
	struct match_id first = buy(100, 10, 1), second = buy(100, 10, 2);

	sell(130, 10, 3);
	cr_assert_eq(open_of(first), 0);
	cr_assert_eq(open_of(second), 70);
}

Test(match, cancel_in_part_keeps_priority_and_replace_loses_it)
{
	struct match_id first = buy(100, 10, 1), second = buy(100, 10, 2);

	match_reduce(m, first, 40, MATCH_WHY_USER);
	sell(60, 10, 3);
	cr_assert_eq(open_of(first), 0);
	cr_assert_eq(open_of(second), 100);

	struct match_id third = buy(100, 10, 4);
	struct match_id again = match_replace(m, second, &(struct match_ask){.qty = 100, .px_e4 = 10 * DOLLAR, .tag = 5});
	sell(100, 10, 6);
	cr_assert_eq(open_of(second), 0);
	cr_assert_eq(open_of(third), 0);
	cr_assert_eq(open_of(again), 100);
}

Test(match, replacement_that_meets_the_other_side_trades_before_it_rests)
{
	struct match_id id = buy(100, 10, 1);

	sell(30, 12, 2);
	forget();
	match_replace(m, id, &(struct match_ask){.qty = 100, .px_e4 = 12 * DOLLAR, .tag = 3});
	cr_assert_str_eq(said, "replace 1 by 3\ntrade 2 3 30 at 12\nrest 3 70\n");
}

Test(match, displayed_orders_trade_before_hidden_ones_of_the_same_price)
{
	enter_as(0, GN_BUY, 100, 10, MATCH_HIDDEN, 1);
	buy(100, 10, 2);
	forget();
	sell(150, 10, 3);
	cr_assert_str_eq(said, "accept 3\ntrade 2 3 100 at 10\ntrade 1 3 50 at 10\n");
}

Test(match, hidden_orders_are_not_in_the_displayed_best)
{
	uint32_t px;
	uint64_t qty;

	cr_assert_not(match_best(m, 0, GN_BUY, &px, &qty));
	enter_as(0, GN_BUY, 100, 11, MATCH_HIDDEN, 1);
	cr_assert_not(match_best(m, 0, GN_BUY, &px, &qty));
	buy(70, 10, 2);
	cr_assert(match_best(m, 0, GN_BUY, &px, &qty));
	cr_assert_eq(px, 10 * DOLLAR);
	cr_assert_eq(qty, 70);
}

Test(match, what_an_ioc_order_cannot_trade_is_cancelled)
{
	sell(30, 10, 1);
	forget();
	enter_as(0, GN_BUY, 100, 10, MATCH_IOC, 2);
	cr_assert_str_eq(said, "accept 2\ntrade 1 2 30 at 10\ncancel 2 70 left 0 I new\n");
}

Test(match, post_only_order_that_would_trade_is_cancelled)
{
	struct match_id there = sell(30, 10, 1);

	forget();
	enter_as(0, GN_BUY, 100, 10, MATCH_POST_ONLY, 2);
	cr_assert_str_eq(said, "accept 2\ncancel 2 100 left 0 G new\n");
	cr_assert_eq(open_of(there), 30);
	forget();
	enter_as(0, GN_BUY, 100, 9, MATCH_POST_ONLY, 3);
	cr_assert_str_eq(said, "accept 3\nrest 3 100\n");
}

Test(match, market_order_takes_every_price_and_never_rests_in_trading)
{
	sell(10, 10, 1);
	sell(10, 90, 2);
	forget();
	enter_as(0, GN_BUY, 30, 0, 0, 3);
	cr_assert_str_eq(said, "accept 3\ntrade 1 3 10 at 10\ntrade 2 3 10 at 90\ncancel 3 10 left 0 I new\n");
}

Test(match, orders_of_one_client_do_not_meet_when_prevented)
{
	match_free(m);
	config.self_match_prevention = true;
	given_open_market();
	enter_as(CLIENT, GN_SELL, 30, 10, 0, 1);
	enter_as(CLIENT + 1, GN_SELL, 30, 10, 0, 2);
	forget();
	enter_as(CLIENT, GN_BUY, 50, 10, 0, 3);
	cr_assert_str_eq(said, "accept 3\nprevent 1 3 30\ntrade 2 3 20 at 10\n");
	enter_as(0, GN_SELL, 5, 9, 0, 4);
	forget();
	enter_as(0, GN_BUY, 5, 9, 0, 5);
	cr_assert_str_eq(said, "accept 5\ntrade 4 5 5 at 9\n", "the background flow is many people");
}

Test(match, auction_gathers_and_crosses_at_the_price_of_most_volume)
{
	match_state_set(m, 0, MATCH_AUCTION);
	buy(100, 12, 1);
	buy(100, 11, 2);
	sell(150, 10, 3);
	enter_as(0, GN_SELL, 20, 0, 0, 4); /* at any price */
	sell(100, 12, 5);
	enter_as(0, GN_BUY, 10, 12, MATCH_IOC, 6);
	forget();
	struct match_indication at = match_cross(m, 0, 11 * DOLLAR);
	cr_assert_eq(at.px_e4, 11 * DOLLAR);
	cr_assert_eq(at.paired, 170);
	cr_assert_eq(at.imbalance, 30);
	cr_assert_eq(at.imbalance_side, GN_BUY);
	cr_assert_str_eq(said, "trade 1 4 20 at 11\ntrade 1 3 80 at 11\ntrade 2 3 70 at 11\n");
	cr_assert_eq(match_state(m, 0), MATCH_TRADING);
}

Test(match, cross_of_nothing_trades_nothing_and_drops_market_orders)
{
	match_state_set(m, 0, MATCH_AUCTION);
	enter_as(0, GN_BUY, 10, 0, 0, 1);
	forget();
	struct match_indication at = match_cross(m, 0, 0);
	cr_assert_eq(at.px_e4, 0);
	cr_assert_eq(at.paired, 0);
	cr_assert_str_eq(said, "cancel 1 10 left 0 Z\n");
}

Test(match, full_memory_refuses_new_orders_and_counts_them)
{
	struct match_id last = {0};

	for (uint32_t i = 0; i < config.orders_max; i++)
		last = buy(1, 1 + i, i);
	cr_assert_neq(last.ref, 0);
	cr_assert_eq(buy(1, 1, 0).ref, 0);
	cr_assert_eq(match_counts(m).refused_no_room, 1);
	cr_assert_neq(match_replace(m, last, &(struct match_ask){.qty = 1, .px_e4 = DOLLAR}).ref, 0, "a replacement needs no room");
	said_bytes = 0;
}

/* the slow, obvious book: a list in order of arrival, searched from end to end */
#define MODEL_MAX 400u
struct model_order {
	struct match_id id;
	uint64_t tag, arrival;
	uint32_t px, qty;
	gn_side side;
	bool hidden;
};

static struct model_order model[MODEL_MAX];
static uint32_t n_model;
static uint64_t arrivals;
static char expected[1 << 16];
static size_t expected_bytes;

static void expect(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static void expect(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	expected_bytes += (size_t)vsnprintf(expected + expected_bytes, sizeof(expected) - expected_bytes, fmt, ap);
	va_end(ap);
}

static bool goes_first(const struct model_order *a, const struct model_order *b)
{
	if (a->px != b->px)
		return a->side == GN_BUY ? a->px > b->px : a->px < b->px;
	if (a->hidden != b->hidden)
		return b->hidden;
	return a->arrival < b->arrival;
}

static struct model_order *model_best(gn_side side)
{
	struct model_order *best = NULL;

	for (uint32_t i = 0; i < n_model; i++)
		if (model[i].side == side && (!best || goes_first(&model[i], best)))
			best = &model[i];
	return best;
}

static void model_remove(struct model_order *o)
{
	*o = model[--n_model];
}

static bool model_meets(const struct model_order *o, const struct model_order *there)
{
	return there && (o->side == GN_BUY ? there->px <= o->px : there->px >= o->px);
}

static bool model_trade(struct model_order *o)
{
	struct model_order *there;
	bool traded = false;

	while (o->qty && model_meets(o, there = model_best(gn_side_opposite(o->side)))) {
		uint32_t qty = o->qty < there->qty ? o->qty : there->qty;

		expect("trade %lu %lu %u at %u\n", there->tag, o->tag, qty, there->px);
		o->qty -= qty;
		there->qty -= qty;
		traded = true;
		if (!there->qty)
			model_remove(there);
	}
	return traded;
}

static void model_rest(const struct model_order *o, struct match_id id)
{
	model[n_model] = *o;
	model[n_model].arrival = arrivals++;
	model[n_model++].id = id;
}

static void check_said(uint64_t seed, uint32_t step)
{
	cr_assert_str_eq(said, expected, "GANNET_SEED=%lu, step %u: told\n%sexpected\n%s", seed, step, said, expected);
}

static void random_enter(struct rng *r, uint64_t tag)
{
	static const uint8_t kinds[] = {0, 0, 0, MATCH_HIDDEN, MATCH_IOC, MATCH_POST_ONLY};
	uint8_t flags = kinds[rng_below(r, sizeof(kinds))];
	struct model_order o = {.tag = tag, .px = 95 + rng_below(r, 10), .qty = 1 + rng_below(r, 300),
		.side = (gn_side)(GN_BUY + rng_below(r, 2)), .hidden = flags & MATCH_HIDDEN};
	struct match_id id = enter_as(0, o.side, o.qty, o.px, flags, tag);

	expect("accept %lu\n", tag);
	if (flags & MATCH_POST_ONLY && model_meets(&o, model_best(gn_side_opposite(o.side)))) {
		expect("cancel %lu %u left 0 G new\n", tag, o.qty);
		return;
	}
	model_trade(&o);
	if (o.qty && flags & MATCH_IOC) {
		expect("cancel %lu %u left 0 I new\n", tag, o.qty);
	} else if (o.qty) {
		expect("rest %lu %u\n", tag, o.qty);
		model_rest(&o, id);
	}
}

static void random_reduce(struct rng *r)
{
	struct model_order *o = &model[rng_below(r, n_model)];
	uint32_t off = rng_below(r, 2) ? UINT32_MAX : 1 + rng_below(r, o->qty);
	uint32_t really = off < o->qty ? off : o->qty;

	cr_assert(match_reduce(m, o->id, off, MATCH_WHY_USER));
	expect("cancel %lu %u left %u U\n", o->tag, really, o->qty - really);
	o->qty -= really;
	if (!o->qty)
		model_remove(o);
}

static void random_replace(struct rng *r, uint64_t tag)
{
	struct model_order *at = &model[rng_below(r, n_model)], o = *at;
	uint64_t old = o.tag;

	o.tag = tag;
	o.px = 95 + rng_below(r, 10);
	o.qty = 1 + rng_below(r, 300);
	o.hidden = rng_below(r, 4) == 0;
	struct match_ask ask = {.px_e4 = o.px * DOLLAR, .qty = o.qty, .tag = tag, .flags = o.hidden ? MATCH_HIDDEN : 0};
	struct match_id id = match_replace(m, at->id, &ask);

	model_remove(at);
	bool meets = model_meets(&o, model_best(gn_side_opposite(o.side)));
	expect("replace %lu by %lu%s\n", old, tag, meets ? "" : " rests");
	model_trade(&o);
	if (o.qty && meets)
		expect("rest %lu %u\n", tag, o.qty);
	if (o.qty)
		model_rest(&o, id);
}

static uint32_t walked;
static const struct model_order *walk_before;

static bool visit(void *arg, const struct match_order *o)
{
	const gn_side *side = arg;
	const struct model_order *mine = NULL;

	for (uint32_t i = 0; i < n_model; i++)
		if (model[i].id.ref == o->ref)
			mine = &model[i];
	cr_assert_not_null(mine);
	cr_assert_eq(mine->side, *side);
	cr_assert_eq(mine->qty, o->qty);
	cr_assert(!walk_before || goes_first(walk_before, mine));
	walk_before = mine;
	walked++;
	return true;
}

static void check_books(void)
{
	walked = 0;
	for (gn_side side = GN_BUY; side <= GN_SELL; side++) {
		walk_before = NULL;
		match_walk(m, 0, side, visit, &side);
	}
	cr_assert_eq(walked, n_model);
}

Test(match, random_orders_do_what_they_do_in_a_slow_obvious_book)
{
	uint64_t seed = getenv("GANNET_SEED") ? strtoull(getenv("GANNET_SEED"), NULL, 10) : 7;
	uint32_t steps = getenv("GANNET_LONG") ? 5000000 : 200000;
	struct rng r = {.state = seed};

	for (uint32_t step = 0; step < steps; step++) {
		uint32_t dice = rng_below(&r, 10);

		forget();
		expected_bytes = 0;
		expected[0] = '\0';
		if (!n_model || (dice < 5 && n_model < MODEL_MAX))
			random_enter(&r, step);
		else if (dice < 8)
			random_reduce(&r);
		else
			random_replace(&r, step);
		check_said(seed, step);
		if (step % 64 == 0)
			check_books();
	}
	cr_assert_gt(match_counts(m).trades, steps / 20);
}
