/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * OUCH 5.0 encoding, ns a message: an Enter with its order id in base 36, and beside it the base-36 text alone against
 * a loop of divisions, in alternating passes of one run. Prints one JSON line each.
 */

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/codec/ouch50.h"
#include "perf/bench.h"

#define PASSES_MAX 101

typedef uint64_t (*pass_fn)(uint32_t n);

static volatile gn_oid first_oid = UINT64_C(3) << 48;

static struct ouch50_clordid divide(gn_oid oid)
{
	struct ouch50_clordid id = {.reserved = {0}};

	for (uint32_t i = OUCH50_CLORDID_BYTES; i-- > 0; oid /= 36)
		id.c[i] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[oid % 36];
	return id;
}

/* every id is written, none is optimised away; the last one tells whether both agree */
static uint64_t pass_text(uint32_t n)
{
	gn_oid oid = first_oid;
	static struct ouch50_clordid id;

	for (uint32_t i = 0; i < n; i++) {
		id = ouch50_clordid_from_oid(oid + i);
		__asm__ volatile("" : : "r"(&id) : "memory");
	}
	return ouch50_oid_from_clordid(id);
}

static uint64_t pass_divide(uint32_t n)
{
	gn_oid oid = first_oid;
	static struct ouch50_clordid id;

	for (uint32_t i = 0; i < n; i++) {
		id = divide(oid + i);
		__asm__ volatile("" : : "r"(&id) : "memory");
	}
	return ouch50_oid_from_clordid(id);
}

static uint64_t pass_enter(uint32_t n)
{
	gn_oid oid = first_oid;
	uint64_t sum = 0;
	static uint8_t msg[OUCH50_BYTES_MAX];
	struct ouch50_enter m = {.symbol = {.c = "AAPL"}, .side = OUCH50_BUY, .tif = OUCH50_TIF_IOC, .display = OUCH50_DISPLAY,
		.capacity = OUCH50_CAPACITY_PRINCIPAL, .iso = 'N', .cross = OUCH50_CROSS_CONTINUOUS};

	for (uint32_t i = 0; i < n; i++) {
		m.user_ref = i;
		m.qty = i & 1023;
		m.px.e9 = INT64_C(100000000000) + i * GN_PX_E9_PER_E4;
		m.clordid = ouch50_clordid_from_oid(oid + i);
		sum += ouch50_encode_enter(&m, msg);
		__asm__ volatile("" : : "r"(msg) : "memory"); /* every message is written */
	}
	return sum;
}

/* ns a message, in thousandths */
static uint64_t time_pass(pass_fn pass, uint32_t n, uint64_t *sum)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	*sum = pass(n);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((uint64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (uint64_t)b.tv_nsec - (uint64_t)a.tv_nsec) * 1000 / n;
}

static void print_line(const char *name, uint32_t n, const uint64_t *took, uint32_t n_passes)
{
	static double ns[PASSES_MAX];

	for (uint32_t i = 0; i < n_passes; i++)
		ns[i] = (double)took[i] / 1e3;
	bench_print(&(struct bench_result){.name = name, .n = (uint64_t)n * n_passes, .samples_ns = ns, .n_samples = n_passes});
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	bench_pin(0);
	uint32_t n_passes = bench_short() ? 5 : PASSES_MAX, n = bench_short() ? 20000 : 100000;
	static uint64_t enter[PASSES_MAX], text[PASSES_MAX], loop[PASSES_MAX];
	uint64_t sum, sum_text, sum_loop;

	for (uint32_t i = 0; i < n_passes; i++) {
		enter[i] = time_pass(pass_enter, n, &sum);
		text[i] = time_pass(pass_text, n, &sum_text);
		loop[i] = time_pass(pass_divide, n, &sum_loop);
		if (sum_text != sum_loop || sum != (uint64_t)n * OUCH50_ENTER_BYTES) {
			fprintf(stderr, "bench_ouch: wrong results\n");
			return 1;
		}
	}
	print_line("ouch_encode_enter", n, enter, n_passes);
	print_line("ouch_clordid", n, text, n_passes);
	print_line("ouch_clordid_division_loop", n, loop, n_passes);
	return 0;
}
