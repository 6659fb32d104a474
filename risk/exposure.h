/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_EXPOSURE_H
#define RISK_EXPOSURE_H

/** @file The only places that move what is used of a limit: open orders, positions, marks. */

#include "risk.h"

/** So much notional and so many orders of one side, as it is taken from a room. */
static inline risk_v4 room_need(uint32_t side, risk_ntl ntl, int64_t n_orders)
{
	static const risk_v4 which[2] = {{-1, -1, 0, -1}, {-1, 0, -1, -1}};

	return (risk_v4){ntl, ntl, ntl, n_orders} & which[side];
}

/** True when a room has less of something than is needed of it; what is not needed may be overdrawn. */
static inline bool room_short(
	const union risk_room *a, const union risk_room *b, const union risk_room *c, risk_v4 need)
{
	risk_v4 lack = ((need > a->all) | (need > b->all) | (need > c->all)) & (need > (risk_v4){0});

	return risk_v4_any(lack);
}

/** Let an order hold so much more of the limits (less when negative). */
static inline void exposure_take(
	struct risk *r, const struct gn_order_req *q, gn_qty qty, risk_ntl ntl, int64_t n_orders)
{
	struct risk_strategy *s = &r->strategy[q->strategy];
	uint32_t side = q->side - 1u;
	risk_v4 need = room_need(side, ntl, n_orders);

	risk_cell(r, q->inst, q->strategy)->side[side].worst += qty;
	r->inst[q->inst].side[side].worst += qty;
	s->scope.room.all -= need;
	r->account[s->account].scope.room.all -= need;
	r->engine.room.all -= need;
}

/** Let an order hold what its state says: called after whatever changed it, or the replacement that waits for it. */
void exposure_settle(struct risk *r, struct order *o);

/** What a replacement holds beside the order that it takes the place of (NULL: that one is gone). */
void exposure_of_heir(const struct order *heir, const struct order *parent, gn_qty *qty, risk_ntl *ntl);

/** A position changed by qty (negative: sold) at px: units, money and rooms. Returns what was realised. */
risk_money exposure_fill(struct risk *r, uint32_t strategy, gn_inst inst, gn_px px, gn_qty qty, int64_t fee_e9);

/** Value a position at a new price. */
void exposure_mark(struct risk *r, uint32_t strategy, gn_inst inst, gn_px mark);

#endif
