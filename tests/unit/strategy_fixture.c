/* SPDX-License-Identifier: BSD-3-Clause */
/* Small strategies for the tests of loader and stage: a good one, and one for each thing that can be wrong with a file. */
#include <gannet/strategy.h>

#include "strategy_fixture.h"

static int fixture_init(void *state, const struct gn_host *host, const char *params)
{
	struct fixture_state *f = state;

	f->host = host;
	f->init_now_ns = host->now_ns(host->engine);
	f->init_oid = host->send(host->engine, &(struct gn_order_req){.kind = GN_REQ_NEW});
	host->say(host->engine, params);
	for (const char *c = params; *c; c++)
		f->params_sum += (unsigned char)*c;
#ifdef FIXTURE_REFUSES
	return 7;
#else
	return 0;
#endif
}

/* Does what the test has put in its state: n_new orders, then n_cancel cancels. */
static void fixture_act(struct fixture_state *f)
{
	for (uint32_t i = 0; i < f->n_new; i++)
		f->last_oid = f->host->send(f->null_engine ? NULL : f->host->engine,
			f->null_request ? NULL
					: &(struct gn_order_req){.kind = f->kind,
						.side = GN_BUY,
						.tif = GN_TIF_DAY,
						.inst = 3,
						.px = {.e9 = 5},
						.qty = 7,
						.oid = 99,
						.strategy = 55,
						.rx_tsc = 1,
						.tag = 4});
	for (uint32_t i = 0; i < f->n_cancel; i++)
		f->n_canceled += f->host->cancel(f->host->engine, f->last_oid);
}

static void fixture_on_book(void *state, const struct gn_book_view *view)
{
	struct fixture_state *f = state;

	f->n_views++;
	f->last_seq = view->seq;
	fixture_act(f);
}

static void fixture_on_exec(void *state, const struct gn_exec *exec)
{
	struct fixture_state *f = state;

	f->n_execs++;
	f->last_seq = exec->match;
}

static void fixture_on_event(void *state, const struct gn_md *event)
{
	struct fixture_state *f = state;

	f->n_events++;
	f->last_seq = event->exch_ns;
}

static void fixture_on_timer(void *state, uint64_t now_ns)
{
	struct fixture_state *f = state;

	f->n_timers++;
	f->last_seq = now_ns;
	fixture_act(f);
}

#if defined(FIXTURE_WRONG_ABI)
#define FIXTURE_ABI (GN_STRATEGY_ABI + 1)
#else
#define FIXTURE_ABI GN_STRATEGY_ABI
#endif
#if defined(FIXTURE_LYING_SIZE)
#define FIXTURE_SIZE (sizeof(struct gn_strategy) + 64)
#else
#define FIXTURE_SIZE sizeof(struct gn_strategy)
#endif
#if defined(FIXTURE_GREEDY)
#define FIXTURE_STATE_BYTES (SIZE_MAX / 2)
#else
#define FIXTURE_STATE_BYTES sizeof(struct fixture_state)
#endif

#if defined(FIXTURE_NO_SYMBOL)
__attribute__((visibility("default"))) int fixture_something_else = 1;
void *fixture_used[] = {(void *)fixture_init, (void *)fixture_on_book, (void *)fixture_on_exec,
	(void *)fixture_on_event, (void *)fixture_on_timer};
#elif defined(FIXTURE_TOO_SMALL)
__attribute__((visibility("default"))) const uint32_t gn_strategy_v1[2] = {GN_STRATEGY_ABI, 8};
void *fixture_used[] = {(void *)fixture_init, (void *)fixture_on_book, (void *)fixture_on_exec,
	(void *)fixture_on_event, (void *)fixture_on_timer};
#else
extern const struct gn_strategy gn_strategy_v1;
__attribute__((visibility("default"))) const struct gn_strategy gn_strategy_v1 = {
	.abi = FIXTURE_ABI,
	.size = FIXTURE_SIZE,
#ifndef FIXTURE_NO_NAME
	.name = "fixture",
#endif
	.state_bytes = FIXTURE_STATE_BYTES,
#ifndef FIXTURE_NO_INIT
	.init = fixture_init,
#endif
	.on_book = fixture_on_book,
	.on_exec = fixture_on_exec,
	.on_timer = fixture_on_timer,
	.on_event = fixture_on_event,
};
#ifdef FIXTURE_NO_INIT
void *fixture_used = (void *)fixture_init;
#endif
#endif
