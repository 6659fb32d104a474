/* SPDX-License-Identifier: BSD-3-Clause */
#include "account.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define MS UINT64_C(1000000)
_Static_assert(ACCOUNT_SENT_BYTES <= DIALECT_BYTES_MAX, "it is copied from what was claimed");

static void refuse(struct account *a, const struct gn_order_req *req, enum gn_code code)
{
	struct gn_exec exec = {
		.kind = req->kind == GN_REQ_CANCEL ? GN_EXEC_CANCEL_REJECTED : GN_EXEC_REJECTED,
		.side = req->side,
		.inst = req->inst,
		.oid = req->oid,
		.oid_prev = req->kind == GN_REQ_REPLACE ? req->oid_prev : 0,
		.px = req->px,
		.qty = req->qty,
		.rx_tsc = req->rx_tsc,
		.strategy = req->strategy,
		.tag = req->tag,
		.code = (uint16_t)code,
	};

	a->n.request_refused++;
	a->ops->on_exec(a->arg, &exec);
}

/* Encodes behind the packet's head, where the frame is made. 0, or why nothing was sent. */
static enum gn_code send_request(struct account *a, const struct dialect_request *r, uint64_t now_ns)
{
	uint8_t *packet = a->ops->claim(a->arg, SOUP_HEAD_BYTES + DIALECT_BYTES_MAX);
	uint32_t bytes;

	if (gn_unlikely(!packet))
		return GN_CODE_NO_ROOM;
	bytes = a->dialect->encode(&a->config.dialect_config, r, packet + SOUP_HEAD_BYTES);
	if (gn_unlikely(bytes == 0)) {
		a->ops->commit(a->arg, packet, 0);
		return GN_CODE_FIELD;
	}
	soup_head(packet, SOUP_UNSEQUENCED, bytes);
	/* one length for all: cheaper than the right one, and the room is there */
	memcpy(a->sent, packet + SOUP_HEAD_BYTES, sizeof(a->sent));
	if (gn_unlikely(!a->ops->commit(a->arg, packet, SOUP_HEAD_BYTES + bytes)))
		return GN_CODE_NO_ROOM;
	session_sent(&a->session, now_ns);
	a->n.request_sent++;
	a->ops->on_sent(a->arg, r->req, r->number, a->sent, bytes);
	return 0;
}

static enum gn_code request_new(struct account *a, const struct gn_order_req *req, uint64_t now_ns)
{
	struct dialect_request r = {.req = req, .number = sent_orders_next(&a->orders, req->oid), .symbol = a->ops->symbol(a->arg, req->inst)};
	enum gn_code code;

	if (gn_unlikely(!r.number))
		return GN_CODE_TABLE;
	if (gn_unlikely(sent_orders_first(&a->orders, SENT_LIST_CANCELS)))
		return GN_CODE_NO_ROOM; /* cancels go first */
	code = send_request(a, &r, now_ns);
	if (gn_likely(!code))
		sent_orders_add(&a->orders, r.number, req, 0);
	return code;
}

static enum gn_code request_replace(struct account *a, const struct gn_order_req *req, uint64_t now_ns)
{
	struct dialect_request r = {
		.req = req,
		.number = sent_orders_next(&a->orders, req->oid),
		.number_orig = sent_orders_find(&a->orders, req->oid_prev),
	};
	struct sent_order *order, *orig = sent_orders_get(&a->orders, r.number_orig);
	enum gn_code code;

	if (gn_unlikely(!orig))
		return GN_CODE_UNKNOWN;
	if (gn_unlikely(orig->state == SENT_DEAD))
		return GN_CODE_VOID;
	if (gn_unlikely(!r.number))
		return GN_CODE_TABLE;
	if (gn_unlikely(sent_orders_first(&a->orders, SENT_LIST_CANCELS)))
		return GN_CODE_NO_ROOM;
	code = send_request(a, &r, now_ns);
	if (gn_unlikely(code))
		return code;
	order = sent_orders_add(&a->orders, r.number, req, r.number_orig);
	order->inst = orig->inst;
	order->side = orig->side;
	return 0;
}

/* A cancel is never given up for want of room: it waits, before everything else that wants to go out. */
static void delay_cancel(struct account *a, struct sent_order *order, uint32_t number)
{
	a->n.request_delayed++;
	if (order->flags & SENT_CANCEL_DUE)
		return;
	order->flags |= SENT_CANCEL_DUE;
	sent_orders_push(&a->orders, SENT_LIST_CANCELS, number);
}

