/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What time costs: a count of the time-stamp counter made nanoseconds, one after the other and each on the one before; now
 * by our clock; now by the kernel's.
 *
 * usage: bench_clock [--short]
 */

#include <stdio.h>
#include <time.h>

#include "dataplane/runtime/err.h"
#include "perf/bench.h"
#include "pinning/clock.h"

#define ROUNDS 101u
#define CALLS 20000u

static double samples[ROUNDS];

static uint64_t pass_convert(uint64_t tsc)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < CALLS; i++)
		sum += gn_clock_ns_from_tsc(tsc + i);
	return sum;
}

/* Each waits for the one before: its way from count to time, not how many fit side by side. */
static uint64_t pass_convert_chain(uint64_t tsc)
{
	uint64_t ns = 0;

	for (uint32_t i = 0; i < CALLS; i++)
		ns = gn_clock_ns_from_tsc(tsc + (ns & 1));
	return ns;
}

static uint64_t pass_now(uint64_t tsc)
{
	uint64_t sum = tsc;

	for (uint32_t i = 0; i < CALLS; i++)
		sum += gn_clock_now_ns();
	return sum;
}

static uint64_t pass_kernel(uint64_t tsc)
{
	uint64_t sum = tsc;

	for (uint32_t i = 0; i < CALLS; i++) {
		struct timespec ts;
		clock_gettime(CLOCK_REALTIME, &ts);
		sum += (uint64_t)ts.tv_nsec;
	}
	return sum;
}

static void measure(const char *name, uint64_t (*pass)(uint64_t tsc))
{
	uint32_t n = bench_short() ? 11 : ROUNDS;
	volatile uint64_t kept = pass(gn_tsc());

	bench_count_start();
	for (uint32_t r = 0; r < n; r++) {
		uint64_t from = gn_tsc();
		kept = pass(from);
		samples[r] = (double)(gn_tsc() - from) * bench_ns_per_tick() / CALLS;
	}
	struct bench_counts counts = bench_count_stop();
	(void)kept;
	bench_print(&(struct bench_result){.name = name, .n = (uint64_t)n * CALLS, .samples_ns = samples, .n_samples = n, .counts = counts});
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	bench_pin(0);
	if (gn_clock_calibrate() < 0) {
		fprintf(stderr, "bench_clock: %s\n", gn_err_text());
		return 1;
	}
	bench_ns_per_tick();
	measure("clock_convert", pass_convert);
	measure("clock_convert_chain", pass_convert_chain);
	measure("clock_now", pass_now);
	measure("clock_kernel", pass_kernel);
	return 0;
}
