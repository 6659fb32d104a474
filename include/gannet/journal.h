/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_JOURNAL_H
#define GANNET_JOURNAL_H

/**
 * @file
 * What is journaled: risk and gateway > journal. One message a fact, in the order in which its writer saw it.
 */

#include "order.h"

enum gn_journal_kind {
	GN_JOURNAL_NONE = 0,
	GN_JOURNAL_REQUEST, /* .req and the verdict on it */
	GN_JOURNAL_REPORT,  /* .exec, as risk understood it */
	GN_JOURNAL_SENT,    /* .sent: a message given to the order session */
	GN_JOURNAL_SESSION, /* .text: what became of an order session */
	GN_JOURNAL_LIMIT,   /* .text: a limit or kill switch changed; who and why */
	GN_JOURNAL_ACCOUNT, /* .text: the account that trades over .session; comes before its first SENT */
	GN_JOURNAL_KIND_COUNT
};

#define GN_JOURNAL_TEXT_BYTES 96u

struct gn_journal_msg {
	uint16_t kind;    /* enum gn_journal_kind */
	uint16_t verdict; /* REQUEST: enum gn_verdict */
	uint32_t session; /* SENT, SESSION: index of the order session */
	uint64_t tsc;     /* when it happened */
	union {
		struct gn_order_req req;
		struct gn_exec exec;
		struct {
			gn_oid oid;
			uint64_t venue_ref; /* the number under which the venue knows it (OUCH UserRefNum) */
			uint32_t bytes;
			uint8_t data[76]; /* the first bytes of the message */
		} sent;
		char text[GN_JOURNAL_TEXT_BYTES];
	};
};
_Static_assert(sizeof(struct gn_journal_msg) == 112, "a journal message fits two cache lines of a ring");

#endif
