/* SPDX-License-Identifier: BSD-3-Clause */
#include "check_host.h"

#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "pinning/clock.h"
#include "pinning/host_apply.h"
#include "pinning/host_report.h"
#include "pinning/jitter.h"

#define STATE_FILE "/var/lib/gannet/host-before.json"
#define SECONDS_MAX 3600

static const char usage[] =
	"usage: gannet check-host [--format text|json] [--cores LIST]\n"
	"       gannet check-host --apply [ROW...] | --revert      [--cores LIST] [--state FILE]\n"
	"       gannet check-host --print-boot | --print-tuned     [--cores LIST]\n"
	"       gannet check-host --jitter [--seconds N] [--svg FILE] [--format text|json] [--cores LIST] [--no-trace]\n"
	"\n"
	"Says, one row a setting, what this host takes away from polling cores, what it costs, and the fix.\n"
	"Changes nothing without --apply.\n"
	"\n"
	"  --cores LIST    where threads poll, such as 2-5,8; else the isolated cores, else all but the lowest\n"
	"  --format F      text (default) or json\n"
	"  --apply ROW...  put right what can be changed at run time, in these rows or in all of them\n"
	"  --revert        put everything back that --apply has changed\n"
	"  --state FILE    where --apply remembers what was there before (" STATE_FILE ")\n"
	"  --print-boot    the kernel parameters for these cores\n"
	"  --print-tuned   a profile for tuned\n"
	"  --jitter        let a thread spin on each core and show what it loses, and to what\n"
	"  --no-trace      do not ask the kernel's tracer for the causes: each of its events costs some 100 ns\n"
	"  --seconds N     for how long (5)\n"
	"  --svg FILE      draw it, too\n"
	"  --root DIR      read /sys and /proc below DIR instead of this machine's\n"
	"\n"
	"Exit status: 0, 1 when a row is bad or something failed, 2 for wrong usage.\n";

enum mode { MODE_CHECK = 0, MODE_APPLY, MODE_REVERT, MODE_BOOT, MODE_TUNED, MODE_JITTER };

struct options {
	enum mode mode;
	bool json, has_cores, help, untraced;
	cpu_set_t cores;
	uint32_t seconds;
	const char *state, *root, *svg;
};

enum { OPT_FORMAT = 256, OPT_CORES, OPT_STATE, OPT_SECONDS, OPT_SVG, OPT_ROOT, OPT_NO_TRACE, OPT_HELP };

static const struct option long_options[] = {
	{"apply", no_argument, NULL, MODE_APPLY},
	{"revert", no_argument, NULL, MODE_REVERT},
	{"print-boot", no_argument, NULL, MODE_BOOT},
	{"print-tuned", no_argument, NULL, MODE_TUNED},
	{"jitter", no_argument, NULL, MODE_JITTER},
	{"format", required_argument, NULL, OPT_FORMAT},
	{"cores", required_argument, NULL, OPT_CORES},
	{"state", required_argument, NULL, OPT_STATE},
	{"seconds", required_argument, NULL, OPT_SECONDS},
	{"svg", required_argument, NULL, OPT_SVG},
	{"root", required_argument, NULL, OPT_ROOT},
	{"no-trace", no_argument, NULL, OPT_NO_TRACE},
	{"help", no_argument, NULL, OPT_HELP},
	{NULL, 0, NULL, 0},
};

static int usage_error(const char *what, const char *value)
{
	fprintf(stderr, "gannet check-host: %s%s%s\n%s", what, value ? ": " : "", value ? value : "", usage);
	return 2;
}

static int set_seconds(struct options *o, const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n < 1 || n > SECONDS_MAX)
		return usage_error("--seconds: expected 1 to 3600", text);
	o->seconds = (uint32_t)n;
	return 0;
}

static int set_cores(struct options *o, const char *text)
{
	o->has_cores = true;
	if (gn_cpus_from_list(text, &o->cores) < 0)
		return usage_error("--cores", gn_err_text());
	return CPU_COUNT(&o->cores) ? 0 : usage_error("--cores: expected at least one core", NULL);
}

static int set_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case OPT_FORMAT:
		o->json = strcmp(value, "json") == 0;
		return o->json || strcmp(value, "text") == 0 ? 0
		                                             : usage_error("--format: expected text or json", value);
	case OPT_CORES: return set_cores(o, value);
	case OPT_SECONDS: return set_seconds(o, value);
	case OPT_STATE: o->state = value; return 0;
	case OPT_SVG: o->svg = value; return 0;
	case OPT_ROOT: o->root = value; return 0;
	case OPT_NO_TRACE: o->untraced = true; return 0;
	case OPT_HELP: o->help = true; return 0;
	default:
		if (option < MODE_APPLY || option > MODE_JITTER)
			return usage_error("not understood", NULL);
		if (o->mode != MODE_CHECK && (int)o->mode != option)
			return usage_error("one thing at a time", NULL);
		o->mode = (enum mode)option;
		return 0;
	}
}

