/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_SHOW_H
#define CONTROL_SHOW_H

/** @file Tables for people, JSON for scripts, on standard output. 0 or -errno with gn_err_text(). */

#include <jansson.h>
#include <stdbool.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/stats.h"

struct show_options {
	const char *name, *instrument;
	bool json, all;
};

int show_latency(const struct show_options *o);
int show_lines(const struct show_options *o);
int show_stages(const struct show_options *o);
int show_risk(const struct show_options *o);
int show_clock(const struct show_options *o);
int show_controls(const struct show_options *o);

/** The figures of every line that brought something, out of published numbers: an array. For tests. */
json_t *show_lines_json(const struct gn_stats *s);

/** Print an answer as one line of JSON. Drops the reference. */
int show_json(json_t *answer);

#endif
