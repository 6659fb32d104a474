/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small market maker: joins the best bid and the best ask, backs away on the side that its inventory has grown on,
 * and follows the market when that is worth a message.
 *
 * It keeps at most one order a side of an instrument, and has at most one request on it under way. What the engine
 * answers moves that order to LIVE or to NONE; an answer that never comes is asked for with a cancel, because risk
 * answers a cancel of whatever it does not know.
 */
#include "universe.h"

#define NS_PER_MS UINT64_C(1000000)
#define SWEEP_NS (10 * NS_PER_MS) /* between two timers */
#define SWEEP_MARKETS 64u /* instruments looked at in one timer */
#define BACKOFF_NS (500 * NS_PER_MS) /* after a refusal */
#define BACKOFF_LONG_NS (10 * 1000 * NS_PER_MS) /* after one that will not be different soon */
#define PATIENCE_NS (1000 * NS_PER_MS) /* with a request that is not answered */

enum quote_state { QUOTE_NONE = 0, QUOTE_NEW, QUOTE_LIVE, QUOTE_REPLACING, QUOTE_CANCELING };

/* One side of one instrument. */
struct quote {
	gn_oid oid; /* the order at the venue, or on its way there */
	gn_oid oid_next; /* REPLACING: the order that takes its place */
	gn_px px, px_next;
	gn_qty leaves;
	gn_qty filled; /* by the chain of replacements so far: a replacement names the chain's total */
	uint64_t asked_ns; /* when the request under way was made */
	uint64_t after_ns; /* no new order and no replacement before this */
	uint64_t cancel_after_ns; /* no cancel before this */
	uint8_t state;
	uint8_t flags; /* GN_ORD_* that it was sent with */
};

struct market {
	struct quote side[2]; /* bid, ask */
	gn_px best[2];
	gn_qty best_qty[2];
	gn_qty position;
	int64_t tick_e9; /* 0: never seen */
	uint8_t flags; /* GN_VIEW_* */
};

struct maker {
	const struct gn_host *host;
	int64_t size, position_max, skew_qty, requote_ticks, improve_ticks, interval_ms, tick_e9, short_ok, post_only;
	bool down; /* the order session is */
	gn_inst n_known; /* one more than the highest instrument seen */
	gn_inst sweep; /* where the next timer goes on */
	struct universe universe;
	struct market market[UNIVERSE_MAX];
};

/* Where a side should be, and how much of it; qty 0: nowhere. */
struct target {
	gn_px px;
	gn_qty qty;
	uint8_t flags;
};

static uint64_t maker_now(const struct maker *m)
{
	return m->host->now_ns(m->host->engine);
}

/* The touch: behind it by what inventory asks for, one tick before it where the spread is wide and others are there. */
static gn_px target_px(const struct maker *m, const struct market *k, uint32_t s)
{
	const struct quote *q = &k->side[s];
	int64_t away_e9 = s == 0 ? -k->tick_e9 : k->tick_e9;
	int64_t inventory = (s == 0 ? k->position : -k->position) / m->skew_qty;
	bool alone = q->state == QUOTE_LIVE && q->px.e9 == k->best[s].e9 && k->best_qty[s] <= q->leaves;
	gn_px px = k->best[s];

	if (inventory > 0)
		px.e9 += away_e9 * inventory;
	else if (!alone && k->best[1].e9 - k->best[0].e9 >= m->improve_ticks * k->tick_e9)
		px.e9 -= away_e9;
	return px;
}

static struct target target_of(const struct maker *m, const struct market *k, uint32_t s)
{
	struct target none = {0}, t = {.flags = m->post_only ? GN_ORD_POST_ONLY : 0};

	if (m->down || k->flags & (GN_VIEW_STALE | GN_VIEW_HALTED | GN_VIEW_LOCKED | GN_VIEW_CROSSED))
		return none;
	if (k->best[0].e9 <= 0 || k->best[1].e9 <= k->best[0].e9)
		return none;
	t.qty = qty_min(m->size, m->position_max + (s == 0 ? -k->position : k->position));
	if (s == 1 && k->position < t.qty) { /* would sell what it does not have */
		if (k->flags & GN_VIEW_NO_SHORT || !m->short_ok)
			t.qty = k->position;
		else
			t.flags |= GN_ORD_SHORT;
	}
	t.px = target_px(m, k, s);
	return t.qty > 0 && t.px.e9 > 0 ? t : none;
}

