/* SPDX-License-Identifier: BSD-3-Clause */

/* Whatever a venue sends, before and after orders were sent to it: no report but for our orders, none twice dead. */

#include "dataplane/codec/ouch50.h"
#include "dataplane/gateway/account.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X)                                                                                                  \
	X(UP) X(ACCEPTED) X(REPLACED) X(FILLED) X(CANCELED) X(REJECTED) X(BROKEN) X(RESTATED) X(VOID) X(LOST) X(UNKNOWN) \
	X(LEARNED) X(BAD) X(MALFORMED) X(ENDED) X(FAILED) X(BACKLOG_KEPT)
FUZZ_DECLARE_MARKERS(MARKERS);

#define N_ORDERS 8u
#define STEP_NS UINT64_C(10000000)

static struct account account;
static uint8_t packet[256];
static uint64_t now_ns;
static uint32_t n_turn; /* reports in this turn */
static bool connecting;

static bool op_connect(void *arg, uint32_t endpoint)
{
	(void)arg, (void)endpoint;
	connecting = true;
	return true;
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	(void)arg, (void)data;
	FUZZ_CHECK(bytes >= SOUP_HEAD_BYTES && bytes <= sizeof(packet));
	return true;
}

static void op_gone(void *arg)
{
	(void)arg;
	connecting = false;
}

static void op_close(void *arg)
{
	(void)arg;
}

static uint8_t *op_claim(void *arg, uint32_t bytes)
{
	(void)arg;
	return bytes <= sizeof(packet) ? packet : NULL;
}

static bool op_commit(void *arg, const uint8_t *data, uint32_t bytes)
{
	(void)arg;
	FUZZ_CHECK(data == packet && bytes <= sizeof(packet));
	return true;
}

static void op_sent(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	(void)arg, (void)req, (void)msg, (void)bytes;
	FUZZ_CHECK(number >= 1 && number <= account.orders.max);
}

static void op_exec(void *arg, const struct gn_exec *e)
{
	static const uint8_t mark[GN_EXEC_KIND_COUNT] = {[GN_EXEC_ACCEPTED] = MARK_ACCEPTED, [GN_EXEC_REPLACED] = MARK_REPLACED,
		[GN_EXEC_FILLED] = MARK_FILLED, [GN_EXEC_CANCELED] = MARK_CANCELED, [GN_EXEC_REJECTED] = MARK_REJECTED,
		[GN_EXEC_BROKEN] = MARK_BROKEN, [GN_EXEC_RESTATED] = MARK_RESTATED};

	(void)arg;
	n_turn++;
	FUZZ_CHECK(e->kind > GN_EXEC_REFUSED && e->kind < GN_EXEC_UP);
	FUZZ_CHECK(e->qty >= 0 && e->px.e9 >= 0);
	if (e->oid == 0) {
		FUZZ_REACH(UNKNOWN);
		return;
	}
	if (mark[e->kind])
		marker_hits[mark[e->kind]]++;
	if (e->kind == GN_EXEC_REJECTED && e->code == GN_CODE_VOID)
		FUZZ_REACH(VOID);
	if (e->kind == GN_EXEC_REJECTED && e->code == GN_CODE_LOST)
		FUZZ_REACH(LOST);
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	(void)arg, (void)state, (void)why;
}

static gn_symbol op_symbol(void *arg, gn_inst inst)
{
	(void)arg, (void)inst;
	return (gn_symbol){.c = "ABC"};
}

static gn_inst op_find(void *arg, gn_symbol symbol)
{
	(void)arg;
	return symbol.c[0] == 'A' ? 1 : GN_INST_NONE;
}

/* New orders 1, 2 and 4 to 7, of which 2 is replaced by 3, and 3 by 8; 1 is cancelled. */
static void ask_all(void)
{
	for (uint32_t i = 1; i <= N_ORDERS; i++) {
		struct gn_order_req req = {.kind = GN_REQ_NEW, .side = GN_BUY, .tif = GN_TIF_DAY, .oid = gn_oid_make(0, i),
			.px = {.e9 = 1000000000}, .qty = 100};
		if (i == 3 || i == 8) {
			req.kind = GN_REQ_REPLACE;
			req.oid_prev = gn_oid_make(0, i == 3 ? 2 : 3);
		}
		account_request(&account, &req, now_ns);
	}
	account_request(&account, &(struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = gn_oid_make(0, 1)}, now_ns);
}

