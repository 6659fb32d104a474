/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack.h"

#include <assert.h>
#include <errno.h>
#include <lwip/etharp.h>
#include <lwip/igmp.h>
#include <lwip/init.h>
#include <lwip/ip4.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/tcp.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/frame.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

/*
 * lwIP counts TCP's time in calls of its timer, meant for every 250 ms: far too slow for a peer in the same building.
 * Called every TICK_MS it sends again after 150 ms instead of 1.5 s, and delays an acknowledgement by 25 ms at most.
 */
#define TICK_MS 25u
#define SLOW_TICK_MS (2 * TICK_MS) /* tcp_ticks counts these */
#define RX_SLOTS 512u
#define ARP_ASK_MS 100u
#define LATE_MAX 16u /* segments that their owners have had and lwIP has not */

/* A received frame in memory of ours, while lwIP holds it. */
struct rx_slot {
	struct pbuf_custom pbuf;
	struct rx_slot *next;
	uint8_t data[GN_FRAME_BYTES_MAX];
};

struct gn_tcp {
	struct gn_stack *s;
	struct tcp_pcb *pcb; /* NULL: this slot is free */
	const struct gn_tcp_handler *h;
	void *arg;
	uint32_t gen; /* tells the slot's users apart */
	bool up, closing, fin_sent;
	uint64_t deadline_ms; /* of the connect or of the closing; 0: none */
	uint64_t owing_since_ms; /* all was acknowledged then */
	uint32_t peer_ip;
	uint16_t peer_port, own_port;
	uint32_t seq_sent; /* highest that went out; below it, it is a retransmission */
	bool seq_sent_known;
	uint32_t n_ahead; /* bytes that the owner has had and lwIP has yet to bring */
	/* fast send */
	bool fast_wanted, neighbour_known;
	struct gn_tx_frame claim; /* .data NULL: the claim went the slow way */
	uint32_t claim_bytes;
	struct tcp_fast fast;
};

/* A segment whose owner has had it. */
struct late {
	struct pbuf *p;
	uint64_t rx_tsc;
};

struct listener {
	struct gn_stack *s;
	const struct gn_tcp_handler *h;
	void *(*accept)(void *arg, uint32_t ip, uint16_t port);
	void *arg;
};

struct gn_stack {
	struct gn_stack_config c;
	struct netif netif;
	uint64_t ticks_per_ms, polled_tsc, ticked_ms, now_ms, asked_ms;
	uint64_t rx_tsc; /* of the frame in work */
	struct rx_slot *rx_free;
	struct gn_stack_counts n;
	uint32_t n_listen;
	uint64_t used, fast, unsettled; /* one bit a connection: in use; sends fast; has copies that lwIP did not get yet */
	uint32_t n_late;
	bool late_fresh; /* one came since the last poll */
	struct late late[LATE_MAX];
	struct listener listen[GN_LISTEN_MAX];
	struct gn_tcp tcp[GN_TCP_MAX];
	uint8_t slow_claim[GN_TCP_FAST_BYTES_MAX];
	struct rx_slot rx_slot[RX_SLOTS];
};

static struct gn_stack *the_stack; /* lwIP is one a process */

/* ---- sets of connections ---- */

static_assert(GN_TCP_MAX == 64, "a set of connections is a word");

static uint64_t tcp_bit(const struct gn_tcp *t)
{
	return UINT64_C(1) << (t - t->s->tcp);
}

/* those of a set that are still in use when their turn comes: a callback may have closed one */
#define TCP_EACH(t, s, set)                                                                                            \
	for (uint64_t left_ = (set); left_ && ((t) = &(s)->tcp[__builtin_ctzll(left_)]); left_ &= left_ - 1)               \
		if ((t)->pcb)

/* ---- frames in and out ---- */

static void rx_slot_free(struct pbuf *p)
{
	struct rx_slot *slot = (struct rx_slot *)(void *)p;

	slot->next = the_stack->rx_free;
	the_stack->rx_free = slot;
}

