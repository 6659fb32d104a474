/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_WIRING_H
#define GN_WIRING_H

/**
 * @file
 * Wiring: which stages there are, on which thread each runs, and which links join them. Cold path.
 *
 * Built in order (stages, links, seal), and checked as a whole before any thread starts: both ends of a link know it,
 * direct calls make no cycle, nothing dangles, and every ring can take the longest burst that one call can cause.
 */

#include "stage.h"
#include "stats.h"
#include "trace.h"

struct gn_wiring;

struct gn_link_config {
	uint32_t depth; /* 0: as deep as the worst burst asks, at least GN_LINK_DEPTH_DEFAULT */
	bool back;      /* a ring even when both ends share a thread: closes a loop of the pipeline */
	bool lossy;     /* the sender uses gn_link_try_send(): it asks for room itself, message by message */
};

#define GN_LINK_DEPTH_DEFAULT 1024u
#define GN_THREADS_MAX 64u

/**
 * @param stats
 *   Where counters are published; not yet sealed. The wiring seals it.
 */
struct gn_wiring *gn_wiring_new(struct gn_instruments *instruments, struct gn_board *board, struct gn_stats *stats);

/** Runs fini of every stage that was initialised and frees all. No thread may run. NULL is allowed. */
void gn_wiring_free(struct gn_wiring *w);

/**
 * Add a stage.
 *
 * @param instance
 *   Its unique name, e.g. "feed0"; copied.
 * @param thread
 *   Dense index of the thread that will run it, below GN_THREADS_MAX. Stages of a thread run in the order of adding.
 * @param config
 *   Passed to init as env->config; must stay valid until then.
 */
int gn_wiring_stage(struct gn_wiring *w, const struct gn_stage *stage, const char *instance, uint32_t index,
	uint32_t thread, int node, const void *config);

/** Join two stages. The order of adding is the order of gn_env_links() and of the reader's `from`. */
int gn_wiring_link(struct gn_wiring *w, const char *kind, const char *from, const char *to,
	const struct gn_link_config *config);

/** Check everything, make rings and contexts, run every init. 0 or -errno with gn_err_text(). */
int gn_wiring_seal(struct gn_wiring *w);

/** Number of threads: one more than the highest index in use. */
uint32_t gn_wiring_threads(const struct gn_wiring *w);

/** Context of a stage by instance name; NULL when there is none. For the accessors that stages offer to the engine. */
void *gn_wiring_ctx(const struct gn_wiring *w, const char *instance);

/** One line a stage and one a link, as wired; for people. */
void gn_wiring_describe(const struct gn_wiring *w, void (*line)(void *arg, const char *text), void *arg);

/** One piece of memory, and the NUMA node that it was meant for. */
typedef void gn_wiring_memory_fn(void *arg, const char *owner, const void *mem, size_t bytes, int node);

/** Every context, ring and trace, for whoever checks where they lie; after seal. */
void gn_wiring_memory(const struct gn_wiring *w, gn_wiring_memory_fn *fn, void *arg);

/** The trace ring of a thread; after seal. */
struct gn_trace *gn_wiring_trace(const struct gn_wiring *w, uint32_t thread);

/** What one thread runs; private to wiring.c and runner.c. */
struct gn_runner_in {
	struct gn_spsc *ring;
	gn_on_msg_fn *on_msg;
	gn_hint_fn *hint;
	uint32_t from;
	uint64_t n_read;
	uint64_t depth_max; /* most messages found waiting at a turn, up to the budget of one turn */
	uint32_t stat;
};

struct gn_runner_node {
	const struct gn_stage *stage;
	void *ctx;
	struct gn_runner_in *in;
	struct gn_link_need *need; /* what one call of this stage can fill */
	uint32_t n_in, n_need;
	uint64_t n_work;       /* calls of on_msg and of poll that did something */
	uint64_t ticks_work;
	uint64_t ticks_longest; /* longest turn */
	uint64_t n_long;       /* turns longer than GN_LONG_TURN_US */
	uint64_t n_blocked;    /* turns in which a link had no credit */
	uint32_t n_counters;
	uint32_t stat; /* first word of this stage in stats */
};

struct gn_runner_out {
	const struct gn_link *link;
	uint32_t stat;
};

struct gn_runner_thread {
	struct gn_runner_node *node;
	uint32_t n_nodes;
	struct gn_runner_out *out;
	uint32_t n_outs;
	struct gn_trace *trace;
	struct gn_stats *stats;
	bool owed; /* something waits in a ring that this thread both writes and reads */
	uint64_t n_turns, ticks_idle, ticks_work, ticks_blocked;
	uint32_t stat;
};

struct gn_runner_thread *gn_wiring_thread(const struct gn_wiring *w, uint32_t thread);

#endif
