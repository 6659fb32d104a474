/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50.h"

#include "dataplane/codec/ouch50_options.h"
#include "dataplane/codec/soupbintcp.h"
#include "dataplane/runtime/compiler.h"
#include "tests/unit/codec_data.h"

#define E4(x) {.e9 = (x) * GN_PX_E9_PER_E4}
#define ID {"NNH8FUB8IV    "}
#define CVLT {.c = "CVLT"}
#define LIME {.data = (const uint8_t *)"\5\2LIME", .bytes = 6}

static uint8_t msg[1024], again[1024];

TestSuite(ouch50, .timeout = 30);

struct in_row {
	const char *hex;
	struct ouch50_in in;
};

static const struct in_row in_rows[] = {
	{"'O' 00000071 'T' 000000e1 'CVLT    ' 000000000009 9db8 '0YANN' 'H8FUB8IV      ' 0006 0502 'LIME'",
		{.type = OUCH50_ENTER,
			.enter = {.user_ref = 0x71, .side = 'T', .qty = 225, .symbol = CVLT, .px = E4(630200), .tif = '0',
				.display = 'Y', .capacity = 'A', .iso = 'N', .cross = 'N', .clordid = {"H8FUB8IV      "},
				.appendage = LIME}}},
	{"'O' ffffffff 'B' 000f423f 'ABCDEFGH' 000000007735939c '3NPYO' 'NNH8FUB8IV    ' 0000",
		{.type = OUCH50_ENTER,
			.enter = {.user_ref = UINT32_MAX, .side = 'B', .qty = OUCH50_QTY_MAX, .symbol = {.c = "ABCDEFGH"},
				.px = E4(OUCH50_PX_E4_MAX), .tif = '3', .display = 'N', .capacity = 'P', .iso = 'Y', .cross = 'O',
				.clordid = ID}}},
	{"'U' 00000001 00000002 00000064 000000007fffffff '5AY' 'NNH8FUB8IV    ' 0006 0502 'LIME'",
		{.type = OUCH50_REPLACE,
			.replace = {.user_ref_orig = 1, .user_ref = 2, .qty = 100, .px = E4(OUCH50_PX_E4_MARKET), .tif = '5',
				.display = 'A', .iso = 'Y', .clordid = ID, .appendage = LIME}}},
	{"'X' 00000003 00000032", {.type = OUCH50_CANCEL, .cancel = {.user_ref = 3, .qty = 50}}},
	{"'M' 00000004 'E' 00000032", {.type = OUCH50_MODIFY, .modify = {.user_ref = 4, .side = 'E', .qty = 50}}},
	{"'Q'", {.type = OUCH50_QUERY}},
};

/* appendages are compared by what they point to */
static void assert_appendage(const struct ouch50_appendage *a, const struct ouch50_appendage *want)
{
	cr_expect_eq(a->bytes, want->bytes);
	if (want->bytes != 0)
		cr_expect_arr_eq(a->data, want->data, want->bytes);
}

static struct ouch50_appendage *in_appendage(struct ouch50_in *in)
{
	return in->type == OUCH50_ENTER ? &in->enter.appendage : in->type == OUCH50_REPLACE ? &in->replace.appendage : NULL;
}

static void assert_in_equal(struct ouch50_in a, struct ouch50_in b)
{
	if (in_appendage(&a) != NULL) {
		assert_appendage(in_appendage(&a), in_appendage(&b));
		in_appendage(&a)->data = in_appendage(&b)->data = NULL;
	}
	cr_expect_arr_eq(&a, &b, sizeof(a), "fields of %c", a.type);
}

Test(ouch50, survives_decode_and_encode_in_every_message_to_the_venue)
{
	for (size_t i = 0; i < GN_ARRAY_SIZE(in_rows); i++) {
		uint32_t n = data_hex(in_rows[i].hex, msg);
		struct ouch50_in in;

		cr_assert_eq(ouch50_decode_in(msg, n, &in), OUCH50_OK, "%c", msg[0]);
		assert_in_equal(in, in_rows[i].in);
		memset(again, 0xee, sizeof(again));
		cr_expect_eq(ouch50_encode_in(&in_rows[i].in, again), n);
		cr_expect_arr_eq(again, msg, n, "bytes of %c", msg[0]);
		cr_expect_eq(again[n], 0xee);
	}
}

