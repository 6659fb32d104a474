/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_HOST_REPORT_H
#define GN_HOST_REPORT_H

/** @file What the rows found, for people and for programs; and the settings that only a boot can change. Cold path. */

#include <stdio.h>

#include "host_check.h"

/** Check every row and write it as text, worst first. @return the worst state. */
enum gn_host_state gn_host_print_text(const struct gn_host_view *v, FILE *out);

/** The same as one JSON object: cores, model, state, and the rows in their own order. */
enum gn_host_state gn_host_print_json(const struct gn_host_view *v, FILE *out);

/** One line: the kernel parameters that give the cores of the view to polling threads. */
void gn_host_print_boot(const struct gn_host_view *v, FILE *out);

/** A profile for tuned with the same, and with what the rows would change at run time. */
void gn_host_print_tuned(const struct gn_host_view *v, FILE *out);

#endif
