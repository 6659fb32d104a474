/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The same lossy lines through feed and book in every shape: one thread, a thread a stage, shards on threads of their own,
 * shards on one. Whatever the shape, each instrument's events and views must be the same, in the same order.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "book/book_stage.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/feed/feed_stage.h"
#include "dataplane/net/frame.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/runner.h"
#include "itch_day.h"
#include "pinning/clock.h"
#include "random.h"

#define INSTRUMENTS 64u
#define SHARDS_MAX 4u
#define DATAGRAMS_MAX (2 * DAY_MESSAGES_MAX + 4)
#define BYTES_MAX 600u

/* What the two lines bring, in order of arrival. */
struct flow {
	uint32_t n;
	struct {
		uint16_t bytes, line;
		uint8_t data[BYTES_MAX];
	} datagram[DATAGRAMS_MAX];
};

static struct flow flow;
static struct day day;

static void flow_put(const uint8_t *data, uint32_t bytes, uint16_t line)
{
	flow.datagram[flow.n].bytes = (uint16_t)bytes;
	flow.datagram[flow.n].line = line;
	memcpy(flow.datagram[flow.n++].data, data, bytes);
}

/*
 * A quotation of an IPO names no number. Before anything has said whose number a symbol has, shard 0 speaks for it, apart
 * from the book that the instrument will have: here such a message becomes another.
 */
static void day_tame(void)
{
	const struct gn_md other = {.kind = GN_MD_SYSTEM, .code = 'Q'};
	bool named[DAY_SYMBOLS_MAX] = {false};

	for (uint32_t i = 0; i < day.n_messages; i++) {
		struct day_message *m = &day.message[i];
		uint16_t locate = itch50_locate(m->data);
		gn_symbol symbol = itch50_symbol(m->data, m->bytes);

		if (locate != 0 && symbol.word)
			named[(locate - 1) / 37] = true;
		for (uint32_t k = 0; k < day.n_symbols && m->data[0] == 'K'; k++)
			if (!named[k] && symbol.word == day_symbol(k).word)
				m->bytes = (uint8_t)itch50_encode(&other, 0, 0, (gn_symbol){0}, m->data);
	}
}

/* Every datagram comes over at least one line, some over both, neighbours in either order. */
static void flow_make(uint64_t seed)
{
	const struct moldudp64_session session = moldudp64_session_from("TOPOLOGY");
	uint8_t data[BYTES_MAX];
	uint64_t rng = seed;
	uint32_t at = 0;

	day_make(&day, seed, 1 + (uint32_t)random_below(&rng, DAY_SYMBOLS_MAX), 1000 + (uint32_t)random_below(&rng, 3000),
		random_below(&rng, 4) != 0);
	day_tame();
	flow.n = 0;
	while (at < day.n_messages) {
		struct moldudp64_writer w;
		uint32_t n = 1 + (uint32_t)random_below(&rng, 10);

		moldudp64_begin(&w, data, sizeof(data), &session, at + 1);
		for (; n && at < day.n_messages; n--, at++)
			moldudp64_append(&w, day.message[at].data, day.message[at].bytes);
		uint32_t bytes = moldudp64_close(&w), lines = 1 + (uint32_t)random_below(&rng, 3);
		for (uint16_t line = 0; line < 2; line++)
			if (lines >> line & 1)
				flow_put(data, bytes, line);
		if (flow.n > 2 && random_below(&rng, 10) == 0) {
			typeof(flow.datagram[0]) swap = flow.datagram[flow.n - 1];
			flow.datagram[flow.n - 1] = flow.datagram[flow.n - 2];
			flow.datagram[flow.n - 2] = swap;
		}
	}
	flow_put(data, moldudp64_end(data, &session, day.n_messages + 1), 0);
}

/* --- the ends of the pipeline --- */

/* Of several sources each brings one line, as a port's receive queues do. */
struct source {
	struct gn_link *const *out;
	uint32_t n_out, at, index, n_sources;
	uint8_t msg[sizeof(struct gn_datagram) + BYTES_MAX];
};

static int source_init(void *arg, const struct gn_env *env)
{
	struct source *s = arg;

	s->out = gn_env_links(env, "rx_feed", &s->n_out);
	s->index = env->index;
	s->n_sources = *(const uint32_t *)env->config;
	return 0;
}

static bool source_poll(void *arg)
{
	struct source *s = arg;
	struct gn_datagram *d = (struct gn_datagram *)(void *)s->msg;

	while (s->at < flow.n && flow.datagram[s->at].line % s->n_sources != s->index)
		s->at++;
	if (s->at == flow.n)
		return false;
	d->rx_tsc = gn_tsc();
	d->hw_ns = 0;
	d->line = flow.datagram[s->at].line;
	d->bytes = flow.datagram[s->at].bytes;
	memcpy(d->payload, flow.datagram[s->at].data, d->bytes);
	for (uint32_t i = 0; i < s->n_out; i++)
		gn_link_send(s->out[i], d, (uint32_t)sizeof(*d) + d->bytes);
	s->at++;
	return true;
}