static enum gn_code request_cancel(struct account *a, const struct gn_order_req *req, uint64_t now_ns)
{
	struct dialect_request r = {.req = req, .number = sent_orders_find(&a->orders, req->oid)};
	struct sent_order *order = sent_orders_get(&a->orders, r.number);
	enum gn_code code;

	if (gn_unlikely(!order))
		return GN_CODE_UNKNOWN;
	if (gn_unlikely(order->state == SENT_DEAD))
		return GN_CODE_VOID;
	order->cancel_qty = (uint32_t)req->qty;
	code = send_request(a, &r, now_ns);
	if (gn_unlikely(code == GN_CODE_NO_ROOM))
		delay_cancel(a, order, r.number);
	else if (gn_likely(!code))
		order->flags |= SENT_CANCEL_SENT;
	return code == GN_CODE_NO_ROOM ? 0 : code;
}

void account_request(struct account *a, const struct gn_order_req *req, uint64_t now_ns)
{
	enum gn_code code = GN_CODE_FIELD;

	if (gn_unlikely(a->state != ACCOUNT_UP)) {
		refuse(a, req, GN_CODE_SESSION_DOWN);
		return;
	}
	switch (req->kind) {
	case GN_REQ_NEW: code = request_new(a, req, now_ns); break;
	case GN_REQ_REPLACE: code = request_replace(a, req, now_ns); break;
	case GN_REQ_CANCEL: code = request_cancel(a, req, now_ns); break;
	default: break;
	}
	if (gn_unlikely(code))
		refuse(a, req, code);
}

static bool cancel_again(struct account *a, uint32_t number, uint64_t now_ns)
{
	struct sent_order *order = &a->orders.order[number];
	struct gn_order_req req = {
		.kind = GN_REQ_CANCEL,
		.side = order->side,
		.inst = order->inst,
		.oid = order->oid,
		.qty = order->cancel_qty,
		.strategy = gn_oid_strategy(order->oid),
		.tag = order->tag,
	};
	struct dialect_request r = {.req = &req, .number = number};

	if (send_request(a, &r, now_ns) != 0)
		return false;
	order->flags |= SENT_CANCEL_SENT;
	return true;
}

static bool work_cancels(struct account *a, uint64_t now_ns)
{
	uint32_t number = sent_orders_first(&a->orders, SENT_LIST_CANCELS);

	if (gn_likely(!number) || a->state != ACCOUNT_UP)
		return false;
	if (a->orders.order[number].state != SENT_DEAD && !cancel_again(a, number, now_ns))
		return false;
	sent_orders_pop(&a->orders, SENT_LIST_CANCELS);
	a->orders.order[number].flags &= (uint8_t)~SENT_CANCEL_DUE;
	return true;
}

static void report_dead(struct account *a, uint32_t number, enum gn_code code)
{
	const struct sent_order *order = &a->orders.order[number];
	const struct sent_order *orig = sent_orders_get(&a->orders, order->orig);
	struct gn_exec exec = {
		.kind = GN_EXEC_REJECTED,
		.side = order->side,
		.inst = order->inst,
		.oid = order->oid,
		.oid_prev = orig ? orig->oid : 0,
		.strategy = gn_oid_strategy(order->oid),
		.tag = order->tag,
		.code = (uint16_t)code,
	};

	a->ops->on_exec(a->arg, &exec);
}

static bool work_void(struct account *a)
{
	uint32_t number = sent_orders_next_void(&a->orders);

	if (gn_likely(!number))
		return false;
	a->n.order_void++;
	report_dead(a, number, GN_CODE_VOID);
	return true;
}

static void come_up(struct account *a)
{
	a->state = ACCOUNT_UP;
	a->ops->on_up(a->arg, true);
}

static void settle_one(struct account *a, uint32_t number)
{
	struct sent_order *order = &a->orders.order[number];

	if (order->state == SENT_WAITING) {
		sent_orders_die(&a->orders, number);
		a->n.order_lost++;
		report_dead(a, number, GN_CODE_LOST);
	} else if (order->state == SENT_LIVE && (order->flags & SENT_CANCEL_SENT)) {
		a->n.cancel_resent++;
		delay_cancel(a, order, number);
	}
	if (number == a->orders.settled && order->state != SENT_LIVE)
		a->orders.settled++;
}

