/* SPDX-License-Identifier: BSD-3-Clause */
/* Controls that close a gate: kill switches, what trips them, the session, limits while running, the venue's pace. */
#include <errno.h>

#include <gannet/book_view.h>

#include "risk/replay.h"
#include "risk_fixture.h"

#define CONTROL_SUITE risk_standing
#include "risk_control_tests.h"

TestSuite(risk_standing, .init = desk_prepare, .timeout = 30);

CONTROL_TEST(session, orders_while_the_session_is_down)
{
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_report((struct gn_exec){.kind = GN_EXEC_DOWN, .match = 1});
	cr_expect_eq(desk_last_told()->kind, GN_EXEC_DOWN);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_SESSION);
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 1), GN_ACCEPTED); /* its session is another one */
	uint32_t n_sent = desk.n_sent;
	struct gn_order_req cancel = {.kind = GN_REQ_CANCEL, .oid = oid};
	EXPECT(desk_ask(cancel), GN_ACCEPTED);
	desk_settle();
	cr_expect_eq(desk.n_sent, n_sent); /* kept, not sent into the void */
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = 1});
	desk_settle();
	cr_expect_eq(desk.n_sent, n_sent + 1);
	cr_expect_eq(desk_last_sent()->oid, oid);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_ACCEPTED);
}

/* Two orders of each strategy in two instruments; a switch of `level` must cancel the `hit` of the four. */
static void kill_cancels(enum risk_level level, uint32_t index, unsigned hit)
{
	struct gn_order_req q[4];
	bool cancelled[4] = {false};

	desk_prepare();
	desk.strategy[1].account = 1;
	desk_open();
	for (unsigned i = 0; i < 4; i++) {
		q[i] = desk_order(i & 1, GN_BUY, CENTS(10000), 1 + i);
		q[i].inst = 1 + i / 2;
		EXPECT(desk_ask(q[i]), GN_ACCEPTED);
	}
	cr_expect(risk_kill(&desk.risk, level, index, RISK_CAUSE_PERSON, "drill", desk.now_tsc));
	cr_expect_not(risk_kill(&desk.risk, level, index, RISK_CAUSE_PERSON, "again", desk.now_tsc));
	desk_settle();
	for (uint32_t i = 4; i < desk.n_sent; i++) {
		cr_expect_eq(desk.sent[i].kind, GN_REQ_CANCEL);
		for (unsigned k = 0; k < 4; k++)
			cancelled[k] |= desk.sent[i].oid == q[k].oid;
	}
	for (unsigned i = 0; i < 4; i++) {
		cr_expect_eq(cancelled[i], hit >> i & 1, "order %u", i);
		q[i].oid = gn_oid_make(i & 1, 50 + i);
		q[i].qty += 10;
		EXPECT(desk_ask(q[i]), hit >> i & 1 ? GN_REFUSED_KILLED : GN_ACCEPTED);
	}
	cr_expect_not(risk_release(&desk.risk, level, index, "", desk.now_tsc));
	cr_expect_not(risk_release(&desk.risk, level, index, NULL, desk.now_tsc));
	cr_expect(risk_release(&desk.risk, level, index, "drill over", desk.now_tsc));
	for (unsigned i = 0; i < 4; i++) {
		q[i].oid = gn_oid_make(i & 1, 60 + i);
		q[i].qty += 10;
		EXPECT(desk_ask(q[i]), GN_ACCEPTED);
	}
}

CONTROL_TEST(kill_engine, every_order_after_the_engines_switch)
{
	kill_cancels(RISK_ENGINE, 0, 0xf);
}

CONTROL_TEST(kill_account, every_order_after_the_accounts_switch)
{
	kill_cancels(RISK_ACCOUNT, 1, 0xa);
}

CONTROL_TEST(kill_strategy, every_order_after_the_strategys_switch)
{
	kill_cancels(RISK_STRATEGY, 0, 0x5);
}

CONTROL_TEST(kill_instrument, every_order_after_the_instruments_switch)
{
	kill_cancels(RISK_INSTRUMENT, 2, 0xc);
}

Test(risk_standing, a_switch_cancels_again_while_orders_stay_open)
{
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 100);
	risk_housekeep(&desk.risk, desk.now_tsc);
	risk_kill(&desk.risk, RISK_ENGINE, 0, RISK_CAUSE_PERSON, "drill", desk.now_tsc);
	desk_settle();
	cr_expect_eq(desk.n_sent, 2);
	desk.now_tsc += DESK_HZ - 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	desk_settle();
	cr_expect_eq(desk.n_sent, 2);
	desk.now_tsc += 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	desk_settle();
	cr_expect_eq(desk.n_sent, 3);
}

