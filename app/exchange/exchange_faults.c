/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_core.h"

#define NS_PER_MS UINT64_C(1000000)
#define BREAK_AFTER_NS (10 * NS_PER_MS)

static uint64_t next_ns(struct exchange *x, uint32_t every_ms)
{
	return every_ms ? x->now_ns + rng_wait(&x->fault.rng, every_ms * NS_PER_MS) : UINT64_MAX;
}

void exchange_faults_start(struct exchange *x)
{
	x->fault.disconnect_ns = next_ns(x, x->config.faults.disconnect_every_ms);
	x->fault.halt_ns = next_ns(x, x->config.faults.halt_every_ms);
}

/* some order session loses its connection */
static void disconnect(struct exchange *x)
{
	uint32_t up = 0, pick;

	x->fault.disconnect_ns = next_ns(x, x->config.faults.disconnect_every_ms);
	if (!x->sessions)
		return;
	pick = rng_below(&x->fault.rng, x->sessions);
	for (uint32_t i = 0; i < x->orders.n_accounts; i++) {
		uint32_t number = x->account_conn[i];

		if (number == EXCHANGE_CONN_NONE || up++ != pick)
			continue;
		struct soup_server *s = &x->service[number / EXCHANGE_CONNS_MAX];

		s->n.closed_fault++;
		x->fault.n.disconnects++;
		soup_server_close(s, number % EXCHANGE_CONNS_MAX);
		return;
	}
}

static void halt(struct exchange *x)
{
	struct exchange_fault_state *f = &x->fault;
	gn_inst inst = rng_below(&f->rng, x->n_symbols);

	f->halt_ns = next_ns(x, x->config.faults.halt_every_ms);
	if (f->n_halts == EXCHANGE_HALTS_MAX || match_state(x->match, inst) != MATCH_TRADING)
		return;
	f->halt[f->n_halts++] = (struct exchange_halt){
		.due_ns = x->now_ns + x->config.faults.halt_for_ms * NS_PER_MS, .inst = inst};
	f->n.halts++;
	exchange_state_set(x, inst, MATCH_HALTED, "T1  ");
}

/* all halts are of one length, so the first to begin is the first to end */
static void resume(struct exchange *x)
{
	struct exchange_fault_state *f = &x->fault;
	gn_inst inst = f->halt[0].inst;

	f->n_halts--;
	memmove(f->halt, f->halt + 1, f->n_halts * sizeof(f->halt[0]));
	f->n.resumes++;
	exchange_state_set(x, inst, MATCH_TRADING, "T3  ");
}

static void break_trade(struct exchange *x)
{
	struct exchange_break *b = &x->fault.pending[x->fault.break_head++ % EXCHANGE_BREAKS_MAX];

	x->fault.n.breaks++;
	exchange_publish(x, b->inst, &(struct gn_md){.kind = GN_MD_BROKEN, .order = {.aux2 = b->match}});
	order_port_break(&x->orders, b->match, 'E');
}

void exchange_faults_traded(struct exchange *x, const struct match_trade *t)
{
	struct exchange_fault_state *f = &x->fault;

	if (f->break_tail - f->break_head == EXCHANGE_BREAKS_MAX || !rng_hit(&f->rng, x->config.faults.break_ppm))
		return;
	f->pending[f->break_tail++ % EXCHANGE_BREAKS_MAX] = (struct exchange_break){
		.due_ns = x->now_ns + BREAK_AFTER_NS, .match = t->match, .inst = t->maker->inst};
}

bool exchange_faults_work(struct exchange *x)
{
	struct exchange_fault_state *f = &x->fault;

	if (x->now_ns >= f->disconnect_ns)
		disconnect(x);
	else if (f->n_halts && x->now_ns >= f->halt[0].due_ns)
		resume(x);
	else if (x->now_ns >= f->halt_ns)
		halt(x);
	else if (f->break_head != f->break_tail && x->now_ns >= f->pending[f->break_head % EXCHANGE_BREAKS_MAX].due_ns)
		break_trade(x);
	else
		return false;
	return true;
}
