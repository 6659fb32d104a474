/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/rx_stage.h"

#include <errno.h>

#include "dataplane/net/frame.h"
#include "dataplane/nic/classify.h"
#include "dataplane/nic/port_impl.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/trace.h"
#include "gannet/types.h"

#define RX_BURST 32u
#define RX_STATS_EVERY 256u /* turns of housekeeping between two looks at the port's own counters */

#define RX_COUNTERS(X)                                                                                                 \
	X(frame_received, "frames taken from the port")                                                                \
	X(datagram_passed, "datagrams of a subscription, handed to the feed")                                          \
	X(frame_passed, "other frames, handed to the gateway")                                                         \
	X(ethernet_bad, "dropped: no whole Ethernet header")                                                           \
	X(ip_bad, "dropped: wrong version, length or checksum of the IP header")                                       \
	X(ip_fragment, "dropped: a fragment")                                                                          \
	X(udp_bad, "dropped: wrong length or checksum of UDP")                                                         \
	X(group_unknown, "dropped: a datagram of a group without subscription")                                        \
	X(frame_unwanted, "dropped: no link takes such frames")                                                        \
	X(frame_too_big, "dropped: longer than a link's messages, or in pieces")                                       \
	X(port_missed, "lost by the port: its queue was full")                                                         \
	X(port_no_buffer, "lost by the port: its pool of buffers was empty")                                           \
	X(port_error, "lost by the port: broken frames")                                                               \
	X(link_changed, "times that the port came up or went down")

struct rx_links {
	struct gn_link *const *link;
	uint32_t n;
	uint32_t bytes_max; /* that all of them take */
};

struct rx_ctx {
	struct gn_port *port;
	uint16_t queue;
	uint16_t at, n_bufs;
	uint64_t burst_tsc, id_last, id_step;
	struct rte_mbuf *buf[RX_BURST];
	struct rx_links feed, gateway;
	struct gn_link *capture; /* NULL: none */
	const _Atomic uint32_t *capture_bytes;
	uint32_t capture_seq;
	uint32_t housekeeping_count;
	struct classify_subs subs;
	struct {
		RX_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

static void links_find(struct rx_links *l, const struct gn_env *env, const char *kind)
{
	l->link = gn_env_links(env, kind, &l->n);
	l->bytes_max = UINT32_MAX;
	for (uint32_t i = 0; i < l->n; i++)
		if (l->link[i]->msg_bytes_max < l->bytes_max)
			l->bytes_max = l->link[i]->msg_bytes_max;
}

static void init_capture(struct rx_ctx *r, const struct gn_env *env, const struct rx_config *c)
{
	uint32_t n;
	struct gn_link *const *link = gn_env_links(env, "rx_capture", &n);

	r->capture = n && c->capture_bytes ? link[0] : NULL;
	r->capture_bytes = c->capture_bytes;
}

static int rx_init(void *ctx, const struct gn_env *env)
{
	struct rx_ctx *r = ctx;
	const struct rx_config *c = env->config;

	if (!c || !c->port)
		return gn_err(EINVAL, "%s: has no port", env->instance);
	if (c->queue >= c->port->n_rx)
		return gn_err(EINVAL, "%s: queue %u of port %s, which has %u", env->instance, c->queue, c->port->device,
			c->port->n_rx);
	r->port = c->port;
	r->queue = c->queue;
	r->id_step = gn_pow2_at_least(c->port->n_rx);
	links_find(&r->feed, env, "rx_feed");
	links_find(&r->gateway, env, "rx_gateway");
	init_capture(r, env, c);
	for (uint32_t i = 0; i < c->n_subscriptions; i++) {
		const struct rx_subscription *s = &c->subscription[i];
		int rc = classify_subscribe(&r->subs, s->ip, s->port, s->line);
		if (rc < 0)
			return gn_err_in(rc, "%s", env->instance);
	}
	return 0;
}

/* The message's head lies right before its data, in memory that belongs to the same buffer. */
static void links_send(struct rx_ctx *r, struct rx_links *l, const void *msg, uint32_t bytes, uint64_t *n_passed)
{
	if (gn_unlikely(l->n == 0)) {
		r->n.frame_unwanted++;
		return;
	}
	if (gn_unlikely(bytes > l->bytes_max)) {
		r->n.frame_too_big++;
		return;
	}
	for (uint32_t i = 0; i < l->n; i++)
		gn_link_send(l->link[i], msg, bytes);
	++*n_passed;
}

static uint64_t hw_ns(const struct rx_ctx *r, const struct rte_mbuf *m)
{
	const struct gn_port *p = r->port;

	if (p->rx_time_offset < 0 || !(m->ol_flags & p->rx_time_flag))
		return 0;
	uint64_t stamp = *RTE_MBUF_DYNFIELD(m, (size_t)p->rx_time_offset, rte_mbuf_timestamp_t *);
	return gn_clock_convert(&p->rx_clock, stamp);
}

static void pass_datagram(
	struct rx_ctx *r, const struct rte_mbuf *m, uint8_t *frame, const struct classify_datagram *d, uint64_t id)
{
	struct gn_datagram *msg = (struct gn_datagram *)(void *)(frame + d->at - sizeof(*msg));
	uint64_t ns = hw_ns(r, m);

