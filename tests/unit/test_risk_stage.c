/* SPDX-License-Identifier: BSD-3-Clause */
/* Risk as a stage: wired to senders and sinks, controlled through its mailbox, watched through its snapshot. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include <gannet/journal.h>

#include "dataplane/runtime/board.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/wiring.h"
#include "risk/risk_stage.h"

#define GOT_MAX 64u
#define STRATEGIES 2u
#define INSTS 4u
#define CENTS(n) ((gn_px){(int64_t)(n)*10000000})

struct source {
	struct gn_link *out;
};

struct sink {
	uint32_t n;
	union {
		struct gn_order_req req;
		struct gn_exec exec;
		struct gn_journal_msg record;
	} got[GOT_MAX];
};

static int request_source_init(void *arg, const struct gn_env *env)
{
	((struct source *)arg)->out = gn_env_link(env, "strategy_risk");
	return 0;
}

static int report_source_init(void *arg, const struct gn_env *env)
{
	((struct source *)arg)->out = gn_env_link(env, "gateway_risk");
	return 0;
}

static bool source_poll(void *arg)
{
	(void)arg;
	return false;
}

static void sink_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct sink *s = arg;

	(void)from;
	memcpy(&s->got[s->n++ % GOT_MAX], msg, bytes);
}

static const struct gn_stage stage_strategy = {
	.name = "strategy",
	.ctx_bytes = sizeof(struct source),
	.burst = 1,
	.init = request_source_init,
	.poll = source_poll,
	.in = (const struct gn_inlet[]){{0}},
	.out = (const char *const[]){"strategy_risk", NULL},
};
static const struct gn_stage stage_venue = {
	.name = "venue",
	.ctx_bytes = sizeof(struct source),
	.burst = 1,
	.init = report_source_init,
	.poll = source_poll,
	.in = (const struct gn_inlet[]){{0}},
	.out = (const char *const[]){"gateway_risk", NULL},
};
static const struct gn_stage stage_reports = {
	.name = "reports",
	.ctx_bytes = sizeof(struct sink),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"risk_strategy", sink_on_msg, sizeof(struct gn_exec), NULL}, {0}},
};
static const struct gn_stage stage_gateway = {
	.name = "gateway",
	.ctx_bytes = sizeof(struct sink),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"risk_gateway", sink_on_msg, sizeof(struct gn_order_req), NULL}, {0}},
};
static const struct gn_stage stage_journal = {
	.name = "journal",
	.ctx_bytes = sizeof(struct sink),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"risk_journal", sink_on_msg, sizeof(struct gn_journal_msg), NULL}, {0}},
};

static struct gn_board board;
static struct gn_instruments *instruments;
static struct gn_stats *stats;
static struct gn_wiring *wiring;
static struct risk_control *control;
static void *risk;

static struct risk_stage_config *stage_config(void)
{
	static struct risk_account_config account;
	static struct risk_strategy_config strategy[STRATEGIES];
	static struct risk_stage_config c;

	account = (struct risk_account_config){"house", risk_limits_open(RISK_ACCOUNT)};
	for (unsigned i = 0; i < STRATEGIES; i++)
		strategy[i] = (struct risk_strategy_config){.name = "s",
			.may = RISK_MAY_BUY | RISK_MAY_SELL | RISK_MAY_SHORT,
			.limits = risk_limits_open(RISK_STRATEGY)};
	c = (struct risk_stage_config){.control = control,
		.core = {.tsc_hz = UINT64_C(1000000000),
			.orders_max = 16,
			.engine = risk_limits_open(RISK_ENGINE),
			.account = &account,
			.n_accounts = 1,
			.strategy = strategy,
			.n_strategies = STRATEGIES,
			.instrument_default = risk_limits_open(RISK_INSTRUMENT),
			.tick_default = CENTS(1),
			.lot_default = 1,
			.locate_default = RISK_UNLIMITED,
			.allow_unlisted = true,
			.reference = RISK_REFERENCE_MID,
			.venue_per_s = RISK_UNLIMITED,
			.venue_burst = 1}};
	return &c;
}

static void wire(uint32_t journal_thread, uint32_t journal_depth)
{
	struct gn_link_config direct = {0}, journal = {.depth = journal_depth, .lossy = true};
	int rc = 0;

	instruments = gn_instruments_new(INSTS);
	stats = gn_stats_create(NULL, 1024);
	control = risk_control_new();
	cr_assert_eq(gn_board_init(&board, INSTS, GN_NODE_ANY), 0);
	wiring = gn_wiring_new(instruments, &board, stats);
	rc |= gn_wiring_stage(wiring, &stage_strategy, "strategy0", 0, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &stage_strategy, "strategy1", 1, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &stage_venue, "venue0", 0, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &gn_stage_risk, "risk0", 0, 0, GN_NODE_ANY, stage_config());
	rc |= gn_wiring_stage(wiring, &stage_gateway, "gateway0", 0, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &stage_reports, "reports0", 0, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &stage_reports, "reports1", 1, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &stage_journal, "journal0", 0, journal_thread, GN_NODE_ANY, NULL);
	rc |= gn_wiring_link(wiring, "strategy_risk", "strategy0", "risk0", &direct);
	rc |= gn_wiring_link(wiring, "strategy_risk", "strategy1", "risk0", &direct);
	rc |= gn_wiring_link(wiring, "gateway_risk", "venue0", "risk0", &direct);
	rc |= gn_wiring_link(wiring, "risk_gateway", "risk0", "gateway0", &direct);
	rc |= gn_wiring_link(wiring, "risk_strategy", "risk0", "reports0", &direct);
	rc |= gn_wiring_link(wiring, "risk_strategy", "risk0", "reports1", &direct);
	rc |= gn_wiring_link(wiring, "risk_journal", "risk0", "journal0", &journal);
	cr_assert_eq(rc, 0, "%s", gn_err_text());
	cr_assert_eq(gn_wiring_seal(wiring), 0, "%s", gn_err_text());
	risk = gn_wiring_ctx(wiring, "risk0");
	for (gn_inst i = 0; i < INSTS; i++)
		gn_board_write(&board, i, &(struct gn_quote){.bid = CENTS(9999), .ask = CENTS(10001), .tsc = 1});
}

static void unwire(void)
{
	gn_wiring_free(wiring);
	gn_stats_close(stats);
	gn_board_fini(&board);
	gn_instruments_free(instruments);
	risk_control_free(control);
}

static struct sink *sink(const char *name)
{
	return gn_wiring_ctx(wiring, name);
}

static void report(struct gn_exec e)
{
	gn_link_send(((struct source *)gn_wiring_ctx(wiring, "venue0"))->out, &e, sizeof(e));
}

static gn_oid ask(uint32_t strategy, gn_side side, gn_qty qty)
{
	static uint64_t n;
	struct gn_order_req q = {.kind = GN_REQ_NEW,
		.side = side,
		.tif = GN_TIF_DAY,
		.inst = 1,
		.oid = gn_oid_make(strategy, ++n),
		.px = side == GN_BUY ? CENTS(9999) : CENTS(10001),
		.qty = qty,
		.strategy = 77};

	gn_link_send(
		((struct source *)gn_wiring_ctx(wiring, strategy ? "strategy1" : "strategy0"))->out, &q, sizeof(q));
	return q.oid;
}

static void settle(void)
{
	for (int i = 0; i < 1000 && gn_stage_risk.poll(risk); i++) {
	}
}

static struct risk_snapshot snapshot(void)
{
	struct risk_snapshot s;

	gn_stage_risk.housekeeping(risk, gn_tsc());
	risk_control_snapshot(control, &s);
	return s;
}

TestSuite(risk_stage, .fini = unwire, .timeout = 60);

Test(risk_stage, the_sender_is_known_by_its_link_and_reports_find_their_way_back)
{
	wire(0, 0);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	cr_expect_eq(sink("reports0")->n, 1);
	cr_expect_eq(sink("reports1")->n, 1);
	gn_oid oid = ask(1, GN_BUY, 10);
	cr_expect_eq(sink("gateway0")->n, 1);
	cr_expect_eq(sink("gateway0")->got[0].req.strategy, 1);
	report((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid});
	report((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = oid, .qty = 4, .px = CENTS(9999), .match = 1});
	cr_expect_eq(sink("reports0")->n, 1);
	cr_expect_eq(sink("reports1")->n, 3);
	cr_expect_eq(sink("reports1")->got[2].exec.leaves, 6);
	cr_expect_eq(sink("reports1")->got[2].exec.position, 4);
	cr_expect_eq(sink("reports1")->got[2].exec.strategy, 1);
	cr_expect_eq(sink("journal0")->n, 4); /* up, request, two reports */
	cr_expect_eq(sink("journal0")->got[1].record.kind, GN_JOURNAL_REQUEST);
	cr_expect_eq(sink("journal0")->got[1].record.verdict, GN_ACCEPTED);
}

