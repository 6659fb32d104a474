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
	c->duplicate_key = duplicate_key(q);
}

/** Enter with what `c` says of it. Hot. Returns its slot. */
static inline uint32_t enter_order(struct risk *r, const struct gn_order_req *q, const struct check *c, uint8_t state)
{
	struct risk_strategy *s = c->strategy;
	uint32_t slot = orders_insert(&r->orders, q);
	struct order *o = &r->orders.pool[slot];

	o->state = state;
	o->flags = (c->more_orders ? ORDER_F_COUNTED : ORDER_F_REPLACEMENT) | ORDER_F_LISTED;
	o->since_tsc = c->now_tsc;
	o->reserved_qty = c->more_qty;
	o->reserved_ntl = c->more_ntl;
	c->cell->worst[c->side] += c->more_qty; /* exposure_take() with everything looked up already */
	c->inst->worst[c->side] += c->more_qty;
	s->scope.room.all -= c->need;
	c->account->scope.room.all -= c->need;
	r->engine.room.all -= c->need;
	self_match_list(r, c->inst, o, slot);
	duplicate_remember(r, c->duplicate_key, c->now_tsc, s->duplicate_tsc);
	pace_take(&s->rate, c->now_tsc);
	s->unfilled_room--;
	s->oid_last = q->oid;
	s->n_orders++;
	return slot;
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
