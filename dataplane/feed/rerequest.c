/* SPDX-License-Identifier: BSD-3-Clause */
#include "rerequest.h"

#include <errno.h>

#include "dataplane/runtime/err.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define COUNT_MAX 0xfffeu /* 0xffff means something else in the answer */

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

static uint64_t token_ns(const struct rerequest *r)
{
	return NS_PER_S / r->cfg.rate_per_s;
}

int rerequest_init(struct rerequest *r, const struct rerequest_config *config, uint32_t shard)
{
	*r = (struct rerequest){.cfg = *config};
	if (config->n_servers > REREQUEST_SERVERS_MAX)
		return gn_err(EINVAL, "feed: %u re-request servers, at most %u", config->n_servers, REREQUEST_SERVERS_MAX);
	if (config->rate_per_s > NS_PER_S)
		return gn_err(EINVAL, "feed: %u requests a second are more than one a nanosecond", config->rate_per_s);
	r->cfg.timeout_ns = or_default(config->timeout_ns, 2 * NS_PER_MS);
	r->cfg.first_ns = or_default(config->first_ns, r->cfg.timeout_ns * shard);
	r->cfg.timeout_ns_max = or_default(config->timeout_ns_max, 100 * NS_PER_MS);
	r->cfg.give_up_ns = or_default(config->give_up_ns, 500 * NS_PER_MS);
	r->cfg.tries_max = (uint32_t)or_default(config->tries_max, 8);
	r->cfg.messages_max = (uint32_t)or_default(config->messages_max, 100000);
	r->cfg.rate_per_s = (uint32_t)or_default(config->rate_per_s, 1000);
	r->cfg.burst = (uint32_t)or_default(config->burst, 100);
	r->budget_ns = r->cfg.burst * token_ns(r);
	return 0;
}

static bool rerequest_token(struct rerequest *r, uint64_t now_ns)
{
	uint64_t full_ns = r->cfg.burst * token_ns(r);

	if (now_ns > r->budget_at_ns) {
		uint64_t grown_ns = now_ns - r->budget_at_ns;
		r->budget_ns = grown_ns < full_ns - r->budget_ns ? r->budget_ns + grown_ns : full_ns;
		r->budget_at_ns = now_ns;
	}
	if (r->budget_ns < token_ns(r))
		return false;
	r->budget_ns -= token_ns(r);
	return true;
}

/* The gap begins elsewhere: what was asked for has come in part, or this is another gap, which has to wait its turn. */
static void rerequest_progress(struct rerequest *r, const struct arbiter_gap *gap, uint64_t now_ns)
{
	bool answered = gap->from > r->from && gap->from < r->to;

	r->from = gap->from;
	r->to = gap->to;
	r->progress_ns = now_ns;
	r->next_ns = answered ? now_ns : now_ns + r->cfg.first_ns;
	r->timeout_ns = r->cfg.timeout_ns;
	r->tries = 0;
}

enum rerequest_verdict rerequest_step(struct rerequest *r, const struct arbiter_gap *gap, uint64_t now_ns,
	struct rerequest_ask *ask)
{
	if (r->cfg.n_servers == 0 || gap->to - gap->from > r->cfg.messages_max)
		return REREQUEST_HOPELESS;
	if (gap->from != r->from)
		rerequest_progress(r, gap, now_ns);
	if (now_ns < r->next_ns)
		return REREQUEST_WAIT;
	if (r->tries == r->cfg.tries_max || now_ns - r->progress_ns > r->cfg.give_up_ns)
		return REREQUEST_HOPELESS;
	if (!rerequest_token(r, now_ns)) {
		r->n_short++;
		r->next_ns = now_ns + token_ns(r);
		return REREQUEST_WAIT;
	}
	if (r->tries++) {
		r->server = (r->server + 1) % r->cfg.n_servers;
		r->timeout_ns = 2 * r->timeout_ns < r->cfg.timeout_ns_max ? 2 * r->timeout_ns : r->cfg.timeout_ns_max;
	}
	r->next_ns = now_ns + r->timeout_ns;
	uint64_t count = gap->to - gap->from;
	*ask = (struct rerequest_ask){.server = r->cfg.server[r->server], .seq = gap->from,
		.count = (uint16_t)(count < COUNT_MAX ? count : COUNT_MAX)};
	r->n_sent++;
	return REREQUEST_ASK;
}
