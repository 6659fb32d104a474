/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_ORDER_TABLE_H
#define RISK_ORDER_TABLE_H

/**
 * @file
 * Every open order of the engine, by its gn_oid: pre-allocated, fixed capacity, flat cost.
 *
 * Orders live in a pool whose slots never move; an index of twice as many places finds them (CRC as hash, linear
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
	union {
		struct {
			uint32_t next, prev; /* in the list of its instrument and side; next also links free slots */
		};
		uint64_t links; /* both */
	};
	union {
		struct {
			uint8_t state; /* enum order_state */
			uint8_t flags; /* ORDER_F_* */
			uint16_t swept; /* number of the sweep that cancelled it last */
			uint32_t heir; /* slot of the pending replacement */
		};
		uint64_t status; /* all four, as ORDER_STATUS() makes it */
	};
	uint64_t since_tsc; /* accepted by risk; then: when its waiting cancel was asked for */
	gn_qty cancel_leave; /* of the waiting cancel: quantity to leave in total */
};
#define ORDER_STATUS(state, flags) ((uint64_t)(state) | (uint64_t)(flags) << 8)
_Static_assert(sizeof(struct order) == 128, "an order is one line pair");

struct order_table {
	struct order *pool; /* capacity + 1 slots */
	uint32_t *index; /* slots by hash of the id; ORDER_NONE: free */
	uint32_t mask;
	uint32_t free; /* head of the free list */
	int64_t spare; /* orders that may come after the next one; negative: not even that */
	uint32_t open_max, capacity;
	size_t pool_bytes, index_bytes;
};

/** Room for `capacity` orders, 1 to 2^24, of which new ones may take `open_max`. 0 or -errno. Cold. */
int orders_init(struct order_table *t, uint32_t capacity, uint32_t open_max, int node);
void orders_fini(struct order_table *t);

/** Orders in the table. */
static inline uint32_t orders_open(const struct order_table *t)
{
	return (uint32_t)(t->open_max - 1 - t->spare);
}

static inline uint32_t orders_place(const struct order_table *t, gn_oid oid)
{
	return (uint32_t)_mm_crc32_u64(0, oid) & t->mask;
}

/** Start loading what orders_insert() and orders_find() of this id will touch. */
static inline void orders_prefetch(const struct order_table *t, gn_oid oid)
{
	gn_prefetch(&t->index[orders_place(t, oid)]);
}

/** Slot of an order, ORDER_NONE when it is not open. */
static inline uint32_t orders_find(const struct order_table *t, gn_oid oid)
{
	uint32_t place = orders_place(t, oid);

	for (;; place = (place + 1) & t->mask) {
		uint32_t slot = t->index[place];
		if (slot == ORDER_NONE || t->pool[slot].req.oid == oid)
			return slot;
	}
}

/** The request at the start of an order, in two overlapping moves. */
static inline void orders_copy(struct order *o, const struct gn_order_req *req)
{
	const char *from = (const char *)req;
	char *to = (char *)&o->req;
	__m256i head = _mm256_loadu_si256((const __m256i *)from);
	__m256i tail = _mm256_loadu_si256((const __m256i *)(from + sizeof(*req) - sizeof(tail)));

	_mm256_storeu_si256((__m256i *)to, head);
	_mm256_storeu_si256((__m256i *)(to + sizeof(*req) - sizeof(tail)), tail);
}

/**
 * Enter a request as an order; the caller has seen that there is room and that the id is new.
 *
 * @return
 *   Its slot: req is copied, leaves is its quantity, nothing is executed. The caller sets reserved_, status and since_tsc;
 *   the list sets the links.
 */
static inline uint32_t orders_insert(struct order_table *t, const struct gn_order_req *req)
{
	uint32_t slot = t->free;
	uint32_t place = orders_place(t, req->oid);
	struct order *o = &t->pool[slot];

	while (gn_unlikely(t->index[place] != ORDER_NONE))
		place = (place + 1) & t->mask;
	t->index[place] = slot;
	t->free = o->next;
	t->spare--;
	orders_copy(o, req);
	o->leaves = req->qty;
	o->executed = 0;
	return slot;
}

/** Take an order out; its slot may be given to the next one. */
void orders_remove(struct order_table *t, uint32_t slot);

#endif
