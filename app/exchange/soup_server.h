/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_SOUP_SERVER_H
#define EXCHANGE_SOUP_SERVER_H

/**
 * @file
 * The server side of SoupBinTCP over byte streams: logins, heartbeats, dead links, sequenced messages and their resume.
 *
 * Knows no socket: bytes come in by soup_server_bytes() and leave through the transport's functions. What is sequenced lies
 * in a store of its owner's; a connection is a cursor in it, so nothing is lost when a connection has no room. One thread.
 */

#include "app/exchange/exchange_config.h"
#include "app/exchange/store.h"
#include "dataplane/codec/soupbintcp.h"

#define SOUP_SERVER_PACKET_BYTES_MAX 1024u
#define SOUP_SERVER_CONN_NONE UINT32_MAX

/** How bytes leave. handle is what soup_server_open() was given. */
struct exchange_transport_ops {
	void *arg;
	/** All of it or, when there is no room, nothing. */
	bool (*send)(void *arg, void *handle, const void *data, uint32_t bytes);
	/** Close in order, after what was sent. The handle is not used any more. */
	void (*close)(void *arg, void *handle);
};

struct soup_server_hooks {
	void *arg;
	/**
	 * A client wants in.
	 *
	 * @param stream
	 *   To be set: where its sequenced messages are.
	 * @return
	 *   0: welcome, else a SOUP_REJECT_ reason.
	 */
	char (*login)(void *arg, uint32_t conn, const struct soup_login *login, const struct store **stream);
	/** A message of a client that is logged in. False: it is malformed, the connection is closed. */
	bool (*message)(void *arg, uint32_t conn, const uint8_t *msg, uint32_t bytes);
	/** A client that was logged in is gone. */
	void (*gone)(void *arg, uint32_t conn);
	/** Everything in the stream has been sent; true closes the connection with an end of session. NULL: never. */
	bool (*complete)(void *arg, uint32_t conn);
};

#define SOUP_SERVER_COUNTERS(X)                                                         \
	X(opened, "connections accepted")                                               \
	X(refused_full, "connections refused, all are in use")                          \
	X(logins, "logins accepted")                                                    \
	X(rejected_name, "logins rejected: unknown user, wrong password or port")       \
	X(rejected_session, "logins rejected: another session, or messages not kept")   \
	X(taken_over, "connections closed because their account logged in anew")        \
	X(closed_malformed, "connections closed: not SoupBinTCP")                       \
	X(closed_message, "connections closed: malformed message in a good packet")     \
	X(closed_order, "connections closed: not a login first, or a second login")     \
	X(closed_dead, "connections closed: silent for too long")                       \
	X(closed_no_login, "connections closed: no login in time")                      \
	X(closed_fault, "connections cut on purpose")                                   \
	X(logouts, "clients that logged out")                                           \
	X(ended, "sessions ended by us")                                                \
	X(unknown_packet, "packets of a type that is not known, ignored")               \
	X(msgs_in, "messages received")                                                 \
	X(msgs_out, "sequenced messages sent, again after a resume")                    \
	X(no_room, "sends put off because the connection had no room")

struct soup_server_counts {
#define SOUP_SERVER_COUNT(name, help) uint64_t name;
	SOUP_SERVER_COUNTERS(SOUP_SERVER_COUNT)
#undef SOUP_SERVER_COUNT
};

enum soup_server_state { SOUP_SERVER_FREE = 0, SOUP_SERVER_SILENT, SOUP_SERVER_ACTIVE };

struct soup_server_conn {
	enum soup_server_state state;
	void *handle;
	const struct store *stream;
	uint64_t cursor; /* next sequence number to send */
	uint64_t opened_ns, rx_ns, tx_ns, dead_ns;
	struct soup_framer framer;
	uint8_t buf[SOUP_SERVER_PACKET_BYTES_MAX];
};

struct soup_server {
	struct exchange_transport_ops io;
	struct soup_server_hooks hooks;
	char session[11];
	uint64_t heartbeat_ns, dead_ns, login_ns;
	uint32_t n_conns; /* entries of conn that may be in use */
	struct soup_server_conn *conn;
	struct soup_server_counts n;
};

/** Cold. 0 or -errno. */
int soup_server_init(struct soup_server *s, const struct exchange_config *config, const struct exchange_transport_ops *io,
	const struct soup_server_hooks *hooks);
void soup_server_fini(struct soup_server *s);

/** A client connected. @return its number, or SOUP_SERVER_CONN_NONE: full, close it. */
uint32_t soup_server_open(struct soup_server *s, void *handle, uint64_t now_ns);

/** Bytes of a client, in order, cut anywhere. The connection may be closed by it. */
void soup_server_bytes(struct soup_server *s, uint32_t conn, const uint8_t *data, uint32_t bytes, uint64_t now_ns);

/** The transport lost the connection; the handle is not used any more. */
void soup_server_lost(struct soup_server *s, uint32_t conn);

/** Send what the streams hold and the connections have room for. */
void soup_server_pump(struct soup_server *s, uint64_t now_ns);

/** Heartbeats, dead links, late logins. To be called every few milliseconds. */
void soup_server_timers(struct soup_server *s, uint64_t now_ns);

/** Close one connection; the counter that says why is the caller's. */
void soup_server_close(struct soup_server *s, uint32_t conn);

/** Send "end of session" to every client and close. Streams are pumped first. */
void soup_server_end(struct soup_server *s, uint64_t now_ns);

static inline bool soup_server_active(const struct soup_server *s, uint32_t conn)
{
	return conn < s->n_conns && s->conn[conn].state == SOUP_SERVER_ACTIVE;
}

#endif
