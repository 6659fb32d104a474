/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "dataplane/runtime/err.h"

#define FLOW_LAG_NS_MAX UINT64_C(1000000000)
#define FLOW_PX_TICKS_MIN 50u /* the fair price stays this far from zero */
#define FLOW_LOT 100u

struct flow_symbol {
	struct match_id *live;
	uint32_t n;
	uint32_t fair_e4, home_e4;
};

struct flow {
	struct exchange_flow config;
	struct match *match;
	struct rng rng;
	uint32_t n_symbols, live_max;
	struct flow_symbol *symbol;
	struct match_id *live;
	uint64_t *weight_to; /* cumulated weights by rank */
	gn_inst *by_rank;
	uint64_t mean_ns, due_ns, burst_due_ns;
	uint32_t burst_left;
	gn_inst burst_inst;
	gn_side burst_side;
	struct flow_counts n;
};

static void rank_symbols(struct flow *f)
{
	double exponent = f->config.zipf_milli / 1000.0;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < f->n_symbols; i++) {
		uint32_t j = rng_below(&f->rng, i + 1);

		sum += (uint64_t)(1e9 * pow(i + 1, -exponent)) + 1;
		f->weight_to[i] = sum;
		f->by_rank[i] = f->by_rank[j];
		f->by_rank[j] = i;
	}
}

static gn_inst pick_symbol(struct flow *f)
{
	uint64_t at = rng_u64(&f->rng) % f->weight_to[f->n_symbols - 1];
	uint32_t low = 0, high = f->n_symbols - 1;

	while (low < high) {
		uint32_t mid = (low + high) / 2;

		if (f->weight_to[mid] <= at)
			low = mid + 1;
		else
			high = mid;
	}
	return f->by_rank[low];
}

struct flow *flow_new(const struct exchange_config *config, struct match *match, const uint32_t *px_first_e4)
{
	struct flow *f = calloc(1, sizeof(*f));

	if (!f)
		return gn_err(ENOMEM, "exchange: flow"), NULL;
	f->config = config->flow;
	f->match = match;
	f->rng = rng_fork(config->seed, 0xf10);
	f->n_symbols = config->n_symbols;
	f->live_max = 4 * f->config.orders_per_symbol;
	f->mean_ns = UINT64_C(1000000000) / f->config.rate_msgs_s;
	f->symbol = calloc(f->n_symbols, sizeof(*f->symbol));
	f->live = calloc((size_t)f->n_symbols * f->live_max, sizeof(*f->live));
	f->weight_to = calloc(f->n_symbols, sizeof(*f->weight_to));
	f->by_rank = calloc(f->n_symbols, sizeof(*f->by_rank));
	if (!f->symbol || !f->live || !f->weight_to || !f->by_rank) {
		flow_free(f);
		return gn_err(ENOMEM, "exchange: flow over %u symbols", config->n_symbols), NULL;
	}
	for (uint32_t i = 0; i < f->n_symbols; i++) {
		f->symbol[i].live = f->live + (size_t)i * f->live_max;
		f->symbol[i].fair_e4 = f->symbol[i].home_e4 = px_first_e4[i] / FLOW_TICK_E4 * FLOW_TICK_E4;
	}
	rank_symbols(f);
	return f;
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	free(f->symbol);
	free(f->live);
	free(f->weight_to);
	free(f->by_rank);
	free(f);
}

void flow_rested(struct flow *f, struct match_order *o)
{
	struct flow_symbol *s = &f->symbol[o->inst];

	GN_ASSERT(s->n < f->live_max);
	o->tag = s->n;
	s->live[s->n++] = (struct match_id){.ref = o->ref, .slot = o->slot};
}

void flow_gone(struct flow *f, const struct match_order *o)
{
	struct flow_symbol *s = &f->symbol[o->inst];
	uint32_t at = (uint32_t)o->tag;

	s->live[at] = s->live[--s->n];
	if (at == s->n)
		return;
	struct match_order *moved = match_find(f->match, s->live[at]);

	GN_ASSERT(moved);
	moved->tag = at;
}

static void wander(struct flow *f, struct flow_symbol *s)
{
	if (rng_below(&f->rng, 16))
		return;
	bool up = rng_below(&f->rng, 2);

	/* drawn back home when it has gone too far */
	if (s->fair_e4 > 2 * s->home_e4)
		up = false;
	if (s->fair_e4 < s->home_e4 / 2 || s->fair_e4 <= FLOW_PX_TICKS_MIN * FLOW_TICK_E4)
		up = true;
	s->fair_e4 = up ? s->fair_e4 + FLOW_TICK_E4 : s->fair_e4 - FLOW_TICK_E4;
}

static uint32_t some_qty(struct flow *f)
{
	if (!rng_below(&f->rng, 8))
		return rng_between(&f->rng, 1, FLOW_LOT - 1);
	return FLOW_LOT * (1 + rng_halvings(&f->rng, 9));
}

/* a price on the side's own half of the book, most of them near the fair price */
static uint32_t some_px(struct flow *f, const struct flow_symbol *s, gn_side side)
{
	uint32_t ticks = 1 + rng_halvings(&f->rng, 4) + (rng_below(&f->rng, 2) ? rng_below(&f->rng, 12) : 0);

	return side == GN_BUY ? s->fair_e4 - ticks * FLOW_TICK_E4 : s->fair_e4 + ticks * FLOW_TICK_E4;
}

static gn_side some_side(struct flow *f)
{
	return (gn_side)(GN_BUY + rng_below(&f->rng, 2));
}

