/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_FIGURES_H
#define ENGINE_FIGURES_H

/**
 * @file
 * What the cold thread publishes beside the counters of the stages: its heartbeat, the time, and what is exposed of what
 * limits. Owners are "engine", "risk:engine" and "risk:STRATEGY". Cold thread only.
 */

#include "app/control/guard_watch.h"
#include "dataplane/runtime/stats.h"
#include "risk/risk_stage.h"

struct figures {
	struct gn_stats *stats;
	uint32_t engine, risk; /* first words */
	uint32_t n_strategies;
};

/** Add the words. Before the stats are sealed. 0 or -errno. */
int figures_init(struct figures *p, struct gn_stats *stats, const char *const *strategy, uint32_t n_strategies);

/** Publish. About every millisecond. */
void figures_tick(struct figures *p, const struct risk_snapshot *s, enum engine_phase phase);

/** Publish how far the engine is, at once. */
void figures_phase(struct figures *p, enum engine_phase phase);

/** Publish the limits of the engine (strategy < 0) or a strategy: at start, and when they change. */
void figures_limits(struct figures *p, int strategy, const struct risk_limits *l);

#endif
