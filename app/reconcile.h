/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RECONCILE_H
#define RECONCILE_H

/**
 * @file
 * `gannet reconcile JOURNAL LEDGER`: orders, fills and positions as our journal has them against those of the exchange.
 */

#include <stdbool.h>
#include <stdio.h>

enum reconcile_kind { RECONCILE_ORDER, RECONCILE_FILL, RECONCILE_BROKEN, RECONCILE_POSITION, RECONCILE_KIND_COUNT };

struct reconcile_counts {
	size_t engine, exchange, differ; /* lines of either side; keys that are not the same on both */
};

struct reconcile_result {
	struct reconcile_counts kind[RECONCILE_KIND_COUNT];
	bool agree;
};

/**
 * Compare two ledgers (app/exchange/ledger.h), every line of both.
 *
 * @param difference
 *   Called for each difference; a side that has no such line is NULL.
 * @return
 *   0 with *result, or -errno with gn_err_text() naming file, line and what was expected.
 */
int reconcile_compare(FILE *engine, const char *engine_name, FILE *exchange, const char *exchange_name,
	struct reconcile_result *result, void (*difference)(void *arg, const char *engine, const char *exchange), void *arg);

/** The subcommand. Exit status: 0 they agree exactly, 1 they do not or cannot be read, 2 usage. */
int reconcile_main(int argc, char **argv);

#endif
