/* SPDX-License-Identifier: BSD-3-Clause */
#include <time.h>

#include "dataplane/runtime/compiler.h"
#include "perf/port_pair.h"

double port_pair_ticks_per_ns(void)
{
	struct timespec from, to;
	double ns;

	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t tsc = gn_tsc();
	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &to);
		ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	} while (ns < 2e7);
	return (double)(gn_tsc() - tsc) / ns;
}
