/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_ASCII_H
#define CODEC_ASCII_H

/** @file Text fields of a fixed width: numbers and names padded with blanks. Any thread; cold messages only. */

#include <stdbool.h>
#include <stdint.h>

/**
 * Read a decimal number with blanks on either side.
 *
 * @return
 *   False: no digit, a character that is neither digit nor blank, blanks inside, or past 2^64-1. *v is then untouched.
 */
bool ascii_u64(const uint8_t *field, uint32_t bytes, uint64_t *v);

/** Write a decimal number, blanks on its left. The field has room for every number: 20 bytes or more. */
void ascii_put_u64(uint8_t *field, uint32_t bytes, uint64_t v);

/** Read a name without the blanks around it, as a string; a NUL ends it too. @param text room for bytes + 1, wholly written. */
void ascii_text(const uint8_t *field, uint32_t bytes, char *text);

/** Write a name with blanks on its right (or left); what is too long is cut. */
void ascii_put_text(uint8_t *field, uint32_t bytes, const char *text);
void ascii_put_text_right(uint8_t *field, uint32_t bytes, const char *text);

#endif
