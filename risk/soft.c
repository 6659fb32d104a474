/* SPDX-License-Identifier: BSD-3-Clause */
#include "soft.h"

#include "tell.h"

struct soft_place {
	struct risk *r;
	struct risk_scope *scope;
	enum risk_level level;
	uint32_t index;
	uint64_t now_tsc;
};

static void soft_look(const struct soft_place *p, enum risk_key key, risk_money used, risk_money limit)
{
	uint32_t bit = UINT32_C(1) << key;
	int64_t pct = p->r->config.soft_pct ? p->r->config.soft_pct : RISK_SOFT_PCT;
	bool over = risk_limit_get(&p->scope->limits, key) != RISK_UNLIMITED && used * 100 >= limit * pct;

	if (over && !(p->scope->soft & bit)) {
		p->r->n.soft_passed++;
		tell_change(p->r, p->now_tsc, "soft %s %u %s", risk_level_word(p->level), p->index,
			risk_key_info[key].name);
	}
	p->scope->soft = over ? p->scope->soft | bit : p->scope->soft & ~bit;
}

static void soft_scope(const struct soft_place *p)
{
	const struct risk_limits *l = &p->scope->limits;
	const union risk_room *room = &p->scope->room;
	risk_ntl gross = risk_ntl_from_quote(l->gross_notional_max), net = risk_ntl_from_quote(l->net_notional_max);
	risk_ntl net_room = room->net[0] < room->net[1] ? room->net[0] : room->net[1];

	soft_look(p, RISK_KEY_gross_notional_max, gross - room->gross, gross);
	soft_look(p, RISK_KEY_net_notional_max, net - net_room, net);
	soft_look(p, RISK_KEY_open_orders_max, risk_scope_open(p->scope), l->open_orders_max);
	soft_look(p, RISK_KEY_loss_max, -risk_pnl_total(&p->scope->pnl), (risk_money)l->loss_max * 1000000000);
}

void soft_check(struct risk *r, uint64_t now_tsc)
{
	soft_scope(&(struct soft_place){r, &r->engine, RISK_ENGINE, 0, now_tsc});
	for (uint32_t i = 0; i < r->n_accounts; i++)
		soft_scope(&(struct soft_place){r, &r->account[i].scope, RISK_ACCOUNT, i, now_tsc});
	for (uint32_t i = 0; i < r->n_strategies; i++)
		soft_scope(&(struct soft_place){r, &r->strategy[i].scope, RISK_STRATEGY, i, now_tsc});
}
