/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The whole rule set a second time, slow and obvious: nothing is kept but the open orders, the fills and the clock;
 * every sum is added up anew when it is asked for. Random requests, reports, market data, limit changes and kill
 * switches go to both; verdicts, orders, positions, exposures and what leaves must be equal after every step.
 *
 * GANNET_SEED sets the seed, GANNET_LONG=1 makes it ten million steps.
 */
#include <gannet/book_view.h>
#include <stdlib.h>

#include "risk_fixture.h"

#define INSTS 3u
#define ACCOUNTS 2u
#define ORDERS_MAX 40u
#define FILLS_MAX 4096u
#define EPISODE_STEPS 5000u
#define TOKEN_TSC 1000 /* every rate of the test grows a token in so many ticks */

enum state { GONE, WAITING, PENDING, LIVE };

struct m_order {
	gn_oid oid, parent; /* parent: what a pending replacement is to succeed */
	uint32_t inst, strategy;
	gn_side side;
	gn_px px;
	gn_qty total, leaves, executed;
	enum state state;
	uint64_t entered; /* the larger, the later it was listed */
	bool cancel_queued, reducing;
	gn_qty cancel_leave;
};

struct m_fill {
	gn_oid oid;
	uint64_t match, tsc;
	uint32_t inst, strategy;
	gn_px px;
	gn_qty qty; /* bought: positive */
	bool windowed, broken;
};

struct m_seen { /* an accepted order, for the duplicate window */
	uint32_t inst, strategy;
	gn_side side;
	int64_t px_e9;
	gn_qty qty;
	uint64_t tsc;
};

struct m_bucket { /* tokens, counted in ticks of growing */
	int64_t level, max;
	uint64_t tsc;
};

struct model {
	struct m_order order[ORDERS_MAX * 2 + 8];
	uint32_t n_orders;
	struct m_fill fill[FILLS_MAX];
	uint32_t n_fills;
	struct m_seen seen[512];
	uint64_t n_seen, n_entered;
	gn_px mark[INSTS][DESK_STRATEGIES];
	gn_oid oid_last[DESK_STRATEGIES];
	int64_t unfilled_room[DESK_STRATEGIES];
	struct m_bucket rate[DESK_STRATEGIES], venue;
	uint8_t killed_engine, killed_account[ACCOUNTS], killed_strategy[DESK_STRATEGIES],
		killed_inst[INSTS]; /* cause */
	bool up[DESK_STRATEGIES], permitted[INSTS], paced;
	gn_oid queue[ACCOUNTS][RISK_QUEUE_COUNT][512];
	uint32_t n_queue[ACCOUNTS][RISK_QUEUE_COUNT];
	uint32_t turn;
	struct gn_order_req sent[64];
	uint32_t n_sent;
};
static struct model m;
static uint64_t rng, seed, step;

static uint64_t rnd(uint64_t below)
{
	rng ^= rng << 13, rng ^= rng >> 7, rng ^= rng << 17;
	return (rng * UINT64_C(2685821657736338717) >> 32) % below;
}

static bool chance(uint64_t one_in)
{
	return rnd(one_in) == 0;
}

#define AGREE(a, b, what)                                                                                              \
	do {                                                                                                           \
		__int128 agree_a = (a), agree_b = (b);                                                                 \
		if (agree_a != agree_b)                                                                                \
			cr_assert_fail("seed %lu step %lu: %s: engine %lld, model %lld", seed, step, what,             \
				(long long)agree_a, (long long)agree_b);                                               \
	} while (0)

/* --- limits as they are now --- */

static const struct risk_limits *limits_of(enum risk_level level, uint32_t index)
{
	return risk_limits_at(&desk.risk, level, index);
}

static uint32_t account_of(uint32_t strategy)
{
	return desk.strategy[strategy].account;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static __int128 notional(gn_px px, gn_qty qty)
{
	__int128 exact = (__int128)px.e9 * qty;

	return exact >= 0 ? (exact + 1023) / 1024 : (exact - 1023) / 1024;
}

static __int128 notional_limit(int64_t quote)
{
	if (quote == RISK_UNLIMITED)
		return (__int128)INT64_MAX / 4 - 2;
	return (__int128)quote * 1000000000 / 1024;
}

/* --- sums over orders and fills --- */

static struct m_order *order_by(gn_oid oid)
{
	for (uint32_t i = 0; oid && i < m.n_orders; i++)
		if (m.order[i].oid == oid)
			return &m.order[i];
	return NULL;
}

static struct m_order *heir_of(const struct m_order *o)
{
	for (uint32_t i = 0; i < m.n_orders; i++)
		if (m.order[i].parent == o->oid)
			return &m.order[i];
	return NULL;
}

static gn_qty held_qty(const struct m_order *o)
{
	const struct m_order *p = order_by(o->parent);

	return !p ? o->leaves : o->leaves > p->leaves ? o->leaves - p->leaves : 0;
}

static __int128 held_notional(const struct m_order *o)
{
	const struct m_order *p = order_by(o->parent);
	__int128 own = notional(o->px, o->leaves), theirs = p ? notional(p->px, p->leaves) : 0;

	return own > theirs ? own - theirs : 0;
}

static gn_qty position(uint32_t inst, uint32_t strategy)
{
	gn_qty sum = 0;

	for (uint32_t i = 0; i < m.n_fills; i++)
		if (m.fill[i].inst == inst && m.fill[i].strategy == strategy && !m.fill[i].broken)
			sum += m.fill[i].qty;
	return sum;
}

static gn_qty position_cache[INSTS][DESK_STRATEGIES];

static void positions_again(void)
{
	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			position_cache[inst][s] = position(inst, s);
}

static gn_qty worst_cell(uint32_t inst, uint32_t strategy, gn_side side)
{
	gn_qty sum = side == GN_BUY ? position_cache[inst][strategy] : -position_cache[inst][strategy];

	for (uint32_t i = 0; i < m.n_orders; i++)
		if (m.order[i].inst == inst && m.order[i].strategy == strategy && m.order[i].side == side)
			sum += held_qty(&m.order[i]);
	return sum;
}

static gn_qty worst_inst(uint32_t inst, gn_side side)
{
	gn_qty sum = 0;

	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		sum += worst_cell(inst, s, side);
	return sum;
}

static bool in_scope(uint32_t strategy, enum risk_level level, uint32_t index)
{
	return level == RISK_ENGINE || (level == RISK_ACCOUNT && account_of(strategy) == index)
	       || (level == RISK_STRATEGY && strategy == index);
}

struct exposure {
	__int128 gross, net[2];
	int64_t n_open;
};

static struct exposure exposure_of(enum risk_level level, uint32_t index)
{
	struct exposure e = {0};

	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
			if (!in_scope(s, level, index))
				continue;
			__int128 n = notional(m.mark[inst][s], position_cache[inst][s]);
			e.gross += n < 0 ? -n : n;
			e.net[0] += n;
			e.net[1] -= n;
		}
	for (uint32_t i = 0; i < m.n_orders; i++) {
		const struct m_order *o = &m.order[i];
		if (!in_scope(o->strategy, level, index))
			continue;
		e.gross += held_notional(o);
		e.net[o->side - 1] += held_notional(o);
		e.n_open += order_by(o->parent) == NULL;
	}
	return e;
}

