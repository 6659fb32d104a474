/* SPDX-License-Identifier: BSD-3-Clause */
/* Every control that an order meets, at its exact boundary. */
#include <gannet/book_view.h>

#include "risk/check.h"
#include "risk_fixture.h"

#define CONTROL_SUITE risk_check
#include "risk_control_tests.h"

TestSuite(risk_check, .init = desk_prepare, .timeout = 30);

Test(risk_check, accepts_a_good_order_of_either_side)
{
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
	EXPECT(desk_try(1, GN_SELL, CENTS(10002), 100), GN_ACCEPTED);
}

CONTROL_TEST(kind, zeroed_and_unknown_requests)
{
	struct gn_order_req zero = {0}, odd = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk_open();
	EXPECT(desk_ask(zero), GN_REFUSED_KIND);
	odd.kind = 99;
	EXPECT(desk_ask(odd), GN_REFUSED_KIND);
	cr_expect_eq(desk.n_sent, 0);
	cr_expect_eq(desk_last_told()->kind, GN_EXEC_REFUSED);
	cr_expect_eq(desk_last_told()->reason, GN_REFUSED_KIND);
}

CONTROL_TEST(strategy, a_strategy_that_does_not_exist)
{
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk_open();
	q.strategy = DESK_STRATEGIES;
	EXPECT(desk_ask(q), GN_REFUSED_STRATEGY);
	q.strategy = UINT32_MAX;
	EXPECT(desk_ask(q), GN_REFUSED_STRATEGY);
}

CONTROL_TEST(instrument, an_instrument_that_does_not_exist_or_may_not_be_traded)
{
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk.config.allow_unlisted = false;
	desk.config.n_instruments = 2;
	desk.inst[0].inst = 1;
	desk.inst[1] = (struct risk_instrument_config){.inst = 2, .restricted = true};
	desk_open();
	q.inst = DESK_INSTS;
	EXPECT(desk_ask(q), GN_REFUSED_INSTRUMENT);
	q.inst = GN_INST_NONE;
	EXPECT(desk_ask(q), GN_REFUSED_INSTRUMENT);
	q.inst = 2;
	EXPECT(desk_ask(q), GN_REFUSED_INSTRUMENT);
	q.inst = 3;
	EXPECT(desk_ask(q), GN_REFUSED_INSTRUMENT);
	q.inst = 1;
	EXPECT(desk_ask(q), GN_ACCEPTED);
}

CONTROL_TEST(owner, an_id_of_another_strategy)
{
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk_open();
	q.oid = gn_oid_make(1, 1);
	EXPECT(desk_ask(q), GN_REFUSED_STRATEGY);
	q.oid = 0;
	EXPECT(desk_ask(q), GN_REFUSED_STRATEGY);
}

CONTROL_TEST(fresh_id, an_id_that_was_used_or_passed)
{
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk_open();
	q.oid = gn_oid_make(0, 5);
	EXPECT(desk_ask(q), GN_ACCEPTED);
	EXPECT(desk_ask(q), GN_REFUSED_DUPLICATE);
	q.oid = gn_oid_make(0, 4);
	EXPECT(desk_ask(q), GN_REFUSED_DUPLICATE);
	q.oid = gn_oid_make(0, 6);
	q.px = CENTS(9999);
	EXPECT(desk_ask(q), GN_ACCEPTED);
}

CONTROL_TEST(side, a_side_that_is_none_or_not_permitted)
{
	struct gn_order_req q = desk_order(0, 0, CENTS(10000), 1);

	desk.strategy[0].may = RISK_MAY_BUY;
	desk.strategy[1].may = RISK_MAY_SELL | RISK_MAY_SHORT;
	desk_open();
	EXPECT(desk_ask(q), GN_REFUSED_SIDE);
	q.side = 3;
	EXPECT(desk_ask(q), GN_REFUSED_SIDE);
	EXPECT(desk_try(0, GN_SELL, CENTS(10000), 1), GN_REFUSED_SIDE);
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 1), GN_REFUSED_SIDE);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_ACCEPTED);
	EXPECT(desk_try(1, GN_SELL, CENTS(10001), 1), GN_ACCEPTED);
}

