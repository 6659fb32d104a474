/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_ORDER_PORT_H
#define EXCHANGE_ORDER_PORT_H

/**
 * @file
 * Order entry: what OUCH 5.0 clients ask goes to the matching engine, what becomes of it goes into their streams.
 *
 * Rules: a UserRefNum that is not above the account's last one is ignored; a rejected order uses its number up. A Replace
 * of a dead order, or with a used number, is ignored and uses nothing up; one with bad details cancels the original and
 * uses nothing up; one that cannot be done now (halt) is rejected, uses its number up and leaves the original. A Cancel
 * and a Replace name the total of the chain: what the order and those that it replaced have filled, or lost to self-match
 * prevention, counts in. Superfluous cancels are ignored. Another dialect is an encoder and a decoder of its own around
 * the same rules. One thread.
 */

#include "app/exchange/clients.h"
#include "app/exchange/rng.h"
#include "app/exchange/store.h"
#include "dataplane/codec/ouch50.h"
#include "dataplane/runtime/instruments.h"

enum order_reject {
	ORDER_REJECT_DISPLAY = 0x03,
	ORDER_REJECT_MAX_FLOOR = 0x04,
	ORDER_REJECT_HALTED = 0x07,
	ORDER_REJECT_ISO = 0x08,
	ORDER_REJECT_SIDE = 0x09,
	ORDER_REJECT_PROCESSING = 0x0a,
	ORDER_REJECT_MIN_QTY = 0x0d,
	ORDER_REJECT_OTHER = 0x0f,
	ORDER_REJECT_PEG = 0x11,
	ORDER_REJECT_QTY = 0x13,
	ORDER_REJECT_CROSS = 0x14,
	ORDER_REJECT_SYMBOL = 0x17,
	ORDER_REJECT_PRICE = 0x1d,
	ORDER_REJECT_TYPE = 0x24,
};

#define ORDER_PORT_COUNTERS(X)                                                       \
	X(enters, "new orders asked for")                                            \
	X(replaces, "replacements asked for")                                        \
	X(cancels, "cancels asked for")                                              \
	X(modifies, "modifications asked for")                                       \
	X(queries, "account queries")                                                \
	X(accepted, "orders accepted")                                               \
	X(rejected, "orders and replacements rejected")                              \
	X(rejected_on_purpose, "of these, rejected as a fault")                      \
	X(fills, "fills reported")                                                   \
	X(ignored_number, "asked with a number that is used up already: ignored")    \
	X(ignored_dead, "about an order that is unknown or dead: ignored")           \
	X(ignored_superfluous, "cancels and changes that change nothing: ignored")   \
	X(malformed_type, "messages of an unknown type")                             \
	X(malformed_length, "messages of a wrong length")                            \
	X(malformed_field, "messages with a bad appendage or price")                 \
	X(reports, "messages put into the streams")                                  \
	X(lost_fills, "fills that the ledger had no memory for")

struct order_port_counts {
#define ORDER_PORT_COUNT(name, help) uint64_t name;
	ORDER_PORT_COUNTERS(ORDER_PORT_COUNT)
#undef ORDER_PORT_COUNT
};

struct order_account {
	struct store stream; /* encoded reports */
	uint32_t last_user_ref;
	uint16_t index;
	const struct exchange_account *config;
};

struct order_port;

/** Makes the bytes of a report for an account's stream. order: the one it is about, or NULL. @return its length. */
typedef uint32_t order_encode_fn(const struct order_port *p, const struct client_order *order,
	const struct ouch50_out *out, uint8_t *msg);

struct order_port {
	struct match *match;
	const struct gn_instruments *instruments;
	struct clients clients;
	struct order_account account[EXCHANGE_ACCOUNTS_MAX];
	order_encode_fn *encode[EXCHANGE_OUCH42 + 1]; /* by dialect */
	uint32_t n_accounts;
	uint32_t reject_ppm, cancel_pending_ppm;
	struct rng rng;
	uint64_t ns; /* since midnight; set by the exchange before every call */
	struct ouch50_appendage echo; /* of the request in hand: goes back with its acceptance */
	bool modifying;               /* shares are taken off by a Modify, which has an answer of its own */
	struct order_port_counts n;
};

/** Cold. 0 or -errno. */
int order_port_init(struct order_port *p, const struct exchange_config *config, struct match *match,
	const struct gn_instruments *instruments);
void order_port_fini(struct order_port *p);

/** Handle one OUCH 5.0 message of an account. False: malformed, counted. */
bool order_port_message(struct order_port *p, uint32_t account, const uint8_t *msg, uint32_t bytes);

/** Handle one request, however it was encoded. */
void order_port_handle(struct order_port *p, uint32_t account, const struct ouch50_in *in);

/** Cancel all live orders of an account, for that reason. */
void order_port_cancel_all(struct order_port *p, uint32_t account, char why);

/** Cancel what is left of orders that were for the opening cross of an instrument alone. */
void order_port_after_cross(struct order_port *p, gn_inst inst);

/** After a restart: the books are empty, so what was open is cancelled, for that reason. */
void order_port_end_open(struct order_port *p, char why);

/** Tell every account of a system event: 'S' start of day, 'E' end of day. */
void order_port_event(struct order_port *p, char event);

/** Break a trade: tell both clients, mark their fills. @return fills that were broken; 0: no client had part in it. */
uint32_t order_port_break(struct order_port *p, uint64_t match, char reason);

/* For the matching engine's sink: about orders whose owner is not MATCH_OWNER_FLOW. */
void order_port_accepted(struct order_port *p, const struct match_order *o);
void order_port_replaced(struct order_port *p, const struct match_order *old, const struct match_order *now);
void order_port_traded(struct order_port *p, const struct match_trade *t, const struct match_order *side);
void order_port_canceled(struct order_port *p, const struct match_order *o, uint32_t off, char why);
void order_port_prevented(struct order_port *p, const struct match_trade *t, const struct match_order *side);

/** Put a report into an account's stream. order: the one it is about, or NULL. */
void order_report(struct order_port *p, uint32_t account, const struct client_order *order, struct ouch50_out *out);

/** Report a rejection; order: the rejected one, or NULL when there was no room to record it. */
void order_report_rejected(struct order_port *p, uint32_t account, const struct client_order *order, uint32_t user_ref,
	struct ouch50_clordid clordid, uint16_t reason);

/** A price of OUCH as the matching engine has it. False: not on the tick, 0, or past the venue's highest. */
bool order_px_e4(gn_px px, uint32_t *px_e4);

#endif
