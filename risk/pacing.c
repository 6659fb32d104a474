/* SPDX-License-Identifier: BSD-3-Clause */
#include "pacing.h"

#include <errno.h>

#include "dataplane/runtime/mem.h"
#include "finish.h"
#include "sweep.h"
#include "tell.h"

int pacing_init(struct risk *r, uint32_t n_ids, int node)
{
	uint32_t places = gn_pow2_at_least(n_ids < 2 ? 2 : n_ids);

	for (unsigned i = 0; i < RISK_QUEUE_COUNT; i++) {
		r->queue[i] = (struct risk_queue){.oid = gn_mem_alloc(places * sizeof(gn_oid), node), .mask = places - 1};
		if (!r->queue[i].oid)
			return -ENOMEM;
	}
	return 0;
}

void pacing_fini(struct risk *r)
{
	for (unsigned i = 0; i < RISK_QUEUE_COUNT; i++)
		gn_mem_free(r->queue[i].oid, ((size_t)r->queue[i].mask + 1) * sizeof(gn_oid));
}

static void pacing_waited(struct risk *r, uint64_t *n, uint64_t since_tsc, uint64_t now_tsc)
{
	uint64_t waited = now_tsc - since_tsc;

	(*n)++;
	r->n.wait_tsc += waited;
	if (waited > r->n.wait_tsc_max)
		r->n.wait_tsc_max = waited;
}

static void pacing_send_cancel(struct risk *r, struct order *o, gn_qty leave, uint64_t rx_tsc, uint64_t now_tsc)
{
	struct gn_order_req q = o->req;

	q.kind = GN_REQ_CANCEL;
	q.qty = leave;
	q.rx_tsc = rx_tsc;
	o->flags &= (uint8_t)~ORDER_F_CANCEL_WANTED;
	r->n.cancel++;
	r->io.gateway(r->io.arg, &q);
	pace_take(&r->venue, now_tsc);
}

/* An order that never left the engine: gone at once. The order that a replacement was to succeed is cancelled too. */
static void pacing_withdraw(struct risk *r, struct order *o, gn_qty leave, uint64_t rx_tsc, uint64_t now_tsc)
{
	uint32_t parent = o->flags & ORDER_F_REPLACEMENT ? orders_find(&r->orders, o->req.oid_prev) : ORDER_NONE;

	tell_withdrawn(r, o, GN_EXEC_CANCELED, 'U', now_tsc);
	order_finish(r, o);
	if (parent != ORDER_NONE)
		pacing_cancel(r, &r->orders.pool[parent], leave, rx_tsc, now_tsc);
}

void pacing_cancel(struct risk *r, struct order *o, gn_qty leave, uint64_t rx_tsc, uint64_t now_tsc)
{
	if (o->state == ORDER_WAITING) {
		pacing_withdraw(r, o, leave, rx_tsc, now_tsc);
		return;
	}
	if (!risk_is_up(r, o->req.strategy)) {
		sweep_want(r, o);
		return;
	}
	if (queue_depth(&r->queue[RISK_QUEUE_CANCEL]) == 0 && pace_wait_tsc(&r->venue, now_tsc, 0) == 0) {
		pacing_send_cancel(r, o, leave, rx_tsc, now_tsc);
		return;
	}
	if (o->flags & ORDER_F_QUEUED) {
		o->cancel_leave = leave < o->cancel_leave ? leave : o->cancel_leave;
		return;
	}
	if (!queue_push(&r->queue[RISK_QUEUE_CANCEL], o->req.oid)) {
		sweep_want(r, o);
		return;
	}
	o->flags |= ORDER_F_QUEUED;
	o->cancel_leave = leave;
	o->since_tsc = now_tsc;
}

/* The oldest id of a queue whose order still waits; ids of orders that ended meanwhile leave the queue, one a call. */
static bool pacing_head(struct risk *r, unsigned class, struct order **o)
{
	struct risk_queue *q = &r->queue[class];
	uint32_t slot = orders_find(&r->orders, q->oid[q->head & q->mask]);

	*o = &r->orders.pool[slot];
	if (slot != ORDER_NONE && (class == RISK_QUEUE_CANCEL ? (*o)->flags & ORDER_F_QUEUED : (*o)->state == ORDER_WAITING))
		return true;
	q->head++;
	return false;
}

static void pacing_send_order(struct risk *r, struct order *o, uint64_t now_tsc)
{
	pacing_waited(r, &r->n.order_waited, o->since_tsc, now_tsc);
	o->state = ORDER_PENDING;
	r->n.order++;
	r->io.gateway(r->io.arg, &o->req);
	pace_take(&r->venue, now_tsc);
}

/* Whatever was accepted before a switch was thrown must not leave after it. */
static bool pacing_revoked(struct risk *r, struct order *o, uint64_t now_tsc)
{
	uint8_t gate = r->strategy[o->req.strategy].gate;

	if (gate == GN_ACCEPTED)
		gate = r->inst[o->req.inst].gate;
	if (gate == GN_ACCEPTED)
		return false;
	tell_withdrawn(r, o, GN_EXEC_REFUSED, gate, now_tsc);
	order_finish(r, o);
	return true;
}

static bool pacing_poll_class(struct risk *r, unsigned class, uint64_t now_tsc)
{
	struct order *o;

	if (!pacing_head(r, class, &o))
		return true;
	if (class == RISK_QUEUE_CANCEL) {
		if (pace_wait_tsc(&r->venue, now_tsc, 0) != 0)
			return false;
		pacing_waited(r, &r->n.cancel_waited, o->since_tsc, now_tsc);
		o->flags &= (uint8_t)~ORDER_F_QUEUED;
		if (risk_is_up(r, o->req.strategy))
			pacing_send_cancel(r, o, o->cancel_leave, 0, now_tsc);
		else
			sweep_want(r, o);
	} else if (!pacing_revoked(r, o, now_tsc)) {
		if (pace_wait_tsc(&r->venue, now_tsc, r->venue_reserve) != 0)
			return false;
		pacing_send_order(r, o, now_tsc);
	}
	r->queue[class].head++;
	return true;
}

bool pacing_poll(struct risk *r, uint64_t now_tsc)
{
	for (unsigned class = 0; class < RISK_QUEUE_COUNT; class++)
		if (queue_depth(&r->queue[class]) != 0)
			return pacing_poll_class(r, class, now_tsc);
	return false;
}
