/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>

#include <gannet/journal.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/feed/recovery_msg.h"
#include "dataplane/gateway/gateway_stage.h"
#include "dataplane/net/frame.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/trace.h"

/* A TCP stack and a transmit queue that do what the test says. */

struct gn_stack { uint32_t n_inputs, n_groups; };
struct gn_tx { uint32_t n_flushes; };
struct gn_tcp {
	const struct gn_tcp_handler *handler;
	void *arg;
	uint32_t ip;
	uint16_t port;
	bool open, room, closed, aborted;
	uint8_t claim[512];
	uint8_t sent[1 << 16];
	uint32_t sent_bytes;
};

static struct gn_stack stack;
static struct gn_tx tx;
static struct gn_tcp tcp[8];
static uint32_t n_tcps;
static bool stack_ok;

struct gn_stack *gn_stack_new(const struct gn_stack_config *config)
{
	cr_assert_eq(config->tx, &tx);
	if (!stack_ok)
		gn_err(ENOMEM, "no stack");
	return stack_ok ? &stack : NULL;
}

void gn_stack_free(struct gn_stack *s)
{
	(void)s;
}

void gn_stack_input(struct gn_stack *s, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	(void)frame;
	(void)bytes;
	(void)rx_tsc;
	s->n_inputs++;
}

void gn_stack_poll(struct gn_stack *s)
{
	(void)s;
}

int gn_stack_join(struct gn_stack *s, uint32_t group)
{
	if (group == 0)
		return gn_err(EINVAL, "no group");
	s->n_groups++;
	return 0;
}

struct gn_tcp *gn_tcp_connect(struct gn_stack *s, uint32_t ip, uint16_t port, const struct gn_tcp_handler *h, void *arg)
{
	struct gn_tcp *t = &tcp[n_tcps++ % 8];

	(void)s;
	*t = (struct gn_tcp){.handler = h, .arg = arg, .ip = ip, .port = port, .room = true};
	return t;
}

bool gn_tcp_send(struct gn_tcp *t, const void *data, uint32_t bytes)
{
	cr_assert(t->open && !t->aborted);
	if (!t->room)
		return false;
	memcpy(t->sent + t->sent_bytes, data, bytes);
	t->sent_bytes += bytes;
	return true;
}

void gn_tcp_fast_hint(const struct gn_tcp *t)
{
	(void)t;
}

uint8_t *gn_tcp_fast_claim(struct gn_tcp *t, uint32_t bytes_max)
{
	cr_assert(t->open && !t->aborted);
	return t->room && bytes_max <= sizeof(t->claim) ? t->claim : NULL;
}

void gn_tcp_fast_commit(struct gn_tcp *t, uint32_t bytes)
{
	memcpy(t->sent + t->sent_bytes, t->claim, bytes);
	t->sent_bytes += bytes;
	memset(t->claim, 0xee, sizeof(t->claim)); /* it is the port's now */
}

bool gn_stack_neighbour(struct gn_stack *s, uint32_t ip, uint8_t mac[6])
{
	(void)s;
	memset(mac, 7, 6);
	return ip != 99;
}

static uint8_t frame[256];
static uint32_t frame_bytes;

bool gn_tx_claim(struct gn_tx *t, struct gn_tx_frame *out)
{
	(void)t;
	*out = (struct gn_tx_frame){.data = frame, .room_bytes = sizeof(frame)};
	return true;
}

void gn_tx_commit(struct gn_tx *t, const struct gn_tx_frame *f, uint32_t bytes)
{
	(void)t;
	cr_assert_eq(f->data, frame);
	frame_bytes = bytes;
}

void gn_tcp_close(struct gn_tcp *t)
{
	t->closed = true;
}

void gn_tcp_abort(struct gn_tcp *t)
{
	t->aborted = true;
	t->open = false;
	t->handler->on_down(t->arg, t, ECONNABORTED);
}

uint32_t gn_tx_flush(struct gn_tx *t)
{
	t->n_flushes++;
	return 1;
}

