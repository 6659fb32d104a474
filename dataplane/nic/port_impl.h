/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_IMPL_H
#define PORT_IMPL_H

/** @file The inside of a port, for the files of dataplane/nic only: they include DPDK's headers. */

#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include "dataplane/nic/memif_relay.h"
#include "dataplane/nic/port.h"
#include "dataplane/runtime/compiler.h"
#include "pinning/clock.h"

#define PORT_DEVICE_BYTES 256u

/** Written by the queue's thread around each burst. */
struct port_gate {
	GN_OWNED_BY(queue) atomic_bool busy;
};

struct gn_port {
	uint16_t id;
	uint16_t n_rx, n_tx, mtu;
	bool probed, configured;
	bool memif;        /* frames go through memory shared with the peer */
	bool memif_client; /* the only driver that must be started again when its peer returns */
	/* bursts may be asked for; read by the queues' threads, written by who starts and stops the port */
	atomic_bool live;
	struct memif_relay *relay; /* of net_memif, else NULL */
	struct port_gate rx_gate[GN_PORT_QUEUES_MAX], tx_gate[GN_PORT_QUEUES_MAX];
	bool started, was_up;
	uint64_t started_tsc, kept_tsc, ticks_per_ms;
	uint64_t rx_offloads;
	int rx_time_offset; /* of the field in a buffer that holds a count of the port's clock; -1: none, or nobody can read that clock */
	uint64_t rx_time_flag;
	bool rx_time_ptp; /* that clock is read as the clock of IEEE 1588 */
	struct gn_clock rx_clock; /* maps counts to our time; 0 while it is not kept */
	struct gn_clock_keeper rx_keeper;
	uint8_t mac[6];
	struct rte_mempool *rx_pool[GN_PORT_QUEUES_MAX], *tx_pool; /* threads that receive share nothing */
	bool rss;
	struct gn_tx *tx[GN_PORT_QUEUES_MAX];
	char device[PORT_DEVICE_BYTES];
	char name[RTE_ETH_NAME_MAX_LEN]; /* of the device alone */
};

/** Make a transmit queue of a port; NULL with gn_err_text(). */
struct gn_tx *tx_new(struct gn_port *p, uint16_t queue);
void tx_free(struct gn_tx *tx);

/** Begin to follow the port's own clock, where it stamps what it receives and the clock can be read. Started port. */
void port_clock_begin(struct gn_port *p);

/**
 * Begin a burst. False: not now; the port is not started, or its peer's memory is about to go. The queue's thread.
 *
 * Plain stores and loads: port_park() pays for the order between them, with a barrier in every thread of the process.
 */
static inline bool port_enter(const struct gn_port *p, struct port_gate *g)
{
	atomic_store_explicit(&g->busy, true, memory_order_relaxed);
	atomic_signal_fence(memory_order_seq_cst);
	if (gn_likely(atomic_load_explicit(&p->live, memory_order_relaxed)))
		return true;
	atomic_store_explicit(&g->busy, false, memory_order_relaxed);
	return false;
}

/** End a burst that port_enter() permitted. */
static inline void port_leave(struct port_gate *g)
{
	atomic_store_explicit(&g->busy, false, memory_order_release);
}

#endif
