/* SPDX-License-Identifier: BSD-3-Clause */
#include "order_port.h"

#include "dataplane/codec/ouch50_options.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define PX_E4_DOLLAR 10000u
#define PX_E4_TICK 100u /* from one dollar up */
#define PX_E4_MARKET_TOO UINT64_C(2000000000) /* 200,000.0000 says market as well */

static uint32_t encode_ouch50(const struct order_port *p, const struct client_order *order, const struct ouch50_out *out,
	uint8_t *msg)
{
	(void)p;
	(void)order;
	return ouch50_encode_out(out, msg);
}

int order_port_init(struct order_port *p, const struct exchange_config *config, struct match *match,
	const struct gn_instruments *instruments)
{
	*p = (struct order_port){
		.match = match,
		.instruments = instruments,
		.n_accounts = config->n_accounts,
		.reject_ppm = config->faults.reject_ppm,
		.cancel_pending_ppm = config->faults.cancel_pending_ppm,
		.rng = rng_fork(config->seed, 0x04de5),
		.encode = {[EXCHANGE_OUCH50] = encode_ouch50},
	};
	int rc = clients_init(&p->clients, config->client_orders_max);

	for (uint32_t i = 0; rc == 0 && i < p->n_accounts; i++) {
		p->account[i].index = (uint16_t)i;
		p->account[i].config = &config->accounts[i];
		rc = store_init(&p->account[i].stream, (size_t)config->reports_mib << 20);
	}
	return rc;
}

void order_port_fini(struct order_port *p)
{
	for (uint32_t i = 0; i < p->n_accounts; i++)
		store_fini(&p->account[i].stream);
	clients_fini(&p->clients);
}

bool order_px_e4(gn_px px, uint32_t *px_e4)
{
	int64_t e4 = px.e9 / GN_PX_E9_PER_E4;

	if (px.e9 % GN_PX_E9_PER_E4 || e4 <= 0 || e4 > EXCHANGE_PX_E4_MAX)
		return false;
	*px_e4 = (uint32_t)e4;
	return e4 < PX_E4_DOLLAR || e4 % PX_E4_TICK == 0;
}

static bool is_market(gn_px px)
{
	uint64_t e4 = ouch50_px_e4(px);

	return e4 == OUCH50_PX_E4_MARKET || e4 == PX_E4_MARKET_TOO;
}

static uint16_t check_px(const struct order_port *p, gn_px px, struct match_ask *ask)
{
	if (!is_market(px))
		return order_px_e4(px, &ask->px_e4) ? 0 : ORDER_REJECT_PRICE;
	ask->px_e4 = MATCH_PX_MARKET;
	bool gathers = match_state(p->match, ask->inst) == MATCH_AUCTION;

	return gathers || ask->flags & MATCH_IOC ? 0 : ORDER_REJECT_PRICE;
}

static uint16_t check_options(struct ouch50_appendage appendage, uint32_t qty, struct match_ask *ask)
{
	struct ouch50_options o;

	if (ouch50_options_decode(appendage, &o) != OUCH50_OK)
		return ORDER_REJECT_PROCESSING;
	if (o.min_qty)
		return ORDER_REJECT_MIN_QTY;
	if (o.max_floor && o.max_floor < qty)
		return ORDER_REJECT_MAX_FLOOR;
	if (ouch50_options_has(&o, OUCH50_TAG_PRICE_TYPE) && o.price_type[0] != 'L')
		return ORDER_REJECT_PEG;
	if (o.discretion_px.e9 || o.peg_offset.e9 || o.discretion_peg.e9)
		return ORDER_REJECT_PEG;
	if (o.post_only[0] == 'P')
		ask->flags |= MATCH_POST_ONLY;
	return 0;
}

/* what Enter and Replace have in common; ask->inst is set. 0 or a reject reason. */
static uint16_t check_terms(const struct order_port *p, uint32_t qty, gn_px px, char tif, char display, char iso,
	struct ouch50_appendage appendage, struct match_ask *ask)
{
	if (qty == 0 || qty > OUCH50_QTY_MAX)
		return ORDER_REJECT_QTY;
	if (tif != OUCH50_TIF_DAY && tif != OUCH50_TIF_IOC && tif != OUCH50_TIF_GTX)
		return ORDER_REJECT_TYPE;
	if (display != OUCH50_DISPLAY && display != OUCH50_DISPLAY_ATTRIBUTABLE && display != OUCH50_DISPLAY_HIDDEN)
		return ORDER_REJECT_DISPLAY;
	if (iso != 'Y' && iso != 'N')
		return ORDER_REJECT_ISO;
	ask->qty = qty;
	ask->flags = (uint8_t)((tif == OUCH50_TIF_IOC ? MATCH_IOC : 0) | (display == OUCH50_DISPLAY_HIDDEN ? MATCH_HIDDEN : 0));
	uint16_t reason = check_px(p, px, ask);

	return reason ? reason : check_options(appendage, qty, ask);
}

