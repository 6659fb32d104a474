/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_ITCH50_H
#define CODEC_ITCH50_H

/**
 * @file
 * NASDAQ TotalView-ITCH 5.0: one message <> one struct gn_md. Pure functions, any thread, no state.
 *
 * Which kind each type becomes: A F > ADD, E > EXEC, C > EXEC_PX, X > REDUCE, D > DELETE, U > REPLACE, P > TRADE,
 * Q > CROSS, B > BROKEN, S > SYSTEM, R > DIRECTORY, H > STATE, h > HALT, Y > SHORT_SALE, L > PARTICIPANT,
 * V > MWCB_LEVELS, W > MWCB_STATUS, K > IPO, J > COLLAR, I > IMBALANCE, N > RETAIL, O > DISCOVERY.
 *
 * What an event does not carry is given to the encoder: locate, tracking number, symbol. A message of the
 * specification therefore survives decode and encode byte for byte. What the specification rules out is tamed:
 * a side other than B and S becomes 0, a printable flag other than Y counts as N, a cross quantity past 2^63-1 and a
 * decline level past 2^63-1 e9 are clamped, an `F` whose attribution is four zero bytes is an `A`.
 */

#include <gannet/md.h>

#include "dataplane/codec/wire.h"
#include "dataplane/runtime/compiler.h"

#define ITCH50_HEAD_BYTES 11u  /* type, locate, tracking number, time stamp: every message has them */
#define ITCH50_BYTES_MAX 50u   /* longest message */
#define ITCH50_TYPES "SRHYLVWKJhAFECXDUPQBINO"

enum itch50_result {
	ITCH50_OK = 0,
	ITCH50_UNKNOWN,      /* no such type: skip it by its block length */
	ITCH50_WRONG_LENGTH, /* known type, other length, or empty: skip it too; something is wrong with the sender */
};

/**
 * Where the fields of a type are. Absent fields have offset 0 and mask 0, so that one code path reads every type.
 * `letter` is the side or the printable flag: what itch50_letter[] makes of it, masked, goes into the first four bytes of
 * the event together with `head`, which is the kind.
 */
struct itch50_layout {
	uint8_t order_bytes; /* length; 0: not one of A F E C X D U P */
	uint8_t bytes;       /* length; 0: no such type */
	uint8_t symbol;      /* offset; 0: carries none */
	uint8_t letter, qty, px, aux, reserved;
	uint32_t head, letter_mask, qty_mask, px_mask;
	uint64_t aux_mask;
};
_Static_assert(sizeof(struct itch50_layout) == 32, "two types a cache line");
_Static_assert(offsetof(struct gn_md, kind) == 0 && offsetof(struct gn_md, side) == 1 && offsetof(struct gn_md, flags) == 2
		&& offsetof(struct gn_md, code) == 3, "the head of an event is written as one word");

extern const struct itch50_layout itch50_layout[256];
extern const uint32_t itch50_letter[256];

/** Length of a message type, type byte included; 0: no such type. */
static inline uint32_t itch50_bytes(uint8_t type)
{
	return itch50_layout[type].bytes;
}

/** The venue's instrument number of a message of at least 3 bytes; 0 where it concerns no instrument. */
static inline uint16_t itch50_locate(const uint8_t *msg)
{
	return wire_u16(msg + 1);
}

/** Time stamp, ns since midnight, of a message of at least ITCH50_HEAD_BYTES. */
static inline uint64_t itch50_ns(const uint8_t *msg)
{
	return wire_u64(msg + 3) & UINT64_C(0xffffffffffff);
}

/** itch50_decode() for all that is not a well-formed A F E C X D U P. Cold. */
enum itch50_result itch50_decode_rare(const uint8_t *msg, uint32_t bytes, struct gn_md *md, uint16_t *locate);

/**
 * Decode one message.
 *
 * Any thread, hot path: no branch per type for A F E C X D U P, all others go through a switch. Reads no byte past
 * the message.
 *
 * @param msg
 *   First byte is the type. May be at any address.
 * @param bytes
 *   Its length as the transport says it.
 * @param md
 *   Everything is written but inst and rx_tsc. exch_ns is nanoseconds since midnight, flags are 0 or
 *   GN_MD_F_PRINTABLE. Untouched unless the result is ITCH50_OK.
 * @param locate
 *   The venue's instrument number (stock locate). Untouched unless the result is ITCH50_OK.
 */
static inline enum itch50_result itch50_decode(const uint8_t *msg, uint32_t bytes, struct gn_md *md, uint16_t *locate)
{
	if (gn_unlikely(bytes == 0))
		return ITCH50_WRONG_LENGTH;

	const struct itch50_layout *l = &itch50_layout[msg[0]];

	if (gn_unlikely(bytes != l->order_bytes))
		return itch50_decode_rare(msg, bytes, md, locate);

	uint32_t head = l->head | (itch50_letter[msg[l->letter]] & l->letter_mask);

	memcpy(md, &head, sizeof(head));
	*locate = itch50_locate(msg);
	md->exch_ns = itch50_ns(msg);
	md->order.ref = wire_u64(msg + 11);
	md->order.aux2 = wire_u64(msg + l->aux) & l->aux_mask;
	md->order.px.e9 = (int64_t)(wire_u32(msg + l->px) & l->px_mask) * GN_PX_E9_PER_E4;
	md->order.qty = (gn_qty)(wire_u32(msg + l->qty) & l->qty_mask);
	return ITCH50_OK;
}

/**
 * Symbol of a message, padded with NUL; the word is 0 when the type carries none, or when type or length are wrong.
 * Any thread; a few loads.
 */
gn_symbol itch50_symbol(const uint8_t *msg, uint32_t bytes);

/**
 * Encode one event.
 *
 * Any thread; no allocation, bounded.
 *
 * @param md
 *   exch_ns is taken modulo 2^48 (nanoseconds since midnight). Prices are cut to four decimals, quantities to 32
 *   bits (64 for a cross).
 * @param symbol
 *   Written, padded with blanks, where the type carries one.
 * @param out
 *   Room for ITCH50_BYTES_MAX.
 * @return
 *   Bytes written; 0 when ITCH has no message for this kind (those made by the engine).
 */
uint32_t itch50_encode(const struct gn_md *md, uint16_t locate, uint16_t tracking, gn_symbol symbol, uint8_t *out);

#endif
