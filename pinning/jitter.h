/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_JITTER_H
#define GN_JITTER_H

/**
 * @file
 * What a polling thread loses to everything else: threads that do nothing but read the counter, and note every gap.
 *
 * Cold path; the calling thread waits. The clock must be calibrated.
 */

#include <stdbool.h>
#include <stdio.h>

#include "cpu_list.h"
#include "dataplane/runtime/histogram.h"

#define GN_JITTER_GAP_NS 200u /* a turn of the loop takes 10 to 30 ns; a longer one than this was not ours */
#define GN_JITTER_WORST 8u
#define GN_JITTER_CAUSES 4u

struct gn_jitter_gap {
	uint64_t at_ns, gap_ns;
	uint64_t from_tsc, to_tsc;
	char cause[128]; /* what the kernel did meanwhile; "" when nothing is known */
};

/** Interrupts of one kind that the core has taken meanwhile. */
struct gn_jitter_cause {
	char name[64];
	uint64_t n;
};

struct gn_jitter_core {
	int core;
	uint64_t n_turns, run_ns, lost_ns;
	uint64_t n_involuntary, n_voluntary, n_faults; /* of the thread: switches, page faults */
	uint64_t stolen_ms; /* time that the hypervisor gave to others, as the kernel counts it */
	struct gn_jitter_gap worst[GN_JITTER_WORST]; /* longest first; gap_ns 0: none */
	struct gn_jitter_cause cause[GN_JITTER_CAUSES]; /* most frequent first; n 0: none */
	struct gn_hist gaps; /* of GN_JITTER_GAP_NS and longer */
};

struct gn_jitter {
	int n;
	struct gn_jitter_core *core;
	bool traced; /* the worst gaps have their causes */
	uint64_t n_events, n_events_lost; /* of the kernel's tracer */
	char untraced[192]; /* why not; "" when nobody asked */
};

struct gn_jitter_options {
	const _Atomic bool *stop; /* ends the watch early; NULL: nothing does */
	bool trace; /* ask the kernel's tracer for causes: each event costs the core some 100 ns more */
	const char *root; /* of a fake tracer; NULL: this machine's */
};

/**
 * Watch cores, all at once, for some seconds.
 *
 * @param options
 *   NULL: no causes.
 * @return
 *   0 or -errno: a core cannot be had (the text says why), or memory ran out. Free with gn_jitter_free().
 */
int gn_jitter_run(
	struct gn_jitter *j, const cpu_set_t *cores, uint32_t seconds, const struct gn_jitter_options *options);
void gn_jitter_free(struct gn_jitter *j);

void gn_jitter_print_text(const struct gn_jitter *j, FILE *out);
void gn_jitter_print_json(const struct gn_jitter *j, FILE *out);

/** Draw gaps per second against their length with gnuplot. 0 or -errno (no gnuplot, no such folder). */
int gn_jitter_plot(const struct gn_jitter *j, const char *svg_path);

#endif
