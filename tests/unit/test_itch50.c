/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/itch50.h"
#include "tests/unit/codec_data.h"

#define LOCATE 0x0102
#define TRACKING 0x0304
#define NS UINT64_C(0x1f1aced85306)
#define HEAD " 0102 0304 1f1aced85306 "
#define SYM {.c = "IVOO"}
#define E4(x) {.e9 = (x) * GN_PX_E9_PER_E4}

struct row {
	const char *bytes;
	gn_symbol symbol;
	struct gn_md md;
};

static const struct row rows[] = {
	{"'A'" HEAD "0000000166b53e42 'S' 00000640 'IVOO    ' 000d55ac", SYM,
		{.kind = GN_MD_ADD, .side = GN_SELL,
			.order = {.ref = 0x166b53e42, .px = E4(0xd55ac), .qty = 1600}}},
	{"'F'" HEAD "0000000166b53e42 'B' 00000001 'IVOO    ' 77359400 'MFGM'", SYM,
		{.kind = GN_MD_ADD, .side = GN_BUY,
			.order = {.ref = 0x166b53e42, .aux2 = 0x4d46474d, .px = {.e9 = INT64_C(200000) * 1000000000}, .qty = 1}}},
	{"'E'" HEAD "0000000166929a00 00000019 fedcba9876543210", {.word = 0},
		{.kind = GN_MD_EXEC, .order = {.ref = 0x166929a00, .aux2 = 0xfedcba9876543210, .qty = 25}}},
	{"'C'" HEAD "0000000166929a00 00000019 0000000003e63b00 'Y' 00000001", {.word = 0},
		{.kind = GN_MD_EXEC_PX, .flags = GN_MD_F_PRINTABLE,
			.order = {.ref = 0x166929a00, .aux2 = 0x3e63b00, .px = E4(1), .qty = 25}}},
	{"'C'" HEAD "0000000166929a00 00000019 0000000003e63b00 'N' ffffffff", {.word = 0},
		{.kind = GN_MD_EXEC_PX, .order = {.ref = 0x166929a00, .aux2 = 0x3e63b00, .px = E4(UINT32_MAX), .qty = 25}}},
	{"'X'" HEAD "ffffffffffffffff ffffffff", {.word = 0},
		{.kind = GN_MD_REDUCE, .order = {.ref = UINT64_MAX, .qty = UINT32_MAX}}},
	{"'D'" HEAD "00000001668bd600", {.word = 0}, {.kind = GN_MD_DELETE, .order = {.ref = 0x1668bd600}}},
	{"'U'" HEAD "00000000e6897f00 0000000145f2c700 00000064 001036c8", {.word = 0},
		{.kind = GN_MD_REPLACE, .order = {.ref = 0xe6897f00, .aux2 = 0x145f2c700, .px = E4(0x1036c8), .qty = 100}}},
	{"'P'" HEAD "0000000000000000 'B' 00000007 'IVOO    ' 000d55ac 00000000000003e6", SYM,
		{.kind = GN_MD_TRADE, .side = GN_BUY, .order = {.aux2 = 0x3e6, .px = E4(0xd55ac), .qty = 7}}},
	{"'Q'" HEAD "0000000100000000 'IVOO    ' 000d55ac 00000000000003e6 'O'", SYM,
		{.kind = GN_MD_CROSS, .code = 'O', .order = {.aux2 = 0x3e6, .px = E4(0xd55ac), .qty = INT64_C(1) << 32}}},
	{"'B'" HEAD "00000000000003e6", {.word = 0}, {.kind = GN_MD_BROKEN, .order = {.aux2 = 0x3e6}}},
	{"'S'" HEAD "'Q'", {.word = 0}, {.kind = GN_MD_SYSTEM, .code = 'Q'}},
	{"'R'" HEAD "'IVOO    ' 'P' 'N' 00000064 'Y' 'Q' 'AB' 'P' 'Z' ' ' '1' 'N' 00000003 'Y'", SYM,
		{.kind = GN_MD_DIRECTORY,
			.directory = {.symbol = SYM, .round_lot = 100, .market_category = 'P', .financial_status = 'N',
				.round_lots_only = 'Y', .issue_class = 'Q', .issue_subtype = {'A', 'B'}, .authenticity = 'P',
				.short_sale_threshold = 'Z', .ipo = ' ', .luld_tier = '1', .etp = 'N', .inverse = 'Y',
				.etp_leverage = 3, .venue_id = LOCATE}}},
	{"'H'" HEAD "'IVOO    ' 'P' ' ' 'LUDP'", SYM,
		{.kind = GN_MD_STATE, .code = 'P', .state = {.reason = {'L', 'U', 'D', 'P'}, .market = ' '}}},
	{"'h'" HEAD "'IVOO    ' 'X' 'H'", SYM, {.kind = GN_MD_HALT, .code = 'H', .state = {.market = 'X'}}},
	{"'Y'" HEAD "'IVOO    ' '1'", SYM, {.kind = GN_MD_SHORT_SALE, .code = '1'}},
	{"'L'" HEAD "'MAXM' 'IVOO    ' 'Y' 'N' 'A'", SYM,
		{.kind = GN_MD_PARTICIPANT,
			.participant = {.mpid = {'M', 'A', 'X', 'M'}, .primary = 'Y', .mode = 'N', .state = 'A'}}},
	{"'V'" HEAD "0000000000000001 00000055fa81aa00 0ccccccccccccccc", {.word = 0},
		{.kind = GN_MD_MWCB_LEVELS,
			.mwcb = {.level = {{.e9 = 10}, {.e9 = INT64_C(0x55fa81aa00) * 10}, {.e9 = INT64_C(0xccccccccccccccc) * 10}}}}},
	{"'W'" HEAD "'2'", {.word = 0}, {.kind = GN_MD_MWCB_STATUS, .code = '2'}},
	{"'K'" HEAD "'IVOO    ' 0000a8c0 'A' 0007a120", SYM,
		{.kind = GN_MD_IPO, .code = 'A', .ipo = {.px = E4(500000), .release_s = 43200}}},
	{"'J'" HEAD "'IVOO    ' 0000000a 0000000b 00000009 00000002", SYM,
		{.kind = GN_MD_COLLAR, .collar = {.reference = E4(10), .upper = E4(11), .lower = E4(9), .extension = 2}}},
	{"'I'" HEAD "0000000000000001 0000000000000100 'N' 'IVOO    ' 00071610 00071611 00071612 'O' 'L'", SYM,
		{.kind = GN_MD_IMBALANCE,
			.imbalance = {.paired = 1, .imbalance = 256, .far_e4 = 0x71610, .near_e4 = 0x71611, .reference_e4 = 0x71612,
				.direction = 'N', .cross = 'O', .variation = 'L'}}},
	{"'N'" HEAD "'IVOO    ' 'A'", SYM, {.kind = GN_MD_RETAIL, .code = 'A'}},
	{"'O'" HEAD "'IVOO    ' 'Y' 00000001 00000002 00000003 0000000000000004 00000005 00000006", SYM,
		{.kind = GN_MD_DISCOVERY, .code = 'Y',
			.discovery = {.near_time_ns = 4, .min_e4 = 1, .max_e4 = 2, .near_e4 = 3, .collar_lower_e4 = 5,
				.collar_upper_e4 = 6}}},
};

