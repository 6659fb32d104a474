/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_RISK_H
#define RISK_RISK_H

/**
 * @file
 * The pure core of risk: what every order must pass, who owns its state, and what is exposed. No ring, no clock.
 *
 * One thread owns a struct risk. Time is passed in as ticks; what must leave goes through struct risk_io, so the same
 * core runs in the engine, in tests and in backtests.
 */

#include <gannet/journal.h>
#include <gannet/order.h>

#include "dataplane/runtime/board.h"
#include "dataplane/runtime/counters.h"
#include "kill.h"
#include "limits.h"
#include "order_table.h"
#include "pace.h"
#include "position.h"

/** What a strategy may do at all. */
enum {
	RISK_MAY_BUY = 1,
	RISK_MAY_SELL = 2, /* what it holds */
	RISK_MAY_SHORT = 4, /* more than it holds, up to short_max and the instrument's locate */
};

/** Where the price collar gets its reference. Zero is none: not configured refuses. */
enum risk_reference {
	RISK_REFERENCE_NONE = 0,
	RISK_REFERENCE_MID, /* of the own book, both sides present */
	RISK_REFERENCE_LAST, /* last trade */
	RISK_REFERENCE_STATIC, /* the instrument's own, from the config */
};

/** What to do with an order that would trade with a resting order of our own. */
enum risk_self_match {
	RISK_SELF_MATCH_REFUSE = 0,
	RISK_SELF_MATCH_CANCEL_RESTING,
	RISK_SELF_MATCH_DECREMENT, /* take the common quantity off both */
};

struct risk_strategy_config {
	const char *name;
	uint32_t account;
	uint32_t may; /* RISK_MAY_* */
	int64_t protect_pause_ms; /* market-maker protection ends by itself after this; 0: a person ends it */
	struct risk_limits limits;
};

struct risk_account_config {
	const char *name;
	struct risk_limits limits;
};

/** One instrument that differs from the default. Limits not given are the default's. */
struct risk_instrument_config {
	gn_inst inst;
	bool restricted; /* may not be traded at all */
	gn_px tick; /* 0: the venue's, else the default's */
	gn_qty lot; /* 0: the default's */
	gn_qty locate_qty; /* most units short, located in advance; 0: none may be sold short */
	gn_px reference; /* for RISK_REFERENCE_STATIC */
	struct risk_limits limits;
};

struct risk_config {
	uint64_t tsc_hz; /* ticks of the time-stamp counter in a second */
	uint32_t orders_max; /* capacity of the order table */
	struct risk_limits engine;
	const struct risk_account_config *account;
	uint32_t n_accounts;
	const struct risk_strategy_config *strategy;
	uint32_t n_strategies;
	const struct risk_instrument_config *instrument;
	uint32_t n_instruments;
	struct risk_limits instrument_default;
	gn_px tick_default; /* 1e-9; e.g. 0.01 */
	gn_px tick_below_1; /* tick of prices below 1; 0: the same as above */
	gn_qty lot_default; /* 0: refuses */
	gn_qty locate_default; /* as locate_qty; RISK_UNLIMITED: easy to borrow */
	bool allow_unlisted; /* instruments that .instrument does not name may be traded */
	bool mark_shorts; /* a short sale must say so (GN_ORD_SHORT or _EXEMPT) */
	enum risk_reference reference;
	bool allow_no_reference; /* without a reference price: accept; default refuse */
	enum risk_self_match self_match;
	int64_t venue_per_s, venue_burst; /* messages to the venue; paced, not refused. Both must be given */
	int64_t venue_reserve; /* tokens of the burst that only cancels may use */
	int64_t patience_us; /* longest that a new order may wait for the venue's pace; 0: does not wait */
	int64_t fee_add_e9, fee_remove_e9; /* per unit filled; negative: rebate */
	char fee_add_letters[16]; /* liquidity letters that mean "added"; NUL-terminated */
	int64_t soft_pct; /* warn when this share of a limit is used; 0: 80 */
	int64_t stale_kill_ms; /* open orders on an instrument whose data is stale for so long trip its switch; 0: never */
	int64_t session_kill_ms; /* order session down for so long with orders open trips the engine's switch; 0: never */
	bool loosen_by_two; /* a limit is loosened again only with a second person's name */
	int64_t clock_jump_ms; /* time between two housekeepings that counts as a jump; 0: never */
};

