/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define PATIENCE_NS INT64_C(1000000000) /* for a request to come, and for its answer to be taken */
#define NO_LOGIN UINT32_MAX /* what the kernel says where nobody logged in */

struct client {
	int fd; /* -1: free */
	int64_t give_up_ns;
	struct control_peer peer;
	size_t in_bytes;
	char in[CONTROL_REQUEST_BYTES];
	char *out; /* the answer, once there is one */
	size_t out_bytes, out_at;
};

struct control_server {
	int fd;
	control_handler *handler;
	void *arg;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct client client[CONTROL_CLIENTS_MAX];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int server_listen(struct control_server *s)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	memcpy(a.sun_path, s->path, sizeof(a.sun_path));
	s->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return gn_err(errno, "control: socket");
	if (unlink(s->path) < 0 && errno != ENOENT)
		return gn_err(errno, "control: remove %s", s->path);
	mode_t mask = umask(0177);
	int rc = bind(s->fd, (const struct sockaddr *)&a, sizeof(a));
	int errnum = errno;
	umask(mask);
	if (rc < 0)
		return gn_err(errnum, "control: bind %s", s->path);
	return listen(s->fd, CONTROL_CLIENTS_MAX) < 0 ? gn_err(errno, "control: listen on %s", s->path) : 0;
}

struct control_server *control_server_new(const char *path, control_handler *handler, void *arg)
{
	struct control_server *s = calloc(1, sizeof(*s));

	if (!s) {
		gn_err(ENOMEM, "control");
		return NULL;
	}
	s->fd = -1;
	s->handler = handler;
	s->arg = arg;
	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		s->client[i].fd = -1;
	int n = snprintf(s->path, sizeof(s->path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(s->path))
		gn_err(ENAMETOOLONG, "control: %s", path);
	else if (server_listen(s) == 0)
		return s;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
	return NULL;
}

static void client_end(struct client *c)
{
	close(c->fd);
	free(c->out);
	*c = (struct client){.fd = -1};
}

void control_server_free(struct control_server *s)
{
	if (!s)
		return;
	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->client[i].fd >= 0)
			client_end(&s->client[i]);
	close(s->fd);
	unlink(s->path);
	free(s);
}

static void name_of_user(uid_t uid, char *out, size_t bytes)
{
	char room[4096];
	struct passwd p, *found = NULL;

	if (getpwuid_r(uid, &p, room, sizeof(room), &found) == 0 && found)
		snprintf(out, bytes, "%.20s(%u)", found->pw_name, uid);
	else
		snprintf(out, bytes, "(%u)", uid);
}

/* The user who logged in stays known when he became another one, where the kernel keeps an account of it. */
static uid_t login_of(pid_t pid, uid_t uid)
{
	char path[48];
	unsigned login = NO_LOGIN;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
	FILE *f = fopen(path, "re");
	if (f && fscanf(f, "%u", &login) != 1)
		login = NO_LOGIN;
	if (f)
		fclose(f);
	return login == NO_LOGIN ? uid : login;
}

static int peer_of(int fd, struct control_peer *p)
{
	struct ucred cred;
	socklen_t bytes = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &bytes) < 0)
		return gn_err(errno, "control: who asks");
	*p = (struct control_peer){.uid = cred.uid, .pid = cred.pid};
	name_of_user(login_of(cred.pid, cred.uid), p->who, sizeof(p->who));
	if (cred.uid != geteuid() && cred.uid != 0)
		return gn_err(EPERM, "user %s does not control this engine", p->who);
	return 0;
}

static void client_answer(struct client *c, json_t *answer)
{
	char *text;

	if (!answer)
		answer = json_pack("{s:b, s:s}", "ok", 0, "error", gn_err_text());
	text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;
	json_decref(answer);
	c->give_up_ns = now_ns() + PATIENCE_NS;
	if (!text || asprintf(&c->out, "%s\n", text) < 0) {
		c->out = NULL;
		client_end(c);
	} else {
		c->out_bytes = strlen(c->out);
	}
	free(text);
}

static void client_error(struct client *c, const char *what)
{
	gn_err(0, "%s", what);
	client_answer(c, NULL);
}

static void client_request(struct control_server *s, struct client *c, size_t bytes)
{
	json_error_t e;
	json_t *request = json_loadb(c->in, bytes, JSON_REJECT_DUPLICATES, &e);

	if (!request || !json_is_object(request)) {
		gn_err(0, "request is no JSON object: %s", request ? "another type" : e.text);
		client_answer(c, NULL);
	} else {
		client_answer(c, s->handler(s->arg, request, &c->peer));
	}
	json_decref(request);
}

static void client_read(struct control_server *s, struct client *c)
{
	ssize_t n = read(c->fd, c->in + c->in_bytes, sizeof(c->in) - c->in_bytes);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		if (n == 0 && c->in_bytes)
			client_error(c, "request does not end with a new line");
		else
			client_end(c);
		return;
	}
	char *end = memchr(c->in + c->in_bytes, '\n', (size_t)n);
	c->in_bytes += (size_t)n;
	if (end)
		client_request(s, c, (size_t)(end - c->in));
	else if (c->in_bytes == sizeof(c->in))
		client_error(c, "request is too long");
}

static void client_write(struct client *c)
{
	ssize_t n = send(c->fd, c->out + c->out_at, c->out_bytes - c->out_at, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0)
		c->out_at += (size_t)n;
	if (n < 0 || c->out_at == c->out_bytes)
		client_end(c);
}

static void server_accept(struct control_server *s)
{
	struct client *c = NULL;

	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX && !c; i++)
		c = s->client[i].fd < 0 ? &s->client[i] : NULL;
	int fd = accept4(s->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0)
		return;
	*c = (struct client){.fd = fd, .give_up_ns = now_ns() + PATIENCE_NS};
	if (peer_of(fd, &c->peer) < 0)
		client_answer(c, NULL);
}

static void client_tend(struct control_server *s, struct client *c, short events)
{
	if (events && !c->out)
		client_read(s, c);
	if (c->fd >= 0 && c->out)
		client_write(c);
	if (c->fd < 0 || now_ns() < c->give_up_ns)
		return;
	if (c->out)
		client_end(c);
	else
		client_error(c, "request did not come in time");
}

bool control_server_poll(struct control_server *s, int64_t ns)
{
	struct pollfd p[1 + CONTROL_CLIENTS_MAX];
	const struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
	bool room = false;

	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX; i++) {
		const struct client *c = &s->client[i];
		room |= c->fd < 0;
		p[1 + i] = (struct pollfd){.fd = c->fd, .events = c->out ? POLLOUT : POLLIN};
	}
	p[0] = (struct pollfd){.fd = room ? s->fd : -1, .events = POLLIN};
	int n = ppoll(p, 1 + CONTROL_CLIENTS_MAX, &t, NULL);
	for (uint32_t i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (s->client[i].fd >= 0)
			client_tend(s, &s->client[i], n > 0 ? p[1 + i].revents : 0);
	if (n > 0 && p[0].revents)
		server_accept(s);
	return n > 0;
}
