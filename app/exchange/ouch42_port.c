/* SPDX-License-Identifier: BSD-3-Clause */
#include "ouch42_port.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/codec/ouch50_options.h"
#include "dataplane/runtime/err.h"

static struct ouch50_clordid token_of(const struct order_port *p, uint16_t account, uint32_t user_ref)
{
	return p->clients.order[clients_find(&p->clients, account, user_ref)].clordid;
}

static uint32_t tif_s_of(char tif)
{
	if (tif == OUCH50_TIF_IOC)
		return OUCH42_TIF_IOC;
	return tif == OUCH50_TIF_GTX ? OUCH42_TIF_SYSTEM_HOURS : OUCH42_TIF_MARKET_HOURS;
}

static char tif_of(uint32_t tif_s)
{
	switch (tif_s) {
	case OUCH42_TIF_IOC: return OUCH50_TIF_IOC;
	case OUCH42_TIF_MARKET_HOURS: return OUCH50_TIF_DAY;
	case OUCH42_TIF_SYSTEM_HOURS: return OUCH50_TIF_GTX;
	default: return OUCH50_TIF_GTT; /* the order port says what it thinks of those */
	}
}

static void accepted_of(const struct order_port *p, const struct client_order *order, const struct ouch50_out *in,
	struct ouch42_accepted *out)
{
	const struct ouch50_accepted *a = &in->accepted;
	struct ouch50_options o = {0};

	ouch50_options_decode(a->appendage, &o);
	*out = (struct ouch42_accepted){
		.token = a->clordid,
		.symbol = a->symbol,
		.px = a->px,
		.order_ref = a->order_ref,
		.qty = a->qty,
		.tif_s = tif_s_of(a->tif),
		.firm = "    ",
		.side = a->side,
		.display = o.post_only[0] == 'P' ? 'P' : a->display,
		.capacity = a->capacity,
		.iso = a->iso,
		.cross = a->cross,
		.state = a->state,
		.bbo_weight = ' ',
	};
	if (ouch50_options_has(&o, OUCH50_TAG_FIRM))
		memcpy(out->firm, o.firm, sizeof(out->firm));
	if (in->type == OUCH50_REPLACED)
		out->token_orig = token_of(p, order->account, a->user_ref_orig);
}

static char reject_letter(uint16_t reason)
{
	switch (reason) {
	case ORDER_REJECT_HALTED: return 'H';
	case ORDER_REJECT_SYMBOL: return 'S';
	case ORDER_REJECT_DISPLAY: return 'D';
	case ORDER_REJECT_PRICE: return 'X';
	case ORDER_REJECT_QTY: return 'Z';
	case ORDER_REJECT_CROSS: return 'R';
	case ORDER_REJECT_MIN_QTY: return 'N';
	default: return 'O';
	}
}

static uint32_t encode(const struct order_port *p, const struct client_order *order, const struct ouch50_out *in, uint8_t *msg)
{
	struct ouch42_out out = {.type = in->type, .ns = in->ns};
	struct ouch50_clordid token = order ? order->clordid : (struct ouch50_clordid){0};

	switch (in->type) {
	case OUCH50_SYSTEM: out.event = in->event; break;
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED: accepted_of(p, order, in, &out.accepted); break;
	case OUCH50_CANCELED:
	case OUCH50_AIQ_CANCELED:
		out.canceled = (struct ouch42_canceled){.token = token, .px = in->canceled.px, .qty = in->canceled.qty,
			.qty_prevented = in->canceled.qty_prevented, .reason = in->canceled.reason,
			.liquidity = in->canceled.liquidity};
		break;
	case OUCH50_EXECUTED:
		out.executed = (struct ouch42_executed){.token = token, .px = in->executed.px, .match = in->executed.match,
			.qty = in->executed.qty, .liquidity = in->executed.liquidity};
		break;
	case OUCH50_BROKEN:
		out.broken = (struct ouch42_broken){.token = token, .match = in->broken.match, .reason = in->broken.reason};
		break;
	case OUCH50_REJECTED:
		out.rejected = (struct ouch42_rejected){
			.token = in->rejected.clordid, .reason = reject_letter(in->rejected.reason)};
		break;
	case OUCH50_MODIFIED:
		out.modified = (struct ouch42_modified){.token = token, .qty = in->modified.qty, .side = in->modified.side};
		break;
	case OUCH50_CANCEL_PENDING: out.token = token; break;
	default: return 0;
	}
	return ouch42_encode_out(&out, msg);
}

