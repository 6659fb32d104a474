/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_FIXTURE_H
#define RISK_FIXTURE_H

/** @file A small desk for the tests of risk: every limit open, two strategies, one account, recorders for what leaves. */

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "risk/risk.h"

#define DESK_HZ UINT64_C(1000000000) /* a tick is a nanosecond */
#define DESK_INSTS 8u
#define DESK_STRATEGIES 2u
#define DESK_LOG 4096u
#define PX(units) ((gn_px){(int64_t)(units)*1000000000})
#define CENTS(cents) ((gn_px){(int64_t)(cents)*10000000})

struct desk {
	struct risk risk;
	struct gn_board board;
	struct risk_config config;
	struct risk_account_config account[2];
	struct risk_strategy_config strategy[DESK_STRATEGIES];
	struct risk_instrument_config inst[DESK_INSTS];
	uint64_t now_tsc;
	uint64_t next[DESK_STRATEGIES];
	struct gn_order_req sent[DESK_LOG];
	struct gn_exec told[DESK_LOG];
	uint32_t n_sent, n_told, n_records;
	bool journal_full, deaf; /* what the recorders answer */
};

#ifdef DESK_SHARED
extern struct desk desk; /* of a test made of several files */
#else
static struct desk desk;
#endif

static inline void desk_gateway(void *arg, const struct gn_order_req *req)
{
	struct desk *d = arg;

	d->sent[d->n_sent++ % DESK_LOG] = *req;
}

static inline bool desk_tell(void *arg, uint32_t strategy, const struct gn_exec *exec)
{
	struct desk *d = arg;

	cr_assert_eq(strategy, exec->strategy);
	d->told[d->n_told++ % DESK_LOG] = *exec;
	return !d->deaf;
}

static inline void desk_journal(void *arg, const struct gn_journal_msg *msg)
{
	struct desk *d = arg;

	(void)msg;
	d->n_records++;
}

static inline uint32_t desk_room(void *arg)
{
	struct desk *d = arg;

	return !d->journal_full;
}

/** Best prices of an instrument, fresh now. */
static inline void desk_quote(gn_inst inst, gn_px bid, gn_px ask, uint32_t flags)
{
	struct gn_quote q = {.bid = bid, .ask = ask, .last = bid, .flags = flags, .tsc = desk.now_tsc};

	gn_board_write(&desk.board, inst, &q);
}

/** Everything open; a test tightens desk.config before desk_open(). */
static inline void desk_prepare(void)
{
	memset(&desk, 0, sizeof(desk));
	desk.now_tsc = 1000 * DESK_HZ;
	desk.account[0] = (struct risk_account_config){"house", risk_limits_open(RISK_ACCOUNT)};
	desk.account[1] = (struct risk_account_config){"other", risk_limits_open(RISK_ACCOUNT)};
	for (uint32_t i = 0; i < DESK_STRATEGIES; i++)
		desk.strategy[i] = (struct risk_strategy_config){.name = i ? "taker" : "maker",
			.may = RISK_MAY_BUY | RISK_MAY_SELL | RISK_MAY_SHORT,
			.limits = risk_limits_open(RISK_STRATEGY)};
	desk.config = (struct risk_config){
		.tsc_hz = DESK_HZ,
		.orders_max = 64,
		.engine = risk_limits_open(RISK_ENGINE),
		.account = desk.account,
		.n_accounts = 2,
		.strategy = desk.strategy,
		.n_strategies = DESK_STRATEGIES,
		.instrument = desk.inst,
		.instrument_default = risk_limits_open(RISK_INSTRUMENT),
		.tick_default = CENTS(1),
		.tick_below_1 = {100000},
		.lot_default = 1,
		.locate_default = RISK_UNLIMITED,
		.allow_unlisted = true,
		.reference = RISK_REFERENCE_MID,
		.venue_per_s = RISK_UNLIMITED,
		.venue_burst = 1000,
		.fee_add_e9 = -2000000,
		.fee_remove_e9 = 3000000,
		.fee_add_letters = "A",
	};
}

