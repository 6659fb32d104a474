/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/mem.h"
#include "latency_worst.h"

#define BATCH_STAMPS 65536u /* read from all rings at once, then put in order of time */
#define EVENTS 65536u       /* events and orders in flight that are remembered */

/* When a datagram passed the feed. */
struct event {
	uint64_t id, feed;
};

/* When a view of one instrument, caused by that datagram, left the book. */
struct view {
	uint64_t id, book;
	uint32_t inst;
};

/* What is known of one order. */
struct order {
	uint64_t oid, id;
	uint64_t feed, book, strategy, risk, gateway;
};

struct latency {
	const struct gn_wiring *w;
	double ns_per_tick;
	uint64_t cursor[GN_THREADS_MAX];
	uint64_t lost;
	struct gn_stamp *batch;
	size_t n_batch;
	struct event *event;
	struct view *view;
	struct order *order;
	struct gn_hist hist[LATENCY_ROWS];
	struct worst worst;
};

struct latency *latency_new(const struct gn_wiring *w, double ns_per_tick)
{
	struct latency *l = gn_mem_alloc(sizeof(*l), GN_NODE_ANY);

	if (!l)
		return NULL;
	l->w = w;
	l->ns_per_tick = ns_per_tick;
	l->worst.ticks_around = (uint64_t)(WORST_AROUND_NS / ns_per_tick);
	l->batch = gn_mem_alloc(BATCH_STAMPS * sizeof(*l->batch), GN_NODE_ANY);
	l->event = gn_mem_alloc(EVENTS * sizeof(*l->event), GN_NODE_ANY);
	l->view = gn_mem_alloc(EVENTS * sizeof(*l->view), GN_NODE_ANY);
	l->order = gn_mem_alloc(EVENTS * sizeof(*l->order), GN_NODE_ANY);
	if (l->batch && l->event && l->view && l->order)
		return l;
	latency_free(l);
	return NULL;
}

void latency_free(struct latency *l)
{
	if (!l)
		return;
	gn_mem_free(l->batch, BATCH_STAMPS * sizeof(*l->batch));
	gn_mem_free(l->event, EVENTS * sizeof(*l->event));
	gn_mem_free(l->view, EVENTS * sizeof(*l->view));
	gn_mem_free(l->order, EVENTS * sizeof(*l->order));
	gn_mem_free(l, sizeof(*l));
}

static uint64_t mix(uint64_t x)
{
	return ((x * UINT64_C(0x9e3779b97f4a7c15)) >> 32) % EVENTS;
}

static void record(struct latency *l, enum latency_row row, uint64_t from, uint64_t to)
{
	uint64_t ticks = to > from ? to - from : 0; /* counters of two cores may differ by some ticks */

	gn_hist_record(&l->hist[row], (uint64_t)((double)ticks * l->ns_per_tick));
}

static void order_done(struct latency *l, const struct order *o, uint64_t tx)
{
	if (!o->feed || !o->book || !o->strategy || !o->risk || !o->gateway)
		return; /* no datagram behind it (a timer, a report), or a stamp was lost */
	record(l, LATENCY_FEED, o->id, o->feed);
	record(l, LATENCY_BOOK, o->feed, o->book);
	record(l, LATENCY_STRATEGY, o->book, o->strategy);
	record(l, LATENCY_RISK, o->strategy, o->risk);
	record(l, LATENCY_GATEWAY, o->risk, o->gateway);
	record(l, LATENCY_WIRE, o->gateway, tx);
	record(l, LATENCY_TOTAL, o->id, tx);
	worst_take(&l->worst, o->id, o->oid, tx, l->batch, l->n_batch);
}

static void order_begin(struct order *o, const struct event *e, const struct view *v, const struct gn_stamp *s)
{
	*o = (struct order){.oid = s->arg, .id = s->id, .strategy = s->tsc};
	if (e->id == s->id)
		o->feed = e->feed;
	if (v->id == s->id && v->inst == s->inst)
		o->book = v->book;
}

static void take(struct latency *l, const struct gn_stamp *s)
{
	struct event *e = &l->event[mix(s->id)];
	struct view *v = &l->view[mix(s->id ^ (uint64_t)s->inst << 40)];
	struct order *o = &l->order[mix(s->arg)];
	bool mine = o->oid == s->arg && o->id == s->id; /* a later cancel of the order is another event */

	switch ((enum gn_hop)(s->hop & 0xffff)) {
	case GN_HOP_FEED: *e = (struct event){.id = s->id, .feed = s->tsc}; break;
	case GN_HOP_BOOK: *v = (struct view){.id = s->id, .book = s->tsc, .inst = s->inst}; break;
	case GN_HOP_STRATEGY: order_begin(o, e, v, s); break;
	case GN_HOP_RISK:
		if (mine)
			o->risk = s->tsc;
		break;
	case GN_HOP_GATEWAY:
		if (mine)
			o->gateway = s->tsc;
		break;
	case GN_HOP_TX:
		if (mine)
			order_done(l, o, s->tsc);
		break;
	case GN_HOP_REPORT: record(l, LATENCY_REPORT, s->id, s->tsc); break;
	case GN_HOP_RX: /* the id itself is that time */
	case GN_HOP_COUNT: break;
	}
}

static int by_time(const void *a, const void *b)
{
	const struct gn_stamp *x = a, *y = b;

	if (x->tsc != y->tsc)
		return (x->tsc > y->tsc) - (x->tsc < y->tsc);
	uint32_t a_hop = x->hop & 0xffff, b_hop = y->hop & 0xffff;
	return (a_hop > b_hop) - (a_hop < b_hop);
}

void latency_collect(struct latency *l)
{
	uint32_t n_threads = gn_wiring_threads(l->w);
	size_t n = 0;

	for (uint32_t i = 0; i < n_threads; i++) {
		size_t from = n;
		n += gn_trace_read(gn_wiring_trace(l->w, i), &l->cursor[i], l->batch + n, BATCH_STAMPS / n_threads, &l->lost);
		for (size_t k = from; k < n; k++)
			l->batch[k].hop |= i << WORST_THREAD_SHIFT;
	}
	l->n_batch = n;
	if (n_threads > 1) /* stamps of one core are in order already */
		qsort(l->batch, n, sizeof(*l->batch), by_time);
	for (size_t i = 0; i < n; i++)
		take(l, &l->batch[i]);
}

const struct gn_hist *latency_hist(const struct latency *l, enum latency_row row)
{
	return &l->hist[row];
}

int latency_write_worst(const struct latency *l, const char *path)
{
	return worst_write(&l->worst, path, l->ns_per_tick);
}

uint64_t latency_lost(const struct latency *l)
{
	return l->lost;
}

const char *latency_row_name(enum latency_row row)
{
	static const char *const names[LATENCY_ROWS] = {"rx > feed", "feed > book", "book > strategy", "strategy > risk",
		"risk > gateway", "gateway > wire", "tick to trade", "report > strategy"};

	return names[row];
}
