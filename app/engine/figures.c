/* SPDX-License-Identifier: BSD-3-Clause */
#include "figures.h"

#include <errno.h>
#include <stdio.h>

#include "pinning/clock.h"

/* In the order in which figures_tick() stores them. */
#define ENGINE_WORDS(X)                                                                                                \
	X(phase, "0 starting, 1 running, 2 stopping, 3 halted")                                                        \
	X(heartbeat_tsc, "time-stamp counter when the cold thread last published")                                     \
	X(clock_ns, "time since the Unix epoch at that moment")                                                        \
	X(clock_ticks_per_s, "rate of the time-stamp counter")                                                         \
	X(risk_tsc, "time-stamp counter when risk last published")                                                     \
	X(open, "orders open")                                                                                         \
	X(waiting, "messages that wait for the venue's pace")                                                          \
	X(kills, "kill switches thrown")                                                                               \
	X(up, "bit a strategy: its order session takes orders")

#define OWNER_WORDS(X)                                                                                                 \
	X(order, "orders and replacements")                                                                            \
	X(fill, "fills")                                                                                               \
	X(open, "orders open")                                                                                         \
	X(position, "units, all instruments added up; signed")                                                         \
	X(realised_e9, "realised, 1e-9 quote units; signed")                                                           \
	X(unrealised_e9, "unrealised; signed")                                                                         \
	X(fees_e9, "fees; signed")                                                                                     \
	X(gross_e9, "gross notional at worst")                                                                         \
	X(net_long_e9, "net notional when every open buy fills; signed")                                               \
	X(net_short_e9, "the same for sells; signed")                                                                  \
	X(cause, "cause of its kill switch, 0: not thrown")
#define LIMIT_WORDS(X)                                                                                                 \
	X(gross_notional_max, "limit of gross notional, quote units")                                                  \
	X(net_notional_max, "limit of net notional, quote units")                                                      \
	X(open_orders_max, "limit of open orders")                                                                     \
	X(loss_max, "limit of the day's loss, quote units")

static const struct gn_counter engine_words[] = {ENGINE_WORDS(GN_COUNTER_DESC)};
static const struct gn_counter owner_words[] = {OWNER_WORDS(GN_COUNTER_DESC) LIMIT_WORDS(GN_COUNTER_DESC)};
enum { LIMITS = 4, OWNER = GN_ARRAY_SIZE(owner_words) };

static int figures_add(struct figures *p, const char *owner, const struct gn_counter *c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gn_stats_add(p->stats, owner, c[i].name, c[i].help) == UINT32_MAX)
			return -ENOSPC;
	return 0;
}

int figures_init(struct figures *p, struct gn_stats *stats, const char *const *strategy, uint32_t n_strategies)
{
	char owner[GN_STATS_NAME_BYTES];

	*p = (struct figures){.stats = stats, .engine = gn_stats_count(stats), .n_strategies = n_strategies};
	int rc = figures_add(p, "engine", engine_words, GN_ARRAY_SIZE(engine_words));
	p->risk = gn_stats_count(stats);
	if (rc == 0)
		rc = figures_add(p, "risk:engine", owner_words, OWNER);
	for (uint32_t i = 0; rc == 0 && i < n_strategies; i++) {
		snprintf(owner, sizeof(owner), "risk:%s", strategy[i]);
		rc = figures_add(p, owner, owner_words, OWNER);
	}
	return rc;
}

static void figures_owner(struct figures *p, uint32_t owner, const struct risk_owner_snapshot *o)
{
	const uint64_t word[] = {o->n_orders, o->n_fills, (uint64_t)o->n_open, (uint64_t)o->position,
		(uint64_t)o->realised_e9, (uint64_t)o->unrealised_e9, (uint64_t)o->fees_e9, (uint64_t)o->gross_e9,
		(uint64_t)o->net_long_e9, (uint64_t)o->net_short_e9, o->cause};

	_Static_assert(GN_ARRAY_SIZE(word) == OWNER - LIMITS, "one value a word");
	gn_stats_set_n(p->stats, p->risk + owner * OWNER, word, GN_ARRAY_SIZE(word));
}

void figures_phase(struct figures *p, enum engine_phase phase)
{
	gn_stats_set(p->stats, p->engine, phase);
}

void figures_tick(struct figures *p, const struct risk_snapshot *s, enum engine_phase phase)
{
	uint64_t tsc = gn_tsc();
	const uint64_t word[] = {phase, tsc, gn_clock_ns_from_tsc(tsc), gn_clock_ticks_from_ns(UINT64_C(1000000000)),
		s->tsc, s->n_open, s->n_waiting, s->n_kills, s->up};

	_Static_assert(GN_ARRAY_SIZE(word) == GN_ARRAY_SIZE(engine_words), "one value a word");
	gn_stats_set_n(p->stats, p->engine, word, GN_ARRAY_SIZE(word));
	figures_owner(p, 0, &s->engine);
	for (uint32_t i = 0; i < p->n_strategies; i++)
		figures_owner(p, 1 + i, &s->strategy[i]);
}

void figures_limits(struct figures *p, int strategy, const struct risk_limits *l)
{
	const uint64_t word[] = {(uint64_t)l->gross_notional_max, (uint64_t)l->net_notional_max,
		(uint64_t)l->open_orders_max, (uint64_t)l->loss_max};

	_Static_assert(GN_ARRAY_SIZE(word) == LIMITS, "one value a word");
	gn_stats_set_n(p->stats, p->risk + (uint32_t)(strategy + 1) * OWNER + OWNER - LIMITS, word, LIMITS);
}
