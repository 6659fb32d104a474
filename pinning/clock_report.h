/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CLOCK_REPORT_H
#define GN_CLOCK_REPORT_H

/**
 * @file
 * Where the time comes from, and how far it can be from UTC: what a regulator asks for (MiFID II, RTS 25). Cold path.
 *
 * The chain is: our clock follows CLOCK_REALTIME (measured here), which a daemon disciplines by a reference (as the
 * daemon has told the kernel). The bounds of both add up.
 */

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "tsc_check.h"

struct gn_clock_report {
	struct gn_clock_status clock; /* ours against CLOCK_REALTIME */
	char counter[32]; /* what we count: "tsc" */
	char kernel_source[32]; /* what the kernel counts: "tsc", "kvm-clock", "?" */
	char discipline[32]; /* who steers the kernel's clock: "chronyd", "ptp4l", ...; "" when nobody is known to */
	bool synchronised; /* the kernel says that its clock follows a reference */
	int32_t tai_offset_s; /* TAI minus UTC as the kernel knows it; 0: not told */
	int64_t freq_ppb; /* by how much the discipline has the kernel's clock run faster */
	uint64_t kernel_error_max_ns; /* the kernel's clock against UTC, as its discipline promises */
	uint64_t kernel_error_est_ns; /* as it estimates */
	bool utc_known; /* utc_bound_ns says something */
	uint64_t utc_bound_ns; /* |ours - UTC| is at most this: our bound, and the kernel's */
	struct gn_tsc_check cores; /* of the cores that were compared, if any */
};

/**
 * Gather it. The calibrating thread.
 *
 * @param cores
 *   What gn_tsc_check_cores() said; NULL: nobody asked.
 */
void gn_clock_report_read(struct gn_clock_report *r, const struct gn_tsc_check *cores);

/** What is wrong with the time, in words; "" when nothing is. Valid until the next call. */
const char *gn_clock_report_trouble(const struct gn_clock_report *r);

/** For tests: the same from what adjtimex() would have said. */
struct timex;
void gn_clock_report_fill(struct gn_clock_report *r, const char *root, const struct timex *t, int state);

#endif