Test(risk_stage, a_short_message_is_a_refused_request_and_nothing_worse)
{
	uint8_t byte = GN_REQ_NEW;

	wire(0, 0);
	gn_link_send(((struct source *)gn_wiring_ctx(wiring, "strategy0"))->out, &byte, 1);
	report((struct gn_exec){0});
	cr_expect_eq(sink("gateway0")->n, 0);
	cr_expect_eq(sink("reports0")->got[0].exec.reason, GN_REFUSED_KIND);
}

Test(risk_stage, the_mailbox_kills_releases_quarantines_changes_limits_and_cancels)
{
	wire(0, 0);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	gn_oid oid = ask(0, GN_BUY, 10);
	cr_expect_eq(risk_control_kill(control, RISK_STRATEGY, 0, "drill, ann"), 0);
	cr_expect_eq(sink("gateway0")->n, 1, "carried out by the stage, not by the caller");
	settle();
	cr_expect_eq(sink("gateway0")->n, 2);
	cr_expect_eq(sink("gateway0")->got[1].req.kind, GN_REQ_CANCEL);
	cr_expect_eq(sink("gateway0")->got[1].req.oid, oid);
	cr_expect_eq(snapshot().strategy[0].cause, RISK_CAUSE_PERSON);
	cr_expect_neq(risk_control_release(control, RISK_STRATEGY, 0, ""), 0);
	cr_expect_eq(risk_control_release(control, RISK_STRATEGY, 0, "drill over, ann"), 0);
	cr_expect_eq(risk_control_quarantine(control, 1), 0);
	cr_expect_eq(risk_control_limit(control, RISK_STRATEGY, 0, RISK_KEY_order_qty_max, 5, "ann", ""), 0);
	settle();
	ask(0, GN_BUY, 6);
	cr_expect_eq(sink("reports0")->got[1].exec.reason, GN_REFUSED_QTY);
	ask(1, GN_BUY, 1);
	cr_expect_eq(sink("reports1")->got[1].exec.reason, GN_REFUSED_KILLED);
	ask(0, GN_BUY, 5);
	cr_expect_eq(sink("gateway0")->n, 3);
	cr_expect_eq(risk_control_cancel_all(control, RISK_ENGINE, 0), 0);
	settle();
	cr_expect_eq(sink("gateway0")->n, 5);
}

