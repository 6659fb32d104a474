/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack.h"

#include <errno.h>
#include <lwip/igmp.h>
#include <lwip/init.h>
#include <netif/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/stack_impl.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define ARP_ASK_MS 100u

static struct gn_stack *the_stack; /* lwIP is one a process */

/* lwIP would hand an answer to such a sender to a thread that does not exist here. */
static bool frame_is_bad(const struct gn_stack *s, const uint8_t *frame, uint32_t bytes)
{
	if (bytes < NET_ETH_BYTES || bytes > GN_FRAME_BYTES_MAX)
		return true;
	if (net_get16(frame + 12) != NET_TYPE_IP)
		return false;
	if (bytes < NET_ETH_BYTES + NET_IP_BYTES)
		return true;
	uint32_t from = net_get32(frame + NET_ETH_BYTES + 12), to = net_get32(frame + NET_ETH_BYTES + 16);
	return from == s->c.ip || from >> 24 == 127 || to >> 24 == 127 || from >> 28 >= 14;
}

/*
 * A segment that lwIP is sure to take as the next bytes of the stream goes to its owner first: a report is worth more
 * now than after the bookkeeping. If lwIP drops it all the same, it comes again, and on_recv() leaves out what the owner had.
 */
static bool deliver_ahead(struct gn_stack *s, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	struct tcp_seen seen;
	struct gn_tcp *t;
	const uint8_t *payload;

	if (!s->fast || memcmp(frame, s->c.mac, sizeof(s->c.mac)) != 0 || !tcp_seen_read(&seen, frame, bytes)
		|| seen.to_ip != s->c.ip)
		return false;
	t = stack_tcp_find(s, seen.from_ip, seen.from_port, seen.to_port);
	if (!t || !t->fast_wanted || t->closing || t->pcb->state != ESTABLISHED
		|| t->pcb->rcv_nxt + t->n_ahead != seen.seq || t->n_ahead + seen.bytes > t->pcb->rcv_wnd
		|| !(payload = tcp_plain_payload(&seen, frame)))
		return false;
	t->n_ahead += seen.bytes;
	if (seen.bytes > 0)
		t->h->on_bytes(t->arg, t, payload, seen.bytes, rx_tsc);
	return true;
}

static void lwip_input(struct gn_stack *s, struct pbuf *p, uint64_t rx_tsc)
{
	s->rx_tsc = rx_tsc;
	if (s->netif.input(p, &s->netif) != ERR_OK) {
		s->n.frames_in_bad++;
		pbuf_free(p);
	}
}

/* Bring lwIP up to what owners have had. */
static void late_input(struct gn_stack *s)
{
	gn_stack_settle(s);
	for (uint32_t i = 0; i < s->n_late; i++)
		lwip_input(s, s->late[i].p, s->late[i].rx_tsc);
	s->n_late = 0;
	stack_fast_refresh_all(s);
}

void gn_stack_input(struct gn_stack *s, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	struct gn_tcp *t;
	struct pbuf *p;

	s->n.frames_in++;
	if (gn_unlikely(frame_is_bad(s, frame, bytes)) || gn_unlikely(!(p = stack_rx_pbuf(s, frame, bytes)))) {
		s->n.frames_in_bad++;
		return;
	}
	if (s->n_late < STACK_LATE_MAX && deliver_ahead(s, frame, bytes, rx_tsc)) {
		s->late[s->n_late++] = (struct stack_late){.p = p, .rx_tsc = rx_tsc};
		s->late_fresh = true;
		return;
	}
	late_input(s); /* in the order in which they came */
	lwip_input(s, p, rx_tsc);
	if (gn_unlikely(net_get16(frame + 12) == NET_TYPE_ARP)) {
		STACK_TCP_EACH(t, s, s->used) {
			if (t->up)
				stack_neighbour_refresh(t);
		}
	}
	stack_fast_refresh_all(s);
}

void gn_stack_poll(struct gn_stack *s)
{
	uint64_t tsc = gn_tsc();

	gn_stack_settle(s);
	/* what has just come goes its way through the engine first: the next poll is early enough for the bookkeeping */
	if (gn_unlikely(s->n_late > 0) && (!s->late_fresh || s->n_late > STACK_LATE_MAX / 2))
		late_input(s);
	s->late_fresh = false;
	if (gn_unlikely(tsc - s->polled_tsc >= s->ticks_per_ms))
		stack_time(s, tsc);
	gn_tx_flush(s->c.tx);
}

