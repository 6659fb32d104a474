/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "app/exchange/exchange_time.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define UNITS_A_TURN 64u            /* units of work between two looks at the sockets */
#define SLEEP_NS_MAX UINT64_C(1000000)
#define OUT_BYTES (256u << 10)      /* what the kernel has no room for waits here; beyond, the exchange waits */
#define LINGER_NS UINT64_C(1000000000) /* how long a closed connection may take to read its last bytes */
#define EVENTS 64
#define MD_TTL 8

enum sock_kind { SOCK_LISTENER, SOCK_REQUESTS, SOCK_CONN };

/* what an epoll event points to: the first member of whatever waits for one */
struct sock_waiter {
	enum sock_kind kind;
	int fd;
};

struct sock_listener {
	struct sock_waiter w;
	enum exchange_service service;
};

struct sock_conn {
	struct sock_waiter w;
	bool used, closing;
	uint32_t number; /* the exchange's */
	uint64_t close_by_ns;
	uint32_t out_bytes;
	uint8_t *out; /* OUT_BYTES */
};

struct exchange_sock {
	struct exchange *exchange;
	struct exchange_clock clock;
	int epoll_fd;
	int line_fd[EXCHANGE_LINES_MAX];
	struct sockaddr_in line_to[EXCHANGE_LINES_MAX];
	struct sock_waiter requests;
	struct sock_listener listener[EXCHANGE_SERVICES];
	struct sock_conn conn[EXCHANGE_CONNS_MAX];
	struct exchange_sock_counts n;
};

static uint64_t now_ns(const struct exchange_sock *s)
{
	return exchange_clock_ns(&s->clock);
}

static int watch(const struct exchange_sock *s, struct sock_waiter *w, uint32_t events)
{
	struct epoll_event e = {.events = events, .data.ptr = w};

	return epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, w->fd, &e) < 0 ? gn_err(errno, "exchange: epoll") : 0;
}

static void io_datagram(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct exchange_sock *s = arg;
	const struct sockaddr_in *to = &s->line_to[line];

	/* blocks while the socket's buffer is full: nothing is lost on our side */
	if (sendto(s->line_fd[line], data, bytes, 0, (const struct sockaddr *)to, sizeof(*to)) == (ssize_t)bytes)
		s->n.datagrams++;
	else
		s->n.datagrams_failed++;
}

static void conn_free(struct exchange_sock *s, struct sock_conn *c)
{
	epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, c->w.fd, NULL);
	close(c->w.fd);
	c->used = c->closing = false;
}

static void want_room(struct exchange_sock *s, struct sock_conn *c, bool want)
{
	struct epoll_event e = {.events = EPOLLIN | (want ? (uint32_t)EPOLLOUT : 0), .data.ptr = &c->w};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->w.fd, &e);
}

static void keep(struct exchange_sock *s, struct sock_conn *c, const uint8_t *data, uint32_t bytes)
{
	if (!c->out_bytes)
		want_room(s, c, true);
	memcpy(c->out + c->out_bytes, data, bytes);
	c->out_bytes += bytes;
	s->n.short_sends++;
}

static bool io_send(void *arg, void *handle, const void *data, uint32_t bytes)
{
	struct exchange_sock *s = arg;
	struct sock_conn *c = handle;
	ssize_t sent = 0;

	if (bytes > OUT_BYTES - c->out_bytes)
		return false;
	if (!c->out_bytes)
		sent = send(c->w.fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0)
		sent = 0; /* an error comes again when the connection is read */
	if (sent < (ssize_t)bytes)
		keep(s, c, (const uint8_t *)data + sent, bytes - (uint32_t)sent);
	return true;
}

static void io_close(void *arg, void *handle)
{
	struct exchange_sock *s = arg;
	struct sock_conn *c = handle;

	c->closing = true;
	c->number = EXCHANGE_CONN_NONE;
	c->close_by_ns = now_ns(s) + LINGER_NS;
	if (!c->out_bytes)
		shutdown(c->w.fd, SHUT_WR);
}

static struct sock_conn *conn_new(struct exchange_sock *s, int fd)
{
	struct sock_conn *c = s->conn;
	int one = 1;

	while (c < s->conn + EXCHANGE_CONNS_MAX && c->used)
		c++;
	if (c == s->conn + EXCHANGE_CONNS_MAX)
		return NULL;
	if (!c->out)
		c->out = malloc(OUT_BYTES);
	if (!c->out)
		return NULL;
	c->w = (struct sock_waiter){.kind = SOCK_CONN, .fd = fd};
	c->out_bytes = 0;
	c->closing = false;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->used = watch(s, &c->w, EPOLLIN) == 0;
	return c->used ? c : NULL;
}

