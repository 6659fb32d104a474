/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/tcp_fast.h"

#include <stddef.h>

#define TCP_PSH_ACK 0x18u

void tcp_fast_init(struct tcp_fast *f, const uint8_t from_mac[6], uint32_t from_ip, uint16_t from_port, uint32_t to_ip,
	uint16_t to_port)
{
	uint8_t *ip = f->head + NET_ETH_BYTES, *tcp = ip + NET_IP_BYTES;
	static const uint8_t proto[2] = {0, NET_PROTO_TCP};

	memset(f, 0, offsetof(struct tcp_fast, pending));
	memcpy(f->head + 6, from_mac, 6);
	net_put16(f->head + 12, NET_TYPE_IP);
	ip[0] = 0x45;
	net_put16(ip + 6, 0x4000); /* never to be cut, so that the id need not be the stack's */
	ip[8] = 64;
	ip[9] = NET_PROTO_TCP;
	net_put32(ip + 12, from_ip);
	net_put32(ip + 16, to_ip);
	net_put16(tcp, from_port);
	net_put16(tcp + 2, to_port);
	tcp[12] = 5 << 4;
	tcp[13] = TCP_PSH_ACK;
	f->sum_ip = net_sum(ip, NET_IP_BYTES, 0);
	f->sum_flow = net_sum(ip + 12, 8, net_sum(proto, 2, net_sum(tcp, 20, 0)));
}

void tcp_fast_allow(struct tcp_fast *f, const struct tcp_fast_grant *grant)
{
	f->grant = *grant;
	f->sum_now = f->sum_flow + __builtin_bswap32(grant->ack) + __builtin_bswap16(grant->window);
}

bool tcp_seen_read(struct tcp_seen *seen, const uint8_t *frame, uint32_t bytes)
{
	const uint8_t *ip = frame + NET_ETH_BYTES;

	if (bytes < TCP_FAST_HEAD_BYTES || net_get16(frame + 12) != NET_TYPE_IP || ip[0] >> 4 != 4
		|| ip[9] != NET_PROTO_TCP)
		return false;
	uint32_t ip_head = (ip[0] & 15u) * 4, ip_bytes = net_get16(ip + 2);
	if (ip_head < NET_IP_BYTES || ip_bytes > bytes - NET_ETH_BYTES || ip_head + 20 > ip_bytes)
		return false;
	const uint8_t *tcp = ip + ip_head;
	uint32_t tcp_head = (tcp[12] >> 4) * 4u;
	if (tcp_head < 20 || ip_head + tcp_head > ip_bytes)
		return false;
	*seen = (struct tcp_seen){
		.seq = net_get32(tcp + 4),
		.bytes = ip_bytes - ip_head - tcp_head,
		.from_ip = net_get32(ip + 12),
		.to_ip = net_get32(ip + 16),
		.from_port = net_get16(tcp),
		.to_port = net_get16(tcp + 2),
		.flags = tcp[13],
	};
	return true;
}

const uint8_t *tcp_plain_payload(const struct tcp_seen *seen, const uint8_t *frame)
{
	const uint8_t *ip = frame + NET_ETH_BYTES;
	uint32_t ip_head = (ip[0] & 15u) * 4, ip_bytes = net_get16(ip + 2);
	const uint8_t *tcp = ip + ip_head;
	uint32_t tcp_bytes = ip_bytes - ip_head, fragment = net_get16(ip + 6) & 0x3fff;
	uint64_t pseudo = (uint64_t)__builtin_bswap16(NET_PROTO_TCP) + __builtin_bswap16((uint16_t)tcp_bytes);

	if (fragment || (seen->flags | TCP_SEEN_PSH) != (TCP_SEEN_ACK | TCP_SEEN_PSH))
		return NULL;
	if (net_sum_fold(net_sum(ip, ip_head, 0)) != 0xffff
		|| net_sum_fold(net_sum(tcp, tcp_bytes, net_sum(ip + 12, 8, pseudo))) != 0xffff)
		return NULL;
	return tcp + tcp_bytes - seen->bytes;
}

bool tcp_fast_swallow(struct tcp_fast *f, const struct tcp_seen *seen)
{
	uint32_t open = f->wire_to - f->wire_from;

	if (open == 0 || seen->bytes == 0 || seen->seq != f->wire_from)
		return false;
	if (seen->flags & (TCP_SEEN_FIN | TCP_SEEN_SYN | TCP_SEEN_RST) || seen->bytes > open) {
		f->wire_from = f->wire_to; /* it carries more than the wire has seen: all of it goes out again */
		return false;
	}
	f->wire_from += seen->bytes;
	return true;
}
