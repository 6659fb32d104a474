/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_VIEW_H
#define RISK_VIEW_H

/** @file What is used of every limit of one owner, for people. Cold, but on the stage's thread: in bounded steps. */

#include "risk_stage.h"

#define VIEW_STEP 64u /* instruments looked at in one step */

/** Everything that needs no walk. False: there is no such owner. */
bool view_begin(struct risk_view *v, const struct risk *r, enum risk_level level, uint32_t index, uint64_t now_tsc);

/** The part that walks the instruments of a strategy: one step. False: it is complete. */
bool view_step(struct risk_view *v, const struct risk *r);

/** The figures of one owner, as they are published. */
struct risk_owner_snapshot view_owner(const struct risk_scope *s, const struct kill_switch *sw);

#endif
