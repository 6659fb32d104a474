/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_OPERATOR_IMPL_H
#define CONTROL_OPERATOR_IMPL_H

/** @file Private to operator*.c. Handlers return a new reference, or NULL with gn_err_text(). */

#include "kills.h"
#include "operator.h"
#include "server.h"

#define OPERATOR_PENDING_MAX 16u
#define OPERATOR_REASON_BYTES 88u /* with its NUL: one record of the journal */

/** A loosening that waits for a second person. */
struct pending {
	uint32_t id; /* 0: free */
	enum risk_level level;
	uint32_t index;
	enum risk_key key;
	int64_t value;
	uint64_t until_ns;
	char who[CONTROL_WHO_BYTES];
};

struct operator
{
	struct engine *e;
	struct risk_control *control;
	struct control_server *server;
	_Atomic uint32_t *block; /* shared with a guard */
	struct kills kills;
	uint64_t n_kills_seen, look_ns;
	struct pending pending[OPERATOR_PENDING_MAX];
	uint32_t n_pending;
};

/** Whom a request is about. */
struct owner {
	enum risk_level level;
	uint32_t index;
	char name[32];
};

/** Read "level" and "name" of a request. */
int operator_owner(const struct operator *o, const json_t *request, struct owner *w);

/** Name of an owner; `text` is used for symbols. */
const char *operator_name(const struct operator *o, enum risk_level level, uint32_t index, struct gn_symbol_text *text);

/** Have the risk stage carry out a command; goes on tending the engine meanwhile. 0 or what became of it. */
int operator_do(struct operator *o, const struct risk_command *m, struct risk_outcome *out);

/** The same for RISK_DO_LOOK: copies the view. */
int operator_look(struct operator *o, enum risk_level level, uint32_t index, struct risk_view *v);

/** Journal a line about who does what; nobody waits for it. 0 or -errno. */
int operator_note(struct operator *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Let a moment pass and tend the engine. */
void operator_wait(struct operator *o);

json_t *operator_latency(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_clock(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_risk(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_kill(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_release(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_drill(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_limit(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_capture(struct operator *o, const json_t *request, const struct control_peer *peer);
json_t *operator_confirm(struct operator *o, const json_t *request, const struct control_peer *peer);

/** Write down switches that the engine has thrown by itself. Now and then. */
void operator_watch_kills(struct operator *o);

/** Throw the switches of the file. Before the engine's threads run. 0 or -errno. */
int operator_throw_kept(struct operator *o);

#endif
