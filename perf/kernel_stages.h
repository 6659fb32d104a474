/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PERF_KERNEL_STAGES_H
#define PERF_KERNEL_STAGES_H

/**
 * @file
 * What takes the place of port and network stack when everything else stays as it is: market data from UDP sockets and
 * orders to a TCP socket of the kernel, both polled without ever sleeping.
 */

#include "dataplane/gateway/gateway_stage.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/stage.h"

/** rx: out rx_feed. env->config points to this. */
struct kernel_rx_config {
	const struct rx_subscription *subscription;
	uint32_t n_subscriptions; /* at most KERNEL_SOCKETS_MAX */
	uint32_t interface_ip;
};

#define KERNEL_SOCKETS_MAX 4u

extern const struct gn_stage stage_kernel_rx;

/** gateway: in risk_gateway, out gateway_risk. env->config points to a struct gateway_config, of which one account counts. */
extern const struct gn_stage stage_kernel_gateway;

#endif
