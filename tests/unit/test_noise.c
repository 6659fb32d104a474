/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "pinning/clock.h"
#include "pinning/jitter.h"
#include "pinning/noise.h"
#include "pinning/sys_file.h"

#define TRACING "/sys/kernel/tracing"

static struct fake_sys sys;
static char instance[128];
static cpu_set_t cores;

static void put(const char *file, const char *value)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", instance, file);
	fake_put(&sys, path, value);
}

/* A tracer as the kernel lays it out, with the instance already there that this process would make. */
static void given_tracer(void)
{
	sys = fake_empty();
	snprintf(instance, sizeof(instance), TRACING "/instances/gannet-jitter-%d", (int)getpid());
	put("trace_clock", "[local] global x86-tsc");
	put("tracing_cpumask", "ff");
	put("buffer_size_kb", "7");
	put("current_tracer", "nop");
	put("events/sched/sched_switch/enable", "0");
	put("events/irq/irq_handler_entry/enable", "0");
	put("trace_pipe", "");
	cr_assert_eq(gn_cpus_from_list("0,3", &cores), 0);
}

static void clean_up(void)
{
	if (sys.root[0])
		fake_free(&sys);
}

static void expect_file(const char *path, const char *value)
{
	char text[128];

	cr_assert_geq(gn_sys_read(sys.root, path, text, sizeof(text)), 0, "%s", path);
	cr_assert_str_eq(text, value, "%s", path);
}

static void expect_cause(const struct gn_noise *n, int core, uint64_t from, uint64_t to, const char *words)
{
	char text[128];

	cr_assert_eq(gn_noise_cause(n, core, from, to, text, sizeof(text)), words[0] != '\0');
	cr_assert_str_eq(text, words);
}

static struct gn_noise *begin(void)
{
	struct gn_noise *n = gn_noise_begin(sys.root, &cores);

	cr_assert_not_null(n, "%s", gn_err_text());
	return n;
}

TestSuite(noise, .fini = clean_up, .timeout = 30);

Test(noise, without_a_tracer_it_says_so)
{
	sys = fake_empty();
	cr_assert_null(gn_noise_begin(sys.root, &cores));
	cr_assert_not_null(strstr(gn_err_text(), "tracefs"), "%s", gn_err_text());
	gn_noise_end(NULL);
}

Test(noise, sets_up_an_instance_of_its_own_only)
{
	char path[256];

	given_tracer();
	fake_put(&sys, TRACING "/tracing_on", "1");
	fake_put(&sys, TRACING "/events/sched/sched_switch/enable", "0");
	struct gn_noise *n = begin();
	snprintf(path, sizeof(path), "%s/events/sched/sched_switch/enable", instance);
	expect_file(path, "1");
	snprintf(path, sizeof(path), "%s/tracing_cpumask", instance);
	expect_file(path, "9");
	snprintf(path, sizeof(path), "%s/trace_clock", instance);
	expect_file(path, "x86-tsc");
	expect_file(TRACING "/events/sched/sched_switch/enable", "0");
	gn_noise_end(n);
}

Test(noise, a_tracer_without_our_clock_or_events_is_refused)
{
	char path[256];

	given_tracer();
	snprintf(path, sizeof(path), "%s/trace_clock", instance);
	fake_drop(&sys, path);
	cr_assert_null(gn_noise_begin(sys.root, &cores));
	put("trace_clock", "[local]");
	snprintf(path, sizeof(path), "%s/events", instance);
	fake_drop(&sys, path);
	cr_assert_null(gn_noise_begin(sys.root, &cores));
	cr_assert_not_null(strstr(gn_err_text(), "none of the events"), "%s", gn_err_text());
}

Test(noise, instances_of_the_dead_are_taken_away)
{
	given_tracer();
	char path[256];
	snprintf(path, sizeof(path), "%s" TRACING "/instances/gannet-jitter-999999999", sys.root);
	mkdir(path, 0700);
	gn_noise_end(begin());
	cr_assert_neq(access(path, F_OK), 0);
}

Test(noise, osnoise_measures_without_its_own_threads)
{
	char path[256];

	given_tracer();
	fake_put(&sys, TRACING "/osnoise/options", "NO_DEFAULTS OSNOISE_WORKLOAD NO_PANIC_ON_STOP");
	gn_noise_end(begin());
	expect_file(TRACING "/osnoise/options", "NO_OSNOISE_WORKLOAD");
	snprintf(path, sizeof(path), "%s/current_tracer", instance);
	expect_file(path, "osnoise");
}

