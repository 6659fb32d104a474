/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_NOISE_H
#define GN_NOISE_H

/**
 * @file
 * What the kernel did on some cores and when, from its own tracer: interrupts, soft interrupts, other threads, page faults,
 * and what the osnoise tracer says where there is one. Times are counts of the time-stamp counter.
 *
 * A trace instance of our own: nobody else's tracing is touched, and it goes with gn_noise_end(). Needs root. Cold path.
 */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct gn_noise;

/**
 * Begin to trace.
 *
 * @param root
 *   "" for this machine: where tracefs is not mounted it is, for us alone. A folder with a fake one for tests.
 * @return
 *   NULL with gn_err_text(): no tracer, no right to it, or one that cannot tell time as we do.
 */
struct gn_noise *gn_noise_begin(const char *root, const cpu_set_t *cores);

/** Take what the kernel has gathered; often enough that its buffer of 1 MB a core does not run over. */
void gn_noise_drain(struct gn_noise *n);

/**
 * What happened on a core in some time, in words: "local_timer, softirq TIMER, thread kworker/0:1".
 *
 * @return
 *   False: nothing that the kernel knows of; the text is empty.
 */
bool gn_noise_cause(const struct gn_noise *n, int core, uint64_t from_tsc, uint64_t to_tsc, char *text, size_t text_bytes);

/** Events taken so far, and those that did not fit or were no events. */
uint64_t gn_noise_events(const struct gn_noise *n, uint64_t *n_lost);

/** Stop tracing and free. NULL is allowed. */
void gn_noise_end(struct gn_noise *n);

#endif
