/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CONTROL_DEPTH 256u
#define SNAPSHOT_WORDS (sizeof(struct risk_snapshot) / sizeof(uint64_t))
_Static_assert(sizeof(struct risk_snapshot) % sizeof(uint64_t) == 0, "a snapshot is made of words");

enum { CONTROL_KILL = 1, CONTROL_RELEASE, CONTROL_CANCEL_ALL, CONTROL_LIMIT };

struct command {
	uint32_t kind, level, index, key;
	uint32_t cause, reserved;
	int64_t value;
	char text[64], second[32];
};

struct risk_control {
	struct gn_spsc ring;
	pthread_mutex_t lock; /* of those who push */
	_Atomic bool panic;
	GN_OWNED_BY(stage) _Atomic uint64_t version; /* odd while the words are being written */
	_Atomic uint64_t words[SNAPSHOT_WORDS];
};

struct risk_control *risk_control_new(void)
{
	struct risk_control *c = aligned_alloc(GN_LINE_PAIR, sizeof(*c));

	if (!c) {
		gn_err(ENOMEM, "risk: control");
		return NULL;
	}
	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&c->lock, NULL);
	if (gn_spsc_init(&c->ring, CONTROL_DEPTH, sizeof(struct command), -1) == 0)
		return c;
	free(c);
	return NULL;
}

void risk_control_free(struct risk_control *c)
{
	if (!c)
		return;
	gn_spsc_fini(&c->ring);
	pthread_mutex_destroy(&c->lock);
	free(c);
}

static int control_push(struct risk_control *c, struct command *m, const char *text)
{
	snprintf(m->text, sizeof(m->text), "%s", text ? text : "");
	pthread_mutex_lock(&c->lock);
	bool pushed = gn_spsc_push(&c->ring, m, sizeof(*m));
	pthread_mutex_unlock(&c->lock);
	return pushed ? 0 : gn_err(EAGAIN, "risk: %u commands wait already", CONTROL_DEPTH);
}

int risk_control_kill(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason)
{
	struct command m = {.kind = CONTROL_KILL, .level = level, .index = index, .cause = RISK_CAUSE_PERSON};

	return control_push(c, &m, reason);
}

int risk_control_release(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason)
{
	struct command m = {.kind = CONTROL_RELEASE, .level = level, .index = index};

	if (!reason || !reason[0])
		return gn_err(EINVAL, "risk: a kill switch is released with a reason only");
	return control_push(c, &m, reason);
}

int risk_control_cancel_all(struct risk_control *c, enum risk_level level, uint32_t index)
{
	struct command m = {.kind = CONTROL_CANCEL_ALL, .level = level, .index = index};

	return control_push(c, &m, NULL);
}

int risk_control_quarantine(struct risk_control *c, uint32_t strategy)
{
	struct command m = {
		.kind = CONTROL_KILL, .level = RISK_STRATEGY, .index = strategy, .cause = RISK_CAUSE_QUARANTINE};

	return control_push(c, &m, "quarantined by its host");
}

int risk_control_limit(struct risk_control *c, enum risk_level level, uint32_t index, enum risk_key key, int64_t value,
	const char *who, const char *second)
{
	struct command m = {.kind = CONTROL_LIMIT, .level = level, .index = index, .key = key, .value = value};

	snprintf(m.second, sizeof(m.second), "%s", second ? second : "");
	return control_push(c, &m, who);
}

void risk_control_panic(struct risk_control *c)
{
	atomic_store_explicit(&c->panic, true, memory_order_relaxed);
}

bool control_panicked(const struct risk_control *c)
{
	return atomic_load_explicit(&c->panic, memory_order_relaxed);
}

bool control_waiting(const struct risk_control *c)
{
	return gn_spsc_peek(&c->ring, 0) != NULL;
}

