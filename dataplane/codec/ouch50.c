/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50.h"

#include "dataplane/runtime/compiler.h"

#define AIQ_SHORT_BYTES 31u /* some senders leave the strategy out */

static const uint8_t in_bytes[256] = {
	[OUCH50_ENTER] = OUCH50_ENTER_BYTES, [OUCH50_REPLACE] = OUCH50_REPLACE_BYTES, [OUCH50_CANCEL] = OUCH50_CANCEL_BYTES,
	[OUCH50_MODIFY] = OUCH50_MODIFY_BYTES, [OUCH50_QUERY] = OUCH50_QUERY_BYTES,
};

static const uint8_t out_bytes[256] = {
	[OUCH50_SYSTEM] = 10, [OUCH50_ACCEPTED] = 64, [OUCH50_REPLACED] = 68, [OUCH50_CANCELED] = 18,
	[OUCH50_AIQ_CANCELED] = 32, [OUCH50_EXECUTED] = 36, [OUCH50_BROKEN] = 36, [OUCH50_REJECTED] = 29,
	[OUCH50_CANCEL_PENDING] = 13, [OUCH50_CANCEL_REJECTED] = 13, [OUCH50_PRIORITY] = 30, [OUCH50_MODIFIED] = 18,
	[OUCH50_RESTATED] = 16, [OUCH50_QUERY_REPLY] = 13,
};

uint32_t ouch50_in_bytes(uint8_t type)
{
	return in_bytes[type];
}

uint32_t ouch50_out_bytes(uint8_t type)
{
	return out_bytes[type];
}

static enum ouch50_result load_px(const uint8_t *p, gn_px *px)
{
	uint64_t e4 = wire_u64(p);

	if (e4 > (uint64_t)(INT64_MAX / GN_PX_E9_PER_E4))
		return OUCH50_BAD_PRICE;
	px->e9 = (int64_t)e4 * GN_PX_E9_PER_E4;
	return OUCH50_OK;
}

/* an appendage goes to the end of its message; its length field stands just before it */
static enum ouch50_result load_appendage(const uint8_t *msg, uint32_t bytes, uint32_t fixed, struct ouch50_appendage *a)
{
	a->bytes = wire_u16(msg + fixed - 2);
	a->data = msg + fixed;
	return a->bytes == bytes - fixed && a->bytes <= OUCH50_APPENDAGE_BYTES_MAX ? OUCH50_OK : OUCH50_WRONG_LENGTH;
}

static uint32_t store_appendage(uint8_t *msg, uint32_t fixed, const struct ouch50_appendage *a)
{
	if (a->bytes > OUCH50_APPENDAGE_BYTES_MAX)
		return 0;
	wire_put_u16(msg + fixed - 2, (uint16_t)a->bytes);
	if (a->bytes != 0)
		memcpy(msg + fixed, a->data, a->bytes);
	return fixed + a->bytes;
}

static enum ouch50_result decode_enter(const uint8_t *msg, uint32_t bytes, struct ouch50_enter *m)
{
	m->user_ref = wire_u32(msg + 1);
	m->side = (char)msg[5];
	m->qty = wire_u32(msg + 6);
	m->symbol = symbol_load(msg + 10);
	m->tif = (char)msg[26];
	m->display = (char)msg[27];
	m->capacity = (char)msg[28];
	m->iso = (char)msg[29];
	m->cross = (char)msg[30];
	memcpy(m->clordid.c, msg + 31, OUCH50_CLORDID_BYTES);

	enum ouch50_result rc = load_appendage(msg, bytes, OUCH50_ENTER_BYTES, &m->appendage);

	return rc != OUCH50_OK ? rc : load_px(msg + 18, &m->px);
}

static enum ouch50_result decode_replace(const uint8_t *msg, uint32_t bytes, struct ouch50_replace *m)
{
	m->user_ref_orig = wire_u32(msg + 1);
	m->user_ref = wire_u32(msg + 5);
	m->qty = wire_u32(msg + 9);
	m->tif = (char)msg[21];
	m->display = (char)msg[22];
	m->iso = (char)msg[23];
	memcpy(m->clordid.c, msg + 24, OUCH50_CLORDID_BYTES);

