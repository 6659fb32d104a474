/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_VIEW_H
#define JOURNAL_VIEW_H

/**
 * @file
 * What a journal says of orders, fills and positions, in the very form in which the simulated exchange writes its ledger
 * (app/exchange/ledger.h). Cold path.
 *
 * Orders count once the venue has answered them: what it never saw has no place in its ledger either.
 */

#include <stdio.h>

#include "dataplane/journal/journal_reader.h"

enum view_state { VIEW_ASKED = 0, VIEW_OPEN, VIEW_REJECTED, VIEW_UNSENT };

struct view_order {
	gn_oid oid;
	gn_oid oid_prev; /* of a replacement */
	gn_inst inst; /* index of .symbol; GN_INST_NONE: unknown */
	gn_side side;
	uint8_t state; /* enum view_state */
	uint32_t session; /* UINT32_MAX: its way to the venue is not in the journal */
	int64_t qty, px_e9, filled, canceled;
};

struct view_fill {
	gn_oid oid;
	uint64_t match;
	int64_t qty, px_e9;
	bool broken;
};

struct journal_view {
	struct view_order *order;
	size_t n_orders, orders_room;
	uint32_t *slot; /* order index + 1, by hash of oid */
	size_t n_slots; /* a power of two */
	struct view_fill *fill;
	size_t n_fills, fills_room;
	gn_symbol *symbol; /* each once, as first met: every run of the engine may number them anew */
	size_t n_symbols, symbols_room;
	uint32_t *inst; /* by the instrument's number in the journal, as last defined: index in .symbol + 1, 0: none */
	size_t n_insts;
	char (*account)[GN_JOURNAL_TEXT_BYTES]; /* by session */
	size_t n_accounts;
	uint32_t session_strategy[GN_STRATEGIES_MAX]; /* over which its orders went, as last sent; UINT32_MAX: none was */
	uint64_t seq_strategy[GN_STRATEGIES_MAX]; /* highest number of a venue's message about its orders */
	gn_oid oid_strategy[GN_STRATEGIES_MAX];   /* highest order id, refused ones included; 0: none */
	char session[GN_STRATEGIES_MAX][11];      /* by session: the venue's name of it, as last logged in to */
	uint64_t n_records, n_unknown; /* unknown: reports that name no order */
	bool closed, torn;             /* of the last file */
};

/**
 * Read a journal.
 *
 * @return
 *   0, or -errno with gn_err_text(): it cannot be read, or is damaged. journal_view_free() in any case.
 */
int journal_view_load(struct journal_view *v, const char *path);

/** The order of an id; NULL: there is none. */
const struct view_order *journal_view_order(const struct journal_view *v, gn_oid oid);

/** Write the lines of a ledger, in its order. 0 or -errno. */
int journal_view_print(const struct journal_view *v, FILE *to);

void journal_view_free(struct journal_view *v);

#endif
