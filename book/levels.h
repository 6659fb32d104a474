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
 * last. When a price comes that the ladder has no place for on its near side or between its ticks, or when its near end
 * runs empty, it is rebuilt around the best level: everything is appended to the array, then the near end of the array
 * is laid out as the new ladder.
 *
 * What every event needs (struct levels, 24 bytes) is apart from the rest, so that both sides of a book share one cache
 * line, with the words of the first 64 places right behind it; an event touches that line and the level's own.
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
#define LEVEL_PX_E9_MAX (INT64_C(500) * 1000 * 1000 * 1000 * 1000 * 1000) /* 500 million units: a base has 60 bits */

/** A level outside the ladder, or as handed out. */
struct level {
	int64_t key;
	uint64_t sum; /* orders << LEVEL_QTY_BITS | quantity */
};

/** What every event reads. Zeroed memory is a side without levels. */
struct levels {
	int64_t anchor; /* key of the ladder's first place * 16 + index into levels_tick; 0: never used */
	uint64_t near;  /* which of the first 64 places hold orders */
	uint64_t best;  /* sum of the best level, 0 when there is none */
};
_Static_assert(sizeof(struct levels) == 24, "two sides share a cache line with the rest of a book");

#define LEVELS_NEAR 64u

/** The rest of a side. */
struct ladder {
	uint64_t deep[LEVELS_WORDS - 1]; /* which of the other places hold orders */
	uint32_t n_far;
	uint32_t far;      /* unit of the arena */
	uint8_t far_order; /* 1 + order of the block at far; 0: no block */
	uint64_t deep_sum[LEVELS_WINDOW - LEVELS_NEAR];
};

/** A side by its parts, which lie where they are read together. */
struct levels_side {
	struct levels *l;
	uint64_t *near_sum; /* of the first LEVELS_NEAR places */
	struct ladder *d;
	struct arena *a;
};

/** Tick sizes of a ladder, coarsest first; the inverse gives exact quotients by a product. */
struct levels_tick {
	uint64_t inverse; /* 2^64 / e9 */
	uint64_t e9;
};
extern const struct levels_tick levels_tick[16];

/** What an operation did. */
enum levels_result {
	LEVELS_FULL = 0, /* refused, nothing changed: no room for the level, or its sum would overflow */
	LEVELS_DEEP = 1, /* done, behind the best level */
	LEVELS_TOP = 3,  /* done, the best level changed */
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
	uint64_t mirror = 0 - (uint64_t)(side == GN_BUY); /* no branch: which side comes next nobody knows */

	return (int64_t)(((uint64_t)px_e9 ^ mirror) - mirror);
}

static inline int64_t levels_base(const struct levels *l)
{
	return l->anchor >> 4;
}

static inline const struct levels_tick *levels_tick_of(const struct levels *l)
{
	return &levels_tick[l->anchor & 15];
}

/** Place of key among the first `places` of the ladder; false: it has none there. */
static inline bool levels_place_below(const struct levels *l, int64_t key, uint32_t places, uint32_t *place)
{
	const struct levels_tick *t = levels_tick_of(l);
	uint64_t offset = (uint64_t)key - (uint64_t)levels_base(l);
	uint64_t q = (uint64_t)((unsigned __int128)(offset + 1) * t->inverse >> 64);

	*place = (uint32_t)q;
	return (q < places) & (q * t->e9 == offset);
}

static inline bool levels_place(const struct levels *l, int64_t key, uint32_t *place)
{
	return levels_place_below(l, key, LEVELS_WINDOW, place);
}

/** Lowest place that holds orders; LEVELS_WINDOW when there is none. */
static inline uint32_t levels_first(const struct levels *l, const struct ladder *d)
{
	if (gn_likely(l->near))
		return (uint32_t)__builtin_ctzll(l->near);
	for (uint32_t w = 0; w < LEVELS_WORDS - 1; w++)
		if (d->deep[w])
			return (w + 1) * 64 + (uint32_t)__builtin_ctzll(d->deep[w]);
	return LEVELS_WINDOW;
}

static inline int64_t levels_key_at(const struct levels *l, uint32_t place)
{
	return levels_base(l) + (int64_t)(place * levels_tick_of(l)->e9);
}

/* All ones or all zeros. */
static inline uint64_t levels_mask(bool on)
{
	return 0 - (uint64_t)on;
}

/** Put a new sum, 0: none, at a near place. LEVELS_FULL: done, and levels_follow() is due. Hot. */
static inline enum levels_result levels_put_near(struct levels *l, uint64_t *near_sum, uint32_t place, uint64_t sum)
{
	uint64_t bit = UINT64_C(1) << place, near = (l->near & ~bit) | (uint64_t)(sum != 0) << place;
	/* whether it is the best one is a coin toss: no branch */
	uint64_t top = levels_mask((l->near & (bit - 1)) == 0);

	near_sum[place] = sum;
	l->near = near;
	if (gn_unlikely(!near))
		return LEVELS_FULL;
	/* from where the best sum comes: a new best level, or the old one; an address instead of a branch */
	uintptr_t first = (uintptr_t)&near_sum[__builtin_ctzll(near)], same = (uintptr_t)&l->best;
	l->best = *(const uint64_t *)(same ^ ((same ^ first) & top));
	return (enum levels_result)(LEVELS_DEEP | (top & LEVELS_TOP));
}

/** Add an order of qty (1 to LEVEL_QTY_MAX), anywhere. */
enum levels_result levels_add(const struct levels_side *s, int64_t key, gn_qty qty);

/** Take qty off the level at key, which has it; `gone`: with it an order. Never LEVELS_FULL. */
enum levels_result levels_take(const struct levels_side *s, int64_t key, gn_qty qty, bool gone);

/** The near end is empty: put the ladder around the best level again, wherever that is. */
void levels_follow(const struct levels_side *s);

/** Best level; sum 0 when there is none. */
static inline struct level levels_best(const struct levels *l, const struct ladder *d)
{
	return l->best ? (struct level){levels_key_at(l, levels_first(l, d)), l->best} : (struct level){0};
}

/** Sum of the level at key, 0 when there is none. */
uint64_t levels_find(const struct levels_side *s, int64_t key);

/** The first n levels, best first. Returns how many there are, at most n. Cost: n steps. */
uint32_t levels_top(const struct levels_side *s, struct level *out, uint32_t n);

/** How many levels are better than key. */
uint32_t levels_rank(const struct levels_side *s, int64_t key);

/** Number of levels, and of orders. */
uint32_t levels_count(const struct levels_side *s);
uint32_t levels_orders(const struct levels_side *s);

/** Forget all levels. */
void levels_clear(const struct levels_side *s);

#endif
