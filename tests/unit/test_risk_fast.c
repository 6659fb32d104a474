/* SPDX-License-Identifier: BSD-3-Clause */
/* The quick check: it takes what breaks nothing, and never what the exact one would not. */
#include "risk/fast.h"

#include "risk_fixture.h"

static uint64_t state = 88172645463325252;

static uint64_t rnd(uint64_t below)
{
	state ^= state << 13, state ^= state >> 7, state ^= state << 17;
	return state % below;
}

TestSuite(risk_fast, .init = desk_prepare, .timeout = 30);

static bool takes(struct gn_order_req q)
{
	struct entry e;

	desk.risk.journal_spare = 1;
	return fast_take(&desk.risk, &q, desk.now_tsc, &e);
}

Test(risk_fast, takes_good_orders_of_either_side_marked_or_not)
{
	desk_open();
	cr_expect(takes(desk_order(0, GN_BUY, CENTS(10000), 100)));
	cr_expect(takes(desk_order(0, GN_SELL, CENTS(10002), 100)));
	struct gn_order_req q = desk_order(0, GN_SELL, CENTS(10002), 99);
	q.flags = GN_ORD_SHORT;
	q.tif = GN_TIF_IOC;
	cr_expect(takes(q));
	q = desk_order(1, GN_BUY, (gn_px){.e9 = 999900000}, 1);
	desk_quote(1, (gn_px){.e9 = 999800000}, (gn_px){.e9 = 999900000}, 0);
	cr_expect(takes(q), "below 1 the finer tick holds");
}

Test(risk_fast, takes_the_reference_that_the_config_names)
{
	desk.config.instrument_default.collar_bps = 10;
	desk.inst[0] = (struct risk_instrument_config){.inst = 1, .reference = CENTS(20000)};
	desk.config.n_instruments = 1;
	desk.config.reference = RISK_REFERENCE_STATIC;
	desk_open();
	cr_expect(takes(desk_order(0, GN_BUY, CENTS(20019), 1)));
	cr_expect_not(takes(desk_order(0, GN_BUY, CENTS(20021), 1)));
	desk.risk.reference = RISK_REFERENCE_LAST; /* 100.00 */
	cr_expect(takes(desk_order(0, GN_BUY, CENTS(10009), 1)));
	cr_expect_not(takes(desk_order(0, GN_BUY, CENTS(10011), 1)));
}

Test(risk_fast, leaves_alone_what_it_does_not_take)
{
	desk_open();
	struct gn_order_req q = desk_order(0, GN_BUY, CENTS(10000), 100);
	struct risk_strategy before = desk.risk.strategy[0];
	struct risk_inst inst = desk.risk.inst[1];
	struct risk_cell cell = *risk_cell(&desk.risk, 1, 0);

	q.px.e9++;
	cr_expect_not(takes(q));
	cr_expect_arr_eq(&desk.risk.strategy[0], &before, sizeof(before));
	cr_expect_arr_eq(&desk.risk.inst[1], &inst, sizeof(inst));
	cr_expect_arr_eq(risk_cell(&desk.risk, 1, 0), &cell, sizeof(cell));
	q.px.e9--;
	cr_expect(takes(q));
}

Test(risk_fast, increments_divide_as_the_division_does)
{
	for (int round = 0; round < 200; round++) {
		int64_t tick = 1 + (int64_t)rnd(round % 2 ? 1000 : 100000000),
			lot = 1 + (int64_t)rnd(round % 3 ? 200 : 1 << 20);
		desk_prepare();
		desk.config.tick_default.e9 = desk.config.tick_below_1.e9 = tick;
		desk.config.lot_default = lot;
		desk_open();
		const struct risk_inst *i = &desk.risk.inst[1];
		for (int n = 0; n < 1000; n++) {
			uint64_t px = rnd(2) ? rnd(RISK_PX_E9_MAX) : rnd(1000000) * (uint64_t)tick;
			uint64_t qty = rnd(2) ? rnd(RISK_QTY_MAX) : rnd(10000) * (uint64_t)lot;
			bool off = px % (uint64_t)tick != 0 || qty % (uint64_t)lot != 0;
			uint64_t found = fast_increment(i, &i->side[n % 2], px, qty);
			cr_assert(off ? found != 0 : found == 0 || lot >= 1 << 20, "tick %lu lot %lu px %lu qty %lu",
				(uint64_t)tick, (uint64_t)lot, px, qty);
		}
		risk_fini(&desk.risk);
		gn_board_fini(&desk.board);
	}
}

Test(risk_fast, collar_is_the_exact_one_or_tighter_by_less_than_a_unit)
{
	struct risk_inst i = {.collar2_e9 = INT64_MAX};

	for (int n = 0; n < 1000000; n++) {
		i.collar_bps = (int64_t)rnd(10000);
		i.collar_share = (uint64_t)(((unsigned __int128)(uint64_t)i.collar_bps << 64) / 10000);
		uint64_t reference2 = 1 + rnd(RISK_PX_E9_MAX);
		uint64_t edge = (uint64_t)((unsigned __int128)reference2 * (uint64_t)i.collar_bps / 10000);
		uint64_t px = (reference2 + edge) / 2 + rnd(5) - 2;
		if ((int64_t)px <= 0)
			continue;
		uint64_t off2 = 2 * px > reference2 ? 2 * px - reference2 : reference2 - 2 * px;
		bool breaks = (unsigned __int128)off2 * 10000 > (unsigned __int128)reference2 * (uint64_t)i.collar_bps;
		bool found = (int64_t)fast_collar(&i, px, reference2) < 0;
		cr_assert(breaks ? found : !found || off2 == edge, "bps %ld reference2 %lu px %lu", i.collar_bps,
			reference2, px);
	}
}
