/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/codec/ouch50.h"
#include "dataplane/codec/soupbintcp.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/trace.h"
#include "dataplane/runtime/wiring.h"
#include "perf/itch_flow.h"
#include "strategy/strategy_stage.h"

#ifdef __clang__
#define PATH_ALONE __attribute__((noinline))
#else
#define PATH_ALONE __attribute__((noinline, noclone))
#endif
#define PATH(NAME) PATH_ALONE static void path_##NAME(uint32_t n)
#define MESSAGES 20000u
#define SYMBOLS 200u
#define RING_DEPTH 1024u
#define KEEP(p) __asm__ volatile("" : : "r"(p) : "memory") /* what p points to was needed */

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_paths: %s\n", gn_err_text());
	exit(1);
}

/* --- the ring: one message in and out, reader and writer on one core --- */

static struct gn_spsc ring8, ring56;

static void set_up_rings(void)
{
	must(gn_spsc_init(&ring8, RING_DEPTH, 8, GN_NODE_ANY));
	must(gn_spsc_init(&ring56, RING_DEPTH, 56, GN_NODE_ANY));
}

static inline void ring_pass(struct gn_spsc *r, const void *msg, uint32_t bytes)
{
	GN_ASSERT(gn_spsc_push(r, msg, bytes));
	const struct gn_slot *slot = gn_spsc_peek(r, 0);
	KEEP(slot->payload);
	gn_spsc_release(r);
}

PATH(spsc_8)
{
	uint64_t msg = 1;

	for (uint32_t i = 0; i < n; i++)
		ring_pass(&ring8, &msg, sizeof(msg));
}

PATH(spsc_56)
{
	struct gn_md msg = {.kind = GN_MD_ADD};

	for (uint32_t i = 0; i < n; i++)
		ring_pass(&ring56, &msg, sizeof(msg));
}

/* --- market data --- */

static struct itch_flow flow;
static struct gn_md event[MESSAGES];
static uint32_t n_events;
static struct book_set books;

static const uint8_t *decode_next(const uint8_t *at, struct gn_md *md)
{
	uint32_t bytes = wire_u16(at);
	uint16_t locate = 0;

	md->kind = GN_MD_NONE;
	if (itch50_decode(at + 2, bytes, md, &locate) == ITCH50_OK)
		md->inst = locate;
	return at + 2 + bytes;
}

static void set_up_flow(void)
{
	itch_flow_make(&flow, &(struct itch_flow_config){.n_messages = MESSAGES, .n_symbols = SYMBOLS, .live = 50, .seed = 7});
}

static void set_up_book(void)
{
	struct book_config config = {.instruments_max = SYMBOLS + 1, .orders_max = 1u << 16, .tolerate_gaps = true, .node = GN_NODE_ANY};

	set_up_flow();
	must(book_set_init(&books, &config));
	for (const uint8_t *at = flow.data, *end = at + flow.bytes; at + 2 < end && n_events < MESSAGES;) {
		struct gn_md md = {.rx_tsc = 1};
		at = decode_next(at, &md);
		if (md.kind >= GN_MD_ADD && md.kind <= GN_MD_REPLACE && md.inst <= SYMBOLS)
			event[n_events++] = md;
	}
	if (n_events < MESSAGES / 2)
		exit(1);
}

PATH(itch_decode)
{
	const uint8_t *at = flow.data, *end = at + flow.bytes;
	struct gn_md md = {.rx_tsc = 1};

	for (uint32_t i = 0; i < n && at < end; i++) {
		at = decode_next(at, &md);
		KEEP(&md);
	}
}

PATH(book_event)
{
	for (uint32_t i = 0; i < n; i++) {
		book_apply(&books, &event[i]);
		struct book_bbo best = book_bbo(&books, event[i].inst);
		KEEP(&best);
	}
}

/* --- an order: message, order id in base 36, packet, TCP frame with its checksums --- */

static struct tcp_fast fast;
static uint8_t frame[2048];

static void set_up_order(void)
{
	static const uint8_t mac[6] = {2};

	tcp_fast_init(&fast, mac, 1, 2, 3, 4);
}

