/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/soupbintcp.h"
#include "dataplane/runtime/compiler.h"
#include "tests/unit/codec_data.h"

#define BUF_BYTES 64u

static uint8_t buf[BUF_BYTES];
static uint8_t wire[1024], want[1024];
static struct soup_framer f;
static struct soup_packet p;

static void given_a_framer(void)
{
	soup_framer_init(&f, buf, sizeof(buf));
}

static enum soup_result feed(const char *hex)
{
	soup_framer_feed(&f, wire, data_hex(hex, wire));
	return soup_framer_next(&f, &p);
}

static void expect_payload(const char *text)
{
	cr_expect_eq(p.bytes, strlen(text));
	cr_expect_arr_eq(p.payload, text, strlen(text));
}

/* one whole packet, as the parsers want it */
static const struct soup_packet *packet(const uint8_t *data, uint32_t bytes)
{
	cr_assert_eq(wire_u16(data) + 2u, bytes);
	p = (struct soup_packet){.type = data[2], .bytes = bytes - 3, .payload = data + 3};
	return &p;
}

TestSuite(soupbintcp, .init = given_a_framer, .timeout = 20);

Test(soupbintcp, refuses_a_packet_without_a_type_for_ever)
{
	cr_expect_eq(feed("0000"), SOUP_MALFORMED);
	cr_expect_eq(feed("0001 'H'"), SOUP_MALFORMED);
	given_a_framer();
	cr_expect_eq(feed("0001 'H'"), SOUP_PACKET);
}

Test(soupbintcp, refuses_a_packet_longer_than_its_buffer_as_soon_as_its_length_is_known)
{
	cr_expect_eq(feed("003e 'S'"), SOUP_MORE); /* 2 + 62 fits just so */
	given_a_framer();
	cr_expect_eq(feed("003f"), SOUP_MALFORMED);
	given_a_framer();
	cr_expect_eq(feed("00"), SOUP_MORE);
	cr_expect_eq(feed("3f"), SOUP_MALFORMED);
	given_a_framer();
	cr_expect_eq(feed("0001 'H' ffff 'S' 00"), SOUP_PACKET);
	cr_expect_eq(soup_framer_next(&f, &p), SOUP_MALFORMED);
}

Test(soupbintcp, waits_on_an_empty_segment)
{
	soup_framer_feed(&f, NULL, 0);
	cr_expect_eq(soup_framer_next(&f, &p), SOUP_MORE);
	cr_expect_eq(soup_framer_next(&f, &p), SOUP_MORE);
}

Test(soupbintcp, hands_out_whole_packets_in_place)
{
	cr_assert_eq(feed("0004 'Sabc' 0001 'H' 0002 'Ux'"), SOUP_PACKET);
	cr_expect_eq(p.type, SOUP_SEQUENCED);
	expect_payload("abc");
	cr_expect_eq(p.payload, wire + 3);
	cr_assert_eq(soup_framer_next(&f, &p), SOUP_PACKET);
	cr_expect_eq(p.type, SOUP_SERVER_HEARTBEAT);
	cr_expect_eq(p.bytes, 0);
	cr_assert_eq(soup_framer_next(&f, &p), SOUP_PACKET);
	cr_expect_eq(p.type, SOUP_UNSEQUENCED);
	expect_payload("x");
	cr_expect_eq(soup_framer_next(&f, &p), SOUP_MORE);
}

Test(soupbintcp, joins_a_packet_cut_at_every_byte)
{
	for (uint32_t cut = 0; cut <= 9; cut++) {
		uint8_t stream[16];
		uint32_t n = data_hex("0004 'Sabc' 0001 'H'", stream);
		uint32_t packets = 0;

		given_a_framer();
		soup_framer_feed(&f, stream, cut);
		while (soup_framer_next(&f, &p) == SOUP_PACKET)
			packets++;
		soup_framer_feed(&f, stream + cut, n - cut);
		while (soup_framer_next(&f, &p) == SOUP_PACKET) {
			packets++;
			if (p.type == SOUP_SEQUENCED)
				expect_payload("abc");
		}
		cr_expect_eq(packets, 2, "cut at %u", cut);
	}
}

/* a stream of random packets, cut at random: the same packets come out */
Test(soupbintcp, gives_the_same_packets_under_any_segmentation)
{
	uint64_t seed = data_seed(3), state = seed;

	for (uint32_t round = 0; round < 3000; round++) {
		uint8_t stream[4096];
		uint32_t bytes = 0, at = 0, out = 0;

		while (bytes < 3000) {
			uint32_t n = (uint32_t)(data_random(&state) % (BUF_BYTES - SOUP_HEAD_BYTES + 1));

			for (uint32_t i = 0; i < n; i++)
				want[i] = (uint8_t)data_random(&state);
			bytes += soup_build(stream + bytes, (uint8_t)data_random(&state), want, n);
		}
		given_a_framer();
		while (at < bytes) {
			uint32_t cut = (uint32_t)(data_random(&state) % 150);
			uint8_t *segment = malloc(cut + 1); /* the sanitizer sees a use after it is gone */

			cut = cut < bytes - at ? cut : bytes - at;
			memcpy(segment, stream + at, cut);
			soup_framer_feed(&f, segment, cut);
			while (soup_framer_next(&f, &p) == SOUP_PACKET) {
				cr_assert_eq(p.bytes + 1, wire_u16(stream + out), "seed %" PRIu64 ", round %u", seed, round);
				cr_assert_eq(p.type, stream[out + 2]);
				cr_assert_arr_eq(p.payload, stream + out + 3, p.bytes);
				out += SOUP_HEAD_BYTES + p.bytes;
			}
			free(segment);
			at += cut;
		}
		cr_assert_eq(out, bytes, "seed %" PRIu64 ", round %u", seed, round);
	}
}