CONTROL_TEST(tif, an_unknown_time_in_force)
{
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 1);

	desk_open();
	q.tif = GN_TIF_NONE;
	EXPECT(desk_ask(q), GN_REFUSED_TIF);
	q.tif = 77;
	EXPECT(desk_ask(q), GN_REFUSED_TIF);
	q.tif = GN_TIF_IOC;
	EXPECT(desk_ask(q), GN_ACCEPTED);
}

/* The tightest of four levels decides; each is tried as the tightest one. */
static void with_tight_level(unsigned level, enum risk_key key, int64_t value)
{
	desk_prepare();
	risk_limit_put(level == RISK_ENGINE     ? &desk.config.engine
		       : level == RISK_ACCOUNT  ? &desk.account[0].limits
		       : level == RISK_STRATEGY ? &desk.strategy[0].limits
						: &desk.config.instrument_default,
		key, value);
	desk_open();
}

CONTROL_TEST(quantity, a_quantity_above_the_limit_of_any_level_or_not_positive)
{
	for (unsigned level = 0; level < RISK_LEVEL_COUNT; level++) {
		with_tight_level(level, RISK_KEY_order_qty_max, 100);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 101), GN_REFUSED_QTY);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
	}
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 0), GN_REFUSED_QTY);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), -1), GN_REFUSED_QTY);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), INT64_MIN), GN_REFUSED_QTY);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), INT64_MAX), GN_REFUSED_QTY);
}

CONTROL_TEST(price, a_price_that_is_not_positive_or_cannot_be_computed_with)
{
	desk_open();
	EXPECT(desk_try(0, GN_BUY, PX(0), 1), GN_REFUSED_PRICE);
	EXPECT(desk_try(0, GN_BUY, CENTS(-1), 1), GN_REFUSED_PRICE);
	EXPECT(desk_try(0, GN_BUY, (gn_px){INT64_MIN}, 1), GN_REFUSED_PRICE);
	EXPECT(desk_try(0, GN_BUY, (gn_px){INT64_MAX}, 1), GN_REFUSED_PRICE);
	EXPECT(desk_try(0, GN_BUY, (gn_px){RISK_PX_E9_MAX + 1}, 1), GN_REFUSED_PRICE);
}

CONTROL_TEST(increment, a_price_off_the_tick_and_a_quantity_off_the_lot)
{
	desk.config.lot_default = 100;
	desk_open();
	EXPECT(desk_try(0, GN_BUY, (gn_px){100 * INT64_C(1000000000) + 1}, 100), GN_REFUSED_TICK);
	EXPECT(desk_try(0, GN_BUY, (gn_px){100 * INT64_C(1000000000) - 5000000}, 100), GN_REFUSED_TICK);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 101), GN_REFUSED_TICK);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 50), GN_REFUSED_TICK);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 300), GN_ACCEPTED);
	desk_quote(1, (gn_px){999800000}, (gn_px){999900000}, 0);
	EXPECT(desk_try(0, GN_BUY, (gn_px){999900000}, 100), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, (gn_px){999950000}, 100), GN_REFUSED_TICK);
}

CONTROL_TEST(notional, a_notional_above_the_limit_of_any_level_even_past_64_bits)
{
	for (unsigned level = 0; level < RISK_LEVEL_COUNT; level++) {
		with_tight_level(level, RISK_KEY_order_notional_max, 10000);
		EXPECT(desk_try(0, GN_BUY, CENTS(10001), 100), GN_REFUSED_NOTIONAL);
		EXPECT(desk_try(0, GN_BUY, CENTS(9999), 100), GN_ACCEPTED);
	}
	EXPECT(desk_try(0, GN_BUY, (gn_px){RISK_PX_E9_MAX / 10000000 * 10000000}, RISK_QTY_MAX), GN_REFUSED_NOTIONAL);
	desk_prepare(); /* all open: what no limit reaches is refused all the same */
	desk_open();
	EXPECT(desk_try(0, GN_BUY, (gn_px){RISK_PX_E9_MAX / 10000000 * 10000000}, RISK_QTY_MAX), GN_REFUSED_NOTIONAL);
}

