/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CHECK_H
#define RISK_CHECK_H

/** @file The verdict on a new order or a replacement. */

#include <gannet/book_view.h>

#include "controls.h"
#include "duplicate.h"
#include "exposure.h"
#include "pacing.h"
#include "self_match.h"

/** What an order asks for, beside what stands in its request. */
struct check {
	struct risk_strategy *strategy;
	struct risk_account *account;
	struct risk_inst *inst;
	struct risk_cell *cell;
	uint32_t side; /* index: side - 1 */
	gn_qty more_qty; /* units more than are reserved for it already (a replacement takes over) */
	risk_ntl ntl; /* of the whole order */
	risk_ntl more_ntl; /* more than is reserved for it already */
	int64_t more_orders; /* 1, or 0 for a replacement */
	bool clear; /* nothing makes it wait for the venue's pace */
	bool lacks_room; /* some room is too small: gross, net or open orders */
	struct gn_quote quote;
	gn_qty asked_qty; /* before self-match prevention took something off */
	risk_v4 need; /* more_ntl and more_orders, as they are taken from a room */
	uint64_t now_tsc;
};

/** True when n is a multiple of the divisor. */
static inline bool risk_divides(const struct risk_divisor *d, uint64_t n)
{
	uint64_t q = n * d->inverse;

	return (q >> (d->shift & 63) | q << (-d->shift & 63)) <= d->max;
}

/* The predicates see the risk state, the request and its scratch; true: the order breaks the control. */
#define CONTROL(name)                                                                                                  \
	static inline __attribute__((always_inline)) bool breaks_##name(__attribute__((unused)) const struct risk *r,  \
		__attribute__((unused)) const struct gn_order_req *q, __attribute__((unused)) const struct check *c)

CONTROL(owner)
{
	return gn_oid_strategy(q->oid) != q->strategy;
}

CONTROL(fresh_id)
{
	return q->oid <= c->strategy->oid_last;
}

CONTROL(side)
{
	return !(c->strategy->sides >> (q->side & 7) & 1);
}

CONTROL(tif)
{
	return q->tif != GN_TIF_DAY && q->tif != GN_TIF_IOC;
}

CONTROL(quantity)
{
	return q->qty <= 0 || q->qty > c->strategy->order_qty_max || q->qty > c->inst->order_qty_max;
}

CONTROL(price)
{
	return q->px.e9 <= 0 || q->px.e9 > RISK_PX_E9_MAX;
}

CONTROL(increment)
{
	const struct risk_divisor *tick = q->px.e9 < 1000000000 ? &c->inst->by_tick_below_1 : &c->inst->by_tick;

	return !risk_divides(tick, (uint64_t)q->px.e9) || !risk_divides(&c->inst->by_lot, (uint64_t)q->qty);
}

CONTROL(notional)
{
	return c->ntl > c->strategy->order_ntl_max || c->ntl > c->inst->order_ntl_max;
}

CONTROL(state)
{
	return c->quote.flags & GN_VIEW_HALTED;
}

CONTROL(staleness)
{
	return (c->quote.flags & GN_VIEW_STALE) || c->quote.tsc + c->inst->stale_tsc < c->now_tsc;
}

/* Twice the reference price, so that a mid needs no rounding; 0: there is none. */
static inline int64_t check_reference2_e9(const struct risk *r, const struct check *c)
{
	const struct gn_quote *quote = &c->quote;

	if (gn_likely(r->reference == RISK_REFERENCE_MID))
		return quote->bid.e9 > 0 && quote->ask.e9 > 0 ? quote->bid.e9 + quote->ask.e9 : 0;
	return 2 * (r->reference == RISK_REFERENCE_LAST ? quote->last.e9 : c->inst->reference.e9);
}

CONTROL(reference)
{
	return check_reference2_e9(r, c) <= 0 && !r->allow_no_reference;
}

CONTROL(collar)
{
	int64_t reference2 = check_reference2_e9(r, c);
	int64_t off2 = 2 * q->px.e9 - reference2;

	if (off2 < 0)
		off2 = -off2;
	return reference2 > 0
	       && (off2 > c->inst->collar2_e9 || (__int128)off2 * 10000 > (__int128)reference2 * c->inst->collar_bps);
}

