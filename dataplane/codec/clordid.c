/* SPDX-License-Identifier: BSD-3-Clause */
#include <immintrin.h>

#include "dataplane/codec/ouch50.h"

#define POW36_3 46656u
#define POW36_6 UINT64_C(2176782336)
#define LAST_6_BYTES UINT64_C(0x0000ffffffffffff)

_Static_assert(sizeof(struct ouch50_clordid) == 16, "returned in two registers");

/* Four numbers below 36^3 in 16-bit lanes become twelve digits; `top` becomes the digit before them. */
static inline __m128i digits(uint64_t lanes, uint64_t top)
{
	/* as after / 1296 and / 36: exact for every 16-bit x */
	__m128i x = _mm_cvtsi64_si128((long long)lanes);
	__m128i by_1296 = _mm_srli_epi16(_mm_mulhi_epu16(x, _mm_set1_epi16((short)51782)), 10);
	__m128i by_36 = _mm_srli_epi16(_mm_mulhi_epu16(x, _mm_set1_epi16((short)58255)), 5);
	__m128i radix = _mm_set1_epi16(36);
	__m128i mid = _mm_sub_epi16(by_36, _mm_mullo_epi16(by_1296, radix));
	__m128i low = _mm_sub_epi16(x, _mm_mullo_epi16(by_36, radix));
	__m128i high_mid = _mm_or_si128(by_1296, _mm_slli_epi16(mid, 8));
	__m128i low_top = _mm_or_si128(low, _mm_cvtsi64_si128((long long)(top << 8)));

	/* -1 gives zero: the first of the fourteen is always the digit 0 */
	return _mm_shuffle_epi8(_mm_unpacklo_epi64(high_mid, low_top),
		_mm_setr_epi8(-1, 9, 0, 1, 8, 2, 3, 10, 4, 5, 12, 6, 7, 14, -1, -1));
}

struct ouch50_clordid ouch50_clordid_from_oid(gn_oid oid)
{
	uint64_t high = oid / POW36_6;
	uint32_t c = (uint32_t)(oid - high * POW36_6);
	uint64_t top = high / POW36_6; /* at most 3 */
	uint32_t b = (uint32_t)(high - top * POW36_6);
	uint32_t b1 = b / POW36_3, c1 = c / POW36_3;
	uint64_t lanes = b1 | (uint64_t)(b - b1 * POW36_3) << 16 | (uint64_t)c1 << 32 | (uint64_t)(c - c1 * POW36_3) << 48;
	__m128i d = digits(lanes, top);
	__m128i letter = _mm_and_si128(_mm_cmpgt_epi8(d, _mm_set1_epi8(9)), _mm_set1_epi8('A' - '0' - 10));
	__m128i text = _mm_add_epi8(_mm_add_epi8(d, _mm_set1_epi8('0')), letter);
	uint64_t halves[2] = {(uint64_t)_mm_cvtsi128_si64(text), (uint64_t)_mm_extract_epi64(text, 1) & LAST_6_BYTES};
	struct ouch50_clordid id;

	memcpy(&id, halves, sizeof(id));
	return id;
}

gn_oid ouch50_oid_from_clordid(struct ouch50_clordid clordid)
{
	gn_oid oid = 0;

	for (uint32_t i = 0; i < OUCH50_CLORDID_BYTES; i++) {
		char c = clordid.c[i];
		uint64_t digit;

		if (c >= '0' && c <= '9')
			digit = (uint64_t)(c - '0');
		else if (c >= 'A' && c <= 'Z')
			digit = (uint64_t)(c - 'A') + 10;
		else
			return 0;
		if (__builtin_mul_overflow(oid, 36, &oid) || __builtin_add_overflow(oid, digit, &oid))
			return 0;
	}
	return oid;
}