Test(risk_standing, no_such_switch_is_no_switch)
{
	desk_open();
	cr_expect_not(risk_kill(&desk.risk, RISK_STRATEGY, DESK_STRATEGIES, RISK_CAUSE_PERSON, "x", desk.now_tsc));
	cr_expect_not(risk_kill(&desk.risk, RISK_LEVEL_COUNT, 0, RISK_CAUSE_PERSON, "x", desk.now_tsc));
	cr_expect_not(risk_kill(&desk.risk, RISK_ENGINE, 0, RISK_CAUSE_NONE, "x", desk.now_tsc));
	cr_expect_not(risk_release(&desk.risk, RISK_ENGINE, 0, "was off", desk.now_tsc));
}

Test(risk_standing, a_clean_stop_cancels_everything_and_blocks_nothing)
{
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_place(1, GN_SELL, CENTS(10002), 100);
	risk_cancel_all(&desk.risk, RISK_ENGINE, 0);
	desk_settle();
	cr_expect_eq(desk.n_sent, 4);
	EXPECT(desk_try(0, GN_BUY, CENTS(9999), 1), GN_ACCEPTED);
	desk_settle();
	cr_expect_eq(desk.n_sent, 5);
}

/* Buy 100 at 100.00, marked at 95.00 less one cent a unit: 500 lost, and 0.30 of fees. */
static void lose_money(void)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(oid);
	desk_fill(oid, CENTS(10000), 100, 1);
	desk_quote(1, CENTS(9499), CENTS(9501), 0);
	risk_housekeep(&desk.risk, desk.now_tsc);
}

CONTROL_TEST(loss, orders_when_the_daily_loss_of_any_level_is_reached)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		for (int64_t limit = 500; limit <= 501; limit++) {
			desk_prepare();
			risk_limit_put(level == RISK_ENGINE    ? &desk.config.engine
				       : level == RISK_ACCOUNT ? &desk.account[0].limits
							       : &desk.strategy[0].limits,
				RISK_KEY_loss_max, limit);
			desk_open();
			lose_money();
			EXPECT(desk_try(0, GN_BUY, CENTS(9500), 1), limit == 500 ? GN_REFUSED_LOSS : GN_ACCEPTED);
		}
	}
}

static void fill_often(int n, gn_qty qty)
{
	for (int i = 0; i < n; i++) {
		gn_oid oid = desk_place(0, i & 1 ? GN_SELL : GN_BUY, i & 1 ? CENTS(10002) : CENTS(10000), qty);
		desk_accept(oid);
		desk_fill(oid, CENTS(10000), qty, (uint64_t)i + 1);
		desk.now_tsc += DESK_HZ / 1000;
	}
}

CONTROL_TEST(repeated, orders_after_too_many_fills_until_a_person_releases)
{
	desk.strategy[0].limits.repeat_fills_max = 3;
	desk.strategy[0].limits.repeat_window_ms = 4;
	desk_open();
	fill_often(3, 10);
	EXPECT(desk_try(0, GN_BUY, CENTS(9990), 1), GN_ACCEPTED);
	desk_settle();
	fill_often(1, 11); /* match 1 came before: the same number of another order is another fill */
	EXPECT(desk_try(0, GN_BUY, CENTS(9991), 1), GN_REFUSED_REPEATED);
	desk.now_tsc += 100 * DESK_HZ;
	risk_housekeep(&desk.risk, desk.now_tsc);
	EXPECT(desk_try(0, GN_BUY, CENTS(9991), 1), GN_REFUSED_REPEATED);
	cr_expect(risk_release(&desk.risk, RISK_STRATEGY, 0, "looked at it", desk.now_tsc));
	EXPECT(desk_try(0, GN_BUY, CENTS(9991), 1), GN_ACCEPTED);
}

Test(risk_standing, fills_that_left_the_window_do_not_count)
{
	desk.strategy[0].limits.repeat_fills_max = 3;
	desk.strategy[0].limits.repeat_window_ms = 3;
	desk_open();
	fill_often(20, 10);
	EXPECT(desk_try(0, GN_BUY, CENTS(9991), 1), GN_ACCEPTED);
}

