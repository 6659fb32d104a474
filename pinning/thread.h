/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_THREAD_H
#define GN_THREAD_H

/**
 * @file
 * Named threads that stay on their core, with a stack that is in memory before the first message comes.
 *
 * Cold path: start and join from the thread that composes the engine.
 */

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define GN_CORE_ANY (-1) /* wherever the kernel likes */
#define GN_THREAD_NAME_BYTES 16u /* the kernel's limit, with the NUL */
#define GN_THREAD_STACK_BYTES ((size_t)1 << 20)

struct gn_thread_config {
	const char *name; /* 1 to 15 characters */
	int core; /* core id, or GN_CORE_ANY: where the calling thread may run */
	int fifo_priority; /* 1 to 99: SCHED_FIFO; 0: the default scheduler */
	size_t stack_bytes; /* 0: GN_THREAD_STACK_BYTES */
};

/** A started thread. Filled by gn_thread_start(); must not move until gn_thread_join(). */
struct gn_thread {
	pthread_t id;
	void (*run)(void *arg);
	void *arg;
	void *stack; /* mapped, guard page first */
	size_t stack_map_bytes;
	char name[GN_THREAD_NAME_BYTES];
	pid_t tid;
	sem_t ready;
	bool started;
};

/**
 * Start a thread on its core.
 *
 * When this returns, and before `run` is entered, the thread is pinned and named, its timer slack is 1 ns and every
 * page of its stack has been touched from that core. Signals are blocked in it, so that they reach the main thread.
 *
 * @return
 *   0 or -errno; the text names the core and why it cannot be had.
 */
int gn_thread_start(struct gn_thread *t, const struct gn_thread_config *config, void (*run)(void *arg), void *arg);

/** Wait until `run` has returned and give the stack back. A thread that was never started is left alone. */
void gn_thread_join(struct gn_thread *t);

/**
 * Whether this process can run on a core, and if not, why: it does not exist, is offline, or is outside the cpuset.
 *
 * @param sys_root
 *   "" for the real /sys and /proc, or the folder that holds fake ones.
 * @return
 *   0 or -errno with the reason.
 */
int gn_core_check(const char *sys_root, int core);

#endif