/* An order from before a restart that the replay did not bring: it never reached the venue. */
static void settle_asked(struct account *a)
{
	const struct account_asked *asked = &a->config.asked[--a->n_asked_left];
	struct gn_exec exec = {
		.kind = GN_EXEC_REJECTED,
		.side = asked->side,
		.inst = asked->inst,
		.oid = asked->oid,
		.oid_prev = asked->oid_prev,
		.strategy = gn_oid_strategy(asked->oid),
		.code = GN_CODE_LOST,
	};

	if (sent_orders_find(&a->orders, asked->oid))
		return;
	a->n.order_lost++;
	a->ops->on_exec(a->arg, &exec);
}

/* After the replay: what has no answer now will never have one. */
static bool work_settle(struct account *a)
{
	if (gn_likely(a->state != ACCOUNT_SETTLING))
		return false;
	if (gn_unlikely(a->n_asked_left)) {
		settle_asked(a);
		return true;
	}
	for (uint32_t n = 0; n < ACCOUNT_SCAN && a->scan < a->orders.next; n++)
		settle_one(a, a->scan++);
	if (a->scan >= a->orders.next)
		come_up(a);
	return true;
}

bool account_work(struct account *a, uint64_t now_ns)
{
	return work_cancels(a, now_ns) || session_drain(&a->session, now_ns) || work_void(a) || work_settle(a);
}

static void begin_settling(struct account *a)
{
	a->state = ACCOUNT_SETTLING;
	a->scan = a->orders.settled;
}

static void ask(struct account *a, uint64_t now_ns)
{
	uint8_t packet[SOUP_HEAD_BYTES + DIALECT_BYTES_MAX];
	uint32_t bytes;

	a->state = ACCOUNT_ASKING;
	a->answered = false;
	a->quiet_ns = now_ns + a->config.replay_quiet_ns;
	a->deadline_ns = now_ns + a->config.query_timeout_ns;
	if (!a->dialect->query)
		return;
	bytes = a->dialect->query(packet + SOUP_HEAD_BYTES);
	soup_head(packet, SOUP_UNSEQUENCED, bytes);
	a->ops->send(a->arg, packet, SOUP_HEAD_BYTES + bytes);
}

/* An answer that was given to an earlier run is in the replay too: it says nothing of where that ends. */
static bool replay_is_over(const struct account *a, uint64_t now_ns)
{
	bool whole = a->session.seq_next >= a->session.seq_end;

	if (a->dialect->query)
		return whole && a->answered;
	return a->session.seq_end ? whole : now_ns >= a->quiet_ns;
}

void account_poll(struct account *a, uint64_t now_ns)
{
	session_poll(&a->session, now_ns);
	if (gn_likely(a->state != ACCOUNT_ASKING))
		return;
	if (replay_is_over(a, now_ns)) {
		begin_settling(a);
	} else if (a->dialect->query && now_ns >= a->deadline_ns) {
		a->n.query_unanswered++;
		session_restart(&a->session, SESSION_WHY_UNANSWERED, now_ns);
	}
}

/* An order of an earlier run: the venue's replay repeats the order id that we gave it. */
static bool learn(struct account *a, const struct venue_report *r)
{
	struct gn_order_req req = {.side = r->side, .oid = r->oid, .qty = r->qty};
	uint32_t next = sent_orders_next(&a->orders, r->oid), number = r->number ? r->number : next;
	uint32_t orig = r->number_orig ? r->number_orig : sent_orders_find(&a->orders, r->oid_orig);

	if (r->exec_kind != GN_EXEC_ACCEPTED && r->exec_kind != GN_EXEC_REPLACED && r->exec_kind != GN_EXEC_REJECTED)
		return false;
	if (a->state != ACCOUNT_ASKING || !r->oid || !next || number < a->orders.next || number > a->orders.max)
		return false;
	if (sent_orders_find(&a->orders, r->oid))
		return false;
	a->n.report_learned++;
	req.inst = a->ops->find(a->arg, r->symbol);
	sent_orders_add(&a->orders, number, &req, sent_orders_get(&a->orders, orig) ? orig : 0);
	return true;
}

