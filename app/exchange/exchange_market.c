/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_core.h"

static gn_px px_of(uint32_t px_e4)
{
	return (gn_px){.e9 = px_e4 * GN_PX_E9_PER_E4};
}

void exchange_publish(struct exchange *x, gn_inst inst, struct gn_md *md)
{
	bool none = inst == GN_INST_NONE;

	publish_md(&x->publish, md, none ? 0 : (uint16_t)(inst + 1), none ? (gn_symbol){.word = 0} : x->symbol[inst], x->now_ns);
}

void exchange_publish_event(struct exchange *x, char code)
{
	exchange_publish(x, GN_INST_NONE, &(struct gn_md){.kind = GN_MD_SYSTEM, .code = code});
}

static char state_letter(enum match_state state)
{
	return state == MATCH_TRADING ? 'T' : state == MATCH_AUCTION ? 'Q' : 'H';
}

static struct gn_md state_of(const struct exchange *x, gn_inst inst, const char reason[4])
{
	struct gn_md md = {.kind = GN_MD_STATE, .code = state_letter(match_state(x->match, inst))};

	memcpy(md.state.reason, reason, sizeof(md.state.reason));
	return md;
}

void exchange_state_set(struct exchange *x, gn_inst inst, enum match_state state, const char reason[4])
{
	match_state_set(x->match, inst, state);
	struct gn_md md = state_of(x, inst, reason);

	exchange_publish(x, inst, &md);
}

static struct gn_md directory_of(const struct exchange *x, gn_inst inst)
{
	struct gn_md md = {.kind = GN_MD_DIRECTORY};

	if (x->flow_file && flow_file_directory(x->flow_file, inst, &md))
		return md;
	md.directory.round_lot = 100;
	md.directory.market_category = 'Q';
	md.directory.financial_status = 'N';
	md.directory.round_lots_only = 'N';
	md.directory.issue_class = 'C';
	memcpy(md.directory.issue_subtype, "Z ", 2);
	md.directory.authenticity = 'P';
	md.directory.short_sale_threshold = 'N';
	md.directory.ipo = ' ';
	md.directory.luld_tier = '1';
	md.directory.etp = 'N';
	md.directory.inverse = 'N';
	return md;
}

void exchange_directory(const struct exchange *x, gn_inst inst, struct gn_md md[EXCHANGE_DIRECTORY_MSGS])
{
	md[0] = directory_of(x, inst);
	md[1] = state_of(x, inst, "    ");
	md[2] = (struct gn_md){.kind = GN_MD_SHORT_SALE, .code = '0'};
}

struct gn_md exchange_add(const struct match_order *o)
{
	return (struct gn_md){
		.kind = GN_MD_ADD,
		.side = o->side,
		.order = {.ref = o->ref, .px = px_of(o->px_e4), .qty = o->qty},
	};
}

static bool displayed(const struct match_order *o)
{
	return !(o->flags & MATCH_HIDDEN);
}

static void publish_add(struct exchange *x, const struct match_order *o)
{
	struct gn_md md = exchange_add(o);

	exchange_publish(x, o->inst, &md);
}

static void publish_delete(struct exchange *x, const struct match_order *o)
{
	exchange_publish(x, o->inst, &(struct gn_md){.kind = GN_MD_DELETE, .order = {.ref = o->ref}});
}

static void publish_off(struct exchange *x, const struct match_order *o, uint32_t off)
{
	struct gn_md md = {.kind = GN_MD_REDUCE, .order = {.ref = o->ref, .qty = off}};

	if (o->qty)
		exchange_publish(x, o->inst, &md);
	else
		publish_delete(x, o);
}

static bool is_client(const struct match_order *o)
{
	return o->owner != MATCH_OWNER_FLOW;
}

static void background_rested(struct exchange *x, struct match_order *o)
{
	if (x->flow)
		flow_rested(x->flow, o);
}

static void background_gone(struct exchange *x, const struct match_order *o)
{
	if (x->flow)
		flow_gone(x->flow, o);
	else if (x->flow_file)
		flow_file_gone(x->flow_file, o);
}

