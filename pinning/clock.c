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
#define BACK_TIMES 3u /* a counter that stays behind was set back, or begun anew */
#define STEP_NS NS_PER_MS /* the wall clock is slewed, not stepped, below this */
#define SLEW_PPM_MAX 500 /* ours follows at most this fast */
#define RATE_SPAN_NS (64 * NS_PER_S) /* the rate is measured over one to two of these */

struct gn_clock gn_clock_process;

static struct gn_clock_keeper process; /* the calibrating thread's own */

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

static uint64_t source_our_ns(void *arg)
{
	(void)arg;
	return gn_clock_now_ns();
}

static uint64_t keeper_read(struct gn_clock_keeper *k)
{
	uint64_t tsc = k->source.tsc(k->source.arg);

	if (tsc < k->tsc_last)
		k->status.n_backwards++;
	k->tsc_last = tsc;
	return tsc;
}

/* The tightest of some tries: an interrupt between the reads shows as a wide window. */
static struct gn_clock_sample keeper_sample(struct gn_clock_keeper *k)
{
	struct gn_clock_sample best = {.window = UINT64_MAX};

	for (int i = 0; i < SAMPLE_TRIES; i++) {
		uint64_t before = keeper_read(k);
		int64_t ns = (int64_t)k->source.wall_ns(k->source.arg);
		uint64_t window = keeper_read(k) - before;
		if (window < best.window)
			best = (struct gn_clock_sample){.tsc = before + window / 2, .window = window, .ns = ns};
	}
	return best;
}

static int64_t ticks_to_ns(uint64_t ticks, int64_t rate_q48)
{
	return (int64_t)((__int128)(int64_t)ticks * rate_q48 >> GN_CLOCK_RATE_SHIFT);
}

static int64_t rate_between(const struct gn_clock_sample *from, const struct gn_clock_sample *to)
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

static void clock_publish(struct gn_clock *c, uint64_t base_tsc, int64_t base_ns, int64_t rate_q48)
{
	uint32_t v = atomic_load_explicit(&c->version, memory_order_relaxed);

	atomic_store_explicit(&c->version, v + 1, memory_order_release);
	line_write(&c->line[0], base_tsc, base_ns, rate_q48);
	atomic_store_explicit(&c->version, v + 2, memory_order_release);
	line_write(&c->line[1], base_tsc, base_ns, rate_q48);
}

static bool processor_invariant(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && (d >> 8 & 1);
}

int gn_clock_keep(struct gn_clock_keeper *k, struct gn_clock *clock, const struct gn_clock_source *source)
{
	int64_t n_reads = 0;

	*k = (struct gn_clock_keeper){.clock = clock, .source = *source};
	struct gn_clock_sample a = keeper_sample(k);
	while ((int64_t)k->source.wall_ns(k->source.arg) - a.ns < CALIBRATE_NS)
		if (++n_reads > CALIBRATE_READS_MAX)
			return gn_err(ETIME, "clock: the wall clock stands still");
	struct gn_clock_sample b = keeper_sample(k);
	if (b.ns <= a.ns || (int64_t)(b.tsc - a.tsc) <= 0)
		return gn_err(ERANGE, "clock: in %lld ns of wall clock the counter moved by %lld ticks",
			(long long)(b.ns - a.ns), (long long)(b.tsc - a.tsc));
	k->anchor = a;
	k->half = k->last = b;
	k->rate_q48 = rate_between(&a, &b);
	if (k->rate_q48 <= 0 || k->rate_q48 > INT64_C(1000) << GN_CLOCK_RATE_SHIFT)
		return gn_err(ERANGE, "clock: %lld ticks in %lld ns is no clock's counter",
			(long long)(b.tsc - a.tsc), (long long)(b.ns - a.ns));
	k->status.calibrated = true;
	k->status.bound_ns = k->status.bound_ns_max = (uint64_t)ticks_to_ns(b.window, k->rate_q48) / 2 + 1;
	clock_publish(clock, b.tsc, b.ns, k->rate_q48);
	return 0;
}

/* One of the clocks jumped: follow the wall clock, and measure the rate anew from here. */
static void keeper_step(struct gn_clock_keeper *k, const struct gn_clock_sample *s, int64_t offset_ns)
{
	k->status.n_steps++;
	k->status.step_ns = offset_ns;
	k->anchor = k->half = *s;
	clock_publish(k->clock, s->tsc, s->ns, k->rate_q48);
}

