/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits, contradictions and state of the books: what the comparison with the obvious book does not reach. */
#include <criterion/criterion.h>
#include <string.h>

#include "book/book_hint.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define CENT INT64_C(10000000)

static struct book_set set;

static void given(const struct book_config *cfg)
{
	cr_assert_eq(book_set_init(&set, cfg), 0, "%s", gn_err_text());
}

static void given_small(void)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 1000, .node = GN_NODE_ANY});
}

static uint32_t add(gn_inst inst, gn_side side, uint64_t ref, int64_t px, gn_qty qty)
{
	return book_apply(&set,
		&(struct gn_md){.kind = GN_MD_ADD, .side = side, .inst = inst, .order = {.ref = ref, .px = {px}, .qty = qty}});
}

static uint32_t change(uint8_t kind, gn_inst inst, uint64_t ref, gn_qty qty)
{
	return book_apply(&set, &(struct gn_md){.kind = kind, .inst = inst, .order = {.ref = ref, .qty = qty}});
}

static uint32_t tell(uint8_t kind, gn_inst inst, char code)
{
	return book_apply(&set, &(struct gn_md){.kind = kind, .inst = inst, .code = code});
}

static bool stale(gn_inst inst)
{
	return book_flags(&set, inst) & GN_VIEW_STALE;
}

static void finish(void)
{
	book_set_fini(&set);
}

TestSuite(book, .fini = finish, .timeout = 120);

Test(book, refuses_a_config_past_its_limits)
{
	const struct book_config bad[] = {
		{.instruments_max = 0, .orders_max = 1},
		{.instruments_max = UINT32_MAX, .orders_max = 1},
		{.instruments_max = 1, .orders_max = 0},
		{.instruments_max = 1, .orders_max = BOOK_ORDERS_MAX + 1},
		{.instruments_max = BOOK_INSTRUMENTS_MAX + 1, .orders_max = 1},
		{.instruments_max = 1, .orders_max = 1, .watches_max = BOOK_WATCHES_MAX + 1},
		{.instruments_max = 1, .orders_max = 1, .wide_max = UINT64_MAX},
	};
	for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(book_set_init(&set, &bad[i]), -22, "config %u", i);
		cr_assert(strstr(gn_err_text(), "expected"), "%s", gn_err_text());
	}
}

Test(book, ignores_zeroed_and_unknown_events)
{
	struct gn_md md = {0};
	given_small();
	cr_assert_eq(book_apply(&set, &md), 0);
	md.kind = GN_MD_KIND_COUNT;
	cr_assert_eq(book_apply(&set, &md), 0);
	md.kind = 255;
	cr_assert_eq(book_apply(&set, &md), 0);
	cr_assert_eq(set.n.event_unknown, 3);
}

Test(book, ignores_orders_without_an_instrument_of_ours)
{
	given_small();
	for (uint8_t kind = GN_MD_ADD; kind <= GN_MD_CROSS; kind++) {
		cr_assert_eq(change(kind, GN_INST_NONE, 1, 1), 0);
		cr_assert_eq(change(kind, 8, 1, 1), 0);
	}
	cr_assert_eq(set.n.inst_unknown, 2 * (GN_MD_CROSS - GN_MD_ADD + 1));
}

Test(book, is_stale_after_a_contradiction_until_cleared)
{
	given_small();
	cr_assert(change(GN_MD_DELETE, 1, 77, 0) & BOOK_STATE);
	cr_assert(stale(1));
	cr_assert(!stale(2));
	cr_assert_eq(set.n.ref_unknown, 1);
	cr_assert_eq(set.n.stale, 1);
	tell(GN_MD_FRESH, 1, 0);
	cr_assert(stale(1), "only a clear proves it right");
	tell(GN_MD_CLEAR, 1, 0);
	cr_assert(!stale(1));
}

Test(book, expects_contradictions_while_the_feed_says_stale)
{
	given_small();
	tell(GN_MD_STALE, 1, 0);
	change(GN_MD_DELETE, 1, 77, 0);
	cr_assert(stale(1));
	cr_assert(tell(GN_MD_FRESH, 1, 0) & BOOK_STATE);
	cr_assert(!stale(1));
}

