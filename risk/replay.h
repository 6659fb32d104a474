/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_REPLAY_H
#define RISK_REPLAY_H

/**
 * @file
 * After a restart: the journal, read from its beginning, makes the same orders, positions, limits and kill switches.
 *
 * Begin, every message in its order, end; then the stage may run. Nothing is sent or journaled meanwhile, and no rule
 * trips: what tripped stands in the journal. Cold, between init and the first request.
 */

#include "risk.h"

void risk_replay_begin(struct risk *r);

/** Take one message. 0; -ENOENT: it names what the config does not have now; -EPROTO: it cannot be true. */
int risk_replay(struct risk *r, const struct gn_journal_msg *m);

/** Order sessions are down, buckets full, windows empty; orders that were open are open. */
void risk_replay_end(struct risk *r);

/** Cancel every order of before the restart as soon as its session is up, those that only the venue remembers too. */
void risk_replay_cancel(struct risk *r);

/** Tell every strategy what it still has: its open orders and its positions, each as a report with GN_EXEC_F_RECOVERED. */
void risk_replay_tell(struct risk *r);

/** Highest order id of a strategy so far: its next one must lie above. 0: none. */
gn_oid risk_oid_last(const struct risk *r, uint32_t strategy);

#endif
