/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/classify.h"

#include <errno.h>
#include <string.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define SLOTS (2 * CLASSIFY_SUBS_MAX)

static uint64_t subs_key(uint32_t ip, uint16_t port)
{
	return (uint64_t)ip << 16 | port;
}

static uint32_t subs_hash(uint64_t key)
{
	return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 56) % SLOTS;
}

int classify_subscribe(struct classify_subs *s, uint32_t ip, uint16_t port, uint16_t line)
{
	uint64_t key = subs_key(ip, port);
	uint32_t i = subs_hash(key);

	if (ip == 0 || port == 0)
		return gn_err(EINVAL, "subscription of line %u: address and port must not be 0", line);
	if (s->n == CLASSIFY_SUBS_MAX)
		return gn_err(ENOSPC, "subscription of line %u: more than %u", line, CLASSIFY_SUBS_MAX);
	for (; s->slot[i].key; i = (i + 1) % SLOTS)
		if (s->slot[i].key == key)
			return gn_err(EEXIST, "subscription of line %u: line %u has the same address and port", line,
				s->slot[i].line);
	s->slot[i].key = key;
	s->slot[i].line = line;
	s->n++;
	return 0;
}

/* Half of the slots stay free, so the walk ends. */
static bool subs_find(const struct classify_subs *s, uint64_t key, uint16_t *line)
{
	for (uint32_t i = subs_hash(key); s->slot[i].key; i = (i + 1) % SLOTS) {
		if (s->slot[i].key == key) {
			*line = s->slot[i].line;
			return true;
		}
	}
	return false;
}

/* The IP packet starts at `at`; on success its header's and its whole length are returned. */
static bool ip_check(const uint8_t *ip, uint32_t bytes, bool checked, uint32_t *head_bytes, uint32_t *ip_bytes)
{
	if (bytes < NET_IP_BYTES || ip[0] >> 4 != 4)
		return false;
	*head_bytes = (ip[0] & 15u) * 4;
	*ip_bytes = net_get16(ip + 2);
	if (*head_bytes < NET_IP_BYTES || *ip_bytes < *head_bytes || *ip_bytes > bytes)
		return false;
	return checked || net_sum_fold(net_sum(ip, *head_bytes, 0)) == 0xffff;
}

enum classify classify_frame(const struct classify_subs *s, const uint8_t *frame, uint32_t bytes, bool ip_checked,
	struct classify_datagram *out)
{
	uint32_t at = NET_ETH_BYTES, head_bytes, ip_bytes;

	if (bytes < NET_ETH_BYTES)
		return CLASSIFY_BAD_ETHERNET;
	uint16_t type = net_get16(frame + 12);
	if (gn_unlikely(type == NET_TYPE_VLAN)) {
		if (bytes < NET_ETH_BYTES + NET_VLAN_BYTES)
			return CLASSIFY_BAD_ETHERNET;
		type = net_get16(frame + 16);
		at += NET_VLAN_BYTES;
	}
	if (type != NET_TYPE_IP)
		return CLASSIFY_GATEWAY;
	const uint8_t *ip = frame + at;
	if (gn_unlikely(!ip_check(ip, bytes - at, ip_checked, &head_bytes, &ip_bytes)))
		return CLASSIFY_BAD_IP;
	if (gn_unlikely(net_get16(ip + 6) & 0x3fff))
		return CLASSIFY_FRAGMENT;
	if (ip[9] != NET_PROTO_UDP)
		return CLASSIFY_GATEWAY;
	const uint8_t *udp = ip + head_bytes;
	if (gn_unlikely(ip_bytes - head_bytes < NET_UDP_BYTES))
		return CLASSIFY_BAD_UDP;
	uint16_t udp_bytes = net_get16(udp + 4);
	if (gn_unlikely(udp_bytes < NET_UDP_BYTES || udp_bytes > ip_bytes - head_bytes))
		return CLASSIFY_BAD_UDP;
	uint32_t to = net_get32(ip + 16);
	if (gn_unlikely(!subs_find(s, subs_key(to, net_get16(udp + 2)), &out->line)))
		return to >> 28 == 14 ? CLASSIFY_NOT_OURS : CLASSIFY_GATEWAY;
	out->at = at + head_bytes + NET_UDP_BYTES;
	out->bytes = (uint16_t)(udp_bytes - NET_UDP_BYTES);
	return CLASSIFY_FEED;
}
