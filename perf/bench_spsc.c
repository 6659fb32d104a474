/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Our ring against those that a user would take instead, in the same run: rte_ring (SP/SC), Concurrency Kit's ck_ring and
 * boost::lockfree::spsc_queue. Round trip of one message between two cores, throughput of single messages and of bursts
 * of 32. Rounds alternate between the rings, and every ring's waiting loop says that it waits (gn_pause()), since without
 * it the reader's polling holds up the writer. One JSON line a figure, with the ratio of
 * ours to it, the median over the rounds; perf/bench_floor tells what the two cores share.
 */

#include <ck_ring.h>
#include <pthread.h>
#include <rte_ring.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench_spsc_boost.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/spsc.h"
#include "perf/bench.h"

#define DEPTH 1024u
#define BURST 32u
#define ROUNDS_MAX 31

struct msg8 {
	uint64_t word[1];
};
struct msg64 {
	uint64_t word[8];
};

/* One ring of one kind; `item` is only for ck_ring, whose entries are pointers: messages travel in it. */
struct ring {
	void *ring;
	uint8_t *item;
	uint32_t put, got;
};

static unsigned long long n_items = 2000000, n_trips = 200000;

/* --- the rings, each as try-push and try-pop of one message --- */

#define OURS(BYTES)                                                                                      \
	static inline bool ours##BYTES##_push(struct ring *r, const struct msg##BYTES *m)                \
	{                                                                                                \
		return gn_spsc_push(r->ring, m, BYTES);                                                  \
	}                                                                                                \
	static inline bool ours##BYTES##_pop(struct ring *r, struct msg##BYTES *m)                       \
	{                                                                                                \
		const struct gn_slot *s = gn_spsc_peek(r->ring, 0);                                      \
		if (!s) {                                                                                \
			gn_spsc_share(r->ring);                                                          \
			return false;                                                                    \
		}                                                                                        \
		memcpy(m, s->payload, BYTES);                                                            \
		gn_spsc_release(r->ring);                                                                \
		return true;                                                                             \
	}
OURS(8)
OURS(64)

#define RTE(BYTES)                                                                                         \
	static inline bool rte##BYTES##_push(struct ring *r, const struct msg##BYTES *m)                   \
	{                                                                                                  \
		return rte_ring_sp_enqueue_bulk_elem(r->ring, m, BYTES, 1, NULL) == 1;                     \
	}                                                                                                  \
	static inline bool rte##BYTES##_pop(struct ring *r, struct msg##BYTES *m)                          \
	{                                                                                                  \
		return rte_ring_sc_dequeue_bulk_elem(r->ring, m, BYTES, 1, NULL) == 1;                     \
	}
#include <rte_ring_elem.h>
RTE(8)
RTE(64)

