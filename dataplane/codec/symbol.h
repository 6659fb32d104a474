/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_SYMBOL_H
#define CODEC_SYMBOL_H

/** @file Symbols: padded with blanks on the wire, with NUL in gn_symbol. Any thread; one load or store, no branch. */

#include <gannet/types.h>
#include <string.h>

/** Symbol from eight bytes on the wire: trailing blanks become NUL. */
static inline gn_symbol symbol_load(const void *p)
{
	gn_symbol s;

	memcpy(&s, p, sizeof(s));

	uint64_t text = s.word ^ UINT64_C(0x2020202020202020);

	/* the last characters are the highest bytes; `| 1` keeps clz defined, and byte 0 goes too when all is blank */
	s.word &= text == 0 ? 0 : UINT64_MAX >> (__builtin_clzll(text | 1) & 56);
	return s;
}

/** Symbol as eight bytes on the wire: NUL becomes blank. */
static inline void symbol_store(void *p, gn_symbol s)
{
	/* sets bit 7 of every byte that is zero; exact where the bytes are ASCII, and symbols are */
	uint64_t zero = ~s.word & (s.word - UINT64_C(0x0101010101010101)) & UINT64_C(0x8080808080808080);
	uint64_t wire = s.word | zero >> 2;

	memcpy(p, &wire, sizeof(wire));
}

#endif
