/* SPDX-License-Identifier: BSD-3-Clause */
#include "host.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>

#include "dataplane/runtime/log.h"
#include "dataplane/runtime/trace.h"

#define SAY_BYTES 256
#define COUNT_MAX ((UINT64_C(1) << GN_OID_COUNT_BITS) - 1)

_Thread_local struct strategy_host *strategy_host_here;
static _Atomic uint64_t n_foreign;

uint64_t strategy_host_n_foreign(void)
{
	return atomic_load_explicit(&n_foreign, memory_order_relaxed);
}

/* The pointer is the strategy's word for who it is: it counts only if it says what this thread knows anyway. */
static struct strategy_host *host_of(void *engine)
{
	struct strategy_host *h = strategy_host_here;

	if (gn_likely(h && h == engine))
		return h;
	atomic_fetch_add_explicit(&n_foreign, 1, memory_order_relaxed);
	return NULL;
}

static struct strategy_host *host_in_phase(void *engine, enum strategy_phase phase)
{
	struct strategy_host *h = host_of(engine);

	if (gn_unlikely(h && h->phase != phase)) {
		h->config.n->call_refused_phase++;
		return NULL;
	}
	return h;
}

/* Room for one more request in this callback and in the link. */
static inline bool host_may_send(struct strategy_host *h)
{
	if (gn_unlikely(h->n_all >= STRATEGY_BURST)) {
		h->config.n->req_refused_burst++;
		return false;
	}
	if (gn_unlikely(!gn_link_has_room(h->config.out))) {
		h->config.n->req_refused_link++;
		return false;
	}
	return true;
}

static void host_emit(struct strategy_host *h, struct gn_order_req *req)
{
	req->rx_tsc = h->rx_tsc;
	req->strategy = h->config.index;
	h->n_all++;
	if (req->rx_tsc)
		gn_trace_stamp(GN_HOP_STRATEGY, req->rx_tsc, req->inst, req->oid);
	gn_link_send(h->config.out, req, sizeof(*req));
}

static gn_oid host_send(void *engine, const struct gn_order_req *asked)
{
	struct strategy_host *h = host_in_phase(engine, STRATEGY_LIVE);

	if (gn_unlikely(!h))
		return 0;
	if (gn_unlikely(!asked || (asked->kind != GN_REQ_NEW && asked->kind != GN_REQ_REPLACE))) {
		h->config.n->req_refused_kind++;
		return 0;
	}
	if (gn_unlikely(h->silent)) {
		h->config.n->req_refused_silent++;
		return 0;
	}
	if (gn_unlikely(h->n_new >= h->config.burst)) {
		h->config.n->req_refused_burst++;
		return 0;
	}
	if (gn_unlikely(!host_may_send(h)))
		return 0;
	GN_ASSERT(h->oid_last < COUNT_MAX);
	struct gn_order_req req = *asked;
	req.oid = gn_oid_make(h->config.index, ++h->oid_last);
	h->n_new++;
	h->config.n->req_sent++;
	host_emit(h, &req);
	return req.oid;
}

static bool host_cancel(void *engine, gn_oid oid)
{
	struct strategy_host *h = host_in_phase(engine, STRATEGY_LIVE);

	if (gn_unlikely(!h || !host_may_send(h)))
		return false;
	struct gn_order_req req = {.kind = GN_REQ_CANCEL, .oid = oid, .inst = GN_INST_NONE};
	h->config.n->cancel_sent++;
	host_emit(h, &req);
	return true;
}

static void host_timer(void *engine, uint64_t at_ns)
{
	struct strategy_host *h = host_of(engine);

	if (!h)
		return;
	h->config.n->timer_set++;
	h->timer_ns = at_ns;
}

static uint64_t host_now_ns(void *engine)
{
	struct strategy_host *h = host_of(engine);

	return h ? h->config.now_ns(h->config.now_arg) : 0;
}

static const struct gn_instrument *host_instrument(void *engine, gn_inst inst)
{
	struct strategy_host *h = host_of(engine);

	if (!h || !h->config.instruments || !gn_instruments_get(h->config.instruments, inst, &h->found))
		return NULL;
	return &h->found;
}

static const struct gn_instrument *host_find(void *engine, gn_symbol symbol)
{
	struct strategy_host *h = host_of(engine);

	if (!h || !h->config.instruments)
		return NULL;
	return host_instrument(engine, gn_instruments_find(h->config.instruments, symbol));
}

static void host_say(void *engine, const char *text)
{
	struct strategy_host *h = host_in_phase(engine, STRATEGY_COLD);
	char line[SAY_BYTES];

	if (!h || !text)
		return;
	snprintf(line, sizeof(line), "%s", text);
	for (char *c = line; *c; c++)
		*c = isprint((unsigned char)*c) ? *c : '?';
	gn_info("%s: %s", h->config.instance ? h->config.instance : "strategy", line);
}

int strategy_host_init(struct strategy_host *h, const struct strategy_host_config *config)
{
	if (config->index >= GN_STRATEGIES_MAX)
		return gn_err(0, "strategy index %u: expected below %u", config->index, GN_STRATEGIES_MAX);
	if (config->burst > STRATEGY_BURST)
		return gn_err(0, "strategy burst %u: expected at most %u", config->burst, STRATEGY_BURST);
	if (config->oid_count > COUNT_MAX / 2)
		return gn_err(0, "strategy oid_count %llu: expected at most %llu",
			(unsigned long long)config->oid_count, (unsigned long long)(COUNT_MAX / 2));
	if (!config->out || !config->now_ns || !config->n)
		return gn_err(0, "strategy host: needs a link to risk, a clock and counters");
	*h = (struct strategy_host){
		.api =
			{
				.abi = GN_STRATEGY_ABI,
				.size = sizeof(struct gn_host),
				.engine = h,
				.send = host_send,
				.cancel = host_cancel,
				.timer = host_timer,
				.now_ns = host_now_ns,
				.instrument = host_instrument,
				.find = host_find,
				.say = host_say,
			},
		.config = *config,
		.oid_last = config->oid_count,
	};
	if (h->config.burst == 0)
		h->config.burst = STRATEGY_BURST / 2;
	return 0;
}
