/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/log.h"
#include "operator_impl.h"
#include "pinning/clock.h"

#define GONE_NS UINT64_C(3000000000) /* how long an answer waits for open orders to be cancelled */
#define WATCH_NS UINT64_C(100000000)

static double us_since(uint64_t from_tsc, uint64_t to_tsc)
{
	return to_tsc > from_tsc ? (double)(gn_clock_ns_from_tsc(to_tsc) - gn_clock_ns_from_tsc(from_tsc)) / 1e3 : 0;
}

/* The reason that a person gives: there must be one, and it must fit the journal whole. */
static const char *reason_of(const json_t *request)
{
	const char *reason = json_string_value(json_object_get(request, "reason"));

	if (!reason || reason[strspn(reason, " \t\n")] == 0) {
		gn_err(0, "refused without a reason");
		return NULL;
	}
	if (strlen(reason) >= OPERATOR_REASON_BYTES) {
		gn_err(0, "the reason has %zu bytes, expected %u at most", strlen(reason), OPERATOR_REASON_BYTES - 1);
		return NULL;
	}
	return reason;
}

/* Two records: who does what, and, right before the change itself, why. */
static int change(struct operator *o, struct risk_command *m, const struct owner *w, const struct control_peer *peer,
	const char *reason, struct risk_outcome *out)
{
	int rc = operator_note(o, "by %s: %s %s %s", peer->who, m->kind == RISK_DO_KILL ? "kill" : "release",
		risk_level_word(w->level), w->name);

	if (rc < 0)
		return rc;
	snprintf(m->note, sizeof(m->note), "why: %s", reason);
	snprintf(m->text, sizeof(m->text), "%s: %s", peer->who, reason);
	return operator_do(o, m, out);
}

static struct kill_entry entry_of(const struct owner *w, const char *who, const char *reason)
{
	struct kill_entry e = {.level = w->level, .at_ns = gn_clock_now_ns()};

	snprintf(e.name, sizeof(e.name), "%s", w->name);
	snprintf(e.who, sizeof(e.who), "%s", who);
	snprintf(e.reason, sizeof(e.reason), "%s", reason);
	return e;
}

/* Wait until nothing of an owner is open any more, or for so long as one may. */
static int wait_gone(struct operator *o, const struct owner *w, struct risk_view *v)
{
	uint64_t end_ns = gn_clock_now_ns() + GONE_NS;
	int rc = operator_look(o, w->level, w->index, v);

	while (rc == 0 && v->owner.n_open > 0 && gn_clock_now_ns() < end_ns) {
		operator_wait(o);
		rc = operator_look(o, w->level, w->index, v);
	}
	return rc;
}

static json_t *kill_answer(
	struct operator *o, const struct owner *w, int64_t n_before, uint64_t asked_tsc, uint64_t done_tsc)
{
	struct risk_view v;

	if (wait_gone(o, w, &v) < 0)
		return NULL;
	return json_pack("{s:b, s:s, s:s, s:I, s:I, s:f, s:f}", "ok", 1, "level", risk_level_word(w->level), "name",
		w->name, "open_before", (json_int_t)n_before, "open_after", (json_int_t)v.owner.n_open, "blocked_us",
		us_since(asked_tsc, done_tsc), "cancelled_us", us_since(asked_tsc, v.tsc));
}

json_t *operator_kill(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	const char *reason = reason_of(request);
	struct risk_outcome out = {0};
	struct risk_view before;
	struct owner w;

	if (!reason || operator_owner(o, request, &w) < 0 || operator_look(o, w.level, w.index, &before) < 0)
		return NULL;
	struct risk_command m = {.kind = RISK_DO_KILL, .level = w.level, .index = w.index, .cause = RISK_CAUSE_PERSON};
	struct kill_entry e = entry_of(&w, peer->who, reason);
	uint64_t asked_tsc = gn_tsc();
	int rc = change(o, &m, &w, peer, reason, &out);
	if (rc < 0 && rc != -EALREADY)
		return NULL;
	o->n_kills_seen += rc == 0;
	int kept = kills_add(&o->kills, &e);
	gn_warn("%s kills %s%s%s: %s", peer->who, risk_level_word(w.level), *w.name ? " " : "", w.name, reason);
	if (kept < 0) {
		gn_err_in(kept, "the switch is thrown, but would not survive a restart");
		return NULL;
	}
	if (rc == -EALREADY) {
		gn_err(0, "the switch of %s %s is thrown already: %s", risk_level_word(w.level), w.name, before.reason);
		return NULL;
	}
	return kill_answer(o, &w, before.owner.n_open, asked_tsc, out.tsc);
}