CONTROL_TEST(protection, and_pulls_all_quotes_after_fills_quantity_or_delta_within_the_window)
{
	static const struct {
		enum risk_key key;
		int64_t limit;
		int fills;
	} cases[] = {{RISK_KEY_protect_fills_max, 2, 3}, {RISK_KEY_protect_qty_max, 20, 3},
		{RISK_KEY_protect_delta_max, 9, 1}};

	for (unsigned i = 0; i < GN_ARRAY_SIZE(cases); i++) {
		desk_prepare();
		desk.strategy[0].limits.protect_window_ms = 1000;
		risk_limit_put(&desk.strategy[0].limits, cases[i].key, cases[i].limit);
		desk.strategy[0].protect_pause_ms = 50;
		desk_open();
		gn_oid quote = desk_place(0, GN_SELL, CENTS(10010), 77);
		fill_often(cases[i].fills - 1, 10);
		EXPECT(desk_try(0, GN_BUY, CENTS(9000), 1), GN_ACCEPTED);
		gn_oid last = desk_place(0, GN_BUY, CENTS(10001), 10);
		desk_accept(last);
		desk_fill(last, CENTS(10001), 10, 99);
		EXPECT(desk_try(0, GN_BUY, CENTS(9001), 1), GN_REFUSED_REPEATED);
		desk_settle();
		bool pulled = false;
		for (uint32_t n = 0; n < desk.n_sent; n++)
			pulled |= desk.sent[n].kind == GN_REQ_CANCEL && desk.sent[n].oid == quote;
		cr_expect(pulled);
		desk.now_tsc += 50 * DESK_HZ / 1000;
		risk_housekeep(&desk.risk, desk.now_tsc);
		EXPECT(desk_try(0, GN_BUY, CENTS(9001), 1), GN_ACCEPTED);
	}
}

CONTROL_TEST(reject_storm, orders_after_too_many_rejects_within_a_second)
{
	desk.strategy[0].limits.rejects_max = 2;
	desk_open();
	for (int i = 0; i < 6; i++) {
		gn_oid oid = desk_place(0, GN_BUY, CENTS(10000 - i), 1);
		desk_report(
			(struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = oid, .code = i < 3 ? GN_CODE_NO_ROOM : 17});
		desk.now_tsc += i == 3 ? DESK_HZ : 1;
	}
	EXPECT(desk_try(0, GN_BUY, CENTS(9000), 1), GN_ACCEPTED);
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = desk_last_sent()->oid, .code = 17});
	EXPECT(desk_try(0, GN_BUY, CENTS(9000), 2), GN_REFUSED_KILLED);
}

CONTROL_TEST(stale_data, orders_after_data_was_wrong_for_too_long_where_orders_rest)
{
	desk.config.stale_kill_ms = 10;
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 1);
	desk_quote(1, CENTS(10000), CENTS(10002), GN_VIEW_STALE);
	desk_quote(2, CENTS(10000), CENTS(10002), GN_VIEW_STALE);
	risk_housekeep(&desk.risk, desk.now_tsc);
	desk.now_tsc += 10 * DESK_HZ / 1000 - 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.kill.n_on, 0);
	desk.now_tsc += 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.kill.n_on, 1);
	desk_quote(1, CENTS(10000), CENTS(10002), 0);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_REFUSED_KILLED);
}

CONTROL_TEST(lost_session, orders_after_the_session_was_down_too_long_with_orders_open)
{
	desk.config.session_kill_ms = 10;
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 1);
	desk_report((struct gn_exec){.kind = GN_EXEC_DOWN, .match = UINT64_MAX});
	desk.now_tsc += 10 * DESK_HZ / 1000 - 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.kill.n_on, 0);
	desk.now_tsc += 1;
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.kill.n_on, 1);
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = UINT64_MAX});
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_REFUSED_KILLED);
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 2), GN_ACCEPTED); /* it had nothing open */
	desk_settle();
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_CANCEL);
}

CONTROL_TEST(clock_jump, orders_after_time_jumped_either_way)
{
	for (int back = 0; back < 2; back++) {
		desk_prepare();
		desk.config.clock_jump_ms = 500;
		desk_open();
		risk_housekeep(&desk.risk, desk.now_tsc);
		desk.now_tsc += DESK_HZ / 2 - 1;
		risk_housekeep(&desk.risk, desk.now_tsc);
		cr_expect_eq(desk.risk.kill.n_on, 0);
		desk.now_tsc += back ? -UINT64_C(1) : DESK_HZ / 2;
		risk_housekeep(&desk.risk, desk.now_tsc);
		cr_expect_eq(desk.risk.kill.sw[RISK_ENGINE][0].cause, RISK_CAUSE_CLOCK);
		EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_REFUSED_KILLED);
	}
}

