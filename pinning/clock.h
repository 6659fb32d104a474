/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CLOCK_H
#define GN_CLOCK_H

/**
 * @file
 * Time since the Unix epoch from a counter: ns = base_ns + (ticks - base_ticks) * rate. The time-stamp counter is one
 * such counter and follows the wall clock; the clock of a port is another one and follows ours.
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

/** The counter, and the clock that it follows; tests pass their own. */
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
	uint64_t n_steps; /* the wall clock jumped, or the counter was set back; ours followed */
	int64_t step_ns; /* the last jump */
	uint64_t n_backwards; /* reads of the counter that were below an earlier one: not synchronised between cores */
};

/* One reading of both clocks; the counter was read on both sides of the wall clock, window ticks apart. */
struct gn_clock_sample {
	uint64_t tsc, window;
	int64_t ns;
};

/** The side that keeps a clock on its course: one thread's own. */
struct gn_clock_keeper {
	struct gn_clock *clock; /* what it writes, and everyone reads */
	struct gn_clock_source source;
	struct gn_clock_sample anchor, half, last;
	uint64_t tsc_last;
	uint32_t n_back; /* updates in a row at which the counter was behind the last one */
	int64_t rate_q48;
	struct gn_clock_status status;
};

/**
 * Begin to keep a clock: measure its rate and its offset. Spins for about 20 ms of the source's wall clock.
 *
 * @param clock
 *   Zeroed: until this succeeds, readers get 0.
 * @return
 *   0 or -errno with gn_err_text(): a clock that stands still, or a rate that no counter has.
 */
int gn_clock_keep(struct gn_clock_keeper *k, struct gn_clock *clock, const struct gn_clock_source *source);

/**
 * Follow the wall clock: corrects rate and offset without a jump, unless the wall clock itself jumped.
 *
 * About every second; sooner than 100 ms after the last one it does nothing. 32 readings of the counter.
 */
void gn_clock_keep_up(struct gn_clock_keeper *k);

/** What the keeper knows. Its thread. */
struct gn_clock_status gn_clock_keeper_status(const struct gn_clock_keeper *k);

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

/**
 * The clock of a port, mapped to ours: its time stamps become times of the same scale.
 *
 * @param read
 *   Reads the port's clock, in whatever unit its stamps have (ticks, or nanoseconds of any epoch). The keeper's thread.
 */
int gn_clock_keep_port(struct gn_clock_keeper *k, struct gn_clock *clock, uint64_t (*read)(void *arg), void *arg);

/** Time of a count of any clock, before or after its calibration. Any thread; 2 ns. 0 before the calibration. */
static inline uint64_t gn_clock_convert(const struct gn_clock *c, uint64_t tsc)
{
	for (;;) {
		/* acquire pairs with the release stores in clock_publish() */
		uint32_t v = atomic_load_explicit(&c->version, memory_order_acquire);
		const struct gn_clock_line *l = &c->line[v & 1];
		uint64_t base_tsc = atomic_load_explicit(&l->base_tsc, memory_order_acquire);
		int64_t base_ns = atomic_load_explicit(&l->base_ns, memory_order_acquire);
		int64_t rate = atomic_load_explicit(&l->ns_per_tick_q48, memory_order_acquire);
		if (gn_likely(atomic_load_explicit(&c->version, memory_order_relaxed) == v))
			return (uint64_t)(base_ns
					  + (int64_t)((__int128)(int64_t)(tsc - base_tsc) * rate
						      >> GN_CLOCK_RATE_SHIFT));
	}
}

/** Time of a count of the time-stamp counter. */
static inline uint64_t gn_clock_ns_from_tsc(uint64_t tsc)
{
	return gn_clock_convert(&gn_clock_process, tsc);
}

/** Now. Any thread; the price of reading the counter and 2 ns. */
static inline uint64_t gn_clock_now_ns(void)
{
	return gn_clock_ns_from_tsc(gn_tsc());
}

/** Ticks in a duration, rounded down. Any thread; cold (a division). 0 before the calibration. */
uint64_t gn_clock_ticks_from_ns(uint64_t duration_ns);

#endif
