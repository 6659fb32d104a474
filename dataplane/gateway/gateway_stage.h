/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_STAGE_H
#define GATEWAY_STAGE_H

/**
 * @file
 * The gateway's stage: owns the TCP stack and its transmit queue, and one order session an account.
 *
 * In: `rx_gateway` (struct gn_frame), `risk_gateway` (accepted struct gn_order_req), `feed_gateway` (struct feed_request,
 * one a feed). Out: `gateway_risk` (struct gn_exec, one, a back link), `gateway_journal` (struct gn_journal_msg, none or
 * one), `gateway_feed` (struct feed_reply, in the order of the feeds). Every request has an outcome: it is sent, or it
 * comes back as GN_EXEC_REJECTED or GN_EXEC_CANCEL_REJECTED with an enum gn_code.
 *
 * A request is encoded straight into a frame that stands ready and is with the port before anything is recorded of it.
 */

#include <stdatomic.h>

#include "account.h"
#include "dataplane/net/stack.h"
#include "dataplane/runtime/stage.h"

#define GATEWAY_ACCOUNTS_MAX 16u
#define GATEWAY_GROUPS_MAX 32u

struct gateway_endpoint {
	uint32_t ip; /* host byte order */
	uint16_t port;
};

struct gateway_account_config {
	struct account_config account; /* .session.n_endpoints of the endpoints below: primary first */
	struct gateway_endpoint endpoint[SESSION_ENDPOINTS_MAX];
	uint64_t strategies; /* bit N: strategy N trades over it; of the accounts that have the bit, the first does */
};

/**
 * What the stage and the rest of the engine say to each other while it runs. The engine owns it, zeroed; it outlives
 * the stage. Counts are of accounts.
 */
struct gateway_control {
	_Atomic bool logout; /* engine > gateway: log out of everything; no order is accepted any more */
	_Atomic uint32_t n_accounts, n_up, n_over, n_failed; /* gateway > engine; over: logged out, ended or failed */
};

struct gateway_config {
	struct gn_stack_config stack;
	const uint32_t *groups; /* multicast groups to join, host byte order */
	uint32_t n_groups;      /* at most GATEWAY_GROUPS_MAX */
	const struct gateway_account_config *accounts;
	uint32_t n_accounts;    /* at most GATEWAY_ACCOUNTS_MAX; 0: only ARP, IGMP and the like */
	uint64_t tsc_hz;        /* ticks of the time-stamp counter in a second */
	struct gateway_control *control; /* or NULL */
	const _Atomic uint32_t *capture_bytes; /* as gn_tx_tap() takes it, for the link `gateway_capture`; NULL: no capture */
	bool batch; /* false: each request leaves at once; true: those of one turn of the loop leave in one burst */
};

extern const struct gn_stage gn_stage_gateway;

/** Ask for a logout of every account. Any thread. To be called after risk has cancelled what is open. */
static inline void gateway_request_logout(struct gateway_control *control)
{
	atomic_store_explicit(&control->logout, true, memory_order_release);
}

/** Are all accounts over: logged out, ended by the venue, or failed? Any thread. */
static inline bool gateway_is_over(const struct gateway_control *control)
{
	uint32_t n = atomic_load_explicit(&control->n_accounts, memory_order_acquire);

	return atomic_load_explicit(&control->n_over, memory_order_acquire) == n;
}

#endif
