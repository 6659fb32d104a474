/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_PLACEMENT_H
#define GN_PLACEMENT_H

/**
 * @file
 * Threads to cores: as the config says, or chosen, and refused with the reason where it would cost latency. Cold path.
 */

#include "cpu_topology.h"
#include "thread.h"

/** What the config may permit: `allow: [smt, cross-numa, shared-core, non-isolated]`. A permitted fault warns. */
enum {
	GN_ALLOW_SMT = 1,
	GN_ALLOW_CROSS_NUMA = 2,
	GN_ALLOW_SHARED_CORE = 4,
	GN_ALLOW_NON_ISOLATED = 8,
	GN_ALLOW_ALL = 15,
};

#define GN_PLACE_MAX 64

/** One thread that needs a core. */
struct gn_place_want {
	const char *name; /* for messages: "rx0" */
	int core; /* as the config says, or GN_CORE_ANY: choose one */
	int near; /* index of the thread that sends it most of its messages, or -1 */
	bool polls; /* spins for ever; false: housekeeping, which stays off isolated cores */
	bool nic; /* reads or writes the port's queues */
};

struct gn_place_config {
	const struct gn_topology *topology;
	int nic_node; /* NUMA node of the port, -1: none or not known */
	unsigned allow; /* GN_ALLOW_* */
	const cpu_set_t *claimed; /* cores on which other engines poll; NULL: none */
	void (*warn)(void *arg, unsigned allow, const char *text); /* a fault that this GN_ALLOW_ bit permits; may be NULL */
	void *warn_arg;
};

/** Bit of one word of `allow`, 0 when there is no such word. */
unsigned gn_allow_from_word(const char *word);

/**
 * Give every thread a core.
 *
 * @param want
 *   n threads, at most GN_PLACE_MAX.
 * @param core
 *   Room for n core numbers. A housekeeping thread that no core is left for gets GN_CORE_ANY.
 * @return
 *   0 or -errno; the text names the thread, the core, what is wrong with it, and what would permit it.
 */
int gn_place(const struct gn_place_config *config, const struct gn_place_want *want, int n, int *core);

/** NUMA node where the kernel has put a page of memory, whatever it was asked for. -errno when not known. */
int gn_page_node(const void *mem);

#endif
