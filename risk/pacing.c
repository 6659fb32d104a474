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

	for (uint32_t i = 0; i < r->n_accounts * RISK_QUEUE_COUNT; i++) {
		struct risk_queue *q = &r->account[i / RISK_QUEUE_COUNT].queue[i % RISK_QUEUE_COUNT];
		*q = (struct risk_queue){.oid = gn_mem_alloc(places * sizeof(gn_oid), node), .mask = places - 1};
		if (!q->oid)
			return -ENOMEM;
	}
	return 0;
}

void pacing_fini(struct risk *r)
{
	for (uint32_t i = 0; r->account && i < r->n_accounts * RISK_QUEUE_COUNT; i++) {
		struct risk_queue *q = &r->account[i / RISK_QUEUE_COUNT].queue[i % RISK_QUEUE_COUNT];
		gn_mem_free(q->oid, ((size_t)q->mask + 1) * sizeof(gn_oid));
	}
}

bool pacing_push(struct risk *r, struct risk_account *a, unsigned class, gn_oid oid)
{
	struct risk_queue *q = &a->queue[class];

	if (queue_full(q))
		return false;
	q->oid[q->tail++ & q->mask] = oid;
	r->n_waiting++;
	r->n_cancels_waiting += class == RISK_QUEUE_CANCEL;
	return true;
}

static void pacing_pop(struct risk *r, struct risk_account *a, unsigned class)
{
	a->queue[class].head++;
	r->n_waiting--;
	r->n_cancels_waiting -= class == RISK_QUEUE_CANCEL;
}

uint64_t pacing_wait_tsc(const struct risk *r, const struct risk_account *a, uint64_t now_tsc)
{
	uint64_t n_session = 0;

	for (unsigned class = 0; class < RISK_QUEUE_COUNT; class ++)
		n_session += queue_depth(&a->queue[class]);
	uint64_t venue = pace_wait_tsc(&r->venue, now_tsc, r->n_waiting);
	uint64_t session = pace_wait_tsc(&a->session, now_tsc, n_session);
	return venue > session ? venue : session;
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
	pacing_take(r, pacing_account(r, o), now_tsc);
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
	if (r->n_cancels_waiting == 0 && pacing_ready(r, pacing_account(r, o), now_tsc)) {
		pacing_send_cancel(r, o, leave, rx_tsc, now_tsc);
		return;
	}
	if (o->flags & ORDER_F_QUEUED) {
		o->cancel_leave = leave < o->cancel_leave ? leave : o->cancel_leave;
		return;
	}
	if (!pacing_push(r, pacing_account(r, o), RISK_QUEUE_CANCEL, o->req.oid)) {
		sweep_want(r, o);
		return;
	}
	o->flags |= ORDER_F_QUEUED;
	o->cancel_leave = leave;
	o->since_tsc = now_tsc;
}

/* The oldest of a queue that still waits; NULL: its order ended meanwhile. */
static struct order *pacing_head(struct risk *r, const struct risk_queue *q, unsigned class)
{
	uint32_t slot = orders_find(&r->orders, q->oid[q->head & q->mask]);
	struct order *o = &r->orders.pool[slot];

	if (slot == ORDER_NONE)
		return NULL;
	return (class == RISK_QUEUE_CANCEL ? o->flags & ORDER_F_QUEUED : o->state == ORDER_WAITING) ? o : NULL;
}

static void pacing_send_order(struct risk *r, struct order *o, uint64_t now_tsc)
{
	pacing_waited(r, &r->n.order_waited, o->since_tsc, now_tsc);
	o->state = ORDER_PENDING;
	r->n.order++;
	r->io.gateway(r->io.arg, &o->req);
	pacing_take(r, pacing_account(r, o), now_tsc);
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

static void pacing_go_cancel(struct risk *r, struct order *o, uint64_t now_tsc)
{
	pacing_waited(r, &r->n.cancel_waited, o->since_tsc, now_tsc);
	o->flags &= (uint8_t)~ORDER_F_QUEUED;
	if (risk_is_up(r, o->req.strategy))
		pacing_send_cancel(r, o, o->cancel_leave, 0, now_tsc);
	else
		sweep_want(r, o);
}

/* The head of one queue: gone, revoked or sent (true), or not yet (false). */
static bool pacing_go(struct risk *r, struct risk_account *a, unsigned class, uint64_t now_tsc)
{
	struct order *o = pacing_head(r, &a->queue[class], class);

	if (o && (class == RISK_QUEUE_CANCEL || !pacing_revoked(r, o, now_tsc))) {
		if (!(class == RISK_QUEUE_CANCEL ? pacing_ready(r, a, now_tsc) : pacing_ready_kept(r, a, now_tsc)))
			return false;
		if (class == RISK_QUEUE_CANCEL)
			pacing_go_cancel(r, o, now_tsc);
		else
			pacing_send_order(r, o, now_tsc);
	}
	pacing_pop(r, a, class);
	return true;
}

bool pacing_poll(struct risk *r, uint64_t now_tsc)
{
	if (r->n_waiting == 0)
		return false;
	for (unsigned class = 0; class < RISK_QUEUE_COUNT; class ++)
		for (uint32_t i = 0; i < r->n_accounts; i++) {
			struct risk_account *a = &r->account[(r->turn + i) % r->n_accounts];
			if (queue_depth(&a->queue[class]) != 0 && pacing_go(r, a, class, now_tsc)) {
				r->turn++;
				return true;
			}
		}
	return false;
}
