/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_ORDER_H
#define GANNET_ORDER_H

/**
 * @file
 * Order requests and execution reports: strategy > risk > gateway, and back.
 */

#include "types.h"

/** What is asked. Zero is nothing: zeroed memory is never a request. */
enum gn_req_kind {
	GN_REQ_NONE = 0,
	GN_REQ_NEW,
	GN_REQ_REPLACE, /* oid is the new order, oid_prev the one it takes the place of; qty is the new total of the chain */
	GN_REQ_CANCEL,  /* oid; qty = quantity to leave in total, 0 cancels all */
};

enum gn_tif {
	GN_TIF_NONE = 0,
	GN_TIF_DAY,
	GN_TIF_IOC,
};

/** Bits of gn_order_req.flags. */
enum {
	GN_ORD_POST_ONLY = 1,
	GN_ORD_SHORT = 2,        /* sell side: a short sale */
	GN_ORD_SHORT_EXEMPT = 4, /* sell side: short, exempt from the price test */
	GN_ORD_HIDDEN = 8,
	GN_ORD_ISO = 16,
};

/** An order id: strategy's index + 1 in the upper 16 bits, a count from 1 in the lower 48. */
#define GN_OID_COUNT_BITS 48

static inline gn_oid gn_oid_make(uint32_t strategy, uint64_t count)
{
	return ((uint64_t)strategy + 1) << GN_OID_COUNT_BITS | count;
}

/** Index of the strategy that owns an order; UINT32_MAX for 0 and whatever else gn_oid_make() never returns. */
static inline uint32_t gn_oid_strategy(gn_oid oid)
{
	return (uint32_t)(oid >> GN_OID_COUNT_BITS) - 1;
}

static inline uint64_t gn_oid_count(gn_oid oid)
{
	return oid & ((UINT64_C(1) << GN_OID_COUNT_BITS) - 1);
}

/** A request: written by a strategy, completed by the engine (oid, strategy), checked by risk. One cache line in a ring. */
struct gn_order_req {
	uint8_t kind; /* enum gn_req_kind */
	gn_side side;
	uint8_t tif;   /* enum gn_tif */
	uint8_t flags; /* GN_ORD_* */
	gn_inst inst;
	gn_oid oid;      /* given by the engine */
	gn_oid oid_prev; /* REPLACE: the order it takes the place of */
	gn_px px;
	gn_qty qty;
	uint64_t rx_tsc;   /* of the event that caused it: trace id; 0 when no event did */
	uint32_t strategy; /* filled by the engine from where the request came, never trusted */
	uint32_t tag;      /* the strategy's own, comes back in its reports */
};
_Static_assert(sizeof(struct gn_order_req) == 56, "a request and its ring header share one cache line");

/** What became of a request or an order. */
enum gn_exec_kind {
	GN_EXEC_NONE = 0,
	GN_EXEC_REFUSED,   /* by our own risk, never left the engine; reason = enum gn_verdict */
	GN_EXEC_ACCEPTED,  /* live at the venue; qty, px as accepted */
	GN_EXEC_REPLACED,  /* oid_prev is dead, oid is live with leaves */
	GN_EXEC_FILLED,    /* qty at px, match */
	GN_EXEC_CANCELED,  /* qty taken off; the order is finished when leaves is 0; reason = venue's letter */
	GN_EXEC_REJECTED,  /* by the venue; code = venue's code */
	GN_EXEC_CANCEL_REJECTED,
	GN_EXEC_CANCEL_PENDING,
	GN_EXEC_BROKEN,   /* a past fill is void: match */
	GN_EXEC_RESTATED, /* the venue changed it: px where not 0; reason 'M': qty is now its leaves, side its side */
	GN_EXEC_UP,       /* order session .code can take orders, .match: set of strategies that use it; no order */
	GN_EXEC_DOWN,     /* the same session is lost; no order */
	GN_EXEC_KIND_COUNT
};

/**
 * Codes of GN_EXEC_REJECTED and GN_EXEC_CANCEL_REJECTED that our own gateway gives; a venue's codes lie below GN_CODE_OWN.
 * In all of them the request had no effect at the venue.
 */
enum gn_code {
	GN_CODE_OWN = 0xF000,
	GN_CODE_SESSION_DOWN, /* the order session cannot take orders now; nothing was sent */
	GN_CODE_NO_ROOM,      /* the connection had no room for it; nothing was sent */
	GN_CODE_UNKNOWN,      /* the order to replace or to cancel never went through this session; nothing was sent */
	GN_CODE_TABLE,        /* the session's table of orders is full; nothing was sent */
	GN_CODE_FIELD,        /* the venue's protocol has no way to say it (side, time in force, price, quantity, symbol) */
	GN_CODE_VOID,         /* REPLACE: the order to replace died first, the venue ignores the replacement */
	GN_CODE_LOST,         /* sent on a connection that broke; after its replay the venue knows nothing of it */
};

