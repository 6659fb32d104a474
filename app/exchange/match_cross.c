/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdlib.h>

#include "app/exchange/match_book.h"

static uint64_t level_qty(const struct match *m, const struct ladder_rung *r)
{
	const struct match_queue *q = m->level[r->level].queue;

	return q[MATCH_QUEUE_SHOWN].qty + q[MATCH_QUEUE_HIDDEN].qty;
}

/* shares of a side that would trade at px */
static uint64_t willing(const struct match *m, gn_inst inst, gn_side side, uint32_t px_e4)
{
	const struct ladder *l = match_ladder(m, inst, side);
	uint64_t qty = 0;

	for (uint32_t i = l->n; i > 0 && l->rung[i - 1].key >= ladder_key(side, px_e4); i--)
		qty += level_qty(m, &l->rung[i - 1]);
	return qty;
}

static struct match_indication indicate_at(const struct match *m, gn_inst inst, uint32_t px_e4)
{
	uint64_t buy = willing(m, inst, GN_BUY, px_e4), sell = willing(m, inst, GN_SELL, px_e4);
	struct match_indication at = {.px_e4 = px_e4, .paired = buy < sell ? buy : sell};

	if (buy != sell) {
		at.imbalance = buy > sell ? buy - sell : sell - buy;
		at.imbalance_side = buy > sell ? GN_BUY : GN_SELL;
	}
	return at;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a > b ? a - b : b - a;
}

static bool better(const struct match_indication *a, const struct match_indication *b, uint32_t reference_e4)
{
	if (a->paired != b->paired)
		return a->paired > b->paired;
	if (a->imbalance != b->imbalance)
		return a->imbalance < b->imbalance;
	return distance(a->px_e4, reference_e4) < distance(b->px_e4, reference_e4);
}

static bool is_limit(gn_side side, uint32_t px_e4)
{
	return side == GN_BUY ? px_e4 != MATCH_PX_TOP : px_e4 != 0;
}

static void try_prices_of(const struct match *m, gn_inst inst, gn_side side, uint32_t reference_e4,
	struct match_indication *best)
{
	const struct ladder *l = match_ladder(m, inst, side);

	for (uint32_t i = l->n; i > 0; i--) {
		uint32_t px_e4 = ladder_key(side, l->rung[i - 1].key);
		struct match_indication at = indicate_at(m, inst, px_e4);

		if (!is_limit(side, px_e4))
			continue;
		if (!at.paired)
			return; /* worse prices of this side meet even less */
		if (better(&at, best, reference_e4))
			*best = at;
	}
}

struct match_indication match_indicate(const struct match *m, gn_inst inst, uint32_t reference_e4)
{
	struct match_indication best = {0};

	if (reference_e4)
		best = indicate_at(m, inst, reference_e4);

	try_prices_of(m, inst, GN_BUY, reference_e4, &best);
	try_prices_of(m, inst, GN_SELL, reference_e4, &best);
	if (!best.paired)
		best.px_e4 = 0;
	return best;
}

static void cross_pair(struct match *m, struct match_order *buy, struct match_order *sell, uint32_t px_e4)
{
	struct match_trade t = {.maker = buy, .taker = sell, .px_e4 = px_e4, .cross = true, .match = ++m->matches};

	t.qty = buy->qty < sell->qty ? buy->qty : sell->qty;
	match_shrink(m, buy, t.qty);
	match_shrink(m, sell, t.qty);
	m->n.trades++;
	m->n.shares += t.qty;
	m->sink.traded(m->sink.arg, &t);
	if (!buy->qty)
		match_order_give(m, buy);
	if (!sell->qty)
		match_order_give(m, sell);
}

static void drop_market_orders(struct match *m, gn_inst inst, gn_side side)
{
	struct match_order *o;

	while ((o = match_top(m, inst, side)) && o->flags & MATCH_MARKET)
		match_reduce(m, (struct match_id){.ref = o->ref, .slot = o->slot}, o->qty, MATCH_WHY_SYSTEM);
}

struct match_indication match_cross(struct match *m, gn_inst inst, uint32_t reference_e4)
{
	struct match_indication at = match_indicate(m, inst, reference_e4);

	for (uint64_t left = at.paired; left;) {
		struct match_order *buy = match_top(m, inst, GN_BUY), *sell = match_top(m, inst, GN_SELL);
		uint32_t qty = buy->qty < sell->qty ? buy->qty : sell->qty;

		cross_pair(m, buy, sell, at.px_e4);
		left -= qty;
	}
	drop_market_orders(m, inst, GN_BUY);
	drop_market_orders(m, inst, GN_SELL);
	m->book[inst].state = MATCH_TRADING;
	return at;
}
