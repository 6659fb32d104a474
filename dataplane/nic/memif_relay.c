/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/memif_relay.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define MSG_BYTES 128u
#define RETRY_MS 20
#define SOCKET_DEFAULT "/run/memif.sock"

enum { MSG_ACK = 1, MSG_CONNECT = 6, MSG_CONNECTED = 7 };

/* Who comes to the listener: the peer where we are the server, else the driver. We go to the other. */
struct memif_relay {
	struct memif_relay_config config;
	bool server;
	bool near_file; /* the listener's socket is a file, which we remove */
	int listener, wake;
	struct sockaddr_un near, far;
	char line[MEMIF_RELAY_LINE_BYTES];
	pthread_t thread;
	pthread_mutex_t driver; /* held by who talks to the driver */
	atomic_bool attached, stop;
};

struct relay_msg {
	uint8_t bytes[MSG_BYTES + 1]; /* one more, so that a longer one is seen */
	ssize_t n;
	int fd; /* that came with it; -1: none */
};

static uint16_t msg_type(const struct relay_msg *m)
{
	uint16_t type = 0;

	if (m->n == MSG_BYTES)
		memcpy(&type, m->bytes, sizeof(type)); /* host order: both ends are on this host */
	return type;
}

static void msg_close(struct relay_msg *m)
{
	if (m->fd >= 0)
		close(m->fd);
	m->fd = -1;
}

/* The first file that comes along is the message's; the protocol has one at most. */
static void msg_take_fds(struct relay_msg *m, struct msghdr *head)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(head); c; c = CMSG_NXTHDR(head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t at = CMSG_LEN(0); at + sizeof(int) <= c->cmsg_len; at += sizeof(int)) {
			int fd;
			memcpy(&fd, (const uint8_t *)c + at, sizeof(fd));
			if (m->fd < 0)
				m->fd = fd;
			else
				close(fd);
		}
	}
}

/* False: nothing there after all. Else m->n is the length, 0 at the end or when the connection broke. */
static bool msg_receive(int from, struct relay_msg *m)
{
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = {m->bytes, sizeof(m->bytes)};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};

	m->fd = -1;
	m->n = recvmsg(from, &head, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	if (m->n < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (m->n < 0)
		m->n = 0;
	else
		msg_take_fds(m, &head);
	return true;
}

static bool msg_send(int to, struct relay_msg *m)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {{0}};
	struct iovec iov = {m->bytes, (size_t)m->n};
	struct msghdr head = {.msg_iov = &iov, .msg_iovlen = 1};

	if (m->fd >= 0) {
		head.msg_control = &control;
		head.msg_controllen = sizeof(control);
		*CMSG_FIRSTHDR(&head) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&head)), &m->fd, sizeof(int));
	}
	bool sent = sendmsg(to, &head, MSG_NOSIGNAL | MSG_DONTWAIT) == m->n;
	msg_close(m);
	return sent;
}

/* A name of the abstract kind ends where DPDK ends it: at its last character. */
static socklen_t address_bytes(const struct sockaddr_un *a)
{
	if (a->sun_path[0] != '\0')
		return sizeof(*a);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(a->sun_path + 1));
}

/* Wait for something on one of n_fds sockets. False: told to stop. */
static bool relay_wait(struct memif_relay *r, struct pollfd *fds, uint32_t n_fds, int timeout_ms)
{
	struct pollfd all[3] = {{.fd = r->wake, .events = POLLIN}};

	memcpy(&all[1], fds, n_fds * sizeof(*fds));
	if (poll(all, n_fds + 1, timeout_ms) < 0)
		all[1].revents = all[2].revents = 0;
	memcpy(fds, &all[1], n_fds * sizeof(*fds));
	return !atomic_load(&r->stop);
}

static bool own_process(int fd)
{
	struct ucred who;
	socklen_t bytes = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &bytes) == 0 && who.pid == getpid();
}

static int near_accept(struct memif_relay *r)
{
	struct pollfd p = {.fd = r->listener, .events = POLLIN};

	while (relay_wait(r, &p, 1, -1)) {
		int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0 && (r->server || own_process(fd)))
			return fd;
		if (fd >= 0)
			close(fd);
		else
			poll(NULL, 0, RETRY_MS); /* out of files: no reason to spin */
	}
	return -1;
}

/* -1: who had come has left again, or we are told to stop. */
static int far_connect(struct memif_relay *r, int near)
{
	struct pollfd p = {.fd = near, .events = POLLRDHUP};

	do {
		int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fd >= 0 && connect(fd, (struct sockaddr *)&r->far, address_bytes(&r->far)) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	} while (relay_wait(r, &p, 1, RETRY_MS) && !p.revents);
	return -1;
}