/* Held frames may use up the slots; the heap then helps out, so that the one missing segment still gets in. */
static struct pbuf *rx_pbuf(struct gn_stack *s, const uint8_t *frame, uint32_t bytes)
{
	struct rx_slot *slot = s->rx_free;
	struct pbuf *p;

	if (gn_likely(slot != NULL)) {
		s->rx_free = slot->next;
		slot->pbuf.custom_free_function = rx_slot_free;
		p = pbuf_alloced_custom(PBUF_RAW, (u16_t)bytes, PBUF_REF, &slot->pbuf, slot->data, GN_FRAME_BYTES_MAX);
	} else {
		p = pbuf_alloc(PBUF_RAW, (u16_t)bytes, PBUF_RAM);
	}
	if (p)
		memcpy(p->payload, frame, bytes);
	return p;
}

static struct gn_tcp *tcp_find(struct gn_stack *s, uint32_t peer_ip, uint16_t peer_port, uint16_t own_port)
{
	struct gn_tcp *t;

	TCP_EACH(t, s, s->used) {
		if (t->own_port == own_port && t->peer_port == peer_port && t->peer_ip == peer_ip)
			return t;
	}
	return NULL;
}

/* Whether the wire has had this frame already; counts what lwIP sends again. */
static bool tx_swallow(struct gn_stack *s, const uint8_t *frame, uint32_t bytes)
{
	struct tcp_seen seen;
	struct gn_tcp *t;

	if (!tcp_seen_read(&seen, frame, bytes) || !(t = tcp_find(s, seen.to_ip, seen.to_port, seen.from_port)))
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

static err_t netif_start(struct netif *netif)
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

/* ---- fast send: what lwIP allows ---- */

static void neighbour_refresh(struct gn_tcp *t)
{
	const ip4_addr_t *hop = ip_2_ip4(&t->pcb->remote_ip), *ip;
	struct eth_addr *mac;

	if (!ip4_addr_netcmp(hop, netif_ip4_addr(&t->s->netif), netif_ip4_netmask(&t->s->netif)))
		hop = netif_ip4_gw(&t->s->netif);
	t->neighbour_known = etharp_find_addr(&t->s->netif, hop, &mac, &ip) >= 0;
	if (t->neighbour_known)
		tcp_fast_to_mac(&t->fast, mac->addr);
}

/* lwIP itself would send at once: nothing of its own waits, and it is not mending a loss. */
static bool fast_is_clear(const struct gn_tcp *t)
{
	const struct tcp_pcb *pcb = t->pcb;
	const struct tcp_fast *f = &t->fast;

	if (!t->up || t->closing || !t->neighbour_known || f->n_pending > 0)
		return false;
	if (pcb->state != ESTABLISHED && pcb->state != CLOSE_WAIT)
		return false;
	if (pcb->flags & (TF_INFR | TF_RTO | TF_FIN | TF_CLOSEPEND | TF_NAGLEMEMERR) || pcb->nrtx > 0
		|| pcb->persist_backoff > 0)
		return false;
	/* inside of its input lwIP puts off sending; what waits then is only what the wire has had already */
	return !pcb->unsent
	       || (f->wire_from != f->wire_to && f->wire_to == pcb->snd_lbb
		       && lwip_ntohl(pcb->unsent->tcphdr->seqno) == f->wire_from);
}

static void fast_refresh(struct gn_tcp *t)
{
	static const struct tcp_fast_grant nothing;
	const struct tcp_pcb *pcb = t->pcb;
	struct tcp_fast *f = &t->fast;

	if (!fast_is_clear(t)) {
		tcp_fast_allow(f, &nothing);
		return;
	}
	if (!pcb->unsent)
		f->wire_from = f->wire_to = pcb->snd_lbb;
	uint32_t in_flight = pcb->snd_lbb - pcb->lastack, window = LWIP_MIN(pcb->snd_wnd, pcb->cwnd);
	uint32_t seg_max = LWIP_MIN(pcb->mss, pcb->snd_wnd_max / 2);
	struct tcp_fast_grant g = {
		.seq = pcb->snd_lbb,
		.ack = pcb->rcv_nxt,
		.bytes = window > in_flight ? LWIP_MIN(window - in_flight, pcb->snd_buf) : 0,
		.seg_bytes_max = (uint16_t)seg_max,
		.n_segs = pcb->snd_queuelen < TCP_SND_QUEUELEN ? (uint16_t)(TCP_SND_QUEUELEN - pcb->snd_queuelen) : 0,
		.window = (uint16_t)TCPWND_MIN16(RCV_WND_SCALE(pcb, pcb->rcv_ann_wnd)),
	};
	tcp_fast_allow(f, &g);
}

static void fast_refresh_all(struct gn_stack *s)
{
	struct gn_tcp *t;

	TCP_EACH(t, s, s->fast)
		fast_refresh(t);
}

/* Give lwIP its copies. What it has no memory for stays pending, and nothing else may be sent before it. */
static bool fast_settle(struct gn_tcp *t)
{
	struct tcp_fast *f = &t->fast;
	uint32_t done = 0, bytes = 0;

	for (; done < f->n_pending; done++) {
		if (tcp_write(t->pcb, f->pending + bytes, f->pending_len[done], TCP_WRITE_FLAG_COPY) != ERR_OK)
			break;
		bytes += f->pending_len[done];
		tcp_output(t->pcb);
	}
	f->n_pending -= done;
	f->pending_bytes -= bytes;
	if (gn_unlikely(f->n_pending > 0)) {
		memmove(f->pending_len, f->pending_len + done, f->n_pending * sizeof(f->pending_len[0]));
		memmove(f->pending, f->pending + bytes, f->pending_bytes);
	} else {
		t->s->unsettled &= ~tcp_bit(t);
	}
	if (done > 0 || f->n_pending > 0)
		fast_refresh(t);
	return f->n_pending == 0;
}

void gn_stack_settle(struct gn_stack *s)
{
	struct gn_tcp *t;

	TCP_EACH(t, s, s->unsettled)
		fast_settle(t);
}

/* ---- connections ---- */

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err);
static void on_err(void *arg, err_t err);

