/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: who else may run on the polling cores. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>

#include "host_check.h"
#include "sys_file.h"

#define GROUP "/sys/fs/cgroup/gannet"

/* Cores of the view that a set lacks. */
static cpu_set_t cores_without(const struct gn_host_view *v, const cpu_set_t *set)
{
	cpu_set_t missing;

	CPU_AND(&missing, &v->cores, set);
	CPU_XOR(&missing, &missing, &v->cores);
	return missing;
}

/* OK when the set holds every core of the view. */
static bool check_set(const struct gn_host_view *v, struct gn_host_finding *f, const cpu_set_t *set,
	enum gn_host_state worse, const char *what)
{
	cpu_set_t missing = cores_without(v, set);

	if (CPU_COUNT(&v->cores) == 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "the machine does not tell its cores");
		return true;
	}
	if (CPU_COUNT(&missing) == 0) {
		gn_host_found(f, GN_HOST_OK, "%s: %s", what, gn_cpus_text(set).c);
		return true;
	}
	gn_host_found(f, worse, "%s: %s; missing %s", what, gn_cpus_text(set).c, gn_cpus_text(&missing).c);
	return false;
}

/* cgroup v2 with the cpuset controller; without one only the boot line isolates. */
static bool partition_possible(const struct gn_host_view *v)
{
	char text[GN_SYS_TEXT_BYTES];

	return gn_sys_read(v->root, "/sys/fs/cgroup/cgroup.controllers", text, sizeof(text)) > 0 && strstr(text, "cpuset");
}

static void isolation_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	struct gn_cpus_text cores = gn_cpus_text(&v->cores);

	if (check_set(v, f, &v->topology->isolated, GN_HOST_BAD, "isolated"))
		return;
	gn_host_fix(f, "boot with isolcpus=domain,managed_irq,%.100s%s", cores.c,
		partition_possible(v) ? ", or --apply isolation makes an isolated cpuset partition: then start the engine in it "
					"(echo $$ > " GROUP "/cgroup.procs)"
				      : "");
}

static void isolation_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	char text[GN_SYS_TEXT_BYTES];
	size_t before = p->n;

	if (!partition_possible(v))
		return;
	if (gn_sys_read(v->root, "/sys/fs/cgroup/cgroup.subtree_control", text, sizeof(text)) >= 0
		&& !strstr(text, "cpuset")) {
		gn_host_plan_write(v, p, "+cpuset", "/sys/fs/cgroup/cgroup.subtree_control");
		if (p->n > before)
			strcpy(p->change[p->n - 1].undo, "-cpuset");
	}
	gn_host_plan_write(v, p, "", GROUP);
	gn_host_plan_write(v, p, gn_cpus_text(&v->cores).c, GROUP "/cpuset.cpus");
	gn_host_plan_write(v, p, "isolated", GROUP "/cpuset.cpus.partition");
}

static void nohz_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	if (!check_set(v, f, &v->topology->nohz_full, GN_HOST_BAD, "without a tick"))
		gn_host_fix(f, "boot with nohz_full=%.400s", gn_cpus_text(&v->cores).c);
}

static void rcu_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	if (!check_set(v, f, &v->topology->rcu_nocbs, GN_HOST_WARN, "callbacks elsewhere"))
		gn_host_fix(f, "boot with rcu_nocbs=%.400s rcu_nocb_poll", gn_cpus_text(&v->cores).c);
}

static bool irq_cores(const struct gn_host_view *v, long irq, const char *file, cpu_set_t *on)
{
	char path[64], text[GN_SYS_TEXT_BYTES];

	snprintf(path, sizeof(path), "/proc/irq/%ld/%s", irq, file);
	return gn_sys_read(v->root, path, text, sizeof(text)) > 0 && gn_cpus_from_list(text, on) == 0;
}

