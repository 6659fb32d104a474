/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_SOFT_H
#define RISK_SOFT_H

/** @file Soft levels: a share of a limit whose passing is journaled and counted, once until it is left again. */

#include "risk.h"

/** Look at every owner. In housekeeping. */
void soft_check(struct risk *r, uint64_t now_tsc);

#endif