struct out_row {
	const char *hex;
	struct ouch50_out out;
};

#define TS " 0000289b4d64af87 "
#define NS 0x289b4d64af87

static const struct out_row out_rows[] = {
	{"'S'" TS "'E'", {.type = OUCH50_SYSTEM, .ns = NS, .event = 'E'}},
	{"'A'" TS "00753a8d 'B' 00000028 'CVLT    ' 000000000048e748 '5Y' 000000000f56b4f5 'AYNL' 'NNH8FUB8IV    ' 0006 0502 'LIME'",
		{.type = OUCH50_ACCEPTED, .ns = NS,
			.accepted = {.user_ref = 0x753a8d, .side = 'B', .qty = 40, .symbol = CVLT, .px = E4(0x48e748), .tif = '5',
				.display = 'Y', .order_ref = 0xf56b4f5, .capacity = 'A', .iso = 'Y', .cross = 'N', .state = 'L',
				.clordid = ID, .appendage = LIME}}},
	{"'U'" TS "00000001 00000002 'S' 00000028 'CVLT    ' 000000000048e748 '5Z' 000000000f56b4f5 'PNOD' 'NNH8FUB8IV    ' 0006"
		" 0502 'LIME'",
		{.type = OUCH50_REPLACED, .ns = NS,
			.accepted = {.user_ref_orig = 1, .user_ref = 2, .side = 'S', .qty = 40, .symbol = CVLT, .px = E4(0x48e748),
				.tif = '5', .display = 'Z', .order_ref = 0xf56b4f5, .capacity = 'P', .iso = 'N', .cross = 'O',
				.state = 'D', .clordid = ID, .appendage = LIME}}},
	{"'C'" TS "00000001 00000064 'U'", {.type = OUCH50_CANCELED, .ns = NS, .canceled = {.user_ref = 1, .qty = 100, .reason = 'U'}}},
	{"'D'" TS "00000001 00000064 'Q' 00000063 000000000048e748 'R' 'O'",
		{.type = OUCH50_AIQ_CANCELED, .ns = NS,
			.canceled = {.user_ref = 1, .qty = 100, .reason = 'Q', .qty_prevented = 99, .px = E4(0x48e748),
				.liquidity = 'R', .strategy = 'O'}}},
	{"'D'" TS "00000001 00000064 'Q' 00000063 000000000048e748 'R'",
		{.type = OUCH50_AIQ_CANCELED, .ns = NS,
			.canceled = {.user_ref = 1, .qty = 100, .reason = 'Q', .qty_prevented = 99, .px = E4(0x48e748), .liquidity = 'R'}}},
	{"'E'" TS "00000001 00000064 000000000048e748 'A' fedcba9876543210 0000",
		{.type = OUCH50_EXECUTED, .ns = NS,
			.executed = {.user_ref = 1, .qty = 100, .px = E4(0x48e748), .liquidity = 'A', .match = 0xfedcba9876543210}}},
	{"'E'" TS "00000001 00000064 000000000048e748 'A' 0000000000000009 0006 0502 'LIME'",
		{.type = OUCH50_EXECUTED, .ns = NS,
			.executed = {.user_ref = 1, .qty = 100, .px = E4(0x48e748), .liquidity = 'A', .match = 9, .appendage = LIME}}},
	{"'B'" TS "00000001 0000000000000009 'C' 'NNH8FUB8IV    '",
		{.type = OUCH50_BROKEN, .ns = NS, .broken = {.user_ref = 1, .match = 9, .reason = 'C', .clordid = ID}}},
	{"'J'" TS "00000001 002a 'NNH8FUB8IV    '",
		{.type = OUCH50_REJECTED, .ns = NS, .rejected = {.user_ref = 1, .reason = 0x2a, .clordid = ID}}},
	{"'P'" TS "00000001", {.type = OUCH50_CANCEL_PENDING, .ns = NS, .user_ref = 1}},
	{"'I'" TS "00000001", {.type = OUCH50_CANCEL_REJECTED, .ns = NS, .user_ref = 1}},
	{"'T'" TS "00000001 000000000048e748 'N' 000000000f56b4f6",
		{.type = OUCH50_PRIORITY, .ns = NS,
			.priority = {.user_ref = 1, .px = E4(0x48e748), .display = 'N', .order_ref = 0xf56b4f6}}},
	{"'M'" TS "00000001 'T' 00000063", {.type = OUCH50_MODIFIED, .ns = NS, .modified = {.user_ref = 1, .side = 'T', .qty = 99}}},
	{"'R'" TS "00000001 'R' 0006 0502 'LIME'",
		{.type = OUCH50_RESTATED, .ns = NS, .restated = {.user_ref = 1, .reason = 'R', .appendage = LIME}}},
	{"'Q'" TS "00000007", {.type = OUCH50_QUERY_REPLY, .ns = NS, .user_ref = 7}},
};

