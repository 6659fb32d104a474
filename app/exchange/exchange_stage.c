/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_stage.h"

#include <errno.h>
#include <string.h>

#include "app/exchange/exchange.h"
#include "app/exchange/exchange_time.h"
#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/frame.h"
#include "dataplane/net/stack.h"
#include "dataplane/nic/tx.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"

#define MD_TTL 8u

#define EXCHANGE_COUNTERS(X)                                                         \
	X(frame_rx, "frames from the port")                                          \
	X(request_rx, "MoldUDP64 re-requests from the port")                         \
	X(udp_other, "datagrams for a port that nobody has: dropped")                \
	X(datagram_tx, "market-data datagrams given to the port, all lines")         \
	X(datagram_dropped, "market-data datagrams that found no frame")             \
	X(reply_tx, "replies to re-requests")                                        \
	X(tcp_up, "TCP connections accepted")                                        \
	X(tcp_refused, "TCP connections refused: too many")                          \
	X(tcp_down, "TCP connections that are gone")                                 \
	X(work, "units of work")                                                     \
	X(waited, "turns in which the background flow waited for the port")

struct exchange_ctx;

/* the handle of one TCP connection: which one it is for the exchange, and which for the stack */
struct exchange_conn {
	struct exchange_ctx *ctx;
	struct gn_tcp *tcp;
	enum exchange_service service;
	uint32_t number;
	bool used;
};

struct exchange_listener {
	struct exchange_ctx *ctx;
	enum exchange_service service;
};