static void accept_one(struct exchange_sock *s, const struct sock_listener *l)
{
	int fd = accept4(l->w.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	struct sock_conn *c = conn_new(s, fd);

	if (!c) {
		s->n.refused++;
		close(fd);
		return;
	}
	c->number = exchange_open(s->exchange, l->service, c, now_ns(s));
	if (c->number == EXCHANGE_CONN_NONE) {
		s->n.refused++;
		conn_free(s, c);
		return;
	}
	s->n.accepted++;
}

static void conn_gone(struct exchange_sock *s, struct sock_conn *c)
{
	uint32_t number = c->number;

	s->n.lost++;
	conn_free(s, c);
	if (number != EXCHANGE_CONN_NONE)
		exchange_lost(s->exchange, number, now_ns(s));
}

static void conn_read(struct exchange_sock *s, struct sock_conn *c)
{
	uint8_t data[16384];
	ssize_t n = recv(c->w.fd, data, sizeof(data), MSG_DONTWAIT);

	if (n > 0 && !c->closing)
		exchange_bytes(s->exchange, c->number, data, (uint32_t)n, now_ns(s));
	else if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		conn_gone(s, c);
}

static void conn_write(struct exchange_sock *s, struct sock_conn *c)
{
	ssize_t n = send(c->w.fd, c->out, c->out_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n <= 0)
		return;
	c->out_bytes -= (uint32_t)n;
	memmove(c->out, c->out + n, c->out_bytes);
	if (c->out_bytes)
		return;
	want_room(s, c, false);
	if (c->closing)
		shutdown(c->w.fd, SHUT_WR);
}

static void answer_one(struct exchange_sock *s)
{
	uint8_t request[2048], reply[LINES_DATAGRAM_BYTES_MAX];
	struct sockaddr_in from;
	socklen_t from_bytes = sizeof(from);
	ssize_t n = recvfrom(s->requests.fd, request, sizeof(request), MSG_DONTWAIT, (struct sockaddr *)&from, &from_bytes);

	if (n < 0)
		return;
	s->n.requests++;
	uint32_t bytes = exchange_request(s->exchange, request, (uint32_t)n, reply, now_ns(s));

	if (bytes && sendto(s->requests.fd, reply, bytes, MSG_DONTWAIT, (struct sockaddr *)&from, from_bytes) > 0)
		s->n.replies++;
}

static void on_event(struct exchange_sock *s, const struct epoll_event *e)
{
	struct sock_waiter *w = e->data.ptr;
	struct sock_conn *c = (struct sock_conn *)w;

	switch (w->kind) {
	case SOCK_LISTENER: accept_one(s, (struct sock_listener *)w); break;
	case SOCK_REQUESTS: answer_one(s); break;
	case SOCK_CONN:
		if (c->used && e->events & EPOLLOUT)
			conn_write(s, c);
		if (c->used && e->events & (EPOLLIN | EPOLLHUP | EPOLLERR))
			conn_read(s, c);
	}
}

static void close_lingering(struct exchange_sock *s, uint64_t now)
{
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++)
		if (s->conn[i].used && s->conn[i].closing && now >= s->conn[i].close_by_ns)
			conn_gone(s, &s->conn[i]);
}

static void wait_for_events(struct exchange_sock *s, uint64_t sleep_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec t = {.tv_nsec = (long)sleep_ns};
	int n = epoll_pwait2(s->epoll_fd, events, EVENTS, &t, NULL);

	for (int i = 0; i < n; i++)
		on_event(s, &events[i]);
}

static uint64_t sleep_ns(const struct exchange_sock *s, bool more)
{
	uint64_t due = exchange_due_ns(s->exchange), now = now_ns(s);

	if (more || exchange_config(s->exchange)->busy_poll || due <= now)
		return 0;
	return due - now < SLEEP_NS_MAX ? due - now : SLEEP_NS_MAX;
}

static void turn(struct exchange_sock *s)
{
	uint32_t units = 0;

	while (units < UNITS_A_TURN && exchange_work(s->exchange, now_ns(s)))
		units++;
	wait_for_events(s, sleep_ns(s, units == UNITS_A_TURN));
	close_lingering(s, now_ns(s));
}

static bool any_open(const struct exchange_sock *s)
{
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++)
		if (s->conn[i].used)
			return true;
	return false;
}

int exchange_sock_run(struct exchange_sock *s, const atomic_bool *stop)
{
	while (exchange_phase(s->exchange) != EXCHANGE_STOPPED) {
		if (atomic_load_explicit(stop, memory_order_acquire))
			exchange_stop(s->exchange);
		turn(s);
	}
	while (any_open(s)) /* the last bytes of the sessions; close_lingering() bounds it */
		turn(s);
	return exchange_ledger(s->exchange);
}

