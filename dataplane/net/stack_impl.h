/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STACK_IMPL_H
#define STACK_IMPL_H

/**
 * @file
 * What the files of the stack share. Private to dataplane/net/stack*.c, which alone include lwIP's headers.
 *
 * stack.c        the stack as a whole: start and end, frames in, the turn
 * stack_netif.c  frames between lwIP and the port, neighbours
 * stack_tcp.c    connections: how they come and go, what they bring
 * stack_fast.c   the fast send, and the slow one it falls back to
 * stack_time.c   lwIP's timers and our bounds on silence
 */

#include <assert.h>
#include <lwip/etharp.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/net/frame.h"
#include "dataplane/net/stack.h"
#include "dataplane/net/tcp_fast.h"

/*
 * lwIP counts TCP's time in calls of its timer, meant for every 250 ms: far too slow for a peer in the same building.
 * Called every STACK_TICK_MS it sends again after 150 ms instead of 1.5 s, and delays an acknowledgement by 25 ms at most.
 */
#define STACK_TICK_MS 25u
#define STACK_SLOW_TICK_MS (2 * STACK_TICK_MS) /* tcp_ticks counts these */
#define STACK_RX_SLOTS 512u
#define STACK_LATE_MAX 16u /* segments that their owners have had and lwIP has not */

/* A received frame in memory of ours, while lwIP holds it. */
struct stack_rx_slot {
	struct pbuf_custom pbuf;
	struct stack_rx_slot *next;
	struct gn_stack *s;
	uint8_t data[GN_FRAME_BYTES_MAX];
};

struct gn_tcp {
	struct gn_stack *s;
	struct tcp_pcb *pcb; /* NULL: this slot is free */
	const struct gn_tcp_handler *h;
	void *arg;
	uint32_t gen; /* tells the slot's users apart */
	bool up, closing, fin_sent;
	uint64_t deadline_ms; /* of the connect or of the closing; 0: none */
	uint64_t owing_since_ms; /* all was acknowledged then */
	uint32_t peer_ip;
	uint16_t peer_port, own_port;
	uint32_t seq_sent; /* highest that went out; below it, it is a retransmission */
	bool seq_sent_known;
	uint32_t n_ahead; /* bytes that the owner has had and lwIP has yet to bring */
	/* fast send */
	bool fast_wanted, neighbour_known;
	struct gn_tx_frame claim; /* .data NULL: the claim went the slow way */
	uint32_t claim_bytes;
	struct tcp_fast fast;
};

/* A segment whose owner has had it. */
struct stack_late {
	struct pbuf *p;
	uint64_t rx_tsc;
};

struct stack_listener {
	struct gn_stack *s;
	const struct gn_tcp_handler *h;
	void *(*accept)(void *arg, uint32_t ip, uint16_t port);
	void *arg;
};

struct gn_stack {
	struct gn_stack_config c;
	struct netif netif;
	uint64_t ticks_per_ms, polled_tsc, ticked_ms, now_ms, asked_ms;
	uint64_t rx_tsc; /* of the frame in work */
	struct stack_rx_slot *rx_free;
	struct gn_stack_counts n;
	uint32_t n_listen;
	uint64_t used, fast, unsettled; /* one bit a connection: in use; sends fast; has copies that lwIP did not get yet */
	uint32_t n_late;
	bool late_fresh; /* one came since the last poll */
	struct stack_late late[STACK_LATE_MAX];
	struct stack_listener listen[GN_LISTEN_MAX];
	struct gn_tcp tcp[GN_TCP_MAX];
	uint8_t slow_claim[GN_TCP_FAST_BYTES_MAX];
	struct stack_rx_slot rx_slot[STACK_RX_SLOTS];
};

static_assert(GN_TCP_MAX == 64, "a set of connections is a word");

static inline uint64_t stack_tcp_bit(const struct gn_tcp *t)
{
	return UINT64_C(1) << (t - t->s->tcp);
}

/* those of a set that are still in use when their turn comes: a callback may have closed one */
#define STACK_TCP_EACH(t, s, set)                                                                                      \
	for (uint64_t left_ = (set); left_ && ((t) = &(s)->tcp[__builtin_ctzll(left_)]); left_ &= left_ - 1)               \
		if ((t)->pcb)

/* The connection of these ends; NULL: none. */
static inline struct gn_tcp *stack_tcp_find(struct gn_stack *s, uint32_t peer_ip, uint16_t peer_port, uint16_t own_port)
{
	struct gn_tcp *t;

	STACK_TCP_EACH(t, s, s->used) {
		if (t->own_port == own_port && t->peer_port == peer_port && t->peer_ip == peer_ip)
			return t;
	}
	return NULL;
}

/* ---- stack_netif.c ---- */

/** Make ready the memory for received frames. Cold. */
void stack_rx_init(struct gn_stack *s);

/** A received frame in memory that lwIP may hold on to; NULL: there is none. */
struct pbuf *stack_rx_pbuf(struct gn_stack *s, const uint8_t *frame, uint32_t bytes);

/** For netif_add(). */
err_t stack_netif_start(struct netif *netif);

/** Take over what lwIP knows of the next hop's Ethernet address. */
void stack_neighbour_refresh(struct gn_tcp *t);

/* ---- stack_tcp.c ---- */

/** Reset it, and tell its owner why. */
void stack_tcp_drop(struct gn_tcp *t, int reason);

/** A connection that its owner has closed: send the FIN as soon as all before it is with lwIP. */
void stack_tcp_close_try(struct gn_tcp *t);

/* ---- stack_fast.c ---- */

/** Say anew what may be sent without asking lwIP; after each of its moves. */
void stack_fast_refresh(struct gn_tcp *t);
void stack_fast_refresh_all(struct gn_stack *s);

/** Give lwIP its copies. What it has no memory for stays pending (false), and nothing else may be sent before it. */
bool stack_fast_settle(struct gn_tcp *t);

/* ---- stack_time.c ---- */

/** Timers that are due. About every millisecond. */
void stack_time(struct gn_stack *s, uint64_t tsc);

#endif
