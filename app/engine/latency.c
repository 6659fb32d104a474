/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/mem.h"
#include "latency_worst.h"
#include "pinning/clock.h"

#define BATCH_STAMPS 65536u /* read from all rings at once, then put in order of time */
#define RECENT_STAMPS 4096u /* of earlier batches stay before a new one: a slow order has stamps in both */
#define EVENTS 65536u       /* events and orders in flight that are remembered */
#define PORT_NS_MAX UINT64_C(1000000000) /* a longer way from the port is no way: the stamp is of another time (a capture's) */

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
	size_t n_batch; /* recent ones included */
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
	l->batch = gn_mem_alloc((RECENT_STAMPS + BATCH_STAMPS) * sizeof(*l->batch), GN_NODE_ANY);
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
	gn_mem_free(l->batch, (RECENT_STAMPS + BATCH_STAMPS) * sizeof(*l->batch));
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

/* Both by the wall clock's scale: what the port's clock and ours are off shows as a way of zero at worst. */
static void record_port(struct latency *l, uint64_t rx_tsc, uint64_t port_ns)
{
	uint64_t rx_ns = gn_clock_ns_from_tsc(rx_tsc), way_ns = rx_ns > port_ns ? rx_ns - port_ns : 0;

	if (port_ns != 0 && way_ns < PORT_NS_MAX && port_ns < rx_ns + PORT_NS_MAX)
		gn_hist_record(&l->hist[LATENCY_PORT], way_ns);
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
	case GN_HOP_RX: record_port(l, s->tsc, s->arg); break;
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

/* The newest of the last batch stay in front, marked as taken. */
static void keep_recent(struct latency *l)
{
	size_t n = l->n_batch < RECENT_STAMPS ? l->n_batch : RECENT_STAMPS;

	memmove(l->batch, l->batch + l->n_batch - n, n * sizeof(*l->batch));
	l->n_batch = n;
}

/* Stamps of one core come in order, those of several do not; and some may be older than the last batch's newest. */
static void put_in_order(struct latency *l, size_t n_recent)
{
	size_t from = n_recent;

	qsort(l->batch + n_recent, l->n_batch - n_recent, sizeof(*l->batch), by_time);
	while (from > 0 && n_recent < l->n_batch && by_time(&l->batch[from - 1], &l->batch[n_recent]) > 0)
		from--;
	if (from < n_recent)
		qsort(l->batch + from, l->n_batch - from, sizeof(*l->batch), by_time);
}

void latency_collect(struct latency *l)
{
	uint32_t n_threads = gn_wiring_threads(l->w);

	keep_recent(l);
	size_t n_recent = l->n_batch;
	/* from the end of the pipeline to its begin: what an order left upstream is there when its last stamp is */
	for (uint32_t i = n_threads; i-- > 0;) {
		size_t from = l->n_batch;
		l->n_batch += gn_trace_read(
			gn_wiring_trace(l->w, i), &l->cursor[i], l->batch + from, BATCH_STAMPS / n_threads, &l->lost);
		for (size_t k = from; k < l->n_batch; k++)
			l->batch[k].hop |= i << WORST_THREAD_SHIFT;
	}
	if (n_threads > 1)
		put_in_order(l, n_recent);
	for (size_t i = 0; i < l->n_batch; i++) {
		if (l->batch[i].hop & WORST_TAKEN)
			continue;
		take(l, &l->batch[i]);
		l->batch[i].hop |= WORST_TAKEN;
	}
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
		"risk > gateway", "gateway > wire", "tick to trade", "report > strategy", "port > rx"};

	return names[row];
}
