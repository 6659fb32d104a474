/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_GLIMPSE50_H
#define CODEC_GLIMPSE50_H

/**
 * @file
 * NASDAQ GLIMPSE 5.0: a book snapshot as sequenced SoupBinTCP messages. All but the last are ITCH 5.0 messages
 * (itch50.h); the last one says where the live stream goes on. Pure functions, any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#define GLIMPSE50_END_TYPE 'G'
#define GLIMPSE50_END_BYTES 21u

/**
 * Read the end-of-snapshot message.
 *
 * @param seq
 *   First live sequence number to apply: those below it are in the snapshot. Untouched when false is returned.
 * @return
 *   False: another type, another length, or no number (blanks may stand on either side of it).
 */
bool glimpse50_end_decode(const uint8_t *msg, uint32_t bytes, uint64_t *seq);

/** Write the end-of-snapshot message (GLIMPSE50_END_BYTES). @return its length. */
uint32_t glimpse50_end_encode(uint64_t seq, uint8_t *out);

#endif
