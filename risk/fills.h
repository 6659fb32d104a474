/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_FILLS_H
#define RISK_FILLS_H

/** @file Fills: booked once, remembered so that a replay is recognised and a broken trade can be taken back. */

#include "risk.h"

/** True when this fill of this order was booked already. match 0: never. */
bool fills_known(const struct risk *r, uint64_t match, gn_oid oid);

/** Book a fill of an order: position, money, rooms. */
void fills_apply(struct risk *r, const struct order *o, const struct gn_exec *e);

/** Take a fill back that the venue made void, and tell its strategy. */
void fills_break(struct risk *r, const struct gn_exec *e, uint64_t now_tsc);

/** Fee of a fill, 1e-9 quote units; negative: rebate. */
int64_t fills_fee_e9(const struct risk *r, uint8_t liquidity, gn_qty qty);

#endif
