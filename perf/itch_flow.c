/* SPDX-License-Identifier: BSD-3-Clause */
#include "itch_flow.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define E4 UINT32_C(10000)
#define OPEN_NS (UINT64_C(34200) * 1000 * 1000 * 1000)

struct order {
	uint64_t ref;
	uint32_t px_e4, qty;
	gn_side side;
};

struct symbol {
	struct order *order; /* live ones, the youngest near the end */
	uint32_t n, room, target;
	uint32_t start_e4, tick_e4;
};

struct maker {
	struct itch_flow *flow;
	struct book_set books;
	struct symbol *symbol;
	double *share; /* cumulated */
	uint32_t n_symbols;
	uint64_t state, ref, ns, match;
};

static uint64_t rnd(struct maker *m)
{
	m->state ^= m->state >> 12;
	m->state ^= m->state << 25;
	m->state ^= m->state >> 27;
	return m->state * UINT64_C(2685821657736338717);
}

static uint32_t below(struct maker *m, uint32_t n)
{
	return (uint32_t)((rnd(m) >> 32) * n >> 32);
}

static double uniform(struct maker *m)
{
	return ((double)(rnd(m) >> 11) + 0.5) / 9007199254740992.0;
}

static uint32_t exponential(struct maker *m, double mean)
{
	return (uint32_t)(-log(uniform(m)) * mean);
}