Test(book, tolerates_gaps_when_told_to)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 10, .tolerate_gaps = true, .node = GN_NODE_ANY});
	change(GN_MD_DELETE, 1, 77, 0);
	cr_assert(!stale(1));
	cr_assert_eq(set.n.ref_unknown, 1);
	for (uint64_t i = 1; i <= 11; i++)
		add(1, GN_BUY, i, CENT, 1);
	cr_assert(stale(1), "a refused order is no gap");
}

Test(book, keeps_the_first_of_two_orders_under_one_reference)
{
	given_small();
	add(1, GN_BUY, 5, 10 * CENT, 100);
	cr_assert(!(add(1, GN_BUY, 5, 11 * CENT, 200) & BOOK_LEVELS));
	cr_assert(!(add(2, GN_SELL, 5, 11 * CENT, 200) & BOOK_LEVELS));
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 10 * CENT);
	cr_assert_eq(book_bbo(&set, 2).ask_px.e9, 0);
	cr_assert_eq(set.n.ref_duplicate, 2);
}

Test(book, leaves_an_order_of_another_instrument_alone)
{
	given_small();
	add(1, GN_BUY, 5, 10 * CENT, 100);
	add(2, GN_BUY, 6, 10 * CENT, 100);
	change(GN_MD_DELETE, 2, 5, 0);
	change(GN_MD_EXEC, 3, 5, 10);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 100);
	cr_assert_eq(set.n.ref_foreign, 2);
	cr_assert_eq(set.n.trade, 0);
}

Test(book, never_goes_negative)
{
	given_small();
	add(1, GN_SELL, 5, 10 * CENT, 100);
	add(1, GN_SELL, 6, 10 * CENT, 50);
	change(GN_MD_EXEC, 1, 5, 101);
	cr_assert_eq(book_bbo(&set, 1).ask_qty, 50);
	cr_assert_eq(book_bbo(&set, 1).ask_orders, 1);
	change(GN_MD_REDUCE, 1, 6, INT64_MAX);
	cr_assert_eq(book_bbo(&set, 1).ask_qty, 0);
	cr_assert_eq(book_bbo(&set, 1).ask_px.e9, 0);
	cr_assert_eq(set.n.qty_excess, 2);
	change(GN_MD_EXEC, 1, 6, 1);
	cr_assert_eq(set.n.ref_unknown, 1);
}

Test(book, holds_the_lowest_and_the_highest_price)
{
	given_small();
	add(1, GN_BUY, 1, 100000, 1);
	add(1, GN_BUY, 2, INT64_C(30) * 1000000000, 2);
	add(1, GN_SELL, 3, INT64_C(200000) * 1000000000, 3);
	add(1, GN_SELL, 4, LEVEL_PX_E9_MAX, 4);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 2);
	cr_assert_eq(level_qty(book_level(&set, 1, GN_BUY, (gn_px){100000})), 1);
	cr_assert_eq(book_bbo(&set, 1).ask_px.e9, INT64_C(200000) * 1000000000);
	change(GN_MD_DELETE, 1, 2, 0);
	change(GN_MD_DELETE, 1, 3, 0);
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 100000);
	cr_assert_eq(book_bbo(&set, 1).ask_px.e9, LEVEL_PX_E9_MAX);
	cr_assert(!stale(1));
}

Test(book, drops_orders_with_an_impossible_price_or_quantity)
{
	given_small();
	add(1, GN_BUY, 1, 0, 1);
	add(1, GN_BUY, 2, -1, 1);
	add(1, GN_BUY, 3, LEVEL_PX_E9_MAX + 1, 1);
	add(1, GN_BUY, 4, INT64_MIN, 1);
	cr_assert_eq(set.n.px_bad, 4);
	add(1, GN_BUY, 5, CENT, 0);
	add(1, GN_BUY, 6, CENT, LEVEL_QTY_MAX + 1);
	add(1, GN_BUY, 7, CENT, INT64_MIN);
	cr_assert_eq(set.n.qty_bad, 3);
	add(1, 3, 8, CENT, 1);
	cr_assert_eq(set.n.side_bad, 1);
	cr_assert_eq(set.map.n, 0);
	cr_assert(stale(1));
}

