/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_LOG_H
#define EXCHANGE_LOG_H

/**
 * @file
 * What an exchange must still know after a crash: its clients' orders, fills, and every sequenced report.
 *
 * An append-only file of blocks. A block holds all that one call from outside has changed, and is written before a client
 * hears of it: whatever was sent is in the file, and half a block at its end never happened. Books are not in it: the day
 * goes on with empty ones, a market-data session of its own, and open orders cancelled.
 */

#include "app/exchange/order_port.h"

struct exchange_log {
	int fd; /* -1: none is kept */
	bool failed; /* said already; nothing is written any more */
	uint32_t n_starts; /* of this day, this one included */
	uint64_t seq_next[EXCHANGE_ACCOUNTS_MAX]; /* first report that is not in the file */
	uint32_t user_ref[EXCHANGE_ACCOUNTS_MAX];
	uint8_t *block;
	size_t bytes, room;
};

/**
 * Open a log, made when there is none, and bring the order port to where it ends. Cold.
 *
 * @param learned
 *   Called for each order that is restored, once it is; or NULL.
 * @return
 *   0; -errno with gn_err_text(): it cannot be read, or is of another configuration. exchange_log_close() in any case.
 */
int exchange_log_open(struct exchange_log *l, const char *path, struct order_port *orders,
	void (*learned)(void *arg, uint32_t order), void *arg);

/** Write what has changed since. Before anything is sent. */
void exchange_log_flush(struct exchange_log *l, struct order_port *orders);

void exchange_log_close(struct exchange_log *l);

#endif
