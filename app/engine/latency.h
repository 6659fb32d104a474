/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_LATENCY_H
#define ENGINE_LATENCY_H

/**
 * @file
 * Tick-to-trade by hop: joins the stamps of all cores' trace rings into histograms. Cold thread only.
 *
 * What is measured: from the moment the port returned a datagram to the moment it accepted the frame of an order that
 * this datagram caused. Every hop is the time between two neighbouring stamps, so the hops of one order add up to its
 * total. Times are of the time-stamp counter of the cores involved.
 */

#include "dataplane/runtime/histogram.h"
#include "dataplane/runtime/wiring.h"

enum latency_row {
	LATENCY_FEED,     /* rx > feed: waited in the burst, headers parsed, handed over */
	LATENCY_BOOK,     /* feed > book: decoded, applied, view made */
	LATENCY_STRATEGY, /* book > strategy: decided */
	LATENCY_RISK,     /* strategy > risk: checked */
	LATENCY_GATEWAY,  /* risk > gateway: encoded, handed to TCP */
	LATENCY_WIRE,     /* gateway > wire: accepted by the port */
	LATENCY_TOTAL,    /* rx > wire: tick to trade */
	LATENCY_REPORT,   /* rx > strategy: a report's way back */
	LATENCY_PORT,     /* port > rx: from the port's own time stamp until rx had the datagram; empty where none is stamped */
	LATENCY_ROWS
};

struct latency;

/** Collector over every thread of a sealed wiring. NULL with gn_err_text(). */
struct latency *latency_new(const struct gn_wiring *w, double ns_per_tick);
void latency_free(struct latency *l);

/** Read what the rings hold; to be called every few milliseconds, since the rings overwrite. */
void latency_collect(struct latency *l);

const struct gn_hist *latency_hist(const struct latency *l, enum latency_row row);

/** "rx > feed" */
const char *latency_row_name(enum latency_row row);

/** Stamps that were overwritten before they were read: the figures are then a sample. */
uint64_t latency_lost(const struct latency *l);

/** Write the slowest orders with all stamps around them (latency_worst.h). 0 or -errno with gn_err_text(). */
int latency_write_worst(const struct latency *l, const char *path);

/** The table of all rows with p50, p99, p99.9, p99.99, max and count. */
void latency_print(const struct latency *l, FILE *out);

/**
 * The total as one JSON line, all hops inside.
 *
 * @param more
 *   Further members, each with a comma behind it; or "".
 */
void latency_print_json(const struct latency *l, const char *more, FILE *out);

/**
 * Write latency.svg (by gnuplot), one .hgrm file a row and latency-worst.txt into a folder.
 *
 * @param svg_path
 *   Filled with the path of the plot.
 * @return
 *   0, or -errno with gn_err_text(); without gnuplot the .hgrm files are still there.
 */
int latency_plot(const struct latency *l, const char *folder, char *svg_path, size_t svg_path_bytes);

#endif
