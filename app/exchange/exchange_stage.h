/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_STAGE_H
#define EXCHANGE_STAGE_H

/**
 * @file
 * The simulated exchange as a stage: in over `rx_gateway` from an rx stage that hands on every frame, out over its own
 * transmit queue. It owns the TCP stack of its process.
 */

#include <stdatomic.h>

#include "app/exchange/exchange_config.h"
#include "dataplane/runtime/stage.h"

struct gn_tx;

/** What env->config points to. */
struct exchange_stage_config {
	const struct exchange_config *exchange;
	struct gn_tx *tx; /* owned by this stage's thread from init on */
	/**
	 * Set by anyone who wants a clean stop: the day is closed (remaining orders cancelled, end of market, end of session
	 * on every line and order session) while the stage goes on running; NULL: only fini stops it.
	 */
	const atomic_bool *stop;
	/** Set by the stage when that is done, or when run_ms has passed and the day is closed; the threads may then stop. */
	atomic_bool *stopped;
};

extern const struct gn_stage gn_stage_exchange;

#endif