/** Bits of gn_exec.flags. */
enum {
	GN_EXEC_F_DEAD = 1,   /* ACCEPTED, REPLACED: dead on arrival, nothing more will come */
	GN_EXEC_F_REPLAY = 2, /* replayed by the venue after a reconnect */
	GN_EXEC_F_PREVENTED = 4, /* CANCELED: by self-match prevention */
	/*
	 * RESTATED: what a strategy still has after a restart, told before anything else. With oid: an open order, its px and
	 * leaves. Without: a position in inst.
	 */
	GN_EXEC_F_RECOVERED = 8,
};

/** An execution report: gateway > risk (which adds what only it knows) > strategy. */
struct gn_exec {
	uint8_t kind; /* enum gn_exec_kind */
	gn_side side;
	uint8_t reason;    /* REFUSED: enum gn_verdict; CANCELED, BROKEN: the venue's letter */
	uint8_t liquidity; /* FILLED: the venue's letter */
	gn_inst inst;
	gn_oid oid;
	gn_oid oid_prev;
	gn_px px;
	gn_qty qty;    /* of this report: filled, taken off, accepted */
	gn_qty leaves; /* still open after it (risk fills this) */
	gn_qty position; /* of the strategy in inst after it (risk fills this) */
	uint64_t rx_tsc; /* when the report's frame was returned by the port */
	uint64_t exch_ns;
	uint64_t match; /* FILLED, BROKEN */
	uint32_t strategy;
	uint32_t tag;   /* from the request */
	uint16_t code;  /* REJECTED: the venue's code */
	uint16_t flags; /* GN_EXEC_F_* */
	uint32_t venue_seq; /* number of the venue's message in its session; 0: made by our own gateway */
};
_Static_assert(sizeof(struct gn_exec) == 96, "a report fits two cache lines of a ring");

/**
 * Verdicts of the pre-trade checks: X(NAME, text). Zero is always "refused", so memory that nobody wrote can never read as accepted.
 */
#define GN_VERDICTS(X)                                                    \
	X(REFUSED, "refused: no verdict was reached")                     \
	X(ACCEPTED, "accepted")                                           \
	X(REFUSED_KIND, "unknown kind of request")                        \
	X(REFUSED_SIDE, "side is neither buy nor sell")                   \
	X(REFUSED_TIF, "unknown time in force")                           \
	X(REFUSED_INSTRUMENT, "no such instrument, or not permitted")     \
	X(REFUSED_STRATEGY, "no such strategy")                           \
	X(REFUSED_KILLED, "kill switch is on")                            \
	X(REFUSED_SESSION, "order session is down")                       \
	X(REFUSED_QTY, "quantity above the limit, or not positive")       \
	X(REFUSED_PRICE, "price is not positive")                         \
	X(REFUSED_TICK, "price or quantity off the tick or lot")          \
	X(REFUSED_NOTIONAL, "notional above the limit")                   \
	X(REFUSED_COLLAR, "price too far from the reference")             \
	X(REFUSED_REFERENCE, "no reference price")                        \
	X(REFUSED_STALE, "market data of the instrument is stale")        \
	X(REFUSED_HALTED, "instrument does not trade now")                \
	X(REFUSED_SHORT, "short sale not permitted or not located")       \
	X(REFUSED_POSITION, "worst-case position above the limit")        \
	X(REFUSED_GROSS, "gross notional above the limit")                \
	X(REFUSED_NET, "net notional above the limit")                    \
	X(REFUSED_OPEN, "too many open orders")                           \
	X(REFUSED_RATE, "message rate above the limit")                   \
	X(REFUSED_RATIO, "order-to-fill ratio above the limit")           \
	X(REFUSED_DUPLICATE, "same order again within the window")        \
	X(REFUSED_SELF_MATCH, "would trade with an order of our own")     \
	X(REFUSED_LOSS, "daily loss limit reached")                       \
	X(REFUSED_REPEATED, "too many executions in the window: paused")  \
	X(REFUSED_UNKNOWN, "order to change is unknown or finished")      \
	X(REFUSED_TABLE, "order table is full")                           \
	X(REFUSED_JOURNAL, "journal cannot keep up")                      \
	X(REFUSED_PATIENCE, "would have waited longer than its patience") \
	X(REFUSED_BURST, "more requests in one callback than permitted")  \
	X(REFUSED_LINK, "link to risk is full")

#define GN_VERDICT_NAME(name, text) GN_##name,
enum gn_verdict { GN_VERDICTS(GN_VERDICT_NAME) GN_VERDICT_COUNT };
#undef GN_VERDICT_NAME

#endif
