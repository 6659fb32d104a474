/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRATEGY_HOST_H
#define STRATEGY_HOST_H

/**
 * @file
 * The engine as a strategy sees it: struct gn_host, and what keeps a wrong strategy from doing harm through it.
 *
 * One host a strategy, used by the thread that runs its callbacks, between strategy_host_enter() and
 * strategy_host_leave(). A call from anywhere else, or with a pointer that is not the one handed out, does nothing
 * and is counted. The same code serves live engine, tests and backtests.
 */

#include <gannet/strategy.h>

#include "dataplane/runtime/counters.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/link.h"

#define STRATEGY_BURST 16u /* most requests of one callback, cancels included */

#define STRATEGY_HOST_COUNTERS(X)                                                                                      \
	X(req_sent, "order requests sent")                                                                             \
	X(cancel_sent, "cancel requests sent")                                                                         \
	X(req_refused_burst, "requests refused: too many in one callback")                                             \
	X(req_refused_kind, "requests refused: neither new nor replace, or no request at all")                         \
	X(req_refused_link, "requests refused: no room in the link to risk")                                           \
	X(req_refused_silent, "requests refused: the strategy is silenced")                                            \
	X(call_refused_phase, "calls refused: not permitted in this callback")                                         \
	X(timer_set, "timers asked for")

struct strategy_host_counters {
	STRATEGY_HOST_COUNTERS(GN_COUNTER_FIELD)
};

/** Where in its life a callback stands: orders need LIVE, words need COLD. */
enum strategy_phase { STRATEGY_OUTSIDE = 0, STRATEGY_COLD, STRATEGY_LIVE };

struct strategy_host_config {
	uint32_t index; /* of the strategy, below GN_STRATEGIES_MAX */
	uint32_t burst; /* new orders and replacements in one callback, at most STRATEGY_BURST; 0: half of that */
	uint64_t oid_count; /* order ids continue after this count; 0: from the first */
	uint64_t (*now_ns)(void *arg);
	void *now_arg;
	const struct gn_instruments *instruments; /* may be NULL: no instrument is known */
	struct gn_link *out; /* strategy_risk */
	const char *instance; /* its name in what it says */
	struct strategy_host_counters *n; /* where it counts; must outlive the host */
};

/** One strategy's engine side; written by that strategy's thread only. */
struct strategy_host {
	struct gn_host api; /* what the strategy is given */
	struct strategy_host_config config;
	enum strategy_phase phase;
	uint32_t n_new, n_all; /* requests of this callback */
	uint64_t rx_tsc; /* of the event being handled */
	uint64_t oid_last;
	uint64_t timer_ns; /* 0: none */
	bool silent; /* only cancels are let through */
	struct gn_instrument found;
};

/** Set up a host. Cold. 0 or -errno. The host must not move afterwards. */
int strategy_host_init(struct strategy_host *h, const struct strategy_host_config *config);

/** The host whose strategy this thread is calling; NULL outside of callbacks. */
extern _Thread_local struct strategy_host *strategy_host_here;

/** A callback begins. The strategy's thread; no calls nest. rx_tsc: of the event it is given, or 0. */
static inline void strategy_host_enter(struct strategy_host *h, enum strategy_phase phase, uint64_t rx_tsc)
{
	h->n_new = h->n_all = 0;
	h->rx_tsc = rx_tsc;
	h->phase = phase;
	strategy_host_here = h;
}

/** And ends. */
static inline void strategy_host_leave(struct strategy_host *h)
{
	strategy_host_here = NULL;
	h->phase = STRATEGY_OUTSIDE;
}

/** Calls, by any thread, that no callback of that thread was behind; all strategies together. */
uint64_t strategy_host_n_foreign(void);

/** The id that the next order will have, if one follows. */
static inline gn_oid strategy_host_next(const struct strategy_host *h)
{
	return gn_oid_make(h->config.index, h->oid_last + 1);
}

#endif
