/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_FAST_H
#define RISK_FAST_H

/**
 * @file
 * The verdict on a new order that breaks nothing, without a branch between its controls.
 *
 * Every control is evaluated as a number whose sign, or a word whose bits, say "look closer". What it says "accepted" to,
 * check_order() accepts too; what it says no to goes there to be judged exactly. So it may err on that side, and does where
 * that is cheaper: an overdrawn room that the order does not need, a price test in effect, a reference other than a price.
 */

#include "enter.h"

/** Kind, side, time in force and flags in one word, less what the first of each is. */
static inline uint32_t fast_head(const struct gn_order_req *q)
{
	uint32_t word;

	__builtin_memcpy(&word, q, sizeof(word));
	return word - (GN_REQ_NEW | GN_BUY << 8 | GN_TIF_DAY << 16);
}

#define FAST_HEAD_FREE UINT32_C(0xff010100) /* any flags, one of two sides, one of two times in force */
_Static_assert(GN_SELL == GN_BUY + 1 && GN_TIF_IOC == GN_TIF_DAY + 1, "one bit tells them apart");

/** Side and marks of a short sale: which of risk_strategy.top holds. */
#define FAST_HEAD_TOP UINT32_C(0x06000100)
_Static_assert((GN_ORD_SHORT | GN_ORD_SHORT_EXEMPT) << 24 == 0x06000000, "both marks select a limit");

/** The quote as it is now; `torn` has a bit set when it was being written, or anything forbids to trade on it. */
static inline struct gn_quote fast_quote(const struct gn_board_entry *e, uint64_t *torn)
{
	struct gn_quote q = {0};
	/* acquire loads pair with the release stores in gn_board_write(), as in gn_board_read() */
	uint32_t version = atomic_load_explicit(&e->version, memory_order_acquire);

	q.flags = atomic_load_explicit(&e->flags, memory_order_acquire);
	q.bid.e9 = atomic_load_explicit(&e->bid_e9, memory_order_acquire);
	q.ask.e9 = atomic_load_explicit(&e->ask_e9, memory_order_acquire);
	q.tsc = atomic_load_explicit(&e->tsc, memory_order_acquire);
	*torn = (version & 1) | (version ^ atomic_load_explicit(&e->version, memory_order_relaxed))
	        | (q.flags & (GN_VIEW_HALTED | GN_VIEW_STALE | GN_VIEW_NO_SHORT));
	return q;
}

/** Twice the reference price; `low` goes negative when there is none. */
static inline uint64_t fast_reference2(
	const struct risk *r, const struct risk_inst *i, const struct gn_quote *quote, gn_inst inst, uint64_t *low)
{
	uint64_t reference2;

	if (gn_likely(r->reference == RISK_REFERENCE_MID)) {
		*low |= ((uint64_t)quote->bid.e9 - 1) | ((uint64_t)quote->ask.e9 - 1);
		reference2 = (uint64_t)quote->bid.e9 + (uint64_t)quote->ask.e9;
	} else if (r->reference == RISK_REFERENCE_LAST) {
		reference2 = 2 * (uint64_t)atomic_load_explicit(&r->board->entry[inst].last_e9, memory_order_relaxed);
		*low |= reference2 - 1;
	} else {
		reference2 = 2 * (uint64_t)i->reference.e9;
		*low |= reference2 - 1;
	}
	*low |= reference2 | ((uint64_t)RISK_PX_E9_MAX - reference2);
	return reference2;
}

/** Negative when the price lies outside of the collar. The share of the reference is rounded towards it. */
static inline uint64_t fast_collar(const struct risk_inst *i, uint64_t px, uint64_t reference2)
{
	uint64_t off2 = 2 * px - reference2;
	uint64_t far2 = (int64_t)off2 < 0 ? -off2 : off2;
	uint64_t share2 = (uint64_t)((unsigned __int128)reference2 * i->collar_share >> 64);

	return (share2 - far2) | ((uint64_t)i->collar2_e9 - far2);
}

/** Not 0 when price or quantity is off its increment. */
static inline uint64_t fast_increment(
	const struct risk_inst *i, const struct risk_inst_side *is, uint64_t px, uint64_t qty)
{
	const struct risk_divisor *tick = (int64_t)px < 1000000000 ? &i->by_tick_below_1 : &i->by_tick;

	return !risk_divides(tick, px) | (qty * is->lot_part > is->lot_part_max);
}

/**
 * Judge a new order whose strategy exists, and take what it holds of every limit when it is accepted: as enter_take().
 * Nothing waits before it then. What enter_table() needs is left in `e`.
 */