static struct gn_tcp *tcp_take(struct gn_stack *s, struct tcp_pcb *pcb, const struct gn_tcp_handler *h, void *arg)
{
	if (!~s->used)
		return NULL;
	struct gn_tcp *t = &s->tcp[__builtin_ctzll(~s->used)];
	uint32_t gen = t->gen + 1;

	memset(t, 0, offsetof(struct gn_tcp, fast.pending));
	t->s = s;
	t->pcb = pcb;
	t->h = h;
	t->arg = arg;
	t->gen = gen;
	t->owing_since_ms = s->now_ms;
	s->used |= tcp_bit(t);
	tcp_arg(pcb, t);
	tcp_recv(pcb, on_recv);
	tcp_err(pcb, on_err);
	tcp_nagle_disable(pcb);
	if (s->c.keepalive_ms) {
		ip_set_option(pcb, SOF_KEEPALIVE);
		pcb->keep_idle = pcb->keep_intvl = s->c.keepalive_ms * (TCP_SLOW_INTERVAL / SLOW_TICK_MS);
		pcb->keep_cnt = UINT32_MAX / 2 / pcb->keep_intvl; /* the bound is ours: dead_ms */
	}
	return t;
}

/* Both addresses are known from here on. */
static void tcp_is_up(struct gn_tcp *t)
{
	t->up = true;
	t->deadline_ms = 0;
	t->peer_ip = lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&t->pcb->remote_ip)));
	t->peer_port = t->pcb->remote_port;
	t->own_port = t->pcb->local_port;
	tcp_fast_init(&t->fast, t->s->c.mac, t->s->c.ip, t->own_port, t->peer_ip, t->peer_port);
	neighbour_refresh(t);
	t->s->n.tcp_connected++;
	t->h->on_up(t->arg, t);
}

