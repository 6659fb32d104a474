/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_ORDERS_H
#define GATEWAY_ORDERS_H

/**
 * @file
 * The orders of one account as its order session knows them: number > order by index, order id > number by oid_map.h.
 *
 * It exists to translate, and to know what the venue will never answer: a replacement whose original died first, and
 * what was on its way when a connection broke. Risk owns the order table that decides. All memory is taken at start;
 * numbers are used once and never again. One thread.
 */

#include <gannet/order.h>

#include "dataplane/runtime/compiler.h"
#include "dialect.h"
#include "oid_map.h"

enum sent_state {
	SENT_NONE = 0, /* this number was never used */
	SENT_WAITING,     /* no answer yet */
	SENT_LIVE,
	SENT_DEAD,
};

/** Bits of order.flags. */
enum {
	SENT_CANCEL_SENT = 1, /* no answer yet: to be sent again after a reconnect */
	SENT_CANCEL_DUE = 2,  /* waits for room in the connection */
	SENT_ORPHANS = 4,     /* is dead, and had replacements on their way that nobody will answer */
};

enum sent_list_kind { SENT_LIST_CANCELS, SENT_LIST_ORPHANS };

struct sent_order {
	gn_oid oid;
	gn_inst inst;
	uint32_t tag;
	uint32_t leaves;
	uint32_t cancel_qty; /* of the last cancel: what to leave */
	uint32_t orig;       /* number that it replaces; 0: none */
	uint32_t child;      /* newest replacement sent for it */
	uint32_t sibling;    /* the replacement of the same original that was sent before it */
	uint32_t next[2];    /* by list: enum sent_list_kind */
	gn_side side;
	uint8_t state; /* enum sent_state */
	uint8_t flags; /* ORDER_* */
};
_Static_assert(sizeof(struct sent_order) == 48, "an order and a neighbour share a line pair");

/** A list of numbers through order.next[kind], first in first out. */
struct sent_list {
	uint32_t head, tail;
};

struct sent_orders {
	struct sent_order *order;    /* by number; [0] is not used */
	struct oid_map ids;
	uint32_t max;           /* highest number */
	uint32_t next;          /* number of the next order */
	uint32_t settled;       /* every number below is dead or unused */
	struct sent_list list[2]; /* those with SENT_CANCEL_DUE, those with SENT_ORPHANS */
};

/** Make room for orders 1 to max (at most 2^28). Cold. 0 or -errno. */
int sent_orders_init(struct sent_orders *o, uint32_t max, int node);
void sent_orders_fini(struct sent_orders *o);

/** Number for the next order, whose id is this; 0: the table is full. Nothing is used up before sent_orders_add(). */
static inline uint32_t sent_orders_next(struct sent_orders *o, gn_oid oid)
{
	return o->next <= o->max && oid_map_reserve(&o->ids, oid) ? o->next : 0;
}

/** An order may follow soon: start loading where it will be recorded. A hint, changes nothing. */
static inline void sent_orders_hint(const struct sent_orders *o)
{
	gn_prefetch(&o->order[o->next <= o->max ? o->next : 0]);
}

/** Record an order under a number from sent_orders_next() (or, from the venue's replay, any above all others). */
struct sent_order *sent_orders_add(struct sent_orders *o, uint32_t number, const struct gn_order_req *req, uint32_t orig);

/** Number of an order id; 0: unknown. About one cache line. */
static inline uint32_t sent_orders_find(struct sent_orders *o, gn_oid oid)
{
	return oid_map_find(&o->ids, oid);
}

/** Order of a number; NULL: never used, or out of range. */
static inline struct sent_order *sent_orders_get(const struct sent_orders *o, uint32_t number)
{
	return number >= 1 && number <= o->max && o->order[number].state != SENT_NONE ? &o->order[number] : NULL;
}

/** Skip numbers: the venue says that the next one to use is at least this. */
void sent_orders_skip(struct sent_orders *o, uint32_t next);

void sent_orders_push(struct sent_orders *o, enum sent_list_kind kind, uint32_t number);

/** First of a list, taken out; 0: the list is empty. */
uint32_t sent_orders_pop(struct sent_orders *o, enum sent_list_kind kind);

static inline uint32_t sent_orders_first(const struct sent_orders *o, enum sent_list_kind kind)
{
	return o->list[kind].head;
}

/**
 * Apply a report to the order it is about, and translate it.
 *
 * @param exec
 *   Filled but for what only others know: leaves, position, rx_tsc, date of exch_ns. oid is 0 when the order is unknown.
 * @return
 *   False: no order of this account has that number (or the order id that the venue repeats is another's).
 */
bool sent_orders_apply(struct sent_orders *o, const struct venue_report *r, struct gn_exec *exec);

/** An order is over, whatever the reason. */
void sent_orders_die(struct sent_orders *o, uint32_t number);

/**
 * The next replacement that the venue will never answer, because its original is dead. One at a call.
 *
 * @return its number, now dead; 0: there is none.
 */
uint32_t sent_orders_next_void(struct sent_orders *o);

#endif