Test(risk_stage, a_full_mailbox_says_so)
{
	int rc = 0;

	wire(0, 0);
	for (int i = 0; i < 10000 && rc == 0; i++)
		rc = risk_control_cancel_all(control, RISK_ENGINE, 0);
	cr_expect_neq(rc, 0);
	settle();
	cr_expect_eq(risk_control_cancel_all(control, RISK_ENGINE, 0), 0);
}

Test(risk_stage, after_a_panic_nothing_passes)
{
	wire(0, 0);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	ask(0, GN_BUY, 10);
	risk_control_panic(control);
	ask(1, GN_BUY, 10);
	cr_expect_eq(sink("reports1")->got[1].exec.reason, GN_REFUSED_KILLED);
	settle();
	cr_expect_eq(sink("gateway0")->got[1].req.kind, GN_REQ_CANCEL);
}

Test(risk_stage, the_snapshot_adds_up)
{
	wire(0, 0);
	struct risk_snapshot s;
	risk_control_snapshot(control, &s);
	cr_expect_eq(s.n_published, 0);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	gn_oid oid = ask(0, GN_BUY, 10);
	ask(1, GN_SELL, 7);
	report((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid});
	report((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = oid, .qty = 4, .px = CENTS(9999), .match = 1});
	s = snapshot();
	cr_expect_eq(s.n_published, 1);
	cr_expect_eq(s.up, 3);
	cr_expect_eq(s.n_open, 2);
	cr_expect_eq(s.engine.n_orders, 2);
	cr_expect_eq(s.engine.n_fills, 1);
	cr_expect_eq(s.engine.position, 4);
	cr_expect_eq(s.strategy[0].position, 4);
	cr_expect_eq(s.strategy[0].n_open, 1);
	cr_expect_eq(s.strategy[0].unrealised_e9, 4 * CENTS(1).e9); /* marked at 100.00 */
	cr_expect_eq(s.verdicts[GN_ACCEPTED], 2);
	cr_expect_geq(s.strategy[1].net_short_e9, 7 * CENTS(10001).e9);
	cr_expect_lt(s.strategy[1].net_short_e9, 7 * CENTS(10001).e9 + 1024);
}

