/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch42.h"
#include "tests/fuzz/fuzz.h"

#define IN_TYPES "OUXMN"
#define OUT_TYPES "SAUCDEGFBJPINTM"
#define MARKERS(X)                                                                                               \
	X(IN_ENTER) X(IN_REPLACE) X(IN_CANCEL) X(IN_MODIFY) X(IN_TRADE_NOW) X(OUT_SYSTEM) X(OUT_ACCEPTED)          \
	X(OUT_REPLACED) X(OUT_CANCELED) X(OUT_AIQ_CANCELED) X(OUT_EXECUTED) X(OUT_EXECUTED_REFERENCE)              \
	X(OUT_CORRECTED) X(OUT_BROKEN) X(OUT_REJECTED) X(OUT_CANCEL_PENDING) X(OUT_CANCEL_REJECTED)                \
	X(OUT_TRADE_NOW) X(OUT_PRIORITY) X(OUT_MODIFIED) X(UNKNOWN) X(WRONG_LENGTH)
FUZZ_DECLARE_MARKERS(MARKERS);

static bool refused(enum ouch42_result rc)
{
	if (rc == OUCH42_OK)
		return false;
	marker_hits[rc == OUCH42_UNKNOWN ? MARK_UNKNOWN : MARK_WRONG_LENGTH]++;
	return true;
}

static void one_in(const uint8_t *data, uint32_t bytes)
{
	struct ouch42_in first, second;
	uint8_t again[OUCH42_BYTES_MAX];

	if (refused(ouch42_decode_in(data, bytes, &first)))
		return;
	marker_hits[MARK_IN_ENTER + (strchr(IN_TYPES, first.type) - IN_TYPES)]++;
	FUZZ_CHECK(ouch42_encode_in(&first, again) == bytes);
	FUZZ_CHECK(ouch42_decode_in(again, bytes, &second) == OUCH42_OK);
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
}

static void one_out(const uint8_t *data, uint32_t bytes)
{
	struct ouch42_out first, second;
	uint8_t again[OUCH42_BYTES_MAX];

	if (refused(ouch42_decode_out(data, bytes, &first)))
		return;
	marker_hits[MARK_OUT_SYSTEM + (strchr(OUT_TYPES, first.type) - OUT_TYPES)]++;
	FUZZ_CHECK(ouch42_encode_out(&first, again) == bytes);
	FUZZ_CHECK(ouch42_decode_out(again, bytes, &second) == OUCH42_OK);
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
}

/* the first byte gives the direction */
static void one(const uint8_t *data, size_t bytes)
{
	if (bytes == 0)
		return;

	uint8_t *exact = fuzz_exact(data + 1, bytes - 1);

	if (data[0] & 1)
		one_out(exact, (uint32_t)bytes - 1);
	else
		one_in(exact, (uint32_t)bytes - 1);
	free(exact);
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	uint32_t n_in = (uint32_t)strlen(IN_TYPES);

	if (n >= n_in + strlen(OUT_TYPES))
		return -1;
	out[0] = n >= n_in;
	if (n < n_in)
		return 1 + (int32_t)ouch42_encode_in(&(struct ouch42_in){.type = (uint8_t)IN_TYPES[n]}, out + 1);
	return 1 + (int32_t)ouch42_encode_out(&(struct ouch42_out){.type = (uint8_t)OUT_TYPES[n - n_in]}, out + 1);
}

const struct fuzz_target fuzz_target_ouch42;
const struct fuzz_target fuzz_target_ouch42 = {
	.name = "ouch42", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