/* The last callback. lwIP must have forgotten the slot before, as the handler may take it again. */
static void tcp_is_down(struct gn_tcp *t, int reason)
{
	const struct gn_tcp_handler *h = t->h;
	void *arg = t->arg;

	if (t->claim.data)
		gn_tx_abandon(t->s->c.tx, &t->claim);
	t->claim.data = NULL;
	t->s->used &= ~tcp_bit(t);
	t->s->fast &= ~tcp_bit(t);
	t->s->unsettled &= ~tcp_bit(t);
	t->s->n.tcp_down += t->up;
	t->pcb = NULL;
	t->up = false;
	t->fast.n_pending = 0;
	tcp_fast_allow(&t->fast, &(struct tcp_fast_grant){0});
	t->gen++;
	h->on_down(arg, t, reason);
}

static struct tcp_pcb *tcp_detach(struct gn_tcp *t)
{
	struct tcp_pcb *pcb = t->pcb;

	tcp_arg(pcb, NULL);
	tcp_recv(pcb, NULL);
	tcp_err(pcb, NULL);
	return pcb;
}

static void tcp_drop(struct gn_tcp *t, int reason)
{
	tcp_abort(tcp_detach(t));
	tcp_is_down(t, reason);
}

static void on_err(void *arg, err_t err)
{
	struct gn_tcp *t = arg;

	/* lwIP has freed its side before it calls; ERR_ABRT: it gave up sending again */
	if (!t)
		return;
	switch (err) {
	case ERR_RST: tcp_is_down(t, t->up ? ECONNRESET : ECONNREFUSED); return;
	case ERR_CLSD: tcp_is_down(t, 0); return;
	default: tcp_is_down(t, ETIMEDOUT); return;
	}
}

/* The peer has closed: so do we, after what was sent. */
static err_t on_fin(struct gn_tcp *t)
{
	if (fast_settle(t)) {
		struct tcp_pcb *pcb = tcp_detach(t);
		if (tcp_close(pcb) == ERR_OK) {
			tcp_is_down(t, 0);
			return ERR_OK;
		}
	}
	tcp_drop(t, ENOMEM);
	return ERR_ABRT;
}

static err_t on_recv(void *arg, struct tcp_pcb *pcb, struct pbuf *p, err_t err)
{
	struct gn_tcp *t = arg;
	uint32_t gen = t->gen;

	(void)err;
	if (!p)
		return on_fin(t);
	/* all of it is consumed here; said first, so that an answer carries the open window */
	tcp_recved(pcb, p->tot_len);
	if (t->fast_wanted)
		fast_refresh(t);
	for (const struct pbuf *q = p; q && t->gen == gen && !t->closing; q = q->next) {
		uint32_t had = LWIP_MIN(t->n_ahead, q->len);
		t->n_ahead -= had;
		if (q->len > had)
			t->h->on_bytes(t->arg, t, (const uint8_t *)q->payload + had, q->len - had, t->s->rx_tsc);
	}
	pbuf_free(p);
	if (t->gen != gen)
		return ERR_ABRT;
	fast_settle(t);
	return ERR_OK;
}

static err_t on_connected(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct gn_tcp *t = arg;
	uint32_t gen = t->gen;

	(void)pcb;
	(void)err; /* always ERR_OK */
	tcp_is_up(t);
	return t->gen == gen ? ERR_OK : ERR_ABRT;
}

struct gn_tcp *gn_tcp_connect(struct gn_stack *s, uint32_t ip, uint16_t port, const struct gn_tcp_handler *h, void *arg)
{
	ip_addr_t to = IPADDR4_INIT(lwip_htonl(ip));
	struct tcp_pcb *pcb;
	struct gn_tcp *t = NULL;

