/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "enter.h"
#include "finish.h"
#include "gate.h"
#include "setup.h"
#include "window.h"

static void mute_gateway(void *arg, const struct gn_order_req *req)
{
	(void)arg, (void)req;
}

static bool mute_strategy(void *arg, uint32_t strategy, const struct gn_exec *exec)
{
	(void)arg, (void)strategy, (void)exec;
	return true;
}

static uint32_t mute_room(void *arg)
{
	(void)arg;
	return 1;
}

void risk_replay_begin(struct risk *r)
{
	r->replay_io = r->io;
	r->io = (struct risk_io){mute_gateway, mute_strategy, NULL, mute_room, NULL};
	r->replaying = true;
}

/* Nobody knows whether the venue ever read it: unless the journal goes on to tell, it is sent again. */
static int replay_cancel(struct risk *r, const struct gn_order_req *q)
{
	struct order *o = enter_target(r, q->oid, q->strategy);

	if (o && q->qty == 0)
		o->flags |= ORDER_F_CANCEL_WANTED;
	return 0;
}

static int replay_request(struct risk *r, const struct gn_journal_msg *m)
{
	const struct gn_order_req *q = &m->req;

	if (m->verdict != GN_ACCEPTED)
		return 0;
	if (q->kind == GN_REQ_CANCEL)
		return replay_cancel(r, q);
	if (q->strategy >= r->n_strategies || q->inst >= r->n_insts)
		return gn_err(ENOENT, "risk: replay: strategy %u, instrument %u", q->strategy, q->inst);
	if ((q->side != GN_BUY && q->side != GN_SELL) || q->qty <= 0 || q->qty > RISK_QTY_MAX || q->px.e9 <= 0
		|| q->px.e9 > RISK_PX_E9_MAX || q->oid <= r->strategy[q->strategy].oid_last
		|| gn_oid_strategy(q->oid) != q->strategy || r->orders.free == ORDER_NONE)
		return gn_err(EPROTO, "risk: replay: order %016llx", (unsigned long long)q->oid);
	if (q->kind == GN_REQ_NEW)
		enter_new(r, q, ORDER_PENDING, m->tsc);
	else if (q->kind == GN_REQ_REPLACE && !enter_replacement(r, q, ORDER_PENDING, m->tsc))
		return gn_err(EPROTO, "risk: replay: replacement %016llx", (unsigned long long)q->oid);
	return 0;
}

static int replay_report(struct risk *r, const struct gn_journal_msg *m)
{
	uint32_t slot = orders_find(&r->orders, m->exec.oid);

	if (m->exec.kind == GN_EXEC_CANCEL_REJECTED && slot != ORDER_NONE)
		r->orders.pool[slot].flags &= (uint8_t)~ORDER_F_CANCEL_WANTED;
	if (m->exec.kind != GN_EXEC_REFUSED)
		risk_report(r, &m->exec, m->tsc);
	else if (slot != ORDER_NONE) /* accepted, but revoked while it waited */
		order_finish(r, &r->orders.pool[slot]);
	return 0;
}

static enum risk_level replay_level(const char *word)
{
	unsigned level = 0;

	while (level < RISK_LEVEL_COUNT && strcmp(word, risk_level_word(level)) != 0)
		level++;
	return level;
}

static int replay_limit(struct risk *r, enum risk_level level, uint32_t index, const char *name, long long value)
{
	enum risk_key key = risk_key_find(name);
	struct risk_limits *l = risk_limits_at(r, level, index);

	if (!l || key == RISK_KEY_COUNT)
		return gn_err(ENOENT, "risk: replay: limit %s of %s %u", name, risk_level_word(level), index);
	/* the config may have become tighter since: then it holds */
	int rc = risk_limit_set(r, level, index, key, value, "replay", "journal", 0);
	return rc == -EPERM ? 0 : rc;
}