static struct gn_md md, nothing;
static uint16_t locate;
static uint8_t msg[256], again[256];

static void assert_row(const struct row *r)
{
	uint32_t bytes = data_hex(r->bytes, msg);
	struct gn_md want = r->md;

	want.exch_ns = NS;
	memset(&md, 0, sizeof(md));
	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK, "%c", msg[0]);
	cr_expect_arr_eq(&md, &want, sizeof(md), "event of %c", msg[0]);
	cr_expect_eq(locate, LOCATE);
	cr_expect_eq(itch50_symbol(msg, bytes).word, r->symbol.word, "symbol of %c", msg[0]);
	memset(again, 0xee, sizeof(again));
	cr_expect_eq(itch50_encode(&md, LOCATE, TRACKING, r->symbol, again), bytes);
	cr_expect_arr_eq(again, msg, bytes, "bytes of %c", msg[0]);
	cr_expect_eq(again[bytes], 0xee, "%c is written past its end", msg[0]);
}

TestSuite(itch50, .timeout = 30);

Test(itch50, survives_decode_and_encode_in_every_type_of_the_specification)
{
	char seen[256] = {0};

	for (size_t i = 0; i < GN_ARRAY_SIZE(rows); i++) {
		assert_row(&rows[i]);
		seen[msg[0]] = 1;
	}
	for (const char *t = ITCH50_TYPES; *t != '\0'; t++)
		cr_expect(seen[(uint8_t)*t], "no row for %c", *t);
}

