/* SPDX-License-Identifier: BSD-3-Clause */
/* Tokens, queues and cancels of the model. */
#include "risk_model.h"

void model_bucket_grow(struct m_bucket *b)
{
	if (b->max == INT64_MAX)
		return;
	b->level = model_least(b->max, b->level + (int64_t)(desk.now_tsc - b->tsc));
	b->tsc = desk.now_tsc;
}

bool model_bucket_has(struct m_bucket *b, int64_t beside)
{
	model_bucket_grow(b);
	return b->max == INT64_MAX || b->level >= (1 + beside) * TOKEN_TSC;
}

void model_bucket_take(struct m_bucket *b)
{
	model_bucket_grow(b);
	if (b->max != INT64_MAX)
		b->level -= TOKEN_TSC;
}

uint32_t model_n_waiting(unsigned classes)
{
	uint32_t n = 0;

	for (uint32_t a = 0; a < ACCOUNTS; a++)
		for (unsigned class = 0; class < classes; class ++)
			n += model.n_queue[a][class];
	return n;
}

void model_send(const struct m_order *o, uint8_t kind, gn_qty qty)
{
	model.sent[model.n_sent++ % 64] = (struct gn_order_req){.kind = kind, .oid = o->oid, .qty = qty};
	model_bucket_take(&model.venue);
}

void model_enqueue(const struct m_order *o, unsigned class)
{
	uint32_t a = model_account(o->strategy);

	model.queue[a][class][model.n_queue[a][class]++] = o->oid;
}

void model_remove(struct m_order *o)
{
	*o = model.order[--model.n_orders];
}

void model_ask_cancel(struct m_order *o, gn_qty leave)
{
	if (o->state == WAITING) {
		gn_oid parent = o->parent;
		model_remove(o);
		o = model_order(parent);
		if (!o)
			return;
	}
	if (!model.up[o->strategy] || !model.paced)
		return; /* kept until the session is up; without a pace nothing more is to be followed */
	if (model_n_waiting(1) == 0 && model_bucket_has(&model.venue, 0)) {
		model_send(o, GN_REQ_CANCEL, leave);
	} else if (o->cancel_queued) {
		o->cancel_leave = model_least(o->cancel_leave, leave);
	} else {
		o->cancel_queued = true;
		o->cancel_leave = leave;
		model_enqueue(o, RISK_QUEUE_CANCEL);
	}
}

static void pop(uint32_t a, unsigned class)
{
	model.n_queue[a][class]--;
	memmove(model.queue[a][class], model.queue[a][class] + 1, model.n_queue[a][class] * sizeof(gn_oid));
	model.turn++;
}

static bool poll_queue(uint32_t a, unsigned class)
{
	struct m_order *o = model_order(model.queue[a][class][0]);
	bool cancel = class == RISK_QUEUE_CANCEL;

	if (o && (cancel ? o->cancel_queued : o->state == WAITING)) {
		if (!model_bucket_has(&model.venue, cancel ? 0 : desk.config.venue_reserve))
			return false;
		model_send(o,
			cancel      ? GN_REQ_CANCEL
			: o->parent ? GN_REQ_REPLACE
				    : GN_REQ_NEW,
			cancel ? o->cancel_leave : o->total);
		if (cancel)
			o->cancel_queued = false;
		else
			o->state = PENDING;
	}
	pop(a, class);
	return true;
}

bool model_poll(void)
{
	for (unsigned class = 0; class < RISK_QUEUE_COUNT; class ++)
		for (uint32_t i = 0; i < ACCOUNTS; i++) {
			uint32_t a = (model.turn + i) % ACCOUNTS;
			if (model.n_queue[a][class] && poll_queue(a, class))
				return true;
		}
	return false;
}
