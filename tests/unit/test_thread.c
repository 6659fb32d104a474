/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/spsc.h"
#include "pinning/clock.h"
#include "pinning/cpu_list.h"
#include "pinning/quiet.h"
#include "pinning/thread.h"
#include "pinning/thread_usage.h"

TestSuite(cpu_list, .timeout = 5);
TestSuite(thread, .timeout = 10);

Test(cpu_list, refuses_what_is_no_list)
{
	static const char *const bad[] = {
		"x", "1-", "3-1", "-1", "1,,2", "1,", "0-7:0", "0x3", "1024", "99999999999", "1 2"};
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

	cr_assert_eq(
		gn_thread_start(&t, &(struct gn_thread_config){.name = "feed0", .core = core}, look_around, &answer), 0,
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

	cr_assert_eq(gn_thread_start(&t, &(struct gn_thread_config){.name = "a-name-of-15-ch", .core = GN_CORE_ANY},
			     look_around, &answer),
		0);
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
	cr_assert_lt(
		start_bad(&(struct gn_thread_config){.name = "x", .core = GN_CORE_ANY, .stack_bytes = SIZE_MAX}), 0);
}

Test(thread, names_the_core_that_does_not_exist)
{
	cr_assert_lt(start_bad(&(struct gn_thread_config){.name = "rx0", .core = 1000}), 0);
	cr_assert_not_null(strstr(gn_err_text(), "thread rx0: core 1000"), "%s", gn_err_text());
}

Test(thread, its_usage_is_read_from_outside)
{
	struct fake_sys sys = fake_empty();
	struct gn_thread_usage u;

	cr_assert_lt(gn_thread_usage_read(sys.root, 77, &u), 0, "no such thread");
	fake_put(&sys, "/proc/self/task/77/stat",
		"77 (a) b) 9 9 (c) R 1 2 3 4 5 6 100 7 20 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 5 33");
	cr_assert_eq(gn_thread_usage_read(sys.root, 77, &u), 0);
	cr_assert_eq(u.n_faults, 120, "%lu", u.n_faults);
	cr_assert_eq(u.core, 5, "%d", u.core);
	cr_assert_eq(u.n_gave_up + u.n_switched_out + u.run_ns + u.wait_ns, 0, "what is not told is zero");
	fake_put(&sys, "/proc/self/task/77/status", "Name:\ta\nvoluntary_ctxt_switches:\t8\nnonvoluntary_ctxt_switches:\t9");
	fake_put(&sys, "/proc/self/task/77/schedstat", "123456789012 345 6");
	cr_assert_eq(gn_thread_usage_read(sys.root, 77, &u), 0);
	cr_assert_eq(u.n_gave_up, 8);
	cr_assert_eq(u.n_switched_out, 9);
	cr_assert_eq(u.run_ns, 123456789012);
	cr_assert_eq(u.wait_ns, 345);
	static const char *const garbage[] = {"", "77", "77 (x)", "77 (x", ")", "77 (x) R 1 2 3 4 5 6 -1 7 -2 8"};
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
		fake_put(&sys, "/proc/self/task/77/stat", garbage[i]);
		cr_assert_lt(gn_thread_usage_read(sys.root, 77, &u), 0, "%s", garbage[i]);
	}
	fake_free(&sys);
	cr_assert_eq(gn_thread_usage_read("", gettid(), &u), 0);
	cr_assert_gt(u.n_faults, 0);
	cr_assert_geq(u.core, 0);
}

static long warm_faults;

static void warm_main(void *arg)
{
	struct rusage before, after;
	void *mem[100];

	(void)arg;
	gn_heap_warm((size_t)4 << 20);
	getrusage(RUSAGE_THREAD, &before);
	for (size_t i = 0; i < 100; i++)
		memset(mem[i] = malloc(30000), 1, 30000);
	for (size_t i = 0; i < 100; i++)
		free(mem[i]);
	getrusage(RUSAGE_THREAD, &after);
	warm_faults = after.ru_minflt - before.ru_minflt;
}

Test(thread, its_heap_is_there_before_it_is_asked_for)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip("a sanitizer has a heap of its own");
#endif
	struct gn_quiet q;
	struct gn_thread t;

	gn_quiet_begin(&q);
	cr_assert_eq(gn_thread_start(&t, &(struct gn_thread_config){.name = "warm", .core = GN_CORE_ANY}, warm_main, NULL), 0);
	gn_thread_join(&t);
	gn_quiet_end(&q);
	cr_assert_leq(warm_faults, 2, "%ld", warm_faults);
}

/* What a polling core does: a ring, the clock, memory of its own; and what the kernel saw of it after warm-up. */
static struct {
	struct gn_spsc ring;
	uint64_t *memory;
	uint64_t ticks, n_read;
	struct rusage before, after;
} polled;

#define POLLED_WORDS ((size_t)1 << 19)

static uint64_t poll_for(uint64_t ticks)
{
	uint64_t start = gn_tsc(), n = 0;

	while (gn_tsc() - start < ticks) {
		uint64_t word = gn_clock_now_ns();
		cr_assert(gn_spsc_push(&polled.ring, &word, sizeof(word)));
		const struct gn_slot *slot = gn_spsc_peek(&polled.ring, 0);
		polled.memory[(slot->bytes + n * 8) % POLLED_WORDS] ^= word;
		gn_spsc_release(&polled.ring);
		n++;
	}
	return n;
}

static void poll_main(void *arg)
{
	(void)arg;
	poll_for(polled.ticks / 10);
	getrusage(RUSAGE_THREAD, &polled.before);
	polled.n_read = poll_for(polled.ticks);
	getrusage(RUSAGE_THREAD, &polled.after);
}

Test(thread, a_polling_thread_takes_no_page_fault_and_never_gives_up_its_core, .timeout = 60)
{
	struct gn_thread t;
	uint64_t ms = getenv("GANNET_LONG") ? 10000 : 300;

	cr_assert_eq(gn_clock_calibrate(), 0);
	cr_assert_eq(gn_spsc_init(&polled.ring, 1024, sizeof(uint64_t), GN_NODE_ANY), 0);
	polled.memory = gn_mem_alloc(POLLED_WORDS * sizeof(uint64_t), GN_NODE_ANY);
	polled.ticks = gn_clock_ticks_from_ns(ms * 1000 * 1000);
	cr_assert_eq(
		gn_thread_start(&t, &(struct gn_thread_config){.name = "poll0", .core = last_core()}, poll_main, NULL),
		0);
	gn_thread_join(&t);
	cr_assert_gt(polled.n_read, 1000);
	cr_assert_eq(polled.after.ru_nvcsw, polled.before.ru_nvcsw, "gave up its core %ld times",
		polled.after.ru_nvcsw - polled.before.ru_nvcsw);
	cr_assert_eq(polled.after.ru_majflt, polled.before.ru_majflt);
	cr_assert_eq(polled.after.ru_minflt, polled.before.ru_minflt, "%ld page faults",
		polled.after.ru_minflt - polled.before.ru_minflt);
	gn_spsc_fini(&polled.ring);
	gn_mem_free(polled.memory, POLLED_WORDS * sizeof(uint64_t));
}
