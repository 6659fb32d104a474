/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/runtime/instruments.h"
#include "operator_impl.h"
#include "pinning/clock.h"

json_t *operator_latency(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	static const struct {
		uint32_t ppm;
		const char *key;
	} columns[] = {{500000, "p50_ns"}, {900000, "p90_ns"}, {990000, "p99_ns"}, {999000, "p999_ns"},
		{999900, "p9999_ns"}, {1000000, "max_ns"}};
	const struct latency *l = engine_latency(o->e);
	json_t *rows = json_array();

	(void)request, (void)peer;
	for (int row = 0; row < LATENCY_ROWS; row++) {
		const struct gn_hist *h = latency_hist(l, (enum latency_row)row);
		if (row == LATENCY_PORT && h->n == 0)
			continue; /* most ports stamp nothing */
		json_t *j =
			json_pack("{s:s, s:I}", "hop", latency_row_name((enum latency_row)row), "n", (json_int_t)h->n);
		for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
			json_object_set_new(j, columns[c].key, json_integer((json_int_t)gn_hist_at(h, columns[c].ppm)));
		json_array_append_new(rows, j);
	}
	return json_pack("{s:b, s:s, s:o, s:I}", "ok", 1, "engine", engine_name(o->e), "rows", rows, "stamps_lost",
		(json_int_t)latency_lost(l));
}

/* What the kernel knows of its own clock: the link between us and UTC. */
static json_t *kernel_clock(const struct gn_clock_report *r)
{
	return json_pack("{s:s, s:b, s:I, s:I, s:i, s:I, s:s}", "source", r->kernel_source, "synchronised",
		r->synchronised, "error_estimated_ns", (json_int_t)r->kernel_error_est_ns, "error_max_ns",
		(json_int_t)r->kernel_error_max_ns, "tai_offset_s", r->tai_offset_s, "freq_ppb",
		(json_int_t)r->freq_ppb, "discipline", r->discipline);
}

/* How far the counters of the cores agree; null where nobody could tell. */
static json_t *clock_cores(const struct gn_tsc_check *c)
{
	return c->n_cores ? json_pack("{s:i, s:i, s:I, s:I}", "compared", c->n_cores + 1, "worst_core", c->worst_core,
		       "offset_ticks", (json_int_t)c->offset_ticks, "bound_ticks", (json_int_t)c->bound_ticks)
	                  : json_null();
}

/* The clock of a port that stamps what it receives, mapped to ours; null: it stamps nothing. */
static json_t *port_clock(const struct engine *e)
{
	struct gn_clock_status s;

	if (!engine_port_clock(e, &s))
		return json_null();
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "calibrated", s.calibrated, "ticks_per_s",
		(json_int_t)s.ticks_per_s, "offset_ns", (json_int_t)s.offset_ns, "bound_ns", (json_int_t)s.bound_ns,
		"n_updates", (json_int_t)s.n_updates, "n_steps", (json_int_t)s.n_steps);
}

json_t *operator_clock(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	struct gn_clock_report r;

	(void)request, (void)peer;
	engine_clock(o->e, &r);
	const struct gn_clock_status *s = &r.clock;
	json_t *j = json_pack("{s:b, s:s, s:s, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:s}",
		"ok", 1, "engine", engine_name(o->e), "source", "time-stamp counter, following CLOCK_REALTIME",
		"calibrated", s->calibrated, "invariant", s->invariant, "now_ns", (json_int_t)gn_clock_now_ns(),
		"ticks_per_s", (json_int_t)s->ticks_per_s, "offset_ns", (json_int_t)s->offset_ns, "bound_ns",
		(json_int_t)s->bound_ns, "bound_ns_max", (json_int_t)s->bound_ns_max, "n_updates",
		(json_int_t)s->n_updates, "n_steps", (json_int_t)s->n_steps, "step_ns", (json_int_t)s->step_ns,
		"n_backwards", (json_int_t)s->n_backwards, "kernel", kernel_clock(&r), "cores", clock_cores(&r.cores),
		"port", port_clock(o->e), "trouble", gn_clock_report_trouble(&r));
	if (j) /* null: the kernel does not claim to be near UTC, so neither can we */
		json_object_set_new(
			j, "utc_bound_ns", r.utc_known ? json_integer((json_int_t)r.utc_bound_ns) : json_null());
	return j;
}

static json_t *limit_number(int64_t value)
{
	return value == RISK_UNLIMITED ? json_string("unlimited") : json_integer(value);
}

