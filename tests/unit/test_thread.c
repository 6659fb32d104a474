/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "dataplane/runtime/err.h"
#include "pinning/cpu_list.h"
#include "pinning/thread.h"

TestSuite(cpu_list, .timeout = 5);
TestSuite(thread, .timeout = 10);

Test(cpu_list, refuses_what_is_no_list)
{
	static const char *const bad[] = {"x", "1-", "3-1", "-1", "1,,2", "1,", "0-7:0", "0x3", "1024", "99999999999", "1 2"};
	cpu_set_t set;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_lt(gn_cpus_from_list(bad[i], &set), 0, "\"%s\" was taken", bad[i]);
}

Test(cpu_list, reads_what_the_kernel_writes)
{
	cpu_set_t set;

	cr_assert_eq(gn_cpus_from_list("\n", &set), 0);
	cr_assert_eq(CPU_COUNT(&set), 0);
	cr_assert_str_eq(gn_cpus_text(&set).c, "none");
	cr_assert_eq(gn_cpus_from_list("0-3,8,16-30:2\n", &set), 0);
	cr_assert_eq(CPU_COUNT(&set), 13);
	cr_assert_str_eq(gn_cpus_text(&set).c, "0-3,8,16,18,20,22,24,26,28,30");
	cr_assert_eq(gn_cpus_next(&set, 4), 8);
	cr_assert_eq(gn_cpus_next(&set, 31), -1);
}

Test(cpu_list, masks_go_both_ways)
{
	cpu_set_t set, again;

	cr_assert_eq(gn_cpus_from_mask("80,00000000,00000005\n", &set), 0);
	cr_assert_str_eq(gn_cpus_text(&set).c, "0,2,71");
	cr_assert_str_eq(gn_cpus_mask_text(&set).c, "80,00000000,00000005");
	cr_assert_eq(gn_cpus_from_mask(gn_cpus_mask_text(&set).c, &again), 0);
	cr_assert(CPU_EQUAL(&set, &again));
	cr_assert_lt(gn_cpus_from_mask("zz", &set), 0);
}

static struct {
	int core;
	char name[GN_THREAD_NAME_BYTES];
	int slack;
	long faults;
	sigset_t blocked;
} seen;

static void deep(void)
{
	volatile char frame[512 * 1024];

	for (size_t i = 0; i < sizeof(frame); i += 1024)
		frame[i] = 1;
}

static void look_around(void *arg)
{
	struct rusage before, after;

	*(int *)arg = 42;
	seen.core = sched_getcpu();
	prctl(PR_GET_NAME, seen.name);
	seen.slack = prctl(PR_GET_TIMERSLACK);
	pthread_sigmask(SIG_SETMASK, NULL, &seen.blocked);
	getrusage(RUSAGE_THREAD, &before);
	deep();
	getrusage(RUSAGE_THREAD, &after);
	seen.faults = after.ru_minflt - before.ru_minflt;
}

static int last_core(void)
{
	cpu_set_t set;
	int core = -1;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int c = gn_cpus_next(&set, 0); c >= 0; c = gn_cpus_next(&set, c + 1))
		core = c;
	return core;
}

Test(thread, runs_named_and_pinned_on_a_warm_stack)
{
	struct gn_thread t;
	int answer = 0, core = last_core();

	cr_assert_eq(gn_thread_start(&t, &(struct gn_thread_config){.name = "feed0", .core = core}, look_around, &answer), 0,
		"%s", gn_err_text());
	gn_thread_join(&t);
	cr_assert_eq(answer, 42);
	cr_assert_eq(seen.core, core);
	cr_assert_str_eq(seen.name, "feed0");
	cr_assert_eq(seen.slack, 1);
	cr_assert(sigismember(&seen.blocked, SIGTERM));
#ifndef __SANITIZE_ADDRESS__
	cr_assert_leq(seen.faults, 8, "%ld page faults on a stack that was touched", seen.faults);
#endif
	gn_thread_join(&t); /* a second time is harmless */
}

Test(thread, runs_anywhere_when_not_told_where)
{
	struct gn_thread t;
	int answer = 0;

	cr_assert_eq(gn_thread_start(&t, &(struct gn_thread_config){.name = "a-name-of-15-ch", .core = GN_CORE_ANY}, look_around,
		&answer), 0);
	gn_thread_join(&t);
	cr_assert_str_eq(seen.name, "a-name-of-15-ch");
}

static int start_bad(const struct gn_thread_config *config)
{
	struct gn_thread t;
	int answer = 0;
	int rc = gn_thread_start(&t, config, look_around, &answer);

	gn_thread_join(&t);
	cr_assert_eq(answer, 0);
	return rc;
}

Test(thread, refuses_bad_names_cores_and_priorities)
{
	cr_assert_lt(start_bad(&(struct gn_thread_config){.core = GN_CORE_ANY}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "", .core = GN_CORE_ANY}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "a-name-of-16-chr", .core = GN_CORE_ANY}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "x", .core = -2}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "x", .core = 100000}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "x", .core = GN_CORE_ANY, .fifo_priority = 100}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "x", .core = GN_CORE_ANY, .stack_bytes = 4096}), 0);
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "x", .core = GN_CORE_ANY, .stack_bytes = SIZE_MAX}), 0);
}

Test(thread, names_the_core_that_does_not_exist)
{
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "rx0", .core = 1000}), 0);
	cr_assert_not_null(strstr(gn_err_text(), "thread rx0: core 1000"), "%s", gn_err_text());
}