Test(book, refuses_an_order_past_the_sum_a_level_can_hold)
{
	given_small();
	add(1, GN_BUY, 1, CENT, LEVEL_QTY_MAX);
	cr_assert(!(add(1, GN_BUY, 2, CENT, 1) & BOOK_LEVELS));
	cr_assert_eq(set.n.limit_level, 1);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, LEVEL_QTY_MAX);
	cr_assert_eq(book_bbo(&set, 1).bid_orders, 1);
	cr_assert(stale(1));
}

Test(book, refuses_orders_past_orders_max_and_takes_them_again)
{
	given_small();
	for (uint64_t i = 1; i <= 1000; i++)
		add(i % 8, GN_BUY, i, CENT, 1);
	cr_assert_eq(set.n.limit_order, 0);
	add(3, GN_BUY, 2000, CENT, 1);
	cr_assert_eq(set.n.limit_order, 1);
	cr_assert(stale(3));
	cr_assert(!stale(4));
	change(GN_MD_DELETE, 4, 4, 0);
	add(4, GN_BUY, 2001, CENT, 1);
	cr_assert_eq(set.n.limit_order, 1);
}

Test(book, refuses_wide_orders_past_wide_max)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 1000, .wide_max = 2, .node = GN_NODE_ANY});
	for (uint64_t i = 1; i <= 3; i++)
		add(1, GN_BUY, i, CENT, 1 << 20);
	cr_assert_eq(set.n.limit_wide, 1);
	cr_assert_eq(book_bbo(&set, 1).bid_orders, 2);
	change(GN_MD_DELETE, 1, 1, 0);
	add(1, GN_BUY, 9, CENT, 1 << 20);
	cr_assert_eq(set.n.limit_wide, 1);
	cr_assert_eq(book_bbo(&set, 1).bid_orders, 2);
}

Test(book, refuses_far_levels_past_their_memory)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 200000, .far_bytes = 1 << 20, .node = GN_NODE_ANY});
	for (uint64_t i = 1; i <= 150000; i++)
		add(1, GN_SELL, i, (int64_t)i * CENT, 1);
	cr_assert_gt(set.n.limit_level, 0);
	cr_assert(stale(1));
	cr_assert_eq(book_bbo(&set, 1).ask_px.e9, CENT);
	cr_assert_eq(book_levels(&set, 1, GN_SELL, NULL, 0), 0);
	uint64_t live = set.map.n;
	cr_assert_eq(live + set.n.limit_level, 150000);
	for (uint64_t i = 1; i <= 150000; i++)
		change(GN_MD_DELETE, 1, i, 0);
	cr_assert_eq(set.map.n, 0);
	cr_assert_eq(set.far.n_used, 0, "all memory came back");
}

Test(book, forgets_a_cleared_book_and_takes_its_references_again)
{
	given_small();
	for (uint64_t i = 1; i <= 600; i++)
		add(1, (gn_side)(GN_BUY + i % 2), i, (int64_t)(1 + i) * CENT, 1 << (i % 22));
	add(2, GN_BUY, 700, CENT, 1);
	cr_assert(tell(GN_MD_CLEAR, 1, 0) & BOOK_TOP);
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 0);
	cr_assert_eq(set.n_dead, 600);
	cr_assert(add(1, GN_BUY, 5, 5 * CENT, 50) & BOOK_TOP, "the same reference again, from a snapshot");
	cr_assert_eq(set.n_dead, 599);
	change(GN_MD_DELETE, 1, 6, 0);
	cr_assert_eq(set.n.ref_unknown, 1, "what was cleared is gone");
	while (set.n_dead)
		book_sweep(&set, 100);
	cr_assert_eq(set.map.n, 2);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 50);
	cr_assert_eq(book_bbo(&set, 2).bid_qty, 1);
}

Test(book, can_be_cleared_any_number_of_times)
{
	given_small();
	for (uint64_t i = 1; i <= 200000; i++) {
		add(1, GN_BUY, i, CENT, 1);
		add(2, GN_SELL, i + 1000000, CENT, 1);
		tell(GN_MD_CLEAR, (gn_inst)(1 + i % 2), 0);
		if (i % 2)
			change(GN_MD_DELETE, 1, i, 0);
		book_sweep(&set, 16);
	}
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 0, "its last event was a clear");
	cr_assert_eq(set.n.limit_order, 0);
}

