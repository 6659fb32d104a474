/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <string.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/gateway/account.h"

#define MS UINT64_C(1000000)
#define EXECS_MAX 4096u

static struct account a;
static uint64_t now;
static struct gn_exec exec[EXECS_MAX];
static uint32_t n_exec, n_sent, n_up, n_down, n_connects;
static bool room;
static uint8_t wire[1 << 16]; /* what the venue received */
static uint32_t wire_bytes;
static uint8_t packet[256];

static bool op_connect(void *arg, uint32_t endpoint)
{
	(void)arg;
	(void)endpoint;
	n_connects++;
	return true;
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	(void)arg;
	memcpy(wire + wire_bytes, data, bytes);
	wire_bytes += bytes;
	return true;
}

static void op_nothing(void *arg)
{
	(void)arg;
}

static uint8_t *op_claim(void *arg, uint32_t bytes)
{
	(void)arg;
	return room && bytes <= sizeof(packet) ? packet : NULL;
}

static bool op_commit(void *arg, const uint8_t *data, uint32_t bytes)
{
	return op_send(arg, data, bytes);
}

static void op_sent(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	(void)arg;
	(void)req;
	(void)number;
	(void)msg;
	(void)bytes;
	n_sent++;
}

static void op_exec(void *arg, const struct gn_exec *e)
{
	(void)arg;
	exec[n_exec++ % EXECS_MAX] = *e;
}

static void op_up(void *arg, bool up)
{
	(void)arg;
	n_up += up;
	n_down += !up;
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	(void)arg;
	(void)state;
	(void)why;
}

static gn_symbol op_symbol(void *arg, gn_inst inst)
{
	(void)arg;
	return inst == 3 ? (gn_symbol){.c = "ABC"} : (gn_symbol){0};
}

static gn_inst op_find(void *arg, gn_symbol symbol)
{
	(void)arg;
	return symbol.word == ((gn_symbol){.c = "ABC"}).word ? 3 : GN_INST_NONE;
}

static const struct account_ops ops = {op_connect, op_send, op_nothing, op_nothing, op_claim, op_commit, op_sent, op_exec,
	op_up, op_state, op_symbol, op_find};

static struct account_config config = {
	.session = {.username = "GANNET", .n_endpoints = 1},
	.dialect = &gateway_ouch50,
	.orders_max = 4096,
};

static void given_an_account(void)
{
	now = 1000 * MS;
	room = true;
	n_up = n_down = n_exec = n_sent = 0;
	cr_assert_eq(account_init(&a, &config, &ops, NULL, -1), 0);
	session_start(&a.session, now);
}

static void work(void)
{
	session_turn(&a.session);
	while (account_work(&a, now))
		session_turn(&a.session);
}

static void when_time_passes(uint64_t ns)
{
	for (uint64_t end = now + ns; now < end;) {
		now += MS;
		account_poll(&a, now);
		work();
	}
}

static void venue_packet(uint8_t type, const void *payload, uint32_t bytes)
{
	uint8_t out[SOUP_HEAD_BYTES + OUCH50_BYTES_MAX];

	session_turn(&a.session);
	session_on_bytes(&a.session, out, soup_build(out, type, payload, bytes), now, 5);
	work();
}

static void venue_says(const struct ouch50_out *m)
{
	uint8_t msg[OUCH50_BYTES_MAX];

	venue_packet(SOUP_SEQUENCED, msg, ouch50_encode_out(m, msg));
}

static void venue_accepts_login(uint64_t seq)
{
	struct soup_accepted accepted = {.session = "DAY1", .seq = seq};
	uint8_t out[SOUP_ACCEPTED_BYTES];

	while (a.session.state != SESSION_CONNECTING)
		when_time_passes(MS);
	session_on_up(&a.session, now);
	session_turn(&a.session);
	session_on_bytes(&a.session, out, soup_accepted_build(&accepted, out), now, 5);
}

static void venue_answers_query(uint32_t next)
{
	struct ouch50_out m = {.type = OUCH50_QUERY_REPLY, .user_ref = next};

	venue_says(&m);
}

