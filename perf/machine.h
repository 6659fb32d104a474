/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PERF_MACHINE_H
#define PERF_MACHINE_H

/**
 * @file
 * The machine under a measurement, and why its figures may not be repeatable.
 */

#include <stdbool.h>
#include <stdint.h>

struct machine {
	char name[96];     /* processor and number of cores */
	uint32_t n_cores;
	bool is_virtual, has_isolated, has_counters, has_huge_pages, has_tsc;
	bool another_run;  /* another measurement holds the lock */
	uint32_t n_running; /* other tasks that wanted a core at the start */
	uint64_t steal_at, total_at; /* /proc/stat at the start, all cores */
};

/** Look at the machine and take the lock of measurements, which goes with the process. Needs no right. */
void machine_look(struct machine *m);

/**
 * Why figures taken since machine_look() are indicative only.
 *
 * @return
 *   Length of the text, which is cut to fit; 0: nothing speaks against them.
 */
uint32_t machine_doubts(const struct machine *m, char *text, uint32_t bytes);

#endif