static struct ouch50_appendage *out_appendage(struct ouch50_out *out)
{
	switch (out->type) {
	case OUCH50_ACCEPTED:
	case OUCH50_REPLACED: return &out->accepted.appendage;
	case OUCH50_EXECUTED: return &out->executed.appendage;
	case OUCH50_RESTATED: return &out->restated.appendage;
	default: return NULL;
	}
}

static void assert_out_equal(struct ouch50_out a, struct ouch50_out b)
{
	if (out_appendage(&a) != NULL) {
		assert_appendage(out_appendage(&a), out_appendage(&b));
		out_appendage(&a)->data = out_appendage(&b)->data = NULL;
	}
	cr_expect_arr_eq(&a, &b, sizeof(a), "fields of %c", a.type);
}

Test(ouch50, survives_decode_and_encode_in_every_message_from_the_venue)
{
	for (size_t i = 0; i < GN_ARRAY_SIZE(out_rows); i++) {
		uint32_t n = data_hex(out_rows[i].hex, msg);
		struct ouch50_out out;

		cr_assert_eq(ouch50_decode_out(msg, n, &out), OUCH50_OK, "%c", msg[0]);
		assert_out_equal(out, out_rows[i].out);
		memset(again, 0xee, sizeof(again));
		cr_expect_eq(ouch50_encode_out(&out_rows[i].out, again), n);
		cr_expect_arr_eq(again, msg, n, "bytes of %c", msg[0]);
		cr_expect_eq(again[n], 0xee);
	}
}

Test(ouch50, has_a_row_for_every_type_and_knows_no_other)
{
	uint32_t n_in = 0, n_out = 0;

	for (uint32_t t = 0; t < 256; t++) {
		bool in = false, out = false;

		for (size_t i = 0; i < GN_ARRAY_SIZE(in_rows); i++)
			in |= in_rows[i].in.type == t;
		for (size_t i = 0; i < GN_ARRAY_SIZE(out_rows); i++)
			out |= out_rows[i].out.type == t;
		cr_expect_eq(in, ouch50_in_bytes((uint8_t)t) != 0, "to the venue: %u", t);
		cr_expect_eq(out, ouch50_out_bytes((uint8_t)t) != 0, "from the venue: %u", t);
		n_in += in;
		n_out += out;
	}
	cr_expect_eq(n_in, 5);
	cr_expect_eq(n_out, 14);
}

/* just as long as it claims: the sanitizer sees a read past it */
static uint8_t *exact(const uint8_t *data, uint32_t bytes)
{
	uint8_t *p = malloc(bytes + 1);

	memcpy(p + 1, data, bytes);
	return p;
}

