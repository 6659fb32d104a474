/* SPDX-License-Identifier: BSD-3-Clause */
#include "strategy_stage.h"

#include <errno.h>
#include <stdio.h>

#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/trace.h"
#include "host.h"
#include "loader.h"

#define STRATEGY_COUNTERS(X)                                                                                           \
	X(view_rx, "book views handed over")                                                                           \
	X(view_skipped, "book views left out by conflation before those")                                              \
	X(event_rx, "market events handed over")                                                                       \
	X(report_rx, "reports handed over")                                                                            \
	X(timer_run, "timers run")                                                                                     \
	X(msg_bad, "messages whose length fits no kind")                                                               \
	X(call_foreign, "engine calls from outside of any callback, all strategies together")

struct strategy_ctx {
	struct gn_strategy api;
	void *state;
	struct strategy_host host;
	struct strategy_module module;
	char instance[STRATEGY_NAME_BYTES];
	struct {
		STRATEGY_COUNTERS(GN_COUNTER_FIELD)
		struct strategy_host_counters host;
	} n;
};

static void strategy_on_view(struct strategy_ctx *s, const struct gn_book_view *view)
{
	s->n.view_rx++;
	s->n.view_skipped += view->skipped;
	if (!s->api.on_book)
		return;
	/* an order may come of it: what checks and sends it can be on its way while the strategy thinks */
	const struct gn_order_req soon = {.inst = view->inst, .strategy = s->host.config.index, .oid = strategy_host_next(&s->host)};
	gn_link_hint(s->host.config.out, &soon, 0);
	strategy_host_enter(&s->host, STRATEGY_LIVE, view->rx_tsc);
	s->api.on_book(s->state, view);
	strategy_host_leave(&s->host);
}

static void strategy_on_event(struct strategy_ctx *s, const struct gn_md *md)
{
	s->n.event_rx++;
	if (!s->api.on_event)
		return;
	strategy_host_enter(&s->host, STRATEGY_LIVE, md->rx_tsc);
	s->api.on_event(s->state, md);
	strategy_host_leave(&s->host);
}

static void strategy_on_market(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct strategy_ctx *s = arg;
	const struct gn_book_view *view = msg;

	(void)from;
	if (bytes == sizeof(struct gn_md))
		strategy_on_event(s, msg);
	else if (gn_likely(bytes >= gn_book_view_bytes(1) && bytes <= sizeof(*view)
			   && bytes >= gn_book_view_bytes(view->n_levels)))
		strategy_on_view(s, view);
	else
		s->n.msg_bad++;
}

static void strategy_on_report(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct strategy_ctx *s = arg;
	const struct gn_exec *exec = msg;

	(void)from;
	if (gn_unlikely(bytes != sizeof(*exec))) {
		s->n.msg_bad++;
		return;
	}
	s->n.report_rx++;
	if (exec->rx_tsc)
		gn_trace_stamp(GN_HOP_REPORT, exec->rx_tsc, exec->inst, exec->oid);
	if (!s->api.on_exec)
		return;
	strategy_host_enter(&s->host, STRATEGY_LIVE, exec->rx_tsc);
	s->api.on_exec(s->state, exec);
	strategy_host_leave(&s->host);
}

static bool strategy_poll(void *arg)
{
	struct strategy_ctx *s = arg;

	if (gn_likely(s->host.timer_ns == 0))
		return false;
	uint64_t now_ns = s->host.config.now_ns(s->host.config.now_arg);
	if (gn_likely(now_ns < s->host.timer_ns))
		return false;
	s->host.timer_ns = 0;
	s->n.timer_run++;
	strategy_host_enter(&s->host, STRATEGY_LIVE, 0);
	if (s->api.on_timer)
		s->api.on_timer(s->state, now_ns);
	strategy_host_leave(&s->host);
	return true;
}

static void strategy_housekeeping(void *arg, uint64_t now_tsc)
{
	struct strategy_ctx *s = arg;

	(void)now_tsc;
	s->n.call_foreign = strategy_host_n_foreign();
}

static int strategy_start(struct strategy_ctx *s, const struct strategy_config *config, int node)
{
	s->state = gn_mem_alloc(s->api.state_bytes, node);
	if (!s->state)
		return gn_err_in(-ENOMEM, "strategy %s: state", s->api.name);
	strategy_host_enter(&s->host, STRATEGY_COLD, 0);
	int refused = s->api.init(s->state, &s->host.api, config->params ? config->params : "");
	strategy_host_leave(&s->host);
	if (!refused)
		return 0;
	gn_mem_free(s->state, s->api.state_bytes);
	s->state = NULL;
	return gn_err(0, "strategy %s (%s): refused to start with \"%s\" (its init returned %d)", s->api.name,
		s->module.identity.path, config->params ? config->params : "", refused);
}

static int strategy_init(void *arg, const struct gn_env *env)
{
	struct strategy_ctx *s = arg;
	const struct strategy_config *config = env->config;
	struct gn_link *out = gn_env_link(env, "strategy_risk");

	if (!out)
		return gn_err_in(-EINVAL, "%s", env->instance);
	snprintf(s->instance, sizeof(s->instance), "%s", env->instance);
	int rc = strategy_host_init(&s->host, &(struct strategy_host_config){
						      .index = config->index,
						      .burst = config->burst,
						      .oid_count = config->oid_count,
						      .now_ns = config->now_ns,
						      .now_arg = config->now_arg,
						      .instruments = env->instruments,
						      .out = out,
						      .instance = s->instance,
						      .n = &s->n.host,
					      });
	if (rc == 0)
		rc = strategy_load(&s->module, config->path);
	if (rc < 0)
		return gn_err_in(rc, "%s", env->instance);
	s->api = s->module.api;
	rc = strategy_start(s, config, env->node);
	if (rc < 0)
		strategy_unload(&s->module);
	return rc < 0 ? gn_err_in(rc, "%s", env->instance) : 0;
}

static void strategy_fini(void *arg)
{
	struct strategy_ctx *s = arg;

	if (!s->state)
		return;
	strategy_housekeeping(s, 0);
	strategy_host_enter(&s->host, STRATEGY_COLD, 0);
	if (s->api.fini)
		s->api.fini(s->state);
	strategy_host_leave(&s->host);
	gn_mem_free(s->state, s->api.state_bytes);
	s->state = NULL;
	strategy_unload(&s->module);
}

const struct gn_stage gn_stage_strategy = {
	.name = "strategy",
	.ctx_bytes = sizeof(struct strategy_ctx),
	.burst = STRATEGY_BURST,
	.in =
		(const struct gn_inlet[]){
			{"book_strategy", strategy_on_market, sizeof(struct gn_book_view), NULL},
			{"risk_strategy", strategy_on_report, sizeof(struct gn_exec), NULL},
			{0},
		},
	.out = (const char *const[]){"strategy_risk", NULL},
	.counters = (const struct gn_counter[]){STRATEGY_COUNTERS(GN_COUNTER_DESC)
			STRATEGY_HOST_COUNTERS(GN_COUNTER_DESC){0}},
	.counters_offset = offsetof(struct strategy_ctx, n),
	.init = strategy_init,
	.poll = strategy_poll,
	.housekeeping = strategy_housekeeping,
	.fini = strategy_fini,
};
