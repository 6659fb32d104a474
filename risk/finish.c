/* SPDX-License-Identifier: BSD-3-Clause */
#include "finish.h"

void order_finish(struct risk *r, struct order *o)
{
	uint32_t slot = (uint32_t)(o - r->orders.pool);
	struct order *heir = o->heir != ORDER_NONE ? &r->orders.pool[o->heir] : NULL;
	uint32_t parent = o->flags & ORDER_F_REPLACEMENT ? orders_find(&r->orders, o->req.oid_prev) : ORDER_NONE;

	if (parent != ORDER_NONE)
		r->orders.pool[parent].heir = ORDER_NONE;
	if (heir && !(heir->flags & ORDER_F_COUNTED)) {
		heir->flags |= o->flags & ORDER_F_COUNTED; /* it stands for the open order from now on */
		o->flags &= (uint8_t)~ORDER_F_COUNTED;
	}
	exposure_take(r, &o->req, -o->reserved_qty, -o->reserved_ntl, o->flags & ORDER_F_COUNTED ? -1 : 0);
	self_match_leave(r, slot);
	orders_remove(&r->orders, slot);
	if (heir)
		exposure_settle(r, heir);
}
