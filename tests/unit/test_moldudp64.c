/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/moldudp64.h"
#include "tests/unit/codec_data.h"

static struct moldudp64_reader r;
static struct moldudp64_session session;
static uint8_t datagram[2048];
static const uint8_t *msg;
static uint32_t bytes;

static void given_a_session(void)
{
	session = moldudp64_session_from("000010059B");
}

static uint32_t given(const char *hex)
{
	return data_hex(hex, datagram);
}

/* three messages, the second one empty: 20 + 5 + 2 + 3 bytes */
static uint32_t given_three(uint64_t seq)
{
	struct moldudp64_writer w;

	moldudp64_begin(&w, datagram, sizeof(datagram), &session, seq);
	cr_assert(moldudp64_append(&w, "abc", 3));
	cr_assert(moldudp64_append(&w, "", 0));
	cr_assert(moldudp64_append(&w, "d", 1));
	return moldudp64_close(&w);
}

TestSuite(moldudp64, .init = given_a_session, .timeout = 10);

Test(moldudp64, refuses_every_datagram_shorter_than_its_head)
{
	uint32_t n = given("'000010059B' 0000000000000001 0000");

	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_HEARTBEAT);
	for (uint32_t i = 0; i < n; i++)
		cr_expect_eq(moldudp64_open(&r, datagram, i), MOLDUDP64_MALFORMED, "%u bytes", i);
}

Test(moldudp64, reads_a_heartbeat)
{
	uint32_t n = given("'000010059B' 0000000000e12f59 0000");

	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_HEARTBEAT);
	cr_expect_eq(r.seq, 0xe12f59);
	cr_expect_eq(r.seq_end, 0xe12f59);
	cr_expect(moldudp64_session_equal(r.session, &session));
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_DONE);
}

Test(moldudp64, reads_an_end_of_session)
{
	uint32_t n = given("'000010059B' 0000000000e12f59 ffff");

	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_END);
	cr_expect_eq(r.seq, 0xe12f59);
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_DONE);
}

Test(moldudp64, sees_bytes_after_a_heartbeat)
{
	uint32_t n = given("'000010059B' 0000000000e12f59 0000 00");

	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_HEARTBEAT);
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_TRAILING);
}

Test(moldudp64, iterates_blocks_and_gives_an_empty_one_its_number)
{
	uint32_t n = given_three(41);

	cr_assert_eq(n, 30);
	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_MESSAGES);
	cr_expect_eq(r.seq, 41);
	cr_expect_eq(r.seq_end, 44);
	cr_expect_eq(moldudp64_check(&r), MOLDUDP64_DONE);
	cr_assert_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_BLOCK);
	cr_expect_eq(bytes, 3);
	cr_expect_arr_eq(msg, "abc", 3);
	cr_expect_eq(r.seq, 42);
	cr_assert_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_BLOCK);
	cr_expect_eq(bytes, 0);
	cr_expect_eq(r.seq, 43);
	cr_assert_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_BLOCK);
	cr_expect_eq(bytes, 1);
	cr_expect_eq(r.seq, 44);
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_DONE);
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_DONE);
}

Test(moldudp64, sees_every_truncation_as_an_overrun)
{
	uint32_t n = given_three(1);

	for (uint32_t i = MOLDUDP64_HEAD_BYTES; i < n; i++) {
		uint8_t *exact = malloc(i); /* the sanitizer sees a read past it */

		memcpy(exact, datagram, i);
		cr_assert_eq(moldudp64_open(&r, exact, i), MOLDUDP64_MESSAGES);
		cr_expect_eq(moldudp64_check(&r), MOLDUDP64_OVERRUN, "%u bytes", i);
		while (moldudp64_next(&r, &msg, &bytes) == MOLDUDP64_BLOCK)
			cr_assert_leq((uintptr_t)(msg + bytes), (uintptr_t)(exact + i));
		free(exact);
	}
}

Test(moldudp64, sees_bytes_after_the_last_block)
{
	uint32_t n = given_three(1);

	cr_assert_eq(moldudp64_open(&r, datagram, n + 1), MOLDUDP64_MESSAGES);
	cr_expect_eq(moldudp64_check(&r), MOLDUDP64_TRAILING);
}

Test(moldudp64, sees_a_block_length_past_the_end)
{
	uint32_t n = given("'000010059B' 0000000000000001 0001 ffff 00");

	cr_assert_eq(moldudp64_open(&r, datagram, n), MOLDUDP64_MESSAGES);
	cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_OVERRUN);
}

Test(moldudp64, refuses_sequence_numbers_that_wrap)
{
	cr_expect_eq(moldudp64_open(&r, datagram, given_three(UINT64_MAX - 3)), MOLDUDP64_MESSAGES);
	cr_expect_eq(r.seq_end, UINT64_MAX);
	cr_expect_eq(moldudp64_open(&r, datagram, given_three(UINT64_MAX - 2)), MOLDUDP64_MALFORMED);
	cr_expect_eq(moldudp64_open(&r, datagram, given_three(UINT64_MAX)), MOLDUDP64_MALFORMED);
	cr_expect_eq(moldudp64_open(&r, datagram, moldudp64_heartbeat(datagram, &session, UINT64_MAX)), MOLDUDP64_HEARTBEAT);
}