	msg->rx_tsc = id;
	msg->hw_ns = ns;
	msg->line = d->line;
	msg->bytes = d->bytes;
	gn_trace_stamp_at(GN_HOP_RX, id, GN_INST_NONE, ns, r->burst_tsc);
	links_send(r, &r->feed, msg, (uint32_t)sizeof(*msg) + d->bytes, &r->n.datagram_passed);
}

static void pass_frame(struct rx_ctx *r, uint8_t *frame, uint32_t bytes, uint64_t id)
{
	struct gn_frame *msg = (struct gn_frame *)(void *)(frame - sizeof(*msg));
	_Static_assert(sizeof(struct gn_frame) <= RTE_PKTMBUF_HEADROOM, "the head of a frame fits the headroom");

	msg->rx_tsc = id;
	msg->reserved = 0;
	msg->bytes = (uint16_t)bytes;
	links_send(r, &r->gateway, msg, (uint32_t)sizeof(*msg) + bytes, &r->n.frame_passed);
}

/* Into the headroom, which is free until the frame is handed on. */
static void capture(struct rx_ctx *r, uint8_t *frame, uint32_t wire_bytes, uint64_t id)
{
	uint32_t bytes = atomic_load_explicit(r->capture_bytes, memory_order_relaxed);
	struct gn_captured *c = (struct gn_captured *)(void *)(frame - sizeof(*c));
	_Static_assert(sizeof(struct gn_captured) >= sizeof(struct gn_frame), "the longest head that goes into the headroom");
	_Static_assert(sizeof(struct gn_captured) <= RTE_PKTMBUF_HEADROOM, "the head of a copy fits the headroom");

	if (gn_likely(bytes == 0))
		return;
	c->tsc = id;
	c->seq = r->capture_seq++;
	c->wire_bytes = (uint16_t)wire_bytes;
	c->bytes = (uint16_t)(bytes < wire_bytes ? bytes : wire_bytes);
	gn_link_try_send(r->capture, c, (uint32_t)sizeof(*c) + c->bytes);
}

static void rx_frame(struct rx_ctx *r, struct rte_mbuf *m, uint64_t id)
{
	uint8_t *frame = rte_pktmbuf_mtod(m, uint8_t *);
	struct classify_datagram d;
	uint64_t ip = m->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK;

	r->n.frame_received++;
	if (gn_unlikely(m->nb_segs != 1 || m->data_len > GN_FRAME_BYTES_MAX
			|| rte_pktmbuf_headroom(m) < sizeof(struct gn_captured))) {
		r->n.frame_too_big++;
		return;
	}
	if (r->capture)
		capture(r, frame, m->data_len, id);
	switch (classify_frame(&r->subs, frame, m->data_len, ip == RTE_MBUF_F_RX_IP_CKSUM_GOOD, &d)) {
	case CLASSIFY_FEED:
		if (gn_unlikely((m->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_BAD))
			r->n.udp_bad++;
		else
			pass_datagram(r, m, frame, &d, id);
		return;
	case CLASSIFY_GATEWAY: pass_frame(r, frame, m->data_len, id); return;
	case CLASSIFY_BAD_IP: r->n.ip_bad++; return;
	case CLASSIFY_FRAGMENT: r->n.ip_fragment++; return;
	case CLASSIFY_BAD_UDP: r->n.udp_bad++; return;
	case CLASSIFY_NOT_OURS: r->n.group_unknown++; return;
	case CLASSIFY_NONE:
	case CLASSIFY_BAD_ETHERNET: r->n.ethernet_bad++; return;
	}
}

static bool rx_burst(struct rx_ctx *r)
{
	struct port_gate *gate = &r->port->rx_gate[r->queue];

	if (gn_unlikely(!port_enter(r->port, gate)))
		return false;
	r->n_bufs = rte_eth_rx_burst(r->port->id, r->queue, r->buf, RX_BURST);
	port_leave(gate);
	r->burst_tsc = gn_tsc();
	r->at = 0;
	for (uint32_t i = 0; i < r->n_bufs && i < 4; i++)
		rte_prefetch0(rte_pktmbuf_mtod(r->buf[i], void *));
	return r->n_bufs > 0;
}

static bool rx_poll(void *ctx)
{
	struct rx_ctx *r = ctx;

	if (r->at == r->n_bufs && !rx_burst(r))
		return false;
	struct rte_mbuf *m = r->buf[r->at];
	if (r->at + 4u < r->n_bufs)
		rte_prefetch0(rte_pktmbuf_mtod(r->buf[r->at + 4], void *));
	/* the time of the burst, made unique over all queues: it names the datagram all the way through */
	uint64_t id = ((r->burst_tsc & (0 - r->id_step)) | r->queue) + r->at * r->id_step;
	if (gn_unlikely(id <= r->id_last))
		id = r->id_last + r->id_step;
	r->id_last = id;
	r->at++;
	rx_frame(r, m, id);
	rte_pktmbuf_free(m);
	return true;
}

static void rx_housekeeping(void *ctx, uint64_t now_tsc)
{
	struct rx_ctx *r = ctx;

	if (r->queue != 0)
		return;
	r->n.link_changed += gn_port_keep_up(r->port, now_tsc);
	if (r->housekeeping_count++ % RX_STATS_EVERY != 0)
		return;
	struct gn_port_stats s = gn_port_stats(r->port);
	r->n.port_missed = s.rx_missed;
	r->n.port_no_buffer = s.rx_no_buffer;
	r->n.port_error = s.rx_errors;
}

static void rx_fini(void *ctx)
{
	struct rx_ctx *r = ctx;

	for (; r->at < r->n_bufs; r->at++)
		rte_pktmbuf_free(r->buf[r->at]);
}

static const struct gn_counter rx_counters[] = {RX_COUNTERS(GN_COUNTER_DESC){0}};

const struct gn_stage gn_stage_rx = {
	.name = "rx",
	.ctx_bytes = sizeof(struct rx_ctx),
	.burst = 1,
	.out = (const char *const[]){"rx_feed", "rx_gateway", "rx_capture", NULL},
	.counters = rx_counters,
	.counters_offset = offsetof(struct rx_ctx, n),
	.init = rx_init,
	.poll = rx_poll,
	.housekeeping = rx_housekeeping,
	.fini = rx_fini,
};
