/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "strategy/examples/params.h"
#include "strategy/host.h"
#include "strategy/loader.h"

#define SO(name) STRATEGY_SO_DIR "/" name ".so"
#define MS UINT64_C(1000000)
#define TICK INT64_C(10000000)
#define REQ_MAX 4096u

/* A desk of one strategy: what it asks for ends in req, time stands still until the test moves it. */
static struct {
	uint64_t now_ns, tsc;
	struct gn_order_req req[REQ_MAX];
	uint32_t n_req;
	gn_qty position[4];
	struct gn_link out;
	struct strategy_host_counters n;
	struct strategy_host host;
	struct gn_instruments *instruments;
	struct strategy_module module;
	void *state;
} d;

static uint64_t fake_now(void *arg)
{
	(void)arg;
	return d.now_ns;
}

static void sink(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx, (void)from, (void)bytes;
	cr_assert_lt(d.n_req, REQ_MAX);
	d.req[d.n_req++] = *(const struct gn_order_req *)msg;
}

static int start(const char *so, const char *params)
{
	d.now_ns = 1000 * MS;
	d.out = (struct gn_link){.on_msg = sink, .msg_bytes_max = sizeof(struct gn_order_req)};
	d.instruments = gn_instruments_new(16);
	gn_instruments_add(d.instruments, gn_symbol_from("AAPL", 8));
	gn_instruments_add(d.instruments, gn_symbol_from("MSFT", 8));
	cr_assert_eq(strategy_load(&d.module, so), 0, "%s", gn_err_text());
	struct strategy_host_config config = {.index = 0,
		.burst = 8,
		.now_ns = fake_now,
		.instruments = d.instruments,
		.out = &d.out,
		.n = &d.n,
		.instance = "example"};
	cr_assert_eq(strategy_host_init(&d.host, &config), 0, "%s", gn_err_text());
	free(d.state);
	d.state = calloc(1, d.module.api.state_bytes);
	strategy_host_enter(&d.host, STRATEGY_COLD, 0);
	int rc = d.module.api.init(d.state, &d.host.api, params);
	strategy_host_leave(&d.host);
	return rc;
}

static void view_of(gn_inst inst, int64_t bid_ticks, gn_qty bid_qty, int64_t ask_ticks, gn_qty ask_qty, uint8_t flags)
{
	struct gn_book_view v = {.inst = inst, .n_levels = 1, .flags = flags, .rx_tsc = ++d.tsc};

	v.level[0] = (struct gn_view_level){
		.bid_px = {bid_ticks * TICK}, .bid_qty = bid_qty, .ask_px = {ask_ticks * TICK}, .ask_qty = ask_qty};
	strategy_host_enter(&d.host, STRATEGY_LIVE, v.rx_tsc);
	d.module.api.on_book(d.state, &v);
	strategy_host_leave(&d.host);
}

static void exec_of(struct gn_exec e)
{
	strategy_host_enter(&d.host, STRATEGY_LIVE, ++d.tsc);
	d.module.api.on_exec(d.state, &e);
	strategy_host_leave(&d.host);
}

static void timer_run(void)
{
	cr_assert_neq(d.host.timer_ns, 0, "the strategy has asked for no timer");
	d.now_ns = d.host.timer_ns > d.now_ns ? d.host.timer_ns : d.now_ns;
	d.host.timer_ns = 0;
	strategy_host_enter(&d.host, STRATEGY_LIVE, 0);
	d.module.api.on_timer(d.state, d.now_ns);
	strategy_host_leave(&d.host);
}

static const struct gn_order_req *last(void)
{
	cr_assert_gt(d.n_req, 0);
	return &d.req[d.n_req - 1];
}

/* The venue takes a request as it is. */
static void accept(const struct gn_order_req *r)
{
	struct gn_exec e = {.kind = GN_EXEC_ACCEPTED,
		.side = r->side,
		.inst = r->inst,
		.oid = r->oid,
		.px = r->px,
		.qty = r->qty,
		.leaves = r->qty};

	if (r->kind == GN_REQ_REPLACE) {
		e.kind = GN_EXEC_REPLACED;
		e.oid_prev = r->oid_prev;
	}
	exec_of(e);
}

