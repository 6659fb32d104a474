/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_WATCH_H
#define RISK_WATCH_H

/** @file What trips a kill switch by itself. */

#include "risk.h"

/** After a fill: repeated executions, market-maker protection, loss. Bounded. */
void watch_fill(struct risk *r, const struct order *o, const struct gn_exec *e, uint64_t now_tsc);

/** After a reject by the venue: reject storm. */
void watch_reject(struct risk *r, uint32_t strategy, uint64_t now_tsc);
#endif