	enum ouch50_result rc = load_appendage(msg, bytes, OUCH50_REPLACE_BYTES, &m->appendage);

	return rc != OUCH50_OK ? rc : load_px(msg + 13, &m->px);
}

static bool has_appendage_in(uint8_t type)
{
	return type == OUCH50_ENTER || type == OUCH50_REPLACE;
}

enum ouch50_result ouch50_decode_in(const uint8_t *msg, uint32_t bytes, struct ouch50_in *in)
{
	if (bytes == 0)
		return OUCH50_WRONG_LENGTH;

	uint32_t fixed = in_bytes[msg[0]];

	if (fixed == 0)
		return OUCH50_UNKNOWN;
	if (bytes < fixed || (bytes > fixed && !has_appendage_in(msg[0])))
		return OUCH50_WRONG_LENGTH;
	memset(in, 0, sizeof(*in));
	in->type = msg[0];
	switch (msg[0]) {
	case OUCH50_ENTER: return decode_enter(msg, bytes, &in->enter);
	case OUCH50_REPLACE: return decode_replace(msg, bytes, &in->replace);
	case OUCH50_CANCEL:
		in->cancel = (struct ouch50_cancel){.user_ref = wire_u32(msg + 1), .qty = wire_u32(msg + 5)};
		return OUCH50_OK;
	case OUCH50_MODIFY:
		in->modify.user_ref = wire_u32(msg + 1);
		in->modify.side = (char)msg[5];
		in->modify.qty = wire_u32(msg + 6);
		return OUCH50_OK;
	default: return OUCH50_OK; /* a query has only its type */
	}
}

uint32_t ouch50_encode_in(const struct ouch50_in *in, uint8_t *msg)
{
	switch (in->type) {
	case OUCH50_ENTER:
		return in->enter.appendage.bytes > OUCH50_APPENDAGE_BYTES_MAX ? 0 : ouch50_encode_enter(&in->enter, msg);
	case OUCH50_REPLACE:
		return in->replace.appendage.bytes > OUCH50_APPENDAGE_BYTES_MAX ? 0 : ouch50_encode_replace(&in->replace, msg);
	case OUCH50_CANCEL: return ouch50_encode_cancel(&in->cancel, msg);
	case OUCH50_MODIFY: return ouch50_encode_modify(&in->modify, msg);
	case OUCH50_QUERY: return ouch50_encode_query(msg);
	default: return 0;
	}
}

static enum ouch50_result decode_accepted(const uint8_t *msg, uint32_t bytes, struct ouch50_accepted *m)
{
	m->user_ref = wire_u32(msg + 9);
	if (msg[0] == OUCH50_REPLACED) { /* both numbers come first, all else is four bytes further on */
		m->user_ref_orig = m->user_ref;
		m->user_ref = wire_u32(msg + 13);
		msg += 4;
		bytes -= 4;
	}
	m->side = (char)msg[13];
	m->qty = wire_u32(msg + 14);
	m->symbol = symbol_load(msg + 18);
	m->tif = (char)msg[34];
	m->display = (char)msg[35];
	m->order_ref = wire_u64(msg + 36);
	m->capacity = (char)msg[44];
	m->iso = (char)msg[45];
	m->cross = (char)msg[46];
	m->state = (char)msg[47];
	memcpy(m->clordid.c, msg + 48, OUCH50_CLORDID_BYTES);

	enum ouch50_result rc = load_appendage(msg, bytes, 64, &m->appendage);

	return rc != OUCH50_OK ? rc : load_px(msg + 26, &m->px);
}

static uint32_t encode_accepted(const struct ouch50_accepted *m, uint8_t *msg)
{
	uint32_t extra = 0;

	wire_put_u32(msg + 9, m->user_ref);
	if (msg[0] == OUCH50_REPLACED) {
		wire_put_u32(msg + 9, m->user_ref_orig);
		wire_put_u32(msg + 13, m->user_ref);
		extra = 4;
		msg += extra;
	}
	msg[13] = (uint8_t)m->side;
	wire_put_u32(msg + 14, m->qty);
	symbol_store(msg + 18, m->symbol);
	wire_put_u64(msg + 26, ouch50_px_e4(m->px));
	msg[34] = (uint8_t)m->tif;
	msg[35] = (uint8_t)m->display;
	wire_put_u64(msg + 36, m->order_ref);
	msg[44] = (uint8_t)m->capacity;
	msg[45] = (uint8_t)m->iso;
	msg[46] = (uint8_t)m->cross;
	msg[47] = (uint8_t)m->state;
	ouch50_put_clordid(msg + 48, &m->clordid);

	uint32_t n = store_appendage(msg, 64, &m->appendage);

	return n == 0 ? 0 : n + extra;
}

