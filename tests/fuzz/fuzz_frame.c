/* SPDX-License-Identifier: BSD-3-Clause */
/* What is made of a frame before anything has looked at it: rx's sorting, and the reader of TCP headers. */
#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/nic/classify.h"
#include "tests/fuzz/fuzz.h"

#define GROUP 0xe9360c65u
#define PORT 26477u

#define MARKERS(X)                                                                                                     \
	X(FEED) X(GATEWAY) X(BAD_ETHERNET) X(BAD_IP) X(FRAGMENT) X(BAD_UDP) X(NOT_OURS) X(TCP) X(VLAN) X(OPTIONS)
FUZZ_DECLARE_MARKERS(MARKERS);

static void mark(enum classify c)
{
	switch (c) {
	case CLASSIFY_FEED: FUZZ_REACH(FEED); return;
	case CLASSIFY_GATEWAY: FUZZ_REACH(GATEWAY); return;
	case CLASSIFY_BAD_ETHERNET: FUZZ_REACH(BAD_ETHERNET); return;
	case CLASSIFY_BAD_IP: FUZZ_REACH(BAD_IP); return;
	case CLASSIFY_FRAGMENT: FUZZ_REACH(FRAGMENT); return;
	case CLASSIFY_BAD_UDP: FUZZ_REACH(BAD_UDP); return;
	case CLASSIFY_NOT_OURS: FUZZ_REACH(NOT_OURS); return;
	case CLASSIFY_NONE: FUZZ_CHECK(c != CLASSIFY_NONE);
	}
}

static void check_datagram(const struct classify_datagram *d, size_t bytes)
{
	FUZZ_CHECK(d->at >= NET_UDP_HEAD_BYTES && d->at + d->bytes <= bytes && d->line == 3);
	if (d->at == NET_UDP_HEAD_BYTES + NET_VLAN_BYTES)
		FUZZ_REACH(VLAN);
	if (d->at > NET_UDP_HEAD_BYTES + NET_VLAN_BYTES)
		FUZZ_REACH(OPTIONS);
}

static void one(const uint8_t *data, size_t bytes)
{
	static struct classify_subs subs;
	struct classify_datagram d;
	struct tcp_seen seen;

	if (bytes > FUZZ_SEED_BYTES_MAX)
		return;
	if (subs.n == 0)
		FUZZ_CHECK(classify_subscribe(&subs, GROUP, PORT, 3) == 0);
	uint8_t *frame = fuzz_exact(data, bytes);
	enum classify checked = classify_frame(&subs, frame, (uint32_t)bytes, false, &d);
	mark(checked);
	if (checked == CLASSIFY_FEED)
		check_datagram(&d, bytes);
	/* a mutation rarely hits the checksum: what lies behind it is looked at as if the port had checked it */
	enum classify unchecked = classify_frame(&subs, frame, (uint32_t)bytes, true, &d);
	mark(unchecked);
	if (unchecked == CLASSIFY_FEED)
		check_datagram(&d, bytes);
	FUZZ_CHECK(checked == unchecked || checked == CLASSIFY_BAD_IP);
	if (tcp_seen_read(&seen, frame, (uint32_t)bytes)) {
		FUZZ_REACH(TCP);
		FUZZ_CHECK(seen.bytes <= bytes - TCP_FAST_HEAD_BYTES);
	}
	free(frame);
}

static int32_t datagram(uint8_t *out, uint32_t to, uint16_t port)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct net_udp_flow flow;

	net_udp_flow_init(&flow, mac, mac, 0x0a000001, 4000, to, port, 1);
	memset(out + NET_UDP_HEAD_BYTES, 7, 30);
	return (int32_t)net_udp_seal(&flow, out, 30);
}

static int32_t tcp(uint8_t *out)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	struct tcp_fast f;

	tcp_fast_init(&f, mac, 0x0a000001, 6000, 0x0a000002, 5000);
	tcp_fast_allow(&f, &(struct tcp_fast_grant){1, 1, 1000, 1000, 1, 1});
	memset(out, 7, 200);
	tcp_fast_open(&f, out);
	return (int32_t)tcp_fast_seal(&f, out, 50);
}

/* A tag of 4 bytes before the IP header, or 8 bytes of options behind it. */
static int32_t stretched(uint8_t *out, bool vlan)
{
	int32_t bytes = datagram(out, GROUP, PORT);
	uint32_t at = vlan ? 12 : 34, more = vlan ? 4 : 8;

	memmove(out + at + more, out + at, (uint32_t)bytes - at);
	if (vlan) {
		net_put32(out + 12, NET_TYPE_VLAN << 16 | 42);
		return bytes + 4;
	}
	memset(out + 34, 1, 8);
	out[14] = 0x47;
	net_put16(out + 16, (uint16_t)(bytes - 14 + 8));
	net_put16(out + 24, 0);
	net_sum_store(out + 24, net_sum(out + 14, 28, 0));
	return bytes + 8;
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	switch (n) {
	case 0: return datagram(out, GROUP, PORT);
	case 1: return datagram(out, GROUP + 1, PORT);
	case 2: return tcp(out);
	case 3: return stretched(out, true);
	case 4: return stretched(out, false);
	case 5: return datagram(out, 0x0a000002, PORT);
	default: return -1;
	}
}

const struct fuzz_target fuzz_target_frame;
const struct fuzz_target fuzz_target_frame = {
	.name = "frame", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
