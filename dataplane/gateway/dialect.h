/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_DIALECT_H
#define GATEWAY_DIALECT_H

/**
 * @file
 * What differs between the protocols in which venues take orders: bytes <> requests and reports. A further venue is a
 * further struct gateway_dialect, and no change in risk, strategy or gateway.
 *
 * Pure functions. Every order of an account has a number, given by the gateway: 1, 2, 3 ... in the order of sending. A
 * dialect may put it on the wire (OUCH 5.0), or say the order id there and ignore the number (OUCH 4.2).
 */

#include <gannet/order.h>

#define DIALECT_BYTES_MAX 128u /* longest request */

/** What is the same for every order of an account. Zeroed members take the protocol's usual value. */
struct dialect_config {
	char firm[5];  /* "": none */
	char capacity; /* 0: 'P', principal */
};

/** A request, and what the gateway knows of it. */
struct dialect_request {
	const struct gn_order_req *req;
	uint32_t number;      /* NEW, REPLACE: of the order that begins; CANCEL: of the order to cancel */
	uint32_t number_orig; /* REPLACE: of the order that ends */
	gn_symbol symbol;     /* NEW */
};

enum report_kind {
	REPORT_NONE = 0, /* of no interest to orders */
	REPORT_EXEC,     /* .exec_kind */
	REPORT_NEXT,     /* answer to the account query: .number is the next one to use */
};

/** A report from the venue in no venue's words. Numbers and ids that it does not name are 0. */
struct venue_report {
	uint8_t kind;      /* enum report_kind */
	uint8_t exec_kind; /* enum gn_exec_kind */
	gn_side side;
	uint8_t reason, liquidity;
	bool dead; /* ACCEPTED, REPLACED: dead on arrival */
	uint16_t code, flags; /* as in struct gn_exec */
	uint32_t number, number_orig;
	gn_oid oid, oid_orig; /* as the venue repeats them; 0 also for an id that is not ours */
	gn_symbol symbol;
	gn_px px;
	gn_qty qty;
	uint64_t match;
	uint64_t venue_ns; /* since midnight */
};

struct gateway_dialect {
	const char *name;
	/**
	 * Write a request. Hot path.
	 *
	 * @param out
	 *   Room for DIALECT_BYTES_MAX.
	 * @return
	 *   Bytes written; 0: the protocol cannot say it.
	 */
	uint32_t (*encode)(const struct dialect_config *config, const struct dialect_request *r, uint8_t *out);
	/** Read a report. False: not a message of this protocol. */
	bool (*decode)(const uint8_t *msg, uint32_t bytes, struct venue_report *out);
	/** Write the question for the next number to use. NULL: the protocol has no such question. @return its length. */
	uint32_t (*query)(uint8_t *out);
};

extern const struct gateway_dialect gateway_ouch50, gateway_ouch42;

/** By name, as in a config; NULL: there is none. */
const struct gateway_dialect *gateway_dialect_find(const char *name);

#endif
