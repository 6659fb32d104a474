/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed_proxy.h"

#include <errno.h>
#include <string.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/runtime/err.h"

#define DATAGRAM_TTL 64

static void note_due(struct feed_proxy_conn *f)
{
	f->proxy->n_due++;
}

/* The stack may be in the middle of calling us: it is reset in the next turn. */
static void drop(struct feed_proxy_conn *f)
{
	if (!f->tcp)
		return;
	f->doomed = f->tcp;
	f->tcp = NULL;
	note_due(f);
}

static bool tell(struct feed_proxy_conn *f, enum feed_reply_kind kind, uint8_t reason)
{
	struct feed_reply reply = {.kind = (uint8_t)kind, .reason = reason, .conn = f->conn};

	return gn_link_try_send(f->reply, &reply, FEED_REPLY_HEAD_BYTES);
}

static void tell_down(struct feed_proxy_conn *f, int reason)
{
	f->reason = (uint8_t)reason;
	f->down_due = !tell(f, FEED_REPLY_DOWN, f->reason);
	if (f->down_due)
		note_due(f);
}

/* A hole in a stream is worse than no stream. */
static void cut_full(struct feed_proxy_conn *f)
{
	f->proxy->n.feed_reply_full++;
	drop(f);
	tell_down(f, ENOBUFS);
}

static void conn_up(void *arg, struct gn_tcp *tcp)
{
	struct feed_proxy_conn *f = arg;

	if (tcp == f->tcp && !tell(f, FEED_REPLY_UP, 0))
		cut_full(f);
}

static void conn_bytes(void *arg, struct gn_tcp *tcp, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	struct feed_proxy_conn *f = arg;
	struct feed_reply reply;

	(void)rx_tsc;
	while (bytes && tcp == f->tcp) {
		uint32_t part = bytes < FEED_REPLY_BYTES_MAX ? bytes : FEED_REPLY_BYTES_MAX;
		reply.kind = FEED_REPLY_BYTES;
		reply.reason = 0;
		reply.bytes = (uint16_t)part;
		reply.conn = f->conn;
		memcpy(reply.data, data, part);
		if (!gn_link_try_send(f->reply, &reply, (uint32_t)FEED_REPLY_HEAD_BYTES + part))
			cut_full(f);
		data += part;
		bytes -= part;
	}
}

static void conn_down(void *arg, struct gn_tcp *tcp, int reason)
{
	struct feed_proxy_conn *f = arg;

	if (tcp == f->doomed)
		f->doomed = NULL;
	if (tcp != f->tcp)
		return;
	f->tcp = NULL;
	tell_down(f, reason);
}

static const struct gn_tcp_handler handler = {.on_up = conn_up, .on_bytes = conn_bytes, .on_down = conn_down};

static void open_conn(struct feed_proxy_conn *f, const struct feed_request *r)
{
	struct feed_proxy *p = f->proxy;

	if (f->doomed) { /* the one before the last: two at once do not happen, unless the feed is in a hurry */
		struct gn_tcp *doomed = f->doomed;
		f->doomed = NULL;
		gn_tcp_abort(doomed);
	}
	drop(f);
	f->conn = r->conn;
	f->down_due = false;
	f->tcp = gn_tcp_connect(p->stack, r->ip, r->port, &handler, f);
	if (f->tcp)
		p->n.feed_connection++;
	else
		tell_down(f, ENOMEM);
}

static void send_datagram(struct feed_proxy *p, const struct feed_request *r)
{
	struct net_udp_flow flow;
	struct gn_tx_frame frame;
	uint8_t mac[6];

	if (!gn_stack_neighbour(p->stack, r->ip, mac) || !gn_tx_claim(p->tx, &frame)) {
		p->n.feed_datagram_lost++;
		return;
	}
	net_udp_flow_init(&flow, p->mac, mac, p->ip, r->port_own, r->ip, r->port, DATAGRAM_TTL);
	memcpy(frame.data + NET_UDP_HEAD_BYTES, r->data, r->bytes);
	gn_tx_commit(p->tx, &frame, net_udp_seal(&flow, frame.data, r->bytes));
	gn_tx_flush(p->tx);
	p->n.feed_datagram++;
}

static void send_bytes(struct feed_proxy_conn *f, const struct feed_request *r)
{
	if (!f->tcp || f->conn != r->conn || gn_tcp_send(f->tcp, r->data, r->bytes))
		return;
	drop(f);
	tell_down(f, ENOBUFS);
}

void feed_proxy_request(struct feed_proxy *p, uint32_t from, const void *msg, uint32_t bytes)
{
	struct feed_request r = {0};
	struct feed_proxy_conn *f;

	if (from < p->n_feeds && bytes >= FEED_REQUEST_HEAD_BYTES && bytes <= sizeof(r))
		memcpy(&r, msg, bytes);
	if (r.kind == FEED_REQUEST_NONE || r.bytes > bytes - FEED_REQUEST_HEAD_BYTES || r.bytes > FEED_REQUEST_BYTES_MAX) {
		p->n.feed_request_bad++;
		return;
	}
	f = &p->feed[from];
	switch (r.kind) {
	case FEED_REQUEST_DATAGRAM: send_datagram(p, &r); break;
	case FEED_REQUEST_OPEN: open_conn(f, &r); break;
	case FEED_REQUEST_BYTES: send_bytes(f, &r); break;
	case FEED_REQUEST_CLOSE:
		if (f->conn == r.conn)
			drop(f);
		break;
	default: p->n.feed_request_bad++;
	}
}

static bool work(struct feed_proxy_conn *f)
{
	struct gn_tcp *doomed = f->doomed;

	if (doomed) {
		f->doomed = NULL;
		gn_tcp_abort(doomed);
		return true;
	}
	if (!f->down_due || !tell(f, FEED_REPLY_DOWN, f->reason))
		return false;
	f->down_due = false;
	return true;
}

bool feed_proxy_work(struct feed_proxy *p)
{
	uint32_t n_left = 0;

	if (gn_likely(p->n_due == 0))
		return false;
	for (uint32_t i = 0; i < p->n_feeds; i++) {
		if (work(&p->feed[i]))
			return true;
		n_left += p->feed[i].down_due;
	}
	p->n_due = n_left;
	return false;
}

int feed_proxy_init(struct feed_proxy *p, struct gn_stack *stack, const struct gn_stack_config *config, struct gn_link *const *links,
	uint32_t n_links)
{
	if (n_links > FEED_PROXY_FEEDS_MAX)
		return gn_err(EINVAL, "gateway: %u links gateway_feed, at most %u", n_links, FEED_PROXY_FEEDS_MAX);
	p->stack = stack;
	p->tx = config->tx;
	memcpy(p->mac, config->mac, sizeof(p->mac));
	p->ip = config->ip;
	p->n_feeds = n_links;
	for (uint32_t i = 0; i < n_links; i++)
		p->feed[i] = (struct feed_proxy_conn){.proxy = p, .reply = links[i]};
	return 0;
}