Test(moldudp64, skips_to_the_expected_message_of_an_overlapping_datagram)
{
	uint32_t n = given_three(41);

	for (uint64_t seq = 40; seq < 44; seq++) {
		uint64_t want = seq < 41 ? 41 : seq;

		moldudp64_open(&r, datagram, n);
		cr_assert_eq(moldudp64_skip_to(&r, seq), MOLDUDP64_BLOCK);
		cr_expect_eq(r.seq, want);
	}
	moldudp64_open(&r, datagram, n);
	cr_expect_eq(moldudp64_skip_to(&r, 44), MOLDUDP64_DONE);
	moldudp64_open(&r, datagram, n);
	cr_expect_eq(moldudp64_skip_to(&r, UINT64_MAX), MOLDUDP64_DONE);
	moldudp64_open(&r, datagram, n - 1);
	cr_expect_eq(moldudp64_skip_to(&r, 43), MOLDUDP64_OVERRUN);
}

Test(moldudp64, writes_no_more_than_the_datagram_holds)
{
	struct moldudp64_writer w;

	moldudp64_begin(&w, datagram, 28, &session, 1);
	cr_expect_null(moldudp64_claim(&w, 7));
	cr_expect_null(moldudp64_claim(&w, UINT32_MAX));
	cr_expect_not_null(moldudp64_claim(&w, 6));
	cr_expect_not(moldudp64_append(&w, "", 0));
	cr_expect_eq(moldudp64_close(&w), 28);
	moldudp64_begin(&w, datagram, 20, &session, 1);
	cr_expect_null(moldudp64_claim(&w, 0));
	cr_expect_eq(moldudp64_close(&w), 20);
	cr_expect_eq(moldudp64_open(&r, datagram, 20), MOLDUDP64_HEARTBEAT);
}

Test(moldudp64, never_counts_up_to_the_mark_of_an_end)
{
	static uint8_t large[20 + 2 * 65536];
	struct moldudp64_writer w;
	uint32_t n = 0;

	moldudp64_begin(&w, large, sizeof(large), &session, 1);
	while (moldudp64_append(&w, "", 0))
		n++;
	cr_expect_eq(n, 0xfffe);
	cr_expect_eq(moldudp64_open(&r, large, moldudp64_close(&w)), MOLDUDP64_MESSAGES);
	cr_expect_eq(r.seq_end, 0xffff);
	cr_expect_eq(moldudp64_check(&r), MOLDUDP64_DONE);
}

Test(moldudp64, writes_the_bytes_of_the_specification)
{
	uint8_t want[64];
	uint32_t n = data_hex("'000010059B' 0000000000000029 0003 0003 'abc' 0000 0001 'd'", want);

	cr_assert_eq(given_three(0x29), n);
	cr_expect_arr_eq(datagram, want, n);
	n = data_hex("'AB        ' 0000000000000007 0000", want);
	session = moldudp64_session_from("AB");
	cr_expect_eq(moldudp64_heartbeat(datagram, &session, 7), n);
	cr_expect_arr_eq(datagram, want, n);
	n = data_hex("'ABCDEFGHIJ' 0000000000000007 ffff", want);
	session = moldudp64_session_from("ABCDEFGHIJKL");
	cr_expect_eq(moldudp64_end(datagram, &session, 7), n);
	cr_expect_arr_eq(datagram, want, n);
}

Test(moldudp64, carries_a_request_both_ways)
{
	struct moldudp64_request req = {.session = session, .seq = 0x0102030405060708, .count = 0x1122}, back;
	uint8_t want[64];
	uint32_t n = data_hex("'000010059B' 0102030405060708 1122", want);

	cr_assert_eq(moldudp64_request_encode(&req, datagram), n);
	cr_expect_arr_eq(datagram, want, n);
	cr_assert(moldudp64_request_decode(datagram, n, &back));
	cr_expect(moldudp64_session_equal(&back.session, &session));
	cr_expect_eq(back.seq, req.seq);
	cr_expect_eq(back.count, req.count);
}

Test(moldudp64, refuses_requests_of_another_length_or_for_nothing)
{
	struct moldudp64_request req = {.session = session, .seq = 1, .count = 1}, back;
	uint32_t n = moldudp64_request_encode(&req, datagram);

	for (uint32_t i = 0; i < 64; i++)
		cr_expect_eq(moldudp64_request_decode(datagram, i, &back), i == n);
	datagram[19] = 0;
	cr_expect_not(moldudp64_request_decode(datagram, n, &back));
}

Test(moldudp64, reads_recorded_packets)
{
	static const struct { const char *file; uint64_t seq; uint32_t bytes; } packets[] = {
		{"AddOrderNoMpidAttributionMessage", 0xe12f59, 36}, {"MarketParticipantPositionMessage", 0x1108d66, 26},
		{"NetOrderImbalanceIndicatorMessage", 0xe1301f, 50}, {"OrderDeleteMessage", 0xe12f5a, 19},
		{"OrderExecutedMessage", 0xe12f71, 31}, {"OrderReplaceMessage", 0xe12f45, 35},
		{"StockTradingActionMessage", 0x2090e79, 25}};

	for (size_t i = 0; i < GN_ARRAY_SIZE(packets); i++) {
		char name[128];
		uint32_t n;

		snprintf(name, sizeof(name), "nasdaq/itch_pcap/%s.pcap", packets[i].file);

		const uint8_t *p = data_payload(name, &n);

		cr_assert_eq(moldudp64_open(&r, p, n), MOLDUDP64_MESSAGES);
		cr_expect(moldudp64_session_equal(r.session, &session));
		cr_expect_eq(r.seq, packets[i].seq);
		cr_assert_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_BLOCK);
		cr_expect_eq(bytes, packets[i].bytes);
		cr_expect_eq(moldudp64_next(&r, &msg, &bytes), MOLDUDP64_DONE);
	}
}
