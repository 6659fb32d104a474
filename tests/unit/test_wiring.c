/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>

#include "dataplane/runtime/runner.h"

/* A source counts up, a relay doubles each message into two, a sink checks that nothing is missing. */
#define N_MESSAGES UINT64_C(20000)

struct source {
	struct gn_link *out;
	uint64_t next;
};

static int source_init(void *arg, const struct gn_env *env)
{
	struct source *s = arg;

	s->out = gn_env_link(env, "number");
	return s->out ? 0 : -EINVAL;
}

static bool source_poll(void *arg)
{
	struct source *s = arg;

	if (s->next == N_MESSAGES)
		return false;
	gn_link_send(s->out, &s->next, sizeof(s->next));
	s->next++;
	return true;
}

static const struct gn_stage stage_source = {
	.name = "source",
	.ctx_bytes = sizeof(struct source),
	.burst = 1,
	.out = (const char *const[]){"number", NULL},
	.init = source_init,
	.poll = source_poll,
};

struct relay {
	struct gn_link *const *out;
	uint32_t n_out;
	uint64_t n_hints;
};

static int relay_init(void *arg, const struct gn_env *env)
{
	struct relay *r = arg;

	r->out = gn_env_links(env, "twin", &r->n_out);
	return 0;
}

static void relay_on_number(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct relay *r = arg;
	uint64_t twin[2];

	cr_assert_eq(from, 0);
	cr_assert_eq(bytes, sizeof(uint64_t));
	memcpy(&twin[0], msg, sizeof(twin[0]));
	twin[0] *= 2;
	twin[1] = twin[0] + 1;
	for (uint32_t i = 0; i < r->n_out; i++)
		gn_link_send_burst(r->out[i], twin, sizeof(twin[0]), sizeof(twin[0]), 2);
}

static void relay_hint(void *arg, const void *msg, uint32_t step)
{
	struct relay *r = arg;

	(void)msg;
	cr_assert_leq(step, 1);
	r->n_hints++;
}

static const struct gn_stage stage_relay = {
	.name = "relay",
	.ctx_bytes = sizeof(struct relay),
	.burst = 2,
	.in = (const struct gn_inlet[]){{"number", relay_on_number, sizeof(uint64_t), relay_hint}, {0}},
	.out = (const char *const[]){"twin", "number", NULL},
	.init = relay_init,
};

#define SINK_COUNTERS(X) X(msg_seen, "messages seen in order")

struct sink {
	uint64_t spin;
	struct {
		SINK_COUNTERS(GN_COUNTER_FIELD)
	} n;
	_Atomic bool *stop;
};

static void sink_on_twin(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct sink *s = arg;
	uint64_t number;

	(void)from, (void)bytes;
	memcpy(&number, msg, sizeof(number));
	cr_assert_eq(number, s->n.msg_seen, "expected message %lu, got %lu", (unsigned long)s->n.msg_seen,
		(unsigned long)number);
	s->n.msg_seen++;
	for (uint64_t i = 0; i < s->spin; i++)
		gn_pause();
	if (s->n.msg_seen == 2 * N_MESSAGES)
		atomic_store(s->stop, true);
}

static int sink_init(void *arg, const struct gn_env *env)
{
	struct sink *s = arg;

	s->stop = (_Atomic bool *)(uintptr_t)env->config;
	return 0;
}

static const struct gn_stage stage_sink = {
	.name = "sink",
	.ctx_bytes = sizeof(struct sink),
	.in = (const struct gn_inlet[]){{"twin", sink_on_twin, sizeof(uint64_t), NULL}, {0}},
	.counters = (const struct gn_counter[]){SINK_COUNTERS(GN_COUNTER_DESC){0}},
	.counters_offset = offsetof(struct sink, n),
	.init = sink_init,
};

static _Atomic bool stop;
static struct gn_stats *stats;
static struct gn_wiring *w;

static void given_wiring(void)
{
	atomic_store(&stop, false);
	stats = gn_stats_create(NULL, 256);
	w = gn_wiring_new(NULL, NULL, stats);
}

static void release_wiring(void)
{
	gn_wiring_free(w);
	gn_stats_close(stats);
}

static void given_stages(uint32_t relay_thread, uint32_t sink_thread)
{
	cr_assert_eq(gn_wiring_stage(w, &stage_source, "source0", 0, 0, -1, NULL), 0);
	cr_assert_eq(gn_wiring_stage(w, &stage_relay, "relay0", 0, relay_thread, -1, NULL), 0);
	cr_assert_eq(gn_wiring_stage(w, &stage_sink, "sink0", 0, sink_thread, -1, &stop), 0);
}

static void given_links(uint32_t depth)
{
	struct gn_link_config c = {.depth = depth};

	cr_assert_eq(gn_wiring_link(w, "number", "source0", "relay0", &c), 0, "%s", gn_err_text());
	cr_assert_eq(gn_wiring_link(w, "twin", "relay0", "sink0", &c), 0, "%s", gn_err_text());
}

static void *run_thread(void *arg)
{
	struct gn_runner_config c = {.stop = &stop, .yield = true, .ticks_per_ms = 2000000};

	gn_runner_run(w, (uint32_t)(uintptr_t)arg, &c);
	return NULL;
}