/* What everything is worth: what was received less what was paid, what is held, less fees. */
static __int128 worth_of(enum risk_level level, uint32_t index)
{
	__int128 sum = 0;

	for (uint32_t i = 0; i < m.n_fills; i++)
		if (in_scope(m.fill[i].strategy, level, index) && !m.fill[i].broken)
			sum -= (__int128)m.fill[i].px.e9 * m.fill[i].qty
			       + (__int128)desk.config.fee_remove_e9
			                 * (m.fill[i].qty < 0 ? -m.fill[i].qty : m.fill[i].qty);
	for (uint32_t inst = 0; inst < INSTS; inst++)
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			if (in_scope(s, level, index))
				sum += (__int128)m.mark[inst][s].e9 * position_cache[inst][s];
	return sum;
}

/* --- buckets --- */

static void bucket_grow(struct m_bucket *b)
{
	if (b->max == INT64_MAX)
		return;
	b->level = least(b->max, b->level + (int64_t)(desk.now_tsc - b->tsc));
	b->tsc = desk.now_tsc;
}

static bool bucket_has(struct m_bucket *b, int64_t beside)
{
	bucket_grow(b);
	return b->max == INT64_MAX || b->level >= (1 + beside) * TOKEN_TSC;
}

static void bucket_take(struct m_bucket *b)
{
	bucket_grow(b);
	if (b->max != INT64_MAX)
		b->level -= TOKEN_TSC;
}

/* --- the venue's pace --- */

static uint32_t n_waiting(unsigned classes)
{
	uint32_t n = 0;

	for (uint32_t a = 0; a < ACCOUNTS; a++)
		for (unsigned class = 0; class < classes; class ++)
			n += m.n_queue[a][class];
	return n;
}

static void send(const struct m_order *o, uint8_t kind, gn_qty qty)
{
	m.sent[m.n_sent++ % 64] = (struct gn_order_req){.kind = kind, .oid = o->oid, .qty = qty};
	bucket_take(&m.venue);
}

static void enqueue(const struct m_order *o, unsigned class)
{
	uint32_t a = account_of(o->strategy);

	m.queue[a][class][m.n_queue[a][class]++] = o->oid;
}

static void remove_order(struct m_order *o)
{
	*o = m.order[--m.n_orders];
}

static void ask_cancel(struct m_order *o, gn_qty leave)
{
	if (o->state == WAITING) {
		gn_oid parent = o->parent;
		remove_order(o);
		o = order_by(parent);
		if (!o)
			return;
	}
	if (!m.up[o->strategy] || !m.paced)
		return; /* kept until the session is up; without a pace nothing more is to be followed */
	if (n_waiting(1) == 0 && bucket_has(&m.venue, 0)) {
		send(o, GN_REQ_CANCEL, leave);
	} else if (o->cancel_queued) {
		o->cancel_leave = least(o->cancel_leave, leave);
	} else {
		o->cancel_queued = true;
		o->cancel_leave = leave;
		enqueue(o, RISK_QUEUE_CANCEL);
	}
}

static void pop(uint32_t a, unsigned class)
{
	m.n_queue[a][class]--;
	memmove(m.queue[a][class], m.queue[a][class] + 1, m.n_queue[a][class] * sizeof(gn_oid));
	m.turn++;
}

static bool poll_queue(uint32_t a, unsigned class)
{
	struct m_order *o = order_by(m.queue[a][class][0]);
	bool cancel = class == RISK_QUEUE_CANCEL;

	if (o && (cancel ? o->cancel_queued : o->state == WAITING)) {
		if (!bucket_has(&m.venue, cancel ? 0 : desk.config.venue_reserve))
			return false;
		send(o,
			cancel      ? GN_REQ_CANCEL
			: o->parent ? GN_REQ_REPLACE
				    : GN_REQ_NEW,
			cancel ? o->cancel_leave : o->total);
		if (cancel)
			o->cancel_queued = false;
		else
			o->state = PENDING;
	}
	pop(a, class);
	return true;
}

static bool poll_once(void)
{
	for (unsigned class = 0; class < RISK_QUEUE_COUNT; class ++)
		for (uint32_t i = 0; i < ACCOUNTS; i++) {
			uint32_t a = (m.turn + i) % ACCOUNTS;
			if (m.n_queue[a][class] && poll_queue(a, class))
				return true;
		}
	return false;
}

/* --- verdicts --- */

static enum gn_verdict verdict_of_cause(uint8_t cause)
{
	return cause == RISK_CAUSE_NONE                                         ? GN_ACCEPTED
	       : cause == RISK_CAUSE_LOSS                                       ? GN_REFUSED_LOSS
	       : cause == RISK_CAUSE_REPEATED || cause == RISK_CAUSE_PROTECTION ? GN_REFUSED_REPEATED
	                                                                        : GN_REFUSED_KILLED;
}

static enum gn_verdict gate_of(const struct gn_order_req *q)
{
	if (m.killed_engine)
		return verdict_of_cause(m.killed_engine);
	if (m.killed_account[account_of(q->strategy)])
		return verdict_of_cause(m.killed_account[account_of(q->strategy)]);
	if (m.killed_strategy[q->strategy])
		return verdict_of_cause(m.killed_strategy[q->strategy]);
	if (!m.up[q->strategy])
		return GN_REFUSED_SESSION;
	if (q->inst >= INSTS || !m.permitted[q->inst])
		return GN_REFUSED_INSTRUMENT;
	if (m.killed_inst[q->inst])
		return GN_REFUSED_KILLED;
	return q->side == GN_BUY || q->side == GN_SELL ? GN_ACCEPTED : GN_REFUSED_SIDE;
}

struct ask { /* what an order adds */
	gn_qty qty;
	__int128 ntl;
	int64_t orders;
};

