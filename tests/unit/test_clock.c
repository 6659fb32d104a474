/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/runtime/err.h"
#include "pinning/clock.h"

#define NS_PER_S (INT64_C(1000) * 1000 * 1000)

/* A machine of its own: each read moves true time on; the counter and the wall clock follow as they are told. */
static struct {
	int64_t now_ns; /* true time since the start */
	int64_t read_ns; /* price of one read */
	int64_t tick_hz;
	int64_t wall_ppb; /* how much faster the wall clock runs than true time */
	int64_t wall_at_ns; /* where that began */
	int64_t wall_base_ns;
	int64_t tsc_base;
	bool tsc_frozen;
} fake;

static int64_t fake_wall(void)
{
	int64_t run = fake.now_ns - fake.wall_at_ns;

	return fake.wall_base_ns + run + (int64_t)((__int128)run * fake.wall_ppb / NS_PER_S);
}

static uint64_t fake_tsc(void *arg)
{
	(void)arg;
	fake.now_ns += fake.read_ns;
	return fake.tsc_frozen ? 77 : (uint64_t)(fake.tsc_base + (int64_t)((__int128)fake.now_ns * fake.tick_hz / NS_PER_S));
}

static uint64_t fake_wall_ns(void *arg)
{
	(void)arg;
	fake.now_ns += fake.read_ns;
	return (uint64_t)fake_wall();
}

static const struct gn_clock_source fake_source = {fake_tsc, fake_wall_ns, NULL};

static void wall_change(int64_t step_ns, int64_t ppb)
{
	fake.wall_base_ns = fake_wall() + step_ns;
	fake.wall_at_ns = fake.now_ns;
	fake.wall_ppb = ppb;
}

static int64_t fake_error_ns(void)
{
	uint64_t tsc = fake_tsc(NULL);

	return (int64_t)gn_clock_ns_from_tsc(tsc) - fake_wall();
}

static void given_fake_machine(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.tsc_base = INT64_C(1) << 40;
	fake.now_ns = 5 * NS_PER_S;
	fake.read_ns = 30;
	fake.tick_hz = INT64_C(2100123456);
	fake.wall_base_ns = INT64_C(1700000000) * NS_PER_S;
}

TestSuite(clock, .init = given_fake_machine, .timeout = 20);

Test(clock, reads_zero_before_the_calibration)
{
	cr_assert_eq(gn_clock_ns_from_tsc(123456789), 0);
	cr_assert_eq(gn_clock_ticks_from_ns(1000), 0);
	gn_clock_update();
	cr_assert_not(gn_clock_status().calibrated);
}

Test(clock, refuses_a_counter_that_stands_still)
{
	fake.tsc_frozen = true;
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), -ERANGE);
	cr_assert_not_null(strstr(gn_err_text(), "moved by 0 ticks"), "%s", gn_err_text());
	cr_assert_eq(gn_clock_now_ns(), 0);
}

Test(clock, refuses_a_wall_clock_that_stands_still)
{
	fake.wall_ppb = -NS_PER_S;
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), -ETIME);
}

Test(clock, finds_rate_and_offset_of_the_counter)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0, "%s", gn_err_text());
	struct gn_clock_status s = gn_clock_status();
	cr_assert(s.calibrated);
	cr_assert_lt(llabs((int64_t)s.ticks_per_s - fake.tick_hz), fake.tick_hz / 100000, "%lu", s.ticks_per_s);
	int64_t error_ns = fake_error_ns();
	cr_assert_leq(llabs(error_ns), 60, "%ld", error_ns);
	uint64_t ticks = gn_clock_ticks_from_ns((uint64_t)NS_PER_S);
	cr_assert_lt(llabs((int64_t)ticks - fake.tick_hz), fake.tick_hz / 100000, "%lu", ticks);
}

Test(clock, converts_times_before_the_calibration)
{
	uint64_t early_tsc = fake_tsc(NULL);
	int64_t early_wall = fake_wall();
	fake.now_ns += NS_PER_S;
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	int64_t error_ns = (int64_t)gn_clock_ns_from_tsc(early_tsc) - early_wall;
	cr_assert_leq(llabs(error_ns), 10000, "%ld", error_ns);
}

Test(clock, follows_a_drifting_wall_clock_without_a_jump)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	wall_change(0, 50000); /* 50 ppm from now on */
	uint64_t before = 0;
	for (int i = 0; i < 300; i++) {
		fake.now_ns += NS_PER_S;
		gn_clock_update();
		uint64_t now = gn_clock_ns_from_tsc(fake_tsc(NULL));
		cr_assert_gt(now, before);
		before = now;
	}
	int64_t error_ns = fake_error_ns();
	cr_assert_leq(llabs(error_ns), 1000, "%ld", error_ns);
	struct gn_clock_status s = gn_clock_status();
	cr_assert_eq(s.n_updates, 300);
	cr_assert_eq(s.n_steps, 0);
	cr_assert_leq(s.bound_ns, 1000, "%lu", s.bound_ns);
	cr_assert_geq(s.bound_ns_max, 40000, "the first second was 50 us off: %lu", s.bound_ns_max);
}

