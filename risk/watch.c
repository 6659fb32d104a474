/* SPDX-License-Identifier: BSD-3-Clause */
#include "watch.h"

#include <gannet/book_view.h>

#include "exposure.h"
#include "soft.h"
#include "sweep.h"
#include "tell.h"
#include "window.h"

#define WATCH_MARKS 128u /* positions valued in one housekeeping */
#define WATCH_INSTS 256u /* instruments looked at in one housekeeping */
#define WATCH_RETRY_MS 1000 /* a kill switch whose orders are still open cancels again */

static uint64_t watch_ticks(const struct risk *r, int64_t ms)
{
	return r->config.tsc_hz / 1000 * (uint64_t)ms;
}

static bool watch_loss_reached(const struct risk_scope *s)
{
	if (s->limits.loss_max == RISK_UNLIMITED)
		return false;
	return -risk_pnl_total(&s->pnl) >= (risk_money)s->limits.loss_max * 1000000000;
}

static void watch_loss(
	struct risk *r, const struct risk_scope *s, enum risk_level level, uint32_t index, uint64_t now_tsc)
{
	if (gn_unlikely(watch_loss_reached(s)))
		risk_kill(r, level, index, RISK_CAUSE_LOSS, "daily loss limit", now_tsc);
}

static void watch_windows(struct risk *r, uint32_t strategy, gn_qty delta, uint64_t now_tsc)
{
	struct risk_strategy *s = &r->strategy[strategy];
	const struct risk_limits *l = &s->scope.limits;
	const struct risk_window_part *fills = window_add(&s->repeat, s->repeat_tsc, delta, now_tsc);

	if (fills->n > l->repeat_fills_max)
		risk_kill(r, RISK_STRATEGY, strategy, RISK_CAUSE_REPEATED, "too many fills in the window", now_tsc);
	fills = window_add(&s->protect, s->protect_tsc, delta, now_tsc);
	gn_qty net = fills->delta < 0 ? -fills->delta : fills->delta;
	if (fills->n > l->protect_fills_max || fills->qty > l->protect_qty_max || net > l->protect_delta_max)
		risk_kill(r, RISK_STRATEGY, strategy, RISK_CAUSE_PROTECTION, "market-maker protection", now_tsc);
}

void watch_fill(struct risk *r, const struct order *o, const struct gn_exec *e, uint64_t now_tsc)
{
	uint32_t strategy = o->req.strategy;
	uint32_t account = r->strategy[strategy].account;

	if (r->replaying)
		return;
	watch_windows(r, strategy, o->req.side == GN_BUY ? e->qty : -e->qty, now_tsc);
	watch_loss(r, &r->strategy[strategy].scope, RISK_STRATEGY, strategy, now_tsc);
	watch_loss(r, &r->account[account].scope, RISK_ACCOUNT, account, now_tsc);
	watch_loss(r, &r->engine, RISK_ENGINE, 0, now_tsc);
}

void watch_reject(struct risk *r, uint32_t strategy, uint64_t now_tsc)
{
	struct risk_strategy *s = &r->strategy[strategy];

	if (r->replaying)
		return;
	if (now_tsc - s->rejects_start_tsc >= r->config.tsc_hz) {
		s->rejects_start_tsc = now_tsc;
		s->n_rejects = 0;
	}
	if (++s->n_rejects > s->scope.limits.rejects_max)
		risk_kill(r, RISK_STRATEGY, strategy, RISK_CAUSE_REJECTS, "reject storm", now_tsc);
}

static gn_px watch_price(const struct risk *r, gn_inst inst)
{
	struct gn_quote q = r->board && inst < r->board->max ? gn_board_read(r->board, inst) : (struct gn_quote){0};

	if (q.flags & GN_VIEW_STALE)
		return (gn_px){0};
	if (q.bid.e9 > 0 && q.ask.e9 > 0 && q.bid.e9 <= RISK_PX_E9_MAX && q.ask.e9 <= RISK_PX_E9_MAX)
		return (gn_px){q.bid.e9 + (q.ask.e9 - q.bid.e9) / 2};
	return q.last.e9 <= RISK_PX_E9_MAX ? q.last : (gn_px){0};
}