/* Until the driver closes its end, which it does after all else. */
static void driver_drain(struct memif_relay *r, int driver)
{
	struct pollfd p = {.fd = driver, .events = POLLIN};
	struct relay_msg m;

	while (relay_wait(r, &p, 1, -1)) {
		if (!p.revents || !msg_receive(driver, &m))
			continue;
		msg_close(&m);
		if (m.n == 0)
			return;
	}
}

/* The peer has gone, or means to, in m. When this returns the driver is rid of the rings. */
static void driver_part(struct memif_relay *r, int driver, struct relay_msg *m)
{
	struct pollfd p = {.fd = driver, .events = POLLRDHUP};

	pthread_mutex_lock(&r->driver);
	/* a driver that was stopped while we waited may be up again over another connection: that one stays */
	if (poll(&p, 1, 0) == 0) {
		r->config.park(r->config.arg);
		if (m->n == MSG_BYTES)
			msg_send(driver, m); /* it may say why */
		shutdown(driver, SHUT_WR);
		driver_drain(r, driver);
		r->config.resume(r->config.arg);
	}
	pthread_mutex_unlock(&r->driver);
	msg_close(m);
}

/* Message after message until one side closes. After the handshake the peer has nothing to say but farewell. */
static void relay_pass(struct memif_relay *r, int peer, int driver)
{
	struct pollfd p[2] = {{.fd = driver, .events = POLLIN}, {.fd = peer, .events = POLLIN}};
	struct relay_msg m;
	bool joined = false;

	while (relay_wait(r, p, 2, -1)) {
		if (p[0].revents && msg_receive(driver, &m)) {
			if (m.n == 0)
				return; /* the driver has let go by itself */
			msg_send(peer, &m); /* when that fails the peer's end is what is read next */
		}
		if (!p[1].revents || !msg_receive(peer, &m))
			continue;
		uint16_t type = msg_type(&m);
		if (m.n != MSG_BYTES || (joined && type != MSG_ACK)) {
			driver_part(r, driver, &m);
			return;
		}
		joined |= type == MSG_CONNECT || type == MSG_CONNECTED;
		pthread_mutex_lock(&r->driver);
		msg_send(driver, &m);
		pthread_mutex_unlock(&r->driver);
	}
}

static void *relay_run(void *arg)
{
	struct memif_relay *r = arg;
	sigset_t all;
	int near, far;

	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, NULL); /* they are the main thread's */
	while ((near = near_accept(r)) >= 0) {
		atomic_store(&r->attached, true);
		far = far_connect(r, near);
		if (far >= 0) {
			relay_pass(r, r->server ? near : far, r->server ? far : near);
			close(far);
		}
		close(near);
		atomic_store(&r->attached, false);
	}
	return NULL;
}

/* The value of an option of the device line into text; false: it is not there. */
static bool option_get(const char *device, const char *name, char *text, size_t bytes)
{
	size_t n = strlen(name);

	for (const char *at = strchr(device, ','); at; at = strchr(at + 1, ',')) {
		if (strncmp(at + 1, name, n) != 0 || at[1 + n] != '=')
			continue;
		size_t length = strcspn(at + 2 + n, ",");
		if (length >= bytes)
			length = bytes - 1;
		memcpy(text, at + 2 + n, length);
		text[length] = '\0';
		return true;
	}
	return false;
}

/* The line without the options of the socket, and with others in their place. */
static void line_make(struct memif_relay *r, const char *socket_path, bool abstract)
{
	const char *at = r->config.device;
	size_t n = 0;

	while (*at && n < sizeof(r->line)) {
		size_t length = 1 + strcspn(at + 1, ",");
		if (strncmp(at, ",socket=", 8) != 0 && strncmp(at, ",socket-abstract=", 17) != 0)
			n += (size_t)snprintf(r->line + n, sizeof(r->line) - n, "%.*s", (int)length, at);
		at += length;
	}
	if (n < sizeof(r->line))
		snprintf(r->line + n, sizeof(r->line) - n, ",socket=%s,socket-abstract=%s", socket_path,
			abstract ? "yes" : "no");
}

static void address_make(struct sockaddr_un *a, const char *path, bool abstract)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	snprintf(a->sun_path + abstract, sizeof(a->sun_path) - abstract, "%s", path);
}

/*
 * As a server we stand where peers look for it, and the driver beside it. As a client we stand where only the driver
 * looks; a name of the abstract kind leaves no file behind and near_accept() lets nobody else in.
 */