json_t *operator_release(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	const char *reason = reason_of(request);
	struct risk_outcome out;
	struct owner w;

	if (!reason || operator_owner(o, request, &w) < 0)
		return NULL;
	struct risk_command m = {.kind = RISK_DO_RELEASE, .level = w.level, .index = w.index};
	/* what a guard has blocked is released with the engine's switch: else it would be thrown again at once */
	if (w.level == RISK_ENGINE)
		atomic_store(o->block, RISK_BLOCK_NONE);
	int rc = change(o, &m, &w, peer, reason, &out);
	if (rc == -EALREADY)
		gn_err(0, "the switch of %s %s is not thrown", risk_level_word(w.level), w.name);
	if (rc == 0)
		o->n_kills_seen--;
	if (rc == 0 && kills_remove(&o->kills, w.level, w.name) < 0)
		return NULL;
	if (rc < 0)
		return NULL;
	gn_warn("%s releases %s%s%s: %s", peer->who, risk_level_word(w.level), *w.name ? " " : "", w.name, reason);
	return json_pack("{s:b, s:s, s:s}", "ok", 1, "level", risk_level_word(w.level), "name", w.name);
}

static void keep_thrown(struct operator *o, enum risk_level level, uint32_t index)
{
	struct gn_symbol_text text;
	struct owner w = {.level = level, .index = index};
	struct risk_view v;
	char reason[KILLS_TEXT_BYTES];

	if (operator_look(o, level, index, &v) < 0 || v.owner.cause == RISK_CAUSE_NONE)
		return;
	snprintf(w.name, sizeof(w.name), "%s", operator_name(o, level, index, &text));
	if (kills_find(&o->kills, level, w.name))
		return;
	snprintf(reason, sizeof(reason), "%s: %.*s", risk_cause_word((enum risk_cause)v.owner.cause),
		(int)sizeof(v.reason), v.reason);
	struct kill_entry e = entry_of(&w, "engine", reason);
	gn_error("kill switch of %s%s%s: %s", risk_level_word(level), *w.name ? " " : "", w.name, reason);
	if (kills_add(&o->kills, &e) < 0)
		gn_error("%s", gn_err_text());
}

void operator_watch_kills(struct operator *o)
{
	const struct engine_section *section = engine_section(o->e);
	struct risk_snapshot s;
	uint64_t now = gn_clock_now_ns();

	if (now < o->look_ns || engine_is_stopping(o->e))
		return;
	o->look_ns = now + WATCH_NS;
	engine_snapshot(o->e, &s);
	if (s.n_published == 0 || s.n_kills == o->n_kills_seen)
		return;
	o->n_kills_seen = s.n_kills;
	keep_thrown(o, RISK_ENGINE, 0);
	for (uint32_t i = 0; i < section->accounts_count; i++)
		keep_thrown(o, RISK_ACCOUNT, i);
	for (uint32_t i = 0; i < section->strategies_count; i++)
		keep_thrown(o, RISK_STRATEGY, i);
	for (gn_inst i = 0; i < gn_instruments_count(engine_instruments(o->e)); i++)
		keep_thrown(o, RISK_INSTRUMENT, i);
}

static int throw_one(struct operator *o, const struct kill_entry *e)
{
	struct owner w;
	struct risk_command m = {.kind = RISK_DO_KILL, .level = e->level, .cause = RISK_CAUSE_PERSON};

	if (e->level == RISK_INSTRUMENT) /* it may be one that the feed has not met yet */
		gn_instruments_add(engine_instruments(o->e), gn_symbol_from(e->name, strlen(e->name)));
	json_t *request = json_pack("{s:s, s:s}", "level", risk_level_word(e->level), "name", e->name);
	int rc = operator_owner(o, request, &w);
	json_decref(request);
	if (rc < 0) {
		gn_warn("kill switch kept of before: %s", gn_err_text());
		return 0; /* it stays in the file: what it names may come back */
	}
	m.index = w.index;
	snprintf(m.text, sizeof(m.text), "%s: %.20s", e->who, e->reason);
	snprintf(m.note, sizeof(m.note), "thrown before this start and not released");
	gn_warn("kill switch of %s%s%s stays thrown until released: %s (%s)", risk_level_word(e->level),
		*e->name ? " " : "", e->name, e->reason, e->who);
	int64_t ticket = risk_control_send(o->control, &m);
	return ticket > 0 ? 0 : (int)ticket;
}

int operator_throw_kept(struct operator *o)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < o->kills.n; i++)
		rc = throw_one(o, &o->kills.entry[i]);
	return rc;
}
