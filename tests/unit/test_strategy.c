/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <pthread.h>
#include <string.h>

#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/stats.h"
#include "dataplane/runtime/wiring.h"
#include "strategy/host.h"
#include "strategy/strategy_stage.h"
#include "strategy_fixture.h"

#define SO(name) STRATEGY_SO_DIR "/" name ".so"

static struct {
	uint64_t now_ns;
	struct gn_order_req req[256];
	uint32_t n_req;
	struct gn_link out;
	struct strategy_host_counters n;
	struct strategy_host host;
	struct gn_instruments *instruments;
} t;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return t.now_ns;
}

static void sink(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	(void)from;
	cr_assert_eq(bytes, sizeof(struct gn_order_req));
	t.req[t.n_req++ % 256] = *(const struct gn_order_req *)msg;
}

static struct strategy_host_config host_config(void)
{
	return (struct strategy_host_config){
		.index = 2, .burst = 3, .now_ns = fake_now, .out = &t.out, .instruments = t.instruments, .n = &t.n};
}

static void given_a_host(void)
{
	struct strategy_host_config config;

	t.now_ns = 1000;
	t.out = (struct gn_link){.on_msg = sink, .msg_bytes_max = sizeof(struct gn_order_req)};
	t.instruments = gn_instruments_new(16);
	gn_instruments_add(t.instruments, gn_symbol_from("AAPL", 8));
	config = host_config();
	cr_assert_eq(strategy_host_init(&t.host, &config), 0, "%s", gn_err_text());
}

static const struct gn_order_req buy = {
	.kind = GN_REQ_NEW, .side = GN_BUY, .tif = GN_TIF_DAY, .inst = 0, .px = {.e9 = 5}, .qty = 1};

TestSuite(strategy_host, .init = given_a_host, .timeout = 10);

Test(strategy_host, refuses_bad_configurations)
{
	struct strategy_host h;
	struct strategy_host_config c;

	c = host_config(), c.index = GN_STRATEGIES_MAX;
	cr_assert_lt(strategy_host_init(&h, &c), 0);
	c = host_config(), c.burst = STRATEGY_BURST + 1;
	cr_assert_lt(strategy_host_init(&h, &c), 0);
	c = host_config(), c.oid_count = UINT64_MAX;
	cr_assert_lt(strategy_host_init(&h, &c), 0);
	c = host_config(), c.out = NULL;
	cr_assert_lt(strategy_host_init(&h, &c), 0);
	c = host_config(), c.now_ns = NULL;
	cr_assert_lt(strategy_host_init(&h, &c), 0);
}

Test(strategy_host, does_nothing_outside_of_callbacks)
{
	const struct gn_host *api = &t.host.api;

	cr_assert_eq(api->send(api->engine, &buy), 0);
	cr_assert_not(api->cancel(api->engine, 1));
	api->timer(api->engine, 5);
	cr_assert_eq(api->now_ns(api->engine), 0);
	cr_assert_null(api->instrument(api->engine, 0));
	cr_assert_null(api->find(api->engine, gn_symbol_from("AAPL", 8)));
	api->say(api->engine, "words");
	cr_assert_eq(t.n_req, 0);
	cr_assert_eq(t.host.timer_ns, 0);
	cr_assert_eq(strategy_host_n_foreign(), 7);
}

Test(strategy_host, does_nothing_for_a_pointer_that_it_did_not_hand_out)
{
	const struct gn_host *api = &t.host.api;
	struct strategy_host other = t.host;

	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_eq(api->send(NULL, &buy), 0);
	cr_assert_eq(api->send((void *)(uintptr_t)8, &buy), 0);
	cr_assert_eq(api->send(&other, &buy), 0);
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n_req, 0);
	cr_assert_eq(strategy_host_n_foreign(), 3);
}

static void *call_from_elsewhere(void *arg)
{
	const struct gn_host *api = &t.host.api;

	*(gn_oid *)arg = api->send(api->engine, &buy);
	return NULL;
}

Test(strategy_host, does_nothing_for_a_thread_of_the_strategys_own)
{
	gn_oid oid = 5;
	pthread_t thread;

	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_eq(pthread_create(&thread, NULL, call_from_elsewhere, &oid), 0);
	pthread_join(thread, NULL);
	strategy_host_leave(&t.host);
	cr_assert_eq(oid, 0);
	cr_assert_eq(t.n_req, 0);
	cr_assert_eq(strategy_host_n_foreign(), 1);
}