/** Start with the session down. */
static inline int desk_start(void)
{
	struct risk_io io = {desk_gateway, desk_tell, desk_journal, desk_room, &desk};

	cr_assert_eq(gn_board_init(&desk.board, DESK_INSTS, -1), 0);
	return risk_init(&desk.risk, &desk.config, DESK_INSTS, &desk.board, &io, -1);
}

static inline void desk_report(struct gn_exec e)
{
	risk_report(&desk.risk, &e, desk.now_tsc);
}

/** Start, session up, every instrument quoted 100.00 / 100.02. */
static inline void desk_open(void)
{
	cr_assert_eq(desk_start(), 0, "%s", gn_err_text());
	desk_report((struct gn_exec){.kind = GN_EXEC_UP, .match = UINT64_MAX});
	desk.n_told = 0;
	for (gn_inst inst = 0; inst < DESK_INSTS; inst++)
		desk_quote(inst, CENTS(10000), CENTS(10002), 0);
}

/** A good order; the caller changes what the test is about. */
static inline struct gn_order_req desk_order(uint32_t strategy, gn_side side, gn_px px, gn_qty qty)
{
	return (struct gn_order_req){
		.kind = GN_REQ_NEW,
		.side = side,
		.tif = GN_TIF_DAY,
		.inst = 1,
		.oid = gn_oid_make(strategy, ++desk.next[strategy]),
		.px = px,
		.qty = qty,
		.rx_tsc = desk.now_tsc,
		.strategy = strategy,
		.tag = 7,
	};
}

static inline enum gn_verdict desk_ask(struct gn_order_req q)
{
	return risk_request(&desk.risk, &q, desk.now_tsc);
}

/** Ask for a good order that must be accepted; its id. */
static inline gn_oid desk_place(uint32_t strategy, gn_side side, gn_px px, gn_qty qty)
{
	struct gn_order_req q = desk_order(strategy, side, px, qty);
	enum gn_verdict v = desk_ask(q);

	cr_assert_eq(v, GN_ACCEPTED, "verdict %d", v);
	return q.oid;
}

static inline enum gn_verdict desk_try(uint32_t strategy, gn_side side, gn_px px, gn_qty qty)
{
	return desk_ask(desk_order(strategy, side, px, qty));
}

static inline void desk_accept(gn_oid oid)
{
	desk_report((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid});
}

static inline void desk_fill(gn_oid oid, gn_px px, gn_qty qty, uint64_t match)
{
	desk_report((struct gn_exec){
		.kind = GN_EXEC_FILLED, .oid = oid, .px = px, .qty = qty, .match = match, .liquidity = 'R'});
}

static inline const struct gn_exec *desk_last_told(void)
{
	return &desk.told[(desk.n_told - 1) % DESK_LOG];
}

static inline const struct gn_order_req *desk_last_sent(void)
{
	return &desk.sent[(desk.n_sent - 1) % DESK_LOG];
}

/** Open orders hold nothing: what is left of every limit is the limit less the positions. */
static inline void desk_expect_no_exposure(void)
{
	const struct risk *r = &desk.risk;

	cr_expect_eq(orders_open(&r->orders), 0);
	for (size_t i = 0; i < (size_t)DESK_INSTS * DESK_STRATEGIES; i++) {
		cr_expect_eq(r->cell[i].side[0].worst, r->ledger[i].pos.qty);
		cr_expect_eq(r->cell[i].side[1].worst, -r->ledger[i].pos.qty);
	}
}

#define EXPECT(verdict, wanted)                                                                                        \
	do {                                                                                                           \
		enum gn_verdict got = (verdict);                                                                       \
		cr_expect_eq(got, (wanted), "verdict %d, wanted %d", got, (wanted));                                   \
	} while (0)

/** Turn the stage's loop until nothing is left to do. */
static inline void desk_settle(void)
{
	for (int i = 0; i < 100000 && risk_poll(&desk.risk, desk.now_tsc); i++) {
	}
}

#endif
