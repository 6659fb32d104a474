/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CPU_TOPOLOGY_H
#define GN_CPU_TOPOLOGY_H

/**
 * @file
 * The machine's cores: which share an execution unit, a cache, a NUMA node, and which the kernel leaves alone.
 *
 * Read from /sys and /proc under a root folder that tests can fake. What a machine does not tell is -1 or an empty
 * set, never an error: containers hide much of it. Cold path.
 */

#include <stdint.h>

#include "cpu_list.h"

#define GN_NODES_MAX 64

struct gn_cpu {
	int package, core, node; /* -1: not known */
	int smt; /* lowest core of those that share its execution unit; itself when alone */
	int l2, l3; /* lowest core of those that share the cache; -1: not known, or there is none */
	int capacity; /* relative speed as the kernel sees it, 1024 is the fastest kind; -1: not told */
};

struct gn_node {
	bool present;
	cpu_set_t cpus;
	int distance[GN_NODES_MAX]; /* 10: local; -1: not known */
	int64_t mem_bytes, mem_free_bytes; /* -1: not known */
	int64_t huge_2m, huge_2m_free; /* pages; -1: not known */
	int64_t huge_1g, huge_1g_free;
};

struct gn_topology {
	cpu_set_t present, online;
	cpu_set_t allowed; /* where this process may run, isolated cores included that its cpuset holds */
	cpu_set_t isolated; /* isolcpus= and isolated cpuset partitions */
	cpu_set_t nohz_full; /* no tick while one task runs */
	cpu_set_t rcu_nocbs;
	struct gn_cpu cpu[CPU_SETSIZE];
	struct gn_node node[GN_NODES_MAX];
	int n_nodes; /* one more than the highest node */
	char model[128];
};

/** Read all of it. `root`: "" for the real machine. Always fills *t; what cannot be read stays unknown. */
void gn_topology_read(struct gn_topology *t, const char *root);

/** Cores that share an execution unit with `core`, itself included. */
cpu_set_t gn_topology_siblings(const struct gn_topology *t, int core);

/** How far apart two cores are, for a message between them. */
enum gn_nearness {
	GN_NEAR_SAME = 0, /* one core */
	GN_NEAR_SMT, /* one execution unit */
	GN_NEAR_L2,
	GN_NEAR_L3,
	GN_NEAR_NODE, /* one memory controller, no cache in common (or none that is known) */
	GN_NEAR_FAR, /* another node */
};
enum gn_nearness gn_topology_nearness(const struct gn_topology *t, int a, int b);

/** "the same core", "SMT siblings" ... */
const char *gn_nearness_word(enum gn_nearness n);

/** NUMA node of the port that a device line names (a PCI address, or iface=NAME); -1: none, or not told. */
int gn_topology_nic_node(const char *root, const char *device);

/** Value of a "key=value" word of the kernel command line. False: not there. */
bool gn_cmdline_get(const char *root, const char *key, char *value, size_t value_bytes);

#endif
