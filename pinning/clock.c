/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "dataplane/runtime/err.h"

#define NS_PER_MS (INT64_C(1) * 1000 * 1000)
#define NS_PER_S (INT64_C(1000) * NS_PER_MS)
#define CALIBRATE_NS (20 * NS_PER_MS)
#define CALIBRATE_READS_MAX (INT64_C(100) * 1000 * 1000) /* a wall clock that stands still ends in an error */
#define SAMPLE_TRIES 16
#define UPDATE_NS_MIN (100 * NS_PER_MS) /* a shorter interval would turn an error of reading into a steep line */
#define STEP_NS NS_PER_MS /* the wall clock is slewed, not stepped, below this */
#define SLEW_PPM_MAX 500 /* ours follows at most this fast */
#define RATE_SPAN_NS (64 * NS_PER_S) /* the rate is measured over one to two of these */

struct gn_clock gn_clock_process;

/* One reading of both clocks; the counter was read on both sides of the wall clock, window ticks apart. */
struct sample {
	uint64_t tsc, window;
	int64_t ns;
};

/* The calibrating thread's own. */
static struct {
	struct gn_clock_source source;
	struct sample anchor, half, last;
	uint64_t tsc_last;
	int64_t rate_q48;
	struct gn_clock_status status;
} clk;

static uint64_t source_tsc(void *arg)
{
	(void)arg;
	return gn_tsc();
}

static uint64_t source_wall_ns(void *arg)
{
	struct timespec ts;

	(void)arg;
	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * (uint64_t)NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t clock_read_tsc(void)
{
	uint64_t tsc = clk.source.tsc(clk.source.arg);

	if (tsc < clk.tsc_last)
		clk.status.n_backwards++;
	clk.tsc_last = tsc;
	return tsc;
}

/* The tightest of some tries: an interrupt between the reads shows as a wide window. */
static struct sample clock_sample(void)
{
	struct sample best = {.window = UINT64_MAX};

	for (int i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t before = clock_read_tsc();
		int64_t ns = (int64_t)clk.source.wall_ns(clk.source.arg);
		uint64_t window = clock_read_tsc() - before;
		if (window < best.window)
			best = (struct sample){.tsc = before + window / 2, .window = window, .ns = ns};
	}
	return best;
}

static int64_t ticks_to_ns(uint64_t ticks, int64_t rate_q48)
{
	return (int64_t)((__int128)(int64_t)ticks * rate_q48 >> GN_CLOCK_RATE_SHIFT);
}

static int64_t rate_between(const struct sample *from, const struct sample *to)
{
	return (int64_t)(((__int128)(to->ns - from->ns) << GN_CLOCK_RATE_SHIFT) / (int64_t)(to->tsc - from->tsc));
}

static void line_write(struct gn_clock_line *l, uint64_t base_tsc, int64_t base_ns, int64_t rate_q48)
{
	/* release: whoever sees one of these sees the version stored before it */
	atomic_store_explicit(&l->base_tsc, base_tsc, memory_order_release);
	atomic_store_explicit(&l->base_ns, base_ns, memory_order_release);
	atomic_store_explicit(&l->ns_per_tick_q48, rate_q48, memory_order_release);
}

static void clock_publish(uint64_t base_tsc, int64_t base_ns, int64_t rate_q48)
{
	uint32_t v = atomic_load_explicit(&gn_clock_process.version, memory_order_relaxed);

	atomic_store_explicit(&gn_clock_process.version, v + 1, memory_order_release);
	line_write(&gn_clock_process.line[0], base_tsc, base_ns, rate_q48);
	atomic_store_explicit(&gn_clock_process.version, v + 2, memory_order_release);
	line_write(&gn_clock_process.line[1], base_tsc, base_ns, rate_q48);
}

static bool processor_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
}