Test(strategy_host, sends_no_order_before_it_is_live)
{
	const struct gn_host *api = &t.host.api;

	strategy_host_enter(&t.host, STRATEGY_COLD, 0);
	cr_assert_eq(api->send(api->engine, &buy), 0);
	cr_assert_not(api->cancel(api->engine, 1));
	cr_assert_eq(api->now_ns(api->engine), 1000);
	cr_assert_eq(api->instrument(api->engine, 0)->inst, 0);
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n.call_refused_phase, 2);
	cr_assert_eq(t.n_req, 0);
}

Test(strategy_host, refuses_requests_that_are_none)
{
	const struct gn_host *api = &t.host.api;

	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_eq(api->send(api->engine, NULL), 0);
	cr_assert_eq(api->send(api->engine, &(struct gn_order_req){0}), 0);
	cr_assert_eq(api->send(api->engine, &(struct gn_order_req){.kind = GN_REQ_CANCEL}), 0);
	cr_assert_eq(api->send(api->engine, &(struct gn_order_req){.kind = 200}), 0);
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n.req_refused_kind, 4);
	cr_assert_eq(t.n_req, 0);
}

Test(strategy_host, fills_in_what_a_strategy_cannot_be_trusted_with)
{
	const struct gn_host *api = &t.host.api;
	struct gn_order_req lie = buy;

	lie.oid = 12345;
	lie.strategy = 60;
	lie.rx_tsc = 1;
	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	gn_oid oid = api->send(api->engine, &lie);
	strategy_host_leave(&t.host);
	cr_assert_eq(oid, UINT64_C(3) << 48 | 1);
	cr_assert_eq(t.req[0].oid, oid);
	cr_assert_eq(t.req[0].strategy, 2);
	cr_assert_eq(t.req[0].rx_tsc, 77);
	cr_assert_eq(gn_oid_strategy(oid), 2);
}

Test(strategy_host, bounds_one_callback_and_keeps_room_for_cancels)
{
	const struct gn_host *api = &t.host.api;
	uint32_t n_cancel = 0;

	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(api->send(api->engine, &buy) != 0, i < 3);
	for (int i = 0; i < 100; i++)
		n_cancel += api->cancel(api->engine, 9);
	strategy_host_leave(&t.host);
	cr_assert_eq(n_cancel, STRATEGY_BURST - 3);
	cr_assert_eq(t.n_req, STRATEGY_BURST);
	cr_assert_eq(t.n.req_refused_burst, 2 + 100 - (STRATEGY_BURST - 3));
	cr_assert_eq(t.req[3].kind, GN_REQ_CANCEL);
	cr_assert_eq(t.req[3].oid, 9);
	strategy_host_enter(&t.host, STRATEGY_LIVE, 78);
	cr_assert_neq(api->send(api->engine, &buy), 0, "the next callback starts anew");
	strategy_host_leave(&t.host);
}

Test(strategy_host, refuses_when_the_link_is_full)
{
	const struct gn_host *api = &t.host.api;
	struct gn_spsc ring;

	cr_assert_eq(gn_spsc_init(&ring, 2, sizeof(struct gn_order_req), GN_NODE_ANY), 0);
	t.out.ring = &ring;
	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_neq(api->send(api->engine, &buy), 0);
	cr_assert(api->cancel(api->engine, 1));
	cr_assert_eq(api->send(api->engine, &buy), 0);
	cr_assert_not(api->cancel(api->engine, 1));
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n.req_refused_link, 2);
	gn_spsc_fini(&ring);
}

Test(strategy_host, silenced_only_cancels_pass)
{
	const struct gn_host *api = &t.host.api;

	t.host.silent = true;
	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_eq(api->send(api->engine, &buy), 0);
	cr_assert(api->cancel(api->engine, 4));
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n.req_refused_silent, 1);
	cr_assert_eq(t.n_req, 1);
}

Test(strategy_host, finds_instruments)
{
	const struct gn_host *api = &t.host.api;

	strategy_host_enter(&t.host, STRATEGY_LIVE, 77);
	cr_assert_eq(api->find(api->engine, gn_symbol_from("AAPL", 8))->inst, 0);
	cr_assert_null(api->find(api->engine, gn_symbol_from("MSFT", 8)));
	cr_assert_null(api->find(api->engine, (gn_symbol){.word = 0}));
	cr_assert_null(api->instrument(api->engine, 1));
	cr_assert_null(api->instrument(api->engine, GN_INST_NONE));
	api->say(api->engine, "not now");
	strategy_host_leave(&t.host);
	cr_assert_eq(t.n.call_refused_phase, 1);
}

/* The stage, in a real wiring: source > strategy > sink, and a report link back. */
static struct gn_wiring *wiring;
static struct gn_stats *stats;
static struct fixture_state *state;

static bool never(void *ctx)
{
	(void)ctx;
	return false;
}

