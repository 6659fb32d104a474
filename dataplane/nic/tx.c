/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/tx.h"

#include "dataplane/net/frame.h"
#include "dataplane/nic/port_impl.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/link.h"
#include "dataplane/runtime/mem.h"

#define TX_BURST 32u
#define TX_STASH 64u /* empty buffers at hand */
#define TX_QUEUE 512u /* frames that wait for the port; a power of two */

struct gn_tx {
	struct gn_port *port;
	uint16_t queue;
	uint32_t n_stash;
	uint32_t head, tail; /* of the ring below, free-running */
	struct rte_mbuf *stash[TX_STASH];
	struct rte_mbuf *wait[TX_QUEUE];
	struct gn_link *tap; /* NULL: none */
	const _Atomic uint32_t *tap_bytes;
	uint32_t tap_seq;
	struct gn_tx_counts n;
};

struct gn_tx *tx_new(struct gn_port *p, uint16_t queue)
{
	struct gn_tx *tx = gn_mem_alloc(sizeof(*tx), rte_eth_dev_socket_id(p->id));

	if (!tx)
		return NULL;
	tx->port = p;
	tx->queue = queue;
	return tx;
}

void tx_free(struct gn_tx *tx)
{
	if (!tx)
		return;
	rte_pktmbuf_free_bulk(tx->stash, tx->n_stash);
	for (; tx->head != tx->tail; tx->head++)
		rte_pktmbuf_free(tx->wait[tx->head % TX_QUEUE]);
	gn_mem_free(tx, sizeof(*tx));
}

/*
 * A thread that DPDK knows has a cache of the pool, last in, first out: one buffer at a time is the one that was sent
 * last, still warm. For others half a stash at a time, so that the pool's own ring is asked rarely.
 */
static bool stash_fill(struct gn_tx *tx)
{
	if (gn_unlikely(rte_lcore_id() == LCORE_ID_ANY)
		&& rte_pktmbuf_alloc_bulk(tx->port->tx_pool, tx->stash, TX_STASH / 2) == 0) {
		tx->n_stash = TX_STASH / 2;
		return true;
	}
	tx->stash[0] = rte_pktmbuf_alloc(tx->port->tx_pool);
	tx->n_stash = tx->stash[0] != NULL;
	return tx->n_stash > 0;
}

bool gn_tx_claim(struct gn_tx *tx, struct gn_tx_frame *out)
{
	if (gn_unlikely(tx->n_stash == 0) && !stash_fill(tx)) {
		tx->n.no_frame++;
		return false;
	}
	struct rte_mbuf *m = tx->stash[--tx->n_stash];
	out->data = rte_pktmbuf_mtod(m, uint8_t *);
	out->room_bytes = rte_pktmbuf_tailroom(m);
	out->handle = m;
	return true;
}

void gn_tx_tap(struct gn_tx *tx, struct gn_link *link, const _Atomic uint32_t *bytes)
{
	tx->tap = link;
	tx->tap_bytes = bytes;
}

/* With its head in the headroom, which nobody else uses. */
static void tap(struct gn_tx *tx, struct rte_mbuf *m)
{
	uint32_t bytes = atomic_load_explicit(tx->tap_bytes, memory_order_relaxed);

	if (gn_likely(bytes == 0) || rte_pktmbuf_headroom(m) < sizeof(struct gn_captured))
		return;
	struct gn_captured *c = rte_pktmbuf_mtod_offset(m, struct gn_captured *, -(int)sizeof(*c));
	uint32_t copied = bytes < m->data_len ? bytes : m->data_len;

	if (copied > GN_FRAME_BYTES_MAX)
		copied = GN_FRAME_BYTES_MAX;
	*c = (struct gn_captured){.tsc = gn_tsc(), .seq = tx->tap_seq++, .wire_bytes = m->data_len, .bytes = (uint16_t)copied};
	gn_link_try_send(tx->tap, c, (uint32_t)sizeof(*c) + copied);
}

void gn_tx_commit(struct gn_tx *tx, const struct gn_tx_frame *frame, uint32_t bytes)
{
	struct rte_mbuf *m = frame->handle;

	GN_ASSERT(bytes <= frame->room_bytes);
	m->data_len = (uint16_t)bytes;
	m->pkt_len = bytes;
	if (tx->tap)
		tap(tx, m);
	if (gn_unlikely(tx->tail - tx->head == TX_QUEUE)) {
		rte_pktmbuf_free(tx->wait[tx->head++ % TX_QUEUE]);
		tx->n.dropped++;
	}
	tx->wait[tx->tail++ % TX_QUEUE] = m;
	if (gn_unlikely(tx->tail - tx->head >= TX_BURST))
		gn_tx_flush(tx);
}

void gn_tx_abandon(struct gn_tx *tx, const struct gn_tx_frame *frame)
{
	struct rte_mbuf *m = frame->handle;

	if (tx->n_stash < TX_STASH)
		tx->stash[tx->n_stash++] = m;
	else
		rte_pktmbuf_free(m);
}

/* One call of the driver; frames whose ring wraps around need two. Returns whether the port took all it was offered. */
static bool flush_run(struct gn_tx *tx, uint32_t *n_sent)
{
	uint32_t at = tx->head % TX_QUEUE, n = tx->tail - tx->head, bytes = 0;

	if (n > TX_QUEUE - at)
		n = TX_QUEUE - at;
	if (n > TX_BURST)
		n = TX_BURST;
	for (uint32_t i = 0; i < n; i++)
		bytes += tx->wait[at + i]->pkt_len;
	uint32_t sent = rte_eth_tx_burst(tx->port->id, tx->queue, &tx->wait[at], (uint16_t)n);
	/* a buffer that the driver took is not ours to look at any more: take off the bytes of those that it left */
	for (uint32_t i = sent; i < n; i++)
		bytes -= tx->wait[at + i]->pkt_len;
	tx->head += sent;
	tx->n.frames += sent;
	tx->n.bytes += bytes;
	tx->n.full += sent < n;
	*n_sent += sent;
	return sent == n;
}

uint32_t gn_tx_flush(struct gn_tx *tx)
{
	struct port_gate *gate = &tx->port->tx_gate[tx->queue];
	uint32_t n_sent = 0;

	if (tx->head == tx->tail || gn_unlikely(!port_enter(tx->port, gate)))
		return 0;
	while (tx->head != tx->tail && flush_run(tx, &n_sent))
		;
	port_leave(gate);
	return n_sent;
}

struct gn_tx_counts gn_tx_counts(const struct gn_tx *tx)
{
	return tx->n;
}