static int replay_change(struct risk *r, const char *text, uint64_t tsc)
{
	char level[16], word[32];
	unsigned index;
	long long value;
	int at = 0;

	if (sscanf(text, "limit %15s %u %31s %*d>%lld", level, &index, word, &value) == 4)
		return replay_limit(r, replay_level(level), index, word, value);
	if (sscanf(text, "kill %15s %u %31[^:]: %n", level, &index, word, &at) == 3 && at) {
		risk_kill(r, replay_level(level), index, risk_cause_find(word), text + at, tsc);
		return 0;
	}
	if (sscanf(text, "release %15s %u: %n", level, &index, &at) == 2 && at)
		risk_release(r, replay_level(level), index, text + at, tsc);
	return 0;
}

int risk_replay(struct risk *r, const struct gn_journal_msg *m)
{
	char text[GN_JOURNAL_TEXT_BYTES + 1] = {0};

	switch (m->kind) {
	case GN_JOURNAL_REQUEST: return replay_request(r, m);
	case GN_JOURNAL_REPORT: return replay_report(r, m);
	case GN_JOURNAL_LIMIT: memcpy(text, m->text, GN_JOURNAL_TEXT_BYTES); return replay_change(r, text, m->tsc);
	default: return 0; /* of the gateway */
	}
}

void risk_replay_end(struct risk *r)
{
	r->io = r->replay_io;
	r->replaying = false;
	r->up = 0;
	r->venue.full_tsc = 0;
	for (uint32_t i = 0; i < r->n_accounts; i++)
		r->account[i].session.full_tsc = 0;
	for (uint32_t i = 0; i < r->n_strategies; i++) {
		struct risk_strategy *s = &r->strategy[i];
		s->rate.full_tsc = s->session_tsc = s->rejects_start_tsc = 0;
		window_clear(&s->repeat);
		window_clear(&s->protect);
	}
	memset(r->duplicate, 0, r->duplicate_bytes);
	for (size_t i = 0; i < (size_t)r->n_insts * r->n_strategies; i++)
		r->cell[i].side[0].last = r->cell[i].side[1].last = (struct risk_seen){.qty = 0};
	r->journal_spare = -1;
	gate_strategies(r);
}

void risk_replay_cancel(struct risk *r)
{
	r->adopt_to_cancel = true;
	for (uint32_t i = 1; i <= r->orders.capacity; i++) {
		if (r->orders.pool[i].state != ORDER_FREE)
			r->orders.pool[i].flags |= ORDER_F_CANCEL_WANTED;
	}
}

static void tell_order(struct risk *r, const struct order *o)
{
	struct gn_exec e = {
		.kind = GN_EXEC_RESTATED,
		.side = o->req.side,
		.inst = o->req.inst,
		.oid = o->req.oid,
		.px = o->req.px,
		.qty = o->leaves,
		.leaves = o->leaves,
		.position = risk_ledger(r, o->req.inst, o->req.strategy)->pos.qty,
		.strategy = o->req.strategy,
		.tag = o->req.tag,
		.flags = GN_EXEC_F_RECOVERED,
	};

	if (!r->io.strategy(r->io.arg, e.strategy, &e))
		risk_kill(r, RISK_STRATEGY, e.strategy, RISK_CAUSE_SLOW, "recovered orders not taken", 0);
}

static void tell_position(struct risk *r, uint32_t cell)
{
	struct gn_exec e = {
		.kind = GN_EXEC_RESTATED,
		.inst = cell / r->n_strategies,
		.position = r->ledger[cell].pos.qty,
		.strategy = cell % r->n_strategies,
		.flags = GN_EXEC_F_RECOVERED,
	};

	if (!r->io.strategy(r->io.arg, e.strategy, &e))
		risk_kill(r, RISK_STRATEGY, e.strategy, RISK_CAUSE_SLOW, "recovered positions not taken", 0);
}

void risk_replay_tell(struct risk *r)
{
	for (uint32_t i = 0; i < r->n_held; i++)
		tell_position(r, r->held[i]);
	for (uint32_t i = 1; i <= r->orders.capacity; i++) {
		if (r->orders.pool[i].state != ORDER_FREE)
			tell_order(r, &r->orders.pool[i]);
	}
}

gn_oid risk_oid_last(const struct risk *r, uint32_t strategy)
{
	gn_oid last = strategy < r->n_strategies ? r->strategy[strategy].oid_last : 0;

	return gn_oid_count(last) ? last : 0;
}
