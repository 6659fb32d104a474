/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_MODEL_H
#define RISK_MODEL_H

/**
 * @file
 * The whole rule set a second time, slow and obvious: nothing is kept but the open orders, the fills and the clock;
 * every sum is added up anew when it is asked for.
 */

#include <gannet/book_view.h>

#define DESK_SHARED
#include "risk_fixture.h"

#define INSTS 3u
#define ACCOUNTS 2u
#define ORDERS_MAX 40u
#define FILLS_MAX 4096u
#define TOKEN_TSC 1000 /* every rate of the test grows a token in so many ticks */

enum state { GONE, WAITING, PENDING, LIVE };

struct m_order {
	gn_oid oid, parent; /* parent: what a pending replacement is to succeed */
	uint32_t inst, strategy;
	gn_side side;
	gn_px px;
	gn_qty total, leaves, executed;
	enum state state;
	uint64_t entered; /* the larger, the later it was listed */
	bool cancel_queued, reducing;
	gn_qty cancel_leave;
};

struct m_fill {
	gn_oid oid;
	uint64_t match, tsc;
	uint32_t inst, strategy;
	gn_px px;
	gn_qty qty; /* bought: positive */
	bool windowed, broken;
};

struct m_seen { /* an accepted order, for the duplicate window */
	uint32_t inst, strategy;
	gn_side side;
	int64_t px_e9;
	gn_qty qty;
	uint64_t tsc;
};

struct m_bucket { /* tokens, counted in ticks of growing */
	int64_t level, max;
	uint64_t tsc;
};

struct model {
	struct m_order order[ORDERS_MAX * 2 + 8];
	uint32_t n_orders;
	struct m_fill fill[FILLS_MAX];
	uint32_t n_fills;
	struct m_seen seen[512];
	uint64_t n_seen, n_entered;
	gn_px mark[INSTS][DESK_STRATEGIES];
	gn_oid oid_last[DESK_STRATEGIES];
	int64_t unfilled_room[DESK_STRATEGIES];
	struct m_bucket rate[DESK_STRATEGIES], venue;
	uint8_t killed_engine, killed_account[ACCOUNTS], killed_strategy[DESK_STRATEGIES],
		killed_inst[INSTS]; /* cause */
	bool up[DESK_STRATEGIES], permitted[INSTS], paced;
	gn_oid queue[ACCOUNTS][RISK_QUEUE_COUNT][512];
	uint32_t n_queue[ACCOUNTS][RISK_QUEUE_COUNT];
	uint32_t turn;
	struct gn_order_req sent[64];
	uint32_t n_sent;
};
extern struct model model;
extern uint64_t model_seed, model_step;

#define AGREE(a, b, what)                                                                                              \
	do {                                                                                                           \
		__int128 agree_a = (a), agree_b = (b);                                                                 \
		if (agree_a != agree_b)                                                                                \
			cr_assert_fail("seed %lu step %lu: %s: engine %lld, model %lld", model_seed, model_step, what, \
				(long long)agree_a, (long long)agree_b);                                               \
	} while (0)

struct exposure {
	__int128 gross, net[2];
	int64_t n_open;
};

/* risk_model_sums.c: limits as they are now; sums over orders and fills */
const struct risk_limits *model_limits(enum risk_level level, uint32_t index);
uint32_t model_account(uint32_t strategy);
int64_t model_least(int64_t a, int64_t b);
__int128 model_notional(gn_px px, gn_qty qty);
__int128 model_notional_limit(int64_t quote);
struct m_order *model_order(gn_oid oid);
struct m_order *model_heir(const struct m_order *o);
gn_qty model_held_qty(const struct m_order *o);
__int128 model_held_notional(const struct m_order *o);
extern gn_qty model_position[INSTS][DESK_STRATEGIES];
void model_positions_again(void);
gn_qty model_worst_cell(uint32_t inst, uint32_t strategy, gn_side side);
gn_qty model_worst_inst(uint32_t inst, gn_side side);
struct exposure model_exposure(enum risk_level level, uint32_t index);
__int128 model_worth(enum risk_level level, uint32_t index);

/* risk_model_pace.c: buckets, the venue's pace, cancels */
void model_bucket_grow(struct m_bucket *b);
bool model_bucket_has(struct m_bucket *b, int64_t beside);
void model_bucket_take(struct m_bucket *b);
uint32_t model_n_waiting(unsigned classes);
void model_send(const struct m_order *o, uint8_t kind, gn_qty qty);
void model_enqueue(const struct m_order *o, unsigned class);
void model_remove(struct m_order *o);
void model_ask_cancel(struct m_order *o, gn_qty leave);
bool model_poll(void);

/* risk_model_verdict.c: what becomes of a request */
enum gn_verdict model_request(const struct gn_order_req *q);

/* risk_model_reports.c */
void model_losses(uint32_t from, uint32_t to);
void model_report(const struct gn_exec *e);

/* risk_model_compare.c: engine and model must be equal now */
void model_agree(void);
void model_agree_sent(void);

#endif
