/* SPDX-License-Identifier: BSD-3-Clause */
#include "control.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tell.h"
#include "view.h"

#define CONTROL_DEPTH 256u
#define SNAPSHOT_WORDS (sizeof(struct risk_snapshot) / sizeof(uint64_t))
_Static_assert(sizeof(struct risk_snapshot) % sizeof(uint64_t) == 0, "a snapshot is made of words");

struct control_done {
	_Atomic int64_t rc;
	_Atomic uint64_t tsc;
};

struct risk_control {
	struct gn_spsc ring;
	pthread_mutex_t lock; /* of those who push */
	int64_t n_sent;
	_Atomic uint32_t *block; /* ours, or one that is shared with a guard */
	_Atomic uint32_t own_block;
	GN_OWNED_BY(stage) _Atomic uint64_t version; /* odd while the words are being written */
	_Atomic uint64_t words[SNAPSHOT_WORDS];
	bool looking; /* the walk of a view is under way */
	struct risk_view view;
	_Atomic int64_t n_done; /* stored with release: outcome and view of the command are complete */
	struct control_done done[CONTROL_DEPTH];
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
	c->block = &c->own_block;
	if (gn_spsc_init(&c->ring, CONTROL_DEPTH, sizeof(struct risk_command), -1) == 0)
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

int64_t risk_control_send(struct risk_control *c, const struct risk_command *m)
{
	pthread_mutex_lock(&c->lock);
	bool pushed = gn_spsc_push(&c->ring, m, sizeof(*m));
	int64_t ticket = c->n_sent += pushed;
	pthread_mutex_unlock(&c->lock);
	return pushed ? ticket : gn_err(EAGAIN, "risk: %u commands wait already", CONTROL_DEPTH);
}

static int control_push(struct risk_control *c, struct risk_command *m, const char *text)
{
	snprintf(m->text, sizeof(m->text), "%s", text ? text : "");
	int64_t ticket = risk_control_send(c, m);
	return ticket > 0 ? 0 : (int)ticket;
}

int risk_control_kill(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason)
{
	struct risk_command m = {.kind = RISK_DO_KILL, .level = level, .index = index, .cause = RISK_CAUSE_PERSON};

	return control_push(c, &m, reason);
}

int risk_control_release(struct risk_control *c, enum risk_level level, uint32_t index, const char *reason)
{
	struct risk_command m = {.kind = RISK_DO_RELEASE, .level = level, .index = index};

	if (!reason || !reason[0])
		return gn_err(EINVAL, "risk: a kill switch is released with a reason only");
	return control_push(c, &m, reason);
}

int risk_control_cancel_all(struct risk_control *c, enum risk_level level, uint32_t index)
{
	struct risk_command m = {.kind = RISK_DO_CANCEL_ALL, .level = level, .index = index};

	return control_push(c, &m, NULL);
}

int risk_control_quarantine(struct risk_control *c, uint32_t strategy)
{
	struct risk_command m = {
		.kind = RISK_DO_KILL, .level = RISK_STRATEGY, .index = strategy, .cause = RISK_CAUSE_QUARANTINE};

	return control_push(c, &m, "quarantined by its host");
}

int risk_control_limit(struct risk_control *c, enum risk_level level, uint32_t index, enum risk_key key, int64_t value,
	const char *who, const char *second)
{
	struct risk_command m = {.kind = RISK_DO_LIMIT, .level = level, .index = index, .key = key, .value = value};

	snprintf(m.second, sizeof(m.second), "%s", second ? second : "");
	return control_push(c, &m, who);
}

void risk_control_panic(struct risk_control *c)
{
	atomic_store_explicit(c->block, RISK_BLOCK_INVARIANT, memory_order_relaxed);
}

void risk_control_block_word(struct risk_control *c, _Atomic uint32_t *word)
{
	c->block = word ? word : &c->own_block;
}

uint32_t control_blocked(const struct risk_control *c)
{
	return atomic_load_explicit(c->block, memory_order_relaxed);
}

bool control_waiting(const struct risk_control *c)
{
	return gn_spsc_peek(&c->ring, 0) != NULL;
}

bool risk_control_outcome(const struct risk_control *c, int64_t ticket, struct risk_outcome *out)
{
	/* acquire pairs with the release in control_finish() */
	int64_t n = atomic_load_explicit(&c->n_done, memory_order_acquire);
	const struct control_done *d = &c->done[(uint64_t)ticket % CONTROL_DEPTH];

	if (ticket <= 0 || n < ticket)
		return false;
	*out = (struct risk_outcome){(int)atomic_load_explicit(&d->rc, memory_order_relaxed),
		atomic_load_explicit(&d->tsc, memory_order_relaxed)};
	return true;
}

const struct risk_view *risk_control_view(const struct risk_control *c)
{
	return &c->view;
}

static void control_finish(struct risk_control *c, int rc, uint64_t now_tsc)
{
	int64_t ticket = atomic_load_explicit(&c->n_done, memory_order_relaxed) + 1;
	struct control_done *d = &c->done[(uint64_t)ticket % CONTROL_DEPTH];

	atomic_store_explicit(&d->rc, rc, memory_order_relaxed);
	atomic_store_explicit(&d->tsc, now_tsc, memory_order_relaxed);
	/* release pairs with the acquire in risk_control_outcome() */
	atomic_store_explicit(&c->n_done, ticket, memory_order_release);
}

static int control_switch(struct risk *r, const struct risk_command *m, uint64_t now_tsc)
{
	bool done = m->kind == RISK_DO_KILL ? risk_kill(r, m->level, m->index, m->cause, m->text, now_tsc)
					    : risk_release(r, m->level, m->index, m->text, now_tsc);

	return done ? 0 : kill_at(&r->kill, m->level, m->index) ? -EALREADY : -ENOENT;
}

static int control_do(struct risk *r, const struct risk_command *m, uint64_t now_tsc)
{
	if (m->note[0])
		tell_change(r, now_tsc, "%s", m->note);
	switch (m->kind) {
	case RISK_DO_KILL:
	case RISK_DO_RELEASE: return control_switch(r, m, now_tsc);
	case RISK_DO_CANCEL_ALL: risk_cancel_all(r, m->level, m->index); return 0;
	case RISK_DO_LIMIT: return risk_limit_set(r, m->level, m->index, m->key, m->value, m->text, m->second, now_tsc);
	default: return m->kind == RISK_DO_NOTE ? 0 : -EINVAL;
	}
}

/* One step of a view. True: it is complete, or there is nothing to see. */
static bool control_look(struct risk_control *c, const struct risk *r, const struct risk_command *m, uint64_t now_tsc,
	int *rc)
{
	*rc = 0;
	if (!c->looking && !view_begin(&c->view, r, m->level, m->index, now_tsc)) {
		*rc = -ENOENT;
		return true;
	}
	c->looking = view_step(&c->view, r);
	return !c->looking;
}

bool control_poll(struct risk_control *c, struct risk *r, uint64_t now_tsc)
{
	const struct gn_slot *slot = gn_spsc_peek(&c->ring, 0);
	struct risk_command m;
	int rc;

	if (!slot)
		return false;
	memcpy(&m, slot->payload, sizeof(m));
	m.text[sizeof(m.text) - 1] = m.second[sizeof(m.second) - 1] = m.note[sizeof(m.note) - 1] = 0;
	if (m.kind != RISK_DO_LOOK)
		rc = control_do(r, &m, now_tsc);
	else if (!control_look(c, r, &m, now_tsc, &rc))
		return true;
	gn_spsc_release(&c->ring);
	gn_spsc_share(&c->ring);
	control_finish(c, rc, now_tsc);
	return true;
}

static void control_strategy(
	struct risk_snapshot *s, uint32_t i, const struct risk_strategy *from, const struct kill_switch *sw)
{
	s->strategy[i] = view_owner(&from->scope, sw);
	s->strategy[i].n_orders = from->n_orders;
	s->strategy[i].n_fills = from->n_fills;
	s->engine.n_orders += from->n_orders;
	s->engine.n_fills += from->n_fills;
}

static void control_fill(struct risk_snapshot *s, const struct risk *r, uint64_t now_tsc)
{
	memset(s, 0, offsetof(struct risk_snapshot, strategy));
	s->tsc = now_tsc;
	s->up = r->up;
	s->n_kills = r->kill.n_on;
	s->n_strategies = r->n_strategies;
	s->n_open = orders_open(&r->orders);
	s->n_waiting = r->n_waiting;
	memcpy(s->verdicts, r->verdicts, sizeof(s->verdicts));
	s->engine = view_owner(&r->engine, &r->kill.sw[RISK_ENGINE][0]);
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
	/* strategies that do not exist stay zero: they are most of it, and this runs on the hot thread */
	size_t n_words = (offsetof(struct risk_snapshot, strategy) + r->n_strategies * sizeof(now.snapshot.strategy[0])) / 8;
	atomic_store_explicit(&c->version, version + 1, memory_order_relaxed);
	/* release stores pair with the acquire loads in risk_control_snapshot(): who sees a new word sees the odd version */
	for (size_t i = 0; i < n_words; i++)
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
