/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch42.h"

static const uint8_t in_bytes[256] = {
	[OUCH42_ENTER] = OUCH42_ENTER_BYTES, [OUCH42_REPLACE] = OUCH42_REPLACE_BYTES, [OUCH42_CANCEL] = OUCH42_CANCEL_BYTES,
	[OUCH42_MODIFY] = OUCH42_MODIFY_BYTES, [OUCH42_TRADE_NOW] = OUCH42_TRADE_NOW_BYTES,
};

static const uint8_t out_bytes[256] = {
	[OUCH42_SYSTEM] = 10, [OUCH42_ACCEPTED] = 66, [OUCH42_REPLACED] = 80, [OUCH42_CANCELED] = 28,
	[OUCH42_AIQ_CANCELED] = 37, [OUCH42_EXECUTED] = 40, [OUCH42_EXECUTED_REFERENCE] = 45, [OUCH42_CORRECTED] = 41,
	[OUCH42_BROKEN] = 32, [OUCH42_REJECTED] = 24, [OUCH42_CANCEL_PENDING] = 23, [OUCH42_CANCEL_REJECTED] = 23,
	[OUCH42_TRADE_NOW_REPLY] = 23, [OUCH42_PRIORITY] = 36, [OUCH42_MODIFIED] = 28,
};

uint32_t ouch42_in_bytes(uint8_t type)
{
	return in_bytes[type];
}

uint32_t ouch42_out_bytes(uint8_t type)
{
	return out_bytes[type];
}

static gn_px load_px(const uint8_t *p)
{
	return (gn_px){.e9 = wire_u32(p) * GN_PX_E9_PER_E4};
}

static void store_px(uint8_t *p, gn_px px)
{
	wire_put_u32(p, (uint32_t)ouch50_px_e4(px));
}

static struct ouch50_clordid load_token(const uint8_t *p)
{
	struct ouch50_clordid token = {.reserved = {0}};

	memcpy(token.c, p, sizeof(token.c));
	return token;
}

static void decode_enter(const uint8_t *msg, struct ouch42_enter *m)
{
	m->token = load_token(msg + 1);
	m->side = (char)msg[15];
	m->qty = wire_u32(msg + 16);
	m->symbol = symbol_load(msg + 20);
	m->px = load_px(msg + 28);
	m->tif_s = wire_u32(msg + 32);
	memcpy(m->firm, msg + 36, sizeof(m->firm));
	m->display = (char)msg[40];
	m->capacity = (char)msg[41];
	m->iso = (char)msg[42];
	m->min_qty = wire_u32(msg + 43);
	m->cross = (char)msg[47];
	m->customer_type = (char)msg[48];
}

uint32_t ouch42_encode_enter(const struct ouch42_enter *m, uint8_t *msg)
{
	msg[0] = OUCH42_ENTER;
	ouch50_put_clordid(msg + 1, &m->token);
	msg[15] = (uint8_t)m->side;
	wire_put_u32(msg + 16, m->qty);
	symbol_store(msg + 20, m->symbol);
	store_px(msg + 28, m->px);
	wire_put_u32(msg + 32, m->tif_s);
	memcpy(msg + 36, m->firm, sizeof(m->firm));
	msg[40] = (uint8_t)m->display;
	msg[41] = (uint8_t)m->capacity;
	msg[42] = (uint8_t)m->iso;
	wire_put_u32(msg + 43, m->min_qty);
	msg[47] = (uint8_t)m->cross;
	msg[48] = (uint8_t)m->customer_type;
	return OUCH42_ENTER_BYTES;
}

static void decode_replace(const uint8_t *msg, struct ouch42_replace *m)
{
	m->token_orig = load_token(msg + 1);
	m->token = load_token(msg + 15);
	m->qty = wire_u32(msg + 29);
	m->px = load_px(msg + 33);
	m->tif_s = wire_u32(msg + 37);
	m->display = (char)msg[41];
	m->iso = (char)msg[42];
	m->min_qty = wire_u32(msg + 43);
}