static bool over_any(const struct gn_order_req *q, __int128 more, int which, enum risk_key key)
{
	for (unsigned level = RISK_ENGINE; level <= RISK_STRATEGY; level++) {
		uint32_t index = level == RISK_ACCOUNT    ? account_of(q->strategy)
		                 : level == RISK_STRATEGY ? q->strategy
		                                          : 0;
		struct exposure e = exposure_of(level, index);
		int64_t limit = risk_limit_get(limits_of(level, index), key);
		__int128 used = which == 0 ? e.gross : which == 1 ? e.net[q->side - 1] : e.n_open;
		__int128 most = which == 2 ? least(limit, RISK_QTY_MAX) : notional_limit(limit);
		if (more > 0 && used + more > most)
			return true;
	}
	return false;
}

static bool breaks_short(const struct gn_order_req *q, const struct gn_quote *quote, gn_qty more)
{
	bool marked = q->flags & (GN_ORD_SHORT | GN_ORD_SHORT_EXEMPT);

	if (q->side == GN_BUY || (!marked && worst_cell(q->inst, q->strategy, GN_SELL) + more <= 0))
		return false;
	if (!(desk.strategy[q->strategy].may & RISK_MAY_SHORT) || (desk.config.mark_shorts && !marked))
		return true;
	if (worst_inst(q->inst, GN_SELL) + more > least(desk.config.locate_default, RISK_QTY_MAX))
		return true;
	return (quote->flags & GN_VIEW_NO_SHORT) && !(q->flags & GN_ORD_SHORT_EXEMPT) && q->px.e9 <= quote->bid.e9;
}

static bool crosses(const struct gn_order_req *q, const struct m_order *o)
{
	return o->inst == q->inst && o->side != q->side
	       && (q->side == GN_BUY ? q->px.e9 >= o->px.e9 : q->px.e9 <= o->px.e9);
}

static bool breaks_self_match(const struct gn_order_req *q)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < m.n_orders; i++) {
		const struct m_order *o = &m.order[i];
		if (!crosses(q, o))
			continue;
		n++;
		if (desk.config.self_match == RISK_SELF_MATCH_REFUSE
			|| account_of(o->strategy) != account_of(q->strategy) || !m.up[o->strategy])
			return true;
		if (desk.config.self_match == RISK_SELF_MATCH_DECREMENT
			&& (o->reducing || o->parent || heir_of(o) || q->kind == GN_REQ_REPLACE))
			return true;
	}
	return n > 8;
}

static bool breaks_duplicate(const struct gn_order_req *q)
{
	uint64_t window = (uint64_t)limits_of(RISK_STRATEGY, q->strategy)->duplicate_window_us * 1000;

	for (uint64_t i = m.n_seen > 512 ? m.n_seen - 512 : 0; i < m.n_seen; i++) {
		const struct m_seen *s = &m.seen[i % 512];
		if (s->inst == q->inst && s->strategy == q->strategy && s->side == q->side && s->px_e9 == q->px.e9
			&& s->qty == q->qty && desk.now_tsc - s->tsc < window)
			return true;
	}
	return false;
}

static bool breaks_patience(const struct gn_order_req *q)
{
	uint32_t n = n_waiting(RISK_QUEUE_COUNT);

	if (q->kind == GN_REQ_REPLACE || m.venue.max == INT64_MAX)
		return false;
	bucket_grow(&m.venue);
	int64_t lacks = (1 + desk.config.venue_reserve + n) * TOKEN_TSC - m.venue.level;
	return lacks > desk.config.patience_us * 1000;
}

static bool breaks_collar(const struct gn_order_req *q, const struct gn_quote *quote, const struct risk_limits *l)
{
	__int128 twice_off = 2 * (__int128)q->px.e9 - quote->bid.e9 - quote->ask.e9;

	if (quote->bid.e9 == 0 || quote->ask.e9 == 0)
		return false;
	twice_off = twice_off < 0 ? -twice_off : twice_off;
	return (l->collar_ticks != RISK_UNLIMITED
		       && twice_off > 2 * (__int128)l->collar_ticks * desk.config.tick_default.e9)
	       || twice_off * 10000 > ((__int128)quote->bid.e9 + quote->ask.e9) * l->collar_bps;
}

static int64_t tightest(const struct gn_order_req *q, enum risk_key key)
{
	return least(least(risk_limit_get(limits_of(RISK_ENGINE, 0), key),
			     risk_limit_get(limits_of(RISK_ACCOUNT, account_of(q->strategy)), key)),
		least(risk_limit_get(limits_of(RISK_STRATEGY, q->strategy), key),
			risk_limit_get(limits_of(RISK_INSTRUMENT, q->inst), key)));
}

static enum gn_verdict judge_form(const struct gn_order_req *q)
{
	int64_t tick = q->px.e9 < 1000000000 ? 100000 : 10000000;

	if (q->oid >> 48 != q->strategy + 1)
		return GN_REFUSED_STRATEGY;
	if (q->oid <= m.oid_last[q->strategy])
		return GN_REFUSED_DUPLICATE;
	if (q->side == GN_BUY && !(desk.strategy[q->strategy].may & RISK_MAY_BUY))
		return GN_REFUSED_SIDE;
	if (q->side == GN_SELL && !(desk.strategy[q->strategy].may & (RISK_MAY_SELL | RISK_MAY_SHORT)))
		return GN_REFUSED_SIDE;
	if (q->tif != GN_TIF_DAY && q->tif != GN_TIF_IOC)
		return GN_REFUSED_TIF;
	if (q->qty <= 0 || q->qty > least(tightest(q, RISK_KEY_order_qty_max), RISK_QTY_MAX))
		return GN_REFUSED_QTY;
	if (q->px.e9 <= 0 || q->px.e9 > INT64_MAX / 4)
		return GN_REFUSED_PRICE;
	return q->px.e9 % tick || q->qty % desk.config.lot_default ? GN_REFUSED_TICK : GN_ACCEPTED;
}

static enum gn_verdict judge(const struct gn_order_req *q, const struct ask *add)
{
	struct gn_quote quote = gn_board_read(&desk.board, q->inst);
	const struct risk_limits *inst = limits_of(RISK_INSTRUMENT, q->inst),
				 *own = limits_of(RISK_STRATEGY, q->strategy);
	enum gn_verdict v = judge_form(q);

