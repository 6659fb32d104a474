/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_TRACE_H
#define GN_TRACE_H

/**
 * @file
 * Where the nanoseconds go: each hop of an event leaves a 32-byte stamp in an overwriting ring of its core.
 *
 * Stamps of one event are joined by their id, which is the rx_tsc that the event carries through every message. On
 * costs one time-stamp read and one line written; off costs one predicted branch.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

/** Hops in pipeline order. */
#define GN_HOPS(X)                                                \
	X(RX, "rx", "datagram returned by the port")              \
	X(FEED, "feed", "datagram accepted by the arbiter")       \
	X(BOOK, "book", "view handed to a strategy")              \
	X(STRATEGY, "strategy", "order request made")             \
	X(RISK, "risk", "request accepted")                       \
	X(GATEWAY, "gateway", "message encoded, handed to TCP")   \
	X(TX, "wire", "frame accepted by the port")               \
	X(REPORT, "report", "report handed to the strategy")

#define GN_HOP_NAME(name, word, help) GN_HOP_##name,
enum gn_hop { GN_HOPS(GN_HOP_NAME) GN_HOP_COUNT };
#undef GN_HOP_NAME

/** One stamp, as a reader gets it. */
struct gn_stamp {
	uint64_t id;  /* rx_tsc of the event; unique per datagram */
	uint64_t tsc; /* now */
	uint64_t arg; /* order id where there is one; of rx: the port's own time stamp, 0 when it has none */
	uint32_t hop; /* enum gn_hop */
	uint32_t inst;
};

/** The same in the ring: words, so that a reader that is overtaken sees old or new, and no data race. */
struct gn_stamp_words {
	_Atomic uint64_t id, tsc, arg, hop_inst;
};
static_assert(sizeof(struct gn_stamp_words) == 32, "two stamps a line");

#define GN_TRACE_STAMPS (1u << 16)

/** One core's ring. Written by that core's thread; a reader copies and then checks that it was not overtaken. */
struct gn_trace {
	GN_OWNED_BY(core) _Atomic uint64_t n; /* stamps ever written */
	bool on;
	GN_OWNED_BY(core_stamps) struct gn_stamp_words stamp[GN_TRACE_STAMPS];
};

/** The calling thread's ring, set by the runner; NULL: this thread does not trace. */
extern _Thread_local struct gn_trace *gn_trace_here;

/** Leave a stamp with a time that the caller already has. */
static inline void gn_trace_stamp_at(enum gn_hop hop, uint64_t id, uint32_t inst, uint64_t arg, uint64_t tsc)
{
	struct gn_trace *t = gn_trace_here;

	if (gn_unlikely(!t || !t->on))
		return;
	uint64_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
	struct gn_stamp_words *s = &t->stamp[n % GN_TRACE_STAMPS];
	atomic_store_explicit(&s->id, id, memory_order_relaxed);
	atomic_store_explicit(&s->tsc, tsc, memory_order_relaxed);
	atomic_store_explicit(&s->arg, arg, memory_order_relaxed);
	atomic_store_explicit(&s->hop_inst, (uint64_t)hop << 32 | inst, memory_order_relaxed);
	/* release pairs with the acquire in gn_trace_read(): a counted stamp is complete */
	atomic_store_explicit(&t->n, n + 1, memory_order_release);
}

/** Leave a stamp: `id` reached `hop` now. Hot path. */
static inline void gn_trace_stamp(enum gn_hop hop, uint64_t id, uint32_t inst, uint64_t arg)
{
	if (gn_trace_here && gn_likely(gn_trace_here->on))
		gn_trace_stamp_at(hop, id, inst, arg, gn_tsc());
}

/**
 * Copy stamps that came since *cursor. Any one cold thread a ring.
 *
 * @param lost
 *   Grows by the number of stamps that were overwritten before they could be read.
 * @return
 *   Number of stamps in out.
 */
size_t gn_trace_read(const struct gn_trace *t, uint64_t *cursor, struct gn_stamp *out, size_t out_max, uint64_t *lost);

/** Word of a hop, as shown to people. */
const char *gn_hop_word(enum gn_hop hop);

#endif
