/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_PACKET_H
#define REPLAY_PACKET_H

/**
 * @file
 * The UDP datagram in a captured frame. Pure; reads no byte past what was captured.
 */

#include <stdint.h>

/** What stands before the IP head. */
enum packet_link {
	PACKET_ETHERNET, /* up to two VLAN tags are skipped */
	PACKET_SLL,      /* Linux "any" interface */
	PACKET_SLL2,
	PACKET_IP,
};

enum packet_result {
	PACKET_DATAGRAM = 0,
	PACKET_OTHER,    /* not UDP over IPv4 */
	PACKET_FRAGMENT, /* a part of a datagram: there is no way to know the rest */
	PACKET_CUT,      /* the capture holds less of it than the wire did */
	PACKET_BAD,      /* lengths that contradict each other */
};

struct packet_datagram {
	uint32_t dst_ip; /* host byte order */
	uint16_t dst_port;
	uint32_t bytes;
	const uint8_t *payload; /* within the frame */
};

/** Find the datagram. @param bytes as captured. */
enum packet_result packet_parse(enum packet_link link, const uint8_t *frame, uint32_t bytes, struct packet_datagram *d);

#endif
