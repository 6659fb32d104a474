/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_SYMBOL_H
#define CODEC_SYMBOL_H

/** @file Symbols: padded with blanks on the wire, with NUL in gn_symbol. Any thread; one load or store, no branch. */

#include <gannet/types.h>
#include <string.h>

/** A word of eight characters with blanks where it has NUL; exact for all bytes. */
static inline uint64_t symbol_blank(uint64_t w)
{
	uint64_t low7 = UINT64_C(0x7f7f7f7f7f7f7f7f);
	uint64_t zero = ~(((w & low7) + low7) | w | low7); /* bit 7 of every byte that is zero */

	return w | zero >> 2;
}

/** Symbol from eight bytes on the wire: trailing blanks become NUL. */
static inline gn_symbol symbol_load(const void *p)
{
	gn_symbol s;

	memcpy(&s, p, sizeof(s));
	s.word = symbol_blank(s.word); /* a NUL on the wire is no other symbol than a blank */

	uint64_t text = s.word ^ UINT64_C(0x2020202020202020);

	/* the last characters are the highest bytes */
	s.word &= text == 0 ? 0 : UINT64_MAX >> (__builtin_clzll(text | 1) & 56);
	return s;
}

/** Symbol as eight bytes on the wire: NUL becomes blank. */
static inline void symbol_store(void *p, gn_symbol s)
{
	uint64_t wire = symbol_blank(s.word);

	memcpy(p, &wire, sizeof(wire));
}

#endif