uint32_t ouch42_encode_replace(const struct ouch42_replace *m, uint8_t *msg)
{
	msg[0] = OUCH42_REPLACE;
	ouch50_put_clordid(msg + 1, &m->token_orig);
	ouch50_put_clordid(msg + 15, &m->token);
	wire_put_u32(msg + 29, m->qty);
	store_px(msg + 33, m->px);
	wire_put_u32(msg + 37, m->tif_s);
	msg[41] = (uint8_t)m->display;
	msg[42] = (uint8_t)m->iso;
	wire_put_u32(msg + 43, m->min_qty);
	return OUCH42_REPLACE_BYTES;
}

uint32_t ouch42_encode_cancel(const struct ouch42_cancel *m, uint8_t *msg)
{
	msg[0] = OUCH42_CANCEL;
	ouch50_put_clordid(msg + 1, &m->token);
	wire_put_u32(msg + 15, m->qty);
	return OUCH42_CANCEL_BYTES;
}

uint32_t ouch42_encode_modify(const struct ouch42_modify *m, uint8_t *msg)
{
	msg[0] = OUCH42_MODIFY;
	ouch50_put_clordid(msg + 1, &m->token);
	msg[15] = (uint8_t)m->side;
	wire_put_u32(msg + 16, m->qty);
	return OUCH42_MODIFY_BYTES;
}

static enum ouch42_result check(const uint8_t *msg, uint32_t bytes, const uint8_t length[256])
{
	if (bytes == 0)
		return OUCH42_WRONG_LENGTH;
	if (length[msg[0]] == 0)
		return OUCH42_UNKNOWN;
	return length[msg[0]] == bytes ? OUCH42_OK : OUCH42_WRONG_LENGTH;
}

enum ouch42_result ouch42_decode_in(const uint8_t *msg, uint32_t bytes, struct ouch42_in *in)
{
	enum ouch42_result rc = check(msg, bytes, in_bytes);

	if (rc != OUCH42_OK)
		return rc;
	memset(in, 0, sizeof(*in));
	in->type = msg[0];
	switch (msg[0]) {
	case OUCH42_ENTER: decode_enter(msg, &in->enter); break;
	case OUCH42_REPLACE: decode_replace(msg, &in->replace); break;
	case OUCH42_CANCEL:
		in->cancel.token = load_token(msg + 1);
		in->cancel.qty = wire_u32(msg + 15);
		break;
	case OUCH42_MODIFY:
		in->modify.token = load_token(msg + 1);
		in->modify.side = (char)msg[15];
		in->modify.qty = wire_u32(msg + 16);
		break;
	default: in->token = load_token(msg + 1); break;
	}
	return OUCH42_OK;
}

uint32_t ouch42_encode_in(const struct ouch42_in *in, uint8_t *msg)
{
	switch (in->type) {
	case OUCH42_ENTER: return ouch42_encode_enter(&in->enter, msg);
	case OUCH42_REPLACE: return ouch42_encode_replace(&in->replace, msg);
	case OUCH42_CANCEL: return ouch42_encode_cancel(&in->cancel, msg);
	case OUCH42_MODIFY: return ouch42_encode_modify(&in->modify, msg);
	case OUCH42_TRADE_NOW:
		msg[0] = OUCH42_TRADE_NOW;
		ouch50_put_clordid(msg + 1, &in->token);
		return OUCH42_TRADE_NOW_BYTES;
	default: return 0;
	}
}

/* every message from the venue but SYSTEM has its token first; the functions below do the rest */
static void decode_accepted(const uint8_t *msg, struct ouch42_accepted *m)
{
	m->side = (char)msg[23];
	m->qty = wire_u32(msg + 24);
	m->symbol = symbol_load(msg + 28);
	m->px = load_px(msg + 36);
	m->tif_s = wire_u32(msg + 40);
	memcpy(m->firm, msg + 44, sizeof(m->firm));
	m->display = (char)msg[48];
	m->order_ref = wire_u64(msg + 49);
	m->capacity = (char)msg[57];
	m->iso = (char)msg[58];
	m->min_qty = wire_u32(msg + 59);
	m->cross = (char)msg[63];
	m->state = (char)msg[64];
	if (msg[0] == OUCH42_REPLACED)
		m->token_orig = load_token(msg + 65);
	m->bbo_weight = (char)msg[out_bytes[msg[0]] - 1];
}

