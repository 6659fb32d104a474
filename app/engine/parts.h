/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_PARTS_H
#define ENGINE_PARTS_H

/**
 * @file
 * What each stage of an engine is given at start, made from the sections of the config. Private to app/engine.
 */

#include "app/capture/capture_stage.h"
#include "app/config/engine_config.h"
#include "app/engine/topology.h"
#include "book/book_stage.h"
#include "dataplane/feed/feed_stage.h"
#include "dataplane/gateway/gateway_stage.h"
#include "dataplane/journal/journal_stage.h"
#include "dataplane/nic/port.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/instruments.h"
#include "risk/risk_stage.h"
#include "strategy/strategy_stage.h"

#define PARTS_LINES_MAX 8u
#define PARTS_SHARDS_MAX 32u

struct parts {
	struct rx_config rx[GN_PORT_QUEUES_MAX]; /* one a receive queue, alike but for its number */
	const void *rx_of[GN_PORT_QUEUES_MAX];
	struct gn_port_flow flow[PARTS_LINES_MAX]; /* which queue is to bring each line; none with one queue */
	uint32_t n_flows;
	struct rx_subscription subscription[PARTS_LINES_MAX + 1]; /* the last: answers to requests */
	uint32_t group[PARTS_LINES_MAX];

	struct feed_config feed[PARTS_SHARDS_MAX];
	const void *feed_of[PARTS_SHARDS_MAX];

	struct book_stage_config book[PARTS_SHARDS_MAX];
	const void *book_of[PARTS_SHARDS_MAX];
	struct book_subscription subscribed[GN_STRATEGIES_MAX];

	struct strategy_config strategy[GN_STRATEGIES_MAX];
	const void *strategy_of[GN_STRATEGIES_MAX];
	const char *strategy_name[GN_STRATEGIES_MAX];
	char *strategy_path[GN_STRATEGIES_MAX];

	struct risk_stage_config risk;
	struct risk_account_config risk_account[GATEWAY_ACCOUNTS_MAX];
	struct risk_strategy_config risk_strategy[GN_STRATEGIES_MAX];
	struct risk_instrument_config *risk_instrument;

	struct gateway_config gateway;
	struct gateway_account_config account[GATEWAY_ACCOUNTS_MAX];
	struct gateway_control gateway_control;

	struct journal_stage_config journal;
	struct journal_health journal_health;

	struct capture_stage_config capture;
	struct capture_control capture_control;

	struct topology_shape shape;
	struct topology_configs configs;
};

/**
 * Everything that needs no port: fills all but .rx[].port and .gateway.stack.tx.
 *
 * @param config_path
 *   Where relative paths start.
 * @param instruments
 *   Gets the symbols that strategies and limits name, in the order of the file; NULL: check only.
 * @return
 *   0 or -errno with gn_err_text(). parts_free() in any case.
 */
int parts_make(struct parts *p, const char *config_path, const struct engine_section *s,
	struct gn_instruments *instruments);

void parts_free(struct parts *p);

#endif
