/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_TYPES_H
#define GANNET_TYPES_H

/**
 * @file
 * The vocabulary: prices, quantities, identifiers, sides and times.
 *
 * Units live in names (`_ns`, `_tsc`, `_bytes`, `_e9`), scales live in types. Time is `uint64_t *_ns` since the Unix
 * epoch; `*_tsc` are raw ticks of the invariant time-stamp counter, used on the hot path only.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Price in 1e-9 quote units. The scale is the field name: no line can use a price without saying it. */
typedef struct {
	int64_t e9;
} gn_px;

typedef int64_t gn_qty;   /* count of the instrument's quantity step (1 share, 0.1 contract), never notional */
typedef uint32_t gn_inst; /* dense index into our tables, never the venue's identifier */
typedef uint64_t gn_oid;  /* our order id: strategy index and a count; zero is no order */
typedef uint8_t gn_side;

enum {
	GN_BUY = 1,
	GN_SELL = 2, /* zero is no side: zeroed memory is never a valid order */
};

#define GN_INST_NONE UINT32_MAX
#define GN_SYMBOL_BYTES 8           /* symbols are padded with NUL, not terminated */
#define GN_PX_E9_PER_E4 INT64_C(100000) /* venue prices with four implied decimals */
#define GN_STRATEGIES_MAX 64u       /* a set of strategies is one 64-bit mask */

/** A venue symbol, up to eight characters, padded with NUL. Compared and hashed as one word. */
typedef union {
	char c[GN_SYMBOL_BYTES];
	uint64_t word;
} gn_symbol;

/** Notional in 1e-9 quote units, exact: 128 bits hold any price times any quantity. */
static inline __int128 gn_notional_e9(gn_px px, gn_qty qty)
{
	return (__int128)px.e9 * qty;
}

static inline gn_side gn_side_opposite(gn_side side)
{
	return (gn_side)(GN_BUY + GN_SELL - side);
}

#endif
