/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Takes on imbalance: when the touch leans heavily to one side, it buys (or sells) what the thin side still offers,
 * immediate or cancel, and gets rid of it after a while or when the book leans the other way.
 */
#include "universe.h"

#define NS_PER_MS UINT64_C(1000000)
#define SWEEP_NS (20 * NS_PER_MS)
#define SWEEP_MARKETS 64u
#define BACKOFF_NS (1000 * NS_PER_MS)
#define PATIENCE_NS (2000 * NS_PER_MS)

struct market {
	gn_oid oid; /* the order under way, 0: none */
	uint64_t asked_ns; /* when it was sent */
	uint64_t after_ns; /* nothing opens before this */
	uint64_t flat_ns; /* when the position is to be closed */
	gn_px best[2]; /* bid, ask */
	gn_qty best_qty[2];
	gn_qty position;
	int64_t tick_e9; /* 0: never seen */
	uint8_t flags;
};

struct taker {
	const struct gn_host *host;
	int64_t size, position_max, imbalance_pct, spread_ticks, cooldown_ms, hold_ms, tick_e9, short_ok;
	bool down;
	gn_inst n_known, sweep;
	struct universe universe;
	struct market market[UNIVERSE_MAX];
};

static bool market_tradable(const struct taker *t, const struct market *k)
{
	return !t->down && k->oid == 0
	       && !(k->flags & (GN_VIEW_STALE | GN_VIEW_HALTED | GN_VIEW_LOCKED | GN_VIEW_CROSSED)) && k->best[0].e9 > 0
	       && k->best[1].e9 > k->best[0].e9;
}

/* What the other side shows is taken at its price, and no more than that. */
static void market_take(struct taker *t, gn_inst inst, gn_side side, gn_qty qty, uint64_t now_ns)
{
	struct market *k = &t->market[inst];
	uint32_t other = side == GN_BUY ? 1 : 0;
	struct gn_order_req req = {
		.kind = GN_REQ_NEW,
		.side = side,
		.tif = GN_TIF_IOC,
		.flags = side == GN_SELL && k->position < qty ? GN_ORD_SHORT : 0,
		.inst = inst,
		.px = k->best[other],
		.qty = qty_min(qty, k->best_qty[other]),
	};

	if (req.qty <= 0)
		return;
	k->oid = t->host->send(t->host->engine, &req);
	k->asked_ns = now_ns;
}

/* -1, 0 or 1: which way the touch leans. Quantities are summed in 128 bits: they are the wire's. */
static int market_lean(const struct taker *t, const struct market *k)
{
	__int128 sum = (__int128)k->best_qty[0] + k->best_qty[1];

	if ((__int128)k->best_qty[0] * 100 >= sum * t->imbalance_pct)
		return 1;
	return (__int128)k->best_qty[1] * 100 >= sum * t->imbalance_pct ? -1 : 0;
}

/* How much may be added on a side; for a sale, 0 where it would be a short one that is not permitted. */
static gn_qty market_room(const struct taker *t, const struct market *k, int lean)
{
	gn_qty room = t->position_max - (lean > 0 ? k->position : -k->position);

	if (lean < 0 && (k->flags & GN_VIEW_NO_SHORT || !t->short_ok))
		room = k->position;
	return qty_min(t->size, room);
}

static void market_flatten(struct taker *t, gn_inst inst, uint64_t now_ns)
{
	gn_qty position = t->market[inst].position;

	if (position != 0)
		market_take(t, inst, position > 0 ? GN_SELL : GN_BUY, position > 0 ? position : -position, now_ns);
}

static void taker_on_book(void *state, const struct gn_book_view *view)
{
	struct taker *t = state;

	if (!universe_has(&t->universe, view->inst))
		return;
	struct market *k = &t->market[view->inst];
	if (k->tick_e9 == 0) {
		k->tick_e9 = tick_e9_of(t->host, view->inst, t->tick_e9);
		t->n_known = view->inst >= t->n_known ? view->inst + 1 : t->n_known;
	}
	k->best[0] = view->level[0].bid_px;
	k->best[1] = view->level[0].ask_px;
	k->best_qty[0] = view->level[0].bid_qty;
	k->best_qty[1] = view->level[0].ask_qty;
	k->flags = view->flags;
	int lean = market_lean(t, k);
	if (lean == 0 || !market_tradable(t, k) || k->best[1].e9 - k->best[0].e9 > t->spread_ticks * k->tick_e9)
		return;
	uint64_t now_ns = t->host->now_ns(t->host->engine);
	if (now_ns < k->after_ns)
		return;
	gn_qty room = market_room(t, k, lean);
	if (lean > 0 ? k->position < 0 : k->position > 0)
		market_flatten(t, view->inst, now_ns);
	else if (room > 0)
		market_take(t, view->inst, lean > 0 ? GN_BUY : GN_SELL, room, now_ns);
}

static void market_filled(struct taker *t, struct market *k, const struct gn_exec *exec, uint64_t now_ns)
{
	bool was_flat = k->position == 0;

	k->position = exec->position;
	if (was_flat && k->position != 0)
		k->flat_ns = now_ns + (uint64_t)t->hold_ms * NS_PER_MS;
}