Test(ouch50, refuses_every_other_length)
{
	union { struct ouch50_in in; struct ouch50_out out; } m;

	for (size_t i = 0; i < GN_ARRAY_SIZE(in_rows) + GN_ARRAY_SIZE(out_rows); i++) {
		bool in = i < GN_ARRAY_SIZE(in_rows);
		uint32_t n = data_hex(in ? in_rows[i].hex : out_rows[i - GN_ARRAY_SIZE(in_rows)].hex, msg);

		memset(msg + n, 0, 8);
		for (uint32_t k = 0; k <= n + 8; k++) {
			uint8_t *p = exact(msg, k);
			enum ouch50_result rc = in ? ouch50_decode_in(p + 1, k, &m.in) : ouch50_decode_out(p + 1, k, &m.out);
			bool aiq = !in && msg[0] == OUCH50_AIQ_CANCELED && (k == 31 || k == 32);

			cr_expect_eq(rc, k == n || aiq ? OUCH50_OK : OUCH50_WRONG_LENGTH, "%c of %u bytes", msg[0], k);
			free(p);
		}
	}
}

Test(ouch50, refuses_unknown_types_in_either_direction)
{
	struct ouch50_in in;
	struct ouch50_out out;

	memset(msg, 0, sizeof(msg));
	for (uint32_t t = 0; t < 256; t++) {
		msg[0] = (uint8_t)t;
		cr_expect_eq(ouch50_decode_in(msg, 47, &in) == OUCH50_UNKNOWN, ouch50_in_bytes((uint8_t)t) == 0);
		cr_expect_eq(ouch50_decode_out(msg, 64, &out) == OUCH50_UNKNOWN, ouch50_out_bytes((uint8_t)t) == 0);
		in = (struct ouch50_in){.type = (uint8_t)t};
		out = (struct ouch50_out){.type = (uint8_t)t};
		cr_expect_eq(ouch50_encode_in(&in, again), ouch50_in_bytes((uint8_t)t));
		cr_expect_eq(ouch50_encode_out(&out, again) == 0, ouch50_out_bytes((uint8_t)t) == 0);
	}
}

Test(ouch50, refuses_prices_that_63_bits_do_not_hold)
{
	struct ouch50_in in;
	uint32_t n = data_hex(in_rows[0].hex, msg);

	wire_put_u64(msg + 18, (uint64_t)(INT64_MAX / GN_PX_E9_PER_E4));
	cr_expect_eq(ouch50_decode_in(msg, n, &in), OUCH50_OK);
	wire_put_u64(msg + 18, (uint64_t)(INT64_MAX / GN_PX_E9_PER_E4) + 1);
	cr_expect_eq(ouch50_decode_in(msg, n, &in), OUCH50_BAD_PRICE);
	wire_put_u64(msg + 18, UINT64_MAX);
	cr_expect_eq(ouch50_decode_in(msg, n, &in), OUCH50_BAD_PRICE);
}

Test(ouch50, refuses_appendages_past_its_limit_both_ways)
{
	static const uint8_t large[OUCH50_APPENDAGE_BYTES_MAX + 1];
	struct ouch50_in in = in_rows[0].in, back;

	in.enter.appendage = (struct ouch50_appendage){.data = large, .bytes = OUCH50_APPENDAGE_BYTES_MAX};

	uint32_t n = ouch50_encode_in(&in, msg);

	cr_assert_eq(n, OUCH50_ENTER_BYTES + OUCH50_APPENDAGE_BYTES_MAX);
	cr_expect_eq(ouch50_decode_in(msg, n, &back), OUCH50_OK);
	wire_put_u16(msg + 45, OUCH50_APPENDAGE_BYTES_MAX + 1);
	cr_expect_eq(ouch50_decode_in(msg, n + 1, &back), OUCH50_WRONG_LENGTH);
	in.enter.appendage.bytes++;
	cr_expect_eq(ouch50_encode_in(&in, msg), 0);
}

/* every tag once, with values that show the order of bytes */
static const char every_tag[] = "0901 0102030405060708 0502 'LIME' 0503 00000064 0204 'R' 0505 00000065 0206 'm' 0507 ffffffff "
				"0909 000000000048e748 020a 'P' 050b 80000000 020c 'P' 050d 00000066 050e 'SCAN' 050f 0001517f "
				"0210 'Y' 0211 'I' 0212 'S' 0516 00000067 0917 000000000048e749 0318 0a0b 0219 'N'";

