/* SPDX-License-Identifier: BSD-3-Clause */
#include "risk_stage.h"

#include <errno.h>
#include <string.h>

#include "control.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/trace.h"

#define JOURNAL_ASK 64u /* records after which the journal is asked again whether it keeps up */

struct risk_ctx {
	struct risk core;
	struct gn_link *gateway;
	struct gn_link *const *strategies;
	struct gn_link *journal; /* NULL: none is kept */
	struct risk_control *control;
	const _Atomic bool *journal_refusing;
};

static void risk_to_gateway(void *arg, const struct gn_order_req *req)
{
	struct risk_ctx *c = arg;

	gn_trace_stamp(GN_HOP_RISK, req->rx_tsc, req->inst, req->oid);
	gn_link_send(c->gateway, req, sizeof(*req));
}

static bool risk_to_strategy(void *arg, uint32_t strategy, const struct gn_exec *exec)
{
	struct risk_ctx *c = arg;

	return gn_link_try_send(c->strategies[strategy], exec, sizeof(*exec));
}

static void risk_to_journal(void *arg, const struct gn_journal_msg *msg)
{
	struct risk_ctx *c = arg;

	if (!gn_link_try_send(c->journal, msg, sizeof(*msg)))
		c->core.n.journal_lost++;
}

/* Half of a small ring, RISK_JOURNAL_RESERVE of a large one, is kept for what must not be refused. */
static uint32_t risk_journal_room(void *arg)
{
	struct risk_ctx *c = arg;
	struct gn_spsc *ring = c->journal ? c->journal->ring : NULL;

	/* acquire pairs with the release in the journal's stage */
	if (c->journal_refusing && gn_unlikely(atomic_load_explicit(c->journal_refusing, memory_order_acquire)))
		return 0;
	if (!ring)
		return JOURNAL_ASK;
	uint64_t half = ((uint64_t)ring->mask + 1) / 2;
	uint64_t reserve = half < RISK_JOURNAL_RESERVE ? half : RISK_JOURNAL_RESERVE;
	uint64_t credit = gn_spsc_credit(ring, reserve + JOURNAL_ASK);
	uint64_t room = credit > reserve ? credit - reserve : 0;
	return room < JOURNAL_ASK ? (uint32_t)room : JOURNAL_ASK;
}

/* Somebody has blocked the engine without asking: throw the switch that says so. */
static void risk_blocked(struct risk_ctx *c, uint64_t now_tsc)
{
	bool guard = control_blocked(c->control) == RISK_BLOCK_GUARD;

	risk_kill(&c->core, RISK_ENGINE, 0, guard ? RISK_CAUSE_GUARD : RISK_CAUSE_INVARIANT,
		guard ? "the guard found the engine hanging" : "broken invariant", now_tsc);
}

static void risk_on_request(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct risk_ctx *c = arg;
	struct gn_order_req req = {0};
	uint64_t now_tsc = gn_tsc();

	/* a private copy: the sender may share the ring's memory and change it under us */
	memcpy(&req, msg, bytes < sizeof(req) ? bytes : sizeof(req));
	if (bytes < sizeof(req))
		req.kind = GN_REQ_NONE;
	req.strategy = from;
	if (gn_unlikely(c->control && control_blocked(c->control)))
		risk_blocked(c, now_tsc);
	risk_request(&c->core, &req, now_tsc);
}

static void risk_hint_request(void *arg, const void *msg, uint32_t step)
{
	struct risk_ctx *c = arg;
	const struct gn_order_req *req = msg;

	gn_link_hint(c->gateway, req, step);
	if (step == 0)
		risk_prefetch(&c->core, req);
	else
		risk_prefetch_order(&c->core, req);
}

static void risk_on_report(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct risk_ctx *c = arg;
	struct gn_exec exec = {0};

	(void)from;
	memcpy(&exec, msg, bytes < sizeof(exec) ? bytes : sizeof(exec));
	risk_report(&c->core, &exec, gn_tsc());
}

