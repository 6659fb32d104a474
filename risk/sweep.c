/* SPDX-License-Identifier: BSD-3-Clause */
#include "sweep.h"

#include "pacing.h"

void sweep_start(struct risk *r)
{
	r->sweep_left = r->orders.capacity;
}

void sweep_want(struct risk *r, struct order *o)
{
	o->flags |= ORDER_F_CANCEL_WANTED;
	sweep_start(r);
}

/* Everything that an owner with a thrown kill switch has open, whenever it is met. */
static bool sweep_killed(uint8_t gate)
{
	return gate != GN_ACCEPTED && gate != GN_REFUSED_SESSION && gate != GN_REFUSED_INSTRUMENT;
}

static bool sweep_hits(const struct risk *r, const struct order *o)
{
	if (o->state == ORDER_FREE || (o->flags & ORDER_F_QUEUED))
		return false;
	if (o->flags & ORDER_F_CANCEL_WANTED)
		return true;
	if (o->swept == r->sweep_id)
		return false;
	const struct risk_strategy *s = &r->strategy[o->req.strategy];
	const struct risk_inst *inst = &r->inst[o->req.inst];
	return r->sweep_engine || s->sweep == r->sweep_id || inst->sweep == r->sweep_id || sweep_killed(s->gate)
	       || sweep_killed(inst->gate);
}

static void sweep_end(struct risk *r, uint64_t now_tsc)
{
	r->sweep_engine = false;
	if (++r->sweep_id == 0)
		r->sweep_id = 1;
	r->sweep_end_tsc = now_tsc;
}

/* Cancel one order. False: the pace does not allow it now. */
static bool sweep_cancel(struct risk *r, struct order *o, uint64_t now_tsc)
{
	if (o->state != ORDER_WAITING && !risk_is_up(r, o->req.strategy)) {
		o->flags |= ORDER_F_CANCEL_WANTED; /* the next sweep, when its session is back */
		return true;
	}
	if (o->state != ORDER_WAITING && !pacing_ready(r, pacing_account(r, o), now_tsc))
		return false;
	r->n.sweep_cancel++;
	o->swept = r->sweep_id;
	pacing_cancel(r, o, 0, 0, now_tsc);
	return true;
}

bool sweep_poll(struct risk *r, uint64_t now_tsc)
{
	bool cancelled = false;

	if (r->sweep_left == 0)
		return false;
	for (unsigned n = 0; n < SWEEP_STEP && r->sweep_left != 0 && !cancelled; n++) {
		struct order *o = &r->orders.pool[1 + r->sweep_at];
		if (sweep_hits(r, o)) {
			cancelled = sweep_cancel(r, o, now_tsc);
			if (!cancelled)
				return false; /* the walk stays where it is */
		}
		r->sweep_at = r->sweep_at + 1 < r->orders.capacity ? r->sweep_at + 1 : 0;
		r->sweep_left--;
	}
	if (r->sweep_left == 0)
		sweep_end(r, now_tsc);
	return true;
}