static void op_up(void *arg, bool up)
{
	(void)arg;
	if (up)
		FUZZ_REACH(UP);
}

static const struct account_ops ops = {op_connect, op_send, op_close, op_gone, op_claim, op_commit, op_sent, op_exec, op_up,
	op_state, op_symbol, op_find};

static void turn(void)
{
	n_turn = 0;
	session_turn(&account.session);
}

static void settle(void)
{
	for (uint32_t i = 0; i < 10000; i++) {
		turn();
		if (!account_work(&account, now_ns))
			return;
		FUZZ_CHECK(n_turn <= SESSION_SLICE_MESSAGES);
	}
	FUZZ_CHECK(false && "work without end");
}

static void feed(const uint8_t *data, size_t bytes, size_t step)
{
	bool asked = false;

	for (size_t at = 0; at < bytes; at += step) {
		size_t n = step < bytes - at ? step : bytes - at;
		turn();
		session_on_bytes(&account.session, data + at, (uint32_t)(n / 2), now_ns, 1);
		session_on_bytes(&account.session, data + at + n / 2, (uint32_t)(n - n / 2), now_ns, 1);
		if (account.session.backlog_bytes)
			FUZZ_REACH(BACKLOG_KEPT);
		FUZZ_CHECK(n_turn <= SESSION_SLICE_MESSAGES);
		settle();
		if (account.state == ACCOUNT_UP && !asked) {
			ask_all();
			asked = true;
		}
	}
}

static void wait_for_connection(void)
{
	for (uint32_t i = 0; i < 3000 && !session_over(&account.session) && account.session.state != SESSION_CONNECTING; i++) {
		now_ns += STEP_NS;
		account_poll(&account, now_ns);
		settle();
	}
	if (account.session.state == SESSION_CONNECTING)
		session_on_up(&account.session, now_ns);
}

/* The venue comes back and is itself again: everything must find its end. */
static void come_back(void)
{
	uint8_t out[SOUP_HEAD_BYTES + OUCH50_BYTES_MAX], msg[OUCH50_BYTES_MAX];
	struct soup_accepted accepted = {.seq = account.session.seq_next};
	struct ouch50_out reply = {.type = OUCH50_QUERY_REPLY, .user_ref = account.orders.next};

	session_on_down(&account.session, 1, now_ns);
	settle();
	if (session_over(&account.session))
		return;
	wait_for_connection();
	memcpy(accepted.session, account.session.name, sizeof(accepted.session));
	turn();
	session_on_bytes(&account.session, out, soup_accepted_build(&accepted, out), now_ns, 1);
	turn();
	session_on_bytes(&account.session, out, soup_build(out, SOUP_SEQUENCED, msg, ouch50_encode_out(&reply, msg)), now_ns, 1);
	settle();
	FUZZ_CHECK(account.state == ACCOUNT_UP);
	for (uint32_t n = 1; n < account.orders.next; n++) {
		const struct sent_order *o = sent_orders_get(&account.orders, n);
		FUZZ_CHECK(!o || o->state == SENT_LIVE || o->state == SENT_DEAD);
	}
}

/* The first byte says how the stream is cut. */
static void one(const uint8_t *data, size_t bytes)
{
	struct account_config config = {.session = {.username = "FUZZ", .n_endpoints = 2, .tries_max = 1000},
		.dialect = &gateway_ouch50, .orders_max = 64};

	if (bytes == 0)
		return;
	now_ns = STEP_NS;
	FUZZ_CHECK(account_init(&account, &config, &ops, NULL, -1) == 0);
	memset(&account.n, 0, sizeof(account.n));
	session_start(&account.session, now_ns);
	wait_for_connection();
	feed(data + 1, bytes - 1, 1 + (size_t)data[0] * 8);
	if (account.n.report_learned)
		FUZZ_REACH(LEARNED);
	if (account.n.report_bad)
		FUZZ_REACH(BAD);
	if (account.session.n.why[SESSION_WHY_MALFORMED])
		FUZZ_REACH(MALFORMED);
	if (account.session.state == SESSION_CLOSING)
		FUZZ_REACH(ENDED);
	if (account.session.state == SESSION_FAILED)
		FUZZ_REACH(FAILED);
	come_back();
	account_fini(&account);
}

