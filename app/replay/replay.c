/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/book_hint.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "progress.h"
#include "replay_core.h"

#define ORDERS_DEFAULT_MAX (UINT64_C(4) * 1024 * 1024)
#define ORDERS_DEFAULT_MIN (UINT64_C(64) * 1024)
#define ADD_BYTES 38u /* the shortest message that makes an order, with its length */
#define NAME_BYTES 22u /* the shortest message that names an instrument, with its length */
#define INSTRUMENTS_MIN (2 * REPLAY_SYMBOLS_MAX) /* those asked for, and as many others */
#define DRAIN_NS (UINT64_C(3600) * 1000 * 1000 * 1000) /* longer than anything the feed waits for */

_Static_assert(CAPTURE_LINES_MAX == ARBITER_LINES_MAX, "every line of a capture is a line of the feed");

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void count_event(struct replay *r, const struct gn_md *md)
{
	if (md->kind == GN_MD_DIRECTORY && md->directory.authenticity == '\0')
		return; /* not a message: the feed learned a number from another one */
	r->by_kind[md->kind]++;
	if (md->kind == GN_MD_ADD && md->order.aux2 != 0)
		r->n_attributed++;
}

static void on_event(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	struct replay *r = ctx;
	const struct gn_md *md = msg;

	(void)from;
	(void)bytes;
	r->past_end |= md->exch_ns > r->o->to_ns;
	r->in_range |= md->exch_ns >= r->o->from_ns;
	if (r->past_end)
		return;
	count_event(r, md);
	replay_event(r, md);
}

static void on_hint(void *ctx, const void *msg, uint32_t step)
{
	book_hint(&((const struct replay *)ctx)->books, msg, step);
}

/* of a datagram that the reader of captures has checked */
static uint64_t datagram_seq(const struct capture_record *rec)
{
	return wire_u64(rec->data + 10);
}

/* the first piece says what kind of stream it is, and where a capture begins */
static int begin_feed(struct replay *r, const struct capture_record *rec)
{
	struct feed_config cfg = {.n_lines = CAPTURE_LINES_MAX, .number_events = true, .seq_first = 1};

	r->kind = rec->kind;
	if (rec->kind == CAPTURE_DATAGRAM && datagram_seq(rec) != 0)
		cfg.seq_first = datagram_seq(rec);
	r->link = (struct gn_link){.on_msg = on_event, .ctx = r, .hint = on_hint, .msg_bytes_max = sizeof(struct gn_md),
		.name = "feed>replay"};

	uint64_t before_ns = now_ns();
	int rc = feed_init(&r->feed, &cfg, r->table, &r->link, NULL);

	r->began = rc == 0;
	r->begin_ns += now_ns() - before_ns; /* memory being mapped is no part of the speed */
	return rc;
}

static void take_datagram(struct replay *r, const struct capture_record *rec)
{
	if (rec->ns > r->now_ns)
		r->now_ns = rec->ns;

	struct arbiter_in in = {.payload = rec->data, .bytes = rec->bytes, .line = rec->line, .now_ns = r->now_ns,
		.tag = datagram_seq(rec)};

	r->seq = in.tag;
	feed_datagram(&r->feed, &in);
	while (feed_pending(&r->feed) && feed_poll(&r->feed, r->now_ns, r->seq))
		;
}

static int take(struct replay *r, const struct capture_record *rec, const char *path)
{
	if (gn_unlikely(!r->began)) {
		int rc = begin_feed(r, rec);

		if (rc < 0)
			return rc;
	}
	if (gn_unlikely(rec->kind != r->kind))
		return gn_err(0, "%s: raw files and captures of datagrams cannot be parts of one stream", path);
	if (rec->kind == CAPTURE_MESSAGE)
		feed_message(&r->feed, rec->data, rec->bytes, ++r->seq);
	else
		take_datagram(r, rec);
	return r->rc < 0 ? r->rc : r->out.rc;
}

#define ADD_COUNTER(name, help) to->n.name += from->n.name;

static void keep_counters(struct capture_reader *to, const struct capture_reader *from)
{
	CAPTURE_COUNTERS(ADD_COUNTER)
	capture_continue(to, from);
}

static int replay_file(struct replay *r, const char *path, struct progress *p)
{
	struct capture_reader c;
	struct capture_record rec;
	int rc = capture_open(&c, path);

	if (rc < 0)
		return rc;
	capture_continue(&c, &r->last);
	while (!r->past_end && (rc = capture_next(&c, &rec)) == 1) {
		rc = take(r, &rec, path);
		if (rc < 0)
			break;
		progress_step(p, c.source.name, c.source.n_read, c.source.n_file, c.index);
	}
	keep_counters(&r->last, &c);
	r->fill_ns += c.source.fill_ns;
	r->n_bytes += c.source.n_read;
	capture_close(&c);
	return rc < 0 ? rc : 0;
}

