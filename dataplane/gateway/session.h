/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

/**
 * @file
 * The client side of a SoupBinTCP session: a state machine over bytes and a clock that its caller gives it.
 *
 *     WAITING > CONNECTING > LOGIN_SENT > ACTIVE > CLOSING > ENDED          FAILED: given up, for good
 *        ^----------+------------+----------+  (lost: next endpoint, after a pause that grows)
 *
 * No socket, no clock, no ring: what it does to the world goes through struct session_ops. One thread.
 */

#include <gannet/types.h>

#include "dataplane/codec/soupbintcp.h"

#define SESSION_ENDPOINTS_MAX 4u
#define SESSION_PACKET_BYTES_MAX 4096u /* longest packet accepted; OUCH's longest is below 300 bytes */
#define SESSION_SLICE_BYTES 2048u      /* of the stream, handled in one call */
#define SESSION_SLICE_MESSAGES (SESSION_SLICE_BYTES / SOUP_HEAD_BYTES + 1)
#define SESSION_BACKLOG_BYTES (256u * 1024) /* at least the TCP receive window */

enum session_state {
	SESSION_IDLE = 0, /* session_start() was not called */
	SESSION_WAITING,  /* for the moment of the next attempt */
	SESSION_CONNECTING,
	SESSION_LOGIN_SENT,
	SESSION_ACTIVE,
	SESSION_CLOSING, /* logged out or ended; the connection is about to close */
	SESSION_ENDED,   /* in order; nothing more will come */
	SESSION_FAILED,  /* given up; needs a person */
};

/** Why a session left a state: X(NAME, text). Each is counted. */
#define SESSION_REASONS(X)                                                          \
	X(NONE, "none")                                                             \
	X(CONNECT, "connection refused or unreachable")                             \
	X(CONNECT_TIMEOUT, "no answer to the connection attempt")                   \
	X(LOGIN_TIMEOUT, "no reply to the login")                                   \
	X(LOGIN_SEND, "the login did not fit into the connection")                  \
	X(NOT_AUTHORISED, "login rejected: not authorised")                         \
	X(NO_SESSION, "login rejected: session not available")                      \
	X(OTHER_SESSION, "the venue logged us in to another session")               \
	X(GAP, "the venue cannot replay from the sequence number that we need")     \
	X(MALFORMED, "malformed packet")                                            \
	X(UNEXPECTED, "packet that this state does not allow")                      \
	X(BACKLOG, "more bytes at once than the connection's window")               \
	X(SILENT, "nothing heard for too long")                                     \
	X(PEER_CLOSED, "connection closed by the venue")                            \
	X(RESET, "connection broken")                                               \
	X(END, "end of session")                                                    \
	X(LOGOUT, "logged out")                                                     \
	X(UNANSWERED, "no answer to the account query")                             \
	X(PROBED, "now it is known where the venue's stream ends")                  \
	X(BUDGET, "too many attempts in a row")

#define SESSION_REASON_NAME(name, text) SESSION_WHY_##name,
enum session_reason { SESSION_REASONS(SESSION_REASON_NAME) SESSION_WHY_COUNT };
#undef SESSION_REASON_NAME

/** Zero of a number means its default. */
struct session_config {
	char username[7], password[11];
	char session[11];     /* "": the venue's current one */
	uint64_t seq_next;    /* first sequenced message wanted; default 1: all of the session */
	/*
	 * Log in once before that, only to learn where the stream ends (seq_end) and log out: a replay does not say where it
	 * ends, and answers to questions of an earlier run look like those to ours.
	 */
	bool probe;
	uint32_t n_endpoints; /* 1 to SESSION_ENDPOINTS_MAX: primary first, then backups */
	uint32_t tries_max;   /* attempts in a row before it is given up; default 20 */
	uint32_t login_heartbeat_ms;    /* SoupBinTCP 4.1: told to the venue in the login; 0: not told */
	uint64_t connect_timeout_ns;    /* default 3 s */
	uint64_t login_timeout_ns;      /* default 5 s */
	uint64_t heartbeat_ns;          /* default 1 s */
	uint64_t dead_ns;               /* silence of the venue; default 15 s */
	uint64_t backoff_min_ns, backoff_max_ns; /* pause before an attempt; defaults 100 ms and 10 s */
	uint64_t stable_ns;             /* active this long: attempts count from zero again; default 10 s */
	uint64_t close_timeout_ns;      /* for the connection to close; default 2 s */
};

