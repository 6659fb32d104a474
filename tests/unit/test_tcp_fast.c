/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/compiler.h"

static struct tcp_fast fast;
static uint8_t frame[2048];
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 2}, peer_mac[6] = {2, 0, 0, 0, 0, 1};

static void given_a_grant(void)
{
	tcp_fast_init(&fast, own_mac, 0x0a000002, 6000, 0x0a000001, 5000);
	tcp_fast_to_mac(&fast, peer_mac);
	tcp_fast_allow(&fast, &(struct tcp_fast_grant){UINT32_MAX - 99, 77, 1000, 500, 10, 4321});
	fast.wire_from = fast.wire_to = UINT32_MAX - 99;
}

static uint32_t send_bytes(uint32_t bytes, uint8_t first)
{
	cr_assert(tcp_fast_may(&fast, bytes));
	memset(frame, 0xee, sizeof(frame));
	tcp_fast_open(&fast, frame);
	for (uint32_t i = 0; i < bytes; i++)
		frame[TCP_FAST_HEAD_BYTES + i] = (uint8_t)(first + i);
	return tcp_fast_seal(&fast, frame, bytes);
}

static bool sums_are_right(uint32_t bytes)
{
	uint32_t tcp_bytes = bytes - 34;
	const uint8_t pseudo[4] = {0, NET_PROTO_TCP, (uint8_t)(tcp_bytes >> 8), (uint8_t)tcp_bytes};

	return net_sum_fold(net_sum(frame + 14, 20, 0)) == 0xffff
	       && net_sum_fold(net_sum(frame + 34, tcp_bytes, net_sum(pseudo, 4, net_sum(frame + 26, 8, 0)))) == 0xffff;
}

TestSuite(tcp_fast, .init = given_a_grant, .timeout = 10);

Test(tcp_fast, zeroed_memory_grants_nothing)
{
	memset(&fast, 0, sizeof(fast));
	cr_assert_not(tcp_fast_may(&fast, 1));
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.bytes = 1}));
}

Test(tcp_fast, refuses_what_the_grant_does_not_cover)
{
	cr_assert_not(tcp_fast_may(&fast, 501), "longer than a segment");
	send_bytes(500, 0);
	send_bytes(400, 0);
	cr_assert_not(tcp_fast_may(&fast, 101), "more than the window");
	cr_assert(tcp_fast_may(&fast, 100));
	for (int i = 0; i < 8; i++)
		send_bytes(1, 0);
	cr_assert_not(tcp_fast_may(&fast, 1), "more messages than the queue takes");
}

Test(tcp_fast, refuses_more_than_it_can_remember)
{
	uint32_t n = 0;

	tcp_fast_allow(&fast, &(struct tcp_fast_grant){1, 1, UINT32_MAX, 512, UINT16_MAX, 1});
	for (; tcp_fast_may(&fast, 512); n++)
		send_bytes(512, 0);
	cr_assert_eq(n, TCP_FAST_PENDING_BYTES / 512);
	fast.n_pending = fast.pending_bytes = 0;
	for (n = 0; tcp_fast_may(&fast, 1); n++)
		send_bytes(1, 0);
	cr_assert_eq(n, TCP_FAST_PENDING_MAX);
}

Test(tcp_fast, every_length_has_right_headers_and_sums_across_a_wrap)
{
	for (uint32_t bytes = 1; bytes <= 500; bytes++) {
		struct tcp_seen seen;
		tcp_fast_allow(&fast, &(struct tcp_fast_grant){UINT32_MAX - 250 + bytes, UINT32_MAX - bytes, 1000, 500,
					      10, (uint16_t)(bytes * 131)});
		fast.n_pending = fast.pending_bytes = 0;
		uint32_t n = send_bytes(bytes, (uint8_t)bytes);
		cr_assert_eq(n, bytes + TCP_FAST_HEAD_BYTES);
		cr_assert(sums_are_right(n), "%u bytes", bytes);
		cr_assert(tcp_seen_read(&seen, frame, n));
		cr_assert_eq(seen.seq, UINT32_MAX - 250 + bytes);
		cr_assert_eq(seen.bytes, bytes);
		cr_assert_eq(seen.from_ip, 0x0a000002);
		cr_assert_eq(seen.to_port, 5000);
		cr_assert_eq(net_get32(frame + 42), UINT32_MAX - bytes);
		cr_assert_eq(net_get16(frame + 48), (uint16_t)(bytes * 131));
		cr_assert_arr_eq(frame, peer_mac, 6);
		cr_assert_arr_eq(fast.pending, frame + TCP_FAST_HEAD_BYTES, bytes);
	}
}

