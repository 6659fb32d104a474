/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_EAL_H
#define GN_EAL_H

/**
 * @file
 * DPDK's environment layer, started once a process: with hugepages when there are some, without otherwise. Cold path.
 *
 * It needs no root, takes no core from its caller, makes no worker threads, and prints nothing: what DPDK has to say
 * about a failure becomes the text of our one error.
 */

#include <stdbool.h>
#include <stdint.h>

enum gn_huge {
	GN_HUGE_AUTO = 0, /* hugepages when enough of them are free */
	GN_HUGE_NEVER,
	GN_HUGE_ALWAYS, /* an error when there are not enough */
};

struct gn_eal_config {
	const char *name; /* part of the file prefix, e.g. "exchange"; NULL: "gannet" */
	const char *const *devices; /* device lines that gn_port_open() will be given; only PCI addresses matter here */
	uint32_t n_devices;
	uint32_t mem_mb; /* memory without hugepages, and what GN_HUGE_AUTO asks for in free ones; 0: 256 */
	enum gn_huge huge;
	bool verbose; /* DPDK's own log as debug lines of ours */
};

/**
 * Start DPDK. Main thread, before other threads, once a process; it cannot be stopped and started again.
 *
 * There is no counterpart: rte_eal_cleanup() unmaps the memory that DPDK's own interrupt thread may be working on for a
 * peer that just left, and with private memory there is nothing outside of the process to give back.
 *
 * The caller's CPU affinity is as before. PCI devices are looked for only at the addresses that a device line names.
 *
 * @return
 *   0 or -errno with gn_err_text().
 */
int gn_eal_init(const struct gn_eal_config *config);

/** Whether data-path memory lies in hugepages. */
bool gn_eal_has_hugepages(void);

/**
 * Make DPDK know the calling thread, so that its buffers come from a cache of its own. Before the thread touches a
 * port; again is harmless. Returns 0 or -errno: the thread works without, but slower.
 */
int gn_eal_thread_register(void);

/** The counterpart, when the thread ends. */
void gn_eal_thread_unregister(void);

#endif
