/* SPDX-License-Identifier: BSD-3-Clause */
#include "arena.h"

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#include <errno.h>
#include <string.h>

#define LARGEST (1u << (ARENA_ORDERS - 1))

/* A free block holds its place in the list of its order. */
struct arena_free {
	uint32_t next, prev;
};

static struct arena_free *arena_free_at(const struct arena *a, uint32_t unit)
{
	return arena_at(a, unit);
}

static void arena_push(struct arena *a, uint32_t unit, uint32_t order)
{
	struct arena_free *f = arena_free_at(a, unit);

	*f = (struct arena_free){.next = a->free[order], .prev = ARENA_NONE};
	if (f->next != ARENA_NONE)
		arena_free_at(a, f->next)->prev = unit;
	a->free[order] = unit;
	a->head[unit] = (uint8_t)(1 + order);
}

static void arena_unlink(struct arena *a, uint32_t unit, uint32_t order)
{
	struct arena_free *f = arena_free_at(a, unit);

	if (f->next != ARENA_NONE)
		arena_free_at(a, f->next)->prev = f->prev;
	if (f->prev != ARENA_NONE)
		arena_free_at(a, f->prev)->next = f->next;
	else
		a->free[order] = f->next;
	a->head[unit] = 0;
}

int arena_init(struct arena *a, size_t bytes, int node)
{
	size_t units = (bytes + (size_t)LARGEST * ARENA_UNIT_BYTES - 1) / ((size_t)LARGEST * ARENA_UNIT_BYTES) * LARGEST;

	memset(a, 0, sizeof(*a));
	if (units == 0 || units >= ARENA_NONE)
		return gn_err(EINVAL, "arena: %zu bytes, expected 1 to 2^40", bytes);
	a->n_units = (uint32_t)units;
	a->mem = gn_mem_alloc(units * ARENA_UNIT_BYTES, node);
	a->head = gn_mem_alloc(units, node);
	if (!a->mem || !a->head) {
		arena_fini(a);
		return gn_err_in(-ENOMEM, "arena: %zu bytes", bytes);
	}
	for (uint32_t o = 0; o < ARENA_ORDERS; o++)
		a->free[o] = ARENA_NONE;
	for (uint32_t u = a->n_units; u; u -= LARGEST)
		arena_push(a, u - LARGEST, ARENA_ORDERS - 1);
	return 0;
}

void arena_fini(struct arena *a)
{
	gn_mem_free(a->mem, (size_t)a->n_units * ARENA_UNIT_BYTES);
	gn_mem_free(a->head, a->n_units);
	memset(a, 0, sizeof(*a));
}

uint32_t arena_get(struct arena *a, uint32_t order)
{
	uint32_t o = order;

	while (o < ARENA_ORDERS && a->free[o] == ARENA_NONE)
		o++;
	if (o >= ARENA_ORDERS)
		return ARENA_NONE;
	uint32_t unit = a->free[o];
	arena_unlink(a, unit, o);
	while (o > order) {
		o--;
		arena_push(a, unit + (1u << o), o);
	}
	a->n_used += 1u << order;
	return unit;
}

void arena_put(struct arena *a, uint32_t unit, uint32_t order)
{
	a->n_used -= 1u << order;
	while (order + 1 < ARENA_ORDERS) {
		uint32_t buddy = unit ^ 1u << order;
		if (a->head[buddy] != 1 + order)
			break;
		arena_unlink(a, buddy, order);
		unit &= ~(1u << order);
		order++;
	}
	arena_push(a, unit, order);
}
