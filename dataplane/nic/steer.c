/* SPDX-License-Identifier: BSD-3-Clause */
/* Which receive queue brings what, where the port lets itself be told. */
#include <rte_flow.h>

#include "dataplane/nic/port_impl.h"

#define RETA_GROUPS_MAX 16u /* of 64 entries: more than any port has */

static bool rule_make(const struct gn_port *p, const struct gn_port_flow *f)
{
	const struct rte_flow_attr attr = {.ingress = 1};
	const struct rte_flow_item_ipv4 ip = {.hdr.dst_addr = rte_cpu_to_be_32(f->ip)};
	const struct rte_flow_item_ipv4 ip_mask = {.hdr.dst_addr = UINT32_MAX};
	const struct rte_flow_item_udp udp = {.hdr.dst_port = rte_cpu_to_be_16(f->port)};
	const struct rte_flow_item_udp udp_mask = {.hdr.dst_port = UINT16_MAX};
	const struct rte_flow_item pattern[] = {
		{.type = RTE_FLOW_ITEM_TYPE_ETH},
		{.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask},
		{.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask},
		{.type = RTE_FLOW_ITEM_TYPE_END},
	};
	const struct rte_flow_action_queue queue = {.index = f->queue};
	const struct rte_flow_action action[] = {
		{.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &queue},
		{.type = RTE_FLOW_ACTION_TYPE_END},
	};

	return rte_flow_create(p->id, &attr, pattern, action, NULL) != NULL;
}

/* What no rule names comes by queue 0: every entry of the hash's table says so. A port that refuses goes on spreading it. */
static void rest_by_first(const struct gn_port *p)
{
	struct rte_eth_rss_reta_entry64 reta[RETA_GROUPS_MAX] = {0};
	struct rte_eth_dev_info info;

	if (!p->rss || rte_eth_dev_info_get(p->id, &info) < 0 || info.reta_size == 0
		|| info.reta_size > RETA_GROUPS_MAX * RTE_ETH_RETA_GROUP_SIZE)
		return;
	for (uint32_t i = 0; i < info.reta_size; i++)
		reta[i / RTE_ETH_RETA_GROUP_SIZE].mask |= UINT64_C(1) << i % RTE_ETH_RETA_GROUP_SIZE;
	rte_eth_dev_rss_reta_update(p->id, reta, info.reta_size);
}

enum gn_port_steering gn_port_steer(struct gn_port *p, const struct gn_port_flow *flow, uint32_t n)
{
	uint32_t made = 0;

	while (made < n && flow[made].queue < p->n_rx && rule_make(p, &flow[made]))
		made++;
	if (n && made == n) {
		rest_by_first(p);
		return GN_PORT_BY_RULE;
	}
	if (made)
		rte_flow_flush(p->id, NULL);
	return p->rss ? GN_PORT_BY_HASH : GN_PORT_BY_DRIVER;
}