static void encode_accepted(const struct ouch42_accepted *m, uint8_t *msg)
{
	msg[23] = (uint8_t)m->side;
	wire_put_u32(msg + 24, m->qty);
	symbol_store(msg + 28, m->symbol);
	store_px(msg + 36, m->px);
	wire_put_u32(msg + 40, m->tif_s);
	memcpy(msg + 44, m->firm, sizeof(m->firm));
	msg[48] = (uint8_t)m->display;
	wire_put_u64(msg + 49, m->order_ref);
	msg[57] = (uint8_t)m->capacity;
	msg[58] = (uint8_t)m->iso;
	wire_put_u32(msg + 59, m->min_qty);
	msg[63] = (uint8_t)m->cross;
	msg[64] = (uint8_t)m->state;
	if (msg[0] == OUCH42_REPLACED)
		ouch50_put_clordid(msg + 65, &m->token_orig);
	msg[out_bytes[msg[0]] - 1] = (uint8_t)m->bbo_weight;
}

static void decode_canceled(const uint8_t *msg, struct ouch42_canceled *m)
{
	m->qty = wire_u32(msg + 23);
	m->reason = (char)msg[27];
	if (msg[0] != OUCH42_AIQ_CANCELED)
		return;
	m->qty_prevented = wire_u32(msg + 28);
	m->px = load_px(msg + 32);
	m->liquidity = (char)msg[36];
}

static void encode_canceled(const struct ouch42_canceled *m, uint8_t *msg)
{
	wire_put_u32(msg + 23, m->qty);
	msg[27] = (uint8_t)m->reason;
	if (msg[0] != OUCH42_AIQ_CANCELED)
		return;
	wire_put_u32(msg + 28, m->qty_prevented);
	store_px(msg + 32, m->px);
	msg[36] = (uint8_t)m->liquidity;
}

static void decode_executed(const uint8_t *msg, struct ouch42_executed *m)
{
	m->qty = wire_u32(msg + 23);
	m->px = load_px(msg + 27);
	m->liquidity = (char)msg[31];
	m->match = wire_u64(msg + 32);
	if (msg[0] == OUCH42_CORRECTED)
		m->reason = (char)msg[40];
	if (msg[0] != OUCH42_EXECUTED_REFERENCE)
		return;
	m->reference_px = load_px(msg + 40);
	m->reference_type = (char)msg[44];
}

static void encode_executed(const struct ouch42_executed *m, uint8_t *msg)
{
	wire_put_u32(msg + 23, m->qty);
	store_px(msg + 27, m->px);
	msg[31] = (uint8_t)m->liquidity;
	wire_put_u64(msg + 32, m->match);
	if (msg[0] == OUCH42_CORRECTED)
		msg[40] = (uint8_t)m->reason;
	if (msg[0] != OUCH42_EXECUTED_REFERENCE)
		return;
	store_px(msg + 40, m->reference_px);
	msg[44] = (uint8_t)m->reference_type;
}

static void decode_priority(const uint8_t *msg, struct ouch42_priority *m)
{
	m->px = load_px(msg + 23);
	m->display = (char)msg[27];
	m->order_ref = wire_u64(msg + 28);
}

static void encode_priority(const struct ouch42_priority *m, uint8_t *msg)
{
	store_px(msg + 23, m->px);
	msg[27] = (uint8_t)m->display;
	wire_put_u64(msg + 28, m->order_ref);
}

enum ouch42_result ouch42_decode_out(const uint8_t *msg, uint32_t bytes, struct ouch42_out *out)
{
	enum ouch42_result rc = check(msg, bytes, out_bytes);

	if (rc != OUCH42_OK)
		return rc;
	memset(out, 0, sizeof(*out));
	out->type = msg[0];
	out->ns = wire_u64(msg + 1);
	if (msg[0] == OUCH42_SYSTEM) {
		out->event = (char)msg[9];
		return OUCH42_OK;
	}
	out->token = load_token(msg + 9); /* the first member of them all */
	switch (msg[0]) {
	case OUCH42_ACCEPTED:
	case OUCH42_REPLACED: decode_accepted(msg, &out->accepted); break;
	case OUCH42_CANCELED:
	case OUCH42_AIQ_CANCELED: decode_canceled(msg, &out->canceled); break;
	case OUCH42_EXECUTED:
	case OUCH42_EXECUTED_REFERENCE:
	case OUCH42_CORRECTED: decode_executed(msg, &out->executed); break;
	case OUCH42_BROKEN:
		out->broken.match = wire_u64(msg + 23);
		out->broken.reason = (char)msg[31];
		break;
	case OUCH42_REJECTED: out->rejected.reason = (char)msg[23]; break;
	case OUCH42_PRIORITY: decode_priority(msg, &out->priority); break;
	case OUCH42_MODIFIED:
		out->modified.side = (char)msg[23];
		out->modified.qty = wire_u32(msg + 24);
		break;
	default: break; /* only a token */
	}
	return OUCH42_OK;
}