CONTROL_TEST(deaf_strategy, orders_of_a_strategy_that_does_not_take_its_reports)
{
	desk_open();
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk.deaf = true;
	desk_accept(oid);
	desk.deaf = false;
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 2), GN_REFUSED_KILLED);
	desk_settle();
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_CANCEL);
}

CONTROL_TEST(limits_given, to_start_without_any_single_limit_of_any_level)
{
	for (unsigned level = 0; level < RISK_LEVEL_COUNT; level++) {
		for (unsigned key = 0; key < RISK_KEY_COUNT; key++) {
			if (!(risk_key_info[key].levels & (1u << level)))
				continue;
			for (int64_t bad = 0; bad >= -1; bad--) {
				desk_prepare();
				risk_limit_put(level == RISK_ENGINE     ? &desk.config.engine
					       : level == RISK_ACCOUNT  ? &desk.account[1].limits
					       : level == RISK_STRATEGY ? &desk.strategy[1].limits
									: &desk.config.instrument_default,
					key, bad);
				cr_expect_neq(risk_config_validate(&desk.config), 0);
				cr_expect(strstr(gn_err_text(), risk_key_info[key].name), "%s", gn_err_text());
				cr_expect(strstr(gn_err_text(), risk_level_word(level)), "%s", gn_err_text());
			}
		}
	}
}

Test(risk_standing, refuses_a_config_that_is_zeroed_or_incomplete)
{
	struct risk_config zero = {0};

	cr_expect_neq(risk_config_validate(&zero), 0);
	cr_expect_eq(risk_config_validate(&desk.config), 0, "%s", gn_err_text());
	struct risk_config c = desk.config;
	c.reference = RISK_REFERENCE_NONE;
	cr_expect_neq(risk_config_validate(&c), 0);
	c = desk.config;
	c.venue_reserve = c.venue_burst;
	cr_expect_neq(risk_config_validate(&c), 0);
	c = desk.config;
	c.venue_per_s = 0;
	cr_expect_neq(risk_config_validate(&c), 0);
	c = desk.config;
	c.n_strategies = GN_STRATEGIES_MAX + 1;
	cr_expect_neq(risk_config_validate(&c), 0);
	c = desk.config;
	c.orders_max = 0;
	cr_expect_neq(risk_config_validate(&c), 0);
	desk.strategy[0].account = 2;
	cr_expect_neq(risk_config_validate(&desk.config), 0);
}

CONTROL_TEST(limits_live, a_limit_looser_than_at_the_start_and_tightens_at_once)
{
	desk.strategy[0].limits.order_qty_max = 100;
	desk.strategy[0].limits.gross_notional_max = 100000;
	desk.config.loosen_by_two = true;
	desk_open();
	struct risk *r = &desk.risk;
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 101, "ann", "bob", desk.now_tsc), -EPERM);
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 0, "ann", "bob", desk.now_tsc), -EPERM);
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, -1, "ann", "bob", desk.now_tsc), -EPERM);
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 9, RISK_KEY_order_qty_max, 50, "ann", "bob", desk.now_tsc), -ENOENT);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_collar_bps, 50, "ann", "bob", desk.now_tsc), -ENOENT);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 100), GN_ACCEPTED);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 50, "ann", "", desk.now_tsc), 0);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 51), GN_REFUSED_QTY);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 100, "ann", "", desk.now_tsc), -EPERM);
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 100, "ann", "ann", desk.now_tsc), -EPERM);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 100, "ann", "bob", desk.now_tsc), 0);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 51), GN_ACCEPTED);
	/* 15,100 are used: less than that leaves no room, and does not wrap */
	cr_expect_eq(
		risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_gross_notional_max, 10000, "ann", "", desk.now_tsc), 0);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 1), GN_REFUSED_GROSS);
	cr_expect_eq(risk_limit_set(r, RISK_INSTRUMENT, 1, RISK_KEY_collar_ticks, 1, "ann", "", desk.now_tsc), 0);
	EXPECT(desk_try(1, GN_BUY, CENTS(9999), 1), GN_REFUSED_COLLAR);
	cr_expect_eq(desk.risk.n.limit_changed, 4);
}