static enum ouch50_result decode_canceled(const uint8_t *msg, uint32_t bytes, struct ouch50_canceled *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->qty = wire_u32(msg + 13);
	m->reason = (char)msg[17];
	if (msg[0] == OUCH50_CANCELED)
		return OUCH50_OK;
	m->qty_prevented = wire_u32(msg + 18);
	m->liquidity = (char)msg[30];
	m->strategy = bytes > AIQ_SHORT_BYTES ? (char)msg[31] : '\0';
	return load_px(msg + 22, &m->px);
}

static uint32_t encode_canceled(const struct ouch50_canceled *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	wire_put_u32(msg + 13, m->qty);
	msg[17] = (uint8_t)m->reason;
	if (msg[0] == OUCH50_CANCELED)
		return out_bytes[OUCH50_CANCELED];
	wire_put_u32(msg + 18, m->qty_prevented);
	wire_put_u64(msg + 22, ouch50_px_e4(m->px));
	msg[30] = (uint8_t)m->liquidity;
	if (m->strategy == '\0')
		return AIQ_SHORT_BYTES;
	msg[31] = (uint8_t)m->strategy;
	return out_bytes[OUCH50_AIQ_CANCELED];
}

static enum ouch50_result decode_executed(const uint8_t *msg, uint32_t bytes, struct ouch50_executed *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->qty = wire_u32(msg + 13);
	m->liquidity = (char)msg[25];
	m->match = wire_u64(msg + 26);

	enum ouch50_result rc = load_appendage(msg, bytes, 36, &m->appendage);

	return rc != OUCH50_OK ? rc : load_px(msg + 17, &m->px);
}

static uint32_t encode_executed(const struct ouch50_executed *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	wire_put_u32(msg + 13, m->qty);
	wire_put_u64(msg + 17, ouch50_px_e4(m->px));
	msg[25] = (uint8_t)m->liquidity;
	wire_put_u64(msg + 26, m->match);
	return store_appendage(msg, 36, &m->appendage);
}

static enum ouch50_result decode_broken(const uint8_t *msg, struct ouch50_broken *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->match = wire_u64(msg + 13);
	m->reason = (char)msg[21];
	memcpy(m->clordid.c, msg + 22, OUCH50_CLORDID_BYTES);
	return OUCH50_OK;
}

static uint32_t encode_broken(const struct ouch50_broken *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	wire_put_u64(msg + 13, m->match);
	msg[21] = (uint8_t)m->reason;
	ouch50_put_clordid(msg + 22, &m->clordid);
	return out_bytes[OUCH50_BROKEN];
}

static enum ouch50_result decode_rejected(const uint8_t *msg, struct ouch50_rejected *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->reason = wire_u16(msg + 13);
	memcpy(m->clordid.c, msg + 15, OUCH50_CLORDID_BYTES);
	return OUCH50_OK;
}

static uint32_t encode_rejected(const struct ouch50_rejected *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	wire_put_u16(msg + 13, m->reason);
	ouch50_put_clordid(msg + 15, &m->clordid);
	return out_bytes[OUCH50_REJECTED];
}

static enum ouch50_result decode_priority(const uint8_t *msg, struct ouch50_priority *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->display = (char)msg[21];
	m->order_ref = wire_u64(msg + 22);
	return load_px(msg + 13, &m->px);
}

static uint32_t encode_priority(const struct ouch50_priority *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	wire_put_u64(msg + 13, ouch50_px_e4(m->px));
	msg[21] = (uint8_t)m->display;
	wire_put_u64(msg + 22, m->order_ref);
	return out_bytes[OUCH50_PRIORITY];
}

