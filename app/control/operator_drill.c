/* SPDX-License-Identifier: BSD-3-Clause */
/* The morning's proof that the kill switch works, on the running engine. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/log.h"
#include "operator_impl.h"
#include "pinning/clock.h"

#define DRILL_NS UINT64_C(3000000000)

struct drill {
	bool on_wire; /* an instrument that is traded: its orders are cancelled at the venue */
	gn_inst inst;
	char name[32];
	uint64_t asked_tsc, blocked_tsc, swept_tsc, gone_tsc, released_tsc;
	int64_t open_before, open_after;
	uint64_t n_cancels, n_orders;
};

/* Whom to drill on: the instrument that is named, else a place of the table that no instrument has. */
static int drill_target(struct operator *o, const json_t *request, struct drill *d)
{
	const struct gn_instruments *t = engine_instruments(o->e);
	const json_t *name = json_object_get(request, "instrument");
	const char *symbol = json_string_value(name);

	d->on_wire = symbol != NULL;
	if (name && !json_is_null(name) && !symbol)
		return gn_err(0, "request: instrument: expected a text");
	if (!symbol) {
		d->inst = gn_instruments_max(t) - 1;
		snprintf(d->name, sizeof(d->name), "(none)");
		return gn_instruments_count(t) < gn_instruments_max(t)
		               ? 0
		               : gn_err(0, "every place of the instrument table is taken: say --instrument");
	}
	d->inst = gn_instruments_find(t, gn_symbol_from(symbol, strlen(symbol)));
	snprintf(d->name, sizeof(d->name), "%.8s", symbol);
	return d->inst == GN_INST_NONE ? gn_err(0, "there is no instrument %.40s", symbol) : 0;
}

/* Wait for the mass cancel: the walk over the order table, and the venue's word on every order of the instrument. */
static int drill_watch(struct operator *o, struct drill *d)
{
	uint64_t end_ns = gn_clock_now_ns() + DRILL_NS;
	struct risk_view v;
	int rc;

	do {
		rc = operator_look(o, RISK_INSTRUMENT, d->inst, &v);
		if (rc < 0)
			return rc;
		if (!d->swept_tsc && v.sweep_end_tsc >= d->blocked_tsc)
			d->swept_tsc = v.sweep_end_tsc;
		if (d->swept_tsc && v.owner.n_open == 0)
			d->gone_tsc = v.tsc;
		if (!d->gone_tsc)
			operator_wait(o);
	} while (!d->gone_tsc && gn_clock_now_ns() < end_ns);
	d->open_after = v.owner.n_open;
	d->n_cancels = v.n_cancels - d->n_cancels;
	if (v.owner.cause != RISK_CAUSE_PERSON)
		return gn_err(0, "drill: the switch was thrown and is not on");
	if (!d->swept_tsc)
		return gn_err(0, "drill: the mass cancel did not end in time");
	return d->gone_tsc ? 0
	                   : gn_err(0, "drill: %lld orders of %s are still open", (long long)d->open_after, d->name);
}

static int drill_release(struct operator *o, struct drill *d)
{
	struct risk_command m = {
		.kind = RISK_DO_RELEASE, .level = RISK_INSTRUMENT, .index = d->inst, .text = "drill is over"};
	struct risk_outcome out = {0};
	struct risk_view v;
	int rc = operator_do(o, &m, &out);

	d->released_tsc = out.tsc;
	if (rc == 0)
		rc = operator_look(o, RISK_INSTRUMENT, d->inst, &v);
	return rc == 0 && v.owner.cause != RISK_CAUSE_NONE ? gn_err(0, "drill: the switch is still on") : rc;
}

static int drill_run(struct operator *o, struct drill *d, const struct control_peer *peer)
{
	struct risk_command m = {
		.kind = RISK_DO_KILL, .level = RISK_INSTRUMENT, .index = d->inst, .cause = RISK_CAUSE_PERSON};
	struct risk_outcome out;
	struct risk_view v;
	char trouble[200] = "";
	int rc = operator_look(o, RISK_INSTRUMENT, d->inst, &v);

	if (rc < 0)
		return rc;
	if (v.owner.cause != RISK_CAUSE_NONE)
		return gn_err(0, "the switch of instrument %s is thrown already: no drill on it", d->name);
	d->open_before = v.owner.n_open;
	d->n_cancels = v.n_cancels;
	d->n_orders = v.n_orders;
	snprintf(m.text, sizeof(m.text), "drill by %s", peer->who);
	snprintf(m.note, sizeof(m.note), "by %s: drill on instrument %s", peer->who, d->name);
	d->asked_tsc = gn_tsc();
	rc = operator_do(o, &m, &out);
	if (rc < 0)
		return rc;
	d->blocked_tsc = out.tsc;
	rc = drill_watch(o, d);
	if (rc < 0) /* whatever went wrong, the switch is released again */
		snprintf(trouble, sizeof(trouble), "%s", gn_err_text());
	int released = drill_release(o, d);
	return released < 0 ? released : rc < 0 ? gn_err(0, "%s", trouble) : 0;
}

static double us(uint64_t from_tsc, uint64_t to_tsc)
{
	return to_tsc > from_tsc ? (double)(gn_clock_ns_from_tsc(to_tsc) - gn_clock_ns_from_tsc(from_tsc)) / 1e3 : 0;
}

json_t *operator_drill(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	struct drill d = {0};

	if (drill_target(o, request, &d) < 0 || drill_run(o, &d, peer) < 0)
		return NULL;
	gn_info("%s: drill of the kill switch on instrument %s passed", peer->who, d.name);
	return json_pack("{s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "ok", 1, "mode",
		d.on_wire ? "wire" : "dry", "instrument", d.name, "orders_in_engine", (json_int_t)d.n_orders,
		"open_before", (json_int_t)d.open_before, "open_after", (json_int_t)d.open_after, "cancels",
		(json_int_t)d.n_cancels, "blocked_us", us(d.asked_tsc, d.blocked_tsc), "swept_us",
		us(d.asked_tsc, d.swept_tsc), "gone_us", us(d.asked_tsc, d.gone_tsc), "released_us",
		us(d.asked_tsc, d.released_tsc));
}