Test(risk_standing, orders_without_a_fill_count_against_a_bound_that_is_tightened)
{
	struct risk *r = &desk.risk;

	desk.strategy[0].limits.orders_unfilled_max = 5;
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 1);
	desk_place(0, GN_BUY, CENTS(9999), 1);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_orders_unfilled_max, 3, "ann", "", desk.now_tsc), 0);
	desk_place(0, GN_BUY, CENTS(9998), 1);
	EXPECT(desk_try(0, GN_BUY, CENTS(9997), 1), GN_REFUSED_RATIO);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 0, RISK_KEY_orders_unfilled_max, 4, "ann", "", desk.now_tsc), 0);
	EXPECT(desk_try(0, GN_BUY, CENTS(9997), 1), GN_ACCEPTED);
	/* where there was no bound it counts from then on */
	desk_place(1, GN_SELL, CENTS(10003), 1);
	cr_expect_eq(risk_limit_set(r, RISK_STRATEGY, 1, RISK_KEY_orders_unfilled_max, 1, "ann", "", desk.now_tsc), 0);
	desk_place(1, GN_SELL, CENTS(10004), 1);
	EXPECT(desk_try(1, GN_SELL, CENTS(10005), 1), GN_REFUSED_RATIO);
}

Test(risk_standing, soft_levels_warn_once_until_they_are_left)
{
	desk.strategy[0].limits.open_orders_max = 5;
	desk_open();
	gn_oid oid[4];
	for (int i = 0; i < 3; i++)
		oid[i] = desk_place(0, GN_BUY, CENTS(10000 - i), 1);
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.n.soft_passed, 0);
	oid[3] = desk_place(0, GN_BUY, CENTS(9000), 1);
	risk_housekeep(&desk.risk, desk.now_tsc);
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.n.soft_passed, 1);
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = oid[0]});
	risk_housekeep(&desk.risk, desk.now_tsc);
	desk_place(0, GN_BUY, CENTS(9001), 1);
	risk_housekeep(&desk.risk, desk.now_tsc);
	cr_expect_eq(desk.risk.n.soft_passed, 2);
}

CONTROL_TEST(pace, nothing_but_paces_cancels_first_then_replacements_then_new_orders)
{
	desk.config.venue_per_s = 1000;
	desk.config.venue_burst = 4;
	desk.config.venue_reserve = 1;
	desk.config.patience_us = 1000 * 1000;
	desk_open();
	gn_oid a = desk_place(0, GN_BUY, CENTS(10000), 10);
	gn_oid b = desk_place(0, GN_BUY, CENTS(9999), 10);
	desk_place(0, GN_BUY, CENTS(9998), 10);
	desk_accept(a);
	desk_accept(b);
	gn_oid waits = desk_place(0, GN_BUY, CENTS(9997), 10); /* one token left: the reserve */
	cr_expect_eq(desk.n_sent, 3);
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(9999), 5);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = b;
	EXPECT(desk_ask(q), GN_ACCEPTED);
	cr_expect_eq(desk.n_sent, 3);
	struct gn_order_req cancel = {.kind = GN_REQ_CANCEL, .oid = a};
	EXPECT(desk_ask(cancel), GN_ACCEPTED);
	cr_expect_eq(desk.n_sent, 4); /* took the reserve */
	cancel.oid = b;
	EXPECT(desk_ask(cancel), GN_ACCEPTED);
	cr_expect_eq(desk.n_sent, 4);
	cr_expect_eq(desk.risk.n_waiting, 3);
	static const uint8_t kinds[] = {GN_REQ_CANCEL, GN_REQ_REPLACE, GN_REQ_NEW};
	for (unsigned i = 0; i < GN_ARRAY_SIZE(kinds); i++) {
		desk_settle();
		uint32_t before = desk.n_sent;
		for (int ms = 0; ms < 10 && desk.n_sent == before; ms++) {
			desk.now_tsc += DESK_HZ / 1000;
			desk_settle();
		}
		cr_expect_eq(desk.n_sent, before + 1);
		cr_expect_eq(desk_last_sent()->kind, kinds[i], "%u", i);
	}
	cr_expect_eq(desk_last_sent()->oid, waits);
	cr_expect_eq(desk.risk.n.order_waited, 2);
	cr_expect_eq(desk.risk.n.cancel_waited, 1);
	cr_expect_gt(desk.risk.n.wait_tsc_max, 0);
}

Test(risk_standing, an_order_that_waits_is_withdrawn_by_its_cancel_and_by_a_kill_switch)
{
	desk.config.venue_per_s = 10;
	desk.config.venue_burst = 1;
	desk.config.patience_us = 10 * 1000 * 1000;
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 10);
	gn_oid first = desk_place(0, GN_BUY, CENTS(9999), 10);
	gn_oid second = desk_place(1, GN_BUY, CENTS(9999), 10);
	struct gn_order_req cancel = {.kind = GN_REQ_CANCEL, .oid = first};
	EXPECT(desk_ask(cancel), GN_ACCEPTED);
	cr_expect_eq(desk_last_told()->kind, GN_EXEC_CANCELED);
	cr_expect_eq(desk_last_told()->oid, first);
	risk_kill(&desk.risk, RISK_STRATEGY, 1, RISK_CAUSE_PERSON, "drill", desk.now_tsc);
	desk_settle();
	cr_expect_eq(desk_last_told()->oid, second);
	cr_expect_eq(orders_open(&desk.risk.orders), 1);
	cr_expect_eq(desk.n_sent, 1);
	desk.now_tsc += DESK_HZ;
	desk_settle();
	cr_expect_eq(desk.n_sent, 1);
	cr_expect_eq(desk.risk.n_waiting, 0);
}

