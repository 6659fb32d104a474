/* SPDX-License-Identifier: BSD-3-Clause */
/* The strategy of the benchmarks: answers every view with one order at the price it shows, so that nothing but the way is measured. */
#include <gannet/strategy.h>

struct probe {
	const struct gn_host *host;
};

static int probe_init(void *state, const struct gn_host *host, const char *params)
{
	struct probe *p = state;

	p->host = host;
	return params[0] != 0;
}

static void probe_on_book(void *state, const struct gn_book_view *view)
{
	const struct probe *p = state;
	struct gn_order_req req = {
		.kind = GN_REQ_NEW,
		.side = GN_BUY,
		.tif = GN_TIF_IOC,
		.inst = view->inst,
		.px = view->level[0].ask_px,
		.qty = 100,
	};

	p->host->send(p->host->engine, &req);
}

GN_STRATEGY(.name = "probe", .state_bytes = sizeof(struct probe), .init = probe_init, .on_book = probe_on_book);
