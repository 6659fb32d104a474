/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_FRAME_H
#define GN_FRAME_H

/**
 * @file
 * What rx hands on: UDP payloads to the feed, whole frames to the TCP stack.
 *
 * Both heads are written over the bytes just before their payload (spent headers or mbuf headroom), so a datagram
 * that stays on its core is never copied. Such an address is only 2-byte aligned, hence the packing.
 */

#include <stdint.h>

#define GN_FRAME_BYTES_MAX 2048u

/** rx_feed: one UDP datagram of a subscribed group or of a re-request reply. */
struct gn_datagram {
	uint64_t rx_tsc; /* when the port returned it; unique per datagram, the trace id */
	uint64_t hw_ns;  /* the port's own time stamp on the scale of our clock, 0 when it has none */
	uint16_t line;   /* index of the subscription it matched */
	uint16_t bytes;  /* of payload */
	uint8_t payload[];
} __attribute__((packed, aligned(2)));
_Static_assert(sizeof(struct gn_datagram) == 20, "fits over the 42 bytes of spent Ethernet, IP and UDP headers");

/** rx_gateway: one Ethernet frame that is not market data. */
struct gn_frame {
	uint64_t rx_tsc;
	uint16_t reserved;
	uint16_t bytes; /* of data */
	uint8_t data[];
} __attribute__((packed, aligned(2)));

/** rx_capture, gateway_capture: a copy of a frame, as it came or as it leaves. */
struct gn_captured {
	uint64_t tsc; /* when the port returned it, or when it was queued for the port */
	uint32_t seq; /* counts the frames of this sender, those included that found no room */
	uint16_t wire_bytes;
	uint16_t bytes; /* of data: what was copied of it */
	uint8_t data[];
} __attribute__((packed, aligned(2)));

#endif