/* One without a handler never comes (number 2 of a PC, which leads to the second controller and cannot be moved). */
static bool irq_has_handler(const struct gn_host_view *v, long irq)
{
	char path[64], text[GN_SYS_TEXT_BYTES];

	snprintf(path, sizeof(path), "/sys/kernel/irq/%ld/actions", irq);
	return gn_sys_read(v->root, path, text, sizeof(text)) != 0; /* not told: perhaps */
}

/*
 * Calls fn with every interrupt that has a handler and the cores that it arrives on: those in effect, where the kernel tells them, since
 * one that it manages itself keeps a wide mask and stays off isolated cores all the same. False: none is told.
 */
static bool each_irq(const struct gn_host_view *v, void (*fn)(void *arg, int irq, const cpu_set_t *on), void *arg)
{
	char path[PATH_MAX];
	bool any = false;

	snprintf(path, sizeof(path), "%s/proc/irq", v->root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char *end;
		cpu_set_t on;
		long irq = strtol(e->d_name, &end, 10);
		if (end == e->d_name || *end || irq < 0 || irq > 1000000 || !irq_has_handler(v, irq))
			continue;
		if (!irq_cores(v, irq, "effective_affinity_list", &on) && !irq_cores(v, irq, "smp_affinity_list", &on))
			continue;
		any = true;
		fn(arg, (int)irq, &on);
	}
	if (dir)
		closedir(dir);
	return any;
}

struct irq_count {
	const struct gn_host_view *v;
	struct gn_host_plan *plan;
	int n, n_bad, first_bad;
	cpu_set_t touched;
};

static void irq_count(void *arg, int irq, const cpu_set_t *on)
{
	struct irq_count *c = arg;
	cpu_set_t both;

	CPU_AND(&both, on, &c->v->cores);
	c->n++;
	if (CPU_COUNT(&both) == 0)
		return;
	CPU_OR(&c->touched, &c->touched, &both);
	if (c->n_bad++ == 0 || irq < c->first_bad)
		c->first_bad = irq;
}

static void irq_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	struct irq_count c = {.v = v};

	if (!each_irq(v, irq_count, &c)) {
		gn_host_found(f, GN_HOST_UNKNOWN, "/proc/irq tells no interrupt");
		return;
	}
	if (c.n_bad == 0) {
		gn_host_found(f, GN_HOST_OK, "none of %d interrupts may arrive on %s", c.n, gn_cpus_text(&v->cores).c);
		return;
	}
	gn_host_found(f, GN_HOST_BAD, "%d of %d interrupts may arrive on %s (the first: %d)", c.n_bad, c.n,
		gn_cpus_text(&c.touched).c, c.first_bad);
	gn_host_fix(
		f, "for i in /proc/irq/[0-9]*; do echo %.300s > $i/smp_affinity_list; done", gn_cpus_text(&v->rest).c);
}

static void irq_move(void *arg, int irq, const cpu_set_t *on)
{
	struct irq_count *c = arg;
	cpu_set_t keep, asked = *on;

	CPU_AND(&keep, on, &c->v->cores);
	if (CPU_COUNT(&keep) == 0)
		return;
	irq_cores(c->v, irq, "smp_affinity_list", &asked);
	CPU_AND(&keep, &asked, &c->v->rest);
	if (CPU_COUNT(&keep) == 0)
		keep = c->v->rest;
	if (CPU_COUNT(&keep) != 0)
		gn_host_plan_write(c->v, c->plan, gn_cpus_text(&keep).c, "/proc/irq/%d/smp_affinity_list", irq);
}

static void irq_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	struct irq_count c = {.v = v, .plan = p};

	each_irq(v, irq_move, &c);
}

