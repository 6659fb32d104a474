/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>
#include <string.h>

#include "app/control/control_cmd.h"
#include "app/replay/replay.h"
#include "command.h"
#include "dataplane/runtime/compiler.h"

static const struct {
	const char *name;
	int (*main)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"run", run_main, "run the engine that a config file describes"},
	{"exchange", exchange_main, "run the simulated exchange that a config file describes"},
	{"show", show_main, "what a running engine does: latency, lines, stages, risk, controls, clock"},
	{"kill", kill_main, "throw or release a kill switch of a running engine, or drill it"},
	{"limits", limits_main, "show or change limits of a running engine"},
	{"capture", capture_main, "write the frames of a running engine to pcapng files"},
	{"guard", guard_main, "watch a running engine from a process of its own, and stop it when it hangs or dies"},
	{"replay", replay_main, "run captured market data through the feed and the book, and print what comes out"},
	{"check-config", check_config_main, "check a config file, or print what may stand in one"},
	{"reconcile", reconcile_main, "compare a journal with what the exchange saw"},
	{"journal", journal_main, "print or verify a journal"},
	{"check-host", check_host_main, "what the machine costs, row by row, and how to mend it"},
};

static void usage(FILE *out)
{
	fputs("usage: gannet COMMAND [ARGUMENT...]\n\n", out);
	for (size_t i = 0; i < GN_ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-14s %s\n", commands[i].name, commands[i].help);
	fputs("\ngannet COMMAND --help says more. Exit status: 0, 1 (failed) or 2 (usage).\n", out);
}

int main(int argc, char **argv)
{
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return EXIT_OK;
	}
	for (size_t i = 0; i < GN_ARRAY_SIZE(commands); i++) {
		if (strcmp(argv[1], commands[i].name) == 0)
			return commands[i].main(argc - 1, argv + 1);
	}
	fprintf(stderr, "gannet: there is no command %s\n", argv[1]);
	usage(stderr);
	return EXIT_USAGE;
}
