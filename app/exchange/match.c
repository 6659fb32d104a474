/* SPDX-License-Identifier: BSD-3-Clause */
#include "match.h"

#include <errno.h>
#include <stdlib.h>

#include "app/exchange/match_book.h"
#include "dataplane/runtime/err.h"

struct match *match_new(const struct match_config *config)
{
	struct match *m = calloc(1, sizeof(*m));

	if (!m)
		return gn_err(ENOMEM, "match: engine"), NULL;
	m->config = *config;
	m->sink = config->sink;
	if (match_book_init(m) < 0) {
		match_free(m);
		return NULL;
	}
	return m;
}

void match_free(struct match *m)
{
	if (!m)
		return;
	match_book_fini(m);
	free(m);
}

enum match_state match_state(const struct match *m, gn_inst inst)
{
	return inst < m->config.n_insts ? m->book[inst].state : MATCH_HALTED;
}

void match_state_set(struct match *m, gn_inst inst, enum match_state state)
{
	m->book[inst].state = state;
}

static struct match_id id_of(const struct match_order *o)
{
	return (struct match_id){.ref = o->ref, .slot = o->slot};
}

static bool crosses(const struct match_order *taker, const struct match_order *maker)
{
	return taker->side == GN_BUY ? taker->px_e4 >= maker->px_e4 : taker->px_e4 <= maker->px_e4;
}

static struct match_order *counterpart(const struct match *m, const struct match_order *o)
{
	struct match_order *maker = match_top(m, o->inst, gn_side_opposite(o->side));

	return maker && crosses(o, maker) ? maker : NULL;
}

static bool prevented(const struct match *m, const struct match_order *a, const struct match_order *b)
{
	return m->config.self_match_prevention && a->owner != MATCH_OWNER_FLOW && a->owner == b->owner;
}

/* taker is not in the book, maker is */
static void meet(struct match *m, struct match_order *taker, struct match_order *maker)
{
	bool self = prevented(m, taker, maker);
	struct match_trade t = {.maker = maker, .taker = taker, .px_e4 = maker->px_e4};

	t.qty = taker->qty < maker->qty ? taker->qty : maker->qty;
	taker->qty -= t.qty;
	match_shrink(m, maker, t.qty);
	if (self) {
		m->n.prevented++;
		m->sink.prevented(m->sink.arg, &t);
	} else {
		t.match = ++m->matches;
		m->n.trades++;
		m->n.shares += t.qty;
		m->sink.traded(m->sink.arg, &t);
	}
	if (!maker->qty)
		match_order_give(m, maker);
}

static void drop_rest(struct match *m, struct match_order *o, char why)
{
	uint32_t off = o->qty;

	o->qty = 0;
	m->n.canceled++;
	m->sink.canceled(m->sink.arg, o, off, why, false);
}

static void take_liquidity(struct match *m, struct match_order *o)
{
	struct match_order *maker;

	if (m->book[o->inst].state != MATCH_TRADING)
		return;
	if (o->flags & MATCH_POST_ONLY && counterpart(m, o)) {
		drop_rest(m, o, MATCH_WHY_POST_ONLY);
		return;
	}
	while (o->qty && (maker = counterpart(m, o)))
		meet(m, o, maker);
}

static bool may_rest(const struct match *m, const struct match_order *o)
{
	return !(o->flags & MATCH_IOC) && !(o->flags & MATCH_MARKET && m->book[o->inst].state == MATCH_TRADING);
}

/* an order that has its reference: let it trade, then rest or go. Gives the record back when it goes. */
static struct match_id settle(struct match *m, struct match_order *o)
{
	struct match_id id = id_of(o);

	take_liquidity(m, o);
	if (o->qty && !may_rest(m, o))
		drop_rest(m, o, MATCH_WHY_IOC);
	if (o->qty && !match_link(m, o))
		drop_rest(m, o, MATCH_WHY_SYSTEM);
	if (o->qty)
		m->sink.rested(m->sink.arg, o);
	else
		match_order_give(m, o);
	return id;
}

