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

struct recovery {
	struct journal_view view;
	gn_inst *inst; /* by the journal's index: that of the same symbol now */
	struct account_asked *asked[GN_STRATEGIES_MAX]; /* by account */
	size_t n_asked[GN_STRATEGIES_MAX];
};

/**
 * Read a journal.
 *
 * @param instruments
 *   Gets the journal's symbols that it does not have; their order may differ from the journal's.
 * @param fact
 *   Called for every message of risk's, in order, with instruments as they are numbered now; a negative return stops it.
 * @return
 *   0, also when there is no journal yet; -errno with gn_err_text(). recovery_free() in any case.
 */
int recovery_load(struct recovery *r, const char *path, struct gn_instruments *instruments,
	int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg);

/** Fill in what account `index`, over which these strategies trade, must know of before. Points into r. 0 or -errno. */
int recovery_account(struct recovery *r, uint32_t index, uint64_t strategies, struct account_config *account);

void recovery_free(struct recovery *r);

#endif
