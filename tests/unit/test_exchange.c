/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "app/exchange/rng.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/codec/moldudp64.h"
#include "tests/sim/exchange_harness.h"

/* the stream of line A, rebuilt into a reference book: a table of orders by reference */
#define REFS (1u << 21)
struct seen_order {
	gn_px px;
	gn_qty qty;
	gn_inst inst;
	gn_side side;
};

struct seen {
	struct seen_order order[REFS];
	uint64_t seq_next;
	uint64_t n[GN_MD_KIND_COUNT];
	uint64_t live;
	uint64_t ends, heartbeats;
	char state[256];
};

static struct harness h;
static struct seen *seen;

static void apply(const struct gn_md *md, uint16_t locate)
{
	struct seen_order *o = &seen->order[md->order.ref % REFS];

	switch (md->kind) {
	case GN_MD_ADD:
		cr_assert_lt(md->order.ref, REFS);
		cr_assert_eq(o->qty, 0);
		*o = (struct seen_order){.px = md->order.px, .qty = md->order.qty, .inst = locate - 1u, .side = md->side};
		seen->live++;
		break;
	case GN_MD_EXEC:
	case GN_MD_EXEC_PX:
	case GN_MD_REDUCE:
		cr_assert_geq(o->qty, md->order.qty, "more taken off than there is");
		o->qty -= md->order.qty;
		seen->live -= o->qty == 0;
		break;
	case GN_MD_DELETE:
		cr_assert_gt(o->qty, 0, "delete of an order that is not there");
		o->qty = 0;
		seen->live--;
		break;
	case GN_MD_REPLACE:
		cr_assert_gt(o->qty, 0, "replace of an order that is not there");
		seen->order[md->order.aux2] = (struct seen_order){
			.px = md->order.px, .qty = md->order.qty, .inst = o->inst, .side = o->side};
		o->qty = 0;
		break;
	case GN_MD_STATE: seen->state[(locate - 1u) % sizeof(seen->state)] = md->code; break;
	default: break;
	}
}

static void on_message(const uint8_t *msg, uint32_t bytes)
{
	struct gn_md md = {0};
	uint16_t locate;

	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	seen->n[md.kind]++;
	apply(&md, locate);
}

static void on_line(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct moldudp64_reader r;
	const uint8_t *msg;
	uint32_t msg_bytes;

	(void)arg;
	cr_assert_leq(bytes, h.config.datagram_bytes_max ? h.config.datagram_bytes_max : 1400);
	if (line != 0)
		return;
	enum moldudp64_kind kind = moldudp64_open(&r, data, bytes);

	seen->ends += kind == MOLDUDP64_END;
	seen->heartbeats += kind == MOLDUDP64_HEARTBEAT;
	cr_assert_neq(kind, MOLDUDP64_MALFORMED);
	cr_assert_eq(r.seq, seen->seq_next, "sequence %lu, expected %lu", r.seq, seen->seq_next);
	while (moldudp64_next(&r, &msg, &msg_bytes) == MOLDUDP64_BLOCK) {
		seen->seq_next++;
		on_message(msg, msg_bytes);
	}
}

static uint64_t shown;

static bool compare(void *arg, const struct match_order *o)
{
	(void)arg;
	if (o->flags & MATCH_HIDDEN)
		return true;
	const struct seen_order *s = &seen->order[o->ref % REFS];

	cr_assert_eq(s->qty, o->qty, "order %lu has %u, published %ld", o->ref, o->qty, s->qty);
	cr_assert_eq(s->px.e9, o->px_e4 * GN_PX_E9_PER_E4);
	cr_assert_eq(s->inst, o->inst);
	cr_assert_eq(s->side, o->side);
	shown++;
	return true;
}

static void check_published_books(void)
{
	shown = 0;
	for (gn_inst i = 0; i < exchange_counts(h.x).n_symbols; i++)
		for (gn_side side = GN_BUY; side <= GN_SELL; side++)
			match_walk(exchange_match(h.x), i, side, compare, NULL);
	cr_assert_eq(shown, seen->live);
}

static void given_small_exchange(void)
{
	memset(&h, 0, sizeof(h));
	h.config.n_symbols = 20;
	h.config.orders_max = 16384;
	h.config.client_orders_max = 65536;
	h.config.store_mib = 1;
	h.config.reports_mib = 1;
	seen = calloc(1, sizeof(*seen));
	seen->seq_next = 1;
	h.on_datagram = on_line;
}

static void clean_up(void)
{
	if (h.x)
		harness_stop(&h);
	free(seen);
}

TestSuite(exchange, .init = given_small_exchange, .fini = clean_up, .timeout = 60);

Test(exchange, publishes_nothing_before_an_order_session_is_in)
{
	harness_start(&h);
	harness_run(&h, 500);
	cr_assert_eq(exchange_phase(h.x), EXCHANGE_WAITING);
	cr_assert_eq(h.datagrams[0], 0);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	harness_run(&h, 10);
	cr_assert_eq(exchange_phase(h.x), EXCHANGE_WAITING, "a connection alone is no session");
	harness_login(c, "GANNET", "GANNET", 1);
	harness_until(&h, EXCHANGE_OPEN);
	cr_assert_eq(seen->n[GN_MD_DIRECTORY], 20);
	cr_assert_eq(seen->n[GN_MD_STATE], 20);
	cr_assert_eq(seen->n[GN_MD_SHORT_SALE], 20);
	cr_assert_eq(seen->n[GN_MD_SYSTEM], 3);
}

