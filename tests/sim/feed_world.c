/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/soupbintcp.h"
#include "random.h"

#define US UINT64_C(1000)
#define MS (1000 * US)
#define STEP_NS (100 * US)
#define END_NS (UINT64_C(60) * 1000 * MS) /* nothing takes that long */
#define FLIGHTS_MAX 60000u
#define DATAGRAM_MESSAGES_MAX 8u
#define SNAPSHOT_BYTES_MAX (DAY_MESSAGES_MAX * 64u)

enum flight_kind { FLIGHT_DATA, FLIGHT_END, FLIGHT_ANSWER, FLIGHT_UP, FLIGHT_BYTES, FLIGHT_DOWN };

/* Something under way to a feed (or, for a live datagram, to all of them). */
struct flight {
	uint64_t at_ns;
	uint64_t order; /* of two that arrive together the first one sent comes first */
	enum flight_kind kind;
	uint32_t feed, line, conn;
	uint64_t seq;
	uint32_t n; /* messages, or bytes at seq of the snapshot */
};

struct world {
	struct world_config cfg;
	uint64_t rng, now_ns, order;
	struct day day;
	struct gn_instruments *table;
	uint64_t sent_ns[DAY_MESSAGES_MAX + 1]; /* of each message */
	uint64_t stream_end_ns;
	struct flight flight[FLIGHTS_MAX]; /* heap by arrival */
	uint32_t n_flights;
	uint8_t snapshot[WORLD_FEEDS_MAX][SNAPSHOT_BYTES_MAX]; /* on the way to each feed */
	struct world_feed feed[WORLD_FEEDS_MAX];
};

