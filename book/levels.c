/* SPDX-License-Identifier: BSD-3-Clause */
#include "levels.h"

#include "dataplane/runtime/err.h"

#include <string.h>

#define UNIT_LEVELS (ARENA_UNIT_BYTES / sizeof(struct level))
#define NEAR_ROOM 8u /* places kept for better prices than the best of the moment; the other near ones are behind it */
#define PX_ONE_E9 (INT64_C(1) * 1000 * 1000 * 1000)

#define TICK(t) {UINT64_MAX / UINT64_C(t), UINT64_C(t)}
const struct levels_tick levels_tick[16] = {
	{0, 0}, TICK(10000000), TICK(5000000), TICK(1000000), TICK(500000), TICK(100000), TICK(10000), TICK(1000), TICK(100),
	TICK(10), TICK(1)};
#define TICK_CENT 1u
#define TICK_E4 5u

static struct level *levels_far(const struct ladder *d, const struct arena *a)
{
	return arena_at(a, d->far);
}

static uint32_t far_room(const struct ladder *d)
{
	return d->far_order ? (uint32_t)UNIT_LEVELS << (d->far_order - 1) : 0;
}

static void far_release(struct ladder *d, struct arena *a)
{
	if (d->far_order)
		arena_put(a, d->far, d->far_order - 1u);
	d->far_order = 0;
}

/* Move the far levels to a block that holds n. */
static bool far_move(struct ladder *d, struct arena *a, uint32_t n)
{
	uint32_t order = 0;

	while (UNIT_LEVELS << order < n)
		order++;
	uint32_t unit = order < ARENA_ORDERS ? arena_get(a, order) : ARENA_NONE;
	if (unit == ARENA_NONE)
		return false;
	if (d->n_far)
		memcpy(arena_at(a, unit), levels_far(d, a), d->n_far * sizeof(struct level));
	far_release(d, a);
	d->far = unit;
	d->far_order = (uint8_t)(order + 1);
	return true;
}

static bool far_reserve(struct ladder *d, struct arena *a, uint32_t n)
{
	return n <= far_room(d) || far_move(d, a, n);
}

/* How many far levels are deeper than key: the index of key if it is there, or where it belongs. */
static uint32_t far_index(const struct ladder *d, const struct arena *a, int64_t key)
{
	const struct level *far = levels_far(d, a);
	uint32_t lo = 0, hi = d->n_far;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (far[mid].key > key)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static struct level *far_find(const struct ladder *d, const struct arena *a, int64_t key)
{
	uint32_t i = far_index(d, a, key);
	struct level *far = levels_far(d, a);

	return i < d->n_far && far[i].key == key ? &far[i] : NULL;
}

static void far_insert(struct ladder *d, struct arena *a, struct level level)
{
	struct level *far = levels_far(d, a);
	uint32_t i = far_index(d, a, level.key);

	memmove(&far[i + 1], &far[i], (d->n_far - i) * sizeof(*far));
	far[i] = level;
	d->n_far++;
}

static uint64_t *ladder_bits(const struct levels_side *s, uint32_t place)
{
	return place < LEVELS_NEAR ? &s->l->near : &s->d->deep[place / 64 - 1];
}

static uint64_t *ladder_sum(const struct levels_side *s, uint32_t place)
{
	return place < LEVELS_NEAR ? &s->near_sum[place] : &s->d->deep_sum[place - LEVELS_NEAR];
}

static uint64_t ladder_word(const struct levels_side *s, uint32_t word)
{
	return word == 0 ? s->l->near : s->d->deep[word - 1];
}

static uint32_t ladder_count(const struct levels_side *s)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < LEVELS_WORDS; w++)
		n += (uint32_t)__builtin_popcountll(ladder_word(s, w));
	return n;
}

/* Append the ladder to the far levels, deepest first; they have room for it. */
static void ladder_dump(const struct levels_side *s)
{
	struct levels *l = s->l;
	struct ladder *d = s->d;
	struct level *far = levels_far(d, s->a);

	for (uint32_t w = LEVELS_WORDS; w-- > 0;) {
		for (uint64_t bits = ladder_word(s, w); bits;) {
			uint32_t bit = 63u - (uint32_t)__builtin_clzll(bits), i = w * 64 + bit;
			far[d->n_far++] = (struct level){levels_key_at(l, i), *ladder_sum(s, i)};
			*ladder_sum(s, i) = 0;
			bits ^= UINT64_C(1) << bit;
		}
	}
	l->near = 0;
	memset(d->deep, 0, sizeof(d->deep));
}

