/* SPDX-License-Identifier: BSD-3-Clause */
#include "order_table.h"

#include <errno.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define ORDERS_MAX (UINT32_C(1) << 24)

int orders_init(struct order_table *t, uint32_t capacity, uint32_t open_max, int node)
{
	if (capacity == 0 || capacity > ORDERS_MAX)
		return gn_err(EINVAL, "risk: order table of %u is not within 1 .. %u", capacity, ORDERS_MAX);
	uint32_t places = gn_pow2_at_least(capacity < 8 ? 16 : capacity * 2);

	*t = (struct order_table){
		.capacity = capacity,
		.mask = places - 1,
		.open_max = open_max,
		.spare = (int64_t)open_max - 1,
		.pool_bytes = ((size_t)capacity + 1) * sizeof(struct order),
		.index_bytes = places * sizeof(uint32_t),
	};
	t->pool = gn_mem_alloc(t->pool_bytes, node);
	t->index = gn_mem_alloc(t->index_bytes, node);
	if (!t->pool || !t->index) {
		orders_fini(t);
		return -ENOMEM;
	}
	for (uint32_t slot = 1; slot < capacity; slot++)
		t->pool[slot].next = slot + 1;
	t->free = 1;
	return 0;
}

void orders_fini(struct order_table *t)
{
	gn_mem_free(t->pool, t->pool_bytes);
	gn_mem_free(t->index, t->index_bytes);
	t->pool = NULL;
	t->index = NULL;
}

/* Close the gap at `place`: pull back every later entry of the run whose home does not lie behind the gap. */
static void orders_close_gap(struct order_table *t, uint32_t gap)
{
	for (uint32_t at = (gap + 1) & t->mask; t->index[at] != ORDER_NONE; at = (at + 1) & t->mask) {
		uint32_t home = orders_place(t, t->pool[t->index[at]].req.oid);
		if (((at - home) & t->mask) >= ((at - gap) & t->mask)) {
			t->index[gap] = t->index[at];
			gap = at;
		}
	}
	t->index[gap] = ORDER_NONE;
}

void orders_remove(struct order_table *t, uint32_t slot)
{
	struct order *o = &t->pool[slot];
	uint32_t place = orders_place(t, o->req.oid);

	while (t->index[place] != slot)
		place = (place + 1) & t->mask;
	orders_close_gap(t, place);
	o->state = ORDER_FREE;
	o->req.oid = 0;
	o->next = t->free;
	t->free = slot;
	t->spare++;
}
