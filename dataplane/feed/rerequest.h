/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_REREQUEST_H
#define FEED_REREQUEST_H

/**
 * @file
 * When to ask which server for which lost messages, and when to stop asking. Pure: no socket, no clock.
 *
 * A server answers with what fits in one datagram, or not at all. Every answer is progress: the rest is asked for at
 * once, from the same server. Silence is waited for longer each time, from one server after the other. Requests have
 * a budget, so that a feed that loses much does not get its port closed.
 */

#include <stdbool.h>
#include <stdint.h>

#include "arbiter.h"

#define REREQUEST_SERVERS_MAX 4u

struct feed_server {
	uint32_t ip; /* host byte order */
	uint16_t port;
};

/** Zeroed memory asks nobody. A member that is 0 takes the default named beside it. */
struct rerequest_config {
	struct feed_server server[REREQUEST_SERVERS_MAX];
	uint32_t n_servers;      /* 0: do not ask */
	uint64_t first_ns;       /* before the first request; default timeout_ns * shard: an answer reaches every shard */
	uint64_t timeout_ns;     /* first time limit of an answer, doubled each time; default 2 ms */
	uint64_t timeout_ns_max; /* default 100 ms */
	uint64_t give_up_ns;     /* without any progress; default 500 ms */
	uint32_t tries_max;      /* requests without any progress; default 8 */
	uint32_t messages_max;   /* a larger gap is not asked for; default 100,000 */
	uint32_t rate_per_s;     /* requests a second in the long run; default 1,000 */
	uint32_t burst;          /* and at once; default 100 */
};

struct rerequest {
	struct rerequest_config cfg;
	uint64_t from, to;    /* the gap when last looked at */
	uint64_t progress_ns; /* when it last changed */
	uint64_t next_ns;     /* do not ask before */
	uint64_t timeout_ns;
	uint32_t tries;
	uint32_t server;
	uint64_t budget_ns;   /* the time that the budget's tokens are worth, at most burst of them */
	uint64_t budget_at_ns;
	uint64_t n_sent, n_short; /* short: put off for want of budget */
};

enum rerequest_verdict {
	REREQUEST_HOPELESS = 0,
	REREQUEST_WAIT,
	REREQUEST_ASK, /* send what is in the request */
};

struct rerequest_ask {
	struct feed_server server;
	uint64_t seq;
	uint16_t count;
};

/** Cold. 0 or -errno. */
int rerequest_init(struct rerequest *r, const struct rerequest_config *config, uint32_t shard);

/** Look at the present gap. Costs a few comparisons when it is too early to do anything. */
enum rerequest_verdict rerequest_step(struct rerequest *r, const struct arbiter_gap *gap, uint64_t now_ns,
	struct rerequest_ask *ask);

#endif
