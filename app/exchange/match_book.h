/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MATCH_BOOK_H
#define MATCH_BOOK_H

/**
 * @file
 * The matching engine's memory: orders in queues, queues in levels, levels in ladders. Private to match*.c.
 */

#include "app/exchange/ladder.h"
#include "app/exchange/match.h"

#define MATCH_NONE UINT32_MAX
#define MATCH_PX_TOP UINT32_MAX

/** Displayed orders, then hidden ones: the index of their queue in a level. */
enum { MATCH_QUEUE_SHOWN = 0, MATCH_QUEUE_HIDDEN = 1, MATCH_QUEUES = 2 };

struct match_queue {
	uint64_t qty;
	uint32_t head, tail; /* order slots */
	uint32_t n;
	uint32_t reserved;
};

struct match_level {
	struct match_queue queue[MATCH_QUEUES];
	uint32_t key; /* ladder_key() of its price */
	uint32_t next_free;
};

struct match_book {
	struct ladder side[2]; /* of buys, of sells */
	enum match_state state;
};

struct match {
	struct match_config config;
	struct match_sink sink;
	struct match_order *order;
	struct match_level *level;
	struct match_book *book;
	struct ladder_arena arena;
	size_t order_bytes, level_bytes, book_bytes;
	uint32_t order_free, level_free;
	uint64_t refs, matches;
	struct match_counts n;
};

static inline struct ladder *match_ladder(const struct match *m, gn_inst inst, gn_side side)
{
	return &m->book[inst].side[side - GN_BUY];
}

static inline struct match_queue *match_queue(const struct match *m, const struct match_order *o)
{
	return &m->level[o->level].queue[o->flags & MATCH_HIDDEN ? MATCH_QUEUE_HIDDEN : MATCH_QUEUE_SHOWN];
}

/** First order to trade of a level, or NULL. */
static inline struct match_order *match_first(const struct match *m, uint32_t level)
{
	const struct match_queue *q = m->level[level].queue;
	uint32_t slot = q[MATCH_QUEUE_SHOWN].n ? q[MATCH_QUEUE_SHOWN].head : q[MATCH_QUEUE_HIDDEN].head;

	return slot == MATCH_NONE ? NULL : &m->order[slot];
}

/** First order to trade of a side, or NULL. */
static inline struct match_order *match_top(const struct match *m, gn_inst inst, gn_side side)
{
	const struct ladder *l = match_ladder(m, inst, side);

	return l->n ? match_first(m, l->rung[l->n - 1].level) : NULL;
}

/** Memory for the configured number of orders. 0 or -errno. */
int match_book_init(struct match *m);
void match_book_fini(struct match *m);

/** A free record with a new reference; NULL: all are taken. */
struct match_order *match_order_take(struct match *m, const struct match_ask *ask);
void match_order_give(struct match *m, struct match_order *o);

/** Put an order last in its queue. False: no room for its price. */
bool match_link(struct match *m, struct match_order *o);
/** Take an order out of its queue; the order's own fields stay as they are. */
void match_unlink(struct match *m, struct match_order *o);

/** Take qty off an order that rests, and out of the book when nothing is left (the record stays until it is given back). */
static inline void match_shrink(struct match *m, struct match_order *o, uint32_t qty)
{
	if (qty == o->qty) {
		match_unlink(m, o);
		o->qty = 0;
		return;
	}
	match_queue(m, o)->qty -= qty;
	o->qty -= qty;
}

#endif