bool control_poll(struct risk_control *c, struct risk *r, uint64_t now_tsc)
{
	const struct gn_slot *slot = gn_spsc_peek(&c->ring, 0);
	struct command m;

	if (!slot)
		return false;
	memcpy(&m, slot->payload, sizeof(m));
	gn_spsc_release(&c->ring);
	gn_spsc_share(&c->ring);
	switch (m.kind) {
	case CONTROL_KILL: risk_kill(r, m.level, m.index, m.cause, m.text, now_tsc); break;
	case CONTROL_RELEASE: risk_release(r, m.level, m.index, m.text, now_tsc); break;
	case CONTROL_CANCEL_ALL: risk_cancel_all(r, m.level, m.index); break;
	case CONTROL_LIMIT: risk_limit_set(r, m.level, m.index, m.key, m.value, m.text, m.second, now_tsc); break;
	}
	return true;
}

/* What is used of a limit, back in 1e-9 quote units. */
static int64_t control_used_e9(int64_t limit_quote, risk_ntl room)
{
	return risk_money_e9((risk_money)(risk_ntl_from_quote(limit_quote) - room) * (1 << RISK_NTL_SHIFT));
}

static void control_owner(struct risk_owner_snapshot *o, const struct risk_scope *s, const struct kill_switch *sw)
{
	*o = (struct risk_owner_snapshot){
		.n_open = risk_scope_open(s),
		.position = s->position,
		.realised_e9 = risk_money_e9(s->pnl.realised),
		.unrealised_e9 = risk_money_e9(s->pnl.value - s->pnl.cost),
		.fees_e9 = risk_money_e9(s->pnl.fees),
		.gross_e9 = control_used_e9(s->limits.gross_notional_max, s->room.gross),
		.net_long_e9 = control_used_e9(s->limits.net_notional_max, s->room.net[0]),
		.net_short_e9 = control_used_e9(s->limits.net_notional_max, s->room.net[1]),
		.cause = sw->cause,
	};
}

static void control_strategy(
	struct risk_snapshot *s, uint32_t i, const struct risk_strategy *from, const struct kill_switch *sw)
{
	control_owner(&s->strategy[i], &from->scope, sw);
	s->strategy[i].n_orders = from->n_orders;
	s->strategy[i].n_fills = from->n_fills;
	s->engine.n_orders += from->n_orders;
	s->engine.n_fills += from->n_fills;
}

static void control_fill(struct risk_snapshot *s, const struct risk *r, uint64_t now_tsc)
{
	memset(s, 0, sizeof(*s));
	s->tsc = now_tsc;
	s->up = r->up;
	s->n_kills = r->kill.n_on;
	s->n_strategies = r->n_strategies;
	s->n_open = r->orders.n;
	s->n_waiting = r->n_waiting;
	memcpy(s->verdicts, r->verdicts, sizeof(s->verdicts));
	control_owner(&s->engine, &r->engine, &r->kill.sw[RISK_ENGINE][0]);
	for (uint32_t i = 0; i < r->n_strategies; i++)
		control_strategy(s, i, &r->strategy[i], &r->kill.sw[RISK_STRATEGY][i]);
}

void control_publish(struct risk_control *c, const struct risk *r, uint64_t now_tsc)
{
	union {
		struct risk_snapshot snapshot;
		uint64_t words[SNAPSHOT_WORDS];
	} now;
	uint64_t version = atomic_load_explicit(&c->version, memory_order_relaxed);

	control_fill(&now.snapshot, r, now_tsc);
	now.snapshot.n_published = version / 2 + 1;
	atomic_store_explicit(&c->version, version + 1, memory_order_relaxed);
	/* release stores pair with the acquire loads in risk_control_snapshot(): who sees a new word sees the odd version */
	for (size_t i = 0; i < SNAPSHOT_WORDS; i++)
		atomic_store_explicit(&c->words[i], now.words[i], memory_order_release);
	atomic_store_explicit(&c->version, version + 2, memory_order_release);
}

void risk_control_snapshot(const struct risk_control *c, struct risk_snapshot *out)
{
	union {
		struct risk_snapshot snapshot;
		uint64_t words[SNAPSHOT_WORDS];
	} copy;
	uint64_t version;

	do {
		version = atomic_load_explicit(&c->version, memory_order_acquire);
		for (size_t i = 0; i < SNAPSHOT_WORDS; i++)
			copy.words[i] = atomic_load_explicit(&c->words[i], memory_order_acquire);
	} while ((version & 1) || version != atomic_load_explicit(&c->version, memory_order_relaxed));
	*out = copy.snapshot;
}