Test(soupbintcp, builds_packets_without_payload)
{
	static const struct { uint8_t type; const char *hex; } rows[] = {
		{SOUP_SERVER_HEARTBEAT, "0001 48"}, {SOUP_CLIENT_HEARTBEAT, "0001 52"}, {SOUP_END, "0001 5a"},
		{SOUP_LOGOUT, "0001 4f"}};

	for (size_t i = 0; i < GN_ARRAY_SIZE(rows); i++) {
		cr_expect_eq(soup_build(wire, rows[i].type, NULL, 0), 3);
		data_hex(rows[i].hex, want);
		cr_expect_arr_eq(wire, want, 3);
	}
}

Test(soupbintcp, builds_packets_with_payload)
{
	cr_expect_eq(soup_build(wire, SOUP_DEBUG, "hello", 5), data_hex("0006 '+hello'", want));
	cr_expect_arr_eq(wire, want, 8);
	cr_expect_eq(soup_build(wire, SOUP_SEQUENCED, "", 0), data_hex("0001 'S'", want));
	cr_expect_arr_eq(wire, want, 3);
}

Test(soupbintcp, refuses_to_build_what_no_length_can_say)
{
	static uint8_t large[SOUP_PACKET_BYTES_MAX], payload[65536];

	cr_expect_eq(soup_build(large, SOUP_DEBUG, payload, 65534), SOUP_PACKET_BYTES_MAX);
	cr_expect_eq(wire_u16(large), 65535);
	cr_expect_eq(soup_build(large, SOUP_DEBUG, payload, 65535), 0);
}

Test(soupbintcp, writes_and_reads_a_login_request)
{
	struct soup_login login = {.username = "user", .password = "password", .session = "", .seq = 0}, back;
	uint32_t n = data_hex("002f 'Luser  password            ' '                   0'", want);

	cr_assert_eq(n, SOUP_LOGIN_BYTES);
	cr_assert_eq(soup_login_build(&login, wire), n);
	cr_expect_arr_eq(wire, want, n);
	memset(&back, 0xee, sizeof(back));
	cr_assert(soup_login_parse(packet(wire, n), &back));
	cr_expect_str_eq(back.username, "user");
	cr_expect_str_eq(back.password, "password");
	cr_expect_str_eq(back.session, "");
	cr_expect_eq(back.seq, 0);
	cr_expect_eq(back.heartbeat_ms, 0);
}

Test(soupbintcp, writes_and_reads_a_login_request_with_a_heartbeat)
{
	struct soup_login login = {.username = "abcdef", .password = "0123456789", .session = "42", .seq = UINT64_MAX,
		.heartbeat_ms = 15000}, back;
	uint32_t n = data_hex("0034 'Labcdef0123456789        4218446744073709551615' '15000'", want);

	cr_assert_eq(n, SOUP_LOGIN_41_BYTES);
	cr_assert_eq(soup_login_build(&login, wire), n);
	cr_expect_arr_eq(wire, want, n);
	cr_assert(soup_login_parse(packet(wire, n), &back));
	cr_expect_str_eq(back.username, "abcdef");
	cr_expect_str_eq(back.session, "42");
	cr_expect_eq(back.seq, UINT64_MAX);
	cr_expect_eq(back.heartbeat_ms, 15000);
}

Test(soupbintcp, reads_padding_on_either_side)
{
	struct soup_login login;
	struct soup_accepted accepted;
	uint32_t n = data_hex("002f 'L user      pw    1234567  7                   '", want);

	cr_assert(soup_login_parse(packet(want, n), &login));
	cr_expect_str_eq(login.username, "user");
	cr_expect_str_eq(login.password, "pw");
	cr_expect_str_eq(login.session, "1234567");
	cr_expect_eq(login.seq, 7);
	n = data_hex("001f 'A       123  00000000000000135 '", want);
	cr_assert(soup_accepted_parse(packet(want, n), &accepted));
	cr_expect_str_eq(accepted.session, "123");
	cr_expect_eq(accepted.seq, 135);
}

