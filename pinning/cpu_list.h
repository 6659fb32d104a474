/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CPU_LIST_H
#define GN_CPU_LIST_H

/**
 * @file
 * Sets of cores, and the kernel's two ways to write them: a list ("0-3,8,16-30:2") and a mask ("ff,00000003").
 *
 * Cold path. Cores from CPU_SETSIZE on are refused.
 */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

#define GN_CPUS_TEXT_BYTES 1024

/** Parse a list; blank or "(null)" is the empty set; a newline may end it. 0 or -errno: the text says what is wrong. */
int gn_cpus_from_list(const char *text, cpu_set_t *set);

/** Parse a mask: hexadecimal words of 32 bits, highest first, separated by commas. 0 or -errno. */
int gn_cpus_from_mask(const char *text, cpu_set_t *set);

struct gn_cpus_text {
	char c[GN_CPUS_TEXT_BYTES];
};

/** A set as a list, "none" when it is empty; cut at the end (with "...") when it does not fit. */
struct gn_cpus_text gn_cpus_text(const cpu_set_t *set);

/** A set as a mask of 32-bit words, as /proc/irq and the workqueues want it. */
struct gn_cpus_text gn_cpus_mask_text(const cpu_set_t *set);

/** Lowest core of a set that is at or above `from`, or -1. */
int gn_cpus_next(const cpu_set_t *set, int from);

/** Whether every core of `part` is in `whole`. */
bool gn_cpus_within(const cpu_set_t *part, const cpu_set_t *whole);

#endif
