/* SPDX-License-Identifier: BSD-3-Clause */
#include "orders.h"

#include <errno.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define SENT_MAX (UINT32_C(1) << 28)

static size_t table_bytes(uint32_t max)
{
	return ((size_t)max + 1) * sizeof(struct sent_order);
}

int sent_orders_init(struct sent_orders *o, uint32_t max, int node)
{
	int rc;

	*o = (struct sent_orders){.max = max, .next = 1, .settled = 1};
	if (max == 0 || max > SENT_MAX)
		return gn_err(EINVAL, "gateway: table for %u orders, wanted 1 to %u", max, SENT_MAX);
	rc = oid_map_init(&o->ids, max, node);
	if (rc < 0)
		return rc;
	o->order = gn_mem_alloc(table_bytes(max), node);
	if (o->order)
		return 0;
	sent_orders_fini(o);
	return gn_err_in(-ENOMEM, "gateway: table for %u orders", max);
}

void sent_orders_fini(struct sent_orders *o)
{
	gn_mem_free(o->order, o->order ? table_bytes(o->max) : 0);
	oid_map_fini(&o->ids);
	o->order = NULL;
}

struct sent_order *sent_orders_add(struct sent_orders *o, uint32_t number, const struct gn_order_req *req, uint32_t orig)
{
	struct sent_order *order = &o->order[number];

	*order = (struct sent_order){
		.oid = req->oid,
		.inst = req->inst,
		.tag = req->tag,
		.leaves = (uint32_t)req->qty,
		.orig = orig,
		.side = req->side,
		.state = SENT_WAITING,
	};
	if (orig) {
		order->sibling = o->order[orig].child;
		o->order[orig].child = number;
	}
	oid_map_set(&o->ids, req->oid, number);
	if (number >= o->next)
		o->next = number + 1;
	return order;
}

void sent_orders_skip(struct sent_orders *o, uint32_t next)
{
	if (next > o->max) /* no number of ours is left: every new order is refused */
		next = o->max + 1;
	if (next > o->next)
		o->next = next;
}

void sent_orders_push(struct sent_orders *o, enum sent_list_kind kind, uint32_t number)
{
	struct sent_list *list = &o->list[kind];

	o->order[number].next[kind] = 0;
	if (list->tail)
		o->order[list->tail].next[kind] = number;
	else
		list->head = number;
	list->tail = number;
}

uint32_t sent_orders_pop(struct sent_orders *o, enum sent_list_kind kind)
{
	struct sent_list *list = &o->list[kind];
	uint32_t number = list->head;

	if (!number)
		return 0;
	list->head = o->order[number].next[kind];
	if (!list->head)
		list->tail = 0;
	return number;
}

/* Once an order is dead the venue ignores, without a word, whatever would have replaced it. */
void sent_orders_die(struct sent_orders *o, uint32_t number)
{
	struct sent_order *order = &o->order[number];

	order->state = SENT_DEAD;
	order->leaves = 0;
	order->flags &= (uint8_t)~SENT_CANCEL_SENT;
	if (order->child && !(order->flags & SENT_ORPHANS)) {
		order->flags |= SENT_ORPHANS;
		sent_orders_push(o, SENT_LIST_ORPHANS, number);
	}
}

uint32_t sent_orders_next_void(struct sent_orders *o)
{
	uint32_t dead;

	while ((dead = sent_orders_first(o, SENT_LIST_ORPHANS)) != 0) {
		struct sent_order *order = &o->order[dead];
		uint32_t child = order->child;
		if (!child) {
			sent_orders_pop(o, SENT_LIST_ORPHANS);
			order->flags &= (uint8_t)~SENT_ORPHANS;
			continue;
		}
		order->child = o->order[child].sibling;
		if (o->order[child].state == SENT_WAITING) {
			sent_orders_die(o, child);
			return child;
		}
	}
	return 0;
}

static uint32_t number_of(struct sent_orders *o, const struct venue_report *r)
{
	uint32_t number = r->number ? r->number : sent_orders_find(o, r->oid);
	const struct sent_order *order = sent_orders_get(o, number);

	if (!order || (r->oid && r->oid != order->oid))
		return 0;
	return number;
}

static void take_off(struct sent_orders *o, uint32_t number, gn_qty qty)
{
	struct sent_order *order = &o->order[number];

	order->leaves = qty < (gn_qty)order->leaves ? order->leaves - (uint32_t)qty : 0;
	if (order->leaves == 0)
		sent_orders_die(o, number);
}

static void go_live(struct sent_orders *o, uint32_t number, const struct venue_report *r)
{
	struct sent_order *order = &o->order[number];

	order->state = SENT_LIVE;
	order->leaves = (uint32_t)r->qty;
	if (r->side)
		order->side = r->side;
	if (r->dead || r->qty == 0)
		sent_orders_die(o, number);
}

static void replace(struct sent_orders *o, uint32_t number, const struct venue_report *r, struct gn_exec *exec)
{
	uint32_t orig = r->number_orig ? r->number_orig : sent_orders_find(o, r->oid_orig);
	const struct sent_order *before = sent_orders_get(o, orig);

	go_live(o, number, r);
	if (!before)
		return;
	exec->oid_prev = before->oid;
	sent_orders_die(o, orig);
}

static void apply(struct sent_orders *o, uint32_t number, const struct venue_report *r, struct gn_exec *exec)
{
	struct sent_order *order = &o->order[number];

	switch (r->exec_kind) {
	case GN_EXEC_ACCEPTED: go_live(o, number, r); break;
	case GN_EXEC_REPLACED: replace(o, number, r, exec); break;
	case GN_EXEC_CANCELED:
		order->flags &= (uint8_t)~SENT_CANCEL_SENT;
		take_off(o, number, r->qty);
		break;
	case GN_EXEC_FILLED: take_off(o, number, r->qty); break;
	case GN_EXEC_REJECTED: sent_orders_die(o, number); break;
	case GN_EXEC_CANCEL_REJECTED: order->flags &= (uint8_t)~SENT_CANCEL_SENT; break;
	case GN_EXEC_RESTATED:
		if (r->reason == 'M' && order->state == SENT_LIVE)
			take_off(o, number, (gn_qty)order->leaves - r->qty);
		break;
	default: break;
	}
}

bool sent_orders_apply(struct sent_orders *o, const struct venue_report *r, struct gn_exec *exec)
{
	uint32_t number = number_of(o, r);

	*exec = (struct gn_exec){
		.kind = r->exec_kind,
		.side = r->side,
		.reason = r->reason,
		.liquidity = r->liquidity,
		.inst = GN_INST_NONE,
		.px = r->px,
		.qty = r->qty,
		.exch_ns = r->venue_ns,
		.match = r->match,
		.code = r->code,
		.flags = (uint16_t)(r->flags | (r->dead ? GN_EXEC_F_DEAD : 0)),
	};
	if (!number)
		return false;
	apply(o, number, r, exec);
	exec->oid = o->order[number].oid;
	exec->inst = o->order[number].inst;
	exec->tag = o->order[number].tag;
	exec->side = o->order[number].side;
	exec->strategy = gn_oid_strategy(exec->oid);
	return true;
}