static void venue_accepts(uint32_t number, gn_oid oid)
{
	struct ouch50_out m = {.type = OUCH50_ACCEPTED};

	m.accepted = (struct ouch50_accepted){.user_ref = number, .qty = 100, .px = {.e9 = 1000000000}, .side = 'B', .tif = '0',
		.display = 'Y', .capacity = 'P', .iso = 'N', .cross = 'N', .state = 'L', .symbol = {.c = "ABC"},
		.clordid = ouch50_clordid_from_oid(oid)};
	venue_says(&m);
}

static void venue_executes(uint32_t number, uint32_t qty)
{
	struct ouch50_out m = {.type = OUCH50_EXECUTED, .executed = {.user_ref = number, .qty = qty, .px = {.e9 = 1000000000}}};

	venue_says(&m);
}

static void given_up(void)
{
	given_an_account();
	venue_accepts_login(1);
	venue_answers_query(1);
	cr_assert_eq(a.state, ACCOUNT_UP);
	wire_bytes = 0;
}

static void ask(uint8_t kind, uint64_t count, uint64_t count_prev, gn_qty qty)
{
	struct gn_order_req req = {.kind = kind, .side = GN_BUY, .tif = GN_TIF_DAY, .inst = 3, .oid = gn_oid_make(0, count),
		.px = {.e9 = 1000000000}, .qty = qty};

	if (kind == GN_REQ_REPLACE)
		req.oid_prev = gn_oid_make(0, count_prev);
	account_request(&a, &req, now);
}

static const struct gn_exec *last(void)
{
	return &exec[n_exec - 1];
}

/* Type of the n-th request that the venue received since. */
static char wire_type(uint32_t n)
{
	uint32_t at = 0;

	while (n--)
		at += 2u + wire_u16(wire + at);
	return at < wire_bytes ? (char)wire[at + SOUP_HEAD_BYTES] : 0;
}

TestSuite(gateway_account, .init = given_up, .timeout = 20);

Test(gateway_account, takes_no_request_before_it_is_up, .init = given_an_account)
{
	ask(GN_REQ_NEW, 1, 0, 100);
	cr_assert_eq(last()->kind, GN_EXEC_REJECTED);
	cr_assert_eq(last()->code, GN_CODE_SESSION_DOWN);
	cr_assert_eq(last()->oid, gn_oid_make(0, 1));
	ask(GN_REQ_CANCEL, 1, 0, 0);
	cr_assert_eq(last()->kind, GN_EXEC_CANCEL_REJECTED);
	venue_accepts_login(1);
	ask(GN_REQ_NEW, 2, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_SESSION_DOWN);
	cr_assert_eq(n_sent, 0);
	cr_assert_eq(a.n.request_refused, 3);
}

Test(gateway_account, asks_for_the_next_number_and_starts_there, .init = given_an_account)
{
	venue_accepts_login(1);
	cr_assert_eq(n_up, 0);
	venue_answers_query(500);
	cr_assert_eq(n_up, 1);
	wire_bytes = 0;
	ask(GN_REQ_NEW, 1, 0, 100);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 500);
	ask(GN_REQ_NEW, 2, 0, 100);
	cr_assert_eq(wire_u32(wire + 50 + SOUP_HEAD_BYTES + 1), 501);
}

Test(gateway_account, refuses_orders_when_the_venue_has_gone_past_its_numbers, .init = given_an_account)
{
	venue_accepts_login(1);
	venue_answers_query(UINT32_MAX);
	cr_assert_eq(n_up, 1);
	ask(GN_REQ_NEW, 1, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_TABLE);
}

Test(gateway_account, logs_in_anew_when_the_query_is_not_answered, .init = given_an_account)
{
	venue_accepts_login(1);
	when_time_passes(5001 * MS);
	cr_assert_eq(a.n.query_unanswered, 1);
	cr_assert_eq(a.session.why, SESSION_WHY_UNANSWERED);
	cr_assert_eq(n_up, 0);
}

