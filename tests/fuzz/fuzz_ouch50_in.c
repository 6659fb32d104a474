/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ouch50_appendage.h"

#define MARKERS(X) \
	X(ENTER) X(REPLACE) X(CANCEL) X(MODIFY) X(QUERY) X(UNKNOWN) X(WRONG_LENGTH) X(BAD_PRICE) X(OPTIONS) X(BAD_OPTIONS) X(OUR_ID)
FUZZ_DECLARE_MARKERS(MARKERS);

static void mark(const struct ouch50_in *in)
{
	switch (in->type) {
	case OUCH50_ENTER: FUZZ_REACH(ENTER); break;
	case OUCH50_REPLACE: FUZZ_REACH(REPLACE); break;
	case OUCH50_CANCEL: FUZZ_REACH(CANCEL); break;
	case OUCH50_MODIFY: FUZZ_REACH(MODIFY); break;
	default: FUZZ_REACH(QUERY); break;
	}
}

static struct ouch50_appendage *appendage(struct ouch50_in *in)
{
	return in->type == OUCH50_ENTER ? &in->enter.appendage : in->type == OUCH50_REPLACE ? &in->replace.appendage : NULL;
}

static void check_id(struct ouch50_clordid id)
{
	gn_oid oid = ouch50_oid_from_clordid(id);
	struct ouch50_clordid again = ouch50_clordid_from_oid(oid);

	if (oid == 0)
		return;
	FUZZ_REACH(OUR_ID);
	FUZZ_CHECK(memcmp(&id, &again, sizeof(id)) == 0);
}

static void one(const uint8_t *data, size_t bytes)
{
	struct ouch50_in first, second;
	uint8_t again[OUCH50_BYTES_MAX];
	enum ouch50_result rc = ouch50_decode_in(data, (uint32_t)bytes, &first);

	if (rc != OUCH50_OK) {
		marker_hits[rc == OUCH50_UNKNOWN ? MARK_UNKNOWN : rc == OUCH50_BAD_PRICE ? MARK_BAD_PRICE : MARK_WRONG_LENGTH]++;
		return;
	}
	mark(&first);

	uint32_t n = ouch50_encode_in(&first, again);

	FUZZ_CHECK(n == bytes);
	FUZZ_CHECK(ouch50_decode_in(again, n, &second) == OUCH50_OK);
	if (appendage(&first) != NULL) {
		marker_hits[fuzz_appendage(*appendage(&first)) ? MARK_OPTIONS : MARK_BAD_OPTIONS]++;
		FUZZ_CHECK(memcmp(appendage(&first)->data, appendage(&second)->data, appendage(&first)->bytes) == 0);
		appendage(&first)->data = appendage(&second)->data = NULL;
	}
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
	if (first.type == OUCH50_ENTER)
		check_id(first.enter.clordid);
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	static const uint8_t types[] = {OUCH50_ENTER, OUCH50_REPLACE, OUCH50_CANCEL, OUCH50_MODIFY, OUCH50_QUERY};

	if (n >= sizeof(types))
		return -1;

	uint8_t bytes[OUCH50_APPENDAGE_BYTES_MAX];
	struct ouch50_in in = {.type = types[n]};

	if (n == 0)
		in.enter = (struct ouch50_enter){.user_ref = 1, .side = 'B', .qty = 100, .px = {.e9 = INT64_C(100000000000)},
			.clordid = ouch50_clordid_from_oid(UINT64_C(1) << 48 | 1)};
	if (appendage(&in) != NULL)
		*appendage(&in) = fuzz_appendage_seed(bytes);
	return (int32_t)ouch50_encode_in(&in, out);
}

const struct fuzz_target fuzz_target_ouch50_in;
const struct fuzz_target fuzz_target_ouch50_in = {
	.name = "ouch50_in", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