Test(risk_standing, the_session_of_one_account_does_not_slow_another)
{
	desk.account[0].limits.session_per_s_max = 10;
	desk.account[0].limits.session_burst_max = 1;
	desk.strategy[1].account = 1;
	desk.config.patience_us = 10 * 1000 * 1000;
	desk_open();
	desk_place(0, GN_BUY, CENTS(10000), 10);
	desk_place(0, GN_BUY, CENTS(9999), 10);
	cr_expect_eq(desk.n_sent, 1);
	desk_place(1, GN_BUY, CENTS(9999), 10);
	desk_settle();
	cr_expect_eq(desk.n_sent, 2);
	cr_expect_eq(desk_last_sent()->strategy, 1);
}

/* What the journal would hold, in the order in which it was told. */
static struct gn_journal_msg kept[DESK_LOG];
static uint32_t n_kept;

static void keep(void *arg, const struct gn_journal_msg *msg)
{
	(void)arg;
	kept[n_kept++ % DESK_LOG] = *msg;
}

static struct risk_snapshot_of_test {
	uint32_t n_orders, n_on;
	gn_qty position, worst[2];
	risk_money total;
	int64_t limit;
	gn_oid oid_last;
	union risk_room room;
} what_it_was(void)
{
	const struct risk_cell *c = risk_cell(&desk.risk, 1, 0);

	return (struct risk_snapshot_of_test){orders_open(&desk.risk.orders), desk.risk.kill.n_on,
		risk_ledger(&desk.risk, 1, 0)->pos.qty, {c->side[0].worst, c->side[1].worst},
		risk_pnl_total(&desk.risk.engine.pnl), desk.risk.strategy[0].scope.limits.long_max,
		risk_oid_last(&desk.risk, 0), desk.risk.strategy[0].scope.room};
}

Test(risk_standing, the_journal_makes_the_same_state_after_a_restart)
{
	desk.strategy[0].limits.long_max = 1000;
	desk_open();
	desk.risk.io.journal = keep;
	gn_oid a = desk_place(0, GN_BUY, CENTS(10000), 100), b = desk_place(0, GN_BUY, CENTS(9999), 50);
	gn_oid c = desk_place(1, GN_SELL, CENTS(10003), 30);
	desk_accept(a);
	desk_accept(b);
	desk_accept(c);
	desk_fill(a, CENTS(10000), 40, 1);
	desk_fill(c, CENTS(10003), 30, 2);
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(9998), 80);
	q.kind = GN_REQ_REPLACE;
	q.oid_prev = b;
	EXPECT(desk_ask(q), GN_ACCEPTED);
	EXPECT(desk_try(0, GN_BUY, CENTS(10000), 5000), GN_REFUSED_POSITION);
	cr_expect_eq(risk_limit_set(&desk.risk, RISK_STRATEGY, 0, RISK_KEY_long_max, 500, "ann", "", desk.now_tsc), 0);
	risk_kill(&desk.risk, RISK_STRATEGY, 1, RISK_CAUSE_PERSON, "drill: ann", desk.now_tsc);
	risk_kill(&desk.risk, RISK_INSTRUMENT, 3, RISK_CAUSE_STALE, "old", desk.now_tsc);
	risk_release(&desk.risk, RISK_INSTRUMENT, 3, "looked", desk.now_tsc);
	struct risk_snapshot_of_test before = what_it_was();

	risk_fini(&desk.risk);
	cr_assert_eq(desk_start(), 0);
	uint32_t n_sent = desk.n_sent, n_told = desk.n_told;
	risk_replay_begin(&desk.risk);
	for (uint32_t i = 0; i < n_kept; i++)
		cr_expect_eq(risk_replay(&desk.risk, &kept[i]), 0, "%s", gn_err_text());
	risk_replay_end(&desk.risk);
	struct risk_snapshot_of_test after = what_it_was();

	cr_expect_eq(after.n_orders, before.n_orders);
	cr_expect_eq(after.n_on, 1);
	cr_expect_eq(after.position, before.position);
	cr_expect_eq(after.worst[0], before.worst[0]);
	cr_expect(after.total == before.total);
	cr_expect_eq(after.limit, 500);
	cr_expect_eq(after.oid_last, before.oid_last);
	cr_expect_arr_eq(&after.room, &before.room, sizeof(after.room));
	cr_expect_eq(desk.n_sent, n_sent, "nothing leaves");
	cr_expect_eq(desk.n_told, n_told);
	cr_expect_eq(desk.risk.kill.sw[RISK_STRATEGY][1].cause, RISK_CAUSE_PERSON);
	cr_expect_str_eq(desk.risk.kill.sw[RISK_STRATEGY][1].reason, "drill: ann");
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = UINT64_MAX});
	EXPECT(desk_try(1, GN_BUY, CENTS(10000), 1), GN_REFUSED_KILLED);
	desk_fill(a, CENTS(10000), 40, 1);
	cr_expect_eq(what_it_was().position, before.position, "the venue's replay is recognised");
}

