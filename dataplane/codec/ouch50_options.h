/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_OUCH50_OPTIONS_H
#define CODEC_OUCH50_OPTIONS_H

/**
 * @file
 * The optional fields of OUCH 5.0: an appendage is a run of elements, each u8 length (of tag and value), u8 tag, value.
 */

#include <stdbool.h>

#include "dataplane/codec/ouch50.h"

/** Every optional field: X(TAG NAME, tag, member, bytes on the wire, kind). Kinds: U number, I signed price, P price, C letters. */
#define OUCH50_OPTIONS(X)                             \
	X(SECONDARY_REF, 1, secondary_ref, 8, U)      \
	X(FIRM, 2, firm, 4, C)                        \
	X(MIN_QTY, 3, min_qty, 4, U)                  \
	X(CUSTOMER_TYPE, 4, customer_type, 1, C)      \
	X(MAX_FLOOR, 5, max_floor, 4, U)              \
	X(PRICE_TYPE, 6, price_type, 1, C)            \
	X(PEG_OFFSET, 7, peg_offset, 4, I)            \
	X(DISCRETION_PX, 9, discretion_px, 8, P)      \
	X(DISCRETION_TYPE, 10, discretion_type, 1, C) \
	X(DISCRETION_PEG, 11, discretion_peg, 4, I)   \
	X(POST_ONLY, 12, post_only, 1, C)             \
	X(RANDOM_RESERVES, 13, random_reserves, 4, U) \
	X(ROUTE, 14, route, 4, C)                     \
	X(EXPIRE_S, 15, expire_s, 4, U)               \
	X(TRADE_NOW, 16, trade_now, 1, C)             \
	X(HANDLE_INST, 17, handle_inst, 1, C)         \
	X(BBO_WEIGHT, 18, bbo_weight, 1, C)           \
	X(DISPLAY_QTY, 22, display_qty, 4, U)         \
	X(DISPLAY_PX, 23, display_px, 8, P)           \
	X(GROUP_ID, 24, group_id, 2, U)               \
	X(SHARES_LOCATED, 25, shares_located, 1, C)

#define OUCH50_TAG_NAME(NAME, tag, member, bytes, kind) OUCH50_TAG_##NAME = (tag),
enum ouch50_tag { OUCH50_OPTIONS(OUCH50_TAG_NAME) };
#undef OUCH50_TAG_NAME

/** Which ones are there: bit (1 << tag) of `present`; members without their bit are 0. Letters are not terminated. */
struct ouch50_options {
	uint32_t present;
	uint32_t n_unknown; /* elements of a tag that is not in the list, skipped */
	uint64_t secondary_ref;
	gn_px discretion_px, display_px;
	gn_px peg_offset, discretion_peg; /* may be negative */
	uint32_t min_qty, max_floor, random_reserves;
	uint32_t expire_s; /* since midnight, below 86400 */
	uint32_t display_qty;
	uint16_t group_id;
	char firm[4], route[4];
	char customer_type[1], price_type[1], discretion_type[1], post_only[1], trade_now[1], handle_inst[1], bbo_weight[1],
		shares_located[1];
};

static inline bool ouch50_options_has(const struct ouch50_options *o, enum ouch50_tag tag)
{
	return (o->present >> tag & 1) != 0;
}

/**
 * Read an appendage. Any thread; no allocation. A tag that comes twice: the last one counts.
 *
 * @return
 *   OUCH50_OK; OUCH50_BAD_APPENDAGE: an element of length 0, one that reaches past the end, or a known tag with a
 *   value of another size; OUCH50_BAD_PRICE.
 */
enum ouch50_result ouch50_options_decode(struct ouch50_appendage appendage, struct ouch50_options *o);

/**
 * Write an appendage: what `present` says, in the order of tags.
 *
 * @param data
 *   Room for OUCH50_APPENDAGE_BYTES_MAX.
 * @return
 *   Pointing to data; 0 bytes when nothing is present.
 */
struct ouch50_appendage ouch50_options_encode(const struct ouch50_options *o, uint8_t *data);

/** One element at a time, for those who need but one. */
struct ouch50_element {
	uint8_t tag;
	uint8_t bytes; /* of value */
	const uint8_t *value;
};

/**
 * The next element of an appendage, which is shortened by it. Hot path.
 *
 * @return
 *   False at the end, or where the elements do not add up (rest->bytes is then not 0).
 */
static inline bool ouch50_element_next(struct ouch50_appendage *rest, struct ouch50_element *e)
{
	if (rest->bytes < 2 || rest->data[0] == 0 || rest->data[0] > rest->bytes - 1)
		return false;
	e->tag = rest->data[1];
	e->bytes = (uint8_t)(rest->data[0] - 1);
	e->value = rest->data + 2;
	rest->bytes -= 1u + rest->data[0];
	rest->data += 1u + rest->data[0];
	return true;
}

#endif
