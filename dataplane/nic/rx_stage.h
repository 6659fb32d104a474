/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_RX_STAGE_H
#define GN_RX_STAGE_H

/**
 * @file
 * The rx stage: takes frames from one receive queue of a port, one a poll.
 *
 * A port may have several queues, each with a stage of its own. Which frames come by which is up to the port
 * (gn_port_steer()): every stage takes any frame and hands it on to where it belongs.
 *
 * Datagrams of a subscription go over every `rx_feed` link as struct gn_datagram, written over their spent headers;
 * ARP, ICMP, IGMP, TCP and other datagrams for one host go over every `rx_gateway` link as struct gn_frame, written
 * into the buffer's headroom. Both kinds of link are optional. The rest is dropped and counted. While a capture is asked
 * for, a copy of every frame goes over the lossy link `rx_capture` first.
 */

#include "dataplane/nic/port.h"
#include "dataplane/runtime/stage.h"

struct rx_subscription {
	uint32_t ip; /* group or own address, host byte order */
	uint16_t port;
	uint16_t line; /* told to the feed */
};

/** What env->config points to. */
struct rx_config {
	struct gn_port *port;
	uint16_t queue;
	const struct rx_subscription *subscription;
	uint32_t n_subscriptions;
	const _Atomic uint32_t *capture_bytes; /* bytes of each frame to copy to `rx_capture`, 0: none; NULL: never */
};

extern const struct gn_stage gn_stage_rx;

#endif
