/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_TELL_H
#define RISK_TELL_H

/** @file What risk tells strategies and the journal. */

#include "risk.h"

/** Tell a strategy that its request was refused. */
void tell_refused(struct risk *r, const struct gn_order_req *q, enum gn_verdict v, uint64_t now_tsc);

/** Give the journal a record. */
static inline void tell_journal(struct risk *r, const struct gn_journal_msg *m)
{
	r->journal_spare--;
	if (r->io.journal)
		r->io.journal(r->io.arg, m);
}

/** Journal a request and its verdict. */
void tell_journal_request(struct risk *r, const struct gn_order_req *q, enum gn_verdict v, uint64_t now_tsc);

/** Journal a request and its verdict; tell its strategy when it was refused. Hot. */
static inline void tell_request(struct risk *r, const struct gn_order_req *q, enum gn_verdict v, uint64_t now_tsc)
{
	r->journal_spare--;
	if (r->io.journal && gn_likely(v != GN_REFUSED_JOURNAL))
		tell_journal_request(r, q, v, now_tsc);
	if (gn_unlikely(v != GN_ACCEPTED))
		tell_refused(r, q, v, now_tsc);
}

/** Complete a report with what only risk knows, journal it, pass it on. `o`: its order, or NULL. */
void tell_report(struct risk *r, const struct gn_exec *exec, const struct order *o, uint64_t now_tsc);

/** Tell a strategy that risk itself ended an order that never left the engine. */
void tell_withdrawn(struct risk *r, const struct order *o, uint8_t kind, uint8_t reason, uint64_t now_tsc);

/** Pass the state of an order session on to the strategies that use it (.match). */
void tell_session(struct risk *r, const struct gn_exec *exec, uint64_t now_tsc);

/** Journal a change of a limit or a switch. */
void tell_change(struct risk *r, uint64_t now_tsc, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