static uint16_t check_cross(const struct order_port *p, char cross, gn_inst inst)
{
	if (cross == OUCH50_CROSS_CONTINUOUS)
		return 0;
	return cross == 'O' && match_state(p->match, inst) == MATCH_AUCTION ? 0 : ORDER_REJECT_CROSS;
}

static uint16_t check_enter(const struct order_port *p, const struct ouch50_enter *e, struct match_ask *ask)
{
	if (e->side != OUCH50_BUY && e->side != OUCH50_SELL && e->side != OUCH50_SELL_SHORT
		&& e->side != OUCH50_SELL_SHORT_EXEMPT)
		return ORDER_REJECT_SIDE;
	ask->side = e->side == OUCH50_BUY ? GN_BUY : GN_SELL;
	if (ask->inst == GN_INST_NONE)
		return ORDER_REJECT_SYMBOL;
	if (!memchr("APRO", e->capacity, 4))
		return ORDER_REJECT_OTHER;
	uint16_t reason = check_terms(p, e->qty, e->px, e->tif, e->display, e->iso, e->appendage, ask);

	if (!reason)
		reason = check_cross(p, e->cross, ask->inst);
	if (!reason && match_state(p->match, ask->inst) == MATCH_HALTED)
		reason = ORDER_REJECT_HALTED;
	return reason;
}

/* a fault: some good order is rejected for no good reason */
static uint16_t maybe_reject(struct order_port *p)
{
	static const uint8_t reasons[] = {0x01, 0x02, 0x06, 0x0a, 0x0f, 0x16, 0x1e, 0x1f, 0x20, 0x21, 0x26, 0x28, 0x29};

	if (!rng_hit(&p->rng, p->reject_ppm))
		return 0;
	p->n.rejected_on_purpose++;
	return reasons[rng_below(&p->rng, GN_ARRAY_SIZE(reasons))];
}

static void reject(struct order_port *p, struct client_order *c, uint16_t reason)
{
	c->state = CLIENT_REJECTED;
	uint32_t i = clients_add(&p->clients, c);

	order_report_rejected(p, c->account, i == CLIENTS_NONE ? NULL : &p->clients.order[i], c->user_ref, c->clordid, reason);
}

static struct client_order order_of(const struct order_account *a, const struct ouch50_enter *e, gn_inst inst)
{
	return (struct client_order){
		.clordid = e->clordid,
		.account = a->index,
		.user_ref = e->user_ref,
		.inst = inst,
		.symbol = e->symbol,
		.qty = e->qty,
		.px = e->px,
		.state = CLIENT_LIVE,
		.side = e->side,
		.tif = e->tif,
		.display = e->display,
		.capacity = e->capacity,
		.iso = e->iso,
		.cross = e->cross,
	};
}

static void enter(struct order_port *p, struct order_account *a, const struct ouch50_enter *e)
{
	struct match_ask ask = {
		.inst = gn_instruments_find(p->instruments, e->symbol),
		.owner = (uint16_t)(MATCH_OWNER_CLIENT + a->index),
		.tag = p->clients.n_orders,
	};
	struct client_order c = order_of(a, e, ask.inst);

	p->n.enters++;
	if (e->user_ref <= a->last_user_ref) {
		p->n.ignored_number++;
		return;
	}
	a->last_user_ref = e->user_ref;
	uint16_t reason = check_enter(p, e, &ask);

	if (!reason)
		reason = maybe_reject(p);
	if (reason) {
		reject(p, &c, reason);
		return;
	}
	p->echo = e->appendage;
	if (clients_add(&p->clients, &c) == CLIENTS_NONE) {
		reject(p, &c, ORDER_REJECT_PROCESSING);
	} else if (!match_enter(p->match, &ask).ref) {
		clients_pop(&p->clients);
		reject(p, &c, ORDER_REJECT_PROCESSING);
	}
	p->echo.bytes = 0;
}

/* a live order of the account by its number, or NULL */
static struct client_order *live(struct order_port *p, const struct order_account *a, uint32_t user_ref)
{
	uint32_t i = clients_find(&p->clients, a->index, user_ref);

	if (i == CLIENTS_NONE || p->clients.order[i].state != CLIENT_LIVE) {
		p->n.ignored_dead++;
		return NULL;
	}
	return &p->clients.order[i];
}

static struct client_order successor(const struct client_order *old, const struct ouch50_replace *r)
{
	struct client_order c = *old;

	c.clordid = r->clordid;
	c.user_ref = r->user_ref;
	c.qty = r->qty;
	c.filled = c.canceled = c.prevented = 0;
	c.chain = client_done(old);
	c.px = r->px;
	c.tif = r->tif;
	c.display = r->display;
	c.iso = r->iso;
	return c;
}