Test(clock, slews_an_offset_away_at_a_bounded_speed)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	wall_change(-900000, 0); /* ours is 0.9 ms ahead: below a step */
	uint64_t before = gn_clock_ns_from_tsc(fake_tsc(NULL));
	for (int i = 0; i < 20; i++) {
		fake.now_ns += NS_PER_S;
		gn_clock_update();
		uint64_t now = gn_clock_ns_from_tsc(fake_tsc(NULL));
		cr_assert_gt(now, before + (uint64_t)NS_PER_S * 998 / 1000);
		before = now;
	}
	cr_assert_eq(gn_clock_status().n_steps, 0);
	cr_assert_leq(llabs(fake_error_ns()), 20000, "%ld", fake_error_ns());
}

Test(clock, counts_and_follows_a_step_of_the_wall_clock)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	fake.now_ns += NS_PER_S;
	gn_clock_update();
	wall_change(-3 * NS_PER_S, 0);
	fake.now_ns += NS_PER_S;
	gn_clock_update();
	struct gn_clock_status s = gn_clock_status();
	cr_assert_eq(s.n_steps, 1);
	cr_assert_leq(llabs(s.step_ns + 3 * NS_PER_S), 5000, "%ld", s.step_ns);
	cr_assert_leq(llabs(fake_error_ns()), 5000);
	cr_assert_leq(s.bound_ns, 1000);
}

Test(clock, does_not_follow_more_often_than_it_can_measure)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	wall_change(900000, 0);
	for (int i = 0; i < 1000; i++)
		gn_clock_update();
	cr_assert_eq(gn_clock_status().n_updates, 0);
	fake.now_ns += NS_PER_S;
	gn_clock_update();
	cr_assert_eq(gn_clock_status().n_updates, 1);
}

Test(clock, counts_a_counter_that_runs_backwards)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	fake.now_ns -= NS_PER_S;
	gn_clock_update();
	cr_assert_geq(gn_clock_status().n_backwards, 1);
	cr_assert_eq(gn_clock_status().n_updates, 0);
}

Test(clock, a_counter_that_was_set_back_is_followed_from_its_new_place)
{
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	fake.now_ns += NS_PER_S;
	gn_clock_update();
	fake.tsc_base -= 100 * fake.tick_hz;
	for (int i = 0; i < 3; i++) {
		cr_assert_eq(gn_clock_status().n_steps, 0);
		fake.now_ns += NS_PER_S;
		gn_clock_update();
	}
	cr_assert_eq(gn_clock_status().n_steps, 1);
	cr_assert_leq(llabs(fake_error_ns()), 5000, "%ld", fake_error_ns());
	fake.now_ns += NS_PER_S;
	gn_clock_update();
	cr_assert_eq(gn_clock_status().n_steps, 1);
	cr_assert_leq(llabs(fake_error_ns()), 5000, "%ld", fake_error_ns());
}

/* The clock of a port: it counts on its own oscillator, from its own beginning, and a read takes a way over the bus. */
static struct {
	int64_t base, per_us; /* count at the start of the machine; counts a microsecond */
	int64_t drift_ppb;
	int64_t read_ns;
	struct gn_clock_keeper keeper;
	struct gn_clock map;
} port;

static uint64_t port_at(int64_t now_ns)
{
	return (uint64_t)(port.base + (int64_t)((__int128)now_ns * port.per_us * (NS_PER_S + port.drift_ppb) / NS_PER_S / 1000));
}

static uint64_t port_read(void *arg)
{
	(void)arg;
	fake.now_ns += port.read_ns / 2;
	uint64_t count = port_at(fake.now_ns);
	fake.now_ns += port.read_ns / 2;
	return count;
}

/* Our clock reads the real counter: for a simulated port ours is simulated too. */
static uint64_t our_ns(void *arg)
{
	return gn_clock_ns_from_tsc(fake_tsc(arg));
}

static void given_port(int64_t base, int64_t per_us, int64_t drift_ppb)
{
	port.base = base;
	port.per_us = per_us;
	port.drift_ppb = drift_ppb;
	port.read_ns = 900;
	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	cr_assert_eq(gn_clock_keep(&port.keeper, &port.map, &(struct gn_clock_source){port_read, our_ns, NULL}), 0, "%s",
		gn_err_text());
}

/* How far the mapped time of a packet that arrives now is from our own time of now. */
static int64_t port_error_ns(void)
{
	uint64_t tsc = fake_tsc(NULL);

	return (int64_t)gn_clock_convert(&port.map, port_at(fake.now_ns)) - (int64_t)gn_clock_ns_from_tsc(tsc);
}

static void port_runs(int seconds)
{
	for (int i = 0; i < seconds; i++) {
		fake.now_ns += NS_PER_S;
		gn_clock_update();
		gn_clock_keep_up(&port.keeper);
	}
}

