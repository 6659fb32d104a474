/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_ORDER_MAP_H
#define GN_ORDER_MAP_H

/**
 * @file
 * Where an order is found by its reference: 8 bytes an order, any 64-bit reference, bounded memory.
 *
 * The newest references live in a direct-mapped store: record `ref mod window`, no search, no pointer. Each frame of 64
 * records has a tag: the generation `ref / window` of what it holds. A tag only ever grows: when a newer generation
 * claims the frame, what still lives there moves to a hash table. So a reference is in the store when its frame's tag
 * is its own generation, in the hash table when the tag is newer, and nowhere when the tag is older. Real references
 * grow by small steps, hence new orders are written side by side and an order that dies young never left the store.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/runtime/compiler.h"

#define ORDER_FRAME_BITS 6u
#define ORDER_FRAME (1u << ORDER_FRAME_BITS) /* references a tag stands for: as many as may have to move at once */
#define ORDER_TAG_MAX UINT32_MAX /* of generations past it, all live in the table */

/** Slot of the hash table; rec is 0 when free. */
struct order_old {
	uint64_t ref, rec;
};

struct order_map {
	uint64_t *rec; /* the store: window records, 0 is none */
	uint32_t *tag; /* of each frame */
	struct order_old *old;
	uint64_t window; /* power of two */
	uint32_t window_bits;
	uint64_t n_slots; /* of the hash table */
	uint64_t n;      /* records in store and table */
	uint64_t max;
};

/** Room for max records, 1 to 2^32. Cold. 0 or -errno with gn_err_text(). */
int order_map_init(struct order_map *m, uint64_t max, int node);
void order_map_fini(struct order_map *m);

/** Cold parts of the inline functions below. */
uint64_t *order_map_find_old(struct order_map *m, uint64_t ref);
void order_map_put_slow(struct order_map *m, uint64_t ref, uint64_t rec);
void order_map_erase_old(struct order_map *m, uint64_t *rec);

static inline uint64_t order_map_frame(const struct order_map *m, uint64_t ref)
{
	return (ref & (m->window - 1)) >> ORDER_FRAME_BITS;
}

/** Start loading what the other functions will read for ref. */
static inline void order_map_prefetch(const struct order_map *m, uint64_t ref)
{
	gn_prefetch(&m->tag[order_map_frame(m, ref)]);
	gn_prefetch(&m->rec[ref & (m->window - 1)]);
}

/** Where ref would be in the store; what lies there may be another's. Hot. */
static inline uint64_t *order_map_place(const struct order_map *m, uint64_t ref)
{
	return &m->rec[ref & (m->window - 1)];
}

/** Whether what lies there is ref's: 0 is none. */
static inline bool order_map_is_own(const struct order_map *m, uint64_t ref)
{
	return m->tag[order_map_frame(m, ref)] == ref >> m->window_bits;
}

/** The store's record for ref, 0 in it when there is none; NULL: the store is not where ref belongs. Hot. */
static inline uint64_t *order_map_slot(const struct order_map *m, uint64_t ref)
{
	return gn_likely(order_map_is_own(m, ref)) ? order_map_place(m, ref) : NULL;
}

/**
 * Record of ref, or NULL. Hot.
 *
 * The pointer is good until the next order_map_put() or order_map_erase().
 */
static inline uint64_t *order_map_find(struct order_map *m, uint64_t ref)
{
	uint64_t *rec = order_map_slot(m, ref);

	if (gn_likely(rec != NULL))
		return *rec ? rec : NULL;
	return order_map_find_old(m, ref);
}

/** Whether one more record has room. */
static inline bool order_map_has_room(const struct order_map *m)
{
	return gn_likely(m->n < m->max);
}

/** Store rec (not 0) under ref, which must not be there; order_map_has_room() holds. Hot; moves at most a frame. */
static inline void order_map_put(struct order_map *m, uint64_t ref, uint64_t rec)
{
	uint64_t *slot = order_map_slot(m, ref);

	m->n++;
	if (gn_likely(slot != NULL))
		*slot = rec;
	else
		order_map_put_slow(m, ref, rec);
}

/** Remove the record that order_map_find() returned. Hot. */
static inline void order_map_erase(struct order_map *m, uint64_t *rec)
{
	m->n--;
	if (gn_likely((uint64_t)(rec - m->rec) < m->window))
		*rec = 0;
	else
		order_map_erase_old(m, rec);
}

/** Places to visit when every record is wanted: order_map_at() for each below this. Cold. */
static inline uint64_t order_map_places(const struct order_map *m)
{
	return m->window + m->n_slots;
}

/** Record at a place and its reference; NULL when the place is free. */
uint64_t *order_map_at(struct order_map *m, uint64_t place, uint64_t *ref);

#endif
