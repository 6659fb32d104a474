/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The gateway's part of an order, ns: accepted request to encoded packet (new, replace, cancel), report to struct gn_exec,
 * and what a record for the journal costs the hot path. Alternating passes of one run, one JSON line each; for exact
 * counts run it under `valgrind --tool=callgrind` with few passes.
 *
 * usage: bench_gateway [--short] [PASSES]
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <gannet/journal.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/gateway/account.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/link.h"
#include "perf/bench.h"

#define N 1000u /* requests a pass */
#define PASSES_DEFAULT 301u
#define PASSES_MAX 2001u

static struct account account;
static uint8_t packet[256];
static uint64_t n_execs, digest, count, now_ns = 1;

static bool op_connect(void *arg, uint32_t endpoint)
{
	(void)arg, (void)endpoint;
	return true;
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	(void)arg, (void)data, (void)bytes;
	return true;
}

static void op_nothing(void *arg)
{
	(void)arg;
}

static uint8_t *op_claim(void *arg, uint32_t bytes)
{
	(void)arg, (void)bytes;
	return packet;
}

static bool op_commit(void *arg, const uint8_t *data, uint32_t bytes)
{
	(void)arg;
	digest += data[bytes - 1];
	return true;
}

static void op_sent(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	(void)arg, (void)req, (void)msg, (void)bytes;
	digest += number;
}

static void op_exec(void *arg, const struct gn_exec *e)
{
	(void)arg;
	n_execs++;
	digest += e->oid;
}

static void op_up(void *arg, bool up)
{
	(void)arg, (void)up;
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	(void)arg, (void)state, (void)why;
}

static gn_symbol op_symbol(void *arg, gn_inst inst)
{
	(void)arg, (void)inst;
	return (gn_symbol){.c = "ABCD"};
}

static gn_inst op_find(void *arg, gn_symbol symbol)
{
	(void)arg, (void)symbol;
	return 1;
}

static const struct account_ops ops = {op_connect, op_send, op_nothing, op_nothing, op_claim, op_commit, op_sent, op_exec,
	op_up, op_state, op_symbol, op_find};

static void venue(uint8_t type, const void *payload, uint32_t bytes)
{
	uint8_t out[OUCH50_BYTES_MAX + SOUP_HEAD_BYTES];

	session_turn(&account.session);
	session_on_bytes(&account.session, out, soup_build(out, type, payload, bytes), now_ns, 1);
}

static void come_up(void)
{
	struct account_config config = {.session = {.username = "BENCH", .n_endpoints = 1}, .dialect = &gateway_ouch50,
		.orders_max = 1u << 22};
	struct soup_accepted accepted = {.session = "DAY1", .seq = 1};
	struct ouch50_out reply = {.type = OUCH50_QUERY_REPLY, .user_ref = 1};
	uint8_t out[OUCH50_BYTES_MAX];

	if (account_init(&account, &config, &ops, NULL, -1) < 0) {
		fprintf(stderr, "bench_gateway: %s\n", gn_err_text());
		exit(1);
	}
	session_start(&account.session, now_ns);
	account_poll(&account, now_ns);
	session_on_up(&account.session, now_ns);
	session_turn(&account.session);
	session_on_bytes(&account.session, out, soup_accepted_build(&accepted, out), now_ns, 1);
	venue(SOUP_SEQUENCED, out, ouch50_encode_out(&reply, out));
	while (account.state != ACCOUNT_UP)
		account_work(&account, now_ns);
}

static struct gn_order_req request(uint8_t kind, uint64_t i)
{
	return (struct gn_order_req){.kind = kind, .side = GN_BUY, .tif = GN_TIF_DAY, .inst = (gn_inst)(i % 64),
		.oid = gn_oid_make(0, i), .px = {.e9 = 100000000000}, .qty = kind == GN_REQ_CANCEL ? 0 : 100, .rx_tsc = i};
}