static struct ouch50_appendage given_appendage(const char *hex)
{
	return (struct ouch50_appendage){.data = msg, .bytes = data_hex(hex, msg)};
}

Test(ouch50, reads_every_optional_field)
{
	struct ouch50_options o;

	cr_assert_eq(ouch50_options_decode(given_appendage(every_tag), &o), OUCH50_OK);
	cr_expect_eq(__builtin_popcount(o.present), 21);
	cr_expect_eq(o.n_unknown, 0);
	cr_expect_eq(o.secondary_ref, 0x0102030405060708);
	cr_expect_arr_eq(o.firm, "LIME", 4);
	cr_expect_eq(o.min_qty, 100);
	cr_expect_eq(o.customer_type[0], 'R');
	cr_expect_eq(o.max_floor, 101);
	cr_expect_eq(o.price_type[0], 'm');
	cr_expect_eq(o.peg_offset.e9, -GN_PX_E9_PER_E4);
	cr_expect_eq(o.discretion_px.e9, 0x48e748 * GN_PX_E9_PER_E4);
	cr_expect_eq(o.discretion_type[0], 'P');
	cr_expect_eq(o.discretion_peg.e9, INT32_MIN * GN_PX_E9_PER_E4);
	cr_expect_eq(o.post_only[0], 'P');
	cr_expect_eq(o.random_reserves, 102);
	cr_expect_arr_eq(o.route, "SCAN", 4);
	cr_expect_eq(o.expire_s, 86399);
	cr_expect_eq(o.trade_now[0], 'Y');
	cr_expect_eq(o.handle_inst[0], 'I');
	cr_expect_eq(o.bbo_weight[0], 'S');
	cr_expect_eq(o.display_qty, 103);
	cr_expect_eq(o.display_px.e9, 0x48e749 * GN_PX_E9_PER_E4);
	cr_expect_eq(o.group_id, 0x0a0b);
	cr_expect_eq(o.shares_located[0], 'N');
}

Test(ouch50, writes_every_optional_field)
{
	struct ouch50_options o;
	struct ouch50_appendage a = given_appendage(every_tag);

	cr_assert_eq(ouch50_options_decode(a, &o), OUCH50_OK);

	struct ouch50_appendage b = ouch50_options_encode(&o, again);

	cr_assert_eq(b.bytes, a.bytes);
	cr_assert_eq(b.bytes, 112);
	cr_expect_arr_eq(b.data, a.data, a.bytes);
}

Test(ouch50, writes_only_the_optional_fields_that_are_present)
{
	struct ouch50_options o = {.firm = "LIME", .min_qty = 1}, back;

	cr_expect_eq(ouch50_options_encode(&o, again).bytes, 0);
	o.present = 1u << OUCH50_TAG_FIRM | 1u << OUCH50_TAG_POST_ONLY | 1u << 8 | 1u << 31;
	o.post_only[0] = 'P';

	struct ouch50_appendage a = ouch50_options_encode(&o, again);

	cr_assert_eq(a.bytes, data_hex("0502 'LIME' 020c 'P'", msg));
	cr_expect_arr_eq(a.data, msg, a.bytes);
	cr_assert_eq(ouch50_options_decode(a, &back), OUCH50_OK);
	cr_expect(ouch50_options_has(&back, OUCH50_TAG_FIRM));
	cr_expect(ouch50_options_has(&back, OUCH50_TAG_POST_ONLY));
	cr_expect_not(ouch50_options_has(&back, OUCH50_TAG_MIN_QTY));
}

Test(ouch50, skips_unknown_optional_fields_by_their_length)
{
	struct ouch50_options o;

	cr_assert_eq(ouch50_options_decode(given_appendage("0163 05c8 01020304 0108 0502 'LIME' 0100 011a"), &o), OUCH50_OK);
	cr_expect_eq(o.n_unknown, 5);
	cr_expect_eq(o.present, 1u << OUCH50_TAG_FIRM);
	cr_expect_arr_eq(o.firm, "LIME", 4);
}