static uint32_t put(uint8_t *out, const struct ouch50_out *m)
{
	uint8_t msg[OUCH50_BYTES_MAX];

	return soup_build(out, SOUP_SEQUENCED, msg, ouch50_encode_out(m, msg));
}

static struct ouch50_out accepted(uint8_t type, uint32_t number, uint32_t orig)
{
	struct ouch50_out m = {.type = type};

	m.accepted = (struct ouch50_accepted){.user_ref = number, .user_ref_orig = orig, .qty = 100, .px = {.e9 = 1000000000},
		.symbol = {.c = "ABC"}, .side = 'B', .tif = '0', .display = 'Y', .capacity = 'P', .iso = 'N', .cross = 'N',
		.state = 'L', .clordid = ouch50_clordid_from_oid(gn_oid_make(0, number))};
	return m;
}

static uint32_t seed_reports(uint8_t *out)
{
	struct ouch50_out m[] = {
		accepted(OUCH50_ACCEPTED, 1, 0), accepted(OUCH50_ACCEPTED, 2, 0), accepted(OUCH50_REPLACED, 3, 2),
		accepted(OUCH50_ACCEPTED, 4, 0),
		{.type = OUCH50_EXECUTED, .executed = {.user_ref = 3, .qty = 100, .px = {.e9 = 1000000000}, .match = 5, .liquidity = 'A'}},
		{.type = OUCH50_CANCELED, .canceled = {.user_ref = 1, .qty = 100, .reason = 'U'}},
		{.type = OUCH50_REJECTED, .rejected = {.user_ref = 5, .reason = 1, .clordid = ouch50_clordid_from_oid(gn_oid_make(0, 5))}},
		{.type = OUCH50_BROKEN, .broken = {.user_ref = 3, .match = 5, .reason = 'E',
			.clordid = ouch50_clordid_from_oid(gn_oid_make(0, 3))}},
		{.type = OUCH50_MODIFIED, .modified = {.user_ref = 4, .qty = 50, .side = 'B'}},
		{.type = OUCH50_EXECUTED, .executed = {.user_ref = 60, .qty = 1, .px = {.e9 = 1000000000}}},
	};
	uint32_t at = 0;

	for (size_t i = 0; i < sizeof(m) / sizeof(m[0]); i++)
		at += put(out + at, &m[i]);
	return at;
}

/* 0: cut small; 1: whole; 2: replay of an earlier run before the query is answered; 3: end of session; 4: a gap; 5: noise. */
static int32_t seed(uint32_t n, uint8_t *out)
{
	struct soup_accepted login = {.session = "DAY1", .seq = n == 4 ? 9 : 1};
	struct ouch50_out next = {.type = OUCH50_QUERY_REPLY, .user_ref = 1}, old = accepted(OUCH50_ACCEPTED, 20, 0);
	uint32_t at = 1;

	if (n > 5)
		return -1;
	out[0] = n == 1 ? 255 : 6;
	at += soup_accepted_build(&login, out + at);
	if (n == 2)
		at += put(out + at, &old);
	at += put(out + at, &next);
	at += seed_reports(out + at);
	if (n == 3)
		at += soup_build(out + at, SOUP_END, NULL, 0);
	if (n == 5) {
		at += soup_build(out + at, SOUP_SEQUENCED, "??", 2);
		memset(out + at, 0, 8);
		at += 8;
	}
	return (int32_t)at;
}

const struct fuzz_target fuzz_target_gateway;
const struct fuzz_target fuzz_target_gateway = {
	.name = "gateway", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
