/* SPDX-License-Identifier: BSD-3-Clause */
#include "packet.h"

#include <stdbool.h>

#include "dataplane/codec/wire.h"

#define ETHERTYPE_IPV4 0x0800u
#define VLAN_TAGS_MAX 2u
#define IP_HEAD_BYTES 20u
#define IP_PROTOCOL_UDP 17u
#define IP_FRAGMENT 0x3fffu /* more fragments, or an offset */
#define UDP_HEAD_BYTES 8u

static bool is_vlan(uint16_t ethertype)
{
	return ethertype == 0x8100 || ethertype == 0x88a8 || ethertype == 0x9100;
}

/* Bytes before the IP head; 0: no IPv4, or the capture ends before it is known. */
static uint32_t ethernet_bytes(const uint8_t *frame, uint32_t bytes)
{
	uint32_t at = 12;

	for (uint32_t tags = 0; at + 2 <= bytes; tags++, at += 4) {
		uint16_t ethertype = wire_u16(frame + at);

		if (ethertype == ETHERTYPE_IPV4)
			return at + 2;
		if (!is_vlan(ethertype) || tags == VLAN_TAGS_MAX)
			return 0;
	}
	return 0;
}

/* The same; *other: it is known not to be IPv4. */
static uint32_t link_bytes(enum packet_link link, const uint8_t *frame, uint32_t bytes)
{
	switch (link) {
	case PACKET_ETHERNET: return ethernet_bytes(frame, bytes);
	case PACKET_SLL: return bytes >= 16 && wire_u16(frame + 14) == ETHERTYPE_IPV4 ? 16 : 0;
	case PACKET_SLL2: return bytes >= 20 && wire_u16(frame) == ETHERTYPE_IPV4 ? 20 : 0;
	default: return 0;
	}
}

static enum packet_result parse_udp(const uint8_t *udp, uint32_t ip_bytes, uint32_t captured, struct packet_datagram *d)
{
	if (ip_bytes < UDP_HEAD_BYTES)
		return PACKET_BAD;
	if (captured < UDP_HEAD_BYTES)
		return PACKET_CUT;

	uint32_t udp_bytes = wire_u16(udp + 4);

	if (udp_bytes < UDP_HEAD_BYTES || udp_bytes > ip_bytes)
		return PACKET_BAD;
	if (udp_bytes > captured)
		return PACKET_CUT;
	d->dst_port = wire_u16(udp + 2);
	d->bytes = udp_bytes - UDP_HEAD_BYTES;
	d->payload = udp + UDP_HEAD_BYTES;
	return PACKET_DATAGRAM;
}

enum packet_result packet_parse(enum packet_link link, const uint8_t *frame, uint32_t bytes, struct packet_datagram *d)
{
	uint32_t head = link_bytes(link, frame, bytes);

	if (head == 0 && link != PACKET_IP)
		return PACKET_OTHER;

	const uint8_t *ip = frame + head;
	uint32_t captured = bytes - head;

	if (captured == 0)
		return PACKET_CUT;
	if (ip[0] >> 4 != 4)
		return PACKET_OTHER;
	if (captured < IP_HEAD_BYTES)
		return PACKET_CUT;

	uint32_t ip_head = (ip[0] & 15u) * 4, ip_bytes = wire_u16(ip + 2);

	if (ip[9] != IP_PROTOCOL_UDP)
		return PACKET_OTHER;
	if (ip_head < IP_HEAD_BYTES || ip_bytes < ip_head)
		return PACKET_BAD;
	if (wire_u16(ip + 6) & IP_FRAGMENT)
		return PACKET_FRAGMENT;
	if (captured < ip_head)
		return PACKET_CUT;
	d->dst_ip = wire_u32(ip + 16);
	return parse_udp(ip + ip_head, ip_bytes - ip_head, captured - ip_head, d);
}
