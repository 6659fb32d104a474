/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/replay/packet.h"
#include "dataplane/codec/wire.h"
#include "tests/unit/capture_files.h"
#include "tests/unit/codec_data.h"

static uint8_t frame[256];
static struct packet_datagram d;

static uint32_t given(uint32_t n_vlan)
{
	return capture_frame(frame, n_vlan, 26477, "hello", 5);
}

static uint8_t *ip(uint32_t n_vlan)
{
	return frame + 14 + 4 * n_vlan;
}

TestSuite(packet, .timeout = 10);

Test(packet, finds_the_datagram_behind_up_to_two_vlan_tags)
{
	for (uint32_t n_vlan = 0; n_vlan <= 2; n_vlan++) {
		uint32_t n = given(n_vlan);

		cr_assert_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_DATAGRAM, "%u tags", n_vlan);
		cr_expect_eq(d.dst_ip, 0xe9360c6f);
		cr_expect_eq(d.dst_port, 26477);
		cr_expect_eq(d.bytes, 5);
		cr_expect_arr_eq(d.payload, "hello", 5);
	}
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, given(3), &d), PACKET_OTHER);
}

Test(packet, never_reads_past_what_was_captured)
{
	for (uint32_t n_vlan = 0; n_vlan <= 2; n_vlan++) {
		uint32_t n = given(n_vlan);

		for (uint32_t k = 0; k < n; k++) {
			uint8_t *exact = malloc(k + 1);

			memcpy(exact + 1, frame, k);

			enum packet_result rc = packet_parse(PACKET_ETHERNET, exact + 1, k, &d);

			cr_expect(rc == PACKET_CUT || (rc == PACKET_OTHER && k < 14 + 4 * n_vlan), "%u of %u bytes: %d", k, n, (int)rc);
			free(exact);
		}
	}
}

Test(packet, leaves_out_what_pads_the_frame)
{
	uint32_t n = given(0);

	cr_assert_eq(packet_parse(PACKET_ETHERNET, frame, n + 9, &d), PACKET_DATAGRAM);
	cr_expect_eq(d.bytes, 5);
}

Test(packet, skips_options_of_the_ip_head)
{
	uint8_t with[256];
	uint32_t n = given(0);

	memcpy(with, frame, 34);
	memset(with + 34, 1, 4);
	memcpy(with + 38, frame + 34, n - 34);
	with[14] = 0x46;
	wire_put_u16(with + 16, (uint16_t)(wire_u16(with + 16) + 4));
	cr_assert_eq(packet_parse(PACKET_ETHERNET, with, n + 4, &d), PACKET_DATAGRAM);
	cr_expect_arr_eq(d.payload, "hello", 5);
}

Test(packet, tells_what_is_not_udp_over_ipv4)
{
	uint32_t n = given(0);

	ip(0)[9] = 6;
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_OTHER);
	n = given(0);
	wire_put_u16(frame + 12, 0x86dd);
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_OTHER);
	n = given(0);
	ip(0)[0] = 0x65;
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_OTHER);
}

Test(packet, tells_fragments)
{
	static const uint16_t fields[] = {0x2000, 0x0001, 0x1fff};

	for (uint32_t i = 0; i < 3; i++) {
		uint32_t n = given(0);

		wire_put_u16(ip(0) + 6, fields[i]);
		cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_FRAGMENT);
	}
	uint32_t n = given(0);

	wire_put_u16(ip(0) + 6, 0x4000); /* only: do not fragment */
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_DATAGRAM);
}

Test(packet, refuses_lengths_that_contradict_each_other)
{
	uint32_t n = given(0);

	ip(0)[0] = 0x44;
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_BAD);
	n = given(0);
	wire_put_u16(ip(0) + 2, 19);
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_BAD);
	n = given(0);
	wire_put_u16(ip(0) + 2, 27);
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_BAD);
	n = given(0);
	wire_put_u16(ip(0) + 24, 7);
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_BAD);
	n = given(0);
	wire_put_u16(ip(0) + 24, 14);
	cr_expect_eq(packet_parse(PACKET_ETHERNET, frame, n, &d), PACKET_BAD);
}

Test(packet, reads_other_links)
{
	uint8_t other[256] = {0};
	uint32_t n = given(0) - 14;

	memcpy(other, ip(0), n);
	cr_expect_eq(packet_parse(PACKET_IP, other, n, &d), PACKET_DATAGRAM);
	cr_expect_eq(packet_parse(PACKET_IP, other, 0, &d), PACKET_CUT);
	memset(other, 0, sizeof(other));
	wire_put_u16(other + 14, 0x0800);
	memcpy(other + 16, ip(0), n);
	cr_expect_eq(packet_parse(PACKET_SLL, other, 16 + n, &d), PACKET_DATAGRAM);
	cr_expect_eq(packet_parse(PACKET_SLL, other, 15, &d), PACKET_OTHER);
	memset(other, 0, sizeof(other));
	wire_put_u16(other, 0x0800);
	memcpy(other + 20, ip(0), n);
	cr_expect_eq(packet_parse(PACKET_SLL2, other, 20 + n, &d), PACKET_DATAGRAM);
	cr_expect_eq(packet_parse(PACKET_SLL2, other, 19, &d), PACKET_OTHER);
}