Test(exchange, published_stream_rebuilds_the_displayed_books_at_every_moment)
{
	h.config.start_now = true;
	h.config.flow.rate_msgs_s = 50000;
	h.config.flow.hidden_ppm = 50000;
	h.config.flow.burst_msgs = 50;
	h.config.flow.burst_every_ms = 20;
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
	for (uint32_t i = 0; i < 20000; i++) {
		h.now_ns += 20000;
		while (exchange_work(h.x, h.now_ns))
			check_published_books();
	}
	cr_assert_gt(seen->n[GN_MD_ADD], 5000);
	cr_assert_gt(seen->n[GN_MD_EXEC], 500);
	cr_assert_gt(seen->n[GN_MD_REDUCE], 500);
	cr_assert_gt(seen->n[GN_MD_DELETE], 5000);
	cr_assert_gt(seen->n[GN_MD_REPLACE], 500);
	cr_assert_gt(seen->n[GN_MD_TRADE], 50);
	cr_assert_eq(h.datagrams[0], h.datagrams[1]);
}

Test(exchange, flow_keeps_its_rate_and_sane_books)
{
	h.config.start_now = true;
	h.config.flow.rate_msgs_s = 100000;
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
	uint64_t before = exchange_counts(h.x).flow.actions, crossed = 0, one_sided = 0, spread = 0, looks = 0;

	for (uint32_t ms = 0; ms < 2000; ms += 10) {
		harness_run(&h, 10);
		for (gn_inst i = 0; i < 20; i++) {
			uint32_t bid, ask;
			uint64_t qty;
			bool both = match_best(exchange_match(h.x), i, GN_BUY, &bid, &qty) && match_best(exchange_match(h.x), i, GN_SELL, &ask, &qty);

			looks++;
			one_sided += !both;
			crossed += both && bid >= ask;
			spread += both ? (ask - bid) / FLOW_TICK_E4 : 0;
		}
	}
	uint64_t actions = exchange_counts(h.x).flow.actions - before;
	struct match_counts n = exchange_counts(h.x).match;

	cr_assert_geq(actions, 190000);
	cr_assert_leq(actions, 210000);
	cr_assert_eq(crossed, 0);
	cr_assert_lt(one_sided * 100, looks);
	cr_assert_lt(spread, 6 * looks, "mean spread %lu/%lu ticks", spread, looks);
	cr_assert_gt(n.live, 20 * 20);
	cr_assert_lt(n.live, 20 * 240);
	cr_assert_gt(n.trades, 5000);
}

static uint64_t run_hash(uint64_t seed)
{
	free(seen);
	given_small_exchange();
	h.config.seed = seed;
	h.config.start_now = true;
	h.config.flow.burst_msgs = 20;
	h.config.flow.burst_every_ms = 50;
	harness_start(&h);
	harness_run(&h, 300);
	exchange_stop(h.x);
	harness_until(&h, EXCHANGE_STOPPED);
	harness_stop(&h);
	return h.hash;
}

Test(exchange, same_seed_gives_the_same_bytes_and_another_seed_others)
{
	uint64_t a = run_hash(5), b = run_hash(5), c = run_hash(6);

	cr_assert_eq(a, b);
	cr_assert_neq(a, c);
}

Test(exchange, idle_lines_carry_heartbeats_and_the_end_is_told)
{
	h.config.start_now = true;
	h.config.flow.off = true;
	harness_start(&h);
	harness_run(&h, 3500);
	cr_assert_eq(seen->heartbeats, 3);
	exchange_stop(h.x);
	harness_until(&h, EXCHANGE_STOPPED);
	cr_assert_geq(seen->ends, 2);
	cr_assert_eq(seen->n[GN_MD_SYSTEM], 6);
}

Test(exchange, opening_auction_indicates_crosses_and_opens)
{
	h.config.start_now = true;
	h.config.opening_cross_ms = 200;
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPENING);
	cr_assert_eq(seen->state[3], 'Q');
	harness_until(&h, EXCHANGE_OPEN);
	check_published_books();
	cr_assert_eq(seen->n[GN_MD_IMBALANCE], 8 * 20);
	cr_assert_eq(seen->n[GN_MD_CROSS], 20);
	cr_assert_gt(seen->n[GN_MD_EXEC_PX], 20);
	cr_assert_eq(seen->state[3], 'T');
	for (gn_inst i = 0; i < 20; i++) {
		uint32_t bid, ask;
		uint64_t qty;

		if (match_best(exchange_match(h.x), i, GN_BUY, &bid, &qty) && match_best(exchange_match(h.x), i, GN_SELL, &ask, &qty))
			cr_assert_lt(bid, ask);
	}
}