Test(noise, names_what_happened_on_a_core_in_its_time)
{
	uint64_t n_lost;

	given_tracer();
	put("trace_pipe",
		"# tracer: nop\n"
		"         jitter0-77      [000] d.h1. 1000: local_timer_entry: vector=236\n"
		"         jitter0-77      [000] ..s1. 1005: softirq_entry: vec=1 [action=TIMER]\n"
		"         jitter0-77      [000] d..2. 1010: sched_switch: prev_comm=jitter0 prev_pid=77 prev_prio=120 prev_state=R ==> "
		"next_comm=my [001] comm next_pid=12 next_prio=120\n"
		"   my [001] comm-12      [000] d..2. 1020: sched_switch: prev_comm=my [001] comm prev_pid=12 prev_prio=120 prev_state=S "
		"==> next_comm=jitter0 next_pid=77 next_prio=120\n"
		"         jitter3-78      [003] d.h1. 1012: irq_handler_entry: irq=24 name=eth0-rx-1\n"
		"         jitter3-78      [003] d.h1. 1013: irq_handler_entry: irq=24 name=eth0-rx-1\n"
		"         jitter3-78      [003] ..... 2000: irq_noise: local_timer:236 start 12.000000001 duration 4711 ns\n"
		"         jitter3-78      [003] ..... 2001: thread_noise: kworker/3:1:99 start 12.1 duration 99 ns\n"
		"         jitter3-78      [003] ..... 2002: nmi_handler: perf_event_nmi_handler() delta_ns: 4000 handled: 1\n"
		"         jitter3-78      [003] d..1. 2003: page_fault_user: address=0x7f ip=0x7f error_code=0x6\n"
		"CPU:3 [LOST 17 EVENTS]\n"
		"the end of it is cut [003] d..1. 99: irq_ha");
	struct gn_noise *n = begin();
	gn_noise_drain(n);
	cr_assert_eq(gn_noise_events(n, &n_lost), 9, "%lu", gn_noise_events(n, &n_lost));
	cr_assert_eq(n_lost, 17);
	expect_cause(n, 0, 1000, 1020, "local_timer, softirq TIMER, thread my [001] comm");
	expect_cause(n, 0, 1001, 1009, "softirq TIMER");
	expect_cause(n, 3, 1000, 1020, "interrupt eth0-rx-1");
	expect_cause(n, 3, 2000, 2003, "local_timer, kworker/3:1, nmi, page_fault_user");
	expect_cause(n, 3, 1014, 1999, "");
	expect_cause(n, 7, 0, UINT64_MAX, "");
	gn_noise_end(n);
}

Test(noise, random_bytes_and_broken_lines_break_nothing)
{
	static const char *const parts[] = {"[000] ", "[999999999999] ", "d..1. ", "123: ", "18446744073709551616: ",
		"sched_switch: ", "next_comm=", " next_pid=", "irq_handler_entry: ", "name=", "softirq_entry: ", "action=", "\n", ":",
		"_noise:", "_entry:", "[LOST 99999999999999999999 EVENTS]", "[", "]", " ", "x"};
	const char *seed_text = getenv("GANNET_SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 4711u;
	static char text[60000];
	uint64_t n_lost;

	given_tracer();
	srand(seed);
	for (int round = 0; round < 200; round++) {
		size_t n_text = 0;
		while (n_text + 64 < sizeof(text) / (size_t)(1 + round % 20)) {
			if (rand() % 4)
				n_text += (size_t)snprintf(text + n_text, 64, "%s", parts[(size_t)rand() % (sizeof(parts) / sizeof(parts[0]))]);
			else
				text[n_text++] = (char)(1 + rand() % 255);
		}
		text[n_text] = '\0';
		put("trace_pipe", text);
		put("trace_clock", "[local] global x86-tsc");
		struct gn_noise *n = begin();
		gn_noise_drain(n);
		char words[20];
		gn_noise_events(n, &n_lost);
		gn_noise_cause(n, 0, 0, UINT64_MAX, words, sizeof(words));
		cr_assert_lt(strlen(words), sizeof(words), "seed %u", seed);
		gn_noise_end(n);
	}
}

Test(noise, the_worst_gaps_of_a_watch_get_their_causes)
{
	struct gn_jitter j;
	cpu_set_t set;
	json_t *all;

	given_tracer();
	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	int core = gn_cpus_next(&set, 0);
	CPU_ZERO(&set);
	CPU_SET((size_t)core, &set);
	cr_assert_eq(gn_clock_calibrate(), 0);
	/* an event in every microsecond of the coming second: whatever gap there is has one */
	char path[256];
	uint64_t us = gn_clock_ticks_from_ns(1000), tsc = gn_tsc();
	snprintf(path, sizeof(path), "%s%s/trace_pipe", sys.root, instance);
	FILE *f = fopen(path, "w");
	for (int i = 0; i < 900000; i++)
		fprintf(f, " x-1 [%03d] d..1. %lu: irq_handler_entry: irq=1 name=eth9\n", core, tsc + (uint64_t)i * 2 * us);
	fclose(f);
	cr_assert_eq(gn_jitter_run(&j, &set, 1, &(struct gn_jitter_options){.trace = true, .root = sys.root}), 0, "%s", gn_err_text());
	cr_assert(j.traced);
	cr_assert_gt(j.n_events, 1000);
	char *text = NULL;
	size_t n = 0;
	f = open_memstream(&text, &n);
	gn_jitter_print_json(&j, f);
	fclose(f);
	all = json_loads(text, 0, NULL);
	cr_assert_not_null(all, "%s", text);
	cr_assert(json_is_true(json_object_get(all, "traced")));
	if (j.core[0].worst[0].gap_ns > 10000)
		cr_assert_str_eq(j.core[0].worst[0].cause, "interrupt eth9");
	json_decref(all);
	free(text);
	gn_jitter_free(&j);
}

Test(noise, a_watch_can_be_ended_early_and_goes_on_without_a_tracer)
{
	_Atomic bool stop = true;
	struct gn_jitter j;
	cpu_set_t set;

	sys = fake_empty();
	cr_assert_eq(gn_clock_calibrate(), 0);
	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	cr_assert_eq(gn_jitter_run(&j, &set, 3600, &(struct gn_jitter_options){.stop = &stop, .trace = true, .root = sys.root}), 0);
	cr_assert_not(j.traced);
	cr_assert_not_null(strstr(j.untraced, "tracefs"), "%s", j.untraced);
	gn_jitter_free(&j);
}
