/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_ETH_IP_UDP_H
#define GN_ETH_IP_UDP_H

/**
 * @file
 * Ethernet, IPv4 and UDP headers: sums, and a header template that is patched per datagram. Pure; addresses and ports
 * are in host byte order.
 */

#include <stdint.h>
#include <string.h>

#define NET_ETH_BYTES 14u
#define NET_VLAN_BYTES 4u
#define NET_IP_BYTES 20u /* without options */
#define NET_UDP_BYTES 8u
#define NET_UDP_HEAD_BYTES (NET_ETH_BYTES + NET_IP_BYTES + NET_UDP_BYTES)
#define NET_TYPE_IP 0x0800u
#define NET_TYPE_ARP 0x0806u
#define NET_TYPE_VLAN 0x8100u
#define NET_PROTO_TCP 6u
#define NET_PROTO_UDP 17u

static inline uint16_t net_get16(const uint8_t *p)
{
	uint16_t x;

	memcpy(&x, p, 2);
	return __builtin_bswap16(x);
}

static inline uint32_t net_get32(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, 4);
	return __builtin_bswap32(x);
}

static inline void net_put16(uint8_t *p, uint16_t x)
{
	x = __builtin_bswap16(x);
	memcpy(p, &x, 2);
}

static inline void net_put32(uint8_t *p, uint32_t x)
{
	x = __builtin_bswap32(x);
	memcpy(p, &x, 4);
}

/**
 * Add bytes to an Internet checksum (RFC 1071). The sum is kept in the byte order of the wire, so it can be stored with
 * memcpy; every part but the last must have an even length. Start with 0.
 */
static inline uint64_t net_sum(const uint8_t *p, uint32_t bytes, uint64_t sum)
{
	uint64_t d, carry = 0;
	uint32_t w;
	uint16_t h;

	for (; bytes >= 8; p += 8, bytes -= 8) {
		memcpy(&d, p, 8);
		carry += __builtin_add_overflow(sum, d, &sum);
	}
	/* what went over the top counts as one: 2^64 is 1 in this arithmetic */
	sum = (sum & 0xffffffff) + (sum >> 32) + carry;
	if (bytes >= 4) {
		memcpy(&w, p, 4);
		sum += w;
		p += 4;
		bytes -= 4;
	}
	if (bytes >= 2) {
		memcpy(&h, p, 2);
		sum += h;
		p += 2;
		bytes -= 2;
	}
	return bytes ? sum + *p : sum; /* the odd byte is the first of its pair, which is the low one here */
}

/** The sum in 16 bits, not complemented: 0xffff over data that contain their own checksum. */
static inline uint16_t net_sum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/** Store the complement of a sum as a checksum. */
static inline void net_sum_store(uint8_t *p, uint64_t sum)
{
	uint16_t x = (uint16_t)~net_sum_fold(sum);

	memcpy(p, &x, 2);
}

/** The Ethernet address of an IPv4 group (RFC 1112). */
static inline void net_group_mac(uint8_t mac[6], uint32_t group)
{
	mac[0] = 0x01;
	mac[1] = 0x00;
	mac[2] = 0x5e;
	mac[3] = (uint8_t)(group >> 16 & 0x7f);
	mac[4] = (uint8_t)(group >> 8);
	mac[5] = (uint8_t)group;
}

/** Headers of one flow of datagrams. */
struct net_udp_flow {
	uint8_t head[NET_UDP_HEAD_BYTES];
	uint16_t id; /* of the next IP packet */
	uint64_t ip_sum; /* of the IP header without length, id and checksum */
	uint64_t udp_sum; /* of pseudo header and UDP header without lengths and checksum */
};

/**
 * Prepare the headers of a flow. Cold path.
 *
 * @param to_mac
 *   Of the next hop; for a group see net_group_mac().
 * @param ttl
 *   Hops that it may take.
 */
static inline void net_udp_flow_init(struct net_udp_flow *f, const uint8_t from_mac[6], const uint8_t to_mac[6],
	uint32_t from_ip, uint16_t from_port, uint32_t to_ip, uint16_t to_port, uint8_t ttl)
{
	uint8_t *ip = f->head + NET_ETH_BYTES, *udp = ip + NET_IP_BYTES;
	static const uint8_t proto[2] = {0, NET_PROTO_UDP};

	memset(f, 0, sizeof(*f));
	memcpy(f->head, to_mac, 6);
	memcpy(f->head + 6, from_mac, 6);
	net_put16(f->head + 12, NET_TYPE_IP);
	ip[0] = 0x45;
	net_put16(ip + 6, 0x4000); /* never to be cut: a cut datagram is a lost one for most receivers of market data */
	ip[8] = ttl;
	ip[9] = NET_PROTO_UDP;
	net_put32(ip + 12, from_ip);
	net_put32(ip + 16, to_ip);
	net_put16(udp, from_port);
	net_put16(udp + 2, to_port);
	f->ip_sum = net_sum(ip, NET_IP_BYTES, 0);
	f->udp_sum = net_sum(ip + 12, 8, net_sum(proto, 2, net_sum(udp, 4, 0)));
}

/**
 * Write the headers in front of a payload that stands already at frame + NET_UDP_HEAD_BYTES. Hot path: no call, two
 * additions for the IP checksum, one pass over the payload for UDP's.
 *
 * @return
 *   Length of the frame.
 */
static inline uint32_t net_udp_seal(struct net_udp_flow *f, uint8_t *frame, uint16_t payload_bytes)
{
	uint8_t *ip = frame + NET_ETH_BYTES, *udp = ip + NET_IP_BYTES;
	uint16_t udp_bytes = (uint16_t)(payload_bytes + NET_UDP_BYTES), ip_bytes = (uint16_t)(udp_bytes + NET_IP_BYTES);

	memcpy(frame, f->head, NET_UDP_HEAD_BYTES);
	net_put16(ip + 2, ip_bytes);
	net_put16(ip + 4, f->id);
	net_sum_store(ip + 10, f->ip_sum + __builtin_bswap16(ip_bytes) + __builtin_bswap16(f->id));
	f->id++;
	net_put16(udp + 4, udp_bytes);
	net_sum_store(
		udp + 6, net_sum(udp + NET_UDP_BYTES, payload_bytes, f->udp_sum + 2u * __builtin_bswap16(udp_bytes)));
	if (udp[6] == 0 && udp[7] == 0)
		udp[6] = udp[7] = 0xff; /* 0 would say: no checksum */
	return NET_UDP_HEAD_BYTES + payload_bytes;
}

#endif
