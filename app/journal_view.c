/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"

#define INSTRUMENTS_MAX (1u << 20)
#define SESSIONS_MAX 1024u

/* Makes room for one more element. */
static int grow(void **array, size_t n, size_t *room, size_t bytes)
{
	size_t more = *room ? *room * 2 : 1024;
	void *p;

	if (n < *room)
		return 0;
	p = reallocarray(*array, more, bytes);
	if (!p)
		return gn_err(ENOMEM, "journal: %zu elements", more);
	*array = p;
	*room = more;
	return 0;
}

static int reach(void **array, size_t *n, size_t want, size_t bytes)
{
	void *p;

	if (want <= *n)
		return 0;
	want = gn_pow2_at_least((uint32_t)want);
	p = reallocarray(*array, want, bytes);
	if (!p)
		return gn_err(ENOMEM, "journal: %zu elements", want);
	memset((char *)p + *n * bytes, 0, (want - *n) * bytes);
	*array = p;
	*n = want;
	return 0;
}

static uint32_t *find_slot(const struct journal_view *v, gn_oid oid)
{
	size_t i = (size_t)(oid * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (v->n_slots - 1);

	while (v->slot[i] && v->order[v->slot[i] - 1].oid != oid)
		i = (i + 1) & (v->n_slots - 1);
	return &v->slot[i];
}

static int rehash(struct journal_view *v)
{
	size_t n = v->n_slots ? v->n_slots * 2 : 4096;
	uint32_t *slot;

	if (v->n_orders * 2 < v->n_slots)
		return 0;
	slot = calloc(n, sizeof(*slot));
	if (!slot)
		return gn_err(ENOMEM, "journal: index of %zu orders", v->n_orders);
	free(v->slot);
	v->slot = slot;
	v->n_slots = n;
	for (size_t i = 0; i < v->n_orders; i++)
		*find_slot(v, v->order[i].oid) = (uint32_t)i + 1;
	return 0;
}

static struct view_order *known(const struct journal_view *v, gn_oid oid)
{
	uint32_t at = v->n_slots && oid ? *find_slot(v, oid) : 0;

	return at ? &v->order[at - 1] : NULL;
}

const struct view_order *journal_view_order(const struct journal_view *v, gn_oid oid)
{
	return known(v, oid);
}

/* The order of an id; a new one when there is none. NULL: out of memory. */
static struct view_order *order_of(struct journal_view *v, gn_oid oid)
{
	struct view_order *o = known(v, oid);

	if (o)
		return o;
	if (grow((void **)&v->order, v->n_orders, &v->orders_room, sizeof(*v->order)) < 0 || rehash(v) < 0)
		return NULL;
	*find_slot(v, oid) = (uint32_t)v->n_orders + 1;
	v->order[v->n_orders] = (struct view_order){.oid = oid, .inst = GN_INST_NONE, .session = UINT32_MAX};
	return &v->order[v->n_orders++];
}

static void note_oid(struct journal_view *v, gn_oid oid)
{
	uint32_t strategy = gn_oid_strategy(oid);

	if (strategy < GN_STRATEGIES_MAX && oid > v->oid_strategy[strategy])
		v->oid_strategy[strategy] = oid;
}

static void note_seq(struct journal_view *v, const struct gn_exec *e)
{
	uint32_t strategy = gn_oid_strategy(e->oid);

	if (strategy < GN_STRATEGIES_MAX && e->venue_seq > v->seq_strategy[strategy])
		v->seq_strategy[strategy] = e->venue_seq;
}

static gn_inst view_inst(const struct journal_view *v, gn_inst inst)
{
	return inst < v->n_insts && v->inst[inst] ? v->inst[inst] - 1 : GN_INST_NONE;
}

static int take_request(struct journal_view *v, const struct gn_journal_msg *m)
{
	const struct gn_order_req *req = &m->req;
	struct view_order *o;

	note_oid(v, req->oid);
	if (m->verdict != GN_ACCEPTED || (req->kind != GN_REQ_NEW && req->kind != GN_REQ_REPLACE) || !req->oid)
		return 0;
	o = order_of(v, req->oid);
	if (!o)
		return -ENOMEM;
	o->inst = view_inst(v, req->inst);
	o->side = req->side;
	o->qty = req->qty;
	o->px_e9 = req->px.e9;
	o->oid_prev = req->kind == GN_REQ_REPLACE ? req->oid_prev : 0;
	return 0;
}

static int take_fill(struct journal_view *v, struct view_order *o, const struct gn_exec *e)
{
	if (grow((void **)&v->fill, v->n_fills, &v->fills_room, sizeof(*v->fill)) < 0)
		return -ENOMEM;
	v->fill[v->n_fills++] = (struct view_fill){.oid = e->oid, .match = e->match, .qty = e->qty, .px_e9 = e->px.e9};
	o->filled += e->qty;
	return 0;
}

static void take_broken(struct journal_view *v, const struct gn_exec *e)
{
	for (size_t i = 0; i < v->n_fills; i++) {
		if (v->fill[i].oid == e->oid && v->fill[i].match == e->match)
			v->fill[i].broken = true;
	}
}

static void take_open(struct journal_view *v, struct view_order *o, const struct gn_exec *e)
{
	struct view_order *prev = e->kind == GN_EXEC_REPLACED ? known(v, e->oid_prev) : NULL;

	o->state = VIEW_OPEN;
	o->inst = view_inst(v, e->inst);
	o->side = e->side;
	o->qty = e->qty;
	o->px_e9 = e->px.e9;
	o->canceled = e->flags & GN_EXEC_F_DEAD ? e->qty : 0;
	if (prev)
		prev->canceled = prev->qty - prev->filled;
}

static void take_rejected(struct journal_view *v, struct view_order *o, const struct gn_exec *e)
{
	const struct view_order *prev = known(v, o->oid_prev);

	if (o->state != VIEW_ASKED)
		return;
	o->state = e->code >= GN_CODE_OWN ? VIEW_UNSENT : VIEW_REJECTED;
	if (prev) {
		o->inst = prev->inst;
		o->side = prev->side;
	}
}

static int take_report(struct journal_view *v, const struct gn_exec *e)
{
	struct view_order *o;

	if (e->kind == GN_EXEC_UP || e->kind == GN_EXEC_DOWN || e->kind == GN_EXEC_REFUSED)
		return 0;
	if (!e->oid) {
		v->n_unknown++;
		return 0;
	}
	note_seq(v, e);
	o = order_of(v, e->oid);
	if (!o)
		return -ENOMEM;
	switch (e->kind) {
	case GN_EXEC_ACCEPTED:
	case GN_EXEC_REPLACED: take_open(v, o, e); break;
	case GN_EXEC_FILLED: return take_fill(v, o, e);
	case GN_EXEC_CANCELED: o->canceled += e->qty; break;
	case GN_EXEC_REJECTED: take_rejected(v, o, e); break;
	case GN_EXEC_BROKEN: take_broken(v, e); break;
	default: break;
	}
	return 0;
}

static int take_account(struct journal_view *v, const struct gn_journal_msg *m)
{
	if (m->session >= SESSIONS_MAX || reach((void **)&v->account, &v->n_accounts, m->session + 1u, sizeof(*v->account)) < 0)
		return -ENOMEM;
	memcpy(v->account[m->session], m->text, GN_JOURNAL_TEXT_BYTES);
	v->account[m->session][GN_JOURNAL_TEXT_BYTES - 1] = '\0';
	return 0;
}

static int take_sent(struct journal_view *v, const struct gn_journal_msg *m)
{
	struct view_order *o = order_of(v, m->sent.oid);

	if (!o)
		return -ENOMEM;
	o->session = m->session;
	if (gn_oid_strategy(o->oid) < GN_STRATEGIES_MAX)
		v->session_strategy[gn_oid_strategy(o->oid)] = m->session;
	return 0;
}

/* "active ... session=NAME seq=N", as the gateway says it. */
static void take_session(struct journal_view *v, const struct gn_journal_msg *m)
{
	char text[GN_JOURNAL_TEXT_BYTES + 1] = {0};
	const char *name;

	memcpy(text, m->text, GN_JOURNAL_TEXT_BYTES);
	name = strstr(text, "session=");
	if (m->session < GN_STRATEGIES_MAX && name && strncmp(text, "active", 6) == 0)
		sscanf(name + 8, "%10s", v->session[m->session]);
}

static int take_fact(struct journal_view *v, const struct gn_journal_msg *m)
{
	switch (m->kind) {
	case GN_JOURNAL_REQUEST: return take_request(v, m);
	case GN_JOURNAL_REPORT: return take_report(v, &m->exec);
	case GN_JOURNAL_SENT: return m->sent.oid ? take_sent(v, m) : 0;
	case GN_JOURNAL_ACCOUNT: return take_account(v, m);
	case GN_JOURNAL_SESSION: take_session(v, m); return 0;
	default: return 0;
	}
}

static int take_instrument(struct journal_view *v, const struct journal_record *rec)
{
	gn_inst inst = rec->instrument.inst;
	size_t i = 0;

	if (inst >= INSTRUMENTS_MAX || reach((void **)&v->inst, &v->n_insts, inst + 1u, sizeof(*v->inst)) < 0)
		return gn_err(EBADMSG, "journal: record %llu: instrument %u", (unsigned long long)rec->seq, inst);
	while (i < v->n_symbols && v->symbol[i].word != rec->instrument.symbol.word)
		i++;
	if (i == v->n_symbols) {
		if (grow((void **)&v->symbol, v->n_symbols, &v->symbols_room, sizeof(*v->symbol)) < 0)
			return -ENOMEM;
		v->symbol[v->n_symbols++] = rec->instrument.symbol;
	}
	v->inst[inst] = (uint32_t)i + 1;
	return 0;
}

int journal_view_load(struct journal_view *v, const char *path)
{
	struct journal_reader r;
	const struct journal_record *rec;
	int rc;

	*v = (struct journal_view){0};
	memset(v->session_strategy, 0xff, sizeof(v->session_strategy));
	rc = journal_reader_open(&r, path, NULL);
	if (rc < 0)
		return rc;
	while ((rc = journal_reader_next(&r, &rec)) == 1) {
		v->n_records++;
		if (rec->type == JOURNAL_FACT)
			rc = take_fact(v, &rec->msg);
		else if (rec->type == JOURNAL_INSTRUMENT)
			rc = take_instrument(v, rec);
		if (rc < 0)
			break;
	}
	v->closed = r.closed;
	v->torn = r.torn;
	journal_reader_close(&r);
	return rc < 0 ? rc : 0;
}

void journal_view_free(struct journal_view *v)
{
	free(v->order);
	free(v->slot);
	free(v->fill);
	free(v->symbol);
	free(v->inst);
	free(v->account);
}

/* Printing: base 36 with leading zeros sorts by bytes as the number does. */

static int by_oid(const void *a, const void *b)
{
	const struct view_order *x = a, *y = b;

	return (x->oid > y->oid) - (x->oid < y->oid);
}

static int by_fill(const void *a, const void *b)
{
	const struct view_fill *x = a, *y = b;

	if (x->oid != y->oid)
		return x->oid > y->oid ? 1 : -1;
	return (x->match > y->match) - (x->match < y->match);
}

static const char *symbol_of(const struct journal_view *v, gn_inst inst, struct gn_symbol_text *text)
{
	*text = gn_symbol_text(inst < v->n_symbols ? v->symbol[inst] : (gn_symbol){.c = "?"});
	return text->c;
}

static const char *state_of(const struct view_order *o)
{
	if (o->state == VIEW_REJECTED)
		return "rejected";
	if (o->filled + o->canceled < o->qty)
		return "live";
	return o->filled == o->qty ? "filled" : "canceled";
}

static void print_order(const struct journal_view *v, const struct view_order *o, FILE *to)
{
	struct ouch50_clordid id = ouch50_clordid_from_oid(o->oid);
	struct gn_symbol_text symbol;

	fprintf(to, "order,%.14s,%s,%c,%ld,%ld,%ld,%ld,%s\n", id.c, symbol_of(v, o->inst, &symbol), o->side == GN_BUY ? 'B' : 'S',
		o->qty, o->px_e9, o->filled, o->canceled, state_of(o));
}

static void print_fills(const struct journal_view *v, const struct view_fill *fill, FILE *to)
{
	for (size_t i = 0; i < v->n_fills; i++) {
		struct ouch50_clordid id = ouch50_clordid_from_oid(fill[i].oid);
		fprintf(to, "fill,%.14s,%lu,%ld,%ld\n", id.c, fill[i].match, fill[i].qty, fill[i].px_e9);
	}
	for (size_t i = 0; i < v->n_fills; i++) {
		struct ouch50_clordid id = ouch50_clordid_from_oid(fill[i].oid);
		if (fill[i].broken)
			fprintf(to, "broken,%.14s,%lu\n", id.c, fill[i].match);
	}
}

struct view_position {
	const char *account;
	struct gn_symbol_text symbol;
	int64_t qty;
};

static int by_position(const void *a, const void *b)
{
	const struct view_position *x = a, *y = b;
	int rc = strcmp(x->account, y->account);

	return rc ? rc : strcmp(x->symbol.c, y->symbol.c);
}

/* What was sent just before a crash is known from the venue alone; its strategy has no other way there. */
static uint32_t session_of(const struct journal_view *v, const struct view_order *o)
{
	uint32_t strategy = gn_oid_strategy(o->oid);

	return o->session == UINT32_MAX && strategy < GN_STRATEGIES_MAX ? v->session_strategy[strategy] : o->session;
}

static struct view_position position_of(const struct journal_view *v, const struct view_fill *f)
{
	const struct view_order *o = known(v, f->oid);
	uint32_t session = session_of(v, o);
	struct view_position p = {.account = session < v->n_accounts ? v->account[session] : "?"};

	symbol_of(v, o->inst, &p.symbol);
	if (!f->broken)
		p.qty = o->side == GN_BUY ? f->qty : -f->qty;
	return p;
}

static int print_positions(const struct journal_view *v, FILE *to)
{
	struct view_position *p = calloc(v->n_fills + 1, sizeof(*p));

	if (!p)
		return gn_err(ENOMEM, "journal: positions of %zu fills", v->n_fills);
	for (size_t i = 0; i < v->n_fills; i++)
		p[i] = position_of(v, &v->fill[i]);
	qsort(p, v->n_fills, sizeof(*p), by_position);
	for (size_t i = 0; i < v->n_fills; i++) {
		if (i + 1 < v->n_fills && by_position(&p[i], &p[i + 1]) == 0)
			p[i + 1].qty += p[i].qty;
		else
			fprintf(to, "position,%s,%s,%ld\n", p[i].account, p[i].symbol.c, p[i].qty);
	}
	free(p);
	return 0;
}

int journal_view_print(const struct journal_view *v, FILE *to)
{
	struct view_order *order = calloc(v->n_orders + 1, sizeof(*order));
	struct view_fill *fill = calloc(v->n_fills + 1, sizeof(*fill));
	int rc = order && fill ? 0 : gn_err(ENOMEM, "journal: sort %zu orders", v->n_orders);

	if (rc == 0) {
		if (v->n_orders)
			memcpy(order, v->order, v->n_orders * sizeof(*order));
		if (v->n_fills)
			memcpy(fill, v->fill, v->n_fills * sizeof(*fill));
		qsort(order, v->n_orders, sizeof(*order), by_oid);
		qsort(fill, v->n_fills, sizeof(*fill), by_fill);
		for (size_t i = 0; i < v->n_orders; i++) {
			if (order[i].state == VIEW_OPEN || order[i].state == VIEW_REJECTED)
				print_order(v, &order[i], to);
		}
		print_fills(v, fill, to);
		rc = print_positions(v, to);
	}
	free(order);
	free(fill);
	return rc;
}