	if (v != GN_ACCEPTED)
		return v;
	if (notional(q->px, q->qty) > notional_limit(tightest(q, RISK_KEY_order_notional_max)))
		return GN_REFUSED_NOTIONAL;
	if (quote.flags & GN_VIEW_HALTED)
		return GN_REFUSED_HALTED;
	if ((quote.flags & GN_VIEW_STALE) || desk.now_tsc - quote.tsc > (uint64_t)inst->stale_us_max * 1000)
		return GN_REFUSED_STALE;
	if ((quote.bid.e9 == 0 || quote.ask.e9 == 0) && !desk.config.allow_no_reference)
		return GN_REFUSED_REFERENCE;
	if (breaks_collar(q, &quote, inst))
		return GN_REFUSED_COLLAR;
	if (breaks_short(q, &quote, add->qty))
		return GN_REFUSED_SHORT;
	int64_t own_max = q->side == GN_BUY ? own->long_max : own->short_max;
	int64_t inst_max = q->side == GN_BUY ? inst->long_max : inst->short_max;
	if (add->qty > 0
		&& (worst_cell(q->inst, q->strategy, q->side) + add->qty > own_max
			|| worst_inst(q->inst, q->side) + add->qty > inst_max))
		return GN_REFUSED_POSITION;
	if (over_any(q, add->ntl, 0, RISK_KEY_gross_notional_max))
		return GN_REFUSED_GROSS;
	if (over_any(q, add->ntl, 1, RISK_KEY_net_notional_max))
		return GN_REFUSED_NET;
	if (over_any(q, add->orders, 2, RISK_KEY_open_orders_max))
		return GN_REFUSED_OPEN;
	if (!bucket_has(&m.rate[q->strategy], 0))
		return GN_REFUSED_RATE;
	if (m.unfilled_room[q->strategy] <= 0)
		return GN_REFUSED_RATIO;
	if (m.n_orders >= desk.config.orders_max)
		return GN_REFUSED_TABLE;
	if (desk.journal_full)
		return GN_REFUSED_JOURNAL;
	if (breaks_duplicate(q))
		return GN_REFUSED_DUPLICATE;
	if (breaks_self_match(q))
		return GN_REFUSED_SELF_MATCH;
	return breaks_patience(q) ? GN_REFUSED_PATIENCE : GN_ACCEPTED;
}

/* Own orders in the way, the latest first. Returns what is left of the quantity. */
static gn_qty clear_way(const struct gn_order_req *q)
{
	gn_oid way[16];
	uint64_t before = UINT64_MAX;
	uint32_t n = 0;
	gn_qty qty = q->qty;

	for (bool more = true; more;) {
		const struct m_order *latest = NULL;
		for (uint32_t i = 0; i < m.n_orders; i++)
			if (crosses(q, &m.order[i]) && m.order[i].entered < before
				&& (!latest || m.order[i].entered > latest->entered))
				latest = &m.order[i];
		more = latest != NULL;
		if (more) {
			before = latest->entered;
			way[n++] = latest->oid;
		}
	}
	for (uint32_t i = 0; i < n && qty > 0; i++) {
		struct m_order *o = order_by(way[i]);
		if (!o)
			continue;
		gn_qty common = least(qty, o->leaves), leaves = o->leaves, executed = o->executed;
		bool all = desk.config.self_match == RISK_SELF_MATCH_CANCEL_RESTING || qty >= leaves;
		o->reducing = true;
		ask_cancel(o, all ? 0 : executed + leaves - common);
		qty -= desk.config.self_match == RISK_SELF_MATCH_DECREMENT ? common : 0;
	}
	return qty;
}

static void enter(const struct gn_order_req *q, gn_qty qty, gn_oid parent)
{
	const struct m_order *p = order_by(parent);
	struct m_order o = {.oid = q->oid,
		.parent = parent,
		.inst = q->inst,
		.strategy = q->strategy,
		.side = q->side,
		.px = q->px,
		.total = qty,
		.executed = p ? p->executed : 0,
		.entered = ++m.n_entered,
		.state = PENDING};

	o.leaves = qty > o.executed ? qty - o.executed : 0;
	if (n_waiting(RISK_QUEUE_COUNT) == 0 && bucket_has(&m.venue, desk.config.venue_reserve)) {
		send(&o, q->kind, qty);
	} else {
		o.state = WAITING;
		enqueue(&o, parent ? RISK_QUEUE_REPLACE : RISK_QUEUE_NEW);
	}
	m.order[m.n_orders++] = o;
	m.seen[m.n_seen++ % 512] = (struct m_seen){q->inst, q->strategy, q->side, q->px.e9, q->qty, desk.now_tsc};
	bucket_take(&m.rate[q->strategy]);
	m.unfilled_room[q->strategy]--;
	m.oid_last[q->strategy] = q->oid;
}

static enum gn_verdict model_new(const struct gn_order_req *q)
{
	struct ask add = {q->qty, notional(q->px, q->qty), 1};
	enum gn_verdict v = gate_of(q);

	if (v == GN_ACCEPTED)
		v = judge(q, &add);
	if (v != GN_ACCEPTED)
		return v;
	gn_qty left = clear_way(q);
	if (left == 0)
		return GN_REFUSED_SELF_MATCH;
	enter(q, left, 0);
	return GN_ACCEPTED;
}

static enum gn_verdict model_replace(const struct gn_order_req *q)
{
	struct m_order *p = order_by(q->oid_prev);

	if (!m.up[q->strategy])
		return GN_REFUSED_SESSION;
	if (!p || p->strategy != q->strategy || heir_of(p) || p->parent || p->state == WAITING)
		return GN_REFUSED_UNKNOWN;
	if (q->inst != p->inst)
		return GN_REFUSED_INSTRUMENT;
	if (q->side != p->side)
		return GN_REFUSED_SIDE;
	if (q->qty <= 0 || q->qty > RISK_QTY_MAX)
		return GN_REFUSED_QTY;
	if (q->px.e9 <= 0 || q->px.e9 > INT64_MAX / 4)
		return GN_REFUSED_PRICE;
	gn_qty leaves = q->qty > p->executed ? q->qty - p->executed : 0;
	__int128 more = notional(q->px, leaves) - notional(p->px, p->leaves);
	bool keener = q->side == GN_BUY ? q->px.e9 > p->px.e9 : q->px.e9 < p->px.e9;
	if (leaves <= p->leaves && !keener && more <= 0) {
		int64_t tick = q->px.e9 < 1000000000 ? 100000 : 10000000;
		if (q->oid >> 48 != q->strategy + 1)
			return GN_REFUSED_STRATEGY;
		if (q->oid <= m.oid_last[q->strategy])
			return GN_REFUSED_DUPLICATE;
		if (q->tif != GN_TIF_DAY && q->tif != GN_TIF_IOC)
			return GN_REFUSED_TIF;
		if (q->px.e9 % tick || q->qty % desk.config.lot_default)
			return GN_REFUSED_TICK;
	} else {
		struct ask add = {leaves > p->leaves ? leaves - p->leaves : 0, more > 0 ? more : 0, 0};
		enum gn_verdict v = gate_of(q);
		if (v == GN_ACCEPTED)
			v = judge(q, &add);
		if (v != GN_ACCEPTED)
			return v;
		clear_way(q);
	}
	enter(q, q->qty, p->oid);
	return GN_ACCEPTED;
}

