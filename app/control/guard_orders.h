/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUARD_ORDERS_H
#define GUARD_ORDERS_H

/**
 * @file
 * What an account has open at the venue, out of the venue's own reports alone: a guard must not trust the engine that it
 * guards. Pure, cold.
 */

#include "dataplane/gateway/dialect.h"

struct guard_order {
	uint64_t key; /* 0: the place is free */
	gn_oid oid;
	uint32_t number;
	gn_qty leaves;
	uint64_t asked_ns; /* when it was asked to be cancelled last; 0: never */
};

struct guard_orders {
	struct guard_order *place; /* open addressing, at most half full */
	uint32_t mask, n, at;
	uint64_t n_seen, n_ended, n_foreign; /* orders; of them: not open any more, without an id of ours */
};

/** 0 or -errno. */
int guard_orders_init(struct guard_orders *o);
void guard_orders_fini(struct guard_orders *o);

/** Take a report. 0, or -ENOMEM with gn_err_text(): it is too late to be choosy, go on with what is known. */
int guard_orders_report(struct guard_orders *o, const struct venue_report *r);

/**
 * An open order that was not yet asked to be cancelled, or longer than `again_ns` ago; the caller sets asked_ns.
 *
 * @return
 *   NULL: there is none now.
 */
struct guard_order *guard_orders_next(struct guard_orders *o, uint64_t now_ns, uint64_t again_ns);

#endif