static void replace(struct order_port *p, struct order_account *a, const struct ouch50_replace *r)
{
	struct client_order *old = live(p, a, r->user_ref_orig);
	struct match_ask ask = {.tag = p->clients.n_orders};

	p->n.replaces++;
	if (!old)
		return;
	if (r->user_ref <= a->last_user_ref) {
		p->n.ignored_number++;
		return;
	}
	struct client_order c = successor(old, r);

	ask.inst = old->inst;
	if (check_terms(p, r->qty, r->px, r->tif, r->display, r->iso, r->appendage, &ask) || r->qty <= c.chain) {
		match_reduce(p->match, old->id, UINT32_MAX, MATCH_WHY_USER);
		return;
	}
	a->last_user_ref = r->user_ref;
	uint16_t reason = match_state(p->match, ask.inst) == MATCH_HALTED ? ORDER_REJECT_HALTED : maybe_reject(p);

	if (reason) {
		reject(p, &c, reason);
		return;
	}
	p->echo = r->appendage;
	c.qty = ask.qty = r->qty - c.chain;
	if (clients_add(&p->clients, &c) == CLIENTS_NONE)
		reject(p, &c, ORDER_REJECT_PROCESSING);
	else
		GN_ASSERT(match_replace(p->match, old->id, &ask).ref);
	p->echo.bytes = 0;
}

/* take off what is above the intended total; false: nothing is */
static bool shrink_to(struct order_port *p, const struct client_order *c, uint32_t total)
{
	uint32_t done = client_done(c), open = client_open(c);
	uint32_t keep = total > done ? total - done : 0;

	return keep < open && match_reduce(p->match, c->id, open - keep, MATCH_WHY_USER);
}

static void cancel(struct order_port *p, struct order_account *a, const struct ouch50_cancel *x)
{
	const struct client_order *c = live(p, a, x->user_ref);

	p->n.cancels++;
	if (!c)
		return;
	if (rng_hit(&p->rng, p->cancel_pending_ppm))
		order_report(p, a->index, c, &(struct ouch50_out){.type = OUCH50_CANCEL_PENDING, .user_ref = x->user_ref});
	if (!shrink_to(p, c, x->qty))
		p->n.ignored_superfluous++;
}

static bool side_may_become(char from, char to)
{
	return from == to || (from == OUCH50_SELL && (to == OUCH50_SELL_SHORT || to == OUCH50_SELL_SHORT_EXEMPT))
		|| (from == OUCH50_SELL_SHORT_EXEMPT && to == OUCH50_SELL_SHORT);
}

static void modify(struct order_port *p, struct order_account *a, const struct ouch50_modify *m)
{
	struct client_order *c = live(p, a, m->user_ref);

	p->n.modifies++;
	if (!c)
		return;
	if (!side_may_become(c->side, m->side)) {
		p->n.ignored_superfluous++;
		return;
	}
	c->side = m->side;
	p->modifying = true;
	shrink_to(p, c, m->qty);
	p->modifying = false;
	struct ouch50_out out = {
		.type = OUCH50_MODIFIED,
		.modified = {.user_ref = m->user_ref, .side = m->side, .qty = client_open(c)},
	};
	order_report(p, a->index, c, &out);
}

static void query(struct order_port *p, struct order_account *a)
{
	p->n.queries++;
	order_report(p, a->index, NULL,
		&(struct ouch50_out){.type = OUCH50_QUERY_REPLY, .user_ref = a->last_user_ref + 1});
}

void order_port_handle(struct order_port *p, uint32_t account, const struct ouch50_in *in)
{
	struct order_account *a = &p->account[account];

	switch (in->type) {
	case OUCH50_ENTER: enter(p, a, &in->enter); break;
	case OUCH50_REPLACE: replace(p, a, &in->replace); break;
	case OUCH50_CANCEL: cancel(p, a, &in->cancel); break;
	case OUCH50_MODIFY: modify(p, a, &in->modify); break;
	default: query(p, a);
	}
}

bool order_port_message(struct order_port *p, uint32_t account, const uint8_t *msg, uint32_t bytes)
{
	struct ouch50_in in;

	switch (ouch50_decode_in(msg, bytes, &in)) {
	case OUCH50_OK: order_port_handle(p, account, &in); return true;
	case OUCH50_UNKNOWN: p->n.malformed_type++; return false;
	case OUCH50_WRONG_LENGTH: p->n.malformed_length++; return false;
	default: p->n.malformed_field++; return false;
	}
}

void order_port_cancel_all(struct order_port *p, uint32_t account, char why)
{
	for (uint32_t i = 0; i < p->clients.n_orders; i++) {
		const struct client_order *c = &p->clients.order[i];

		if (c->account == account && c->state == CLIENT_LIVE)
			match_reduce(p->match, c->id, UINT32_MAX, why);
	}
}

void order_port_after_cross(struct order_port *p, gn_inst inst)
{
	for (uint32_t i = 0; i < p->clients.n_orders; i++) {
		const struct client_order *c = &p->clients.order[i];

		if (c->inst == inst && c->state == CLIENT_LIVE && c->cross != OUCH50_CROSS_CONTINUOUS)
			match_reduce(p->match, c->id, UINT32_MAX, MATCH_WHY_SYSTEM);
	}
}
