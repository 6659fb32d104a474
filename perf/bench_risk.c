/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A check in full, with every control on: judged, entered in the order table, its exposure taken. Orders are drawn at
 * random over 10,000 instruments and 64 strategies (seeded), with 10, 1,000 and 100,000 orders open. Three figures each:
 * in a stream with the hints that a link gives (from the ninth on), without them, and with everything of the instrument
 * thrown out of every cache before (cold).
 * Prints one JSON line a figure. With valgrind at hand it also counts instructions a check.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/histogram.h"
#include "perf/bench.h"
#include "risk/risk.h"

#define SEED UINT64_C(0x6a09e667f3bcc908)
#define INSTS 10000u
#define STRATEGIES GN_STRATEGIES_MAX
#define BATCH 64u
#define HINT_FAR 8u /* as a link does */
#define HINT_NEAR 4u

struct bench {
	struct risk risk;
	struct gn_board board;
	uint64_t state, n_sent, next[STRATEGIES];
	uint64_t now_tsc;
	gn_oid *open; /* ring of what is open, oldest first */
	uint32_t n_open, at;
};

static uint64_t random_u64(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static void out_gateway(void *arg, const struct gn_order_req *req)
{
	struct bench *b = arg;

	b->n_sent += req->oid != 0;
}

static bool out_strategy(void *arg, uint32_t strategy, const struct gn_exec *exec)
{
	(void)arg, (void)strategy, (void)exec;
	return true;
}

static uint32_t out_room(void *arg)
{
	(void)arg;
	return 64;
}

/* Every limit bounds something; none is reached. */
static struct risk_limits limits_of(enum risk_level level)
{
	struct risk_limits l = {0};

	for (unsigned key = 0; key < RISK_KEY_COUNT; key++)
		if (risk_key_info[key].levels & (1u << level))
			risk_limit_put(&l, key, risk_key_info[key].less_is_tighter ? INT64_C(1000000000000) : 1000);
	if (level == RISK_INSTRUMENT) {
		l.collar_bps = 500;
		l.collar_ticks = 1000;
	}
	return l;
}

static void bench_quotes(struct bench *b)
{
	for (gn_inst inst = 0; inst < INSTS; inst++) {
		int64_t cents = 1000 + (int64_t)(random_u64(&b->state) % 50000);
		struct gn_quote q = {.bid = {cents * 10000000},
			.ask = {(cents + 2) * 10000000},
			.last = {cents * 10000000},
			.tsc = b->now_tsc};
		gn_board_write(&b->board, inst, &q);
	}
}

static void die(const char *what)
{
	fprintf(stderr, "bench_risk: %s: %s\n", what, gn_err_text());
	exit(1);
}

static struct bench *bench_new(uint32_t n_open)
{
	static struct risk_strategy_config strategy[STRATEGIES];
	static struct risk_account_config account[4];
	struct bench *b = aligned_alloc(GN_LINE_PAIR, (sizeof(*b) + GN_LINE_PAIR - 1) / GN_LINE_PAIR * GN_LINE_PAIR);

	if (!b)
		exit(1);
	memset(b, 0, sizeof(*b));
	b->state = SEED;
	b->now_tsc = UINT64_C(1) << 40;
	b->open = calloc(n_open, sizeof(gn_oid));
	b->n_open = n_open;
	for (uint32_t i = 0; i < 4; i++)
		account[i] = (struct risk_account_config){"account", limits_of(RISK_ACCOUNT)};
	for (uint32_t i = 0; i < STRATEGIES; i++)
		strategy[i] = (struct risk_strategy_config){.name = "s",
			.account = i % 4,
			.may = RISK_MAY_BUY | RISK_MAY_SELL | RISK_MAY_SHORT,
			.limits = limits_of(RISK_STRATEGY)};
	struct risk_config c = {
		.tsc_hz = UINT64_C(1000000000),
		.orders_max = n_open + 1024,
		.engine = limits_of(RISK_ENGINE),
		.account = account,
		.n_accounts = 4,
		.strategy = strategy,
		.n_strategies = STRATEGIES,
		.instrument_default = limits_of(RISK_INSTRUMENT),
		.tick_default = {10000000},
		.tick_below_1 = {100000},
		.lot_default = 1,
		.locate_default = 1000000000,
		.allow_unlisted = true,
		.reference = RISK_REFERENCE_MID,
		.venue_per_s = 1000000000,
		.venue_burst = 1000000000,
		.venue_reserve = 10,
		.fee_add_letters = "A",
	};
	struct risk_io io = {out_gateway, out_strategy, NULL, out_room, b};
	if (!b->open || gn_board_init(&b->board, INSTS, -1) || risk_init(&b->risk, &c, INSTS, &b->board, &io, -1))
		die("set-up");
	bench_quotes(b);
	struct gn_exec up = {.kind = GN_EXEC_UP, .match = UINT64_MAX};
	risk_report(&b->risk, &up, b->now_tsc);
	return b;
}

static void bench_free(struct bench *b)
{
	risk_fini(&b->risk);
	gn_board_fini(&b->board);
	free(b->open);
	free(b);
}

/* Sells above the ask, buys below the bid: nothing crosses, as in a desk that quotes. */
static struct gn_order_req bench_request(struct bench *b)
{
	uint64_t x = random_u64(&b->state);
	gn_inst inst = (gn_inst)(x % INSTS);
	uint32_t strategy = (uint32_t)(x >> 32) % STRATEGIES;
	gn_side side = x >> 40 & 1 ? GN_BUY : GN_SELL;
	struct gn_quote q = gn_board_read(&b->board, inst);
	int64_t off = (int64_t)(x >> 48 & 31) * 10000000;

	return (struct gn_order_req){.kind = GN_REQ_NEW,
		.side = side,
		.tif = GN_TIF_DAY,
		.inst = inst,
		.oid = gn_oid_make(strategy, ++b->next[strategy]),
		.px = {side == GN_BUY ? q.bid.e9 - off : q.ask.e9 + off},
		.qty = 1 + (gn_qty)(x >> 54),
		.rx_tsc = b->now_tsc,
		.strategy = strategy};
}

static void bench_end(struct bench *b, gn_oid oid)
{
	struct gn_exec done = {.kind = GN_EXEC_REJECTED, .oid = oid, .code = GN_CODE_NO_ROOM};

	if (oid)
		risk_report(&b->risk, &done, b->now_tsc);
}

/* Make room for a batch: the oldest orders end. Then forget what that loaded, when the batch is to be met cold. */
static void bench_prepare(struct bench *b, struct gn_order_req *q, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		bench_end(b, b->open[(b->at + i) % b->n_open]);
		b->open[(b->at + i) % b->n_open] = 0;
	}
	for (uint32_t i = 0; i < n; i++)
		q[i] = bench_request(b);
	b->now_tsc += 10000;
}

