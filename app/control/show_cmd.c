/* SPDX-License-Identifier: BSD-3-Clause */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "app/command.h"
#include "client.h"
#include "control_cmd.h"
#include "show.h"

static const struct {
	const char *what;
	int (*show)(const struct show_options *o);
	const char *help;
} subjects[] = {
	{"latency", show_latency, "percentiles by hop and from tick to trade, since the start"},
	{"lines", show_lines, "a scorecard of each line of the feed"},
	{"stages", show_stages, "every counter of every stage, link and thread"},
	{"risk", show_risk, "every limit, what is used of it, and every refusal"},
	{"controls", show_controls, "every control: why, where, its config keys, its test, its cost; needs no engine"},
	{"clock", show_clock, "source of time, offset, bound"},
};

static void show_usage(FILE *out)
{
	fputs("usage: gannet show WHAT [OPTION...]\n\nShows what a running engine does.\n\n", out);
	for (size_t i = 0; i < GN_ARRAY_SIZE(subjects); i++)
		fprintf(out, "  %-10s %s\n", subjects[i].what, subjects[i].help);
	fputs("\n  --name NAME       which engine, when several run here\n"
	      "  --format json     one JSON object instead of a table\n"
	      "  --all             stages: the numbers that are zero too\n"
	      "  --instrument S    risk: the limits of this instrument\n",
		out);
}

/* EXIT_OK: go on. */
static int show_parse(int argc, char **argv, struct show_options *o, bool *done)
{
	static const struct option longs[] = {{"name", 1, NULL, 'n'}, {"format", 1, NULL, 'f'}, {"all", 0, NULL, 'a'},
		{"instrument", 1, NULL, 'i'}, {"help", 0, NULL, 'h'}, {0}};
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'n': o->name = optarg; break;
		case 'i': o->instrument = optarg; break;
		case 'a': o->all = true; break;
		case 'f':
			if (!control_format(optarg, &o->json))
				return EXIT_USAGE;
			break;
		case 'h':
			show_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: show_usage(stderr); return EXIT_USAGE;
		}
	}
	if (optind + 1 == argc)
		return EXIT_OK;
	show_usage(stderr);
	return EXIT_USAGE;
}

bool control_format(const char *word, bool *json)
{
	*json = strcmp(word, "json") == 0;
	if (*json || strcmp(word, "text") == 0)
		return true;
	fprintf(stderr, "gannet: --format: %s: expected text or json\n", word);
	return false;
}

int show_main(int argc, char **argv)
{
	struct show_options o = {0};
	bool done = false;
	int status = show_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	for (size_t i = 0; i < GN_ARRAY_SIZE(subjects); i++) {
		if (strcmp(argv[optind], subjects[i].what) == 0)
			return subjects[i].show(&o) < 0 ? command_failed() : EXIT_OK;
	}
	fprintf(stderr, "gannet: show: there is no %s\n", argv[optind]);
	show_usage(stderr);
	return EXIT_USAGE;
}
