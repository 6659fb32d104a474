/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "book/book_stage.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/wiring.h"

#define N_INSTRUMENTS 16u
#define CENT INT64_C(10000000)
#define N_GOT 256u

/* --- a feed and strategies of the test's own --- */

struct feeder {
	struct gn_link *out;
};

static int feeder_init(void *arg, const struct gn_env *env)
{
	struct feeder *f = arg;

	f->out = gn_env_link(env, "feed_book");
	return f->out ? 0 : -EINVAL;
}

static bool feeder_poll(void *arg)
{
	(void)arg;
	return false; /* the tests send themselves */
}

static const struct gn_stage stage_feeder = {
	.name = "feeder",
	.ctx_bytes = sizeof(struct feeder),
	.burst = 1,
	.out = (const char *const[]){"feed_book", NULL},
	.init = feeder_init,
	.poll = feeder_poll,
};

union message {
	struct gn_book_view view;
	struct gn_md md;
};

struct sink {
	uint32_t n, bytes[N_GOT];
	union message got[N_GOT];
};

static void sink_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct sink *s = arg;

	(void)from;
	cr_assert_lt(s->n, N_GOT);
	memcpy(&s->got[s->n], msg, bytes);
	s->bytes[s->n++] = bytes;
}

static const struct gn_stage stage_sink = {
	.name = "sink",
	.ctx_bytes = sizeof(struct sink),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"book_strategy", sink_on_msg, sizeof(struct gn_book_view), NULL}, {0}},
};

static struct gn_board board;
static struct gn_wiring *wiring;
static struct gn_stats *stats;
static struct gn_instruments *instruments;
static struct book_stage_config config;
static void *book;
static struct feeder *feeder;

static void unwire(void)
{
	gn_wiring_free(wiring);
	gn_stats_close(stats);
	gn_board_fini(&board);
	gn_instruments_free(instruments);
	wiring = NULL;
	stats = NULL;
	instruments = NULL;
}

static int wire(const struct book_subscription *subs, uint32_t n, uint32_t sink_thread, uint32_t depth)
{
	static const char *const names[] = {"sink0", "sink1", "sink2"};
	struct gn_link_config lossy = {.depth = depth, .lossy = true};
	int rc = 0;

	instruments = gn_instruments_new(N_INSTRUMENTS);
	stats = gn_stats_create(NULL, 1024);
	cr_assert_eq(gn_board_init(&board, N_INSTRUMENTS, GN_NODE_ANY), 0);
	wiring = gn_wiring_new(instruments, &board, stats);
	config = (struct book_stage_config){
		.book = {.instruments_max = N_INSTRUMENTS, .orders_max = 1000, .node = GN_NODE_ANY},
		.strategy = subs,
		.n_strategies = n,
	};
	rc |= gn_wiring_stage(wiring, &stage_feeder, "feeder0", 0, 0, GN_NODE_ANY, NULL);
	rc |= gn_wiring_stage(wiring, &gn_stage_book, "book0", 0, 0, GN_NODE_ANY, &config);
	rc |= gn_wiring_link(wiring, "feed_book", "feeder0", "book0", &(struct gn_link_config){0});
	for (uint32_t i = 0; i < n; i++) {
		rc |= gn_wiring_stage(wiring, &stage_sink, names[i], i, sink_thread, GN_NODE_ANY, NULL);
		rc |= gn_wiring_link(wiring, "book_strategy", "book0", names[i], &lossy);
	}
	cr_assert_eq(rc, 0, "%s", gn_err_text());
	rc = gn_wiring_seal(wiring);
	if (rc < 0)
		return rc;
	book = gn_wiring_ctx(wiring, "book0");
	feeder = gn_wiring_ctx(wiring, "feeder0");
	return 0;
}

static void wired(const struct book_subscription *subs, uint32_t n, uint32_t sink_thread, uint32_t depth)
{
	cr_assert_eq(wire(subs, n, sink_thread, depth), 0, "%s", gn_err_text());
}

static struct sink *sink(const char *name)
{
	return gn_wiring_ctx(wiring, name);
}

/* Deliver what waits in the ring of sink i, at most max. */
static void drain(uint32_t i, uint32_t max)
{
	struct gn_runner_node *node = &gn_wiring_thread(wiring, 1)->node[i];
	struct gn_spsc *ring = node->in[0].ring;
	const struct gn_slot *slot;

	while (max-- && (slot = gn_spsc_peek(ring, 0))) {
		sink_on_msg(node->ctx, 0, slot->payload, slot->bytes);
		gn_spsc_release(ring);
	}
	gn_spsc_share(ring);
}

static void send(struct gn_md md)
{
	md.rx_tsc = 7;
	gn_link_send(feeder->out, &md, sizeof(md));
}

static uint64_t next_ref;

