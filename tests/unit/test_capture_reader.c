/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/replay/capture_reader.h"

#include <errno.h>
#include <fcntl.h>

#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "tests/unit/capture_files.h"
#include "tests/unit/codec_data.h"

static struct capture_file file, packed;
static struct capture_reader c;
static struct capture_record r;

/* n deletes, as messages of a raw file */
static void given_raw(uint32_t n)
{
	uint8_t msg[19] = {'D'};

	file.bytes = packed.bytes = 0;
	for (uint32_t i = 1; i <= n; i++) {
		wire_put_u64(msg + 11, i);
		capture_put_message(&file, msg, sizeof(msg));
	}
}

/* datagrams of two messages each, every second one to another port */
static void given_pcap(uint32_t n, bool ng)
{
	uint8_t datagram[1472], frame[2048];

	file.bytes = packed.bytes = 0;
	if (ng)
		capture_put_pcapng_head(&file);
	else
		capture_put_pcap_head(&file, true, 1);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t bytes = capture_datagram(datagram, 1 + 2 * (i / 2), 2);

		bytes = capture_frame(frame, 1, (uint16_t)(26477 + i % 2), datagram, bytes);
		if (ng)
			capture_put_pcapng_frame(&file, UINT64_C(1692700000123456789) + i, frame, bytes);
		else
			capture_put_pcap_frame(&file, 1692700000, 123456789 + i, frame, bytes, bytes);
	}
}

static int open_file(const struct capture_file *f)
{
	return capture_open_fd(&c, capture_fd(f->data, f->bytes), "test.file");
}

static void expect_messages(uint32_t n)
{
	for (uint32_t i = 1; i <= n; i++) {
		cr_assert_eq(capture_next(&c, &r), 1, "message %u: %s", i, gn_err_text());
		cr_expect_eq(r.kind, CAPTURE_MESSAGE);
		cr_expect_eq(r.index, i);
		cr_expect_eq(r.offset, (i - 1) * 21);
		cr_expect_eq(r.bytes, 19);
		cr_expect_eq(wire_u64(r.data + 11), i);
	}
}

static void expect_datagrams(uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cr_assert_eq(capture_next(&c, &r), 1, "%s", gn_err_text());
		cr_expect_eq(r.kind, CAPTURE_DATAGRAM);
		cr_expect_eq(r.index, i + 1);
		cr_expect_eq(r.line, i % 2);
		cr_expect_eq(r.ns, UINT64_C(1692700000123456789) + i);
		cr_expect_eq(r.bytes, 20 + 2 * 21);
		cr_expect_eq(wire_u64(r.data + 10), 1 + 2 * (i / 2));
	}
}

static void expect_end(void)
{
	cr_expect_eq(capture_next(&c, &r), 0, "%s", gn_err_text());
	cr_expect_eq(capture_next(&c, &r), 0);
	capture_close(&c);
}

/* the error's text names the file and the offset */
static void expect_error(uint64_t offset)
{
	char want[64];

	cr_assert_lt(capture_next(&c, &r), 0);
	snprintf(want, sizeof(want), "test.file: at byte %" PRIu64 ":", offset);
	cr_expect_not_null(strstr(gn_err_text(), want), "'%s' in: %s", want, gn_err_text());
	capture_close(&c);
}

TestSuite(capture_reader, .timeout = 60);

Test(capture_reader, reads_a_raw_file)
{
	given_raw(1000);
	cr_assert_eq(open_file(&file), 0, "%s", gn_err_text());
	expect_messages(1000);
	expect_end();
}

Test(capture_reader, ends_at_the_end_mark_of_a_raw_file)
{
	given_raw(3);
	capture_put(&file, "\0\0", 2);
	cr_assert_eq(open_file(&file), 0);
	expect_messages(3);
	expect_end();
}