CONTROL_TEST(state, an_order_for_a_halted_instrument)
{
	desk_open();
	desk_quote(1, CENTS(10000), CENTS(10002), GN_VIEW_HALTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_HALTED);
}

CONTROL_TEST(staleness, an_order_on_data_that_is_marked_stale_or_too_old)
{
	desk.config.instrument_default.stale_us_max = 1000;
	desk_open();
	desk_quote(1, CENTS(10000), CENTS(10002), GN_VIEW_STALE);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_STALE);
	desk_quote(1, CENTS(10000), CENTS(10002), 0);
	desk.now_tsc += 1000 * 1000;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_ACCEPTED);
	desk.now_tsc += 1;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_STALE);
}

CONTROL_TEST(reference, an_order_without_a_reference_price_unless_told_otherwise)
{
	static const enum risk_reference references[] = {
		RISK_REFERENCE_MID, RISK_REFERENCE_LAST, RISK_REFERENCE_STATIC};

	for (unsigned i = 0; i < GN_ARRAY_SIZE(references) * 2; i++) {
		desk_prepare();
		desk.config.reference = references[i / 2];
		desk.config.allow_no_reference = i & 1;
		desk_open();
		struct gn_quote empty = {.tsc = desk.now_tsc, .bid = i / 2 == 0 ? CENTS(10000) : (gn_px){0}};
		gn_board_write(&desk.board, 1, &empty);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), i & 1 ? GN_ACCEPTED : GN_REFUSED_REFERENCE);
	}
}

CONTROL_TEST(collar, a_price_too_far_from_mid_last_or_static_reference)
{
	desk.config.instrument_default.collar_bps = 100; /* mid 100.01: 1.0001 either way */
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10102), 1), GN_REFUSED_COLLAR);
	EXPECT(desk_try(0, GN_BUY, CENTS(10101), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9901), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9900), 1), GN_REFUSED_COLLAR);

	desk_prepare();
	desk.config.reference = RISK_REFERENCE_LAST; /* 100.00 */
	desk.config.instrument_default.collar_ticks = 5;
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10006), 1), GN_REFUSED_COLLAR);
	EXPECT(desk_try(0, GN_BUY, CENTS(10005), 1), GN_ACCEPTED);
	EXPECT(desk_try(1, GN_SELL, CENTS(9994), 1), GN_REFUSED_COLLAR);

	desk_prepare();
	desk.config.reference = RISK_REFERENCE_STATIC;
	desk.config.instrument_default.collar_bps = 1;
	desk.config.n_instruments = 1;
	desk.inst[0] = (struct risk_instrument_config){.inst = 1, .reference = CENTS(5000)};
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(5001), 1), GN_REFUSED_COLLAR);
	EXPECT(desk_try(0, GN_BUY, CENTS(5000), 1), GN_ACCEPTED);
}

CONTROL_TEST(short_sale, a_short_sale_that_is_not_permitted_marked_located_or_priced)
{
	struct gn_order_req q;

	desk.strategy[0].may = RISK_MAY_BUY | RISK_MAY_SELL;
	desk.config.locate_default = 100;
	desk.config.mark_shorts = true;
	desk_open();
	EXPECT(desk_try(0, GN_SELL, CENTS(10002), 1), GN_REFUSED_SHORT); /* may not */
	EXPECT(desk_try(1, GN_SELL, CENTS(10002), 1), GN_REFUSED_SHORT); /* not marked */
	q = desk_order(1, GN_SELL, CENTS(10002), 101);
	q.flags = GN_ORD_SHORT;
	EXPECT(desk_ask(q), GN_REFUSED_SHORT); /* not located */
	q = desk_order(1, GN_SELL, CENTS(10002), 100);
	q.flags = GN_ORD_SHORT;
	EXPECT(desk_ask(q), GN_ACCEPTED);
	q = desk_order(1, GN_SELL, CENTS(10002), 1);
	q.flags = GN_ORD_SHORT;
	EXPECT(desk_ask(q), GN_REFUSED_SHORT); /* the locate is used up */
}

