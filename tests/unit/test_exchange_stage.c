/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exchange/exchange_stage.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/codec/soupbintcp.h"
#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/frame.h"
#include "dataplane/net/stack.h"
#include "dataplane/runtime/err.h"

/* A transmit queue and a TCP stack that do what the test says. */

struct gn_tx {
	bool full, no_frame;
	struct gn_tx_counts n;
};

struct gn_tcp {
	void *arg;
	uint8_t sent[1 << 16];
	uint32_t sent_bytes;
	bool closed, aborted;
};

struct gn_stack {
	uint32_t n_inputs, n_listens;
	uint16_t port[4];
	const struct gn_tcp_handler *handler;
	void *(*accept)(void *arg, uint32_t ip, uint16_t port);
	void *accept_arg;
};

#define FRAMES_MAX 20000u
static struct gn_tx tx;
static struct gn_stack stack;
static bool stack_ok = true;
static struct {
	uint8_t data[1600];
	uint32_t bytes;
} *frame;
static uint32_t n_frames;

bool gn_tx_claim(struct gn_tx *t, struct gn_tx_frame *out)
{
	if (t->no_frame || n_frames == FRAMES_MAX) {
		t->n.no_frame++;
		return false;
	}
	*out = (struct gn_tx_frame){.data = frame[n_frames].data, .room_bytes = sizeof(frame[0].data)};
	return true;
}

void gn_tx_commit(struct gn_tx *t, const struct gn_tx_frame *f, uint32_t bytes)
{
	(void)t;
	cr_assert_eq(f->data, frame[n_frames].data);
	frame[n_frames++].bytes = bytes;
}

uint32_t gn_tx_flush(struct gn_tx *t)
{
	t->n.full += t->full;
	return 0;
}

struct gn_tx_counts gn_tx_counts(const struct gn_tx *t)
{
	return t->n;
}

struct gn_stack *gn_stack_new(const struct gn_stack_config *config)
{
	cr_assert_eq(config->tx, &tx);
	cr_assert_eq(config->ip, 0x0a470002);
	if (!stack_ok)
		gn_err(ENOMEM, "no stack");
	return stack_ok ? &stack : NULL;
}

void gn_stack_free(struct gn_stack *s)
{
	(void)s;
}

void gn_stack_input(struct gn_stack *s, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)data;
	(void)bytes;
	(void)rx_tsc;
	s->n_inputs++;
}

void gn_stack_poll(struct gn_stack *s)
{
	(void)s;
}

int gn_tcp_listen(struct gn_stack *s, uint16_t port, const struct gn_tcp_handler *h,
	void *(*accept)(void *arg, uint32_t ip, uint16_t port), void *arg)
{
	if (!s->n_listens) {
		s->handler = h;
		s->accept = accept;
		s->accept_arg = arg;
	}
	s->port[s->n_listens++] = port;
	return 0;
}

bool gn_tcp_send(struct gn_tcp *t, const void *data, uint32_t bytes)
{
	cr_assert_leq(t->sent_bytes + bytes, sizeof(t->sent));
	memcpy(t->sent + t->sent_bytes, data, bytes);
	t->sent_bytes += bytes;
	return true;
}

void gn_tcp_close(struct gn_tcp *t)
{
	t->closed = true;
	stack.handler->on_down(t->arg, t, 0);
}

void gn_tcp_abort(struct gn_tcp *t)
{
	t->aborted = true;
	stack.handler->on_down(t->arg, t, ECONNABORTED);
}

static struct exchange_config config;
static struct exchange_stage_config stage_config;
static atomic_bool stop, stopped;
static void *ctx;
static char ledger[64];

static uint64_t counter(const char *name)
{
	const struct gn_counter *c = gn_stage_exchange.counters;
	const uint64_t *word = (const uint64_t *)(void *)((char *)ctx + gn_stage_exchange.counters_offset);

	for (uint32_t i = 0; c[i].name; i++)
		if (!strcmp(c[i].name, name))
			return word[i];
	cr_assert_fail("no counter %s", name);
	return 0;
}

static int init(void)
{
	struct gn_env env = {.instance = "exchange0", .config = &stage_config};

	return gn_stage_exchange.init(ctx, &env);
}

static void given_stage(void)
{
	frame = calloc(FRAMES_MAX, sizeof(*frame));
	ctx = calloc(1, gn_stage_exchange.ctx_bytes);
	snprintf(ledger, sizeof(ledger), "/tmp/gannet-ledger-%d", getpid());
	config = (struct exchange_config){.n_symbols = 4, .orders_max = 4096, .client_orders_max = 64, .store_mib = 1,
		.reports_mib = 1, .request_port = 26500, .ledger_file = ledger, .end_of_session_ns = 1000, .flow = {.rate_msgs_s = 1000000}};
	stage_config = (struct exchange_stage_config){.exchange = &config, .tx = &tx, .stop = &stop, .stopped = &stopped};
	cr_assert_eq(init(), 0, "%s", gn_err_text());
}

