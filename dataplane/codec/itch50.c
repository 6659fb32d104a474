/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/itch50.h"

#include "dataplane/codec/symbol.h"

#define MASK32 UINT32_MAX
#define MASK64 UINT64_MAX
#define SIDE_MASK UINT32_C(0xff00)
#define FLAGS_MASK UINT32_C(0xff0000)

const uint32_t itch50_letter[256] = {
	['B'] = GN_BUY << 8, ['S'] = GN_SELL << 8, ['Y'] = GN_MD_F_PRINTABLE << 16,
};

#define ORDER(n, kind_) .bytes = (n), .order_bytes = (n), .head = (kind_)
#define SIDE_AT(at) .letter = (at), .letter_mask = SIDE_MASK
#define PRINTABLE_AT(at) .letter = (at), .letter_mask = FLAGS_MASK
#define QTY_AT(at) .qty = (at), .qty_mask = MASK32
#define PX_AT(at) .px = (at), .px_mask = MASK32
#define AUX_AT(at) .aux = (at), .aux_mask = MASK64

const struct itch50_layout itch50_layout[256] = {
	['A'] = {ORDER(36, GN_MD_ADD), SIDE_AT(19), QTY_AT(20), PX_AT(32), .symbol = 24},
	/* the attribution is the low half of the last eight bytes */
	['F'] = {ORDER(40, GN_MD_ADD), SIDE_AT(19), QTY_AT(20), PX_AT(32), .aux = 32, .aux_mask = MASK32, .symbol = 24},
	['E'] = {ORDER(31, GN_MD_EXEC), QTY_AT(19), AUX_AT(23)},
	['C'] = {ORDER(36, GN_MD_EXEC_PX), QTY_AT(19), AUX_AT(23), PRINTABLE_AT(31), PX_AT(32)},
	['X'] = {ORDER(23, GN_MD_REDUCE), QTY_AT(19)},
	['D'] = {ORDER(19, GN_MD_DELETE)},
	['U'] = {ORDER(35, GN_MD_REPLACE), AUX_AT(19), QTY_AT(27), PX_AT(31)},
	['P'] = {ORDER(44, GN_MD_TRADE), SIDE_AT(19), QTY_AT(20), PX_AT(32), AUX_AT(36), .symbol = 24},
	['S'] = {.bytes = 12},
	['R'] = {.bytes = 39, .symbol = 11},
	['H'] = {.bytes = 25, .symbol = 11},
	['Y'] = {.bytes = 20, .symbol = 11},
	['L'] = {.bytes = 26, .symbol = 15},
	['V'] = {.bytes = 35},
	['W'] = {.bytes = 12},
	['K'] = {.bytes = 28, .symbol = 11},
	['J'] = {.bytes = 35, .symbol = 11},
	['h'] = {.bytes = 21, .symbol = 11},
	['Q'] = {.bytes = 40, .symbol = 19},
	['B'] = {.bytes = 19},
	['I'] = {.bytes = 50, .symbol = 28},
	['N'] = {.bytes = 20, .symbol = 11},
	['O'] = {.bytes = 48, .symbol = 11},
};

static gn_px px_from_e4(uint32_t e4)
{
	return (gn_px){.e9 = e4 * GN_PX_E9_PER_E4};
}

static uint32_t px_to_e4(gn_px px)
{
	return (uint32_t)(px.e9 / GN_PX_E9_PER_E4);
}

/* decline levels have eight decimals in 64 bits */
static gn_px px_from_e8(uint64_t e8)
{
	uint64_t max = INT64_MAX / 10;

	return (gn_px){.e9 = (int64_t)(e8 < max ? e8 : max) * 10};
}

static void decode_directory(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_DIRECTORY;
	md->directory.symbol = symbol_load(msg + 11);
	md->directory.market_category = (char)msg[19];
	md->directory.financial_status = (char)msg[20];
	md->directory.round_lot = wire_u32(msg + 21);
	md->directory.round_lots_only = (char)msg[25];
	md->directory.issue_class = (char)msg[26];
	memcpy(md->directory.issue_subtype, msg + 27, 2);
	md->directory.authenticity = (char)msg[29];
	md->directory.short_sale_threshold = (char)msg[30];
	md->directory.ipo = (char)msg[31];
	md->directory.luld_tier = (char)msg[32];
	md->directory.etp = (char)msg[33];
	md->directory.etp_leverage = wire_u32(msg + 34);
	md->directory.inverse = (char)msg[38];
	md->directory.venue_id = itch50_locate(msg);
}

