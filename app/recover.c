/* SPDX-License-Identifier: BSD-3-Clause */
#include "recover.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"

static bool is_of_risk(const struct journal_record *rec)
{
	return rec->type == JOURNAL_FACT && (rec->msg.kind == GN_JOURNAL_REQUEST || rec->msg.kind == GN_JOURNAL_REPORT ||
		rec->msg.kind == GN_JOURNAL_LIMIT);
}

static gn_inst inst_now(const struct recovery *r, gn_inst before)
{
	return before < r->view.n_symbols ? r->inst[before] : before;
}

static int map_instruments(struct recovery *r, struct gn_instruments *instruments)
{
	r->inst = calloc(r->view.n_symbols + 1, sizeof(*r->inst));
	if (!r->inst)
		return gn_err(ENOMEM, "recovery: %zu instruments", r->view.n_symbols);
	for (size_t i = 0; i < r->view.n_symbols; i++) {
		gn_symbol symbol = r->view.symbol[i];
		r->inst[i] = symbol.word ? gn_instruments_add(instruments, symbol) : GN_INST_NONE;
		if (symbol.word && r->inst[i] == GN_INST_NONE)
			return gn_err(ENOSPC, "recovery: no room for instrument %s: raise the number of instruments",
				gn_symbol_text(symbol).c);
	}
	return 0;
}

static int hand_fact(const struct recovery *r, const struct gn_journal_msg *m,
	int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg)
{
	struct gn_journal_msg now = *m;

	if (m->kind == GN_JOURNAL_REQUEST)
		now.req.inst = inst_now(r, m->req.inst);
	else if (m->kind == GN_JOURNAL_REPORT)
		now.exec.inst = inst_now(r, m->exec.inst);
	return fact(arg, &now);
}

static int hand_facts(const struct recovery *r, const char *path, int (*fact)(void *arg, const struct gn_journal_msg *m),
	void *arg)
{
	const struct journal_record *rec;
	struct journal_reader reader;
	int rc = journal_reader_open(&reader, path, NULL);

	if (rc < 0)
		return rc;
	while ((rc = journal_reader_next(&reader, &rec)) == 1) {
		if (!is_of_risk(rec))
			continue;
		rc = hand_fact(r, &rec->msg, fact, arg);
		if (rc < 0) {
			rc = gn_err_in(rc, "recovery: record %llu of %s", (unsigned long long)rec->seq, path);
			break;
		}
	}
	journal_reader_close(&reader);
	return rc;
}

int recovery_load(struct recovery *r, const char *path, struct gn_instruments *instruments,
	int (*fact)(void *arg, const struct gn_journal_msg *m), void *arg)
{
	int rc;

	*r = (struct recovery){0};
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	rc = journal_view_load(&r->view, path);
	if (rc == 0)
		rc = map_instruments(r, instruments);
	if (rc == 0)
		rc = hand_facts(r, path, fact, arg);
	return rc;
}

static bool is_asked(const struct view_order *o, uint64_t strategies)
{
	uint32_t strategy = gn_oid_strategy(o->oid);

	return o->state == VIEW_ASKED && strategy < GN_STRATEGIES_MAX && (strategies >> strategy & 1);
}

static int find_asked(struct recovery *r, uint32_t index, uint64_t strategies)
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

int recovery_account(struct recovery *r, uint32_t index, uint64_t strategies, struct account_config *account)
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

void recovery_free(struct recovery *r)
{
	journal_view_free(&r->view);
	free(r->inst);
	for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++)
		free(r->asked[i]);
}