static bool risk_stage_poll(void *arg)
{
	struct risk_ctx *c = arg;

	if (gn_likely(
		    c->core.sweep_left == 0 && c->core.n_waiting == 0 && !(c->control && control_waiting(c->control))))
		return false;
	uint64_t now_tsc = gn_tsc();
	return (c->control && control_poll(c->control, &c->core, now_tsc)) || risk_poll(&c->core, now_tsc);
}

static void risk_housekeeping(void *arg, uint64_t now_tsc)
{
	struct risk_ctx *c = arg;

	if (c->control && control_blocked(c->control))
		risk_blocked(c, now_tsc);
	risk_housekeep(&c->core, now_tsc);
	if (c->control)
		control_publish(c->control, &c->core, now_tsc);
}

static int risk_wire(struct risk_ctx *c, const struct gn_env *env, uint32_t n_strategies)
{
	uint32_t n;

	c->gateway = gn_env_link(env, "risk_gateway");
	if (!c->gateway)
		return gn_err_in(-EINVAL, "risk");
	c->strategies = gn_env_links(env, "risk_strategy", &n);
	if (n != n_strategies)
		return gn_err(EINVAL, "risk: %u links to strategies, %u strategies in the config", n, n_strategies);
	struct gn_link *const *journals = gn_env_links(env, "risk_journal", &n);
	if (n > 1)
		return gn_err(EINVAL, "risk: %u links to journals, expected one at most", n);
	c->journal = n ? journals[0] : NULL;
	return 0;
}

static int risk_stage_init(void *arg, const struct gn_env *env)
{
	struct risk_ctx *c = arg;
	const struct risk_stage_config *config = env->config;
	int rc = risk_wire(c, env, config->core.n_strategies);

	if (rc)
		return rc;
	c->control = config->control;
	c->journal_refusing = config->journal_refusing;
	struct risk_io io = {
		.gateway = risk_to_gateway,
		.strategy = risk_to_strategy,
		.journal = c->journal ? risk_to_journal : NULL,
		.journal_room = risk_journal_room,
		.arg = c,
	};
	return risk_init(&c->core, &config->core, gn_instruments_max(env->instruments), env->board, &io, env->node);
}

static void risk_stage_fini(void *arg)
{
	struct risk_ctx *c = arg;

	risk_fini(&c->core);
}

struct risk *risk_stage_core(void *ctx)
{
	struct risk_ctx *c = ctx;

	return &c->core;
}

/* Verdicts first, in the order of their numbers, then what RISK_COUNTERS names: the order of the words in struct risk. */
static const struct gn_counter risk_counters[] = {
#define VERDICT_COUNTER(name, text) [GN_##name] = {#name, text},
	GN_VERDICTS(VERDICT_COUNTER)
#undef VERDICT_COUNTER
		RISK_COUNTERS(GN_COUNTER_DESC){NULL, NULL},
};
_Static_assert(offsetof(struct risk, n) == offsetof(struct risk, verdicts) + GN_VERDICT_COUNT * sizeof(uint64_t),
	"verdicts and counters are one row of words");

const struct gn_stage gn_stage_risk = {
	.name = "risk",
	.ctx_bytes = sizeof(struct risk_ctx),
	.burst = RISK_BURST,
	.in = (const struct gn_inlet[]){{"strategy_risk", risk_on_request, sizeof(struct gn_order_req),
						risk_hint_request},
		{"gateway_risk", risk_on_report, sizeof(struct gn_exec), NULL}, {0}},
	.out = (const char *const[]){"risk_gateway", "risk_strategy", "risk_journal", NULL},
	.counters = risk_counters,
	.counters_offset = offsetof(struct risk_ctx, core.verdicts),
	.init = risk_stage_init,
	.poll = risk_stage_poll,
	.housekeeping = risk_housekeeping,
	.fini = risk_stage_fini,
};