static void market_done(struct taker *t, struct market *k, bool turned_down, uint64_t now_ns)
{
	k->oid = 0;
	k->after_ns = now_ns + (turned_down ? BACKOFF_NS : (uint64_t)t->cooldown_ms * NS_PER_MS);
	if (turned_down && k->flat_ns < k->after_ns)
		k->flat_ns = k->after_ns;
}

/* The refusal of a cancel names no instrument, since risk does not know the order: rare enough to look for it. */
static struct market *market_of(struct taker *t, const struct gn_exec *exec)
{
	if (exec->inst < UNIVERSE_MAX)
		return &t->market[exec->inst];
	for (gn_inst i = 0; i < t->n_known; i++)
		if (t->market[i].oid == exec->oid)
			return &t->market[i];
	return NULL;
}

static void taker_on_exec(void *state, const struct gn_exec *exec)
{
	struct taker *t = state;

	if (exec->kind == GN_EXEC_UP || exec->kind == GN_EXEC_DOWN)
		t->down = exec->kind == GN_EXEC_DOWN;
	struct market *k = exec->oid || exec->flags & GN_EXEC_F_RECOVERED ? market_of(t, exec) : NULL;
	if (!k)
		return;
	if (exec->flags & GN_EXEC_F_RECOVERED) {
		k->position = exec->position;
		return;
	}
	uint64_t now_ns = t->host->now_ns(t->host->engine);
	bool turned_down = exec->kind == GN_EXEC_REFUSED || exec->kind == GN_EXEC_REJECTED;
	if (exec->kind == GN_EXEC_FILLED || exec->kind == GN_EXEC_BROKEN)
		market_filled(t, k, exec, now_ns);
	bool ended = (exec->kind == GN_EXEC_FILLED || exec->kind == GN_EXEC_CANCELED) && exec->leaves == 0;
	bool dead = exec->kind == GN_EXEC_ACCEPTED && exec->flags & GN_EXEC_F_DEAD;
	if (exec->oid == k->oid && (turned_down || ended || dead))
		market_done(t, k, turned_down, now_ns);
}

static void market_sweep(struct taker *t, gn_inst inst, uint64_t now_ns)
{
	struct market *k = &t->market[inst];

	if (k->oid && now_ns - k->asked_ns > PATIENCE_NS) {
		/* answered by a cancel, or by the refusal of what is not known any more */
		if (t->host->cancel(t->host->engine, k->oid))
			k->asked_ns = now_ns;
	} else if (k->position != 0 && now_ns >= k->flat_ns && market_tradable(t, k)) {
		market_flatten(t, inst, now_ns);
	}
}

static void taker_on_timer(void *state, uint64_t now_ns)
{
	struct taker *t = state;
	gn_inst n = t->n_known < SWEEP_MARKETS ? t->n_known : SWEEP_MARKETS;

	for (gn_inst i = 0; i < n; i++) {
		market_sweep(t, t->sweep, now_ns);
		t->sweep = t->sweep + 1 < t->n_known ? t->sweep + 1 : 0;
	}
	t->host->timer(t->host->engine, now_ns + SWEEP_NS);
}

static int taker_init(void *state, const struct gn_host *host, const char *params)
{
	struct taker *t = state;
	struct param_word symbols = {"all", 3};
	struct params_error error;

	t->host = host;
	t->size = 100;
	t->position_max = 500;
	t->imbalance_pct = 85;
	t->spread_ticks = 3;
	t->cooldown_ms = 500;
	t->hold_ms = 2000;
	t->tick_e9 = 10 * 1000 * 1000;
	t->short_ok = 1;
	const struct param table[] = {
		{.key = "symbols", .word = &symbols},
		{.key = "size", .number = &t->size, .min = 1, .max = 1000000},
		{.key = "position_max", .number = &t->position_max, .min = 1, .max = 100000000},
		{.key = "imbalance_pct", .number = &t->imbalance_pct, .min = 51, .max = 100},
		{.key = "spread_ticks", .number = &t->spread_ticks, .min = 1, .max = 1000000},
		{.key = "cooldown_ms", .number = &t->cooldown_ms, .min = 0, .max = 3600000},
		{.key = "hold_ms", .number = &t->hold_ms, .min = 0, .max = 3600000},
		{.key = "tick_e9", .number = &t->tick_e9, .min = 1, .max = INT64_C(1000000000000)},
		{.key = "short_ok", .number = &t->short_ok, .min = 0, .max = 1},
		{.key = NULL},
	};
	if (!params_parse(params, table, &error) || !universe_init(&t->universe, symbols, host, &error)) {
		host->say(host->engine, error.c);
		return 1;
	}
	host->timer(host->engine, host->now_ns(host->engine) + SWEEP_NS);
	return 0;
}

GN_STRATEGY(.name = "taker", .state_bytes = sizeof(struct taker), .init = taker_init, .on_book = taker_on_book,
	.on_exec = taker_on_exec, .on_timer = taker_on_timer);
