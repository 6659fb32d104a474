/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

/**
 * @file
 * One order account at a venue: its session, its orders, and the protocol between them.
 *
 *     DOWN > ASKING > SETTLING > UP          lost at any point: DOWN
 *
 * After a login the venue replays what it said while we were away. The answer to the account query comes behind that
 * replay (without such a question: the end that the session's probe found, or else a quiet time), so from then on what has no answer never will have one: it is
 * reported as lost, open cancels are sent again, and only then the account takes orders. Nothing is sent twice: a
 * number is used once, and one that the venue did not see is never used again.
 * No socket, no clock, no ring. One thread.
 */

#include "dataplane/runtime/counters.h"
#include "orders.h"
#include "session.h"

#define ACCOUNT_SENT_BYTES 80u /* kept of a request, for the journal */
#define ACCOUNT_SCAN 64u /* orders looked at by one call of account_work() */

enum account_state { ACCOUNT_DOWN = 0, ACCOUNT_ASKING, ACCOUNT_SETTLING, ACCOUNT_UP };

/** An order that was under way when the engine stopped. */
struct account_asked {
	gn_oid oid, oid_prev;
	gn_inst inst;
	gn_side side;
};

struct account_config {
	struct session_config session;
	const struct gateway_dialect *dialect;
	struct dialect_config dialect_config;
	uint32_t orders_max;      /* orders of a day; default 2^20 */
	uint64_t query_timeout_ns; /* silence of the venue that leaves the account query unanswered; default 5 s */
	uint64_t replay_quiet_ns; /* with neither query nor probe: silence that ends the replay; default 1.5 s */
	uint64_t midnight_ns;     /* of the venue's day, since the Unix epoch; 0: unknown */
	/*
	 * After a restart: the whole session is replayed, since that is where the numbers of all orders stand, but only
	 * what risk has not had is handed on; and of what risk waits for, it hears what became of it, or that it is lost.
	 */
	uint64_t seq_handed;      /* number of the last message that risk's journal holds; 0: none */
	const struct account_asked *asked; /* accepted by risk before the restart, no answer in its journal */
	size_t n_asked;
};

#define ACCOUNT_COUNTERS(X)                                                              \
	X(request_sent, "requests sent to the venue")                                    \
	X(request_refused, "requests that came back from the gateway unsent")            \
	X(request_delayed, "cancels that waited for room in the connection")             \
	X(cancel_resent, "cancels sent again after a reconnect")                         \
	X(report_received, "reports about our orders")                                   \
	X(report_unknown, "reports about orders that this account never sent")           \
	X(report_learned, "orders of an earlier run, learned from the venue's replay")   \
	X(report_repeated, "replayed reports that risk had before a restart")            \
	X(report_bad, "messages that the protocol does not allow")                       \
	X(report_other, "messages that are not about an order")                          \
	X(order_void, "replacements whose original died first")                          \
	X(order_lost, "orders that a broken connection lost on the way")                 \
	X(query_unanswered, "logins after which the account query got no answer")

/** What an account does to the world. All are required. */
struct account_ops {
	bool (*connect)(void *arg, uint32_t endpoint); /* these four as in struct session_ops */
	bool (*send)(void *arg, const void *data, uint32_t bytes);
	void (*close)(void *arg);
	void (*abort)(void *arg);
	/** Where to write a packet of at most `bytes` bytes; NULL: there is no room. */
	uint8_t *(*claim)(void *arg, uint32_t bytes);
	/** Send what was written there; bytes 0: give it back. False: nothing was sent. */
	bool (*commit)(void *arg, const uint8_t *packet, uint32_t bytes);
	/** A request is on its way; for the journal, after the wire. msg holds at most ACCOUNT_SENT_BYTES of its bytes. */
	void (*on_sent)(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes);
	/** A report for risk. */
	void (*on_exec)(void *arg, const struct gn_exec *exec);
	/** The account came up (true) or went down. */
	void (*on_up)(void *arg, bool up);
	/** The session changed its state. */
	void (*on_state)(void *arg, enum session_state state, enum session_reason why);
	gn_symbol (*symbol)(void *arg, gn_inst inst);  /* empty: no such instrument */
	gn_inst (*find)(void *arg, gn_symbol symbol);  /* GN_INST_NONE: no such symbol */
};

struct account {
	enum account_state state;
	bool answered; /* ASKING: the account query, by this connection */
	uint32_t scan; /* SETTLING: next number to look at */
	size_t n_asked_left; /* of config.asked, not looked at */
	uint64_t deadline_ns, quiet_ns;
	const struct gateway_dialect *dialect;
	const struct account_ops *ops;
	void *arg;
	struct sent_orders orders;
	uint8_t sent[ACCOUNT_SENT_BYTES]; /* the last request: its frame is the port's once it was sent */
	struct { ACCOUNT_COUNTERS(GN_COUNTER_FIELD) } n;
	struct account_config config;
	struct session session;
};

/** Set up; takes all memory. Cold. 0 or -errno with gn_err_text(). */
int account_init(struct account *a, const struct account_config *config, const struct account_ops *ops, void *arg, int node);
void account_fini(struct account *a);

/** A request that risk has accepted. Hot path. Its outcome comes through on_sent, or through on_exec when it was not sent. */
void account_request(struct account *a, const struct gn_order_req *req, uint64_t now_ns);

/** Unfinished business: received bytes, delayed cancels, orders that nobody will answer. False: there was none. */
bool account_work(struct account *a, uint64_t now_ns);

/** Timers; every millisecond or so. */
void account_poll(struct account *a, uint64_t now_ns);

#endif
