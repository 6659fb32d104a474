/* SPDX-License-Identifier: BSD-3-Clause */
#include "clients.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define FILLS_FIRST 4096u

int clients_init(struct clients *c, uint32_t orders_max)
{
	uint32_t slots = gn_pow2_at_least(2 * orders_max);

	*c = (struct clients){.orders_max = orders_max, .slot_mask = slots - 1, .fills_room = FILLS_FIRST};
	/* not touched yet: the kernel gives these pages as the day goes on */
	c->order = calloc(orders_max, sizeof(*c->order));
	c->slot = calloc(slots, sizeof(*c->slot));
	c->fill = calloc(c->fills_room, sizeof(*c->fill));
	if (!c->order || !c->slot || !c->fill) {
		clients_fini(c);
		return gn_err(ENOMEM, "exchange: %u client orders", orders_max);
	}
	return 0;
}

void clients_fini(struct clients *c)
{
	free(c->order);
	free(c->slot);
	free(c->fill);
	free(c->orders_touched.index);
	free(c->fills_touched.index);
	*c = (struct clients){0};
}

static uint32_t slot_of(const struct clients *c, uint16_t account, uint32_t user_ref)
{
	uint64_t key = ((uint64_t)account << 32 | user_ref) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(key >> 32) & c->slot_mask;

	for (; c->slot[i]; i = (i + 1) & c->slot_mask) {
		const struct client_order *o = &c->order[c->slot[i] - 1];

		if (o->account == account && o->user_ref == user_ref)
			break;
	}
	return i;
}

uint32_t clients_find(const struct clients *c, uint16_t account, uint32_t user_ref)
{
	return c->slot[slot_of(c, account, user_ref)] - 1; /* 0, free, becomes CLIENTS_NONE */
}

static void touch(struct clients *c, struct clients_touched *t, size_t index)
{
	size_t room = t->room ? 2 * t->room : 256;

	if (!c->touching || (t->n && t->index[t->n - 1] == index))
		return;
	if (t->n == t->room) {
		size_t *more = reallocarray(t->index, room, sizeof(*more));
		if (!more) {
			c->touch_lost = true;
			return;
		}
		t->index = more;
		t->room = room;
	}
	t->index[t->n++] = index;
}

void clients_touch_order(struct clients *c, uint32_t order)
{
	touch(c, &c->orders_touched, order);
}

void clients_touch_fill(struct clients *c, size_t fill)
{
	touch(c, &c->fills_touched, fill);
}

uint32_t clients_add(struct clients *c, const struct client_order *o)
{
	if (c->n_orders == c->orders_max)
		return CLIENTS_NONE;
	c->order[c->n_orders] = *o;
	c->slot[slot_of(c, o->account, o->user_ref)] = ++c->n_orders;
	clients_touch_order(c, c->n_orders - 1);
	return c->n_orders - 1;
}

void clients_pop(struct clients *c)
{
	const struct client_order *o = &c->order[c->n_orders - 1];

	/* the order added last ends its run of slots, or fills a hole that no other passed over */
	c->slot[slot_of(c, o->account, o->user_ref)] = 0;
	c->n_orders--;
}

static void settle(struct client_order *o)
{
	if (o->state == CLIENT_LIVE && client_open(o) == 0)
		o->state = o->canceled ? CLIENT_CANCELED : CLIENT_FILLED;
}

static bool fills_grow(struct clients *c)
{
	size_t room = 2 * c->fills_room;
	struct client_fill *fill = c->n_fills < c->fills_room ? c->fill : realloc(c->fill, room * sizeof(*fill));

	if (!fill)
		return false;
	if (c->n_fills == c->fills_room)
		c->fills_room = room;
	c->fill = fill;
	return true;
}

bool clients_fill(struct clients *c, uint32_t order, uint32_t qty, uint64_t match, gn_px px)
{
	struct client_order *o = &c->order[order];

	o->filled += qty;
	settle(o);
	clients_touch_order(c, order);
	if (!fills_grow(c))
		return false;
	clients_touch_fill(c, c->n_fills);
	c->fill[c->n_fills++] = (struct client_fill){.order = order, .qty = qty, .match = match, .px = px};
	return true;
}

void clients_cancel(struct clients *c, uint32_t order, uint32_t off)
{
	struct client_order *o = &c->order[order];

	o->canceled += off;
	settle(o);
	clients_touch_order(c, order);
}

bool clients_restore_order(struct clients *c, uint64_t index, const struct client_order *o)
{
	if (index > c->n_orders)
		return false;
	if (index == c->n_orders)
		return clients_add(c, o) != CLIENTS_NONE;
	c->order[index] = *o;
	return true;
}

bool clients_restore_fill(struct clients *c, uint64_t index, const struct client_fill *f)
{
	if (index > c->n_fills || f->order >= c->n_orders || (index == c->n_fills && !fills_grow(c)))
		return false;
	c->n_fills += index == c->n_fills;
	c->fill[index] = *f;
	return true;
}
