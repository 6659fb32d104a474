/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sys/timex.h>

#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "pinning/clock_report.h"
#include "pinning/tsc_check.h"

static struct fake_sys sys;

static void clean_up(void)
{
	if (sys.root[0])
		fake_free(&sys);
}

TestSuite(clock_report, .fini = clean_up, .timeout = 20);
TestSuite(tsc_check, .timeout = 20);

static struct gn_clock_report report_of(const struct timex *t, int state)
{
	struct gn_clock_report r = {
		.clock = {.calibrated = true, .invariant = true, .bound_ns = 250, .ticks_per_s = 2100000000}};

	gn_clock_report_fill(&r, sys.root, t, state);
	return r;
}

Test(clock_report, a_machine_that_tells_nothing_has_no_known_distance_from_utc)
{
	struct gn_clock_report zero = {0};

	sys = fake_empty();
	struct gn_clock_report r = report_of(&(struct timex){0}, -1);
	cr_assert_not(r.utc_known);
	cr_assert_str_eq(r.kernel_source, "?");
	cr_assert_str_eq(r.discipline, "");
	cr_assert_str_neq(gn_clock_report_trouble(&r), "");
	cr_assert_str_neq(gn_clock_report_trouble(&zero), "");
}

Test(clock_report, bounds_add_up_to_utc)
{
	sys = fake_machine("xeon2");
	struct gn_clock_report r = report_of(&(struct timex){.maxerror = 120, .esterror = 3, .tai = 37, .freq = 65536}, TIME_OK);
	cr_assert(r.utc_known);
	cr_assert_eq(r.utc_bound_ns, 120250);
	cr_assert_eq(r.kernel_error_est_ns, 3000);
	cr_assert_eq(r.tai_offset_s, 37);
	cr_assert_eq(r.freq_ppb, 1000);
	cr_assert_str_eq(r.discipline, "chronyd");
	cr_assert_str_eq(r.kernel_source, "tsc");
	cr_assert_str_eq(gn_clock_report_trouble(&r), "");
}

Test(clock_report, a_clock_that_lost_its_reference_is_unknown_again)
{
	sys = fake_machine("xeon2");
	struct gn_clock_report r = report_of(&(struct timex){.maxerror = 120, .status = STA_UNSYNC}, TIME_OK);
	cr_assert_not(r.utc_known);
	r = report_of(&(struct timex){.maxerror = 120}, TIME_ERROR);
	cr_assert_not(r.utc_known);
	r = report_of(&(struct timex){.maxerror = -1, .esterror = -5}, TIME_OK);
	cr_assert_eq(r.utc_bound_ns, 250, "nonsense of the kernel is no bound of ours");
}

Test(clock_report, names_the_trouble_that_matters_most)
{
	struct gn_clock_report r;

	sys = fake_machine("xeon2");
	r = report_of(&(struct timex){.status = STA_UNSYNC}, TIME_OK);
	cr_assert_not_null(strstr(gn_clock_report_trouble(&r), "UTC"));
	r.clock.n_backwards = 1;
	cr_assert_not_null(strstr(gn_clock_report_trouble(&r), "backwards"));
	r.cores = (struct gn_tsc_check){.n_cores = 3, .worst_core = 5, .offset_ticks = -900, .bound_ticks = 60};
	cr_assert_not_null(strstr(gn_clock_report_trouble(&r), "core 5 is -900 ticks off"), "%s", gn_clock_report_trouble(&r));
	r.clock.invariant = false;
	cr_assert_not_null(strstr(gn_clock_report_trouble(&r), "rate"));
}

Test(clock_report, of_this_machine)
{
	struct gn_clock_report r;
	struct gn_tsc_check cores = {.n_cores = 2, .worst_core = 1};

	cr_assert_eq(gn_clock_calibrate(), 0);
	gn_clock_report_read(&r, NULL);
	cr_assert(r.clock.calibrated);
	cr_assert_eq(r.cores.n_cores, 0);
	cr_assert_eq(r.utc_known, r.synchronised);
	gn_clock_report_read(&r, &cores);
	cr_assert_eq(r.cores.n_cores, 2);
}

/* Two counters `offset` apart, and ways of some length. */
static struct gn_tsc_pair pair_of(int64_t offset, uint64_t there, uint64_t back)
{
	struct gn_tsc_pair p;

	gn_tsc_pair_begin(&p);
	for (uint64_t i = 0; i < 100; i++) {
		uint64_t sent = 1000000 + i * 10000, noise = i % 7 * 30;
		uint64_t seen = sent + there + noise + (uint64_t)offset, answered = seen + 5;
		gn_tsc_pair_add(&p, sent, seen, answered, answered - (uint64_t)offset + back + noise);
	}
	return p;
}

Test(tsc_check, finds_an_offset_within_its_bound)
{
	static const int64_t offsets[] = {0, 100, -100, 5000, -5000, INT64_C(1) << 40, -(INT64_C(1) << 40)};
	uint64_t bound;

	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		struct gn_tsc_pair p = pair_of(offsets[i], 120, 180);
		int64_t found = gn_tsc_pair_offset(&p, &bound);
		cr_assert_leq(bound, 151);
		cr_assert_leq(llabs(found - offsets[i]), (long long)bound, "%lld", (long long)found);
		struct gn_tsc_check c = {.offset_ticks = found, .bound_ticks = bound, .n_warps = p.n_warps, .n_cores = 1};
		cr_assert_eq(gn_tsc_check_failed(&c), llabs(offsets[i]) > 180, "%lld", (long long)offsets[i]);
	}
}

Test(tsc_check, the_cores_of_this_machine)
{
	struct gn_tsc_check c;
	cpu_set_t cores;

	cr_assert_eq(sched_getaffinity(0, sizeof(cores), &cores), 0);
	int rc = gn_tsc_check_cores(&c, &cores);
	if (rc == -EBUSY)
		cr_skip("the cores are too busy to tell");
	cr_assert_eq(rc, 0, "%s", gn_err_text());
	cr_assert_eq(c.n_cores, CPU_COUNT(&cores) - 1);
	cr_log_info("offset %ld within %lu ticks, %lu warps", c.offset_ticks, c.bound_ticks, c.n_warps);
}

Test(tsc_check, one_core_has_nobody_to_differ_from)
{
	struct gn_tsc_check c;
	cpu_set_t cores;

	CPU_ZERO(&cores);
	cr_assert_eq(gn_tsc_check_cores(&c, &cores), 0);
	CPU_SET(0, &cores);
	cr_assert_eq(gn_tsc_check_cores(&c, &cores), 0);
	cr_assert_eq(c.n_cores, 0);
	CPU_SET(1000, &cores);
	cr_assert_lt(gn_tsc_check_cores(&c, &cores), 0);
	cr_assert_not_null(strstr(gn_err_text(), "core 1000"), "%s", gn_err_text());
}