Test(ouch50, refuses_elements_that_do_not_add_up)
{
	static const char *const bad[] = {"00", "01", "0002", "0502 'LIM'", "0502 'LIME' 05", "0502 'LIME' ff02 'x'",
		"0402 'LIM'", "0602 'LIMES'", "0503 00000001 0102", "0203 01", "ff01"};
	struct ouch50_options o;

	for (size_t i = 0; i < GN_ARRAY_SIZE(bad); i++) {
		struct ouch50_appendage a = given_appendage(bad[i]);
		uint8_t *p = exact(a.data, a.bytes);

		a.data = p + 1;
		cr_expect_eq(ouch50_options_decode(a, &o), OUCH50_BAD_APPENDAGE, "%s", bad[i]);
		free(p);
	}
	cr_expect_eq(ouch50_options_decode(given_appendage("0909 ffffffffffffffff"), &o), OUCH50_BAD_PRICE);
}

Test(ouch50, walks_one_element_at_a_time)
{
	struct ouch50_appendage a = given_appendage("0502 'MLRO' 0212 '0'");
	struct ouch50_element e;

	cr_assert(ouch50_element_next(&a, &e));
	cr_expect_eq(e.tag, OUCH50_TAG_FIRM);
	cr_expect_eq(e.bytes, 4);
	cr_assert(ouch50_element_next(&a, &e));
	cr_expect_eq(e.tag, OUCH50_TAG_BBO_WEIGHT);
	cr_expect_eq(e.value[0], '0');
	cr_expect_not(ouch50_element_next(&a, &e));
	cr_expect_eq(a.bytes, 0);
}

static void assert_id(gn_oid oid, const char *text)
{
	struct ouch50_clordid id = ouch50_clordid_from_oid(oid);

	cr_expect_arr_eq(id.c, text, OUCH50_CLORDID_BYTES, "%" PRIu64 " is %.14s, not %s", oid, id.c, text);
	cr_expect_eq(ouch50_oid_from_clordid(id), oid);
}

Test(ouch50, writes_order_ids_in_base_36)
{
	assert_id(0, "00000000000000");
	assert_id(1, "00000000000001");
	assert_id(35, "0000000000000Z");
	assert_id(36, "00000000000010");
	assert_id(46655, "00000000000ZZZ");
	assert_id(46656, "00000000001000");
	assert_id(UINT64_C(2176782335), "00000000ZZZZZZ");
	assert_id(UINT64_C(2176782336), "00000001000000");
	assert_id(UINT64_C(4738381338321616895), "00ZZZZZZZZZZZZ");
	assert_id(UINT64_C(4738381338321616896), "01000000000000");
	assert_id(UINT64_C(1) << 48 | 1, "00002RRVTHNXTT");
	assert_id(UINT64_MAX, "03W5E11264SGSF");
}

Test(ouch50, gives_back_every_order_id_and_keeps_their_order)
{
	uint64_t seed = data_seed(5), state = seed;

	for (uint32_t i = 0; i < 200000; i++) {
		gn_oid a = data_random(&state) >> (data_random(&state) % 64), b = a + 1 + data_random(&state) % 1000;
		struct ouch50_clordid x = ouch50_clordid_from_oid(a), y = ouch50_clordid_from_oid(b);

		cr_assert_eq(ouch50_oid_from_clordid(x), a, "seed %" PRIu64 ": %" PRIu64 " is %.14s", seed, a, x.c);
		if (b > a)
			cr_assert_lt(memcmp(&x, &y, sizeof(x)), 0, "seed %" PRIu64 ": %.14s %.14s", seed, x.c, y.c);
	}
}

