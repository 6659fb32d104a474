/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CONTROL_H
#define RISK_CONTROL_H

/** @file The stage's side of struct risk_control. */

#include "risk_stage.h"

/** Carry out one waiting command. True: there was one. The stage's thread. */
bool control_poll(struct risk_control *c, struct risk *r, uint64_t now_tsc);

/** True when a command waits. The stage's thread. */
bool control_waiting(const struct risk_control *c);

/** RISK_BLOCK_*: who blocks the engine past every queue. One relaxed load. */
uint32_t control_blocked(const struct risk_control *c);

/** Publish what is known now. The stage's thread; about a microsecond. */
void control_publish(struct risk_control *c, const struct risk *r, uint64_t now_tsc);

#endif