static int parse(struct options *o, int argc, char **argv)
{
	int option, rc = 0;

	optind = 0; /* main() has parsed before */
	while (rc == 0 && (option = getopt_long(argc, argv, "h", long_options, NULL)) != -1)
		rc = set_option(o, option == 'h' ? OPT_HELP : option, optarg);
	if (rc == 0 && !o->help && optind < argc && o->mode != MODE_APPLY)
		rc = usage_error("not expected here", argv[optind]);
	if (rc == 0 && o->root[0] && o->mode == MODE_JITTER)
		rc = usage_error("--jitter watches this machine: no --root", NULL);
	return rc;
}

static void print_line(void *arg, const char *text)
{
	fprintf(arg, "%s\n", text);
}

static int failed(const char *what)
{
	fprintf(stderr, "gannet: error: check-host: %s%s%s\n", what, what[0] ? ": " : "", gn_err_text());
	return 1;
}

/* The rows that were named, or all. */
static int plan_rows(const struct gn_host_view *v, char **names, int n, struct gn_host_plan *p)
{
	bool good = true;

	for (int i = 0; i < n; i++) {
		const struct gn_host_row *row = gn_host_row(names[i]);
		if (!row)
			return usage_error("there is no such row", names[i]);
		if (!gn_host_can_plan(row))
			return usage_error("this row cannot be changed at run time", names[i]);
		good &= gn_host_plan_row(v, row, p);
	}
	for (const struct gn_host_row *row = gn_host_rows(); n == 0 && row->name; row++)
		good &= gn_host_plan_row(v, row, p);
	if (good)
		return 0;
	gn_err(0, "more than %u changes", GN_HOST_PLAN_MAX);
	return failed("apply");
}

static int do_apply(const struct options *o, const struct gn_host_view *v, char **names, int n)
{
	struct gn_host_apply a = {.root = o->root, .state = o->state, .line = print_line, .line_arg = stdout};
	struct gn_host_plan plan = {0};
	int rc = plan_rows(v, names, n, &plan);

	if (rc == 0) {
		int n_failed = gn_host_apply(&a, &plan);
		if (n_failed < 0)
			rc = failed("");
		else
			fprintf(stderr, "gannet: %zu of %zu changes made; --revert puts them back\n",
				plan.n - (size_t)n_failed, plan.n);
		rc = n_failed != 0 ? 1 : 0;
	}
	gn_host_plan_free(&plan);
	return rc;
}

static int do_revert(const struct options *o)
{
	struct gn_host_apply a = {.root = o->root, .state = o->state, .line = print_line, .line_arg = stdout};
	int n_failed = gn_host_revert(&a);

	if (n_failed < 0)
		return failed("");
	if (n_failed > 0)
		fprintf(stderr, "gannet: %d changes could not be put back and stay in %s\n", n_failed, o->state);
	return n_failed ? 1 : 0;
}

/* A watch that is interrupted ends early, and takes its trace with it; a second signal ends the process. */
static _Atomic bool interrupted;

static void on_signal(int signal)
{
	(void)signal;
	interrupted = true;
}

static void catch_signals(void)
{
	const struct sigaction a = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
}

static int do_jitter(const struct options *o, const cpu_set_t *cores)
{
	struct gn_jitter j;

	if (gn_clock_calibrate() < 0)
		return failed("jitter");
	fprintf(stderr, "gannet: watching cores %s for %u s\n", gn_cpus_text(cores).c, o->seconds);
	const struct gn_jitter_options how = {.stop = &interrupted, .trace = !o->untraced};
	catch_signals();
	if (gn_jitter_run(&j, cores, o->seconds, &how) < 0)
		return failed("");
	if (o->json)
		gn_jitter_print_json(&j, stdout);
	else
		gn_jitter_print_text(&j, stdout);
	int rc = o->svg && gn_jitter_plot(&j, o->svg) < 0 ? failed("") : 0;
	if (o->svg && rc == 0)
		fprintf(stderr, "gannet: drawn to %s\n", o->svg);
	gn_jitter_free(&j);
	return rc;
}

static int do_check(const struct options *o, const struct gn_host_view *v)
{
	enum gn_host_state worst = o->json ? gn_host_print_json(v, stdout) : gn_host_print_text(v, stdout);

	return worst == GN_HOST_BAD ? 1 : 0;
}

int check_host_main(int argc, char **argv)
{
	struct options o = {.seconds = 5, .state = STATE_FILE, .root = ""};
	static struct gn_topology topology;
	struct gn_host_view v;
	int rc = parse(&o, argc, argv);

	if (rc != 0)
		return rc;
	if (o.help) {
		fputs(usage, stdout);
		return 0;
	}
	gn_topology_read(&topology, o.root);
	if (o.has_cores && !gn_cpus_within(&o.cores, &topology.online))
		return usage_error("--cores: some are not online", gn_cpus_text(&topology.online).c);
	gn_host_view_init(&v, o.root, &topology, o.has_cores ? &o.cores : NULL);
	switch (o.mode) {
	case MODE_CHECK: return do_check(&o, &v);
	case MODE_APPLY: return do_apply(&o, &v, argv + optind, argc - optind);
	case MODE_REVERT: return do_revert(&o);
	case MODE_BOOT: gn_host_print_boot(&v, stdout); return 0;
	case MODE_TUNED: gn_host_print_tuned(&v, stdout); return 0;
	case MODE_JITTER: return do_jitter(&o, &v.cores);
	}
	return 2;
}
