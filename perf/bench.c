/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/bench.h"

#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "perf/commit.h"
#include "perf/machine.h"

static struct machine machine;
static bool is_short;
static int counter_fd[2] = {-1, -1}; /* instructions, which leads the group, and cycles */
static double ns_per_tick;

static int counter_open(uint64_t what, int leader)
{
	struct perf_event_attr a = {.type = PERF_TYPE_HARDWARE, .size = sizeof(a), .config = what, .disabled = leader < 0,
		.exclude_kernel = 1, .exclude_hv = 1, .read_format = PERF_FORMAT_GROUP};

	return (int)syscall(SYS_perf_event_open, &a, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

void bench_start(int *argc, char **argv)
{
	int n = 0;

	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], "--short") == 0)
			is_short = true;
		else
			argv[n++] = argv[i];
	}
	argv[n] = NULL;
	*argc = n;
	machine_look(&machine);
	counter_fd[0] = counter_open(PERF_COUNT_HW_INSTRUCTIONS, -1);
	if (counter_fd[0] >= 0)
		counter_fd[1] = counter_open(PERF_COUNT_HW_CPU_CYCLES, counter_fd[0]);
}

bool bench_short(void)
{
	return is_short;
}

uint32_t bench_cores(void)
{
	return machine.n_cores;
}

void bench_pin(uint32_t n)
{
	static cpu_set_t all;
	cpu_set_t one;

	if (CPU_COUNT(&all) == 0)
		sched_getaffinity(0, sizeof(all), &all);
	n %= (uint32_t)CPU_COUNT(&all);
	CPU_ZERO(&one);
	for (size_t core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &all) && n-- == 0)
			CPU_SET(core, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

double bench_ns_per_tick(void)
{
	struct timespec from, to;
	double ns;

	if (ns_per_tick > 0)
		return ns_per_tick;
	clock_gettime(CLOCK_MONOTONIC_RAW, &from);
	uint64_t tsc = gn_tsc();
	do {
		clock_gettime(CLOCK_MONOTONIC_RAW, &to);
		ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
	} while (ns < 2e7);
	ns_per_tick = ns / (double)(gn_tsc() - tsc);
	return ns_per_tick;
}

uint64_t bench_tsc_ticks(void)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < 10000; i++) {
		uint64_t from = gn_tsc(), ticks = gn_tsc() - from;
		best = ticks < best ? ticks : best;
	}
	return best;
}

void bench_count_start(void)
{
	if (counter_fd[1] < 0)
		return;
	ioctl(counter_fd[0], PERF_EVENT_IOC_RESET, PERF_IOC_FLAG_GROUP);
	ioctl(counter_fd[0], PERF_EVENT_IOC_ENABLE, PERF_IOC_FLAG_GROUP);
}

struct bench_counts bench_count_stop(void)
{
	uint64_t v[3] = {0};

	if (counter_fd[1] < 0)
		return (struct bench_counts){0};
	ioctl(counter_fd[0], PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
	bool valid = read(counter_fd[0], v, sizeof(v)) == sizeof(v) && v[0] == 2;
	return (struct bench_counts){.valid = valid, .instructions = v[1], .cycles = v[2]};
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct bench_result *r, uint32_t ppm)
{
	if (r->hist)
		return (double)gn_hist_at(r->hist, ppm) * (r->hist_ns > 0 ? r->hist_ns : 1);
	uint64_t rank = ((uint64_t)r->n_samples * ppm + 999999) / 1000000;

	return r->samples_ns[rank > 0 ? rank - 1 : 0];
}

static void print_percentiles(const struct bench_result *r, FILE *out)
{
	static const struct {
		const char *key;
		uint32_t ppm;
	} keys[] = {{"p50_ns", 500000}, {"p99_ns", 990000}, {"p999_ns", 999000}, {"p9999_ns", 999900}, {"max_ns", 1000000}};

	if (r->samples_ns)
		qsort(r->samples_ns, r->n_samples, sizeof(double), by_value);
	for (size_t i = 0; i < GN_ARRAY_SIZE(keys); i++)
		fprintf(out, ",\"%s\":%.2f", keys[i].key, percentile(r, keys[i].ppm));
	if (r->samples_ns)
		fprintf(out, ",\"samples\":%u", r->n_samples);
}

static void print_counts(const struct bench_result *r, FILE *out)
{
	if (!r->counts.valid || r->n == 0) {
		fputs(",\"instructions\":null,\"cycles\":null", out);
		return;
	}
	fprintf(out, ",\"instructions\":%.2f,\"cycles\":%.2f", (double)r->counts.instructions / (double)r->n,
		(double)r->counts.cycles / (double)r->n);
}

void bench_print(const struct bench_result *r)
{
	char *line = NULL, doubts[512];
	size_t bytes;
	FILE *out = open_memstream(&line, &bytes);

	if (!out)
		exit(1);
	fprintf(out, "{\"bench\":\"%s%s%s\",\"n\":%llu", r->name, r->with ? "_" : "", r->with ? r->with : "",
		(unsigned long long)r->n);
	if (r->hist || r->samples_ns)
		print_percentiles(r, out);
	else
		fprintf(out, ",\"per_s\":%.0f", r->per_s);
	print_counts(r, out);
	if (r->extra)
		fprintf(out, ",%s", r->extra);
	bool indicative = machine_doubts(&machine, doubts, sizeof(doubts)) > 0;
	fprintf(out, ",\"machine\":\"%s\",\"commit\":\"%s\",\"indicative\":%s", machine.name, PERF_COMMIT,
		indicative ? "true" : "false");
	if (indicative)
		fprintf(out, ",\"because\":\"%s\"", doubts);
	fputs("}\n", out);
	if (fclose(out) != 0)
		exit(1);
	fputs(line, stdout);
	fflush(stdout);
	free(line);
}
