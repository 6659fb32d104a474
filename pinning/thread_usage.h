/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_THREAD_USAGE_H
#define GN_THREAD_USAGE_H

/**
 * @file
 * What the kernel has counted of a thread, read from /proc by another one: the thread itself makes no call for it.
 */

#include <stdint.h>
#include <sys/types.h>

struct gn_thread_usage {
	uint64_t n_faults; /* page faults, with and without I/O */
	uint64_t n_gave_up; /* voluntary switches: it waited for something, or made way for others */
	uint64_t n_switched_out; /* involuntary ones: the kernel took its core away */
	uint64_t run_ns, wait_ns; /* on a core, and ready but without one; 0 when the kernel does not tell */
	int core; /* where it ran last; -1: not told */
};

/**
 * Read the counts of a thread of this process. Cold: some 50 us of file reads.
 *
 * @param root
 *   "" for the real /proc.
 * @return
 *   0 or -errno: no such thread, or /proc does not tell; what is not told stays 0.
 */
int gn_thread_usage_read(const char *root, pid_t tid, struct gn_thread_usage *u);

#endif