static enum ouch50_result decode_modified(const uint8_t *msg, struct ouch50_modified *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->side = (char)msg[13];
	m->qty = wire_u32(msg + 14);
	return OUCH50_OK;
}

static uint32_t encode_modified(const struct ouch50_modified *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	msg[13] = (uint8_t)m->side;
	wire_put_u32(msg + 14, m->qty);
	return out_bytes[OUCH50_MODIFIED];
}

static enum ouch50_result decode_restated(const uint8_t *msg, uint32_t bytes, struct ouch50_restated *m)
{
	m->user_ref = wire_u32(msg + 9);
	m->reason = (char)msg[13];
	return load_appendage(msg, bytes, 16, &m->appendage);
}

static uint32_t encode_restated(const struct ouch50_restated *m, uint8_t *msg)
{
	wire_put_u32(msg + 9, m->user_ref);
	msg[13] = (uint8_t)m->reason;
	return store_appendage(msg, 16, &m->appendage);
}

static enum ouch50_result check_out_bytes(const uint8_t *msg, uint32_t bytes)
{
	uint32_t fixed = out_bytes[msg[0]];

	if (fixed == 0)
		return OUCH50_UNKNOWN;
	switch (msg[0]) {
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED:
	case OUCH50_EXECUTED:
	case OUCH50_RESTATED: return bytes >= fixed ? OUCH50_OK : OUCH50_WRONG_LENGTH;
	case OUCH50_AIQ_CANCELED:
		return bytes == fixed || bytes == AIQ_SHORT_BYTES ? OUCH50_OK : OUCH50_WRONG_LENGTH;
	default: return bytes == fixed ? OUCH50_OK : OUCH50_WRONG_LENGTH;
	}
}

enum ouch50_result ouch50_decode_out(const uint8_t *msg, uint32_t bytes, struct ouch50_out *out)
{
	if (bytes == 0)
		return OUCH50_WRONG_LENGTH;

	enum ouch50_result rc = check_out_bytes(msg, bytes);

	if (gn_unlikely(rc != OUCH50_OK))
		return rc;
	memset(out, 0, sizeof(*out));
	out->type = msg[0];
	out->ns = wire_u64(msg + 1);
	switch (msg[0]) {
	case OUCH50_SYSTEM: out->event = (char)msg[9]; return OUCH50_OK;
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED: return decode_accepted(msg, bytes, &out->accepted);
	case OUCH50_CANCELED:
	case OUCH50_AIQ_CANCELED: return decode_canceled(msg, bytes, &out->canceled);
	case OUCH50_EXECUTED: return decode_executed(msg, bytes, &out->executed);
	case OUCH50_BROKEN: return decode_broken(msg, &out->broken);
	case OUCH50_REJECTED: return decode_rejected(msg, &out->rejected);
	case OUCH50_PRIORITY: return decode_priority(msg, &out->priority);
	case OUCH50_MODIFIED: return decode_modified(msg, &out->modified);
	case OUCH50_RESTATED: return decode_restated(msg, bytes, &out->restated);
	default: out->user_ref = wire_u32(msg + 9); return OUCH50_OK;
	}
}

uint32_t ouch50_encode_out(const struct ouch50_out *out, uint8_t *msg)
{
	if (out_bytes[out->type] == 0)
		return 0;
	msg[0] = out->type;
	wire_put_u64(msg + 1, out->ns);
	switch (out->type) {
	case OUCH50_SYSTEM: msg[9] = (uint8_t)out->event; break;
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED: return encode_accepted(&out->accepted, msg);
	case OUCH50_CANCELED:
	case OUCH50_AIQ_CANCELED: return encode_canceled(&out->canceled, msg);
	case OUCH50_EXECUTED: return encode_executed(&out->executed, msg);
	case OUCH50_BROKEN: return encode_broken(&out->broken, msg);
	case OUCH50_REJECTED: return encode_rejected(&out->rejected, msg);
	case OUCH50_PRIORITY: return encode_priority(&out->priority, msg);
	case OUCH50_MODIFIED: return encode_modified(&out->modified, msg);
	case OUCH50_RESTATED: return encode_restated(&out->restated, msg);
	default: wire_put_u32(msg + 9, out->user_ref); break;
	}
	return out_bytes[out->type];
}