/** Where things go. Every member is required. Called on the owner's thread; must not call back. */
struct risk_io {
	void (*gateway)(void *arg, const struct gn_order_req *req);
	bool (*strategy)(void *arg, uint32_t strategy, const struct gn_exec *exec); /* false: it did not take it */
	void (*journal)(void *arg, const struct gn_journal_msg *msg);
	uint32_t (*journal_room)(void *arg); /* records that it takes for sure; 0: new orders are refused */
	void *arg;
};

/** Four words at once; need not be aligned. */
typedef int64_t risk_v4 __attribute__((vector_size(32), aligned(8)));

typedef uint64_t risk_u4 __attribute__((vector_size(32), aligned(8)));

/** a - b, where nobody has seen yet whether they make sense: wraps. */
static inline risk_v4 risk_v4_less(risk_v4 a, risk_v4 b)
{
	return (risk_v4)((risk_u4)a - (risk_u4)b);
}

/** True when any word is not 0. */
static inline bool risk_v4_any(risk_v4 v)
{
	return !_mm256_testz_si256((__m256i)v, (__m256i)v);
}

/** What is left of the limits that all orders of an owner share. A request asks for some of it; negative: overdrawn. */
union risk_room {
	struct {
		risk_ntl gross;
		risk_ntl net[2]; /* by side - 1: room to be longer, room to be shorter */
		int64_t n_open;
	};
	risk_v4 all; /* the same, for those who ask for all of it at once */
};
_Static_assert(sizeof(union risk_room) == 32, "a room is one vector");

/** An owner of limits: engine, account or strategy. */
struct risk_scope {
	union risk_room room;
	struct risk_limits limits, hard; /* now in force; as given at start */
	struct risk_pnl pnl;
	gn_qty position; /* units, all instruments added up */
	uint32_t soft; /* bit a key: its soft level is passed now */
};

/** Ids that wait for the venue's pace. */
struct risk_queue {
	gn_oid *oid;
	uint32_t mask;
	uint64_t head, tail;
};
enum { RISK_QUEUE_CANCEL, RISK_QUEUE_REPLACE, RISK_QUEUE_NEW, RISK_QUEUE_COUNT };

/** An account: limits, and an order session with its own pace. */
struct risk_account {
	struct risk_scope scope;
	struct pace session;
	struct risk_queue queue[RISK_QUEUE_COUNT];
};

/** Some fills that happened at one time. */
struct risk_window_part {
	uint64_t tsc;
	int64_t n;
	gn_qty qty, delta; /* bought and sold; bought less sold */
};

/** Fills within a sliding window: the sums, and the parts that will leave it. */
#define RISK_WINDOW_PARTS 64u
struct risk_window {
	uint64_t head, tail;
	struct risk_window_part sum;
	struct risk_window_part part[RISK_WINDOW_PARTS];
};

struct risk_strategy {
	/**
	 * By side - 1, and 2 and 4 for the marks of a short sale: tightest quantity and notional of an order, worst
	 * position in an instrument; the last is no limit. All -1 while it may not open any exposure.
	 */
	_Alignas(GN_LINE) risk_v4 top[8];
	risk_v4 slack_tsc, token_tsc; /* of its rate, its session's and the venue's pace; the last is no limit */
	uint8_t gate; /* GN_ACCEPTED, or the verdict on whatever it asks now */
	uint8_t sides; /* bit a side: it may be asked for at all */
	uint32_t may, account;
	struct risk_account *account_of;
	gn_oid oid_last, oid_top; /* newest; last that can be its own */
	gn_qty order_qty_max; /* tightest of engine, account and strategy */
	risk_ntl order_ntl_max; /* likewise */
	gn_qty worst_max[2];
	uint64_t n_orders, n_fills;
	int64_t unfilled_spare; /* orders it may send after the next one before its order-to-fill ratio is passed */
	uint64_t duplicate_tsc;
	struct pace rate;
	struct risk_scope scope;
	uint64_t repeat_tsc, protect_tsc;
	struct risk_window repeat, protect;
	uint64_t rejects_start_tsc;
	int64_t n_rejects;
	uint16_t sweep; /* number of the sweep that cancels all its orders */
	uint64_t session_tsc; /* when its order session came up or went down */
};