static void add(gn_inst inst, gn_side side, int64_t px, gn_qty qty)
{
	send((struct gn_md){.kind = GN_MD_ADD, .side = side, .inst = inst, .order = {.ref = ++next_ref, .px = {px}, .qty = qty}});
}

TestSuite(book_stage, .fini = unwire, .timeout = 60);

Test(book_stage, sends_a_view_with_the_depth_asked_for)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1}, {.all = true, .depth = 3}}, 2, 0, 0);
	add(2, GN_BUY, 100 * CENT, 10);
	add(2, GN_SELL, 102 * CENT, 20);
	add(2, GN_BUY, 99 * CENT, 30);
	struct sink *one = sink("sink0"), *three = sink("sink1");
	cr_assert_eq(one->n, 2, "the second bid level is not seen at depth 1");
	cr_assert_eq(three->n, 3);
	cr_assert_eq(one->bytes[1], gn_book_view_bytes(1));
	cr_assert_eq(three->bytes[2], gn_book_view_bytes(3));
	const struct gn_book_view *v = &three->got[2].view;
	cr_assert_eq(v->inst, 2);
	cr_assert_eq(v->n_levels, 3);
	cr_assert_eq(v->cause, GN_MD_ADD);
	cr_assert_eq(v->side, GN_BUY);
	cr_assert_eq(v->rx_tsc, 7);
	cr_assert_eq(v->seq, 3);
	cr_assert_eq(v->level[0].bid_px.e9, 100 * CENT);
	cr_assert_eq(v->level[0].ask_px.e9, 102 * CENT);
	cr_assert_eq(v->level[0].ask_qty, 20);
	cr_assert_eq(v->level[1].bid_px.e9, 99 * CENT);
	cr_assert_eq(v->level[1].bid_qty, 30);
	cr_assert_eq(v->level[1].bid_orders, 1);
	cr_assert_eq(v->level[1].ask_px.e9, 0, "no such level");
	cr_assert_eq(v->level[2].bid_qty, 0);
}

Test(book_stage, sends_only_the_instruments_asked_for)
{
	gn_inst mine[] = {3, 5};
	wired((struct book_subscription[]){{.inst = mine, .n_inst = 2, .depth = 1, .wants_events = true}}, 1, 0, 0);
	add(4, GN_BUY, CENT, 1);
	send((struct gn_md){.kind = GN_MD_STATE, .code = 'T', .inst = 4});
	cr_assert_eq(sink("sink0")->n, 0);
	add(5, GN_BUY, CENT, 1);
	cr_assert_eq(sink("sink0")->n, 1);
	send((struct gn_md){.kind = GN_MD_SYSTEM, .code = 'Q', .inst = GN_INST_NONE});
	cr_assert_eq(sink("sink0")->n, 2, "events of no instrument concern everyone");
	cr_assert_eq(sink("sink0")->bytes[1], sizeof(struct gn_md));
	cr_assert_eq(sink("sink0")->got[1].md.code, 'Q');
}

Test(book_stage, sends_trades_as_views_and_hidden_ones_as_events_too)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1, .wants_events = true}}, 1, 0, 0);
	add(1, GN_SELL, 50 * CENT, 100);
	send((struct gn_md){.kind = GN_MD_EXEC, .inst = 1, .order = {.ref = next_ref, .qty = 40}});
	send((struct gn_md){.kind = GN_MD_TRADE, .inst = 1, .order = {.px = {49 * CENT}, .qty = 5}});
	struct sink *s = sink("sink0");
	cr_assert_eq(s->n, 4);
	cr_assert_eq(s->got[1].view.last_px.e9, 50 * CENT);
	cr_assert_eq(s->got[1].view.volume, 40);
	cr_assert_eq(s->got[1].view.level[0].ask_qty, 60);
	cr_assert_eq(s->bytes[2], sizeof(struct gn_md));
	cr_assert_eq(s->got[3].view.last_qty, 5);
	cr_assert_eq(s->got[3].view.volume, 45);
}

Test(book_stage, marks_the_last_event_of_a_datagram)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1}}, 1, 0, 0);
	add(1, GN_SELL, 50 * CENT, 100);
	send((struct gn_md){.kind = GN_MD_ADD, .side = GN_SELL, .flags = GN_MD_F_LAST, .inst = 1,
		.order = {.ref = ++next_ref, .px = {50 * CENT}, .qty = 100}});
	cr_assert(!(sink("sink0")->got[0].view.flags & GN_VIEW_LAST));
	cr_assert(sink("sink0")->got[1].view.flags & GN_VIEW_LAST);
}