static struct sockaddr_in address(const char *ip, uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(exchange_config_ip(ip))};
}

static int bound(int type, const char *ip, uint16_t port)
{
	struct sockaddr_in a = address(ip, port);
	int one = 1, fd = socket(AF_INET, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return gn_err(errno, "exchange: socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	int rc = gn_err(errno, "exchange: bind to %s port %u", ip, port);

	close(fd);
	return rc;
}

static int open_line(struct exchange_sock *s, const struct exchange_config *config, uint32_t i)
{
	const struct exchange_line *l = &config->lines[i];
	struct in_addr interface = {.s_addr = htonl(exchange_config_ip(config->ip))};
	int ttl = MD_TTL, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	s->line_fd[i] = fd;
	s->line_to[i] = address(l->group, l->port);
	if (fd < 0 || setsockopt(fd, IPPROTO_IP, IP_MULTICAST_TTL, &ttl, sizeof(ttl)) < 0
		|| setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof(interface)) < 0)
		return gn_err(errno, "exchange: line %u: %s over %s", i, l->group, config->ip);
	return 0;
}

static int open_listener(struct exchange_sock *s, const char *ip, uint16_t port, enum exchange_service service)
{
	struct sock_listener *l = &s->listener[service];

	*l = (struct sock_listener){.w = {.kind = SOCK_LISTENER, .fd = -1}, .service = service};
	if (!port)
		return 0;
	l->w.fd = bound(SOCK_STREAM, ip, port);
	if (l->w.fd < 0)
		return l->w.fd;
	return listen(l->w.fd, 16) < 0 ? gn_err(errno, "exchange: listen on port %u", port) : watch(s, &l->w, EPOLLIN);
}

static int open_requests(struct exchange_sock *s, const char *ip, uint16_t port)
{
	if (!port)
		return 0;
	s->requests.fd = bound(SOCK_DGRAM, ip, port);
	return s->requests.fd < 0 ? s->requests.fd : watch(s, &s->requests, EPOLLIN);
}

static int open_all(struct exchange_sock *s, const struct exchange_config *config)
{
	const uint16_t port[EXCHANGE_SERVICES] = {config->order_port, config->ouch42_port, config->glimpse_port};
	int rc = 0;

	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0)
		return gn_err(errno, "exchange: epoll");
	for (uint32_t i = 0; rc == 0 && i < config->n_lines; i++)
		rc = open_line(s, config, i);
	for (uint32_t i = 0; rc == 0 && i < EXCHANGE_SERVICES; i++)
		rc = open_listener(s, config->ip, port[i], (enum exchange_service)i);
	return rc < 0 ? rc : open_requests(s, config->ip, config->request_port);
}

static struct exchange_sock *alloc(void)
{
	struct exchange_sock *s = calloc(1, sizeof(*s));

	if (!s)
		return gn_err(ENOMEM, "exchange: sockets"), NULL;
	s->epoll_fd = -1;
	s->requests = (struct sock_waiter){.kind = SOCK_REQUESTS, .fd = -1};
	for (uint32_t i = 0; i < EXCHANGE_LINES_MAX; i++)
		s->line_fd[i] = -1;
	for (uint32_t i = 0; i < EXCHANGE_SERVICES; i++)
		s->listener[i].w.fd = -1;
	return s;
}

struct exchange_sock *exchange_sock_new(const struct exchange_config *config)
{
	struct exchange_sock *s = alloc();
	const struct exchange_io io = {.arg = s, .datagram = io_datagram, .send = io_send, .close = io_close};

	if (!s)
		return NULL;
	exchange_clock_start(&s->clock);
	s->exchange = exchange_new(config, &io, now_ns(s), exchange_clock_midnight_ns(&s->clock));
	if (s->exchange && open_all(s, exchange_config(s->exchange)) == 0)
		return s;
	exchange_sock_free(s);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void exchange_sock_free(struct exchange_sock *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++) {
		if (s->conn[i].used)
			conn_free(s, &s->conn[i]);
		free(s->conn[i].out);
	}
	for (uint32_t i = 0; i < EXCHANGE_SERVICES; i++)
		close_fd(s->listener[i].w.fd);
	for (uint32_t i = 0; i < EXCHANGE_LINES_MAX; i++)
		close_fd(s->line_fd[i]);
	close_fd(s->requests.fd);
	close_fd(s->epoll_fd);
	/* its sessions may be told to close while it goes: the connections are all free by now */
	exchange_free(s->exchange);
	free(s);
}

struct exchange *exchange_sock_exchange(struct exchange_sock *s)
{
	return s->exchange;
}

struct exchange_sock_counts exchange_sock_counts(const struct exchange_sock *s)
{
	return s->n;
}
