/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_CLIENTS_H
#define EXCHANGE_CLIENTS_H

/**
 * @file
 * What the exchange knows of its clients' orders: every order of the day, by account and UserRefNum, and every fill.
 * The ledger is written from it. One thread.
 */

#include "app/exchange/exchange_config.h"
#include "app/exchange/match.h"
#include "dataplane/codec/ouch50.h"

#define CLIENTS_NONE UINT32_MAX

enum client_state {
	CLIENT_LIVE = 1,
	CLIENT_FILLED,
	CLIENT_CANCELED, /* finished with shares taken off: by the client, the venue, or a replacement */
	CLIENT_REJECTED,
};

struct client_order {
	struct match_id id;
	struct ouch50_clordid clordid;
	uint16_t account;
	uint32_t user_ref;
	gn_inst inst;      /* GN_INST_NONE: rejected, no such symbol */
	gn_symbol symbol;
	uint32_t qty;      /* as entered; of a replacement: the shares left open for it */
	uint32_t filled;
	uint32_t canceled; /* all that was taken off, self-match prevention included */
	uint32_t prevented; /* taken off by self-match prevention: counts towards the chain's total */
	uint32_t chain;    /* filled and prevented of the orders that it replaced */
	gn_px px;          /* as entered */
	uint8_t state;     /* enum client_state */
	char side, tif, display, capacity, iso, cross;
};

struct client_fill {
	uint32_t order; /* index */
	uint32_t qty;
	uint64_t match;
	gn_px px;
	bool broken;
};

/** What has changed since somebody looked: indices, in order, perhaps more than once. */
struct clients_touched {
	size_t *index;
	size_t n, room;
};

struct clients {
	struct client_order *order;
	uint32_t n_orders, orders_max;
	uint32_t *slot; /* hash of account and UserRefNum > order index + 1; 0: free */
	uint32_t slot_mask;
	struct client_fill *fill;
	size_t n_fills, fills_room;
	bool touching;   /* the two below are kept; whoever reads them empties them */
	bool touch_lost; /* there was no memory for one */
	struct clients_touched orders_touched, fills_touched;
};

/** Cold. 0 or -errno. */
int clients_init(struct clients *c, uint32_t orders_max);
void clients_fini(struct clients *c);

/** A copy of an order is recorded and can be found. @return its index, or CLIENTS_NONE: full. */
uint32_t clients_add(struct clients *c, const struct client_order *o);

/** Forget the order added last: nothing came of it. */
void clients_pop(struct clients *c);

/** Index of an order, or CLIENTS_NONE. */
uint32_t clients_find(const struct clients *c, uint16_t account, uint32_t user_ref);

/** Record a fill of an order and what is left of it. False: no memory, the fill is lost to the ledger. */
bool clients_fill(struct clients *c, uint32_t order, uint32_t qty, uint64_t match, gn_px px);

/** Take shares off an order. */
void clients_cancel(struct clients *c, uint32_t order, uint32_t off);

/** Note that an order, or a fill, has changed by other means than the calls above. */
void clients_touch_order(struct clients *c, uint32_t order);
void clients_touch_fill(struct clients *c, size_t fill);

/** Put back what an earlier run recorded under this index: the next one, or one that is there. False: neither. */
bool clients_restore_order(struct clients *c, uint64_t index, const struct client_order *o);
bool clients_restore_fill(struct clients *c, uint64_t index, const struct client_fill *f);

/** Shares of an order that are neither filled nor taken off. */
static inline uint32_t client_open(const struct client_order *o)
{
	return o->qty - o->filled - o->canceled;
}

/** Shares of an order's chain that count towards the total that a Replace or Cancel names. */
static inline uint32_t client_done(const struct client_order *o)
{
	return o->chain + o->filled + o->prevented;
}

#endif
