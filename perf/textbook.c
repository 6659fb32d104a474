/* SPDX-License-Identifier: BSD-3-Clause */
#include "textbook.h"

#include <bsd/sys/queue.h>
#include <bsd/sys/tree.h>
#include <stdlib.h>

#define N_BUCKETS (UINT64_C(1) << 21)

struct tb_level;

struct tb_order {
	uint64_t ref;
	int64_t qty;
	struct tb_level *level;
	struct tb_order *hash_next;
	TAILQ_ENTRY(tb_order) queue;
	gn_inst inst;
	gn_side side;
};

struct tb_level {
	RB_ENTRY(tb_level) tree;
	int64_t px, qty;
	uint32_t n;
	TAILQ_HEAD(, tb_order) orders;
};

RB_HEAD(tb_side, tb_level);

static int level_cmp(const struct tb_level *a, const struct tb_level *b)
{
	return (a->px > b->px) - (a->px < b->px);
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
RB_GENERATE_INTERNAL(tb_side, tb_level, tree, level_cmp, static)
#pragma GCC diagnostic pop

struct textbook {
	struct tb_side *side; /* two an instrument */
	uint32_t n_instruments;
	struct tb_order **bucket;
};

struct textbook *textbook_new(uint32_t n_instruments)
{
	struct textbook *t = calloc(1, sizeof(*t));

	t->n_instruments = n_instruments;
	t->side = calloc((size_t)n_instruments * 2, sizeof(*t->side));
	t->bucket = calloc(N_BUCKETS, sizeof(struct tb_order *));
	return t;
}

static struct tb_order **order_bucket(const struct textbook *t, uint64_t ref)
{
	return &t->bucket[ref % N_BUCKETS]; /* as the standard libraries hash numbers */
}

static struct tb_order *order_find(const struct textbook *t, uint64_t ref)
{
	struct tb_order *o = *order_bucket(t, ref);

	while (o && o->ref != ref)
		o = o->hash_next;
	return o;
}

static struct tb_level *level_at(struct tb_side *side, int64_t px)
{
	struct tb_level key = {.px = px}, *l = RB_FIND(tb_side, side, &key);

	if (l)
		return l;
	l = calloc(1, sizeof(*l));
	l->px = px;
	TAILQ_INIT(&l->orders);
	RB_INSERT(tb_side, side, l);
	return l;
}

static struct tb_side *side_of(const struct textbook *t, gn_inst inst, gn_side side)
{
	return &t->side[inst * 2 + (uint32_t)side - GN_BUY];
}

static void order_add(struct textbook *t, gn_inst inst, gn_side side, uint64_t ref, int64_t px, int64_t qty)
{
	struct tb_order *o = malloc(sizeof(*o)), **bucket = order_bucket(t, ref);

	*o = (struct tb_order){.ref = ref, .qty = qty, .inst = inst, .side = side, .hash_next = *bucket,
		.level = level_at(side_of(t, inst, side), px)};
	*bucket = o;
	o->level->qty += qty;
	o->level->n++;
	TAILQ_INSERT_TAIL(&o->level->orders, o, queue);
}

static void order_remove(struct textbook *t, struct tb_order *o)
{
	struct tb_order **p = order_bucket(t, o->ref);
	struct tb_level *l = o->level;

	while (*p != o)
		p = &(*p)->hash_next;
	*p = o->hash_next;
	TAILQ_REMOVE(&l->orders, o, queue);
	l->qty -= o->qty;
	if (--l->n == 0) {
		RB_REMOVE(tb_side, side_of(t, o->inst, o->side), l);
		free(l);
	}
	free(o);
}

static void order_reduce(struct textbook *t, struct tb_order *o, int64_t qty)
{
	if (qty >= o->qty) {
		order_remove(t, o);
		return;
	}
	o->qty -= qty;
	o->level->qty -= qty;
}

void textbook_apply(struct textbook *t, const struct gn_md *md)
{
	if (md->kind == GN_MD_ADD) {
		order_add(t, md->inst, md->side, md->order.ref, md->order.px.e9, md->order.qty);
		return;
	}
	if (md->kind < GN_MD_EXEC || md->kind > GN_MD_REPLACE)
		return;
	struct tb_order *o = order_find(t, md->order.ref);
	if (!o)
		return;
	if (md->kind == GN_MD_DELETE) {
		order_remove(t, o);
	} else if (md->kind == GN_MD_REPLACE) {
		gn_side side = o->side;
		order_remove(t, o);
		order_add(t, md->inst, side, md->order.aux2, md->order.px.e9, md->order.qty);
	} else {
		order_reduce(t, o, md->order.qty);
	}
}

struct textbook_top textbook_best(const struct textbook *t, gn_inst inst, gn_side side)
{
	struct tb_side *s = side_of(t, inst, side);
	const struct tb_level *l = side == GN_BUY ? RB_MAX(tb_side, s) : RB_MIN(tb_side, s);

	return l ? (struct textbook_top){l->px, l->qty, l->n} : (struct textbook_top){0};
}

void textbook_free(struct textbook *t)
{
	for (uint64_t i = 0; i < N_BUCKETS; i++)
		while (t->bucket[i])
			order_remove(t, t->bucket[i]);
	free(t->bucket);
	free(t->side);
	free(t);
}
