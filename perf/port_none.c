/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same two ends as perf/port_pair.c without a port: the frames of the one real end fall to a stub in the same
 * process that answers ARP, opens a TCP connection and acknowledges what comes. What is measured over it is the
 * sender's own work.
 */
#include <string.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/compiler.h"
#include "perf/port_pair.h"

#define RING 64u
#define FRAME_BYTES 2048u

struct gn_tx {
	uint32_t head, tail;
	uint32_t bytes[RING];
	uint8_t frame[RING][FRAME_BYTES];
	struct gn_tx_counts n;
};

static struct gn_tx ring;
static uint8_t answer[FRAME_BYTES];
static uint32_t answer_bytes;
static const uint8_t own_mac[6] = {2, 0, 0, 0, 0, 1};

bool gn_tx_claim(struct gn_tx *tx, struct gn_tx_frame *out)
{
	out->data = tx->frame[tx->tail % RING];
	out->room_bytes = FRAME_BYTES;
	return true;
}

void gn_tx_commit(struct gn_tx *tx, const struct gn_tx_frame *frame, uint32_t bytes)
{
	(void)frame;
	tx->bytes[tx->tail++ % RING] = bytes;
}

void gn_tx_abandon(struct gn_tx *tx, const struct gn_tx_frame *frame)
{
	(void)tx;
	(void)frame;
}

static void answer_arp(const uint8_t *f)
{
	memcpy(answer, f, 42);
	memcpy(answer, f + 6, 6);
	memcpy(answer + 6, own_mac, 6);
	answer[21] = 2;
	memcpy(answer + 22, own_mac, 6);
	memcpy(answer + 28, f + 38, 4);
	memcpy(answer + 32, f + 22, 10);
	answer_bytes = 60;
}

static void answer_tcp(const uint8_t *f, const struct tcp_seen *seen)
{
	uint8_t *tcp = answer + 34;
	bool syn = seen->flags & TCP_SEEN_SYN;

	if (!syn && seen->bytes == 0)
		return;
	memset(answer, 0, 60);
	memcpy(answer, f + 6, 6);
	memcpy(answer + 6, own_mac, 6);
	net_put16(answer + 12, NET_TYPE_IP);
	memcpy(answer + 14, "\x45\0\0\x28\0\0\x40\0\x40\x06", 10);
	net_put32(answer + 26, seen->to_ip);
	net_put32(answer + 30, seen->from_ip);
	net_sum_store(answer + 24, net_sum(answer + 14, 20, 0));
	net_put16(tcp, seen->to_port);
	net_put16(tcp + 2, seen->from_port);
	net_put32(tcp + 4, syn ? 999 : 1000);
	net_put32(tcp + 8, seen->seq + seen->bytes + syn);
	tcp[12] = 0x50;
	tcp[13] = syn ? 0x12 : 0x10;
	net_put16(tcp + 14, 0xffff);
	net_sum_store(
		tcp + 16, net_sum(tcp, 20, net_sum((const uint8_t *)"\0\x06\0\x14", 4, net_sum(answer + 26, 8, 0))));
	answer_bytes = 60;
}

/* As cheap as a port can be: the frames are there, whoever looks at them does so outside of the measured time. */
uint32_t gn_tx_flush(struct gn_tx *tx)
{
	uint32_t n = (uint32_t)(tx->tail - tx->n.frames);

	tx->n.frames += n;
	return n;
}

struct gn_tx_counts gn_tx_counts(const struct gn_tx *tx)
{
	return tx->n;
}

void port_pair_start(struct port_side *side)
{
	side->is_peer = false;
	side->tx = &ring;
}

bool port_side_poll(struct port_side *side)
{
	struct tcp_seen seen;

	answer_bytes = 0;
	for (; ring.head != ring.tail; ring.head++) {
		const uint8_t *f = ring.frame[ring.head % RING];
		if (net_get16(f + 12) == NET_TYPE_ARP && f[21] == 1 && memcmp(f + 28, f + 38, 4) != 0)
			answer_arp(f);
		else if (tcp_seen_read(&seen, f, ring.bytes[ring.head % RING]))
			answer_tcp(f, &seen);
	}
	if (answer_bytes > 0)
		side->on_frame(side->arg, answer, answer_bytes, gn_tsc());
	return answer_bytes > 0;
}

void port_pair_end(struct port_side *side)
{
	(void)side;
}
