/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialect.h"

#include <string.h>

#include "dataplane/codec/ouch42.h"

/* Orders go by a token, which is our order id: numbers stay inside the gateway. */
#define OUCH42_DISPLAY_POST_ONLY 'P'

static bool qty_fits(gn_qty qty)
{
	return qty > 0 && qty <= (gn_qty)OUCH50_QTY_MAX;
}

static bool px_fits(gn_px px)
{
	return px.e9 > 0 && px.e9 % GN_PX_E9_PER_E4 == 0 && px.e9 / GN_PX_E9_PER_E4 <= (int64_t)OUCH42_PX_E4_MAX;
}

static bool tif_s(uint8_t tif, uint32_t *out)
{
	*out = tif == GN_TIF_IOC ? OUCH42_TIF_IOC : OUCH42_TIF_MARKET_HOURS;
	return tif == GN_TIF_DAY || tif == GN_TIF_IOC;
}

static char side_letter(const struct gn_order_req *req)
{
	if (req->side == GN_BUY)
		return OUCH50_BUY;
	if (req->side != GN_SELL)
		return 0;
	if (req->flags & GN_ORD_SHORT_EXEMPT)
		return OUCH50_SELL_SHORT_EXEMPT;
	return req->flags & GN_ORD_SHORT ? OUCH50_SELL_SHORT : OUCH50_SELL;
}

/* One letter says both: an order cannot be hidden and post-only. */
static char display_letter(const struct gn_order_req *req)
{
	switch (req->flags & (GN_ORD_HIDDEN | GN_ORD_POST_ONLY)) {
	case 0: return OUCH50_DISPLAY;
	case GN_ORD_HIDDEN: return OUCH50_DISPLAY_HIDDEN;
	case GN_ORD_POST_ONLY: return OUCH42_DISPLAY_POST_ONLY;
	default: return 0;
	}
}

static uint32_t encode_new(const struct dialect_config *config, const struct dialect_request *r, uint8_t *out)
{
	const struct gn_order_req *req = r->req;
	struct ouch42_enter enter = {
		.token = ouch50_clordid_from_oid(req->oid),
		.symbol = r->symbol,
		.px = req->px,
		.qty = (uint32_t)req->qty,
		.firm = "    ",
		.side = side_letter(req),
		.display = display_letter(req),
		.capacity = config->capacity ? config->capacity : OUCH50_CAPACITY_PRINCIPAL,
		.iso = req->flags & GN_ORD_ISO ? 'Y' : 'N',
		.cross = OUCH50_CROSS_CONTINUOUS,
		.customer_type = 'N',
	};

	if (!enter.side || !enter.display || !tif_s(req->tif, &enter.tif_s) || !r->symbol.word)
		return 0;
	if (!qty_fits(req->qty) || !px_fits(req->px))
		return 0;
	memcpy(enter.firm, config->firm, strnlen(config->firm, sizeof(enter.firm)));
	return ouch42_encode_enter(&enter, out);
}

static uint32_t encode_replace(const struct dialect_request *r, uint8_t *out)
{
	const struct gn_order_req *req = r->req;
	struct ouch42_replace replace = {
		.token_orig = ouch50_clordid_from_oid(req->oid_prev),
		.token = ouch50_clordid_from_oid(req->oid),
		.px = req->px,
		.qty = (uint32_t)req->qty,
		.display = display_letter(req),
		.iso = req->flags & GN_ORD_ISO ? 'Y' : 'N',
	};

	if (!replace.display || !tif_s(req->tif, &replace.tif_s) || !qty_fits(req->qty) || !px_fits(req->px))
		return 0;
	return ouch42_encode_replace(&replace, out);
}

static uint32_t encode_cancel(const struct dialect_request *r, uint8_t *out)
{
	struct ouch42_cancel cancel = {.token = ouch50_clordid_from_oid(r->req->oid), .qty = (uint32_t)r->req->qty};

	return r->req->qty == 0 || qty_fits(r->req->qty) ? ouch42_encode_cancel(&cancel, out) : 0;
}

static uint32_t encode(const struct dialect_config *config, const struct dialect_request *r, uint8_t *out)
{
	switch (r->req->kind) {
	case GN_REQ_NEW: return encode_new(config, r, out);
	case GN_REQ_REPLACE: return encode_replace(r, out);
	case GN_REQ_CANCEL: return encode_cancel(r, out);
	default: return 0;
	}
}

