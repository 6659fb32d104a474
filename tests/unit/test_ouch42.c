/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch42.h"

#include "dataplane/runtime/compiler.h"
#include "tests/unit/codec_data.h"

#define E4(x) {.e9 = (x) * GN_PX_E9_PER_E4}
#define T1 {.c = "TokenNumber001"}
#define T2 {.c = "TokenNumber002"}
#define AAPL {.c = "AAPL"}
#define TS " 0000289b4d64af87 "
#define NS 0x289b4d64af87

static uint8_t msg[256], again[256];

struct in_row {
	const char *hex;
	struct ouch42_in in;
};

struct out_row {
	const char *hex;
	struct ouch42_out out;
};

static const struct in_row in_rows[] = {
	{"'O' 'TokenNumber001' 'B' 00000064 'AAPL    ' 000d55ac 0001869e 'LIME' 'YPN' 00000032 'NR'",
		{.type = OUCH42_ENTER,
			.enter = {.token = T1, .side = 'B', .qty = 100, .symbol = AAPL, .px = E4(0xd55ac), .tif_s = OUCH42_TIF_MARKET_HOURS,
				.firm = {'L', 'I', 'M', 'E'}, .display = 'Y', .capacity = 'P', .iso = 'N', .min_qty = 50, .cross = 'N',
				.customer_type = 'R'}}},
	{"'U' 'TokenNumber001' 'TokenNumber002' 00000064 7fffffff 00000000 'AY' 00000001",
		{.type = OUCH42_REPLACE,
			.replace = {.token_orig = T1, .token = T2, .qty = 100, .px = E4(OUCH42_PX_E4_MARKET), .display = 'A', .iso = 'Y',
				.min_qty = 1}}},
	{"'X' 'TokenNumber001' 00000032", {.type = OUCH42_CANCEL, .cancel = {.token = T1, .qty = 50}}},
	{"'M' 'TokenNumber001' 'E' 00000032", {.type = OUCH42_MODIFY, .modify = {.token = T1, .side = 'E', .qty = 50}}},
	{"'N' 'TokenNumber001'", {.type = OUCH42_TRADE_NOW, .token = T1}},
};

