/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_BOOK_H
#define GN_BOOK_H

/**
 * @file
 * The books of one shard: every order of every instrument, from normalised events. Pure: no ring, no clock.
 *
 * An order is one 8-byte record (instrument, side, price, quantity) found by its reference (order_map.h); a side of a
 * book is a ladder of level words around the touch with the far levels in a sorted array (levels.h). An event costs one
 * access to the record, one to the book's lines and one to the level, all three known ahead of time from the event, so
 * book_hint.h can load them early. No list joins the orders of a level: references grow with time, so among the orders
 * of a level an earlier one has a smaller reference. The few orders that a record cannot tell (a price or quantity that
 * does not fit, a reference that came late) hold the number of a wide record instead, which also keeps the time of
 * arrival. All memory is mapped at start and bounded: at each limit an order is refused and counted, and the
 * instrument is stale until it is cleared.
 */

#include <gannet/book_view.h>
#include <gannet/md.h>

#include "arena.h"
#include "dataplane/runtime/counters.h"
#include "levels.h"
#include "order_map.h"

#define BOOK_IDS 32768u               /* a record holds 15 bits of book number; a cleared book takes a new one */
#define BOOK_INSTRUMENTS_MAX 32000u
#define BOOK_ORDERS_MAX ((UINT64_C(1) << 24) - 1) /* a level word counts 24 bits of orders */
#define BOOK_WATCHES_MAX 4096u

struct book_config {
	uint32_t instruments_max; /* gn_inst below this; 1 to BOOK_INSTRUMENTS_MAX; 4.2 KB each */
	uint64_t orders_max;      /* live orders, 1 to BOOK_ORDERS_MAX */
	uint64_t wide_max;        /* live orders that a record cannot tell; 0: a quarter of orders_max */
	size_t far_bytes;         /* for far levels, 16 bytes each; 0: 8 bytes an order */
	uint32_t watches_max;     /* orders whose queue position is followed; 0: 1024; at most BOOK_WATCHES_MAX */
	char market;              /* operational halts (GN_MD_HALT) of this market only; 0: of any */
	bool tolerate_gaps;       /* unknown references do not make a book stale: for captures that start mid-day */
	int node;                 /* NUMA node or GN_NODE_ANY */
};

/** What an event may have done wrong, in the words of the metrics. */
#define BOOK_COUNTERS(X)                                                                                \
	X(event, "events applied")                                                                      \
	X(order_add, "orders added, replacements included")                                             \
	X(trade, "trades printed")                                                                      \
	X(event_unknown, "events of an unknown kind, dropped")                                          \
	X(inst_unknown, "order events without a known instrument, dropped")                             \
	X(ref_unknown, "changes of an order that is not in the book, dropped")                          \
	X(ref_duplicate, "new orders under a reference in use, dropped")                                \
	X(ref_foreign, "changes of an order of another instrument, dropped")                            \
	X(side_bad, "orders of neither side, dropped")                                                  \
	X(px_bad, "orders with a price that is not positive or past the largest, dropped")              \
	X(qty_bad, "quantities that are not positive or past the largest, dropped")                     \
	X(qty_excess, "executions or reductions above the open quantity: the order is gone")            \
	X(order_wide, "orders kept in a wide record")                                                   \
	X(limit_order, "orders refused: orders_max live")                                               \
	X(limit_wide, "orders refused: wide_max wide records")                                          \
	X(limit_level, "orders refused: no room for far levels, or the sum of a level would overflow")  \
	X(stale, "times an instrument became stale because of what its book was told")                  \
	X(clear, "books cleared")

struct book_counters {
	BOOK_COUNTERS(GN_COUNTER_FIELD)
};

/** Why a book is what it is; GN_VIEW_* are derived from it. */
enum {
	BOOK_STALE_FEED = 1,  /* said by the feed, until GN_MD_FRESH or GN_MD_CLEAR and GN_MD_FRESH */
	BOOK_STALE_OWN = 2,   /* refused an order or met a contradiction, until GN_MD_CLEAR */
	BOOK_TRADING = 4,     /* last GN_MD_STATE was T */
	BOOK_HALTED = 8,      /* operational halt */
	BOOK_NO_SHORT = 16,
	BOOK_WATCHED = 32, /* at least one order is watched */
};

/** What every event of one instrument reads and writes: its first cache line, and that of the level. */
struct book {
	_Alignas(GN_LINE) struct levels levels[2]; /* of side - 1 */
	uint64_t ref_high; /* largest reference so far: a larger one came later than every order here */
	uint32_t seq;      /* events applied */
	uint16_t id;       /* stands in the records of its orders; 0: none yet */
	uint8_t state;     /* BOOK_* */
	uint8_t reserved;
	uint64_t near_sum[2][LEVELS_NEAR];
};
_Static_assert(offsetof(struct book, near_sum) == GN_LINE, "both sides share one cache line");
_Static_assert(sizeof(struct book) / GN_LINE % 2 == 1, "the touches of many books spread over all sets of a cache");

/** The rest of it. */
struct book_rest {
	struct ladder ladder[2];
	gn_px last_px;
	gn_qty last_qty;
	uint64_t volume;
	uint64_t n_late; /* orders that came under a reference below ref_high */
};

/** An order as handed out. */
struct book_order {
	uint64_t ref;
	gn_inst inst;
	gn_side side;
	gn_px px;
	gn_qty qty;
	uint64_t arrival[2]; /* smaller is earlier, compared as one 128-bit number; within one instrument */
};

struct book_queue {
	gn_qty qty_ahead;
	uint32_t orders_ahead;
};