static void fill(const struct gn_order_req *r, gn_qty qty, gn_qty leaves)
{
	d.position[r->inst] += r->side == GN_BUY ? qty : -qty;
	exec_of((struct gn_exec){.kind = GN_EXEC_FILLED,
		.side = r->side,
		.inst = r->inst,
		.oid = r->oid,
		.px = r->px,
		.qty = qty,
		.leaves = leaves,
		.position = d.position[r->inst]});
}

static void canceled(gn_oid oid, gn_inst inst)
{
	exec_of((struct gn_exec){.kind = GN_EXEC_CANCELED,
		.inst = inst,
		.oid = oid,
		.qty = 1,
		.leaves = 0,
		.position = d.position[inst]});
}

static void refused(gn_oid oid, gn_inst inst, enum gn_verdict why)
{
	exec_of((struct gn_exec){.kind = GN_EXEC_REFUSED, .inst = inst, .oid = oid, .reason = (uint8_t)why});
}

/* Risk knows no instrument of an order that it does not know. */
static void cancel_refused(gn_oid oid, enum gn_verdict why)
{
	refused(oid, GN_INST_NONE, why);
}

TestSuite(params, .timeout = 5);

static bool parse(const char *text, int64_t *a, struct param_word *w, struct params_error *e)
{
	const struct param table[] = {{.key = "a", .number = a, .min = -5, .max = 100},
		{.key = "big", .number = a, .min = INT64_MIN, .max = INT64_MAX}, {.key = "w", .word = w},
		{.key = NULL}};

	return params_parse(text, table, e);
}

Test(params, refuses_what_it_does_not_understand)
{
	static const char *const bad[][2] = {{"b=1", "there is no such parameter: b=1"},
		{"a", "key=value is expected, not a"}, {"a=", "from -5 to 100 is expected in a="},
		{"a=101", "from -5 to 100"}, {"a=-6", "from -5 to 100"}, {"a=1x", "from -5 to 100"},
		{"a= 1", "from -5"}, {"a=1,a=2", "given twice: a=2"}, {"a=1,,w=x", "key=value"},
		{"w=", "a word is expected in w="}, {",", "key=value"}, {"=1", "there is no such parameter: =1"},
		{"aa=1", "no such parameter"}, {"big=9223372036854775808", "is expected"},
		{"big=-9223372036854775809", "is expected"}, {"a=-", "is expected"},
		{"a=99999999999999999999999999", "is expected"}};
	struct params_error e;
	struct param_word w;
	int64_t a = 0;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_not(parse(bad[i][0], &a, &w, &e), "\"%s\" was taken", bad[i][0]);
		cr_assert_not_null(strstr(e.c, bad[i][1]), "\"%s\": %s", bad[i][0], e.c);
	}
}

Test(params, cuts_a_message_that_does_not_fit)
{
	char text[1000];
	struct params_error e;
	struct param_word w;
	int64_t a = 0;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_assert_not(parse(text, &a, &w, &e));
	cr_assert_eq(strlen(e.c), sizeof(e.c) - 1);
}

Test(params, reads_numbers_and_words)
{
	struct params_error e;
	struct param_word w = {0}, part;
	int64_t a = 7;

	cr_assert(parse("", &a, &w, &e));
	cr_assert_eq(a, 7);
	cr_assert(parse("w=AAPL:MSFT,a=-5", &a, &w, &e), "%s", e.c);
	cr_assert_eq(a, -5);
	cr_assert(params_next_part(&w, &part));
	cr_assert_eq(params_symbol(part).word, gn_symbol_from("AAPL", 8).word);
	cr_assert(params_next_part(&w, &part));
	cr_assert_eq(params_symbol(part).word, gn_symbol_from("MSFT", 8).word);
	cr_assert_not(params_next_part(&w, &part));
	cr_assert(parse("big=-9223372036854775808", &a, &w, &e));
	cr_assert_eq(a, INT64_MIN);
	cr_assert(parse("big=9223372036854775807", &a, &w, &e));
	cr_assert_eq(a, INT64_MAX);
}

