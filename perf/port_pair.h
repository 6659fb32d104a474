/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PORT_PAIR_H
#define PORT_PAIR_H

/**
 * @file
 * Two ends of a wire, for benchmarks. perf/port_pair.c: two processes joined by net_memif, each polls its end through
 * the real rx stage. perf/port_none.c: no port, one process, a stub for the other end.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nic/port.h"

struct port_side {
	bool is_peer; /* the forked process */
	struct gn_port *port;
	struct gn_tx *tx;
	const void *rx; /* private */
	void (*on_frame)(void *arg, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc);
	void *arg;
};

/**
 * Fork, start DPDK in both processes, open both ends and wait until frames can flow. The peer dies with its parent.
 * Exits with a message on any error. Before any other thread is made.
 */
void port_pair_start(struct port_side *side);

/** Take at most one frame from the port and hand it to on_frame. */
bool port_side_poll(struct port_side *side);

/** Ends the peer. Not to be called by it. */
void port_pair_end(struct port_side *side);

#endif