static void clean_up(void)
{
	gn_stage_exchange.fini(ctx);
	unlink(ledger);
	free(ctx);
	free(frame);
}

static void turns(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		gn_stage_exchange.poll(ctx);
		gn_stage_exchange.housekeeping(ctx, 0);
	}
}

/* The flow is paced by the clock: however fast the turns are, take as many as it needs, up to what no clock explains. */
#define TURNS_UNTIL(condition)                                              \
	do {                                                                \
		for (uint32_t n_ = 0; !(condition) && n_ < 10000000; n_++)  \
			turns(1);                                           \
		cr_assert(condition);                                       \
	} while (0)

static struct gn_tcp *connected(void)
{
	struct gn_tcp *t = calloc(1, sizeof(*t));

	t->arg = stack.accept(stack.accept_arg, 0x0a470001, 40000);
	if (!t->arg) {
		free(t);
		return NULL;
	}
	stack.handler->on_up(t->arg, t);
	return t;
}

static void log_in(struct gn_tcp *t)
{
	struct soup_login login = {.username = "GANNET", .password = "GANNET", .seq = 1};
	uint8_t out[SOUP_LOGIN_41_BYTES];

	stack.handler->on_bytes(t->arg, t, out, soup_login_build(&login, out), 0);
}

static void deliver(const uint8_t *data, uint32_t bytes)
{
	uint8_t msg[sizeof(struct gn_frame) + 1600];
	struct gn_frame *f = (struct gn_frame *)(void *)msg;

	f->bytes = (uint16_t)bytes;
	memcpy(f->data, data, bytes);
	gn_stage_exchange.in[0].on_msg(ctx, 0, f, (uint32_t)sizeof(*f) + bytes);
}

TestSuite(exchange_stage, .init = given_stage, .fini = clean_up, .timeout = 30);

Test(exchange_stage, what_cannot_start_says_why)
{
	gn_stage_exchange.fini(ctx);
	stack_ok = false;
	cr_assert_lt(init(), 0);
	cr_assert_not_null(strstr(gn_err_text(), "exchange: network stack"), "%s", gn_err_text());
	gn_stage_exchange.fini(ctx);
	config.datagram_bytes_max = 5000;
	cr_assert_lt(init(), 0);
	cr_assert_not_null(strstr(gn_err_text(), "datagram_bytes_max"), "%s", gn_err_text());
}

Test(exchange_stage, sends_each_datagram_on_both_lines_with_sound_headers)
{
	struct gn_tcp *t = connected();

	log_in(t);
	TURNS_UNTIL(n_frames > 10);
	for (uint32_t i = 0; i < n_frames; i++) {
		const uint8_t *f = frame[i].data, *ip = f + NET_ETH_BYTES, *udp = ip + NET_IP_BYTES;
		uint32_t payload = frame[i].bytes - NET_UDP_HEAD_BYTES;
		static const uint8_t mac[2][6] = {{0x01, 0x00, 0x5e, 0x40, 0x01, 0x01}, {0x01, 0x00, 0x5e, 0x40, 0x01, 0x02}};
		uint8_t pseudo[12] = {0};

		cr_assert_eq(memcmp(f, mac[i % 2], 6), 0);
		cr_assert_eq(net_get16(ip + 2), payload + 28);
		cr_assert_eq(net_sum_fold(net_sum(ip, NET_IP_BYTES, 0)), 0xffff);
		memcpy(pseudo, ip + 12, 8);
		pseudo[9] = NET_PROTO_UDP;
		memcpy(pseudo + 10, udp + 4, 2);
		cr_assert_eq(net_sum_fold(net_sum(udp, payload + 8, net_sum(pseudo, 12, 0))), 0xffff);
		cr_assert_eq(net_get16(udp + 2), 26477);
		if (i % 2)
			cr_assert_eq(memcmp(udp + 8, frame[i - 1].data + NET_UDP_HEAD_BYTES, payload), 0);
	}
	free(t);
}

Test(exchange_stage, background_flow_waits_while_the_port_is_behind)
{
	struct gn_tcp *t = connected();

	log_in(t);
	turns(100);
	tx.full = true;
	uint32_t before = n_frames;

	TURNS_UNTIL(counter("waited") > 100);
	cr_assert_eq(n_frames, before);
	tx.full = false;
	TURNS_UNTIL(n_frames > before);
	tx.no_frame = true;
	TURNS_UNTIL(counter("datagram_dropped") > 0);
	free(t);
}

