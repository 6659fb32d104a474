/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_STACK_H
#define GN_STACK_H

/**
 * @file
 * The TCP/IP stack of the process (lwIP): ARP, ICMP, IGMP and TCP over one port, driven by one polling thread.
 *
 * There is one stack a process. After gn_stack_new(), every call belongs to the thread that first calls
 * gn_stack_poll() or gn_stack_input(). Nothing here blocks; callbacks run inside gn_stack_input() and gn_stack_poll().
 * Addresses and ports are in host byte order.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nic/tx.h"

struct gn_stack;
struct gn_tcp;

struct gn_stack_config {
	uint8_t mac[6];
	uint32_t ip, netmask, gateway; /* gateway 0: none */
	uint16_t mtu;
	struct gn_tx *tx; /* where its frames go; owned by the same thread */
	/* zero takes the default of each */
	uint32_t connect_ms; /* a connect without answer fails after this; 5000 */
	uint32_t linger_ms; /* a closed connection whose peer does not close too is reset after this; 2000 */
	uint32_t dead_ms; /* a peer that owes us an answer and is silent for this long is given up; 10000 */
	uint32_t keepalive_ms; /* an idle peer is asked for a sign of life this often; it owes us one; default: never */
	uint32_t sequence; /* the first connection's sequence number starts a little above; default: random */
};

#define GN_TCP_MAX 64u /* connections at a time */
#define GN_LISTEN_MAX 16u /* ports listened on */

/** What a TCP connection tells its owner. */
struct gn_tcp_handler {
	/** Connected (both ends). */
	void (*on_up)(void *arg, struct gn_tcp *tcp);
	/** Bytes in order; valid during the call; all of them are consumed by it. */
	void (*on_bytes)(void *arg, struct gn_tcp *tcp, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc);
	/**
	 * The connection is gone; tcp must not be used any more. Always the last callback, exactly once, also after
	 * gn_tcp_close() and for a connect that failed.
	 *
	 * @param reason
	 *   0: closed in order by either end; else a positive errno (ECONNREFUSED, ECONNRESET, ETIMEDOUT ...).
	 */
	void (*on_down)(void *arg, struct gn_tcp *tcp, int reason);
};

/** Make the stack; cold path. Join, listen and connect may follow on the same thread. NULL with gn_err_text(). */
struct gn_stack *gn_stack_new(const struct gn_stack_config *config);

/** Give it up; cold path, after its thread has stopped. Open connections are reset. */
void gn_stack_free(struct gn_stack *s);

/** A frame came from the port. Frames of no use are counted and dropped. */
void gn_stack_input(struct gn_stack *s, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc);

/** Run due timers (at most once a millisecond in effect) and flush tx. To be called in every turn of the loop. */
void gn_stack_poll(struct gn_stack *s);

/** Join a multicast group: IGMP reports now and when asked. 0 or -errno. */
int gn_stack_join(struct gn_stack *s, uint32_t group);

/**
 * The Ethernet address of the next hop towards an address, for those who build their own frames. Asks for it by ARP
 * when it is unknown.
 *
 * @return
 *   Whether it is known; if not, ask again later.
 */
bool gn_stack_neighbour(struct gn_stack *s, uint32_t ip, uint8_t mac[6]);

/** Start to connect. The outcome comes through the handler. NULL: out of memory or ports, with gn_err_text(). */
struct gn_tcp *gn_tcp_connect(
	struct gn_stack *s, uint32_t ip, uint16_t port, const struct gn_tcp_handler *h, void *arg);

/**
 * Accept connections on a port.
 *
 * @param accept
 *   Called for each; returns the handler's arg for it, or NULL to refuse it. It sees the peer's address.
 * @return 0 or -errno.
 */
int gn_tcp_listen(struct gn_stack *s, uint16_t port, const struct gn_tcp_handler *h,
	void *(*accept)(void *arg, uint32_t ip, uint16_t port), void *arg);

/** Bytes that gn_tcp_send() would take now. */
uint32_t gn_tcp_room(const struct gn_tcp *t);

/**
 * Send all of it, in order, or nothing. Leaves for the port at once if the windows allow.
 *
 * @return
 *   False, counted: no room, or not connected.
 */
bool gn_tcp_send(struct gn_tcp *t, const void *data, uint32_t bytes);

/** Close in order, after what was sent. on_down follows. */
void gn_tcp_close(struct gn_tcp *t);

/** Reset. on_down(ECONNABORTED) runs before it returns. */
void gn_tcp_abort(struct gn_tcp *t);

/**
 * The fast send: a message is encoded straight into a frame whose headers stand ready, and the stack hears of it
 * afterwards. Claim, encode, commit, once or several times; then gn_tx_flush() of the stack's transmit queue: all of
 * them leave in one burst, in order; then gn_stack_settle(), when there is time.
 *
 *     uint8_t *p = gn_tcp_fast_claim(t, 64);
 *     if (!p)
 *             return refused;
 *     gn_tcp_fast_commit(t, encode(p, order));
 *     gn_tx_flush(tx);      // the order is with the port
 *     ...
 *     gn_stack_settle(s);   // now lwIP knows as well; gn_stack_input() and gn_stack_poll() do it too
 *
 * The stack stays the only owner of reliability. Where window, congestion, an unknown neighbour, a backlog or the
 * connection's state do not allow the short way, claim and commit take the stack's own way by themselves: the caller
 * sees no difference but the time. May be mixed with gn_tcp_send(); the order of calls is the order of bytes.
 *
 * Room for one message of up to bytes_max bytes (at most GN_TCP_FAST_BYTES_MAX), or NULL, counted, when the connection
 * would not take it now. Valid until the next call of this stack; only one claim at a time.
 */
uint8_t *gn_tcp_fast_claim(struct gn_tcp *t, uint32_t bytes_max);

#define GN_TCP_FAST_BYTES_MAX 512u

/** A claim may follow soon: start loading what it will touch. A hint, changes nothing. */
void gn_tcp_fast_hint(const struct gn_tcp *t);

/** Send what was written at the claimed place. bytes: at most what was claimed; 0 gives the claim up. Never fails. */
void gn_tcp_fast_commit(struct gn_tcp *t, uint32_t bytes);

/** Tell lwIP about everything that fast sends have handed to the port. About a microsecond a message. */
void gn_stack_settle(struct gn_stack *s);

struct gn_stack_counts {
	uint64_t frames_in, frames_in_bad, frames_out, frames_out_dropped;
	uint64_t tcp_connected, tcp_down, tcp_send_refused, tcp_segs_retransmitted;
	uint64_t tcp_fast_sent,
		tcp_fast_declined; /* messages that took the short way, and that asked for it but did not */
};
struct gn_stack_counts gn_stack_counts(const struct gn_stack *s);

#endif
