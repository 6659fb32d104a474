/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>

#include "fake_sys.h"

#include "app/check_host.h"
#include "dataplane/runtime/err.h"
#include "pinning/clock.h"
#include "pinning/jitter.h"
#include "pinning/quiet.h"
#include "pinning/sys_file.h"

static struct fake_sys sys;

static void clean_up(void)
{
	if (sys.root[0])
		fake_free(&sys);
}

/* Runs the command with standard output into a text. */
static int run(char **text, int argc, const char *const *args)
{
	char *argv[16] = {(char *)(uintptr_t) "check-host"};
	size_t n = 0;

	for (int i = 0; i < argc; i++)
		argv[i + 1] = (char *)(uintptr_t)args[i];
	FILE *before = stdout;
	*text = NULL;
	stdout = open_memstream(text, &n);
	int rc = check_host_main(argc + 1, argv);
	fclose(stdout);
	stdout = before;
	return rc;
}

#define RUN(text, ...)                                                                                                 \
	run(text, (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)), (const char *[]){__VA_ARGS__})

TestSuite(check_host_cli, .init = cr_redirect_stderr, .fini = clean_up, .timeout = 60);

/* Status 2, and nothing on standard output, which is for data. */
#define WRONG(...)                                     \
	do {                                           \
		char *text;                            \
		cr_assert_eq(RUN(&text, __VA_ARGS__), 2); \
		cr_assert_str_eq(text, "");            \
		free(text);                            \
	} while (0)

Test(check_host_cli, wrong_usage_is_status_2)
{
	WRONG("--nonsense");
	WRONG("--format", "xml");
	WRONG("--cores", "x");
	WRONG("--cores", "");
	WRONG("--cores", "1000");
	WRONG("--seconds", "0");
	WRONG("--seconds", "5x");
	WRONG("--revert", "--print-boot");
	WRONG("word");
	WRONG("--jitter", "--root", "/tmp");
	WRONG("--apply", "no_such_row");
	WRONG("--apply", "tsc");
}

Test(check_host_cli, help_goes_to_standard_output)
{
	char *text;

	cr_assert_eq(RUN(&text, "--help"), 0);
	cr_assert_eq(strncmp(text, "usage: gannet check-host", 24), 0);
	free(text);
}

Test(check_host_cli, status_is_1_when_a_row_is_bad)
{
	char *text;
	json_error_t error;

	sys = fake_machine("vm");
	cr_assert_eq(RUN(&text, "--root", sys.root, "--format", "json"), 1);
	json_t *all = json_loads(text, 0, &error);
	cr_assert_not_null(all, "%s", error.text);
	json_decref(all);
	free(text);
	fake_free(&sys);
	sys = fake_machine("xeon2");
	cr_assert_eq(RUN(&text, "--root", sys.root), 0, "%s", text);
	free(text);
}

Test(check_host_cli, applies_named_rows_and_reverts_them)
{
	char *text, state[128], value[64];

	sys = fake_machine("epyc");
	snprintf(state, sizeof(state), "%s.json", sys.root);
	cr_assert_eq(RUN(&text, "--root", sys.root, "--state", state, "--apply", "ksm", "swappiness"), 0);
	cr_assert_not_null(strstr(text, "ksm: 0 > /sys/kernel/mm/ksm/run"), "%s", text);
	free(text);
	gn_sys_read(sys.root, "/proc/sys/vm/swappiness", value, sizeof(value));
	cr_assert_str_eq(value, "1");
	gn_sys_read(sys.root, "/proc/sys/kernel/numa_balancing", value, sizeof(value));
	cr_assert_str_eq(value, "1", "a row that was not named is left alone");
	cr_assert_eq(RUN(&text, "--root", sys.root, "--state", state, "--revert"), 0);
	free(text);
	gn_sys_read(sys.root, "/proc/sys/vm/swappiness", value, sizeof(value));
	cr_assert_str_eq(value, "60");
}

Test(check_host_cli, checking_and_printing_change_nothing)
{
	char *text, value[64];

	sys = fake_machine("epyc");
	RUN(&text, "--root", sys.root);
	free(text);
	cr_assert_eq(RUN(&text, "--root", sys.root, "--print-boot", "--cores", "8-11"), 0);
	cr_assert_not_null(strstr(text, "nohz_full=8-11"), "%s", text);
	free(text);
	cr_assert_eq(RUN(&text, "--root", sys.root, "--print-tuned"), 0);
	free(text);
	gn_sys_read(sys.root, "/sys/kernel/mm/ksm/run", value, sizeof(value));
	cr_assert_str_eq(value, "1");
}

static int a_core(cpu_set_t *set)
{
	cr_assert_eq(sched_getaffinity(0, sizeof(*set), set), 0);
	int core = gn_cpus_next(set, 0);
	CPU_ZERO(set);
	CPU_SET((size_t)core, set);
	return core;
}

Test(check_host_cli, jitter_watches_a_core_and_draws_it)
{
	struct gn_jitter j;
	cpu_set_t cores;
	char svg[] = "/tmp/gannet-jitter-XXXXXX", head[8192];
	int core = a_core(&cores);

	cr_assert_eq(gn_clock_calibrate(), 0);
	cr_assert_eq(gn_jitter_run(&j, &cores, 1, NULL), 0, "%s", gn_err_text());
	cr_assert_eq(j.n, 1);
	cr_assert_eq(j.core[0].core, core);
	cr_assert_geq(j.core[0].run_ns, 990000000);
	cr_assert_gt(j.core[0].n_turns, 1000);
	cr_assert_leq(j.core[0].lost_ns, j.core[0].run_ns);
	cr_assert_eq(j.core[0].worst[0].gap_ns, j.core[0].gaps.max);
	for (size_t i = 1; i < GN_JITTER_WORST; i++)
		cr_assert_leq(j.core[0].worst[i].gap_ns, j.core[0].worst[i - 1].gap_ns);
	close(mkstemp(svg));
	if (gn_jitter_plot(&j, svg) == 0) {
		cr_assert_gt(gn_sys_read("", svg, head, sizeof(head)), 100);
		cr_assert_not_null(strstr(head, "<svg"));
	}
	unlink(svg);
	cr_assert_lt(gn_jitter_plot(&j, "/nowhere/at/all.svg"), 0);
	cr_assert_lt(gn_jitter_plot(&j, "/tmp/a'b.svg"), 0);
	gn_jitter_free(&j);
}

Test(check_host_cli, jitter_refuses_a_core_that_is_not_there)
{
	struct gn_jitter j;
	cpu_set_t cores;

	CPU_ZERO(&cores);
	cr_assert_lt(gn_jitter_run(&j, &cores, 1, NULL), 0);
	CPU_SET(1000, &cores);
	cr_assert_eq(gn_clock_calibrate(), 0);
	cr_assert_lt(gn_jitter_run(&j, &cores, 1, NULL), 0);
	cr_assert_not_null(strstr(gn_err_text(), "core 1000"), "%s", gn_err_text());
}

Test(check_host_cli, quiet_says_what_it_could_not_have)
{
#ifdef __SANITIZE_ADDRESS__
	cr_skip("a sanitizer's shadow memory cannot be locked");
#endif
	struct gn_quiet q;

	gn_quiet_begin(&q);
	cr_assert_eq(q.why[0] == '\0', q.memory_locked && q.awake, "%s", q.why);
	gn_quiet_end(&q);
	cr_assert_not(q.memory_locked);
}