static void on_report(struct account *a, const struct venue_report *r, uint64_t seq, uint64_t rx_tsc)
{
	struct gn_exec exec;
	bool known = sent_orders_apply(&a->orders, r, &exec);

	if (gn_unlikely(!known) && learn(a, r))
		known = sent_orders_apply(&a->orders, r, &exec);
	if (gn_likely(known))
		a->n.report_received++;
	else
		a->n.report_unknown++;
	if (gn_unlikely(seq && seq <= a->config.seq_handed)) {
		a->n.report_repeated++;
		return;
	}
	exec.venue_seq = (uint32_t)seq;
	exec.rx_tsc = rx_tsc;
	exec.exch_ns += a->config.midnight_ns;
	if (a->state == ACCOUNT_ASKING)
		exec.flags |= GN_EXEC_F_REPLAY;
	a->ops->on_exec(a->arg, &exec);
}

static void on_message(void *arg, const uint8_t *msg, uint32_t bytes, uint64_t seq, uint64_t rx_tsc)
{
	struct account *a = arg;
	struct venue_report r;

	a->quiet_ns = a->session.rx_ns + a->config.replay_quiet_ns;
	a->deadline_ns = a->session.rx_ns + a->config.query_timeout_ns;
	if (gn_unlikely(!a->dialect->decode(msg, bytes, &r))) {
		a->n.report_bad++;
		return;
	}
	switch (r.kind) {
	case REPORT_EXEC: on_report(a, &r, seq, rx_tsc); break;
	case REPORT_NEXT:
		sent_orders_skip(&a->orders, r.number);
		a->answered = !seq || seq >= a->session.seq_end;
		if (a->state == ACCOUNT_ASKING && replay_is_over(a, a->session.rx_ns))
			begin_settling(a);
		break;
	default: a->n.report_other++;
	}
}

static void on_state(void *arg, enum session_state state, enum session_reason why)
{
	struct account *a = arg;

	if (state == SESSION_ACTIVE) {
		ask(a, a->session.since_ns);
	} else if (a->state != ACCOUNT_DOWN) {
		bool was_up = a->state == ACCOUNT_UP;
		a->state = ACCOUNT_DOWN;
		if (was_up)
			a->ops->on_up(a->arg, false);
	}
	a->ops->on_state(a->arg, state, why);
}

const struct gateway_dialect *gateway_dialect_find(const char *name)
{
	static const struct gateway_dialect *const all[] = {&gateway_ouch50, &gateway_ouch42};

	for (size_t i = 0; i < GN_ARRAY_SIZE(all); i++) {
		if (strcmp(all[i]->name, name) == 0)
			return all[i];
	}
	return NULL;
}

static bool op_connect(void *arg, uint32_t endpoint)
{
	struct account *a = arg;

	return a->ops->connect(a->arg, endpoint);
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	struct account *a = arg;

	return a->ops->send(a->arg, data, bytes);
}

static void op_close(void *arg)
{
	struct account *a = arg;

	a->ops->close(a->arg);
}

static void op_abort(void *arg)
{
	struct account *a = arg;

	a->ops->abort(a->arg);
}

static const struct session_ops session_ops = {
	.connect = op_connect,
	.send = op_send,
	.close = op_close,
	.abort = op_abort,
	.on_message = on_message,
	.on_state = on_state,
};

int account_init(struct account *a, const struct account_config *config, const struct account_ops *ops, void *arg, int node)
{
	int rc;

	a->state = ACCOUNT_DOWN;
	a->config = *config;
	if (!a->config.orders_max)
		a->config.orders_max = UINT32_C(1) << 20;
	if (!a->config.query_timeout_ns)
		a->config.query_timeout_ns = 5000 * MS;
	if (!a->config.replay_quiet_ns)
		a->config.replay_quiet_ns = 1500 * MS;
	a->n_asked_left = config->n_asked;
	a->dialect = config->dialect;
	a->ops = ops;
	a->arg = arg;
	if (!a->dialect)
		return gn_err(EINVAL, "account %s: no protocol", config->session.username);
	rc = session_init(&a->session, &config->session, &session_ops, a);
	if (rc == 0)
		rc = sent_orders_init(&a->orders, a->config.orders_max, node);
	return rc < 0 ? gn_err_in(rc, "account %s", config->session.username) : 0;
}

void account_fini(struct account *a)
{
	sent_orders_fini(&a->orders);
}
