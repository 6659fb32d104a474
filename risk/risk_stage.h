/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_STAGE_H
#define RISK_STAGE_H

/**
 * @file
 * Risk as a stage: strategy_risk, gateway_risk > risk > risk_gateway, risk_strategy (link N belongs to strategy N),
 * risk_journal (none or one); and the way in for those who control it from other threads.
 *
 * Wire risk_strategy lossy: a strategy that does not take its reports is cut off by its kill switch, and must not stop
 * risk. Wire risk_journal lossy too: risk keeps a reserve of it and refuses new orders when only that is left.
 */

#include "dataplane/runtime/stage.h"
#include "risk.h"

#define RISK_JOURNAL_RESERVE 512u /* records that stay free for reports and cancels when new orders are refused */

/** What env->config points to. */
struct risk_stage_config {
	struct risk_config core; /* what it points to must stay until fini */
	struct risk_control *control; /* from risk_control_new(); NULL: nobody controls this stage */
	const _Atomic bool *journal_refusing; /* true there: the disk is about to be full; NULL: nobody says so */
};

extern const struct gn_stage gn_stage_risk;

/** The core inside a stage's context (gn_wiring_ctx()): for a restart, between init and the start of the threads. */
struct risk *risk_stage_core(void *ctx);

/** The mailbox and notice board of one risk stage. */
struct risk_control;

/** Cold, before the stage's init. NULL with gn_err_text(). */
struct risk_control *risk_control_new(void);
void risk_control_free(struct risk_control *c);

/* Orders to the stage: any cold thread; carried out at its next poll. 0, or -EAGAIN when too many wait already. */

/** Throw a kill switch: new orders refused, open ones cancelled. `reason` (and who) is journaled. */
int risk_control_kill(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason);
/** Release it. -EINVAL without a reason. */
int risk_control_release(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason);
/** Cancel every open order of an owner, without blocking it: clean stop. */
int risk_control_cancel_all(struct risk_control *c, enum risk_level level, uint32_t index);
/** The host has quarantined this strategy: block it, cancel its orders. */
int risk_control_quarantine(struct risk_control *c, uint32_t strategy);
/** Change a limit as risk_limit_set() does; the outcome is journaled and counted. */
int risk_control_limit(struct risk_control *c, enum risk_level level, uint32_t index, enum risk_key key, int64_t value,
	const char *who, const char *second);

enum risk_command_kind {
	RISK_DO_NONE = 0,
	RISK_DO_KILL,
	RISK_DO_RELEASE,
	RISK_DO_CANCEL_ALL,
	RISK_DO_LIMIT,
	RISK_DO_LOOK, /* fill the view; one at a time */
	RISK_DO_NOTE, /* journal the note, no more */
};

/** The same with an answer. */
struct risk_command {
	uint32_t kind; /* enum risk_command_kind */
	uint32_t level, index, key;
	uint32_t cause, reserved; /* KILL: enum risk_cause */
	int64_t value; /* LIMIT */
	char text[64]; /* KILL, RELEASE: the reason; LIMIT: who */
	char second[32]; /* LIMIT: who confirms, or "" */
	char note[GN_JOURNAL_TEXT_BYTES]; /* journaled right before; "": nothing */
};

/**
 * Give a command to the stage. Any cold thread.
 *
 * @return
 *   Its ticket, above 0; -EAGAIN when too many wait already.
 */
int64_t risk_control_send(struct risk_control *c, const struct risk_command *m);

/** What became of a command. */
struct risk_outcome {
	int rc; /* 0; -ENOENT: no such owner or limit; -EALREADY: the switch was so already; -EPERM: limit not permitted */
	uint64_t tsc; /* when it was carried out */
};

/** Whether a command was carried out yet. Any cold thread, among the latest 256 commands. */
bool risk_control_outcome(const struct risk_control *c, int64_t ticket, struct risk_outcome *out);

/**
 * Refuse every order from now on: for gn_assert_hook(), from any thread, async-signal-safe, no mailbox in between.
 */
void risk_control_panic(struct risk_control *c);

/** Values of the word that risk_control_panic() sets: who blocks the engine. */
enum { RISK_BLOCK_NONE = 0, RISK_BLOCK_INVARIANT, RISK_BLOCK_GUARD };

/**
 * Look at this word instead of one of our own: memory that a guard in another process shares. Any value but 0 blocks.
 *
 * Cold, before the stage runs; the word must stay until risk_control_free(). Only its owner takes a block back.
 */
void risk_control_block_word(struct risk_control *c, _Atomic uint32_t *word);

/** One owner in a snapshot. Money in 1e-9 quote units, saturated. */
struct risk_owner_snapshot {
	uint64_t n_orders, n_fills;
	int64_t n_open;
	int64_t position; /* units, all instruments added up */
	int64_t realised_e9, unrealised_e9, fees_e9;
	int64_t gross_e9, net_long_e9, net_short_e9; /* exposure: positions and open orders at worst */
	uint64_t cause; /* enum risk_cause of its own kill switch */
};

#define RISK_VIEW_NONE INT64_MIN /* what has no running total */
#define RISK_VIEW_ORDERS 64 /* open orders of an instrument are counted up to this */

/** One owner, as RISK_DO_LOOK found it. */
struct risk_view {
	uint32_t level, index;
	uint64_t tsc;
	struct risk_limits limits, hard; /* now in force; as given at start */
	int64_t used[RISK_KEY_COUNT]; /* in the limit's own unit, rounded up, or RISK_VIEW_NONE */
	uint32_t soft; /* bit a key: its soft level is passed */
	gn_inst inst_at; /* how far the walk has come; n_insts at the end */
	struct risk_owner_snapshot owner; /* of an instrument: n_open and cause only */
	uint64_t killed_tsc;
	char reason[RISK_REASON_BYTES];
	uint64_t n_orders; /* open in the whole engine */
	uint64_t n_cancels; /* sent by sweeps so far */
	uint64_t sweep_left,
		sweep_end_tsc; /* slots that the sweep under way has still to look at; when one last ended */
};

/** The view that the last RISK_DO_LOOK filled; valid between its outcome and the next one. Who sent it. */
const struct risk_view *risk_control_view(const struct risk_control *c);

/** What the stage last published, about every millisecond. */
struct risk_snapshot {
	uint64_t tsc, n_published;
	uint64_t up; /* bit a strategy: its order session takes orders */
	uint64_t n_kills; /* kill switches thrown now */
	uint64_t n_strategies;
	uint64_t n_open, n_waiting;
	uint64_t verdicts[GN_VERDICT_COUNT];
	struct risk_owner_snapshot engine;
	struct risk_owner_snapshot strategy[GN_STRATEGIES_MAX];
};

/** Copy the last snapshot. Any thread; zeroes before the first. */
void risk_control_snapshot(const struct risk_control *c, struct risk_snapshot *out);

#endif
