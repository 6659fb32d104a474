/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_OUCH42_PORT_H
#define EXCHANGE_OUCH42_PORT_H

/**
 * @file
 * OUCH 4.2 as a dialect of the order port: tokens instead of UserRefNums, the same rules behind them.
 *
 * A token becomes the ClOrdID of an order and gets the account's next UserRefNum. A token that was used before is
 * ignored. One thread.
 */

#include "app/exchange/order_port.h"
#include "dataplane/codec/ouch42.h"

struct ouch42_port {
	struct order_port *orders;
	uint32_t *slot; /* hash of account and token > order index + 1; 0: free */
	uint32_t mask;
};

/** Cold; teaches the order port the dialect. 0 or -errno. */
int ouch42_port_init(struct ouch42_port *p, struct order_port *orders);
void ouch42_port_fini(struct ouch42_port *p);

/** Learn the token of an order that an earlier run recorded. */
void ouch42_port_restore(struct ouch42_port *p, uint32_t order);

/** Handle one OUCH 4.2 message of an account. False: malformed, counted. */
bool ouch42_port_message(struct ouch42_port *p, uint32_t account, const uint8_t *msg, uint32_t bytes);

#endif
