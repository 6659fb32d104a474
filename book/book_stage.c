/* SPDX-License-Identifier: BSD-3-Clause */
#include "book_stage.h"

#include <errno.h>
#include <string.h>

#include "book_hint.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/trace.h"

#define SWEEP_PLACES 4096u

#define STAGE_COUNTERS(X)                                                             \
	X(order_live, "orders in the books now")                                      \
	X(view_sent, "views given to a strategy")                                     \
	X(view_skipped, "views conflated because the strategy's ring was full")       \
	X(event_sent, "events given to a strategy")                                   \
	X(event_skipped, "events a strategy that takes the latest had no room for")   \
	X(strategy_quarantined, "strategies cut off because their ring was full")     \
	X(msg_bad, "messages of a wrong length, dropped")

/* One strategy. */
struct reader {
	struct gn_link *link;
	uint32_t depth;
	bool latest;
	/* BOOK_DELIVER_LATEST: instruments whose view is due, in the order in which they became so */
	uint32_t *due;     /* of each instrument: 0, or 1 + views left out */
	gn_inst *queue;    /* ring of instruments_max */
	uint32_t head, n_due;
};

struct book_ctx {
	struct book_set set;
	struct gn_board *board;
	struct reader reader[GN_STRATEGIES_MAX];
	uint32_t n_readers;
	uint32_t n_due, turn; /* over all readers; whose turn it is in poll */
	struct gn_md *last;   /* of each instrument: the last event that made its view due */
	uint64_t *wants;      /* of each instrument: strategies that see it */
	uint64_t wants_events; /* strategies */
	_Atomic uint64_t quarantined, release;
	struct {
		BOOK_COUNTERS(GN_COUNTER_FIELD)
		STAGE_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

/* `traded`: the last price is a new one; else it is not looked up, for it lies in a line of its own. */
static void board_update(struct book_ctx *c, gn_inst inst, uint64_t rx_tsc, bool traded)
{
	struct book_bbo bbo = book_bbo(&c->set, inst);

	gn_board_write(c->board, inst,
		&(struct gn_quote){
			.bid = bbo.bid_px,
			.ask = bbo.ask_px,
			.last = traded ? c->set.rest[inst].last_px : gn_board_last(c->board, inst),
			.flags = book_flags(&c->set, inst),
			.tsc = rx_tsc,
		});
}

static void reader_quarantine(struct book_ctx *c, uint32_t s)
{
	/* relaxed: a flag that someone acts upon; nothing else is read because of it */
	atomic_fetch_or_explicit(&c->quarantined, UINT64_C(1) << s, memory_order_relaxed);
	c->n.strategy_quarantined++;
}

static void reader_due(struct book_ctx *c, struct reader *r, const struct gn_md *md)
{
	gn_inst inst = md->inst;

	c->last[inst] = *md;
	if (r->due[inst]++) {
		c->n.view_skipped++;
		return;
	}
	uint32_t at = r->head + r->n_due++;
	r->queue[at < c->set.cfg.instruments_max ? at : at - c->set.cfg.instruments_max] = inst;
	c->n_due++;
}

static bool reader_send(struct book_ctx *c, struct reader *r, struct gn_book_view *view, uint32_t skipped)
{
	view->n_levels = (uint8_t)r->depth;
	view->skipped = skipped;
	if (!gn_link_try_send(r->link, view, gn_book_view_bytes(r->depth)))
		return false;
	c->n.view_sent++;
	return true;
}

static void reader_give(struct book_ctx *c, uint32_t s, const struct gn_md *md, struct gn_book_view *view)
{
	struct reader *r = &c->reader[s];

	if (r->latest && r->due[view->inst]) {
		reader_due(c, r, md);
		return;
	}
	if (gn_likely(reader_send(c, r, view, 0)))
		return;
	if (r->latest)
		reader_due(c, r, md);
	else
		reader_quarantine(c, s);
}

static uint64_t readers_ok(const struct book_ctx *c)
{
	return ~atomic_load_explicit(&c->quarantined, memory_order_relaxed);
}

/* Those of the readers in mask that see a change of the last event. */
static uint64_t readers_touched(const struct book_ctx *c, uint64_t mask, gn_inst inst)
{
	uint64_t touched = 0;

	for (; mask; mask &= mask - 1) {
		uint32_t s = (uint32_t)__builtin_ctzll(mask);
		if (book_changed_within(&c->set, inst, c->reader[s].depth))
			touched |= UINT64_C(1) << s;
	}
	return touched;
}

static void views_send(struct book_ctx *c, const struct gn_md *md, uint64_t mask)
{
	struct gn_book_view view;
	uint32_t depth = 1;

	for (uint64_t m = mask; m; m &= m - 1) {
		uint32_t d = c->reader[__builtin_ctzll(m)].depth;
		depth = d > depth ? d : depth;
	}
	book_view(&c->set, md, depth, &view);
	if (md->flags & GN_MD_F_LAST)
		view.flags |= GN_VIEW_LAST;
	gn_trace_stamp(GN_HOP_BOOK, view.rx_tsc, md->inst, 0);
	for (; mask; mask &= mask - 1)
		reader_give(c, (uint32_t)__builtin_ctzll(mask), md, &view);
}

static void events_send(struct book_ctx *c, const struct gn_md *md)
{
	uint64_t mask = c->wants_events & readers_ok(c);

	if (md->inst < c->set.cfg.instruments_max)
		mask &= c->wants[md->inst];
	for (; mask; mask &= mask - 1) {
		uint32_t s = (uint32_t)__builtin_ctzll(mask);
		struct reader *r = &c->reader[s];
		if (gn_likely(gn_link_try_send(r->link, md, sizeof(*md))))
			c->n.event_sent++;
		else if (r->latest)
			c->n.event_skipped++;
		else
			reader_quarantine(c, s);
	}
}

/* Every book became stale or fresh: all of it is told, view by view, as the rings have room. */
static void state_all(struct book_ctx *c, const struct gn_md *md)
{
	uint64_t ok = readers_ok(c);
	struct gn_md one = *md;

	for (gn_inst i = 0; i < c->set.cfg.instruments_max; i++) {
		if (!c->set.book[i].seq)
			continue;
		one.inst = i;
		board_update(c, i, md->rx_tsc, false);
		for (uint64_t m = c->wants[i] & ok; m; m &= m - 1)
			reader_due(c, &c->reader[__builtin_ctzll(m)], &one);
	}
}

static void book_on_md(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct book_ctx *c = arg;
	const struct gn_md *md = msg;

	(void)from;
	if (gn_unlikely(bytes != sizeof(*md))) {
		c->n.msg_bad++;
		return;
	}
	uint32_t bits = book_apply(&c->set, md);
	if (gn_unlikely(bits & BOOK_STATE_ALL))
		state_all(c, md);
	else if (bits & (BOOK_TOP | BOOK_TRADE | BOOK_STATE))
		board_update(c, md->inst, md->rx_tsc, bits & BOOK_TRADE);
	if (gn_unlikely(md->flags & GN_MD_F_SNAPSHOT))
		return; /* a book that is being rebuilt is stale: its view follows when it is fresh */
	if (bits & BOOK_EVENT)
		events_send(c, md);
	if (!(bits & (BOOK_LEVELS | BOOK_TRADE | BOOK_STATE)) || bits & BOOK_STATE_ALL)
		return;
	uint64_t mask = c->wants[md->inst] & readers_ok(c);
	if (!(bits & (BOOK_TRADE | BOOK_STATE | BOOK_TOP)))
		mask = readers_touched(c, mask, md->inst);
	if (mask)
		views_send(c, md, mask);
}

static void book_on_hint(void *arg, const void *msg, uint32_t step)
{
	const struct book_ctx *c = arg;
	const struct gn_md *md = msg;

	if (step == 0) {
		book_hint_far(&c->set, md);
		return;
	}
	book_hint_near(&c->set, md);
	if (gn_likely(md->inst < c->set.cfg.instruments_max))
		gn_prefetch(&c->board->entry[md->inst]);
}

/* The view that has been due longest of the next reader with room. */
static bool reader_catch_up(struct book_ctx *c, struct reader *r)
{
	struct gn_book_view view;

	if (!r->n_due)
		return false;
	gn_inst inst = r->queue[r->head];
	book_view(&c->set, &c->last[inst], r->depth, &view);
	view.flags |= GN_VIEW_LAST;
	gn_trace_stamp(GN_HOP_BOOK, view.rx_tsc, inst, 0);
	uint32_t skipped = r->due[inst] - 1;
	if (!reader_send(c, r, &view, skipped))
		return false;
	r->due[inst] = 0;
	r->head = r->head + 1 == c->set.cfg.instruments_max ? 0 : r->head + 1;
	r->n_due--;
	c->n_due--;
	return true;
}

static bool book_poll(void *arg)
{
	struct book_ctx *c = arg;

	if (gn_likely(!c->n_due))
		return false;
	for (uint32_t i = 0; i < c->n_readers; i++) {
		struct reader *r = &c->reader[c->turn];
		c->turn = c->turn + 1 == c->n_readers ? 0 : c->turn + 1;
		if (reader_catch_up(c, r))
			return true;
	}
	return false;
}

static void book_housekeeping(void *arg, uint64_t now_tsc)
{
	struct book_ctx *c = arg;

	(void)now_tsc;
	memcpy(&c->n, &c->set.n, sizeof(c->set.n)); /* the list of counters begins with the set's */
	c->n.order_live = c->set.map.n - c->set.n_dead;
	if (c->set.n_dead)
		book_sweep(&c->set, SWEEP_PLACES);
	uint64_t release = atomic_exchange_explicit(&c->release, 0, memory_order_relaxed);
	atomic_fetch_and_explicit(&c->quarantined, ~release, memory_order_relaxed);
}

static int reader_init(struct book_ctx *c, uint32_t s, const struct book_subscription *sub, int node)
{
	struct reader *r = &c->reader[s];
	uint32_t max = c->set.cfg.instruments_max;

	if (sub->depth == 0 || sub->depth > GN_VIEW_LEVELS_MAX)
		return gn_err(EINVAL, "book: strategy %u: depth %u, expected 1 to %u", s, sub->depth, GN_VIEW_LEVELS_MAX);
	r->depth = sub->depth;
	r->latest = sub->delivery == BOOK_DELIVER_LATEST;
	/* also without conflation: the news that all books are stale goes this way */
	r->due = gn_mem_alloc(max * sizeof(*r->due), node);
	r->queue = gn_mem_alloc(max * sizeof(*r->queue), node);
	if (!r->due || !r->queue)
		return gn_err_in(-ENOMEM, "book: strategy %u", s);
	if (sub->wants_events)
		c->wants_events |= UINT64_C(1) << s;
	for (gn_inst i = 0; sub->all && i < max; i++)
		c->wants[i] |= UINT64_C(1) << s;
	for (uint32_t i = 0; i < sub->n_inst; i++) {
		if (sub->inst[i] >= max)
			return gn_err(EINVAL, "book: strategy %u: instrument %u, expected below %u", s, sub->inst[i], max);
		c->wants[sub->inst[i]] |= UINT64_C(1) << s;
	}
	return 0;
}

static int book_init(void *arg, const struct gn_env *env)
{
	struct book_ctx *c = arg;
	const struct book_stage_config *cfg = env->config;
	struct book_config book = cfg->book;
	struct gn_link *const *links = gn_env_links(env, "book_strategy", &c->n_readers);

	book.node = env->node;
	if (c->n_readers != cfg->n_strategies || c->n_readers > GN_STRATEGIES_MAX)
		return gn_err(EINVAL, "book: %u strategies configured, %u linked, expected as many, at most %u", cfg->n_strategies,
			c->n_readers, GN_STRATEGIES_MAX);
	if (!env->board || env->board->max < book.instruments_max)
		return gn_err(EINVAL, "book: the board is too small for %u instruments", book.instruments_max);
	c->board = env->board;
	int rc = book_set_init(&c->set, &book);
	if (rc < 0)
		return rc;
	c->wants = gn_mem_alloc(book.instruments_max * sizeof(*c->wants), env->node);
	c->last = gn_mem_alloc(book.instruments_max * sizeof(*c->last), env->node);
	if (!c->wants || !c->last)
		return gn_err_in(-ENOMEM, "book: subscriptions");
	for (uint32_t s = 0; s < c->n_readers; s++) {
		c->reader[s].link = links[s];
		rc = reader_init(c, s, &cfg->strategy[s], env->node);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static void book_fini(void *arg)
{
	struct book_ctx *c = arg;
	uint32_t max = c->set.cfg.instruments_max;

	for (uint32_t s = 0; s < c->n_readers; s++) {
		gn_mem_free(c->reader[s].due, max * sizeof(*c->reader[s].due));
		gn_mem_free(c->reader[s].queue, max * sizeof(*c->reader[s].queue));
	}
	gn_mem_free(c->wants, max * sizeof(*c->wants));
	gn_mem_free(c->last, max * sizeof(*c->last));
	book_set_fini(&c->set);
}

uint64_t book_stage_quarantined(const void *ctx)
{
	const struct book_ctx *c = ctx;

	return atomic_load_explicit(&c->quarantined, memory_order_relaxed);
}

void book_stage_release(void *ctx, uint32_t strategy)
{
	struct book_ctx *c = ctx;

	atomic_fetch_or_explicit(&c->release, UINT64_C(1) << strategy % GN_STRATEGIES_MAX, memory_order_relaxed);
}

struct book_set *book_stage_set(void *ctx)
{
	return &((struct book_ctx *)ctx)->set;
}

static const struct gn_counter book_counters[] = {
	BOOK_COUNTERS(GN_COUNTER_DESC) STAGE_COUNTERS(GN_COUNTER_DESC){0}};

const struct gn_stage gn_stage_book = {
	.name = "book",
	.ctx_bytes = sizeof(struct book_ctx),
	.burst = 2,
	.in = (const struct gn_inlet[]){{"feed_book", book_on_md, sizeof(struct gn_md), book_on_hint}, {0}},
	.out = (const char *const[]){"book_strategy", NULL},
	.counters = book_counters,
	.counters_offset = offsetof(struct book_ctx, n),
	.init = book_init,
	.poll = book_poll,
	.housekeeping = book_housekeeping,
	.fini = book_fini,
};