Test(ouch50, knows_an_order_id_that_is_not_ours)
{
	static const char *const foreign[] = {"NNH8FUB8IV    ", "0000000000000a", "0000000000000 ", "03W5E11264SGSG",
		"10000000000000", "ZZZZZZZZZZZZZZ", "0000000000000-", " 0000000000001"};

	for (size_t i = 0; i < GN_ARRAY_SIZE(foreign); i++) {
		struct ouch50_clordid id = {.reserved = {0}};

		memcpy(id.c, foreign[i], sizeof(id.c));
		cr_expect_eq(ouch50_oid_from_clordid(id), 0, "%s", foreign[i]);
	}
}

Test(ouch50, names_every_code_of_the_specification)
{
	for (const char *c = "DEFGHIKQSTUXZe"; *c != '\0'; c++)
		cr_expect_str_neq(ouch50_cancel_reason(*c), "unknown", "%c", *c);
	for (uint16_t r = 1; r <= 0x2a; r++)
		cr_expect_str_neq(ouch50_reject_reason(r), "unknown", "%x", r);
	for (const char *c = "ECSX"; *c != '\0'; c++)
		cr_expect_str_neq(ouch50_broken_reason(*c), "unknown", "%c", *c);
	for (const char *c = "ARCLOMHKJkmNn078ejpqrt1i"; *c != '\0'; c++)
		cr_expect_str_neq(ouch50_liquidity(*c), "unknown", "%c", *c);
}

Test(ouch50, names_unknown_codes_so)
{
	uint32_t n = 0;

	cr_expect_str_eq(ouch50_reject_reason(0), "unknown");
	cr_expect_str_eq(ouch50_reject_reason(0x2b), "unknown");
	cr_expect_str_eq(ouch50_reject_reason(UINT16_MAX), "unknown");
	for (int c = -128; c < 128; c++) {
		n += strcmp(ouch50_cancel_reason((char)c), "unknown") != 0;
		n += strcmp(ouch50_liquidity((char)c), "unknown") != 0;
		n += strcmp(ouch50_broken_reason((char)c), "unknown") != 0;
	}
	cr_expect_eq(n, 14 + 24 + 4);
}

/* the SoupBinTCP packet's payload */
static uint32_t recorded(const char *name)
{
	uint32_t bytes;
	const uint8_t *data = data_payload(name, &bytes);

	cr_assert_eq(wire_u16(data) + 2u, bytes);
	memcpy(msg, data + SOUP_HEAD_BYTES, bytes - SOUP_HEAD_BYTES);
	return bytes - SOUP_HEAD_BYTES;
}

Test(ouch50, reproduces_a_recorded_enter)
{
	uint32_t n = recorded("nasdaq/ouch_pcap/EnterOrderMessage.pcap");
	struct ouch50_options o;
	struct ouch50_in in;

	cr_assert_eq(ouch50_decode_in(msg, n, &in), OUCH50_OK);
	cr_expect_eq(in.enter.user_ref, 0x71);
	cr_expect_str_eq(in.enter.symbol.c, "CVLT");
	cr_expect_eq(in.enter.px.e9, INT64_C(63020) * 1000000);
	cr_expect_eq(ouch50_encode_in(&in, again), n);
	cr_expect_arr_eq(again, msg, n);
	cr_expect_eq(ouch50_options_decode(in.enter.appendage, &o), OUCH50_OK);
	cr_expect_arr_eq(o.firm, "LIME", 4);
}

Test(ouch50, reproduces_a_recorded_accepted)
{
	uint32_t n = recorded("nasdaq/ouch_pcap/OrderAcceptedMessage.pcap");
	struct ouch50_options o;
	struct ouch50_out out;

	cr_assert_eq(ouch50_decode_out(msg, n, &out), OUCH50_OK);
	cr_expect_eq(out.accepted.state, 'L');
	cr_expect_eq(out.accepted.qty, 40);
	cr_expect_eq(ouch50_encode_out(&out, again), n);
	cr_expect_arr_eq(again, msg, n);
	cr_expect_eq(ouch50_options_decode(out.accepted.appendage, &o), OUCH50_OK);
	cr_expect_arr_eq(o.firm, "MLRO", 4);
	cr_expect_eq(o.bbo_weight[0], '0');
}
