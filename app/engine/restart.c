/* SPDX-License-Identifier: BSD-3-Clause */
#include "restart.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/log.h"
#include "pinning/clock.h"
#include "risk/replay.h"

#define FRESH_OID_SHIFT 16 /* an id every 65 us: more than a strategy can use up on average */

int restart_load(struct restart *r, const char *path, enum recovery_mode mode, struct parts *p,
	struct gn_instruments *instruments)
{
	int rc = recover_load(&r->recovery, path, instruments);

	r->mode = mode;
	for (uint32_t i = 0; rc == 0 && i < p->gateway.n_accounts; i++)
		rc = recover_account(&r->recovery, i, p->account[i].strategies, &p->account[i].account);
	return rc;
}

void restart_oids(const struct restart *r, struct parts *p)
{
	/* above those of any earlier run of this day, which the venue remembers even when its journal is gone */
	uint64_t fresh = gn_clock_now_ns() >> FRESH_OID_SHIFT;

	for (uint32_t i = 0; i < p->shape.n_strategies; i++) {
		uint64_t known = recover_oid_count(&r->recovery, i);
		p->strategy[i].oid_count = known > fresh ? known : fresh;
	}
}

static int replay(void *arg, const struct gn_journal_msg *m)
{
	return risk_replay(arg, m);
}

/* Two ways through the journal must come to the same position, or one of them is wrong. */
static int check_position(struct risk *risk, const struct recover_position *p)
{
	gn_qty qty = 0;

	if (p->strategy < risk->n_strategies && p->inst < risk->n_insts)
		qty = risk_ledger(risk, p->inst, p->strategy)->pos.qty;
	if (qty == p->qty)
		return 0;
	return gn_err(EPROTO, "restart: strategy %u, instrument %u: the journal's fills make %lld, risk has %lld", p->strategy,
		p->inst, (long long)p->qty, (long long)qty);
}

static int check_positions(const struct recover *r, struct risk *risk)
{
	struct recover_position *p = NULL;
	ssize_t n = recover_positions(r, &p);
	int rc = n < 0 ? (int)n : 0;

	for (ssize_t i = 0; rc == 0 && i < n; i++)
		rc = check_position(risk, &p[i]);
	free(p);
	return rc;
}

/* A person's switch stays thrown over a restart; that of a clean stop was there to end the day in order. */
static void release_clean_stop(struct risk *risk)
{
	const struct kill_switch *s = kill_at(&risk->kill, RISK_ENGINE, 0);

	if (s->cause == RISK_CAUSE_PERSON && strcmp(s->reason, RESTART_CLEAN_STOP) == 0)
		risk_release(risk, RISK_ENGINE, 0, "start after a clean stop", gn_tsc());
}

static void say(const struct restart *r, const struct risk *risk)
{
	gn_info("restart: %llu records: %u orders open or under way, %u positions, %u kill switches on; open orders are %s",
		(unsigned long long)r->recovery.view.n_records, orders_open(&risk->orders), risk->n_held, risk->kill.n_on,
		r->mode == RECOVERY_KEEP ? "kept" : "cancelled");
}

int restart_apply(const struct restart *r, struct risk *risk)
{
	int rc;

	if (!r->recovery.view.n_records)
		return 0;
	risk_replay_begin(risk);
	rc = recover_facts(&r->recovery, replay, risk);
	risk_replay_end(risk);
	if (rc == 0)
		rc = check_positions(&r->recovery, risk);
	if (rc < 0)
		return gn_err_in(rc, "restart from %s", r->recovery.path);
	release_clean_stop(risk);
	say(r, risk);
	if (r->mode == RECOVERY_CANCEL)
		risk_replay_cancel(risk);
	risk_replay_tell(risk);
	return 0;
}

void restart_free(struct restart *r)
{
	recover_free(&r->recovery);
}
