/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/ouch50_appendage.h"

#define TYPES "SAUCDEBJPITMRQ"
#define MARKERS(X)                                                                                              \
	X(SYSTEM) X(ACCEPTED) X(REPLACED) X(CANCELED) X(AIQ_CANCELED) X(EXECUTED) X(BROKEN) X(REJECTED)           \
	X(CANCEL_PENDING) X(CANCEL_REJECTED) X(PRIORITY) X(MODIFIED) X(RESTATED) X(QUERY_REPLY) X(AIQ_SHORT)      \
	X(UNKNOWN) X(WRONG_LENGTH) X(BAD_PRICE) X(OPTIONS) X(BAD_OPTIONS)
FUZZ_DECLARE_MARKERS(MARKERS);

static struct ouch50_appendage *appendage(struct ouch50_out *out)
{
	switch (out->type) {
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED: return &out->accepted.appendage;
	case OUCH50_EXECUTED: return &out->executed.appendage;
	case OUCH50_RESTATED: return &out->restated.appendage;
	default: return NULL;
	}
}

static void one(const uint8_t *data, size_t bytes)
{
	struct ouch50_out first, second;
	uint8_t again[OUCH50_BYTES_MAX];
	enum ouch50_result rc = ouch50_decode_out(data, (uint32_t)bytes, &first);

	if (rc != OUCH50_OK) {
		marker_hits[rc == OUCH50_UNKNOWN ? MARK_UNKNOWN : rc == OUCH50_BAD_PRICE ? MARK_BAD_PRICE : MARK_WRONG_LENGTH]++;
		return;
	}
	marker_hits[MARK_SYSTEM + (strchr(TYPES, first.type) - TYPES)]++;
	if (first.type == OUCH50_AIQ_CANCELED && bytes == 31)
		FUZZ_REACH(AIQ_SHORT);

	uint32_t n = ouch50_encode_out(&first, again);

	/* an AIQ strategy of NUL is as good as none */
	FUZZ_CHECK(n == bytes || (first.type == OUCH50_AIQ_CANCELED && n + 1 == bytes));
	FUZZ_CHECK(ouch50_decode_out(again, n, &second) == OUCH50_OK);
	if (appendage(&first) != NULL) {
		marker_hits[fuzz_appendage(*appendage(&first)) ? MARK_OPTIONS : MARK_BAD_OPTIONS]++;
		FUZZ_CHECK(memcmp(appendage(&first)->data, appendage(&second)->data, appendage(&first)->bytes) == 0);
		appendage(&first)->data = appendage(&second)->data = NULL;
	}
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	uint8_t bytes[OUCH50_APPENDAGE_BYTES_MAX];

	if (n >= strlen(TYPES))
		return -1;

	struct ouch50_out m = {.type = (uint8_t)TYPES[n], .ns = 1};

	if (appendage(&m) != NULL)
		*appendage(&m) = fuzz_appendage_seed(bytes);
	if (m.type == OUCH50_AIQ_CANCELED)
		m.canceled.strategy = 'O';
	return (int32_t)ouch50_encode_out(&m, out);
}

const struct fuzz_target fuzz_target_ouch50_out;
const struct fuzz_target fuzz_target_ouch50_out = {
	.name = "ouch50_out", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
