/* SPDX-License-Identifier: BSD-3-Clause */
/* The order table as the reports of the venue move it. */
#include "risk_fixture.h"

static void given_open_desk(void)
{
	desk_prepare();
	desk_open();
}

TestSuite(risk_orders, .init = given_open_desk, .timeout = 30);

static const struct order *order_of(gn_oid oid)
{
	uint32_t slot = orders_find(&desk.risk.orders, oid);

	return slot == ORDER_NONE ? NULL : &desk.risk.orders.pool[slot];
}

static gn_qty position_of(uint32_t strategy)
{
	return risk_ledger(&desk.risk, 1, strategy)->pos.qty;
}

Test(risk_orders, accepted_order_is_sent_entered_and_becomes_live)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	cr_assert_eq(desk.n_sent, 1);
	cr_assert_eq(desk_last_sent()->oid, oid);
	cr_assert_eq(order_of(oid)->state, ORDER_PENDING);
	desk_accept(oid);
	cr_assert_eq(order_of(oid)->state, ORDER_LIVE);
	cr_assert_eq(desk_last_told()->kind, GN_EXEC_ACCEPTED);
	cr_assert_eq(desk_last_told()->leaves, 100);
	cr_assert_eq(desk_last_told()->tag, 7);
}

Test(risk_orders, dead_on_accept_ends_the_order)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_report((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid, .flags = GN_EXEC_F_DEAD, .qty = 100});
	cr_assert_null(order_of(oid));
	desk_expect_no_exposure();
}

Test(risk_orders, partial_fills_add_up_to_the_end)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(oid);
	desk_fill(oid, CENTS(10000), 40, 1);
	cr_assert_eq(desk_last_told()->leaves, 60);
	cr_assert_eq(desk_last_told()->position, 40);
	desk_fill(oid, CENTS(9999), 60, 2);
	cr_assert_eq(desk_last_told()->leaves, 0);
	cr_assert_null(order_of(oid));
	cr_assert_eq(position_of(0), 100);
	desk_expect_no_exposure();
}

Test(risk_orders, a_fill_that_comes_twice_is_booked_once)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(oid);
	desk_fill(oid, CENTS(10000), 40, 1);
	desk_fill(oid, CENTS(10000), 40, 1);
	cr_assert_eq(position_of(0), 40);
	cr_assert_eq(desk.risk.n.report_repeated, 1);
	cr_assert_eq(order_of(oid)->leaves, 60);
}

Test(risk_orders, a_fill_beyond_what_is_left_is_booked_and_counted)
{
	gn_oid oid = desk_place(0, GN_SELL, CENTS(10002), 10);

	desk_accept(oid);
	desk_fill(oid, CENTS(10002), 15, 1);
	cr_assert_eq(desk.risk.n.report_overfilled, 1);
	cr_assert_eq(position_of(0), -15);
	cr_assert_null(order_of(oid));
	desk_expect_no_exposure();
}

Test(risk_orders, cancels_in_parts_end_when_nothing_is_left)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(oid);
	desk_report((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = oid, .qty = 30, .reason = 'U'});
	cr_assert_eq(order_of(oid)->leaves, 70);
	desk_report((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = oid, .qty = 70, .reason = 'U'});
	cr_assert_null(order_of(oid));
	desk_expect_no_exposure();
}

Test(risk_orders, reject_ends_a_new_order)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = oid, .code = 17});
	cr_assert_null(order_of(oid));
	desk_expect_no_exposure();
}

static gn_oid ask_replace(gn_oid oid_prev, gn_px px, gn_qty qty, enum gn_verdict expected)
{
	struct gn_order_req q = desk_order(0, GN_BUY, px, qty);

	q.kind = GN_REQ_REPLACE;
	q.oid_prev = oid_prev;
	cr_assert_eq(desk_ask(q), expected);
	return q.oid;
}

Test(risk_orders, replacement_takes_over_and_holds_the_larger_of_both_meanwhile)
{
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(first);
	gn_oid second = ask_replace(first, CENTS(10001), 150, GN_ACCEPTED);
	cr_assert_eq(risk_cell(&desk.risk, 1, 0)->side[0].worst, 150);
	desk_fill(first, CENTS(10000), 20, 1);
	cr_assert_eq(risk_cell(&desk.risk, 1, 0)->side[0].worst, 150);
	desk_report((struct gn_exec){
		.kind = GN_EXEC_REPLACED, .oid = second, .oid_prev = first, .qty = 130, .px = CENTS(10001)});
	cr_assert_null(order_of(first));
	cr_assert_eq(order_of(second)->leaves, 130);
	cr_assert_eq(risk_cell(&desk.risk, 1, 0)->side[0].worst, 150);
	desk_fill(second, CENTS(10001), 130, 2);
	cr_assert_eq(position_of(0), 150);
	desk_expect_no_exposure();
	cr_assert_eq(desk.risk.strategy[0].scope.room.n_open, RISK_QTY_MAX);
}

