/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef BENCH_H
#define BENCH_H

/**
 * @file
 * What every benchmark shares: its options, the machine it ran on, and the one form of its results.
 *
 * A result is one JSON line on standard output. All lines have "bench", "n", percentiles in nanoseconds or "per_s",
 * "instructions" and "cycles" an operation where the machine counts them (else null), "machine", "commit" and
 * "indicative"; the last is true where the figures should not be compared with those of other runs, and "because" says why.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/runtime/histogram.h"

/** Take --short out of the arguments and begin to watch the machine. First call of main(). */
void bench_start(int *argc, char **argv);

/** Whether this run shall only show that everything works. */
bool bench_short(void);

/** Stay on the n-th core that this process may use (again from the first when there are fewer). The calling thread. */
void bench_pin(uint32_t n);

/** Cores that this process may use. */
uint32_t bench_cores(void);

/** Nanoseconds of a tick of the time-stamp counter; measured at the first call. */
double bench_ns_per_tick(void);

/** Ticks that two neighbouring readings of the counter differ by: to be taken off short durations. */
uint64_t bench_tsc_ticks(void);

/** What the processor counted between start and stop, user code of this thread only. */
struct bench_counts {
	bool valid; /* false: the machine does not count, or not for us */
	uint64_t instructions, cycles;
};
void bench_count_start(void);
struct bench_counts bench_count_stop(void);

/** A result. Exactly one of samples_ns, hist and per_s is set. */
struct bench_result {
	const char *name;
	const char *with; /* compared library, appended to the name; NULL: ours */
	uint64_t n;       /* operations measured, all samples together */
	double *samples_ns; /* an operation each; gets sorted */
	uint32_t n_samples;
	const struct gn_hist *hist; /* in units of hist_ns, one operation each */
	double hist_ns;  /* 0: one nanosecond */
	double per_s;
	struct bench_counts counts; /* of n operations */
	const char *extra; /* more members: "\"caches\":\"warm\""; or NULL */
};

/** Print a result. The whole line is written at once. */
void bench_print(const struct bench_result *r);

#endif
