/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/kernel_stages.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/net/frame.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/trace.h"

#define RECEIVE_BYTES (8 << 20)
#define PACKET_BYTES 512u

/* --- rx --- */

#define RX_COUNTERS(X) X(pkt_rx, "datagrams received") X(pkt_cut, "datagrams that were too long")

struct kernel_rx {
	int fd[KERNEL_SOCKETS_MAX];
	uint16_t line[KERNEL_SOCKETS_MAX];
	uint32_t n, at;
	uint64_t tsc_last;
	struct gn_link *const *out;
	uint32_t n_out;
	struct {
		RX_COUNTERS(GN_COUNTER_FIELD)
	} n_of;
	_Alignas(64) uint8_t buffer[sizeof(struct gn_datagram) + GN_FRAME_BYTES_MAX];
};

static int udp_open(const struct rx_subscription *s, uint32_t interface_ip)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(s->port), .sin_addr.s_addr = htonl(s->ip)};
	struct ip_mreq group = {.imr_multiaddr = to.sin_addr, .imr_interface.s_addr = htonl(interface_ip)};
	int one = 1, bytes = RECEIVE_BYTES, fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return gn_err(errno, "kernel rx: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(fd, (struct sockaddr *)&to, sizeof(to)) == 0
		&& setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)) == 0)
		return fd;
	int rc = gn_err(errno, "kernel rx: join line %u", s->line);
	close(fd);
	return rc;
}

static int rx_init(void *arg, const struct gn_env *env)
{
	struct kernel_rx *c = arg;
	const struct kernel_rx_config *config = env->config;

	c->out = gn_env_links(env, "rx_feed", &c->n_out);
	for (; c->n < config->n_subscriptions && c->n < KERNEL_SOCKETS_MAX; c->n++) {
		c->fd[c->n] = udp_open(&config->subscription[c->n], config->interface_ip);
		c->line[c->n] = config->subscription[c->n].line;
		if (c->fd[c->n] < 0)
			return c->fd[c->n];
	}
	return 0;
}

/* Its bytes, and when the kernel had the frame in memory: what follows until recvmsg() returns is the price of its stack. */
static ssize_t receive(int fd, void *data, uint64_t *kernel_ns)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct timespec))];
	struct iovec part = {data, GN_FRAME_BYTES_MAX};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &m, MSG_DONTWAIT | MSG_TRUNC);
	struct cmsghdr *head = n >= 0 ? CMSG_FIRSTHDR(&m) : NULL;
	struct timespec t = {0};

	if (head && head->cmsg_type == SCM_TIMESTAMPNS)
		memcpy(&t, CMSG_DATA(head), sizeof(t));
	*kernel_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	return n;
}

static bool rx_poll(void *arg)
{
	struct kernel_rx *c = arg;
	struct gn_datagram *d = (struct gn_datagram *)c->buffer;
	uint32_t i = c->at++ % c->n;
	uint64_t kernel_ns;
	ssize_t n = receive(c->fd[i], d->payload, &kernel_ns);

	if (n < 0)
		return false;
	if (n > (ssize_t)GN_FRAME_BYTES_MAX) {
		c->n_of.pkt_cut++;
		return true;
	}
	c->n_of.pkt_rx++;
	uint64_t tsc = gn_tsc();
	c->tsc_last = tsc > c->tsc_last ? tsc : c->tsc_last + 1;
	*d = (struct gn_datagram){.rx_tsc = c->tsc_last, .hw_ns = kernel_ns, .line = c->line[i], .bytes = (uint16_t)n};
	gn_trace_stamp_at(GN_HOP_RX, d->rx_tsc, GN_INST_NONE, kernel_ns, tsc);
	for (uint32_t k = 0; k < c->n_out; k++)
		gn_link_send(c->out[k], d, (uint32_t)(sizeof(*d) + (size_t)n));
	return true;
}

static void rx_fini(void *arg)
{
	const struct kernel_rx *c = arg;

	for (uint32_t i = 0; i < c->n; i++)
		close(c->fd[i]);
}

const struct gn_stage stage_kernel_rx = {
	.name = "rx",
	.ctx_bytes = sizeof(struct kernel_rx),
	.burst = 1,
	.out = (const char *const[]){"rx_feed", NULL},
	.counters = (const struct gn_counter[]){RX_COUNTERS(GN_COUNTER_DESC) {0}},
	.counters_offset = offsetof(struct kernel_rx, n_of),
	.init = rx_init,
	.poll = rx_poll,
	.fini = rx_fini,
};

/* --- gateway --- */

struct kernel_gateway {
	struct account account;
	struct gateway_account_config config;
	struct gateway_control *control;
	int fd; /* -1: none */
	bool connecting, due;
	uint64_t tsc_hz, now_ns, send_tsc;
	struct gn_link *risk;
	struct gn_instruments *instruments;
	uint8_t packet[PACKET_BYTES];
};

static bool op_connect(void *arg, uint32_t endpoint)
{
	struct kernel_gateway *g = arg;
	const struct gateway_endpoint *e = &g->config.endpoint[endpoint];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(e->port), .sin_addr.s_addr = htonl(e->ip)};
	int one = 1;

	g->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (g->fd < 0)
		return false;
	setsockopt(g->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	g->connecting = connect(g->fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	if (g->connecting)
		fcntl(g->fd, F_SETFL, O_NONBLOCK);
	else
		close(g->fd), g->fd = -1;
	return g->connecting;
}

static void op_abort(void *arg)
{
	struct kernel_gateway *g = arg;

	if (g->fd >= 0)
		close(g->fd);
	g->fd = -1;
	g->connecting = false;
}

/* What the kernel takes only in part is lost with its connection; its buffers hold many thousand orders. */
static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	struct kernel_gateway *g = arg;

	return g->fd >= 0 && send(g->fd, data, bytes, MSG_NOSIGNAL) == (ssize_t)bytes;
}

