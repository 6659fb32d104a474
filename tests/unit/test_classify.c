/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/frame.h"
#include "dataplane/nic/classify.h"
#include "dataplane/runtime/err.h"

#define GROUP 0xe9360c65u /* 233.54.12.101 */
#define OWN 0x0a000002u
#define PAYLOAD_BYTES 100u

static struct classify_subs subs;
static struct classify_datagram hit;
static uint8_t frame[GN_FRAME_BYTES_MAX];
static uint32_t frame_bytes;

static void given_datagram(uint32_t to, uint16_t port)
{
	static const uint8_t from_mac[6] = {2, 0, 0, 0, 0, 1};
	struct net_udp_flow flow;
	uint8_t mac[6];

	net_group_mac(mac, to);
	net_udp_flow_init(&flow, from_mac, mac, 0x0a000001, 30000, to, port, 8);
	for (uint32_t i = 0; i < PAYLOAD_BYTES; i++)
		frame[NET_UDP_HEAD_BYTES + i] = (uint8_t)i;
	frame_bytes = net_udp_seal(&flow, frame, PAYLOAD_BYTES);
}

static void given_subscriptions(void)
{
	cr_assert_eq(classify_subscribe(&subs, GROUP, 26477, 3), 0);
	cr_assert_eq(classify_subscribe(&subs, OWN, 18000, 7), 0);
	given_datagram(GROUP, 26477);
}

static enum classify classified(void)
{
	return classify_frame(&subs, frame, frame_bytes, false, &hit);
}

static void ip_sum_again(uint32_t at)
{
	net_put16(frame + at + 10, 0);
	net_sum_store(frame + at + 10, net_sum(frame + at, (frame[at] & 15u) * 4, 0));
}

TestSuite(classify, .init = given_subscriptions, .timeout = 20);

Test(classify, refuses_subscriptions_that_cannot_be_told_apart)
{
	cr_assert_eq(classify_subscribe(&subs, GROUP, 26477, 9), -EEXIST);
	cr_assert_eq(classify_subscribe(&subs, 0, 1, 0), -EINVAL);
	cr_assert_eq(classify_subscribe(&subs, 1, 0, 0), -EINVAL);
}

Test(classify, refuses_more_subscriptions_than_it_has_room_for)
{
	for (uint32_t i = subs.n; i < CLASSIFY_SUBS_MAX; i++)
		cr_assert_eq(classify_subscribe(&subs, 0xe0000000 + i, 5, 0), 0);
	cr_assert_eq(classify_subscribe(&subs, 0xe1000000, 5, 0), -ENOSPC);
	cr_assert_eq(classified(), CLASSIFY_FEED, "a full table still answers");
	given_datagram(GROUP, 26478);
	cr_assert_eq(classified(), CLASSIFY_NOT_OURS);
}

Test(classify, drops_a_frame_without_ethernet_header)
{
	for (frame_bytes = 0; frame_bytes < NET_ETH_BYTES; frame_bytes++)
		cr_assert_eq(classified(), CLASSIFY_BAD_ETHERNET);
	net_put16(frame + 12, NET_TYPE_VLAN);
	for (; frame_bytes < NET_ETH_BYTES + NET_VLAN_BYTES; frame_bytes++)
		cr_assert_eq(classified(), CLASSIFY_BAD_ETHERNET);
}

Test(classify, drops_every_truncation)
{
	uint32_t whole = frame_bytes;

	for (frame_bytes = NET_ETH_BYTES; frame_bytes < whole; frame_bytes++)
		cr_assert_eq(classified(), CLASSIFY_BAD_IP, "cut to %u bytes", frame_bytes);
}

Test(classify, drops_a_wrong_ip_checksum_unless_the_port_has_checked_it)
{
	frame[14 + 10] ^= 1;
	cr_assert_eq(classified(), CLASSIFY_BAD_IP);
	cr_assert_eq(classify_frame(&subs, frame, frame_bytes, true, &hit), CLASSIFY_FEED);
}

Test(classify, drops_wrong_versions_and_header_lengths)
{
	frame[14] = 0x65;
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_BAD_IP);
	frame[14] = 0x44;
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_BAD_IP);
}

Test(classify, drops_fragments_first_and_later)
{
	net_put16(frame + 14 + 6, 0x2000);
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_FRAGMENT);
	net_put16(frame + 14 + 6, 0x0001);
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_FRAGMENT);
}

Test(classify, drops_udp_lengths_that_do_not_fit)
{
	net_put16(frame + 34 + 4, 7);
	cr_assert_eq(classified(), CLASSIFY_BAD_UDP);
	net_put16(frame + 34 + 4, PAYLOAD_BYTES + 9);
	cr_assert_eq(classified(), CLASSIFY_BAD_UDP);
	net_put16(frame + 14 + 2, 27);
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_BAD_UDP, "no room for the UDP header");
}

