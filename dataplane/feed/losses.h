/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_LOSSES_H
#define FEED_LOSSES_H

/**
 * @file
 * What was lost for good, and which instruments that can have hurt.
 *
 * Nobody knows whom a lost message concerned, so while one is missing every instrument of the feed may be wrong. A
 * message that still comes, too late to be applied, tells: when every lost one has been seen, the instruments that
 * none of them touched are proven right, and exactly the others are not.
 */

#include <stdbool.h>
#include <stdint.h>

#include "symbols.h"

#define LOSSES_RANGES 64u

enum {
	LOSSES_STALE = 1,   /* the book was told to be stale, and has not been told to be fresh since */
	LOSSES_TOUCHED = 2, /* a lost message is known to have concerned it */
	/* while books are built anew from a snapshot: */
	LOSSES_REBUILD = 4,   /* this one is */
	LOSSES_LISTED = 8,    /* the snapshot has a directory message of it */
	LOSSES_HAS_STATE = 16, /* and a trading state */
};

struct losses_range {
	uint64_t from, to;
};

struct losses {
	struct losses_range range[LOSSES_RANGES]; /* still not seen */
	uint32_t n_ranges;
	bool unprovable;  /* more ranges than there is room for: only a snapshot or a new session helps */
	uint32_t n_touched;
	uint8_t mark[SYMBOLS_LOCATES]; /* LOSSES_* by locate */
};

/** Forget everything: nothing is stale, nothing is lost. */
void losses_reset(struct losses *l);

/** Every instrument is stale. */
void losses_all_stale(struct losses *l);

/** All that was lost has been seen: what it did not touch is right. */
void losses_untouched_fresh(struct losses *l);

/** Stale books are about to be cleared: from here on late messages prove nothing about them. */
void losses_rebuild(struct losses *l);

/** Messages [from, to) are lost. */
void losses_add(struct losses *l, uint64_t from, uint64_t to);

/** A message that may be among the lost ones. @return whether it was. */
bool losses_see(struct losses *l, uint64_t seq, const uint8_t *msg, uint32_t bytes);

/** Has every lost message been seen? */
static inline bool losses_proven(const struct losses *l)
{
	return l->n_ranges == 0 && !l->unprovable;
}

/** Smallest range that holds all that is missing; empty when nothing is. */
struct losses_range losses_envelope(const struct losses *l);

#endif
