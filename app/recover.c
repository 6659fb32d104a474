/* SPDX-License-Identifier: BSD-3-Clause */
#include "recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define OID_GAP (UINT64_C(1) << 20) /* more than the journal's rings and buffer can hold */

static bool is_of_risk(const struct journal_record *rec)
{
	return rec->type == JOURNAL_FACT && (rec->msg.kind == GN_JOURNAL_REQUEST || rec->msg.kind == GN_JOURNAL_REPORT ||
		rec->msg.kind == GN_JOURNAL_LIMIT);
}

/* The journal's number of an instrument holds until it is defined anew: each run numbers as the feed brings them. */
struct numbering {
	struct gn_instruments *instruments;
	gn_inst *now;
	size_t n;
};

static int number(struct numbering *k, const struct journal_record *rec)
{
	gn_inst inst = rec->instrument.inst;

	if (inst >= k->n) {
		size_t n = gn_pow2_at_least(inst + 1);
		gn_inst *more = reallocarray(k->now, n, sizeof(*more));
		if (!more)
			return gn_err(ENOMEM, "recovery: %zu instruments", n);
		for (size_t i = k->n; i < n; i++)
			more[i] = GN_INST_NONE;
		k->now = more;
		k->n = n;
	}
	k->now[inst] = gn_instruments_find(k->instruments, rec->instrument.symbol);
	return 0;
}

static gn_inst numbered(const struct numbering *k, gn_inst before)
{
	return before < k->n ? k->now[before] : before;
}

static int hand_fact(const struct numbering *k, const struct gn_journal_msg *m,
	int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg)
{
	struct gn_journal_msg now = *m;

	if (m->kind == GN_JOURNAL_REQUEST)
		now.req.inst = numbered(k, m->req.inst);
	else if (m->kind == GN_JOURNAL_REPORT)
		now.exec.inst = numbered(k, m->exec.inst);
	return fact(arg, &now);
}

static int hand_record(struct numbering *k, const struct journal_record *rec,
	int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg)
{
	if (rec->type == JOURNAL_INSTRUMENT)
		return number(k, rec);
	return is_of_risk(rec) ? hand_fact(k, &rec->msg, fact, arg) : 0;
}

int recover_facts(const struct recover *r, int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg)
{
	struct numbering k = {.instruments = r->instruments};
	const struct journal_record *rec;
	struct journal_reader reader;
	int rc = r->view.n_records ? journal_reader_open(&reader, r->path, NULL) : 0;

	if (rc < 0 || !r->view.n_records)
		return rc;
	while ((rc = journal_reader_next(&reader, &rec)) == 1) {
		rc = hand_record(&k, rec, fact, arg);
		if (rc < 0) {
			rc = gn_err_in(rc, "recovery: record %llu of %s", (unsigned long long)rec->seq, r->path);
			break;
		}
	}
	journal_reader_close(&reader);
	free(k.now);
	return rc;
}

static int map_symbols(struct recover *r)
{
	r->inst = calloc(r->view.n_symbols + 1, sizeof(*r->inst));
	if (!r->inst)
		return gn_err(ENOMEM, "recovery: %zu instruments", r->view.n_symbols);
	for (size_t i = 0; i < r->view.n_symbols; i++) {
		r->inst[i] = gn_instruments_add(r->instruments, r->view.symbol[i]);
		if (r->inst[i] == GN_INST_NONE)
			return gn_err(ENOSPC, "recovery: no room for instrument %s: raise the number of instruments",
				gn_symbol_text(r->view.symbol[i]).c);
	}
	return 0;
}

int recover_load(struct recover *r, const char *path, struct gn_instruments *instruments)
{
	int rc;

	*r = (struct recover){.path = path, .instruments = instruments};
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	rc = journal_view_load(&r->view, path);
	return rc == 0 ? map_symbols(r) : rc;
}

static gn_inst inst_now(const struct recover *r, gn_inst in_view)
{
	return in_view < r->view.n_symbols ? r->inst[in_view] : GN_INST_NONE;
}

static bool is_asked(const struct view_order *o, uint64_t strategies)
{
	uint32_t strategy = gn_oid_strategy(o->oid);

	return o->state == VIEW_ASKED && strategy < GN_STRATEGIES_MAX && (strategies >> strategy & 1);
}

static int find_asked(struct recover *r, uint32_t index, uint64_t strategies)
{
	size_t n = 0;

	for (size_t i = 0; i < r->view.n_orders; i++)
		n += is_asked(&r->view.order[i], strategies);
	r->asked[index] = calloc(n + 1, sizeof(*r->asked[index]));
	if (!r->asked[index])
		return gn_err(ENOMEM, "recovery: %zu orders under way", n);
	for (size_t i = 0; i < r->view.n_orders; i++) {
		const struct view_order *o = &r->view.order[i];
		if (is_asked(o, strategies))
			r->asked[index][r->n_asked[index]++] =
				(struct account_asked){.oid = o->oid, .oid_prev = o->oid_prev, .inst = inst_now(r, o->inst),
					.side = o->side};
	}
	return 0;
}

int recover_account(struct recover *r, uint32_t index, uint64_t strategies, struct account_config *account)
{
	int rc;

	if (index >= GN_STRATEGIES_MAX || r->asked[index])
		return gn_err(EINVAL, "recovery: account %u", index);
	rc = find_asked(r, index, strategies);
	if (rc < 0)
		return rc;
	account->asked = r->asked[index];
	account->n_asked = r->n_asked[index];
	for (uint32_t s = 0; s < GN_STRATEGIES_MAX; s++) {
		if ((strategies >> s & 1) && r->view.seq_strategy[s] > account->seq_handed)
			account->seq_handed = r->view.seq_strategy[s];
	}
	if (r->view.session[index][0] && account->seq_handed)
		memcpy(account->session.session, r->view.session[index], sizeof(account->session.session));
	return 0;
}

uint64_t recover_oid_count(const struct recover *r, uint32_t strategy)
{
	return r->view.n_records ? gn_oid_count(r->view.oid_strategy[strategy]) + OID_GAP : 0;
}

static int by_cell(const void *a, const void *b)
{
	const struct recover_position *x = a, *y = b;

	if (x->strategy != y->strategy)
		return x->strategy > y->strategy ? 1 : -1;
	return (x->inst > y->inst) - (x->inst < y->inst);
}

static struct recover_position position_of(const struct recover *r, const struct view_fill *f)
{
	const struct view_order *o = journal_view_order(&r->view, f->oid);
	gn_qty qty = f->broken ? 0 : f->qty;

	return (struct recover_position){gn_oid_strategy(f->oid), inst_now(r, o->inst), o->side == GN_BUY ? qty : -qty};
}

ssize_t recover_positions(const struct recover *r, struct recover_position **out)
{
	const struct journal_view *v = &r->view;
	struct recover_position *p = calloc(v->n_fills + 1, sizeof(*p));
	size_t n = 0;

	if (!p)
		return gn_err(ENOMEM, "recovery: positions of %zu fills", v->n_fills);
	for (size_t i = 0; i < v->n_fills; i++)
		p[i] = position_of(r, &v->fill[i]);
	qsort(p, v->n_fills, sizeof(*p), by_cell);
	for (size_t i = 0; i < v->n_fills; i++) {
		if (n && by_cell(&p[n - 1], &p[i]) == 0)
			p[n - 1].qty += p[i].qty;
		else
			p[n++] = p[i];
	}
	*out = p;
	return (ssize_t)n;
}

void recover_free(struct recover *r)
{
	journal_view_free(&r->view);
	free(r->inst);
	for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
		free(r->asked[i]);
}
