/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUARD_LINK_H
#define GUARD_LINK_H

/**
 * @file
 * A guard's own order session with one account: over the kernel's TCP, so that it shares nothing with the engine. Logging
 * in takes the session over, which at the venue cuts the engine off; the replay says what is open; all of it is cancelled.
 */

#include "dataplane/gateway/session.h"
#include "guard_orders.h"
#include "risk/pace.h"

#define GUARD_OUT_BYTES 65536u

struct guard_link_config {
	const char *name; /* of the account */
	struct session_config session;
	const struct gateway_dialect *dialect;
	uint32_t ip[SESSION_ENDPOINTS_MAX]; /* host byte order */
	uint16_t port[SESSION_ENDPOINTS_MAX];
	int64_t per_s, burst; /* messages that the venue takes */
};

struct guard_link {
	struct guard_link_config config;
	struct session session;
	struct guard_orders orders;
	struct pace pace;
	int fd; /* -1: no connection */
	bool connecting;
	uint32_t out_at, out_bytes;
	uint8_t out[GUARD_OUT_BYTES];
	uint64_t now_ns, login_ns, busy_ns; /* this turn; first login; when an order last came or went */
	uint64_t n_found; /* open when the replay was over */
	bool replayed;
	uint64_t n_cancels, n_malformed;
};

/** 0 or -errno with gn_err_text(). It is large: not for the stack. */
int guard_link_init(struct guard_link *l, const struct guard_link_config *config);
void guard_link_fini(struct guard_link *l);

/** Log in. */
void guard_link_start(struct guard_link *l, uint64_t now_ns);

/** Read, cancel, send; never blocks. Every millisecond, or when its socket says so. */
void guard_link_poll(struct guard_link *l, uint64_t now_ns);

/** The replay is over, and nothing has been open for a while: what was under way when we came has arrived too. */
bool guard_link_clear(const struct guard_link *l, uint64_t now_ns);

#endif
