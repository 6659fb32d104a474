/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "book/order_map.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

static struct order_map map;

static void given(uint64_t max)
{
	cr_assert_eq(order_map_init(&map, max, GN_NODE_ANY), 0, "%s", gn_err_text());
}

static void finish(void)
{
	order_map_fini(&map);
}

static uint64_t value(uint64_t ref)
{
	const uint64_t *rec = order_map_find(&map, ref);

	return rec ? *rec : 0;
}

TestSuite(order_map, .fini = finish, .timeout = 60);

Test(order_map, refuses_no_room_and_too_much)
{
	cr_assert_eq(order_map_init(&map, 0, GN_NODE_ANY), -22);
	cr_assert_eq(order_map_init(&map, (UINT64_C(1) << 32) + 1, GN_NODE_ANY), -22);
	cr_assert_not_null(strstr(gn_err_text(), "expected 1 to 2^32"));
}

Test(order_map, finds_nothing_in_zeroed_memory)
{
	given(100);
	for (uint64_t ref = 0; ref < 5000; ref++)
		cr_assert_null(order_map_find(&map, ref));
	cr_assert_null(order_map_find(&map, UINT64_MAX));
}

Test(order_map, keeps_the_ends_of_the_range)
{
	given(100);
	order_map_put(&map, 0, 7);
	order_map_put(&map, UINT64_MAX, 8);
	order_map_put(&map, UINT64_MAX - 1, 9);
	cr_assert_eq(value(0), 7);
	cr_assert_eq(value(UINT64_MAX), 8);
	cr_assert_eq(value(UINT64_MAX - 1), 9);
	order_map_erase(&map, order_map_find(&map, UINT64_MAX));
	cr_assert_eq(value(UINT64_MAX), 0);
	cr_assert_eq(value(UINT64_MAX - 1), 9);
}

Test(order_map, keeps_the_old_when_the_new_take_their_place)
{
	given(5000);
	for (uint64_t ref = 1; ref <= 1000; ref++)
		order_map_put(&map, ref, ref);
	for (uint64_t ref = 100 * map.window; ref < 100 * map.window + 3000; ref++)
		order_map_put(&map, ref, ref);
	for (uint64_t ref = 1; ref <= 1000; ref++)
		cr_assert_eq(value(ref), ref);
	cr_assert_neq(order_map_find(&map, 100 * map.window), NULL);
	for (uint64_t ref = 1; ref <= 1000; ref++)
		order_map_erase(&map, order_map_find(&map, ref));
	cr_assert_eq(map.n, 3000);
	order_map_put(&map, 5, 50); /* late: it belongs to the table */
	cr_assert_eq(value(5), 50);
}

Test(order_map, visits_each_record_once)
{
	uint64_t sum = 0, n = 0, ref;

	given(3000);
	for (uint64_t i = 1; i <= 3000; i++)
		order_map_put(&map, i * 977, i * 977 + 1);
	for (uint64_t place = 0; place < order_map_places(&map); place++) {
		const uint64_t *rec = order_map_at(&map, place, &ref);
		if (!rec)
			continue;
		cr_assert_eq(*rec, ref + 1);
		sum += ref;
		n++;
	}
	cr_assert_eq(n, 3000);
	cr_assert_eq(sum, UINT64_C(977) * 3000 * 3001 / 2);
	cr_assert(!order_map_has_room(&map));
}

/* Against a plain array of what must be there; few distinct places, so that everything collides. */
Test(order_map, equals_a_plain_array_on_random_references)
{
	enum { N = 600 };
	static uint64_t refs[N], want[N];
	const char *text = getenv("GANNET_SEED");
	uint64_t state = text ? strtoull(text, NULL, 0) : 11, seed = state;

	given(N);
	for (uint32_t i = 0; i < N; i++)
		refs[i] = (uint64_t)(i % 7) * map.window * (i % 5 + 1) + i * 3 % 257 + ((uint64_t)i << (i % 3 * 20));
	for (uint32_t step = 0; step < 400000; step++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		uint32_t i = (uint32_t)(state >> 33) % N;
		uint64_t ref = refs[i];
		bool twin = false;
		for (uint32_t k = 0; k < N; k++)
			twin |= k != i && refs[k] == ref;
		if (twin)
			continue;
		cr_assert_eq(value(ref), want[i], "step %u, GANNET_SEED=%lu", step, (unsigned long)seed);
		if (want[i]) {
			order_map_erase(&map, order_map_find(&map, ref));
			want[i] = 0;
		} else {
			want[i] = step + 1;
			order_map_put(&map, ref, want[i]);
		}
	}
	uint64_t live = 0;
	for (uint32_t i = 0; i < N; i++)
		live += want[i] != 0;
	cr_assert_eq(map.n, live);
	cr_assert_gt(live, 100);
}