static void on_accepted(void *arg, struct match_order *o)
{
	struct exchange *x = arg;

	if (is_client(o))
		order_port_accepted(&x->orders, o);
}

static void on_rested(void *arg, struct match_order *o)
{
	struct exchange *x = arg;

	if (displayed(o))
		publish_add(x, o);
	if (!is_client(o))
		background_rested(x, o);
}

static void publish_replace(struct exchange *x, const struct match_order *old, const struct match_order *now)
{
	bool rests = now->flags & MATCH_UNTRADED;
	struct gn_md md = {
		.kind = GN_MD_REPLACE,
		.side = now->side,
		.order = {.ref = old->ref, .aux2 = now->ref, .px = px_of(now->px_e4), .qty = now->qty},
	};

	if (displayed(old) && displayed(now) && rests)
		exchange_publish(x, now->inst, &md);
	else if (displayed(old))
		publish_delete(x, old);
	else if (displayed(now) && rests)
		publish_add(x, now);
}

static void on_replaced(void *arg, const struct match_order *old, struct match_order *now)
{
	struct exchange *x = arg;

	publish_replace(x, old, now);
	if (is_client(now)) {
		order_port_replaced(&x->orders, old, now);
		return;
	}
	background_gone(x, old);
	if (now->flags & MATCH_UNTRADED)
		background_rested(x, now);
}

static void publish_trade(struct exchange *x, const struct match_trade *t)
{
	const struct match_order *o = t->maker;
	struct gn_md md = {.order = {.ref = o->ref, .aux2 = t->match, .px = px_of(t->px_e4), .qty = t->qty}};

	md.kind = displayed(o) ? GN_MD_EXEC : GN_MD_TRADE;
	if (md.kind == GN_MD_TRADE) {
		md.side = GN_BUY; /* whichever side was hidden */
		md.order.ref = 0;
	}
	exchange_publish(x, o->inst, &md);
}

/* a cross is printed once, as a whole: what it does to the displayed orders does not count as volume */
static void publish_crossed(struct exchange *x, const struct match_trade *t, const struct match_order *o)
{
	struct gn_md md = {
		.kind = GN_MD_EXEC_PX,
		.order = {.ref = o->ref, .aux2 = t->match, .px = px_of(t->px_e4), .qty = t->qty},
	};

	if (displayed(o))
		exchange_publish(x, o->inst, &md);
}

static void tell_traded(struct exchange *x, const struct match_trade *t, const struct match_order *o, bool rested)
{
	if (is_client(o))
		order_port_traded(&x->orders, t, o);
	else if (rested && !o->qty)
		background_gone(x, o);
}

static void on_traded(void *arg, const struct match_trade *t)
{
	struct exchange *x = arg;

	exchange_faults_traded(x, t);
	if (t->cross) {
		publish_crossed(x, t, t->maker);
		publish_crossed(x, t, t->taker);
	} else {
		publish_trade(x, t);
	}
	tell_traded(x, t, t->maker, true);
	tell_traded(x, t, t->taker, t->cross);
}

static void on_canceled(void *arg, const struct match_order *o, uint32_t off, char why, bool rested)
{
	struct exchange *x = arg;

	if (rested && displayed(o))
		publish_off(x, o, off);
	if (is_client(o))
		order_port_canceled(&x->orders, o, off, why);
	else if (rested && !o->qty)
		background_gone(x, o);
}

static void on_prevented(void *arg, const struct match_trade *t)
{
	struct exchange *x = arg;

	if (displayed(t->maker))
		publish_off(x, t->maker, t->qty);
	order_port_prevented(&x->orders, t, t->maker);
	order_port_prevented(&x->orders, t, t->taker);
}

struct match_sink exchange_sink(struct exchange *x)
{
	return (struct match_sink){
		.arg = x,
		.accepted = on_accepted,
		.rested = on_rested,
		.replaced = on_replaced,
		.traded = on_traded,
		.canceled = on_canceled,
		.prevented = on_prevented,
	};
}