	if (ip == s->c.ip || ip == 0 || port == 0) {
		gn_err(EADDRNOTAVAIL, "tcp: connect to our own address, or to address or port 0");
		return NULL;
	}
	pcb = tcp_new_ip_type(IPADDR_TYPE_V4);
	if (pcb)
		t = tcp_take(s, pcb, h, arg);
	if (!t) {
		gn_err(ENOMEM, "tcp: more than %u connections", GN_TCP_MAX);
		goto fail;
	}
	t->deadline_ms = s->now_ms + s->c.connect_ms;
	err_t e = tcp_connect(pcb, &to, port, on_connected);
	if (e == ERR_OK)
		return t;
	gn_err(e == ERR_RTE ? ENETUNREACH : ENOMEM, "tcp: connect to %u.%u.%u.%u:%u", ip >> 24, ip >> 16 & 255,
		ip >> 8 & 255, ip & 255, port);
	t->pcb = NULL;
	s->used &= ~tcp_bit(t);
fail:
	if (pcb)
		tcp_abort(pcb);
	return NULL;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct listener *l = arg;

	if (err != ERR_OK || !pcb)
		return ERR_VAL;
	void *handler_arg =
		l->accept(l->arg, lwip_ntohl(ip4_addr_get_u32(ip_2_ip4(&pcb->remote_ip))), pcb->remote_port);
	struct gn_tcp *t = handler_arg ? tcp_take(l->s, pcb, l->h, handler_arg) : NULL;
	if (!t)
		return ERR_MEM; /* lwIP resets it */
	uint32_t gen = t->gen;
	tcp_is_up(t);
	return t->gen == gen ? ERR_OK : ERR_ABRT;
}

int gn_tcp_listen(struct gn_stack *s, uint16_t port, const struct gn_tcp_handler *h,
	void *(*accept)(void *arg, uint32_t ip, uint16_t port), void *arg)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_V4), *listening;

	if (!pcb || s->n_listen == GN_LISTEN_MAX)
		goto fail;
	ip_set_option(pcb, SOF_REUSEADDR);
	if (tcp_bind(pcb, IP4_ADDR_ANY, port) != ERR_OK || !(listening = tcp_listen_with_backlog(pcb, 255)))
		goto fail;
	struct listener *l = &s->listen[s->n_listen++];
	*l = (struct listener){s, h, accept, arg};
	tcp_arg(listening, l);
	tcp_accept(listening, on_accept);
	return 0;
fail:
	if (pcb)
		tcp_abort(pcb);
	return gn_err(EADDRINUSE, "tcp: listen on port %u: in use, or more than %u ports", port, GN_LISTEN_MAX);
}

uint32_t gn_tcp_room(const struct gn_tcp *t)
{
	const struct tcp_pcb *pcb = t->pcb;

	if (!pcb || !t->up || t->closing || pcb->snd_queuelen + t->fast.n_pending >= TCP_SND_QUEUELEN)
		return 0;
	uint32_t segs = TCP_SND_QUEUELEN - pcb->snd_queuelen - t->fast.n_pending;
	uint32_t seg_bytes = LWIP_MIN(pcb->mss, pcb->snd_wnd_max / 2);
	uint32_t room = pcb->snd_buf > t->fast.pending_bytes ? pcb->snd_buf - t->fast.pending_bytes : 0;
	return LWIP_MIN(room, segs * (seg_bytes ? seg_bytes : pcb->mss));
}

/* lwIP's own way, into its queue and on to the port's; the flush is left to the caller. */
static bool slow_send(struct gn_tcp *t, const void *data, uint32_t bytes)
{
	if (bytes > UINT16_MAX || gn_tcp_room(t) < bytes || !fast_settle(t)
		|| tcp_write(t->pcb, data, (u16_t)bytes, TCP_WRITE_FLAG_COPY) != ERR_OK)
		return false;
	tcp_output(t->pcb);
	if (t->fast_wanted)
		fast_refresh(t);
	return true;
}

