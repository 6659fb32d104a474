/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of the strategies: judged, sent or put in the queue, entered in the books. */
#include <string.h>

#include "check.h"
#include "duplicate.h"
#include "exposure.h"
#include "pacing.h"
#include "self_match.h"
#include "tell.h"

/* Strategy and instrument exist, their gates are open, the side is one: what check_order() may then take for granted. */
static inline enum gn_verdict request_open(struct risk *r, const struct gn_order_req *q, struct check *c)
{
	c->strategy = &r->strategy[q->strategy];
	if (gn_unlikely(c->strategy->gate != GN_ACCEPTED))
		return c->strategy->gate;
	if (gn_unlikely(q->inst >= r->n_insts))
		return GN_REFUSED_INSTRUMENT;
	c->inst = &r->inst[q->inst];
	if (gn_unlikely(c->inst->gate != GN_ACCEPTED))
		return c->inst->gate;
	if (gn_unlikely(q->side != GN_BUY && q->side != GN_SELL))
		return GN_REFUSED_SIDE;
	return GN_ACCEPTED;
}

static inline void request_scratch(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc, struct check *c)
{
	c->account = &r->account[c->strategy->account];
	c->cell = risk_cell(r, q->inst, q->strategy);
	c->side = q->side - 1u;
	c->now_tsc = now_tsc;
	c->ntl = risk_ntl_of(q->px, q->qty);
	c->duplicate_key = duplicate_key(q);
	c->quote = r->board && q->inst < r->board->max ? gn_board_read(r->board, q->inst) : (struct gn_quote){0};
}

/* Give it to the gateway at once, or let it wait. First the wire, then the books. */
static inline uint8_t request_dispatch(struct risk *r, unsigned class, const struct gn_order_req *q, uint64_t now_tsc)
{
	if (gn_likely(risk_nothing_waits(r) && pace_wait_tsc(&r->venue, now_tsc, r->venue_reserve) == 0)) {
		r->n.order++;
		r->io.gateway(r->io.arg, q);
		pace_take(&r->venue, now_tsc);
		return ORDER_PENDING;
	}
	queue_push(&r->queue[class], q->oid); /* the patience control has seen that there is room */
	return ORDER_WAITING;
}

static inline uint32_t request_enter(struct risk *r, const struct gn_order_req *q, const struct check *c, uint8_t state)
{
	struct risk_strategy *s = c->strategy;
	uint32_t slot = orders_insert(&r->orders, q);
	struct order *o = &r->orders.pool[slot];

	o->state = state;
	o->since_tsc = c->now_tsc;
	o->reserved_qty = c->more_qty;
	o->reserved_ntl = c->more_ntl;
	exposure_take(r, q, c->more_qty, c->more_ntl, c->more_orders);
	self_match_enter(r, slot);
	duplicate_remember(r, c->duplicate_key, c->now_tsc, s->duplicate_tsc);
	pace_take(&s->rate, c->now_tsc);
	s->unfilled_room--;
	s->oid_last = q->oid;
	s->scope.n_orders++;
	return slot;
}

static enum gn_verdict request_new(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	struct check c;
	enum gn_verdict v = request_open(r, q, &c);

	if (gn_unlikely(v != GN_ACCEPTED))
		return v;
	request_scratch(r, q, now_tsc, &c);
	c.more_qty = q->qty;
	c.more_ntl = c.ntl;
	c.more_orders = 1;
	v = check_order(r, q, &c);
	if (gn_unlikely(v != GN_ACCEPTED))
		return v;
	uint8_t state = request_dispatch(r, RISK_QUEUE_NEW, q, now_tsc);
	uint32_t slot = request_enter(r, q, &c, state);
	r->orders.pool[slot].flags |= ORDER_F_COUNTED;
	return GN_ACCEPTED;
}

/* The order that a request wants to change: its strategy's own, and open. */
static struct order *request_target(struct risk *r, gn_oid oid, uint32_t strategy)
{
	uint32_t slot = oid ? orders_find(&r->orders, oid) : ORDER_NONE;
	struct order *o = &r->orders.pool[slot];

