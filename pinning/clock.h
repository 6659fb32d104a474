/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CLOCK_H
#define GN_CLOCK_H

/**
 * @file
 * Time since the Unix epoch from the time-stamp counter: ns = base_ns + (tsc - base_tsc) * rate.
 *
 * One cold thread calibrates and updates; every thread converts. A reader never waits: the line exists twice, and
 * the writer changes the copy that readers are not sent to.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane/runtime/compiler.h"

#define GN_CLOCK_RATE_SHIFT 48 /* fraction bits of a rate: below 1e-14 of relative error */

struct gn_clock_line {
	_Atomic uint64_t base_tsc;
	_Atomic int64_t base_ns;
	_Atomic int64_t ns_per_tick_q48;
};

struct gn_clock {
	GN_OWNED_BY(updater) _Atomic uint32_t version; /* odd: copy 0 is being written, readers take copy 1 */
	struct gn_clock_line line[2];
};
extern struct gn_clock gn_clock_process;

/** Where a calibration gets its time; tests pass their own. */
struct gn_clock_source {
	uint64_t (*tsc)(void *arg);
	uint64_t (*wall_ns)(void *arg);
	void *arg;
};

/** What is known of the quality of the time. */
struct gn_clock_status {
	bool calibrated;
	bool invariant; /* the processor promises one rate in every power state */
	uint64_t ticks_per_s;
	int64_t offset_ns; /* wall clock minus ours, at the last update */
	uint64_t bound_ns; /* |ours - wall clock| was at most this at the last update, read error included */
	uint64_t bound_ns_max; /* the worst of all updates since the calibration, steps left out */
	uint64_t n_updates;
	uint64_t n_steps; /* the wall clock jumped; ours followed */
	int64_t step_ns; /* the last jump */
	uint64_t n_backwards; /* reads of the counter that were below an earlier one: not synchronised between cores */
};

/** Calibrate against CLOCK_REALTIME. Spins for about 20 ms; once, before other threads convert. 0 or -errno. */
int gn_clock_calibrate(void);

/** The same from any source. */
int gn_clock_calibrate_from(const struct gn_clock_source *source);

/**
 * Follow the wall clock: corrects rate and offset without a jump, unless the wall clock itself jumped.
 *
 * The calibrating thread, about every second; sooner than 100 ms after the last one it does nothing. A microsecond.
 */
void gn_clock_update(void);

/** The calibrating thread. */
struct gn_clock_status gn_clock_status(void);

/** Time of a tick count, before or after the calibration. Any thread; 2 ns. 0 before the calibration. */
static inline uint64_t gn_clock_ns_from_tsc(uint64_t tsc)
{
	for (;;) {
		/* acquire pairs with the release stores in clock_publish() */
		uint32_t v = atomic_load_explicit(&gn_clock_process.version, memory_order_acquire);
		const struct gn_clock_line *l = &gn_clock_process.line[v & 1];
		uint64_t base_tsc = atomic_load_explicit(&l->base_tsc, memory_order_acquire);
		int64_t base_ns = atomic_load_explicit(&l->base_ns, memory_order_acquire);
		int64_t rate = atomic_load_explicit(&l->ns_per_tick_q48, memory_order_acquire);
		if (gn_likely(atomic_load_explicit(&gn_clock_process.version, memory_order_relaxed) == v))
			return (uint64_t)(base_ns
					  + (int64_t)((__int128)(int64_t)(tsc - base_tsc) * rate
						      >> GN_CLOCK_RATE_SHIFT));
	}
}

/** Now. Any thread; the price of reading the counter and 2 ns. */
static inline uint64_t gn_clock_now_ns(void)
{
	return gn_clock_ns_from_tsc(gn_tsc());
}

/** Ticks in a duration, rounded down. Any thread; cold (a division). 0 before the calibration. */
uint64_t gn_clock_ticks_from_ns(uint64_t duration_ns);

#endif