static void when_the_venue_replays(uint8_t kind, gn_oid oid, gn_oid oid_prev, gn_px px, gn_qty qty)
{
	desk_report((struct gn_exec){.kind = kind,
		.flags = GN_EXEC_F_REPLAY,
		.oid = oid,
		.oid_prev = oid_prev,
		.inst = 1,
		.side = GN_BUY,
		.px = px,
		.qty = qty,
		.match = kind == GN_EXEC_FILLED ? oid : 0});
}

Test(risk_standing, an_order_that_only_the_venue_remembers_is_ours)
{
	desk_open();
	gn_oid first = gn_oid_make(0, 5), second = gn_oid_make(0, 7);
	when_the_venue_replays(GN_EXEC_ACCEPTED, first, 0, CENTS(10000), 100);
	when_the_venue_replays(GN_EXEC_FILLED, first, 0, CENTS(10000), 40);
	cr_expect_eq(what_it_was().position, 40);
	cr_expect_eq(desk_last_told()->leaves, 60);
	when_the_venue_replays(GN_EXEC_REPLACED, second, first, CENTS(9999), 80);
	cr_expect_eq(orders_open(&desk.risk.orders), 1);
	cr_expect_eq(desk_last_told()->leaves, 80);
	cr_expect_eq(what_it_was().worst[0], 120);
	cr_expect_eq(desk.risk.n.report_adopted, 2);
	cr_expect_eq(risk_oid_last(&desk.risk, 0), second);
	when_the_venue_replays(GN_EXEC_CANCELED, second, 0, CENTS(0), 80);
	cr_expect_eq(what_it_was().worst[0], 40);
	desk_expect_no_exposure();
}

Test(risk_standing, what_is_no_such_order_is_not_adopted)
{
	desk_open();
	gn_oid known = desk_place(0, GN_BUY, CENTS(10000), 10);
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = known, .code = 1});
	when_the_venue_replays(GN_EXEC_ACCEPTED, known, 0, CENTS(10000), 10); /* finished long ago */
	when_the_venue_replays(GN_EXEC_ACCEPTED, gn_oid_make(9, 1), 0, CENTS(10000), 10);
	when_the_venue_replays(GN_EXEC_ACCEPTED, gn_oid_make(0, 9), 0, CENTS(10000), 0);
	when_the_venue_replays(GN_EXEC_ACCEPTED, gn_oid_make(0, 9), 0, CENTS(0), 10);
	when_the_venue_replays(GN_EXEC_REPLACED, gn_oid_make(0, 9), gn_oid_make(0, 8), CENTS(10000), 10);
	when_the_venue_replays(GN_EXEC_FILLED, gn_oid_make(0, 9), 0, CENTS(10000), 10);
	desk_report((struct gn_exec){.kind = GN_EXEC_ACCEPTED,
		.oid = gn_oid_make(0, 9),
		.inst = 1,
		.side = GN_BUY,
		.px = CENTS(10000),
		.qty = 10}); /* not in a replay */
	cr_expect_eq(orders_open(&desk.risk.orders), 0);
	cr_expect_eq(desk.risk.n.report_adopted, 0);
	desk_expect_no_exposure();
}

