/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The hot paths of perf/paths.c: what a hop through a strategy and a trace stamp take, and a run of any one path in which
 * perf/gate counts instructions.
 *
 * usage: bench_paths [--short]
 *        bench_paths --list
 *        bench_paths --count NAME N
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "perf/bench.h"
#include "perf/paths.h"

#define BATCH 200u
#define SAMPLES 5000u

static const struct path *find(const char *name)
{
	for (const struct path *p = paths; p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

static int list(void)
{
	for (const struct path *p = paths; p->name; p++)
		puts(p->name);
	return 0;
}

static int count(const char *name, uint32_t n)
{
	const struct path *p = find(name);

	if (!p || n == 0 || n > p->n_max) {
		fprintf(stderr, "bench_paths: %s %u: no such path, or too many runs of it\n", name, n);
		return 2;
	}
	p->set_up();
	p->run(n);
	return 0;
}

/* Batches, since the counter's steps are too coarse for one. */
static void measure(const char *name)
{
	static double ns[SAMPLES];
	const struct path *p = find(name);
	uint32_t n_samples = bench_short() ? SAMPLES / 50 : SAMPLES;

	p->set_up();
	p->run(BATCH);
	for (uint32_t i = 0; i < n_samples; i++) {
		uint64_t from = gn_tsc();
		p->run(BATCH);
		ns[i] = (double)(gn_tsc() - from) * bench_ns_per_tick() / BATCH;
	}
	bench_count_start();
	for (uint32_t i = 0; i < n_samples; i++)
		p->run(BATCH);
	bench_print(&(struct bench_result){.name = name, .n = (uint64_t)n_samples * BATCH, .samples_ns = ns, .n_samples = n_samples,
		.counts = bench_count_stop()});
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	if (argc == 2 && strcmp(argv[1], "--list") == 0)
		return list();
	if (argc == 4 && strcmp(argv[1], "--count") == 0)
		return count(argv[2], (uint32_t)strtoul(argv[3], NULL, 10));
	if (argc != 1) {
		fputs("usage: bench_paths [--short | --list | --count NAME N]\n", stderr);
		return 2;
	}
	bench_pin(0);
	measure("strategy_hop");
	measure("trace_stamp");
	measure("trace_stamp_off");
	return 0;
}