static inline __attribute__((always_inline)) bool fast_take(
	struct risk *r, const struct gn_order_req *q, uint64_t now_tsc, struct entry *e)
{
	uint32_t head = fast_head(q);

	if (gn_unlikely((head & ~FAST_HEAD_FREE) || q->inst >= r->n_fast_insts))
		return false;
	uint32_t top = _pext_u32(head, FAST_HEAD_TOP), side = top & 1;
	struct risk_strategy *s = &r->strategy[q->strategy];
	struct risk_account *a = s->account_of;
	struct risk_inst *i = &r->inst[q->inst];
	struct risk_inst_side *is = &i->side[side];
	struct risk_cell *cell = risk_cell(r, q->inst, q->strategy);
	struct risk_cell_side *cs = &cell->side[side];
	uint64_t px = (uint64_t)q->px.e9, qty = (uint64_t)q->qty, odd, low;
	struct gn_quote quote = fast_quote(&r->board->entry[q->inst], &odd);
	int64_t reach = self_match_reach(q->px.e9, side);

	low = (qty - 1) | px | (q->oid - 1 - s->oid_last) | (s->oid_top - q->oid);
	low |= (uint64_t)(s->unfilled_spare | r->journal_spare | r->orders.spare);
	low |= quote.tsc + i->stale_tsc - now_tsc;
	low |= fast_collar(i, px, fast_reference2(r, i, &quote, q->inst, &low));
	low |= (uint64_t)i->clear[side].e9 - (uint64_t)reach;
	odd |= fast_increment(i, is, px, qty) | r->n_waiting;

	unsigned __int128 wide = (unsigned __int128)px * qty + ((1u << RISK_NTL_SHIFT) - 1);
	uint64_t high = (uint64_t)(wide >> 64);
	int64_t ntl = (int64_t)(high << (64 - RISK_NTL_SHIFT) | (uint64_t)wide >> RISK_NTL_SHIFT);
	odd |= high >> 7; /* RISK_NTL_MAX and more */

	int64_t worst = (int64_t)((uint64_t)is->worst + qty), worst_own = (int64_t)((uint64_t)cs->worst + qty);
	risk_v4 asks = {(int64_t)qty, ntl, worst_own, worst};
	risk_v4 over = (asks > s->top[top]) | (asks > is->top);
	risk_v4 need = __builtin_shufflevector(asks, ((risk_v4){1, 1, 1, 1}), 1, 1, 1, 4) & r->need_of[side];
	risk_v4 left_s = risk_v4_less(s->scope.room.all, need), left_a = risk_v4_less(a->scope.room.all, need),
		left_r = risk_v4_less(r->engine.room.all, need);
	over |= left_s | left_a | left_r;

	risk_v4 full = {(int64_t)s->rate.full_tsc, (int64_t)a->session.full_tsc, (int64_t)r->venue.full_tsc, 0};
	risk_v4 now = {(int64_t)now_tsc, (int64_t)now_tsc, (int64_t)now_tsc, (int64_t)now_tsc};
	risk_v4 owed = risk_v4_less(full, now);
	over |= owed > s->slack_tsc;
	odd |= (uint64_t)(uint32_t)_mm256_movemask_pd((__m256d)over);
	if (gn_unlikely((low >> 63 | odd) != 0))
		return false;
	if (gn_unlikely(now_tsc - cs->last.tsc < s->duplicate_tsc)) {
		if (duplicate_seen(r, cell, q, now_tsc, s->duplicate_tsc))
			return false;
		duplicate_push(r, q, &cs->last, now_tsc, s->duplicate_tsc);
	}

	s->scope.room.all = left_s;
	a->scope.room.all = left_a;
	r->engine.room.all = left_r;
	full = now + (owed & (owed > 0)) + s->token_tsc;
	s->rate.full_tsc = (uint64_t)full[0];
	a->session.full_tsc = (uint64_t)full[1];
	r->venue.full_tsc = (uint64_t)full[2];
	cs->worst = worst_own;
	cs->last = (struct risk_seen){q->px, q->qty, now_tsc};
	is->worst = worst;
	self_match_bound(i, side, reach);
	s->unfilled_spare--;
	s->n_orders++;
	s->oid_last = q->oid;
	*e = (struct entry){is, q->qty, ntl, ORDER_STATUS(ORDER_PENDING, ORDER_F_COUNTED | ORDER_F_LISTED), now_tsc};
	return true;
}

#endif
