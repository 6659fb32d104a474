/* SPDX-License-Identifier: BSD-3-Clause */
#include "dialect.h"

#include "dataplane/codec/ouch50.h"
#include "dataplane/codec/ouch50_options.h"

static const char post_only[] = {2, OUCH50_TAG_POST_ONLY, 'P'};

#define APPENDAGE_BYTES_MAX 16u
_Static_assert(OUCH50_ENTER_BYTES + APPENDAGE_BYTES_MAX <= DIALECT_BYTES_MAX, "the longest request fits");

static bool qty_fits(gn_qty qty)
{
	return qty > 0 && qty <= (gn_qty)OUCH50_QTY_MAX;
}

static bool px_fits(gn_px px)
{
	return px.e9 > 0 && px.e9 % GN_PX_E9_PER_E4 == 0 && px.e9 / GN_PX_E9_PER_E4 <= (int64_t)OUCH50_PX_E4_MAX;
}

static char tif_letter(uint8_t tif)
{
	static const char letter[] = {[GN_TIF_DAY] = OUCH50_TIF_DAY, [GN_TIF_IOC] = OUCH50_TIF_IOC};

	return tif < sizeof(letter) ? letter[tif] : 0;
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

static char display_letter(const struct gn_order_req *req)
{
	return req->flags & GN_ORD_HIDDEN ? OUCH50_DISPLAY_HIDDEN : OUCH50_DISPLAY;
}

static uint32_t append(uint8_t *out, const struct dialect_config *config, const struct gn_order_req *req)
{
	uint32_t bytes = 0;

	if (config->firm[0]) {
		out[0] = 5;
		out[1] = OUCH50_TAG_FIRM;
		memcpy(out + 2, config->firm, 4);
		bytes = 6;
	}
	if (req->flags & GN_ORD_POST_ONLY) {
		memcpy(out + bytes, post_only, sizeof(post_only));
		bytes += (uint32_t)sizeof(post_only);
	}
	return bytes;
}

static uint32_t encode_new(const struct dialect_config *config, const struct dialect_request *r, uint8_t *out)
{
	const struct gn_order_req *req = r->req;
	uint8_t appendage[APPENDAGE_BYTES_MAX];
	struct ouch50_enter enter = {
		.user_ref = r->number,
		.qty = (uint32_t)req->qty,
		.px = req->px,
		.symbol = r->symbol,
		.side = side_letter(req),
		.tif = tif_letter(req->tif),
		.display = display_letter(req),
		.capacity = config->capacity ? config->capacity : OUCH50_CAPACITY_PRINCIPAL,
		.iso = req->flags & GN_ORD_ISO ? 'Y' : 'N',
		.cross = OUCH50_CROSS_CONTINUOUS,
		.clordid = ouch50_clordid_from_oid(req->oid),
	};

	if (!enter.side || !enter.tif || !qty_fits(req->qty) || !px_fits(req->px) || !r->symbol.word)
		return 0;
	enter.appendage = (struct ouch50_appendage){appendage, append(appendage, config, req)};
	return ouch50_encode_enter(&enter, out);
}

/* The firm is that of the original: an appendage repeats only what belongs to the order itself. */
static uint32_t encode_replace(const struct dialect_request *r, uint8_t *out)
{
	const struct gn_order_req *req = r->req;
	struct ouch50_replace replace = {
		.user_ref_orig = r->number_orig,
		.user_ref = r->number,
		.qty = (uint32_t)req->qty,
		.px = req->px,
		.tif = tif_letter(req->tif),
		.display = display_letter(req),
		.iso = req->flags & GN_ORD_ISO ? 'Y' : 'N',
		.clordid = ouch50_clordid_from_oid(req->oid),
	};

	if (!replace.tif || !qty_fits(req->qty) || !px_fits(req->px))
		return 0;
	if (req->flags & GN_ORD_POST_ONLY)
		replace.appendage = (struct ouch50_appendage){(const uint8_t *)post_only, sizeof(post_only)};
	return ouch50_encode_replace(&replace, out);
}

static uint32_t encode_cancel(const struct dialect_request *r, uint8_t *out)
{
	struct ouch50_cancel cancel = {.user_ref = r->number, .qty = (uint32_t)r->req->qty};

	return r->req->qty == 0 || qty_fits(r->req->qty) ? ouch50_encode_cancel(&cancel, out) : 0;
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

static void take_accepted(const struct ouch50_accepted *m, struct venue_report *r)
{
	r->number = m->user_ref;
	r->number_orig = m->user_ref_orig;
	r->oid = ouch50_oid_from_clordid(m->clordid);
	r->side = side_from(m->side);
	r->symbol = m->symbol;
	r->qty = m->qty;
	r->px = m->px;
	r->dead = m->state == OUCH50_STATE_DEAD;
}

static void take_canceled(const struct ouch50_canceled *m, struct venue_report *r)
{
	r->exec_kind = GN_EXEC_CANCELED;
	r->number = m->user_ref;
	r->qty = m->qty;
	r->reason = (uint8_t)m->reason;
}

static void take_prevented(const struct ouch50_canceled *m, struct venue_report *r)
{
	take_canceled(m, r);
	r->flags = GN_EXEC_F_PREVENTED;
	r->px = m->px;
	r->liquidity = (uint8_t)m->liquidity;
}

static void take_executed(const struct ouch50_executed *m, struct venue_report *r)
{
	r->exec_kind = GN_EXEC_FILLED;
	r->number = m->user_ref;
	r->qty = m->qty;
	r->px = m->px;
	r->match = m->match;
	r->liquidity = (uint8_t)m->liquidity;
}

static void take_broken(const struct ouch50_broken *m, struct venue_report *r)
{
	r->exec_kind = GN_EXEC_BROKEN;
	r->number = m->user_ref;
	r->oid = ouch50_oid_from_clordid(m->clordid);
	r->match = m->match;
	r->reason = (uint8_t)m->reason;
}

static void take_rejected(const struct ouch50_rejected *m, struct venue_report *r)
{
	r->exec_kind = GN_EXEC_REJECTED;
	r->number = m->user_ref;
	r->oid = ouch50_oid_from_clordid(m->clordid);
	r->code = m->reason;
}

static void take_restated(const struct ouch50_out *m, struct venue_report *r)
{
	r->exec_kind = GN_EXEC_RESTATED;
	if (m->type == OUCH50_PRIORITY) {
		r->number = m->priority.user_ref;
		r->px = m->priority.px;
		r->reason = 'T';
	} else if (m->type == OUCH50_MODIFIED) {
		r->number = m->modified.user_ref;
		r->qty = m->modified.qty;
		r->side = side_from(m->modified.side);
		r->reason = 'M';
	} else {
		r->number = m->restated.user_ref;
		r->reason = (uint8_t)m->restated.reason;
	}
}

static void take(const struct ouch50_out *m, struct venue_report *r)
{
	switch (m->type) {
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED:
		r->exec_kind = m->type == OUCH50_ACCEPTED ? GN_EXEC_ACCEPTED : GN_EXEC_REPLACED;
		take_accepted(&m->accepted, r);
		break;
	case OUCH50_CANCELED: take_canceled(&m->canceled, r); break;
	case OUCH50_AIQ_CANCELED: take_prevented(&m->canceled, r); break;
	case OUCH50_EXECUTED: take_executed(&m->executed, r); break;
	case OUCH50_BROKEN: take_broken(&m->broken, r); break;
	case OUCH50_REJECTED: take_rejected(&m->rejected, r); break;
	case OUCH50_CANCEL_PENDING:
	case OUCH50_CANCEL_REJECTED:
		r->exec_kind = m->type == OUCH50_CANCEL_PENDING ? GN_EXEC_CANCEL_PENDING : GN_EXEC_CANCEL_REJECTED;
		r->number = m->user_ref;
		break;
	case OUCH50_PRIORITY:
	case OUCH50_MODIFIED:
	case OUCH50_RESTATED: take_restated(m, r); break;
	default: r->kind = REPORT_NONE;
	}
}

static bool decode(const uint8_t *msg, uint32_t bytes, struct venue_report *r)
{
	struct ouch50_out m;

	if (ouch50_decode_out(msg, bytes, &m) != OUCH50_OK)
		return false;
	*r = (struct venue_report){.kind = REPORT_EXEC, .venue_ns = m.ns};
	if (m.type == OUCH50_QUERY_REPLY) {
		r->kind = REPORT_NEXT;
		r->number = m.user_ref;
	} else {
		take(&m, r);
	}
	return true;
}

static uint32_t query(uint8_t *out)
{
	return ouch50_encode_query(out);
}

const struct gateway_dialect gateway_ouch50 = {.name = "ouch50", .encode = encode, .decode = decode, .query = query};
