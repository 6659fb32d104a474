/* SPDX-License-Identifier: BSD-3-Clause */
/* What a guard believes of an engine's life, and of what is open at the venue. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "app/control/guard_orders.h"
#include "app/control/guard_watch.h"

#define MS UINT64_C(1000000)

static struct guard_watch watch;
static struct guard_look look;

static void given_an_engine_that_runs(void)
{
	watch = (struct guard_watch){.hang_ns = 100 * MS};
	look = (struct guard_look){.now_ns = MS, .alive = true, .phase = ENGINE_RUNNING, .n_open = 7, .n_beats = 3,
		.beat = {1, 1, 1}};
	cr_assert_eq(guard_judge(&watch, &look), GUARD_FINE);
}

/* So many milliseconds pass, in which the threads of a mask move. */
static enum guard_verdict pass(uint32_t ms, uint32_t moving)
{
	enum guard_verdict v = GUARD_FINE;

	for (uint32_t i = 0; i < ms && v == GUARD_FINE; i++) {
		look.now_ns += MS;
		for (uint32_t b = 0; b < look.n_beats; b++)
			look.beat[b] += moving >> b & 1;
		v = guard_judge(&watch, &look);
	}
	return v;
}

TestSuite(guard_watch, .init = given_an_engine_that_runs, .timeout = 10);

Test(guard_watch, nothing_is_expected_of_an_engine_that_has_not_run)
{
	watch = (struct guard_watch){.hang_ns = 100 * MS};
	look.beat[1] = 0;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_ASLEEP, "one of its threads has not begun");
	look.now_ns += 1000 * MS;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_ASLEEP);
	look.beat[1] = 1;
	look.phase = ENGINE_STARTING;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_ASLEEP);
	look.alive = false;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_ASLEEP, "it died before it did anything");
	cr_expect_eq(guard_judge(&watch, &(struct guard_look){.alive = true}), GUARD_ASLEEP, "zeroed memory");
}

Test(guard_watch, a_thread_that_moves_now_and_then_is_fine)
{
	for (int i = 0; i < 50; i++) {
		cr_assert_eq(pass(99, 3), GUARD_FINE);
		cr_assert_eq(pass(1, 7), GUARD_FINE);
	}
}

Test(guard_watch, any_one_thread_that_stands_still_hangs_the_engine)
{
	for (uint32_t b = 0; b < 3; b++) {
		given_an_engine_that_runs();
		cr_expect_eq(pass(100, 7u & ~(1u << b)), GUARD_FINE, "up to the bound");
		cr_expect_eq(pass(1, 7u & ~(1u << b)), GUARD_HUNG);
		cr_expect_eq(watch.hung, b);
	}
}

Test(guard_watch, time_in_which_the_guard_slept_too_does_not_count)
{
	look.now_ns += 3600 * 1000 * MS;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_FINE, "the machine was suspended");
	cr_expect_eq(pass(79, 0), GUARD_FINE);
	cr_expect_eq(pass(3, 0), GUARD_HUNG);
}

Test(guard_watch, a_process_that_is_gone_in_the_middle_has_died)
{
	look.alive = false;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_DEAD);
	given_an_engine_that_runs();
	look.phase = ENGINE_STOPPING;
	look.alive = false;
	look.n_open = 0;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_DEAD, "it had not logged out yet");
}

Test(guard_watch, a_halted_engine_has_no_heartbeat_and_may_end_unless_orders_are_open)
{
	look.phase = ENGINE_HALTED;
	cr_expect_eq(pass(1000, 0), GUARD_FINE);
	look.n_open = 0;
	cr_expect_eq(pass(1, 0), GUARD_FINE);
	look.alive = false;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_ENDED);
	look.n_open = 1;
	cr_expect_eq(guard_judge(&watch, &look), GUARD_DEAD);
}

static struct guard_orders orders;

static void given_no_orders(void)
{
	cr_assert_eq(guard_orders_init(&orders), 0);
}

static void forget_orders(void)
{
	guard_orders_fini(&orders);
}

static void report(uint8_t kind, uint32_t number, gn_qty qty)
{
	const struct venue_report r = {.kind = REPORT_EXEC, .exec_kind = kind, .number = number, .qty = qty};

	cr_assert_eq(guard_orders_report(&orders, &r), 0);
}

TestSuite(guard_orders, .init = given_no_orders, .fini = forget_orders, .timeout = 60);

Test(guard_orders, an_order_is_open_from_its_acceptance_until_nothing_is_left)
{
	report(GN_EXEC_ACCEPTED, 1, 100);
	report(GN_EXEC_FILLED, 1, 60);
	cr_expect_eq(orders.n, 1);
	report(GN_EXEC_CANCELED, 1, 40);
	cr_expect_eq(orders.n, 0);
	report(GN_EXEC_ACCEPTED, 2, 100);
	report(GN_EXEC_RESTATED, 2, 30); /* without the letter M nothing changes */
	report(GN_EXEC_FILLED, 2, 99);
	cr_expect_eq(orders.n, 1);
	report(GN_EXEC_FILLED, 2, 1);
	cr_expect_eq(orders.n, 0);
	cr_expect_eq(orders.n_seen, 2);
	cr_expect_eq(orders.n_ended, 2);
}