void gn_tx_tap(struct gn_tx *t, struct gn_link *link, const _Atomic uint32_t *bytes)
{
	(void)t;
	(void)bytes;
	cr_assert(false, "nobody captures here: %s", link->name);
}

/* The links. */

static struct gn_exec exec[1024];
static struct gn_journal_msg journal[1024];
static uint32_t n_exec, n_journal, n_in_turn, n_journal_links;

static void on_exec(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	(void)from;
	cr_assert_eq(bytes, sizeof(exec[0]));
	n_in_turn++;
	exec[n_exec++ % 1024] = *(const struct gn_exec *)msg;
}

static void on_journal(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	(void)from;
	cr_assert_eq(bytes, sizeof(journal[0]));
	journal[n_journal++ % 1024] = *(const struct gn_journal_msg *)msg;
}

static struct gn_link risk_link = {.on_msg = on_exec, .msg_bytes_max = sizeof(struct gn_exec)};
static struct gn_link journal_link = {.on_msg = on_journal, .msg_bytes_max = sizeof(struct gn_journal_msg)};
static struct feed_reply reply[256];
static uint32_t n_reply, reply_from;

static void on_reply(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	reply_from = from;
	cr_assert_leq(bytes, sizeof(reply[0]));
	memcpy(&reply[n_reply++ % 256], msg, bytes);
}

static struct gn_link feed_link[] = {{.on_msg = on_reply, .msg_bytes_max = sizeof(struct feed_reply), .lossy = true},
	{.on_msg = on_reply, .msg_bytes_max = sizeof(struct feed_reply), .lossy = true, .from = 1}};
static struct gn_link *const feed_links[] = {&feed_link[0], &feed_link[1]};
static struct gn_link *const journal_links[] = {&journal_link, &journal_link};

struct gn_link *gn_env_link(const struct gn_env *env, const char *kind)
{
	(void)env;
	cr_assert_str_eq(kind, "gateway_risk");
	return &risk_link;
}

struct gn_link *const *gn_env_links(const struct gn_env *env, const char *kind, uint32_t *n)
{
	(void)env;
	if (strcmp(kind, "gateway_feed") == 0) {
		*n = 2;
		return feed_links;
	}
	if (strcmp(kind, "gateway_capture") == 0) {
		*n = 0;
		return journal_links;
	}
	cr_assert_str_eq(kind, "gateway_journal");
	*n = n_journal_links;
	return journal_links;
}

/* The stage. */

static void *ctx;
static uint64_t tsc;
static struct gateway_control control;
static struct gateway_account_config accounts[2];
static const uint32_t groups[] = {0xefc00101, 0xefc00102};
static struct gateway_config config;
static struct gn_env env;

static void given_a_config(void)
{
	stack_ok = true;
	n_journal_links = 1;
	tsc = UINT64_C(5000000000);
	for (uint32_t i = 0; i < 2; i++) {
		accounts[i] = (struct gateway_account_config){
			.account = {.session = {.username = "GANNET", .n_endpoints = 2}, .dialect = &gateway_ouch50, .orders_max = 1000},
			.endpoint = {{.ip = 1, .port = 26400}, {.ip = 2, .port = 26401}},
			.strategies = i == 0 ? 1 : 6,
		};
	}
	config = (struct gateway_config){.stack = {.tx = &tx}, .groups = groups, .n_groups = 2, .accounts = accounts,
		.n_accounts = 2, .tsc_hz = 1000000000, .control = &control};
	gn_instruments_free(env.instruments);
	free(ctx);
	env = (struct gn_env){.node = -1, .config = &config, .instruments = gn_instruments_new(16)};
	gn_instruments_add(env.instruments, (gn_symbol){.c = "ABC"});
	ctx = calloc(1, gn_stage_gateway.ctx_bytes);
}

static void turn(void)
{
	n_in_turn = 0;
	while (gn_stage_gateway.poll(ctx)) {
		cr_assert_leq(n_in_turn, gn_stage_gateway.burst);
		n_in_turn = 0;
	}
}