struct book_bbo {
	gn_px bid_px, ask_px; /* 0: the side is empty */
	gn_qty bid_qty, ask_qty;
	uint32_t bid_orders, ask_orders;
};

struct book_wide; /* private */
struct book_watch;

struct book_set {
	struct book *book;      /* of each gn_inst */
	struct book_rest *rest; /* of each gn_inst */
	struct order_map map;
	struct arena far;
	struct book_wide *wide;
	uint32_t wide_free; /* first of the list of free wide records */
	struct book_config cfg;
	/* what the last book_apply() that returned BOOK_LEVELS changed: one side, of which the best level that differs */
	gn_side changed_side;
	int64_t changed_key;
	/* book numbers: a cleared book takes a new one, and records under the old one are dead until they are swept */
	uint16_t *id_free;
	uint32_t n_id_free;
	uint32_t *id_dead; /* of each number: dead records still in the map */
	uint64_t n_dead, sweep_at;
	struct book_watch *watch;
	uint32_t n_watches;
	struct book_counters n;
};

/** What book_apply() did, as bits. */
enum {
	BOOK_LEVELS = LEVELS_DEEP, /* some level of the instrument changed */
	BOOK_TOP = LEVELS_TOP & ~LEVELS_DEEP, /* and it was a best one */
	BOOK_TRADE = 4,  /* a trade printed */
	BOOK_STATE = 8,  /* stale, halted or no-short changed */
	BOOK_STATE_ALL = 16, /* of every instrument */
	BOOK_EVENT = 32, /* not an order: of interest to whoever asked for events */
};

/** Make the books. Cold; maps and touches all memory. 0 or -errno with gn_err_text(). */
int book_set_init(struct book_set *set, const struct book_config *cfg);
void book_set_fini(struct book_set *set);

/** Apply one event. Hot; the books' one thread. Returns BOOK_* bits. */
uint32_t book_apply(struct book_set *set, const struct gn_md *md);

/** Whether the last book_apply(), on inst, which returned BOOK_LEVELS, changed any of the first n levels. */
bool book_changed_within(const struct book_set *set, gn_inst inst, uint32_t n);

static inline struct levels_side book_side(const struct book_set *set, gn_inst inst, gn_side side)
{
	uint32_t s = (uint32_t)side - GN_BUY;
	struct book *b = &set->book[inst];

	return (struct levels_side){&b->levels[s], b->near_sum[s], &set->rest[inst].ladder[s], (struct arena *)&set->far};
}

/** Best prices; hot. inst below instruments_max here and below. */
static inline struct book_bbo book_bbo(const struct book_set *set, gn_inst inst)
{
	const struct book *b = &set->book[inst];
	struct level bid = levels_best(&b->levels[GN_BUY - GN_BUY], &set->rest[inst].ladder[GN_BUY - GN_BUY]);
	struct level ask = levels_best(&b->levels[GN_SELL - GN_BUY], &set->rest[inst].ladder[GN_SELL - GN_BUY]);

	return (struct book_bbo){
		.bid_px = {-bid.key},
		.ask_px = {ask.key},
		.bid_qty = level_qty(bid.sum),
		.ask_qty = level_qty(ask.sum),
		.bid_orders = level_orders(bid.sum),
		.ask_orders = level_orders(ask.sum),
	};
}

/** GN_VIEW_* as of now, without GN_VIEW_LAST. */
uint8_t book_flags(const struct book_set *set, gn_inst inst);

/** Fill a view with the first n (up to GN_VIEW_LEVELS_MAX) levels of md->inst, after the event md. `skipped` is 0. */
void book_view(const struct book_set *set, const struct gn_md *md, uint32_t n, struct gn_book_view *view);

/** The first n levels of a side, best first, any n: full depth. Returns how many there are, at most n. */
uint32_t book_levels(const struct book_set *set, gn_inst inst, gn_side side, struct level *out, uint32_t n);

/** Sum of one level (level_qty(), level_orders()), 0 when there is none. */
uint64_t book_level(const struct book_set *set, gn_inst inst, gn_side side, gn_px px);

/** Price of a level that book_levels() returned. */
static inline gn_px book_level_px(gn_side side, const struct level *level)
{
	return (gn_px){side == GN_BUY ? -level->key : level->key};
}

/** A live order. False: there is none under ref in the book of inst. */
bool book_order(const struct book_set *set, gn_inst inst, uint64_t ref, struct book_order *out);

/* --- book_queue.c: time priority --- */

/** Orders of one level, earliest first; at most max. Cold: visits every order. Returns how many there are. */
uint32_t book_level_orders(
	const struct book_set *set, gn_inst inst, gn_side side, gn_px px, struct book_order *out, uint32_t max);

/**
 * Follow the queue position of an order of our own, by the venue's reference.
 *
 * Cheap when ref has not come yet: the position is known for nothing when it comes. Cold when it has: visits every
 * order.
 *
 * @return
 *   0, -EEXIST when it is watched already, or -ENOSPC at watches_max.
 */
int book_watch(struct book_set *set, gn_inst inst, uint64_t ref);

/** Stop following. */
void book_unwatch(struct book_set *set, uint64_t ref);

/** What is ahead of a live order. Watched: a search among the watches; not watched: cold. False: no such order. */
bool book_queue(const struct book_set *set, gn_inst inst, uint64_t ref, struct book_queue *out);

/** Give back what cleared books left in the map; looks at n places. Called now and then while set->n_dead is not 0. */
void book_sweep(struct book_set *set, uint64_t n);

#endif
