/* SPDX-License-Identifier: BSD-3-Clause */
#include "levels.h"

#include "dataplane/runtime/err.h"

#include <string.h>

#define UNIT_LEVELS (ARENA_UNIT_BYTES / sizeof(struct level))
#define NEAR_ROOM (LEVELS_WINDOW / 4) /* places kept for better prices than the best one of the moment */
#define PX_ONE_E9 (INT64_C(1) * 1000 * 1000 * 1000)

static struct level *levels_far(const struct levels *l, const struct arena *a)
{
	return arena_at(a, l->far);
}

static uint32_t far_room(const struct levels *l)
{
	return l->far_order ? (uint32_t)UNIT_LEVELS << (l->far_order - 1) : 0;
}

static void far_release(struct levels *l, struct arena *a)
{
	if (l->far_order)
		arena_put(a, l->far, l->far_order - 1u);
	l->far_order = 0;
}

/* Move the far levels to a block that holds n. */
static bool far_move(struct levels *l, struct arena *a, uint32_t n)
{
	uint32_t order = 0;

	while (UNIT_LEVELS << order < n)
		order++;
	uint32_t unit = order < ARENA_ORDERS ? arena_get(a, order) : ARENA_NONE;
	if (unit == ARENA_NONE)
		return false;
	if (l->n_far)
		memcpy(arena_at(a, unit), levels_far(l, a), l->n_far * sizeof(struct level));
	far_release(l, a);
	l->far = unit;
	l->far_order = (uint8_t)(order + 1);
	return true;
}

static bool far_reserve(struct levels *l, struct arena *a, uint32_t n)
{
	return n <= far_room(l) || far_move(l, a, n);
}

/* Index of the nearest far level that is not nearer than key, plus one: where key belongs. */
static uint32_t far_index(const struct levels *l, const struct arena *a, int64_t key)
{
	const struct level *far = levels_far(l, a);
	uint32_t lo = 0, hi = l->n_far;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (far[mid].key > key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void far_insert(struct levels *l, struct arena *a, struct level level)
{
	struct level *far = levels_far(l, a);
	uint32_t i = far_index(l, a, level.key);

	memmove(&far[i + 1], &far[i], (l->n_far - i) * sizeof(*far));
	far[i] = level;
	l->n_far++;
}

static uint32_t ladder_count(const struct levels *l)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < LEVELS_WORDS; w++)
		n += (uint32_t)__builtin_popcountll(l->bits[w]);
	return n;
}

/* Append the ladder to the far levels, deepest first; they have room for it. */
static void ladder_dump(struct levels *l, uint64_t *ladder, struct arena *a)
{
	struct level *far = levels_far(l, a);

	for (uint32_t w = LEVELS_WORDS; w-- > 0;) {
		while (l->bits[w]) {
			uint32_t bit = 63u - (uint32_t)__builtin_clzll(l->bits[w]);
			uint32_t i = w * 64 + bit;
			far[l->n_far++] = (struct level){l->base + (int64_t)i * l->tick, ladder[i]};
			ladder[i] = 0;
			l->bits[w] ^= UINT64_C(1) << bit;
		}
	}
}

static uint32_t gcd(uint32_t x, uint32_t y)
{
	while (y) {
		uint32_t r = x % y;
		x = y;
		y = r;
	}
	return x;
}

/* A cent, a hundredth of that below one unit; finer when levels within reach lie in between. */
static uint32_t ladder_tick(const struct levels *l, const struct arena *a)
{
	const struct level *far = levels_far(l, a);
	int64_t best = far[l->n_far - 1].key;
	uint32_t tick = best >= PX_ONE_E9 || best <= -PX_ONE_E9 ? PX_ONE_E9 / 100 : PX_ONE_E9 / 10000;

	for (uint32_t i = l->n_far - 1; i-- > 0;) {
		int64_t offset = far[i].key - best;
		if (offset >= (int64_t)(LEVELS_WINDOW - NEAR_ROOM) * tick)
			break;
		tick = gcd(tick, (uint32_t)(offset % tick));
	}
	return tick;
}

void levels_refill(struct levels *l, uint64_t *ladder, struct arena *a)
{
	struct level *far = levels_far(l, a);

	l->tick = ladder_tick(l, a);
	l->inverse = UINT64_MAX / l->tick;
	l->base = far[l->n_far - 1].key - (int64_t)(NEAR_ROOM * l->tick);
	while (l->n_far) {
		uint64_t i = (uint64_t)(far[l->n_far - 1].key - l->base) / l->tick;
		if (i >= LEVELS_WINDOW)
			break;
		ladder[i] = far[--l->n_far].sum;
		l->bits[i / 64] |= UINT64_C(1) << i % 64;
	}
	if (l->n_far == 0)
		far_release(l, a);
	else if (l->far_order > 1 && l->n_far < far_room(l) / 8)
		far_move(l, a, l->n_far * 2);
}

