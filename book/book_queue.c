/* SPDX-License-Identifier: BSD-3-Clause */
/* Time priority: who is ahead of whom on a level. */
#include <errno.h>
#include <stdlib.h>

#include "book.h"
#include "book_record.h"

void book_arrival(const struct book_set *set, uint64_t ref, uint64_t rec, uint64_t arrival[2])
{
	arrival[0] = rec_is_wide(rec) ? rec_wide(set, rec)->arrival : ref;
	arrival[1] = rec_is_wide(rec) ? rec_wide(set, rec)->late : 0;
}

static bool earlier(const uint64_t a[2], const uint64_t b[2])
{
	return a[0] != b[0] ? a[0] < b[0] : a[1] < b[1];
}

/* Visits the live orders of one level in no order. */
struct level_scan {
	const struct book_set *set;
	gn_inst inst;
	gn_side side;
	int64_t px_e9;
	uint32_t left; /* orders of the level not yet met */
	uint64_t place;
};

static struct level_scan scan_level(const struct book_set *set, gn_inst inst, gn_side side, int64_t px_e9)
{
	uint64_t sum = set->book[inst].id ? book_level(set, inst, side, (gn_px){px_e9}) : 0;

	return (struct level_scan){set, inst, side, px_e9, level_orders(sum), 0};
}

static bool scan_next(struct level_scan *s, struct book_order *out)
{
	struct order_map *map = (struct order_map *)&s->set->map;
	uint32_t id = s->set->book[s->inst].id;
	uint64_t ref;

	while (s->left) {
		const uint64_t *rec = order_map_at(map, s->place++, &ref);
		if (!rec || rec_id(*rec) != id || rec_side(*rec) != s->side)
			continue;
		struct rec_order o = rec_unfold(s->set, *rec);
		if (o.px_e9 != s->px_e9)
			continue;
		s->left--;
		*out = (struct book_order){.ref = ref, .inst = s->inst, .side = o.side, .px = {o.px_e9}, .qty = o.qty};
		book_arrival(s->set, ref, *rec, out->arrival);
		return true;
	}
	return false;
}

static int by_arrival(const void *a, const void *b)
{
	const struct book_order *x = a, *y = b;

	return earlier(x->arrival, y->arrival) ? -1 : earlier(y->arrival, x->arrival);
}

/* Keep the earliest max of all that are met: a full array gives up its latest. */
static void keep_earliest(struct book_order *out, uint32_t max, const struct book_order *o)
{
	uint32_t latest = 0;

	for (uint32_t i = 1; i < max; i++)
		if (earlier(out[latest].arrival, out[i].arrival))
			latest = i;
	if (earlier(o->arrival, out[latest].arrival))
		out[latest] = *o;
}

uint32_t book_level_orders(
	const struct book_set *set, gn_inst inst, gn_side side, gn_px px, struct book_order *out, uint32_t max)
{
	struct level_scan s = scan_level(set, inst, side, px.e9);
	struct book_order o;
	uint32_t n = 0;

	while (max && scan_next(&s, &o)) {
		if (n < max)
			out[n++] = o;
		else
			keep_earliest(out, max, &o);
	}
	qsort(out, n, sizeof(*out), by_arrival);
	return n;
}

static struct book_queue queue_scan(const struct book_set *set, const struct book_order *mine)
{
	struct level_scan s = scan_level(set, mine->inst, mine->side, mine->px.e9);
	struct book_queue q = {0};
	struct book_order o;

	while (scan_next(&s, &o)) {
		if (!earlier(o.arrival, mine->arrival))
			continue;
		q.qty_ahead += o.qty;
		q.orders_ahead++;
	}
	return q;
}

static struct book_watch *watch_find(const struct book_set *set, uint64_t ref)
{
	for (uint32_t i = 0; i < set->n_watches; i++)
		if (set->watch[i].ref == ref)
			return &set->watch[i];
	return NULL;
}

static void watch_start(struct book_watch *w, const struct book_order *o, struct book_queue ahead)
{
	w->side = o->side;
	w->px_e9 = o->px.e9;
	w->arrival[0] = o->arrival[0];
	w->arrival[1] = o->arrival[1];
	w->ahead = ahead;
}

int book_watch(struct book_set *set, gn_inst inst, uint64_t ref)
{
	struct book_order o;

	if (inst >= set->cfg.instruments_max)
		return -EINVAL;
	if (watch_find(set, ref))
		return -EEXIST;
	if (set->n_watches == set->cfg.watches_max)
		return -ENOSPC;
	struct book_watch *w = &set->watch[set->n_watches++];
	*w = (struct book_watch){.ref = ref, .inst = inst};
	set->book[inst].state |= BOOK_WATCHED;
	if (book_order(set, inst, ref, &o))
		watch_start(w, &o, queue_scan(set, &o));
	return 0;
}

static void watch_drop(struct book_set *set, struct book_watch *w)
{
	gn_inst inst = w->inst;

	*w = set->watch[--set->n_watches];
	for (uint32_t i = 0; i < set->n_watches; i++)
		if (set->watch[i].inst == inst)
			return;
	set->book[inst].state &= (uint8_t)~BOOK_WATCHED;
}

void book_unwatch(struct book_set *set, uint64_t ref)
{
	struct book_watch *w = watch_find(set, ref);

	if (w)
		watch_drop(set, w);
}

void book_watch_added(struct book_set *set, gn_inst inst, uint64_t ref)
{
	struct book_watch *w = watch_find(set, ref);
	struct book_order o;

	if (!w || w->inst != inst || !book_order(set, inst, ref, &o))
		return;
	/* it came last: all the rest of its level is ahead */
	uint64_t sum = book_level(set, inst, o.side, o.px);
	watch_start(w, &o, (struct book_queue){level_qty(sum) - o.qty, level_orders(sum) - 1});
}

void book_watch_taken(
	struct book_set *set, gn_inst inst, uint64_t ref, uint64_t rec, const struct rec_order *o, gn_qty qty, bool gone)
{
	uint64_t arrival[2];

	book_arrival(set, ref, rec, arrival);
	for (uint32_t i = 0; i < set->n_watches; i++) {
		struct book_watch *w = &set->watch[i];
		if (w->inst != inst || w->side != o->side || w->px_e9 != o->px_e9 || !earlier(arrival, w->arrival))
			continue;
		w->ahead.qty_ahead -= qty;
		w->ahead.orders_ahead -= gone;
	}
	struct book_watch *own = gone ? watch_find(set, ref) : NULL;
	if (own && own->inst == inst)
		watch_drop(set, own);
}

/* The orders that were watched are gone; they may come again with the snapshot. */
void book_watch_cleared(struct book_set *set, gn_inst inst)
{
	for (uint32_t i = 0; i < set->n_watches; i++)
		if (set->watch[i].inst == inst)
			set->watch[i].side = 0;
}

bool book_queue(const struct book_set *set, gn_inst inst, uint64_t ref, struct book_queue *out)
{
	struct book_order o;

	if (inst >= set->cfg.instruments_max || !book_order(set, inst, ref, &o))
		return false;
	const struct book_watch *w = watch_find(set, ref);
	*out = w && w->inst == inst && w->side ? w->ahead : queue_scan(set, &o);
	return true;
}
