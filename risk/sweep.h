/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_SWEEP_H
#define RISK_SWEEP_H

/**
 * @file
 * Mass cancel: walks the order table in bounded steps and cancels what a kill switch, a quarantine, a stop, or a cancel
 * that could not be sent asks for.
 */

#include "risk.h"

#define SWEEP_STEP 64u /* slots looked at in one poll */

/** Walk the whole table (again). */
void sweep_start(struct risk *r);

/** Cancel this order as soon as the session allows. */
void sweep_want(struct risk *r, struct order *o);

/** One step: sends at most one cancel. True: there was work. */
bool sweep_poll(struct risk *r, uint64_t now_tsc);

#endif