Test(classify, drops_groups_nobody_asked_for)
{
	given_datagram(GROUP + 1, 26477);
	cr_assert_eq(classified(), CLASSIFY_NOT_OURS);
}

Test(classify, hands_a_datagram_to_the_feed)
{
	cr_assert_eq(classified(), CLASSIFY_FEED);
	cr_assert_eq(hit.at, NET_UDP_HEAD_BYTES);
	cr_assert_eq(hit.bytes, PAYLOAD_BYTES);
	cr_assert_eq(hit.line, 3);
	given_datagram(OWN, 18000);
	cr_assert_eq(classified(), CLASSIFY_FEED);
	cr_assert_eq(hit.line, 7, "replies to our own address are market data too");
}

Test(classify, ignores_ethernet_padding)
{
	net_put16(frame + 34 + 4, 8);
	net_put16(frame + 14 + 2, 28);
	ip_sum_again(14);
	frame_bytes = 60;
	cr_assert_eq(classified(), CLASSIFY_FEED);
	cr_assert_eq(hit.bytes, 0);
}

Test(classify, looks_past_a_vlan_tag_and_ip_options)
{
	memmove(frame + 18 + 24, frame + 34, NET_UDP_BYTES + PAYLOAD_BYTES);
	memmove(frame + 18, frame + 14, NET_IP_BYTES);
	net_put16(frame + 12, NET_TYPE_VLAN);
	net_put16(frame + 14, 42);
	net_put16(frame + 16, NET_TYPE_IP);
	frame[18] = 0x46;
	net_put16(frame + 18 + 2, NET_IP_BYTES + 4 + NET_UDP_BYTES + PAYLOAD_BYTES);
	memcpy(frame + 18 + 20, "\x01\x01\x01", 4);
	ip_sum_again(18);
	frame_bytes += 8;
	cr_assert_eq(classified(), CLASSIFY_FEED);
	cr_assert_eq(hit.at, 18 + 24 + 8);
	cr_assert_eq(frame[hit.at + 99], 99);
}

Test(classify, leaves_the_rest_to_the_gateway)
{
	net_put16(frame + 12, NET_TYPE_ARP);
	cr_assert_eq(classified(), CLASSIFY_GATEWAY);
	given_datagram(OWN, 18001);
	cr_assert_eq(classified(), CLASSIFY_GATEWAY, "a datagram for us, not market data");
	frame[14 + 9] = NET_PROTO_TCP;
	ip_sum_again(14);
	cr_assert_eq(classified(), CLASSIFY_GATEWAY);
}

Test(classify, udp_checksum_is_right_for_odd_lengths_and_never_zero)
{
	static const uint8_t mac[6] = {2};
	struct net_udp_flow flow;

	net_udp_flow_init(&flow, mac, mac, 1, 2, 3, 4, 1);
	for (uint32_t i = 0; i < 70000; i++) {
		uint16_t bytes = (uint16_t)(2 + i % 3);
		memcpy(frame + NET_UDP_HEAD_BYTES, &i, 4);
		net_udp_seal(&flow, frame, bytes);
		const uint8_t pseudo[4] = {0, NET_PROTO_UDP, 0, (uint8_t)(bytes + 8)};
		uint64_t sum = net_sum(pseudo, 4, net_sum(frame + 26, 8, 0));
		cr_assert_eq(net_sum_fold(net_sum(frame + 34, bytes + 8u, sum)), 0xffff, "payload %u", i);
		cr_assert_eq(net_sum_fold(net_sum(frame + 14, 20, 0)), 0xffff);
		cr_assert_neq(net_get16(frame + 40), 0);
	}
}

/* Whatever the bytes: no verdict may point outside of the frame. The frame stands at the end of its own allocation. */
Test(classify, no_bytes_lead_outside_the_frame)
{
	const char *env = getenv("GANNET_SEED");
	unsigned int seed = env ? (unsigned int)strtoul(env, NULL, 10) : 20191230;

	srandom(seed);
	for (uint32_t round = 0; round < 200000; round++) {
		uint32_t bytes = (uint32_t)random() % 120;
		uint8_t *f = malloc(bytes + 1) + 1;
		given_datagram(GROUP, 26477);
		memcpy(f, frame, bytes);
		for (uint32_t i = (uint32_t)random() % 6; i > 0 && bytes > 0; i--)
			f[(uint32_t)random() % bytes] = (uint8_t)random();
		enum classify c = classify_frame(&subs, f, bytes, round % 2, &hit);
		cr_assert_neq(c, CLASSIFY_NONE, "seed %u round %u", seed, round);
		if (c == CLASSIFY_FEED)
			cr_assert_leq(hit.at + hit.bytes, bytes, "seed %u round %u", seed, round);
		free(f - 1);
	}
}
