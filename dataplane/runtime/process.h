/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_PROCESS_H
#define GN_PROCESS_H

/**
 * @file
 * Which process wrote a shared file, and whether it still runs. A number alone is not enough: numbers come again. Cold.
 */

#include <stdbool.h>
#include <stdint.h>

struct gn_process {
	uint64_t pid;
	uint64_t start; /* clock ticks since boot */
};

/** The calling process; zeroes when /proc does not say. */
struct gn_process gn_process_self(void);

/** Whether that very process still exists; a zombie does not. False for zeroes. */
bool gn_process_alive(const struct gn_process *p);

#endif
