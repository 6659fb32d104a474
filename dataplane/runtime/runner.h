/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_RUNNER_H
#define GN_RUNNER_H

/**
 * @file
 * The loop that runs the stages of one thread.
 */

#include <time.h>

#include "wiring.h"

#define GN_LONG_TURN_US 100u /* a longer turn of one stage counts as a stall */

struct gn_runner_config {
	_Atomic bool *stop; /* the loop ends soon after this becomes true */
	bool yield;         /* give the core away when idle: for threads that share one */
	struct timespec rest; /* when idle, sleep so long instead: for threads that nobody waits for; 0: never */
	uint64_t ticks_per_ms;
};

/**
 * Run the stages of a thread until told to stop. Called on that thread; spins unless config->yield or ->rest.
 *
 * Each turn serves the stages in wiring order: first poll, then the incoming rings, both with a bound, and only while
 * every link that the call can reach has room. Counters are published about every millisecond. When told to stop it
 * polls no more, but still reads what its rings hold: stop the threads in the order of the pipeline, one after the
 * other, and nothing is lost between them.
 */
void gn_runner_run(struct gn_wiring *w, uint32_t thread, const struct gn_runner_config *config);

#endif