static void when_time_passes(uint32_t ms)
{
	while (ms--) {
		tsc += 1000000;
		gn_stage_gateway.housekeeping(ctx, tsc);
		turn();
	}
}

static void venue_sends(struct gn_tcp *t, const uint8_t *data, uint32_t bytes)
{
	n_in_turn = 0;
	t->handler->on_bytes(t->arg, t, data, bytes, 9);
	cr_assert_leq(n_in_turn, gn_stage_gateway.burst);
	turn();
}

static void venue_says(struct gn_tcp *t, const struct ouch50_out *m)
{
	uint8_t msg[OUCH50_BYTES_MAX], packet[OUCH50_BYTES_MAX + SOUP_HEAD_BYTES];

	venue_sends(t, packet, soup_build(packet, SOUP_SEQUENCED, msg, ouch50_encode_out(m, msg)));
}

static void venue_connects(struct gn_tcp *t)
{
	struct soup_accepted accepted = {.session = "DAY1", .seq = 1};
	uint8_t packet[SOUP_ACCEPTED_BYTES];

	t->open = true;
	t->handler->on_up(t->arg, t);
	cr_assert_eq(t->sent_bytes, SOUP_LOGIN_BYTES);
	venue_sends(t, packet, soup_accepted_build(&accepted, packet));
	venue_says(t, &(struct ouch50_out){.type = OUCH50_QUERY_REPLY, .user_ref = 1});
	t->sent_bytes = 0;
}

static void given_a_stage(void)
{
	given_a_config();
	cr_assert_eq(gn_stage_gateway.init(ctx, &env), 0, "%s", gn_err_text());
}

static void given_two_sessions(void)
{
	given_a_stage();
	when_time_passes(1);
	cr_assert_eq(n_tcps, 2);
	venue_connects(&tcp[0]);
	venue_connects(&tcp[1]);
	when_time_passes(1);
	cr_assert_eq(control.n_up, 2);
	n_exec = 0;
}

static void send(uint8_t kind, uint32_t strategy, uint64_t count)
{
	struct gn_order_req req = {.kind = kind, .side = GN_SELL, .tif = GN_TIF_DAY, .oid = gn_oid_make(strategy, count),
		.px = {.e9 = 2000000000}, .qty = kind == GN_REQ_CANCEL ? 0 : 10, .rx_tsc = 4};

	gn_stage_gateway.in[1].on_msg(ctx, 0, &req, sizeof(req));
}

static void free_all(void)
{
	gn_instruments_free(env.instruments);
	free(ctx);
}

TestSuite(gateway_stage, .fini = free_all, .timeout = 20);

Test(gateway_stage, refuses_a_bad_config_with_a_reason, .init = given_a_config)
{
	config.tsc_hz = 0;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	config.stack.tx = NULL;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	config.n_accounts = GATEWAY_ACCOUNTS_MAX + 1;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	accounts[1].account.session.username[0] = '\0';
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	accounts[1].account.dialect = NULL;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	n_journal_links = 2;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	given_a_config();
	stack_ok = false;
	cr_assert_lt(gn_stage_gateway.init(ctx, &env), 0);
	cr_assert(strstr(gn_err_text(), "no stack"));
	gn_stage_gateway.fini(ctx);
}

Test(gateway_stage, says_nothing_before_its_first_turn, .init = given_a_stage)
{
	cr_assert_eq(n_tcps + n_journal + n_exec, 0);
	cr_assert_eq(control.n_accounts, 2);
	cr_assert_eq(stack.n_groups, 2);
	gn_stage_gateway.fini(ctx);
}

