/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/err.h"
#include "replay_core.h"

void replay_print_begin(struct replay *r, const struct gn_md *md)
{
	struct gn_instrument inst;

	row_begin(&r->row);
	row_u64(&r->row, "seq", 0, md != NULL ? md->rx_tsc : 0);
	row_u64(&r->row, "ts_ns", 0, md != NULL ? md->exch_ns : 0);
	if (md != NULL && gn_instruments_get(r->table, md->inst, &inst))
		row_text(&r->row, "symbol", inst.symbol.c, strnlen(inst.symbol.c, GN_SYMBOL_BYTES));
	else
		row_none(&r->row, "symbol", 0);
}

/* price and quantity; nothing when the side has no such level */
static void put_px_qty(struct row *row, const char *px_name, const char *qty_name, uint32_t number, gn_px px, gn_qty qty)
{
	if (qty == 0) {
		row_none(row, px_name, number);
		row_none(row, qty_name, number);
		return;
	}
	row_px(row, px_name, number, px);
	row_u64(row, qty_name, number, (uint64_t)qty);
}

static void put_bbo(struct replay *r, const struct gn_md *md, const struct replay_level *l)
{
	replay_print_begin(r, md);
	put_px_qty(&r->row, "bid_px", "bid_qty", 0, l->bid_px, l->bid_qty);
	put_px_qty(&r->row, "ask_px", "ask_qty", 0, l->ask_px, l->ask_qty);
	row_end(&r->row);
}

static void print_bbo(struct replay *r, const struct gn_md *md, uint32_t bits)
{
	if (!(bits & BOOK_TOP))
		return;

	struct book_bbo b = book_bbo(&r->books, md->inst);
	struct replay_level now = {b.bid_px, b.ask_px, b.bid_qty, b.ask_qty, 0, 0};

	if (memcmp(&now, &r->bbo[md->inst], sizeof(now)) == 0)
		return; /* an order was replaced by its like, or only the number of orders changed */
	r->bbo[md->inst] = now;
	if (r->in_range)
		put_bbo(r, md, &now);
}

static void put_levels(struct replay *r, const struct gn_md *md, const struct replay_level *l)
{
	replay_print_begin(r, md);
	for (uint32_t i = 0; i < r->o->depth; i++) {
		put_px_qty(&r->row, "bid_px", "bid_qty", i + 1, l[i].bid_px, l[i].bid_qty);
		if (l[i].bid_qty != 0)
			row_u64(&r->row, "bid_orders", i + 1, l[i].bid_orders);
		else
			row_none(&r->row, "bid_orders", i + 1);
		put_px_qty(&r->row, "ask_px", "ask_qty", i + 1, l[i].ask_px, l[i].ask_qty);
		if (l[i].ask_qty != 0)
			row_u64(&r->row, "ask_orders", i + 1, l[i].ask_orders);
		else
			row_none(&r->row, "ask_orders", i + 1);
	}
	row_end(&r->row);
}

static void collect_levels(const struct replay *r, gn_inst inst, struct replay_level *l)
{
	struct level level[REPLAY_DEPTH_MAX];
	uint32_t n = book_levels(&r->books, inst, GN_BUY, level, r->o->depth);

	memset(l, 0, r->o->depth * sizeof(*l));
	for (uint32_t i = 0; i < n; i++) {
		l[i].bid_px = book_level_px(GN_BUY, &level[i]);
		l[i].bid_qty = level_qty(level[i].sum);
		l[i].bid_orders = level_orders(level[i].sum);
	}
	n = book_levels(&r->books, inst, GN_SELL, level, r->o->depth);
	for (uint32_t i = 0; i < n; i++) {
		l[i].ask_px = book_level_px(GN_SELL, &level[i]);
		l[i].ask_qty = level_qty(level[i].sum);
		l[i].ask_orders = level_orders(level[i].sum);
	}
}

static void print_levels(struct replay *r, const struct gn_md *md, uint32_t bits)
{
	struct replay_level now[REPLAY_DEPTH_MAX];
	size_t bytes = r->o->depth * sizeof(now[0]);

	if (!(bits & BOOK_LEVELS) || !book_changed_within(&r->books, md->inst, r->o->depth))
		return;

	struct replay_level **last = &r->levels[md->inst];

	if (*last == NULL)
		*last = calloc(1, bytes);
	if (*last == NULL) {
		r->rc = gn_err(ENOMEM, "replay: levels of one more instrument");
		return;
	}
	collect_levels(r, md->inst, now);
	if (memcmp(now, *last, bytes) == 0)
		return;
	memcpy(*last, now, bytes);
	if (r->in_range)
		put_levels(r, md, now);
}

