/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_RX_STAGE_H
#define GN_RX_STAGE_H

/**
 * @file
 * The rx stage: takes frames from one receive queue of a port, one a poll.
 *
 * Datagrams of a subscription go over every `rx_feed` link as struct gn_datagram, written over their spent headers;
 * ARP, ICMP, IGMP, TCP and other datagrams for one host go over every `rx_gateway` link as struct gn_frame, written
 * into the buffer's headroom. Both kinds of link are optional. The rest is dropped and counted.
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
};

extern const struct gn_stage gn_stage_rx;

#endif
