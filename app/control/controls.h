/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_CONTROLS_H
#define CONTROL_CONTROLS_H

/**
 * @file
 * The controls as evidence: the tables of docs/controls.md, which is part of the program, so that what is exported is what
 * was built. A test holds them against risk/controls.h, from which the checks themselves are made.
 */

#include <jansson.h>

/** docs/controls.md as it was when this program was built. */
extern const char controls_text[];

/**
 * Every row of every table of controls: an array of objects with control, what, asked_for, where, config_keys, verdict,
 * test, and cost_instructions where the table has it.
 *
 * @return
 *   NULL with gn_err_text() when a row has not as many cells as its table's head.
 */
json_t *controls_json(const char *text);

#endif
