/* SPDX-License-Identifier: BSD-3-Clause */
#include "runner.h"

#include <sched.h>
#include <time.h>

#define POLL_BUDGET 4u      /* polls of one stage a turn: what waits in rings waits no longer than that */
#define RING_BUDGET 64u     /* messages from one ring a turn */
#define YIELD_AFTER 32u     /* idle turns before a shared core is given away */

static inline bool node_has_credit(struct gn_runner_node *r)
{
	for (uint32_t i = 0; i < r->n_need; i++) {
		if (gn_unlikely(gn_spsc_credit(r->need[i].ring, r->need[i].slots) < r->need[i].slots))
			return false;
	}
	return true;
}

/* Serves one ring. Sets *blocked when it had to stop for want of credit. */
static uint32_t node_read(struct gn_runner_node *r, struct gn_runner_in *in, bool *blocked)
{
	uint32_t n = 0;
	const struct gn_slot *slot;

	while (n < RING_BUDGET && (slot = gn_spsc_peek(in->ring, 0))) {
		if (!node_has_credit(r)) {
			*blocked = true;
			break;
		}
		if (in->hint) {
			const struct gn_slot *far = gn_spsc_peek(in->ring, GN_HINT_FAR);
			const struct gn_slot *near = gn_spsc_peek(in->ring, GN_HINT_NEAR);
			if (far)
				in->hint(r->ctx, far->payload, 0);
			if (near)
				in->hint(r->ctx, near->payload, 1);
		}
		in->on_msg(r->ctx, in->from, slot->payload, slot->bytes);
		gn_spsc_release(in->ring);
		n++;
	}
	if (n < RING_BUDGET)
		gn_spsc_share(in->ring);
	in->n_read += n;
	if (n > in->depth_max)
		in->depth_max = n;
	return n;
}

/* Number of calls that did work. What came back on this thread is read before more is taken in. */
static uint32_t node_poll(struct gn_runner_node *r, const bool *owed, bool *blocked)
{
	uint32_t n = 0;

	while (n < POLL_BUDGET && (n == 0 || !*owed)) {
		if (!node_has_credit(r)) {
			*blocked = true;
			break;
		}
		if (!r->stage->poll(r->ctx))
			break;
		n++;
	}
	return n;
}

static uint32_t node_read_all(struct gn_runner_node *r, bool *blocked)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < r->n_in; i++)
		n += node_read(r, &r->in[i], blocked);
	return n;
}

static void node_publish(struct gn_stats *s, const struct gn_runner_node *r)
{
	const uint64_t built_in[] = {r->n_work, r->ticks_work, r->ticks_longest, r->n_long, r->n_blocked};
	const uint64_t *own = (const uint64_t *)(const void *)((const uint8_t *)r->ctx + r->stage->counters_offset);

	gn_stats_set_n(s, r->stat, built_in, GN_ARRAY_SIZE(built_in));
	gn_stats_set_n(s, r->stat + GN_ARRAY_SIZE(built_in), own, r->n_counters);
	for (uint32_t i = 0; i < r->n_in; i++) {
		gn_stats_set(s, r->in[i].stat, r->in[i].n_read);
		gn_stats_set(s, r->in[i].stat + 1, r->in[i].depth_max);
	}
}

static void thread_publish(struct gn_runner_thread *t, uint64_t now)
{
	const uint64_t ticks[] = {t->n_turns, t->ticks_idle, t->ticks_work, t->ticks_blocked, now};

	for (uint32_t i = 0; i < t->n_nodes; i++)
		node_publish(t->stats, &t->node[i]);
	for (uint32_t i = 0; i < t->n_outs; i++) {
		gn_stats_set(t->stats, t->out[i].stat, t->out[i].link->n_sent);
		gn_stats_set(t->stats, t->out[i].stat + 1, t->out[i].link->n_full);
	}
	gn_stats_set_n(t->stats, t->stat, ticks, GN_ARRAY_SIZE(ticks));
}

