/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard_orders.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/err.h"

#define PLACES_MIN 1024u

/* Protocols that number orders name them by that number alone after the first report; others by the id. Ids lie above 2^48. */
static uint64_t key_of(uint32_t number, gn_oid oid)
{
	return number ? number : oid;
}

static uint32_t place_of(const struct guard_orders *o, uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & o->mask;
}

int guard_orders_init(struct guard_orders *o)
{
	*o = (struct guard_orders){.mask = PLACES_MIN - 1};
	o->place = calloc(PLACES_MIN, sizeof(*o->place));
	return o->place ? 0 : gn_err(ENOMEM, "guard: orders");
}

void guard_orders_fini(struct guard_orders *o)
{
	free(o->place);
	*o = (struct guard_orders){0};
}

static struct guard_order *orders_at(struct guard_orders *o, uint64_t key)
{
	uint32_t i = place_of(o, key);

	while (o->place[i].key && o->place[i].key != key)
		i = (i + 1) & o->mask;
	return &o->place[i];
}

static int orders_grow(struct guard_orders *o)
{
	struct guard_orders wider = *o;
	uint32_t n = (o->mask + 1) * 2;

	if (o->n < (o->mask + 1) / 2)
		return 0;
	wider.mask = n - 1;
	wider.at = 0;
	wider.place = n ? calloc(n, sizeof(*wider.place)) : NULL;
	if (!wider.place)
		return gn_err(ENOMEM, "guard: %u open orders", o->n);
	for (uint32_t i = 0; i <= o->mask; i++)
		if (o->place[i].key)
			*orders_at(&wider, o->place[i].key) = o->place[i];
	free(o->place);
	*o = wider;
	return 0;
}

/* Whoever lies behind a freed place moves up, so that no search ends early. */
static void orders_remove(struct guard_orders *o, struct guard_order *order)
{
	uint32_t hole = (uint32_t)(order - o->place);

	o->n--;
	o->n_ended++;
	for (uint32_t i = (hole + 1) & o->mask; o->place[i].key; i = (i + 1) & o->mask) {
		uint32_t home = place_of(o, o->place[i].key);
		if (((i - home) & o->mask) < ((i - hole) & o->mask))
			continue;
		o->place[hole] = o->place[i];
		hole = i;
	}
	o->place[hole] = (struct guard_order){0};
}

static void orders_end(struct guard_orders *o, uint64_t key)
{
	struct guard_order *order = key ? orders_at(o, key) : NULL;

	if (order && order->key)
		orders_remove(o, order);
}

static int orders_begin(struct guard_orders *o, const struct venue_report *r)
{
	uint64_t key = key_of(r->number, r->oid);
	int rc = orders_grow(o);

	if (!key) { /* its id is none of ours and the protocol has no number: nobody could name it */
		o->n_foreign++;
		return 0;
	}
	if (rc < 0 && o->n == o->mask)
		return rc;
	struct guard_order *order = orders_at(o, key);
	o->n_seen += !order->key;
	o->n += !order->key;
	*order = (struct guard_order){.key = key, .oid = r->oid, .number = r->number, .leaves = r->qty};
	if (r->dead || r->qty <= 0)
		orders_remove(o, order);
	return 0;
}

static void orders_take_off(struct guard_orders *o, const struct venue_report *r)
{
	uint64_t key = key_of(r->number, r->oid);
	struct guard_order *order = key ? orders_at(o, key) : NULL;

	if (!order || !order->key)
		return;
	order->leaves -= r->qty;
	if (order->leaves <= 0)
		orders_remove(o, order);
}

static void orders_restate(struct guard_orders *o, const struct venue_report *r)
{
	struct guard_order *order = orders_at(o, key_of(r->number, r->oid));

	if (order->key && r->reason == 'M') /* modified: the quantity is what is left */
		order->leaves = r->qty;
	if (order->key && order->leaves <= 0)
		orders_remove(o, order);
}

int guard_orders_report(struct guard_orders *o, const struct venue_report *r)
{
	if (r->kind != REPORT_EXEC)
		return 0;
	switch (r->exec_kind) {
	case GN_EXEC_ACCEPTED: return orders_begin(o, r);
	case GN_EXEC_REPLACED: orders_end(o, key_of(r->number_orig, r->oid_orig)); return orders_begin(o, r);
	case GN_EXEC_FILLED:
	case GN_EXEC_CANCELED: orders_take_off(o, r); return 0;
	case GN_EXEC_REJECTED: orders_end(o, key_of(r->number, r->oid)); return 0;
	case GN_EXEC_RESTATED: orders_restate(o, r); return 0;
	default: return 0;
	}
}

struct guard_order *guard_orders_next(struct guard_orders *o, uint64_t now_ns, uint64_t again_ns)
{
	for (uint32_t n = 0; o->n && n <= o->mask; n++) {
		struct guard_order *order = &o->place[o->at];
		o->at = (o->at + 1) & o->mask;
		if (order->key && (!order->asked_ns || now_ns - order->asked_ns > again_ns))
			return order;
	}
	return NULL;
}