Test(soupbintcp, refuses_logins_that_are_none)
{
	struct soup_login login;
	uint8_t payload[64];

	memset(payload, ' ', sizeof(payload));
	memset(payload + 45, '1', 6);
	for (uint32_t n = 0; n < sizeof(payload); n++) {
		p = (struct soup_packet){.type = SOUP_LOGIN, .bytes = n, .payload = payload};
		cr_expect_eq(soup_login_parse(&p, &login), n == 46 || n == 51, "%u bytes", n);
	}
	p = (struct soup_packet){.type = SOUP_LOGOUT, .bytes = 46, .payload = payload};
	cr_expect_not(soup_login_parse(&p, &login));
}

Test(soupbintcp, refuses_numbers_that_are_none)
{
	static const char *const bad[] = {"                    ", "                   x", "               -1   ", "        1 2         ",
		"18446744073709551616", "99999999999999999999"};
	struct soup_accepted accepted = {.seq = 7};
	uint8_t payload[30];

	memset(payload, ' ', sizeof(payload));
	p = (struct soup_packet){.type = SOUP_ACCEPTED, .bytes = 30, .payload = payload};
	for (size_t i = 0; i < GN_ARRAY_SIZE(bad); i++) {
		memcpy(payload + 10, bad[i], 20);
		cr_expect_not(soup_accepted_parse(&p, &accepted), "'%s'", bad[i]);
	}
	cr_expect_eq(accepted.seq, 7);
	p.bytes = 29;
	memset(payload + 10, '1', 20);
	cr_expect_not(soup_accepted_parse(&p, &accepted));
}

Test(soupbintcp, writes_and_reads_a_login_reply)
{
	struct soup_accepted accepted = {.session = "1689192121", .seq = 135}, back;
	uint32_t n = data_hex("001f 'A1689192121' '                 135'", want);

	cr_assert_eq(n, SOUP_ACCEPTED_BYTES);
	cr_assert_eq(soup_accepted_build(&accepted, wire), n);
	cr_expect_arr_eq(wire, want, n);
	cr_assert(soup_accepted_parse(packet(wire, n), &back));
	cr_expect_str_eq(back.session, "1689192121");
	cr_expect_eq(back.seq, 135);
}

Test(soupbintcp, writes_and_reads_a_login_rejection)
{
	cr_assert_eq(soup_rejected_build(SOUP_REJECT_NO_SESSION, wire), SOUP_REJECTED_BYTES);
	data_hex("0002 'JS'", want);
	cr_expect_arr_eq(wire, want, 4);
	cr_expect_eq(soup_rejected_parse(packet(wire, 4)), 'S');
	p.bytes = 2;
	cr_expect_eq(soup_rejected_parse(&p), 0);
	p.bytes = 1;
	p.type = SOUP_ACCEPTED;
	cr_expect_eq(soup_rejected_parse(&p), 0);
	cr_expect_str_neq(soup_reject_reason('A'), soup_reject_reason('S'));
	cr_expect_str_eq(soup_reject_reason('?'), "unknown");
}

Test(soupbintcp, compares_names_without_case)
{
	cr_expect(soup_name_equal("User1", "uSER1"));
	cr_expect_not(soup_name_equal("user1", "user"));
}

static const struct soup_packet *recorded(const char *name)
{
	uint32_t bytes;
	const uint8_t *data = data_payload(name, &bytes);

	soup_framer_init(&f, want, sizeof(want));
	soup_framer_feed(&f, data, bytes);
	cr_assert_eq(soup_framer_next(&f, &p), SOUP_PACKET);
	cr_assert_eq(SOUP_HEAD_BYTES + p.bytes, bytes);
	memcpy(wire, data, bytes);
	return &p;
}

Test(soupbintcp, reproduces_a_recorded_login_request)
{
	struct soup_login login;

	cr_assert(soup_login_parse(recorded("nasdaq/soup_pcap/LoginRequestPacket.L.pcap"), &login));
	cr_expect_str_eq(login.username, "user");
	cr_expect_str_eq(login.password, "password");
	cr_expect_eq(soup_login_build(&login, want), SOUP_LOGIN_BYTES);
	cr_expect_arr_eq(want, wire, SOUP_LOGIN_BYTES);
}

Test(soupbintcp, reproduces_a_recorded_login_reply)
{
	struct soup_accepted accepted;

	cr_assert(soup_accepted_parse(recorded("nasdaq/soup_pcap/LoginAcceptedPacket.A.pcap"), &accepted));
	cr_expect_str_eq(accepted.session, "1689192121");
	cr_expect_eq(accepted.seq, 135);
	cr_expect_eq(soup_accepted_build(&accepted, want), SOUP_ACCEPTED_BYTES);
	cr_expect_arr_eq(want, wire, SOUP_ACCEPTED_BYTES);
}

Test(soupbintcp, reads_recorded_heartbeats)
{
	cr_expect_eq(recorded("nasdaq/ouch_pcap/ClientHeartbeatPacket.pcap")->type, SOUP_CLIENT_HEARTBEAT);
	cr_expect_eq(recorded("nasdaq/ouch_pcap/ServerHeartbeatPacket.pcap")->type, SOUP_SERVER_HEARTBEAT);
}
