/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_BOARD_H
#define GN_BOARD_H

/**
 * @file
 * The board: best prices, last trade and state of every instrument, written by its book, read by anyone.
 *
 * One line pair an instrument. Risk reads it when an order comes (price collar, stale, halted, mark to market), so no
 * ring has to carry every change of every book to it.
 */

#include <gannet/types.h>

#include "compiler.h"

/** Bits of gn_quote.flags: the same as gn_book_view's STALE, HALTED, LOCKED, CROSSED, NO_SHORT. */
struct gn_quote {
	gn_px bid, ask, last; /* 0: there is none */
	uint32_t flags;
	uint64_t tsc; /* rx_tsc of the event behind it; 0: never written */
};

struct gn_board_entry {
	GN_OWNED_BY(book) _Atomic uint32_t version; /* odd while it is being written */
	_Atomic uint32_t flags;
	_Atomic int64_t bid_e9, ask_e9, last_e9;
	_Atomic uint64_t tsc;
};

struct gn_board {
	uint32_t max;
	struct gn_board_entry *entry;
};

/** Make room for `max` instruments. Cold. 0 or -errno. */
int gn_board_init(struct gn_board *b, uint32_t max, int node);
void gn_board_fini(struct gn_board *b);

/** Publish the quote of inst (below max). The one thread whose book holds inst. Wait-free. */
static inline void gn_board_write(struct gn_board *b, gn_inst inst, const struct gn_quote *q)
{
	struct gn_board_entry *e = &b->entry[inst];
	uint32_t v = atomic_load_explicit(&e->version, memory_order_relaxed);

	atomic_store_explicit(&e->version, v + 1, memory_order_relaxed);
	/* release stores below pair with the acquire loads in gn_board_read(): whoever sees a new word sees the odd version */
	atomic_store_explicit(&e->flags, q->flags, memory_order_release);
	atomic_store_explicit(&e->bid_e9, q->bid.e9, memory_order_release);
	atomic_store_explicit(&e->ask_e9, q->ask.e9, memory_order_release);
	atomic_store_explicit(&e->last_e9, q->last.e9, memory_order_release);
	atomic_store_explicit(&e->tsc, q->tsc, memory_order_release);
	atomic_store_explicit(&e->version, v + 2, memory_order_release);
}

/** The last price as published, for whoever writes the next quote: its own word, in the line that it will write. */
static inline gn_px gn_board_last(const struct gn_board *b, gn_inst inst)
{
	return (gn_px){atomic_load_explicit(&b->entry[inst].last_e9, memory_order_relaxed)};
}

/** Read the quote of inst (below max). Any thread; retries while the writer is in between. */
static inline struct gn_quote gn_board_read(const struct gn_board *b, gn_inst inst)
{
	struct gn_board_entry *e = &b->entry[inst];
	struct gn_quote q;
	uint32_t v;

	do {
		v = atomic_load_explicit(&e->version, memory_order_acquire);
		q.flags = atomic_load_explicit(&e->flags, memory_order_acquire);
		q.bid.e9 = atomic_load_explicit(&e->bid_e9, memory_order_acquire);
		q.ask.e9 = atomic_load_explicit(&e->ask_e9, memory_order_acquire);
		q.last.e9 = atomic_load_explicit(&e->last_e9, memory_order_acquire);
		q.tsc = atomic_load_explicit(&e->tsc, memory_order_acquire);
	} while (gn_unlikely((v & 1) || v != atomic_load_explicit(&e->version, memory_order_relaxed)));
	return q;
}

#endif
