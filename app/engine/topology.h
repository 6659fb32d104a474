/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_TOPOLOGY_H
#define ENGINE_TOPOLOGY_H

/**
 * @file
 * From a topology file to a wiring: which stages there must be, on which thread each runs, and the links between them.
 */

#include "app/config/engine_config.h"
#include "app/threads.h"
#include "dataplane/runtime/wiring.h"

/** What the config says must run. */
struct topology_shape {
	uint32_t n_rx;               /* receive queues, a stage each */
	uint32_t n_shards;           /* feed and book handlers */
	const char *const *strategy; /* names */
	uint32_t n_strategies;
};

/** Where each stage gets its configuration from. */
struct topology_configs {
	const void *const *rx;   /* one a receive queue */
	const void *const *feed; /* one a shard */
	const void *const *book; /* one a shard */
	const void *const *strategy;
	const void *risk, *gateway, *journal, *capture;
};

/**
 * Add all stages and links to a wiring.
 *
 * Refuses a topology that names an unknown stage, one twice, or leaves one out.
 *
 * @param file
 *   Name of the topology file, for errors.
 * @param node
 *   NUMA node of each thread.
 */
int topology_wire(struct gn_wiring *w, const char *file, const struct topology_config *t, const struct topology_shape *shape,
	const struct topology_configs *configs, const int *node);

/** What a topology says of the engine besides threads, in place of what the config says. Before parts_make(). */
void topology_counts(const struct topology_config *t, struct engine_section *s);

/** What each thread wants of a core: one a thread of the file, which must have passed topology_check(). */
void topology_wants(const struct topology_config *t, const struct topology_shape *shape, struct threads_want *want);

/** Check the same without a wiring: for check-config. */
int topology_check(const char *file, const struct topology_config *t, const struct topology_shape *shape);

#endif