static const struct out_row out_rows[] = {
	{"'S'" TS "'S'", {.type = OUCH42_SYSTEM, .ns = NS, .event = 'S'}},
	{"'A'" TS "'TokenNumber001' 'B' 00000064 'AAPL    ' 000d55ac 0001869f 'LIME' 'Y' 000000000f56b4f5 'AY' 00000032 'NL' '2'",
		{.type = OUCH42_ACCEPTED, .ns = NS,
			.accepted = {.token = T1, .side = 'B', .qty = 100, .symbol = AAPL, .px = E4(0xd55ac),
				.tif_s = OUCH42_TIF_SYSTEM_HOURS, .firm = {'L', 'I', 'M', 'E'}, .display = 'Y', .order_ref = 0xf56b4f5,
				.capacity = 'A', .iso = 'Y', .min_qty = 50, .cross = 'N', .state = 'L', .bbo_weight = '2'}}},
	{"'U'" TS "'TokenNumber002' 'S' 00000064 'AAPL    ' ffffffff 0001869f 'LIME' 'N' 000000000f56b4f5 'AY' 00000032 'ND' "
		"'TokenNumber001' 'S'",
		{.type = OUCH42_REPLACED, .ns = NS,
			.accepted = {.token = T2, .token_orig = T1, .side = 'S', .qty = 100, .symbol = AAPL, .px = E4(UINT32_MAX),
				.tif_s = OUCH42_TIF_SYSTEM_HOURS, .firm = {'L', 'I', 'M', 'E'}, .display = 'N', .order_ref = 0xf56b4f5,
				.capacity = 'A', .iso = 'Y', .min_qty = 50, .cross = 'N', .state = 'D', .bbo_weight = 'S'}}},
	{"'C'" TS "'TokenNumber001' 00000063 'U'",
		{.type = OUCH42_CANCELED, .ns = NS, .canceled = {.token = T1, .qty = 99, .reason = 'U'}}},
	{"'D'" TS "'TokenNumber001' 00000063 'Q' 00000062 000d55ac 'R'",
		{.type = OUCH42_AIQ_CANCELED, .ns = NS,
			.canceled = {.token = T1, .qty = 99, .reason = 'Q', .qty_prevented = 98, .px = E4(0xd55ac), .liquidity = 'R'}}},
	{"'E'" TS "'TokenNumber001' 00000063 000d55ac 'A' fedcba9876543210",
		{.type = OUCH42_EXECUTED, .ns = NS,
			.executed = {.token = T1, .qty = 99, .px = E4(0xd55ac), .liquidity = 'A', .match = 0xfedcba9876543210}}},
	{"'G'" TS "'TokenNumber001' 00000063 000d55ac 'A' 0000000000000009 000d55ad 'I'",
		{.type = OUCH42_EXECUTED_REFERENCE, .ns = NS,
			.executed = {.token = T1, .qty = 99, .px = E4(0xd55ac), .liquidity = 'A', .match = 9, .reference_px = E4(0xd55ad),
				.reference_type = 'I'}}},
	{"'F'" TS "'TokenNumber001' 00000063 000d55ac 'A' 0000000000000009 'N'",
		{.type = OUCH42_CORRECTED, .ns = NS,
			.executed = {.token = T1, .qty = 99, .px = E4(0xd55ac), .liquidity = 'A', .match = 9, .reason = 'N'}}},
	{"'B'" TS "'TokenNumber001' 0000000000000009 'E'",
		{.type = OUCH42_BROKEN, .ns = NS, .broken = {.token = T1, .match = 9, .reason = 'E'}}},
	{"'J'" TS "'TokenNumber001' 'H'", {.type = OUCH42_REJECTED, .ns = NS, .rejected = {.token = T1, .reason = 'H'}}},
	{"'P'" TS "'TokenNumber001'", {.type = OUCH42_CANCEL_PENDING, .ns = NS, .token = T1}},
	{"'I'" TS "'TokenNumber001'", {.type = OUCH42_CANCEL_REJECTED, .ns = NS, .token = T1}},
	{"'N'" TS "'TokenNumber001'", {.type = OUCH42_TRADE_NOW_REPLY, .ns = NS, .token = T1}},
	{"'T'" TS "'TokenNumber001' 000d55ac 'Y' 000000000f56b4f6",
		{.type = OUCH42_PRIORITY, .ns = NS,
			.priority = {.token = T1, .px = E4(0xd55ac), .display = 'Y', .order_ref = 0xf56b4f6}}},
	{"'M'" TS "'TokenNumber001' 'T' 00000063",
		{.type = OUCH42_MODIFIED, .ns = NS, .modified = {.token = T1, .side = 'T', .qty = 99}}},
};

TestSuite(ouch42, .timeout = 20);

Test(ouch42, survives_decode_and_encode_in_every_message_to_the_venue)
{
	for (size_t i = 0; i < GN_ARRAY_SIZE(in_rows); i++) {
		uint32_t n = data_hex(in_rows[i].hex, msg);
		struct ouch42_in in;

		cr_assert_eq(ouch42_decode_in(msg, n, &in), OUCH42_OK, "%c of %u bytes", msg[0], n);
		cr_expect_arr_eq(&in, &in_rows[i].in, sizeof(in), "fields of %c", msg[0]);
		memset(again, 0xee, sizeof(again));
		cr_expect_eq(ouch42_encode_in(&in, again), n);
		cr_expect_arr_eq(again, msg, n, "bytes of %c", msg[0]);
		cr_expect_eq(again[n], 0xee);
	}
}