static bool may_come(const struct match *m, gn_inst inst, const struct match_ask *ask)
{
	return m->book[inst].state != MATCH_HALTED || ask->flags & MATCH_ANYTIME;
}

struct match_id match_enter(struct match *m, const struct match_ask *ask)
{
	struct match_order *o;

	if (ask->inst >= m->config.n_insts || !may_come(m, ask->inst, ask))
		return (struct match_id){0};
	if ((ask->side != GN_BUY && ask->side != GN_SELL) || !ask->qty)
		return (struct match_id){0};
	o = match_order_take(m, ask);
	if (!o)
		return (struct match_id){0};
	m->n.entered++;
	m->sink.accepted(m->sink.arg, o);
	return settle(m, o);
}

struct match_id match_replace(struct match *m, struct match_id id, const struct match_ask *ask)
{
	struct match_order *o = match_find(m, id);
	struct match_ask now = *ask;

	if (!o || !ask->qty || !may_come(m, o->inst, ask))
		return (struct match_id){0};
	struct match_order old = *o;

	now.inst = old.inst;
	now.side = old.side;
	now.owner = old.owner;
	match_unlink(m, o);
	match_order_give(m, o);
	o = match_order_take(m, &now);
	m->n.replaced++;

	bool trades = m->book[o->inst].state == MATCH_TRADING && counterpart(m, o);
	if (!trades && may_rest(m, o) && match_link(m, o)) {
		o->flags |= MATCH_UNTRADED;
		m->sink.replaced(m->sink.arg, &old, o);
		o->flags &= (uint8_t)~MATCH_UNTRADED;
		return id_of(o);
	}
	m->sink.replaced(m->sink.arg, &old, o);
	return settle(m, o);
}

bool match_reduce(struct match *m, struct match_id id, uint32_t off, char why)
{
	struct match_order *o = match_find(m, id);

	if (!o || !off)
		return false;
	if (off > o->qty)
		off = o->qty;
	match_shrink(m, o, off);
	m->n.canceled++;
	m->sink.canceled(m->sink.arg, o, off, why, true);
	if (!o->qty)
		match_order_give(m, o);
	return true;
}

struct match_order *match_find(const struct match *m, struct match_id id)
{
	if (!id.ref || id.slot >= m->config.orders_max || m->order[id.slot].ref != id.ref)
		return NULL;
	return &m->order[id.slot];
}

uint64_t match_number(struct match *m)
{
	return ++m->matches;
}

void match_number_after(struct match *m, uint64_t match)
{
	if (m->matches < match)
		m->matches = match;
}

bool match_best(const struct match *m, gn_inst inst, gn_side side, uint32_t *px_e4, uint64_t *qty)
{
	const struct ladder *l = match_ladder(m, inst, side);

	for (uint32_t i = l->n; i > 0; i--) {
		const struct match_queue *q = &m->level[l->rung[i - 1].level].queue[MATCH_QUEUE_SHOWN];

		if (!q->n)
			continue;
		*px_e4 = ladder_key(side, l->rung[i - 1].key);
		*qty = q->qty;
		return true;
	}
	return false;
}

static bool walk_queue(const struct match *m, const struct match_queue *q,
	bool (*visit)(void *arg, const struct match_order *o), void *arg)
{
	for (uint32_t slot = q->n ? q->head : MATCH_NONE; slot != MATCH_NONE; slot = m->order[slot].next)
		if (!visit(arg, &m->order[slot]))
			return false;
	return true;
}

void match_walk(const struct match *m, gn_inst inst, gn_side side, bool (*visit)(void *arg, const struct match_order *o),
	void *arg)
{
	const struct ladder *l = match_ladder(m, inst, side);

	for (uint32_t i = l->n; i > 0; i--)
		for (uint32_t q = 0; q < MATCH_QUEUES; q++)
			if (!walk_queue(m, &m->level[l->rung[i - 1].level].queue[q], visit, arg))
				return;
}

struct match_counts match_counts(const struct match *m)
{
	return m->n;
}
