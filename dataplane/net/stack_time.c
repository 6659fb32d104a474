/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/net/stack_impl.h"

#include <errno.h>
#include <lwip/timeouts.h>

/* A peer that owes an answer, to data or to a sign of life asked for, and is silent. */
static bool tcp_is_dead(struct gn_tcp *t)
{
	const struct gn_stack_config *c = &t->s->c;
	uint64_t silent_ms = (uint64_t)(tcp_ticks - t->pcb->tmr) * STACK_SLOW_TICK_MS;

	if (!t->pcb->unacked && !t->pcb->unsent)
		t->owing_since_ms = t->s->now_ms;
	uint64_t owing_ms = t->s->now_ms - t->owing_since_ms;
	return (silent_ms > c->dead_ms && owing_ms > c->dead_ms)
	       || (c->keepalive_ms && silent_ms > c->keepalive_ms + c->dead_ms);
}

static void tcp_tick(struct gn_tcp *t)
{
	if ((t->deadline_ms && t->s->now_ms >= t->deadline_ms) || (t->up && tcp_is_dead(t))) {
		stack_tcp_drop(t, ETIMEDOUT);
		return;
	}
	if (t->pcb->state == SYN_SENT)
		t->pcb->nrtx = 0; /* the bound of a connect is connect_ms, not a number of tries */
	if (t->closing)
		stack_tcp_close_try(t);
	else if (t->fast_wanted)
		stack_neighbour_refresh(t);
}

static void stack_tick(struct gn_stack *s)
{
	struct gn_tcp *t;

	tcp_tmr();
	STACK_TCP_EACH(t, s, s->used)
		tcp_tick(t);
}

void stack_time(struct gn_stack *s, uint64_t tsc)
{
	s->polled_tsc = tsc;
	s->now_ms = tsc / s->ticks_per_ms;
	sys_check_timeouts();
	if (s->now_ms - s->ticked_ms >= STACK_TICK_MS) {
		s->ticked_ms = s->now_ms;
		stack_tick(s);
	}
	stack_fast_refresh_all(s);
}