/** A number by which others are divided: exact test without a division. */
struct risk_divisor {
	uint64_t inverse; /* of its odd part */
	uint64_t max; /* largest quotient */
	uint64_t shift; /* its power of two */
};

/** What the orders of one side of an instrument read and write. */
struct risk_inst_side {
	/** Quantity and notional of an order, no limit, worst position of all. All -1 while the gate is shut. */
	_Alignas(GN_LINE) risk_v4 top;
	gn_qty worst; /* position with every open order of the side filled, all strategies together */
	uint64_t lot_part, lot_part_max; /* a multiple of the lot times the first is at most the second */
	uint32_t resting; /* head of the list of own orders */
};
_Static_assert(sizeof(struct risk_inst_side) == GN_LINE, "a side is one line");

struct risk_inst {
	struct risk_inst_side side[2]; /* by side - 1 */
	gn_px clear
		[2]; /* by side - 1: furthest price at which an order surely meets none of our own; a sell's negated */
	uint64_t stale_tsc;
	int64_t collar2_e9; /* twice the distance in price */
	uint64_t collar_share; /* distance as a share of the reference, in 2^-64; at most one below 1 */
	struct risk_divisor by_tick; /* ends the third line */
	struct risk_divisor by_tick_below_1;
	uint8_t gate; /* GN_ACCEPTED, or the verdict on any order for it */
	bool permitted; /* by the config */
	uint16_t sweep; /* as in risk_strategy */
	gn_qty worst_max[2];
	gn_qty order_qty_max;
	risk_ntl order_ntl_max;
	int64_t collar_bps;
	gn_qty locate_qty;
	gn_px reference;
	gn_px tick, tick_below_1;
	struct risk_divisor by_lot;
	uint64_t stale_since_tsc;
	struct risk_limits limits, hard;
};

/** An accepted order, as the duplicate control remembers it. */
struct risk_seen {
	gn_px px;
	gn_qty qty; /* as asked; 0: none yet */
	uint64_t tsc;
};

struct risk_cell_side {
	gn_qty worst; /* position with every open order of the side filled */
	struct risk_seen last; /* the newest order */
};

/** A strategy in an instrument: what every order of it reads and writes. */
struct risk_cell {
	_Alignas(GN_LINE) struct risk_cell_side side[2]; /* by side - 1 */
};
_Static_assert(sizeof(struct risk_cell) == GN_LINE, "a cell is one line");

/** The half of a cell that only fills and marks touch. */
struct risk_ledger {
	struct position pos;
	risk_ntl ntl; /* of the position at its mark, as taken from the rooms */
	uint32_t held; /* index + 1 in the list of positions that are not flat */
	uint32_t reserved;
	risk_money realised, fees;
	gn_qty bought, sold;
};

/** Older orders within their window, newest first in each set: a set is one line. */
#define RISK_DUPLICATE_WAYS 4
struct risk_duplicate_set {
	_Alignas(GN_LINE) risk_v4 key;
	risk_v4 tsc;
};

/** A fill that may be broken later, or come again in a replay. */
struct risk_fill {
	uint64_t match;
	gn_oid oid;
	uint32_t cell;
	gn_side side;
	uint8_t reserved[3];
	gn_px px;
	gn_qty qty;
	int64_t fee_e9;
};
#define RISK_FILLS 65536u /* remembered */
#define RISK_FILL_WAYS 4u