Test(risk_stage, new_orders_stop_before_the_journal_is_full_and_cancels_go_on)
{
	wire(1, 64);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	gn_oid first = ask(0, GN_BUY, 1), last = first;
	for (int i = 2; i < 100; i++) {
		report((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = last});
		last = ask(0, GN_BUY, i);
	}
	struct sink *s = sink("reports0");
	cr_expect_eq(s->got[(s->n - 1) % GOT_MAX].exec.reason, GN_REFUSED_JOURNAL);
	cr_expect_lt(sink("gateway0")->n, 32);
}

static int outcome(int64_t ticket)
{
	struct risk_outcome o = {.rc = 1};

	cr_assert_gt(ticket, 0, "%s", gn_err_text());
	cr_expect_not(risk_control_outcome(control, ticket, &o), "not before the stage has turned");
	settle();
	cr_assert(risk_control_outcome(control, ticket, &o));
	cr_expect_neq(o.tsc, 0);
	return o.rc;
}

Test(risk_stage, every_command_has_an_answer)
{
	struct risk_command m = {.kind = RISK_DO_KILL,
		.level = RISK_INSTRUMENT,
		.index = 1,
		.cause = RISK_CAUSE_PERSON,
		.text = "ann: drill",
		.note = "by ann(1000): drill of the morning"};
	struct risk_outcome o;

	wire(0, 0);
	cr_expect_not(risk_control_outcome(control, 0, &o));
	cr_expect_not(risk_control_outcome(control, -EAGAIN, &o));
	cr_expect_eq(outcome(risk_control_send(control, &m)), 0);
	cr_expect_str_eq(sink("journal0")->got[0].record.text, "by ann(1000): drill of the morning");
	cr_expect_str_eq(sink("journal0")->got[1].record.text, "kill instrument 1 person: ann: drill");
	cr_expect_eq(outcome(risk_control_send(control, &m)), -EALREADY);
	m.index = INSTS;
	cr_expect_eq(outcome(risk_control_send(control, &m)), -ENOENT);
	m.level = 99;
	cr_expect_eq(outcome(risk_control_send(control, &m)), -ENOENT);
	m = (struct risk_command){.kind = RISK_DO_RELEASE, .level = RISK_INSTRUMENT, .index = 1, .text = "over"};
	cr_expect_eq(outcome(risk_control_send(control, &m)), 0);
	cr_expect_eq(outcome(risk_control_send(control, &m)), -EALREADY);
	m = (struct risk_command){
		.kind = RISK_DO_LIMIT, .level = RISK_STRATEGY, .key = RISK_KEY_collar_bps, .value = 1};
	cr_expect_eq(outcome(risk_control_send(control, &m)), -ENOENT, "no such limit at that level");
	m = (struct risk_command){
		.kind = RISK_DO_LIMIT, .level = RISK_STRATEGY, .key = RISK_KEY_order_qty_max, .value = -1};
	cr_expect_eq(outcome(risk_control_send(control, &m)), -EPERM);
	m.value = 5;
	cr_expect_eq(outcome(risk_control_send(control, &m)), 0);
	cr_expect_eq(outcome(risk_control_send(control, &(struct risk_command){.kind = 77})), -EINVAL);
	cr_expect_eq(outcome(risk_control_send(control, &(struct risk_command){0})), -EINVAL);
}