Test(itch50, knows_exactly_the_types_of_the_specification)
{
	static const struct { char type; uint8_t bytes; } spec[] = {
		{'S', 12}, {'R', 39}, {'H', 25}, {'Y', 20}, {'L', 26}, {'V', 35}, {'W', 12}, {'K', 28}, {'J', 35}, {'h', 21},
		{'A', 36}, {'F', 40}, {'E', 31}, {'C', 36}, {'X', 23}, {'D', 19}, {'U', 35}, {'P', 44}, {'Q', 40}, {'B', 19},
		{'I', 50}, {'N', 20}, {'O', 48}};
	uint32_t n = 0;

	for (size_t i = 0; i < GN_ARRAY_SIZE(spec); i++)
		cr_expect_eq(itch50_bytes((uint8_t)spec[i].type), spec[i].bytes, "%c", spec[i].type);
	for (uint32_t t = 0; t < 256; t++)
		n += itch50_bytes((uint8_t)t) != 0;
	cr_expect_eq(n, 23);
	cr_expect_eq(strlen(ITCH50_TYPES), 23);
}

Test(itch50, refuses_every_other_length_of_every_type_and_leaves_the_event_alone)
{
	for (uint32_t type = 0; type < 256; type++) {
		for (uint32_t bytes = 0; bytes < 64; bytes++) {
			enum itch50_result want = bytes == 0 ? ITCH50_WRONG_LENGTH
				: itch50_bytes((uint8_t)type) == 0 ? ITCH50_UNKNOWN
				: itch50_bytes((uint8_t)type) == bytes ? ITCH50_OK : ITCH50_WRONG_LENGTH;
			/* just as long as it claims: the sanitizer sees a read past it */
			uint8_t *exact = malloc(bytes + 1);
			uint8_t *at = exact + 1;

			memset(at, 0, bytes);
			if (bytes != 0)
				at[0] = (uint8_t)type;
			md = nothing;
			locate = 7;
			cr_assert_eq(itch50_decode(at, bytes, &md, &locate), want, "type %u, %u bytes", type, bytes);
			if (want != ITCH50_OK) {
				cr_assert_arr_eq(&md, &nothing, sizeof(md));
				cr_assert_eq(locate, 7);
				cr_assert_eq(itch50_symbol(at, bytes).word, 0);
			}
			free(exact);
		}
	}
}

Test(itch50, tames_what_the_specification_rules_out)
{
	uint32_t bytes = data_hex("'A'" HEAD "0000000000000001 'b' 00000001 'IVOO    ' 00000001", msg);

	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	cr_expect_eq(md.side, 0);
	bytes = data_hex("'C'" HEAD "0000000000000001 00000001 0000000000000001 'y' 00000001", msg);
	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	cr_expect_eq(md.flags, 0);
	bytes = data_hex("'Q'" HEAD "ffffffffffffffff 'IVOO    ' 000d55ac 00000000000003e6 'O'", msg);
	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	cr_expect_eq(md.order.qty, INT64_MAX);
	bytes = data_hex("'V'" HEAD "ffffffffffffffff 0ccccccccccccccd 0ccccccccccccccc", msg);
	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	cr_expect_eq(md.mwcb.level[0].e9, INT64_MAX / 10 * 10);
	cr_expect_eq(md.mwcb.level[1].e9, INT64_MAX / 10 * 10);
	cr_expect_eq(md.mwcb.level[2].e9, INT64_MAX / 10 * 10);
}

Test(itch50, has_no_message_for_what_the_engine_makes)
{
	for (uint32_t kind = 0; kind < 256; kind++) {
		bool venue = kind > GN_MD_NONE && kind < GN_MD_STALE;

		md = (struct gn_md){.kind = (uint8_t)kind};
		cr_expect_eq(itch50_encode(&md, 1, 1, (gn_symbol){.word = 0}, again) != 0, venue, "kind %u", kind);
	}
}