static const struct gn_stage stage_source = {.name = "source",
	.ctx_bytes = 8,
	.burst = 1,
	.in = (const struct gn_inlet[]){{0}},
	.out = (const char *const[]){"book_strategy", NULL},
	.counters = (const struct gn_counter[]){{0}},
	.poll = never};
static const struct gn_stage stage_sink = {.name = "sink",
	.ctx_bytes = 8,
	.burst = 1,
	.in = (const struct gn_inlet[]){{"strategy_risk", sink, sizeof(struct gn_order_req), NULL}, {0}},
	.out = (const char *const[]){"risk_strategy", NULL},
	.counters = (const struct gn_counter[]){{0}}};

static int wire(const struct strategy_config *config)
{
	struct gn_link_config link = {0}, back = {.back = true};

	stats = gn_stats_create(NULL, 4096);
	wiring = gn_wiring_new(t.instruments, NULL, stats);
	cr_assert_not_null(wiring);
	cr_assert_eq(gn_wiring_stage(wiring, &stage_source, "source0", 0, 0, GN_NODE_ANY, NULL), 0);
	cr_assert_eq(gn_wiring_stage(wiring, &gn_stage_strategy, "strategy0", 0, 0, GN_NODE_ANY, config), 0, "%s",
		gn_err_text());
	cr_assert_eq(gn_wiring_stage(wiring, &stage_sink, "sink0", 0, 0, GN_NODE_ANY, NULL), 0);
	cr_assert_eq(gn_wiring_link(wiring, "book_strategy", "source0", "strategy0", &link), 0, "%s", gn_err_text());
	cr_assert_eq(gn_wiring_link(wiring, "strategy_risk", "strategy0", "sink0", &link), 0, "%s", gn_err_text());
	cr_assert_eq(gn_wiring_link(wiring, "risk_strategy", "sink0", "strategy0", &back), 0, "%s", gn_err_text());
	return gn_wiring_seal(wiring);
}

static void unwire(void)
{
	gn_wiring_free(wiring);
	gn_stats_close(stats);
}

/* The first two members of the stage's context are the functions and the state; only a test looks there. */
struct ctx_head {
	struct gn_strategy api;
	struct fixture_state *state;
};

static struct ctx_head *wire_good(void)
{
	struct strategy_config config = {.path = SO("fixture_good"), .params = "abc", .index = 2, .now_ns = fake_now};

	cr_assert_eq(wire(&config), 0, "%s", gn_err_text());
	struct ctx_head *ctx = gn_wiring_ctx(wiring, "strategy0");
	state = ctx->state;
	return ctx;
}

static uint64_t counter(const void *ctx, const char *name)
{
	const uint64_t *words = (const uint64_t *)(const void *)((const char *)ctx + gn_stage_strategy.counters_offset);

	for (const struct gn_counter *c = gn_stage_strategy.counters; c->name; c++, words++)
		if (strcmp(c->name, name) == 0)
			return *words;
	cr_assert_fail("no counter %s", name);
	return 0;
}

static void market(void *ctx, const void *msg, uint32_t bytes)
{
	gn_stage_strategy.in[0].on_msg(ctx, 0, msg, bytes);
}

TestSuite(strategy_stage, .init = given_a_host, .timeout = 20);

Test(strategy_stage, start_fails_with_the_reason)
{
	struct strategy_config config = {.path = "/nowhere.so", .now_ns = fake_now};

	cr_assert_lt(wire(&config), 0);
	cr_assert_not_null(strstr(gn_err_text(), "strategy /nowhere.so: No such file"), "%s", gn_err_text());
	unwire();
}

Test(strategy_stage, start_fails_when_the_strategy_refuses)
{
	struct strategy_config config = {.path = SO("fixture_refuses"), .params = "k=v", .now_ns = fake_now};

	cr_assert_lt(wire(&config), 0);
	cr_assert_not_null(
		strstr(gn_err_text(), "refused to start with \"k=v\" (its init returned 7)"), "%s", gn_err_text());
	unwire();
}

Test(strategy_stage, start_fails_on_a_bad_index)
{
	struct strategy_config config = {.path = SO("fixture_good"), .index = 64, .now_ns = fake_now};

	cr_assert_lt(wire(&config), 0);
	cr_assert_not_null(strstr(gn_err_text(), "strategy index 64"), "%s", gn_err_text());
	unwire();
}

Test(strategy_stage, init_sees_zeroed_state_clock_and_params_but_cannot_trade)
{
	wire_good();
	cr_assert_eq(state->init_now_ns, 1000);
	cr_assert_eq(state->params_sum, 'a' + 'b' + 'c');
	cr_assert_eq(state->init_oid, 0);
	cr_assert_eq(t.n_req, 0);
	unwire();
}

