/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_INSTRUMENTS_H
#define GN_INSTRUMENTS_H

/**
 * @file
 * The one table of instruments of an engine: symbol <> dense index, and what the venue said of each.
 *
 * Entries are only ever added. Symbols named in the config come first, in its order, before any thread starts; the
 * feed adds the others as it meets them. Bounded: the table is sized by the config and refuses beyond that.
 */

#include <gannet/strategy.h>

struct gn_instruments;

/** Make a table for at most `max` instruments (1 to 2^20); NULL with gn_err_text(). Cold. */
struct gn_instruments *gn_instruments_new(uint32_t max);
void gn_instruments_free(struct gn_instruments *t);

/** How many there are; indices are below it. Any thread. */
uint32_t gn_instruments_count(const struct gn_instruments *t);
uint32_t gn_instruments_max(const struct gn_instruments *t);

/** Index of a symbol, or GN_INST_NONE. Any thread, lock-free; one hash probe. */
gn_inst gn_instruments_find(const struct gn_instruments *t, gn_symbol symbol);

/**
 * Index of a symbol, added when it is new. Any thread; a new entry takes a short spin, an old one does not.
 *
 * @return
 *   GN_INST_NONE when the table is full or the symbol is empty.
 */
gn_inst gn_instruments_add(struct gn_instruments *t, gn_symbol symbol);

/** Copy of one entry. Any thread, lock-free. False: no such index. */
bool gn_instruments_get(const struct gn_instruments *t, gn_inst inst, struct gn_instrument *out);

/** Record what the venue says of an entry (round_lot, venue_id, authenticity, tick when not zero). Its feed's thread. */
void gn_instruments_define(struct gn_instruments *t, gn_inst inst, const struct gn_instrument *def);

/** Symbol from text, at most 8 characters, padded with NUL; trailing blanks are dropped. Empty when it does not fit. */
gn_symbol gn_symbol_from(const char *text, size_t bytes_max);

/** Symbol as a string. */
struct gn_symbol_text {
	char c[GN_SYMBOL_BYTES + 1];
};
struct gn_symbol_text gn_symbol_text(gn_symbol symbol);

#endif
