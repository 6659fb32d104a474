/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack_impl.h"

#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

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

void stack_fast_refresh(struct gn_tcp *t)
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

void stack_fast_refresh_all(struct gn_stack *s)
{
	struct gn_tcp *t;

	STACK_TCP_EACH(t, s, s->fast)
		stack_fast_refresh(t);
}

/* Give lwIP its copies. What it has no memory for stays pending, and nothing else may be sent before it. */
bool stack_fast_settle(struct gn_tcp *t)
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
		t->s->unsettled &= ~stack_tcp_bit(t);
	}
	if (done > 0 || f->n_pending > 0)
		stack_fast_refresh(t);
	return f->n_pending == 0;
}

void gn_stack_settle(struct gn_stack *s)
{
	struct gn_tcp *t;

	STACK_TCP_EACH(t, s, s->unsettled)
		stack_fast_settle(t);
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
	if (bytes > UINT16_MAX || gn_tcp_room(t) < bytes || !stack_fast_settle(t)
		|| tcp_write(t->pcb, data, (u16_t)bytes, TCP_WRITE_FLAG_COPY) != ERR_OK)
		return false;
	tcp_output(t->pcb);
	if (t->fast_wanted)
		stack_fast_refresh(t);
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
	if (bytes_max > GN_TCP_FAST_BYTES_MAX || gn_tcp_room(t) < bytes_max || !stack_fast_settle(t)) {
		s->n.tcp_send_refused++;
		return NULL;
	}
	if (!t->fast_wanted) {
		t->fast_wanted = true;
		s->fast |= stack_tcp_bit(t);
		stack_fast_refresh(t);
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
	t->s->unsettled |= stack_tcp_bit(t);
	stack_fast_refresh(t);
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
		t->s->unsettled |= stack_tcp_bit(t);
		t->s->n.tcp_fast_sent++;
	} else {
		gn_tx_abandon(t->s->c.tx, &t->claim);
	}
	t->claim.data = NULL;
}
