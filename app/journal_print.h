/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_PRINT_H
#define JOURNAL_PRINT_H

/** @file A journal as text: one line a record, CSV with a head line, or one JSON object a line. Cold path. */

#include <stdio.h>

#include "dataplane/journal/journal_reader.h"

enum journal_print_format { JOURNAL_PRINT_CSV, JOURNAL_PRINT_JSON };

/** Order id of text: 14 characters as on the wire (ClOrdID), or a number (0x for hexadecimal). 0: neither. */
gn_oid journal_print_oid(const char *text);

/**
 * Print a journal, or the life of one order.
 *
 * @param oid
 *   0: every record; else those that name this order.
 * @return
 *   0, or -errno with gn_err_text(); what was good is printed in any case.
 */
int journal_print(const char *path, gn_oid oid, enum journal_print_format format, FILE *to);

#endif
