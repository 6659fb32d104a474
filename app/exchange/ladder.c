/* SPDX-License-Identifier: BSD-3-Clause */
#include "ladder.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define LADDER_CLASS_FIRST 4u /* the smallest array has 16 rungs */
#define LADDER_NEAR 8u        /* rungs looked at one by one before halving */

int ladder_arena_init(struct ladder_arena *a, size_t n_rungs)
{
	*a = (struct ladder_arena){.n_rungs = n_rungs};
	a->mem = gn_mem_alloc(n_rungs * sizeof(*a->mem), GN_NODE_ANY);
	return a->mem ? 0 : gn_err_in(-ENOMEM, "match: price ladders");
}

void ladder_arena_fini(struct ladder_arena *a)
{
	gn_mem_free(a->mem, a->n_rungs * sizeof(*a->mem));
}

static struct ladder_rung *arena_take(struct ladder_arena *a, uint32_t class)
{
	size_t room = (size_t)1 << class;

	if (a->spare[class]) {
		struct ladder_rung *r = a->mem + a->spare[class] - 1;

		a->spare[class] = (uint64_t)r->key << 32 | r->level;
		return r;
	}
	if (a->n_rungs - a->used < room)
		return NULL;
	a->used += room;
	return a->mem + a->used - room;
}

static void arena_give(struct ladder_arena *a, struct ladder_rung *r, uint32_t class)
{
	uint64_t next = a->spare[class];

	*r = (struct ladder_rung){.key = (uint32_t)(next >> 32), .level = (uint32_t)next};
	a->spare[class] = (uint64_t)(r - a->mem) + 1;
}

static bool ladder_grow(struct ladder *l, struct ladder_arena *a)
{
	uint32_t class = l->room ? (uint32_t)__builtin_ctz(l->room) : 0;
	uint32_t bigger = l->room ? class + 1 : LADDER_CLASS_FIRST;
	struct ladder_rung *r = bigger < LADDER_CLASSES ? arena_take(a, bigger) : NULL;

	if (!r)
		return false;
	if (l->room) {
		memcpy(r, l->rung, l->n * sizeof(*r));
		arena_give(a, l->rung, class);
	}
	l->rung = r;
	l->room = UINT32_C(1) << bigger;
	return true;
}

/* first index whose key is not below `key` */
static uint32_t ladder_at(const struct ladder *l, uint32_t key)
{
	uint32_t high = l->n;

	for (uint32_t i = 0; i < LADDER_NEAR && high; i++, high--)
		if (l->rung[high - 1].key < key)
			return high;
	uint32_t low = 0;
	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (l->rung[mid].key < key)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

uint32_t ladder_find(const struct ladder *l, uint32_t key)
{
	uint32_t i = ladder_at(l, key);

	return i < l->n && l->rung[i].key == key ? l->rung[i].level : LADDER_NONE;
}

bool ladder_insert(struct ladder *l, struct ladder_arena *a, uint32_t key, uint32_t level)
{
	if (l->n == l->room && !ladder_grow(l, a))
		return false;
	uint32_t i = ladder_at(l, key);

	memmove(&l->rung[i + 1], &l->rung[i], (l->n - i) * sizeof(*l->rung));
	l->rung[i] = (struct ladder_rung){.key = key, .level = level};
	l->n++;
	return true;
}

void ladder_remove(struct ladder *l, uint32_t key)
{
	uint32_t i = ladder_at(l, key);

	GN_ASSERT(i < l->n && l->rung[i].key == key);
	memmove(&l->rung[i], &l->rung[i + 1], (l->n - i - 1) * sizeof(*l->rung));
	l->n--;
}