static void bench_flush(const struct bench *b, const struct gn_order_req *q, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		const char *inst = (const char *)&b->risk.inst[q[i].inst];
		for (size_t at = 0; at < sizeof(struct risk_inst); at += GN_LINE)
			_mm_clflush(inst + at);
		_mm_clflush(&b->risk.cell[(size_t)q[i].inst * STRATEGIES + q[i].strategy]);
		_mm_clflush(&b->board.entry[q[i].inst]);
		_mm_clflush(&b->risk.orders.index[orders_place(&b->risk.orders, q[i].oid)]);
	}
	_mm_mfence();
}

enum mode { HINTED, PLAIN, COLD };
static uint64_t empty_ticks; /* what two readings of the counter cost with nothing in between: taken off every figure */

static void bench_batch(struct bench *b, enum mode mode, struct gn_hist *ticks)
{
	struct gn_order_req q[BATCH];
	uint32_t n = b->n_open < BATCH ? b->n_open : BATCH;

	bench_prepare(b, q, n);
	if (mode == COLD)
		bench_flush(b, q, n);
	for (uint32_t i = 0; mode == HINTED && i < n && i < HINT_FAR; i++)
		risk_prefetch(&b->risk, &q[i]);
	uint64_t before = gn_tsc();
	for (uint32_t i = 0; i < n; i++) {
		if (mode == HINTED && i + HINT_FAR < n)
			risk_prefetch(&b->risk, &q[i + HINT_FAR]);
		if (mode == HINTED && i + HINT_NEAR < n)
			risk_prefetch_order(&b->risk, &q[i + HINT_NEAR]);
		enum gn_verdict v = risk_request(&b->risk, &q[i], b->now_tsc + i);
		uint64_t after = gn_tsc();
		if (ticks && (mode != HINTED || i >= HINT_FAR || n < BATCH)) /* a stream under way */
			gn_hist_record(ticks, after - before > empty_ticks ? after - before - empty_ticks : 0);
		before = gn_tsc();
		if (v != GN_ACCEPTED) {
			fprintf(stderr, "bench_risk: verdict %d\n", (int)v);
			exit(1);
		}
		b->open[(b->at + i) % b->n_open] = q[i].oid;
	}
	b->at = (b->at + n) % b->n_open;
}

