/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Everything that threads share without a lock, hammered by two or three of them: ring, wired stages, board,
 * instruments, trace, published numbers. A plain program, because Criterion's process sandbox does not start under TSan.
 */

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/runtime/board.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/runner.h"

#define MUST(cond)                                                                   \
	do {                                                                         \
		if (!(cond)) {                                                       \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);   \
			exit(1);                                                     \
		}                                                                    \
	} while (0)

#define N UINT64_C(100000)

/* --- the ring alone --- */

static void *ring_produce(void *arg)
{
	for (uint64_t i = 0; i < N; i++) {
		uint64_t msg[7] = {i, i + 1, i + 2, i + 3, i + 4, i + 5, i + 6};
		while (!gn_spsc_push(arg, msg, sizeof(msg)))
			sched_yield();
	}
	return NULL;
}

static void ring_is_whole(void)
{
	struct gn_spsc *r = aligned_alloc(GN_LINE_PAIR, sizeof(*r));
	pthread_t t;

	MUST(r && gn_spsc_init(r, 16, 56, GN_NODE_ANY) == 0);
	MUST(pthread_create(&t, NULL, ring_produce, r) == 0);
	for (uint64_t i = 0; i < N; i++) {
		const struct gn_slot *s;
		while (!(s = gn_spsc_peek(r, 0))) {
			gn_spsc_share(r);
			sched_yield();
		}
		uint64_t msg[7];
		memcpy(msg, s->payload, sizeof(msg));
		for (uint64_t k = 0; k < 7; k++)
			MUST(msg[k] == i + k);
		gn_spsc_release(r);
	}
	pthread_join(t, NULL);
	gn_spsc_fini(r);
	free(r);
}

/* --- three stages on three threads, tracing and publishing --- */

#define COUNTERS(X) X(seen, "messages seen")

struct stage_ctx {
	struct gn_link *out;
	uint64_t next;
	struct {
		COUNTERS(GN_COUNTER_FIELD)
	} n;
};
static struct gn_board board;
static struct gn_instruments *instruments;
static _Atomic bool done;

static int stage_init(void *arg, const struct gn_env *env)
{
	struct stage_ctx *s = arg;
	uint32_t n;
	struct gn_link *const *l = gn_env_links(env, env->index == 0 ? "first" : "second", &n);

	s->out = n ? l[0] : NULL;
	return 0;
}

static bool source_poll(void *arg)
{
	struct stage_ctx *s = arg;
	gn_symbol symbol = {.word = 1 + s->next % 1000};

	if (s->next == N)
		return false;
	MUST(gn_instruments_add(instruments, symbol) != GN_INST_NONE);
	gn_trace_stamp(GN_HOP_RX, s->next, 0, 0);
	gn_link_send(s->out, &s->next, sizeof(s->next));
	s->next++;
	return true;
}

static void relay_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct stage_ctx *s = arg;
	int64_t number;

	(void)from;
	memcpy(&number, msg, sizeof(number));
	const struct gn_quote q = {.bid.e9 = number, .ask.e9 = number + 1, .last.e9 = -number, .tsc = 1};
	gn_board_write(&board, 0, &q);
	s->n.seen++;
	gn_link_send(s->out, msg, bytes);
}

static void sink_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct stage_ctx *s = arg;
	uint64_t number;

	(void)from, (void)bytes;
	memcpy(&number, msg, sizeof(number));
	MUST(number == s->n.seen);
	struct gn_quote q = gn_board_read(&board, 0);
	MUST(q.ask.e9 == q.bid.e9 + 1 && q.last.e9 == -q.bid.e9 && q.bid.e9 >= (int64_t)number);
	if (++s->n.seen == N)
		atomic_store(&done, true);
}

static const struct gn_counter counters[] = {COUNTERS(GN_COUNTER_DESC){0}};
static const struct gn_stage source = {.name = "source", .ctx_bytes = sizeof(struct stage_ctx), .burst = 1,
	.out = (const char *const[]){"first", NULL}, .init = stage_init, .poll = source_poll, .counters = counters,
	.counters_offset = offsetof(struct stage_ctx, n)};
static const struct gn_stage relay = {.name = "relay", .ctx_bytes = sizeof(struct stage_ctx), .burst = 1,
	.in = (const struct gn_inlet[]){{"first", relay_on_msg, 8}, {0}}, .out = (const char *const[]){"second", NULL},
	.init = stage_init, .counters = counters, .counters_offset = offsetof(struct stage_ctx, n)};
static const struct gn_stage sink = {.name = "sink", .ctx_bytes = sizeof(struct stage_ctx),
	.in = (const struct gn_inlet[]){{"second", sink_on_msg, 8}, {0}}, .init = stage_init, .counters = counters,
	.counters_offset = offsetof(struct stage_ctx, n)};

struct run_arg {
	struct gn_wiring *w;
	uint32_t thread;
};

static void *run(void *arg)
{
	const struct run_arg *a = arg;
	const struct gn_runner_config c = {.stop = &done, .yield = true, .ticks_per_ms = 1000000};

	gn_runner_run(a->w, a->thread, &c);
	return NULL;
}

static void stages_lose_nothing(void)
{
	struct gn_stats *stats = gn_stats_create(NULL, 256);
	struct gn_stamp *stamp = calloc(4096, sizeof(*stamp));
	uint64_t cursor = 0, lost = 0, seen = 0, n_stamps = 0;
	struct run_arg arg[3];
	pthread_t t[3];

	MUST(stats && stamp && gn_board_init(&board, 1, GN_NODE_ANY) == 0);
	instruments = gn_instruments_new(1000);
	struct gn_wiring *w = gn_wiring_new(instruments, &board, stats);
	MUST(gn_wiring_stage(w, &source, "source0", 0, 0, GN_NODE_ANY, NULL) == 0);
	MUST(gn_wiring_stage(w, &relay, "relay0", 1, 1, GN_NODE_ANY, NULL) == 0);
	MUST(gn_wiring_stage(w, &sink, "sink0", 2, 2, GN_NODE_ANY, NULL) == 0);
	MUST(gn_wiring_link(w, "first", "source0", "relay0", &(struct gn_link_config){.depth = 16}) == 0);
	MUST(gn_wiring_link(w, "second", "relay0", "sink0", &(struct gn_link_config){.depth = 16}) == 0);
	MUST(gn_wiring_seal(w) == 0);
	for (uint32_t i = 0; i < 3; i++) {
		arg[i] = (struct run_arg){w, i};
		MUST(pthread_create(&t[i], NULL, run, &arg[i]) == 0);
	}
	while (!atomic_load(&done)) {
		n_stamps += gn_trace_read(gn_wiring_trace(w, 0), &cursor, stamp, 4096, &lost);
		gn_stats_find(stats, "sink0", "seen", &seen);
		MUST(gn_instruments_count(instruments) <= 1000);
		sched_yield();
	}
	for (uint32_t i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	for (size_t n; (n = gn_trace_read(gn_wiring_trace(w, 0), &cursor, stamp, 4096, &lost)) != 0;)
		n_stamps += n;
	MUST(n_stamps + lost == N);
	MUST(gn_stats_find(stats, "sink0", "seen", &seen) && seen == N);
	gn_wiring_free(w);
	gn_stats_close(stats);
	gn_instruments_free(instruments);
	gn_board_fini(&board);
	free(stamp);
}

int main(void)
{
	ring_is_whole();
	stages_lose_nothing();
	return 0;
}