TestSuite(maker, .timeout = 10);

Test(maker, refuses_bad_params_and_unknown_symbols)
{
	cr_assert_neq(start(SO("maker"), "sise=100"), 0);
	cr_assert_neq(start(SO("maker"), "size=0"), 0);
	cr_assert_neq(start(SO("maker"), "symbols=NOPE"), 0);
	cr_assert_neq(start(SO("maker"), "symbols=TOOLONGSYMBOL"), 0);
	cr_assert_eq(start(SO("maker"), "symbols=MSFT:AAPL,size=100"), 0);
}

Test(maker, does_not_quote_what_it_must_not)
{
	cr_assert_eq(start(SO("maker"), "symbols=AAPL"), 0);
	view_of(1, 100, 500, 102, 500, 0); /* not its symbol */
	view_of(99999, 100, 500, 102, 500, 0);
	view_of(GN_INST_NONE, 100, 500, 102, 500, 0);
	view_of(0, 100, 500, 102, 500, GN_VIEW_STALE);
	view_of(0, 100, 500, 102, 500, GN_VIEW_HALTED);
	view_of(0, 102, 500, 102, 500, GN_VIEW_LOCKED);
	view_of(0, 103, 500, 102, 500, GN_VIEW_CROSSED);
	view_of(0, 0, 0, 102, 500, 0); /* one-sided */
	view_of(0, 100, 500, 0, 0, 0);
	view_of(0, -5, 500, -3, 500, 0);
	cr_assert_eq(d.n_req, 0);
}

Test(maker, quotes_both_sides_of_the_touch)
{
	cr_assert_eq(start(SO("maker"), ""), 0);
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 2);
	cr_assert_eq(d.req[0].side, GN_BUY);
	cr_assert_eq(d.req[0].px.e9, 100 * TICK);
	cr_assert_eq(d.req[0].qty, 100);
	cr_assert_eq(d.req[0].flags, GN_ORD_POST_ONLY);
	cr_assert_eq(d.req[1].side, GN_SELL);
	cr_assert_eq(d.req[1].px.e9, 102 * TICK);
	cr_assert_eq(d.req[1].flags, GN_ORD_POST_ONLY | GN_ORD_SHORT);
	view_of(0, 100, 900, 102, 500, 0);
	view_of(0, 101, 900, 103, 500, 0);
	cr_assert_eq(d.n_req, 2, "one request at a time on each side");
}

static void quote_both(const char *params)
{
	cr_assert_eq(start(SO("maker"), params), 0);
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 2);
	accept(&d.req[0]);
	accept(&d.req[1]);
}

Test(maker, stays_where_it_is_while_the_market_does)
{
	quote_both("");
	for (int i = 0; i < 1000; i++) {
		d.now_ns += MS;
		view_of(0, 100, 500 + i, 102, 500 - i / 4, 0);
	}
	cr_assert_eq(d.n_req, 2);
}

Test(maker, follows_the_market_at_a_bounded_rate)
{
	quote_both("interval_ms=50");
	for (int i = 0; i < 1000; i++) { /* one second, the market moves every millisecond */
		d.now_ns += MS;
		uint32_t before = d.n_req;
		view_of(0, 200 + i, 500, 202 + i, 500, 0);
		for (uint32_t r = before; r < d.n_req; r++)
			accept(&d.req[r]);
	}
	cr_assert_geq(d.n_req, 2 + 2 * 18);
	cr_assert_leq(d.n_req, 2 + 2 * 20);
	cr_assert_eq(last()->kind, GN_REQ_REPLACE);
}

