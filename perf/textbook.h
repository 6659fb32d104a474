/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PERF_TEXTBOOK_H
#define PERF_TEXTBOOK_H

/**
 * @file
 * The book that a competent engineer writes first: a hash map of orders by reference, a balanced tree of price levels
 * per side, a list of orders per level. What the benchmark compares the real book with.
 */

#include <gannet/md.h>

struct textbook;

struct textbook_top {
	int64_t px_e9, qty;
	uint32_t n_orders;
};

struct textbook *textbook_new(uint32_t n_instruments);
void textbook_free(struct textbook *t);
void textbook_apply(struct textbook *t, const struct gn_md *md);

/** Best level; zeroes when the side is empty. */
struct textbook_top textbook_best(const struct textbook *t, gn_inst inst, gn_side side);

#endif
