/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef LADDER_H
#define LADDER_H

/**
 * @file
 * The prices of one side of one book, sorted, best last; each price points to a level. Private to the matching engine.
 *
 * An order near the best price moves few entries; one far away moves many, with one memmove. The arrays of all sides come
 * from one arena and double when they grow.
 */

#include <gannet/types.h>

#define LADDER_NONE UINT32_MAX

struct ladder_rung {
	uint32_t key; /* grows towards the better price */
	uint32_t level;
};

struct ladder {
	struct ladder_rung *rung; /* rung[n - 1] is the best */
	uint32_t n, room;
};

#define LADDER_CLASSES 28u

struct ladder_arena {
	struct ladder_rung *mem;
	size_t n_rungs, used;
	uint64_t spare[LADDER_CLASSES]; /* freed arrays by log2 of their room, as place in mem + 1; first rung links the next */
};

/** Cold. 0 or -errno. */
int ladder_arena_init(struct ladder_arena *a, size_t n_rungs);
void ladder_arena_fini(struct ladder_arena *a);

/** Key of a price on a side, and back. */
static inline uint32_t ladder_key(gn_side side, uint32_t px_e4)
{
	return side == GN_BUY ? px_e4 : ~px_e4;
}

/** Level of a key, or LADDER_NONE. Looks from the best price on, then halves. */
uint32_t ladder_find(const struct ladder *l, uint32_t key);

/** Insert a key that is not there. False: the arena is used up. */
bool ladder_insert(struct ladder *l, struct ladder_arena *a, uint32_t key, uint32_t level);

/** Remove a key that is there. */
void ladder_remove(struct ladder *l, uint32_t key);

#endif