static const struct gn_stage stage_source = {
	.name = "source",
	.ctx_bytes = sizeof(struct source),
	.burst = 1,
	.out = (const char *const[]){"rx_feed", NULL},
	.init = source_init,
	.poll = source_poll,
};

/* What came of one instrument: a running hash over all of it, in order. By symbol, since indices are given as they come. */
struct stream {
	gn_symbol symbol;
	uint64_t hash, n_events, n_views;
};

struct sink {
	const struct gn_instruments *instruments;
	uint32_t n_shards, n_ends;
	struct stream all, of[INSTRUMENTS]; /* all: what concerns no instrument */
};

static _Atomic bool stop;

static uint64_t hash_bytes(uint64_t h, const void *data, uint32_t bytes)
{
	const uint8_t *p = data;

	for (uint32_t i = 0; i < bytes; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

static struct stream *stream_of(struct sink *s, gn_inst inst)
{
	struct gn_instrument i;

	if (inst == GN_INST_NONE)
		return &s->all;
	cr_assert(gn_instruments_get(s->instruments, inst, &i));
	s->of[inst].symbol = i.symbol;
	return &s->of[inst];
}

/* Index, trace id and the mark of a datagram's last event are of the shape, not of the market. */
static void sink_event(struct sink *s, struct gn_md md)
{
	struct stream *t = stream_of(s, md.inst);

	if (md.kind == GN_MD_SESSION_END) { /* each feed says so */
		if (++s->n_ends == s->n_shards)
			atomic_store(&stop, true);
		return;
	}
	md.inst = 0;
	md.rx_tsc = 0;
	md.flags &= (uint8_t)~GN_MD_F_LAST;
	t->hash = hash_bytes(t->hash, &md, sizeof(md));
	t->n_events++;
}

static void sink_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct gn_book_view view;
	struct gn_md md;

	(void)from;
	if (bytes == sizeof(md)) {
		memcpy(&md, msg, sizeof(md));
		sink_event(arg, md);
		return;
	}
	memcpy(&view, msg, bytes);
	struct stream *t = stream_of(arg, view.inst);

	view.inst = 0;
	view.rx_tsc = 0;
	view.flags &= (uint8_t)~GN_VIEW_LAST;
	t->hash = hash_bytes(t->hash, &view, bytes);
	t->n_views++;
}

static int sink_init(void *arg, const struct gn_env *env)
{
	struct sink *s = arg;

	s->instruments = env->instruments;
	s->n_shards = *(const uint32_t *)env->config;
	return 0;
}

static const struct gn_stage stage_sink = {
	.name = "sink",
	.ctx_bytes = sizeof(struct sink),
	.in = (const struct gn_inlet[]){{"book_strategy", sink_on_msg, sizeof(struct gn_book_view), NULL, 0}, {0}},
	.init = sink_init,
};

/* --- one run --- */

struct shape {
	const char *name;
	uint32_t n_sources, n_shards;
	uint32_t source[2], feed[SHARDS_MAX], book[SHARDS_MAX], sink; /* threads */
};

static void wire_shard(struct gn_wiring *w, const struct shape *shape, uint32_t i, const struct feed_config *feed,
	const struct book_stage_config *book)
{
	const struct gn_link_config deep = {.depth = 65536, .lossy = true}; /* for all there is: nothing may be left out */
	char feed_name[16], book_name[16];

	snprintf(feed_name, sizeof(feed_name), "feed%u", i);
	snprintf(book_name, sizeof(book_name), "book%u", i);
	cr_assert_eq(gn_wiring_stage(w, &gn_stage_feed, feed_name, i, shape->feed[i], -1, feed), 0);
	cr_assert_eq(gn_wiring_stage(w, &gn_stage_book, book_name, i, shape->book[i], -1, book), 0);
	for (uint32_t k = 0; k < shape->n_sources; k++)
		cr_assert_eq(gn_wiring_link(w, "rx_feed", k ? "source1" : "source0", feed_name, NULL), 0);
	cr_assert_eq(gn_wiring_link(w, "feed_book", feed_name, book_name, NULL), 0);
	cr_assert_eq(gn_wiring_link(w, "book_strategy", book_name, "sink0", &deep), 0);
}

struct runner {
	struct gn_wiring *w;
	uint32_t thread;
};

static void *run_thread(void *arg)
{
	const struct gn_runner_config c = {.stop = &stop, .yield = true, .ticks_per_ms = 2000000};
	const struct runner *r = arg;

	gn_runner_run(r->w, r->thread, &c);
	return NULL;
}

static void run_threads(struct gn_wiring *w)
{
	struct runner r[GN_THREADS_MAX];
	pthread_t t[GN_THREADS_MAX];
	uint32_t n = gn_wiring_threads(w);

	atomic_store(&stop, false);
	for (uint32_t i = 0; i < n; i++) {
		r[i] = (struct runner){w, i};
		pthread_create(&t[i], NULL, run_thread, &r[i]);
	}
	for (uint32_t i = 0; i < n; i++)
		pthread_join(t[i], NULL);
}

static void run(const struct shape *shape, struct sink *out)
{
	static struct feed_config feed[SHARDS_MAX];
	static const struct book_subscription all = {.all = true, .depth = 3, .wants_events = true, .delivery = BOOK_DELIVER_ALL};
	const struct book_stage_config book = {
		.book = {.instruments_max = INSTRUMENTS, .orders_max = 8192}, .strategy = &all, .n_strategies = 1};
	struct gn_instruments *instruments = gn_instruments_new(INSTRUMENTS);
	struct gn_stats *stats = gn_stats_create(NULL, 8192);
	struct gn_board board;

	cr_assert_eq(gn_board_init(&board, INSTRUMENTS, -1), 0);
	struct gn_wiring *w = gn_wiring_new(instruments, &board, stats);

	for (uint32_t k = 0; k < shape->n_sources; k++)
		cr_assert_eq(gn_wiring_stage(w, &stage_source, k ? "source1" : "source0", k, shape->source[k], -1, &shape->n_sources), 0);
	cr_assert_eq(gn_wiring_stage(w, &stage_sink, "sink0", 0, shape->sink, -1, &shape->n_shards), 0);
	for (uint32_t i = 0; i < shape->n_shards; i++) {
		feed[i] = (struct feed_config){.n_lines = 2, .wait_ns = UINT64_C(60) * 1000 * 1000 * 1000, .shard = i,
			.n_shards = shape->n_shards};
		wire_shard(w, shape, i, &feed[i], &book);
	}
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	run_threads(w);
	for (uint32_t i = 0; i < shape->n_shards; i++) {
		char name[16];

		snprintf(name, sizeof(name), "book%u", i);
		cr_assert_eq(book_stage_quarantined(gn_wiring_ctx(w, name)), 0);
	}
	*out = *(const struct sink *)gn_wiring_ctx(w, "sink0");
	gn_wiring_free(w);
	gn_stats_close(stats);
	gn_board_fini(&board);
	gn_instruments_free(instruments);
}

static const struct stream *find(const struct sink *s, gn_symbol symbol)
{
	for (uint32_t i = 0; i < INSTRUMENTS; i++)
		if (s->of[i].symbol.word == symbol.word)
			return &s->of[i];
	return NULL;
}

static void must_equal(const struct stream *a, const struct stream *b, const char *shape, uint64_t seed)
{
	cr_assert(b, "%s, seed %llu: %s has no events", shape, (unsigned long long)seed, gn_symbol_text(a->symbol).c);
	cr_assert_eq(a->n_events, b->n_events, "%s, seed %llu: %s", shape, (unsigned long long)seed,
		gn_symbol_text(a->symbol).c);
	cr_assert_eq(a->n_views, b->n_views, "%s, seed %llu: %s", shape, (unsigned long long)seed,
		gn_symbol_text(a->symbol).c);
	cr_assert_eq(a->hash, b->hash, "%s, seed %llu: %s", shape, (unsigned long long)seed, gn_symbol_text(a->symbol).c);
}

static const struct shape shapes[] = {
	{"fused", 1, 1, {0}, {0}, {0}, 0},
	{"pipeline", 1, 1, {0}, {1}, {2}, 3},
	{"fan-out", 1, 1, {0}, {0}, {0}, 1},
	{"sharded", 1, 2, {0}, {1, 2}, {1, 2}, 3},
	{"sharded in four, a thread a stage", 1, 4, {0}, {1, 2, 3, 4}, {5, 6, 7, 8}, 9},
	{"sharded on one thread", 1, 3, {0}, {0, 0, 0}, {0, 0, 0}, 0},
	{"a queue a line", 2, 1, {0, 1}, {0}, {0}, 0},
	{"a queue a line, sharded", 2, 2, {0, 1}, {1, 2}, {1, 2}, 3},
};

TestSuite(topologies, .timeout = 240);

Test(topologies, every_shape_makes_the_same_events_and_views_of_each_instrument)
{
	static struct sink want, got;
	uint64_t seed = random_seed(), n = random_long() ? 60 : 3;

	cr_assert_eq(gn_clock_calibrate(), 0);
	for (uint64_t s = seed; s < seed + n; s++) {
		flow_make(s);
		run(&shapes[0], &want);
		uint64_t events = want.all.n_events, views = 0;

		for (uint32_t i = 0; i < INSTRUMENTS; i++) {
			events += want.of[i].n_events;
			views += want.of[i].n_views;
		}
		cr_assert_gt(views, day.n_messages / 20, "seed %llu: too little to compare", (unsigned long long)s);
		cr_assert_gt(events, 0);
		for (uint32_t k = 1; k < GN_ARRAY_SIZE(shapes); k++) {
			run(&shapes[k], &got);
			must_equal(&want.all, &got.all, shapes[k].name, s);
			for (uint32_t i = 0; i < INSTRUMENTS; i++)
				if (want.of[i].symbol.word)
					must_equal(&want.of[i], find(&got, want.of[i].symbol), shapes[k].name, s);
		}
	}
}