/* hand on what is batched; what is missing at the end of a capture does not come any more */
static void drain(struct replay *r)
{
	if (!r->began)
		return;
	feed_flush(&r->feed);
	while (r->kind == CAPTURE_DATAGRAM && feed_pending(&r->feed)
		&& feed_poll(&r->feed, r->now_ns + DRAIN_NS, r->seq))
		;
}

/* length of all files; UINT64_MAX: packed files and pipes do not say */
static uint64_t input_bytes(const struct replay_options *o)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < o->n_files; i++) {
		struct byte_source s;
		struct stat st;

		/* a pipe must not be opened twice; what cannot be opened is told when its turn comes */
		if (stat(o->files[i], &st) < 0 || !S_ISREG(st.st_mode) || byte_source_open(&s, o->files[i]) < 0)
			return UINT64_MAX;

		uint64_t file_bytes = s.unpack == NULL ? s.n_file : 0;

		byte_source_close(&s);
		if (file_bytes == 0)
			return UINT64_MAX;
		bytes += file_bytes;
	}
	return bytes;
}

static uint64_t within(uint64_t v, uint64_t min, uint64_t max)
{
	return v < min ? min : v > max ? max : v;
}

/* room for no more than the input can hold */
static int init_books(struct replay *r)
{
	uint64_t bytes = input_bytes(r->o);
	struct book_config cfg = {.tolerate_gaps = true, .node = GN_NODE_ANY,
		.orders_max = within(bytes / ADD_BYTES, ORDERS_DEFAULT_MIN, ORDERS_DEFAULT_MAX),
		.instruments_max = (uint32_t)within(bytes / NAME_BYTES, INSTRUMENTS_MIN, REPLAY_INSTRUMENTS_MAX)};

	if (r->o->orders_max != 0)
		cfg.orders_max = r->o->orders_max;
	r->instruments_max = cfg.instruments_max;
	return book_set_init(&r->books, &cfg);
}

static int replay_init(struct replay *r, const struct replay_options *o, int out_fd)
{
	int rc;

	r->o = o;
	text_out_init(&r->out, out_fd);
	r->row = (struct row){.out = &r->out, .mode = o->json ? ROW_JSON : ROW_CSV};
	rc = init_books(r);
	if (rc < 0)
		return rc;
	r->table = gn_instruments_new(r->instruments_max);
	r->bbo = calloc(r->instruments_max, sizeof(*r->bbo));
	r->levels = calloc(r->instruments_max, sizeof(*r->levels));
	if (r->table == NULL || r->bbo == NULL || r->levels == NULL)
		return gn_err(ENOMEM, "replay: memory for %u instruments", r->instruments_max);
	for (uint32_t i = 0; i < o->n_symbols; i++)
		if (gn_instruments_add(r->table, o->symbol[i]) != i)
			return gn_err(0, "--symbols: %s stands there twice", gn_symbol_text(o->symbol[i]).c);
	return 0;
}

static void replay_fini(struct replay *r)
{
	if (r->began)
		feed_fini(&r->feed);
	if (r->books.book != NULL)
		book_set_fini(&r->books);
	replay_print_fini(r);
	gn_instruments_free(r->table);
	free(r);
}

static int replay_files(struct replay *r)
{
	struct progress p;
	int rc = 0;

	progress_begin(&p);
	r->begin_ns = now_ns();
	for (uint32_t i = 0; i < r->o->n_files && rc == 0 && !r->past_end; i++)
		rc = replay_file(r, r->o->files[i], &p);
	drain(r);
	r->end_ns = now_ns();
	progress_end(&p);
	return rc;
}

int replay_run(const struct replay_options *o, int out_fd)
{
	struct replay *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return gn_err(ENOMEM, "replay");

	int rc = replay_init(r, o, out_fd);

	if (rc == 0) {
		replay_print_head(r);
		rc = replay_files(r);
		if (o->print == REPLAY_STATS)
			replay_print_stats(r);
		text_out_flush(&r->out);
		if (r->out.rc < 0 && (rc == 0 || rc == r->out.rc))
			rc = gn_err(-r->out.rc, "write the output");
	}
	replay_fini(r);
	return rc;
}

int replay_main(int argc, char **argv)
{
	static struct replay_options o;

	if (replay_options_parse(&o, argc, argv) < 0) {
		fprintf(stderr, "gannet replay: %s\ngannet replay --help says more.\n", gn_err_text());
		return 2;
	}
	if (o.help) {
		fputs(replay_usage, stdout);
		return 0;
	}
	if (replay_run(&o, STDOUT_FILENO) < 0) {
		fprintf(stderr, "gannet replay: %s\n", gn_err_text());
		return 1;
	}
	return 0;
}