Test(risk_check, refuses_a_short_sale_at_or_below_the_bid_while_the_price_test_is_in_effect)
{
	struct gn_order_req q;

	desk_open();
	desk_quote(1, CENTS(10000), CENTS(10002), GN_VIEW_NO_SHORT);
	EXPECT(desk_try(0, GN_SELL, CENTS(10000), 1), GN_REFUSED_SHORT);
	EXPECT(desk_try(0, GN_SELL, CENTS(10001), 1), GN_ACCEPTED);
	q = desk_order(0, GN_SELL, CENTS(10000), 1);
	q.flags = GN_ORD_SHORT_EXEMPT;
	EXPECT(desk_ask(q), GN_ACCEPTED);
}

Test(risk_check, what_is_held_may_be_sold_without_permission_to_short)
{
	desk.strategy[0].may = RISK_MAY_BUY | RISK_MAY_SELL;
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10002), 100);
	desk_accept(oid);
	desk_fill(oid, CENTS(10002), 100, 1);
	EXPECT(desk_try(0, GN_SELL, CENTS(10003), 60), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_SELL, CENTS(10003), 41), GN_REFUSED_SHORT);
	EXPECT(desk_try(0, GN_SELL, CENTS(10003), 40), GN_ACCEPTED);
}

CONTROL_TEST(position, a_worst_case_position_above_the_limit_long_and_short)
{
	desk.strategy[0].limits.long_max = 100;
	desk.strategy[0].limits.short_max = 50;
	desk.config.instrument_default.long_max = 150;
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 60), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 41), GN_REFUSED_POSITION);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 40), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_SELL, CENTS(10005), 51), GN_REFUSED_POSITION);
	EXPECT(desk_try(0, GN_SELL, CENTS(10005), 50), GN_ACCEPTED);
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 51), GN_REFUSED_POSITION); /* of all strategies in the instrument */
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 50), GN_ACCEPTED);
}

CONTROL_TEST(gross, gross_notional_above_the_limit_of_any_level)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		with_tight_level(level, RISK_KEY_gross_notional_max, 20000);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 99), GN_ACCEPTED);
		EXPECT(desk_try(0, GN_SELL, CENTS(10002), 101), GN_REFUSED_GROSS);
		EXPECT(desk_try(0, GN_SELL, CENTS(10002), 100), GN_ACCEPTED);
	}
}

CONTROL_TEST(net, net_notional_above_the_limit_of_any_level_long_and_short)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		with_tight_level(level, RISK_KEY_net_notional_max, 10000);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 101), GN_REFUSED_NET);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 99), GN_ACCEPTED);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_REFUSED_NET);
		EXPECT(desk_try(0, GN_SELL, CENTS(10002), 99),
			GN_ACCEPTED); /* open orders of one side do not help the other */
		EXPECT(desk_try(0, GN_SELL, CENTS(10002), 2), GN_REFUSED_NET);
	}
}

CONTROL_TEST(open_orders, too_many_open_orders_at_any_level)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		with_tight_level(level, RISK_KEY_open_orders_max, 2);
		gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 1);
		desk_place(0, GN_BUY, CENTS(9999), 1);
		EXPECT(desk_try(0, GN_BUY, CENTS(9998), 1), GN_REFUSED_OPEN);
		desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = oid});
		EXPECT(desk_try(0, GN_BUY, CENTS(9998), 1), GN_ACCEPTED);
	}
}

CONTROL_TEST(rate, more_orders_than_the_rate_allows_and_accepts_again_when_tokens_grew)
{
	desk.strategy[0].limits.orders_per_s_max = 10;
	desk.strategy[0].limits.orders_burst_max = 3;
	desk_open();
	for (int i = 0; i < 3; i++)
		EXPECT(desk_try(0, GN_BUY, CENTS(10000 - i), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9990), 1), GN_REFUSED_RATE);
	EXPECT(desk_try(1, GN_BUY, CENTS(9990), 1), GN_ACCEPTED);
	desk.now_tsc += DESK_HZ / 10 - 1;
	EXPECT(desk_try(0, GN_BUY, CENTS(9990), 1), GN_REFUSED_RATE);
	desk.now_tsc += 1;
	EXPECT(desk_try(0, GN_BUY, CENTS(9990), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9991), 1), GN_REFUSED_RATE);
}