static gn_oid quote_send(
	const struct maker *m, gn_inst inst, uint32_t s, const struct target *t, gn_oid oid_prev, gn_qty filled)
{
	struct gn_order_req req = {
		.kind = oid_prev ? GN_REQ_REPLACE : GN_REQ_NEW,
		.side = s == 0 ? GN_BUY : GN_SELL,
		.tif = GN_TIF_DAY,
		.flags = t->flags,
		.inst = inst,
		.oid_prev = oid_prev,
		.px = t->px,
		.qty = filled + t->qty,
	};

	return m->host->send(m->host->engine, &req);
}

static void quote_new(struct maker *m, gn_inst inst, uint32_t s, const struct target *t, uint64_t now_ns)
{
	gn_oid oid = quote_send(m, inst, s, t, 0, 0);

	if (!oid)
		return;
	m->market[inst].side[s] = (struct quote){
		.oid = oid,
		.px = t->px,
		.leaves = t->qty,
		.asked_ns = now_ns,
		.after_ns = now_ns + (uint64_t)m->interval_ms * NS_PER_MS,
		.state = QUOTE_NEW,
		.flags = t->flags,
	};
}

static void quote_replace(struct maker *m, gn_inst inst, uint32_t s, const struct target *t, uint64_t now_ns)
{
	struct quote *q = &m->market[inst].side[s];
	gn_oid oid = quote_send(m, inst, s, t, q->oid, q->filled);

	if (!oid)
		return;
	q->oid_next = oid;
	q->px_next = t->px;
	q->state = QUOTE_REPLACING;
	q->asked_ns = now_ns;
	q->after_ns = now_ns + (uint64_t)m->interval_ms * NS_PER_MS;
}

static void quote_cancel(const struct maker *m, struct quote *q, gn_oid oid, uint64_t now_ns)
{
	if (now_ns < q->cancel_after_ns || !m->host->cancel(m->host->engine, oid))
		return;
	q->state = QUOTE_CANCELING;
	q->asked_ns = now_ns;
}

/* Whether the order that rests is near enough to where it should be. */
static bool quote_good(const struct maker *m, const struct market *k, const struct quote *q, const struct target *t)
{
	int64_t off_e9 = q->px.e9 < t->px.e9 ? t->px.e9 - q->px.e9 : q->px.e9 - t->px.e9;

	return q->flags == t->flags && off_e9 < m->requote_ticks * k->tick_e9 && q->leaves <= t->qty
	       && q->leaves >= t->qty / 2;
}

static void quote_follow(struct maker *m, gn_inst inst, uint32_t s)
{
	struct market *k = &m->market[inst];
	struct quote *q = &k->side[s];

	if (q->state != QUOTE_NONE && q->state != QUOTE_LIVE)
		return;
	struct target t = target_of(m, k, s);
	if (q->state == QUOTE_NONE ? t.qty == 0 : t.qty != 0 && quote_good(m, k, q, &t))
		return;
	uint64_t now_ns = maker_now(m);
	if (t.qty != 0 && now_ns < q->after_ns)
		return;
	if (q->state == QUOTE_NONE)
		quote_new(m, inst, s, &t, now_ns);
	else if (t.qty != 0 && q->flags == t.flags)
		quote_replace(m, inst, s, &t, now_ns);
	else /* not wanted, or another kind of sale, which a replacement cannot make of it */
		quote_cancel(m, q, q->oid, now_ns);
}