static void encode_directory(const struct gn_md *md, uint8_t *out)
{
	out[19] = (uint8_t)md->directory.market_category;
	out[20] = (uint8_t)md->directory.financial_status;
	wire_put_u32(out + 21, md->directory.round_lot);
	out[25] = (uint8_t)md->directory.round_lots_only;
	out[26] = (uint8_t)md->directory.issue_class;
	memcpy(out + 27, md->directory.issue_subtype, 2);
	out[29] = (uint8_t)md->directory.authenticity;
	out[30] = (uint8_t)md->directory.short_sale_threshold;
	out[31] = (uint8_t)md->directory.ipo;
	out[32] = (uint8_t)md->directory.luld_tier;
	out[33] = (uint8_t)md->directory.etp;
	wire_put_u32(out + 34, md->directory.etp_leverage);
	out[38] = (uint8_t)md->directory.inverse;
}

static void decode_state(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_STATE;
	md->code = (char)msg[19];
	md->state.market = (char)msg[20];
	memcpy(md->state.reason, msg + 21, 4);
}

static void encode_state(const struct gn_md *md, uint8_t *out)
{
	out[19] = (uint8_t)md->code;
	out[20] = (uint8_t)md->state.market;
	memcpy(out + 21, md->state.reason, 4);
}

static void decode_halt(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_HALT;
	md->state.market = (char)msg[19];
	md->code = (char)msg[20];
}

static void encode_halt(const struct gn_md *md, uint8_t *out)
{
	out[19] = (uint8_t)md->state.market;
	out[20] = (uint8_t)md->code;
}

static void decode_participant(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_PARTICIPANT;
	memcpy(md->participant.mpid, msg + 11, 4);
	md->participant.primary = (char)msg[23];
	md->participant.mode = (char)msg[24];
	md->participant.state = (char)msg[25];
}

static void encode_participant(const struct gn_md *md, uint8_t *out)
{
	memcpy(out + 11, md->participant.mpid, 4);
	out[23] = (uint8_t)md->participant.primary;
	out[24] = (uint8_t)md->participant.mode;
	out[25] = (uint8_t)md->participant.state;
}

static void decode_mwcb_levels(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_MWCB_LEVELS;
	for (int i = 0; i < 3; i++)
		md->mwcb.level[i] = px_from_e8(wire_u64(msg + 11 + 8 * i));
}

static void encode_mwcb_levels(const struct gn_md *md, uint8_t *out)
{
	for (int i = 0; i < 3; i++)
		wire_put_u64(out + 11 + 8 * i, (uint64_t)md->mwcb.level[i].e9 / 10);
}

static void decode_ipo(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_IPO;
	md->ipo.release_s = wire_u32(msg + 19);
	md->code = (char)msg[23];
	md->ipo.px = px_from_e4(wire_u32(msg + 24));
}

static void encode_ipo(const struct gn_md *md, uint8_t *out)
{
	wire_put_u32(out + 19, md->ipo.release_s);
	out[23] = (uint8_t)md->code;
	wire_put_u32(out + 24, px_to_e4(md->ipo.px));
}

static void decode_collar(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_COLLAR;
	md->collar.reference = px_from_e4(wire_u32(msg + 19));
	md->collar.upper = px_from_e4(wire_u32(msg + 23));
	md->collar.lower = px_from_e4(wire_u32(msg + 27));
	md->collar.extension = wire_u32(msg + 31);
}

static void encode_collar(const struct gn_md *md, uint8_t *out)
{
	wire_put_u32(out + 19, px_to_e4(md->collar.reference));
	wire_put_u32(out + 23, px_to_e4(md->collar.upper));
	wire_put_u32(out + 27, px_to_e4(md->collar.lower));
	wire_put_u32(out + 31, md->collar.extension);
}

static void decode_cross(const uint8_t *msg, struct gn_md *md)
{
	uint64_t qty = wire_u64(msg + 11);

	md->kind = GN_MD_CROSS;
	md->order.qty = qty < INT64_MAX ? (gn_qty)qty : INT64_MAX;
	md->order.px = px_from_e4(wire_u32(msg + 27));
	md->order.aux2 = wire_u64(msg + 31);
	md->code = (char)msg[39];
}

static void encode_cross(const struct gn_md *md, uint8_t *out)
{
	wire_put_u64(out + 11, (uint64_t)md->order.qty);
	wire_put_u32(out + 27, px_to_e4(md->order.px));
	wire_put_u64(out + 31, md->order.aux2);
	out[39] = (uint8_t)md->code;
}