/* The best level has moved deep into the ladder, or the ladder is empty: put it around the best level again. */
void levels_follow(struct levels *l, uint64_t *ladder, struct arena *a)
{
	if (!far_reserve(l, a, l->n_far + ladder_count(l)))
		return; /* the ladder is not empty then: it stays where it is */
	ladder_dump(l, ladder, a);
	levels_refill(l, ladder, a);
}

static enum levels_result far_change(struct level *level, uint64_t more)
{
	level->sum += more;
	return LEVELS_DEEP;
}

enum levels_result levels_add_slow(struct levels *l, uint64_t *ladder, struct arena *a, int64_t key, gn_qty qty)
{
	uint64_t sum = levels_find(l, ladder, a, key), more = LEVEL_ONE + (uint64_t)qty;
	uint32_t n = ladder_count(l);

	if (level_qty(sum) > LEVEL_QTY_MAX - qty)
		return LEVELS_FULL;
	if (sum)
		return far_change(&levels_far(l, a)[far_index(l, a, key)], more);
	bool deep = n && key - l->base >= (int64_t)LEVELS_WINDOW * l->tick;
	if (!far_reserve(l, a, l->n_far + 1 + (deep ? 0 : n)))
		return LEVELS_FULL;
	if (!deep)
		ladder_dump(l, ladder, a);
	far_insert(l, a, (struct level){key, more});
	if (deep)
		return LEVELS_DEEP;
	levels_refill(l, ladder, a);
	return levels_best(l, ladder).key == key ? LEVELS_TOP : LEVELS_DEEP;
}

enum levels_result levels_take_far(struct levels *l, struct arena *a, int64_t key, uint64_t less)
{
	struct level *far = levels_far(l, a);
	uint32_t i = far_index(l, a, key);

	GN_ASSERT(i < l->n_far && far[i].key == key && far[i].sum >= less);
	far[i].sum -= less;
	if (far[i].sum == 0) {
		memmove(&far[i], &far[i + 1], (l->n_far - i - 1) * sizeof(*far));
		l->n_far--;
	}
	return LEVELS_DEEP;
}

uint64_t levels_find_far(const struct levels *l, const struct arena *a, int64_t key)
{
	uint32_t i = far_index(l, a, key);

	return i < l->n_far && levels_far(l, a)[i].key == key ? levels_far(l, a)[i].sum : 0;
}

uint32_t levels_top(const struct levels *l, const uint64_t *ladder, const struct arena *a, struct level *out, uint32_t n)
{
	uint32_t k = 0;

	for (uint32_t w = 0; w < LEVELS_WORDS && k < n; w++) {
		for (uint64_t bits = l->bits[w]; bits && k < n; bits &= bits - 1) {
			uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
			out[k++] = (struct level){l->base + (int64_t)i * l->tick, ladder[i]};
		}
	}
	for (uint32_t i = l->n_far; i > 0 && k < n; i--)
		out[k++] = levels_far(l, a)[i - 1];
	return k;
}

uint32_t levels_rank(const struct levels *l, const struct arena *a, int64_t key)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < LEVELS_WORDS; w++) {
		uint64_t bits = l->bits[w];
		int64_t past = key - (l->base + (int64_t)w * 64 * l->tick); /* what of this word is better than key */
		if (past <= 0 || !bits)
			continue;
		uint64_t places = ((uint64_t)past + l->tick - 1) / l->tick;
		if (places < 64)
			bits &= (UINT64_C(1) << places) - 1;
		n += (uint32_t)__builtin_popcountll(bits);
	}
	/* far_index() counts the far levels that are deeper than key */
	uint32_t deeper = far_index(l, a, key);
	bool there = deeper < l->n_far && levels_far(l, a)[deeper].key == key;
	return n + l->n_far - deeper - there;
}

uint32_t levels_count(const struct levels *l)
{
	return ladder_count(l) + l->n_far;
}

uint32_t levels_orders(const struct levels *l, const uint64_t *ladder, const struct arena *a)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LEVELS_WINDOW; i++)
		n += level_orders(ladder[i]);
	for (uint32_t i = 0; i < l->n_far; i++)
		n += level_orders(levels_far(l, a)[i].sum);
	return n;
}

void levels_clear(struct levels *l, uint64_t *ladder, struct arena *a)
{
	far_release(l, a);
	memset(ladder, 0, LEVELS_WINDOW * sizeof(*ladder));
	memset(l, 0, sizeof(*l));
}