Test(gateway_account, refuses_what_cannot_be_sent_with_its_reason)
{
	ask(GN_REQ_NONE, 1, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_FIELD);
	ask(GN_REQ_NEW, 1, 0, 0);
	cr_assert_eq(last()->code, GN_CODE_FIELD);
	ask(GN_REQ_CANCEL, 1, 0, 0);
	cr_assert_eq(last()->code, GN_CODE_UNKNOWN);
	ask(GN_REQ_REPLACE, 2, 1, 100);
	cr_assert_eq(last()->code, GN_CODE_UNKNOWN);
	cr_assert_eq(last()->oid_prev, gn_oid_make(0, 1));
	room = false;
	ask(GN_REQ_NEW, 3, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_NO_ROOM);
	cr_assert_eq(wire_bytes, 0);
	room = true;
	ask(GN_REQ_NEW, 4, 0, 100);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 1, "what was refused used up no number");
}

Test(gateway_account, refuses_orders_past_its_table)
{
	for (uint32_t i = 1; i <= 4096; i++) {
		ask(GN_REQ_NEW, i, 0, 100);
		wire_bytes = 0;
	}
	cr_assert_eq(n_exec, 0);
	ask(GN_REQ_NEW, 5000, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_TABLE);
	ask(GN_REQ_CANCEL, 4096, 0, 0);
	cr_assert_eq(wire_type(0), OUCH50_CANCEL, "cancels need no room in it");
}

Test(gateway_account, a_cancel_without_room_waits_and_goes_before_new_orders)
{
	ask(GN_REQ_NEW, 1, 0, 100);
	venue_accepts(1, gn_oid_make(0, 1));
	wire_bytes = 0;
	room = false;
	ask(GN_REQ_CANCEL, 1, 0, 0);
	ask(GN_REQ_CANCEL, 1, 0, 0);
	cr_assert_eq(wire_bytes, 0);
	room = true;
	ask(GN_REQ_NEW, 2, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_NO_ROOM, "a cancel is first in line");
	when_time_passes(MS);
	cr_assert_eq(wire_type(0), OUCH50_CANCEL);
	cr_assert_eq(wire_type(1), 0, "sent once");
	ask(GN_REQ_NEW, 3, 0, 100);
	cr_assert_eq(wire_type(1), OUCH50_ENTER);
}

Test(gateway_account, a_delayed_cancel_of_a_dead_order_is_dropped)
{
	ask(GN_REQ_NEW, 1, 0, 100);
	venue_accepts(1, gn_oid_make(0, 1));
	room = false;
	ask(GN_REQ_CANCEL, 1, 0, 0);
	venue_executes(1, 100);
	wire_bytes = 0;
	room = true;
	when_time_passes(MS);
	cr_assert_eq(wire_bytes, 0);
	cr_assert_eq(sent_orders_first(&a.orders, SENT_LIST_CANCELS), 0);
	ask(GN_REQ_CANCEL, 1, 0, 0);
	cr_assert_eq(last()->kind, GN_EXEC_CANCEL_REJECTED);
	cr_assert_eq(last()->code, GN_CODE_VOID);
}

Test(gateway_account, tells_of_a_replacement_that_the_venue_will_ignore)
{
	ask(GN_REQ_NEW, 1, 0, 100);
	venue_accepts(1, gn_oid_make(0, 1));
	ask(GN_REQ_REPLACE, 2, 1, 120);
	venue_executes(1, 100);
	cr_assert_eq(exec[n_exec - 2].kind, GN_EXEC_FILLED);
	cr_assert_eq(last()->kind, GN_EXEC_REJECTED);
	cr_assert_eq(last()->code, GN_CODE_VOID);
	cr_assert_eq(last()->oid, gn_oid_make(0, 2));
	cr_assert_eq(last()->oid_prev, gn_oid_make(0, 1));
	ask(GN_REQ_REPLACE, 3, 1, 120);
	cr_assert_eq(last()->code, GN_CODE_VOID);
}