Test(capture_reader, tells_bytes_after_the_end_mark)
{
	given_raw(3);
	capture_put(&file, "\0\0x", 3);
	cr_assert_eq(open_file(&file), 0);
	expect_messages(3);
	expect_error(65);
}

Test(capture_reader, tells_where_a_raw_file_is_cut)
{
	for (uint32_t cut = 1; cut < 21; cut++) {
		given_raw(3);
		file.bytes -= cut;
		cr_assert_eq(open_file(&file), 0);
		expect_messages(2);
		expect_error(42);
	}
}

Test(capture_reader, reads_an_empty_file_as_no_messages)
{
	given_raw(0);
	cr_assert_eq(open_file(&file), 0);
	expect_end();
	capture_put(&file, "\0\0", 2);
	cr_assert_eq(open_file(&file), 0);
	expect_end();
}

Test(capture_reader, refuses_what_is_none_of_its_formats)
{
	static const char *const bad[] = {"x", "\0", "\0\23", "\0\22D23456789012345678", "\0\23z23456789012345678", "hello, world",
		"\0\0\0"};
	static const uint32_t bytes[] = {1, 1, 2, 20, 21, 12, 3};

	for (size_t i = 0; i < GN_ARRAY_SIZE(bad); i++) {
		file.bytes = 0;
		capture_put(&file, bad[i], bytes[i]);
		cr_expect_lt(open_file(&file), 0, "%zu", i);
		cr_expect_not_null(strstr(gn_err_text(), "test.file"), "%s", gn_err_text());
	}
}

Test(capture_reader, says_why_a_path_cannot_be_opened)
{
	cr_expect_eq(capture_open(&c, "/nonexistent/file"), -ENOENT);
	cr_expect_not_null(strstr(gn_err_text(), "/nonexistent/file"));
	cr_expect_eq(capture_open(&c, "/"), -EISDIR);
}

Test(capture_reader, reads_pcap_and_gives_every_destination_a_line)
{
	given_pcap(10, false);
	cr_assert_eq(open_file(&file), 0, "%s", gn_err_text());
	expect_datagrams(10);
	expect_end();
	cr_expect_eq(c.n.datagram, 10);
}

Test(capture_reader, reads_pcapng)
{
	given_pcap(10, true);
	cr_assert_eq(open_file(&file), 0, "%s", gn_err_text());
	expect_datagrams(10);
	expect_end();
}

Test(capture_reader, reads_stamps_in_microseconds)
{
	uint8_t datagram[1472], frame[2048];
	uint32_t bytes = capture_frame(frame, 0, 1, datagram, capture_datagram(datagram, 1, 1));

	file.bytes = 0;
	capture_put_pcap_head(&file, false, 1);
	capture_put_pcap_frame(&file, 5, 7, frame, bytes, bytes);
	cr_assert_eq(open_file(&file), 0);
	cr_assert_eq(capture_next(&c, &r), 1);
	cr_expect_eq(r.ns, UINT64_C(5000007000));
	cr_expect_eq(r.offset, 24);
	expect_end();
}

Test(capture_reader, reads_gzip_and_zstd_also_in_several_parts)
{
	for (uint32_t zstd = 0; zstd < 2; zstd++) {
		for (uint32_t pcap = 0; pcap < 2; pcap++) {
			if (pcap)
				given_pcap(10, false);
			else
				given_raw(1000);

			struct capture_file half = {.bytes = 100}, rest = {.bytes = file.bytes - 100};

			memcpy(half.data, file.data, 100);
			memcpy(rest.data, file.data + 100, rest.bytes);
			(zstd ? capture_zstd : capture_gzip)(&half, &packed);
			(zstd ? capture_zstd : capture_gzip)(&rest, &packed);
			cr_assert_eq(open_file(&packed), 0, "%s", gn_err_text());
			if (pcap)
				expect_datagrams(10);
			else
				expect_messages(1000);
			expect_end();
		}
	}
}

