/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_QUIET_H
#define GN_QUIET_H

/**
 * @file
 * What a process asks of the kernel before its threads poll: memory that stays, cores that do not sleep. Cold path.
 */

#include <stdbool.h>
#include <stddef.h>

/** What was had; what was not is a reason to warn, never to stop. */
struct gn_quiet {
	bool memory_locked; /* nothing is paged out, now and later; heap memory is not given back */
	bool awake; /* /dev/cpu_dma_latency is held at 0 us */
	int latency_fd;
	char why[256]; /* what was not had, and what it needs; "" when all was */
};

/** Ask for all of it. The main thread, before others start. */
void gn_quiet_begin(struct gn_quiet *q);

/**
 * Have heap memory ready for the calling thread: malloc() gives each thread a heap of its own, which would grow by
 * system calls and page faults. After gn_quiet_begin(), without which it would be given back.
 */
void gn_heap_warm(size_t bytes);

/** Let the cores sleep again, and unlock memory. */
void gn_quiet_end(struct gn_quiet *q);

#endif
