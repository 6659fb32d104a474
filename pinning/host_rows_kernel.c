/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: what the kernel does for itself, and its clocks. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "host_check.h"
#include "sys_file.h"

#define VULNERABILITIES "/sys/devices/system/cpu/vulnerabilities"
#define CLOCKSOURCE "/sys/devices/system/clocksource/clocksource0/"

static void mitigations_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char path[PATH_MAX], text[256], names[160] = "";
	size_t n = 0;
	int n_told = 0, n_on = 0;

	snprintf(path, sizeof(path), "%s" VULNERABILITIES, v->root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof(path), VULNERABILITIES "/%.64s", e->d_name);
		if (e->d_name[0] == '.' || gn_sys_read(v->root, path, text, sizeof(text)) < 0)
			continue;
		n_told++;
		if (strncmp(text, "Mitigation", 10) != 0)
			continue;
		n_on++;
		if (n + strlen(e->d_name) + 3 < sizeof(names))
			n += (size_t)snprintf(names + n, sizeof(names) - n, "%s%s", n ? ", " : "", e->d_name);
	}
	if (dir)
		closedir(dir);
	if (n_told == 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "the kernel does not tell");
		return;
	}
	gn_host_found(f, n_on ? GN_HOST_WARN : GN_HOST_OK, n_on ? "on: %s" : "none is on%s", names);
	if (n_on)
		gn_host_fix(f, "boot with mitigations=off, if nothing but trusted code runs on this machine");
}

static void clocksource_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char now[64], available[256];

	gn_sys_read(v->root, CLOCKSOURCE "current_clocksource", now, sizeof(now));
	now[strcspn(now, " ")] = '\0';
	if (!now[0]) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read " CLOCKSOURCE "current_clocksource");
		return;
	}
	if (strcmp(now, "tsc") == 0 || strcmp(now, "arch_sys_counter") == 0) {
		gn_host_found(f, GN_HOST_OK, "%s", now);
		return;
	}
	gn_sys_read(v->root, CLOCKSOURCE "available_clocksource", available, sizeof(available));
	bool can = strstr(available, "tsc") != NULL;
	bool slow = strcmp(now, "hpet") == 0 || strcmp(now, "acpi_pm") == 0 || strcmp(now, "jiffies") == 0;
	gn_host_found(f, slow ? GN_HOST_BAD : GN_HOST_WARN, "%s%s", now, can ? "" : "; the kernel offers no tsc");
	gn_host_fix(f, can ? "echo tsc > " CLOCKSOURCE "current_clocksource"
			   : "see the kernel log for why the tsc was given up; boot with "
			     "tsc=reliable only when it is");
}

static void clocksource_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	char available[256];

	if (gn_sys_read(v->root, CLOCKSOURCE "available_clocksource", available, sizeof(available)) >= 0
		&& strstr(available, "tsc"))
		gn_host_plan_write(v, p, "tsc", CLOCKSOURCE "current_clocksource");
}

/* A word of /proc/cpuinfo's flags. */
static bool flag_has(const char *flags, const char *word)
{
	size_t n = strlen(word);

	for (const char *at = strstr(flags, word); at; at = strstr(at + 1, word))
		if ((at == flags || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

static void tsc_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char flags[GN_SYS_TEXT_BYTES];

	if (gn_sys_field(v->root, "/proc/cpuinfo", "flags", flags, sizeof(flags)) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "/proc/cpuinfo tells no flags");
		return;
	}
	bool constant = flag_has(flags, "constant_tsc"), nonstop = flag_has(flags, "nonstop_tsc");
	if (constant && nonstop) {
		gn_host_found(f, GN_HOST_OK, "constant_tsc nonstop_tsc");
		return;
	}
	gn_host_found(f, GN_HOST_BAD, "the time-stamp counter is not%s%s", constant ? "" : " constant",
		nonstop ? "" : " nonstop");
	gn_host_fix(f, "use another processor; in a virtual machine, let the hypervisor pass invtsc through");
}

static void rt_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	int64_t us;

	if (gn_sys_read_i64(v->root, "/proc/sys/kernel/sched_rt_runtime_us", &us) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read /proc/sys/kernel/sched_rt_runtime_us");
		return;
	}
	gn_host_found(f, us < 0 ? GN_HOST_OK : GN_HOST_WARN, us < 0 ? "off" : "SCHED_FIFO gets %lld us of each period",
		(long long)us);
	if (us >= 0)
		gn_host_fix(f, "sysctl kernel.sched_rt_runtime_us=-1 (matters to threads with a FIFO priority only)");
}

static void rt_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	gn_host_plan_write(v, p, "-1", "/proc/sys/kernel/sched_rt_runtime_us");
}

const struct gn_host_row gn_host_rows_kernel[] = {
	{.name = "rt_throttling",
		.costs = "a thread with a FIFO priority that never sleeps is stopped 50 ms of each second",
		.check = rt_check,
		.plan = rt_plan},
	{.name = "watchdog",
		.costs = "a timer and a kernel thread look after each core",
		.file = "/proc/sys/kernel/watchdog",
		.want = "0",
		.worse = GN_HOST_WARN},
	{.name = "nmi_watchdog",
		.costs = "a non-maskable interrupt, and one hardware counter fewer",
		.file = "/proc/sys/kernel/nmi_watchdog",
		.want = "0",
		.worse = GN_HOST_WARN},
	{.name = "timer_migration",
		.costs = "timers stay on the core that set them, also when that one polls",
		.file = "/proc/sys/kernel/timer_migration",
		.want = "1",
		.worse = GN_HOST_WARN},
	{.name = "mitigations",
		.costs = "each way into the kernel and back is slower by up to a microsecond",
		.check = mitigations_check},
	{.name = "clocksource",
		.costs = "reading the time becomes a slow access to a device, or a system call",
		.check = clocksource_check,
		.plan = clocksource_plan},
	{.name = "tsc", .costs = "every time stamp is wrong", .check = tsc_check},
	{.name = NULL},
};