Test(tcp_fast, swallows_each_byte_of_the_wire_once_and_nothing_else)
{
	uint32_t from = UINT32_MAX - 99;

	send_bytes(60, 0);
	send_bytes(60, 60);
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 0}), "an acknowledgement");
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from - 60, .bytes = 60}), "sent again");
	cr_assert(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 60}));
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 60}), "the same, sent again");
	cr_assert(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from + 60, .bytes = 50}), "cut differently");
	cr_assert(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from + 110, .bytes = 10}));
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from + 120, .bytes = 1}), "new");
}

Test(tcp_fast, lets_through_what_carries_more_than_the_wire_has_seen)
{
	uint32_t from = UINT32_MAX - 99;

	send_bytes(60, 0);
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 61}));
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 60}), "it is over");
	given_a_grant();
	send_bytes(60, 0);
	cr_assert_not(tcp_fast_swallow(&fast, &(struct tcp_seen){.seq = from, .bytes = 60, .flags = TCP_SEEN_FIN}));
}

Test(tcp_fast, reads_no_frame_past_its_end)
{
	struct tcp_seen seen;
	uint32_t n = send_bytes(100, 0);

	srandom(1);
	for (uint32_t bytes = 0; bytes < n; bytes++)
		cr_assert_not(tcp_seen_read(&seen, frame, bytes));
	for (uint32_t i = 0; i < 100000; i++) {
		uint8_t *copy = malloc(n), *at = copy;
		memcpy(copy, frame, n);
		for (int k = 0; k < 4; k++)
			at[12 + (uint32_t)random() % 40] = (uint8_t)random();
		if (tcp_seen_read(&seen, copy, n))
			cr_assert_leq(seen.bytes, n - TCP_FAST_HEAD_BYTES);
		free(copy);
	}
}

static const uint8_t *plain_payload(uint32_t bytes)
{
	struct tcp_seen seen;

	return tcp_seen_read(&seen, frame, bytes) ? tcp_plain_payload(&seen, frame) : NULL;
}

Test(tcp_fast, finds_the_payload_of_a_plain_segment_of_any_length)
{
	for (uint32_t bytes = 1; bytes <= 300; bytes++) {
		given_a_grant();
		cr_assert_eq(plain_payload(send_bytes(bytes, 3)), frame + TCP_FAST_HEAD_BYTES, "%u bytes", bytes);
	}
}

Test(tcp_fast, a_segment_with_any_changed_bit_is_not_plain)
{
	uint32_t bytes = send_bytes(9, 1);

	for (uint32_t at = 14; at < bytes; at++) {
		for (uint32_t bit = 0; bit < 8; bit++) {
			frame[at] ^= (uint8_t)(1u << bit);
			cr_assert_null(plain_payload(bytes), "byte %u, bit %u", at, bit);
			frame[at] ^= (uint8_t)(1u << bit);
		}
	}
	cr_assert_not_null(plain_payload(bytes));
}

Test(tcp_fast, a_fragment_or_another_flag_is_not_plain_though_the_sums_are_right)
{
	static const struct {
		uint32_t at, sum_at, change;
	} cases[] = {{47, 50, TCP_SEEN_SYN}, {47, 50, TCP_SEEN_FIN}, {47, 50, TCP_SEEN_RST}, {47, 50, 32}, {47, 50, TCP_SEEN_ACK},
		{21, 24, 1}};

	for (uint32_t i = 0; i < GN_ARRAY_SIZE(cases); i++) {
		given_a_grant();
		uint32_t bytes = send_bytes(8, 1);
		frame[cases[i].at] ^= (uint8_t)cases[i].change;
		bool is_ip = cases[i].sum_at == 24;
		frame[cases[i].sum_at] = frame[cases[i].sum_at + 1] = 0;
		if (is_ip) {
			net_sum_store(frame + 24, net_sum(frame + 14, 20, 0));
		} else {
			const uint8_t pseudo[4] = {0, NET_PROTO_TCP, 0, 28};
			net_sum_store(frame + 50, net_sum(frame + 34, 28, net_sum(pseudo, 4, net_sum(frame + 26, 8, 0))));
		}
		cr_assert(sums_are_right(bytes));
		cr_assert_null(plain_payload(bytes), "case %u", i);
	}
}
