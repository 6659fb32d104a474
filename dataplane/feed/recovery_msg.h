/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_RECOVERY_MSG_H
#define FEED_RECOVERY_MSG_H

/**
 * @file
 * What the feed asks of the owner of the network stack to recover what was lost, and what it gets back.
 *
 * feed_gateway (feed N > gateway): struct feed_request, of any length from FEED_REQUEST_HEAD_BYTES + bytes up.
 * gateway_feed (gateway > feed N): struct feed_reply, likewise.
 *
 * Both are lossy rings, wired as `back`: neither side may ever wait for the other. A request that finds no room counts
 * as sent and lost. A reply that finds no room must not leave a hole in a connection: the gateway then aborts the
 * connection (and tells so as soon as there is room), and the feed begins anew after a while.
 *
 * A feed has one connection at a time. It numbers them; a reply carries the number of its connection, so whatever
 * arrives for an earlier one is known to be old. Answers to request datagrams come as a line of rx_feed.
 */

#include <stddef.h>
#include <stdint.h>

enum feed_request_kind {
	FEED_REQUEST_NONE = 0,
	FEED_REQUEST_DATAGRAM, /* send data as one UDP datagram from our port_own to ip:port */
	FEED_REQUEST_OPEN,     /* connect to ip:port over TCP; an older connection of this feed is aborted */
	FEED_REQUEST_BYTES,    /* send data over connection conn */
	FEED_REQUEST_CLOSE,    /* abort connection conn; no FEED_REPLY_DOWN is needed for it */
};

#define FEED_REQUEST_BYTES_MAX 56u

/** Addresses and ports are in host byte order. */
struct feed_request {
	uint8_t kind;      /* enum feed_request_kind */
	uint8_t bytes;     /* of data */
	uint16_t port_own; /* DATAGRAM: source port */
	uint32_t ip;
	uint16_t port;
	uint16_t reserved;
	uint32_t conn; /* OPEN, BYTES, CLOSE */
	uint8_t data[FEED_REQUEST_BYTES_MAX];
};
#define FEED_REQUEST_HEAD_BYTES offsetof(struct feed_request, data)
_Static_assert(FEED_REQUEST_HEAD_BYTES == 16, "a request datagram and its head fit one cache line of a ring");

enum feed_reply_kind {
	FEED_REPLY_NONE = 0,
	FEED_REPLY_UP,    /* connected */
	FEED_REPLY_BYTES, /* data came, in order */
	FEED_REPLY_DOWN,  /* the connection is gone, or never came about; the last one of a connection */
};

#define FEED_REPLY_BYTES_MAX 1512u

struct feed_reply {
	uint8_t kind; /* enum feed_reply_kind */
	uint8_t reason; /* DOWN: 0 closed in order, else errno */
	uint16_t bytes; /* of data */
	uint32_t conn;
	uint8_t data[FEED_REPLY_BYTES_MAX];
};
#define FEED_REPLY_HEAD_BYTES offsetof(struct feed_reply, data)
_Static_assert(FEED_REPLY_HEAD_BYTES == 8, "what a full Ethernet frame brings fits one reply");

#endif
