/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/engine/latency.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "pinning/clock.h"

/* A tick is a nanosecond, and two cores leave stamps as they are told. */
static struct gn_wiring *w;
static struct latency *l;

static bool idle_poll(void *arg)
{
	(void)arg;
	return false;
}

static const struct gn_stage stage_idle = {.name = "idle", .ctx_bytes = 8, .poll = idle_poll};

static void given_two_cores(void)
{
	w = gn_wiring_new(NULL, NULL, gn_stats_create(NULL, 64));
	cr_assert_not_null(w);
	cr_assert_eq(gn_wiring_stage(w, &stage_idle, "idle0", 0, 0, GN_NODE_ANY, NULL), 0);
	cr_assert_eq(gn_wiring_stage(w, &stage_idle, "idle1", 1, 1, GN_NODE_ANY, NULL), 0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	l = latency_new(w, 1.0);
	cr_assert_not_null(l);
}

static void clean_up(void)
{
	latency_free(l);
	gn_wiring_free(w);
}

TestSuite(latency, .init = given_two_cores, .fini = clean_up, .timeout = 60);

static void stamp(uint32_t core, enum gn_hop hop, uint64_t id, uint64_t arg, uint64_t tsc)
{
	gn_trace_here = gn_wiring_trace(w, core);
	gn_trace_stamp_at(hop, id, hop == GN_HOP_RX || hop == GN_HOP_FEED ? UINT32_MAX : 7, arg, tsc);
	gn_trace_here = NULL;
}

/* Ticks from rx to each hop of one order. */
struct way {
	uint64_t feed, book, strategy, risk, gateway, wire;
};
static const struct way usual = {100, 250, 400, 600, 900, 1400};

static void upstream(uint64_t id, uint64_t oid, const struct way *y)
{
	stamp(0, GN_HOP_RX, id, 0, id);
	stamp(0, GN_HOP_FEED, id, 0, id + y->feed);
	stamp(0, GN_HOP_BOOK, id, 0, id + y->book);
	stamp(0, GN_HOP_STRATEGY, id, oid, id + y->strategy);
}

static void downstream(uint64_t id, uint64_t oid, const struct way *y)
{
	stamp(1, GN_HOP_RISK, id, oid, id + y->risk);
	stamp(1, GN_HOP_GATEWAY, id, oid, id + y->gateway);
	stamp(1, GN_HOP_TX, id, oid, id + y->wire);
}

static void expect(enum latency_row row, uint64_t n, uint64_t max)
{
	const struct gn_hist *h = latency_hist(l, row);

	cr_assert_eq(h->n, n, "%s: %lu values", latency_row_name(row), h->n);
	cr_assert_eq(h->max, max, "%s: %lu", latency_row_name(row), h->max);
}

Test(latency, a_known_schedule_is_found_hop_by_hop)
{
	upstream(1000000, 5, &usual);
	downstream(1000000, 5, &usual);
	latency_collect(l);
	expect(LATENCY_FEED, 1, 100);
	expect(LATENCY_BOOK, 1, 150);
	expect(LATENCY_STRATEGY, 1, 150);
	expect(LATENCY_RISK, 1, 200);
	expect(LATENCY_GATEWAY, 1, 300);
	expect(LATENCY_WIRE, 1, 500);
	expect(LATENCY_TOTAL, 1, 1400);
	expect(LATENCY_REPORT, 0, 0);
	latency_collect(l);
	expect(LATENCY_TOTAL, 1, 1400);
}

Test(latency, an_order_whose_stamps_come_in_two_batches_counts_once)
{
	upstream(1000000, 5, &usual);
	latency_collect(l);
	expect(LATENCY_TOTAL, 0, 0);
	downstream(1000000, 5, &usual);
	latency_collect(l);
	expect(LATENCY_TOTAL, 1, 1400);
}

Test(latency, an_order_without_all_of_its_stamps_is_left_out)
{
	upstream(1000000, 5, &usual);
	stamp(1, GN_HOP_RISK, 1000000, 5, 1000600);
	stamp(1, GN_HOP_TX, 1000000, 5, 1001400);
	latency_collect(l);
	expect(LATENCY_TOTAL, 0, 0);
	downstream(2000000, 6, &usual); /* made by a timer: no datagram behind it */
	latency_collect(l);
	expect(LATENCY_TOTAL, 0, 0);
}

Test(latency, a_later_cancel_of_an_order_is_no_second_order)
{
	upstream(1000000, 5, &usual);
	downstream(1000000, 5, &usual);
	downstream(9000000, 5, &usual); /* the cancel, caused by another datagram */
	latency_collect(l);
	expect(LATENCY_TOTAL, 1, 1400);
}

Test(latency, counters_that_differ_between_cores_are_no_endless_time)
{
	const struct way back = {100, 250, 400, 390, 900, 1400};

	upstream(1000000, 5, &back);
	downstream(1000000, 5, &back);
	latency_collect(l);
	cr_assert_leq(latency_hist(l, LATENCY_RISK)->max, 1);
	for (int row = 0; row < LATENCY_ROWS; row++)
		cr_assert_leq(latency_hist(l, (enum latency_row)row)->max, 1400);
}

Test(latency, off_leaves_no_stamp)
{
	gn_wiring_trace(w, 0)->on = false;
	upstream(1000000, 5, &usual);
	downstream(1000000, 5, &usual);
	latency_collect(l);
	expect(LATENCY_TOTAL, 0, 0);
}

Test(latency, what_was_overwritten_is_told)
{
	for (uint64_t i = 0; i < GN_TRACE_STAMPS + 1000; i++)
		stamp(0, GN_HOP_FEED, i + 1, 0, i + 1);
	latency_collect(l);
	cr_assert_geq(latency_lost(l), 1000);
	cr_assert_leq(latency_lost(l), 1100);
}

/* "ORDER-ID HOP" of each stamp that was kept of the slowest order. */
static char *worst_text(void)
{
	char path[] = "/tmp/gannet-test-XXXXXX";
	static char text[65536];

	close(mkstemp(path));
	cr_assert_eq(latency_write_worst(l, path), 0);
	FILE *f = fopen(path, "r");
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	unlink(path);
	return text;
}

Test(latency, the_slowest_order_keeps_the_stamps_of_earlier_batches)
{
	const struct way slow = {100, 250, 400, 2000000, 2000300, 2000800};

	upstream(1000000, 5, &slow);
	for (uint64_t k = 0; k < 4; k++) { /* others go on meanwhile, in batches of their own */
		upstream(1100000 + k * 100000, 50 + k, &usual);
		downstream(1100000 + k * 100000, 50 + k, &usual);
		latency_collect(l);
	}
	downstream(1000000, 5, &slow);
	latency_collect(l);
	expect(LATENCY_TOTAL, 5, latency_hist(l, LATENCY_TOTAL)->max);
	char *text = worst_text(), *order = strstr(text, "order 1000000 5 2000800\n"), *end = strstr(order ? order + 1 : text, "\norder");
	cr_assert_not_null(order, "%s", text);
	cr_assert_not_null(end, "%s", text);
	*end = '\0';
	static const char *const stamps[] = {"1000000 0 rx 1000000 4294967295 0\n", "1000100 0 feed 1000000 ", "1000250 0 book 1000000 7 0\n",
		"1000400 0 strategy 1000000 7 5\n", "3000000 1 risk 1000000 7 5\n", "3000300 1 gateway 1000000 7 5\n"};
	const char *at = order;
	for (size_t i = 0; i < GN_ARRAY_SIZE(stamps); i++) {
		const char *found = strstr(at, stamps[i]);
		cr_assert_not_null(found, "%s is not in its place in: %s", stamps[i], order);
		at = found;
	}
}

static uint64_t random_ticks(uint64_t max)
{
	return 1 + (uint64_t)rand() % max;
}

/* Orders that overlap, collected at random times: as many as were sent, and the hops of all add up to their totals. */
Test(latency, random_schedules_lose_nothing_and_add_up)
{
	const char *seed_text = getenv("GANNET_SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 4711u;
	uint64_t id = 1000000, n_done = 0, worst = 0;
	struct way y[8];

	srand(seed);
	for (uint64_t round = 0; round < 5000; round++) {
		uint64_t first = id, n = random_ticks(8);
		for (uint64_t k = 0; k < n; k++) {
			y[k].feed = random_ticks(1000);
			y[k].book = y[k].feed + random_ticks(1000);
			y[k].strategy = y[k].book + random_ticks(1000);
			y[k].risk = y[k].strategy + random_ticks(1000);
			y[k].gateway = y[k].risk + random_ticks(1000);
			y[k].wire = y[k].gateway + random_ticks(rand() % 100 ? 1000 : 100000);
			upstream(first + k * 10, round * 8 + k + 1, &y[k]);
			worst = y[k].wire > worst ? y[k].wire : worst;
		}
		if (rand() % 3 == 0)
			latency_collect(l);
		for (uint64_t k = 0; k < n; k++)
			downstream(first + k * 10, round * 8 + k + 1, &y[k]);
		if (rand() % 3 == 0)
			latency_collect(l);
		n_done += n;
		id += 1000;
	}
	latency_collect(l);
	cr_assert_eq(latency_lost(l), 0);
	for (int row = LATENCY_FEED; row <= LATENCY_TOTAL; row++)
		cr_assert_eq(latency_hist(l, (enum latency_row)row)->n, n_done, "%s, seed %u", latency_row_name((enum latency_row)row), seed);
	cr_assert_eq(latency_hist(l, LATENCY_TOTAL)->max, worst, "seed %u", seed);
}

Test(latency, the_way_from_a_port_that_stamps_is_a_hop_of_its_own)
{
	cr_assert_eq(gn_clock_calibrate(), 0, "%s", gn_err_text());
	uint64_t tsc = gn_tsc(), now_ns = gn_clock_ns_from_tsc(tsc);

	stamp(0, GN_HOP_RX, tsc, 0, tsc); /* not stamped */
	latency_collect(l);
	expect(LATENCY_PORT, 0, 0);
	stamp(0, GN_HOP_RX, tsc, now_ns - 2000000000, tsc); /* a capture's time */
	stamp(0, GN_HOP_RX, tsc, now_ns + 2000000000, tsc);
	latency_collect(l);
	expect(LATENCY_PORT, 0, 0);
	stamp(0, GN_HOP_RX, tsc, now_ns - 850, tsc);
	latency_collect(l);
	expect(LATENCY_PORT, 1, 850);
	stamp(0, GN_HOP_RX, tsc, now_ns + 40, tsc); /* the two clocks are a little off */
	latency_collect(l);
	expect(LATENCY_PORT, 2, 850);
}
