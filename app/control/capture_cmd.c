/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app/command.h"
#include "client.h"
#include "control_cmd.h"
#include "dataplane/runtime/err.h"
#include "show.h"

#define LOOK_NS 200000000

struct capture_options {
	const char *name, *file;
	unsigned long long seconds, rotate_bytes, files_max, snap_bytes;
	bool stop, json;
};

static void capture_usage(FILE *out)
{
	fputs("usage: gannet capture FILE [OPTION...]\n"
	      "       gannet capture --stop\n\n"
	      "Writes every frame that comes to and goes from the port of a running engine to FILE, as pcapng with nanosecond\n"
	      "stamps, until SIGINT or SIGTERM. `gannet replay` reads it back.\n\n"
	      "  --seconds N        end by itself after N seconds\n"
	      "  --rotate-bytes N   begin a new file (-00001 and so on before the extension) when one is so long\n"
	      "  --files-max N      of the rotation: remove the oldest when there are more\n"
	      "  --snap-bytes N     of each frame (default: all)\n"
	      "  --stop             end a capture that somebody else began\n"
	      "  --name NAME        which engine, when several run here\n"
	      "  --format json      the figures as one JSON object\n",
		out);
}

/* EXIT_OK: go on. */
static int capture_parse(int argc, char **argv, struct capture_options *o, bool *done)
{
	static const struct option longs[] = {{"seconds", 1, NULL, 's'}, {"rotate-bytes", 1, NULL, 'r'},
		{"files-max", 1, NULL, 'm'}, {"snap-bytes", 1, NULL, 'b'}, {"stop", 0, NULL, 'S'}, {"name", 1, NULL, 'n'},
		{"format", 1, NULL, 'f'}, {"help", 0, NULL, 'h'}, {0}};
	bool ok = true;
	int c;

	while (ok && (c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 's': ok = command_number("--seconds", optarg, 86400 * 7, &o->seconds); break;
		case 'r': ok = command_number("--rotate-bytes", optarg, 1ull << 40, &o->rotate_bytes); break;
		case 'm': ok = command_number("--files-max", optarg, 99999, &o->files_max); break;
		case 'b': ok = command_number("--snap-bytes", optarg, 2048, &o->snap_bytes); break;
		case 'S': o->stop = true; break;
		case 'n': o->name = optarg; break;
		case 'f': ok = control_format(optarg, &o->json); break;
		case 'h':
			capture_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: capture_usage(stderr); return EXIT_USAGE;
		}
	}
	if (!ok)
		return EXIT_USAGE;
	o->file = argv[optind];
	if (optind + (o->stop ? 0 : 1) == argc)
		return EXIT_OK;
	capture_usage(stderr);
	return EXIT_USAGE;
}

/* The engine's folder is not ours. */
static int absolute(const char *file, char *out, size_t bytes)
{
	char folder[4096] = "";
	int n;

	if (file[0] != '/' && !getcwd(folder, sizeof(folder)))
		return gn_err(errno, "%s", file);
	n = snprintf(out, bytes, "%s%s%s", folder, *folder ? "/" : "", file);
	return n > 0 && (size_t)n < bytes ? 0 : gn_err(ENAMETOOLONG, "%s", file);
}

static json_t *ask(const struct control_place *p, const char *action)
{
	return control_ask(p, json_pack("{s:s, s:s}", "do", "capture", "action", action));
}

static json_t *begin(const struct control_place *p, const struct capture_options *o)
{
	char path[1024];

	if (absolute(o->file, path, sizeof(path)) < 0)
		return NULL;
	return control_ask(p, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "do", "capture", "action", "begin", "path", path,
				      "rotate_bytes", (json_int_t)o->rotate_bytes, "files_max", (json_int_t)o->files_max, "snap_bytes",
				      (json_int_t)o->snap_bytes));
}

static bool is_true(const json_t *answer, const char *key)
{
	return json_is_true(json_object_get(answer, key));
}

/* Until it is over, whoever ends it. Takes the answer; returns the last one, NULL: the engine has gone. */
static json_t *follow(const struct control_place *p, const struct capture_options *o, json_t *answer)
{
	const struct timespec look = {.tv_nsec = LOOK_NS};
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	time_t end_s = now.tv_sec + (time_t)o->seconds;
	long end_ns = now.tv_nsec;

	while (answer && is_true(answer, "runs") && !atomic_load(&command_interrupted)) {
		nanosleep(&look, NULL);
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (o->seconds && (now.tv_sec > end_s || (now.tv_sec == end_s && now.tv_nsec >= end_ns)))
			break;
		json_decref(answer);
		answer = ask(p, "look");
	}
	if (!answer || !is_true(answer, "runs"))
		return answer;
	json_decref(answer);
	return ask(p, "end");
}

static int print_answer(const struct capture_options *o, json_t *answer)
{
	bool failed = is_true(answer, "failed");

	if (failed)
		gn_err(0, "%s", json_string_value(json_object_get(answer, "error")));
	if (o->json) {
		show_json(answer);
		return failed ? command_failed() : EXIT_OK;
	}
	if (failed && json_integer_value(json_object_get(answer, "frames")) == 0) {
		json_decref(answer);
		return command_failed();
	}
	printf("%lld frames, %lld missed, %lld bytes in %lld files: %s\n",
		(long long)json_integer_value(json_object_get(answer, "frames")),
		(long long)json_integer_value(json_object_get(answer, "lost")),
		(long long)json_integer_value(json_object_get(answer, "bytes")),
		(long long)json_integer_value(json_object_get(answer, "files")), json_string_value(json_object_get(answer, "path")));
	json_decref(answer);
	return failed ? command_failed() : EXIT_OK;
}

int capture_main(int argc, char **argv)
{
	struct capture_options o = {0};
	struct control_place place;
	bool done = false;
	int status = capture_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	if (control_find(&place, o.name) < 0)
		return command_failed();
	command_catch_signals();
	json_t *answer = o.stop ? ask(&place, "end") : follow(&place, &o, begin(&place, &o));

	return answer ? print_answer(&o, answer) : command_failed();
}