static const struct risk_view *look(enum risk_level level, uint32_t index)
{
	cr_assert_eq(outcome(risk_control_send(
			     control, &(struct risk_command){.kind = RISK_DO_LOOK, .level = level, .index = index})),
		0);
	return risk_control_view(control);
}

Test(risk_stage, a_view_shows_what_is_used_of_every_limit)
{
	wire(0, 0);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	gn_oid oid = ask(0, GN_BUY, 10);
	ask(0, GN_SELL, 7);
	report((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid});
	report((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = oid, .qty = 4, .px = CENTS(9999), .match = 1});
	const struct risk_view *v = look(RISK_STRATEGY, 0);
	cr_expect_eq(v->used[RISK_KEY_long_max], 10);
	cr_expect_eq(v->used[RISK_KEY_short_max], 3, "four bought, seven for sale");
	cr_expect_eq(v->used[RISK_KEY_open_orders_max], 2);
	cr_expect_eq(v->used[RISK_KEY_repeat_fills_max], 1);
	cr_expect_eq(v->used[RISK_KEY_protect_delta_max], 4);
	cr_expect_eq(v->used[RISK_KEY_order_qty_max], RISK_VIEW_NONE);
	cr_expect_eq(v->owner.n_orders, 2);
	cr_expect_eq(look(RISK_ENGINE, 0)->used[RISK_KEY_gross_notional_max], v->used[RISK_KEY_gross_notional_max]);
	cr_expect_eq(look(RISK_ACCOUNT, 0)->used[RISK_KEY_open_orders_max], 2);
	v = look(RISK_INSTRUMENT, 1);
	cr_expect_eq(v->owner.n_open, 2);
	cr_expect_eq(v->used[RISK_KEY_long_max], 10);
	cr_expect_eq(look(RISK_INSTRUMENT, 2)->owner.n_open, 0);
	cr_expect_eq(look(RISK_STRATEGY, 1)->used[RISK_KEY_long_max], 0);
	cr_expect_eq(
		outcome(risk_control_send(control,
			&(struct risk_command){.kind = RISK_DO_LOOK, .level = RISK_STRATEGY, .index = STRATEGIES})),
		-ENOENT);
}

Test(risk_stage, the_word_of_a_guard_blocks_like_a_panic_and_says_who)
{
	_Atomic uint32_t word = RISK_BLOCK_NONE;

	wire(0, 0);
	risk_control_block_word(control, &word);
	report((struct gn_exec){.kind = GN_EXEC_UP, .match = 3});
	ask(0, GN_BUY, 10);
	cr_expect_eq(sink("gateway0")->n, 1);
	atomic_store(&word, RISK_BLOCK_GUARD);
	ask(1, GN_BUY, 10);
	cr_expect_eq(sink("reports1")->got[1].exec.reason, GN_REFUSED_KILLED);
	settle();
	cr_expect_eq(sink("gateway0")->got[1].req.kind, GN_REQ_CANCEL);
	cr_expect_eq(look(RISK_ENGINE, 0)->owner.cause, RISK_CAUSE_GUARD);
	atomic_store(&word, RISK_BLOCK_NONE);
	cr_expect_eq(
		outcome(risk_control_send(control, &(struct risk_command){.kind = RISK_DO_RELEASE, .text = "seen"})),
		0);
	ask(1, GN_BUY, 10);
	cr_expect_eq(sink("gateway0")->n, 3);
}