Test(book, sweeps_by_itself_when_book_numbers_run_out)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 100000, .node = GN_NODE_ANY});
	for (uint64_t i = 1; i <= BOOK_IDS + 100; i++) {
		add(1, GN_BUY, i, CENT, 1);
		tell(GN_MD_CLEAR, 1, 0);
	}
	cr_assert_lt(set.n_dead, 200);
	cr_assert(add(1, GN_BUY, 1, CENT, 1) & BOOK_TOP);
}

Test(book, clears_every_book_at_once)
{
	given_small();
	for (gn_inst i = 0; i < 8; i++)
		add(i, GN_BUY, i + 1, CENT, 1);
	cr_assert(tell(GN_MD_CLEAR, GN_INST_NONE, 0) & BOOK_STATE_ALL);
	for (gn_inst i = 0; i < 8; i++)
		cr_assert_eq(book_bbo(&set, i).bid_px.e9, 0);
}

Test(book, shows_the_trading_state)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 10, .market = 'Q', .node = GN_NODE_ANY});
	cr_assert_eq(book_flags(&set, 1), GN_VIEW_HALTED, "no trading action yet");
	cr_assert(tell(GN_MD_STATE, 1, 'T') & BOOK_STATE);
	cr_assert_eq(book_flags(&set, 1), 0);
	for (const char *c = "HPQ"; *c; c++) {
		tell(GN_MD_STATE, 1, *c);
		cr_assert_eq(book_flags(&set, 1), GN_VIEW_HALTED, "%c", *c);
	}
	tell(GN_MD_STATE, 1, 'T');
	struct gn_md halt = {.kind = GN_MD_HALT, .inst = 1, .code = 'H', .state = {.market = 'B'}};
	book_apply(&set, &halt);
	cr_assert_eq(book_flags(&set, 1), 0, "another market");
	halt.state.market = 'Q';
	book_apply(&set, &halt);
	cr_assert_eq(book_flags(&set, 1), GN_VIEW_HALTED);
	halt.code = 'T';
	book_apply(&set, &halt);
	tell(GN_MD_SHORT_SALE, 1, '1');
	cr_assert_eq(book_flags(&set, 1), GN_VIEW_NO_SHORT);
	tell(GN_MD_SHORT_SALE, 1, '0');
	cr_assert_eq(book_flags(&set, 1), 0);
}

Test(book, shows_locked_and_crossed)
{
	given_small();
	tell(GN_MD_STATE, 1, 'T');
	add(1, GN_BUY, 1, 10 * CENT, 1);
	cr_assert_eq(book_flags(&set, 1), 0);
	add(1, GN_SELL, 2, 10 * CENT, 1);
	cr_assert_eq(book_flags(&set, 1), GN_VIEW_LOCKED);
	add(1, GN_SELL, 3, 9 * CENT, 1);
	cr_assert_eq(book_flags(&set, 1), GN_VIEW_CROSSED);
	change(GN_MD_EXEC, 1, 3, 1);
	change(GN_MD_EXEC, 1, 2, 1);
	cr_assert_eq(book_flags(&set, 1), 0);
}

Test(book, counts_what_is_printed_only)
{
	struct gn_md md = {.kind = GN_MD_EXEC_PX, .inst = 1, .order = {.ref = 1, .px = {9 * CENT}, .qty = 10}};
	given_small();
	add(1, GN_BUY, 1, 10 * CENT, 100);
	cr_assert(!(book_apply(&set, &md) & BOOK_TRADE));
	md.flags = GN_MD_F_PRINTABLE;
	cr_assert(book_apply(&set, &md) & BOOK_TRADE);
	cr_assert_eq(set.rest[1].volume, 10);
	cr_assert_eq(set.rest[1].last_px.e9, 9 * CENT);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 80);
	md = (struct gn_md){.kind = GN_MD_CROSS, .inst = 1, .order = {.px = {0}, .qty = 0}};
	cr_assert_eq(book_apply(&set, &md), BOOK_EVENT, "an auction without a trade");
}

