/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MATCH_H
#define MATCH_H

/**
 * @file
 * Price-time-priority matching of many instruments. Pure: no clock, no I/O; everything that happens is told to one sink.
 *
 * At one price, displayed orders trade before hidden ones, each kind in order of arrival. Memory is fixed at start. All
 * calls belong to one thread. The sink must not call back.
 */

#include <gannet/types.h>

#define MATCH_PX_MARKET 0u /* as a limit: whatever the other side asks */

/** How an instrument trades. Zero is halted: an instrument that nobody opened does not trade. */
enum match_state {
	MATCH_HALTED = 0, /* orders may leave, none may come (but MATCH_ANYTIME) */
	MATCH_AUCTION,    /* orders gather, none trade: match_cross() */
	MATCH_TRADING,
};

/** Bits of match_order.flags. */
enum {
	MATCH_HIDDEN = 1,
	MATCH_IOC = 2,       /* what does not trade at once is cancelled */
	MATCH_POST_ONLY = 4, /* cancelled when it would trade at once */
	MATCH_MARKET = 8,    /* set by the engine for MATCH_PX_MARKET: waits in an auction, else cancelled when it cannot trade */
	MATCH_ANYTIME = 32,  /* of an ask: comes even while the instrument is halted, and rests */
	MATCH_UNTRADED = 16, /* set by the engine for replaced(): the new order rests without having traded */
};

/** Why quantity was taken off: the venue's own letters. */
enum {
	MATCH_WHY_USER = 'U',
	MATCH_WHY_IOC = 'I',
	MATCH_WHY_POST_ONLY = 'G',
	MATCH_WHY_HALT = 'H',
	MATCH_WHY_SELF = 'Q',
	MATCH_WHY_CLOSE = 'E',
	MATCH_WHY_SUPERVISORY = 'S',
	MATCH_WHY_SYSTEM = 'Z',
};

/** Who entered an order; an owner's orders are prevented from meeting when self-match prevention is on. */
enum {
	MATCH_OWNER_FLOW = 0,   /* the background flow; never prevented */
	MATCH_OWNER_CLIENT = 1, /* and up: account number + 1 */
};

/** An order as its owner names it. Valid for the day: a finished order is not found again. */
struct match_id {
	uint64_t ref;
	uint32_t slot;
};

/** One order, live or (in the sink's calls) about to be. Fields other than tag belong to the engine. */
struct match_order {
	uint64_t ref; /* the venue's order reference, day-unique, counted from 1; 0: no order */
	uint64_t tag; /* the owner's own word; the owner may change it at any time */
	gn_inst inst;
	uint32_t px_e4;
	uint32_t qty; /* open */
	uint32_t slot;
	uint32_t next, prev; /* of its queue; slots */
	uint32_t level;
	uint16_t owner;
	gn_side side;
	uint8_t flags;
};
_Static_assert(sizeof(struct match_order) == 48, "orders are many");

/** What is asked of match_enter() and match_replace(). */
struct match_ask {
	gn_inst inst;
	gn_side side;
	uint8_t flags; /* MATCH_HIDDEN, MATCH_IOC, MATCH_POST_ONLY, MATCH_ANYTIME */
	uint16_t owner;
	uint32_t px_e4;
	uint32_t qty; /* positive */
	uint64_t tag;
};

/** One trade; both quantities are already reduced. In a cross neither order was first: maker is the buyer. */
struct match_trade {
	const struct match_order *maker, *taker;
	uint64_t match;
	uint32_t qty, px_e4;
	bool cross;
};

/** Who is told. All members are required. An order with qty 0 is gone after the call. */
struct match_sink {
	void *arg;
	/** A new order has its reference; it has not met any other yet. */
	void (*accepted)(void *arg, struct match_order *o);
	/** It rests in the book now. Not called for a replacement with MATCH_UNTRADED. */
	void (*rested)(void *arg, struct match_order *o);
	/** old is gone, now takes its place, with MATCH_UNTRADED in its flags when it already rests. Follows no accepted(). */
	void (*replaced)(void *arg, const struct match_order *old, struct match_order *now);
	void (*traded)(void *arg, const struct match_trade *t);
	/** `off` was taken from o; `rested` says whether it came from the book. */
	void (*canceled)(void *arg, const struct match_order *o, uint32_t off, char why, bool rested);
	/** Two orders of one owner would have traded t->qty: both lost that quantity. t->match is 0. */
	void (*prevented)(void *arg, const struct match_trade *t);
};

struct match_config {
	uint32_t n_insts, orders_max;
	bool self_match_prevention;
	struct match_sink sink;
};

struct match;

/** Make an engine; every instrument is halted. Cold. NULL with gn_err_text(). */
struct match *match_new(const struct match_config *config);
void match_free(struct match *m);

enum match_state match_state(const struct match *m, gn_inst inst);
void match_state_set(struct match *m, gn_inst inst, enum match_state state);

/**
 * Enter an order.
 *
 * Cost: constant beside the orders it trades with and, for the first order of a price, a search of that side's prices.
 *
 * @return
 *   Its id; ref is 0 when it was refused without a word to the sink: halted, no such instrument or side, quantity 0,
 *   or no room (counted).
 */
struct match_id match_enter(struct match *m, const struct match_ask *ask);

/**
 * Take an order out and enter another in its place, which loses time priority. inst, side and owner are inherited.
 *
 * @param ask
 *   qty is the open quantity of the new order; positive.
 * @return
 *   The new order's id; ref 0 when the old one is not live or the instrument is halted: nothing has changed.
 */
struct match_id match_replace(struct match *m, struct match_id id, const struct match_ask *ask);

/** Take `off` from an order, at most all of it; it keeps its place. False: not live. */
bool match_reduce(struct match *m, struct match_id id, uint32_t off, char why);

/** The order, or NULL when it is not live. Valid until the next call that changes the book. */
struct match_order *match_find(const struct match *m, struct match_id id);

/** What a cross of an instrument would do now. */
struct match_indication {
	uint32_t px_e4;        /* most volume, then least imbalance, then nearest to the reference; 0: nothing would trade */
	uint64_t paired;       /* shares that would trade */
	uint64_t imbalance;    /* shares of the heavier side left over at that price */
	gn_side imbalance_side; /* 0: none */
};

/** Indicate a cross; reference_e4 breaks ties. Cost: all price levels of the instrument. */
struct match_indication match_indicate(const struct match *m, gn_inst inst, uint32_t reference_e4);

/**
 * Trade everything that an auction gathered at one price, cancel market orders that are left, and set MATCH_TRADING.
 *
 * @return
 *   What was indicated just before.
 */
struct match_indication match_cross(struct match *m, gn_inst inst, uint32_t reference_e4);

/** Match numbers go on after this one: those of an earlier run are not given again. Cold. */
void match_number_after(struct match *m, uint64_t match);

/** A match number of its own for what is no trade of two orders (the cross itself, a print). */
uint64_t match_number(struct match *m);

/** Best displayed price and its displayed quantity. False: that side displays nothing. */
bool match_best(const struct match *m, gn_inst inst, gn_side side, uint32_t *px_e4, uint64_t *qty);

/** Visit the live orders of one side, best first, in the order in which they would trade. Stops when visit says false. */
void match_walk(const struct match *m, gn_inst inst, gn_side side, bool (*visit)(void *arg, const struct match_order *o),
	void *arg);

struct match_counts {
	uint64_t entered, replaced, canceled, trades, shares, prevented, refused_no_room;
	uint32_t live, live_max;
};
struct match_counts match_counts(const struct match *m);

#endif