static void maker_on_book(void *state, const struct gn_book_view *view)
{
	struct maker *m = state;

	if (!universe_has(&m->universe, view->inst))
		return;
	struct market *k = &m->market[view->inst];
	if (k->tick_e9 == 0) {
		k->tick_e9 = tick_e9_of(m->host, view->inst, m->tick_e9);
		m->n_known = view->inst >= m->n_known ? view->inst + 1 : m->n_known;
	}
	k->best[0] = view->level[0].bid_px;
	k->best[1] = view->level[0].ask_px;
	k->best_qty[0] = view->level[0].bid_qty;
	k->best_qty[1] = view->level[0].ask_qty;
	k->flags = view->flags;
	quote_follow(m, view->inst, 0);
	quote_follow(m, view->inst, 1);
}

static void quote_gone(struct quote *q)
{
	*q = (struct quote){.after_ns = q->after_ns};
}

/* Less is open. When nothing is, the order is finished; what comes of a replacement under way is for that to say. */
static void quote_shrank(struct quote *q, const struct gn_exec *exec)
{
	q->leaves = exec->leaves;
	if (exec->leaves == 0 && !(q->oid_next && exec->oid == q->oid))
		quote_gone(q);
}

static void quote_replaced(struct quote *q, const struct gn_exec *exec)
{
	if (exec->flags & GN_EXEC_F_DEAD) {
		quote_gone(q);
		return;
	}
	q->oid = exec->oid;
	q->oid_next = 0;
	q->px = exec->px.e9 ? exec->px : q->px_next;
	q->leaves = exec->leaves;
	if (q->state == QUOTE_REPLACING)
		q->state = QUOTE_LIVE;
}

/* Whether the verdict will be the same for a while, whatever is asked. */
static bool refused_for_long(const struct gn_exec *exec)
{
	if (exec->kind != GN_EXEC_REFUSED)
		return false;
	switch (exec->reason) {
	case GN_REFUSED_INSTRUMENT:
	case GN_REFUSED_KILLED:
	case GN_REFUSED_LOSS:
	case GN_REFUSED_REFERENCE:
	case GN_REFUSED_SHORT:
	case GN_REFUSED_TICK: return true;
	default: return false;
	}
}

/* A request was turned down, by risk or by the venue: what it was about is as it was before. */
static void quote_turned_down(const struct maker *m, struct quote *q, const struct gn_exec *exec)
{
	uint64_t now_ns = maker_now(m);
	bool unknown = exec->kind == GN_EXEC_REFUSED && exec->reason == GN_REFUSED_UNKNOWN;
	bool replacement = exec->oid == q->oid_next;

	q->after_ns = now_ns + (refused_for_long(exec) ? BACKOFF_LONG_NS : BACKOFF_NS);
	q->cancel_after_ns = now_ns + BACKOFF_NS / 10;
	if (replacement)
		q->oid_next = 0;
	if (replacement ? q->leaves > 0 : q->state == QUOTE_CANCELING && !unknown)
		q->state = QUOTE_LIVE;
	else if (replacement || q->state == QUOTE_NEW || q->state == QUOTE_CANCELING)
		quote_gone(q);
}

static void quote_on_exec(const struct maker *m, struct quote *q, const struct gn_exec *exec)
{
	switch (exec->kind) {
	case GN_EXEC_ACCEPTED:
		if (exec->flags & GN_EXEC_F_DEAD)
			quote_gone(q);
		else if (q->state == QUOTE_NEW)
			q->state = QUOTE_LIVE;
		break;
	case GN_EXEC_REPLACED: quote_replaced(q, exec); break;
	case GN_EXEC_FILLED:
		q->filled += exec->qty;
		quote_shrank(q, exec);
		break;
	case GN_EXEC_CANCELED: quote_shrank(q, exec); break;
	case GN_EXEC_RESTATED: q->px = exec->px.e9 ? exec->px : q->px; break;
	case GN_EXEC_REFUSED:
	case GN_EXEC_REJECTED:
	case GN_EXEC_CANCEL_REJECTED: quote_turned_down(m, q, exec); break;
	default: break;
	}
}

/* The refusal of a cancel names no instrument, since risk does not know the order: rare enough to look for it. */
static struct market *market_of(struct maker *m, const struct gn_exec *exec)
{
	if (exec->inst < UNIVERSE_MAX)
		return &m->market[exec->inst];
	for (gn_inst i = 0; i < m->n_known; i++)
		for (uint32_t s = 0; s < 2; s++)
			if (m->market[i].side[s].oid == exec->oid || m->market[i].side[s].oid_next == exec->oid)
				return &m->market[i];
	return NULL;
}

