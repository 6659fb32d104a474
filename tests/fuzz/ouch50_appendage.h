/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_OUCH50_APPENDAGE_H
#define FUZZ_OUCH50_APPENDAGE_H

/** @file The appendage of OUCH 5.0, for the targets of both directions. */

#include "dataplane/codec/ouch50_options.h"
#include "tests/fuzz/fuzz.h"

/** True: well-formed, and what it says survives encode and decode. */
static inline bool fuzz_appendage(struct ouch50_appendage a)
{
	struct ouch50_options first, second;
	uint8_t again[OUCH50_APPENDAGE_BYTES_MAX];

	if (ouch50_options_decode(a, &first) != OUCH50_OK)
		return false;

	struct ouch50_appendage b = ouch50_options_encode(&first, again);

	FUZZ_CHECK(b.bytes <= a.bytes);
	FUZZ_CHECK(ouch50_options_decode(b, &second) == OUCH50_OK);
	FUZZ_CHECK(second.n_unknown == 0);
	second.n_unknown = first.n_unknown;
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
	return true;
}

/** Every tag, and one that is unknown. */
static inline struct ouch50_appendage fuzz_appendage_seed(uint8_t *data)
{
	struct ouch50_options all;

	memset(&all, 0, sizeof(all));
#define FUZZ_PRESENT(NAME, tag, member, bytes, kind) all.present |= UINT32_C(1) << (tag);
	OUCH50_OPTIONS(FUZZ_PRESENT)
#undef FUZZ_PRESENT

	struct ouch50_appendage a = ouch50_options_encode(&all, data);

	data[a.bytes++] = 2;
	data[a.bytes++] = 200;
	data[a.bytes++] = 0;
	return a;
}

#endif