static void print_figure(const char *mode, uint32_t n_open, const struct gn_hist *h)
{
	char extra[96];

	snprintf(extra, sizeof(extra), "\"open\":%u,\"instruments\":%u,\"strategies\":%u", n_open, INSTS, STRATEGIES);
	bench_print(&(struct bench_result){.name = "risk_check", .with = mode, .n = h->n, .hist = h, .hist_ns = bench_ns_per_tick(), .extra = extra});
}

static void bench_figures(uint32_t n_open, uint32_t n_batches)
{
	static const char *const names[] = {"hinted", "plain", "cold"}; /* the one without a word is hinted, 1,000 open */
	static struct gn_hist h[3];
	struct bench *b = bench_new(n_open);

	memset(h, 0, sizeof(h));
	for (uint32_t i = 0; i < n_open / BATCH + 2000; i++) /* fill the table, warm up */
		bench_batch(b, HINTED, NULL);
	for (uint32_t i = 0; i < n_batches; i++)
		bench_batch(b, i % 3, &h[i % 3]);
	for (unsigned mode = 0; mode < 3; mode++)
		print_figure(n_open == 1000 && mode == HINTED ? NULL : names[mode], n_open, &h[mode]);
	bench_free(b);
}

/* What runs under valgrind: its count of risk_request() over n. */
static int bench_count_run(uint32_t n)
{
	struct bench *b = bench_new(1000);

	for (uint32_t i = 0; i < n; i++)
		bench_batch(b, PLAIN, NULL);
	bench_free(b);
	return 0;
}

static void bench_count(const char *self)
{
	const uint32_t batches = 500;
	char cmd[512], line[256];
	uint64_t collected = 0;

	snprintf(cmd, sizeof(cmd),
		"valgrind --tool=callgrind --callgrind-out-file=/dev/null --toggle-collect=risk_request '%s' --count "
	        "%u 2>&1",
		self, batches);
	FILE *f = popen(cmd, "r");
	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "Collected : ");
		if (at)
			collected = strtoull(at + strlen("Collected : "), NULL, 10);
	}
	if (!f || pclose(f) != 0 || collected == 0)
		fprintf(stderr, "bench_risk: valgrind cannot count instructions here\n");
	else
		printf("{\"bench\":\"risk_check\",\"open\":1000,\"n\":%u,\"instructions\":%.1f}\n", batches * BATCH,
			(double)collected / (batches * BATCH));
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	if (argc == 3 && strcmp(argv[1], "--count") == 0)
		return bench_count_run((uint32_t)strtoul(argv[2], NULL, 10));
	bench_pin(0);
	empty_ticks = bench_tsc_ticks();
	static const uint32_t opens[] = {10, 1000, 100000};

	for (unsigned i = 0; i < GN_ARRAY_SIZE(opens); i++)
		bench_figures(opens[i], (opens[i] < BATCH ? 60000u : 9000u) / (bench_short() ? 20u : 1u));
	if (!bench_short())
		bench_count(argv[0]);
	return 0;
}