Test(itch50, pads_symbols_of_every_length)
{
	static const char *const wire[] = {"        ", "A       ", "AA      ", "AAP     ", "AAPL    ", "BRK.A   ", "ABCDEF  ",
		"ABCDEFG ", "ABCDEFGH", " BC     ", "A C     "};
	static const char *const text[] = {"", "A", "AA", "AAP", "AAPL", "BRK.A", "ABCDEF", "ABCDEFG", "ABCDEFGH", " BC", "A C"};
	uint32_t bytes = data_hex("'Y'" HEAD "'        ' '0'", msg);

	for (size_t i = 0; i < GN_ARRAY_SIZE(wire); i++) {
		gn_symbol want = {.word = 0};

		memcpy(want.c, text[i], strlen(text[i]));
		memcpy(msg + 11, wire[i], 8);
		cr_expect_eq(itch50_symbol(msg, bytes).word, want.word, "'%s'", wire[i]);
		itch50_decode(msg, bytes, &md, &locate);
		itch50_encode(&md, LOCATE, TRACKING, want, again);
		cr_expect_arr_eq(again, msg, bytes);
	}
}

Test(itch50, decodes_random_messages_into_events_that_encode_to_themselves)
{
	uint64_t seed = data_seed(1), state = seed;

	for (uint32_t i = 0; i < 200000; i++) {
		struct gn_md first, second;
		uint8_t type = (uint8_t)ITCH50_TYPES[data_random(&state) % 23];
		uint32_t bytes = itch50_bytes(type);

		for (uint32_t k = 0; k < bytes; k++)
			msg[k] = (uint8_t)data_random(&state);
		msg[0] = type;
		memset(&first, 0, sizeof(first));
		memset(&second, 0, sizeof(second));
		cr_assert_eq(itch50_decode(msg, bytes, &first, &locate), ITCH50_OK);

		uint32_t n = itch50_encode(&first, locate, wire_u16(msg + 3), itch50_symbol(msg, bytes), again);

		cr_assert_eq(itch50_decode(again, n, &second, &locate), ITCH50_OK);
		cr_assert_arr_eq(&first, &second, sizeof(first), "seed %" PRIu64 ", message %u, type %c", seed, i, type);
	}
}

static uint32_t assert_identity(const uint8_t *m, uint32_t bytes)
{
	memset(&md, 0, sizeof(md));
	cr_assert_eq(itch50_decode(m, bytes, &md, &locate), ITCH50_OK);
	cr_assert_eq(itch50_encode(&md, locate, wire_u16(m + 3), itch50_symbol(m, bytes), again), bytes);
	cr_assert_arr_eq(again, m, bytes, "%c", m[0]);
	return md.kind;
}

static uint32_t assert_file(const char *name)
{
	uint32_t bytes, n = 0;
	const uint8_t *file = data_load(name, &bytes);

	for (uint32_t at = 0; at < bytes; n++) {
		assert_identity(file + at + 2, wire_u16(file + at));
		at += 2u + wire_u16(file + at);
		cr_assert_leq(at, bytes);
	}
	return n;
}

Test(itch50, reproduces_a_recorded_trading_day_byte_for_byte)
{
	cr_expect_eq(assert_file("nasdaq/aapl_20191230_first25000.itch"), 25000);
}

Test(itch50, reproduces_the_recorded_start_of_a_day_byte_for_byte)
{
	cr_expect_eq(assert_file("nasdaq/day_head_1000msg.itch"), 1000);
}

Test(itch50, reproduces_recorded_packets_byte_for_byte)
{
	static const struct { const char *file; uint32_t kind; } packets[] = {
		{"AddOrderNoMpidAttributionMessage", GN_MD_ADD}, {"MarketParticipantPositionMessage", GN_MD_PARTICIPANT},
		{"NetOrderImbalanceIndicatorMessage", GN_MD_IMBALANCE}, {"OrderDeleteMessage", GN_MD_DELETE},
		{"OrderExecutedMessage", GN_MD_EXEC}, {"OrderReplaceMessage", GN_MD_REPLACE}, {"StockTradingActionMessage", GN_MD_STATE}};

	for (size_t i = 0; i < GN_ARRAY_SIZE(packets); i++) {
		char name[128];
		uint32_t bytes;

		snprintf(name, sizeof(name), "nasdaq/itch_pcap/%s.pcap", packets[i].file);

		const uint8_t *datagram = data_payload(name, &bytes);

		cr_assert_eq(22u + wire_u16(datagram + 20), bytes);
		cr_expect_eq(assert_identity(datagram + 22, bytes - 22), packets[i].kind);
	}
}
