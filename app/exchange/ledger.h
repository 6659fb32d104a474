/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_LEDGER_H
#define EXCHANGE_LEDGER_H

/**
 * @file
 * The exchange's side of a reconciliation: a text file, one fact a line, in a defined order.
 *
 *     order,<clordid>,<symbol>,<B|S>,<qty>,<px_e9>,<filled>,<canceled>,<live|filled|canceled|rejected>
 *     fill,<clordid>,<match>,<qty>,<px_e9>
 *     broken,<clordid>,<match>
 *     position,<account>,<symbol>,<signed qty>
 *
 * - order: every order and replacement that used up a UserRefNum, sorted by clordid (then as entered). Short sales are S.
 *   qty is as entered; of a replacement, the shares left open for it (as reported by Replaced). canceled is all that was
 *   taken off: by cancels, self-match prevention, the end of the day, and of a replaced order what was still open. A
 *   rejected order has filled and canceled 0; a rejected replacement has qty as asked. Requests that the venue ignores
 *   (replace of a dead order, used numbers) have no line: for the venue there were none.
 * - state: rejected; live: shares are open; filled: all of qty was filled; canceled: else.
 * - fill: every fill, sorted by clordid, then match; px is the price traded at. Fills that were broken later stay.
 * - broken: fills that were broken, in the same order.
 * - position: bought less sold by account (user name) and symbol, without broken fills; zero ones too, where there was a
 *   fill. Sorted by account, then symbol.
 * Sorting is by bytes. The clordid is without trailing blanks.
 */

#include <stdio.h>

#include "app/exchange/order_port.h"

/** Write it. Cold; sorts all orders and fills of the day. 0 or -errno. */
int ledger_write(const struct order_port *p, FILE *to);

/** Write it to a file: first beside it, then renamed, so that a reader never sees half of one. Cold. 0 or -errno. */
int ledger_write_file(const struct order_port *p, const char *path);

#endif