Test(book_stage, keeps_the_board)
{
	wired(NULL, 0, 0, 0);
	cr_assert_eq(gn_board_read(&board, 6).tsc, 0);
	send((struct gn_md){.kind = GN_MD_STATE, .code = 'T', .inst = 6});
	add(6, GN_BUY, 10 * CENT, 1);
	add(6, GN_SELL, 12 * CENT, 1);
	send((struct gn_md){.kind = GN_MD_EXEC, .inst = 6, .order = {.ref = next_ref, .qty = 1}});
	struct gn_quote q = gn_board_read(&board, 6);
	cr_assert_eq(q.bid.e9, 10 * CENT);
	cr_assert_eq(q.ask.e9, 0);
	cr_assert_eq(q.last.e9, 12 * CENT);
	cr_assert_eq(q.flags, 0);
	cr_assert_eq(q.tsc, 7);
	send((struct gn_md){.kind = GN_MD_STALE, .inst = 6});
	cr_assert_eq(gn_board_read(&board, 6).flags, GN_VIEW_STALE);
	add(6, GN_SELL, 10 * CENT, 1);
	cr_assert_eq(gn_board_read(&board, 6).flags, GN_VIEW_STALE | GN_VIEW_LOCKED);
}

Test(book_stage, shows_nothing_of_a_book_that_is_rebuilt_until_it_is_fresh)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1, .wants_events = true}}, 1, 0, 0);
	struct sink *s = sink("sink0");

	add(1, GN_SELL, 50 * CENT, 100);
	send((struct gn_md){.kind = GN_MD_STALE, .inst = 1});
	uint32_t n = s->n;
	send((struct gn_md){.kind = GN_MD_CLEAR, .inst = 1, .flags = GN_MD_F_SNAPSHOT});
	send((struct gn_md){.kind = GN_MD_ADD, .side = GN_SELL, .inst = 1, .flags = GN_MD_F_SNAPSHOT,
		.order = {.ref = ++next_ref, .px = {51 * CENT}, .qty = 70}});
	send((struct gn_md){.kind = GN_MD_EXEC, .inst = 1, .flags = GN_MD_F_SNAPSHOT, .order = {.ref = next_ref, .qty = 20}});
	send((struct gn_md){.kind = GN_MD_TRADE, .inst = 1, .flags = GN_MD_F_SNAPSHOT, .order = {.px = {CENT}, .qty = 5}});
	send((struct gn_md){.kind = GN_MD_STATE, .code = 'T', .inst = 1, .flags = GN_MD_F_SNAPSHOT});
	cr_assert_eq(s->n, n, "no view, no event");
	struct gn_quote q = gn_board_read(&board, 1);
	cr_assert_eq(q.ask.e9, 51 * CENT, "risk sees the best price that is known, and that it is stale");
	cr_assert_eq(q.last.e9, 0);
	cr_assert(q.flags & GN_VIEW_STALE);
	send((struct gn_md){.kind = GN_MD_FRESH, .inst = 1});
	cr_assert_gt(s->n, n);
	const struct gn_book_view *v = &s->got[s->n - 1].view;
	cr_assert_eq(v->cause, GN_MD_FRESH);
	cr_assert_eq(v->level[0].ask_px.e9, 51 * CENT);
	cr_assert_eq(v->level[0].ask_qty, 50);
	cr_assert_eq(v->volume, 0);
	cr_assert_eq(v->flags, 0);
}

Test(book_stage, tells_everyone_when_every_book_becomes_stale)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1}}, 1, 0, 0);
	add(1, GN_BUY, CENT, 1);
	add(2, GN_BUY, CENT, 1);
	send((struct gn_md){.kind = GN_MD_STALE, .inst = GN_INST_NONE});
	while (gn_stage_book.poll(book))
		;
	struct sink *s = sink("sink0");
	cr_assert_eq(s->n, 4);
	cr_assert_eq(s->got[2].view.inst, 1);
	cr_assert_eq(s->got[3].view.inst, 2);
	cr_assert(s->got[2].view.flags & s->got[3].view.flags & GN_VIEW_STALE);
	cr_assert(gn_board_read(&board, 2).flags & GN_VIEW_STALE);
	cr_assert(!(gn_board_read(&board, 3).flags), "nothing is known of it");
}

Test(book_stage, quarantines_a_strategy_that_wants_all_and_does_not_read)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1}, {.all = true, .depth = 1}}, 2, 1, 4);
	for (uint32_t i = 0; i < 4; i++) {
		add(1, GN_BUY, (gn_qty)(10 + i) * CENT, 1);
		drain(1, N_GOT);
	}
	cr_assert_eq(book_stage_quarantined(book), 0);
	add(1, GN_BUY, 20 * CENT, 1);
	cr_assert_eq(book_stage_quarantined(book), 1, "the first does not read, the second does");
	drain(0, N_GOT);
	drain(1, N_GOT);
	add(1, GN_BUY, 21 * CENT, 1);
	drain(0, N_GOT);
	drain(1, N_GOT);
	cr_assert_eq(sink("sink0")->n, 4, "nothing more after the cut");
	cr_assert_eq(sink("sink1")->n, 6);
	book_stage_release(book, 0);
	gn_stage_book.housekeeping(book, 0);
	add(1, GN_BUY, 22 * CENT, 1);
	drain(0, N_GOT);
	cr_assert_eq(sink("sink0")->n, 5);
}