Test(gateway_stage, counts_what_is_no_frame, .init = given_a_stage)
{
	union {
		struct gn_frame frame;
		uint8_t bytes[64];
	} f = {.frame = {.bytes = 64 - sizeof(struct gn_frame)}};

	gn_stage_gateway.in[0].on_msg(ctx, 0, &f, sizeof(f));
	cr_assert_eq(stack.n_inputs, 1);
	gn_stage_gateway.in[0].on_msg(ctx, 0, &f, sizeof(f) - 1);
	gn_stage_gateway.in[0].on_msg(ctx, 0, &f, sizeof(struct gn_frame) - 1);
	gn_stage_gateway.in[0].on_msg(ctx, 0, &f, 0);
	cr_assert_eq(stack.n_inputs, 1);
}

Test(gateway_stage, refuses_requests_while_the_session_is_down, .init = given_a_stage)
{
	send(GN_REQ_NEW, 0, 1);
	send(GN_REQ_CANCEL, 2, 1);
	cr_assert_eq(n_exec, 2);
	cr_assert_eq(exec[0].kind, GN_EXEC_REJECTED);
	cr_assert_eq(exec[0].code, GN_CODE_SESSION_DOWN);
	cr_assert_eq(exec[1].kind, GN_EXEC_CANCEL_REJECTED);
}

Test(gateway_stage, refuses_requests_of_a_strategy_without_a_session, .init = given_two_sessions)
{
	send(GN_REQ_NEW, 9, 1);
	send(GN_REQ_NEW, 200, 1);
	send(GN_REQ_NEW, UINT32_MAX, 1);
	cr_assert_eq(n_exec, 3);
	for (uint32_t i = 0; i < 3; i++)
		cr_assert_eq(exec[i].code, GN_CODE_SESSION_DOWN);
}

Test(gateway_stage, tells_which_strategies_came_up, .init = given_a_stage)
{
	when_time_passes(1);
	venue_connects(&tcp[1]);
	cr_assert_eq(n_exec, 1);
	cr_assert_eq(exec[0].kind, GN_EXEC_UP);
	cr_assert_eq(exec[0].code, 1);
	cr_assert_eq(exec[0].match, 6);
	tcp[1].handler->on_down(tcp[1].arg, &tcp[1], ECONNRESET);
	cr_assert_eq(exec[1].kind, GN_EXEC_DOWN);
	cr_assert_eq(exec[1].match, 6);
}

Test(gateway_stage, sends_each_strategys_orders_over_its_own_session, .init = given_two_sessions)
{
	send(GN_REQ_NEW, 0, 1);
	cr_assert_eq(tcp[0].sent_bytes, SOUP_HEAD_BYTES + OUCH50_ENTER_BYTES);
	cr_assert_eq(tcp[1].sent_bytes, 0);
	send(GN_REQ_NEW, 1, 1);
	send(GN_REQ_NEW, 2, 1);
	cr_assert_eq(tcp[1].sent_bytes, 2 * (SOUP_HEAD_BYTES + OUCH50_ENTER_BYTES));
	cr_assert_eq(wire_u32(tcp[1].sent + SOUP_HEAD_BYTES + 1), 1, "numbers are per account");
	cr_assert_arr_eq(tcp[0].sent + SOUP_HEAD_BYTES + 10, "ABC     ", 8);
	cr_assert_eq(n_exec, 0);
	cr_assert_geq(tx.n_flushes, 3);
}

Test(gateway_stage, journals_what_it_sent_and_what_became_of_its_sessions, .init = given_two_sessions)
{
	bool account = false, active = false;

	for (uint32_t i = 0; i < n_journal; i++) {
		account |= journal[i].kind == GN_JOURNAL_ACCOUNT && strcmp(journal[i].text, "GANNET") == 0 && journal[i].session == 1;
		active |= journal[i].kind == GN_JOURNAL_SESSION && strstr(journal[i].text, "active session=DAY1 seq=1");
	}
	cr_assert(account && active);
	send(GN_REQ_NEW, 1, 5);
	const struct gn_journal_msg *j = &journal[n_journal - 1];
	cr_assert_eq(j->kind, GN_JOURNAL_SENT);
	cr_assert_eq(j->session, 1);
	cr_assert_eq(j->sent.oid, gn_oid_make(1, 5));
	cr_assert_eq(j->sent.venue_ref, 1);
	cr_assert_eq(j->sent.bytes, OUCH50_ENTER_BYTES);
	cr_assert_arr_eq(j->sent.data, tcp[1].sent + SOUP_HEAD_BYTES, OUCH50_ENTER_BYTES);
}

