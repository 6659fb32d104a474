/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

/** @file What a person sees of a running engine: one live line, and tables at the end. */

#include <stdio.h>

#include "engine.h"

struct live {
	uint64_t start_ns;
	uint64_t next_ns;
	bool terminal; /* rewrite the line in place */
	uint64_t from_ns, to_ns; /* the window that --seconds is about; 0: not begun, not over */
	uint64_t from_messages, to_messages;
};

/** Words go to standard error; on a terminal the line is rewritten, else a new one is printed each second. */
void live_begin(struct live *l);

/** Print the line when it is time to. */
void live_tick(struct live *l, const struct engine *e);

/** The seconds of --seconds begin; how many messages of market data came in them is known when they have ended. */
void live_window_begin(struct live *l, const struct engine *e);
void live_window_end(struct live *l, const struct engine *e);

/** Leave the line. */
void live_end(struct live *l);

/** Counts of the day, profit and loss by strategy, refusals. */
void live_print_counts(const struct engine *e, double seconds, FILE *out);

/** Every published number that is not zero. */
void live_print_stats(const struct engine *e, FILE *out);

#endif
