/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRATEGY_FIXTURE_H
#define STRATEGY_FIXTURE_H

#include <gannet/strategy.h>

/* What the good fixture keeps; a test finds it through the host that the sink has seen. */
struct fixture_state {
	const struct gn_host *host;
	uint64_t init_now_ns, last_seq;
	gn_oid init_oid, last_oid;
	uint32_t params_sum, n_views, n_execs, n_events, n_timers;
	/* what to do in the next callback */
	uint32_t n_new, n_cancel, n_canceled;
	uint8_t kind;
	bool null_engine, null_request;
};

#endif