Test(gateway_account, after_a_broken_connection_the_replay_decides_what_was_lost)
{
	ask(GN_REQ_NEW, 1, 0, 100);
	ask(GN_REQ_NEW, 2, 0, 100);
	ask(GN_REQ_NEW, 3, 0, 100);
	venue_accepts(1, gn_oid_make(0, 1));
	session_on_down(&a.session, ECONNRESET, now);
	cr_assert_eq(n_down, 1);
	ask(GN_REQ_NEW, 4, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_SESSION_DOWN);
	venue_accepts_login(a.session.seq_next);
	venue_accepts(2, gn_oid_make(0, 2));
	cr_assert_eq(last()->flags, GN_EXEC_F_REPLAY);
	cr_assert_eq(n_up, 1);
	venue_answers_query(3);
	cr_assert_eq(last()->kind, GN_EXEC_REJECTED);
	cr_assert_eq(last()->oid, gn_oid_make(0, 3));
	cr_assert_eq(last()->code, GN_CODE_LOST);
	cr_assert_eq(a.n.order_lost, 1);
	cr_assert_eq(n_up, 2);
	wire_bytes = 0;
	ask(GN_REQ_NEW, 5, 0, 100);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 4, "the number that was lost is never used again");
}

Test(gateway_account, sends_unanswered_cancels_again_after_a_reconnect)
{
	for (uint32_t i = 1; i <= 3; i++) {
		ask(GN_REQ_NEW, i, 0, 100);
		venue_accepts(i, gn_oid_make(0, i));
	}
	ask(GN_REQ_CANCEL, 1, 0, 0);
	ask(GN_REQ_CANCEL, 2, 0, 10);
	session_on_down(&a.session, 0, now);
	venue_accepts_login(a.session.seq_next);
	struct ouch50_out m = {.type = OUCH50_CANCELED, .canceled = {.user_ref = 1, .qty = 100, .reason = 'U'}};
	venue_says(&m);
	wire_bytes = 0;
	venue_answers_query(4);
	when_time_passes(MS);
	cr_assert_eq(a.n.cancel_resent, 1);
	cr_assert_eq(wire_type(0), OUCH50_CANCEL);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 2);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 5), 10);
	cr_assert_eq(wire_type(1), 0);
}

Test(gateway_account, learns_the_orders_of_an_earlier_run_from_the_replay, .init = given_an_account)
{
	venue_accepts_login(1);
	venue_accepts(7, gn_oid_make(2, 9));
	cr_assert_eq(last()->oid, gn_oid_make(2, 9));
	cr_assert_eq(last()->inst, 3);
	cr_assert_eq(last()->strategy, 2);
	venue_executes(7, 40);
	cr_assert_eq(last()->oid, gn_oid_make(2, 9));
	venue_answers_query(8);
	cr_assert_eq(a.n.report_learned, 1);
	cr_assert_eq(a.n.order_lost, 0);
	wire_bytes = 0;
	struct gn_order_req req = {.kind = GN_REQ_CANCEL, .oid = gn_oid_make(2, 9)};
	account_request(&a, &req, now);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 7);
}

Test(gateway_account, a_rejection_in_the_replay_names_its_order_too, .init = given_an_account)
{
	struct ouch50_out m = {.type = OUCH50_REJECTED,
		.rejected = {.user_ref = 7, .reason = 4, .clordid = ouch50_clordid_from_oid(gn_oid_make(2, 9))}};

	venue_accepts_login(1);
	venue_says(&m);
	cr_assert_eq(last()->kind, GN_EXEC_REJECTED);
	cr_assert_eq(last()->oid, gn_oid_make(2, 9));
	cr_assert_eq(last()->code, 4);
	venue_answers_query(8);
	cr_assert_eq(a.n.order_lost, 0);
	cr_assert_eq(n_exec, 1, "it is told once");
}

static void given_a_restart(void)
{
	static struct account_asked both[2];

	both[0] = (struct account_asked){.oid = gn_oid_make(0, 2), .inst = 3, .side = GN_BUY};
	both[1] = (struct account_asked){.oid = gn_oid_make(0, 3), .inst = 3, .side = GN_BUY};
	config.seq_handed = 2;
	config.asked = both;
	config.n_asked = 2;
	given_an_account();
}

