/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/log.h"
#include "operator_impl.h"
#include "pinning/clock.h"

#define PENDING_NS UINT64_C(600000000000)

/* A wish to change one limit, and what stands now. */
struct wish {
	struct owner w;
	enum risk_key key;
	int64_t value;
	struct risk_view v;
};

static int wish_read(struct operator *o, const json_t *request, struct wish *wish)
{
	const char *key = json_string_value(json_object_get(request, "key"));
	const json_t *value = json_object_get(request, "value");

	if (operator_owner(o, request, &wish->w) < 0)
		return -EINVAL;
	wish->key = key ? risk_key_find(key) : RISK_KEY_COUNT;
	if (wish->key == RISK_KEY_COUNT)
		return gn_err(0, "there is no limit %.40s", key ? key : "(no text)");
	if (!(risk_key_info[wish->key].levels & (1u << wish->w.level)))
		return gn_err(0, "limit %s does not apply to one %s", key, risk_level_word(wish->w.level));
	if (!json_is_integer(value) || json_integer_value(value) <= 0)
		return gn_err(0, "request: value: expected a whole number above 0");
	wish->value = json_integer_value(value);
	return operator_look(o, wish->w.level, wish->w.index, &wish->v);
}

static bool is_looser(const struct wish *wish)
{
	return !risk_limit_allowed(wish->key, wish->value, risk_limit_get(&wish->v.limits, wish->key));
}

static json_t *wish_answer(const struct wish *wish, const char *state, uint32_t pending)
{
	return json_pack("{s:b, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:i}", "ok", 1, "state", state, "level",
		risk_level_word(wish->w.level), "name", wish->w.name, "key", risk_key_info[wish->key].name, "before",
		(json_int_t)risk_limit_get(&wish->v.limits, wish->key), "value", (json_int_t)wish->value, "hard",
		(json_int_t)risk_limit_get(&wish->v.hard, wish->key), "pending", (int)pending);
}

static json_t *wish_carry_out(struct operator *o, const struct wish *wish, const char *who, const char *second)
{
	struct risk_command m = {.kind = RISK_DO_LIMIT,
		.level = wish->w.level,
		.index = wish->w.index,
		.key = wish->key,
		.value = wish->value};
	struct risk_outcome out;
	struct risk_view v;

	snprintf(m.text, sizeof(m.text), "%.20s",
		who); /* the record of the change has room for so much; the note says it all */
	snprintf(m.second, sizeof(m.second), "%.20s", second);
	snprintf(m.note, sizeof(m.note), "by %s%s%s: limit %s", who, *second ? ", confirmed by " : "", second,
		wish->w.name);
	int rc = operator_do(o, &m, &out);
	if (rc == -EPERM)
		gn_err(0, "limit %s of %s %s: %lld is looser than the %lld of the start", risk_key_info[wish->key].name,
			risk_level_word(wish->w.level), wish->w.name, (long long)wish->value,
			(long long)risk_limit_get(&wish->v.hard, wish->key));
	if (rc < 0 || operator_look(o, wish->w.level, wish->w.index, &v) < 0)
		return NULL;
	gn_info("%s%s%s sets %s of %s %s from %lld to %lld", who, *second ? " and " : "", second,
		risk_key_info[wish->key].name, risk_level_word(wish->w.level), wish->w.name,
		(long long)risk_limit_get(&wish->v.limits, wish->key), (long long)wish->value);
	if (wish->w.level == RISK_ENGINE || wish->w.level == RISK_STRATEGY)
		figures_limits(engine_figures(o->e), wish->w.level == RISK_ENGINE ? -1 : (int)wish->w.index, &v.limits);
	return wish_answer(wish, "set", 0);
}

static json_t *wish_keep(struct operator *o, const struct wish *wish, const char *who)
{
	uint64_t now = gn_clock_now_ns();
	struct pending *p = NULL;

	for (uint32_t i = 0; i < OPERATOR_PENDING_MAX; i++)
		if (o->pending[i].id == 0 || now > o->pending[i].until_ns)
			p = &o->pending[i];
	if (!p) {
		gn_err(0, "%u changes wait for a second person already", OPERATOR_PENDING_MAX);
		return NULL;
	}
	*p = (struct pending){
		++o->n_pending, wish->w.level, wish->w.index, wish->key, wish->value, now + PENDING_NS, ""};
	snprintf(p->who, sizeof(p->who), "%s", who);
	if (operator_note(o, "by %s: wish %u: %s %s %s", who, p->id, risk_key_info[wish->key].name,
		    risk_level_word(wish->w.level), wish->w.name)
		< 0)
		return NULL;
	return wish_answer(wish, "pending", p->id);
}

json_t *operator_limit(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	struct wish wish;

	if (wish_read(o, request, &wish) < 0)
		return NULL;
	bool allowed = risk_limit_allowed(wish.key, wish.value, risk_limit_get(&wish.v.hard, wish.key));
	if (allowed && is_looser(&wish) && engine_section(o->e)->risk.loosen_by_two)
		return wish_keep(o, &wish, peer->who);
	return wish_carry_out(o, &wish, peer->who, "");
}

json_t *operator_confirm(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	json_int_t id = json_integer_value(json_object_get(request, "id"));
	struct pending *p = NULL;
	struct gn_symbol_text text;

	for (uint32_t i = 0; id > 0 && i < OPERATOR_PENDING_MAX && !p; i++)
		if (o->pending[i].id == id && gn_clock_now_ns() <= o->pending[i].until_ns)
			p = &o->pending[i];
	if (!p) {
		gn_err(0, "no change of this number waits for a second person");
		return NULL;
	}
	if (strcmp(p->who, peer->who) == 0) {
		gn_err(0, "%s asked for this change: another person must confirm it", peer->who);
		return NULL;
	}
	struct wish wish = {.w = {.level = p->level, .index = p->index}, .key = p->key, .value = p->value};
	snprintf(wish.w.name, sizeof(wish.w.name), "%s", operator_name(o, p->level, p->index, &text));
	if (operator_look(o, p->level, p->index, &wish.v) < 0)
		return NULL;
	json_t *answer = wish_carry_out(o, &wish, p->who, peer->who);
	if (answer)
		p->id = 0;
	return answer;
}
