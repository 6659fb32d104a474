/* SPDX-License-Identifier: BSD-3-Clause */
#include "client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define ANSWER_S 15 /* a drill on the wire takes the longest */
#define ANSWER_BYTES_MAX (16u << 20)

static int client_connect(const struct control_place *p)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	const struct timeval patience = {.tv_sec = ANSWER_S};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return gn_err(errno, "control: socket");
	memcpy(a.sun_path, p->socket, sizeof(a.sun_path));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	int errnum = errno;
	close(fd);
	return gn_err(errnum, "engine %s: connect to %s", p->name, p->socket);
}

static int client_send(int fd, json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t bytes = text ? strlen(text) : 0, at = 0;

	if (!text)
		return gn_err(ENOMEM, "control");
	text[bytes++] = '\n'; /* in place of the NUL */
	while (at < bytes) {
		ssize_t n = send(fd, text + at, bytes - at, MSG_NOSIGNAL);
		if (n <= 0)
			break;
		at += (size_t)n;
	}
	free(text);
	return at == bytes ? 0 : gn_err(errno, "control: send");
}

static json_t *client_receive(int fd)
{
	char *text = NULL;
	size_t bytes = 0, room = 0;
	ssize_t n;

	do {
		if (bytes == room) {
			room = room ? room * 2 : 65536;
			char *larger = room <= ANSWER_BYTES_MAX ? realloc(text, room) : NULL;
			if (!larger) {
				free(text);
				gn_err(ENOMEM, "control: answer");
				return NULL;
			}
			text = larger;
		}
		n = read(fd, text + bytes, room - bytes);
		bytes += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	json_error_t e;
	bool whole = n == 0 || (errno == ECONNRESET && bytes); /* it closed before it had read all that we sent */
	json_t *answer = whole ? json_loadb(text, bytes, 0, &e) : NULL;
	if (!whole)
		gn_err(errno == EAGAIN ? ETIMEDOUT : errno, "control: no answer");
	else if (!answer)
		gn_err(0, "control: the answer is no JSON: %s", bytes ? e.text : "nothing came");
	free(text);
	return answer;
}

json_t *control_ask(const struct control_place *p, json_t *request)
{
	int fd = client_connect(p);
	json_t *answer = fd >= 0 && client_send(fd, request) == 0 ? client_receive(fd) : NULL;

	if (fd >= 0)
		close(fd);
	json_decref(request);
	if (!answer || json_is_true(json_object_get(answer, "ok")))
		return answer;
	const char *text = json_string_value(json_object_get(answer, "error"));
	gn_err(0, "%s", text ? text : "the engine gave no reason");
	json_decref(answer);
	return NULL;
}