static void run_all(void)
{
	pthread_t t[4];
	uint32_t n = gn_wiring_threads(w);
	uint64_t seen;

	for (uint32_t i = 0; i < n; i++)
		pthread_create(&t[i], NULL, run_thread, (void *)(uintptr_t)i);
	for (uint32_t i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	cr_assert(gn_stats_find(stats, "sink0", "msg_seen", &seen));
	cr_assert_eq(seen, 2 * N_MESSAGES);
}

TestSuite(wiring, .init = given_wiring, .fini = release_wiring, .timeout = 60);

Test(wiring, one_thread_is_direct_calls)
{
	given_stages(0, 0);
	given_links(0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	run_all();
	uint64_t unused;
	cr_assert_not(gn_stats_find(stats, "source0>relay0", "read", &unused), "a direct call has no ring");
}

Test(wiring, three_threads_lose_nothing)
{
	given_stages(1, 2);
	given_links(0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	run_all();
	cr_assert_gt(((struct relay *)gn_wiring_ctx(w, "relay0"))->n_hints, 0, "ring readers get hints too");
}

Test(wiring, a_slow_reader_blocks_its_writer_and_loses_nothing)
{
	given_stages(0, 1);
	given_links(2);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	((struct sink *)gn_wiring_ctx(w, "sink0"))->spin = 20;
	run_all();
	uint64_t blocked;
	cr_assert(gn_stats_find(stats, "source0", "blocked_turns", &blocked));
	cr_assert_gt(blocked, 0, "credit of the ring behind a direct call must hold the source up");
}

Test(wiring, refuses_a_ring_below_the_burst)
{
	struct gn_link_config shallow = {.depth = 1};

	given_stages(0, 1);
	cr_assert_eq(gn_wiring_link(w, "number", "source0", "relay0", NULL), 0);
	cr_assert_eq(gn_wiring_link(w, "twin", "relay0", "sink0", &shallow), 0);
	cr_assert_lt(gn_wiring_seal(w), 0);
	cr_assert(strstr(gn_err_text(), "depth 1"), "%s", gn_err_text());
}

Test(wiring, refuses_a_loop_of_direct_calls)
{
	given_stages(0, 0);
	given_links(0);
	cr_assert_eq(gn_wiring_link(w, "number", "relay0", "relay0", NULL), 0);
	cr_assert_eq(gn_wiring_seal(w), -ELOOP);
	cr_assert(strstr(gn_err_text(), "relay0"), "%s", gn_err_text());
}

Test(wiring, takes_a_loop_that_one_back_link_breaks)
{
	given_stages(0, 0);
	given_links(0);
	cr_assert_eq(gn_wiring_link(w, "number", "relay0", "relay0", &(struct gn_link_config){.back = true}), 0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
}

Test(wiring, what_comes_back_on_a_thread_is_read_before_more_is_taken_in)
{
	uint64_t depth, n;

	given_stages(0, 0);
	cr_assert_eq(gn_wiring_link(w, "number", "source0", "relay0", &(struct gn_link_config){.back = true}), 0);
	cr_assert_eq(gn_wiring_link(w, "twin", "relay0", "sink0", NULL), 0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	run_all();
	cr_assert(gn_stats_find(stats, "source0>relay0", "read", &n));
	cr_assert_eq(n, N_MESSAGES);
	cr_assert(gn_stats_find(stats, "source0>relay0", "depth_max", &depth));
	cr_assert_eq(depth, 1);
}

Test(wiring, a_lossy_direct_link_has_room_only_when_the_rings_behind_it_have)
{
	struct gn_link_config lossy = {.lossy = true}, shallow = {.depth = 2};
	uint64_t number = 0;

	given_stages(0, 1);
	cr_assert_eq(gn_wiring_link(w, "number", "source0", "relay0", &lossy), 0);
	cr_assert_eq(gn_wiring_link(w, "twin", "relay0", "sink0", &shallow), 0);
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	struct gn_link *l = ((struct source *)gn_wiring_ctx(w, "source0"))->out;
	cr_assert(gn_link_try_send(l, &number, sizeof(number)), "the ring is empty");
	cr_assert_not(gn_link_has_room(l), "two messages of one call fill it");
	cr_assert_not(gn_link_try_send(l, &number, sizeof(number)));
	cr_assert_eq(l->n_full, 1);
	cr_assert_eq(l->n_sent, 1);
}

Test(wiring, refuses_links_that_an_end_does_not_know)
{
	given_stages(0, 0);
	cr_assert_lt(gn_wiring_link(w, "number", "sink0", "relay0", NULL), 0);
	cr_assert_lt(gn_wiring_link(w, "twin", "relay0", "source0", NULL), 0);
	cr_assert_lt(gn_wiring_link(w, "twin", "relay0", "sink1", NULL), 0);
	cr_assert(strstr(gn_err_text(), "sink1"), "%s", gn_err_text());
}

Test(wiring, refuses_a_stage_that_nothing_calls)
{
	cr_assert_eq(gn_wiring_stage(w, &stage_sink, "sink0", 0, 0, -1, &stop), 0);
	cr_assert_lt(gn_wiring_seal(w), 0);
	cr_assert(strstr(gn_err_text(), "sink0"), "%s", gn_err_text());
}

Test(wiring, refuses_the_same_name_twice)
{
	given_stages(0, 0);
	cr_assert_lt(gn_wiring_stage(w, &stage_sink, "sink0", 1, 0, -1, &stop), 0);
}

Test(wiring, tells_which_stage_failed_to_start)
{
	cr_assert_eq(gn_wiring_stage(w, &stage_source, "source0", 0, 0, -1, NULL), 0);
	cr_assert_lt(gn_wiring_seal(w), 0);
	cr_assert(strstr(gn_err_text(), "stage source0"), "%s", gn_err_text());
}
