/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_SETUP_H
#define RISK_SETUP_H

/** @file What follows from limits that changed: the numbers that the checks compare with. */

#include "risk.h"

/** Tightest per-order limits of a strategy: its own, its account's and the engine's. Cold. */
void setup_strategy(struct risk *r, uint32_t strategy);

/** The same for an instrument. */
void setup_inst(struct risk *r, gn_inst inst);

/** What the quick check compares with, after a gate opened or shut. */
void setup_strategy_top(struct risk *r, uint32_t strategy);
void setup_inst_top(struct risk *r, gn_inst inst);

/** Rooms of a scope after its limits went from `before` to what they are now. */
void setup_room(struct risk_scope *s, const struct risk_limits *before);

#endif