bool gn_tcp_send(struct gn_tcp *t, const void *data, uint32_t bytes)
{
	if (!slow_send(t, data, bytes)) {
		t->s->n.tcp_send_refused++;
		return false;
	}
	gn_tx_flush(t->s->c.tx);
	return true;
}

/* The first claim of a connection ends here too: from then on its grant is kept fresh. */
static uint8_t *claim_slow(struct gn_tcp *t, uint32_t bytes_max)
{
	struct gn_stack *s = t->s;

	t->claim.data = NULL;
	if (bytes_max > GN_TCP_FAST_BYTES_MAX || gn_tcp_room(t) < bytes_max || !fast_settle(t)) {
		s->n.tcp_send_refused++;
		return NULL;
	}
	if (!t->fast_wanted) {
		t->fast_wanted = true;
		s->fast |= tcp_bit(t);
		fast_refresh(t);
	}
	return s->slow_claim;
}

void gn_tcp_fast_hint(const struct gn_tcp *t)
{
	const struct tcp_fast *f = &t->fast;

	gn_prefetch(&t->claim);
	gn_prefetch(&f->grant);
	gn_prefetch(f->head);
	gn_prefetch(f->head + sizeof(f->head) - 1);
	gn_prefetch(&f->wire_from);
	gn_prefetch(f->pending + f->pending_bytes);
}

uint8_t *gn_tcp_fast_claim(struct gn_tcp *t, uint32_t bytes_max)
{
	t->claim_bytes = bytes_max;
	if (gn_unlikely(!tcp_fast_may(&t->fast, bytes_max)) || gn_unlikely(!gn_tx_claim(t->s->c.tx, &t->claim)))
		return claim_slow(t, bytes_max);
	tcp_fast_open(&t->fast, t->claim.data);
	return t->claim.data + TCP_FAST_HEAD_BYTES;
}

/* What lwIP has no memory for now waits with the copies that it has yet to get. */
static void commit_slow(struct gn_tcp *t, uint32_t bytes)
{
	struct tcp_fast *f = &t->fast;

	t->s->n.tcp_fast_declined++;
	if (slow_send(t, t->s->slow_claim, bytes))
		return;
	memcpy(f->pending + f->pending_bytes, t->s->slow_claim, bytes);
	f->pending_len[f->n_pending++] = (uint16_t)bytes;
	f->pending_bytes += bytes;
	t->s->unsettled |= tcp_bit(t);
	fast_refresh(t);
}

void gn_tcp_fast_commit(struct gn_tcp *t, uint32_t bytes)
{
	GN_ASSERT(bytes <= t->claim_bytes);
	t->claim_bytes = 0;
	if (gn_unlikely(!t->claim.data)) {
		if (bytes > 0)
			commit_slow(t, bytes);
		return;
	}
	if (gn_likely(bytes > 0)) {
		gn_tx_commit(t->s->c.tx, &t->claim, tcp_fast_seal(&t->fast, t->claim.data, bytes));
		t->s->unsettled |= tcp_bit(t);
		t->s->n.tcp_fast_sent++;
	} else {
		gn_tx_abandon(t->s->c.tx, &t->claim);
	}
	t->claim.data = NULL;
}

static void close_try(struct gn_tcp *t)
{
	if (!t->fin_sent && fast_settle(t))
		t->fin_sent = tcp_shutdown(t->pcb, 0, 1) == ERR_OK;
}

void gn_tcp_close(struct gn_tcp *t)
{
	if (t->closing)
		return;
	t->closing = true;
	t->deadline_ms = t->s->now_ms + t->s->c.linger_ms;
	if (t->up) {
		close_try(t);
		return;
	}
	tcp_close(tcp_detach(t)); /* nothing was sent yet but a SYN: lwIP just frees it */
	tcp_is_down(t, 0);
}