Test(strategy_stage, counts_messages_of_a_length_that_fits_nothing)
{
	void *ctx = wire_good();
	struct gn_book_view view = {.n_levels = 1};

	market(ctx, &view, 0);
	market(ctx, &view, 64);
	market(ctx, &view, 103);
	market(ctx, &view, sizeof(view) + 1);
	view.n_levels = 3;
	market(ctx, &view, gn_book_view_bytes(2)); /* says more levels than came */
	view.n_levels = 255;
	market(ctx, &view, sizeof(view));
	gn_stage_strategy.in[1].on_msg(ctx, 0, &view, 95);
	cr_assert_eq(counter(ctx, "msg_bad"), 7);
	cr_assert_eq(state->n_views + state->n_events + state->n_execs, 0);
	unwire();
}

Test(strategy_stage, tells_views_events_and_reports_apart)
{
	void *ctx = wire_good();
	struct gn_book_view view = {.n_levels = 2, .seq = 11, .skipped = 4};
	struct gn_md md = {.kind = GN_MD_HALT, .exch_ns = 22};
	struct gn_exec exec = {.kind = GN_EXEC_FILLED, .match = 33};

	market(ctx, &view, gn_book_view_bytes(2));
	cr_assert_eq(state->last_seq, 11);
	market(ctx, &md, sizeof(md));
	cr_assert_eq(state->last_seq, 22);
	gn_stage_strategy.in[1].on_msg(ctx, 0, &exec, sizeof(exec));
	cr_assert_eq(state->last_seq, 33);
	cr_assert_eq(counter(ctx, "view_rx"), 1);
	cr_assert_eq(counter(ctx, "view_skipped"), 4);
	cr_assert_eq(counter(ctx, "event_rx"), 1);
	cr_assert_eq(counter(ctx, "report_rx"), 1);
	unwire();
}

Test(strategy_stage, sends_what_the_strategy_asks_with_the_events_trace_id)
{
	void *ctx = wire_good();
	struct gn_book_view view = {.n_levels = 1, .rx_tsc = 4711};

	state->kind = GN_REQ_NEW;
	state->n_new = 2;
	state->n_cancel = 1;
	market(ctx, &view, gn_book_view_bytes(1));
	cr_assert_eq(t.n_req, 3);
	cr_assert_eq(t.req[0].rx_tsc, 4711);
	cr_assert_eq(t.req[0].strategy, 2);
	cr_assert_eq(t.req[0].tag, 4);
	cr_assert_eq(t.req[1].oid, gn_oid_make(2, 2));
	cr_assert_eq(t.req[2].oid, t.req[1].oid);
	cr_assert_eq(t.req[2].kind, GN_REQ_CANCEL);
	cr_assert_eq(counter(ctx, "req_sent"), 2);
	cr_assert_eq(counter(ctx, "cancel_sent"), 1);
	unwire();
}

Test(strategy_stage, a_strategy_gone_mad_is_counted_and_contained)
{
	void *ctx = wire_good();
	struct gn_book_view view = {.n_levels = 1};

	state->kind = GN_REQ_NEW;
	state->n_new = 1000;
	market(ctx, &view, gn_book_view_bytes(1));
	cr_assert_eq(t.n_req, STRATEGY_BURST / 2);
	cr_assert_eq(counter(ctx, "req_refused_burst"), 1000 - STRATEGY_BURST / 2);
	state->null_engine = true;
	market(ctx, &view, gn_book_view_bytes(1));
	gn_stage_strategy.housekeeping(ctx, 0);
	cr_assert_eq(counter(ctx, "call_foreign"), 1000);
	state->null_engine = false;
	state->null_request = true;
	state->n_new = 1;
	market(ctx, &view, gn_book_view_bytes(1));
	cr_assert_eq(counter(ctx, "req_refused_kind"), 1);
	cr_assert_eq(t.n_req, STRATEGY_BURST / 2);
	unwire();
}

Test(strategy_stage, the_timer_runs_once_when_due)
{
	void *ctx = wire_good();

	cr_assert_not(gn_stage_strategy.poll(ctx), "no timer was asked for");
	strategy_host_enter(state->host->engine, STRATEGY_LIVE, 0);
	state->host->timer(state->host->engine, 2000);
	state->host->timer(state->host->engine, 1500); /* takes the place of the first */
	strategy_host_leave(state->host->engine);
	t.now_ns = 1499;
	cr_assert_not(gn_stage_strategy.poll(ctx));
	t.now_ns = 1600;
	cr_assert(gn_stage_strategy.poll(ctx));
	cr_assert_eq(state->n_timers, 1);
	cr_assert_eq(state->last_seq, 1600);
	t.now_ns = 5000;
	cr_assert_not(gn_stage_strategy.poll(ctx));
	unwire();
}