	return slot != ORDER_NONE && o->req.strategy == strategy ? o : NULL;
}

/* A replacement that can only make things smaller: no more units, no better price for others, no more notional. */
static bool request_reduces(const struct gn_order_req *q, const struct order *parent, gn_qty leaves)
{
	bool keener = q->side == GN_BUY ? q->px.e9 > parent->req.px.e9 : q->px.e9 < parent->req.px.e9;

	return leaves <= parent->leaves && !keener && risk_ntl_of(q->px, leaves) <= risk_ntl_of(parent->req.px, parent->leaves);
}

static enum gn_verdict request_replace_judge(struct risk *r, const struct gn_order_req *q, struct order *parent,
	uint64_t now_tsc, struct check *c)
{
	if (!risk_is_up(r, q->strategy))
		return GN_REFUSED_SESSION;
	if (!parent || parent->heir != ORDER_NONE || parent->state == ORDER_WAITING || (parent->flags & ORDER_F_REPLACEMENT))
		return GN_REFUSED_UNKNOWN; /* one change of an order at a time, and only of what was sent */
	if (q->inst != parent->req.inst)
		return GN_REFUSED_INSTRUMENT;
	if (q->side != parent->req.side)
		return GN_REFUSED_SIDE;
	if (q->qty <= 0 || q->qty > RISK_QTY_MAX)
		return GN_REFUSED_QTY;
	if (q->px.e9 <= 0 || q->px.e9 > RISK_PX_E9_MAX)
		return GN_REFUSED_PRICE;
	c->strategy = &r->strategy[q->strategy];
	c->inst = &r->inst[q->inst];
	request_scratch(r, q, now_tsc, c);
	gn_qty leaves = q->qty > parent->executed ? q->qty - parent->executed : 0;
	struct order heir = {.req = *q, .leaves = leaves};
	exposure_of_heir(&heir, parent, &c->more_qty, &c->more_ntl);
	c->more_orders = 0;
	if (request_reduces(q, parent, leaves))
		return check_reduction(r, q, c);
	enum gn_verdict v = request_open(r, q, c);
	return v == GN_ACCEPTED ? check_order(r, q, c) : v;
}

static enum gn_verdict request_replace(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	struct order *parent = request_target(r, q->oid_prev, q->strategy);
	struct check c;
	enum gn_verdict v = request_replace_judge(r, q, parent, now_tsc, &c);

	if (v != GN_ACCEPTED)
		return v;
	uint8_t state = request_dispatch(r, RISK_QUEUE_REPLACE, q, now_tsc);
	uint32_t slot = request_enter(r, q, &c, state);
	struct order *heir = &r->orders.pool[slot];
	heir->flags |= ORDER_F_REPLACEMENT;
	heir->executed = parent->executed;
	heir->leaves = q->qty > parent->executed ? q->qty - parent->executed : 0;
	parent->heir = slot;
	return GN_ACCEPTED;
}

static enum gn_verdict request_cancel(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	struct order *o = request_target(r, q->oid, q->strategy);

	if (!o || q->qty < 0)
		return GN_REFUSED_UNKNOWN;
	pacing_cancel(r, o, q->qty, q->rx_tsc, now_tsc);
	return GN_ACCEPTED;
}

enum gn_verdict risk_request(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	enum gn_verdict v = GN_REFUSED_KIND;

	if (gn_unlikely(q->strategy >= r->n_strategies))
		v = GN_REFUSED_STRATEGY;
	else if (gn_likely(q->kind == GN_REQ_NEW))
		v = request_new(r, q, now_tsc);
	else if (q->kind == GN_REQ_CANCEL)
		v = request_cancel(r, q, now_tsc);
	else if (q->kind == GN_REQ_REPLACE)
		v = request_replace(r, q, now_tsc);
	r->verdicts[v]++;
	tell_request(r, q, v, now_tsc);
	return v;
}
