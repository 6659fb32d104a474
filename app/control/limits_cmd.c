/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "client.h"
#include "control_cmd.h"
#include "show.h"

struct limits_options {
	const char *engine, *level, *name;
	bool json;
};

static void limits_usage(FILE *out)
{
	fputs("usage: gannet limits show [--instrument I]\n"
	      "       gannet limits set --engine | --account A | --strategy S | --instrument I KEY VALUE\n"
	      "       gannet limits confirm NUMBER\n\n"
	      "Shows or changes limits of the running engine. A tighter limit applies at once; a looser one too, but "
	      "never\n"
	      "beyond what the engine was started with, and, where the config asks for two, once another person "
	      "confirms it.\n"
	      "Who changed what and when is journaled.\n\n"
	      "  --name NAME       which engine, when several run here\n"
	      "  --format json     one JSON object instead of words\n",
		out);
}

/* EXIT_OK: go on. */
static int limits_parse(int argc, char **argv, struct limits_options *o, bool *done)
{
	static const struct option longs[] = {{"engine", 0, NULL, 'e'}, {"account", 1, NULL, 'a'},
		{"strategy", 1, NULL, 's'}, {"instrument", 1, NULL, 'i'}, {"name", 1, NULL, 'n'},
		{"format", 1, NULL, 'f'}, {"help", 0, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'e': o->level = "engine", o->name = ""; break;
		case 'a': o->level = "account", o->name = optarg; break;
		case 's': o->level = "strategy", o->name = optarg; break;
		case 'i': o->level = "instrument", o->name = optarg; break;
		case 'n': o->engine = optarg; break;
		case 'f':
			if (!control_format(optarg, &o->json))
				return EXIT_USAGE;
			break;
		case 'h':
			limits_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: limits_usage(stderr); return EXIT_USAGE;
		}
	}
	return EXIT_OK;
}

static int limits_send(const struct limits_options *o, json_t *request)
{
	struct control_place place;

	if (control_find(&place, o->engine) < 0) {
		json_decref(request);
		return command_failed();
	}
	json_t *a = control_ask(&place, request);
	if (!a)
		return command_failed();
	if (o->json)
		return show_json(a) < 0 ? command_failed() : EXIT_OK;
	const char *state = json_string_value(json_object_get(a, "state"));
	long long pending = json_integer_value(json_object_get(a, "pending"));
	printf("%s of %s %s: %lld > %lld (%lld at the start)%s\n", json_string_value(json_object_get(a, "key")),
		json_string_value(json_object_get(a, "level")), json_string_value(json_object_get(a, "name")),
		(long long)json_integer_value(json_object_get(a, "before")),
		(long long)json_integer_value(json_object_get(a, "value")),
		(long long)json_integer_value(json_object_get(a, "hard")),
		state && strcmp(state, "pending") == 0 ? ": not yet" : "");
	if (pending)
		printf("another person must confirm it within ten minutes: gannet limits confirm %lld\n", pending);
	json_decref(a);
	return EXIT_OK;
}

static int limits_set(const struct limits_options *o, char **argv)
{
	unsigned long long value;

	if (!command_number(argv[0], argv[1], INT64_MAX, &value))
		return EXIT_USAGE;
	return limits_send(o, json_pack("{s:s, s:s, s:s, s:s, s:I}", "do", "limit", "level", o->level, "name", o->name,
				      "key", argv[0], "value", (json_int_t)value));
}

static int limits_confirm(const struct limits_options *o, const char *number)
{
	unsigned long long id;

	if (!command_number("confirm", number, UINT32_MAX, &id))
		return EXIT_USAGE;
	return limits_send(o, json_pack("{s:s, s:I}", "do", "confirm", "id", (json_int_t)id));
}

int limits_main(int argc, char **argv)
{
	struct limits_options o = {0};
	bool done = false;
	int status = limits_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	int n = argc - optind;
	const char *verb = n > 0 ? argv[optind] : "";
	bool of_instrument = o.level && strcmp(o.level, "instrument") == 0;
	if (strcmp(verb, "show") == 0 && n == 1 && (!o.level || of_instrument)) {
		const struct show_options show = {.name = o.engine, .instrument = o.name, .json = o.json};
		return show_risk(&show) < 0 ? command_failed() : EXIT_OK;
	}
	if (strcmp(verb, "set") == 0 && n == 3 && o.level)
		return limits_set(&o, argv + optind + 1);
	if (strcmp(verb, "confirm") == 0 && n == 2)
		return limits_confirm(&o, argv[optind + 1]);
	limits_usage(stderr);
	return EXIT_USAGE;
}