Test(book_stage, conflates_for_a_strategy_that_wants_the_latest)
{
	wired((struct book_subscription[]){{.all = true, .depth = 1, .delivery = BOOK_DELIVER_LATEST}}, 1, 1, 2);
	add(1, GN_BUY, 10 * CENT, 1);
	add(2, GN_BUY, 10 * CENT, 1);
	for (uint32_t i = 0; i < 5; i++)
		add(3, GN_BUY, (gn_qty)(11 + i) * CENT, 1);
	add(1, GN_BUY, 12 * CENT, 1);
	cr_assert(!gn_stage_book.poll(book), "no room yet");
	cr_assert_eq(book_stage_quarantined(book), 0);
	drain(0, 2);
	add(3, GN_BUY, 30 * CENT, 1);
	cr_assert(gn_stage_book.poll(book));
	cr_assert(gn_stage_book.poll(book));
	cr_assert(!gn_stage_book.poll(book));
	drain(0, N_GOT);
	struct sink *s = sink("sink0");
	cr_assert_eq(s->n, 4);
	cr_assert_eq(s->got[2].view.inst, 3, "due for the longest time");
	cr_assert_eq(s->got[2].view.skipped, 5);
	cr_assert_eq(s->got[2].view.level[0].bid_px.e9, 30 * CENT);
	cr_assert_eq(s->got[2].view.seq, 6);
	cr_assert_eq(s->got[3].view.inst, 1);
	cr_assert_eq(s->got[3].view.skipped, 0);
	add(1, GN_BUY, 40 * CENT, 1);
	drain(0, N_GOT);
	cr_assert_eq(s->got[4].view.skipped, 0, "in time again");
}

Test(book_stage, conflates_over_and_over_without_losing_the_latest)
{
	gn_qty seen[N_INSTRUMENTS] = {0}, sent[N_INSTRUMENTS] = {0};
	uint64_t views[N_INSTRUMENTS] = {0}, changes[N_INSTRUMENTS] = {0};

	wired((struct book_subscription[]){{.all = true, .depth = 1, .delivery = BOOK_DELIVER_LATEST}}, 1, 1, 4);
	struct sink *s = sink("sink0");
	for (uint32_t i = 0; i < 900; i++) {
		gn_inst inst = i * i % 13;
		add(inst, GN_BUY, CENT, 1);
		sent[inst]++;
		changes[inst]++;
		if (i % 3 == 0 || i > 880)
			drain(0, N_GOT);
		if (i % 2)
			gn_stage_book.poll(book);
		for (uint32_t k = 0; k < s->n; k++) {
			const struct gn_book_view *v = &s->got[k].view;
			cr_assert_gt(v->level[0].bid_qty, seen[v->inst], "never back in time, never twice");
			seen[v->inst] = v->level[0].bid_qty;
			views[v->inst] += 1 + v->skipped;
		}
		s->n = 0;
	}
	while (gn_stage_book.poll(book))
		drain(0, N_GOT);
	for (uint32_t k = 0; k < s->n; k++) {
		seen[s->got[k].view.inst] = s->got[k].view.level[0].bid_qty;
		views[s->got[k].view.inst] += 1 + s->got[k].view.skipped;
	}
	for (gn_inst i = 0; i < N_INSTRUMENTS; i++) {
		cr_assert_eq(seen[i], sent[i]);
		cr_assert_eq(views[i], changes[i], "each change was sent or counted");
	}
}

Test(book_stage, refuses_a_subscription_that_makes_no_sense)
{
	gn_inst far[] = {N_INSTRUMENTS};
	cr_assert_lt(wire((struct book_subscription[]){{.all = true, .depth = 0}}, 1, 0, 0), 0);
	unwire();
	cr_assert_lt(wire((struct book_subscription[]){{.all = true, .depth = GN_VIEW_LEVELS_MAX + 1}}, 1, 0, 0), 0);
	unwire();
	cr_assert_lt(wire((struct book_subscription[]){{.inst = far, .n_inst = 1, .depth = 1}}, 1, 0, 0), 0);
	cr_assert_not_null(strstr(gn_err_text(), "instrument 16"));
}

Test(book_stage, drops_a_message_of_another_size)
{
	wired(NULL, 0, 0, 0);
	struct gn_md md = {.kind = GN_MD_ADD, .side = GN_BUY, .order = {.ref = 1, .px = {CENT}, .qty = 1}};
	gn_link_send(feeder->out, &md, sizeof(md) - 8);
	cr_assert_eq(book_stage_set(book)->n.event, 0);
}
