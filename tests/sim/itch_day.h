/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_ITCH_DAY_H
#define TESTS_ITCH_DAY_H

/**
 * @file
 * A small made-up ITCH 5.0 day, valid in every message, and the snapshot that its venue would give at any moment.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/codec/itch50.h"

#define DAY_MESSAGES_MAX 4000u
#define DAY_SYMBOLS_MAX 40u

#define DAY_LOCATES (DAY_SYMBOLS_MAX * 37u + 1u)

struct day_message {
	uint8_t bytes;
	uint8_t data[ITCH50_BYTES_MAX];
};

/** Message i has sequence number i + 1. */
struct day {
	uint32_t n_messages, n_symbols;
	struct day_message message[DAY_MESSAGES_MAX];
};

/** Locate of symbol i: spread out, and never 0. */
static inline uint16_t day_locate(uint32_t symbol)
{
	return (uint16_t)(symbol * 37 + 1);
}

gn_symbol day_symbol(uint32_t i);

/** Make a day of n messages. With a directory, the day begins with directory, trading state and Reg SHO of each symbol. */
void day_make(struct day *day, uint64_t seed, uint32_t n_symbols, uint32_t n_messages, bool directory);

/** What a book would hold: the live orders in order of arrival. */
struct day_order {
	uint64_t ref;
	gn_px px;
	gn_qty qty;
	gn_side side;
	uint16_t locate;
};

struct day_book {
	struct day_order order[DAY_MESSAGES_MAX];
	uint32_t n;
	char state[DAY_LOCATES]; /* trading state by locate; 0 not known */
};

/** Apply one event; its instrument is told by locate. Unknown references change nothing. */
void day_book_apply(struct day_book *book, const struct gn_md *md, uint16_t locate);

/** Forget the orders of a locate. */
void day_book_clear(struct day_book *book, uint16_t locate);

/** A number that two books of one locate share only if they hold the same orders in the same priority. */
uint64_t day_book_hash(const struct day_book *book, uint16_t locate);

/** Apply message i of a day. */
void day_book_message(struct day_book *book, const struct day_message *message);

#endif
