/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_STAGE_H
#define GN_STAGE_H

/**
 * @file
 * What a stage declares of itself, once, at the bottom of its file, and what the engine gives it at start.
 *
 * A stage runs on one thread. It never fails half-way and never drops: before the runner calls on_msg or poll, every
 * link that the call can reach has room for the declared burst.
 */

#include "counters.h"
#include "link.h"

struct gn_env;

/** An incoming link by its kind, e.g. "rx_feed"; there may be several of a kind. */
struct gn_inlet {
	const char *link;
	gn_on_msg_fn *on_msg;
	uint32_t msg_bytes_max;
	gn_hint_fn *hint; /* or NULL */
	uint32_t burst;   /* most messages one on_msg may send over any one link; 0: the stage's burst */
};

struct gn_stage {
	const char *name; /* the same word in config, metrics, logs and the thread name */
	size_t ctx_bytes;
	uint32_t burst;            /* most messages one on_msg or one poll may send over any one link */
	const struct gn_inlet *in; /* ends with {0} */
	const char *const *out;    /* kinds of outgoing links, ends with NULL */
	const struct gn_counter *counters; /* ends with {0} */
	size_t counters_offset;    /* of the words in the context */
	int (*init)(void *ctx, const struct gn_env *env); /* cold, before any thread runs; 0 or -errno */
	/**
	 * Sources and timers: do one unit of work (one packet, one timer) and return whether there was one. Called in
	 * every turn of the loop, again while it returns true, with a bound.
	 */
	bool (*poll)(void *ctx);
	void (*housekeeping)(void *ctx, uint64_t now_tsc); /* about every millisecond, on the stage's thread; bounded */
	void (*fini)(void *ctx);                           /* cold, after every thread has stopped */
};

struct gn_instruments;
struct gn_board;

/** What a stage is given by init. The pointers stay valid until fini. */
struct gn_env {
	const char *instance; /* "feed0" */
	uint32_t index;       /* 0 */
	int node;             /* NUMA node of its core, or GN_NODE_ANY */
	const void *config;   /* the stage's own configuration; its type stands in the stage's header */
	struct gn_instruments *instruments;
	struct gn_board *board;
	const struct gn_wiring *wiring; /* private to gn_env_links() */
};

/**
 * The outgoing links of a kind, in wiring order.
 *
 * @return
 *   Array of *n pointers, valid until fini; *n may be 0.
 */
struct gn_link *const *gn_env_links(const struct gn_env *env, const char *kind, uint32_t *n);

/** The only outgoing link of a kind; NULL with gn_err_text() when there is not exactly one. */
struct gn_link *gn_env_link(const struct gn_env *env, const char *kind);

#endif