int ouch42_port_init(struct ouch42_port *p, struct order_port *orders)
{
	uint32_t slots = orders->clients.slot_mask + 1;

	*p = (struct ouch42_port){.orders = orders, .slot = calloc(slots, sizeof(*p->slot)), .mask = slots - 1};
	orders->encode[EXCHANGE_OUCH42] = encode;
	return p->slot ? 0 : gn_err(ENOMEM, "exchange: %u tokens", slots);
}

void ouch42_port_fini(struct ouch42_port *p)
{
	free(p->slot);
	p->slot = NULL;
}

static bool same_token(const struct ouch50_clordid *a, const struct ouch50_clordid *b)
{
	return memcmp(a->c, b->c, OUCH50_CLORDID_BYTES) == 0;
}

static uint32_t slot_of(const struct ouch42_port *p, uint32_t account, const struct ouch50_clordid *token)
{
	uint64_t head, tail;

	memcpy(&head, token->c, 8);
	memcpy(&tail, token->c + 6, 8);
	uint64_t key = (head ^ (tail * UINT64_C(0xff51afd7ed558ccd)) ^ account) * UINT64_C(0x9e3779b97f4a7c15);
	uint32_t i = (uint32_t)(key >> 32) & p->mask;

	for (; p->slot[i]; i = (i + 1) & p->mask) {
		const struct client_order *o = &p->orders->clients.order[p->slot[i] - 1];

		if (o->account == account && same_token(&o->clordid, token))
			break;
	}
	return i;
}

/* the UserRefNum behind a token; 0, which no order has: it is unknown */
static uint32_t user_ref_of(const struct ouch42_port *p, uint32_t account, const struct ouch50_clordid *token)
{
	uint32_t at = p->slot[slot_of(p, account, token)];

	return at ? p->orders->clients.order[at - 1].user_ref : 0;
}

void ouch42_port_restore(struct ouch42_port *p, uint32_t order)
{
	const struct client_order *o = &p->orders->clients.order[order];

	if (p->orders->account[o->account].config->dialect == EXCHANGE_OUCH42)
		p->slot[slot_of(p, o->account, &o->clordid)] = order + 1;
}

/* a request that names a new order: remember its token if an order came of it */
static void handle_new(struct ouch42_port *p, uint32_t account, const struct ouch50_clordid *token, const struct ouch50_in *in)
{
	uint32_t before = p->orders->clients.n_orders;

	if (user_ref_of(p, account, token)) {
		p->orders->n.ignored_number++;
		return;
	}
	order_port_handle(p->orders, account, in);
	if (p->orders->clients.n_orders != before)
		p->slot[slot_of(p, account, token)] = before + 1;
}

static struct ouch50_appendage options_of(uint32_t min_qty, char display, const char *firm, uint8_t *bytes)
{
	struct ouch50_options o = {.min_qty = min_qty, .post_only = {'P'}};

	o.present = (min_qty ? 1u << OUCH50_TAG_MIN_QTY : 0) | (display == 'P' ? 1u << OUCH50_TAG_POST_ONLY : 0);
	if (firm) {
		memcpy(o.firm, firm, sizeof(o.firm));
		o.present |= 1u << OUCH50_TAG_FIRM;
	}
	return ouch50_options_encode(&o, bytes);
}

