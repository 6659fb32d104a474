/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PERF_PATHS_H
#define PERF_PATHS_H

/**
 * @file
 * The hot paths, each alone: set up cold, then run so and so many times in one function of its own, in which instructions
 * can be counted. perf/gate counts them, perf/bench times them.
 */

#include <stdint.h>

struct path {
	const char *name;
	void (*set_up)(void);
	void (*run)(uint32_t n); /* a function named path_NAME, never inlined */
	uint32_t n_max; /* most operations that one set-up allows */
};

/** All paths; ends with {0}. */
extern const struct path paths[];

#endif