Test(guard_orders, what_it_does_not_know_changes_nothing)
{
	for (uint32_t kind = 0; kind < GN_EXEC_KIND_COUNT + 3; kind++)
		if (kind != GN_EXEC_ACCEPTED && kind != GN_EXEC_REPLACED)
			report((uint8_t)kind, 7, 1);
	report(GN_EXEC_ACCEPTED, 0, 1); /* no number, no id of ours */
	cr_expect_eq(orders.n_foreign, 1);
	report(GN_EXEC_ACCEPTED, 5, 0);
	cr_expect_eq(guard_orders_report(&orders, &(struct venue_report){.kind = REPORT_EXEC, .exec_kind = GN_EXEC_ACCEPTED, .number = 6,
						.qty = 5, .dead = true}), 0);
	cr_expect_eq(guard_orders_report(&orders, &(struct venue_report){0}), 0);
	cr_expect_eq(orders.n, 0);
	cr_expect_null(guard_orders_next(&orders, 1, 1));
}

Test(guard_orders, a_replacement_takes_its_originals_place_also_by_id_alone)
{
	struct venue_report r = {.kind = REPORT_EXEC, .exec_kind = GN_EXEC_ACCEPTED, .oid = UINT64_C(1) << 48, .qty = 10};

	cr_assert_eq(guard_orders_report(&orders, &r), 0);
	r = (struct venue_report){.kind = REPORT_EXEC, .exec_kind = GN_EXEC_REPLACED, .oid = (UINT64_C(1) << 48) + 1,
		.oid_orig = UINT64_C(1) << 48, .qty = 4};
	cr_assert_eq(guard_orders_report(&orders, &r), 0);
	cr_assert_eq(orders.n, 1);
	struct guard_order *o = guard_orders_next(&orders, 1, 100);
	cr_assert_not_null(o);
	cr_expect_eq(o->oid, (UINT64_C(1) << 48) + 1);
	cr_expect_eq(o->leaves, 4);
	r = (struct venue_report){.kind = REPORT_EXEC, .exec_kind = GN_EXEC_RESTATED, .oid = (UINT64_C(1) << 48) + 1, .reason = 'M'};
	cr_assert_eq(guard_orders_report(&orders, &r), 0);
	cr_expect_eq(orders.n, 0, "modified to nothing");
}

Test(guard_orders, each_is_asked_for_once_and_again_when_nobody_answers)
{
	struct guard_order *o;
	uint32_t n = 0;

	for (uint32_t i = 1; i <= 3000; i++)
		report(GN_EXEC_ACCEPTED, i, 1);
	while ((o = guard_orders_next(&orders, 5, 100)) != NULL) {
		o->asked_ns = 5;
		n++;
	}
	cr_expect_eq(n, 3000);
	cr_expect_null(guard_orders_next(&orders, 105, 100));
	cr_expect_not_null(guard_orders_next(&orders, 106, 100));
}

#define NUMBERS 4000u

Test(guard_orders, agrees_with_a_plain_table_over_random_reports)
{
	static const uint8_t kinds[] = {GN_EXEC_ACCEPTED, GN_EXEC_ACCEPTED, GN_EXEC_REPLACED, GN_EXEC_FILLED, GN_EXEC_CANCELED,
		GN_EXEC_REJECTED};
	static gn_qty left[NUMBERS + 1];
	const char *given = getenv("GANNET_SEED");
	unsigned seed = given ? (unsigned)strtoul(given, NULL, 0) : 20240611, at = seed;
	uint32_t n = 0;

	for (uint32_t step = 0; step < 300000; step++) {
		uint32_t number = 1 + (uint32_t)rand_r(&at) % NUMBERS, orig = 1 + (uint32_t)rand_r(&at) % NUMBERS;
		struct venue_report r = {.kind = REPORT_EXEC, .exec_kind = kinds[(uint32_t)rand_r(&at) % sizeof(kinds)], .number = number,
			.qty = rand_r(&at) % 5, .number_orig = orig};
		bool enters = r.exec_kind == GN_EXEC_ACCEPTED || r.exec_kind == GN_EXEC_REPLACED;
		r.dead = enters && rand_r(&at) % 8 == 0;
		cr_assert_eq(guard_orders_report(&orders, &r), 0);
		if (r.exec_kind == GN_EXEC_REPLACED)
			left[orig] = 0;
		if (enters)
			left[number] = r.dead ? 0 : r.qty;
		else if (left[number])
			left[number] = r.exec_kind == GN_EXEC_REJECTED || left[number] < r.qty ? 0 : left[number] - r.qty;
		if (step % 10000)
			continue;
		n = 0;
		for (uint32_t i = 1; i <= NUMBERS; i++)
			n += left[i] > 0;
		cr_assert_eq(orders.n, n, "seed %u, step %u", seed, step);
		for (struct guard_order *o; (o = guard_orders_next(&orders, step + 1, 0)); o->asked_ns = step + 1, n--)
			cr_assert_eq(left[o->number], o->leaves, "seed %u, step %u, order %u", seed, step, o->number);
		cr_assert_eq(n, 0, "seed %u, step %u", seed, step);
	}
}
