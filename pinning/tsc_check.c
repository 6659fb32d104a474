/* SPDX-License-Identifier: BSD-3-Clause */
#include "tsc_check.h"

#include <errno.h>
#include <stdatomic.h>

#include "cpu_list.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "thread.h"

#define TURNS 1000u
#define TURNS_MIN 50u /* fewer say nothing: the two were hardly ever on their cores at once */
#define TICKS_MAX (UINT64_C(1) << 28) /* some 100 ms at most for a pair */

/* One word thrown across and back; each side writes its own. */
struct game {
	GN_OWNED_BY(first) _Atomic uint64_t ball;
	GN_OWNED_BY(second) _Atomic uint64_t answer;
	uint64_t seen, answered; /* the second's readings, complete when answer equals the ball */
	GN_OWNED_BY(first) struct gn_tsc_pair pair;
	uint64_t end_tsc;
};

void gn_tsc_pair_begin(struct gn_tsc_pair *p)
{
	*p = (struct gn_tsc_pair){.there_min = INT64_MAX, .back_min = INT64_MAX};
}

void gn_tsc_pair_add(struct gn_tsc_pair *p, uint64_t sent, uint64_t seen, uint64_t answered, uint64_t returned)
{
	int64_t there = (int64_t)(seen - sent), back = (int64_t)(returned - answered);

	p->n_turns++;
	p->n_warps += there < 0;
	p->n_warps += back < 0;
	if (there < (int64_t)p->there_min)
		p->there_min = (uint64_t)there;
	if (back < (int64_t)p->back_min)
		p->back_min = (uint64_t)back;
}

/* there = way + offset, back = way - offset, and no way is negative. */
int64_t gn_tsc_pair_offset(const struct gn_tsc_pair *p, uint64_t *bound)
{
	int64_t there = (int64_t)p->there_min, back = (int64_t)p->back_min;
	int64_t way = there / 2 + back / 2;

	*bound = way > 0 ? (uint64_t)way : 0;
	return there / 2 - back / 2;
}

/* Not before what was read earlier has come, and not after what is read later: the processor reorders it freely. */
static uint64_t tsc_in_order(void)
{
	__builtin_ia32_lfence();
	uint64_t tsc = gn_tsc();
	__builtin_ia32_lfence();
	return tsc;
}

static void first_main(void *arg)
{
	struct game *g = arg;

	for (uint64_t turn = 1; turn <= TURNS; turn++) {
		uint64_t sent = tsc_in_order();
		atomic_store_explicit(&g->ball, turn, memory_order_release);
		while (atomic_load_explicit(&g->answer, memory_order_acquire) != turn)
			if (gn_tsc() > g->end_tsc)
				goto over;
		uint64_t returned = tsc_in_order();
		gn_tsc_pair_add(&g->pair, sent, g->seen, g->answered, returned);
	}
over:
	atomic_store_explicit(&g->ball, UINT64_MAX, memory_order_release);
}

static void second_main(void *arg)
{
	struct game *g = arg;
	uint64_t ball, turn = 0;

	for (;;) {
		while ((ball = atomic_load_explicit(&g->ball, memory_order_acquire)) == turn)
			gn_pause();
		if (ball == UINT64_MAX)
			return;
		turn = ball;
		g->seen = tsc_in_order();
		g->answered = tsc_in_order();
		atomic_store_explicit(&g->answer, turn, memory_order_release);
	}
}

static int pair_play(int a, int b, struct gn_tsc_pair *pair)
{
	struct gn_thread first, second;
	static struct game game; /* cold, one at a time */

	game = (struct game){.end_tsc = gn_tsc() + TICKS_MAX};
	gn_tsc_pair_begin(&game.pair);
	int rc = gn_thread_start(&second, &(struct gn_thread_config){.name = "tsc-second", .core = b}, second_main, &game);
	if (rc < 0)
		return rc;
	rc = gn_thread_start(&first, &(struct gn_thread_config){.name = "tsc-first", .core = a}, first_main, &game);
	if (rc < 0)
		atomic_store_explicit(&game.ball, UINT64_MAX, memory_order_release);
	gn_thread_join(&first);
	gn_thread_join(&second);
	*pair = game.pair;
	return rc;
}

int gn_tsc_check_cores(struct gn_tsc_check *c, const cpu_set_t *cores)
{
	int base = gn_cpus_next(cores, 0), rc = 0;
	uint64_t worst = 0;

	*c = (struct gn_tsc_check){.worst_core = -1};
	for (int core = gn_cpus_next(cores, base + 1); base >= 0 && core >= 0; core = gn_cpus_next(cores, core + 1)) {
		struct gn_tsc_pair pair;
		rc = pair_play(base, core, &pair);
		if (rc < 0)
			return gn_err_in(rc, "compare the time-stamp counters");
		if (pair.n_turns < TURNS_MIN)
			return -EBUSY;
		uint64_t bound;
		int64_t offset = gn_tsc_pair_offset(&pair, &bound);
		uint64_t far = (uint64_t)(offset < 0 ? -offset : offset);
		c->n_cores++;
		c->n_warps += pair.n_warps;
		if (c->worst_core >= 0 && far <= worst)
			continue;
		worst = far;
		c->worst_core = core;
		c->offset_ticks = offset;
		c->bound_ticks = bound;
	}
	return 0;
}