/* A cent, a hundredth of that below one unit. */
static uint32_t tick_usual(int64_t key)
{
	return key >= PX_ONE_E9 || key <= -PX_ONE_E9 ? TICK_CENT : TICK_E4;
}

/* Finer than usual when levels within reach lie in between. */
static uint32_t ladder_tick(const struct ladder *d, const struct arena *a)
{
	const struct level *far = levels_far(d, a);
	int64_t best = far[d->n_far - 1].key;
	uint32_t tick = tick_usual(best);

	for (uint32_t i = d->n_far - 1; i-- > 0;) {
		uint64_t offset = (uint64_t)(far[i].key - best);
		if (offset >= (LEVELS_WINDOW - NEAR_ROOM) * levels_tick[tick].e9)
			break;
		while (offset % levels_tick[tick].e9)
			tick++; /* the last one, 1, divides everything */
	}
	return tick;
}

static void ladder_anchor(struct levels *l, int64_t best, uint32_t tick)
{
	l->anchor = (best - (int64_t)(NEAR_ROOM * levels_tick[tick].e9)) * 16 + (int64_t)tick;
}

/* Lay out the near end of the far levels, of which there are some, as the ladder, which is empty. */
static void ladder_refill(const struct levels_side *s)
{
	struct levels *l = s->l;
	struct ladder *d = s->d;
	struct arena *a = s->a;
	struct level *far = levels_far(d, a);
	uint32_t tick = ladder_tick(d, a);
	uint64_t tick_e9 = levels_tick[tick].e9;

	ladder_anchor(l, far[d->n_far - 1].key, tick);
	l->best = far[d->n_far - 1].sum;
	while (d->n_far) {
		uint64_t i = (uint64_t)(far[d->n_far - 1].key - levels_base(l)) / tick_e9;
		if (i >= LEVELS_WINDOW)
			break;
		*ladder_sum(s, (uint32_t)i) = far[--d->n_far].sum;
		*ladder_bits(s, (uint32_t)i) |= UINT64_C(1) << i % 64;
	}
	if (d->n_far == 0)
		far_release(d, a);
	else if (d->far_order > 1 && d->n_far < far_room(d) / 8)
		far_move(d, a, d->n_far * 2);
}

void levels_follow(const struct levels_side *s)
{
	struct levels *l = s->l;
	struct ladder *d = s->d;
	uint32_t n = d->n_far + ladder_count(s), first = levels_first(l, d);

	l->best = first < LEVELS_WINDOW ? *ladder_sum(s, first) : 0;
	if (n == 0 || !far_reserve(d, s->a, n))
		return; /* without room the ladder stays where it is: it is not empty then, only slower */
	ladder_dump(s);
	ladder_refill(s);
}

static bool sum_overflows(uint64_t sum, gn_qty qty)
{
	return level_qty(sum) > LEVEL_QTY_MAX - qty;
}

/* A level whose key has no place in the ladder. */
static enum levels_result add_elsewhere(const struct levels_side *s, int64_t key, gn_qty qty)
{
	struct levels *l = s->l;
	struct ladder *d = s->d;
	struct arena *a = s->a;
	uint32_t n = ladder_count(s);
	uint64_t more = LEVEL_ONE + (uint64_t)qty;
	struct level *there = far_find(d, a, key);

	if (there) {
		if (sum_overflows(there->sum, qty))
			return LEVELS_FULL;
		there->sum += more;
		return LEVELS_DEEP;
	}
	bool deep = n && key >= levels_key_at(l, LEVELS_WINDOW);
	if (!far_reserve(d, a, d->n_far + 1 + (deep ? 0 : n)))
		return LEVELS_FULL;
	if (!deep)
		ladder_dump(s);
	far_insert(d, a, (struct level){key, more});
	if (deep)
		return LEVELS_DEEP;
	ladder_refill(s);
	return levels_best(l, d).key == key ? LEVELS_TOP : LEVELS_DEEP;
}

/* The first level of an empty side. */
static enum levels_result ladder_start(const struct levels_side *s, int64_t key, gn_qty qty)
{
	struct levels *l = s->l;
	uint32_t tick = tick_usual(key);

	ladder_anchor(l, key, tick);
	l->near = UINT64_C(1) << NEAR_ROOM;
	l->best = *ladder_sum(s, NEAR_ROOM) = LEVEL_ONE + (uint64_t)qty;
	return LEVELS_TOP;
}

enum levels_result levels_add(const struct levels_side *s, int64_t key, gn_qty qty)
{
	struct levels *l = s->l;
	uint32_t i;

