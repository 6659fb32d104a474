/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/itch50.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X)                                                                                            \
	X(UNKNOWN) X(WRONG_LENGTH) X(EMPTY) X(BUY) X(SELL) X(NO_SIDE) X(PRINTABLE) X(ATTRIBUTED) X(SYMBOL)      \
	X(ADD) X(EXEC) X(EXEC_PX) X(REDUCE) X(DELETE) X(REPLACE) X(TRADE) X(CROSS) X(BROKEN) X(SYSTEM)          \
	X(DIRECTORY) X(STATE) X(HALT) X(SHORT_SALE) X(PARTICIPANT) X(MWCB_LEVELS) X(MWCB_STATUS) X(IPO)         \
	X(COLLAR) X(IMBALANCE) X(RETAIL) X(DISCOVERY)
FUZZ_DECLARE_MARKERS(MARKERS);
_Static_assert(MARK_DISCOVERY - MARK_ADD == GN_MD_DISCOVERY - GN_MD_ADD, "markers follow the kinds");

static void mark(const struct gn_md *md, gn_symbol symbol)
{
	marker_hits[MARK_ADD + md->kind - GN_MD_ADD]++;
	if (symbol.word != 0)
		FUZZ_REACH(SYMBOL);
	if (md->kind == GN_MD_ADD) {
		marker_hits[md->side == GN_BUY ? MARK_BUY : md->side == GN_SELL ? MARK_SELL : MARK_NO_SIDE]++;
		if (md->order.aux2 != 0)
			FUZZ_REACH(ATTRIBUTED);
	}
	if (md->flags & GN_MD_F_PRINTABLE)
		FUZZ_REACH(PRINTABLE);
}

static void one(const uint8_t *data, size_t bytes)
{
	struct gn_md first = {0}, second = {0};
	uint16_t locate = 0, locate_again = 0;
	uint8_t again[ITCH50_BYTES_MAX];
	enum itch50_result rc = itch50_decode(data, (uint32_t)bytes, &first, &locate);
	gn_symbol symbol = itch50_symbol(data, (uint32_t)bytes);

	if (bytes == 0)
		FUZZ_REACH(EMPTY);
	if (rc != ITCH50_OK) {
		marker_hits[rc == ITCH50_UNKNOWN ? MARK_UNKNOWN : MARK_WRONG_LENGTH]++;
		FUZZ_CHECK(symbol.word == 0 && first.kind == GN_MD_NONE);
		return;
	}
	FUZZ_CHECK(first.kind > GN_MD_NONE && first.kind < GN_MD_STALE);
	FUZZ_CHECK(first.order.qty >= 0 || first.kind > GN_MD_BROKEN);
	mark(&first, symbol);

	uint32_t n = itch50_encode(&first, locate, wire_u16(data + 3), symbol, again);

	FUZZ_CHECK(n != 0 && n <= sizeof(again));
	FUZZ_CHECK(itch50_decode(again, n, &second, &locate_again) == ITCH50_OK);
	FUZZ_CHECK(memcmp(&first, &second, sizeof(first)) == 0);
	FUZZ_CHECK(locate == locate_again && itch50_symbol(again, n).word == symbol.word);
	FUZZ_CHECK(wire_u16(again + 3) == wire_u16(data + 3));
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	if (n >= strlen(ITCH50_TYPES))
		return -1;

	uint8_t type = (uint8_t)ITCH50_TYPES[n];
	uint32_t bytes = itch50_bytes(type);

	for (uint32_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)("AAPL    YBS"[i % 11]);
	out[0] = type;
	if (type == 'A' || type == 'F')
		out[19] = type == 'A' ? 'B' : 'S';
	if (type == 'C')
		out[31] = 'Y';
	return (int32_t)bytes;
}

const struct fuzz_target fuzz_target_itch50;
const struct fuzz_target fuzz_target_itch50 = {
	.name = "itch50", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
