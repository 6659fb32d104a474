/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/runtime/histogram.h"

static struct gn_hist *h;

static void given_histogram(void)
{
	h = calloc(1, sizeof(*h));
}

static void release_histogram(void)
{
	free(h);
}

TestSuite(histogram, .init = given_histogram, .fini = release_histogram, .timeout = 30);

Test(histogram, empty_has_no_percentile)
{
	cr_assert_eq(gn_hist_at(h, 500000), 0);
	cr_assert_eq(gn_hist_at(h, 1000000), 0);
}

Test(histogram, buckets_never_go_down_and_fit)
{
	uint32_t last = 0;
	for (uint64_t v = 1; v <= GN_HIST_MAX_NS; v += 1 + v / 3000) {
		uint32_t b = gn_hist_bucket(v);
		cr_assert_geq(b, last);
		cr_assert_leq(b, last + 1, "no bucket is skipped at %lu", (unsigned long)v);
		last = b;
	}
	cr_assert_lt(gn_hist_bucket(GN_HIST_MAX_NS), GN_HIST_BUCKETS);
}

Test(histogram, values_above_the_range_are_counted_not_lost)
{
	gn_hist_record(h, UINT64_MAX);
	cr_assert_eq(h->n, 1);
	cr_assert_eq(h->n_over, 1);
	cr_assert_eq(gn_hist_at(h, 1000000), GN_HIST_MAX_NS);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

Test(histogram, agrees_with_exact_percentiles_of_random_data)
{
	const char *given = getenv("GANNET_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
	enum { N = 100000 };
	uint64_t *v = calloc(N, sizeof(*v));
	const uint32_t ppm[] = {1, 100000, 500000, 900000, 990000, 999000, 999900, 999999, 1000000};

	srandom(seed);
	for (int i = 0; i < N; i++) {
		v[i] = ((uint64_t)random() << 16 ^ (uint64_t)random()) >> (random() % 46);
		if (v[i] > GN_HIST_MAX_NS)
			v[i] = GN_HIST_MAX_NS;
		gn_hist_record(h, v[i]);
	}
	qsort(v, N, sizeof(*v), by_value);
	for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
		uint64_t rank = ((uint64_t)N * ppm[i] + 999999) / 1000000;
		uint64_t exact = v[rank - 1], got = gn_hist_at(h, ppm[i]);
		cr_assert(got >= exact && got - exact <= exact / 1000, "seed %u: p%u ppm: exact %lu, got %lu", seed, ppm[i],
			(unsigned long)exact, (unsigned long)got);
	}
	free(v);
}

Test(histogram, merging_equals_recording_all_in_one)
{
	struct gn_hist *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	for (uint64_t v = 1; v < 100000; v += 7) {
		gn_hist_record(v % 2 ? a : b, v);
		gn_hist_record(h, v);
	}
	gn_hist_merge(a, b);
	cr_assert_eq(memcmp(a, h, sizeof(*a)), 0);
	free(a);
	free(b);
}

Test(histogram, hgrm_ends_with_the_maximum_and_the_count)
{
	char text[65536] = {0};
	FILE *f = fmemopen(text, sizeof(text), "w");
	for (uint64_t v = 1; v <= 1000; v++)
		gn_hist_record(h, v);
	cr_assert_eq(gn_hist_write_hgrm(h, f), 0);
	fclose(f);
	cr_assert(strstr(text, "Value"));
	cr_assert(strstr(text, "1000.000 1.000000000000       1000\n"), "%s", text);
	cr_assert(strstr(text, "Total count    =         1000]"));
}