/* A file that holds a mask in which no polling core may be. */
static void mask_check(const struct gn_host_view *v, struct gn_host_finding *f, const char *path)
{
	char text[GN_SYS_TEXT_BYTES];
	cpu_set_t set, both;

	if (gn_sys_read(v->root, path, text, sizeof(text)) < 0 || gn_cpus_from_mask(text, &set) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read %s", path);
		return;
	}
	CPU_AND(&both, &set, &v->cores);
	if (CPU_COUNT(&both) == 0) {
		gn_host_found(f, GN_HOST_OK, "only on %s", gn_cpus_text(&set).c);
		return;
	}
	gn_host_found(f, GN_HOST_WARN, "may run on %s", gn_cpus_text(&both).c);
	gn_host_fix(f, "echo %.300s > %s", gn_cpus_mask_text(&v->rest).c, path);
}

static void mask_plan(const struct gn_host_view *v, struct gn_host_plan *p, const char *path)
{
	if (CPU_COUNT(&v->rest) != 0)
		gn_host_plan_write(v, p, gn_cpus_mask_text(&v->rest).c, "%s", path);
}

#define MASK_ROW(fn, path)                                                                                             \
	static void fn##_check(const struct gn_host_view *v, struct gn_host_finding *f)                                \
	{                                                                                                              \
		mask_check(v, f, path);                                                                                \
	}                                                                                                              \
	static void fn##_plan(const struct gn_host_view *v, struct gn_host_plan *p)                                    \
	{                                                                                                              \
		mask_plan(v, p, path);                                                                                 \
	}
MASK_ROW(irq_default, "/proc/irq/default_smp_affinity")
MASK_ROW(workqueue, "/sys/devices/virtual/workqueue/cpumask")
MASK_ROW(writeback, "/sys/devices/virtual/workqueue/writeback/cpumask")

/* A process of that name; -1: the machine does not tell its processes. */
static int process_find(const char *root, const char *const *names, char *found, size_t found_bytes)
{
	char path[PATH_MAX], comm[64];
	int answer = -1;

	snprintf(path, sizeof(path), "%s/proc", root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && answer < 1 && (e = readdir(dir));) {
		if (e->d_name[0] < '0' || e->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.32s/comm", e->d_name);
		if (gn_sys_read(root, path, comm, sizeof(comm)) < 0)
			continue;
		answer = 0;
		for (const char *const *name = names; *name && answer == 0; name++)
			answer = strcmp(comm, *name) == 0;
	}
	if (answer == 1)
		snprintf(found, found_bytes, "%s", comm);
	if (dir)
		closedir(dir);
	return answer;
}

static void irqbalance_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	static const char *const names[] = {"irqbalance", NULL};
	char name[64];

	switch (process_find(v->root, names, name, sizeof(name))) {
	case 0: gn_host_found(f, GN_HOST_OK, "not running"); return;
	case 1:
		gn_host_found(f, GN_HOST_WARN, "running: it moves interrupts back");
		gn_host_fix(f, "systemctl disable --now irqbalance, or ban the cores in its IRQBALANCE_BANNED_CPULIST");
		return;
	default: gn_host_found(f, GN_HOST_UNKNOWN, "/proc tells no process"); return;
	}
}

int gn_host_time_daemon(const char *root, char *name, size_t name_bytes)
{
	static const char *const names[] = {
		"ptp4l", "phc2sys", "chronyd", "ntpd", "timemaster", "systemd-timesyn", "sfptpd", NULL};

	return process_find(root, names, name, name_bytes);
}

/* Of this machine: a daemon that runs has not yet found a source. */
static bool clock_is_adrift(void)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	return state >= 0 && (state == TIME_ERROR || t.status & STA_UNSYNC);
}