CONTROL(short_sale)
{
	if (q->side != GN_SELL)
		return false;
	gn_qty short_qty = c->cell->side[1].worst + c->more_qty; /* position after every open sell, sign turned */
	bool marked = q->flags & (GN_ORD_SHORT | GN_ORD_SHORT_EXEMPT);
	if (short_qty <= 0 && !marked)
		return false;
	bool price_test = (c->quote.flags & GN_VIEW_NO_SHORT) && !(q->flags & GN_ORD_SHORT_EXEMPT);
	return !(c->strategy->may & RISK_MAY_SHORT) || (r->mark_shorts && !marked)
	       || c->inst->side[1].worst + c->more_qty > c->inst->locate_qty
	       || (price_test && q->px.e9 <= c->quote.bid.e9);
}

CONTROL(position)
{
	return (c->cell->side[c->side].worst + c->more_qty > c->strategy->worst_max[c->side]
		       || c->inst->side[c->side].worst + c->more_qty > c->inst->worst_max[c->side])
	       && c->more_qty > 0;
}

CONTROL(gross)
{
	return c->lacks_room && c->more_ntl > 0
	       && (c->more_ntl > c->strategy->scope.room.gross || c->more_ntl > c->account->scope.room.gross
		       || c->more_ntl > r->engine.room.gross);
}

CONTROL(net)
{
	return c->lacks_room && c->more_ntl > 0
	       && (c->more_ntl > c->strategy->scope.room.net[c->side]
		       || c->more_ntl > c->account->scope.room.net[c->side]
		       || c->more_ntl > r->engine.room.net[c->side]);
}

CONTROL(open_orders)
{
	return c->lacks_room && c->more_orders > 0
	       && (c->more_orders > c->strategy->scope.room.n_open || c->more_orders > c->account->scope.room.n_open
		       || c->more_orders > r->engine.room.n_open);
}

CONTROL(rate)
{
	return !pace_ready(&c->strategy->rate, c->now_tsc);
}

CONTROL(ratio)
{
	return c->strategy->unfilled_spare < 0;
}

CONTROL(table)
{
	return r->orders.spare < 0;
}

CONTROL(journal)
{
	return r->journal_spare < 0;
}

CONTROL(duplicate)
{
	return duplicate_seen(r, c->cell, q, c->now_tsc, c->strategy->duplicate_tsc);
}

CONTROL(self_match)
{
	return self_match_near(c->inst, q) && self_match_stays(r, c->inst, q);
}

CONTROL(patience)
{
	if (gn_likely(c->clear))
		return false;
	if (q->kind == GN_REQ_REPLACE)
		return queue_full(&c->account->queue[RISK_QUEUE_REPLACE]);
	return queue_full(&c->account->queue[RISK_QUEUE_NEW])
	       || pacing_wait_tsc(r, c->account, c->now_tsc) > r->patience_tsc;
}

/**
 * Judge an order: the controls of controls.h, in that order; the first that it breaks is the verdict.
 *
 * Hot, writes nothing but `c`. The caller has seen that strategy and instrument exist and that their gates are open.
 */
static inline __attribute__((always_inline)) enum gn_verdict check_order(
	const struct risk *r, const struct gn_order_req *q, struct check *c)
{
	c->lacks_room = room_short(&c->strategy->scope.room, &c->account->scope.room, &r->engine.room, c->need);
	c->clear = pacing_clear(r, c->account, c->now_tsc);
#define JUDGE(name, VERDICT, keys, text)                                                                               \
	if (gn_unlikely(breaks_##name(r, q, c)))                                                                       \
		return GN_##VERDICT;
	RISK_CONTROLS(JUDGE)
#undef JUDGE
	return GN_ACCEPTED;
}

/** Judge a replacement that can only reduce what is open: whether it is well formed, and nothing else. */
static inline enum gn_verdict check_reduction(const struct risk *r, const struct gn_order_req *q, struct check *c)
{
	c->clear = pacing_clear(r, c->account, c->now_tsc);
	if (breaks_owner(r, q, c))
		return GN_REFUSED_STRATEGY;
	if (breaks_fresh_id(r, q, c))
		return GN_REFUSED_DUPLICATE;
	if (breaks_tif(r, q, c))
		return GN_REFUSED_TIF;
	if (breaks_increment(r, q, c))
		return GN_REFUSED_TICK;
	return breaks_patience(r, q, c) ? GN_REFUSED_PATIENCE : GN_ACCEPTED;
}
#undef CONTROL

#endif
