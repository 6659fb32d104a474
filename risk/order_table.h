/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_ORDER_TABLE_H
#define RISK_ORDER_TABLE_H

/**
 * @file
 * Every open order of the engine, by its gn_oid: pre-allocated, fixed capacity, flat cost.
 *
 * Orders live in a pool whose slots never move; an index of twice as many places finds them (multiplicative hash, linear
 * probing, deletion by shifting back, so there are no tombstones and no rehash).
 */

#include <gannet/order.h>

#include "dataplane/runtime/compiler.h"
#include "notional.h"

#define ORDER_NONE 0u /* slot 0 of the pool is never an order */

enum order_state {
	ORDER_FREE = 0,
	ORDER_WAITING, /* accepted by risk, paced: not yet given to the gateway */
	ORDER_PENDING, /* given to the gateway, nothing heard yet */
	ORDER_LIVE,
};

/** Bits of order.flags. */
enum {
	ORDER_F_REPLACEMENT = 1, /* pending: takes the place of .req.oid_prev */
	ORDER_F_CANCEL_WANTED = 2, /* a cancel of all of it is still to be sent */
	ORDER_F_LISTED = 4, /* in the list of its instrument and side */
	ORDER_F_COUNTED = 8, /* counts as an open order (a replacement does so once it has taken over) */
	ORDER_F_QUEUED = 16, /* a cancel of it waits for the venue's pace */
	ORDER_F_REDUCING = 32, /* self-match prevention has asked the venue to take some of it off */
};

struct order {
	_Alignas(GN_LINE_PAIR) struct gn_order_req req; /* as accepted; px as the venue restated it */
	gn_qty leaves; /* units that may still be filled */
	gn_qty executed; /* of its chain of replacements, prevented units included */
	gn_qty reserved_qty; /* what it holds of the position limits */
	risk_ntl reserved_ntl; /* what it holds of the notional limits */
	uint32_t prev, next; /* in the list of its instrument and side; next also links free slots */
	uint32_t heir; /* slot of the pending replacement */
	uint8_t state; /* enum order_state */
	uint8_t flags; /* ORDER_F_* */
	uint16_t swept; /* number of the sweep that cancelled it last */
	uint64_t since_tsc; /* accepted by risk; then: when its waiting cancel was asked for */
	gn_qty cancel_leave; /* of the waiting cancel: quantity to leave in total */
};
_Static_assert(sizeof(struct order) == 128, "an order is one line pair");

struct order_table {
	struct order *pool; /* capacity + 1 slots */
	uint64_t *index; /* upper 32 bits: tag of the id; lower 32: slot, 0 is free */
	uint32_t shift; /* 64 - bits of the index */
	uint32_t mask;
	uint32_t free; /* head of the free list */
	uint32_t n, capacity;
	size_t pool_bytes, index_bytes;
};

/** Room for `capacity` orders, 1 to 2^24. 0 or -errno. Cold. */
int orders_init(struct order_table *t, uint32_t capacity, int node);
void orders_fini(struct order_table *t);

static inline uint64_t orders_hash(gn_oid oid)
{
	return oid * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint32_t orders_place(const struct order_table *t, gn_oid oid)
{
	return (uint32_t)(orders_hash(oid) >> t->shift);
}

/** Start loading what orders_insert() and orders_find() of this id will touch. */
static inline void orders_prefetch(const struct order_table *t, gn_oid oid)
{
	__builtin_prefetch(&t->index[orders_place(t, oid)], 1);
}

/** Slot of an order, ORDER_NONE when it is not open. */
static inline uint32_t orders_find(const struct order_table *t, gn_oid oid)
{
	uint32_t place = orders_place(t, oid);

	for (;; place = (place + 1) & t->mask) {
		uint32_t slot = (uint32_t)t->index[place];
		if (slot == ORDER_NONE)
			return ORDER_NONE;
		if ((t->index[place] ^ oid << 32) >> 32 == 0 && t->pool[slot].req.oid == oid)
			return slot;
	}
}

/**
 * Enter a request as an order; the caller has seen that there is room and that the id is new.
 *
 * @return
 *   Its slot: req is copied, leaves is its quantity, nothing is executed, there is no heir. The caller sets reserved_,
 *   state, flags and since_tsc; the list sets prev and next.
 */
static inline uint32_t orders_insert(struct order_table *t, const struct gn_order_req *req)
{
	uint32_t slot = t->free;
	uint32_t place = orders_place(t, req->oid);
	struct order *o = &t->pool[slot];

	while ((uint32_t)t->index[place] != ORDER_NONE)
		place = (place + 1) & t->mask;
	t->index[place] = req->oid << 32 | slot;
	t->free = o->next;
	t->n++;
	o->req = *req;
	o->leaves = req->qty;
	o->executed = 0;
	o->heir = ORDER_NONE;
	o->swept = 0;
	return slot;
}

/** Take an order out; its slot may be given to the next one. */
void orders_remove(struct order_table *t, uint32_t slot);

#endif