	if (!l->best)
		return ladder_start(s, key, qty);
	if (!levels_place(l, key, &i))
		return add_elsewhere(s, key, qty);
	if (sum_overflows(*ladder_sum(s, i), qty))
		return LEVELS_FULL;
	if (i < LEVELS_NEAR)
		return levels_put_near(l, s->near_sum, i, s->near_sum[i] + LEVEL_ONE + (uint64_t)qty);
	*ladder_sum(s, i) += LEVEL_ONE + (uint64_t)qty;
	*ladder_bits(s, i) |= UINT64_C(1) << i % 64;
	if (levels_first(l, s->d) != i)
		return LEVELS_DEEP;
	l->best = *ladder_sum(s, i);
	return LEVELS_TOP;
}

static enum levels_result take_far(struct ladder *d, struct arena *a, int64_t key, uint64_t less)
{
	struct level *there = far_find(d, a, key);

	GN_ASSERT(there && there->sum >= less);
	there->sum -= less;
	if (there->sum == 0) {
		struct level *end = levels_far(d, a) + d->n_far--;
		memmove(there, there + 1, (size_t)(end - there - 1) * sizeof(*there));
	}
	return LEVELS_DEEP;
}

enum levels_result levels_take(const struct levels_side *s, int64_t key, gn_qty qty, bool gone)
{
	uint64_t less = (uint64_t)qty + (gone ? LEVEL_ONE : 0);
	struct levels *l = s->l;
	uint32_t i;

	if (!levels_place(l, key, &i))
		return take_far(s->d, s->a, key, less);
	bool top = levels_first(l, s->d) == i;
	*ladder_sum(s, i) -= less;
	if (*ladder_sum(s, i) == 0)
		*ladder_bits(s, i) ^= UINT64_C(1) << i % 64;
	if (!l->near)
		levels_follow(s);
	else if (top)
		l->best = *ladder_sum(s, levels_first(l, s->d));
	return top ? LEVELS_TOP : LEVELS_DEEP;
}

uint64_t levels_find(const struct levels_side *s, int64_t key)
{
	uint32_t i;

	if (levels_place(s->l, key, &i))
		return *ladder_sum(s, i);
	const struct level *there = far_find(s->d, s->a, key);
	return there ? there->sum : 0;
}

uint32_t levels_top(const struct levels_side *s, struct level *out, uint32_t n)
{
	const struct level *far = levels_far(s->d, s->a);
	uint32_t k = 0;

	for (uint32_t w = 0; w < LEVELS_WORDS && k < n; w++) {
		for (uint64_t bits = ladder_word(s, w); bits && k < n; bits &= bits - 1) {
			uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(bits);
			out[k++] = (struct level){levels_key_at(s->l, i), *ladder_sum(s, i)};
		}
	}
	for (uint32_t i = s->d->n_far; i > 0 && k < n; i--)
		out[k++] = far[i - 1];
	return k;
}

/* Levels of the ladder at places below `places`. */
static uint32_t ladder_count_below(const struct levels_side *s, uint32_t places)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w * 64 < places; w++) {
		uint64_t bits = ladder_word(s, w);
		if (places - w * 64 < 64)
			bits &= (UINT64_C(1) << (places - w * 64)) - 1;
		n += (uint32_t)__builtin_popcountll(bits);
	}
	return n;
}

uint32_t levels_rank(const struct levels_side *s, int64_t key)
{
	const struct levels *l = s->l;
	const struct ladder *d = s->d;
	uint32_t i;

	if (gn_likely(levels_place(l, key, &i)))
		return ladder_count_below(s, i);
	if (!l->anchor || key < levels_base(l))
		return 0;
	uint64_t tick_e9 = levels_tick_of(l)->e9, above = ((uint64_t)(key - levels_base(l)) + tick_e9 - 1) / tick_e9;
	if (above <= LEVELS_WINDOW)
		return ladder_count_below(s, (uint32_t)above);
	uint32_t deeper = far_index(d, s->a, key);
	bool there = deeper < d->n_far && levels_far(d, s->a)[deeper].key == key;
	return ladder_count(s) + d->n_far - deeper - there;
}

uint32_t levels_count(const struct levels_side *s)
{
	return ladder_count(s) + s->d->n_far;
}

uint32_t levels_orders(const struct levels_side *s)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < LEVELS_WINDOW; i++)
		n += level_orders(*ladder_sum(s, i));
	for (uint32_t i = 0; i < s->d->n_far; i++)
		n += level_orders(levels_far(s->d, s->a)[i].sum);
	return n;
}

void levels_clear(const struct levels_side *s)
{
	far_release(s->d, s->a);
	memset(s->d, 0, sizeof(*s->d));
	memset(s->near_sum, 0, LEVELS_NEAR * sizeof(*s->near_sum));
	memset(s->l, 0, sizeof(*s->l));
}