Test(book, prints_nothing_while_it_is_rebuilt)
{
	struct gn_md md = {.kind = GN_MD_ADD, .side = GN_SELL, .inst = 1, .flags = GN_MD_F_SNAPSHOT,
		.order = {.ref = 1, .px = {10 * CENT}, .qty = 100}};
	given_small();
	cr_assert_eq(book_apply(&set, &md), BOOK_LEVELS | BOOK_TOP);
	md = (struct gn_md){.kind = GN_MD_EXEC, .inst = 1, .flags = GN_MD_F_SNAPSHOT, .order = {.ref = 1, .qty = 30}};
	cr_assert_eq(book_apply(&set, &md), BOOK_LEVELS | BOOK_TOP, "it was printed when it came the first time");
	md.kind = GN_MD_EXEC_PX;
	md.flags = GN_MD_F_SNAPSHOT | GN_MD_F_PRINTABLE;
	md.order.px.e9 = 9 * CENT;
	cr_assert_eq(book_apply(&set, &md), BOOK_LEVELS | BOOK_TOP);
	cr_assert_eq(book_bbo(&set, 1).ask_qty, 40);
	for (uint8_t kind = GN_MD_TRADE; kind <= GN_MD_CROSS; kind++) {
		md = (struct gn_md){.kind = kind, .inst = 1, .flags = GN_MD_F_SNAPSHOT, .order = {.px = {9 * CENT}, .qty = 5}};
		cr_assert_eq(book_apply(&set, &md), BOOK_EVENT);
	}
	cr_assert_eq(set.n.trade, 0);
	cr_assert_eq(set.rest[1].volume, 0);
	cr_assert_eq(set.rest[1].last_px.e9, 0);
	change(GN_MD_EXEC, 1, 1, 10);
	cr_assert_eq(set.rest[1].volume, 10, "the next one is news again");
}

/* Both sides full of levels at the ends of what a price can be, in orders from near to far and back. */
Test(book, keeps_every_level_at_the_ends_of_the_prices)
{
	static const int64_t centre[] = {100000, 1000000000, INT64_C(26843) * 1000000000, INT64_C(200000) * 1000000000,
		LEVEL_PX_E9_MAX - 400 * CENT};
	static const int64_t step[] = {1, 100000, 5000000, CENT, 100 * CENT};

	for (size_t c = 0; c < sizeof(centre) / sizeof(centre[0]); c++) {
		for (size_t s = 0; s < sizeof(step) / sizeof(step[0]); s++) {
			uint64_t ref = 0;
			uint32_t n = 0;

			given(&(struct book_config){.instruments_max = 2, .orders_max = 4000, .wide_max = 4000, .node = GN_NODE_ANY});
			for (int64_t k = 0; k < 600; k++) {
				int64_t px = centre[c] + (k * 7919 % 600) * step[s];
				if (px > LEVEL_PX_E9_MAX)
					continue;
				add(1, GN_BUY, ++ref, px, k + 1);
				add(1, GN_SELL, ++ref, px, k + 1);
				n++;
				cr_assert_eq(level_qty(book_level(&set, 1, GN_BUY, (gn_px){px})), k + 1);
				cr_assert_eq(level_qty(book_level(&set, 1, GN_SELL, (gn_px){px})), k + 1);
			}
			static struct level levels[600];
			for (gn_side side = GN_BUY; side <= GN_SELL; side++) {
				cr_assert_eq(book_levels(&set, 1, side, levels, 600), n);
				for (uint32_t i = 1; i < n; i++)
					cr_assert_lt(levels[i - 1].key, levels[i].key);
			}
			cr_assert_eq(book_bbo(&set, 1).ask_px.e9, centre[c]);
			for (; ref; ref--)
				change(GN_MD_DELETE, 1, ref, 0);
			cr_assert_eq(book_levels(&set, 1, GN_BUY, levels, 1) + book_levels(&set, 1, GN_SELL, levels, 1), 0);
			cr_assert_eq(set.n.stale, 0);
			book_set_fini(&set);
		}
	}
	given_small();
}

