/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_SERVER_H
#define CONTROL_SERVER_H

/**
 * @file
 * The way in for operators: a Unix domain socket. A request is one line of JSON, an object; so is its answer.
 *
 * Served by one cold thread. A request that is no such line, too long, late, or of a user who may not, ends in one error.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CONTROL_REQUEST_BYTES 4096u
#define CONTROL_CLIENTS_MAX 8u
#define CONTROL_WHO_BYTES 40u

/** Who asks: user and process as the kernel says, and a name for people: "ann(1000)". */
struct control_peer {
	uid_t uid;
	pid_t pid;
	char who[CONTROL_WHO_BYTES];
};

/**
 * Answer a request. Called on the thread that serves.
 *
 * @return
 *   A new reference to an object, or NULL with gn_err_text(): that becomes {"ok": false, "error": ...}.
 */
typedef json_t *control_handler(void *arg, const json_t *request, const struct control_peer *peer);

struct control_server;

/**
 * Listen. A socket that a dead process has left there is replaced; that nobody else listens is the caller's to know.
 *
 * @return
 *   NULL with gn_err_text().
 */
struct control_server *control_server_new(const char *path, control_handler *handler, void *arg);
void control_server_free(struct control_server *s);

/** Serve whoever asks; sleeps up to `ns` when nobody does. Returns whether anybody was served. */
bool control_server_poll(struct control_server *s, int64_t ns);

#endif
