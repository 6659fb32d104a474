/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_OPERATOR_H
#define CONTROL_OPERATOR_H

/**
 * @file
 * What operators may see and do of a running engine. Served by the engine's cold thread: every command goes to the risk
 * stage through its mailbox and comes back with an answer; no data-path thread waits for anybody.
 */

#include "app/engine/engine.h"

struct operator;

/**
 * Open the control socket; throw the kill switches that were thrown before and not released. Before the engine starts.
 *
 * @return
 *   NULL with gn_err_text().
 */
struct operator *operator_new(struct engine *e);

/** Serve whoever asks, for `ns` at most when nobody does. Between two calls of engine_tend(). */
void operator_serve(struct operator *o, int64_t ns);

/** Close the socket. Kill switches stay in their file. */
void operator_free(struct operator *o);

#endif
