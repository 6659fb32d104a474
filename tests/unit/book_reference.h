/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BOOK_REFERENCE_H
#define BOOK_REFERENCE_H

/**
 * @file
 * A slow, obvious book: per instrument one array of live orders in the order of their arrival, and per side one sorted
 * array of levels. What the real book must equal after every event.
 */

#include <gannet/md.h>
#include <stdlib.h>
#include <string.h>

struct ref_order {
	uint64_t ref;
	int64_t px, qty;
	gn_side side;
};

struct ref_level {
	int64_t px, qty;
	uint32_t n;
};

struct ref_book {
	struct ref_order *order; /* earliest first */
	uint32_t n_orders, room;
	struct ref_level *level[2]; /* best first */
	uint32_t n_levels[2], level_room[2];
	int64_t volume, last_px;
};

struct ref_set {
	struct ref_book *book;
	uint32_t n;
};

static inline void ref_set_init(struct ref_set *s, uint32_t n)
{
	*s = (struct ref_set){calloc(n, sizeof(struct ref_book)), n};
}

static inline void ref_set_fini(struct ref_set *s)
{
	for (uint32_t i = 0; i < s->n; i++) {
		free(s->book[i].order);
		free(s->book[i].level[0]);
		free(s->book[i].level[1]);
	}
	free(s->book);
}

static inline void ref_level_change(struct ref_book *b, gn_side side, int64_t px, int64_t qty, int n)
{
	uint32_t s = (uint32_t)side - GN_BUY, i = 0;

	while (i < b->n_levels[s] && (side == GN_BUY ? b->level[s][i].px > px : b->level[s][i].px < px))
		i++;
	struct ref_level *l = b->level[s];
	if (i == b->n_levels[s] || l[i].px != px) {
		if (b->n_levels[s] == b->level_room[s]) {
			b->level_room[s] = b->level_room[s] * 2 + 16;
			l = b->level[s] = realloc(l, b->level_room[s] * sizeof(*l));
		}
		memmove(&l[i + 1], &l[i], (b->n_levels[s]++ - i) * sizeof(*l));
		l[i] = (struct ref_level){px, 0, 0};
	}
	l[i].qty += qty;
	l[i].n += (uint32_t)n;
	if (l[i].n == 0)
		memmove(&l[i], &l[i + 1], (--b->n_levels[s] - i) * sizeof(*l));
}

static inline struct ref_order *ref_find(const struct ref_book *b, uint64_t ref)
{
	for (uint32_t i = 0; i < b->n_orders; i++)
		if (b->order[i].ref == ref)
			return &b->order[i];
	return NULL;
}

static inline bool ref_live_anywhere(const struct ref_set *s, uint64_t ref)
{
	for (uint32_t i = 0; i < s->n; i++)
		if (ref_find(&s->book[i], ref))
			return true;
	return false;
}

static inline void ref_add(struct ref_set *s, struct ref_book *b, gn_side side, uint64_t ref, int64_t px, int64_t qty)
{
	if ((side != GN_BUY && side != GN_SELL) || px <= 0 || qty <= 0 || ref_live_anywhere(s, ref))
		return;
	if (b->n_orders == b->room) {
		b->room = b->room * 2 + 64;
		b->order = realloc(b->order, b->room * sizeof(*b->order));
	}
	b->order[b->n_orders++] = (struct ref_order){ref, px, qty, side};
	ref_level_change(b, side, px, qty, 1);
}

static inline void ref_take(struct ref_book *b, struct ref_order *o, int64_t qty)
{
	if (qty >= o->qty) {
		ref_level_change(b, o->side, o->px, -o->qty, -1);
		memmove(o, o + 1, (size_t)(b->order + --b->n_orders - o) * sizeof(*o));
		return;
	}
	ref_level_change(b, o->side, o->px, -qty, 0);
	o->qty -= qty;
}

static inline void ref_print(struct ref_book *b, int64_t px, int64_t qty)
{
	if (px <= 0 || qty <= 0)
		return;
	b->last_px = px;
	b->volume += qty;
}

static inline void ref_apply(struct ref_set *s, const struct gn_md *md)
{
	if (md->inst >= s->n)
		return;
	struct ref_book *b = &s->book[md->inst];
	struct ref_order *o = ref_find(b, md->order.ref);
	struct ref_order was = o ? *o : (struct ref_order){0};

	switch (md->kind) {
	case GN_MD_ADD: ref_add(s, b, md->side, md->order.ref, md->order.px.e9, md->order.qty); break;
	case GN_MD_EXEC:
		ref_print(b, was.px, md->order.qty);
		/* fall through */
	case GN_MD_REDUCE:
		if (o && md->order.qty > 0)
			ref_take(b, o, md->order.qty);
		break;
	case GN_MD_EXEC_PX:
		if (md->flags & GN_MD_F_PRINTABLE)
			ref_print(b, md->order.px.e9, md->order.qty);
		if (o && md->order.qty > 0)
			ref_take(b, o, md->order.qty);
		break;
	case GN_MD_DELETE:
		if (o)
			ref_take(b, o, o->qty);
		break;
	case GN_MD_REPLACE:
		if (!o)
			break;
		ref_take(b, o, o->qty);
		ref_add(s, b, was.side, md->order.aux2, md->order.px.e9, md->order.qty);
		break;
	case GN_MD_TRADE:
	case GN_MD_CROSS: ref_print(b, md->order.px.e9, md->order.qty); break;
	case GN_MD_CLEAR: b->n_orders = b->n_levels[0] = b->n_levels[1] = 0; break;
	default: break;
	}
}

#endif
