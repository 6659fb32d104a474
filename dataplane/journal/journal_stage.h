/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_STAGE_H
#define JOURNAL_STAGE_H

/**
 * @file
 * The journal's stage, for a cold core: in `risk_journal`, `gateway_journal` (struct gn_journal_msg, rings); no link out.
 */

#include <stdatomic.h>

#include "dataplane/runtime/stage.h"
#include "journal.h"

/** What others may know of the journal while it runs. Written by the journal's thread, read by any. */
struct journal_health {
	_Atomic bool refusing; /* no room is left, or soon will be: new orders must be refused, cancels pass */
	_Atomic uint64_t n_records, n_lost;
};

struct journal_stage_config {
	struct journal_config file;
	struct journal_health *health; /* where to publish it; or NULL */
};

extern const struct gn_stage gn_stage_journal;

#endif
