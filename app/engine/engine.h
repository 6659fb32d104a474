/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_H
#define ENGINE_H

/**
 * @file
 * An engine: everything that a config file describes, put together, started and stopped. Cold; one thread.
 */

#include "app/capture/capture_stage.h"
#include "app/config/engine_config.h"
#include "app/control/place.h"
#include "app/engine/latency.h"
#include "app/engine/figures.h"
#include "app/engine/topology.h"
#include "app/threads.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/instruments.h"
#include "pinning/clock_report.h"
#include "risk/risk_stage.h"

struct engine;

struct engine_options {
	const char *config_path;
	const char *topology_path; /* NULL: the one that the config names */
	const char *journal_path;  /* NULL: the one that the config names */
	const char *output_folder; /* where a new journal goes when neither names one */
};

/**
 * Load the files, make every part, wire it, and run every init: nothing moves yet.
 *
 * @return
 *   NULL with gn_err_text(): nothing is left behind.
 */
struct engine *engine_new(const struct engine_options *o);

/** Start the threads. 0 or -errno. */
int engine_start(struct engine *e);

/** To be called about every millisecond while it runs: clock, latency figures, quarantine. */
void engine_tend(struct engine *e);

/**
 * Begin a clean stop: cancel every open order; engine_stopped() then drives it on: log out, close.
 */
void engine_stop_begin(struct engine *e);

/** Carry on with a clean stop. True: everything is cancelled and logged out, or a part would not within its time. */
bool engine_stopped(struct engine *e);

/** Stop the threads, end every stage and free all. False: the stop was not clean (orders open, session not closed). */
bool engine_free(struct engine *e);

/** Stop the threads only; figures stay readable. */
void engine_halt(struct engine *e);

const char *engine_name(const struct engine *e);
const char *engine_journal_path(const struct engine *e);
const char *engine_topology_path(const struct engine *e);
/** To begin and end captures with; the caller is the one asker. */
struct capture_control *engine_capture(struct engine *e);
struct gn_stats *engine_stats(const struct engine *e);
struct latency *engine_latency(const struct engine *e);

/** Source of the engine's time, its offset and its bounds. The thread that calls engine_tend(). */
void engine_clock(const struct engine *e, struct gn_clock_report *out);
/** The port's clock against ours; false: it stamps nothing, or its clock cannot be read. The same thread. */
bool engine_port_clock(const struct engine *e, struct gn_clock_status *out);
void engine_snapshot(const struct engine *e, struct risk_snapshot *out);
uint32_t engine_strategies(const struct engine *e);
const char *engine_strategy_name(const struct engine *e, uint32_t strategy);
const struct gn_wiring *engine_wiring(const struct engine *e);

/** What operators act on. */
struct risk_control *engine_control(const struct engine *e);
const struct engine_section *engine_section(const struct engine *e);
struct gn_instruments *engine_instruments(const struct engine *e);
struct figures *engine_figures(struct engine *e);
const struct control_place *engine_place(const struct engine *e);
/** A clean stop has begun. */
bool engine_is_stopping(const struct engine *e);

/** What stopping could not finish, in words; "" when all was clean. */
const char *engine_stop_trouble(const struct engine *e);

#endif