int gn_stack_join(struct gn_stack *s, uint32_t group)
{
	ip4_addr_t ip = {.addr = lwip_htonl(group)};

	if (group >> 28 != 14)
		return gn_err(EINVAL, "net: join %u.%u.%u.%u: not a group", group >> 24, group >> 16 & 255,
			group >> 8 & 255, group & 255);
	if (igmp_joingroup_netif(&s->netif, &ip) != ERR_OK)
		return gn_err(
			ENOMEM, "net: join %u.%u.%u.%u", group >> 24, group >> 16 & 255, group >> 8 & 255, group & 255);
	return 0;
}

bool gn_stack_neighbour(struct gn_stack *s, uint32_t ip, uint8_t mac[6])
{
	ip4_addr_t hop = {.addr = lwip_htonl(ip)};
	const ip4_addr_t *found_ip;
	struct eth_addr *found;

	if ((ip ^ s->c.ip) & s->c.netmask)
		hop.addr = lwip_htonl(s->c.gateway);
	if (etharp_find_addr(&s->netif, &hop, &found, &found_ip) >= 0) {
		memcpy(mac, found->addr, 6);
		return true;
	}
	if (s->now_ms - s->asked_ms >= ARP_ASK_MS) {
		s->asked_ms = s->now_ms;
		etharp_request(&s->netif, &hop);
	}
	return false;
}

static uint64_t ticks_per_ms(void)
{
	struct timespec from, to;
	int64_t ns;

	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t tsc = gn_tsc();
	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &to);
		ns = (to.tv_sec - from.tv_sec) * INT64_C(1000000000) + (to.tv_nsec - from.tv_nsec);
	} while (ns < 5000000);
	return (gn_tsc() - tsc) * 1000000 / (uint64_t)ns;
}

/* lwIP takes its first sequence number from its count of ticks, its first port from rand(): the same at every start. */
static int lwip_start(const struct gn_stack_config *c)
{
	static bool started;
	uint32_t seed[2];

	if (getrandom(seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return gn_err(errno, "net: random numbers");
	if (!started) {
		srand(seed[0]);
		lwip_init();
		started = true;
	}
	tcp_ticks = c->sequence ? c->sequence : seed[1];
	return 0;
}

static void defaults_set(struct gn_stack_config *c)
{
	c->connect_ms = c->connect_ms ? c->connect_ms : 5000;
	c->linger_ms = c->linger_ms ? c->linger_ms : 2000;
	c->dead_ms = c->dead_ms ? c->dead_ms : 10000;
	c->mtu = c->mtu ? c->mtu : 1500;
}

static struct gn_stack *stack_fail(struct gn_stack *s)
{
	gn_mem_free(s, sizeof(*s));
	the_stack = NULL;
	return NULL;
}

struct gn_stack *gn_stack_new(const struct gn_stack_config *config)
{
	struct gn_stack *s;

	if (the_stack || !config->tx || config->ip == 0) {
		gn_err(EINVAL, "net: a stack needs an address and a transmit queue, and there is one a process");
		return NULL;
	}
	s = gn_mem_alloc(sizeof(*s), GN_NODE_ANY);
	if (!s)
		return NULL;
	the_stack = s;
	s->c = *config;
	defaults_set(&s->c);
	s->ticks_per_ms = ticks_per_ms();
	s->now_ms = gn_tsc() / s->ticks_per_ms;
	if (lwip_start(&s->c) < 0)
		return stack_fail(s);
	stack_rx_init(s);
	ip4_addr_t ip = {lwip_htonl(config->ip)}, mask = {lwip_htonl(config->netmask)},
		   gateway = {lwip_htonl(config->gateway)};
	if (!netif_add(&s->netif, &ip, &mask, &gateway, s, stack_netif_start, ethernet_input)) {
		gn_err(ENOMEM, "net: a network interface");
		return stack_fail(s);
	}
	netif_set_default(&s->netif);
	netif_set_up(&s->netif);
	return s;
}

void gn_stack_free(struct gn_stack *s)
{
	struct gn_tcp *t;

	if (!s)
		return;
	while (s->n_late > 0)
		pbuf_free(s->late[--s->n_late].p);
	STACK_TCP_EACH(t, s, s->used)
		gn_tcp_abort(t);
	while (tcp_active_pcbs)
		tcp_abort(tcp_active_pcbs);
	while (tcp_tw_pcbs)
		tcp_abort(tcp_tw_pcbs);
	while (tcp_listen_pcbs.pcbs)
		tcp_close(tcp_listen_pcbs.pcbs);
	gn_tx_flush(s->c.tx);
	netif_remove(&s->netif);
	gn_mem_free(s, sizeof(*s));
	the_stack = NULL;
}

struct gn_stack_counts gn_stack_counts(const struct gn_stack *s)
{
	return s->n;
}
