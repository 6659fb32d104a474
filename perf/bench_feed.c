/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From a datagram's payload to book events, ns a message, in alternating passes of one run: arbitration alone, with
 * decoding, the same with every datagram on two lines, and with the books behind it. Datagrams hold 40 messages. The
 * stream is made from a seed: adds, executions, reductions, replacements and deletes of live orders on 2,000 symbols.
 * Prints one JSON line a figure.
 *
 *     bench_feed [--short] [messages]
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "book/book_hint.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/feed/feed.h"
#include "perf/bench.h"

#define SEED UINT64_C(0x6a09e667f3bcc908)
#define PASSES 11
#define SYMBOLS 2000u
#define PER_DATAGRAM 40u
#define LIVE_MAX (1u << 17)

enum mode { ARBITER, FEED, FEED_TWO_LINES, FEED_BOOK, MODES };
static const char *const mode_name[MODES] = {"feed_arbiter", "feed_events", "feed_two_lines", "feed_book"};

struct datagram {
	size_t at;
	uint32_t bytes;
};

static struct {
	uint8_t *data;
	struct datagram *datagram;
	uint32_t n_datagrams, n_messages;
} stream;

static struct {
	uint64_t ref;
	uint16_t locate;
	gn_qty qty;
} live[LIVE_MAX];
static uint32_t n_live;
static uint64_t random_state = SEED, ref_last;

static uint64_t random_below(uint64_t n)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (random_state * UINT64_C(2685821657736338717) >> 16) % n;
}

static struct gn_md make_add(uint16_t *locate)
{
	struct gn_md md = {.kind = GN_MD_ADD, .side = random_below(2) ? GN_BUY : GN_SELL};

	*locate = (uint16_t)(1 + random_below(SYMBOLS));
	md.order.ref = ref_last += 1 + random_below(3);
	md.order.qty = 100;
	md.order.px.e9 = (int64_t)(md.side == GN_BUY ? 10000 - random_below(40) : 10001 + random_below(40)) * 10000000;
	live[n_live].ref = md.order.ref;
	live[n_live].locate = *locate;
	live[n_live++].qty = md.order.qty;
	return md;
}

static struct gn_md make_change(uint16_t *locate)
{
	uint32_t i = (uint32_t)random_below(n_live);
	struct gn_md md = {.kind = GN_MD_DELETE, .order.ref = live[i].ref};

	*locate = live[i].locate;
	if (live[i].qty > 30 && random_below(4) == 0) {
		md.kind = random_below(2) ? GN_MD_EXEC : GN_MD_REDUCE;
		md.order.qty = 30;
		live[i].qty -= 30;
		return md;
	}
	live[i] = live[--n_live];
	return md;
}

static uint32_t make_message(uint8_t *out)
{
	uint16_t locate;
	bool add = n_live < 1000 || (n_live < LIVE_MAX && random_below(100) < 52);
	struct gn_md md = add ? make_add(&locate) : make_change(&locate);
	char name[] = {(char)('A' + locate / 676), (char)('A' + locate / 26 % 26), (char)('A' + locate % 26), 0};

	return itch50_encode(&md, locate, 0, gn_symbol_from(name, 8), out);
}

static void make_stream(uint32_t n_messages)
{
	struct moldudp64_session session = moldudp64_session_from("BENCH");
	uint32_t n = n_messages / PER_DATAGRAM;
	size_t at = 0;

	stream.data = malloc((size_t)n * 2048);
	stream.datagram = malloc(n * sizeof(*stream.datagram));
	if (!stream.data || !stream.datagram)
		exit(1);
	for (uint32_t i = 0; i < n; i++) {
		struct moldudp64_writer w;
		uint8_t msg[ITCH50_BYTES_MAX];
		moldudp64_begin(&w, stream.data + at, 2048, &session, (uint64_t)i * PER_DATAGRAM + 1);
		for (uint32_t j = 0; j < PER_DATAGRAM; j++)
			if (!moldudp64_append(&w, msg, make_message(msg)))
				exit(1);
		stream.datagram[i] = (struct datagram){at, moldudp64_close(&w)};
		at += stream.datagram[i].bytes;
	}
	stream.n_datagrams = n;
	stream.n_messages = n * PER_DATAGRAM;
}

static struct book_set books;
static volatile uint64_t sink;

static void on_event(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	const struct gn_md *md = msg;

	(void)ctx;
	(void)from;
	(void)bytes;
	sink = md->order.ref;
}

static void on_book_event(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)from;
	(void)bytes;
	book_apply(ctx, msg);
}

static void on_book_hint(void *ctx, const void *msg, uint32_t step)
{
	book_hint(ctx, msg, step);
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void must(int rc)
{
	if (rc == 0)
		return;
	fprintf(stderr, "bench_feed: %s\n", gn_err_text());
	exit(1);
}

static void run(struct feed *f, enum mode mode)
{
	struct moldudp64_reader r;

	for (uint32_t i = 0; i < stream.n_datagrams; i++) {
		struct arbiter_in in = {.payload = stream.data + stream.datagram[i].at, .bytes = stream.datagram[i].bytes,
			.now_ns = i, .tag = i};
		if (mode == ARBITER) {
			sink = arbiter_accept(&f->arbiter, &in, &r);
			continue;
		}
		feed_datagram(f, &in);
		if (mode == FEED_TWO_LINES) {
			in.line = 1;
			feed_datagram(f, &in);
		}
	}
}

/* One pass; a hundredth of a nanosecond a message. */
static uint64_t pass(struct feed *f, enum mode mode)
{
	struct gn_instruments *table = gn_instruments_new(SYMBOLS);
	struct gn_link out = {.on_msg = on_event, .msg_bytes_max = sizeof(struct gn_md)};
	struct feed_config config = {.n_lines = 2, .hold_datagrams = 64};
	struct book_config book = {.instruments_max = SYMBOLS, .orders_max = 2 * LIVE_MAX};

	must(table ? 0 : -1);
	if (mode == FEED_BOOK) {
		must(book_set_init(&books, &book));
		out = (struct gn_link){.on_msg = on_book_event, .hint = on_book_hint, .ctx = &books,
			.msg_bytes_max = sizeof(struct gn_md)};
	}
	must(feed_init(f, &config, table, &out, NULL));
	uint64_t start_ns = now_ns();
	run(f, mode);
	uint64_t ns = now_ns() - start_ns;
	if (f->arbiter.seq_next != stream.n_messages + UINT64_C(1))
		exit(1);
	if (mode == FEED_BOOK)
		book_set_fini(&books);
	feed_fini(f);
	gn_instruments_free(table);
	return ns * 100 / stream.n_messages;
}

int main(int argc, char **argv)
{
	static double ns[MODES][PASSES];
	struct feed *f = aligned_alloc(GN_LINE_PAIR, (sizeof(*f) + GN_LINE_PAIR - 1) / GN_LINE_PAIR * GN_LINE_PAIR);

	bench_start(&argc, argv);
	bench_pin(0);
	if (!f)
		return 1;
	uint32_t n_passes = bench_short() ? 3 : PASSES;
	make_stream(argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : bench_short() ? 100000 : 400000);
	for (uint32_t i = 0; i < n_passes; i++)
		for (enum mode mode = 0; mode < MODES; mode++)
			ns[mode][i] = (double)pass(f, mode) / 100;
	for (enum mode mode = 0; mode < MODES; mode++)
		bench_print(&(struct bench_result){.name = mode_name[mode], .n = (uint64_t)stream.n_messages * n_passes,
			.samples_ns = ns[mode], .n_samples = n_passes});
	return 0;
}
