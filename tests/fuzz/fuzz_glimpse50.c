/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/codec/soupbintcp.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X) X(LOGIN_REPLY) X(EVENT) X(NOT_ITCH) X(END) X(BAD_END) X(END_FIRST) X(OTHER_PACKET) X(CUT) X(MALFORMED)
FUZZ_DECLARE_MARKERS(MARKERS);

/* one sequenced message of a snapshot; true at its end */
static bool message(const uint8_t *msg, uint32_t bytes, uint32_t n_before)
{
	struct gn_md md;
	uint16_t locate;
	uint64_t seq = 0, again = 0;
	uint8_t end[GLIMPSE50_END_BYTES];

	if (bytes == 0 || msg[0] != GLIMPSE50_END_TYPE) {
		marker_hits[itch50_decode(msg, bytes, &md, &locate) == ITCH50_OK ? MARK_EVENT : MARK_NOT_ITCH]++;
		return false;
	}
	if (!glimpse50_end_decode(msg, bytes, &seq)) {
		FUZZ_REACH(BAD_END);
		return false;
	}
	FUZZ_REACH(END);
	if (n_before == 0)
		FUZZ_REACH(END_FIRST);
	FUZZ_CHECK(glimpse50_end_encode(seq, end) == bytes);
	FUZZ_CHECK(glimpse50_end_decode(end, bytes, &again) && again == seq);
	return true;
}

/* the whole of a snapshot's TCP stream */
static void one(const uint8_t *data, size_t bytes)
{
	struct soup_framer f;
	struct soup_packet p;
	struct soup_accepted accepted;
	uint8_t buf[256];
	uint32_t n = 0;
	enum soup_result rc;

	soup_framer_init(&f, buf, sizeof(buf));
	soup_framer_feed(&f, data, (uint32_t)bytes);
	while ((rc = soup_framer_next(&f, &p)) == SOUP_PACKET) {
		if (p.type == SOUP_SEQUENCED) {
			if (message(p.payload, p.bytes, n++))
				return;
		} else if (soup_accepted_parse(&p, &accepted)) {
			FUZZ_REACH(LOGIN_REPLY);
		} else {
			FUZZ_REACH(OTHER_PACKET);
		}
	}
	marker_hits[rc == SOUP_MORE ? MARK_CUT : MARK_MALFORMED]++;
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	uint8_t msg[ITCH50_BYTES_MAX] = {0};
	uint32_t at = 0;

	if (n > 1)
		return -1;
	if (n == 0) {
		at = soup_accepted_build(&(struct soup_accepted){.session = "1", .seq = 1}, out);
		for (const char *t = "SRHYA"; *t != '\0'; t++) {
			msg[0] = (uint8_t)*t;
			at += soup_build(out + at, SOUP_SEQUENCED, msg, itch50_bytes((uint8_t)*t));
		}
		at += soup_build(out + at, SOUP_SERVER_HEARTBEAT, NULL, 0);
	}
	glimpse50_end_encode(UINT64_C(14757721) + n, msg);
	return (int32_t)(at + soup_build(out + at, SOUP_SEQUENCED, msg, GLIMPSE50_END_BYTES));
}

const struct fuzz_target fuzz_target_glimpse50;
const struct fuzz_target fuzz_target_glimpse50 = {
	.name = "glimpse50", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