Test(clock, a_port_is_mapped_to_our_time_whatever_it_counts)
{
	static const struct {
		int64_t base, per_us, drift_ppb;
	} ports[] = {
		{0, 1000, 0}, /* nanoseconds from its reset */
		{INT64_C(1700000037) * NS_PER_S, 1000, 20000}, /* nanoseconds of TAI, 20 ppm fast */
		{12345, 156, -50000}, /* ticks of a 156 MHz clock, 50 ppm slow */
		{77, 1250, 100000},
	};

	for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
		given_fake_machine();
		given_port(ports[i].base, ports[i].per_us, ports[i].drift_ppb);
		int64_t error_ns = port_error_ns();
		cr_assert_leq(llabs(error_ns), 1000, "%zu: %ld", i, error_ns);
		port_runs(100);
		error_ns = port_error_ns();
		struct gn_clock_status s = gn_clock_keeper_status(&port.keeper);
		cr_assert_leq(llabs(error_ns), (int64_t)s.bound_ns, "%zu: %ld", i, error_ns);
		cr_assert_leq(s.bound_ns, 2000, "%zu: %lu", i, s.bound_ns);
		cr_assert_eq(s.n_steps, 0);
		cr_assert_leq(llabs((int64_t)s.ticks_per_s - ports[i].per_us * 1000000), ports[i].per_us * 150 + 1, "%lu",
			s.ticks_per_s);
	}
}

Test(clock, a_port_that_is_set_or_begins_anew_is_followed)
{
	given_port(INT64_C(1700000037) * NS_PER_S, 1000, 0);
	port_runs(10);
	port.base += 5 * NS_PER_S; /* somebody has set it */
	port_runs(2);
	cr_assert_eq(gn_clock_keeper_status(&port.keeper).n_steps, 1);
	cr_assert_leq(llabs(port_error_ns()), 2000, "%ld", port_error_ns());
	port.base = 0; /* it was reset */
	port_runs(4);
	cr_assert_eq(gn_clock_keeper_status(&port.keeper).n_steps, 2);
	cr_assert_leq(llabs(port_error_ns()), 2000, "%ld", port_error_ns());
	wall_change(-3 * NS_PER_S, 0); /* our own time jumps, and with it that of the packets */
	port_runs(2);
	cr_assert_eq(gn_clock_keeper_status(&port.keeper).n_steps, 3);
	cr_assert_leq(llabs(port_error_ns()), 2000, "%ld", port_error_ns());
}

static uint64_t port_dead(void *arg)
{
	(void)arg;
	return 0;
}

Test(clock, a_port_without_a_clock_is_refused_and_converts_to_zero)
{
	struct gn_clock map = {0};

	cr_assert_lt(gn_clock_keep_port(&port.keeper, &map, port_dead, NULL), 0, "ours is not calibrated");
	cr_assert_eq(gn_clock_calibrate(), 0);
	cr_assert_eq(gn_clock_keep_port(&port.keeper, &map, port_dead, NULL), -ERANGE);
	cr_assert_eq(gn_clock_convert(&map, 123456789), 0);
	gn_clock_keep_up(&port.keeper);
	cr_assert_eq(gn_clock_convert(&map, 123456789), 0);
}

Test(clock, agrees_with_the_kernel)
{
	struct timespec a, b;

	cr_assert_eq(gn_clock_calibrate(), 0, "%s", gn_err_text());
	clock_gettime(CLOCK_REALTIME, &a);
	uint64_t ours = gn_clock_now_ns();
	clock_gettime(CLOCK_REALTIME, &b);
	int64_t before = a.tv_sec * NS_PER_S + a.tv_nsec, after = b.tv_sec * NS_PER_S + b.tv_nsec;
	cr_assert_gt((int64_t)ours, before - 20000, "%ld before", before - (int64_t)ours);
	cr_assert_lt((int64_t)ours, after + 20000, "%ld after", (int64_t)ours - after);
}

static _Atomic bool readers_stop;

static void *reader_main(void *arg)
{
	uint64_t *n_bad = arg;
	uint64_t before = 0;

	while (!atomic_load(&readers_stop)) {
		/* the fake wall clock is the fake counter's: any mixture of two lines would be far off */
		uint64_t ns = gn_clock_ns_from_tsc(UINT64_C(1) << 40);
		*n_bad += before && llabs((int64_t)(ns - before)) > NS_PER_S;
		before = ns;
	}
	return NULL;
}

Test(clock, a_reader_never_sees_half_an_update)
{
	uint64_t n_bad = 0;
	pthread_t reader;

	cr_assert_eq(gn_clock_calibrate_from(&fake_source), 0);
	cr_assert_eq(pthread_create(&reader, NULL, reader_main, &n_bad), 0);
	for (int i = 0; i < 20000; i++) {
		fake.now_ns += NS_PER_S / 10;
		gn_clock_update();
	}
	atomic_store(&readers_stop, true);
	pthread_join(reader, NULL);
	cr_assert_eq(n_bad, 0, "%lu torn reads", n_bad);
}
