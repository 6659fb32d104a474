/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack_impl.h"

#include <string.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/runtime/compiler.h"

static void rx_slot_free(struct pbuf *p)
{
	struct stack_rx_slot *slot = (struct stack_rx_slot *)(void *)p;

	slot->next = slot->s->rx_free;
	slot->s->rx_free = slot;
}

void stack_rx_init(struct gn_stack *s)
{
	for (uint32_t i = 0; i < STACK_RX_SLOTS; i++) {
		struct stack_rx_slot *slot = &s->rx_slot[i];
		slot->pbuf.custom_free_function = rx_slot_free;
		slot->s = s;
		slot->next = s->rx_free;
		s->rx_free = slot;
	}
}

/* Held frames may use up the slots; the heap then helps out, so that the one missing segment still gets in. */
struct pbuf *stack_rx_pbuf(struct gn_stack *s, const uint8_t *frame, uint32_t bytes)
{
	struct stack_rx_slot *slot = s->rx_free;
	struct pbuf *p;

	if (gn_likely(slot != NULL)) {
		s->rx_free = slot->next;
		p = pbuf_alloced_custom(PBUF_RAW, (u16_t)bytes, PBUF_REF, &slot->pbuf, slot->data, GN_FRAME_BYTES_MAX);
	} else {
		p = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_RAM);
	}
	if (p)
		memcpy(p->payload, frame, bytes);
	return p;
}

/* Whether the wire has had this frame already; counts what lwIP sends again. */
static bool tx_swallow(struct gn_stack *s, const uint8_t *frame, uint32_t bytes)
{
	struct tcp_seen seen;
	struct gn_tcp *t;

	if (!tcp_seen_read(&seen, frame, bytes) || !(t = stack_tcp_find(s, seen.to_ip, seen.to_port, seen.from_port)))
		return false;
	uint32_t end = seen.seq + seen.bytes + (seen.flags & (TCP_SEEN_SYN | TCP_SEEN_FIN) ? 1 : 0);
	bool swallow = tcp_fast_swallow(&t->fast, &seen);
	if (end == seen.seq)
		return false;
	if (t->seq_sent_known && (int32_t)(end - t->seq_sent) <= 0)
		s->n.tcp_segs_retransmitted += !swallow;
	else
		t->seq_sent = end;
	t->seq_sent_known = true;
	return swallow;
}

static err_t tx_frame(struct netif *netif, struct pbuf *p)
{
	struct gn_stack *s = netif->state;
	struct gn_tx_frame f;

	if (tx_swallow(s, p->payload, p->len))
		return ERR_OK;
	if (!gn_tx_claim(s->c.tx, &f)) {
		s->n.frames_out_dropped++;
		return ERR_MEM;
	}
	if (p->tot_len > f.room_bytes || pbuf_copy_partial(p, f.data, p->tot_len, 0) != p->tot_len) {
		gn_tx_abandon(s->c.tx, &f);
		s->n.frames_out_dropped++;
		return ERR_BUF;
	}
	gn_tx_commit(s->c.tx, &f, p->tot_len);
	s->n.frames_out++;
	return ERR_OK;
}

err_t stack_netif_start(struct netif *netif)
{
	struct gn_stack *s = netif->state;

	netif->name[0] = 'g';
	netif->name[1] = 'n';
	netif->output = etharp_output;
	netif->linkoutput = tx_frame;
	netif->mtu = s->c.mtu;
	netif->hwaddr_len = 6;
	memcpy(netif->hwaddr, s->c.mac, 6);
	netif->flags =
		NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET | NETIF_FLAG_IGMP | NETIF_FLAG_LINK_UP;
	return ERR_OK;
}

void stack_neighbour_refresh(struct gn_tcp *t)
{
	const ip4_addr_t *hop = ip_2_ip4(&t->pcb->remote_ip), *ip;
	struct eth_addr *mac;

	if (!ip4_addr_netcmp(hop, netif_ip4_addr(&t->s->netif), netif_ip4_netmask(&t->s->netif)))
		hop = netif_ip4_gw(&t->s->netif);
	t->neighbour_known = etharp_find_addr(&t->s->netif, hop, &mac, &ip) >= 0;
	if (t->neighbour_known)
		tcp_fast_to_mac(&t->fast, mac->addr);
}