Test(maker, a_replacement_names_its_order_and_the_chains_total)
{
	quote_both("");
	fill(&d.req[0], 30, 70);
	d.now_ns += 100 * MS;
	view_of(0, 101, 500, 103, 500, 0);
	cr_assert_eq(d.n_req, 4);
	const struct gn_order_req *r = &d.req[2];
	cr_assert_eq(r->kind, GN_REQ_REPLACE);
	cr_assert_eq(r->oid_prev, d.req[0].oid);
	cr_assert_eq(r->px.e9, 101 * TICK);
	cr_assert_eq(r->qty, 130, "30 filled and 100 to rest");
	exec_of((struct gn_exec){.kind = GN_EXEC_REPLACED,
		.side = GN_BUY,
		.oid = r->oid,
		.oid_prev = r->oid_prev,
		.px = r->px,
		.qty = 130,
		.leaves = 100});
	d.now_ns += 100 * MS;
	view_of(0, 102, 500, 104, 500, 0);
	cr_assert_eq(d.req[4].oid_prev, r->oid);
}

Test(maker, pulls_its_quotes_at_once_when_the_book_is_in_doubt)
{
	quote_both("");
	view_of(0, 100, 500, 102, 500, GN_VIEW_STALE);
	cr_assert_eq(d.n_req, 4);
	cr_assert_eq(d.req[2].kind, GN_REQ_CANCEL);
	cr_assert_eq(d.req[2].oid, d.req[0].oid);
	cr_assert_eq(d.req[3].oid, d.req[1].oid);
	canceled(d.req[0].oid, 0);
	canceled(d.req[1].oid, 0);
	view_of(0, 100, 500, 102, 500, GN_VIEW_STALE);
	cr_assert_eq(d.n_req, 4);
	d.now_ns += 60 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 6);
}

Test(maker, a_refused_cancel_is_tried_again_but_not_in_a_loop)
{
	quote_both("");
	view_of(0, 100, 500, 102, 500, GN_VIEW_HALTED);
	cr_assert_eq(d.n_req, 4);
	cancel_refused(d.req[0].oid, GN_REFUSED_RATE);
	for (int i = 0; i < 100; i++)
		view_of(0, 100, 500, 102, 500, GN_VIEW_HALTED);
	cr_assert_eq(d.n_req, 4);
	d.now_ns += 60 * MS;
	view_of(0, 100, 500, 102, 500, GN_VIEW_HALTED);
	cr_assert_eq(d.n_req, 5);
	cr_assert_eq(last()->kind, GN_REQ_CANCEL);
	cr_assert_eq(last()->oid, d.req[0].oid);
}

Test(maker, leans_away_from_its_inventory)
{
	quote_both("skew_qty=100,position_max=1000");
	fill(&d.req[0], 100, 0);
	d.now_ns += 100 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	const struct gn_order_req *bid = &d.req[2];
	cr_assert_eq(bid->kind, GN_REQ_NEW);
	cr_assert_eq(bid->side, GN_BUY);
	cr_assert_eq(bid->px.e9, 99 * TICK, "one tick behind");
}

Test(maker, marks_a_sale_of_what_it_has_as_long)
{
	quote_both("skew_qty=100000");
	fill(&d.req[0], 100, 0);
	d.now_ns += 100 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 4);
	cr_assert_eq(d.req[3].kind, GN_REQ_CANCEL, "the short sale cannot become a long one");
	cr_assert_eq(d.req[3].oid, d.req[1].oid);
	canceled(d.req[1].oid, 0);
	d.now_ns += 100 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(last()->side, GN_SELL);
	cr_assert_eq(last()->flags, GN_ORD_POST_ONLY);
}

Test(maker, sells_nothing_short_under_the_price_test)
{
	cr_assert_eq(start(SO("maker"), ""), 0);
	view_of(0, 100, 500, 102, 500, GN_VIEW_NO_SHORT);
	cr_assert_eq(d.n_req, 1);
	cr_assert_eq(d.req[0].side, GN_BUY);
	accept(&d.req[0]);
	fill(&d.req[0], 40, 60);
	d.now_ns += 100 * MS;
	view_of(0, 100, 500, 102, 500, GN_VIEW_NO_SHORT);
	cr_assert_eq(last()->side, GN_SELL);
	cr_assert_eq(last()->qty, 40);
	cr_assert_eq(last()->flags & GN_ORD_SHORT, 0);
}

