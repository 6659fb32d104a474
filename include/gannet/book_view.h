/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_BOOK_VIEW_H
#define GANNET_BOOK_VIEW_H

/**
 * @file
 * What may be seen of a book: book > strategy.
 *
 * A view is a value, complete in itself: it crosses a ring or a process boundary unchanged. Only the first
 * `n_levels` entries of `level` are sent, so a strategy that asks for one level pays for one.
 */

#include "md.h"

#define GN_VIEW_LEVELS_MAX 10u

/** One price level of both sides. A side that has no such level shows px.e9 = 0, qty = 0 and n_orders = 0. */
struct gn_view_level {
	gn_px bid_px, ask_px;
	gn_qty bid_qty, ask_qty;
	uint32_t bid_orders, ask_orders;
};

/** Bits of gn_book_view.flags. */
enum {
	GN_VIEW_STALE = 1,    /* the book may be wrong: do not open exposure on it */
	GN_VIEW_HALTED = 2,   /* the venue does not trade it now */
	GN_VIEW_LOCKED = 4,   /* best bid equals best ask */
	GN_VIEW_CROSSED = 8,  /* best bid above best ask */
	GN_VIEW_LAST = 16,    /* last event of its datagram */
	GN_VIEW_NO_SHORT = 32 /* short-sale price test in effect */
};

/** The top of one instrument's book after one event. */
struct gn_book_view {
	gn_inst inst;
	uint8_t cause; /* enum gn_md_kind of the event behind this view */
	gn_side side;  /* its side */
	uint8_t n_levels;
	uint8_t flags;    /* GN_VIEW_* */
	uint64_t rx_tsc;  /* of the event: trace id */
	uint64_t exch_ns; /* of the event */
	uint64_t seq;     /* events applied to this book so far */
	gn_px last_px;    /* last printed trade, 0 before the first */
	gn_qty last_qty;
	uint32_t skipped; /* views of this instrument that conflation left out before this one */
	uint32_t reserved;
	uint64_t volume; /* printed so far today */
	struct gn_view_level level[GN_VIEW_LEVELS_MAX];
};
_Static_assert(offsetof(struct gn_book_view, level) == 64, "the head of a view is one cache line");

/** Bytes of a view that carries n_levels levels. */
static inline uint32_t gn_book_view_bytes(uint32_t n_levels)
{
	return (uint32_t)(offsetof(struct gn_book_view, level) + n_levels * sizeof(struct gn_view_level));
}

#endif