static bool earlier(const struct flight *a, const struct flight *b)
{
	return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void world_failed(const struct world *w, const char *what)
{
	fprintf(stderr, "seed %llu: %s\n", (unsigned long long)w->cfg.seed, what);
	abort();
}

static void world_send(struct world *w, struct flight f)
{
	uint32_t i = w->n_flights++;

	if (i == FLIGHTS_MAX)
		world_failed(w, "too much under way");
	f.order = w->order++;
	for (; i > 0 && earlier(&f, &w->flight[(i - 1) / 2]); i = (i - 1) / 2)
		w->flight[i] = w->flight[(i - 1) / 2];
	w->flight[i] = f;
}

static struct flight world_next(struct world *w)
{
	struct flight first = w->flight[0], last = w->flight[--w->n_flights];
	uint32_t i = 0;

	for (uint32_t child; (child = 2 * i + 1) < w->n_flights; i = child) {
		child += child + 1 < w->n_flights && earlier(&w->flight[child + 1], &w->flight[child]);
		if (!earlier(&w->flight[child], &last))
			break;
		w->flight[i] = w->flight[child];
	}
	w->flight[i] = last;
	return first;
}

static bool chance(struct world *w, uint32_t pct)
{
	return random_below(&w->rng, 100) < pct;
}

/* --- the lines --- */

static void world_send_line(struct world *w, uint32_t line, uint64_t seq, uint32_t n, uint64_t at_ns)
{
	uint64_t delay_ns = 20 * US + random_below(&w->rng, 20 * US) + (chance(w, w->cfg.reorder_pct) ? 150 * US : 0);
	uint32_t copies = chance(w, w->cfg.repeat_pct) ? 2 : 1;

	for (uint32_t i = 0; i < copies; i++)
		world_send(w, (struct flight){.at_ns = at_ns + delay_ns + i * 10 * US, .line = line, .seq = seq, .n = n});
}

/* Cut the day into datagrams and send each on both lines, as far as they get. */
static void world_send_stream(struct world *w)
{
	uint64_t at_ns = MS;
	uint32_t burst[2] = {0};

	for (uint64_t seq = 1; seq <= w->day.n_messages; ) {
		uint32_t n = 1 + (uint32_t)random_below(&w->rng, DATAGRAM_MESSAGES_MAX);
		n = seq + n > w->day.n_messages + 1 ? (uint32_t)(w->day.n_messages + 1 - seq) : n;
		if (seq >= w->cfg.start_at) {
			for (uint32_t line = 0; line < 2; line++) {
				if (chance(w, w->cfg.loss_pct))
					burst[line] = 1 + (uint32_t)random_below(&w->rng, 6);
				if (burst[line] == 0)
					world_send_line(w, line, seq, n, at_ns);
				else if (w->cfg.tardy)
					world_send_line(w, line, seq, n, at_ns + w->cfg.feed.wait_ns + 5 * MS);
				burst[line] -= burst[line] != 0;
			}
			at_ns += random_below(&w->rng, 100 * US);
		}
		for (uint32_t i = 0; i < n; i++)
			w->sent_ns[seq++] = at_ns;
	}
	w->stream_end_ns = at_ns;
	for (uint32_t line = 0; line < 2; line++)
		world_send(w, (struct flight){.at_ns = at_ns + MS, .kind = FLIGHT_END, .line = line});
}

/* One past the last message that the venue has sent by now. */
static uint64_t world_seq_end(const struct world *w)
{
	uint64_t low = 1, high = w->day.n_messages + 1;

	while (low < high) {
		uint64_t mid = (low + high) / 2;
		if (w->sent_ns[mid] <= w->now_ns)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* --- the servers --- */

static void world_answer(struct world *w, uint32_t feed, const struct feed_request *request)
{
	struct moldudp64_request ask;
	uint64_t end = world_seq_end(w);
	uint32_t fits = 1 + (uint32_t)random_below(&w->rng, 12);

	if (!moldudp64_request_decode(request->data, request->bytes, &ask) || request->port_own != w->cfg.feed.recovery.port_own)
		world_failed(w, "a request that no server understands");
	if ((w->cfg.dead_server && request->ip == 1) || chance(w, w->cfg.server_loss_pct) || ask.seq >= end)
		return;
	uint64_t n = ask.count < fits ? ask.count : fits;
	n = ask.seq + n > end ? end - ask.seq : n;
	if (!chance(w, w->cfg.server_loss_pct))
		world_send(w, (struct flight){.at_ns = w->now_ns + 80 * US + random_below(&w->rng, 80 * US), .kind = FLIGHT_ANSWER,
			.feed = feed, .line = WORLD_REPLY_LINE, .seq = ask.seq, .n = (uint32_t)n});
}

static uint32_t world_soup(uint8_t *out, uint32_t at, uint8_t type, const void *payload, uint32_t bytes)
{
	return at + soup_build(out + at, type, payload, bytes);
}

static uint32_t world_snapshot_order(uint8_t *out, uint32_t at, const struct day_order *o, gn_symbol symbol)
{
	uint8_t buf[ITCH50_BYTES_MAX];
	struct gn_md md = {.kind = GN_MD_ADD, .side = o->side, .order = {.ref = o->ref, .px = o->px, .qty = o->qty}};

	return world_soup(out, at, SOUP_SEQUENCED, buf, itch50_encode(&md, o->locate, 0, symbol, buf));
}

/* All that a snapshot server sends: the state before message seq. */
static uint32_t world_snapshot(struct world *w, uint8_t *out, uint64_t seq)
{
	static struct day_book book;
	uint8_t buf[ITCH50_BYTES_MAX];
	uint32_t at = soup_accepted_build(&(struct soup_accepted){.session = "G", .seq = 1}, out);

	memset(&book, 0, sizeof(book));
	for (uint64_t i = 1; i < seq; i++) {
		const struct day_message *m = &w->day.message[i - 1];
		day_book_message(&book, m);
		if (m->data[0] == 'R' || m->data[0] == 'Y')
			at = world_soup(out, at, SOUP_SEQUENCED, m->data, m->bytes);
	}
	for (uint32_t i = 0; i < w->day.n_symbols; i++) {
		struct gn_md md = {.kind = GN_MD_STATE, .code = book.state[day_locate(i)]};
		if (md.code)
			at = world_soup(out, at, SOUP_SEQUENCED, buf, itch50_encode(&md, day_locate(i), 0, day_symbol(i), buf));
	}
	for (uint32_t i = 0; i < book.n; i++)
		at = world_snapshot_order(out, at, &book.order[i], day_symbol((book.order[i].locate - 1u) / 37u));
	return world_soup(out, at, SOUP_SEQUENCED, buf, glimpse50_end_encode(seq, buf));
}

static void world_send_tcp(struct world *w, uint32_t feed, enum flight_kind kind, uint64_t after_ns, uint32_t at, uint32_t n)
{
	world_send(w, (struct flight){.at_ns = w->now_ns + after_ns, .kind = kind, .feed = feed, .conn = w->feed[feed].conn,
		.seq = at, .n = n});
}

/* Break the framing of a packet about in the middle. What is inside a packet is TCP's to protect. */
static void world_break(uint8_t *out, uint32_t bytes)
{
	uint32_t at = 0;

	while (at < bytes / 2)
		at += 2u + wire_u16(out + at);
	if (at < bytes)
		wire_put_u16(out + at, 0);
}

/* The login came: send the snapshot in segments, or fail in one of many ways. */
static void world_serve(struct world *w, uint32_t feed)
{
	uint8_t *out = w->snapshot[feed];
	uint64_t seq = world_seq_end(w), after_ns = 50 * US;
	uint64_t lag = random_below(&w->rng, 4) ? 0 : random_below(&w->rng, 20);
	uint32_t fault = chance(w, w->cfg.glimpse_fault_pct) ? 1 + (uint32_t)random_below(&w->rng, 4) : 0;
	uint32_t bytes = world_snapshot(w, out, seq > lag ? seq - lag : 1);

	if (fault == 1)
		bytes = soup_rejected_build('A', out);
	if (fault == 2)
		world_break(out, bytes);
	uint32_t stop = fault >= 3 ? (uint32_t)random_below(&w->rng, bytes) : bytes;
	for (uint32_t at = 0; at < stop; ) {
		uint32_t n = 1 + (uint32_t)random_below(&w->rng, 1400);
		n = n < stop - at ? n : stop - at;
		after_ns += random_below(&w->rng, 40 * US);
		world_send_tcp(w, feed, FLIGHT_BYTES, after_ns, at, n);
		at += n;
	}
	if (fault == 3 || fault == 1)
		world_send_tcp(w, feed, FLIGHT_DOWN, after_ns + US, 0, 0);
}

static void on_request(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	struct world_feed *wf = ctx;
	struct world *w = wf->world;
	uint32_t feed = (uint32_t)(wf - w->feed);
	struct feed_request request = {0};

	(void)from;
	memcpy(&request, msg, bytes);
	switch ((enum feed_request_kind)request.kind) {
	case FEED_REQUEST_DATAGRAM:
		world_answer(w, feed, &request);
		break;
	case FEED_REQUEST_OPEN:
		wf->conn = request.conn;
		if (chance(w, w->cfg.glimpse_fault_pct / 2))
			world_send_tcp(w, feed, FLIGHT_DOWN, 50 * US, 0, 0);
		else
			world_send_tcp(w, feed, FLIGHT_UP, 50 * US, 0, 0);
		break;
	case FEED_REQUEST_BYTES:
		if (request.conn == wf->conn && request.data[2] == SOUP_LOGIN)
			world_serve(w, feed);
		break;
	case FEED_REQUEST_CLOSE:
		if (request.conn == wf->conn)
			wf->conn = 0;
		break;
	case FEED_REQUEST_NONE:
		world_failed(w, "a request of no kind");
	}
}

/* --- what a feed makes of it --- */

static void on_engine_event(struct world_feed *wf, const struct gn_md *md)
{
	for (uint32_t i = 0; i < DAY_SYMBOLS_MAX; i++) {
		if (md->inst != i && md->inst != GN_INST_NONE)
			continue;
		if (md->kind == GN_MD_CLEAR)
			day_book_clear(&wf->book, wf->locate_of[i]);
		else if (md->kind != GN_MD_SESSION_END)
			wf->stale[i] = md->kind == GN_MD_STALE;
	}
	if (md->inst == GN_INST_NONE && md->kind != GN_MD_SESSION_END)
		wf->stale_rest = md->kind == GN_MD_STALE;
	wf->check |= md->kind == GN_MD_FRESH;
	wf->n_fresh_all += md->kind == GN_MD_FRESH && md->inst == GN_INST_NONE;
}

static void on_event(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	struct world_feed *wf = ctx;
	const struct gn_md *md = msg;

	(void)from;
	(void)bytes;
	if (md->inst != GN_INST_NONE && md->inst >= DAY_SYMBOLS_MAX)
		world_failed(wf->world, "an instrument that does not exist");
	if (md->kind == GN_MD_DIRECTORY) {
		if (md->directory.venue_id)
			wf->locate_of[md->inst] = (uint16_t)md->directory.venue_id;
		wf->symbol_of[md->inst] = md->directory.symbol;
		wf->told[md->inst] = true;
	}
	if (md->inst != GN_INST_NONE && !wf->told[md->inst])
		world_failed(wf->world, "an instrument that was not introduced");
	if (md->kind >= GN_MD_STALE) {
		on_engine_event(wf, md);
		return;
	}
	day_book_apply(&wf->book, md, md->inst == GN_INST_NONE ? 0 : wf->locate_of[md->inst]);
	if ((md->flags & GN_MD_F_SNAPSHOT) || (md->kind == GN_MD_DIRECTORY && !md->directory.authenticity))
		return;
	struct world_event *e = &wf->event[wf->n_events++];
	e->md = *md;
	e->md.inst = 0;
	e->md.rx_tsc = 0;
	e->md.flags &= (uint8_t)~GN_MD_F_LAST; /* depends on where datagrams were cut */
	e->symbol.word = md->inst == GN_INST_NONE ? 0 : wf->symbol_of[md->inst].word;
}

static bool world_is_shard(const struct world_feed *wf, uint16_t locate)
{
	return locate % wf->feed.symbols.n_shards == wf->feed.symbols.shard;
}

static void world_truth(struct world_feed *wf)
{
	while (wf->seq_truth < wf->feed.arbiter.seq_next)
		day_book_message(&wf->truth, &wf->world->day.message[wf->seq_truth++ - 1]);
}

/* Every book that is not stale must be what the venue had before the feed's next message. */
static void world_check(struct world_feed *wf)
{
	world_truth(wf);
	wf->n_checks++;
	wf->check = false;
	for (uint32_t i = 0; i < DAY_SYMBOLS_MAX; i++) {
		if (!wf->told[i] || wf->stale[i] || !wf->locate_of[i] || !world_is_shard(wf, wf->locate_of[i]))
			continue;
		if (day_book_hash(&wf->book, wf->locate_of[i]) != day_book_hash(&wf->truth, wf->locate_of[i]))
			world_failed(wf->world, "a book that is not stale is wrong");
	}
}

/* Messages [from, to) were given up: whom would they have changed? */
static void world_given_up(struct world_feed *wf, uint64_t from, uint64_t to)
{
	struct gn_md md;
	uint16_t locate;

	for (uint64_t seq = from; seq < to; seq++) {
		const struct day_message *m = &wf->world->day.message[seq - 1];
		itch50_decode(m->data, m->bytes, &md, &locate);
		if (locate && (md.kind <= GN_MD_REPLACE || md.kind == GN_MD_STATE || md.kind == GN_MD_SHORT_SALE))
			wf->touched[(locate - 1u) / 37u] = true;
	}
}

static bool world_poll(struct world_feed *wf)
{
	uint64_t seq = wf->feed.arbiter.seq_next, given_up = wf->feed.arbiter.n.given_up;
	bool worked = feed_poll(&wf->feed, wf->world->now_ns, wf->world->now_ns);

	if (wf->feed.arbiter.n.given_up != given_up)
		world_given_up(wf, seq, wf->feed.arbiter.seq_next);
	if (wf->check)
		world_check(wf);
	return worked;
}

static void world_settle(struct world *w, uint32_t polls_max)
{
	for (uint32_t i = 0; i < w->cfg.n_feeds; i++) {
		struct world_feed *wf = &w->feed[i];
		for (uint32_t n = 0; n < polls_max && feed_pending(&wf->feed); n++)
			if (!world_poll(wf))
				break;
		if (random_below(&w->rng, 16) == 0)
			world_check(wf);
	}
}

static void world_deliver_datagram(struct world *w, const struct flight *f, uint32_t feed)
{
	static uint8_t payload[2048];
	struct moldudp64_session session = moldudp64_session_from("WORLD");
	struct moldudp64_writer out;
	uint32_t bytes;

	if (f->kind == FLIGHT_END) {
		bytes = moldudp64_end(payload, &session, w->day.n_messages + 1);
	} else {
		moldudp64_begin(&out, payload, sizeof(payload), &session, f->seq);
		for (uint32_t i = 0; i < f->n; i++)
			moldudp64_append(&out, w->day.message[f->seq + i - 1].data, w->day.message[f->seq + i - 1].bytes);
		bytes = moldudp64_close(&out);
	}
	feed_datagram(&w->feed[feed].feed, &(struct arbiter_in){.payload = payload, .bytes = bytes, .line = f->line,
		.now_ns = w->now_ns, .tag = w->now_ns});
}

static void world_deliver_tcp(struct world *w, const struct flight *f)
{
	struct feed_reply reply = {.kind = FEED_REPLY_UP, .conn = f->conn};

	if (f->conn != w->feed[f->feed].conn)
		return;
	if (f->kind == FLIGHT_DOWN)
		reply.kind = FEED_REPLY_DOWN;
	if (f->kind == FLIGHT_BYTES) {
		reply.kind = FEED_REPLY_BYTES;
		reply.bytes = (uint16_t)f->n;
		memcpy(reply.data, w->snapshot[f->feed] + f->seq, f->n);
	}
	feed_reply(&w->feed[f->feed].feed, &reply, (uint32_t)FEED_REPLY_HEAD_BYTES + reply.bytes, w->now_ns);
}

static void world_deliver(struct world *w, const struct flight *f)
{
	if (f->kind >= FLIGHT_UP)
		world_deliver_tcp(w, f);
	else if (f->kind == FLIGHT_ANSWER)
		world_deliver_datagram(w, f, f->feed);
	else
		for (uint32_t i = 0; i < w->cfg.n_feeds; i++)
			world_deliver_datagram(w, f, i);
	if (f->kind == FLIGHT_END && w->now_ns < w->stream_end_ns + 20 * MS)
		world_send(w, (struct flight){.at_ns = w->now_ns + MS, .kind = FLIGHT_END, .line = f->line});
}

static bool world_over(const struct world *w)
{
	for (uint32_t i = 0; i < w->cfg.n_feeds; i++)
		if (!w->feed[i].feed.over_told || feed_pending(&w->feed[i].feed))
			return false;
	return w->n_flights == 0 || w->now_ns > END_NS;
}

static void world_pass(struct world *w, uint64_t until_ns)
{
	while (w->now_ns + STEP_NS < until_ns && w->now_ns < END_NS) {
		w->now_ns += STEP_NS;
		world_settle(w, 1000);
	}
	w->now_ns = until_ns > w->now_ns ? until_ns : w->now_ns;
	world_settle(w, (uint32_t)random_below(&w->rng, 6));
}

static void world_feed_init(struct world *w, uint32_t i)
{
	struct world_feed *wf = &w->feed[i];
	struct feed_config cfg = w->cfg.feed;

	memset(&wf->book, 0, sizeof(wf->book));
	memset(&wf->truth, 0, sizeof(wf->truth));
	memset(&wf->n_events, 0, sizeof(*wf) - offsetof(struct world_feed, n_events));
	wf->world = w;
	wf->out = (struct gn_link){.on_msg = on_event, .ctx = wf, .msg_bytes_max = sizeof(struct gn_md)};
	wf->gateway = (struct gn_link){.on_msg = on_request, .ctx = wf, .msg_bytes_max = sizeof(struct feed_request)};
	wf->seq_truth = 1;
	cfg.n_lines = 3;
	cfg.reply_lines = 1u << WORLD_REPLY_LINE;
	cfg.shard = i;
	cfg.n_shards = w->cfg.n_feeds;
	cfg.recovery.rerequest.n_servers = w->cfg.n_servers;
	cfg.recovery.snapshot.n_servers = w->cfg.glimpse;
	for (uint32_t s = 0; s < w->cfg.n_servers; s++)
		cfg.recovery.rerequest.server[s] = (struct feed_server){s + 1, 1000};
	if (feed_init(&wf->feed, &cfg, w->table, &wf->out, &wf->gateway) < 0)
		world_failed(w, gn_err_text());
}

struct world *world_run(const struct world_config *config)
{
	static struct world one; /* a world at a time: new memory for each would take longer than what happens in it */
	struct world *w = &one;

	w->now_ns = w->order = w->stream_end_ns = 0;
	w->n_flights = 0;
	w->cfg = *config;
	w->cfg.n_feeds = config->n_feeds ? config->n_feeds : 1;
	w->rng = config->seed;
	w->table = gn_instruments_new(DAY_SYMBOLS_MAX);
	day_make(&w->day, config->seed, config->n_symbols, config->n_messages, config->directory);
	for (uint32_t i = 0; i < w->cfg.n_feeds; i++)
		world_feed_init(w, i);
	world_send_stream(w);
	while (!world_over(w) && w->now_ns < END_NS) {
		if (w->n_flights == 0 || w->flight[0].at_ns > w->now_ns + STEP_NS) {
			world_pass(w, w->now_ns + STEP_NS);
			world_settle(w, 1000);
			continue;
		}
		struct flight f = world_next(w);
		world_pass(w, f.at_ns);
		world_deliver(w, &f);
	}
	for (uint32_t i = 0; i < w->cfg.n_feeds; i++)
		world_check(&w->feed[i]);
	return w;
}

void world_free(struct world *w)
{
	for (uint32_t i = 0; i < w->cfg.n_feeds; i++)
		feed_fini(&w->feed[i].feed);
	gn_instruments_free(w->table);
}

struct world_feed *world_feed(struct world *w, uint32_t i)
{
	return &w->feed[i];
}

const struct world_feed *world_ideal(const struct world *w)
{
	static struct world_feed ideal;

	for (ideal.n_events = 0; ideal.n_events < w->day.n_messages; ideal.n_events++) {
		const struct day_message *m = &w->day.message[ideal.n_events];
		struct world_event *e = &ideal.event[ideal.n_events];
		uint16_t locate = 0;
		memset(e, 0, sizeof(*e));
		itch50_decode(m->data, m->bytes, &e->md, &locate);
		e->symbol = locate ? day_symbol((locate - 1u) / 37u) : (gn_symbol){.word = 0};
		if (e->md.kind == GN_MD_IPO)
			e->symbol = itch50_symbol(m->data, m->bytes);
	}
	return &ideal;
}

const struct day *world_day(const struct world *w)
{
	return &w->day;
}

bool world_feed_is_right(struct world_feed *wf)
{
	const struct day *day = &wf->world->day;

	if (wf->feed.stale || wf->stale_rest || wf->feed.arbiter.seq_next != day->n_messages + 1)
		return false;
	world_truth(wf);
	for (uint32_t i = 0; i < day->n_symbols; i++) {
		uint16_t locate = day_locate(i);
		if (world_is_shard(wf, locate) && day_book_hash(&wf->book, locate) != day_book_hash(&wf->truth, locate))
			return false;
	}
	for (uint32_t i = 0; i < DAY_SYMBOLS_MAX; i++)
		if (wf->stale[i])
			return false;
	return true;
}

static const struct world_event *event_from(const struct world_feed *wf, uint32_t *i, gn_symbol symbol)
{
	while (*i < wf->n_events) {
		const struct world_event *e = &wf->event[(*i)++];
		if (e->symbol.word == symbol.word)
			return e;
	}
	return NULL;
}

static bool same_event(const struct world_event *a, const struct world_event *b)
{
	return a && b && memcmp(a, b, sizeof(*a)) == 0;
}

bool world_same_events(const struct world_feed *a, const struct world_feed *b, gn_symbol symbol)
{
	for (uint32_t i = 0, j = 0;;) {
		const struct world_event *x = event_from(a, &i, symbol), *y = event_from(b, &j, symbol);
		if (!x && !y)
			return true;
		if (!same_event(x, y))
			return false;
	}
}

bool world_part_of(const struct world_feed *a, const struct world_feed *b, gn_symbol symbol)
{
	const struct world_event *x, *y;

	for (uint32_t i = 0, j = 0; (x = event_from(a, &i, symbol));) {
		do {
			y = event_from(b, &j, symbol);
		} while (y && !same_event(x, y));
		if (!y)
			return false;
	}
	return true;
}

bool world_same_stream(const struct world_feed *a, const struct world_feed *b)
{
	if (a->n_events != b->n_events)
		return false;
	for (uint32_t i = 0; i < a->n_events; i++)
		if (!same_event(&a->event[i], &b->event[i]))
			return false;
	return true;
}