static enum gn_verdict model_request(const struct gn_order_req *q)
{
	if (q->strategy >= DESK_STRATEGIES)
		return GN_REFUSED_STRATEGY;
	if (q->kind == GN_REQ_NEW)
		return model_new(q);
	if (q->kind == GN_REQ_REPLACE)
		return model_replace(q);
	if (q->kind != GN_REQ_CANCEL)
		return GN_REFUSED_KIND;
	struct m_order *o = order_by(q->oid);
	if (!o || o->strategy != q->strategy || q->qty < 0)
		return GN_REFUSED_UNKNOWN;
	ask_cancel(o, q->qty);
	return GN_ACCEPTED;
}

/* --- reports --- */

static void model_kill(uint8_t *cause, enum risk_cause now)
{
	if (!*cause)
		*cause = (uint8_t)now;
}

static bool loss_reached(enum risk_level level, uint32_t index)
{
	int64_t limit = limits_of(level, index)->loss_max;

	return limit != RISK_UNLIMITED && -worth_of(level, index) >= (__int128)limit * 1000000000;
}

static void model_losses(uint32_t from, uint32_t to)
{
	for (uint32_t s = from; s < to; s++)
		if (loss_reached(RISK_STRATEGY, s))
			model_kill(&m.killed_strategy[s], RISK_CAUSE_LOSS);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		if ((to - from > 1 || a == account_of(from)) && loss_reached(RISK_ACCOUNT, a))
			model_kill(&m.killed_account[a], RISK_CAUSE_LOSS);
	if (loss_reached(RISK_ENGINE, 0))
		model_kill(&m.killed_engine, RISK_CAUSE_LOSS);
}

static void model_windows(uint32_t strategy)
{
	const struct risk_limits *l = limits_of(RISK_STRATEGY, strategy);
	int64_t n[2] = {0}, qty = 0, delta = 0;

	for (uint32_t i = 0; i < m.n_fills; i++) {
		const struct m_fill *f = &m.fill[i];
		if (f->strategy != strategy || !f->windowed)
			continue;
		n[0] += desk.now_tsc - f->tsc < (uint64_t)l->repeat_window_ms * 1000000;
		if (desk.now_tsc - f->tsc < (uint64_t)l->protect_window_ms * 1000000) {
			n[1]++;
			qty += f->qty < 0 ? -f->qty : f->qty;
			delta += f->qty;
		}
	}
	if (n[0] > l->repeat_fills_max)
		model_kill(&m.killed_strategy[strategy], RISK_CAUSE_REPEATED);
	if (n[1] > l->protect_fills_max || qty > l->protect_qty_max
		|| (delta < 0 ? -delta : delta) > l->protect_delta_max)
		model_kill(&m.killed_strategy[strategy], RISK_CAUSE_PROTECTION);
}

static void spend(struct m_order *o, gn_qty qty, bool of_chain)
{
	struct m_order *heir = heir_of(o);

	o->leaves = qty < o->leaves ? o->leaves - qty : 0;
	if (!of_chain)
		return;
	o->executed += qty;
	if (heir) {
		heir->executed = o->executed;
		heir->leaves = heir->total > heir->executed ? heir->total - heir->executed : 0;
	}
}

static void model_fill(struct m_order *o, const struct gn_exec *e)
{
	for (uint32_t i = 0; i < m.n_fills; i++)
		if (m.fill[i].match == e->match && m.fill[i].oid == e->oid && !m.fill[i].broken)
			return;
	spend(o, e->qty, true);
	m.fill[m.n_fills++] = (struct m_fill){o->oid, e->match, desk.now_tsc, o->inst, o->strategy, e->px,
		o->side == GN_BUY ? e->qty : -e->qty, true, false};
	m.mark[o->inst][o->strategy] = e->px;
	if (desk.strategy[o->strategy].limits.orders_unfilled_max != RISK_UNLIMITED)
		m.unfilled_room[o->strategy] += limits_of(RISK_STRATEGY, o->strategy)->orders_per_fill_max;
	positions_again();
	model_windows(o->strategy);
	model_losses(o->strategy, o->strategy + 1);
}

static void restate(struct m_order *o, gn_px px, gn_qty leaves)
{
	if (px.e9 > 0)
		o->px = px;
	if (leaves >= 0)
		o->leaves = leaves;
	o->entered = ++m.n_entered;
}

static void model_break(const struct gn_exec *e)
{
	for (uint32_t i = 0; i < m.n_fills; i++)
		if (m.fill[i].match == e->match && m.fill[i].oid == e->oid && !m.fill[i].broken) {
			m.fill[i].broken = true;
			m.mark[m.fill[i].inst][m.fill[i].strategy] = m.fill[i].px;
		}
	positions_again();
}

static void model_report(const struct gn_exec *e)
{
	struct m_order *o = order_by(e->oid);

	if (e->kind == GN_EXEC_BROKEN) {
		model_break(e);
		return;
	}
	if (!o)
		return;
	bool is_heir = o->parent != 0;
	switch (e->kind) {
	case GN_EXEC_ACCEPTED:
		if (o->state != PENDING || is_heir)
			return;
		o->state = LIVE;
		restate(o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty > 0 ? e->qty - o->executed : o->leaves);
		break;
	case GN_EXEC_REPLACED:
		if (o->state != PENDING || !is_heir)
			return;
		if (order_by(o->parent)) {
			remove_order(order_by(o->parent));
			o = order_by(e->oid);
		}
		o->parent = 0;
		o->state = LIVE;
		restate(o, e->px, e->flags & GN_EXEC_F_DEAD ? 0 : e->qty);
		break;
	case GN_EXEC_FILLED:
		if (e->qty <= 0 || e->px.e9 <= 0)
			return;
		model_fill(o, e);
		break;
	case GN_EXEC_CANCELED:
		if (e->qty <= 0)
			return;
		o->reducing = false;
		spend(o, e->qty, e->flags & GN_EXEC_F_PREVENTED);
		break;
	case GN_EXEC_REJECTED:
		if (o->state != PENDING)
			return;
		o->leaves = 0;
		break;
	case GN_EXEC_RESTATED: restate(o, e->px, e->reason == 'M' ? e->qty : o->leaves); break;
	case GN_EXEC_CANCEL_REJECTED: o->reducing = false; return;
	default: return;
	}
	if (o->leaves == 0)
		remove_order(o);
}