Test(maker, comes_back_after_a_refusal_but_not_at_once)
{
	cr_assert_eq(start(SO("maker"), ""), 0);
	view_of(0, 100, 500, 102, 500, 0);
	refused(d.req[0].oid, 0, GN_REFUSED_COLLAR);
	refused(d.req[1].oid, 0, GN_REFUSED_COLLAR);
	for (int i = 0; i < 400; i++) {
		d.now_ns += MS;
		view_of(0, 100 + i, 500, 102 + i, 500, 0);
	}
	cr_assert_eq(d.n_req, 2);
	d.now_ns += 200 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 4);
}

Test(maker, waits_long_after_a_verdict_that_will_not_change_soon)
{
	cr_assert_eq(start(SO("maker"), ""), 0);
	view_of(0, 100, 500, 102, 500, 0);
	accept(&d.req[0]);
	refused(d.req[1].oid, 0, GN_REFUSED_SHORT);
	for (int i = 0; i < 90; i++) {
		d.now_ns += 100 * MS;
		view_of(0, 100, 500, 102, 500, 0);
	}
	cr_assert_eq(d.n_req, 2);
	d.now_ns += 2000 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 3);
}

Test(maker, a_refused_replacement_leaves_the_old_order_in_its_books)
{
	quote_both("");
	d.now_ns += 100 * MS;
	view_of(0, 101, 500, 103, 500, 0);
	refused(d.req[2].oid, 0, GN_REFUSED_RATE);
	view_of(0, 101, 500, 103, 500, GN_VIEW_STALE);
	cr_assert_eq(d.n_req, 4, "not in the moment of a refusal");
	d.now_ns += 60 * MS;
	view_of(0, 101, 500, 103, 500, GN_VIEW_STALE);
	cr_assert_eq(d.n_req, 5);
	cr_assert_eq(last()->kind, GN_REQ_CANCEL);
	cr_assert_eq(last()->oid, d.req[0].oid);
}

Test(maker, asks_after_an_answer_that_does_not_come)
{
	quote_both("");
	d.now_ns += 100 * MS;
	view_of(0, 101, 500, 103, 500, 0);
	fill(&d.req[0], 100,
		0); /* the old order fills while its replacement is on the way, and nobody answers that one */
	canceled(d.req[1].oid, 0);
	refused(d.req[3].oid, 0, GN_REFUSED_UNKNOWN);
	uint32_t at = d.n_req;
	for (int i = 0; i < 150; i++)
		timer_run();
	while (at < d.n_req && d.req[at].kind != GN_REQ_CANCEL)
		at++;
	cr_assert_lt(at, d.n_req);
	cr_assert_eq(d.req[at].oid, d.req[2].oid);
	cancel_refused(d.req[2].oid, GN_REFUSED_UNKNOWN);
	at = d.n_req;
	d.now_ns += 1000 * MS;
	timer_run();
	cr_assert_lt(at, d.n_req);
	cr_assert_eq(d.req[at].kind, GN_REQ_NEW);
	cr_assert_eq(d.req[at].side, GN_BUY);
}

Test(maker, goes_away_while_the_session_is_down)
{
	quote_both("");
	exec_of((struct gn_exec){.kind = GN_EXEC_DOWN, .inst = GN_INST_NONE});
	canceled(d.req[0].oid, 0);
	canceled(d.req[1].oid, 0);
	d.now_ns += 100 * MS;
	view_of(0, 100, 500, 102, 500, 0);
	cr_assert_eq(d.n_req, 2);
	exec_of((struct gn_exec){.kind = GN_EXEC_UP, .inst = GN_INST_NONE});
	timer_run();
	cr_assert_eq(d.n_req, 4, "a quiet market is quoted again by the timer");
}

