/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Records a second that the journal's thread can write: chained, checked, into pre-allocated files. One JSON line; a
 * second one with signatures. The files are removed.
 *
 * usage: bench_journal [--short] DIRECTORY [RECORDS]
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/journal/journal.h"
#include "dataplane/runtime/err.h"
#include "perf/bench.h"

static struct journal journal;

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static void clean(const char *dir)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -f '%s'/bench-journal*", dir);
	if (system(command) != 0)
		fprintf(stderr, "bench_journal: files are left in %s\n", dir);
}

static int run(const char *dir, const char *name, const char *key, uint32_t n)
{
	char path[256], extra[96];
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .key_path = key, .sync_ms = 200};
	double start, start_cpu;
	int rc;

	snprintf(path, sizeof(path), "%s/bench-journal", dir);
	rc = journal_open(&journal, &config);
	start = seconds(CLOCK_MONOTONIC);
	start_cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	for (uint32_t i = 0; i < n && rc == 0; i++) {
		struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .tsc = i};
		m.req.oid = i;
		rc = journal_append(&journal, &m);
		if (i % 200000 == 0 && rc == 0)
			rc = journal_sync(&journal);
	}
	if (rc == 0)
		rc = journal_close(&journal);
	if (rc < 0) {
		fprintf(stderr, "bench_journal: %s\n", gn_err_text());
		return 1;
	}
	double s = seconds(CLOCK_MONOTONIC) - start, cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - start_cpu;
	snprintf(extra, sizeof(extra), "\"cpu_ns_per_record\":%.1f,\"per_cpu_s\":%.0f", cpu * 1e9 / n, n / cpu);
	bench_print(&(struct bench_result){.name = name, .n = n, .per_s = n / s, .extra = extra});
	return 0;
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	uint32_t n = argc > 2 ? (uint32_t)atoi(argv[2]) : bench_short() ? 100000 : 2000000;
	char key[256];
	int rc;

	if (argc < 2 || n == 0) {
		fprintf(stderr, "usage: bench_journal [--short] DIRECTORY [RECORDS]\n");
		return 2;
	}
	rc = run(argv[1], "journal", NULL, n);
	clean(argv[1]);
	snprintf(key, sizeof(key), "%s/bench-journal-key", argv[1]);
	if (rc == 0 && journal_key_make(key) == 0)
		rc = run(argv[1], "journal_signed", key, n);
	clean(argv[1]);
	return rc;
}
