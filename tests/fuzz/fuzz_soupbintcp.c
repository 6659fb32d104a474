/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/soupbintcp.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X)                                                                                              \
	X(PACKET) X(IN_PLACE) X(PUT_TOGETHER) X(MORE) X(MALFORMED) X(LOGIN) X(LOGIN_41) X(ACCEPTED) X(REJECTED)   \
	X(NO_LOGIN) X(NO_ACCEPTED) X(EMPTY_PAYLOAD)
FUZZ_DECLARE_MARKERS(MARKERS);

#define BUF_BYTES 80u

static void check_login(const struct soup_packet *p)
{
	struct soup_login first, second;
	struct soup_packet q;
	uint8_t again[SOUP_LOGIN_41_BYTES];

	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	if (!soup_login_parse(p, &first)) {
		FUZZ_REACH(NO_LOGIN);
		return;
	}
	marker_hits[first.heartbeat_ms != 0 ? MARK_LOGIN_41 : MARK_LOGIN]++;

	uint32_t n = soup_login_build(&first, again);

	q = (struct soup_packet){.type = again[2], .bytes = n - SOUP_HEAD_BYTES, .payload = again + SOUP_HEAD_BYTES};
	FUZZ_CHECK(wire_u16(again) + 2u == n);
	FUZZ_CHECK(soup_login_parse(&q, &second));
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
}

static void check_accepted(const struct soup_packet *p)
{
	struct soup_accepted first, second;
	struct soup_packet q;
	uint8_t again[SOUP_ACCEPTED_BYTES];

	memset(&first, 0, sizeof(first));
	memset(&second, 0, sizeof(second));
	if (!soup_accepted_parse(p, &first)) {
		FUZZ_REACH(NO_ACCEPTED);
		return;
	}
	FUZZ_REACH(ACCEPTED);
	FUZZ_CHECK(soup_accepted_build(&first, again) == sizeof(again));
	q = (struct soup_packet){.type = again[2], .bytes = sizeof(again) - SOUP_HEAD_BYTES, .payload = again + SOUP_HEAD_BYTES};
	FUZZ_CHECK(soup_accepted_parse(&q, &second));
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
}

static void check_packet(const struct soup_packet *p)
{
	FUZZ_REACH(PACKET);
	if (p->bytes == 0)
		FUZZ_REACH(EMPTY_PAYLOAD);
	switch (p->type) {
	case SOUP_LOGIN: check_login(p); break;
	case SOUP_ACCEPTED: check_accepted(p); break;
	case SOUP_REJECTED:
		if (soup_rejected_parse(p) != '\0')
			FUZZ_REACH(REJECTED);
		break;
	default: break;
	}
}

/* The stream in one segment and the stream in pieces give the same packets. The first byte says how to cut. */
static void one(const uint8_t *data, size_t bytes)
{
	struct soup_framer whole, cut;
	struct soup_packet p, q;
	uint8_t buf_whole[BUF_BYTES], buf_cut[BUF_BYTES];
	enum soup_result rc, rc_cut = SOUP_MORE;

	if (bytes == 0)
		return;

	size_t step = 1 + data[0] % 64, at = 1;

	soup_framer_init(&whole, buf_whole, sizeof(buf_whole));
	soup_framer_init(&cut, buf_cut, sizeof(buf_cut));
	soup_framer_feed(&whole, data + 1, (uint32_t)(bytes - 1));
	soup_framer_feed(&cut, data, 0);
	while ((rc = soup_framer_next(&whole, &p)) == SOUP_PACKET) {
		check_packet(&p);
		while ((rc_cut = soup_framer_next(&cut, &q)) == SOUP_MORE && at < bytes) {
			size_t n = step < bytes - at ? step : bytes - at;

			soup_framer_feed(&cut, data + at, (uint32_t)n);
			at += n;
		}
		FUZZ_CHECK(rc_cut == SOUP_PACKET && q.type == p.type && q.bytes == p.bytes);
		FUZZ_CHECK(p.bytes == 0 || memcmp(q.payload, p.payload, p.bytes) == 0);
		marker_hits[q.payload >= buf_cut && q.payload < buf_cut + BUF_BYTES ? MARK_PUT_TOGETHER : MARK_IN_PLACE]++;
	}
	while ((rc_cut = soup_framer_next(&cut, &q)) == SOUP_MORE && at < bytes) {
		size_t n = step < bytes - at ? step : bytes - at;

		soup_framer_feed(&cut, data + at, (uint32_t)n);
		at += n;
	}
	FUZZ_CHECK(rc == rc_cut);
	FUZZ_CHECK(soup_framer_next(&whole, &p) == rc);
	marker_hits[rc == SOUP_MORE ? MARK_MORE : MARK_MALFORMED]++;
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	uint32_t at = 1;
	struct soup_login login = {.username = "user", .password = "password", .session = "42", .seq = 1};

	if (n > 2)
		return -1;
	out[0] = (uint8_t)(n * 20);
	at += soup_login_build(&login, out + at);
	login.heartbeat_ms = 15000;
	at += soup_login_build(&login, out + at);
	at += soup_accepted_build(&(struct soup_accepted){.session = "1689192121", .seq = 135}, out + at);
	at += soup_rejected_build(SOUP_REJECT_NO_SESSION, out + at);
	at += soup_build(out + at, SOUP_SEQUENCED, "hello", 5);
	at += soup_build(out + at, SOUP_SERVER_HEARTBEAT, NULL, 0);
	return (int32_t)at;
}

const struct fuzz_target fuzz_target_soupbintcp;
const struct fuzz_target fuzz_target_soupbintcp = {
	.name = "soupbintcp", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