static void time_sync_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	bool hardware = gn_sys_exists(v->root, "/sys/class/ptp/ptp0/clock_name");
	char name[64];

	switch (gn_host_time_daemon(v->root, name, sizeof(name))) {
	case 0:
		gn_host_found(
			f, GN_HOST_WARN, "nothing disciplines the clock%s", hardware ? "; there is a PTP clock" : "");
		gn_host_fix(
			f, hardware ? "run ptp4l and phc2sys (apt-get install linuxptp)" : "apt-get install chrony");
		return;
	case 1:
		if (v->root[0] || !clock_is_adrift()) {
			gn_host_found(f, GN_HOST_OK, "%s%s", name, hardware ? ", and there is a PTP clock" : "");
			return;
		}
		gn_host_found(f, GN_HOST_WARN, "%s runs, but the kernel's clock follows no reference", name);
		gn_host_fix(f, "chronyc tracking, or the log of %s: a source must be selected", name);
		return;
	default: gn_host_found(f, GN_HOST_UNKNOWN, "/proc tells no process"); return;
	}
}

static void smt_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	const struct gn_topology *t = v->topology;
	cpu_set_t busy, quiet;
	char text[32];

	CPU_ZERO(&busy);
	CPU_ZERO(&quiet);
	for (int c = gn_cpus_next(&v->cores, 0); c >= 0; c = gn_cpus_next(&v->cores, c + 1)) {
		cpu_set_t siblings = gn_topology_siblings(t, c);
		for (int s = gn_cpus_next(&siblings, 0); s >= 0; s = gn_cpus_next(&siblings, s + 1))
			if (s != c && CPU_ISSET((size_t)s, &t->online))
				CPU_SET((size_t)s, CPU_ISSET((size_t)s, &t->isolated) ? &quiet : &busy);
	}
	if (CPU_COUNT(&busy) + CPU_COUNT(&quiet) == 0) {
		bool told = gn_sys_read(v->root, "/sys/devices/system/cpu/smt/active", text, sizeof(text)) >= 0
		            || gn_sys_exists(v->root, "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
		gn_host_found(f, told ? GN_HOST_OK : GN_HOST_UNKNOWN,
			told ? "no sibling is online" : "siblings are not told");
		return;
	}
	bool bad = CPU_COUNT(&busy) > 0;
	gn_host_found(f, bad ? GN_HOST_BAD : GN_HOST_WARN,
		bad ? "anything may run on the siblings %s" : "siblings %s are online, isolated",
		gn_cpus_text(bad ? &busy : &quiet).c);
	gn_host_fix(f, "echo off > /sys/devices/system/cpu/smt/control, or boot with nosmt");
}

static void smt_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	gn_host_plan_write(v, p, "off", "/sys/devices/system/cpu/smt/control");
}

const struct gn_host_row gn_host_rows_cores[] = {
	{.name = "isolation",
		.costs = "other tasks are scheduled onto the polling core: stalls of milliseconds",
		.check = isolation_check,
		.plan = isolation_plan},
	{.name = "nohz_full",
		.costs = "the timer tick stops the core 100 to 1000 times a second, 1 to 5 us each",
		.check = nohz_check},
	{.name = "rcu_nocbs",
		.costs = "the kernel frees its memory on the polling core, in bursts of 10 us and more",
		.check = rcu_check},
	{.name = "irq_affinity",
		.costs = "each device interrupt takes the core away for 1 to 20 us and cools its caches",
		.check = irq_check,
		.plan = irq_plan},
	{.name = "irq_default",
		.costs = "interrupts that are set up later may arrive on the polling cores",
		.check = irq_default_check,
		.plan = irq_default_plan},
	{.name = "irqbalance",
		.costs = "a daemon undoes the affinity of interrupts every 10 s",
		.check = irqbalance_check},
	{.name = "smt",
		.costs = "a busy sibling halves the speed of the core and shares its caches",
		.check = smt_check,
		.plan = smt_plan},
	{.name = "workqueue",
		.costs = "unbound kernel work may run on the polling cores",
		.check = workqueue_check,
		.plan = workqueue_plan},
	{.name = "writeback",
		.costs = "flushing of files may run on the polling cores",
		.check = writeback_check,
		.plan = writeback_plan},
	{.name = "time_sync",
		.costs = "time stamps cannot be compared with anyone else's, nor shown to a regulator",
		.check = time_sync_check},
	{.name = NULL},
};