uint32_t ouch42_encode_out(const struct ouch42_out *out, uint8_t *msg)
{
	if (out_bytes[out->type] == 0)
		return 0;
	msg[0] = out->type;
	wire_put_u64(msg + 1, out->ns);
	if (out->type == OUCH42_SYSTEM) {
		msg[9] = (uint8_t)out->event;
		return out_bytes[OUCH42_SYSTEM];
	}
	ouch50_put_clordid(msg + 9, &out->token);
	switch (out->type) {
	case OUCH42_ACCEPTED:
	case OUCH42_REPLACED: encode_accepted(&out->accepted, msg); break;
	case OUCH42_CANCELED:
	case OUCH42_AIQ_CANCELED: encode_canceled(&out->canceled, msg); break;
	case OUCH42_EXECUTED:
	case OUCH42_EXECUTED_REFERENCE:
	case OUCH42_CORRECTED: encode_executed(&out->executed, msg); break;
	case OUCH42_BROKEN:
		wire_put_u64(msg + 23, out->broken.match);
		msg[31] = (uint8_t)out->broken.reason;
		break;
	case OUCH42_REJECTED: msg[23] = (uint8_t)out->rejected.reason; break;
	case OUCH42_PRIORITY: encode_priority(&out->priority, msg); break;
	case OUCH42_MODIFIED:
		msg[23] = (uint8_t)out->modified.side;
		wire_put_u32(msg + 24, out->modified.qty);
		break;
	default: break;
	}
	return out_bytes[out->type];
}

#define TOKEN_FIRST(member)                                                                                   \
	_Static_assert(offsetof(struct ouch42_out, member.token) == offsetof(struct ouch42_out, token), \
		"the token is written once for all messages")
TOKEN_FIRST(accepted);
TOKEN_FIRST(canceled);
TOKEN_FIRST(executed);
TOKEN_FIRST(broken);
TOKEN_FIRST(rejected);
TOKEN_FIRST(priority);
TOKEN_FIRST(modified);

const char *ouch42_cancel_reason(char reason)
{
	return reason == 'C' ? "cross cancelled" : ouch50_cancel_reason(reason);
}

const char *ouch42_reject_reason(char reason)
{
	static const char *const name[256] = {
		['T'] = "test mode", ['H'] = "halted", ['Z'] = "shares above the safety threshold", ['S'] = "invalid symbol",
		['D'] = "invalid display", ['C'] = "closed", ['L'] = "firm not authorised for this clearing type",
		['M'] = "outside the hours of this clearing type", ['R'] = "not allowed in this cross", ['X'] = "invalid price",
		['N'] = "invalid minimum quantity", ['O'] = "other", ['W'] = "invalid midpoint post-only price",
		['o'] = "by the venue's list: o", ['q'] = "by the venue's list: q", ['u'] = "by the venue's list: u",
		['a'] = "risk: all orders are rejected", ['b'] = "risk: not easy to borrow", ['c'] = "risk: restricted symbol",
		['d'] = "risk: ISO not allowed", ['e'] = "risk: odd lots not allowed", ['f'] = "risk: midpoint not allowed",
		['g'] = "risk: not before the market", ['h'] = "risk: not after the market", ['i'] = "risk: short sale not allowed",
		['j'] = "risk: on-open not allowed", ['k'] = "risk: on-close not allowed", ['l'] = "risk: two-sided quote rejected",
		['m'] = "risk: shares above the limit", ['n'] = "risk: value above the limit",
	};
	const char *text = name[(uint8_t)reason];

	return text != NULL ? text : "unknown";
}