Test(gateway_stage, leaves_stamps_of_an_order, .init = given_two_sessions)
{
	static struct gn_trace trace;
	struct gn_stamp stamp[4];
	uint64_t cursor = 0, lost = 0;

	trace.on = true;
	gn_trace_here = &trace;
	send(GN_REQ_NEW, 0, 1);
	cr_assert_eq(gn_trace_read(&trace, &cursor, stamp, 4, &lost), 2);
	cr_assert_eq(stamp[0].hop, GN_HOP_GATEWAY);
	cr_assert_eq(stamp[1].hop, GN_HOP_TX);
	cr_assert_eq(stamp[1].id, 4);
	cr_assert_eq(stamp[1].arg, gn_oid_make(0, 1));
}

Test(gateway_stage, works_without_a_journal, .init = given_a_config)
{
	n_journal_links = 0;
	cr_assert_eq(gn_stage_gateway.init(ctx, &env), 0);
	when_time_passes(1);
	venue_connects(&tcp[0]);
	send(GN_REQ_NEW, 0, 1);
	cr_assert_eq(tcp[0].sent_bytes, SOUP_HEAD_BYTES + OUCH50_ENTER_BYTES);
	cr_assert_eq(n_journal, 0);
}

Test(gateway_stage, never_hands_on_more_than_its_burst_in_one_call, .init = given_two_sessions)
{
	static uint8_t flood[60000];
	struct ouch50_out m = {.type = OUCH50_CANCEL_PENDING, .user_ref = 1};
	uint8_t msg[OUCH50_BYTES_MAX];
	uint32_t bytes = 0, n = 0, msg_bytes = ouch50_encode_out(&m, msg);

	while (bytes + SOUP_HEAD_BYTES + msg_bytes <= sizeof(flood)) {
		bytes += soup_build(flood + bytes, SOUP_SEQUENCED, msg, msg_bytes);
		n++;
	}
	for (uint32_t at = 0; at < bytes; at += 1460) {
		uint32_t part = bytes - at < 1460 ? bytes - at : 1460;
		tcp[0].handler->on_bytes(tcp[0].arg, &tcp[0], flood + at, part, 9);
	}
	cr_assert_leq(n_in_turn, gn_stage_gateway.burst);
	turn();
	cr_assert_eq(n_exec, n);
}

Test(gateway_stage, a_bad_peer_is_dropped_and_the_other_session_lives_on, .init = given_two_sessions)
{
	venue_sends(&tcp[0], (const uint8_t *)"\0\0", 2);
	cr_assert(tcp[0].aborted);
	cr_assert_eq(exec[0].kind, GN_EXEC_DOWN);
	send(GN_REQ_NEW, 1, 1);
	cr_assert_eq(tcp[1].sent_bytes, SOUP_HEAD_BYTES + OUCH50_ENTER_BYTES);
	when_time_passes(200);
	cr_assert_eq(n_tcps, 3);
	cr_assert_eq(tcp[2].port, 26401, "the backup");
	cr_assert_eq(control.n_up, 1);
}

Test(gateway_stage, words_of_a_dropped_connection_are_not_heard, .init = given_two_sessions)
{
	venue_sends(&tcp[0], (const uint8_t *)"\0\0", 2);
	n_exec = 0;
	tcp[0].handler->on_bytes(tcp[0].arg, &tcp[0], (const uint8_t *)"\0\0", 2, 9);
	tcp[0].handler->on_up(tcp[0].arg, &tcp[0]);
	cr_assert_eq(n_exec, 0);
}

