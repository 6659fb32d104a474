/* SPDX-License-Identifier: BSD-3-Clause */
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void tell_strategy(struct risk *r, const struct gn_exec *exec, uint64_t now_tsc)
{
	if (gn_likely(r->io.strategy(r->io.arg, exec->strategy, exec)))
		return;
	r->n.strategy_full++;
	/* it cannot know what it holds any more: cut it off */
	risk_kill(r, RISK_STRATEGY, exec->strategy, RISK_CAUSE_SLOW, "reports not taken", now_tsc);
}

void tell_journal_request(struct risk *r, const struct gn_order_req *q, enum gn_verdict v, uint64_t now_tsc)
{
	struct gn_journal_msg m;

	m.kind = GN_JOURNAL_REQUEST;
	m.verdict = (uint16_t)v;
	m.session = 0;
	m.tsc = now_tsc;
	m.req = *q;
	memset((char *)&m + offsetof(struct gn_journal_msg, req) + sizeof(m.req), 0,
		sizeof(m) - offsetof(struct gn_journal_msg, req) - sizeof(m.req));
	r->io.journal(r->io.arg, &m);
}

void tell_refused(struct risk *r, const struct gn_order_req *q, enum gn_verdict v, uint64_t now_tsc)
{
	if (q->strategy >= r->n_strategies)
		return;
	struct gn_exec exec = {
		.kind = GN_EXEC_REFUSED,
		.side = q->side,
		.reason = (uint8_t)v,
		.inst = q->inst,
		.oid = q->oid,
		.oid_prev = q->oid_prev,
		.px = q->px,
		.qty = q->qty,
		.position = q->inst < r->n_insts ? risk_ledger(r, q->inst, q->strategy)->pos.qty : 0,
		.rx_tsc = q->rx_tsc,
		.strategy = q->strategy,
		.tag = q->tag,
	};
	tell_strategy(r, &exec, now_tsc);
}

static void tell_journal_report(struct risk *r, const struct gn_exec *exec, uint64_t now_tsc)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REPORT, .tsc = now_tsc, .exec = *exec};

	tell_journal(r, &m);
}

void tell_report(struct risk *r, const struct gn_exec *exec, const struct order *o, uint64_t now_tsc)
{
	struct gn_exec e = *exec;

	if (!o) {
		tell_journal_report(r, &e, now_tsc);
		return;
	}
	e.inst = o->req.inst;
	e.side = o->req.side;
	e.strategy = o->req.strategy;
	e.tag = o->req.tag;
	e.leaves = o->leaves;
	e.position = risk_ledger(r, e.inst, e.strategy)->pos.qty;
	tell_journal_report(r, &e, now_tsc);
	tell_strategy(r, &e, now_tsc);
}

void tell_withdrawn(struct risk *r, const struct order *o, uint8_t kind, uint8_t reason, uint64_t now_tsc)
{
	struct gn_exec e = {
		.kind = kind,
		.reason = reason,
		.oid = o->req.oid,
		.oid_prev = o->req.oid_prev,
		.px = o->req.px,
		.qty = o->leaves,
		.rx_tsc = o->req.rx_tsc,
	};
	struct order done = *o;

	done.leaves = 0;
	tell_report(r, &e, &done, now_tsc);
}

void tell_session(struct risk *r, const struct gn_exec *exec, uint64_t now_tsc)
{
	struct gn_exec e = *exec;

	tell_journal_report(r, &e, now_tsc);
	for (e.strategy = 0; e.strategy < r->n_strategies; e.strategy++)
		if (e.match >> e.strategy & 1)
			tell_strategy(r, &e, now_tsc);
}

void tell_change(struct risk *r, uint64_t now_tsc, const char *fmt, ...)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_LIMIT, .tsc = now_tsc};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m.text, sizeof(m.text), fmt, ap);
	va_end(ap);
	tell_journal(r, &m);
}
