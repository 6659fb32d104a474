/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_ARENA_H
#define GN_ARENA_H

/**
 * @file
 * Buddy allocator for the far levels: blocks of ARENA_UNIT_BYTES << order out of one mapping made at start.
 *
 * Deterministic, bounded, no system call. One thread.
 */

#include <stddef.h>
#include <stdint.h>

#define ARENA_UNIT_BYTES 256u
#define ARENA_ORDERS 13u /* the largest block is 1 MB */
#define ARENA_NONE UINT32_MAX

struct arena {
	uint8_t *mem;
	uint8_t *head; /* of each unit: 1 + order where a free block begins, else 0 */
	uint32_t n_units;
	uint32_t n_used; /* units handed out */
	uint32_t free[ARENA_ORDERS]; /* first free block of each order */
};

/** Room for at least `bytes`. Cold. 0 or -errno with gn_err_text(). */
int arena_init(struct arena *a, size_t bytes, int node);
void arena_fini(struct arena *a);

/** First unit of a block of 1 << order units, or ARENA_NONE. At most ARENA_ORDERS steps. */
uint32_t arena_get(struct arena *a, uint32_t order);

/** Give back what arena_get(order) returned. At most ARENA_ORDERS steps. */
void arena_put(struct arena *a, uint32_t unit, uint32_t order);

static inline void *arena_at(const struct arena *a, uint32_t unit)
{
	return a->mem + (size_t)unit * ARENA_UNIT_BYTES;
}

#endif
