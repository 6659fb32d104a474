/* SPDX-License-Identifier: BSD-3-Clause */
/* Reports of the gateway: move the order, the position, the exposure; then tell the strategy. */
#include "enter.h"
#include "fills.h"
#include "finish.h"
#include "gate.h"
#include "sweep.h"
#include "tell.h"
#include "watch.h"

static bool report_px_valid(gn_px px)
{
	return px.e9 > 0 && px.e9 <= RISK_PX_E9_MAX;
}

/* Take over price and quantity as the venue has them. */
static void report_restate(struct risk *r, struct order *o, gn_px px, gn_qty leaves)
{
	uint32_t slot = (uint32_t)(o - r->orders.pool);

	self_match_leave(r, slot);
	if (report_px_valid(px))
		o->req.px = px;
	if (leaves >= 0 && leaves <= RISK_QTY_MAX)
		o->leaves = leaves;
	self_match_enter(r, slot);
	exposure_settle(r, o);
}

/* Every handler: false when the report makes no sense for the order as it is, or was taken already. */
typedef bool report_fn(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc);

static bool report_accepted(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)now_tsc;
	if (o->state != ORDER_PENDING || (o->flags & ORDER_F_REPLACEMENT))
		return false;
	o->state = ORDER_LIVE;
	report_restate(r, o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty > 0 ? e->qty - o->executed : o->leaves);
	return true;
}

static bool report_replaced(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)now_tsc;
	if (o->state != ORDER_PENDING || !(o->flags & ORDER_F_REPLACEMENT))
		return false;
	uint32_t parent = orders_find(&r->orders, o->req.oid_prev);
	if (parent != ORDER_NONE)
		order_finish(r, &r->orders.pool[parent]);
	o->flags &= (uint8_t)~ORDER_F_REPLACEMENT;
	o->state = ORDER_LIVE;
	report_restate(r, o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty);
	return true;
}

/* Units that are gone from an order; `spent` ones count against the total of its chain of replacements. */
static void report_take_off(struct risk *r, struct order *o, gn_qty qty, bool spent)
{
	o->leaves = qty < o->leaves ? o->leaves - qty : 0;
	if (spent) {
		o->executed += qty;
		if (o->heir != ORDER_NONE) {
			struct order *heir = &r->orders.pool[o->heir];
			heir->executed = o->executed;
			heir->leaves = heir->req.qty > heir->executed ? heir->req.qty - heir->executed : 0;
		}
	}
	exposure_settle(r, o);
}

static bool report_filled(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	if (e->qty <= 0 || e->qty > RISK_QTY_MAX || !report_px_valid(e->px))
		return false;
	if (fills_known(r, e->match, e->oid))
		return false;
	if (e->qty > o->leaves)
		r->n.report_overfilled++; /* the venue is right about what we hold */
	r->n.fill++;
	report_take_off(r, o, e->qty, true);
	fills_apply(r, o, e);
	watch_fill(r, o, e, now_tsc);
	return true;
}

static bool report_canceled(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)now_tsc;
	if (e->qty <= 0 || e->qty > RISK_QTY_MAX)
		return false;
	o->flags &= (uint8_t)~ORDER_F_REDUCING;
	report_take_off(r, o, e->qty, e->flags & GN_EXEC_F_PREVENTED);
	return true;
}

static bool report_rejected(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	if (o->state != ORDER_PENDING)
		return false;
	o->leaves = 0;
	if (e->code < GN_CODE_OWN)
		watch_reject(r, o->req.strategy, now_tsc);
	return true;
}

static bool report_cancel_rejected(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)now_tsc;
	o->flags &= (uint8_t)~ORDER_F_REDUCING;
	if (e->code == GN_CODE_SESSION_DOWN || e->code == GN_CODE_NO_ROOM || e->code == GN_CODE_LOST)
		sweep_want(r, o); /* it never reached the venue */
	return true;
}

static bool report_noted(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)r, (void)o, (void)e, (void)now_tsc;
	return true;
}

static bool report_restated(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	(void)now_tsc;
	report_restate(r, o, e->px, e->reason == 'M' ? e->qty : o->leaves);
	return true;
}

static report_fn *const report_handlers[GN_EXEC_KIND_COUNT] = {
	[GN_EXEC_ACCEPTED] = report_accepted,
	[GN_EXEC_REPLACED] = report_replaced,
	[GN_EXEC_FILLED] = report_filled,
	[GN_EXEC_CANCELED] = report_canceled,
	[GN_EXEC_REJECTED] = report_rejected,
	[GN_EXEC_CANCEL_REJECTED] = report_cancel_rejected,
	[GN_EXEC_CANCEL_PENDING] = report_noted,
	[GN_EXEC_RESTATED] = report_restated,
};

