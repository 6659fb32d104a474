/* SPDX-License-Identifier: BSD-3-Clause */
#include "match_book.h"

#include <errno.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

static void free_lists(struct match *m)
{
	for (uint32_t i = 0; i < m->config.orders_max; i++) {
		uint32_t next = i + 1 < m->config.orders_max ? i + 1 : MATCH_NONE;

		m->order[i].slot = i;
		m->order[i].next = next;
		m->level[i].next_free = next;
	}
}

int match_book_init(struct match *m)
{
	size_t orders = m->config.orders_max, insts = m->config.n_insts;

	m->order_bytes = orders * sizeof(*m->order);
	m->level_bytes = orders * sizeof(*m->level); /* a level holds an order, so this many are enough */
	m->book_bytes = insts * sizeof(*m->book);
	m->order = gn_mem_alloc(m->order_bytes, GN_NODE_ANY);
	m->level = gn_mem_alloc(m->level_bytes, GN_NODE_ANY);
	m->book = gn_mem_alloc(m->book_bytes, GN_NODE_ANY);
	/* doubling wastes up to one half, arrays left behind while growing as much again; every side may need its first */
	int rc = ladder_arena_init(&m->arena, 4 * orders + 2 * 16 * insts);
	if (rc < 0 || !m->order || !m->level || !m->book)
		return gn_err_in(-ENOMEM, "match: %u orders of %u instruments", m->config.orders_max, m->config.n_insts);
	free_lists(m);
	return 0;
}

void match_book_fini(struct match *m)
{
	gn_mem_free(m->order, m->order_bytes);
	gn_mem_free(m->level, m->level_bytes);
	gn_mem_free(m->book, m->book_bytes);
	ladder_arena_fini(&m->arena);
}

struct match_order *match_order_take(struct match *m, const struct match_ask *ask)
{
	if (m->order_free == MATCH_NONE) {
		m->n.refused_no_room++;
		return NULL;
	}
	struct match_order *o = &m->order[m->order_free];

	m->order_free = o->next;
	o->ref = ++m->refs;
	o->tag = ask->tag;
	o->inst = ask->inst;
	o->px_e4 = ask->px_e4;
	o->qty = ask->qty;
	o->owner = ask->owner;
	o->side = ask->side;
	o->flags = ask->flags & (MATCH_HIDDEN | MATCH_IOC | MATCH_POST_ONLY);
	if (ask->px_e4 == MATCH_PX_MARKET) {
		/* the limit that crosses everything; nobody may see it */
		o->px_e4 = ask->side == GN_BUY ? MATCH_PX_TOP : 0;
		o->flags |= MATCH_MARKET | MATCH_HIDDEN;
	}
	if (++m->n.live > m->n.live_max)
		m->n.live_max = m->n.live;
	return o;
}

void match_order_give(struct match *m, struct match_order *o)
{
	o->ref = 0;
	o->next = m->order_free;
	m->order_free = o->slot;
	m->n.live--;
}

static uint32_t level_take(struct match *m, uint32_t key)
{
	uint32_t i = m->level_free;
	struct match_level *l = &m->level[i];

	m->level_free = l->next_free;
	l->key = key;
	for (uint32_t q = 0; q < MATCH_QUEUES; q++)
		l->queue[q] = (struct match_queue){.head = MATCH_NONE, .tail = MATCH_NONE};
	return i;
}

static void level_give(struct match *m, uint32_t i)
{
	m->level[i].next_free = m->level_free;
	m->level_free = i;
}

static uint32_t level_of(struct match *m, const struct match_order *o)
{
	struct ladder *l = match_ladder(m, o->inst, o->side);
	uint32_t key = ladder_key(o->side, o->px_e4);
	uint32_t i = ladder_find(l, key);

	if (i != LADDER_NONE)
		return i;
	i = level_take(m, key);
	if (ladder_insert(l, &m->arena, key, i))
		return i;
	level_give(m, i);
	m->n.refused_no_room++;
	return MATCH_NONE;
}

bool match_link(struct match *m, struct match_order *o)
{
	o->level = level_of(m, o);
	if (o->level == MATCH_NONE)
		return false;
	struct match_queue *q = match_queue(m, o);

	o->prev = q->tail;
	o->next = MATCH_NONE;
	if (q->tail == MATCH_NONE)
		q->head = o->slot;
	else
		m->order[q->tail].next = o->slot;
	q->tail = o->slot;
	q->qty += o->qty;
	q->n++;
	return true;
}

void match_unlink(struct match *m, struct match_order *o)
{
	struct match_level *l = &m->level[o->level];
	struct match_queue *q = match_queue(m, o);

	if (o->prev == MATCH_NONE)
		q->head = o->next;
	else
		m->order[o->prev].next = o->next;
	if (o->next == MATCH_NONE)
		q->tail = o->prev;
	else
		m->order[o->next].prev = o->prev;
	q->qty -= o->qty;
	q->n--;
	if (l->queue[MATCH_QUEUE_SHOWN].n + l->queue[MATCH_QUEUE_HIDDEN].n == 0) {
		ladder_remove(match_ladder(m, o->inst, o->side), l->key);
		level_give(m, o->level);
	}
}