static int addresses_make(struct memif_relay *r)
{
	static atomic_uint n_relays;
	char path[sizeof(r->near.sun_path)] = SOCKET_DEFAULT, own[sizeof(path)], text[32] = "yes";
	const char *device = r->config.device;

	option_get(device, "socket", path, sizeof(path));
	option_get(device, "socket-abstract", text, sizeof(text));
	bool abstract = strcmp(text, "no") != 0;
	r->server = option_get(device, "role", text, sizeof(text)) && (!strcmp(text, "server") || !strcmp(text, "master"));
	r->near_file = r->server && !abstract;
	if (strlen(path) + sizeof(".driver") + 1 > sizeof(path))
		return gn_err(ENAMETOOLONG, "port %s: a socket's path has %zu characters at most", device,
			sizeof(path) - sizeof(".driver") - 1);
	if (r->server)
		snprintf(own, sizeof(own), "%.*s.driver", (int)(sizeof(own) - sizeof(".driver") - 1), path);
	else
		snprintf(own, sizeof(own), "gannet-%d-%u", (int)getpid(), atomic_fetch_add(&n_relays, 1));
	address_make(&r->near, r->server ? path : own, r->server ? abstract : true);
	address_make(&r->far, r->server ? own : path, abstract);
	line_make(r, own, r->server ? abstract : true);
	return 0;
}

/* Whether the file is what a server that was killed left behind: then it is removed. */
static bool stale_removed(const struct memif_relay *r)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool stale = fd >= 0 && connect(fd, (const struct sockaddr *)&r->near, address_bytes(&r->near)) < 0 && errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return stale && unlink(r->near.sun_path) == 0;
}

static int listener_open(struct memif_relay *r)
{
	const char *name = r->near.sun_path + (r->near.sun_path[0] == '\0');

	r->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int rc = r->listener < 0 ? -1 : bind(r->listener, (struct sockaddr *)&r->near, address_bytes(&r->near));
	if (rc < 0 && r->listener >= 0 && errno == EADDRINUSE && r->near_file && stale_removed(r))
		rc = bind(r->listener, (struct sockaddr *)&r->near, address_bytes(&r->near));
	if (rc < 0)
		r->near_file = false; /* not ours to remove */
	if (rc < 0 || listen(r->listener, 4) < 0)
		return gn_err(errno, "port %s: socket %s", r->config.device, name);
	if (r->near_file)
		unlink(r->far.sun_path); /* of a driver that was killed; a living one has the listener */
	return 0;
}

struct memif_relay *memif_relay_new(const struct memif_relay_config *config)
{
	struct memif_relay *r = calloc(1, sizeof(*r));

	if (!r) {
		gn_err(ENOMEM, "port %s", config->device);
		return NULL;
	}
	r->config = *config;
	r->listener = -1;
	r->wake = eventfd(0, EFD_CLOEXEC);
	pthread_mutex_init(&r->driver, NULL);
	int rc = r->wake < 0 ? gn_err(errno, "port %s: an event", config->device) : addresses_make(r);
	if (rc == 0)
		rc = listener_open(r);
	if (rc == 0) {
		int error = pthread_create(&r->thread, NULL, relay_run, r);
		if (error)
			rc = gn_err(error, "port %s: a thread", config->device);
		else
			pthread_setname_np(r->thread, "gn-memif");
	}
	if (rc < 0) {
		atomic_store(&r->stop, true);
		memif_relay_free(r);
		return NULL;
	}
	return r;
}

void memif_relay_free(struct memif_relay *r)
{
	if (!r)
		return;
	if (!atomic_exchange(&r->stop, true)) {
		eventfd_write(r->wake, 1);
		pthread_join(r->thread, NULL);
	}
	if (r->near_file)
		unlink(r->near.sun_path);
	if (r->listener >= 0)
		close(r->listener);
	if (r->wake >= 0)
		close(r->wake);
	pthread_mutex_destroy(&r->driver);
	free(r);
}

const char *memif_relay_line(const struct memif_relay *r)
{
	return r->line;
}

bool memif_relay_attached(const struct memif_relay *r)
{
	return atomic_load(&r->attached);
}

bool memif_relay_hold(struct memif_relay *r, bool wait)
{
	return (wait ? pthread_mutex_lock(&r->driver) : pthread_mutex_trylock(&r->driver)) == 0;
}

void memif_relay_release(struct memif_relay *r)
{
	pthread_mutex_unlock(&r->driver);
}
