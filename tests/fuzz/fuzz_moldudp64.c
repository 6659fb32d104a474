/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/moldudp64.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X)                                                                                     \
	X(SHORT) X(WRAPPED) X(HEARTBEAT) X(END) X(MESSAGES) X(BLOCK) X(EMPTY_BLOCK) X(DONE) X(OVERRUN)   \
	X(TRAILING) X(REQUEST) X(NO_REQUEST) X(FULL)
FUZZ_DECLARE_MARKERS(MARKERS);

static void mark_kind(enum moldudp64_kind kind, size_t bytes)
{
	switch (kind) {
	case MOLDUDP64_MALFORMED: marker_hits[bytes < MOLDUDP64_HEAD_BYTES ? MARK_SHORT : MARK_WRAPPED]++; break;
	case MOLDUDP64_HEARTBEAT: FUZZ_REACH(HEARTBEAT); break;
	case MOLDUDP64_END: FUZZ_REACH(END); break;
	default: FUZZ_REACH(MESSAGES); break;
	}
}

static void mark_end(enum moldudp64_block b)
{
	marker_hits[b == MOLDUDP64_DONE ? MARK_DONE : b == MOLDUDP64_OVERRUN ? MARK_OVERRUN : MARK_TRAILING]++;
}

static void check_request(const uint8_t *data, size_t bytes)
{
	struct moldudp64_request req;
	uint8_t again[MOLDUDP64_REQUEST_BYTES];

	if (!moldudp64_request_decode(data, (uint32_t)bytes, &req)) {
		FUZZ_REACH(NO_REQUEST);
		return;
	}
	FUZZ_REACH(REQUEST);
	FUZZ_CHECK(moldudp64_request_encode(&req, again) == bytes);
	FUZZ_CHECK(memcmp(again, data, bytes) == 0);
}

/* skipping to any block is the same as reading up to it */
static void check_skip(const uint8_t *data, size_t bytes, uint64_t seq, const uint8_t *want)
{
	struct moldudp64_reader r;
	const uint8_t *msg;
	uint32_t n;

	moldudp64_open(&r, data, (uint32_t)bytes);
	FUZZ_CHECK(moldudp64_skip_to(&r, seq) == MOLDUDP64_BLOCK);
	FUZZ_CHECK(moldudp64_next(&r, &msg, &n) == MOLDUDP64_BLOCK && msg == want);
}

static void one(const uint8_t *data, size_t bytes)
{
	struct moldudp64_reader r;
	struct moldudp64_writer w;
	const uint8_t *msg;
	uint32_t n, blocks = 0;
	enum moldudp64_block b;

	check_request(data, bytes);

	enum moldudp64_kind kind = moldudp64_open(&r, data, (uint32_t)bytes);

	mark_kind(kind, bytes);
	if (kind == MOLDUDP64_MALFORMED)
		return;

	enum moldudp64_block whole = moldudp64_check(&r);
	uint64_t first = r.seq, count = r.seq_end - r.seq;
	struct moldudp64_session session;
	uint8_t *again = malloc(bytes);

	FUZZ_CHECK(again != NULL);
	memcpy(&session, r.session, sizeof(session));
	moldudp64_begin(&w, again, (uint32_t)bytes, &session, first);
	while ((b = moldudp64_next(&r, &msg, &n)) == MOLDUDP64_BLOCK) {
		marker_hits[n == 0 ? MARK_EMPTY_BLOCK : MARK_BLOCK]++;
		FUZZ_CHECK(msg >= data && msg + n <= data + bytes);
		FUZZ_CHECK(moldudp64_append(&w, msg, n));
		FUZZ_CHECK(r.seq == first + ++blocks);
		if (blocks < 4)
			check_skip(data, bytes, r.seq - 1, msg);
	}
	mark_end(b);
	FUZZ_CHECK(b == whole);
	FUZZ_CHECK(b != MOLDUDP64_DONE || blocks == count);
	if (b == MOLDUDP64_DONE && kind == MOLDUDP64_MESSAGES) {
		FUZZ_CHECK(moldudp64_close(&w) == bytes && memcmp(again, data, bytes) == 0);
		FUZZ_CHECK(moldudp64_claim(&w, 0) == NULL);
		FUZZ_REACH(FULL);
	}
	free(again);
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	struct moldudp64_session session = moldudp64_session_from("000010059B");
	struct moldudp64_writer w;

	switch (n) {
	case 0: return (int32_t)moldudp64_heartbeat(out, &session, 7);
	case 1: return (int32_t)moldudp64_end(out, &session, 7);
	case 2: return (int32_t)moldudp64_request_encode(&(struct moldudp64_request){session, 1, 9}, out);
	case 3:
	case 4:
		moldudp64_begin(&w, out, 256, &session, n == 3 ? 1 : UINT64_MAX - 2);
		moldudp64_append(&w, "D23456789012345678", 19);
		moldudp64_append(&w, "", 0);
		moldudp64_append(&w, "xyz", 3);
		return (int32_t)moldudp64_close(&w);
	default: return -1;
	}
}

const struct fuzz_target fuzz_target_moldudp64;
const struct fuzz_target fuzz_target_moldudp64 = {
	.name = "moldudp64", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