/* --- comparison --- */

static void agree_scope(const struct risk_scope *s, enum risk_level level, uint32_t index)
{
	struct exposure e = exposure_of(level, index);

	AGREE(risk_ntl_from_quote(s->limits.gross_notional_max) - s->room.gross, e.gross, "gross");
	AGREE(risk_ntl_from_quote(s->limits.net_notional_max) - s->room.net[0], e.net[0], "net long");
	AGREE(risk_ntl_from_quote(s->limits.net_notional_max) - s->room.net[1], e.net[1], "net short");
	AGREE(risk_scope_open(s), e.n_open, "open orders");
	AGREE(risk_pnl_total(&s->pnl), worth_of(level, index), "profit and loss");
}

static void agree_orders(void)
{
	AGREE(orders_open(&desk.risk.orders), m.n_orders, "orders");
	for (uint32_t i = 0; i < m.n_orders; i++) {
		const struct m_order *o = &m.order[i];
		uint32_t slot = orders_find(&desk.risk.orders, o->oid);
		AGREE(slot != ORDER_NONE, 1, "order exists");
		AGREE(desk.risk.orders.pool[slot].leaves, o->leaves, "leaves");
		AGREE(desk.risk.orders.pool[slot].executed, o->executed, "executed");
		AGREE(desk.risk.orders.pool[slot].req.px.e9, o->px.e9, "price");
		AGREE(desk.risk.orders.pool[slot].reserved_qty, held_qty(o), "reserved quantity");
	}
}

static void agree_everything(void)
{
	agree_orders();
	for (uint32_t inst = 0; inst < INSTS; inst++) {
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
			const struct risk_cell *c = risk_cell(&desk.risk, inst, s);
			AGREE(risk_ledger(&desk.risk, inst, s)->pos.qty, position_cache[inst][s], "position");
			AGREE(c->side[0].worst, worst_cell(inst, s, GN_BUY), "worst long");
			AGREE(c->side[1].worst, worst_cell(inst, s, GN_SELL), "worst short");
		}
		AGREE(desk.risk.inst[inst].side[0].worst, worst_inst(inst, GN_BUY), "worst long of all");
		AGREE(desk.risk.inst[inst].side[1].worst, worst_inst(inst, GN_SELL), "worst short of all");
	}
	agree_scope(&desk.risk.engine, RISK_ENGINE, 0);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		agree_scope(&desk.risk.account[a].scope, RISK_ACCOUNT, a);
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		agree_scope(&desk.risk.strategy[s].scope, RISK_STRATEGY, s);
}

/* What left: all of it in order when there is a pace; without one, orders and replacements. */
static void agree_sent(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < desk.n_sent; i++) {
		if (!m.paced && desk.sent[i].kind == GN_REQ_CANCEL)
			continue;
		AGREE(n < m.n_sent, 1, "one more sent");
		AGREE(desk.sent[i].kind, m.sent[n].kind, "kind sent");
		AGREE(desk.sent[i].oid, m.sent[n].oid, "order sent");
		AGREE(desk.sent[i].qty, m.sent[n].qty, "quantity sent");
		n++;
	}
	AGREE(n, m.n_sent, "messages sent");
	desk.n_sent = m.n_sent = 0;
}

/* --- random --- */

static struct gn_order_req random_request(void)
{
	uint32_t s = (uint32_t)rnd(DESK_STRATEGIES);
	struct gn_order_req q =
		desk_order(s, (gn_side)(GN_BUY + rnd(2)), CENTS(9990 + (int64_t)rnd(21)), 1 + (gn_qty)rnd(100));
	const struct m_order *o = m.n_orders ? &m.order[rnd(m.n_orders)] : NULL;

	q.inst = (gn_inst)rnd(INSTS);
	q.flags = chance(4) ? GN_ORD_SHORT : chance(20) ? GN_ORD_SHORT_EXEMPT : 0;
	if (chance(400))
		q.px.e9 = (int64_t[]){0, -1, INT64_MIN, INT64_MAX, INT64_MAX / 4, 10000001}[rnd(6)];
	if (chance(400))
		q.qty = (int64_t[]){0, -1, INT64_MIN, INT64_MAX, RISK_QTY_MAX, RISK_QTY_MAX + 1}[rnd(6)];
	if (chance(300))
		q.side = (gn_side)rnd(4);
	if (chance(300))
		q.tif = (uint8_t)rnd(5);
	if (chance(300))
		q.inst = chance(2) ? INSTS : GN_INST_NONE;
	if (chance(300))
		q.oid = rnd(2) ? m.oid_last[s] : gn_oid_make((uint32_t)rnd(3), rnd(1000));
	if (chance(300))
		q.strategy = (uint32_t)rnd(4);
	if (chance(300))
		q.kind = (uint8_t)rnd(6);
	if (o && chance(3)) {
		q.kind = GN_REQ_REPLACE;
		q.oid_prev = o->oid;
		q.inst = o->inst;
		q.side = o->side;
		if (!chance(10)) {
			q.strategy = o->strategy;
			q.oid = gn_oid_make(o->strategy, ++desk.next[o->strategy]);
		}
		if (chance(2))
			q.px = o->px;
	} else if (o && chance(4)) {
		q.kind = GN_REQ_CANCEL;
		q.oid = o->oid;
		q.qty = chance(3) ? (gn_qty)rnd(50) : 0;
		if (!chance(20))
			q.strategy = o->strategy;
	}
	return q;
}

static void step_request(void)
{
	struct gn_order_req q = random_request(), judged = q;
	enum gn_verdict v = model_request(&q);

	AGREE(risk_request(&desk.risk, &judged, desk.now_tsc), v, "verdict");
}

static struct gn_exec random_report(void)
{
	const struct m_order *o = m.n_orders ? &m.order[rnd(m.n_orders)] : NULL;
	struct gn_exec e = {
		.oid = o ? o->oid : gn_oid_make(0, 1 + rnd(100)), .inst = 1, .side = GN_BUY, .match = ++m.n_entered};