Test(exchange_stage, frames_of_the_stack_go_to_the_stack_and_strange_datagrams_nowhere)
{
	uint8_t f[128] = {0};
	static const uint8_t mac[6] = {2}, other[6] = {4};
	struct net_udp_flow flow;

	deliver(f, 0);
	deliver(f, 60);
	cr_assert_eq(stack.n_inputs, 2);
	net_udp_flow_init(&flow, other, mac, 0x0a470001, 999, 0x0a470002, 5000, 8);
	uint32_t bytes = net_udp_seal(&flow, f, 20);

	deliver(f, bytes);
	cr_assert_eq(counter("udp_other"), 1);
	f[NET_ETH_BYTES + 8]++; /* the checksum does not hold any more: the stack may count it */
	deliver(f, bytes);
	cr_assert_eq(stack.n_inputs, 3);
	bytes = net_udp_seal(&flow, f, 20);
	f[NET_ETH_BYTES + NET_IP_BYTES + 4] = 0xff; /* longer than the packet */
	deliver(f, bytes);
	deliver(f, bytes - 1);
	cr_assert_eq(stack.n_inputs, 5);
	cr_assert_eq(counter("frame_rx"), 6);
}

Test(exchange_stage, answers_requests_to_who_asked)
{
	struct gn_tcp *t = connected();
	uint8_t f[128];
	static const uint8_t mac[6] = {2, 0x67, 0x6e, 0, 0, 2}, other[6] = {4, 1, 2, 3, 4, 5};
	struct net_udp_flow flow;
	struct moldudp64_request r = {.session = moldudp64_session_from("GANNET0001"), .seq = 1, .count = 3};

	log_in(t);
	TURNS_UNTIL(n_frames > 10);
	net_udp_flow_init(&flow, other, mac, 0x0a470001, 999, 0x0a470002, 26500, 8);
	moldudp64_request_encode(&r, f + NET_UDP_HEAD_BYTES);
	uint32_t before = n_frames;

	deliver(f, net_udp_seal(&flow, f, MOLDUDP64_REQUEST_BYTES));
	cr_assert_eq(n_frames, before + 1);
	const uint8_t *reply = frame[before].data;
	struct moldudp64_reader m;

	cr_assert_eq(memcmp(reply, other, 6), 0);
	cr_assert_eq(net_get32(reply + NET_ETH_BYTES + 16), 0x0a470001);
	cr_assert_eq(net_get16(reply + NET_ETH_BYTES + NET_IP_BYTES + 2), 999);
	cr_assert_eq(moldudp64_open(&m, reply + NET_UDP_HEAD_BYTES, frame[before].bytes - NET_UDP_HEAD_BYTES), MOLDUDP64_MESSAGES);
	cr_assert_eq(m.seq, 1);
	cr_assert_eq(m.seq_end, 4);
	r.seq = 1u << 30;
	moldudp64_request_encode(&r, f + NET_UDP_HEAD_BYTES);
	deliver(f, net_udp_seal(&flow, f, MOLDUDP64_REQUEST_BYTES));
	cr_assert_eq(n_frames, before + 1, "silence");
	cr_assert_eq(counter("request_rx"), 2);
	cr_assert_eq(counter("reply_tx"), 1);
	free(t);
}

Test(exchange_stage, connections_come_go_and_are_refused_when_there_are_too_many)
{
	static struct gn_tcp *t[EXCHANGE_CONNS_MAX];

	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++)
		cr_assert_not_null(t[i] = connected());
	cr_assert_null(connected());
	cr_assert_eq(counter("tcp_refused"), 1);
	stack.handler->on_down(t[7]->arg, t[7], ECONNRESET);
	free(t[7]);
	cr_assert_not_null(t[7] = connected());
	log_in(t[7]);
	cr_assert_gt(t[7]->sent_bytes, 0);
	stack.handler->on_bytes(t[7]->arg, t[7], (const uint8_t *)"\0\0", 2, 0);
	cr_assert(t[7]->closed, "malformed");
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++)
		free(t[i]);
}

Test(exchange_stage, stops_when_told_and_leaves_the_ledger)
{
	struct gn_tcp *t = connected();

	log_in(t);
	turns(100);
	cr_assert_not(atomic_load(&stopped));
	atomic_store(&stop, true);
	turns(100);
	cr_assert(atomic_load(&stopped));
	cr_assert(t->closed);
	cr_assert_eq(t->sent[t->sent_bytes - 1], SOUP_END);
	cr_assert_eq(access(ledger, R_OK), 0);
	free(t);
}
