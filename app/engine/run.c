/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/command.h"
#include "app/control/operator.h"
#include "app/engine/engine.h"
#include "app/engine/live.h"
#include "dataplane/runtime/log.h"
#include "pinning/clock.h"

#define TEND_NS 1000000
#define SESSION_WAIT_NS UINT64_C(20000000000)

struct run_options {
	struct engine_options engine;
	unsigned long long seconds; /* 0: until told to stop */
	bool json, quiet, stats;
};

static void run_usage(FILE *out)
{
	fputs("usage: gannet run CONFIG [OPTION...]\n\n"
	      "Runs the engine until SIGINT or SIGTERM, then cancels every open order, logs out and prints the figures.\n\n"
	      "  --topology FILE   instead of the topology that the config names\n"
	      "  --seconds N       stop by itself after N seconds of trading\n"
	      "  --journal FILE    instead of the journal that the config names; if it is there the engine goes on from it\n"
	      "  --output FOLDER   where the journal, the latency plot and its data go (default .)\n"
	      "  --format json     figures as one JSON line on standard output\n"
	      "  --stats           print every counter at the end\n"
	      "  --quiet           no live line\n",
		out);
}

/* EXIT_OK: go on. Anything else: stop with it. *done: stop with EXIT_OK. */
static int run_parse(int argc, char **argv, struct run_options *o, bool *done)
{
	static const struct option longs[] = {{"topology", 1, NULL, 't'}, {"seconds", 1, NULL, 's'}, {"output", 1, NULL, 'o'}, {"journal", 1, NULL, 'j'},
		{"format", 1, NULL, 'f'}, {"quiet", 0, NULL, 'q'}, {"stats", 0, NULL, 'c'}, {"help", 0, NULL, 'h'}, {0}};
	int c;

	*o = (struct run_options){.engine.output_folder = "."};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 't': o->engine.topology_path = optarg; break;
		case 's':
			if (!command_number("--seconds", optarg, 86400 * 7, &o->seconds))
				return EXIT_USAGE;
			break;
		case 'j': o->engine.journal_path = optarg; break;
		case 'o': o->engine.output_folder = optarg; break;
		case 'f':
			o->json = strcmp(optarg, "json") == 0;
			if (!o->json && strcmp(optarg, "text") != 0) {
				fprintf(stderr, "gannet: --format: %s: expected text or json\n", optarg);
				return EXIT_USAGE;
			}
			break;
		case 'q': o->quiet = true; break;
		case 'c': o->stats = true; break;
		case 'h':
			run_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: run_usage(stderr); return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		run_usage(stderr);
		return EXIT_USAGE;
	}
	o->engine.config_path = argv[optind];
	return EXIT_OK;
}

/* When to stop by itself: the seconds count from the first session that is up, or from when none came in good time. */
static uint64_t run_end_ns(const struct engine *e, const struct run_options *o, const struct live *live)
{
	uint64_t late_ns = live->start_ns + SESSION_WAIT_NS, now_ns = gn_clock_now_ns();
	struct risk_snapshot s;

	engine_snapshot(e, &s);
	if (!s.up && now_ns < late_ns)
		return UINT64_MAX;
	return (now_ns < late_ns ? now_ns : late_ns) + o->seconds * UINT64_C(1000000000);
}

static void run_loop(struct engine *e, struct operator *operator, const struct run_options *o, struct live *live)
{
	uint64_t end_ns = UINT64_MAX;
	bool stopping = false;

	while (!stopping || !engine_stopped(e)) {
		operator_serve(operator, TEND_NS);
		engine_tend(e);
		if (!o->quiet)
			live_tick(live, e);
		if (o->seconds && end_ns == UINT64_MAX && (end_ns = run_end_ns(e, o, live)) != UINT64_MAX)
			live_window_begin(live, e);
		if (!stopping && (atomic_load(&command_interrupted) || gn_clock_now_ns() >= end_ns)) {
			live_window_end(live, e);
			engine_stop_begin(e);
			stopping = true;
		}
	}
	if (!o->quiet)
		live_end(live);
}

static void run_report(const struct engine *e, const struct run_options *o, const struct live *live)
{
	char svg[512], window[128] = "";

	if (o->json) {
		if (live->from_ns)
			snprintf(window, sizeof(window), "\"messages\":%llu,\"window_ns\":%llu,",
				(unsigned long long)(live->to_messages - live->from_messages),
				(unsigned long long)(live->to_ns - live->from_ns));
		latency_print_json(engine_latency(e), window, stdout);
	} else {
		live_print_counts(e, (double)(gn_clock_now_ns() - live->start_ns) / 1e9, stdout);
		fputc('\n', stdout);
		latency_print(engine_latency(e), stdout);
	}
	if (o->stats)
		live_print_stats(e, o->json ? stderr : stdout);
	if (latency_plot(engine_latency(e), o->engine.output_folder, svg, sizeof(svg)) == 0)
		fprintf(o->json ? stderr : stdout, "\nlatency plot: %s\n", svg);
	else
		gn_warn("%s", gn_err_text());
	fprintf(o->json ? stderr : stdout, "journal: %s\n", engine_journal_path(e));
}

int run_main(int argc, char **argv)
{
	struct run_options o;
	struct live live;
	bool done = false;
	int status = run_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	if (mkdir(o.engine.output_folder, 0777) < 0 && errno != EEXIST) {
		gn_err(errno, "--output %s", o.engine.output_folder);
		return command_failed();
	}
	command_catch_signals();
	struct engine *e = engine_new(&o.engine);
	if (!e)
		return command_failed();
	struct operator *operator = operator_new(e);
	if (!operator || engine_start(e) < 0) {
		operator_free(operator);
		engine_free(e);
		return command_failed();
	}
	gn_info("%s runs %s", engine_name(e), engine_topology_path(e));
	live_begin(&live);
	run_loop(e, operator, &o, &live);
	engine_halt(e);
	operator_free(operator);
	run_report(e, &o, &live);
	if (*engine_stop_trouble(e))
		gn_error("the stop was not clean: %s", engine_stop_trouble(e));
	return engine_free(e) ? EXIT_OK : EXIT_FAILED;
}