static void thread_housekeeping(struct gn_runner_thread *t, uint64_t now)
{
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		struct gn_runner_node *r = &t->node[i];
		if (r->stage->housekeeping && node_has_credit(r))
			r->stage->housekeeping(r->ctx, now);
	}
	thread_publish(t, now);
}

/* What one turn of a thread has come to so far. */
struct turn {
	uint64_t ticks_long, at;
	bool worked, blocked;
};

/* Charges the time since the last charge to a stage that worked. */
static void turn_charge(struct turn *turn, struct gn_runner_node *r, uint32_t n, bool blocked)
{
	r->n_blocked += blocked;
	turn->blocked |= blocked;
	if (!n)
		return;
	uint64_t now = gn_tsc(), ticks = now - turn->at;
	turn->at = now;
	turn->worked = true;
	r->n_work += n;
	r->ticks_work += ticks;
	if (ticks > r->ticks_longest)
		r->ticks_longest = ticks;
	r->n_long += ticks > turn->ticks_long;
}

/*
 * One turn of every stage. Polls go down the pipeline; rings are read from its end up, as those between stages of one
 * thread carry what comes back: a report is with its strategy in the turn in which it came. Returns the time at the end.
 */
static uint64_t thread_turn(struct gn_runner_thread *t, uint64_t ticks_long, uint64_t began)
{
	struct turn turn = {.ticks_long = ticks_long, .at = began};

	for (uint32_t i = 0; i < t->n_nodes; i++) {
		struct gn_runner_node *r = &t->node[i];
		bool blocked = false;
		uint32_t n = r->stage->poll ? node_poll(r, &t->owed, &blocked) : 0;
		turn_charge(&turn, r, n, blocked);
	}
	t->owed = false;
	for (uint32_t i = t->n_nodes; i-- > 0;) {
		struct gn_runner_node *r = &t->node[i];
		bool blocked = false;
		uint32_t n = node_read_all(r, &blocked);
		turn_charge(&turn, r, n, blocked);
	}
	uint64_t now = gn_tsc();
	*(turn.worked ? &t->ticks_work : turn.blocked ? &t->ticks_blocked : &t->ticks_idle) += now - began;
	t->n_turns++;
	return now;
}

/* Reads what the rings hold, without polling: their writers have stopped, or what they still send is not waited for. */
static void thread_drain(struct gn_runner_thread *t)
{
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		struct gn_runner_node *r = &t->node[i];
		for (uint32_t k = 0; k < r->n_in; k++) {
			bool blocked = false;
			for (uint64_t left = r->in[k].ring->mask + UINT64_C(1); left && !blocked;) {
				uint32_t n = node_read(r, &r->in[k], &blocked);
				if (n == 0)
					break;
				left -= n < left ? n : left;
				r->n_work += n;
			}
		}
	}
}

/* Cold and shared threads only: system calls. */
static void thread_make_way(const struct gn_runner_config *config)
{
	if (config->rest.tv_nsec)
		nanosleep(&config->rest, NULL);
	else
		sched_yield();
}

void gn_runner_run(struct gn_wiring *w, uint32_t thread, const struct gn_runner_config *config)
{
	struct gn_runner_thread *t = gn_wiring_thread(w, thread);
	uint64_t ticks_long = config->ticks_per_ms * GN_LONG_TURN_US / 1000;
	uint64_t now = gn_tsc(), next_ms = now;
	uint32_t idle = 0;

	gn_trace_here = t->trace;
	for (;;) {
		uint64_t worked_before = t->ticks_work;
		now = thread_turn(t, ticks_long, now);
		idle = t->ticks_work != worked_before ? 0 : idle + 1;
		if (gn_unlikely(now >= next_ms)) {
			thread_housekeeping(t, now);
			next_ms = now + config->ticks_per_ms;
			if (atomic_load_explicit(config->stop, memory_order_acquire))
				break;
		}
		if (gn_unlikely(idle >= YIELD_AFTER && (config->yield || config->rest.tv_nsec)))
			thread_make_way(config);
		else if (idle)
			gn_pause();
	}
	thread_drain(t);
	thread_housekeeping(t, gn_tsc());
	gn_trace_here = NULL;
}
