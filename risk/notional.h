/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_NOTIONAL_H
#define RISK_NOTIONAL_H

/**
 * @file
 * Exposure in one word: price times quantity in units of 1024e-9 quote units, rounded away from zero.
 *
 * 64 bits hold 9.4e12 quote units. What was added for an order is what is taken off again, because both come from the
 * same price and quantity; so sums never drift. Money (profit, loss, fees) is kept exact, in 128 bits, in position.h.
 */

#include <gannet/types.h>

#define RISK_NTL_SHIFT 10
#define RISK_PX_E9_MAX (INT64_MAX / 4) /* two prices and their difference can be added */
#define RISK_QTY_MAX (INT64_C(1) << 44) /* so can many quantities */
#define RISK_NTL_MAX (INT64_MAX / 4) /* larger notionals read as this, which no limit reaches */

typedef int64_t risk_ntl;

/** Exposure of qty at px, both within the bounds above, neither negative. */
static inline risk_ntl risk_ntl_of(gn_px px, gn_qty qty)
{
	unsigned __int128 n =
		((unsigned __int128)(uint64_t)px.e9 * (uint64_t)qty + ((1u << RISK_NTL_SHIFT) - 1)) >> RISK_NTL_SHIFT;

	return n < RISK_NTL_MAX ? (risk_ntl)n : RISK_NTL_MAX;
}

/** The same for a position: negative when short. */
static inline risk_ntl risk_ntl_signed(gn_px px, gn_qty qty)
{
	return qty < 0 ? -risk_ntl_of(px, -qty) : risk_ntl_of(px, qty);
}

/** A limit in whole quote units as exposure: rounded down, saturated. */
static inline risk_ntl risk_ntl_from_quote(int64_t quote)
{
	__int128 n = ((__int128)quote * 1000000000) >> RISK_NTL_SHIFT;

	return n < RISK_NTL_MAX - 1 ? (risk_ntl)n : RISK_NTL_MAX - 1;
}

#endif
