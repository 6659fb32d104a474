/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_ENTER_H
#define RISK_ENTER_H

/** @file The one way in which an accepted order enters the books. */

#include "check.h"
#include "duplicate.h"
#include "exposure.h"
#include "self_match.h"

/** What a request asks of its owners, beside gates and market data; strategy, instrument and side exist. */
static inline void enter_scratch(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc, struct check *c)
{
	c->strategy = &r->strategy[q->strategy];
	c->inst = &r->inst[q->inst];
	c->account = &r->account[c->strategy->account];
	c->cell = risk_cell(r, q->inst, q->strategy);
	c->side = q->side - 1u;
	c->now_tsc = now_tsc;
	c->ntl = risk_ntl_of(q->px, q->qty);
	c->asked_qty = q->qty;
}

/** Take what an accepted order holds of every limit. Hot. */
static inline void enter_take(struct risk *r, const struct gn_order_req *q, const struct check *c)
{
	struct risk_strategy *s = c->strategy;
	struct risk_cell_side *cell = &c->cell->side[c->side];

	s->scope.room.all -= c->need;
	c->account->scope.room.all -= c->need;
	r->engine.room.all -= c->need;
	c->inst->side[c->side].worst += c->more_qty;
	cell->worst += c->more_qty;
	self_match_bound(c->inst, c->side, self_match_reach(q->px.e9, c->side));
	if (!duplicate_none(c->cell, c->side, c->now_tsc, s->duplicate_tsc))
		duplicate_push(r, q, &cell->last, c->now_tsc, s->duplicate_tsc);
	cell->last = (struct risk_seen){q->px, c->asked_qty, c->now_tsc};
	pace_take(&s->rate, c->now_tsc);
	s->unfilled_spare--;
	s->oid_last = q->oid;
	s->n_orders++;
}

/** What the table keeps of an accepted order beside the request itself. */
struct entry {
	struct risk_inst_side *inst_side;
	gn_qty qty; /* what it holds */
	risk_ntl ntl;
	uint64_t status, now_tsc;
};

/** Enter in the table what has been judged, taken and sent. Hot. Returns its slot. */
static inline uint32_t enter_table(struct risk *r, const struct gn_order_req *q, const struct entry *e)
{
	struct order *pool = r->orders.pool;
	uint32_t slot = orders_insert(&r->orders, q);
	struct order *o = &pool[slot];

	o->status = e->status;
	o->since_tsc = e->now_tsc;
	o->reserved_qty = e->qty;
	o->reserved_ntl = e->ntl;
	self_match_link(pool, e->inst_side, o, slot);
	return slot;
}

/** The same for what was judged at leisure. */
static inline uint32_t enter_order(struct risk *r, const struct gn_order_req *q, const struct check *c, uint8_t state)
{
	uint8_t flags = (c->more_orders ? ORDER_F_COUNTED : ORDER_F_REPLACEMENT) | ORDER_F_LISTED;

	return enter_table(r, q,
		&(struct entry){
			&c->inst->side[c->side], c->more_qty, c->more_ntl, ORDER_STATUS(state, flags), c->now_tsc});
}

/** Ask of the limits what a new order holds. */
static inline void enter_need_new(const struct gn_order_req *q, struct check *c)
{
	c->more_qty = q->qty;
	c->more_ntl = c->ntl;
	c->more_orders = 1;
	c->need = room_need(c->side, c->more_ntl, 1);
}

/** Ask what a replacement holds beside the order that it takes the place of. Returns the units it would leave open. */
static inline gn_qty enter_need_heir(const struct gn_order_req *q, const struct order *parent, struct check *c)
{
	struct order heir = {.req = *q, .leaves = q->qty > parent->executed ? q->qty - parent->executed : 0};

	exposure_of_heir(&heir, parent, &c->more_qty, &c->more_ntl);
	c->more_orders = 0;
	c->need = room_need(c->side, c->more_ntl, 0);
	return heir.leaves;
}

/** Bind an entered replacement to its parent. */
static inline void enter_heir(struct risk *r, uint32_t slot, struct order *parent)
{
	struct order *heir = &r->orders.pool[slot];

	heir->executed = parent->executed;
	heir->leaves = heir->req.qty > parent->executed ? heir->req.qty - parent->executed : 0;
	parent->heir = slot;
}

/** The order that a request wants to change: its strategy's own, and open. NULL: there is none. */
static inline struct order *enter_target(struct risk *r, gn_oid oid, uint32_t strategy)
{
	uint32_t slot = oid ? orders_find(&r->orders, oid) : ORDER_NONE;
	struct order *o = &r->orders.pool[slot];

	return slot != ORDER_NONE && o->req.strategy == strategy ? o : NULL;
}

/** True when an order may get a replacement: one change at a time, and only of what was sent. */
static inline bool enter_changeable(const struct order *o)
{
	return o && o->heir == ORDER_NONE && o->state != ORDER_WAITING && !(o->flags & ORDER_F_REPLACEMENT);
}

/** Enter an order that was accepted before a restart. Cold. */
void enter_new(struct risk *r, const struct gn_order_req *q, uint8_t state, uint64_t now_tsc);

/** The same for a replacement. False: what it takes the place of cannot be replaced. */
bool enter_replacement(struct risk *r, const struct gn_order_req *q, uint8_t state, uint64_t now_tsc);

#endif