static void add(struct flow *f, gn_inst inst)
{
	struct flow_symbol *s = &f->symbol[inst];
	struct match_ask ask = {.inst = inst, .side = some_side(f), .owner = MATCH_OWNER_FLOW};

	if (s->n == f->live_max)
		return;
	ask.px_e4 = some_px(f, s, ask.side);
	ask.qty = some_qty(f);
	if (match_state(f->match, inst) == MATCH_AUCTION) /* some would pay more than the fair price: a cross has something to do */
		ask.px_e4 = rng_below(&f->rng, 4) ? ask.px_e4 : some_px(f, s, gn_side_opposite(ask.side));
	if (rng_hit(&f->rng, f->config.hidden_ppm))
		ask.flags = MATCH_HIDDEN;
	f->n.adds++;
	match_enter(f->match, &ask);
}

static struct match_id some_order(struct flow *f, const struct flow_symbol *s)
{
	return s->live[rng_below(&f->rng, s->n)];
}

static uint32_t off_fair(const struct flow *f, const struct flow_symbol *s, struct match_id id)
{
	uint32_t px_e4 = match_find(f->match, id)->px_e4;

	return px_e4 > s->fair_e4 ? px_e4 - s->fair_e4 : s->fair_e4 - px_e4;
}

static void cancel(struct flow *f, struct flow_symbol *s)
{
	struct match_id a = some_order(f, s), b = some_order(f, s);

	f->n.cancels++;
	match_reduce(f->match, off_fair(f, s, a) > off_fair(f, s, b) ? a : b, UINT32_MAX, MATCH_WHY_USER);
}

static void shrink(struct flow *f, struct flow_symbol *s)
{
	struct match_id id = some_order(f, s);
	uint32_t qty = match_find(f->match, id)->qty;

	f->n.shrinks++;
	match_reduce(f->match, id, qty > 1 ? qty / 2 : 1, MATCH_WHY_USER);
}

static void replace(struct flow *f, struct flow_symbol *s)
{
	struct match_id id = some_order(f, s);
	const struct match_order *o = match_find(f->match, id);
	struct match_ask ask = {.px_e4 = some_px(f, s, o->side), .qty = some_qty(f), .flags = o->flags & MATCH_HIDDEN};

	f->n.replaces++;
	match_replace(f->match, id, &ask);
}

static void take(struct flow *f, gn_inst inst, gn_side side)
{
	struct match_ask ask = {.inst = inst, .side = side, .flags = MATCH_IOC, .owner = MATCH_OWNER_FLOW};
	uint64_t there;

	if (!match_best(f->match, inst, gn_side_opposite(side), &ask.px_e4, &there)) {
		add(f, inst);
		return;
	}
	ask.qty = some_qty(f);
	if (ask.qty > there && rng_below(&f->rng, 4))
		ask.qty = (uint32_t)there; /* few go on to the next price */
	f->n.takes++;
	match_enter(f->match, &ask);
}

static void act(struct flow *f, gn_inst inst)
{
	struct flow_symbol *s = &f->symbol[inst];
	uint32_t target = f->config.orders_per_symbol, dice = rng_below(&f->rng, 100);
	uint32_t adds = s->n < target / 2 ? 80 : s->n < target ? 52 : s->n < target + target / 2 ? 42 : 10;

	f->n.actions++;
	if (match_state(f->match, inst) == MATCH_HALTED) {
		f->n.halted++;
		return;
	}
	wander(f, s);
	if (!s->n || (dice < adds && s->n < f->live_max))
		add(f, inst);
	else if (dice < 85 || s->n == f->live_max)
		cancel(f, s);
	else if (dice < 90)
		replace(f, s);
	else if (dice < 94)
		shrink(f, s);
	else
		take(f, inst, some_side(f));
}

void flow_prime(struct flow *f, gn_inst inst)
{
	for (uint32_t i = 0; i < f->config.orders_per_symbol && match_state(f->match, inst) != MATCH_HALTED; i++)
		add(f, inst);
}

void flow_start(struct flow *f, uint64_t now_ns)
{
	f->due_ns = now_ns + rng_wait(&f->rng, f->mean_ns);
	f->burst_due_ns = f->config.burst_msgs
		? now_ns + rng_wait(&f->rng, f->config.burst_every_ms * UINT64_C(1000000))
		: UINT64_MAX;
}

/* one side of one instrument is swept, and quoted again */
static void burst_step(struct flow *f)
{
	f->burst_left--;
	if (match_state(f->match, f->burst_inst) == MATCH_TRADING && rng_below(&f->rng, 2))
		take(f, f->burst_inst, f->burst_side);
	else
		act(f, f->burst_inst);
}

static void burst_begin(struct flow *f)
{
	f->n.bursts++;
	f->burst_left = f->config.burst_msgs;
	f->burst_inst = pick_symbol(f);
	f->burst_side = some_side(f);
	f->burst_due_ns += rng_wait(&f->rng, f->config.burst_every_ms * UINT64_C(1000000));
}

bool flow_work(struct flow *f, uint64_t now_ns)
{
	if (f->burst_left) {
		burst_step(f);
		return true;
	}
	if (now_ns >= f->burst_due_ns)
		burst_begin(f);
	if (now_ns < f->due_ns)
		return f->burst_left;
	if (now_ns - f->due_ns > FLOW_LAG_NS_MAX) {
		f->n.late++;
		f->due_ns = now_ns;
	}
	f->due_ns += rng_wait(&f->rng, f->mean_ns);
	act(f, pick_symbol(f));
	return true;
}

uint64_t flow_due_ns(const struct flow *f)
{
	if (f->burst_left)
		return 0;
	return f->due_ns < f->burst_due_ns ? f->due_ns : f->burst_due_ns;
}

uint32_t flow_fair_e4(const struct flow *f, gn_inst inst)
{
	return f->symbol[inst].fair_e4;
}

struct flow_counts flow_counts(const struct flow *f)
{
	return f->n;
}
