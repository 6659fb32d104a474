/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * ITCH 5.0 decoding, ns a message: the table-driven decoder against an obvious one with a switch over the type, on the
 * same seeded stream, in alternating passes of one run. Prints one JSON line each.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dataplane/codec/itch50.h"
#include "perf/bench.h"

#define SEED UINT64_C(0x6a09e667f3bcc908)
#define PASSES_MAX 101

struct stream {
	uint8_t *data; /* u16 length and message, as in the venue's files */
	size_t bytes;
	uint32_t n;
};

typedef uint64_t (*pass_fn)(const struct stream *s);

static uint64_t random_u64(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

/* shares in a thousand of a day's messages */
static uint8_t random_type(uint64_t *state)
{
	static const struct { uint8_t type; uint16_t below; } mix[] = {
		{'A', 398}, {'D', 778}, {'U', 898}, {'E', 958}, {'X', 986}, {'P', 994}, {'F', 996}, {'C', 998}, {'I', 999}, {'L', 1000}};
	uint32_t r = (uint32_t)(random_u64(state) % 1000);
	uint32_t i = 0;

	while (r >= mix[i].below)
		i++;
	return mix[i].type;
}

static size_t put_message(uint8_t *at, uint64_t *state, uint64_t ns)
{
	uint8_t type = random_type(state);
	uint32_t bytes = itch50_bytes(type);

	wire_put_u16(at, (uint16_t)bytes);
	at += 2;
	for (uint32_t i = ITCH50_HEAD_BYTES; i < bytes; i++)
		at[i] = (uint8_t)random_u64(state);
	at[0] = type;
	wire_put_u16(at + 1, (uint16_t)(random_u64(state) % 8000));
	wire_put_u16(at + 3, 0);
	wire_put_u48(at + 5, ns);
	if (type == 'A' || type == 'F' || type == 'P')
		at[19] = random_u64(state) & 1 ? 'B' : 'S';
	return 2 + bytes;
}

static struct stream make_stream(uint32_t n)
{
	struct stream s = {.data = malloc((size_t)n * (2 + ITCH50_BYTES_MAX)), .n = n};
	uint64_t state = SEED;

	if (s.data == NULL)
		exit(1);
	for (uint32_t i = 0; i < n; i++)
		s.bytes += put_message(s.data + s.bytes, &state, UINT64_C(34200000000000) + i);
	return s;
}

/* what a reader of the events would touch; keeps the compiler honest */
static inline uint64_t digest(const struct gn_md *md, uint16_t locate)
{
	uint32_t head;

	memcpy(&head, md, sizeof(head));
	return (md->order.ref ^ md->exch_ns ^ head) + md->order.aux2 + (uint64_t)md->order.px.e9 + (uint64_t)md->order.qty + locate;
}

static uint64_t pass_table(const struct stream *s)
{
	uint64_t sum = 0;
	struct gn_md md;
	uint16_t locate;

	for (size_t at = 0; at < s->bytes;) {
		uint32_t bytes = wire_u16(s->data + at);

		if (itch50_decode(s->data + at + 2, bytes, &md, &locate) == ITCH50_OK)
			sum ^= digest(&md, locate);
		at += 2 + bytes;
	}
	return sum;
}

/* as one would write it at first: a case a type */
static bool switch_decode(const uint8_t *m, uint32_t bytes, struct gn_md *md, uint16_t *locate)
{
	if (bytes < ITCH50_HEAD_BYTES)
		return false;
	*locate = wire_u16(m + 1);
	md->exch_ns = wire_u48(m + 5);
	md->side = 0;
	md->flags = 0;
	md->code = 0;
	md->order.ref = md->order.aux2 = 0;
	md->order.px.e9 = md->order.qty = 0;
	switch (m[0]) {
	case 'A':
	case 'F':
		if (bytes != (m[0] == 'A' ? 36 : 40))
			return false;
		md->kind = GN_MD_ADD;
		md->order.ref = wire_u64(m + 11);
		md->side = m[19] == 'B' ? GN_BUY : m[19] == 'S' ? GN_SELL : 0;
		md->order.qty = wire_u32(m + 20);
		md->order.px.e9 = wire_u32(m + 32) * GN_PX_E9_PER_E4;
		md->order.aux2 = m[0] == 'F' ? wire_u32(m + 36) : 0;
		return true;
	case 'E':
		if (bytes != 31)
			return false;
		md->kind = GN_MD_EXEC;
		md->order.ref = wire_u64(m + 11);
		md->order.qty = wire_u32(m + 19);
		md->order.aux2 = wire_u64(m + 23);
		return true;
	case 'C':
		if (bytes != 36)
			return false;
		md->kind = GN_MD_EXEC_PX;
		md->order.ref = wire_u64(m + 11);
		md->order.qty = wire_u32(m + 19);
		md->order.aux2 = wire_u64(m + 23);
		md->flags = m[31] == 'Y' ? GN_MD_F_PRINTABLE : 0;
		md->order.px.e9 = wire_u32(m + 32) * GN_PX_E9_PER_E4;
		return true;
	case 'X':
		if (bytes != 23)
			return false;
		md->kind = GN_MD_REDUCE;
		md->order.ref = wire_u64(m + 11);
		md->order.qty = wire_u32(m + 19);
		return true;
	case 'D':
		if (bytes != 19)
			return false;
		md->kind = GN_MD_DELETE;
		md->order.ref = wire_u64(m + 11);
		return true;
	case 'U':
		if (bytes != 35)
			return false;
		md->kind = GN_MD_REPLACE;
		md->order.ref = wire_u64(m + 11);
		md->order.aux2 = wire_u64(m + 19);
		md->order.qty = wire_u32(m + 27);
		md->order.px.e9 = wire_u32(m + 31) * GN_PX_E9_PER_E4;
		return true;
	case 'P':
		if (bytes != 44)
			return false;
		md->kind = GN_MD_TRADE;
		md->order.ref = wire_u64(m + 11);
		md->side = m[19] == 'B' ? GN_BUY : m[19] == 'S' ? GN_SELL : 0;
		md->order.qty = wire_u32(m + 20);
		md->order.px.e9 = wire_u32(m + 32) * GN_PX_E9_PER_E4;
		md->order.aux2 = wire_u64(m + 36);
		return true;
	default: /* the rare ones are the same for both */
		return itch50_decode(m, bytes, md, locate) == ITCH50_OK;
	}
}

static uint64_t pass_switch(const struct stream *s)
{
	uint64_t sum = 0;
	struct gn_md md;
	uint16_t locate;

	for (size_t at = 0; at < s->bytes;) {
		uint32_t bytes = wire_u16(s->data + at);

		if (switch_decode(s->data + at + 2, bytes, &md, &locate))
			sum ^= digest(&md, locate);
		at += 2 + bytes;
	}
	return sum;
}

/* ns a message, in thousandths */
static uint64_t time_pass(const struct stream *s, pass_fn pass, uint64_t *sum)
{
	struct timespec a, b;

	clock_gettime(CLOCK_MONOTONIC, &a);
	*sum = pass(s);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return ((uint64_t)(b.tv_sec - a.tv_sec) * 1000000000 + (uint64_t)b.tv_nsec - (uint64_t)a.tv_nsec) * 1000 / s->n;
}

static void print_line(const char *with, const struct stream *s, const uint64_t *took, uint32_t n_passes, struct bench_counts counts,
	const char *extra)
{
	static double ns[PASSES_MAX];

	for (uint32_t i = 0; i < n_passes; i++)
		ns[i] = (double)took[i] / 1e3;
	counts.instructions /= n_passes;
	counts.cycles /= n_passes;
	bench_print(&(struct bench_result){.name = "itch_decode", .with = with, .n = s->n, .samples_ns = ns, .n_samples = n_passes,
		.counts = counts, .extra = extra});
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the passes that ran one after the other. */
static double ratio(const uint64_t *table, const uint64_t *plain, uint32_t n)
{
	double r[PASSES_MAX];

	for (uint32_t i = 0; i < n; i++)
		r[i] = (double)table[i] / (double)plain[i];
	qsort(r, n, sizeof(double), by_value);
	return r[n / 2];
}

/* Counted in passes of their own: the counters are not switched within the timed ones. */
static struct bench_counts count(const struct stream *s, pass_fn pass, uint32_t n_passes)
{
	volatile uint64_t sum = 0;

	bench_count_start();
	for (uint32_t i = 0; i < n_passes; i++)
		sum = sum ^ pass(s);
	return bench_count_stop();
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	bench_pin(0);
	uint32_t n_passes = bench_short() ? 5 : PASSES_MAX;
	struct stream s = make_stream(bench_short() ? 50000 : 400000);
	static uint64_t table[PASSES_MAX], plain[PASSES_MAX];
	uint64_t sum_table, sum_plain;
	char extra[64];

	time_pass(&s, pass_table, &sum_table); /* warm-up */
	time_pass(&s, pass_switch, &sum_plain);
	if (sum_table != sum_plain) {
		fprintf(stderr, "bench_itch: the two decoders disagree\n");
		return 1;
	}
	for (uint32_t i = 0; i < n_passes; i++) {
		table[i] = time_pass(&s, pass_table, &sum_table);
		plain[i] = time_pass(&s, pass_switch, &sum_plain);
	}
	print_line(NULL, &s, table, n_passes, count(&s, pass_table, n_passes), NULL);
	snprintf(extra, sizeof(extra), "\"ours_ratio\":%.3f", ratio(table, plain, n_passes));
	print_line("switch", &s, plain, n_passes, count(&s, pass_switch, n_passes), extra);
	free(s.data);
	return 0;
}
