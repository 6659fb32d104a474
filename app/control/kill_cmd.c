/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "client.h"
#include "control_cmd.h"
#include "show.h"

struct kill_options {
	const char *engine, *level, *name, *reason;
	bool release, drill, json;
	uint32_t n_levels;
};

static void kill_usage(FILE *out)
{
	fputs("usage: gannet kill --engine | --account A | --strategy S | --instrument I --reason TEXT\n"
	      "       gannet kill --release (the same)\n"
	      "       gannet kill --drill [--instrument I]\n\n"
	      "Throws a kill switch of the running engine: new orders are refused, open ones cancelled. It stays "
	      "thrown, also over\n"
	      "a restart of the engine, until a person releases it.\n\n"
	      "  --engine          of everything\n"
	      "  --account A       of an account\n"
	      "  --strategy S      of a strategy\n"
	      "  --instrument I    of an instrument, by its symbol\n"
	      "  --reason TEXT     why: goes to the journal; required\n"
	      "  --release         release the switch instead\n"
	      "  --drill           throw, sweep and release a switch, and print how long each step took: on no "
	      "instrument,\n"
	      "                    which stops short of the wire, or on one, whose open orders are then cancelled at "
	      "the venue\n"
	      "  --name NAME       which engine, when several run here\n"
	      "  --format json     one JSON object instead of words\n",
		out);
}

static void take_level(struct kill_options *o, const char *level, const char *name)
{
	o->level = level;
	o->name = name;
	o->n_levels++;
}

/* EXIT_OK: go on. */
static int kill_parse(int argc, char **argv, struct kill_options *o, bool *done)
{
	static const struct option longs[] = {{"engine", 0, NULL, 'e'}, {"account", 1, NULL, 'a'},
		{"strategy", 1, NULL, 's'}, {"instrument", 1, NULL, 'i'}, {"reason", 1, NULL, 'r'},
		{"release", 0, NULL, 'R'}, {"drill", 0, NULL, 'd'}, {"name", 1, NULL, 'n'}, {"format", 1, NULL, 'f'},
		{"help", 0, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'e': take_level(o, "engine", ""); break;
		case 'a': take_level(o, "account", optarg); break;
		case 's': take_level(o, "strategy", optarg); break;
		case 'i': take_level(o, "instrument", optarg); break;
		case 'r': o->reason = optarg; break;
		case 'R': o->release = true; break;
		case 'd': o->drill = true; break;
		case 'n': o->engine = optarg; break;
		case 'f':
			if (!control_format(optarg, &o->json))
				return EXIT_USAGE;
			break;
		case 'h':
			kill_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: kill_usage(stderr); return EXIT_USAGE;
		}
	}
	bool drill_on = o->n_levels == 0 || (o->n_levels == 1 && strcmp(o->level, "instrument") == 0);
	if (optind == argc && (o->drill ? drill_on && !o->release : o->n_levels == 1))
		return EXIT_OK;
	kill_usage(stderr);
	return EXIT_USAGE;
}

static void print_drill(const json_t *a)
{
	const char *mode, *instrument;
	json_int_t orders, before, cancels;
	double blocked, swept, gone, released;

	if (json_unpack((json_t *)(uintptr_t)a, "{s:s, s:s, s:I, s:I, s:I, s:F, s:F, s:F, s:F}", "mode", &mode,
		    "instrument", &instrument, "orders_in_engine", &orders, "open_before", &before, "cancels", &cancels,
		    "blocked_us", &blocked, "swept_us", &swept, "gone_us", &gone, "released_us", &released)
		< 0)
		return;
	bool wire = strcmp(mode, "wire") == 0;
	printf("drill passed, %s\n", wire ? instrument : "on no instrument: it stops short of the wire");
	printf("  %-52s %12.1f us\n", "new orders blocked after", blocked);
	printf("  %-52s %12.1f us\n", "every open order of the engine looked at after", swept);
	if (wire)
		printf("  %-52s %12.1f us\n", "the last one cancelled at the venue after", gone);
	printf("  %-52s %12.1f us\n", "released after", released);
	printf("  %lld orders open in the engine, %lld of them on the instrument, %lld cancels sent\n",
		(long long)orders, (long long)before, (long long)cancels);
}

static int print_kill(const struct kill_options *o, const json_t *a)
{
	long long before = json_integer_value(json_object_get(a, "open_before"));
	long long after = json_integer_value(json_object_get(a, "open_after"));

	if (o->release) {
		printf("%s%s%s may trade again\n", o->level, *o->name ? " " : "", o->name);
		return EXIT_OK;
	}
	printf("%s%s%s is blocked after %.1f us; open orders: %lld before, %lld after %.1f us\n", o->level,
		*o->name ? " " : "", o->name, json_number_value(json_object_get(a, "blocked_us")), before, after,
		json_number_value(json_object_get(a, "cancelled_us")));
	if (after)
		fprintf(stderr, "gannet: %lld orders are still open: the engine goes on cancelling them\n", after);
	return after ? EXIT_FAILED : EXIT_OK;
}

int kill_main(int argc, char **argv)
{
	struct kill_options o = {0};
	struct control_place place;
	bool done = false;
	int status = kill_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	if (control_find(&place, o.engine) < 0)
		return command_failed();
	json_t *request = o.drill ? json_pack("{s:s, s:s*}", "do", "drill", "instrument", o.name)
	                          : json_pack("{s:s, s:s, s:s, s:s}", "do", o.release ? "release" : "kill", "level",
					  o.level, "name", o.name, "reason", o.reason ? o.reason : "");
	json_t *answer = control_ask(&place, request);
	if (!answer)
		return command_failed();
	if (o.json) {
		status = json_integer_value(json_object_get(answer, "open_after")) ? EXIT_FAILED : EXIT_OK;
		return show_json(answer) < 0 ? command_failed() : status;
	}
	if (o.drill)
		print_drill(answer);
	else
		status = print_kill(&o, answer);
	json_decref(answer);
	return status;
}