Test(gateway_stage, logs_out_when_asked_and_says_when_it_is_over, .init = given_two_sessions)
{
	cr_assert_not(gateway_is_over(&control));
	gateway_request_logout(&control);
	when_time_passes(1);
	cr_assert_arr_eq(tcp[0].sent, "\0\1O", 3);
	send(GN_REQ_NEW, 0, 1);
	cr_assert_eq(exec[n_exec - 1].code, GN_CODE_SESSION_DOWN);
	tcp[0].handler->on_down(tcp[0].arg, &tcp[0], 0);
	when_time_passes(1);
	cr_assert_not(gateway_is_over(&control));
	when_time_passes(2100);
	cr_assert(gateway_is_over(&control), "the one whose venue never closes, too");
	cr_assert_eq(control.n_failed, 0);
	cr_assert(tcp[1].aborted);
	gn_stage_gateway.fini(ctx);
}

Test(gateway_stage, a_logout_before_the_start_is_a_logout, .init = given_a_stage)
{
	gateway_request_logout(&control);
	when_time_passes(1);
	cr_assert(gateway_is_over(&control));
	cr_assert_eq(n_tcps, 0);
}

Test(gateway_stage, sends_a_batch_in_one_burst_when_told_to, .init = given_a_config)
{
	config.batch = true;
	cr_assert_eq(gn_stage_gateway.init(ctx, &env), 0);
	when_time_passes(1);
	venue_connects(&tcp[0]);
	turn();
	tx.n_flushes = 0;
	for (uint32_t i = 1; i <= 10; i++)
		send(GN_REQ_NEW, 0, i);
	cr_assert_eq(tx.n_flushes, 0);
	turn();
	cr_assert_eq(tx.n_flushes, 1);
	for (uint32_t i = 11; i <= 80; i++)
		send(GN_REQ_NEW, 0, i);
	cr_assert_eq(tx.n_flushes, 2, "a full one leaves at once");
}

/* The feeds' way to the network. */

static void feed_asks(uint32_t from, uint8_t kind, uint32_t ip, uint32_t conn, const char *data)
{
	struct feed_request r = {.kind = kind, .ip = ip, .port = 18001, .port_own = 31001, .conn = conn,
		.bytes = (uint8_t)strlen(data)};

	memcpy(r.data, data, r.bytes);
	gn_stage_gateway.in[2].on_msg(ctx, from, &r, (uint32_t)FEED_REQUEST_HEAD_BYTES + r.bytes);
}

Test(gateway_stage, ignores_requests_of_a_feed_that_make_no_sense, .init = given_a_stage)
{
	struct feed_request r = {.kind = FEED_REQUEST_DATAGRAM, .bytes = 20};

	gn_stage_gateway.in[2].on_msg(ctx, 0, &r, FEED_REQUEST_HEAD_BYTES + 19);
	gn_stage_gateway.in[2].on_msg(ctx, 0, &r, 3);
	gn_stage_gateway.in[2].on_msg(ctx, 2, &r, sizeof(r));
	r.bytes = 200;
	gn_stage_gateway.in[2].on_msg(ctx, 0, &r, sizeof(r));
	r.bytes = 0;
	r.kind = 77;
	gn_stage_gateway.in[2].on_msg(ctx, 0, &r, sizeof(r));
	feed_asks(0, FEED_REQUEST_BYTES, 1, 5, "no such connection");
	feed_asks(0, FEED_REQUEST_CLOSE, 1, 5, "");
	cr_assert_eq(frame_bytes + n_reply + n_tcps, 0);
}

Test(gateway_stage, sends_the_datagrams_of_a_feed, .init = given_a_stage)
{
	feed_asks(0, FEED_REQUEST_DATAGRAM, 99, 0, "nobody knows this neighbour");
	cr_assert_eq(frame_bytes, 0);
	feed_asks(0, FEED_REQUEST_DATAGRAM, 0x0a470002, 0, "SESSION000");
	cr_assert_eq(frame_bytes, 42 + 10);
	cr_assert_arr_eq(frame + 30, "\x0a\x47\0\2", 4);
	cr_assert_arr_eq(frame + 34, "\x79\x19\x46\x51", 4);
	cr_assert_arr_eq(frame + 42, "SESSION000", 10);
	cr_assert_geq(tx.n_flushes, 1);
}

