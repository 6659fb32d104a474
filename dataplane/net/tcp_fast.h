/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TCP_FAST_H
#define TCP_FAST_H

/**
 * @file
 * The ready frame of a TCP connection: headers that wait for a message, and what the stack has granted to send without
 * asking. Pure: knows neither lwIP nor a port. Private to dataplane/net and its tests.
 *
 * Bytes go through three hands. tcp_fast_seal() puts them on the wire and keeps a copy (pending). The stack is told
 * of the copy and sends it once more (settled), and tcp_fast_swallow() takes exactly that repetition away. What was
 * lost on the wire is none of our business: the stack has its copy and sends it again.
 */

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/runtime/compiler.h"

#define TCP_FAST_HEAD_BYTES 54u /* Ethernet, IP and TCP without options */
#define TCP_FAST_PENDING_MAX 32u
#define TCP_FAST_PENDING_BYTES 8192u

/** What the stack allows. Rewritten after each of its moves; all zero allows nothing. */
struct tcp_fast_grant {
	uint32_t seq; /* of the next byte */
	uint32_t ack; /* of the next byte we expect */
	uint32_t bytes; /* that windows and buffers have room for */
	uint16_t seg_bytes_max; /* of one message */
	uint16_t n_segs; /* messages that the stack's queue has room for */
	uint16_t window; /* as it stands in the header, scaled */
};

struct tcp_fast {
	struct tcp_fast_grant grant;
	uint64_t sum_now; /* of the TCP header with acknowledgement and window of the grant */
	uint64_t sum_flow, sum_ip;
	uint16_t ip_id;
	uint8_t head[TCP_FAST_HEAD_BYTES];
	/* on the wire, the stack does not know yet */
	uint32_t n_pending, pending_bytes;
	uint16_t pending_len[TCP_FAST_PENDING_MAX];
	/* on the wire, the stack has not repeated it yet: sequence numbers, empty when equal */
	uint32_t wire_from, wire_to;
	uint8_t pending[TCP_FAST_PENDING_BYTES + 8]; /* copied in words of eight */
};

/** Prepare the headers of a connection. Cold. Addresses and ports in host byte order. */
void tcp_fast_init(struct tcp_fast *f, const uint8_t from_mac[6], uint32_t from_ip, uint16_t from_port, uint32_t to_ip,
	uint16_t to_port);

/** The neighbour's address, which may change. */
static inline void tcp_fast_to_mac(struct tcp_fast *f, const uint8_t mac[6])
{
	memcpy(f->head, mac, 6);
}

/** Take over what the stack allows from now on. */
void tcp_fast_allow(struct tcp_fast *f, const struct tcp_fast_grant *grant);

/** Whether one message of so many bytes may go now. Hot path. */
static inline bool tcp_fast_may(const struct tcp_fast *f, uint32_t bytes)
{
	return gn_likely(bytes <= f->grant.bytes && bytes <= f->grant.seg_bytes_max && f->grant.n_segs > 0
			 && f->n_pending < TCP_FAST_PENDING_MAX && f->pending_bytes + bytes <= TCP_FAST_PENDING_BYTES);
}

/** Put the constant part of the headers into an empty frame; the message follows it. Hot path. */
static inline void tcp_fast_open(const struct tcp_fast *f, uint8_t *frame)
{
	memcpy(frame, f->head, TCP_FAST_HEAD_BYTES);
}

/* Copy the message for the stack and sum it up in one pass over whole words; what follows it in the frame becomes 0. */
static inline uint64_t tcp_fast_keep(struct tcp_fast *f, uint8_t *payload, uint32_t bytes, uint64_t sum)
{
	uint8_t *keep = f->pending + f->pending_bytes;
	uint64_t w, carry = 0;

	memset(payload + bytes, 0, 8);
	for (uint32_t i = 0; i < bytes; i += 8) {
		memcpy(&w, payload + i, 8);
		memcpy(keep + i, &w, 8);
		carry += __builtin_add_overflow(sum, w, &sum);
	}
	return (sum & 0xffffffff) + (sum >> 32) + carry;
}

/**
 * Complete the frame: lengths, numbers, both checksums; remember the message for the stack. Hot path; only after
 * tcp_fast_may() said yes to at least as many bytes; the frame's memory must go on for 8 bytes after them.
 *
 * @return
 *   Length of the frame.
 */
static inline uint32_t tcp_fast_seal(struct tcp_fast *f, uint8_t *frame, uint32_t bytes)
{
	uint8_t *ip = frame + NET_ETH_BYTES, *tcp = ip + NET_IP_BYTES;
	uint16_t ip_bytes = __builtin_bswap16((uint16_t)(bytes + 40)),
		 tcp_bytes = __builtin_bswap16((uint16_t)(bytes + 20));
	uint16_t id = __builtin_bswap16(f->ip_id++), window = __builtin_bswap16(f->grant.window);
	uint32_t seq = __builtin_bswap32(f->grant.seq), ack = __builtin_bswap32(f->grant.ack);

	memcpy(ip + 2, &ip_bytes, 2);
	memcpy(ip + 4, &id, 2);
	net_sum_store(ip + 10, f->sum_ip + ip_bytes + id);
	memcpy(tcp + 4, &seq, 4);
	memcpy(tcp + 8, &ack, 4);
	memcpy(tcp + 14, &window, 2);
	net_sum_store(tcp + 16, tcp_fast_keep(f, frame + TCP_FAST_HEAD_BYTES, bytes, f->sum_now + seq + tcp_bytes));
	f->pending_len[f->n_pending++] = (uint16_t)bytes;
	f->pending_bytes += bytes;
	f->grant.seq += bytes;
	f->grant.bytes -= bytes;
	f->grant.n_segs--;
	f->wire_to = f->grant.seq;
	return TCP_FAST_HEAD_BYTES + bytes;
}

/** Where in a frame TCP stands, and what it says. */
struct tcp_seen {
	uint32_t seq, bytes; /* of payload */
	uint32_t from_ip, to_ip;
	uint16_t from_port, to_port;
	uint8_t flags;
};

#define TCP_SEEN_FIN 1u
#define TCP_SEEN_SYN 2u
#define TCP_SEEN_RST 4u
#define TCP_SEEN_PSH 8u
#define TCP_SEEN_ACK 16u

/** Read a frame that the stack wants to send (or received); false: not TCP over IPv4, or not whole. */
bool tcp_seen_read(struct tcp_seen *seen, const uint8_t *frame, uint32_t bytes);

/**
 * Payload of a whole, unbroken segment that carries an acknowledgement, bytes or none, and nothing else; both checksums
 * are right.
 *
 * @param seen
 *   What tcp_seen_read() said of this frame.
 * @return
 *   NULL: not such a segment.
 */
const uint8_t *tcp_plain_payload(const struct tcp_seen *seen, const uint8_t *frame);

/**
 * Whether this frame of the stack repeats only what the wire has already had from tcp_fast_seal(): then it must not
 * go out. Retransmissions, FIN, acknowledgements and anything else pass.
 */
bool tcp_fast_swallow(struct tcp_fast *f, const struct tcp_seen *seen);

#endif