/* every truncation of a packed file: an error that names the file, never a silent end, unless a whole part was kept */
Test(capture_reader, tells_a_packed_file_that_ends_too_early)
{
	for (uint32_t zstd = 0; zstd < 2; zstd++) {
		given_raw(50);
		(zstd ? capture_zstd : capture_gzip)(&file, &packed);
		for (uint32_t k = 5; k < packed.bytes; k++) {
			int rc = capture_open_fd(&c, capture_fd(packed.data, k), "test.file");

			while (rc >= 0 && (rc = capture_next(&c, &r)) == 1)
				;
			cr_expect_lt(rc, 0, "%u of %u bytes", k, packed.bytes);
			cr_expect_not_null(strstr(gn_err_text(), "test.file"), "%s", gn_err_text());
			capture_close(&c);
		}
	}
}

Test(capture_reader, tells_damaged_packed_files)
{
	for (uint32_t zstd = 0; zstd < 2; zstd++) {
		given_raw(50);
		(zstd ? capture_zstd : capture_gzip)(&file, &packed);
		capture_put(&packed, "garbage", 7);

		int rc = open_file(&packed);

		while (rc >= 0 && (rc = capture_next(&c, &r)) == 1)
			;
		cr_expect_lt(rc, 0);
		cr_expect_not_null(strstr(gn_err_text(), "damaged"), "%s", gn_err_text());
		capture_close(&c);
	}
}

Test(capture_reader, tells_where_a_pcap_file_is_cut)
{
	given_pcap(3, false);

	uint32_t frame = (file.bytes - 24) / 3;

	for (uint32_t cut = 1; cut < frame; cut++) {
		given_pcap(3, false);
		file.bytes -= cut;
		cr_assert_eq(open_file(&file), 0);
		expect_datagrams(2);
		expect_error(24 + 2 * frame);
	}
}

Test(capture_reader, refuses_a_link_it_does_not_know)
{
	file.bytes = 0;
	capture_put_pcap_head(&file, true, 127);
	cr_expect_eq(open_file(&file), -ENOTSUP);
	cr_expect_not_null(strstr(gn_err_text(), "127"), "%s", gn_err_text());
}

Test(capture_reader, counts_what_is_no_datagram_of_ours)
{
	uint8_t datagram[1472], frame[2048];
	uint32_t n = capture_datagram(datagram, 1, 2), bytes;

	file.bytes = 0;
	capture_put_pcap_head(&file, true, 1);
	bytes = capture_frame(frame, 0, 1, "no moldudp64", 12);
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	bytes = capture_frame(frame, 0, 1, datagram, n - 1);
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	bytes = capture_frame(frame, 0, 1, datagram, n);
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes - 1);
	wire_put_u16(frame + 38, 5);
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	wire_put_u16(frame + 20, 0x2000);
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	frame[23] = 6;
	capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	for (uint16_t port = 1; port <= CAPTURE_LINES_MAX + 1; port++) {
		bytes = capture_frame(frame, 0, port, datagram, n);
		capture_put_pcap_frame(&file, 1, 0, frame, bytes, bytes);
	}
	cr_assert_eq(open_file(&file), 0);
	for (uint32_t i = 0; i < CAPTURE_LINES_MAX; i++) {
		cr_assert_eq(capture_next(&c, &r), 1);
		cr_expect_eq(r.line, i);
		cr_expect_eq(r.index, 7 + i);
	}
	expect_end();
	cr_expect_eq(c.n.datagram_other, 2);
	cr_expect_eq(c.n.frame_cut, 1);
	cr_expect_eq(c.n.frame_bad, 1);
	cr_expect_eq(c.n.frame_fragment, 1);
	cr_expect_eq(c.n.frame_other, 1);
	cr_expect_eq(c.n.datagram_extra, 1);
	cr_expect_eq(c.n.frame, 6 + CAPTURE_LINES_MAX + 1);
}

