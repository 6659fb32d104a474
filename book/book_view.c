/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be read of a book. */
#include <string.h>

#include "book.h"
#include "book_record.h"

bool book_changed_within(const struct book_set *set, gn_inst inst, uint32_t n)
{
	struct levels_side s = book_side(set, inst, set->changed_side);

	return levels_rank(&s, set->changed_key) < n;
}

static uint8_t flags_of(const struct book *b, int64_t bid_e9, int64_t ask_e9)
{
	uint32_t flags = 0;

	if (b->state & (BOOK_STALE_FEED | BOOK_STALE_OWN))
		flags |= GN_VIEW_STALE;
	if (!(b->state & BOOK_TRADING) || b->state & BOOK_HALTED)
		flags |= GN_VIEW_HALTED;
	if (b->state & BOOK_NO_SHORT)
		flags |= GN_VIEW_NO_SHORT;
	if (bid_e9 && ask_e9)
		flags |= bid_e9 == ask_e9 ? GN_VIEW_LOCKED : bid_e9 > ask_e9 ? GN_VIEW_CROSSED : 0u;
	return (uint8_t)flags;
}

uint8_t book_flags(const struct book_set *set, gn_inst inst)
{
	struct book_bbo bbo = book_bbo(set, inst);

	return flags_of(&set->book[inst], bbo.bid_px.e9, bbo.ask_px.e9);
}

static void view_levels(const struct book_set *set, gn_inst inst, uint32_t n, struct gn_view_level *out)
{
	struct level bid[GN_VIEW_LEVELS_MAX] = {0}, ask[GN_VIEW_LEVELS_MAX] = {0};

	book_levels(set, inst, GN_BUY, bid, n);
	book_levels(set, inst, GN_SELL, ask, n);
	for (uint32_t i = 0; i < n; i++)
		out[i] = (struct gn_view_level){
			.bid_px = {-bid[i].key},
			.ask_px = {ask[i].key},
			.bid_qty = level_qty(bid[i].sum),
			.ask_qty = level_qty(ask[i].sum),
			.bid_orders = level_orders(bid[i].sum),
			.ask_orders = level_orders(ask[i].sum),
		};
}

void book_view(const struct book_set *set, const struct gn_md *md, uint32_t n, struct gn_book_view *view)
{
	gn_inst inst = md->inst;
	const struct book *b = &set->book[inst];
	const struct book_rest *r = &set->rest[inst];

	if (n > GN_VIEW_LEVELS_MAX)
		n = GN_VIEW_LEVELS_MAX;
	*view = (struct gn_book_view){
		.inst = inst,
		.cause = md->kind,
		.side = md->side,
		.n_levels = (uint8_t)n,
		.rx_tsc = md->rx_tsc,
		.exch_ns = md->exch_ns,
		.seq = b->seq,
		.last_px = r->last_px,
		.last_qty = r->last_qty,
		.volume = r->volume,
	};
	view_levels(set, inst, n, view->level);
	view->flags = n ? flags_of(b, view->level[0].bid_px.e9, view->level[0].ask_px.e9) : book_flags(set, inst);
}

uint32_t book_levels(const struct book_set *set, gn_inst inst, gn_side side, struct level *out, uint32_t n)
{
	struct levels_side s = book_side(set, inst, side);

	return levels_top(&s, out, n);
}

uint64_t book_level(const struct book_set *set, gn_inst inst, gn_side side, gn_px px)
{
	struct levels_side s = book_side(set, inst, side);

	return levels_find(&s, levels_key(side, px.e9));
}

bool book_order(const struct book_set *set, gn_inst inst, uint64_t ref, struct book_order *out)
{
	const uint64_t *rec = order_map_find((struct order_map *)&set->map, ref);

	if (!rec || rec_id(*rec) != set->book[inst].id)
		return false;
	struct rec_order o = rec_unfold(set, *rec);
	*out = (struct book_order){.ref = ref, .inst = inst, .side = o.side, .px = {o.px_e9}, .qty = o.qty};
	book_arrival(set, ref, *rec, out->arrival);
	return true;
}
