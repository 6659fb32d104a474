/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CLASSIFY_H
#define CLASSIFY_H

/**
 * @file
 * What a received Ethernet frame is: a datagram of a subscription, something for the TCP/IP stack, or of no use.
 *
 * Pure: bytes in, verdict out. Nothing in a frame is trusted; no read goes past its end.
 */

#include <stdbool.h>
#include <stdint.h>

#define CLASSIFY_SUBS_MAX 128u

/** Which UDP datagrams are market data. Address and port in host byte order. */
struct classify_subs {
	uint32_t n;
	struct {
		uint64_t key; /* address and port; 0: free */
		uint16_t line;
	} slot[2 * CLASSIFY_SUBS_MAX];
};

/**
 * Subscribe. Cold path.
 *
 * @return
 *   0, -EEXIST when address and port are taken, -ENOSPC, or -EINVAL for address 0 or port 0; with gn_err_text().
 */
int classify_subscribe(struct classify_subs *s, uint32_t ip, uint16_t port, uint16_t line);

/** Zero is no verdict. */
enum classify {
	CLASSIFY_NONE = 0,
	CLASSIFY_FEED, /* *out is filled */
	CLASSIFY_GATEWAY, /* ARP, ICMP, IGMP, TCP, other datagrams for one host */
	CLASSIFY_BAD_ETHERNET,
	CLASSIFY_BAD_IP,
	CLASSIFY_FRAGMENT,
	CLASSIFY_BAD_UDP,
	CLASSIFY_NOT_OURS, /* a datagram of a group that nobody subscribed to */
};

struct classify_datagram {
	uint32_t at; /* of the payload in the frame; at least 42 */
	uint16_t bytes;
	uint16_t line;
};

/**
 * Classify a frame. Hot path: bounded, touches the frame's first 64 bytes.
 *
 * @param ip_checked
 *   The port has verified the checksum of the IP header.
 */
enum classify classify_frame(const struct classify_subs *s, const uint8_t *frame, uint32_t bytes, bool ip_checked,
	struct classify_datagram *out);

#endif