static void put_side(struct row *row, gn_side side)
{
	row_text(row, "side", side == GN_BUY ? "B" : "S", side == GN_BUY || side == GN_SELL ? 1 : 0);
}

/* md NULL: the head */
static void put_trade(struct replay *r, const struct gn_md *md, gn_side side, gn_px px, bool printable)
{
	bool cross = md != NULL && md->kind == GN_MD_CROSS, broken = md != NULL && md->kind == GN_MD_BROKEN;
	const char *kind = md != NULL ? replay_kind_name(md->kind) : "";

	replay_print_begin(r, md);
	row_text(&r->row, "kind", kind, strlen(kind));
	put_side(&r->row, side);
	if (px.e9 != 0)
		row_px(&r->row, "px", 0, px);
	else
		row_none(&r->row, "px", 0);
	if (md != NULL && !broken)
		row_u64(&r->row, "qty", 0, (uint64_t)md->order.qty);
	else
		row_none(&r->row, "qty", 0);
	row_u64(&r->row, "match", 0, md != NULL ? md->order.aux2 : 0);
	row_text(&r->row, "printable", printable ? "Y" : "N", broken ? 0 : 1);
	row_text(&r->row, "cross", md != NULL ? &md->code : "", cross ? 1 : 0);
	row_end(&r->row);
}

static void print_trade(struct replay *r, const struct gn_md *md, const struct replay_resting *resting)
{
	switch (md->kind) {
	case GN_MD_EXEC: put_trade(r, md, resting->side, resting->px, true); break;
	case GN_MD_EXEC_PX: put_trade(r, md, resting->side, md->order.px, md->flags & GN_MD_F_PRINTABLE); break;
	case GN_MD_TRADE: put_trade(r, md, md->side, md->order.px, true); break;
	case GN_MD_CROSS: put_trade(r, md, 0, md->order.px, true); break;
	case GN_MD_BROKEN: put_trade(r, md, 0, (gn_px){0}, false); break;
	default: break;
	}
}

/* an execution names neither side nor, most often, price: the order it hits has them until the event is applied */
static struct replay_resting find_resting(const struct replay *r, const struct gn_md *md)
{
	struct book_order order;

	if (r->o->print != REPLAY_TRADES || (md->kind != GN_MD_EXEC && md->kind != GN_MD_EXEC_PX)
		|| md->inst >= r->books.cfg.instruments_max || !book_order(&r->books, md->inst, md->order.ref, &order))
		return (struct replay_resting){0};
	return (struct replay_resting){.side = order.side, .px = order.px};
}

/* the symbols asked for were the first to enter the table; what concerns no instrument concerns all */
static bool is_wanted(const struct replay *r, gn_inst inst)
{
	return r->o->n_symbols == 0 || inst < r->o->n_symbols || inst == GN_INST_NONE;
}

void replay_event(struct replay *r, const struct gn_md *md)
{
	struct replay_resting resting = find_resting(r, md);
	uint32_t bits = book_apply(&r->books, md);

	if (!is_wanted(r, md->inst))
		return;
	switch (r->o->print) {
	case REPLAY_STATS: break;
	case REPLAY_BBO: print_bbo(r, md, bits); break;
	case REPLAY_LEVELS: print_levels(r, md, bits); break;
	case REPLAY_TRADES:
		if (r->in_range)
			print_trade(r, md, &resting);
		break;
	case REPLAY_EVENTS:
		if (r->in_range)
			replay_print_event_row(r, md);
		break;
	}
}

void replay_print_head(struct replay *r)
{
	static const struct replay_level none[REPLAY_DEPTH_MAX];

	if (r->o->json)
		return;
	r->row.mode = ROW_HEAD;
	switch (r->o->print) {
	case REPLAY_STATS: break;
	case REPLAY_BBO: put_bbo(r, NULL, none); break;
	case REPLAY_LEVELS: put_levels(r, NULL, none); break;
	case REPLAY_TRADES: put_trade(r, NULL, 0, (gn_px){0}, false); break;
	case REPLAY_EVENTS: replay_print_event_row(r, NULL); break;
	}
	r->row.mode = ROW_CSV;
}

void replay_print_fini(struct replay *r)
{
	for (uint32_t i = 0; r->levels != NULL && i < r->instruments_max; i++)
		free(r->levels[i]);
	free(r->levels);
	free(r->bbo);
}