Test(ouch42, survives_decode_and_encode_in_every_message_from_the_venue)
{
	for (size_t i = 0; i < GN_ARRAY_SIZE(out_rows); i++) {
		uint32_t n = data_hex(out_rows[i].hex, msg);
		struct ouch42_out out;

		cr_assert_eq(ouch42_decode_out(msg, n, &out), OUCH42_OK, "%c of %u bytes", msg[0], n);
		cr_expect_arr_eq(&out, &out_rows[i].out, sizeof(out), "fields of %c", msg[0]);
		memset(again, 0xee, sizeof(again));
		cr_expect_eq(ouch42_encode_out(&out, again), n);
		cr_expect_arr_eq(again, msg, n, "bytes of %c", msg[0]);
		cr_expect_eq(again[n], 0xee);
	}
}

Test(ouch42, has_a_row_for_every_type_and_refuses_every_other_type_and_length)
{
	for (uint32_t t = 0; t < 256; t++) {
		uint32_t want_in = 0, want_out = 0;

		for (size_t i = 0; i < GN_ARRAY_SIZE(in_rows); i++)
			want_in = in_rows[i].in.type == t ? data_hex(in_rows[i].hex, msg) : want_in;
		for (size_t i = 0; i < GN_ARRAY_SIZE(out_rows); i++)
			want_out = out_rows[i].out.type == t ? data_hex(out_rows[i].hex, msg) : want_out;
		cr_expect_eq(ouch42_in_bytes((uint8_t)t), want_in, "to the venue: %u", t);
		cr_expect_eq(ouch42_out_bytes((uint8_t)t), want_out, "from the venue: %u", t);
		for (uint32_t n = 0; n < 100; n++) {
			struct ouch42_in in;
			struct ouch42_out out;
			uint8_t *exact = calloc(1, n + 1); /* the sanitizer sees a read past it */

			exact[n != 0] = (uint8_t)t;
			cr_assert_eq(ouch42_decode_in(exact + 1, n, &in), n == 0 ? OUCH42_WRONG_LENGTH : want_in == 0 ? OUCH42_UNKNOWN
				: want_in == n ? OUCH42_OK : OUCH42_WRONG_LENGTH);
			cr_assert_eq(ouch42_decode_out(exact + 1, n, &out), n == 0 ? OUCH42_WRONG_LENGTH : want_out == 0 ? OUCH42_UNKNOWN
				: want_out == n ? OUCH42_OK : OUCH42_WRONG_LENGTH);
			free(exact);
		}
		cr_expect_eq(ouch42_encode_in(&(struct ouch42_in){.type = (uint8_t)t}, again), want_in);
		cr_expect_eq(ouch42_encode_out(&(struct ouch42_out){.type = (uint8_t)t}, again), want_out);
	}
}

Test(ouch42, carries_our_order_id_as_its_token)
{
	struct ouch42_in in = {.type = OUCH42_CANCEL, .cancel = {.token = ouch50_clordid_from_oid(UINT64_MAX)}}, back;

	cr_assert_eq(ouch42_decode_in(msg, ouch42_encode_in(&in, msg), &back), OUCH42_OK);
	cr_expect_eq(ouch50_oid_from_clordid(back.cancel.token), UINT64_MAX);
}

Test(ouch42, names_every_code_of_the_specification)
{
	uint32_t n = 0;

	for (const char *c = "UITSDQZCKHXEFG"; *c != '\0'; c++)
		cr_expect_str_neq(ouch42_cancel_reason(*c), "unknown", "%c", *c);
	for (const char *c = "THZSDCLMRXNOWoquabcdefghijklmn"; *c != '\0'; c++)
		cr_expect_str_neq(ouch42_reject_reason(*c), "unknown", "%c", *c);
	for (int c = -128; c < 128; c++)
		n += strcmp(ouch42_reject_reason((char)c), "unknown") != 0;
	cr_expect_eq(n, 30);
}