Test(risk_standing, a_cancel_that_nobody_answered_is_sent_again_after_a_restart)
{
	desk_open();
	desk.risk.io.journal = keep;
	gn_oid canceled = desk_place(0, GN_BUY, CENTS(10000), 100), refused = desk_place(0, GN_BUY, CENTS(9999), 50);
	gn_oid left = desk_place(0, GN_BUY, CENTS(9998), 50);
	desk_accept(canceled);
	desk_accept(refused);
	desk_accept(left);
	EXPECT(desk_ask((struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = canceled}), GN_ACCEPTED);
	EXPECT(desk_ask((struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = refused}), GN_ACCEPTED);
	desk_report((struct gn_exec){.kind = GN_EXEC_CANCEL_REJECTED, .oid = refused, .code = 3});
	risk_fini(&desk.risk);
	cr_assert_eq(desk_start(), 0);
	risk_replay_begin(&desk.risk);
	for (uint32_t i = 0; i < n_kept; i++)
		cr_expect_eq(risk_replay(&desk.risk, &kept[i]), 0, "%s", gn_err_text());
	risk_replay_end(&desk.risk);
	uint32_t n_sent = desk.n_sent;
	desk_settle();
	cr_expect_eq(desk.n_sent, n_sent, "not before the session is up");
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = UINT64_MAX});
	desk_settle();
	cr_expect_eq(desk.n_sent, n_sent + 1);
	cr_expect_eq(desk_last_sent()->kind, GN_REQ_CANCEL);
	cr_expect_eq(desk_last_sent()->oid, canceled);
}

Test(risk_standing, a_restart_may_cancel_all_that_is_open)
{
	desk_open();
	gn_oid open = desk_place(0, GN_BUY, CENTS(10000), 100), lost = gn_oid_make(1, 9);
	desk_accept(open);
	desk_report((struct gn_exec){.kind = GN_EXEC_DOWN, .match = UINT64_MAX});
	risk_replay_cancel(&desk.risk);
	desk_report((struct gn_exec){.kind = GN_EXEC_ACCEPTED,
		.flags = GN_EXEC_F_REPLAY,
		.oid = lost,
		.inst = 2,
		.side = GN_SELL,
		.px = CENTS(10002),
		.qty = 10});
	uint32_t n_sent = desk.n_sent;
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = UINT64_MAX});
	desk_settle();
	cr_assert_eq(desk.n_sent, n_sent + 2);
	cr_expect_eq(desk.sent[n_sent].oid, open);
	cr_expect_eq(desk.sent[n_sent + 1].oid, lost);
	gn_oid fresh = desk_place(0, GN_BUY, CENTS(9000), 1);
	desk_settle();
	cr_expect_eq(desk_last_sent()->oid, fresh, "what comes later stays");
}

Test(risk_standing, strategies_are_told_what_they_still_have)
{
	desk_open();
	gn_oid open = desk_place(0, GN_BUY, CENTS(10000), 100);
	desk_accept(open);
	desk_fill(open, CENTS(10000), 40, 1);
	uint32_t n = desk.n_told;
	risk_replay_tell(&desk.risk);
	cr_assert_eq(desk.n_told, n + 2);
	const struct gn_exec *position = &desk.told[n], *order = &desk.told[n + 1];
	cr_expect_eq(position->kind, GN_EXEC_RESTATED);
	cr_expect_eq(position->oid, 0);
	cr_expect_eq(position->inst, 1);
	cr_expect_eq(position->position, 40);
	cr_expect_eq(order->oid, open);
	cr_expect_eq(order->leaves, 60);
	cr_expect_eq(order->flags, GN_EXEC_F_RECOVERED);
	cr_expect_eq(order->px.e9, CENTS(10000).e9);
}

Test(risk_standing, a_journal_that_cannot_be_true_is_refused_not_believed)
{
	desk_open();
	struct gn_journal_msg m = {
		.kind = GN_JOURNAL_REQUEST, .verdict = GN_ACCEPTED, .req = desk_order(0, GN_BUY, CENTS(10000), 10)};
	risk_replay_begin(&desk.risk);
	m.req.inst = DESK_INSTS;
	cr_expect_eq(risk_replay(&desk.risk, &m), -ENOENT);
	m.req.inst = 1;
	m.req.strategy = 9;
	cr_expect_eq(risk_replay(&desk.risk, &m), -ENOENT);
	m.req.strategy = 0;
	m.req.side = 7;
	cr_expect_eq(risk_replay(&desk.risk, &m), -EPROTO);
	m.req.side = GN_BUY;
	cr_expect_eq(risk_replay(&desk.risk, &m), 0);
	cr_expect_eq(risk_replay(&desk.risk, &m), -EPROTO, "the same id twice");
	memset(&m, 0xff, sizeof(m));
	for (unsigned kind = 0; kind < 16; kind++) {
		m.kind = (uint16_t)kind;
		risk_replay(&desk.risk, &m);
	}
	risk_replay_end(&desk.risk);
}
