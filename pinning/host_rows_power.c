/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: how fast the polling cores run, and how deep they sleep. */
#include <stdio.h>
#include <string.h>

#include "host_check.h"
#include "sys_file.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define STATES_MAX 10
#define WAKE_US_MAX 2 /* a state that takes longer to leave is too deep */

static void governor_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char path[128], text[64], other[64] = "";
	cpu_set_t wrong;
	int n = 0;

	CPU_ZERO(&wrong);
	for (int c = gn_cpus_next(&v->cores, 0); c >= 0; c = gn_cpus_next(&v->cores, c + 1)) {
		snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cpufreq/scaling_governor", c);
		if (gn_sys_read(v->root, path, text, sizeof(text)) < 0)
			continue;
		n++;
		if (strcmp(text, "performance") != 0) {
			CPU_SET((size_t)c, &wrong);
			memcpy(other, text, sizeof(other));
		}
	}
	if (n == 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "the machine does not let its frequency be set");
	} else if (CPU_COUNT(&wrong) == 0) {
		gn_host_found(f, GN_HOST_OK, "performance");
	} else {
		gn_host_found(f, GN_HOST_BAD, "%s on %s", other, gn_cpus_text(&wrong).c);
		gn_host_fix(f, "cpupower -c %.300s frequency-set -g performance", gn_cpus_text(&v->cores).c);
	}
}

static void governor_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	char path[128];

	for (int c = gn_cpus_next(&v->cores, 0); c >= 0; c = gn_cpus_next(&v->cores, c + 1)) {
		snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cpufreq/scaling_governor", c);
		if (gn_sys_exists(v->root, path))
			gn_host_plan_write(v, p, "performance", "%s", path);
	}
}

static void turbo_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	int64_t value;

	if (gn_sys_read_i64(v->root, CPU_DIR "/intel_pstate/no_turbo", &value) == 0)
		value = !value;
	else if (gn_sys_read_i64(v->root, CPU_DIR "/cpufreq/boost", &value) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "the machine does not tell");
		return;
	}
	gn_host_found(f, value ? GN_HOST_WARN : GN_HOST_OK,
		value ? "on: the frequency moves with load and heat" : "off: one frequency");
	if (value)
		gn_host_fix(f, "measure both ways; off: echo 1 > " CPU_DIR "/intel_pstate/no_turbo or echo 0 > " CPU_DIR
			       "/cpufreq/boost");
}

static void turbo_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	if (gn_sys_exists(v->root, CPU_DIR "/intel_pstate/no_turbo"))
		gn_host_plan_write(v, p, "1", CPU_DIR "/intel_pstate/no_turbo");
	else
		gn_host_plan_write(v, p, "0", CPU_DIR "/cpufreq/boost");
}

/* Calls fn for every idle state of the cores that is too deep and in use; returns the number of states told. */
static int each_deep_state(
	const struct gn_host_view *v, void (*fn)(void *arg, int core, int state, int64_t wake_us), void *arg)
{
	char path[128];
	int n = 0;

	for (int c = gn_cpus_next(&v->cores, 0); c >= 0; c = gn_cpus_next(&v->cores, c + 1)) {
		for (int s = 0; s < STATES_MAX; s++) {
			int64_t wake_us, off = 0;
			snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cpuidle/state%d/latency", c, s);
			if (gn_sys_read_i64(v->root, path, &wake_us) < 0)
				break;
			snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cpuidle/state%d/disable", c, s);
			n++;
			if (wake_us > WAKE_US_MAX && gn_sys_read_i64(v->root, path, &off) == 0 && !off)
				fn(arg, c, s, wake_us);
		}
	}
	return n;
}

struct deep {
	const struct gn_host_view *v;
	struct gn_host_plan *plan;
	cpu_set_t cores;
	int64_t worst_us;
};

static void deep_count(void *arg, int core, int state, int64_t wake_us)
{
	struct deep *d = arg;

	(void)state;
	CPU_SET((size_t)core, &d->cores);
	d->worst_us = wake_us > d->worst_us ? wake_us : d->worst_us;
}

static void cstates_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	struct deep d = {.v = v};

	if (each_deep_state(v, deep_count, &d) == 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "no idle state is told");
	} else if (d.worst_us == 0) {
		gn_host_found(f, GN_HOST_OK, "every state in use is left within %d us", WAKE_US_MAX);
	} else {
		gn_host_found(f, GN_HOST_WARN, "a core of %s may need %lld us to wake up", gn_cpus_text(&d.cores).c,
			(long long)d.worst_us);
		gn_host_fix(f,
			"boot with processor.max_cstate=1 intel_idle.max_cstate=0, or cpupower -c %.200s idle-set -D "
		        "%d; a running engine "
			"holds /dev/cpu_dma_latency",
			gn_cpus_text(&v->cores).c, WAKE_US_MAX);
	}
}

static void deep_off(void *arg, int core, int state, int64_t wake_us)
{
	struct deep *d = arg;

	(void)wake_us;
	gn_host_plan_write(d->v, d->plan, "1", CPU_DIR "/cpu%d/cpuidle/state%d/disable", core, state);
}

static void cstates_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	struct deep d = {.v = v, .plan = p};

	each_deep_state(v, deep_off, &d);
}

const struct gn_host_row gn_host_rows_power[] = {
	{.name = "governor",
		.costs = "the core starts slowly after each quiet moment",
		.check = governor_check,
		.plan = governor_plan},
	{.name = "turbo",
		.costs = "steps of frequency of 10 us and more, and a speed that depends on the neighbours",
		.check = turbo_check,
		.plan = turbo_plan},
	{.name = "cstates",
		.costs = "a core that was idle answers up to hundreds of us late",
		.check = cstates_check,
		.plan = cstates_plan},
	{.name = "pcie_aspm",
		.costs = "the link to the NIC falls asleep: microseconds on the next packet",
		.file = "/sys/module/pcie_aspm/parameters/policy",
		.want = "performance",
		.worse = GN_HOST_WARN},
	{.name = NULL},
};
