/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/machine.h"

#include <fcntl.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCK_PATH "/tmp/gannet-perf.lock"
#define STEAL_PER_MILLE_MAX 5u

/* First line of a file that contains the word; false: there is none. */
static bool find_line(const char *path, const char *word, char *line, size_t bytes)
{
	FILE *f = fopen(path, "r");
	bool found = false;

	while (f && !found && fgets(line, (int)bytes, f))
		found = strstr(line, word) != NULL;
	if (f)
		fclose(f);
	return found;
}

static void read_processor(struct machine *m)
{
	char line[4096], *name;

	snprintf(m->name, sizeof(m->name), "unknown processor, %u cores", m->n_cores);
	if (!find_line("/proc/cpuinfo", "model name", line, sizeof(line)) || !(name = strchr(line, ':')))
		return;
	name[strcspn(name, "\"\\\n")] = 0;
	snprintf(m->name, sizeof(m->name), "%.64s, %u cores", name + 2, m->n_cores);
}

static void read_stat(uint64_t *steal, uint64_t *total)
{
	unsigned long long v[8] = {0};
	char line[512];

	*steal = *total = 0;
	if (!find_line("/proc/stat", "cpu ", line, sizeof(line)))
		return;
	sscanf(line, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	for (int i = 0; i < 8; i++)
		*total += v[i];
	*steal = v[7];
}

static uint32_t others_running(void)
{
	char line[512];
	uint32_t n = 0;

	if (find_line("/proc/stat", "procs_running", line, sizeof(line)))
		n = (uint32_t)strtoul(line + strlen("procs_running"), NULL, 10);
	return n > 0 ? n - 1 : 0;
}

static bool counts_instructions(void)
{
	struct perf_event_attr a = {.type = PERF_TYPE_HARDWARE, .size = sizeof(a), .config = PERF_COUNT_HW_INSTRUCTIONS,
		.exclude_kernel = 1, .exclude_hv = 1};
	long fd = syscall(SYS_perf_event_open, &a, 0, -1, -1, 0);

	if (fd >= 0)
		close((int)fd);
	return fd >= 0;
}

/* Whoever measures holds the lock; a script tells its children by the environment that it is held for them. */
static bool is_another_run(void)
{
	if (getenv("GANNET_PERF_LOCK"))
		return false;
	int fd = open(LOCK_PATH, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

void machine_look(struct machine *m)
{
	char line[4096];
	cpu_set_t all;

	memset(m, 0, sizeof(*m));
	CPU_ZERO(&all);
	sched_getaffinity(0, sizeof(all), &all);
	m->n_cores = (uint32_t)CPU_COUNT(&all);
	read_processor(m);
	bool has_flags = find_line("/proc/cpuinfo", "flags", line, sizeof(line));
	m->is_virtual = has_flags && strstr(line, " hypervisor") != NULL;
	m->has_tsc = has_flags && strstr(line, " constant_tsc") != NULL && strstr(line, " nonstop_tsc") != NULL;
	m->has_isolated = find_line("/sys/devices/system/cpu/isolated", "", line, sizeof(line)) && line[0] >= '0' && line[0] <= '9';
	m->has_huge_pages = find_line("/proc/meminfo", "HugePages_Free:", line, sizeof(line))
			    && strtoul(line + strlen("HugePages_Free:"), NULL, 10) > 0;
	m->has_counters = counts_instructions();
	m->another_run = is_another_run();
	m->n_running = others_running();
	read_stat(&m->steal_at, &m->total_at);
}

__attribute__((format(printf, 4, 5))) static uint32_t add(char *text, uint32_t bytes, uint32_t at, const char *format, ...)
{
	va_list arguments;

	if (at > 0 && at + 2 < bytes) {
		memcpy(text + at, "; ", 3);
		at += 2;
	}
	va_start(arguments, format);
	int n = vsnprintf(text + at, bytes - at, format, arguments);
	va_end(arguments);
	return n > 0 && at + (uint32_t)n < bytes ? at + (uint32_t)n : bytes - 1;
}

uint32_t machine_doubts(const struct machine *m, char *text, uint32_t bytes)
{
	uint64_t steal, total;
	uint32_t at = 0;

	text[0] = 0;
	read_stat(&steal, &total);
	uint64_t steal_per_mille = total > m->total_at ? (steal - m->steal_at) * 1000 / (total - m->total_at) : 0;
	if (m->n_cores < 2)
		at = add(text, bytes, at, "one core only");
	if (m->another_run)
		at = add(text, bytes, at, "another measurement is running");
	if (m->n_running >= m->n_cores)
		at = add(text, bytes, at, "%u other tasks wanted %u cores", m->n_running, m->n_cores);
	if (steal_per_mille > STEAL_PER_MILLE_MAX)
		at = add(text, bytes, at, "%u.%u %% of the time was stolen by the host", (unsigned)(steal_per_mille / 10),
			(unsigned)(steal_per_mille % 10));
	if (m->is_virtual)
		at = add(text, bytes, at, "virtual machine");
	if (!m->has_isolated)
		at = add(text, bytes, at, "no isolated core");
	if (!m->has_huge_pages)
		at = add(text, bytes, at, "no free huge pages");
	if (!m->has_tsc)
		at = add(text, bytes, at, "no invariant time-stamp counter");
	if (!m->has_counters)
		at = add(text, bytes, at, "no hardware counters");
	return at;
}