/* Aim at the wall clock's line one interval ahead, from where our own line is now. */
static void keeper_slew(struct gn_clock_keeper *k, const struct gn_clock_sample *s, int64_t offset_ns)
{
	int64_t interval_ns = s->ns - k->last.ns;

	/* more than any drift explains: a jump that must not be taken for a rate */
	if ((offset_ns < 0 ? -offset_ns : offset_ns) > interval_ns / (1000 * 1000) * SLEW_PPM_MAX)
		k->anchor = k->half = *s;
	if (s->ns - k->anchor.ns >= NS_PER_S)
		k->rate_q48 = rate_between(&k->anchor, s);
	if (s->ns - k->half.ns >= RATE_SPAN_NS) {
		k->anchor = k->half;
		k->half = *s;
	}
	int64_t slew_max = k->rate_q48 / (1000 * 1000) * SLEW_PPM_MAX;
	__int128 slew = interval_ns > 0 ? (__int128)k->rate_q48 * offset_ns / interval_ns : 0;
	slew = slew > slew_max ? slew_max : slew < -slew_max ? -slew_max : slew;
	uint64_t tsc = keeper_read(k);
	clock_publish(k->clock, tsc, (int64_t)gn_clock_convert(k->clock, tsc), k->rate_q48 + (int64_t)slew);
}

void gn_clock_keep_up(struct gn_clock_keeper *k)
{
	if (!k->status.calibrated)
		return;
	struct gn_clock_sample s = keeper_sample(k);
	bool back = (int64_t)(s.tsc - k->last.tsc) <= 0;
	k->n_back = back ? k->n_back + 1 : 0;
	if (back && k->n_back < BACK_TIMES)
		return; /* a core whose counter is behind; counted in n_backwards */
	if (!back && s.ns - k->last.ns >= 0 && s.ns - k->last.ns < UPDATE_NS_MIN)
		return;
	int64_t offset_ns = s.ns - (int64_t)gn_clock_convert(k->clock, s.tsc);
	uint64_t read_ns = (uint64_t)ticks_to_ns(s.window, k->rate_q48) / 2 + 1;

	k->status.n_updates++;
	k->status.offset_ns = offset_ns;
	if (back || offset_ns > STEP_NS || offset_ns < -STEP_NS) {
		k->status.bound_ns = read_ns;
		keeper_step(k, &s, offset_ns);
	} else {
		k->status.bound_ns = (uint64_t)(offset_ns < 0 ? -offset_ns : offset_ns) + read_ns;
		if (k->status.bound_ns > k->status.bound_ns_max)
			k->status.bound_ns_max = k->status.bound_ns;
		keeper_slew(k, &s, offset_ns);
	}
	k->last = s;
}

struct gn_clock_status gn_clock_keeper_status(const struct gn_clock_keeper *k)
{
	struct gn_clock_status status = k->status;

	if (k->rate_q48 > 0)
		status.ticks_per_s = (uint64_t)(((__int128)NS_PER_S << GN_CLOCK_RATE_SHIFT) / k->rate_q48);
	return status;
}

int gn_clock_keep_port(struct gn_clock_keeper *k, struct gn_clock *clock, uint64_t (*read)(void *arg), void *arg)
{
	if (!process.status.calibrated)
		return gn_err(EINVAL, "clock: a port's clock needs ours first");
	return gn_clock_keep(k, clock, &(struct gn_clock_source){read, source_our_ns, arg});
}

int gn_clock_calibrate_from(const struct gn_clock_source *source)
{
	return gn_clock_keep(&process, &gn_clock_process, source);
}

int gn_clock_calibrate(void)
{
	int rc = gn_clock_calibrate_from(&(struct gn_clock_source){source_tsc, source_wall_ns, NULL});

	process.status.invariant = processor_invariant();
	return rc;
}

void gn_clock_update(void)
{
	gn_clock_keep_up(&process);
}

struct gn_clock_status gn_clock_status(void)
{
	return gn_clock_keeper_status(&process);
}

uint64_t gn_clock_ticks_from_ns(uint64_t duration_ns)
{
	int64_t rate = atomic_load_explicit(&gn_clock_process.line[0].ns_per_tick_q48, memory_order_acquire);

	return rate > 0 ? (uint64_t)(((__int128)duration_ns << GN_CLOCK_RATE_SHIFT) / rate) : 0;
}
