/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"

#define NS_PER_S UINT64_C(1000000000)
#define AGAIN_NS (1 * NS_PER_S) /* a cancel without an answer is sent again */
#define QUIET_NS (NS_PER_S / 5) /* for orders that the engine sent last to arrive */
#define CANCELS_A_TURN 64u

static void link_close(struct guard_link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->connecting = false;
	l->out_at = l->out_bytes = 0;
}

static bool op_connect(void *arg, uint32_t endpoint)
{
	struct guard_link *l = arg;
	const struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons(l->config.port[endpoint]),
		.sin_addr.s_addr = htonl(l->config.ip[endpoint])};
	int on = 1;

	link_close(l);
	l->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (l->fd < 0)
		return false;
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	l->connecting = true;
	if (connect(l->fd, (const struct sockaddr *)&a, sizeof(a)) == 0 || errno == EINPROGRESS)
		return true;
	link_close(l);
	return false;
}

static void link_flush(struct guard_link *l)
{
	while (l->fd >= 0 && l->out_at < l->out_bytes) {
		ssize_t n = send(l->fd, l->out + l->out_at, l->out_bytes - l->out_at, MSG_NOSIGNAL);
		if (n <= 0)
			return; /* a broken connection is seen by the next read */
		l->out_at += (uint32_t)n;
	}
	l->out_at = l->out_bytes = 0;
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	struct guard_link *l = arg;

	if (l->fd < 0 || bytes > sizeof(l->out) - l->out_bytes)
		return false;
	memcpy(l->out + l->out_bytes, data, bytes);
	l->out_bytes += bytes;
	link_flush(l);
	return true;
}

static void op_close(void *arg)
{
	struct guard_link *l = arg;

	link_flush(l);
	if (l->fd >= 0)
		shutdown(l->fd, SHUT_WR);
}

static void op_abort(void *arg)
{
	link_close(arg);
}

static void op_message(void *arg, const uint8_t *msg, uint32_t bytes, uint64_t seq, uint64_t rx_tsc)
{
	struct guard_link *l = arg;
	struct venue_report r;
	uint64_t before = l->orders.n_seen + l->orders.n_ended;

	(void)seq, (void)rx_tsc;
	if (!l->config.dialect->decode(msg, bytes, &r))
		l->n_malformed++;
	else if (guard_orders_report(&l->orders, &r) < 0)
		gn_error("%s", gn_err_text());
	if (l->orders.n_seen + l->orders.n_ended != before)
		l->busy_ns = l->now_ns;
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	struct guard_link *l = arg;

	if (state == SESSION_ACTIVE && !l->login_ns)
		l->login_ns = l->now_ns;
	if (state == SESSION_ACTIVE)
		l->busy_ns = l->now_ns;
	if (state == SESSION_FAILED
		|| (state == SESSION_WAITING && why != SESSION_WHY_NONE && why != SESSION_WHY_PROBED))
		gn_warn("guard: account %s: %s: %s", l->config.name, session_state_text(state),
			session_reason_text(why));
}

static const struct session_ops ops = {op_connect, op_send, op_close, op_abort, op_message, op_state};

int guard_link_init(struct guard_link *l, const struct guard_link_config *config)
{
	memset(l, 0, sizeof(*l));
	l->fd = -1;
	l->config = *config;
	l->config.session.probe = true;
	int rc = session_init(&l->session, &l->config.session, &ops, l);
	if (rc == 0)
		rc = guard_orders_init(&l->orders);
	pace_set(&l->pace, config->per_s, config->burst, 0, NS_PER_S);
	return rc;
}

void guard_link_fini(struct guard_link *l)
{
	link_close(l);
	guard_orders_fini(&l->orders);
}

void guard_link_start(struct guard_link *l, uint64_t now_ns)
{
	l->now_ns = now_ns;
	session_start(&l->session, now_ns);
}

static void link_connected(struct guard_link *l)
{
	int errnum = 0;
	socklen_t bytes = sizeof(errnum);
	struct sockaddr_in peer;
	socklen_t peer_bytes = sizeof(peer);

	getsockopt(l->fd, SOL_SOCKET, SO_ERROR, &errnum, &bytes);
	if (errnum) {
		link_close(l);
		session_on_down(&l->session, errnum, l->now_ns);
	} else if (getpeername(l->fd, (struct sockaddr *)&peer, &peer_bytes) == 0) {
		l->connecting = false;
		session_on_up(&l->session, l->now_ns);
	}
}

static void link_read(struct guard_link *l)
{
	static uint8_t in[65536];
	ssize_t n = 0;

	while (l->fd >= 0 && !l->connecting && (n = read(l->fd, in, sizeof(in))) != 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			break;
		session_turn(&l->session);
		session_on_bytes(&l->session, in, (uint32_t)n, l->now_ns, 0);
		while (session_drain(&l->session, l->now_ns)) {
		}
	}
	if (l->fd < 0 || l->connecting)
		return;
	int errnum = n < 0 ? errno : 0;
	link_close(l);
	session_on_down(&l->session, errnum, l->now_ns);
}

static bool replay_is_over(const struct guard_link *l)
{
	return l->session.state == SESSION_ACTIVE && l->session.seq_next >= l->session.seq_end;
}

static bool link_cancel(struct guard_link *l, struct guard_order *o)
{
	const struct gn_order_req req = {.kind = GN_REQ_CANCEL, .oid = o->oid};
	const struct dialect_request r = {.req = &req, .number = o->number};
	uint8_t msg[DIALECT_BYTES_MAX], packet[SOUP_HEAD_BYTES + DIALECT_BYTES_MAX];
	uint32_t bytes = l->config.dialect->encode(&(struct dialect_config){0}, &r, msg);

	o->asked_ns = l->now_ns;
	if (bytes && !op_send(l, packet, soup_build(packet, SOUP_UNSEQUENCED, msg, bytes))) {
		o->asked_ns = 0;
		return false;
	}
	session_sent(&l->session, l->now_ns);
	l->n_cancels++;
	return true;
}

static void link_cancel_some(struct guard_link *l)
{
	for (uint32_t n = 0; n < CANCELS_A_TURN && replay_is_over(l) && pace_ready(&l->pace, l->now_ns); n++) {
		struct guard_order *o = guard_orders_next(&l->orders, l->now_ns, AGAIN_NS);
		if (!o || !link_cancel(l, o))
			return;
		pace_take(&l->pace, l->now_ns);
	}
}

void guard_link_poll(struct guard_link *l, uint64_t now_ns)
{
	l->now_ns = now_ns;
	if (l->connecting)
		link_connected(l);
	link_read(l);
	link_flush(l);
	session_poll(&l->session, now_ns);
	if (!l->replayed && replay_is_over(l)) {
		l->replayed = true;
		l->n_found = l->orders.n;
	}
	link_cancel_some(l);
}

bool guard_link_clear(const struct guard_link *l, uint64_t now_ns)
{
	return replay_is_over(l) && l->orders.n == 0 && now_ns - l->busy_ns > QUIET_NS;
}
