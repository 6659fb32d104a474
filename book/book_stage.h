/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_BOOK_STAGE_H
#define GN_BOOK_STAGE_H

/**
 * @file
 * The book as a stage: events of one feed in, views out to the strategies that want them, best prices to the board.
 *
 * In: `feed_book` (struct gn_md). Out: `book_strategy`, link N belongs to strategy N: a struct gn_book_view when the
 * levels that the strategy sees changed, a trade printed or the instrument's state changed; the struct gn_md itself for
 * what is not an order, when it asked for events. These links are lossy by try-send, so a slow strategy never stalls
 * the book. With BOOK_DELIVER_ALL a full ring quarantines it: it gets nothing more and its bit is set in
 * book_stage_quarantined(). With BOOK_DELIVER_LATEST the instrument is pending: one view of its latest state follows
 * when there is room, with the number of views left out; events that find no room are counted as skipped.
 */

#include "book.h"
#include "dataplane/runtime/stage.h"

enum book_delivery { BOOK_DELIVER_ALL, BOOK_DELIVER_LATEST };

/** What one strategy wants. */
struct book_subscription {
	bool all;             /* every instrument; else those in inst */
	const gn_inst *inst;  /* read during init only */
	uint32_t n_inst;
	uint32_t depth;       /* levels a view carries, 1 to GN_VIEW_LEVELS_MAX */
	bool wants_events;    /* of its instruments, and those of no instrument */
	enum book_delivery delivery;
};

/** What env->config of the stage points to. */
struct book_stage_config {
	struct book_config book; /* instruments_max at most the board's; node is taken from env */
	const struct book_subscription *strategy; /* strategy N has link N; read during init only */
	uint32_t n_strategies; /* as many as there are book_strategy links */
};

extern const struct gn_stage gn_stage_book;

/** Strategies in quarantine, bit N for strategy N. ctx: of the stage. Any thread. */
uint64_t book_stage_quarantined(const void *ctx);

/** Let a strategy have views again, after it was restarted. Any thread; takes effect with the next housekeeping. */
void book_stage_release(void *ctx, uint32_t strategy);

/** The books, for tests and for tools that run on the stage's own thread. */
struct book_set *book_stage_set(void *ctx);

#endif
