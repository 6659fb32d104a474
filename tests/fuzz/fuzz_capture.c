/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/replay/capture_reader.h"
#include "dataplane/runtime/err.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/capture_files.h"

#define MARKERS(X)                                                                                                 \
	X(NO_FORMAT) X(MESSAGE) X(DATAGRAM) X(END) X(ERROR) X(OTHER) X(FRAGMENT) X(CUT) X(BAD) X(NOT_MOLD) X(PACKED)     \
	X(DAMAGED)
FUZZ_DECLARE_MARKERS(MARKERS);

static void mark_end(const struct capture_reader *c, int rc)
{
	marker_hits[rc == 0 ? MARK_END : MARK_ERROR]++;
	marker_hits[MARK_OTHER] += c->n.frame_other;
	marker_hits[MARK_FRAGMENT] += c->n.frame_fragment;
	marker_hits[MARK_CUT] += c->n.frame_cut;
	marker_hits[MARK_BAD] += c->n.frame_bad;
	marker_hits[MARK_NOT_MOLD] += c->n.datagram_other;
	if (c->source.unpack != NULL)
		FUZZ_REACH(PACKED);
	if (rc < 0 && strstr(gn_err_text(), "damaged") != NULL)
		FUZZ_REACH(DAMAGED);
}

static void one(const uint8_t *data, size_t bytes)
{
	struct capture_reader c;
	struct capture_record r;
	uint64_t offset = 0, n = 0;
	int rc;

	if (capture_open_fd(&c, capture_fd(data, bytes), "fuzz") < 0) {
		FUZZ_REACH(NO_FORMAT);
		FUZZ_CHECK(gn_err_text()[0] != '\0');
		return;
	}
	while ((rc = capture_next(&c, &r)) == 1) {
		marker_hits[r.kind == CAPTURE_MESSAGE ? MARK_MESSAGE : MARK_DATAGRAM]++;
		FUZZ_CHECK(n++ == 0 || r.offset > offset);
		FUZZ_CHECK(r.line < CAPTURE_LINES_MAX && r.bytes <= 65535);
		offset = r.offset;
		for (uint32_t i = 0; i < r.bytes; i++) /* the sanitizer looks at every byte */
			offset += r.data[i] & 0;
	}
	FUZZ_CHECK(rc == 0 || strstr(gn_err_text(), "fuzz") != NULL);
	FUZZ_CHECK(n == c.n.message + c.n.datagram);
	mark_end(&c, rc);
	capture_close(&c);
}

static void seed_frames(struct capture_file *f, bool ng)
{
	uint8_t datagram[1472], frame[2048];
	uint32_t n = capture_datagram(datagram, 1, 2), bytes;

	if (ng)
		capture_put_pcapng_head(f);
	else
		capture_put_pcap_head(f, true, 1);
	for (uint32_t i = 0; i < 6; i++) {
		bytes = capture_frame(frame, i % 3, (uint16_t)i, datagram, i == 5 ? 9 : n);
		if (i == 1)
			frame[18 + 9] = 6; /* TCP */
		if (i == 2)
			frame[22 + 6] = 0x20; /* a fragment */
		if (i == 3)
			frame[14 + 25] = 3; /* UDP length */
		if (ng)
			capture_put_pcapng_frame(f, i, frame, bytes);
		else
			capture_put_pcap_frame(f, i, 0, frame, bytes, i == 4 ? bytes - 3 : bytes);
	}
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	static struct capture_file f, packed;
	const struct capture_file *result = &f;
	uint8_t msg[19] = {'D'};

	f.bytes = packed.bytes = 0;
	if (n % 3 == 0) {
		for (uint32_t i = 0; i < 5; i++)
			capture_put_message(&f, msg, sizeof(msg));
		capture_put(&f, "\0\0", 2);
	} else {
		seed_frames(&f, n % 3 == 2);
	}
	if (n >= 9)
		return -1;
	if (n >= 3) {
		(n < 6 ? capture_gzip : capture_zstd)(&f, &packed);
		result = &packed;
	}
	memcpy(out, result->data, result->bytes);
	return (int32_t)result->bytes;
}

const struct fuzz_target fuzz_target_capture;
const struct fuzz_target fuzz_target_capture = {
	.name = "capture", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