static void decode_imbalance(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_IMBALANCE;
	md->imbalance.paired = wire_u64(msg + 11);
	md->imbalance.imbalance = wire_u64(msg + 19);
	md->imbalance.direction = (char)msg[27];
	md->imbalance.far_e4 = wire_u32(msg + 36);
	md->imbalance.near_e4 = wire_u32(msg + 40);
	md->imbalance.reference_e4 = wire_u32(msg + 44);
	md->imbalance.cross = (char)msg[48];
	md->imbalance.variation = (char)msg[49];
}

static void encode_imbalance(const struct gn_md *md, uint8_t *out)
{
	wire_put_u64(out + 11, md->imbalance.paired);
	wire_put_u64(out + 19, md->imbalance.imbalance);
	out[27] = (uint8_t)md->imbalance.direction;
	wire_put_u32(out + 36, md->imbalance.far_e4);
	wire_put_u32(out + 40, md->imbalance.near_e4);
	wire_put_u32(out + 44, md->imbalance.reference_e4);
	out[48] = (uint8_t)md->imbalance.cross;
	out[49] = (uint8_t)md->imbalance.variation;
}

static void decode_discovery(const uint8_t *msg, struct gn_md *md)
{
	md->kind = GN_MD_DISCOVERY;
	md->code = (char)msg[19];
	md->discovery.min_e4 = wire_u32(msg + 20);
	md->discovery.max_e4 = wire_u32(msg + 24);
	md->discovery.near_e4 = wire_u32(msg + 28);
	md->discovery.near_time_ns = wire_u64(msg + 32);
	md->discovery.collar_lower_e4 = wire_u32(msg + 40);
	md->discovery.collar_upper_e4 = wire_u32(msg + 44);
}

static void encode_discovery(const struct gn_md *md, uint8_t *out)
{
	out[19] = (uint8_t)md->code;
	wire_put_u32(out + 20, md->discovery.min_e4);
	wire_put_u32(out + 24, md->discovery.max_e4);
	wire_put_u32(out + 28, md->discovery.near_e4);
	wire_put_u64(out + 32, md->discovery.near_time_ns);
	wire_put_u32(out + 40, md->discovery.collar_lower_e4);
	wire_put_u32(out + 44, md->discovery.collar_upper_e4);
}

static void decode_code(const uint8_t *msg, struct gn_md *md, uint8_t kind, uint32_t at)
{
	md->kind = kind;
	md->code = (char)msg[at];
}

static void decode_rare(const uint8_t *msg, struct gn_md *md)
{
	md->side = 0;
	md->flags = 0;
	md->code = 0;
	memset(&md->order, 0, sizeof(md->order));
	switch (msg[0]) {
	case 'S': decode_code(msg, md, GN_MD_SYSTEM, 11); break;
	case 'R': decode_directory(msg, md); break;
	case 'H': decode_state(msg, md); break;
	case 'Y': decode_code(msg, md, GN_MD_SHORT_SALE, 19); break;
	case 'L': decode_participant(msg, md); break;
	case 'V': decode_mwcb_levels(msg, md); break;
	case 'W': decode_code(msg, md, GN_MD_MWCB_STATUS, 11); break;
	case 'K': decode_ipo(msg, md); break;
	case 'J': decode_collar(msg, md); break;
	case 'h': decode_halt(msg, md); break;
	case 'Q': decode_cross(msg, md); break;
	case 'B':
		md->kind = GN_MD_BROKEN;
		md->order.aux2 = wire_u64(msg + 11);
		break;
	case 'I': decode_imbalance(msg, md); break;
	case 'N': decode_code(msg, md, GN_MD_RETAIL, 19); break;
	default: decode_discovery(msg, md); break; /* O: the table has a length for no other type */
	}
}

enum itch50_result itch50_decode_rare(const uint8_t *msg, uint32_t bytes, struct gn_md *md, uint16_t *locate)
{
	const struct itch50_layout *l = &itch50_layout[msg[0]];

	if (l->bytes == 0)
		return ITCH50_UNKNOWN;
	if (l->bytes != bytes)
		return ITCH50_WRONG_LENGTH;
	*locate = itch50_locate(msg);
	md->exch_ns = itch50_ns(msg);
	decode_rare(msg, md);
	return ITCH50_OK;
}

gn_symbol itch50_symbol(const uint8_t *msg, uint32_t bytes)
{
	if (bytes == 0 || bytes != itch50_layout[msg[0]].bytes || itch50_layout[msg[0]].symbol == 0)
		return (gn_symbol){.word = 0};
	return symbol_load(msg + itch50_layout[msg[0]].symbol);
}

