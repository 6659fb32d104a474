/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_HOST_APPLY_H
#define GN_HOST_APPLY_H

/**
 * @file
 * Carry out a plan, and undo it exactly: what was there before is on disk before anything is changed. Cold path.
 */

#include "host_check.h"

/** One line for people about one step. */
typedef void gn_host_line_fn(void *arg, const char *text);

struct gn_host_apply {
	const char *root; /* "": the real machine */
	const char *state; /* file that remembers; made with its folder, readable by its owner only */
	gn_host_line_fn *line;
	void *line_arg;
};

/**
 * Carry out a plan, one step after the other; a step that fails is reported and left out.
 *
 * @return
 *   0, or the number of steps that failed; -errno when what was there before cannot be remembered: nothing is changed.
 */
int gn_host_apply(const struct gn_host_apply *a, const struct gn_host_plan *p);

/**
 * Put back what every remembered plan has changed, the last one first; forget what was put back.
 *
 * @return
 *   0 (also when there is nothing to undo), the number of steps that failed and stay remembered, or -errno.
 */
int gn_host_revert(const struct gn_host_apply *a);

#endif