CONTROL_TEST(ratio, more_orders_than_fills_have_earned)
{
	desk.strategy[0].limits.orders_unfilled_max = 2;
	desk.strategy[0].limits.orders_per_fill_max = 1;
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 2);
	desk_place(0, GN_BUY, CENTS(9999), 1);
	EXPECT(desk_try(0, GN_BUY, CENTS(9998), 1), GN_REFUSED_RATIO);
	desk_accept(oid);
	desk_fill(oid, CENTS(10000), 1, 1);
	EXPECT(desk_try(0, GN_BUY, CENTS(9998), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9997), 1), GN_REFUSED_RATIO);
}

CONTROL_TEST(table, an_order_when_the_table_is_full)
{
	desk.config.orders_max = 3;
	desk_open();
	for (int i = 0; i < 3; i++)
		EXPECT(desk_try(0, GN_BUY, CENTS(10000 - i), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9990), 1), GN_REFUSED_TABLE);
}

CONTROL_TEST(journal, new_orders_but_never_cancels_when_the_journal_is_behind)
{
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk.journal_full = true;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_JOURNAL);
	struct gn_order_req q = {.kind = GN_REQ_CANCEL, .oid = oid};
	EXPECT(desk_ask(q), GN_ACCEPTED);
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_CANCEL);
}

CONTROL_TEST(duplicate, the_same_order_within_the_window)
{
	desk.strategy[0].limits.duplicate_window_us = 1000;
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9999), 100), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 99), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_SELL, CENTS(10001), 100), GN_ACCEPTED);
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
	desk.now_tsc += 1000 * 1000 - 1;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_REFUSED_DUPLICATE);
	desk.now_tsc += 1;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
}

CONTROL_TEST(self_match, an_order_that_would_trade_with_one_of_any_of_our_strategies)
{
	desk_open();
	desk_place(0, GN_SELL, CENTS(10002), 100);
	EXPECT(desk_try(1, GN_BUY, CENTS(10002), 1), GN_REFUSED_SELF_MATCH);
	EXPECT(desk_try(1, GN_BUY, CENTS(10001), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_SELL, CENTS(10001), 1), GN_REFUSED_SELF_MATCH);
}

Test(risk_check, self_match_cancels_what_rests_before_the_order_leaves)
{
	desk.config.self_match = RISK_SELF_MATCH_CANCEL_RESTING;
	desk_open();
	gn_oid resting = desk_place(0, GN_SELL, CENTS(10002), 100);
	desk_place(0, GN_SELL, CENTS(10003), 100);
	EXPECT(desk_try(1, GN_BUY, CENTS(10002), 10), GN_ACCEPTED);
	cr_expect_eq(desk.n_sent, 4);
	cr_expect_eq(desk.sent[2].kind, GN_REQ_CANCEL);
	cr_expect_eq(desk.sent[2].oid, resting);
	cr_expect_eq(desk.sent[2].qty, 0);
	cr_expect_eq(desk.sent[3].kind, GN_REQ_NEW);
	cr_expect_eq(desk.sent[3].qty, 10);
}

Test(risk_check, self_match_takes_the_common_quantity_off_both)
{
	desk.config.self_match = RISK_SELF_MATCH_DECREMENT;
	desk_open();
	desk_place(0, GN_SELL, CENTS(10002), 30);
	desk_place(0, GN_SELL, CENTS(10001), 50);
	EXPECT(desk_try(1, GN_BUY, CENTS(10002), 100), GN_ACCEPTED);
	cr_expect_eq(desk.n_sent, 5);
	cr_expect_eq(desk.sent[2].qty, 0);
	cr_expect_eq(desk.sent[3].qty, 0);
	cr_expect_eq(desk.sent[4].qty, 20);
	cr_expect_eq(risk_cell(&desk.risk, 1, 1)->side[0].worst, 20);
	for (int i = 0; i < 2; i++)
		desk_report((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = desk.sent[i].oid, .qty = i ? 50 : 30});
	gn_oid large = desk_place(0, GN_SELL, CENTS(10005), 500);
	EXPECT(desk_try(1, GN_BUY, CENTS(10005), 100), GN_REFUSED_SELF_MATCH); /* nothing is left of it */
	cr_expect_eq(desk_last_sent()->oid, large);
	cr_expect_eq(desk_last_sent()->qty, 400);
	EXPECT(desk_try(1, GN_BUY, CENTS(10005), 100), GN_REFUSED_SELF_MATCH); /* still being reduced */
	cr_expect_eq(desk.n_sent, 7);
}