static void pass_new(void)
{
	for (uint32_t i = 0; i < N; i++) {
		struct gn_order_req req = request(GN_REQ_NEW, ++count);
		account_request(&account, &req, now_ns);
	}
}

static void pass_cancel(void)
{
	for (uint32_t i = 0; i < N; i++) {
		struct gn_order_req req = request(GN_REQ_CANCEL, count - i);
		account_request(&account, &req, now_ns);
	}
}

static void pass_replace(void)
{
	uint64_t first = count;

	for (uint32_t i = 0; i < N; i++) {
		struct gn_order_req req = request(GN_REQ_REPLACE, ++count);
		req.oid_prev = gn_oid_make(0, first - i);
		account_request(&account, &req, now_ns);
	}
}

static void pass_report(void)
{
	static uint8_t stream[1448];
	struct ouch50_out m = {.type = OUCH50_EXECUTED, .executed = {.qty = 1, .px = {.e9 = 1000000000}, .liquidity = 'A'}};
	uint8_t msg[OUCH50_BYTES_MAX];
	uint32_t bytes = 0, each = 0;

	for (uint32_t n = 0; bytes + 64 < sizeof(stream); n++) {
		m.executed.user_ref = account.orders.next - 1 - n;
		each = soup_build(stream + bytes, SOUP_SEQUENCED, msg, ouch50_encode_out(&m, msg));
		bytes += each;
	}
	for (uint64_t end = n_execs + N; n_execs < end;) {
		session_turn(&account.session);
		session_on_bytes(&account.session, stream, bytes, now_ns, 1);
	}
}

static struct gn_spsc ring;
static struct gn_link link_journal = {.ring = &ring, .msg_bytes_max = sizeof(struct gn_journal_msg)};

/* As the gateway does it after the wire: the slot's cost, its reader elsewhere. */
static void pass_journal(void)
{
	for (uint32_t i = 0; i < N; i++) {
		struct gn_journal_msg j = {.kind = GN_JOURNAL_SENT, .tsc = i};
		j.sent.oid = i;
		j.sent.bytes = 47;
		memcpy(j.sent.data, packet, sizeof(j.sent.data));
		gn_link_send(&link_journal, &j, sizeof(j));
	}
}

static void drain(void)
{
	while (ring.slots && gn_spsc_peek(&ring, 0))
		gn_spsc_release(&ring);
	if (ring.slots)
		gn_spsc_share(&ring);
}

static struct bench {
	const char *name;
	void (*pass)(void);
	double ns[PASSES_MAX];
} benches[] = {{"gateway_new", pass_new, {0}}, {"gateway_cancel", pass_cancel, {0}}, {"gateway_replace", pass_replace, {0}},
	{"gateway_report", pass_report, {0}}, {"journal_hot_path", pass_journal, {0}}};

static double seconds(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	bench_pin(0);
	uint32_t passes = argc > 1 ? (uint32_t)atoi(argv[1]) : bench_short() ? 11 : PASSES_DEFAULT;

	if (passes == 0 || passes > PASSES_MAX) {
		fprintf(stderr, "usage: bench_gateway [--short] [PASSES]   (1 to %u)\n", PASSES_MAX);
		return 2;
	}
	come_up();
	if (gn_spsc_init(&ring, 2 * N, sizeof(struct gn_journal_msg), -1) < 0)
		return 1;
	for (uint32_t p = 0; p < passes; p++) {
		for (size_t b = 0; b < GN_ARRAY_SIZE(benches); b++) {
			double start = seconds();
			benches[b].pass();
			benches[b].ns[p] = (seconds() - start) * 1e9 / N;
			drain();
		}
	}
	for (size_t b = 0; b < GN_ARRAY_SIZE(benches); b++)
		bench_print(&(struct bench_result){.name = benches[b].name, .n = (uint64_t)passes * N, .samples_ns = benches[b].ns,
			.n_samples = passes});
	return digest == 0;
}