static json_t *limits_of(const struct risk_view *v)
{
	json_t *list = json_array();

	for (unsigned key = 0; key < RISK_KEY_COUNT; key++) {
		const struct risk_key_info *info = &risk_key_info[key];
		if (!(info->levels & (1u << v->level)))
			continue;
		int64_t used = v->used[key], limit = risk_limit_get(&v->limits, key);
		json_t *j = json_pack("{s:s, s:o, s:o, s:o}", "key", info->name, "limit", limit_number(limit), "hard",
			limit_number(risk_limit_get(&v->hard, key)), "used",
			used == RISK_VIEW_NONE ? json_null() : json_integer(used));
		if (used != RISK_VIEW_NONE && limit > 0 && limit != RISK_UNLIMITED)
			json_object_set_new(j, "used_pct", json_integer((json_int_t)((__int128)used * 100 / limit)));
		if (v->soft & (UINT32_C(1) << key))
			json_object_set_new(j, "soft_passed", json_true());
		json_object_set_new(j, "text", json_string(info->text));
		json_array_append_new(list, j);
	}
	return list;
}

static double money(int64_t e9)
{
	return (double)e9 / 1e9;
}

static json_t *owner_of(const struct operator *o, const struct risk_view *v)
{
	struct gn_symbol_text text;
	const struct risk_owner_snapshot *s = &v->owner;
	json_t *j = json_pack("{s:s, s:s, s:s, s:I}", "level", risk_level_word(v->level), "name",
		operator_name(o, v->level, v->index, &text), "kill", risk_cause_word((enum risk_cause)s->cause), "open",
		(json_int_t)s->n_open);

	if (s->cause)
		json_object_set_new(
			j, "reason", json_stringn_nocheck(v->reason, strnlen(v->reason, sizeof(v->reason))));
	if (v->level != RISK_INSTRUMENT) {
		json_t *more = json_pack("{s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "position", (json_int_t)s->position,
			"realised", money(s->realised_e9), "unrealised", money(s->unrealised_e9), "fees",
			money(s->fees_e9), "gross", money(s->gross_e9), "net_long", money(s->net_long_e9), "net_short",
			money(s->net_short_e9));
		json_object_update(j, more);
		json_decref(more);
	}
	json_object_set_new(j, "limits", limits_of(v));
	return j;
}

static int add_owner(struct operator *o, json_t *list, enum risk_level level, uint32_t index)
{
	struct risk_view v;
	int rc = operator_look(o, level, index, &v);

	return rc < 0 ? rc : json_array_append_new(list, owner_of(o, &v));
}

/* Of the instruments: those that the config names, or the one that is asked for. */
static int add_instruments(struct operator *o, json_t *list, const char *only)
{
	const struct risk_section *r = &engine_section(o->e)->risk;
	uint32_t n = only ? 1 : r->instruments_count;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		const char *symbol = only ? only : r->instruments[i].symbol;
		gn_inst inst = gn_instruments_find(engine_instruments(o->e), gn_symbol_from(symbol, strlen(symbol)));
		if (inst == GN_INST_NONE)
			rc = gn_err(0, "there is no instrument %.40s", symbol);
		else
			rc = add_owner(o, list, RISK_INSTRUMENT, inst);
	}
	return rc;
}

static json_t *refusals_of(const struct risk_snapshot *s)
{
	static const char *const names[] = {
#define VERDICT_NAME(name, text) #name,
		GN_VERDICTS(VERDICT_NAME)
#undef VERDICT_NAME
	};
	json_t *j = json_object();

	for (int v = 0; v < GN_VERDICT_COUNT; v++)
		json_object_set_new(j, names[v], json_integer((json_int_t)s->verdicts[v]));
	return j;
}

static json_t *kills_of(const struct operator *o)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < o->kills.n; i++) {
		const struct kill_entry *e = &o->kills.entry[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:I}", "level", risk_level_word(e->level), "name",
				      e->name, "who", e->who, "reason", e->reason, "at_ns", (json_int_t)e->at_ns));
	}
	return list;
}

json_t *operator_risk(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	const struct engine_section *s = engine_section(o->e);
	const char *only = json_string_value(json_object_get(request, "instrument"));
	json_t *owners = json_array();
	struct risk_snapshot now;
	int rc = add_owner(o, owners, RISK_ENGINE, 0);

	(void)peer;
	for (uint32_t i = 0; rc == 0 && i < s->accounts_count; i++)
		rc = add_owner(o, owners, RISK_ACCOUNT, i);
	for (uint32_t i = 0; rc == 0 && i < s->strategies_count; i++)
		rc = add_owner(o, owners, RISK_STRATEGY, i);
	if (rc == 0)
		rc = add_instruments(o, owners, only);
	if (rc < 0) {
		json_decref(owners);
		return NULL;
	}
	engine_snapshot(o->e, &now);
	return json_pack("{s:b, s:s, s:I, s:I, s:I, s:o, s:o, s:o}", "ok", 1, "engine", engine_name(o->e), "open",
		(json_int_t)now.n_open, "waiting", (json_int_t)now.n_waiting, "kills_thrown", (json_int_t)now.n_kills,
		"kills", kills_of(o), "owners", owners, "verdicts", refusals_of(&now));
}
