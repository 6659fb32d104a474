/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_PORT_H
#define GN_PORT_H

/**
 * @file
 * One port of any driver that DPDK has: opened by its device line, with receive and transmit queues and their memory.
 *
 * Cold path, main thread, after gn_eal_init(), unless a function says otherwise.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/nic/tx.h"

struct gn_port;
struct gn_clock_status;

#define GN_PORT_QUEUES_MAX 16u
#define GN_PORT_MTU_MIN 68u
#define GN_PORT_MTU_MAX 2030u /* with the Ethernet and a VLAN header a frame fills one buffer */

struct gn_port_config {
	/**
	 * The driver and its options, as DPDK takes them: "net_memif0,role=client,socket=/run/x.sock",
	 * "net_af_packet0,iface=eth1", "net_pcap0,rx_pcap=in.pcap,tx_pcap=out.pcap", "net_ring0", "0000:01:00.0", ...
	 */
	const char *device;
	uint16_t n_rx, n_tx; /* queues; 0: one */
	uint16_t rx_descs, tx_descs; /* a queue; 0: 1024 each; corrected to what the driver takes */
	uint16_t mtu; /* 0: 1500 */
	uint8_t mac[6]; /* zero: the port's own */
	bool promiscuous;
	int node; /* of the threads that serve it; GN_NODE_ANY: the port's own */
};

/**
 * Open a port and start it.
 *
 * A net_memif client whose server does not listen yet is opened all the same: gn_port_try_up() goes on trying.
 *
 * @return
 *   The port, or NULL with one error that names the device line and what the driver said.
 */
struct gn_port *gn_port_open(const struct gn_port_config *config);

/** Stop and free. After gn_wiring_free() and gn_stack_free(), which give buffers back to it. NULL is allowed. */
void gn_port_close(struct gn_port *p);

/** Whether frames can flow; starts a port that could not start before. Main thread, before the data path runs. */
bool gn_port_try_up(struct gn_port *p);

/**
 * Wait until frames can flow.
 *
 * @param timeout_ms
 *   Bound of the wait.
 * @param stop
 *   Ends the wait early when it becomes true; NULL is allowed.
 * @return
 *   0, -ETIMEDOUT or -ECANCELED, with gn_err_text().
 */
int gn_port_wait_up(struct gn_port *p, uint32_t timeout_ms, const atomic_bool *stop);

/**
 * Join a peer that went away and came back (net_memif); other drivers do that by themselves. Called now and then by the
 * thread that polls the port's first receive queue; system calls every 100 ms while the peer is away and once when it
 * has come, else none.
 *
 * @return
 *   Whether the port was seen to come up or to go down since the last call.
 */
bool gn_port_keep_up(struct gn_port *p, uint64_t now_tsc);

/** The port's transmit queues. A queue belongs to one thread; NULL when there is no such queue. */
struct gn_tx *gn_port_tx(struct gn_port *p, uint16_t queue);

/** The source address of its frames: 6 bytes, valid as long as the port. */
const uint8_t *gn_port_mac(const struct gn_port *p);
uint16_t gn_port_mtu(const struct gn_port *p);
const char *gn_port_device(const struct gn_port *p);

/** Which of the port's offloads are in use. */
struct gn_port_offloads {
	bool rx_ip_checksum; /* the port verifies IP headers; else rx does */
	bool rx_udp_checksum; /* the port verifies UDP; else nobody does, as the Ethernet checksum covers it */
	bool rx_time; /* datagrams carry hw_ns: the port stamps, and its clock can be read and was mapped to ours */
};
struct gn_port_offloads gn_port_offloads(const struct gn_port *p);

/**
 * Follow the port's own clock, so that hw_ns stays on the scale of gn_clock_now_ns(). The thread that opened the port, right
 * after gn_clock_update(); some 50 us where the port has such a clock, else nothing.
 */
void gn_port_clock_keep_up(struct gn_port *p);

/** How well that works: the port's clock against ours. False: there is no such clock. The same thread. */
bool gn_port_clock(const struct gn_port *p, struct gn_clock_status *status);

/** Datagrams to an address and port that one receive queue is to bring. */
struct gn_port_flow {
	uint32_t ip; /* host byte order */
	uint16_t port, queue;
};

/** How frames come to be spread over receive queues. */
enum gn_port_steering {
	GN_PORT_BY_DRIVER, /* the port cannot be told: one queue may bring all, or its peer chooses */
	GN_PORT_BY_HASH,   /* of addresses and ports (RSS): each flow by one queue, nobody knows which */
	GN_PORT_BY_RULE,   /* each flow by the queue asked for (rte_flow), all else by queue 0 */
};

/**
 * Ask a port with several receive queues to bring each flow by its queue.
 *
 * All of them or none: a port that refuses one rule keeps none. What a queue brings is known for sure only with
 * GN_PORT_BY_RULE, so whoever reads a queue must be ready for any frame.
 */
enum gn_port_steering gn_port_steer(struct gn_port *p, const struct gn_port_flow *flow, uint32_t n);

/** What the port itself counted. Any cold thread. */
struct gn_port_stats {
	uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes;
	uint64_t rx_missed; /* lost because nobody took them in time */
	uint64_t rx_no_buffer;
	uint64_t rx_errors, tx_errors;
};
struct gn_port_stats gn_port_stats(const struct gn_port *p);

#endif
