/* SPDX-License-Identifier: BSD-3-Clause */
#include "order_port.h"

static gn_px px_of(uint32_t px_e4)
{
	return (gn_px){.e9 = px_e4 * GN_PX_E9_PER_E4};
}

void order_report(struct order_port *p, uint32_t account, const struct client_order *order, struct ouch50_out *out)
{
	struct order_account *a = &p->account[account];
	uint8_t msg[OUCH50_BYTES_MAX];

	out->ns = p->ns;
	if (order)
		clients_touch_order(&p->clients, (uint32_t)(order - p->clients.order));
	uint32_t bytes = p->encode[a->config->dialect](p, order, out, msg);

	if (!bytes)
		return; /* the dialect has no such message */
	store_put(&a->stream, msg, bytes);
	p->n.reports++;
}

void order_report_rejected(struct order_port *p, uint32_t account, const struct client_order *order, uint32_t user_ref,
	struct ouch50_clordid clordid, uint16_t reason)
{
	struct ouch50_out out = {
		.type = OUCH50_REJECTED,
		.rejected = {.user_ref = user_ref, .reason = reason, .clordid = clordid},
	};

	p->n.rejected++;
	order_report(p, account, order, &out);
}

static void report_accepted(struct order_port *p, const struct client_order *c, const struct match_order *o,
	const struct client_order *replaced)
{
	struct ouch50_out out = {
		.type = replaced ? OUCH50_REPLACED : OUCH50_ACCEPTED,
		.accepted = {
			.user_ref = c->user_ref,
			.user_ref_orig = replaced ? replaced->user_ref : 0,
			.qty = c->qty,
			.px = c->px,
			.symbol = c->symbol,
			.order_ref = o->ref,
			.side = c->side,
			.tif = c->tif,
			.display = c->display,
			.capacity = c->capacity,
			.iso = c->iso,
			.cross = c->cross,
			.state = OUCH50_STATE_LIVE,
			.clordid = c->clordid,
			.appendage = p->echo,
		},
	};

	p->n.accepted++;
	order_report(p, c->account, c, &out);
}

static struct client_order *client_of(struct order_port *p, const struct match_order *o)
{
	return &p->clients.order[o->tag];
}

void order_port_accepted(struct order_port *p, const struct match_order *o)
{
	struct client_order *c = client_of(p, o);

	c->id = (struct match_id){.ref = o->ref, .slot = o->slot};
	report_accepted(p, c, o, NULL);
}

void order_port_replaced(struct order_port *p, const struct match_order *old, const struct match_order *now)
{
	struct client_order *c = client_of(p, now), *gone = client_of(p, old);

	clients_cancel(&p->clients, (uint32_t)old->tag, client_open(gone));
	c->id = (struct match_id){.ref = now->ref, .slot = now->slot};
	report_accepted(p, c, now, gone);
}

static char liquidity(const struct match_trade *t, const struct match_order *side)
{
	if (t->cross)
		return 'O';
	if (side == t->taker)
		return 'R';
	return side->flags & MATCH_HIDDEN ? 'J' : 'A';
}

void order_port_traded(struct order_port *p, const struct match_trade *t, const struct match_order *side)
{
	struct client_order *c = client_of(p, side);
	struct ouch50_out out = {
		.type = OUCH50_EXECUTED,
		.executed = {.user_ref = c->user_ref, .qty = t->qty, .px = px_of(t->px_e4), .match = t->match,
			.liquidity = liquidity(t, side)},
	};

	p->n.fills++;
	if (!clients_fill(&p->clients, (uint32_t)side->tag, t->qty, t->match, px_of(t->px_e4)))
		p->n.lost_fills++;
	order_report(p, c->account, c, &out);
}

void order_port_canceled(struct order_port *p, const struct match_order *o, uint32_t off, char why)
{
	struct client_order *c = client_of(p, o);
	struct ouch50_out out = {
		.type = OUCH50_CANCELED,
		.canceled = {.user_ref = c->user_ref, .qty = off, .reason = why},
	};

	clients_cancel(&p->clients, (uint32_t)o->tag, off);
	if (!p->modifying)
		order_report(p, c->account, c, &out);
}

void order_port_prevented(struct order_port *p, const struct match_trade *t, const struct match_order *side)
{
	struct client_order *c = client_of(p, side);
	struct ouch50_out out = {
		.type = OUCH50_AIQ_CANCELED,
		.canceled = {.user_ref = c->user_ref, .qty = t->qty, .reason = MATCH_WHY_SELF, .qty_prevented = t->qty,
			.px = px_of(t->px_e4), .liquidity = liquidity(t, side), .strategy = 'D'},
	};

	c->prevented += t->qty;
	clients_cancel(&p->clients, (uint32_t)side->tag, t->qty);
	order_report(p, c->account, c, &out);
}

void order_port_end_open(struct order_port *p, char why)
{
	for (uint32_t i = 0; i < p->clients.n_orders; i++) {
		const struct client_order *c = &p->clients.order[i];
		struct ouch50_out out = {
			.type = OUCH50_CANCELED,
			.canceled = {.user_ref = c->user_ref, .qty = client_open(c), .reason = why},
		};

		if (c->state != CLIENT_LIVE)
			continue;
		clients_cancel(&p->clients, i, client_open(c));
		order_report(p, c->account, c, &out);
	}
}

void order_port_event(struct order_port *p, char event)
{
	for (uint32_t i = 0; i < p->n_accounts; i++)
		order_report(p, i, NULL, &(struct ouch50_out){.type = OUCH50_SYSTEM, .event = event});
}

static void break_fill(struct order_port *p, struct client_fill *f, char reason)
{
	const struct client_order *c = &p->clients.order[f->order];
	struct ouch50_out out = {
		.type = OUCH50_BROKEN,
		.broken = {.user_ref = c->user_ref, .reason = reason, .match = f->match, .clordid = c->clordid},
	};

	f->broken = true;
	clients_touch_fill(&p->clients, (size_t)(f - p->clients.fill));
	order_report(p, c->account, c, &out);
}

uint32_t order_port_break(struct order_port *p, uint64_t match, char reason)
{
	uint32_t n = 0;

	/* match numbers grow along the fills */
	for (size_t i = p->clients.n_fills; i > 0 && p->clients.fill[i - 1].match >= match; i--) {
		struct client_fill *f = &p->clients.fill[i - 1];

		if (f->match != match || f->broken)
			continue;
		break_fill(p, f, reason);
		n++;
	}
	return n;
}