PATH(order_encode)
{
	struct ouch50_enter e = {.symbol = {.c = "AAPL    "}, .qty = 100, .px = {.e9 = INT64_C(2915200000000)}, .side = 'B', .tif = '0',
		.display = 'Y', .capacity = 'P', .iso = 'N', .cross = 'N'};

	for (uint32_t i = 0; i < n; i++) {
		fast.n_pending = fast.pending_bytes = 0;
		fast.grant = (struct tcp_fast_grant){i, 7, 60000, 1460, 100, 9000};
		e.user_ref = i + 1;
		e.clordid = ouch50_clordid_from_oid(gn_oid_make(1, i));
		tcp_fast_open(&fast, frame);
		uint32_t bytes = ouch50_encode_enter(&e, frame + TCP_FAST_HEAD_BYTES + SOUP_HEAD_BYTES);
		soup_head(frame + TCP_FAST_HEAD_BYTES, 'U', bytes);
		tcp_fast_seal(&fast, frame, SOUP_HEAD_BYTES + bytes);
		KEEP(frame);
	}
}

/* --- a strategy: view in, callback, order request out, over direct links as wired in one core --- */

static struct gn_link *to_strategy;
static uint64_t n_requests;

static int book_init(void *ctx, const struct gn_env *env)
{
	(void)ctx;
	to_strategy = gn_env_link(env, "book_strategy");
	return to_strategy ? 0 : -1;
}

static void on_request(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx, (void)from, (void)bytes;
	KEEP(msg);
	n_requests++;
}

static bool book_poll(void *ctx)
{
	(void)ctx;
	return false;
}

static const struct gn_stage stage_book = {.name = "book", .ctx_bytes = 8, .burst = 1,
	.out = (const char *const[]){"book_strategy", NULL}, .init = book_init, .poll = book_poll};
static const struct gn_stage stage_risk = {.name = "risk", .ctx_bytes = 8, .burst = 1,
	.in = (const struct gn_inlet[]){{"strategy_risk", on_request, sizeof(struct gn_order_req), NULL}, {0}},
	.out = (const char *const[]){"risk_strategy", NULL}};

static uint64_t no_time(void *arg)
{
	(void)arg;
	return 1;
}

static void set_up_strategy(void)
{
	static struct strategy_config config = {.path = PERF_PROBE_SO, .now_ns = no_time};
	static const struct gn_link_config back = {.back = true};
	struct gn_wiring *w = gn_wiring_new(gn_instruments_new(16), NULL, gn_stats_create(NULL, 256));

	must(w ? 0 : -1);
	must(gn_wiring_stage(w, &stage_book, "book0", 0, 0, GN_NODE_ANY, NULL));
	must(gn_wiring_stage(w, &gn_stage_strategy, "strategy0", 0, 0, GN_NODE_ANY, &config));
	must(gn_wiring_stage(w, &stage_risk, "risk0", 0, 0, GN_NODE_ANY, NULL));
	must(gn_wiring_link(w, "book_strategy", "book0", "strategy0", NULL));
	must(gn_wiring_link(w, "strategy_risk", "strategy0", "risk0", NULL));
	must(gn_wiring_link(w, "risk_strategy", "risk0", "strategy0", &back));
	must(gn_wiring_seal(w));
}

PATH(strategy_hop)
{
	struct gn_book_view view = {.inst = 1, .cause = GN_MD_ADD, .n_levels = 1, .rx_tsc = 1};
	uint64_t before = n_requests;

	view.level[0].bid_px.e9 = 1000000000;
	for (uint32_t i = 0; i < n; i++)
		gn_link_send(to_strategy, &view, gn_book_view_bytes(1));
	GN_ASSERT(n_requests == before + n);
}

/* --- a trace stamp, on and off --- */

static struct gn_trace *trace;

static void set_up_trace(void)
{
	trace = gn_mem_alloc(sizeof(*trace), GN_NODE_ANY);
	must(trace ? 0 : -1);
}

static void stamp(uint32_t n, bool on)
{
	trace->on = on;
	gn_trace_here = trace;
	for (uint32_t i = 0; i < n; i++)
		gn_trace_stamp(GN_HOP_RISK, i, 1, i);
	gn_trace_here = NULL;
}

PATH(trace_stamp)
{
	stamp(n, true);
}

PATH(trace_stamp_off)
{
	stamp(n, false);
}

const struct path paths[] = {
	{"spsc_8", set_up_rings, path_spsc_8, UINT32_MAX},
	{"spsc_56", set_up_rings, path_spsc_56, UINT32_MAX},
	{"itch_decode", set_up_flow, path_itch_decode, MESSAGES},
	{"book_event", set_up_book, path_book_event, MESSAGES / 2},
	{"order_encode", set_up_order, path_order_encode, UINT32_MAX},
	{"strategy_hop", set_up_strategy, path_strategy_hop, UINT32_MAX},
	{"trace_stamp", set_up_trace, path_trace_stamp, UINT32_MAX},
	{"trace_stamp_off", set_up_trace, path_trace_stamp_off, UINT32_MAX},
	{0},
};
