/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What the machine itself costs, below which nothing can be: reading the time-stamp counter, a load that depends on the one
 * before from each level of the caches and from memory, a cache line from one core to another. The port's own echo is
 * perf/bench_port_echo.c.
 *
 * usage: bench_floor [--short]
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "perf/bench.h"

#define ROUNDS 101u
#define LOADS 20000u
#define MEMORY_BYTES_MAX ((size_t)512 << 20)

static double samples[ROUNDS];

static uint32_t rounds(void)
{
	return bench_short() ? 11 : ROUNDS;
}

static void print(const char *name, uint64_t n, const char *extra)
{
	bench_print(&(struct bench_result){.name = name, .n = n * rounds(), .samples_ns = samples, .n_samples = rounds(), .extra = extra});
}

static void floor_tsc(void)
{
	for (uint32_t r = 0; r < rounds(); r++) {
		uint64_t from = gn_tsc();
		for (uint32_t i = 1; i < LOADS; i++)
			gn_tsc();
		samples[r] = (double)(gn_tsc() - from) * bench_ns_per_tick() / LOADS;
	}
	print("floor_tsc", LOADS, NULL);
}

/* One line after the other in an order that no prefetcher can guess: each line holds the address of the next. */
static void **chain(uint8_t *mem, size_t bytes)
{
	size_t n = bytes / GN_LINE, *order = calloc(n, sizeof(*order));
	uint64_t state = UINT64_C(0x9e3779b97f4a7c15);

	if (!order)
		exit(1);
	for (size_t i = 0; i < n; i++) {
		state = state * UINT64_C(6364136223846793005) + 1442695040888963407u;
		size_t j = (size_t)(state >> 20) % (i + 1);
		order[i] = order[j];
		order[j] = i;
	}
	for (size_t i = 0; i < n; i++)
		*(void **)(void *)(mem + order[i] * GN_LINE) = mem + order[(i + 1) % n] * GN_LINE;
	void **first = (void **)(void *)(mem + order[0] * GN_LINE);
	free(order);
	return first;
}

static void floor_load(const char *name, size_t bytes)
{
	uint8_t *mem = gn_mem_alloc(bytes, GN_NODE_ANY);
	char extra[64];

	if (!mem) {
		fprintf(stderr, "bench_floor: %s: %s\n", name, gn_err_text());
		return;
	}
	void **at = chain(mem, bytes);
	for (size_t i = 0; i < bytes / GN_LINE && i < 4u << 20; i++)
		at = *at;
	for (uint32_t r = 0; r < rounds(); r++) {
		uint64_t from = gn_tsc();
		for (uint32_t i = 0; i < LOADS; i++)
			at = *at;
		__asm__ volatile("" : : "r"(at));
		samples[r] = (double)(gn_tsc() - from) * bench_ns_per_tick() / LOADS;
	}
	snprintf(extra, sizeof(extra), "\"kbytes\":%zu", bytes >> 10);
	print(name, LOADS, extra);
	gn_mem_free(mem, bytes);
}

static size_t cache_bytes(int level, size_t otherwise)
{
	long bytes = sysconf(level);

	return bytes > 0 ? (size_t)bytes : otherwise;
}

static void floor_loads(void)
{
	size_t l1 = cache_bytes(_SC_LEVEL1_DCACHE_SIZE, 32u << 10), l2 = cache_bytes(_SC_LEVEL2_CACHE_SIZE, 1u << 20),
	       l3 = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 32u << 20);
	size_t memory = 4 * l3 < MEMORY_BYTES_MAX ? 4 * l3 : MEMORY_BYTES_MAX;

	floor_load("floor_l1", l1 / 2);
	floor_load("floor_l2", l2 / 2);
	floor_load("floor_l3", l2 + l3 / 4 > memory / 4 ? memory / 4 : l2 + l3 / 4);
	floor_load("floor_dram", bench_short() ? memory / 2 : memory);
}

static struct {
	GN_OWNED_BY(both) _Atomic uint64_t line;
	GN_OWNED_BY(asker) uint64_t trips;
} ping;

static void *answer(void *arg)
{
	bench_pin(1);
	for (uint64_t i = 1; i < 2 * ping.trips; i += 2) {
		while (atomic_load_explicit(&ping.line, memory_order_acquire) != i)
			;
		atomic_store_explicit(&ping.line, i + 1, memory_order_release);
	}
	return arg;
}

/* There and back in one line; half of it is one way. */
static void floor_line(void)
{
	pthread_t thread;

	if (bench_cores() < 2) {
		fprintf(stderr, "bench_floor: floor_line needs two cores\n");
		return;
	}
	ping.trips = bench_short() ? 500 : 20000;
	for (uint32_t r = 0; r < rounds(); r++) {
		atomic_store(&ping.line, 0);
		if (pthread_create(&thread, NULL, answer, NULL) != 0)
			exit(1);
		atomic_store(&ping.line, 1);
		while (atomic_load_explicit(&ping.line, memory_order_acquire) != 2)
			;
		uint64_t from = gn_tsc();
		for (uint64_t i = 3; i < 2 * ping.trips; i += 2) {
			atomic_store_explicit(&ping.line, i, memory_order_release);
			while (atomic_load_explicit(&ping.line, memory_order_acquire) != i + 1)
				;
		}
		samples[r] = (double)(gn_tsc() - from) * bench_ns_per_tick() / (double)(2 * (ping.trips - 1));
		pthread_join(thread, NULL);
	}
	print("floor_line", ping.trips, NULL);
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	if (argc > 1) {
		fputs("usage: bench_floor [--short]\n", stderr);
		return 2;
	}
	bench_pin(0);
	floor_tsc();
	floor_loads();
	floor_line();
	return 0;
}
