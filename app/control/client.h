/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_CLIENT_H
#define CONTROL_CLIENT_H

/** @file The asking side of the control socket: one request, one answer. Cold, blocks. */

#include <jansson.h>

#include "place.h"

/**
 * Ask a running engine.
 *
 * @param request
 *   Taken over, whatever happens.
 * @return
 *   The answer, a new reference; NULL with gn_err_text(): nobody answers, or the engine says no.
 */
json_t *control_ask(const struct control_place *p, json_t *request);

#endif