static void watch_marks(struct risk *r)
{
	for (unsigned n = 0; n < WATCH_MARKS && n < r->n_held; n++) {
		r->held_at = r->held_at + 1 < r->n_held ? r->held_at + 1 : 0;
		uint32_t at = r->held[r->held_at];
		gn_inst inst = at / r->n_strategies;
		gn_px px = watch_price(r, inst);
		if (px.e9 > 0 && px.e9 != r->ledger[at].pos.mark.e9)
			exposure_mark(r, at % r->n_strategies, inst, px);
	}
}

static void watch_losses(struct risk *r, uint64_t now_tsc)
{
	for (uint32_t i = 0; i < r->n_strategies; i++)
		watch_loss(r, &r->strategy[i].scope, RISK_STRATEGY, i, now_tsc);
	for (uint32_t i = 0; i < r->n_accounts; i++)
		watch_loss(r, &r->account[i].scope, RISK_ACCOUNT, i, now_tsc);
	watch_loss(r, &r->engine, RISK_ENGINE, 0, now_tsc);
}

static void watch_session(struct risk *r, uint64_t now_tsc)
{
	if (r->config.session_kill_ms == 0)
		return;
	for (uint32_t i = 0; i < r->n_strategies; i++) {
		const struct risk_strategy *s = &r->strategy[i];
		if (!risk_is_up(r, i) && risk_scope_open(&s->scope) > 0
			&& now_tsc - s->session_tsc >= watch_ticks(r, r->config.session_kill_ms))
			risk_kill(r, RISK_STRATEGY, i, RISK_CAUSE_SESSION, "session down with orders open", now_tsc);
	}
}

static void watch_clock(struct risk *r, uint64_t now_tsc)
{
	uint64_t before = r->housekeeping_tsc;

	r->housekeeping_tsc = now_tsc;
	if (before == 0 || r->config.clock_jump_ms == 0)
		return;
	if (now_tsc < before || now_tsc - before >= watch_ticks(r, r->config.clock_jump_ms))
		risk_kill(r, RISK_ENGINE, 0, RISK_CAUSE_CLOCK, "time jumped", now_tsc);
}

/* Own orders rest where the market data has been wrong for too long. */
static void watch_stale(struct risk *r, uint64_t now_tsc)
{
	if (r->config.stale_kill_ms == 0 || !r->board)
		return;
	for (unsigned n = 0; n < WATCH_INSTS && n < r->n_insts; n++) {
		r->inst_at = r->inst_at + 1 < r->n_insts ? r->inst_at + 1 : 0;
		struct risk_inst *i = &r->inst[r->inst_at];
		bool resting = i->side[0].resting != ORDER_NONE || i->side[1].resting != ORDER_NONE;
		if (!resting || r->inst_at >= r->board->max
			|| !(gn_board_read(r->board, r->inst_at).flags & GN_VIEW_STALE))
			i->stale_since_tsc = 0;
		else if (i->stale_since_tsc == 0)
			i->stale_since_tsc = now_tsc;
		else if (now_tsc - i->stale_since_tsc >= watch_ticks(r, r->config.stale_kill_ms))
			risk_kill(r, RISK_INSTRUMENT, r->inst_at, RISK_CAUSE_STALE, "market data stale", now_tsc);
	}
}

static void watch_protection_ends(struct risk *r, uint64_t now_tsc)
{
	for (uint32_t i = 0; i < r->n_strategies; i++) {
		const struct kill_switch *sw = &r->kill.sw[RISK_STRATEGY][i];
		int64_t pause_ms = r->config.strategy[i].protect_pause_ms;
		if (sw->cause == RISK_CAUSE_PROTECTION && pause_ms && now_tsc - sw->at_tsc >= watch_ticks(r, pause_ms))
			risk_release(r, RISK_STRATEGY, i, "end of the pause", now_tsc);
	}
}

static void watch_retry(struct risk *r, uint64_t now_tsc)
{
	if (r->kill.n_on && orders_open(&r->orders) && r->sweep_left == 0
		&& now_tsc - r->sweep_end_tsc >= watch_ticks(r, WATCH_RETRY_MS))
		sweep_start(r);
}

void risk_housekeep(struct risk *r, uint64_t now_tsc)
{
	watch_clock(r, now_tsc);
	watch_marks(r);
	watch_losses(r, now_tsc);
	watch_session(r, now_tsc);
	watch_stale(r, now_tsc);
	watch_protection_ends(r, now_tsc);
	soft_check(r, now_tsc);
	watch_retry(r, now_tsc);
}
