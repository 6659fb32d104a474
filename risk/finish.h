/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_FINISH_H
#define RISK_FINISH_H

/** @file The one way in which an order ends. */

#include "exposure.h"
#include "self_match.h"

/** Give back everything that an order holds, and its slot. A replacement that waits for it holds for itself from now on. */
void order_finish(struct risk *r, struct order *o);

#endif