static uint8_t side_letter(gn_side side)
{
	return side == GN_BUY ? 'B' : side == GN_SELL ? 'S' : ' ';
}

static uint8_t type_of(const struct gn_md *md)
{
	static const char type[GN_MD_KIND_COUNT] = {
		[GN_MD_ADD] = 'A', [GN_MD_EXEC] = 'E', [GN_MD_EXEC_PX] = 'C', [GN_MD_REDUCE] = 'X', [GN_MD_DELETE] = 'D',
		[GN_MD_REPLACE] = 'U', [GN_MD_TRADE] = 'P', [GN_MD_CROSS] = 'Q', [GN_MD_BROKEN] = 'B', [GN_MD_SYSTEM] = 'S',
		[GN_MD_DIRECTORY] = 'R', [GN_MD_STATE] = 'H', [GN_MD_HALT] = 'h', [GN_MD_SHORT_SALE] = 'Y',
		[GN_MD_PARTICIPANT] = 'L', [GN_MD_MWCB_LEVELS] = 'V', [GN_MD_MWCB_STATUS] = 'W', [GN_MD_IPO] = 'K',
		[GN_MD_COLLAR] = 'J', [GN_MD_IMBALANCE] = 'I', [GN_MD_RETAIL] = 'N', [GN_MD_DISCOVERY] = 'O',
	};

	if (md->kind == GN_MD_ADD && (uint32_t)md->order.aux2 != 0)
		return 'F';
	return md->kind < GN_MD_KIND_COUNT ? (uint8_t)type[md->kind] : 0;
}

/* the mirror of itch50_decode(): one path for A F E C X D U P */
static void encode_order(const struct gn_md *md, const struct itch50_layout *l, uint8_t *out)
{
	wire_put_u64(out + 11, md->order.ref);
	if (l->aux_mask == MASK64)
		wire_put_u64(out + l->aux, md->order.aux2);
	else if (l->aux_mask == MASK32)
		wire_put_u32(out + l->aux + 4, (uint32_t)md->order.aux2);
	if (l->px_mask != 0)
		wire_put_u32(out + l->px, px_to_e4(md->order.px));
	if (l->qty_mask != 0)
		wire_put_u32(out + l->qty, (uint32_t)md->order.qty);
	if (l->letter_mask == SIDE_MASK)
		out[l->letter] = side_letter(md->side);
	else if (l->letter_mask == FLAGS_MASK)
		out[l->letter] = md->flags & GN_MD_F_PRINTABLE ? 'Y' : 'N';
}

static void encode_rare(const struct gn_md *md, uint8_t *out)
{
	switch (md->kind) {
	case GN_MD_SYSTEM:
	case GN_MD_MWCB_STATUS: out[11] = (uint8_t)md->code; break;
	case GN_MD_SHORT_SALE:
	case GN_MD_RETAIL: out[19] = (uint8_t)md->code; break;
	case GN_MD_DIRECTORY: encode_directory(md, out); break;
	case GN_MD_STATE: encode_state(md, out); break;
	case GN_MD_HALT: encode_halt(md, out); break;
	case GN_MD_PARTICIPANT: encode_participant(md, out); break;
	case GN_MD_MWCB_LEVELS: encode_mwcb_levels(md, out); break;
	case GN_MD_IPO: encode_ipo(md, out); break;
	case GN_MD_COLLAR: encode_collar(md, out); break;
	case GN_MD_CROSS: encode_cross(md, out); break;
	case GN_MD_BROKEN: wire_put_u64(out + 11, md->order.aux2); break;
	case GN_MD_IMBALANCE: encode_imbalance(md, out); break;
	case GN_MD_DISCOVERY: encode_discovery(md, out); break;
	default: break;
	}
}

uint32_t itch50_encode(const struct gn_md *md, uint16_t locate, uint16_t tracking, gn_symbol symbol, uint8_t *out)
{
	uint8_t type = type_of(md);
	const struct itch50_layout *l = &itch50_layout[type];

	if (type == 0)
		return 0;
	out[0] = type;
	wire_put_u16(out + 1, locate);
	wire_put_u16(out + 3, tracking);
	wire_put_u48(out + 5, md->exch_ns);
	if (l->symbol != 0)
		symbol_store(out + l->symbol, symbol);
	if (l->order_bytes != 0)
		encode_order(md, l, out);
	else
		encode_rare(md, out);
	return l->bytes;
}
