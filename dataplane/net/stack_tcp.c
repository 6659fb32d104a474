/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack_impl.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"

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
	s->used |= stack_tcp_bit(t);
	tcp_arg(pcb, t);
	tcp_recv(pcb, on_recv);
	tcp_err(pcb, on_err);
	tcp_nagle_disable(pcb);
	if (s->c.keepalive_ms) {
		ip_set_option(pcb, SOF_KEEPALIVE);
		pcb->keep_idle = pcb->keep_intvl = s->c.keepalive_ms * (TCP_SLOW_INTERVAL / STACK_SLOW_TICK_MS);
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
	stack_neighbour_refresh(t);
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
	t->s->used &= ~stack_tcp_bit(t);
	t->s->fast &= ~stack_tcp_bit(t);
	t->s->unsettled &= ~stack_tcp_bit(t);
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

void stack_tcp_drop(struct gn_tcp *t, int reason)
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
	if (stack_fast_settle(t)) {
		struct tcp_pcb *pcb = tcp_detach(t);
		if (tcp_close(pcb) == ERR_OK) {
			tcp_is_down(t, 0);
			return ERR_OK;
		}
	}
	stack_tcp_drop(t, ENOMEM);
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
		stack_fast_refresh(t);
	for (const struct pbuf *q = p; q && t->gen == gen && !t->closing; q = q->next) {
		uint32_t had = LWIP_MIN(t->n_ahead, q->len);
		t->n_ahead -= had;
		if (q->len > had)
			t->h->on_bytes(t->arg, t, (const uint8_t *)q->payload + had, q->len - had, t->s->rx_tsc);
	}
	pbuf_free(p);
	if (t->gen != gen)
		return ERR_ABRT;
	stack_fast_settle(t);
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
	s->used &= ~stack_tcp_bit(t);
fail:
	if (pcb)
		tcp_abort(pcb);
	return NULL;
}

static err_t on_accept(void *arg, struct tcp_pcb *pcb, err_t err)
{
	struct stack_listener *l = arg;

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
	struct stack_listener *l = &s->listen[s->n_listen++];
	*l = (struct stack_listener){s, h, accept, arg};
	tcp_arg(listening, l);
	tcp_accept(listening, on_accept);
	return 0;
fail:
	if (pcb)
		tcp_abort(pcb);
	return gn_err(EADDRINUSE, "tcp: listen on port %u: in use, or more than %u ports", port, GN_LISTEN_MAX);
}

void stack_tcp_close_try(struct gn_tcp *t)
{
	if (!t->fin_sent && stack_fast_settle(t))
		t->fin_sent = tcp_shutdown(t->pcb, 0, 1) == ERR_OK;
}

void gn_tcp_close(struct gn_tcp *t)
{
	if (t->closing)
		return;
	t->closing = true;
	t->deadline_ms = t->s->now_ms + t->s->c.linger_ms;
	if (t->up) {
		stack_tcp_close_try(t);
		return;
	}
	tcp_close(tcp_detach(t)); /* nothing was sent yet but a SYN: lwIP just frees it */
	tcp_is_down(t, 0);
}

void gn_tcp_abort(struct gn_tcp *t)
{
	stack_tcp_drop(t, ECONNABORTED);
}
