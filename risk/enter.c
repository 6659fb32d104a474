/* SPDX-License-Identifier: BSD-3-Clause */
#include "enter.h"

void enter_new(struct risk *r, const struct gn_order_req *q, uint8_t state, uint64_t now_tsc)
{
	struct check c;

	enter_scratch(r, q, now_tsc, &c);
	enter_need_new(q, &c);
	enter_take(r, q, &c);
	enter_order(r, q, &c, state);
}

bool enter_replacement(struct risk *r, const struct gn_order_req *q, uint8_t state, uint64_t now_tsc)
{
	struct order *parent = enter_target(r, q->oid_prev, q->strategy);
	struct check c;

	if (!enter_changeable(parent) || parent->req.inst != q->inst || parent->req.side != q->side)
		return false;
	enter_scratch(r, q, now_tsc, &c);
	enter_need_heir(q, parent, &c);
	enter_take(r, q, &c);
	enter_heir(r, enter_order(r, q, &c, state), parent);
	return true;
}
