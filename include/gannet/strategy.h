/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_STRATEGY_H
#define GANNET_STRATEGY_H

/**
 * @file
 * The strategy ABI: a strategy is a shared object that exports one symbol, gn_strategy_v1, through GN_STRATEGY().
 *
 * Every callback runs on one pinned thread and must not block, allocate or call the kernel after init. Both
 * structures carry their size: members are only ever appended, and a side tests `.size` before it uses one that the
 * other may lack.
 */

#include "book_view.h"
#include "md.h"
#include "order.h"

#define GN_STRATEGY_ABI 1u /* a layout change makes v2; appending a member only grows .size */

/** What is known of an instrument. */
struct gn_instrument {
	gn_symbol symbol;
	gn_inst inst;
	uint32_t round_lot;
	gn_px tick;
	uint32_t venue_id;
	char authenticity; /* 'P' live, 'T' test; 0 not yet announced by the venue */
	char reserved[3];
};
_Static_assert(sizeof(struct gn_instrument) == 32, "layout is part of the ABI");

/** Engine side. Every function is for the strategy's own callbacks only. Members past .size are absent in this engine. */
struct gn_host {
	uint32_t abi, size;
	void *engine; /* pass back unchanged */
	/**
	 * Ask for a new order or a replacement. The engine fills oid and strategy; risk decides.
	 *
	 * @return the order's id, or 0: nothing was sent (link full, too many in one callback, quarantined).
	 */
	gn_oid (*send)(void *engine, const struct gn_order_req *req);
	/** Ask to cancel all of an order. False: nothing was sent. */
	bool (*cancel)(void *engine, gn_oid oid);
	/** Ask for on_timer() at or after at_ns; one timer a strategy, a new call takes the place of the old one. */
	void (*timer)(void *engine, uint64_t at_ns);
	/** Now, since the Unix epoch; in a backtest, the simulated time. */
	uint64_t (*now_ns)(void *engine);
	/** Instrument by index; NULL when there is none. Valid until the next call. */
	const struct gn_instrument *(*instrument)(void *engine, gn_inst inst);
	/** Instrument by symbol; NULL when the engine does not know it. */
	const struct gn_instrument *(*find)(void *engine, gn_symbol symbol);
	/** Record one line; for init and fini only. */
	void (*say)(void *engine, const char *text);
};

/** Strategy side. Callbacks other than init may be NULL. */
struct gn_strategy {
	uint32_t abi, size;
	const char *name;
	size_t state_bytes; /* zeroed, on the strategy core's NUMA node, owned by the engine */
	int (*init)(void *state, const struct gn_host *host, const char *params); /* non-zero refuses to start */
	void (*on_book)(void *state, const struct gn_book_view *view);
	void (*on_exec)(void *state, const struct gn_exec *exec);
	void (*on_timer)(void *state, uint64_t now_ns);
	void (*fini)(void *state);
	void (*on_event)(void *state, const struct gn_md *event); /* every event that is not a plain book change */
};
_Static_assert(offsetof(struct gn_strategy, fini) == 56, "v1 layout is frozen");

#define GN_STRATEGY(...)                                                                   \
	extern const struct gn_strategy gn_strategy_v1;                                    \
	__attribute__((visibility("default"))) const struct gn_strategy gn_strategy_v1 = { \
		.abi = GN_STRATEGY_ABI, .size = sizeof(struct gn_strategy), __VA_ARGS__}

#endif
