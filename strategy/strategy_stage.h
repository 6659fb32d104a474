/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRATEGY_STAGE_H
#define STRATEGY_STAGE_H

/**
 * @file
 * The stage around a strategy's shared object: in book_strategy and risk_strategy, out strategy_risk.
 */

#include "dataplane/runtime/stage.h"

extern const struct gn_stage gn_stage_strategy;

/** What env->config points to; the strings need to live during init only. */
struct strategy_config {
	const char *path; /* of the shared object */
	const char *params; /* handed to the strategy's init; NULL: "" */
	uint32_t index; /* which strategy it is, below GN_STRATEGIES_MAX; goes into its order ids */
	uint32_t burst; /* new orders and replacements in one callback; 0: the default; see strategy/host.h */
	uint64_t oid_count; /* order ids continue after this count; 0: from the first */
	uint64_t (*now_ns)(void *arg); /* time since the Unix epoch, real or simulated */
	void *now_arg;
};

#endif