static void maker_on_exec(void *state, const struct gn_exec *exec)
{
	struct maker *m = state;

	if (exec->kind == GN_EXEC_UP || exec->kind == GN_EXEC_DOWN)
		m->down = exec->kind == GN_EXEC_DOWN;
	struct market *k = exec->oid || exec->flags & GN_EXEC_F_RECOVERED ? market_of(m, exec) : NULL;
	if (!k)
		return;
	if (exec->flags & GN_EXEC_F_RECOVERED || exec->kind == GN_EXEC_FILLED || exec->kind == GN_EXEC_BROKEN)
		k->position = exec->position;
	for (uint32_t s = 0; s < 2; s++)
		if (exec->oid == k->side[s].oid || exec->oid == k->side[s].oid_next)
			quote_on_exec(m, &k->side[s], exec);
}

static void market_sweep(struct maker *m, gn_inst inst, uint64_t now_ns)
{
	for (uint32_t s = 0; s < 2; s++) {
		struct quote *q = &m->market[inst].side[s];
		if (q->state == QUOTE_NONE || q->state == QUOTE_LIVE)
			quote_follow(m, inst, s);
		else if (now_ns - q->asked_ns > PATIENCE_NS)
			quote_cancel(m, q, q->oid_next ? q->oid_next : q->oid, now_ns);
	}
}

/* Quotes that no market event moved, and requests that nobody answered. */
static void maker_on_timer(void *state, uint64_t now_ns)
{
	struct maker *m = state;
	gn_inst n = m->n_known < SWEEP_MARKETS ? m->n_known : SWEEP_MARKETS;

	for (gn_inst i = 0; i < n; i++) {
		if (m->market[m->sweep].tick_e9)
			market_sweep(m, m->sweep, now_ns);
		m->sweep = m->sweep + 1 < m->n_known ? m->sweep + 1 : 0;
	}
	m->host->timer(m->host->engine, now_ns + SWEEP_NS);
}

static int maker_init(void *state, const struct gn_host *host, const char *params)
{
	struct maker *m = state;
	struct param_word symbols = {"all", 3};
	struct params_error error;

	m->host = host;
	m->size = 100;
	m->position_max = 1000;
	m->skew_qty = 200;
	m->requote_ticks = 1;
	m->improve_ticks = 4;
	m->interval_ms = 50;
	m->tick_e9 = 10 * 1000 * 1000;
	m->short_ok = m->post_only = 1;
	const struct param table[] = {
		{.key = "symbols", .word = &symbols},
		{.key = "size", .number = &m->size, .min = 1, .max = 1000000},
		{.key = "position_max", .number = &m->position_max, .min = 1, .max = 100000000},
		{.key = "skew_qty", .number = &m->skew_qty, .min = 1, .max = 100000000},
		{.key = "requote_ticks", .number = &m->requote_ticks, .min = 1, .max = 1000},
		{.key = "improve_ticks", .number = &m->improve_ticks, .min = 3, .max = 1000000},
		{.key = "interval_ms", .number = &m->interval_ms, .min = 0, .max = 60000},
		{.key = "tick_e9", .number = &m->tick_e9, .min = 1, .max = INT64_C(1000000000000)},
		{.key = "short_ok", .number = &m->short_ok, .min = 0, .max = 1},
		{.key = "post_only", .number = &m->post_only, .min = 0, .max = 1},
		{.key = NULL},
	};
	if (!params_parse(params, table, &error) || !universe_init(&m->universe, symbols, host, &error)) {
		host->say(host->engine, error.c);
		return 1;
	}
	host->timer(host->engine, host->now_ns(host->engine) + SWEEP_NS);
	return 0;
}

GN_STRATEGY(.name = "maker", .state_bytes = sizeof(struct maker), .init = maker_init, .on_book = maker_on_book,
	.on_exec = maker_on_exec, .on_timer = maker_on_timer);