#define RISK_COUNTERS(X)                                                                                               \
	X(report, "reports from the gateway")                                                                          \
	X(report_unknown, "reports for an order that never was")                                                       \
	X(report_finished, "reports for an order that is finished")                                                    \
	X(report_adopted, "orders that the venue's replay told of and the journal did not")                            \
	X(report_repeated, "fills that were already known")                                                            \
	X(report_overfilled, "fills of more than the order had left")                                                  \
	X(report_malformed, "reports that make no sense")                                                              \
	X(order, "orders and replacements given to the gateway")                                                       \
	X(cancel, "cancels given to the gateway")                                                                      \
	X(fill, "fills")                                                                                               \
	X(order_waited, "orders and replacements that waited for the venue's pace")                                    \
	X(cancel_waited, "cancels that waited for the venue's pace")                                                   \
	X(wait_tsc, "ticks that they waited, together")                                                                \
	X(wait_tsc_max, "longest wait")                                                                                \
	X(sweep_cancel, "cancels sent by kill switches, quarantine and stop")                                          \
	X(self_match_cancel, "resting orders cancelled or reduced by self-match prevention")                           \
	X(duplicate_evicted, "orders that left the duplicate window early for want of room")                           \
	X(kill_thrown, "kill switches thrown")                                                                         \
	X(kill_released, "kill switches released")                                                                     \
	X(limit_changed, "limits changed while running")                                                               \
	X(limit_refused, "changes of limits refused")                                                                  \
	X(soft_passed, "soft levels passed")                                                                           \
	X(strategy_full, "reports that a strategy did not take: it is cut off")                                        \
	X(journal_lost, "records for which the journal had no room")                                                   \
	X(broken, "fills made void by the venue")

struct risk {
	struct risk_strategy *strategy;
	struct risk_inst *inst;
	struct risk_cell *cell; /* inst * n_strategies + strategy */
	struct risk_ledger *ledger;
	struct risk_account *account;
	struct risk_scope engine;
	const struct gn_board *board; /* NULL: no market data, orders are refused unless told otherwise */
	struct risk_io io, replay_io;
	uint32_t n_strategies, n_accounts, n_insts;
	uint32_t n_fast_insts; /* that have an entry on the board */
	uint64_t up; /* bit a strategy: its order session takes orders */
	bool replaying; /* the journal of before a restart */
	bool adopt_to_cancel; /* what only the venue remembers of that time is cancelled */
	bool mark_shorts, allow_no_reference;
	enum risk_reference reference;
	enum risk_self_match self_match;
	risk_v4 need_of[2]; /* by side - 1: which parts of a room its orders take from */
	struct order_table orders;
	struct risk_duplicate_set *duplicate;
	uint32_t duplicate_shift;
	struct pace venue;
	uint64_t patience_tsc;
	uint32_t n_waiting, n_cancels_waiting; /* messages in all queues; cancels among them */
	uint32_t turn; /* which account's queues are looked at first */
	struct kill kill;
	uint32_t sweep_at, sweep_left; /* slot to look at next, slots until the sweep is over */
	uint16_t sweep_id; /* of the sweep under way, or the next one; never 0 */
	bool sweep_engine; /* it cancels everything */
	uint64_t sweep_end_tsc;
	gn_inst inst_at; /* instrument that housekeeping looks at next */
	uint32_t *held; /* ledgers whose position is not flat */
	uint32_t n_held, held_at;
	int64_t journal_spare; /* records after the next one that the journal takes without being asked again */
	struct risk_fill *fill;
	uint64_t housekeeping_tsc;
	uint64_t verdicts[GN_VERDICT_COUNT]; /* followed by .n: one row of counters */
	struct {
		RISK_COUNTERS(GN_COUNTER_FIELD)
	} n;
	struct risk_config config;
	size_t strategy_bytes, inst_bytes, cell_bytes, ledger_bytes, account_bytes, duplicate_bytes, held_bytes,
		fill_bytes;
};

/**
 * Set everything up; all limits are validated, missing ones named. Cold.
 *
 * @param n_insts
 *   Instruments there can be; indices from there on are refused.
 * @return
 *   0 or -errno; nothing is left behind on failure.
 */
int risk_init(struct risk *r, const struct risk_config *config, uint32_t n_insts, const struct gn_board *board,
	const struct risk_io *io, int node);
void risk_fini(struct risk *r);

/** Validate a config without making anything of it: what risk_init() would say. 0 or -errno. Cold. */
int risk_config_validate(const struct risk_config *config);

/**
 * Judge a request, and carry it out when it passes.
 *
 * Hot. The request is a private copy: .strategy says who really asks, .qty may be made smaller by self-match prevention.
 * Sends at most RISK_BURST messages over an io.
 */