Test(book, replaces_with_new_priority_and_the_same_side)
{
	struct book_queue q;
	struct gn_md md = {.kind = GN_MD_REPLACE, .inst = 1, .order = {.ref = 1, .aux2 = 3, .px = {10 * CENT}, .qty = 7}};
	given_small();
	add(1, GN_SELL, 1, 10 * CENT, 5);
	add(1, GN_SELL, 2, 10 * CENT, 6);
	cr_assert(book_queue(&set, 1, 1, &q) && q.orders_ahead == 0);
	book_apply(&set, &md);
	cr_assert(!book_queue(&set, 1, 1, &q));
	cr_assert(book_queue(&set, 1, 3, &q));
	cr_assert_eq(q.orders_ahead, 1);
	cr_assert_eq(q.qty_ahead, 6);
	cr_assert_eq(book_bbo(&set, 1).ask_qty, 13);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 0);
}

Test(book, replaces_an_order_by_itself_and_loses_one_whose_new_terms_are_bad)
{
	struct gn_md md = {.kind = GN_MD_REPLACE, .inst = 1, .order = {.ref = 1, .aux2 = 1, .px = {11 * CENT}, .qty = 7}};
	given_small();
	add(1, GN_BUY, 1, 10 * CENT, 5);
	cr_assert(book_apply(&set, &md) & BOOK_TOP);
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 11 * CENT);
	md.order.px.e9 = 0;
	book_apply(&set, &md);
	cr_assert_eq(book_bbo(&set, 1).bid_px.e9, 0, "the venue took the old one off");
	cr_assert_eq(set.n.px_bad, 1);
}

Test(book, follows_the_queue_position_of_an_order_known_before_it_comes)
{
	struct book_queue q;
	given_small();
	cr_assert_eq(book_watch(&set, 1, 12), 0);
	cr_assert_eq(book_watch(&set, 1, 12), -17);
	add(1, GN_BUY, 10, CENT, 100);
	add(1, GN_BUY, 11, CENT, 200);
	add(1, GN_BUY, 12, CENT, 300);
	add(1, GN_BUY, 13, CENT, 400);
	cr_assert(book_queue(&set, 1, 12, &q));
	cr_assert_eq(q.qty_ahead, 300);
	cr_assert_eq(q.orders_ahead, 2);
	change(GN_MD_EXEC, 1, 10, 60);
	change(GN_MD_DELETE, 1, 13, 0);
	change(GN_MD_DELETE, 1, 11, 0);
	cr_assert(book_queue(&set, 1, 12, &q));
	cr_assert_eq(q.qty_ahead, 40);
	cr_assert_eq(q.orders_ahead, 1);
	change(GN_MD_DELETE, 1, 12, 0);
	cr_assert(!book_queue(&set, 1, 12, &q));
	cr_assert_eq(set.n_watches, 0, "a finished order is followed no more");
}

Test(book, watches_as_many_as_configured)
{
	given(&(struct book_config){.instruments_max = 8, .orders_max = 1000, .watches_max = 2, .node = GN_NODE_ANY});
	cr_assert_eq(book_watch(&set, 1, 1), 0);
	cr_assert_eq(book_watch(&set, 1, 2), 0);
	cr_assert_eq(book_watch(&set, 1, 3), -28);
	book_unwatch(&set, 1);
	cr_assert_eq(book_watch(&set, 1, 3), 0);
	cr_assert_lt(book_watch(&set, 8, 4), 0);
}

Test(book, hints_change_nothing)
{
	given_small();
	add(1, GN_BUY, 10, CENT, 100);
	for (uint32_t kind = 0; kind < 256; kind++) {
		for (uint32_t step = 0; step < 3; step++) {
			struct gn_md md = {.kind = (uint8_t)kind, .side = (gn_side)kind, .inst = kind % 16 == 9 ? GN_INST_NONE : kind % 9,
				.order = {.ref = kind % 2 ? 10 : UINT64_MAX, .aux2 = UINT64_MAX, .px = {INT64_MIN}, .qty = -1}};
			book_hint(&set, &md, step);
		}
	}
	cr_assert_eq(set.n.event, 1);
	cr_assert_eq(book_bbo(&set, 1).bid_qty, 100);
}