/** What a session does to the world. All are required. */
struct session_ops {
	/** Start to connect to an endpoint; session_on_up() or session_on_down() follows. False: could not start. */
	bool (*connect)(void *arg, uint32_t endpoint);
	/** Send all of it or nothing. */
	bool (*send)(void *arg, const void *data, uint32_t bytes);
	/** Close in order; session_on_down() follows. */
	void (*close)(void *arg);
	/** Drop the connection; nothing of it may be reported to the session any more. */
	void (*abort)(void *arg);
	/** A message from the venue; seq 0: it has none. Its bytes are valid during the call. */
	void (*on_message)(void *arg, const uint8_t *msg, uint32_t bytes, uint64_t seq, uint64_t rx_tsc);
	/** The state has changed. */
	void (*on_state)(void *arg, enum session_state state, enum session_reason why);
};

struct session_counts {
	uint64_t attempts, logins, messages, duplicates, heartbeats_in, heartbeats_out, debug, unknown;
	uint64_t why[SESSION_WHY_COUNT];
};

struct session {
	enum session_state state;
	enum session_reason why; /* of the last change */
	uint32_t endpoint, tries;
	bool stop; /* a logout was asked for: no further attempt */
	uint64_t timer_ns; /* nothing is due before */
	uint64_t deadline_ns, since_ns, rx_ns, tx_ns;
	uint64_t seq_next; /* of the next sequenced message */
	uint64_t seq_end;  /* by the probe: messages from this number on were made after we came; 0: no probe */
	bool probing;
	uint64_t n_skip;   /* sequenced messages that come again after a login: not handed on */
	bool sliced;       /* this turn has handled a slice */
	bool down;         /* the connection is gone, its last bytes are still to be handled */
	int down_errnum;
	char name[11];     /* of the session, once known */
	struct session_config config;
	const struct session_ops *ops;
	void *arg;
	struct session_counts n;
	struct soup_framer framer;
	uint32_t backlog_at, backlog_bytes;
	uint64_t backlog_tsc; /* rx_tsc of what came last */
	uint8_t packet[SESSION_PACKET_BYTES_MAX];
	uint8_t backlog[SESSION_BACKLOG_BYTES];
};

/** Set up. Cold. 0, or -EINVAL with gn_err_text(). */
int session_init(struct session *s, const struct session_config *config, const struct session_ops *ops, void *arg);

/** Begin: the first attempt follows with the next session_poll(). */
void session_start(struct session *s, uint64_t now_ns);

/** The connection that ops->connect began is up. */
void session_on_up(struct session *s, uint64_t now_ns);

/**
 * Bytes came in order.
 *
 * The first slice after session_turn() is handled at once, whatever else comes is kept for session_drain(): so one turn
 * never brings more than SESSION_SLICE_MESSAGES messages.
 */
void session_on_bytes(struct session *s, const uint8_t *data, uint32_t bytes, uint64_t now_ns, uint64_t rx_tsc);

/** A new turn of the caller's loop begins. */
static inline void session_turn(struct session *s)
{
	s->sliced = false;
}

/** Handle one more slice of what came. False: there was none. To be called until then. */
bool session_drain(struct session *s, uint64_t now_ns);

/** The connection is gone. errnum: 0 closed in order, else a positive errno. */
void session_on_down(struct session *s, int errnum, uint64_t now_ns);

/** Timers: heartbeats, dead link, time-outs, the next attempt. Every millisecond or so. True: something was due. */
bool session_poll(struct session *s, uint64_t now_ns);

/** A packet was sent past session_send(), by the fast path: puts off the next heartbeat. */
static inline void session_sent(struct session *s, uint64_t now_ns)
{
	s->tx_ns = now_ns;
}

/** Drop the connection and log in anew. */
void session_restart(struct session *s, enum session_reason why, uint64_t now_ns);

/** Log out: in order when active, at once otherwise. Ends in SESSION_ENDED (or stays SESSION_FAILED). */
void session_logout(struct session *s, uint64_t now_ns);

/** Is it over, one way or the other? */
static inline bool session_over(const struct session *s)
{
	return s->state == SESSION_ENDED || s->state == SESSION_FAILED;
}

const char *session_state_text(enum session_state state);
const char *session_reason_text(enum session_reason why);

#endif