Test(risk_check, self_match_over_another_session_is_refused)
{
	desk.config.self_match = RISK_SELF_MATCH_CANCEL_RESTING;
	desk.strategy[1].account = 1;
	desk_open();
	desk_place(0, GN_SELL, CENTS(10002), 100);
	EXPECT(desk_try(1, GN_BUY, CENTS(10002), 10), GN_REFUSED_SELF_MATCH);
	cr_expect_eq(desk.n_sent, 1);
}

CONTROL_TEST(patience, a_new_order_that_would_wait_longer_than_its_patience)
{
	desk.config.venue_per_s = 10;
	desk.config.venue_burst = 2;
	desk.config.patience_us = 100 * 1000;
	desk_open();
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9999), 1), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(9998), 1), GN_ACCEPTED); /* waits 100 ms */
	cr_expect_eq(desk.n_sent, 2);
	EXPECT(desk_try(0, GN_BUY, CENTS(9997), 1), GN_REFUSED_PATIENCE);
}

Test(risk_check, a_replacement_is_checked_for_what_it_adds)
{
	struct gn_order_req q;

	desk.strategy[0].limits.long_max = 150;
	desk_open();
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_accept(first);
	q = desk_order(0, GN_BUY, CENTS(10000), 151);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = first;
	EXPECT(desk_ask(q), GN_REFUSED_POSITION);
	q = desk_order(0, GN_BUY, CENTS(10001), 150);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = first;
	EXPECT(desk_ask(q), GN_ACCEPTED);
}

/* Every limit is hit and every switch is on: what only reduces still passes. */
Test(risk_check, cancels_and_reducing_replacements_always_pass)
{
	desk.strategy[0].limits.orders_per_s_max = 1;
	desk.strategy[0].limits.orders_burst_max = 1;
	desk.config.orders_max = 1;
	desk_open();
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_accept(first);
	desk.journal_full = true;
	desk_quote(1, CENTS(1), CENTS(2), GN_VIEW_STALE | GN_VIEW_HALTED);
	for (unsigned level = 0; level < RISK_LEVEL_COUNT; level++)
		cr_assert(risk_kill(
			&desk.risk, level, level == RISK_INSTRUMENT ? 1 : 0, RISK_CAUSE_PERSON, "test", desk.now_tsc));
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 40);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = first;
	EXPECT(desk_ask(q), GN_ACCEPTED);
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_REPLACE);
	struct gn_order_req cancel = {.kind = GN_REQ_CANCEL, .oid = first};
	EXPECT(desk_ask(cancel), GN_ACCEPTED);
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_CANCEL);
	EXPECT(desk_try(0, GN_BUY, CENTS(1), 1), GN_REFUSED_KILLED);
}

Test(risk_check, a_replacement_that_is_keener_or_larger_does_not_count_as_reducing)
{
	desk_open();
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_accept(first);
	risk_kill(&desk.risk, RISK_STRATEGY, 0, RISK_CAUSE_PERSON, "test", desk.now_tsc);
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10001), 10);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = first;
	EXPECT(desk_ask(q), GN_REFUSED_KILLED);
	q = desk_order(0, GN_BUY, CENTS(10000), 101);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = first;
	EXPECT(desk_ask(q), GN_REFUSED_KILLED);
}

CONTROL_TEST(target, a_change_of_what_is_not_open_or_not_its_own)
{
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);
	struct gn_order_req q = {.kind = GN_REQ_CANCEL, .oid = oid, .strategy = 1};
	EXPECT(desk_ask(q), GN_REFUSED_UNKNOWN);
	q = (struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = oid + 1};
	EXPECT(desk_ask(q), GN_REFUSED_UNKNOWN);
	q = (struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = 0};
	EXPECT(desk_ask(q), GN_REFUSED_UNKNOWN);
	q = (struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = oid, .qty = -1};
	EXPECT(desk_ask(q), GN_REFUSED_UNKNOWN);
	cr_expect_eq(desk.n_sent, 1);
}
