/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Runs a command and writes into a file, as one JSON object, on which machine it ran and why its figures may not be
 * repeatable. Exit status: that of the command.
 *
 * usage: bench_machine FILE COMMAND...
 */

#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>

#include "perf/commit.h"
#include "perf/machine.h"

extern char **environ;

static void write_conditions(const char *path, const struct machine *m)
{
	char doubts[512];
	FILE *out = fopen(path, "w");

	if (!out) {
		perror(path);
		return;
	}
	bool indicative = machine_doubts(m, doubts, sizeof(doubts)) > 0;
	fprintf(out, "{\"machine\":\"%s\",\"commit\":\"%s\",\"indicative\":%s,\"because\":\"%s\"}\n", m->name, PERF_COMMIT,
		indicative ? "true" : "false", doubts);
	fclose(out);
}

int main(int argc, char **argv)
{
	struct machine m;
	int status = 0;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: bench_machine FILE COMMAND...\n", stderr);
		return 2;
	}
	machine_look(&m);
	if (posix_spawnp(&pid, argv[2], NULL, NULL, argv + 2, environ) != 0 || waitpid(pid, &status, 0) < 0) {
		perror(argv[2]);
		return 1;
	}
	write_conditions(argv[1], &m);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
