/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_THREADS_H
#define APP_THREADS_H

/**
 * @file
 * The threads of a process: placed on cores, started over a sealed wiring, watched, stopped and joined. Cold; one thread.
 */

#include "dataplane/runtime/runner.h"
#include "dataplane/runtime/stats.h"
#include "pinning/placement.h"
#include "pinning/thread.h"
#include "pinning/thread_usage.h"
#include "pinning/tsc_check.h"

/** One thread, as the config wants it. */
struct threads_want {
	const char *name; /* that of its first stage; cut at 15 characters */
	const char *core; /* "auto" or a number */
	int near;         /* index of the thread that sends it most, or -1 */
	int fifo_priority;
	bool polls; /* spins; false: a cold thread, which sleeps when idle and keeps off the polling cores */
	bool nic;   /* serves the port */
};

struct threads_config {
	const char *what; /* the file that asks, for errors */
	const struct threads_want *want;
	uint32_t n;
	unsigned allow;     /* GN_ALLOW_* */
	const char *device; /* of the port; NULL: none */
	bool together;      /* the calling thread stays on the polling cores: a side that nobody measures takes no more */
};

struct threads {
	uint32_t n;
	int core[GN_THREADS_MAX]; /* GN_CORE_ANY: wherever this thread may run */
	int node[GN_THREADS_MAX]; /* NUMA node of that core, or GN_NODE_ANY */
	char name[GN_THREADS_MAX][GN_THREAD_NAME_BYTES];
	int fifo_priority[GN_THREADS_MAX];
	bool polls[GN_THREADS_MAX];
	bool yield[GN_THREADS_MAX];
	bool together;
	int claim; /* descriptor that holds the polling cores against other engines, or -errno */
	char remark[512]; /* what the config permits and costs latency all the same; "" when nothing */
	struct gn_tsc_check tsc; /* how far the time-stamp counters of the cores agree; n_cores 0: nobody could tell */
	uint64_t tend_ns, warm_ns;
	uint32_t stat[GN_THREADS_MAX]; /* first word of each thread */
	struct gn_thread_usage warm[GN_THREADS_MAX]; /* what it had used when it was warm */
	struct gn_stats *stats;
	struct gn_thread thread[GN_THREADS_MAX];
	struct thread_arg {
		struct gn_wiring *w;
		uint32_t index;
		struct gn_runner_config runner;
		_Atomic bool stop;
	} arg[GN_THREADS_MAX];
};

/**
 * Decide on a core for each thread (pinning/placement.h), and keep the calling thread off those that will be polled on.
 * Call it before the port is opened: threads that DPDK starts for itself stay where the calling thread may run.
 *
 * Where there are fewer cores than polling threads and the config permits that, those that may run anywhere share what
 * is left and make way for each other when idle. That, and any other fault that is permitted, is said by
 * threads_start() in one line.
 *
 * @return
 *   0 or -errno: the text names the thread, the core, what is wrong with it, and what would permit it.
 */
int threads_place(struct threads *t, const struct threads_config *c);

/**
 * Publish what the kernel counts of each thread from its warm-up on: page faults, and switches to other threads.
 * Before the wiring is sealed. 0 or -errno.
 */
int threads_publish(struct threads *t, struct gn_stats *stats);

/** Start every thread, after a look whether the clocks of their cores agree. On failure those that run are stopped again. */
int threads_start(struct threads *t, struct gn_wiring *w);

/** Look after the published counts; about every millisecond, reads anything only every 100 ms. */
void threads_tend(struct threads *t);

/**
 * Stop and join, one after the other: each thread still reads what those before it have sent. So threads belong in the
 * order of the pipeline. To be called once after a start that succeeded.
 */
void threads_stop(struct threads *t);

/** Give the cores back to other engines. After threads_stop(), or when nothing was started; again is harmless. */
void threads_release(struct threads *t);

/**
 * Compare where the memory of a wiring lies with where it was meant to.
 *
 * @return
 *   Pieces on another node; the first of them is one warning. Pieces whose node the kernel does not tell count as good.
 */
uint32_t threads_memory_check(const struct gn_wiring *w);

#endif