	if (chance(100))
		e.oid = rnd(2) ? gn_oid_make((uint32_t)rnd(4), 1 + rnd(1000)) : rnd(UINT64_MAX);
	e.kind = (uint8_t[]){GN_EXEC_FILLED, GN_EXEC_FILLED, GN_EXEC_CANCELED, GN_EXEC_CANCELED, GN_EXEC_RESTATED,
		GN_EXEC_CANCEL_REJECTED, GN_EXEC_CANCEL_PENDING, GN_EXEC_ACCEPTED}[rnd(8)];
	if (o && o->state == PENDING && !chance(10))
		e.kind = chance(6) ? GN_EXEC_REJECTED : o->parent ? GN_EXEC_REPLACED : GN_EXEC_ACCEPTED;
	if (chance(200))
		e.kind = (uint8_t)(rnd(2) ? rnd(GN_EXEC_UP) : 200);
	e.oid_prev = o ? o->parent : 0;
	e.px = CENTS(9990 + (int64_t)rnd(21));
	if (e.kind != GN_EXEC_FILLED && chance(2))
		e.px.e9 = 0;
	e.qty = 1 + (gn_qty)rnd(60);
	if (o && chance(2))
		e.qty = o->leaves;
	if (e.kind == GN_EXEC_ACCEPTED && o)
		e.qty = chance(10) ? 1 + (gn_qty)rnd(100) : o->total;
	if (e.kind == GN_EXEC_RESTATED && chance(2))
		e.reason = 'M';
	e.code = chance(2) ? GN_CODE_VOID : 17;
	e.flags = chance(30) ? GN_EXEC_F_DEAD : 0;
	if (e.kind == GN_EXEC_CANCELED && chance(4))
		e.flags = GN_EXEC_F_PREVENTED;
	if (e.kind == GN_EXEC_REPLACED && o)
		e.qty = o->leaves;
	if (m.n_fills && chance(40)) { /* a fill again, or made void */
		const struct m_fill *f = &m.fill[rnd(m.n_fills)];
		e.kind = chance(2) ? GN_EXEC_BROKEN : GN_EXEC_FILLED;
		e.match = f->match;
		e.oid = f->oid;
		e.px = f->px;
	}
	return e;
}

static void step_report(void)
{
	struct gn_exec e = random_report();
	const struct m_order *o = order_by(e.oid);

	if (o && o->state == WAITING)
		return; /* the venue cannot know it */
	if (e.kind == GN_EXEC_FILLED && m.n_fills >= FILLS_MAX)
		return;
	model_report(&e);
	risk_report(&desk.risk, &e, desk.now_tsc);
}

static void step_quote(void)
{
	gn_inst inst = (gn_inst)rnd(INSTS);
	int64_t bid = 9992 + (int64_t)rnd(12);
	uint32_t flags = chance(20) ? GN_VIEW_HALTED : chance(20) ? GN_VIEW_STALE : chance(10) ? GN_VIEW_NO_SHORT : 0;

	desk_quote(inst, chance(30) ? PX(0) : CENTS(bid), CENTS(bid + 1 + (int64_t)rnd(3)), flags);
}

static void step_housekeep(void)
{
	risk_housekeep(&desk.risk, desk.now_tsc);
	for (uint32_t inst = 0; inst < INSTS; inst++) {
		struct gn_quote q = gn_board_read(&desk.board, inst);
		int64_t px = q.bid.e9 && q.ask.e9 ? q.bid.e9 + (q.ask.e9 - q.bid.e9) / 2 : q.last.e9;
		for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
			if (!(q.flags & GN_VIEW_STALE) && px > 0 && position_cache[inst][s])
				m.mark[inst][s].e9 = px;
	}
	model_losses(0, DESK_STRATEGIES);
}

static uint8_t *switch_of(enum risk_level level, uint32_t index)
{
	return level == RISK_ENGINE     ? &m.killed_engine
	       : level == RISK_ACCOUNT  ? &m.killed_account[index]
	       : level == RISK_STRATEGY ? &m.killed_strategy[index]
	                                : &m.killed_inst[index];
}

static void step_switch(void)
{
	static const uint32_t n[RISK_LEVEL_COUNT] = {1, ACCOUNTS, DESK_STRATEGIES, INSTS};
	enum risk_level level = (enum risk_level)rnd(RISK_LEVEL_COUNT);
	uint32_t index = (uint32_t)rnd(n[level]);
	uint8_t *cause = switch_of(level, index);

	if (*cause) {
		AGREE(risk_release(&desk.risk, level, index, "model", desk.now_tsc), 1, "release");
		*cause = 0;
		for (uint32_t i = 0; level == RISK_STRATEGY && i < m.n_fills; i++)
			if (m.fill[i].strategy == index)
				m.fill[i].windowed = false;
	} else if (chance(8)) {
		AGREE(risk_kill(&desk.risk, level, index, RISK_CAUSE_PERSON, "model", desk.now_tsc), 1, "kill");
		*cause = RISK_CAUSE_PERSON;
	}
}

static void step_session(void)
{
	uint64_t set = rnd(1 << DESK_STRATEGIES);
	bool up = !chance(4);
	struct gn_exec e = {.kind = up ? GN_EXEC_UP : GN_EXEC_DOWN, .match = set};

	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		if (set >> s & 1)
			m.up[s] = up;
	risk_report(&desk.risk, &e, desk.now_tsc);
}

/* Keys whose buckets the model does not follow through a change are left alone. */
static void step_limit(void)
{
	enum risk_level level = (enum risk_level)rnd(RISK_LEVEL_COUNT);
	enum risk_key key = (enum risk_key)rnd(RISK_KEY_COUNT);
	uint32_t index = level == RISK_ENGINE ? 0 : (uint32_t)rnd(2);
	struct risk_limits *l = risk_limits_at(&desk.risk, level, index);

	if (key == RISK_KEY_orders_per_s_max || key == RISK_KEY_orders_burst_max || key == RISK_KEY_session_per_s_max
		|| key == RISK_KEY_session_burst_max || !(risk_key_info[key].levels & 1u << level))
		return;
	int64_t before = risk_limit_get(l, key),
		hard = risk_limit_get(level == RISK_INSTRUMENT ? &desk.risk.inst[index].hard
							       : &GN_CONTAINER_OF(l, struct risk_scope, limits)->hard,
			key);
	if (hard == RISK_UNLIMITED)
		return;
	int64_t value = chance(3)    ? hard
	                : chance(10) ? hard + (risk_key_info[key].less_is_tighter ? 1 : -1)
	                             : hard - hard / 4;
	bool allowed = value > 0 && (risk_key_info[key].less_is_tighter ? value <= hard : value >= hard);
	AGREE(risk_limit_set(&desk.risk, level, index, key, value, "model", "", desk.now_tsc) == 0, allowed,
		"limit change");
	AGREE(risk_limit_get(l, key), allowed ? value : before, "limit");
}

/* Some limits tight enough to be met, others open: another mix every episode. */
static int64_t some(int64_t limit)
{
	return chance(3) ? RISK_UNLIMITED : limit + (int64_t)rnd((uint64_t)limit);
}

