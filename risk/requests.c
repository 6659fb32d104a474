/* SPDX-License-Identifier: BSD-3-Clause */
/* Requests of the strategies: judged, sent or put in the queue, entered in the books. */
#include "enter.h"
#include "fast.h"
#include "pacing.h"
#include "tell.h"

/* Strategy and instrument exist, their gates are open, the side is one: what check_order() may then take for granted. */
static inline enum gn_verdict request_open(const struct risk *r, const struct gn_order_req *q)
{
	uint8_t gate = r->strategy[q->strategy].gate;

	if (gn_unlikely(gate != GN_ACCEPTED))
		return gate;
	if (gn_unlikely(q->inst >= r->n_insts))
		return GN_REFUSED_INSTRUMENT;
	gate = r->inst[q->inst].gate;
	if (gn_unlikely(gate != GN_ACCEPTED))
		return gate;
	if (gn_unlikely(q->side != GN_BUY && q->side != GN_SELL))
		return GN_REFUSED_SIDE;
	return GN_ACCEPTED;
}

static inline void request_quote(const struct risk *r, const struct gn_order_req *q, struct check *c)
{
	if (gn_likely(r->board && q->inst < r->board->max))
		c->quote = gn_board_read(r->board, q->inst);
	else
		c->quote = (struct gn_quote){0};
}

/* Give it to the gateway at once, or let it wait. First the wire, then the books. */
static inline uint8_t request_dispatch(struct risk *r, unsigned class, const struct gn_order_req *q, struct check *c)
{
	if (gn_likely(c->clear)) {
		r->n.order++;
		r->io.gateway(r->io.arg, q);
		pacing_take(r, c->account, c->now_tsc);
		return ORDER_PENDING;
	}
	pacing_push(r, c->account, class, q->oid); /* the patience control has seen that there is room */
	return ORDER_WAITING;
}

/* Push own orders out of its way; what they take from it makes it smaller. False: nothing of it is left. */
static bool request_shrink(struct risk *r, struct gn_order_req *q, struct check *c)
{
	gn_qty left = self_match_clear(r, q, c->now_tsc);

	c->clear = pacing_clear(r, c->account, c->now_tsc); /* it must not overtake those cancels */
	if (left == 0)
		return false;
	q->qty = left;
	c->ntl = risk_ntl_of(q->px, left);
	enter_need_new(q, c);
	return true;
}

static inline enum gn_verdict request_new(struct risk *r, struct gn_order_req *q, uint64_t now_tsc)
{
	enum gn_verdict v = request_open(r, q);
	struct check c;

	if (gn_unlikely(v != GN_ACCEPTED))
		return v;
	enter_scratch(r, q, now_tsc, &c);
	request_quote(r, q, &c);
	enter_need_new(q, &c);
	v = check_order(r, q, &c);
	if (v != GN_ACCEPTED)
		return v;
	if (self_match_near(c.inst, q))
		self_match_tighten(r, c.inst, c.side);
	if (self_match_near(c.inst, q) && !request_shrink(r, q, &c))
		return GN_REFUSED_SELF_MATCH;
	enter_take(r, q, &c);
	enter_order(r, q, &c, request_dispatch(r, RISK_QUEUE_NEW, q, &c));
	return GN_ACCEPTED;
}

/* A replacement that can only make things smaller: no more units, no better price for others, no more notional. */
static bool request_reduces(const struct gn_order_req *q, const struct order *parent, gn_qty leaves)
{
	bool keener = q->side == GN_BUY ? q->px.e9 > parent->req.px.e9 : q->px.e9 < parent->req.px.e9;

	return leaves <= parent->leaves && !keener
	       && risk_ntl_of(q->px, leaves) <= risk_ntl_of(parent->req.px, parent->leaves);
}

/* What must hold before anything is computed from a replacement. */
static enum gn_verdict request_replace_open(
	const struct risk *r, const struct gn_order_req *q, const struct order *parent)
{
	if (!risk_is_up(r, q->strategy))
		return GN_REFUSED_SESSION;
	if (!enter_changeable(parent))
		return GN_REFUSED_UNKNOWN;
	if (q->inst != parent->req.inst)
		return GN_REFUSED_INSTRUMENT;
	if (q->side != parent->req.side)
		return GN_REFUSED_SIDE;
	if (q->qty <= 0 || q->qty > RISK_QTY_MAX)
		return GN_REFUSED_QTY;
	return q->px.e9 <= 0 || q->px.e9 > RISK_PX_E9_MAX ? GN_REFUSED_PRICE : GN_ACCEPTED;
}

static enum gn_verdict request_replace(struct risk *r, struct gn_order_req *q, uint64_t now_tsc)
{
	struct order *parent = enter_target(r, q->oid_prev, q->strategy);
	enum gn_verdict v = request_replace_open(r, q, parent);
	struct check c;

	if (v != GN_ACCEPTED)
		return v;
	enter_scratch(r, q, now_tsc, &c);
	bool reduces = request_reduces(q, parent, enter_need_heir(q, parent, &c));
	if (!reduces) {
		request_quote(r, q, &c);
		v = request_open(r, q);
	}
	if (v == GN_ACCEPTED)
		v = reduces ? check_reduction(r, q, &c) : check_order(r, q, &c);
	if (v != GN_ACCEPTED)
		return v;
	if (!reduces && self_match_near(c.inst, q)) {
		self_match_clear(r, q, now_tsc);
		c.clear = pacing_clear(r, c.account, now_tsc);
	}
	enter_take(r, q, &c);
	enter_heir(r, enter_order(r, q, &c, request_dispatch(r, RISK_QUEUE_REPLACE, q, &c)), parent);
	return GN_ACCEPTED;
}

static enum gn_verdict request_cancel(struct risk *r, const struct gn_order_req *q, uint64_t now_tsc)
{
	struct order *o = enter_target(r, q->oid, q->strategy);

	if (!o || q->qty < 0)
		return GN_REFUSED_UNKNOWN;
	pacing_cancel(r, o, q->qty, q->rx_tsc, now_tsc);
	return GN_ACCEPTED;
}

/* Everything that the quick check does not accept. */
static __attribute__((noinline)) enum gn_verdict request_slow(struct risk *r, struct gn_order_req *q, uint64_t now_tsc)
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

/* Ask the journal again how many records it takes for sure. */
static __attribute__((noinline)) void request_ask_journal(struct risk *r)
{
	r->journal_spare = (int64_t)r->io.journal_room(r->io.arg) - 1;
}

enum gn_verdict risk_request(struct risk *r, struct gn_order_req *q, uint64_t now_tsc)
{
	struct entry e;

	if (gn_unlikely(r->journal_spare < 0))
		request_ask_journal(r);
	if (gn_unlikely(q->strategy >= r->n_strategies || !fast_take(r, q, now_tsc, &e)))
		return request_slow(r, q, now_tsc);
	r->io.gateway(r->io.arg, q); /* first the wire, then the table */
	enter_table(r, q, &e);
	r->n.order++;
	r->verdicts[GN_ACCEPTED]++;
	tell_request(r, q, GN_ACCEPTED, now_tsc);
	return GN_ACCEPTED;
}
