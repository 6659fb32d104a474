/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_THREADS_H
#define APP_THREADS_H

/**
 * @file
 * The polling threads of a process: placed on cores, started over a sealed wiring, stopped and joined. Cold.
 */

#include "dataplane/runtime/runner.h"
#include "pinning/thread.h"

struct threads {
	uint32_t n;
	int core[GN_THREADS_MAX];
	char name[GN_THREADS_MAX][GN_THREAD_NAME_BYTES];
	struct gn_thread thread[GN_THREADS_MAX];
	bool yield;
	struct thread_arg {
		struct gn_wiring *w;
		uint32_t index;
		struct gn_runner_config runner;
		_Atomic bool stop;
	} arg[GN_THREADS_MAX];
};

/**
 * Decide on a core for each thread.
 *
 * A number must be a core that this process may use, and no other thread's. "auto" takes the cores that are left; when
 * there are fewer cores than threads, those share them and give the core away when idle, which is said in one line.
 *
 * @param word
 *   "auto" or a core number, one a thread.
 * @param what
 *   For errors: the file that asks.
 */
int threads_place(struct threads *t, const char *what, const char *const *word, uint32_t n);

/** Start every thread. On failure those that run are stopped again. */
int threads_start(struct threads *t, struct gn_wiring *w);

/**
 * Stop and join, one after the other: each thread still reads what those before it have sent. So threads belong in the
 * order of the pipeline. To be called once after a start that succeeded.
 */
void threads_stop(struct threads *t);

#endif