static void random_level(struct risk_limits *l, enum risk_level level)
{
	*l = risk_limits_open(level);
	l->order_qty_max = some(90);
	l->order_notional_max = some(8000);
	if (level & 2) {
		l->long_max = some(300);
		l->short_max = some(300);
	}
	if (level != RISK_INSTRUMENT) {
		l->gross_notional_max = some(60000);
		l->net_notional_max = some(40000);
		l->open_orders_max = some(6);
		l->loss_max = m.paced ? RISK_UNLIMITED : some(3);
	}
}

static void random_strategy(struct risk_strategy_config *s)
{
	random_level(&s->limits, RISK_STRATEGY);
	s->account = (uint32_t)rnd(ACCOUNTS);
	s->may = chance(6) ? (uint32_t)rnd(8) : RISK_MAY_BUY | RISK_MAY_SELL | RISK_MAY_SHORT;
	s->limits.orders_unfilled_max = some(50);
	s->limits.orders_per_fill_max = 1 + (int64_t)rnd(10);
	s->limits.duplicate_window_us = 1 + (int64_t)rnd(20);
	if (chance(2)) {
		s->limits.orders_per_s_max = (int64_t)DESK_HZ / TOKEN_TSC;
		s->limits.orders_burst_max = 1 + (int64_t)rnd(20);
	}
	if (m.paced)
		return;
	s->limits.repeat_fills_max = 3 + (int64_t)rnd(20);
	s->limits.repeat_window_ms = 1;
	s->limits.protect_window_ms = 1;
	s->limits.protect_fills_max = some(5);
	s->limits.protect_qty_max = some(400);
	s->limits.protect_delta_max = some(300);
}

static void begin_episode(void)
{
	desk_prepare();
	memset(&m, 0, sizeof(m));
	m.paced = chance(3);
	random_level(&desk.config.engine, RISK_ENGINE);
	for (uint32_t a = 0; a < ACCOUNTS; a++)
		random_level(&desk.account[a].limits, RISK_ACCOUNT);
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++)
		random_strategy(&desk.strategy[s]);
	random_level(&desk.config.instrument_default, RISK_INSTRUMENT);
	desk.config.instrument_default.collar_bps = some(6);
	desk.config.instrument_default.collar_ticks = some(7);
	desk.config.instrument_default.stale_us_max = 20 + (int64_t)rnd(100);
	desk.config.orders_max = chance(3) ? 6 : ORDERS_MAX;
	desk.config.lot_default = chance(4) ? 5 : 1;
	desk.config.mark_shorts = chance(2);
	desk.config.locate_default = some(300);
	desk.config.allow_no_reference = chance(3);
	desk.config.self_match = (enum risk_self_match)rnd(3);
	desk.inst[0] = (struct risk_instrument_config){.inst = 2, .restricted = chance(6)};
	desk.config.n_instruments = 1;
	if (m.paced) {
		desk.config.venue_per_s = (int64_t)DESK_HZ / TOKEN_TSC;
		desk.config.venue_burst = 3 + (int64_t)rnd(5);
		desk.config.venue_reserve = (int64_t)rnd(3);
		desk.config.patience_us = (int64_t)rnd(12);
	}
	desk_open();
	desk.risk.n_insts = INSTS; /* the fixture has more */
	desk.risk.n_fast_insts = chance(4) ? 0 : INSTS; /* 0: every order is judged at leisure */
	for (uint32_t s = 0; s < DESK_STRATEGIES; s++) {
		int64_t burst = desk.strategy[s].limits.orders_burst_max;
		int64_t max =
			desk.strategy[s].limits.orders_per_s_max == RISK_UNLIMITED ? INT64_MAX : burst * TOKEN_TSC;
		m.rate[s] = (struct m_bucket){max, max, desk.now_tsc};
		m.unfilled_room[s] =
			desk.strategy[s].limits.orders_unfilled_max; /* orders take one each, fills give some back */
		m.up[s] = true;
	}
	int64_t max = m.paced ? desk.config.venue_burst * TOKEN_TSC : INT64_MAX;
	m.venue = (struct m_bucket){max, max, desk.now_tsc};
	for (uint32_t i = 0; i < INSTS; i++)
		m.permitted[i] = i != 2 || !desk.inst[0].restricted;
	positions_again();
}

static void one_step(void)
{
	uint64_t what = rnd(100);

	desk.now_tsc += rnd(m.paced ? 500 : 4000);
	desk.journal_full = chance(200);
	if (what < 50)
		step_request();
	else if (what < 88)
		step_report();
	else if (what < 91)
		step_quote();
	else if (what < 93)
		step_housekeep();
	else if (what < 94)
		step_limit();
	else if (!m.paced && what < 99)
		step_switch();
	else if (!m.paced && chance(4))
		step_session();
	if (chance(2)) {
		while (m.paced && poll_once()) {
		}
		desk_settle();
	}
	agree_everything();
	agree_sent();
}

/* Everything ends; what is left of every limit is the limit, less what the positions take. */
static void end_episode(void)
{
	while (m.n_orders) {
		struct gn_exec e = {.kind = GN_EXEC_CANCELED,
			.oid = m.order[0].oid,
			.qty = m.order[0].leaves ? m.order[0].leaves : 1};
		model_report(&e);
		risk_report(&desk.risk, &e, desk.now_tsc);
	}
	agree_everything();
	desk_expect_no_exposure();
	AGREE(desk.risk.n.duplicate_evicted, 0, "evictions from the duplicate window");
	risk_fini(&desk.risk);
	gn_board_fini(&desk.board);
}

TestSuite(risk_model, .timeout = 1200);

Test(risk_model, engine_and_model_agree_on_every_step)
{
	const char *given = getenv("GANNET_SEED"), *l = getenv("GANNET_LONG");
	uint64_t steps = l && l[0] == '1' ? 10000000 : 1000000, reached[GN_VERDICT_COUNT] = {0};

	seed = given ? strtoull(given, NULL, 0) : 20221;
	rng = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
	for (step = 0; step < steps;) {
		begin_episode();
		for (uint32_t i = 0; i < EPISODE_STEPS; i++, step++)
			one_step();
		for (unsigned v = 0; v < GN_VERDICT_COUNT; v++)
			reached[v] += desk.risk.verdicts[v];
		end_episode();
	}
	/* a walk that does not get everywhere proves nothing; the last two are not risk's own */
	for (unsigned v = GN_ACCEPTED; v < GN_REFUSED_BURST; v++)
		cr_expect_gt(reached[v], 10, "verdict %u: %lu times", v, reached[v]);
	cr_expect_gt(reached[GN_ACCEPTED], steps / 50);
}