Test(gateway_account, after_a_restart_hands_on_only_what_risk_has_not_had, .init = given_a_restart)
{
	venue_accepts_login(1);
	venue_accepts(1, gn_oid_make(0, 1));
	venue_executes(1, 40);
	cr_assert_eq(n_exec, 0);
	venue_accepts(2, gn_oid_make(0, 2));
	cr_assert_eq(n_exec, 1);
	cr_assert_eq(last()->oid, gn_oid_make(0, 2));
	cr_assert_eq(last()->venue_seq, 3);
	venue_answers_query(3);
	cr_assert_eq(n_exec, 2);
	cr_assert_eq(last()->kind, GN_EXEC_REJECTED);
	cr_assert_eq(last()->code, GN_CODE_LOST);
	cr_assert_eq(last()->oid, gn_oid_make(0, 3), "never seen by the venue");
	cr_assert_eq(n_up, 1);
	cr_assert_eq(a.n.report_repeated, 2);
	wire_bytes = 0;
	ask(GN_REQ_CANCEL, 1, 0, 0);
	cr_assert_eq(wire_u32(wire + SOUP_HEAD_BYTES + 1), 1, "orders of before can be cancelled");
}

static void given_a_probe(void)
{
	config.session.probe = true;
	given_a_restart();
	venue_accepts_login(5);
	cr_assert_eq(a.session.seq_end, 5);
}

Test(gateway_account, an_answer_to_an_earlier_run_does_not_end_the_replay, .init = given_a_probe)
{
	venue_accepts_login(1);
	venue_answers_query(1); /* 1 */
	cr_assert_eq(a.state, ACCOUNT_ASKING);
	venue_accepts(1, gn_oid_make(0, 1)); /* 2 */
	venue_accepts(2, gn_oid_make(0, 2));
	venue_answers_query(3); /* 4: of a run that died at once */
	cr_assert_eq(a.state, ACCOUNT_ASKING);
	cr_assert_eq(n_exec, 1);
	venue_executes(2, 10); /* 5: since the probe */
	venue_answers_query(3); /* 6 */
	cr_assert_eq(a.state, ACCOUNT_UP);
	cr_assert_eq(last()->code, GN_CODE_LOST);
	cr_assert_eq(a.n.report_learned, 2);
	cr_assert_eq(a.orders.next, 3);
}

Test(gateway_account, a_long_replay_is_no_unanswered_query, .init = given_a_probe)
{
	venue_accepts_login(1);
	for (uint32_t i = 1; i <= 4; i++) {
		when_time_passes(4000 * MS);
		venue_accepts(i, gn_oid_make(0, i));
	}
	cr_assert_eq(a.n.query_unanswered, 0);
	when_time_passes(6000 * MS);
	cr_assert_eq(a.n.query_unanswered, 1);
}

Test(gateway_account, counts_reports_for_orders_never_sent_and_hands_them_on)
{
	venue_executes(99, 10);
	cr_assert_eq(last()->kind, GN_EXEC_FILLED);
	cr_assert_eq(last()->oid, 0);
	venue_accepts(98, gn_oid_make(0, 1));
	cr_assert_eq(last()->oid, 0, "learning is for the replay only");
	cr_assert_eq(a.n.report_unknown, 2);
	venue_packet(SOUP_SEQUENCED, "?!", 2);
	cr_assert_eq(a.n.report_bad, 1);
	cr_assert_eq(a.state, ACCOUNT_UP);
}

Test(gateway_account, logs_out_and_takes_nothing_any_more)
{
	session_logout(&a.session, now);
	cr_assert_eq(n_down, 1);
	ask(GN_REQ_NEW, 1, 0, 100);
	cr_assert_eq(last()->code, GN_CODE_SESSION_DOWN);
	session_on_down(&a.session, 0, now);
	cr_assert(session_over(&a.session));
}