Test(risk_orders, rejected_replacement_leaves_the_first_order_alone)
{
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(first);
	gn_oid second = ask_replace(first, CENTS(10001), 150, GN_ACCEPTED);
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = second, .code = 15});
	cr_assert_null(order_of(second));
	cr_assert_eq(order_of(first)->leaves, 100);
	cr_assert_eq(risk_cell(&desk.risk, 1, 0)->side[0].worst, 100);
	ask_replace(first, CENTS(10001), 120, GN_ACCEPTED);
}

Test(risk_orders, replacement_of_an_order_that_died_ends_void)
{
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(first);
	gn_oid second = ask_replace(first, CENTS(10001), 150, GN_ACCEPTED);
	desk_fill(first, CENTS(10000), 100, 1);
	cr_assert_null(order_of(first));
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = second, .code = GN_CODE_VOID});
	cr_assert_null(order_of(second));
	desk_expect_no_exposure();
	cr_assert_eq(desk.risk.strategy[0].scope.room.n_open, RISK_QTY_MAX);
}

Test(risk_orders, second_change_at_once_and_change_of_the_unknown_are_refused)
{
	gn_oid first = desk_place(0, GN_BUY, CENTS(10000), 100);

	gn_oid second = ask_replace(first, CENTS(10001), 150, GN_ACCEPTED);
	ask_replace(first, CENTS(10001), 160, GN_REFUSED_UNKNOWN);
	ask_replace(second, CENTS(10001), 160, GN_REFUSED_UNKNOWN);
	ask_replace(gn_oid_make(0, 999), CENTS(10001), 160, GN_REFUSED_UNKNOWN);
	ask_replace(0, CENTS(10001), 160, GN_REFUSED_UNKNOWN);
}

Test(risk_orders, broken_trade_takes_position_and_money_back_once)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_accept(oid);
	desk_fill(oid, CENTS(10000), 100, 77);
	cr_assert_eq(position_of(0), 100);
	desk_report((struct gn_exec){.kind = GN_EXEC_BROKEN, .oid = oid, .match = 77});
	cr_assert_eq(position_of(0), 0);
	cr_assert(risk_pnl_total(&desk.risk.engine.pnl) == 0);
	cr_assert_eq(desk_last_told()->kind, GN_EXEC_BROKEN);
	desk_report((struct gn_exec){.kind = GN_EXEC_BROKEN, .oid = oid, .match = 77});
	cr_assert_eq(position_of(0), 0);
	cr_assert_eq(desk.risk.n.report_unknown, 1);
}

Test(risk_orders, restated_price_moves_the_exposure)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);
	risk_ntl before = desk.risk.engine.room.gross;

	desk_accept(oid);
	desk_report((struct gn_exec){.kind = GN_EXEC_RESTATED, .oid = oid, .px = CENTS(9000)});
	cr_assert_gt(desk.risk.engine.room.gross, before);
	desk_report((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = oid, .qty = 100});
	desk_expect_no_exposure();
}

Test(risk_orders, strays_and_nonsense_are_counted_never_fatal)
{
	gn_oid oid = desk_place(0, GN_BUY, CENTS(10000), 100);

	desk_report((struct gn_exec){0});
	desk_report((struct gn_exec){.kind = 250, .oid = oid});
	desk_report((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = oid, .qty = -5, .px = CENTS(1)});
	desk_report((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = oid, .qty = 5, .px = {INT64_MAX}});
	desk_report((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = oid, .qty = 0});
	desk_report((struct gn_exec){.kind = GN_EXEC_REPLACED, .oid = oid, .qty = 5});
	cr_assert_eq(desk.risk.n.report_malformed, 6);
	desk_accept(gn_oid_make(1, 5));
	desk_accept(UINT64_MAX);
	cr_assert_eq(desk.risk.n.report_unknown, 2);
	desk_report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = oid});
	desk_accept(oid);
	cr_assert_eq(desk.risk.n.report_finished, 1);
	desk_expect_no_exposure();
}

Test(risk_orders, table_survives_a_million_insertions_and_removals)
{
	struct order_table t;
	gn_oid open[512] = {0};
	uint64_t state = 88172645463325252, n = 0;

	cr_assert_eq(orders_init(&t, 512, 512, -1), 0);
	for (int i = 0; i < 1000000; i++) {
		state ^= state << 13, state ^= state >> 7, state ^= state << 17;
		uint32_t at = state % GN_ARRAY_SIZE(open);
		if (open[at]) {
			uint32_t slot = orders_find(&t, open[at]);
			cr_assert_neq(slot, ORDER_NONE);
			orders_remove(&t, slot);
			cr_assert_eq(orders_find(&t, open[at]), ORDER_NONE);
			open[at] = 0;
		} else {
			struct gn_order_req q = {.oid = gn_oid_make((uint32_t)(state >> 40) % 64, ++n), .qty = 1};
			cr_assert_neq(t.free, ORDER_NONE);
			orders_insert(&t, &q);
			open[at] = q.oid;
		}
	}
	orders_fini(&t);
}