void gn_tcp_abort(struct gn_tcp *t)
{
	tcp_drop(t, ECONNABORTED);
}

/* ---- time ---- */

/* A peer that owes an answer, to data or to a sign of life asked for, and is silent. */
static bool tcp_is_dead(struct gn_tcp *t)
{
	const struct gn_stack_config *c = &t->s->c;
	uint64_t silent_ms = (uint64_t)(tcp_ticks - t->pcb->tmr) * SLOW_TICK_MS;

	if (!t->pcb->unacked && !t->pcb->unsent)
		t->owing_since_ms = t->s->now_ms;
	uint64_t owing_ms = t->s->now_ms - t->owing_since_ms;
	return (silent_ms > c->dead_ms && owing_ms > c->dead_ms)
	       || (c->keepalive_ms && silent_ms > c->keepalive_ms + c->dead_ms);
}

static void tcp_tick(struct gn_tcp *t)
{
	if ((t->deadline_ms && t->s->now_ms >= t->deadline_ms) || (t->up && tcp_is_dead(t))) {
		tcp_drop(t, ETIMEDOUT);
		return;
	}
	if (t->pcb->state == SYN_SENT)
		t->pcb->nrtx = 0; /* the bound of a connect is connect_ms, not a number of tries */
	if (t->closing)
		close_try(t);
	else if (t->fast_wanted)
		neighbour_refresh(t);
}

static void stack_tick(struct gn_stack *s)
{
	struct gn_tcp *t;

	tcp_tmr();
	TCP_EACH(t, s, s->used)
		tcp_tick(t);
}

/* ---- the stack ---- */

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
	t = tcp_find(s, seen.from_ip, seen.from_port, seen.to_port);
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
	fast_refresh_all(s);
}

void gn_stack_input(struct gn_stack *s, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	struct gn_tcp *t;
	struct pbuf *p;

	s->n.frames_in++;
	if (gn_unlikely(frame_is_bad(s, frame, bytes)) || gn_unlikely(!(p = rx_pbuf(s, frame, bytes)))) {
		s->n.frames_in_bad++;
		return;
	}
	if (s->n_late < LATE_MAX && deliver_ahead(s, frame, bytes, rx_tsc)) {
		s->late[s->n_late++] = (struct late){.p = p, .rx_tsc = rx_tsc};
		s->late_fresh = true;
		return;
	}
	late_input(s); /* in the order in which they came */
	lwip_input(s, p, rx_tsc);
	if (gn_unlikely(net_get16(frame + 12) == NET_TYPE_ARP)) {
		TCP_EACH(t, s, s->used) {
			if (t->up)
				neighbour_refresh(t);
		}
	}
	fast_refresh_all(s);
}

static void stack_time(struct gn_stack *s, uint64_t tsc)
{
	s->polled_tsc = tsc;
	s->now_ms = tsc / s->ticks_per_ms;
	sys_check_timeouts();
	if (s->now_ms - s->ticked_ms >= TICK_MS) {
		s->ticked_ms = s->now_ms;
		stack_tick(s);
	}
	fast_refresh_all(s);
}

void gn_stack_poll(struct gn_stack *s)
{
	uint64_t tsc = gn_tsc();

	gn_stack_settle(s);
	/* what has just come goes its way through the engine first: the next poll is early enough for the bookkeeping */
	if (gn_unlikely(s->n_late > 0) && (!s->late_fresh || s->n_late > LATE_MAX / 2))
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
	for (uint32_t i = 0; i < RX_SLOTS; i++) {
		s->rx_slot[i].next = s->rx_free;
		s->rx_free = &s->rx_slot[i];
	}
	ip4_addr_t ip = {lwip_htonl(config->ip)}, mask = {lwip_htonl(config->netmask)},
		   gateway = {lwip_htonl(config->gateway)};
	if (!netif_add(&s->netif, &ip, &mask, &gateway, s, netif_start, ethernet_input)) {
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
	TCP_EACH(t, s, s->used)
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