static gn_side side_from(char letter)
{
	switch (letter) {
	case OUCH50_BUY: return GN_BUY;
	case OUCH50_SELL:
	case OUCH50_SELL_SHORT:
	case OUCH50_SELL_SHORT_EXEMPT: return GN_SELL;
	default: return 0;
	}
}

static void take_kind(struct venue_report *r, uint8_t kind, struct ouch50_clordid token)
{
	r->exec_kind = kind;
	r->oid = ouch50_oid_from_clordid(token);
}

static void take_accepted(const struct ouch42_out *m, struct venue_report *r)
{
	bool replaced = m->type == OUCH42_REPLACED;

	take_kind(r, replaced ? GN_EXEC_REPLACED : GN_EXEC_ACCEPTED, m->accepted.token);
	if (replaced)
		r->oid_orig = ouch50_oid_from_clordid(m->accepted.token_orig);
	r->side = side_from(m->accepted.side);
	r->symbol = m->accepted.symbol;
	r->qty = m->accepted.qty;
	r->px = m->accepted.px;
	r->dead = m->accepted.state == OUCH50_STATE_DEAD;
}

static void take_canceled(const struct ouch42_out *m, struct venue_report *r)
{
	take_kind(r, GN_EXEC_CANCELED, m->canceled.token);
	r->qty = m->canceled.qty;
	r->reason = (uint8_t)m->canceled.reason;
	if (m->type != OUCH42_AIQ_CANCELED)
		return;
	r->flags = GN_EXEC_F_PREVENTED;
	r->px = m->canceled.px;
	r->liquidity = (uint8_t)m->canceled.liquidity;
}

static void take_executed(const struct ouch42_out *m, struct venue_report *r)
{
	take_kind(r, GN_EXEC_FILLED, m->executed.token);
	r->qty = m->executed.qty;
	r->px = m->executed.px;
	r->match = m->executed.match;
	r->liquidity = (uint8_t)m->executed.liquidity;
}

/* The price of a past fill was changed: not that of the order, so px stays 0; the match says which fill. */
static void take_corrected(const struct ouch42_out *m, struct venue_report *r)
{
	take_kind(r, GN_EXEC_RESTATED, m->executed.token);
	r->match = m->executed.match;
	r->reason = OUCH42_CORRECTED;
}

static void take_restated(const struct ouch42_out *m, struct venue_report *r)
{
	r->reason = m->type;
	if (m->type == OUCH42_PRIORITY) {
		take_kind(r, GN_EXEC_RESTATED, m->priority.token);
		r->px = m->priority.px;
		return;
	}
	take_kind(r, GN_EXEC_RESTATED, m->modified.token);
	r->qty = m->modified.qty;
	r->side = side_from(m->modified.side);
}

static void take_broken(const struct ouch42_out *m, struct venue_report *r)
{
	take_kind(r, GN_EXEC_BROKEN, m->broken.token);
	r->match = m->broken.match;
	r->reason = (uint8_t)m->broken.reason;
}

static void take(const struct ouch42_out *m, struct venue_report *r)
{
	switch (m->type) {
	case OUCH42_ACCEPTED:
	case OUCH42_REPLACED: take_accepted(m, r); break;
	case OUCH42_CANCELED:
	case OUCH42_AIQ_CANCELED: take_canceled(m, r); break;
	case OUCH42_EXECUTED:
	case OUCH42_EXECUTED_REFERENCE: take_executed(m, r); break;
	case OUCH42_CORRECTED: take_corrected(m, r); break;
	case OUCH42_BROKEN: take_broken(m, r); break;
	case OUCH42_REJECTED:
		take_kind(r, GN_EXEC_REJECTED, m->rejected.token);
		r->code = (uint8_t)m->rejected.reason;
		break;
	case OUCH42_CANCEL_PENDING: take_kind(r, GN_EXEC_CANCEL_PENDING, m->token); break;
	case OUCH42_CANCEL_REJECTED: take_kind(r, GN_EXEC_CANCEL_REJECTED, m->token); break;
	case OUCH42_PRIORITY:
	case OUCH42_MODIFIED: take_restated(m, r); break;
	default: r->kind = REPORT_NONE;
	}
}

static bool decode(const uint8_t *msg, uint32_t bytes, struct venue_report *r)
{
	struct ouch42_out m;

	if (ouch42_decode_out(msg, bytes, &m) != OUCH42_OK)
		return false;
	*r = (struct venue_report){.kind = REPORT_EXEC, .venue_ns = m.ns};
	take(&m, r);
	return true;
}

const struct gateway_dialect gateway_ouch42 = {.name = "ouch42", .encode = encode, .decode = decode};
