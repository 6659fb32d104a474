/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECOVER_H
#define RECOVER_H

/**
 * @file
 * What a restart takes from the journal: the facts for risk, in their order; and for each order session where its
 * replay begins to be news, and which orders were under way. Cold path, before any thread runs.
 */

#include "app/journal_view.h"
#include "dataplane/gateway/account.h"
#include "dataplane/runtime/instruments.h"

struct recover {
	const char *path;
	struct gn_instruments *instruments;
	struct journal_view view;
	gn_inst *inst; /* by the view's symbol: its index now */
	struct account_asked *asked[GN_STRATEGIES_MAX]; /* by account */
	size_t n_asked[GN_STRATEGIES_MAX];
};

/** A position as the journal's fills make it. */
struct recover_position {
	uint32_t strategy;
	gn_inst inst; /* as instruments are numbered now */
	gn_qty qty;
};

/**
 * Read a journal.
 *
 * @param path
 *   Must stay valid until recover_free().
 * @param instruments
 *   Gets the journal's symbols that it does not have; their order may differ from the journal's.
 * @return
 *   0, also when there is no journal yet (r->view.n_records is 0); -errno with gn_err_text(). recover_free() in any case.
 */
int recover_load(struct recover *r, const char *path, struct gn_instruments *instruments);

/**
 * Hand on every message of risk's, in order, with instruments as they are numbered now.
 *
 * @param fact
 *   A negative return stops it.
 */
int recover_facts(const struct recover *r, int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg);

/** Fill in what account `index`, over which these strategies trade, must know of before. Points into r. 0 or -errno. */
int recover_account(struct recover *r, uint32_t index, uint64_t strategies, struct account_config *account);

/**
 * Count from which a strategy's order ids go on. Far above the last in the journal, so that none is used twice which
 * was sent and did not get into the journal any more. 0: there was no journal.
 */
uint64_t recover_oid_count(const struct recover *r, uint32_t strategy);

/**
 * Positions of all strategies by the journal's fills, broken ones left out; flat ones too, where there was a fill.
 *
 * @return
 *   Number of entries of *out, which the caller frees; -errno with gn_err_text().
 */
ssize_t recover_positions(const struct recover *r, struct recover_position **out);

void recover_free(struct recover *r);

#endif
