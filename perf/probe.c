/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The strategy of the benchmarks: answers a view with one order at the best bid, immediate or cancel, which never trades.
 * Given a file to write, it keeps from the venue's own clock how long the venue waited: from the message that caused the
 * order to the order's acceptance.
 *
 * params: every_us=N (time between two orders at least; 0: every view), output=FILE
 */
#include <gannet/strategy.h>

#include "dataplane/runtime/histogram.h"
#include "strategy/examples/params.h"

#define ASKED 4096u

struct probe {
	const struct gn_host *host;
	int64_t every_us;
	uint64_t next_ns;
	char path[256];
	struct {
		gn_oid oid;
		uint64_t exch_ns;
	} asked[ASKED];
	struct gn_hist wire;
};

static int probe_init(void *state, const struct gn_host *host, const char *params)
{
	struct probe *p = state;
	struct param_word output = {0};
	struct params_error error;
	const struct param table[] = {
		{.key = "every_us", .number = &p->every_us, .min = 0, .max = 60000000},
		{.key = "output", .word = &output},
		{.key = NULL},
	};

	p->host = host;
	if (!params_parse(params, table, &error)) {
		host->say(host->engine, error.c);
		return 1;
	}
	if (output.bytes >= sizeof(p->path))
		return 1;
	if (output.bytes)
		memcpy(p->path, output.at, output.bytes);
	return 0;
}

static bool probe_waits(struct probe *p)
{
	if (p->every_us == 0)
		return false;
	uint64_t now_ns = p->host->now_ns(p->host->engine);
	if (now_ns < p->next_ns)
		return true;
	p->next_ns = now_ns + (uint64_t)p->every_us * 1000;
	return false;
}

static void probe_on_book(void *state, const struct gn_book_view *view)
{
	struct probe *p = state;
	struct gn_order_req req = {
		.kind = GN_REQ_NEW,
		.side = GN_BUY,
		.tif = GN_TIF_IOC,
		.inst = view->inst,
		.px = view->level[0].bid_px,
		.qty = 100,
	};

	if (req.px.e9 <= 0 || view->flags & (GN_VIEW_STALE | GN_VIEW_HALTED | GN_VIEW_LOCKED | GN_VIEW_CROSSED) || probe_waits(p))
		return;
	gn_oid oid = p->host->send(p->host->engine, &req);
	p->asked[oid % ASKED].oid = oid;
	p->asked[oid % ASKED].exch_ns = view->exch_ns;
}

static void probe_on_exec(void *state, const struct gn_exec *exec)
{
	struct probe *p = state;
	uint64_t asked_ns = p->asked[exec->oid % ASKED].exch_ns;

	if (exec->kind == GN_EXEC_ACCEPTED && p->asked[exec->oid % ASKED].oid == exec->oid && exec->exch_ns >= asked_ns)
		gn_hist_record(&p->wire, exec->exch_ns - asked_ns);
}

static void probe_fini(void *state)
{
	struct probe *p = state;
	FILE *out = p->path[0] ? fopen(p->path, "w") : NULL;

	if (!out)
		return;
	gn_hist_write_hgrm(&p->wire, out);
	fclose(out);
}

GN_STRATEGY(.name = "probe", .state_bytes = sizeof(struct probe), .init = probe_init, .on_book = probe_on_book,
	.on_exec = probe_on_exec, .fini = probe_fini);
