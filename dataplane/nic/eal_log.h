/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_EAL_LOG_H
#define GN_EAL_LOG_H

/** @file DPDK's log, caught: private to dataplane/nic. Any cold thread. */

#include <stdbool.h>

/** Send DPDK's log here instead of standard error. Before rte_eal_init(). */
int eal_log_catch(bool verbose);

/** Forget what was said so far. */
void eal_log_forget(void);

/**
 * What DPDK said since eal_log_forget(), on one line, the last words kept; "no reason given" when it said nothing.
 * Valid until the calling thread's next call.
 */
const char *eal_log_said(void);

#endif