static uint32_t draw_symbol(struct maker *m)
{
	double u = uniform(m) * m->share[m->n_symbols - 1];
	uint32_t lo = 0, hi = m->n_symbols - 1;

	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;
		if (m->share[mid] < u)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Log-normal around 30 with some penny stocks; busier symbols hold more orders. */
static void make_symbols(struct maker *m, const struct itch_flow_config *cfg)
{
	m->symbol = calloc(cfg->n_symbols, sizeof(*m->symbol));
	m->share = calloc(cfg->n_symbols, sizeof(*m->share));
	if (!m->symbol || !m->share)
		exit(1);
	/* the rank of a symbol has nothing to do with its number */
	uint32_t *rank = calloc(cfg->n_symbols, sizeof(*rank));
	for (uint32_t i = 0; i < cfg->n_symbols; i++) {
		uint32_t j = below(m, i + 1);
		rank[i] = rank[j];
		rank[j] = i;
	}
	for (uint32_t i = 0; i < cfg->n_symbols; i++) {
		struct symbol *s = &m->symbol[i];
		double normal = sqrt(-2 * log(uniform(m))) * cos(6.283185307179586 * uniform(m));
		double px = fmin(fmax(30 * exp(1.1 * normal), 0.2), 4000);
		s->tick_e4 = px < 1 ? 1 : 100;
		s->start_e4 = (uint32_t)(px * E4) / s->tick_e4 * s->tick_e4;
		s->target = (uint32_t)(cfg->live * (0.5 + sqrt((double)cfg->n_symbols / (rank[i] + 1)) / 2));
		m->share[i] = 1.0 / (rank[i] + 1) + (i ? m->share[i - 1] : 0);
	}
	free(rank);
}

/* Each symbol its own name: whoever learns instruments by name must find as many of them. */
static gn_symbol symbol_name(uint32_t sym)
{
	gn_symbol name = {.c = "S"};

	for (uint32_t i = 1; i < 5; i++, sym /= 26)
		name.c[i] = (char)('A' + sym % 26);
	return name;
}

/* Encode, append, and apply to the generator's own book. */
static void emit(struct maker *m, uint32_t sym, struct gn_md *md)
{
	struct itch_flow *f = m->flow;
	uint8_t *at = f->data + f->bytes;

	m->ns += below(m, 1000);
	md->exch_ns = m->ns;
	md->inst = sym;
	uint32_t len = itch50_encode(md, (uint16_t)(sym + 1), (uint16_t)below(m, 8), symbol_name(sym), at + 2);
	wire_put_u16(at, (uint16_t)len);
	f->bytes += 2 + len;
	f->n_messages++;
	f->n_by_type[at[2]]++;
	book_apply(&m->books, md);
}

static uint64_t new_ref(struct maker *m)
{
	return m->ref += 1 + (below(m, 10) < 3 ? exponential(m, 2) : 0);
}

/* Where a new order rests: ticks behind the best price of its side; negative improves it. */
static int32_t new_distance(struct maker *m)
{
	uint32_t r = below(m, 1000);

	if (r < 50)
		return -1;
	if (r < 300)
		return 0;
	if (r < 850)
		return (int32_t)exponential(m, 6);
	if (r < 985)
		return (int32_t)exponential(m, 60);
	return (int32_t)exponential(m, 1000);
}

static uint32_t new_px_e4(struct maker *m, uint32_t sym, gn_side side)
{
	const struct symbol *s = &m->symbol[sym];
	struct book_bbo bbo = book_bbo(&m->books, sym);
	int64_t bid = bbo.bid_px.e9 / GN_PX_E9_PER_E4, ask = bbo.ask_px.e9 / GN_PX_E9_PER_E4, tick = s->tick_e4;
	int64_t away = new_distance(m) * tick, px;

	if (side == GN_BUY) {
		px = (bid ? bid : ask ? ask - tick : s->start_e4) - away;
		px = ask && px >= ask ? ask - tick : px;
	} else {
		px = (ask ? ask : bid ? bid + tick : s->start_e4 + tick) + away;
		px = bid && px <= bid ? bid + tick : px;
	}
	return (uint32_t)(px < tick ? tick : px > 1999999900 ? 1999999900 : px);
}

static uint32_t new_qty(struct maker *m)
{
	return below(m, 4) ? 100 * (1 + below(m, 5)) : 1 + below(m, 2000);
}

static void order_keep(struct symbol *s, struct order o)
{
	if (s->n == s->room) {
		s->room = s->room * 2 + 32;
		s->order = realloc(s->order, s->room * sizeof(*s->order));
		if (!s->order)
			exit(1);
	}
	s->order[s->n++] = o;
}

static void order_drop(struct symbol *s, uint32_t i)
{
	if (s->n - i < 64)
		memmove(&s->order[i], &s->order[i + 1], (s->n - i - 1) * sizeof(*s->order));
	else
		s->order[i] = s->order[s->n - 1];
	s->n--;
}

static uint32_t pick(struct maker *m, const struct symbol *s)
{
	uint32_t back = below(m, 4) ? exponential(m, 8) : below(m, s->n);

	return s->n - 1 - back % s->n;
}

static void make_add(struct maker *m, uint32_t sym)
{
	gn_side side = (gn_side)(GN_BUY + below(m, 2));
	struct order o = {new_ref(m), new_px_e4(m, sym, side), new_qty(m), side};

	order_keep(&m->symbol[sym], o);
	emit(m, sym,
		&(struct gn_md){.kind = GN_MD_ADD, .side = side,
			.order = {.ref = o.ref, .aux2 = below(m, 50) ? 0 : UINT64_C(0x4e534451), .qty = o.qty,
				.px = {(int64_t)o.px_e4 * GN_PX_E9_PER_E4}}});
}

static void make_delete(struct maker *m, uint32_t sym)
{
	struct symbol *s = &m->symbol[sym];
	uint32_t i = pick(m, s);

	emit(m, sym, &(struct gn_md){.kind = GN_MD_DELETE, .order = {.ref = s->order[i].ref}});
	order_drop(s, i);
}

static void make_replace(struct maker *m, uint32_t sym)
{
	struct symbol *s = &m->symbol[sym];
	uint32_t i = pick(m, s);
	struct order was = s->order[i], o = {new_ref(m), new_px_e4(m, sym, was.side), new_qty(m), was.side};

	order_drop(s, i);
	order_keep(s, o);
	emit(m, sym,
		&(struct gn_md){.kind = GN_MD_REPLACE,
			.order = {.ref = was.ref, .aux2 = o.ref, .qty = o.qty, .px = {(int64_t)o.px_e4 * GN_PX_E9_PER_E4}}});
}

/* An order at the touch, if a few tries find one; else any. */
static uint32_t pick_best(struct maker *m, uint32_t sym)
{
	const struct symbol *s = &m->symbol[sym];
	struct book_bbo bbo = book_bbo(&m->books, sym);
	uint32_t i = 0;

	for (uint32_t k = 0; k < 24; k++) {
		i = pick(m, s);
		int64_t px = (int64_t)s->order[i].px_e4 * GN_PX_E9_PER_E4;
		if (px == bbo.bid_px.e9 || px == bbo.ask_px.e9)
			break;
	}
	return i;
}

static void make_less(struct maker *m, uint32_t sym, uint8_t kind)
{
	struct symbol *s = &m->symbol[sym];
	uint32_t i = kind == GN_MD_REDUCE ? pick(m, s) : pick_best(m, sym);
	struct order *o = &s->order[i];
	uint32_t qty = kind == GN_MD_REDUCE || below(m, 2) ? 1 + below(m, o->qty) : o->qty;

	emit(m, sym,
		&(struct gn_md){.kind = kind, .flags = kind == GN_MD_EXEC_PX ? GN_MD_F_PRINTABLE : 0,
			.order = {.ref = o->ref, .aux2 = kind == GN_MD_REDUCE ? 0 : ++m->match, .qty = qty,
				.px = {kind == GN_MD_EXEC_PX ? (int64_t)o->px_e4 * GN_PX_E9_PER_E4 : 0}}});
	o->qty -= qty;
	if (o->qty == 0)
		order_drop(s, i);
}

static void make_trade(struct maker *m, uint32_t sym)
{
	emit(m, sym,
		&(struct gn_md){.kind = GN_MD_TRADE, .side = GN_BUY,
			.order = {.aux2 = ++m->match, .qty = new_qty(m),
				.px = {(int64_t)m->symbol[sym].start_e4 * GN_PX_E9_PER_E4}}});
}

static void make_next(struct maker *m)
{
	uint32_t sym = draw_symbol(m), r = below(m, 1000);
	const struct symbol *s = &m->symbol[sym];
	uint32_t add = s->n < s->target ? 470 : 400;

	if (s->n < 8 || r < add)
		make_add(m, sym);
	else if (r < 850)
		make_delete(m, sym);
	else if (r < 940)
		make_replace(m, sym);
	else if (r < 975)
		make_less(m, sym, GN_MD_EXEC);
	else if (r < 977)
		make_less(m, sym, GN_MD_EXEC_PX);
	else if (r < 992)
		make_less(m, sym, GN_MD_REDUCE);
	else
		make_trade(m, sym);
}

void itch_flow_make(struct itch_flow *flow, const struct itch_flow_config *cfg)
{
	struct maker m = {.flow = flow, .n_symbols = cfg->n_symbols, .state = cfg->seed * 2 + 1, .ref = 1000, .ns = OPEN_NS};
	struct book_config books = {.instruments_max = cfg->n_symbols, .orders_max = BOOK_ORDERS_MAX / 2, .node = GN_NODE_ANY};

	memset(flow, 0, sizeof(*flow));
	flow->room = cfg->n_messages * (2 + ITCH50_BYTES_MAX);
	flow->data = malloc(flow->room);
	if (!flow->data || book_set_init(&m.books, &books) < 0) {
		fprintf(stderr, "flow of %lu messages: %s\n", (unsigned long)cfg->n_messages, gn_err_text());
		exit(1);
	}
	make_symbols(&m, cfg);
	while (flow->n_messages < cfg->n_messages)
		make_next(&m);
	flow->n_live = m.books.map.n;
	flow->ref_last = m.ref;
	for (uint32_t i = 0; i < cfg->n_symbols; i++)
		free(m.symbol[i].order);
	free(m.symbol);
	free(m.share);
	book_set_fini(&m.books);
}

void itch_flow_free(struct itch_flow *flow)
{
	free(flow->data);
	memset(flow, 0, sizeof(*flow));
}
