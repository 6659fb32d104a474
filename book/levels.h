/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_LEVELS_H
#define GN_LEVELS_H

/**
 * @file
 * The price levels of one side of one book: a ladder around the touch, far levels in a sorted array.
 *
 * A level's key grows away from the touch (the price for asks, minus the price for bids), so one code serves both sides
 * and the best level is the one with the smallest key. A level is one word: number of orders and quantity. The ladder
 * is an array of LEVELS_WINDOW such words, one a tick, with one bit each that says whether it holds orders: the best
 * level is the lowest bit set. Levels past the ladder's deep end wait in an array sorted so that the nearest comes
 * last. When a price comes that the ladder has no place for on its near side or between its ticks, or when the ladder
 * runs empty, it is rebuilt around the best level: everything is appended to the array, then the near end of the array is
 * laid out as the new ladder.
 *
 * Invariants: a far level is deeper than every place of the ladder; far levels exist only while the ladder has some.
 */

#include <gannet/types.h>

#include "arena.h"
#include "dataplane/runtime/compiler.h"

#define LEVELS_WORDS 4u
#define LEVELS_WINDOW (LEVELS_WORDS * 64u)
#define LEVEL_QTY_BITS 40u
#define LEVEL_QTY_MAX ((INT64_C(1) << LEVEL_QTY_BITS) - 1)
#define LEVEL_ONE (UINT64_C(1) << LEVEL_QTY_BITS) /* one order */
#define LEVEL_PX_E9_MAX (INT64_C(4) * 1000 * 1000 * 1000 * 1000 * 1000 * 1000) /* keys and their differences fit 64 bits */

/** A level outside the ladder, or as handed out. */
struct level {
	int64_t key;
	uint64_t sum; /* orders << LEVEL_QTY_BITS | quantity */
};

/** One cache line. Zeroed memory is a side without levels. */
struct levels {
	int64_t base; /* key of the ladder's first place */
	uint64_t inverse; /* 2^64 / tick */
	uint64_t bits[LEVELS_WORDS];
	uint32_t tick; /* 1e-9 */
	uint32_t n_far;
	uint32_t far; /* unit of the arena */
	uint8_t far_order; /* 1 + order of the block at far; 0: no block */
	uint8_t reserved[3];
};
_Static_assert(sizeof(struct levels) == GN_LINE, "a side is one cache line");

/** What an operation did. */
enum levels_result {
	LEVELS_FULL = 0, /* refused, nothing changed: no room for the level, or its sum would overflow */
	LEVELS_DEEP,     /* done, behind the best level */
	LEVELS_TOP,      /* done, the best level changed */
};

static inline gn_qty level_qty(uint64_t sum)
{
	return (gn_qty)(sum & (LEVEL_ONE - 1));
}

static inline uint32_t level_orders(uint64_t sum)
{
	return (uint32_t)(sum >> LEVEL_QTY_BITS);
}

static inline int64_t levels_key(gn_side side, int64_t px_e9)
{
	return side == GN_BUY ? (int64_t)(0 - (uint64_t)px_e9) : px_e9; /* any price: a hint has not checked it */
}

/** Cold parts of the inline functions below. */
enum levels_result levels_add_slow(struct levels *l, uint64_t *ladder, struct arena *a, int64_t key, gn_qty qty);
enum levels_result levels_take_far(struct levels *l, struct arena *a, int64_t key, uint64_t less);
void levels_refill(struct levels *l, uint64_t *ladder, struct arena *a);
void levels_follow(struct levels *l, uint64_t *ladder, struct arena *a);
uint64_t levels_find_far(const struct levels *l, const struct arena *a, int64_t key);

/** Place of key in the ladder; false: it has none. The product with the inverse is the exact quotient. */
static inline bool levels_place(const struct levels *l, int64_t key, uint32_t *place)
{
	uint64_t offset = (uint64_t)key - (uint64_t)l->base;
	uint64_t q = (uint64_t)((unsigned __int128)(offset + 1) * l->inverse >> 64);

	*place = (uint32_t)q;
	return gn_likely(q < LEVELS_WINDOW && q * l->tick == offset);
}

/** Lowest place that holds orders, LEVELS_WINDOW when there is none. */
static inline uint32_t levels_first(const struct levels *l)
{
	for (uint32_t w = 0; w < LEVELS_WORDS; w++)
		if (l->bits[w])
			return w * 64 + (uint32_t)__builtin_ctzll(l->bits[w]);
	return LEVELS_WINDOW;
}

/** Add an order of qty (1 to LEVEL_QTY_MAX). Hot. */
static inline enum levels_result levels_add(struct levels *l, uint64_t *ladder, struct arena *a, int64_t key, gn_qty qty)
{
	uint32_t i;

	if (gn_unlikely(!levels_place(l, key, &i) || level_qty(ladder[i]) > LEVEL_QTY_MAX - qty))
		return levels_add_slow(l, ladder, a, key, qty);
	ladder[i] += LEVEL_ONE + (uint64_t)qty;
	l->bits[i / 64] |= UINT64_C(1) << i % 64;
	return levels_first(l) == i ? LEVELS_TOP : LEVELS_DEEP;
}

/**
 * Take qty off the level at key, which has it; `gone`: with it an order. Hot.
 */
static inline enum levels_result levels_take(
	struct levels *l, uint64_t *ladder, struct arena *a, int64_t key, gn_qty qty, bool gone)
{
	uint64_t less = (uint64_t)qty + (gone ? LEVEL_ONE : 0);
	uint32_t i;

	if (gn_unlikely(!levels_place(l, key, &i)))
		return levels_take_far(l, a, key, less);
	uint32_t first = levels_first(l);
	ladder[i] -= less;
	if (ladder[i] == 0) {
		l->bits[i / 64] &= ~(UINT64_C(1) << i % 64);
		if (gn_unlikely(l->n_far && i == first && levels_first(l) >= LEVELS_WINDOW / 4 * 3))
			levels_follow(l, ladder, a);
	}
	return i == first ? LEVELS_TOP : LEVELS_DEEP;
}

/** Best level; sum 0 when there is none. */
static inline struct level levels_best(const struct levels *l, const uint64_t *ladder)
{
	uint32_t i = levels_first(l);

	return i == LEVELS_WINDOW ? (struct level){0} : (struct level){l->base + (int64_t)i * l->tick, ladder[i]};
}

/** Sum of the level at key, 0 when there is none. */
static inline uint64_t levels_find(const struct levels *l, const uint64_t *ladder, const struct arena *a, int64_t key)
{
	uint32_t i;

	return levels_place(l, key, &i) ? ladder[i] : levels_find_far(l, a, key);
}

/** The first n levels, best first. Returns how many there are, at most n. Cost: n steps. */
uint32_t levels_top(const struct levels *l, const uint64_t *ladder, const struct arena *a, struct level *out, uint32_t n);

/** How many levels are better than key. */
uint32_t levels_rank(const struct levels *l, const struct arena *a, int64_t key);

/** Number of levels. */
uint32_t levels_count(const struct levels *l);

/** Number of orders. */
uint32_t levels_orders(const struct levels *l, const uint64_t *ladder, const struct arena *a);

/** Forget all levels. */
void levels_clear(struct levels *l, uint64_t *ladder, struct arena *a);

#endif