/* A venue that fills, refuses and delays at random: what the maker may own at worst must stay within its limit. */
Test(maker, never_risks_more_than_its_position_limit)
{
	const char *seed_text = getenv("GANNET_SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 20260101u;
	gn_qty open[2] = {0}, leaves[2] = {0};
	gn_oid live[2] = {0};
	uint32_t at = 0;

	srand(seed);
	cr_assert_eq(start(SO("maker"), "position_max=500,interval_ms=0"), 0);
	for (int i = 0; i < 5000; i++) {
		int64_t bid = 1000 + rand() % 20;
		d.now_ns += MS * (uint64_t)(rand() % 20);
		view_of(0, bid, 100 + rand() % 1000, bid + 1 + rand() % 6, 100 + rand() % 1000,
			rand() % 50 == 0 ? GN_VIEW_STALE : 0);
		for (; at < d.n_req; at++) {
			const struct gn_order_req r = d.req[at];
			if (r.kind == GN_REQ_CANCEL) {
				bool known = r.oid == live[0] || r.oid == live[1];
				int s = r.oid == live[1];
				if (known) {
					live[s] = 0;
					leaves[s] = 0;
					canceled(r.oid, 0);
				} else {
					cancel_refused(r.oid, GN_REFUSED_UNKNOWN);
				}
				continue;
			}
			int s = r.side == GN_SELL;
			cr_assert(r.qty > 0 && r.px.e9 > 0);
			if (r.kind == GN_REQ_REPLACE && r.oid_prev != live[s]) {
				refused(r.oid, 0, GN_REFUSED_UNKNOWN);
				continue;
			}
			if (rand() % 10 == 0) {
				refused(r.oid, 0, GN_REFUSED_RATE);
				continue;
			}
			if (r.kind == GN_REQ_NEW) {
				cr_assert_eq(live[s], 0, "a second order on one side, seed %u", seed);
				open[s] = 0;
			}
			live[s] = r.oid;
			leaves[s] = r.qty - open[s];
			cr_assert_leq(
				(s ? -d.position[0] : d.position[0]) + leaves[s], 500, "step %d, seed %u", i, seed);
			exec_of((struct gn_exec){.kind = r.kind == GN_REQ_NEW ? GN_EXEC_ACCEPTED : GN_EXEC_REPLACED,
				.side = r.side,
				.oid = r.oid,
				.oid_prev = r.oid_prev,
				.px = r.px,
				.qty = r.qty,
				.leaves = leaves[s]});
		}
		int s = rand() % 2;
		if (live[s] && rand() % 3 == 0) {
			gn_qty qty = 1 + rand() % leaves[s];
			struct gn_order_req r = {.inst = 0, .side = s ? GN_SELL : GN_BUY, .oid = live[s]};
			leaves[s] -= qty;
			open[s] += qty;
			live[s] = leaves[s] ? live[s] : 0;
			fill(&r, qty, leaves[s]);
		}
	}
	cr_assert_gt(d.n_req, 500);
}

TestSuite(taker, .timeout = 10);

Test(taker, refuses_bad_params)
{
	cr_assert_neq(start(SO("taker"), "imbalance_pct=50"), 0);
	cr_assert_neq(start(SO("taker"), "cooldown=5"), 0);
	cr_assert_eq(start(SO("taker"), "imbalance_pct=90,hold_ms=5"), 0);
}

Test(taker, leaves_a_balanced_or_doubtful_book_alone)
{
	cr_assert_eq(start(SO("taker"), ""), 0);
	view_of(0, 100, 500, 101, 400, 0);
	view_of(0, 100, 5000, 101, 100, GN_VIEW_STALE);
	view_of(0, 100, 5000, 101, 100, GN_VIEW_HALTED);
	view_of(0, 101, 5000, 101, 100, GN_VIEW_LOCKED);
	view_of(0, 100, 5000, 0, 0, 0);
	view_of(0, 0, 0, 101, 5000, 0);
	view_of(0, 0, 0, 0, 0, 0);
	view_of(0, 100, 5000, 110, 100, 0); /* too wide */
	view_of(0, 100, INT64_MAX, 101, INT64_MAX, 0);
	cr_assert_eq(d.n_req, 0);
}

Test(taker, takes_what_the_thin_side_shows_and_no_more)
{
	cr_assert_eq(start(SO("taker"), "size=100"), 0);
	view_of(0, 100, 5000, 101, 60, 0);
	cr_assert_eq(d.n_req, 1);
	cr_assert_eq(last()->side, GN_BUY);
	cr_assert_eq(last()->tif, GN_TIF_IOC);
	cr_assert_eq(last()->px.e9, 101 * TICK);
	cr_assert_eq(last()->qty, 60);
	view_of(0, 100, 5000, 101, 60, 0);
	cr_assert_eq(d.n_req, 1, "one order at a time");
}

Test(taker, sells_short_only_where_it_may)
{
	cr_assert_eq(start(SO("taker"), ""), 0);
	view_of(0, 100, 60, 101, 5000, GN_VIEW_NO_SHORT);
	cr_assert_eq(d.n_req, 0);
	view_of(0, 100, 60, 101, 5000, 0);
	cr_assert_eq(last()->side, GN_SELL);
	cr_assert_eq(last()->flags, GN_ORD_SHORT);
	cr_assert_eq(last()->px.e9, 100 * TICK);
}

Test(taker, waits_between_two_orders_and_stops_at_its_limit)
{
	cr_assert_eq(start(SO("taker"), "size=100,position_max=250,cooldown_ms=500,hold_ms=3600000"), 0);
	for (int i = 0; i < 10000; i++) { /* ten seconds */
		uint32_t before = d.n_req;
		d.now_ns += MS;
		view_of(0, 100, 5000, 101, 300, 0);
		if (d.n_req > before) {
			struct gn_order_req r = *last();
			accept(&r);
			fill(&r, r.qty, 0);
		}
	}
	cr_assert_eq(d.n_req, 3);
	cr_assert_eq(d.position[0], 250);
}

Test(taker, gets_rid_of_its_position_after_a_while)
{
	cr_assert_eq(start(SO("taker"), "hold_ms=2000"), 0);
	view_of(0, 100, 5000, 101, 300, 0);
	struct gn_order_req r = *last();
	fill(&r, 100, 0);
	view_of(0, 100, 400, 101, 400, 0);
	for (int i = 0; i < 95; i++)
		timer_run();
	cr_assert_eq(d.n_req, 1);
	for (int i = 0; i < 10; i++)
		timer_run();
	cr_assert_eq(d.n_req, 2);
	cr_assert_eq(last()->side, GN_SELL);
	cr_assert_eq(last()->qty, 100);
	cr_assert_eq(last()->flags, 0, "what it has is a long sale");
	cr_assert_eq(last()->px.e9, 100 * TICK);
}

Test(taker, turns_when_the_book_does)
{
	cr_assert_eq(start(SO("taker"), "cooldown_ms=100"), 0);
	view_of(0, 100, 5000, 101, 300, 0);
	struct gn_order_req r = *last();
	fill(&r, 100, 0);
	d.now_ns += 200 * MS;
	view_of(0, 100, 300, 101, 5000, 0);
	cr_assert_eq(d.n_req, 2);
	cr_assert_eq(last()->side, GN_SELL);
	cr_assert_eq(last()->qty, 100, "first out of the position, not through it");
}

Test(taker, backs_off_after_a_refusal_and_asks_after_silence)
{
	cr_assert_eq(start(SO("taker"), ""), 0);
	view_of(0, 100, 5000, 101, 300, 0);
	refused(last()->oid, 0, GN_REFUSED_RATE);
	d.now_ns += 900 * MS;
	view_of(0, 100, 5000, 101, 300, 0);
	cr_assert_eq(d.n_req, 1);
	d.now_ns += 200 * MS;
	view_of(0, 100, 5000, 101, 300, 0);
	cr_assert_eq(d.n_req, 2);
	gn_oid silent = last()->oid;
	for (int i = 0; i < 200 && d.n_req == 2; i++)
		timer_run();
	cr_assert_eq(last()->kind, GN_REQ_CANCEL);
	cr_assert_eq(last()->oid, silent);
	cancel_refused(silent, GN_REFUSED_UNKNOWN);
	d.now_ns += 2000 * MS;
	view_of(0, 100, 5000, 101, 300, 0);
	cr_assert_eq(last()->kind, GN_REQ_NEW);
}