static void report_session(struct risk *r, const struct gn_exec *e, uint64_t now_tsc)
{
	if (e->kind == GN_EXEC_UP)
		r->up |= e->match;
	else
		r->up &= ~e->match;
	for (uint32_t i = 0; i < r->n_strategies; i++)
		if (e->match >> i & 1)
			r->strategy[i].session_tsc = now_tsc;
	gate_strategies(r);
	tell_session(r, e, now_tsc);
	if (e->kind == GN_EXEC_UP && orders_open(&r->orders))
		sweep_start(r); /* cancels wanted meanwhile, and those that the old session may have lost */
}

/* A report for an order that is not open: counted and journaled, never fatal. */
static void report_stray(struct risk *r, const struct gn_exec *e, uint64_t now_tsc)
{
	uint32_t strategy = gn_oid_strategy(e->oid);

	if (strategy < r->n_strategies && gn_oid_count(e->oid) != 0 && e->oid <= r->strategy[strategy].oid_last)
		r->n.report_finished++;
	else
		r->n.report_unknown++;
	tell_report(r, e, NULL, now_tsc);
}

static bool adopt_heir(struct risk *r, struct gn_order_req *q, uint64_t now_tsc)
{
	struct order *parent = enter_target(r, q->oid_prev, q->strategy);

	if (!parent)
		return false;
	q->kind = GN_REQ_REPLACE;
	q->qty += parent->executed;
	return enter_replacement(r, q, ORDER_PENDING, now_tsc);
}

/*
 * An order that the venue's replay tells of and the journal does not: the engine died between sending it and writing it
 * down. The venue is right, so it is ours.
 */
static bool adopt(struct risk *r, const struct gn_exec *e, uint64_t now_tsc)
{
	uint32_t strategy = gn_oid_strategy(e->oid);
	struct gn_order_req q = {.kind = GN_REQ_NEW, .side = e->side, .inst = e->inst, .oid = e->oid, .oid_prev = e->oid_prev,
		.px = e->px, .qty = e->qty, .strategy = strategy};

	if (gn_likely(!(e->flags & GN_EXEC_F_REPLAY)) || (e->kind != GN_EXEC_ACCEPTED && e->kind != GN_EXEC_REPLACED))
		return false;
	if (strategy >= r->n_strategies || e->oid <= r->strategy[strategy].oid_last || e->inst >= r->n_insts
		|| (e->side != GN_BUY && e->side != GN_SELL) || e->qty <= 0 || e->qty > RISK_QTY_MAX || !report_px_valid(e->px)
		|| r->orders.free == ORDER_NONE)
		return false;
	if (e->kind == GN_EXEC_ACCEPTED)
		enter_new(r, &q, ORDER_PENDING, now_tsc);
	else if (!adopt_heir(r, &q, now_tsc))
		return false;
	if (r->adopt_to_cancel)
		r->orders.pool[orders_find(&r->orders, e->oid)].flags |= ORDER_F_CANCEL_WANTED;
	r->n.report_adopted++;
	return true;
}

static bool report_ends(const struct order *o, const struct gn_exec *e)
{
	return o->leaves == 0 && e->kind != GN_EXEC_CANCEL_REJECTED && e->kind != GN_EXEC_CANCEL_PENDING;
}

static void report_order(struct risk *r, struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	if (report_handlers[e->kind](r, o, e, now_tsc)) {
		tell_report(r, e, o, now_tsc);
		if (report_ends(o, e))
			order_finish(r, o);
		return;
	}
	bool known = (e->flags & GN_EXEC_F_REPLAY) || (e->kind == GN_EXEC_FILLED && fills_known(r, e->match, e->oid));
	(*(known ? &r->n.report_repeated : &r->n.report_malformed))++;
	tell_report(r, e, NULL, now_tsc);
}

void risk_report(struct risk *r, const struct gn_exec *e, uint64_t now_tsc)
{
	r->n.report++;
	if (e->kind == GN_EXEC_UP || e->kind == GN_EXEC_DOWN) {
		report_session(r, e, now_tsc);
		return;
	}
	if (e->kind == GN_EXEC_BROKEN) {
		fills_break(r, e, now_tsc);
		return;
	}
	if (e->kind >= GN_EXEC_KIND_COUNT || !report_handlers[e->kind]) {
		r->n.report_malformed++;
		tell_report(r, e, NULL, now_tsc);
		return;
	}
	uint32_t slot = e->oid ? orders_find(&r->orders, e->oid) : ORDER_NONE;
	if (slot == ORDER_NONE && adopt(r, e, now_tsc))
		slot = orders_find(&r->orders, e->oid);
	if (slot == ORDER_NONE)
		report_stray(r, e, now_tsc);
	else
		report_order(r, &r->orders.pool[slot], e, now_tsc);
}