static void op_close(void *arg)
{
	struct kernel_gateway *g = arg;

	if (g->fd >= 0)
		shutdown(g->fd, SHUT_WR);
}

static uint8_t *op_claim(void *arg, uint32_t bytes)
{
	struct kernel_gateway *g = arg;

	return g->fd >= 0 && bytes <= PACKET_BYTES ? g->packet : NULL;
}

static bool op_commit(void *arg, const uint8_t *packet, uint32_t bytes)
{
	struct kernel_gateway *g = arg;

	g->send_tsc = gn_tsc();
	return bytes == 0 || op_send(g, packet, bytes);
}

static void op_sent(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	struct kernel_gateway *g = arg;

	(void)number, (void)msg, (void)bytes;
	gn_trace_stamp_at(GN_HOP_GATEWAY, req->rx_tsc, req->inst, req->oid, g->send_tsc);
	gn_trace_stamp(GN_HOP_TX, req->rx_tsc, req->inst, req->oid);
}

static void op_exec(void *arg, const struct gn_exec *exec)
{
	struct kernel_gateway *g = arg;

	gn_link_send(g->risk, exec, sizeof(*exec));
}

static void op_up(void *arg, bool up)
{
	struct kernel_gateway *g = arg;
	struct gn_exec exec = {.kind = up ? GN_EXEC_UP : GN_EXEC_DOWN, .inst = GN_INST_NONE, .rx_tsc = gn_tsc(),
		.match = g->config.strategies};

	gn_link_send(g->risk, &exec, sizeof(exec));
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	(void)arg, (void)state, (void)why;
}

static gn_symbol op_symbol(void *arg, gn_inst inst)
{
	struct kernel_gateway *g = arg;
	struct gn_instrument def;

	return gn_instruments_get(g->instruments, inst, &def) ? def.symbol : (gn_symbol){0};
}

static gn_inst op_find(void *arg, gn_symbol symbol)
{
	struct kernel_gateway *g = arg;

	return gn_instruments_find(g->instruments, symbol);
}

static const struct account_ops ops = {op_connect, op_send, op_close, op_abort, op_claim, op_commit, op_sent, op_exec, op_up,
	op_state, op_symbol, op_find};

static int gateway_init(void *arg, const struct gn_env *env)
{
	struct kernel_gateway *g = arg;
	const struct gateway_config *config = env->config;

	g->fd = -1;
	g->tsc_hz = config->tsc_hz;
	g->control = config->control;
	g->instruments = env->instruments;
	g->config = config->accounts[0];
	g->risk = gn_env_link(env, "gateway_risk");
	if (!g->risk)
		return -EINVAL;
	return account_init(&g->account, &g->config.account, &ops, g, env->node);
}

static void gateway_on_request(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct kernel_gateway *g = arg;

	(void)from, (void)bytes;
	account_request(&g->account, msg, g->now_ns);
}

static void read_socket(struct kernel_gateway *g)
{
	uint8_t data[SESSION_SLICE_BYTES];
	struct session *s = &g->account.session;

	if (g->connecting) {
		g->connecting = false;
		session_on_up(s, g->now_ns);
	}
	ssize_t n = g->fd >= 0 ? recv(g->fd, data, sizeof(data), MSG_DONTWAIT) : -1;
	if (n > 0)
		session_on_bytes(s, data, (uint32_t)n, g->now_ns, gn_tsc());
	else if (g->fd >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		op_abort(g);
		session_on_down(s, n == 0 ? 0 : errno, g->now_ns);
	}
}

static bool gateway_poll(void *arg)
{
	struct kernel_gateway *g = arg;

	session_turn(&g->account.session);
	read_socket(g);
	if (g->due) {
		g->due = false;
		session_start(&g->account.session, g->now_ns);
		account_poll(&g->account, g->now_ns);
		return true;
	}
	return account_work(&g->account, g->now_ns);
}

static void gateway_housekeeping(void *arg, uint64_t now_tsc)
{
	struct kernel_gateway *g = arg;

	g->now_ns = (uint64_t)((unsigned __int128)now_tsc * 1000000000u / g->tsc_hz);
	g->due = true;
}

static void gateway_fini(void *arg)
{
	struct kernel_gateway *g = arg;

	op_abort(g);
	account_fini(&g->account);
}

const struct gn_stage stage_kernel_gateway = {
	.name = "gateway",
	.ctx_bytes = sizeof(struct kernel_gateway),
	.burst = SESSION_SLICE_BYTES / 16 + 2,
	.in = (const struct gn_inlet[]){{"risk_gateway", gateway_on_request, sizeof(struct gn_order_req), NULL, 2}, {0}},
	.out = (const char *const[]){"gateway_risk", NULL},
	.counters = (const struct gn_counter[]){{0}},
	.init = gateway_init,
	.poll = gateway_poll,
	.housekeeping = gateway_housekeeping,
	.fini = gateway_fini,
};