int gn_clock_calibrate_from(const struct gn_clock_source *source)
{
	int64_t n_reads = 0;

	memset(&clk, 0, sizeof(clk));
	clk.source = *source;
	struct sample a = clock_sample();
	while ((int64_t)clk.source.wall_ns(clk.source.arg) - a.ns < CALIBRATE_NS)
		if (++n_reads > CALIBRATE_READS_MAX)
			return gn_err(ETIME, "clock: the wall clock stands still");
	struct sample b = clock_sample();
	if (b.ns <= a.ns || (int64_t)(b.tsc - a.tsc) <= 0)
		return gn_err(ERANGE, "clock: in %lld ns of wall clock the time-stamp counter moved by %lld ticks",
			(long long)(b.ns - a.ns), (long long)(b.tsc - a.tsc));
	clk.anchor = a;
	clk.half = clk.last = b;
	clk.rate_q48 = rate_between(&a, &b);
	if (clk.rate_q48 <= 0 || clk.rate_q48 > INT64_C(1000) << GN_CLOCK_RATE_SHIFT)
		return gn_err(ERANGE, "clock: %lld ticks in %lld ns is no time-stamp counter",
			(long long)(b.tsc - a.tsc), (long long)(b.ns - a.ns));
	clk.status.calibrated = true;
	clk.status.invariant = processor_invariant();
	clk.status.bound_ns = clk.status.bound_ns_max = (uint64_t)ticks_to_ns(b.window, clk.rate_q48) / 2 + 1;
	clock_publish(b.tsc, b.ns, clk.rate_q48);
	return 0;
}

int gn_clock_calibrate(void)
{
	return gn_clock_calibrate_from(&(struct gn_clock_source){source_tsc, source_wall_ns, NULL});
}

/* The wall clock jumped: follow it, and measure the rate anew from here. */
static void clock_step(const struct sample *s, int64_t offset_ns)
{
	clk.status.n_steps++;
	clk.status.step_ns = offset_ns;
	clk.anchor = clk.half = *s;
	clock_publish(s->tsc, s->ns, clk.rate_q48);
}

/* Aim at the wall clock's line one interval ahead, from where our own line is now. */
static void clock_slew(const struct sample *s, int64_t offset_ns)
{
	int64_t interval_ns = s->ns - clk.last.ns;

	/* more than any drift explains: a jump that must not be taken for a rate */
	if ((offset_ns < 0 ? -offset_ns : offset_ns) > interval_ns / (1000 * 1000) * SLEW_PPM_MAX)
		clk.anchor = clk.half = *s;
	if (s->ns - clk.anchor.ns >= NS_PER_S)
		clk.rate_q48 = rate_between(&clk.anchor, s);
	if (s->ns - clk.half.ns >= RATE_SPAN_NS) {
		clk.anchor = clk.half;
		clk.half = *s;
	}
	int64_t slew_max = clk.rate_q48 / (1000 * 1000) * SLEW_PPM_MAX;
	__int128 slew = interval_ns > 0 ? (__int128)clk.rate_q48 * offset_ns / interval_ns : 0;
	slew = slew > slew_max ? slew_max : slew < -slew_max ? -slew_max : slew;
	uint64_t tsc = clock_read_tsc();
	clock_publish(tsc, (int64_t)gn_clock_ns_from_tsc(tsc), clk.rate_q48 + (int64_t)slew);
}

void gn_clock_update(void)
{
	if (!clk.status.calibrated)
		return;
	struct sample s = clock_sample();
	if ((int64_t)(s.tsc - clk.last.tsc) <= 0)
		return; /* counted in n_backwards */
	if (s.ns - clk.last.ns >= 0 && s.ns - clk.last.ns < UPDATE_NS_MIN)
		return;
	int64_t offset_ns = s.ns - (int64_t)gn_clock_ns_from_tsc(s.tsc);
	uint64_t read_ns = (uint64_t)ticks_to_ns(s.window, clk.rate_q48) / 2 + 1;

	clk.status.n_updates++;
	clk.status.offset_ns = offset_ns;
	if (offset_ns > STEP_NS || offset_ns < -STEP_NS) {
		clk.status.bound_ns = read_ns;
		clock_step(&s, offset_ns);
	} else {
		clk.status.bound_ns = (uint64_t)(offset_ns < 0 ? -offset_ns : offset_ns) + read_ns;
		if (clk.status.bound_ns > clk.status.bound_ns_max)
			clk.status.bound_ns_max = clk.status.bound_ns;
		clock_slew(&s, offset_ns);
	}
	clk.last = s;
}

struct gn_clock_status gn_clock_status(void)
{
	if (clk.rate_q48 > 0)
		clk.status.ticks_per_s = (uint64_t)(((__int128)NS_PER_S << GN_CLOCK_RATE_SHIFT) / clk.rate_q48);
	return clk.status;
}

uint64_t gn_clock_ticks_from_ns(uint64_t duration_ns)
{
	int64_t rate = atomic_load_explicit(&gn_clock_process.line[0].ns_per_tick_q48, memory_order_acquire);

	return rate > 0 ? (uint64_t)(((__int128)duration_ns << GN_CLOCK_RATE_SHIFT) / rate) : 0;
}