Test(gateway_stage, carries_the_connection_of_a_feed, .init = given_a_stage)
{
	static uint8_t long_one[2000];

	feed_asks(1, FEED_REQUEST_OPEN, 5, 9, "");
	cr_assert_eq(n_tcps, 1);
	tcp[0].open = true;
	tcp[0].handler->on_up(tcp[0].arg, &tcp[0]);
	cr_assert_eq(reply[0].kind, FEED_REPLY_UP);
	cr_assert_eq(reply[0].conn, 9);
	cr_assert_eq(reply_from, 1);
	feed_asks(1, FEED_REQUEST_BYTES, 0, 9, "login");
	cr_assert_arr_eq(tcp[0].sent, "login", 5);
	feed_asks(1, FEED_REQUEST_BYTES, 0, 8, "of an older connection");
	cr_assert_eq(tcp[0].sent_bytes, 5);
	tcp[0].handler->on_bytes(tcp[0].arg, &tcp[0], long_one, sizeof(long_one), 9);
	cr_assert_eq(n_reply, 3);
	cr_assert_eq(reply[1].bytes + reply[2].bytes, sizeof(long_one));
	tcp[0].handler->on_down(tcp[0].arg, &tcp[0], 0);
	cr_assert_eq(reply[3].kind, FEED_REPLY_DOWN);
	cr_assert_eq(reply[3].reason, 0);
}

Test(gateway_stage, a_new_connection_of_a_feed_ends_the_one_before, .init = given_a_stage)
{
	feed_asks(0, FEED_REQUEST_OPEN, 5, 1, "");
	tcp[0].open = true;
	feed_asks(0, FEED_REQUEST_OPEN, 5, 2, "");
	tcp[0].handler->on_bytes(tcp[0].arg, &tcp[0], (const uint8_t *)"old", 3, 9);
	cr_assert_eq(n_reply, 0);
	turn();
	cr_assert(tcp[0].aborted);
	feed_asks(0, FEED_REQUEST_CLOSE, 5, 2, "");
	turn();
	cr_assert(tcp[1].aborted);
	cr_assert_eq(n_reply, 0, "who closes needs no word of it");
}

Test(gateway_stage, a_feed_that_does_not_keep_up_loses_its_connection_not_bytes, .init = given_a_stage)
{
	struct gn_spsc ring;
	const struct gn_slot *slot;
	uint32_t n = 0, last = 0;

	cr_assert_eq(gn_spsc_init(&ring, 4, sizeof(struct feed_reply), -1), 0);
	feed_link[0].ring = &ring;
	feed_asks(0, FEED_REQUEST_OPEN, 5, 1, "");
	tcp[0].open = true;
	for (int i = 0; i < 10; i++)
		tcp[0].handler->on_bytes(tcp[0].arg, &tcp[0], (const uint8_t *)"bytes", 5, 9);
	turn();
	cr_assert(tcp[0].aborted);
	while ((slot = gn_spsc_peek(&ring, 0))) {
		cr_assert_eq(((const struct feed_reply *)slot->payload)->kind, FEED_REPLY_BYTES);
		gn_spsc_release(&ring);
		n++;
	}
	gn_spsc_share(&ring);
	cr_assert_eq(n, 4);
	turn();
	while ((slot = gn_spsc_peek(&ring, 0))) {
		last = ((const struct feed_reply *)slot->payload)->kind;
		gn_spsc_release(&ring);
		n++;
	}
	cr_assert_eq(n, 5);
	cr_assert_eq(last, FEED_REPLY_DOWN, "told as soon as there is room");
	feed_link[0].ring = NULL;
}