/* ck_ring of structures: CK_RING_PROTOTYPE makes the typed functions. */
CK_RING_PROTOTYPE(m8, msg8)
CK_RING_PROTOTYPE(m64, msg64)
struct ck_box {
	ck_ring_t ring;
};
#define CK(BYTES)                                                                                                   \
	static inline bool ck##BYTES##_push(struct ring *r, const struct msg##BYTES *m)                             \
	{                                                                                                           \
		struct msg##BYTES copy = *m;                                                                        \
		return ck_ring_enqueue_spsc_m##BYTES(&((struct ck_box *)r->ring)->ring,                             \
			(struct msg##BYTES *)(void *)r->item, &copy);                                               \
	}                                                                                                           \
	static inline bool ck##BYTES##_pop(struct ring *r, struct msg##BYTES *m)                                    \
	{                                                                                                           \
		return ck_ring_dequeue_spsc_m##BYTES(&((struct ck_box *)r->ring)->ring,                             \
			(struct msg##BYTES *)(void *)r->item, m);                                                   \
	}
CK(8)
CK(64)

/* --- making them --- */

static void *aligned(size_t bytes)
{
	void *mem = aligned_alloc(128, (bytes + 127) / 128 * 128);

	if (!mem)
		exit(1);
	return memset(mem, 0, bytes);
}

static struct ring ours_new(uint32_t bytes)
{
	struct ring r = {.ring = aligned(sizeof(struct gn_spsc))};

	if (gn_spsc_init(r.ring, DEPTH, bytes, GN_NODE_ANY) < 0)
		exit(1);
	return r;
}

static struct ring rte_new(uint32_t bytes)
{
	struct ring r = {.ring = aligned((size_t)rte_ring_get_memsize_elem(bytes, DEPTH))};

	if (rte_ring_init(r.ring, "bench", DEPTH, RING_F_SP_ENQ | RING_F_SC_DEQ) != 0)
		exit(1);
	return r;
}

static struct ring ck_new(uint32_t bytes)
{
	struct ring r = {.ring = aligned(sizeof(struct ck_box)), .item = aligned((size_t)DEPTH * bytes)};

	ck_ring_init(&((struct ck_box *)r.ring)->ring, DEPTH);
	return r;
}

/* --- the two measurements, made for each ring, so that nothing is called through a pointer --- */

struct job {
	struct ring a, b;
	unsigned long long n;
};

#define MEASURE(NAME, BYTES)                                                                               \
	static void *NAME##BYTES##_echo(void *arg)                                                         \
	{                                                                                                  \
		struct job *j = arg;                                                                       \
		struct msg##BYTES m;                                                                       \
		bench_pin(1);                                                                              \
		for (unsigned long long i = 0; i < j->n; i++) {                                            \
			while (!NAME##BYTES##_pop(&j->a, &m))                                              \
				gn_pause();                                                                          \
			while (!NAME##BYTES##_push(&j->b, &m))                                             \
				gn_pause();                                                                          \
		}                                                                                          \
		return NULL;                                                                               \
	}                                                                                                  \
	static double NAME##BYTES##_rtt(struct ring a, struct ring b)                                      \
	{                                                                                                  \
		struct job j = {a, b, n_trips};                                                            \
		struct msg##BYTES m = {{0}};                                                               \
		pthread_t t;                                                                               \
		pthread_create(&t, NULL, NAME##BYTES##_echo, &j);                                          \
		usleep(2000);                                                                              \
		uint64_t from = gn_tsc();                                                                  \
		for (unsigned long long i = 0; i < n_trips; i++) {                                         \
			m.word[0] = i;                                                                     \
			while (!NAME##BYTES##_push(&j.a, &m))                                              \
				gn_pause();                                                                          \
			while (!NAME##BYTES##_pop(&j.b, &m))                                               \
				gn_pause();                                                                          \
			if (m.word[0] != i)                                                                \
				abort();                                                                   \
		}                                                                                          \
		uint64_t ticks = gn_tsc() - from;                                                          \
		pthread_join(t, NULL);                                                                     \
		return (double)ticks / (double)n_trips;                                                    \
	}                                                                                                  \
	static void *NAME##BYTES##_produce(void *arg)                                                      \
	{                                                                                                  \
		struct job *j = arg;                                                                       \
		struct msg##BYTES m = {{0}};                                                               \
		bench_pin(1);                                                                              \
		for (unsigned long long i = 0; i < j->n; i++) {                                            \
			m.word[0] = i;                                                                     \
			while (!NAME##BYTES##_push(&j->a, &m))                                             \
				gn_pause();                                                                          \
		}                                                                                          \
		return NULL;                                                                               \
	}                                                                                                  \
	static double NAME##BYTES##_throughput(struct ring a)                                              \
	{                                                                                                  \
		struct job j = {a, a, n_items};                                                            \
		struct job other = j;                                                                      \
		struct msg##BYTES m;                                                                       \
		pthread_t t;                                                                               \
		pthread_create(&t, NULL, NAME##BYTES##_produce, &other);                                   \
		while (!NAME##BYTES##_pop(&j.a, &m))                                                       \
			gn_pause();                                                                                  \
		uint64_t from = gn_tsc();                                                                  \
		for (unsigned long long i = 1; i < n_items; i++) {                                         \
			while (!NAME##BYTES##_pop(&j.a, &m))                                               \
				gn_pause();                                                                          \
			if (m.word[0] != i)                                                                \
				abort();                                                                   \
		}                                                                                          \
		uint64_t ticks = gn_tsc() - from;                                                          \
		pthread_join(t, NULL);                                                                     \
		return (double)ticks / (double)n_items;                                                    \
	}
#define BOOST(BYTES)                                                                               \
	static inline bool boost##BYTES##_push(struct ring *r, const struct msg##BYTES *m)         \
	{                                                                                          \
		return boost_push##BYTES(r->ring, m);                                              \
	}                                                                                          \
	static inline bool boost##BYTES##_pop(struct ring *r, struct msg##BYTES *m)                \
	{                                                                                          \
		return boost_pop##BYTES(r->ring, m);                                               \
	}
BOOST(8)
BOOST(64)

MEASURE(ours, 8)
MEASURE(ours, 64)
MEASURE(rte, 8)
MEASURE(rte, 64)
MEASURE(ck, 8)
MEASURE(ck, 64)
MEASURE(boost, 8)
MEASURE(boost, 64)

/* --- bursts; ours takes them out one by one, which needs no call of its own --- */

static void *ours_produce_burst(void *arg)
{
	struct job *j = arg;
	uint64_t word[BURST];

	bench_pin(1);
	for (unsigned long long i = 0; i < j->n; i += BURST) {
		for (uint32_t k = 0; k < BURST; k++)
			word[k] = i + k;
		while (!gn_spsc_push_burst(j->a.ring, word, 8, BURST))
			gn_pause();
	}
	return NULL;
}

static double ours_burst(struct ring a)
{
	struct job j = {a, a, n_items / BURST * BURST};
	struct gn_spsc *r = a.ring;
	const struct gn_slot *s;
	uint64_t word;
	pthread_t t;

	pthread_create(&t, NULL, ours_produce_burst, &j);
	while (!gn_spsc_peek(r, 0))
		gn_pause();
	uint64_t from = gn_tsc();
	for (uint64_t next = 0; next < j.n; next++) {
		while (!(s = gn_spsc_peek(r, 0))) {
			gn_spsc_share(r);
			gn_pause();
		}
		memcpy(&word, s->payload, 8);
		gn_spsc_release(r);
		if (word != next)
			abort();
	}
	uint64_t ticks = gn_tsc() - from;
	pthread_join(t, NULL);
	return (double)ticks / (double)j.n;
}

static void *rte_produce_burst(void *arg)
{
	struct job *j = arg;
	uint64_t word[BURST];

	bench_pin(1);
	for (unsigned long long i = 0; i < j->n; i += BURST) {
		for (uint32_t k = 0; k < BURST; k++)
			word[k] = i + k;
		while (rte_ring_sp_enqueue_bulk_elem(j->a.ring, word, 8, BURST, NULL) == 0)
			gn_pause();
	}
	return NULL;
}

static double rte_burst(struct ring a)
{
	struct job j = {a, a, n_items / BURST * BURST};
	uint64_t word[BURST], next = 0;
	pthread_t t;

	pthread_create(&t, NULL, rte_produce_burst, &j);
	while (rte_ring_empty(a.ring))
		gn_pause();
	uint64_t from = gn_tsc();
	while (next < j.n) {
		unsigned n = rte_ring_sc_dequeue_burst_elem(a.ring, word, 8, BURST, NULL);
		if (n == 0)
			gn_pause();
		for (unsigned k = 0; k < n; k++) {
			if (word[k] != next++)
				abort();
		}
	}
	uint64_t ticks = gn_tsc() - from;
	pthread_join(t, NULL);
	return (double)ticks / (double)j.n;
}

enum { OURS_RING, RTE_RING, CK_RING, BOOST_RING, RINGS };
static const char *const ring_word[RINGS] = {NULL, "rte_ring", "ck_ring", "boost"};

static struct ring ring_new(int kind, uint32_t bytes)
{
	switch (kind) {
	case OURS_RING: return ours_new(bytes);
	case RTE_RING: return rte_new(bytes);
	case CK_RING: return ck_new(bytes);
	default: return (struct ring){.ring = bytes == 8 ? boost_new8(DEPTH) : boost_new64(DEPTH)};
	}
}

static void ring_free(struct ring r, int kind, uint32_t bytes)
{
	if (kind == BOOST_RING) {
		boost_free(r.ring, bytes);
		return;
	}
	if (kind == OURS_RING)
		gn_spsc_fini(r.ring);
	free(r.item);
	free(r.ring);
}

enum figure { RTT_8, RTT_64, THROUGHPUT_8, THROUGHPUT_64, BURST_8, FIGURES };
static const char *const figure_word[FIGURES] = {"spsc_rtt", "spsc_rtt_64", "spsc_throughput_8", "spsc_throughput_64",
	"spsc_burst_32"};
/* What our ring should take of the other's time at most; 0: no bar. */
static const double bar[FIGURES][RINGS] = {[RTT_8] = {0, 0.62, 0.62, 0}, [RTT_64] = {0, 0.78, 0.78, 0},
	[THROUGHPUT_8] = {0, 0, 0, 1 / 3.0}, [THROUGHPUT_64] = {0, 0, 0, 1 / 1.1}, [BURST_8] = {0, 1, 0, 0}};

static double measure(enum figure f, int kind)
{
	typedef double rtt_fn(struct ring a, struct ring b);
	typedef double throughput_fn(struct ring a);
	static rtt_fn *const rtt[RINGS][2] = {
		{ours8_rtt, ours64_rtt}, {rte8_rtt, rte64_rtt}, {ck8_rtt, ck64_rtt}, {boost8_rtt, boost64_rtt}};
	static throughput_fn *const throughput[RINGS][2] = {{ours8_throughput, ours64_throughput},
		{rte8_throughput, rte64_throughput}, {ck8_throughput, ck64_throughput}, {boost8_throughput, boost64_throughput}};
	int wide = f == RTT_64 || f == THROUGHPUT_64;
	uint32_t bytes = wide ? 64 : 8;
	struct ring a = ring_new(kind, bytes), b = ring_new(kind, bytes);
	double ticks;

	if (f == RTT_8 || f == RTT_64)
		ticks = rtt[kind][wide](a, b);
	else if (f == BURST_8)
		ticks = kind == RTE_RING ? rte_burst(a) : ours_burst(a);
	else
		ticks = throughput[kind][wide](a);
	ring_free(a, kind, bytes);
	ring_free(b, kind, bytes);
	return ticks;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Of the ratios of each round: a machine that moves its cores between rounds moves both. */
static double ratio_to(const double *ours, const double *theirs, uint32_t n)
{
	double ratio[ROUNDS_MAX];

	for (uint32_t i = 0; i < n; i++)
		ratio[i] = ours[i] / theirs[i];
	qsort(ratio, n, sizeof(double), by_value);
	return ratio[n / 2];
}

static void report(enum figure f, double (*ns)[ROUNDS_MAX], uint32_t rounds)
{
	uint64_t n = (f <= RTT_64 ? n_trips : n_items) * rounds;
	char extra[RINGS][96] = {""};

	for (int kind = RTE_RING; kind < RINGS; kind++) {
		double ratio = ratio_to(ns[OURS_RING], ns[kind], rounds);
		int at = snprintf(extra[kind], sizeof(extra[kind]), "\"ours_ratio\":%.3f", ratio);
		if (bar[f][kind] > 0)
			snprintf(extra[kind] + at, sizeof(extra[kind]) - (size_t)at, ",\"bar\":%.3f,\"met\":%s", bar[f][kind],
				ratio <= bar[f][kind] ? "true" : "false");
	}
	for (int kind = 0; kind < RINGS; kind++)
		if (f != BURST_8 || kind <= RTE_RING)
			bench_print(&(struct bench_result){.name = figure_word[f], .with = ring_word[kind], .n = n,
				.samples_ns = ns[kind], .n_samples = rounds, .extra = kind ? extra[kind] : NULL});
}

int main(int argc, char **argv)
{
	static double ns[FIGURES][RINGS][ROUNDS_MAX];
	uint32_t rounds = 11;

	bench_start(&argc, argv);
	if (argc > 1) {
		fputs("usage: bench_spsc [--short]\n", stderr);
		return 2;
	}
	if (bench_short()) {
		rounds = 3;
		n_items = 20000;
		n_trips = 500; /* each may take a time slice where others want the cores too */
	}
	if (bench_cores() < 2) {
		fputs("bench_spsc: this machine has one core only: nothing is measured\n", stderr);
		return 0;
	}
	bench_pin(0);
	for (uint32_t round = 0; round < rounds; round++) {
		for (int f = 0; f < FIGURES; f++) {
			for (int kind = 0; kind < RINGS; kind++)
				ns[f][kind][round] = f == BURST_8 && kind > RTE_RING ? 1 : bench_ns_per_tick() * measure((enum figure)f, kind);
		}
	}
	for (int f = 0; f < FIGURES; f++)
		report((enum figure)f, ns[f], rounds);
	return 0;
}