Test(capture_reader, keeps_the_numbers_of_lines_over_files)
{
	struct capture_reader first;

	given_pcap(2, false);
	cr_assert_eq(open_file(&file), 0);
	expect_datagrams(2);
	first = c;
	expect_end();
	cr_assert_eq(open_file(&file), 0);
	first.line[0].port = 26478;
	first.line[1].port = 26477;
	capture_continue(&c, &first);
	cr_assert_eq(capture_next(&c, &r), 1);
	cr_expect_eq(r.line, 1);
	capture_close(&c);
}

/* a pipe gives bytes as they come, and has no length */
Test(capture_reader, reads_from_standard_input)
{
	int pipe_fd[2];

	for (uint32_t kind = 0; kind < 4; kind++) {
		if (kind & 1)
			given_pcap(10, false);
		else
			given_raw(1000);
		if (kind & 2)
			capture_gzip(&file, &packed);

		const struct capture_file *f = kind & 2 ? &packed : &file;

		cr_assert_eq(pipe(pipe_fd), 0);
		dup2(pipe_fd[0], STDIN_FILENO);
		close(pipe_fd[0]);
		if (fork() == 0) {
			for (uint32_t at = 0; at < f->bytes; at += 7)
				if (write(pipe_fd[1], f->data + at, f->bytes - at < 7 ? f->bytes - at : 7) < 0)
					_exit(1);
			_exit(0);
		}
		close(pipe_fd[1]);
		cr_assert_eq(capture_open(&c, "-"), 0, "%s", gn_err_text());
		cr_expect_eq(c.source.n_file, 0);
		if (kind & 1)
			expect_datagrams(10);
		else
			expect_messages(1000);
		expect_end();
	}
}

Test(capture_reader, reads_messages_larger_than_what_is_left_in_its_buffer)
{
	static uint8_t large[3 << 20];
	uint64_t seed = data_seed(7), state = seed;
	uint32_t bytes = 0, n = 0, at = 0;

	wire_put_u16(large, 19); /* the first one must be a message */
	large[2] = 'D';
	for (bytes = 21; bytes + 65537 < sizeof(large); n++) {
		uint16_t length = (uint16_t)(1 + data_random(&state) % 65535);

		wire_put_u16(large + bytes, length);
		large[bytes + 2] = (uint8_t)n;
		bytes += 2u + length;
	}
	cr_assert_eq(capture_open_fd(&c, capture_fd(large, bytes), "test.file"), 0, "%s", gn_err_text());
	for (uint32_t i = 0; i <= n; i++) {
		cr_assert_eq(capture_next(&c, &r), 1, "seed %" PRIu64 ": %s", seed, gn_err_text());
		cr_assert_eq(r.bytes, wire_u16(large + at));
		cr_assert_arr_eq(r.data, large + at + 2, r.bytes);
		at += 2 + r.bytes;
	}
	expect_end();
}

Test(capture_reader, reads_recorded_files)
{
	uint32_t bytes;
	const uint8_t *data = data_load("nasdaq/aapl_20191230_first25000.itch", &bytes);

	cr_assert_eq(capture_open_fd(&c, capture_fd(data, bytes), "test.file"), 0);
	for (uint32_t i = 0; i < 25000; i++)
		cr_assert_eq(capture_next(&c, &r), 1);
	expect_end();
	data = data_load("nasdaq/itch_pcap/OrderReplaceMessage.pcap", &bytes);
	cr_assert_eq(capture_open_fd(&c, capture_fd(data, bytes), "test.file"), 0);
	cr_assert_eq(capture_next(&c, &r), 1);
	cr_expect_eq(wire_u64(r.data + 10), 0xe12f45);
	expect_end();
	data = data_load("deribit/rfq.pcapng", &bytes); /* another protocol: read, and all of it counted */
	cr_assert_eq(capture_open_fd(&c, capture_fd(data, bytes), "test.file"), 0, "%s", gn_err_text());
	expect_end();
	cr_expect_gt(c.n.datagram_other, 0);
}
