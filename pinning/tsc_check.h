/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_TSC_CHECK_H
#define GN_TSC_CHECK_H

/**
 * @file
 * Whether the time-stamp counters of cores agree: two threads hand a reading back and forth. Cold path; spins on the
 * cores for some milliseconds.
 */

#include <sched.h>
#include <stdint.h>

struct gn_tsc_check {
	int n_cores; /* that were compared with the first one */
	int worst_core; /* the one furthest from the first core; -1: none */
	int64_t offset_ticks; /* its counter minus the first core's */
	uint64_t bound_ticks; /* the true offset is within so much of that */
	uint64_t n_warps; /* readings of any core that were below an earlier one of another */
};

/**
 * Compare the counters of all cores with that of the lowest one.
 *
 * @return
 *   0, -EBUSY when the cores were too busy to tell, or -errno with gn_err_text().
 */
int gn_tsc_check_cores(struct gn_tsc_check *c, const cpu_set_t *cores);

/** Whether they provably differ: no pair of readings explains the offset by the time of the way. */
static inline int gn_tsc_check_failed(const struct gn_tsc_check *c)
{
	int64_t offset = c->offset_ticks < 0 ? -c->offset_ticks : c->offset_ticks;

	return c->n_warps > 0 || (uint64_t)offset > c->bound_ticks;
}

/** What the two-way readings of one pair of cores say; for gn_tsc_check_cores() and its tests. */
struct gn_tsc_pair {
	uint64_t there_min, back_min; /* shortest way as the counters show it, modulo 2^64: negative when they warp */
	uint64_t n_warps, n_turns;
};
void gn_tsc_pair_begin(struct gn_tsc_pair *p);
void gn_tsc_pair_add(struct gn_tsc_pair *p, uint64_t sent, uint64_t seen, uint64_t answered, uint64_t returned);
int64_t gn_tsc_pair_offset(const struct gn_tsc_pair *p, uint64_t *bound);

#endif
