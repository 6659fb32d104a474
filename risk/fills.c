/* SPDX-License-Identifier: BSD-3-Clause */
#include "fills.h"

#include <string.h>

#include "exposure.h"
#include "tell.h"

int64_t fills_fee_e9(const struct risk *r, uint8_t liquidity, gn_qty qty)
{
	bool added = liquidity && strchr(r->config.fee_add_letters, liquidity);

	return risk_money_e9((risk_money)(added ? r->config.fee_add_e9 : r->config.fee_remove_e9) * qty);
}

/* A set of few ways by match number; the oldest of a set is forgotten. */
static struct risk_fill *fills_set(const struct risk *r, uint64_t match)
{
	return &r->fill[(match * UINT64_C(0x9e3779b97f4a7c15) >> 32) % (RISK_FILLS / RISK_FILL_WAYS) * RISK_FILL_WAYS];
}

static struct risk_fill *fills_find(const struct risk *r, uint64_t match, gn_oid oid)
{
	struct risk_fill *set = fills_set(r, match);

	for (unsigned i = 0; i < RISK_FILL_WAYS; i++)
		if (match && set[i].match == match && set[i].oid == oid)
			return &set[i];
	return NULL;
}

bool fills_known(const struct risk *r, uint64_t match, gn_oid oid)
{
	return fills_find(r, match, oid) != NULL;
}

void fills_apply(struct risk *r, const struct order *o, const struct gn_exec *e)
{
	struct risk_strategy *s = &r->strategy[o->req.strategy];
	int64_t fee_e9 = fills_fee_e9(r, e->liquidity, e->qty);
	struct risk_fill *set = fills_set(r, e->match);

	memmove(set + 1, set, (RISK_FILL_WAYS - 1) * sizeof(*set));
	set[0] = (struct risk_fill){
		.match = e->match,
		.oid = e->oid,
		.cell = (uint32_t)(risk_cell(r, o->req.inst, o->req.strategy) - r->cell),
		.side = o->req.side,
		.px = e->px,
		.qty = e->qty,
		.fee_e9 = fee_e9,
	};
	exposure_fill(r, o->req.strategy, o->req.inst, e->px, o->req.side == GN_BUY ? e->qty : -e->qty, fee_e9);
	s->n_fills++;
	if (s->unfilled_spare < RISK_UNLIMITED - s->scope.limits.orders_per_fill_max)
		s->unfilled_spare += s->scope.limits.orders_per_fill_max;
}

void fills_break(struct risk *r, const struct gn_exec *e, uint64_t now_tsc)
{
	struct risk_fill *f = fills_find(r, e->match, e->oid);

	if (!f) {
		r->n.report_unknown++;
		tell_report(r, e, NULL, now_tsc);
		return;
	}
	struct order done = {.req = {.side = f->side,
				     .inst = f->cell / r->n_strategies,
				     .oid = f->oid,
				     .strategy = f->cell % r->n_strategies}};
	struct gn_exec told = *e;

	told.px = f->px;
	told.qty = f->qty;
	exposure_fill(r, done.req.strategy, done.req.inst, f->px, f->side == GN_BUY ? -f->qty : f->qty, -f->fee_e9);
	f->match = 0; /* it can be broken once */
	r->n.broken++;
	tell_report(r, &told, &done, now_tsc);
}