struct exchange_ctx {
	struct exchange *exchange;
	struct gn_stack *stack;
	struct gn_tx *tx;
	const atomic_bool *stop;
	atomic_bool *stopped;
	struct exchange_clock clock;
	uint32_t ip;
	uint8_t mac[6];
	uint16_t request_port;
	bool ended; /* the ledger is written */
	struct net_udp_flow line[EXCHANGE_LINES_MAX];
	struct exchange_listener listener[EXCHANGE_SERVICES];
	struct exchange_conn conn[EXCHANGE_CONNS_MAX];
	struct {
		EXCHANGE_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

static uint64_t now_ns(const struct exchange_ctx *c)
{
	return exchange_clock_ns(&c->clock);
}

static bool send_payload(struct exchange_ctx *c, struct net_udp_flow *flow, const uint8_t *data, uint32_t bytes)
{
	struct gn_tx_frame frame;

	if (!gn_tx_claim(c->tx, &frame)) {
		c->n.datagram_dropped++;
		return false;
	}
	GN_ASSERT(frame.room_bytes >= NET_UDP_HEAD_BYTES + bytes);
	memcpy(frame.data + NET_UDP_HEAD_BYTES, data, bytes);
	gn_tx_commit(c->tx, &frame, net_udp_seal(flow, frame.data, (uint16_t)bytes));
	return true;
}

static void io_datagram(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct exchange_ctx *c = arg;

	c->n.datagram_tx += send_payload(c, &c->line[line], data, bytes);
}

static bool io_send(void *arg, void *handle, const void *data, uint32_t bytes)
{
	struct exchange_conn *conn = handle;

	(void)arg;
	return gn_tcp_send(conn->tcp, data, bytes);
}

static void io_close(void *arg, void *handle)
{
	struct exchange_conn *conn = handle;

	(void)arg;
	conn->number = EXCHANGE_CONN_NONE; /* the connection itself stays until on_down() */
	gn_tcp_close(conn->tcp);
}

/* the port is behind when it did not take all that waited */
static bool io_ready(void *arg)
{
	struct exchange_ctx *c = arg;
	uint64_t full = gn_tx_counts(c->tx).full;

	gn_tx_flush(c->tx);
	bool behind = gn_tx_counts(c->tx).full != full;

	c->n.waited += behind;
	return !behind;
}

static void *on_accept(void *arg, uint32_t ip, uint16_t port)
{
	struct exchange_listener *l = arg;
	struct exchange_ctx *c = l->ctx;

	(void)ip;
	(void)port;
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++) {
		struct exchange_conn *conn = &c->conn[i];

		if (conn->used)
			continue;
		*conn = (struct exchange_conn){.ctx = c, .service = l->service, .number = EXCHANGE_CONN_NONE, .used = true};
		return conn;
	}
	c->n.tcp_refused++;
	return NULL;
}

static void on_up(void *arg, struct gn_tcp *tcp)
{
	struct exchange_conn *conn = arg;
	struct exchange_ctx *c = conn->ctx;

	conn->tcp = tcp;
	c->n.tcp_up++;
	conn->number = exchange_open(c->exchange, conn->service, conn, now_ns(c));
	if (conn->number != EXCHANGE_CONN_NONE)
		return;
	c->n.tcp_refused++;
	gn_tcp_abort(tcp);
}

static void on_bytes(void *arg, struct gn_tcp *tcp, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	struct exchange_conn *conn = arg;

	(void)tcp;
	(void)rx_tsc;
	if (conn->number != EXCHANGE_CONN_NONE)
		exchange_bytes(conn->ctx->exchange, conn->number, data, bytes, now_ns(conn->ctx));
}

static void on_down(void *arg, struct gn_tcp *tcp, int reason)
{
	struct exchange_conn *conn = arg;
	uint32_t number = conn->number;

	(void)tcp;
	(void)reason;
	conn->ctx->n.tcp_down++;
	conn->number = EXCHANGE_CONN_NONE;
	conn->used = false;
	if (number != EXCHANGE_CONN_NONE)
		exchange_lost(conn->ctx->exchange, number, now_ns(conn->ctx));
}

static const struct gn_tcp_handler tcp_handler = {.on_up = on_up, .on_bytes = on_bytes, .on_down = on_down};

/* a whole, unbroken UDP datagram to this host: where its UDP header is, or NULL */
static const uint8_t *udp_of(const struct exchange_ctx *c, const uint8_t *frame, uint32_t bytes, uint32_t *payload_bytes)
{
	const uint8_t *ip = frame + NET_ETH_BYTES, *udp = ip + NET_IP_BYTES;

	if (bytes < NET_UDP_HEAD_BYTES || net_get16(frame + 12) != NET_TYPE_IP || ip[0] != 0x45 || ip[9] != NET_PROTO_UDP)
		return NULL;
	uint32_t ip_bytes = net_get16(ip + 2), udp_bytes = net_get16(udp + 4);

	if (net_get32(ip + 16) != c->ip || (net_get16(ip + 6) & 0x3fff) != 0 || net_sum_fold(net_sum(ip, NET_IP_BYTES, 0)) != 0xffff)
		return NULL;
	if (ip_bytes > bytes - NET_ETH_BYTES || udp_bytes < NET_UDP_BYTES || udp_bytes > ip_bytes - NET_IP_BYTES)
		return NULL;
	*payload_bytes = udp_bytes - NET_UDP_BYTES;
	return udp;
}

static void answer(struct exchange_ctx *c, const uint8_t *frame, const uint8_t *udp, uint32_t payload_bytes)
{
	uint8_t reply[LINES_DATAGRAM_BYTES_MAX];
	struct net_udp_flow flow;
	uint32_t bytes = exchange_request(c->exchange, udp + NET_UDP_BYTES, payload_bytes, reply, now_ns(c));

	c->n.request_rx++;
	if (!bytes)
		return;
	net_udp_flow_init(&flow, c->mac, frame + 6, c->ip, c->request_port, net_get32(frame + NET_ETH_BYTES + 12),
		net_get16(udp), MD_TTL);
	c->n.reply_tx += send_payload(c, &flow, reply, bytes);
}

static void on_frame(void *arg, uint32_t from, const void *msg, uint32_t msg_bytes)
{
	struct exchange_ctx *c = arg;
	const struct gn_frame *f = msg;
	uint32_t payload_bytes = 0;

	(void)from;
	(void)msg_bytes;
	c->n.frame_rx++;
	const uint8_t *udp = udp_of(c, f->data, f->bytes, &payload_bytes);

	if (!udp)
		gn_stack_input(c->stack, f->data, f->bytes, f->rx_tsc);
	else if (c->request_port && net_get16(udp + 2) == c->request_port)
		answer(c, f->data, udp, payload_bytes);
	else
		c->n.udp_other++;
}

static void end(struct exchange_ctx *c)
{
	if (c->ended)
		return;
	c->ended = true;
	if (exchange_ledger(c->exchange) < 0)
		gn_error("%s", gn_err_text());
	if (c->stopped)
		atomic_store_explicit(c->stopped, true, memory_order_release);
}

static bool exchange_poll(void *arg)
{
	struct exchange_ctx *c = arg;

	gn_stack_poll(c->stack);
	bool did = exchange_work(c->exchange, now_ns(c));

	gn_tx_flush(c->tx);
	c->n.work += did;
	return did;
}

static void exchange_housekeeping(void *arg, uint64_t now_tsc)
{
	struct exchange_ctx *c = arg;

	(void)now_tsc;
	if (c->stop && atomic_load_explicit(c->stop, memory_order_acquire))
		exchange_stop(c->exchange);
	if (exchange_phase(c->exchange) == EXCHANGE_STOPPED)
		end(c);
}

static int start_stack(struct exchange_ctx *c, const struct exchange_config *config)
{
	struct gn_stack_config stack = {
		.ip = c->ip,
		.netmask = exchange_config_ip(config->netmask),
		.gateway = config->gateway[0] ? exchange_config_ip(config->gateway) : 0,
		.mtu = config->mtu,
		.tx = c->tx,
	};
	const uint16_t port[EXCHANGE_SERVICES] = {config->order_port, config->ouch42_port, config->glimpse_port};
	int rc = 0;

	memcpy(stack.mac, c->mac, sizeof(stack.mac));
	c->stack = gn_stack_new(&stack);
	if (!c->stack)
		return gn_err_in(-EIO, "exchange: network stack");
	for (uint32_t i = 0; rc == 0 && i < EXCHANGE_SERVICES; i++) {
		c->listener[i] = (struct exchange_listener){.ctx = c, .service = (enum exchange_service)i};
		if (port[i])
			rc = gn_tcp_listen(c->stack, port[i], &tcp_handler, on_accept, &c->listener[i]);
	}
	return rc < 0 ? gn_err_in(rc, "exchange: listen") : 0;
}

static void start_lines(struct exchange_ctx *c, const struct exchange_config *config)
{
	for (uint32_t i = 0; i < config->n_lines; i++) {
		uint32_t group = exchange_config_ip(config->lines[i].group);
		uint16_t port = config->lines[i].port;
		uint8_t mac[6];

		net_group_mac(mac, group);
		net_udp_flow_init(&c->line[i], c->mac, mac, c->ip, port, group, port, MD_TTL);
	}
}

static int exchange_init(void *arg, const struct gn_env *env)
{
	struct exchange_ctx *c = arg;
	const struct exchange_stage_config *s = env->config;
	const struct exchange_io io = {
		.arg = c, .datagram = io_datagram, .send = io_send, .close = io_close, .ready = io_ready};

	c->tx = s->tx;
	c->stop = s->stop;
	c->stopped = s->stopped;
	exchange_clock_start(&c->clock);
	c->exchange = exchange_new(s->exchange, &io, now_ns(c), exchange_clock_midnight_ns(&c->clock));
	if (!c->exchange)
		return -EINVAL;
	const struct exchange_config *config = exchange_config(c->exchange);

	c->ip = exchange_config_ip(config->ip);
	exchange_config_mac(config->mac, c->mac);
	c->request_port = config->request_port;
	start_lines(c, config);
	return start_stack(c, config);
}

static void exchange_fini(void *arg)
{
	struct exchange_ctx *c = arg;

	if (c->exchange)
		end(c);
	if (c->stack)
		gn_stack_free(c->stack);
	exchange_free(c->exchange);
	c->exchange = NULL;
	c->stack = NULL;
}

const struct gn_stage gn_stage_exchange = {
	.name = "exchange",
	.ctx_bytes = sizeof(struct exchange_ctx),
	.burst = 1,
	.in = (const struct gn_inlet[]){
		{"rx_gateway", on_frame, sizeof(struct gn_frame) + GN_FRAME_BYTES_MAX, NULL}, {0}},
	.out = (const char *const[]){NULL},
	.counters = (const struct gn_counter[]){EXCHANGE_COUNTERS(GN_COUNTER_DESC) {0}},
	.counters_offset = offsetof(struct exchange_ctx, n),
	.init = exchange_init,
	.poll = exchange_poll,
	.housekeeping = exchange_housekeeping,
	.fini = exchange_fini,
};