enum gn_verdict risk_request(struct risk *r, struct gn_order_req *req, uint64_t now_tsc);

/** Take a report of the gateway: move the order, position, exposure; pass it on to its strategy. Hot. */
void risk_report(struct risk *r, const struct gn_exec *exec, uint64_t now_tsc);

/** One unit of waiting work: a paced message, or a step of a sweep. True: there was some. Bounded. */
bool risk_poll(struct risk *r, uint64_t now_tsc);

/** Marks, loss limits, soft levels, automatic kill switches. About every millisecond; bounded. */
void risk_housekeep(struct risk *r, uint64_t now_tsc);

/** Throw a kill switch: blocks what opens exposure, cancels every open order of its owner. False: no such, or on. */
bool risk_kill(struct risk *r, enum risk_level level, uint32_t index, enum risk_cause cause, const char *reason,
	uint64_t now_tsc);

/** Release a kill switch; refused without a reason. */
bool risk_release(struct risk *r, enum risk_level level, uint32_t index, const char *reason, uint64_t now_tsc);

/** Cancel every open order of an owner without blocking it. RISK_ENGINE: of all. */
void risk_cancel_all(struct risk *r, enum risk_level level, uint32_t index);

/**
 * Change a limit: never looser than at the start. Cold.
 *
 * @param who
 *   Goes to the journal.
 * @param second
 *   Who confirms a loosening, when the config asks for two; "" otherwise.
 * @return
 *   0 or -errno.
 */
int risk_limit_set(struct risk *r, enum risk_level level, uint32_t index, enum risk_key key, int64_t value,
	const char *who, const char *second, uint64_t now_tsc);

/** Limits now in force; NULL: no such owner. */
struct risk_limits *risk_limits_at(struct risk *r, enum risk_level level, uint32_t index);

/** Messages that one call may send over one io, at most. */
#define RISK_BURST 16u

#define RISK_ORDERS_MAX (UINT32_C(1) << 22)
#define RISK_SOFT_PCT 80 /* unless the config says otherwise */

static inline struct risk_cell *risk_cell(const struct risk *r, gn_inst inst, uint32_t strategy)
{
	return &r->cell[(size_t)inst * r->n_strategies + strategy];
}

static inline struct risk_ledger *risk_ledger(const struct risk *r, gn_inst inst, uint32_t strategy)
{
	return &r->ledger[(size_t)inst * r->n_strategies + strategy];
}

/** Start loading what a request will touch: a hint, changes nothing, the request is not trusted. Some messages ahead. */
static inline void risk_prefetch(const struct risk *r, const struct gn_order_req *req)
{
	if (req->inst >= r->n_insts || req->strategy >= r->n_strategies)
		return;
	const char *inst = (const char *)&r->inst[req->inst];
	gn_prefetch(inst);
	gn_prefetch(inst + GN_LINE);
	gn_prefetch(inst + 2 * GN_LINE);
	gn_prefetch(risk_cell(r, req->inst, req->strategy));
	if (r->board && req->inst < r->board->max)
		gn_prefetch(&r->board->entry[req->inst]);
	orders_prefetch(&r->orders, req->oid);
}

/** The same for what only those lines tell where it is. Fewer messages ahead. */
static inline void risk_prefetch_order(const struct risk *r, const struct gn_order_req *req)
{
	if (req->inst >= r->n_insts)
		return;
	gn_prefetch(&r->orders.pool[r->inst[req->inst].side[req->side == GN_SELL].resting].links);
}

/** A count of orders or units as it is kept: what is unlimited is more than can be reached. */
static inline int64_t risk_count_limit(int64_t limit)
{
	return limit < RISK_QTY_MAX ? limit : RISK_QTY_MAX;
}

/** Orders that an owner has open. */
static inline int64_t risk_scope_open(const struct risk_scope *s)
{
	return risk_count_limit(s->limits.open_orders_max) - s->room.n_open;
}

/** True when the order session of a strategy takes orders. */
static inline bool risk_is_up(const struct risk *r, uint32_t strategy)
{
	return r->up >> strategy & 1;
}

#endif