static char display_of(char display)
{
	return display == 'P' ? OUCH50_DISPLAY : display;
}

static void enter(struct ouch42_port *p, uint32_t account, const struct ouch42_enter *e)
{
	uint8_t bytes[OUCH50_APPENDAGE_BYTES_MAX];
	struct ouch50_in in = {
		.type = OUCH50_ENTER,
		.enter = {
			.user_ref = p->orders->account[account].last_user_ref + 1,
			.qty = e->qty,
			.px = e->px,
			.symbol = e->symbol,
			.side = e->side,
			.tif = tif_of(e->tif_s),
			.display = display_of(e->display),
			.capacity = e->capacity,
			.iso = e->iso,
			.cross = e->cross,
			.clordid = e->token,
			.appendage = options_of(e->min_qty, e->display, e->firm, bytes),
		},
	};

	handle_new(p, account, &e->token, &in);
}

static void replace(struct ouch42_port *p, uint32_t account, const struct ouch42_replace *r)
{
	uint8_t bytes[OUCH50_APPENDAGE_BYTES_MAX];
	struct ouch50_in in = {
		.type = OUCH50_REPLACE,
		.replace = {
			.user_ref_orig = user_ref_of(p, account, &r->token_orig),
			.user_ref = p->orders->account[account].last_user_ref + 1,
			.qty = r->qty,
			.px = r->px,
			.tif = tif_of(r->tif_s),
			.display = display_of(r->display),
			.iso = r->iso,
			.clordid = r->token,
			.appendage = options_of(r->min_qty, r->display, NULL, bytes),
		},
	};

	handle_new(p, account, &r->token, &in);
}

static void cancel(struct ouch42_port *p, uint32_t account, const struct ouch42_cancel *x)
{
	struct ouch50_in in = {
		.type = OUCH50_CANCEL, .cancel = {.user_ref = user_ref_of(p, account, &x->token), .qty = x->qty}};

	order_port_handle(p->orders, account, &in);
}

static void modify(struct ouch42_port *p, uint32_t account, const struct ouch42_modify *m)
{
	struct ouch50_in in = {
		.type = OUCH50_MODIFY,
		.modify = {.user_ref = user_ref_of(p, account, &m->token), .qty = m->qty, .side = m->side},
	};

	order_port_handle(p->orders, account, &in);
}

/* all orders trade as soon as they can here: there is nothing to do but to say so */
static void trade_now(struct ouch42_port *p, uint32_t account, const struct ouch50_clordid *token)
{
	struct ouch42_out out = {.type = OUCH42_TRADE_NOW_REPLY, .ns = p->orders->ns, .token = *token};
	uint8_t msg[OUCH42_BYTES_MAX];
	uint32_t at = p->slot[slot_of(p, account, token)];

	if (!at || p->orders->clients.order[at - 1].state != CLIENT_LIVE) {
		p->orders->n.ignored_dead++;
		return;
	}
	store_put(&p->orders->account[account].stream, msg, ouch42_encode_out(&out, msg));
	p->orders->n.reports++;
}

bool ouch42_port_message(struct ouch42_port *p, uint32_t account, const uint8_t *msg, uint32_t bytes)
{
	struct ouch42_in in;
	enum ouch42_result r = ouch42_decode_in(msg, bytes, &in);

	if (r != OUCH42_OK) {
		if (r == OUCH42_UNKNOWN)
			p->orders->n.malformed_type++;
		else
			p->orders->n.malformed_length++;
		return false;
	}
	switch (in.type) {
	case OUCH42_ENTER: enter(p, account, &in.enter); break;
	case OUCH42_REPLACE: replace(p, account, &in.replace); break;
	case OUCH42_CANCEL: cancel(p, account, &in.cancel); break;
	case OUCH42_MODIFY: modify(p, account, &in.modify); break;
	default: trade_now(p, account, &in.token);
	}
	return true;
}
