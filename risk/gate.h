/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_GATE_H
#define RISK_GATE_H

/** @file One word a strategy and an instrument says whether it may open exposure now; computed when something changes. */

#include "risk.h"

/** Compute the gates again after a kill switch, the session or a quarantine changed. Cold: strategies + 1. */
void gate_strategies(struct risk *r);
void gate_inst(struct risk *r, gn_inst inst);

#endif
