/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_core.h"

#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"

#define SNAPSHOT_BYTES_PER_MSG 64u /* more than any message of it needs, with its share of the store's index */

struct spin {
	const struct exchange *x;
	struct store *store;
};

static void put(const struct spin *s, gn_inst inst, struct gn_md *md)
{
	uint8_t msg[ITCH50_BYTES_MAX];

	md->exch_ns = s->x->now_ns - s->x->midnight_ns;
	store_put(s->store, msg, itch50_encode(md, (uint16_t)(inst + 1), 0, s->x->symbol[inst], msg));
}

static bool put_order(void *arg, const struct match_order *o)
{
	struct gn_md md = exchange_add(o);

	if (!(o->flags & MATCH_HIDDEN))
		put(arg, o->inst, &md);
	return true;
}

/* instruments that the live stream has announced; the others come with it */
static uint32_t announced(const struct exchange *x)
{
	return x->phase == EXCHANGE_WAITING ? 0 : x->phase == EXCHANGE_SPIN ? x->next_inst : x->n_symbols;
}

static void put_all(struct spin *s, uint32_t n_insts)
{
	struct gn_md md[EXCHANGE_DIRECTORY_MSGS];
	uint8_t msg[GLIMPSE50_END_BYTES];

	for (uint32_t i = 0; i < n_insts; i++) {
		exchange_directory(s->x, i, md);
		for (uint32_t k = 0; k < EXCHANGE_DIRECTORY_MSGS; k++)
			put(s, i, &md[k]);
	}
	for (uint32_t i = 0; i < n_insts; i++)
		for (gn_side side = GN_BUY; side <= GN_SELL; side++)
			match_walk(s->x->match, i, side, put_order, s);
	store_put(s->store, msg, glimpse50_end_encode(publish_seq_next(&s->x->publish), msg));
}

/* the snapshot is of one moment, so it is taken whole when the client logs in */
static char login(void *arg, uint32_t conn, const struct soup_login *l, const struct store **stream)
{
	struct exchange *x = arg;
	uint32_t n_insts = announced(x);
	size_t msgs = (size_t)n_insts * EXCHANGE_DIRECTORY_MSGS + match_counts(x->match).live + 1;
	struct spin s = {.x = x, .store = &x->snapshot[conn]};

	if (!exchange_knows(x, l))
		return SOUP_REJECT_NOT_AUTHORISED;
	store_fini(s.store);
	if (store_init(s.store, msgs * SNAPSHOT_BYTES_PER_MSG) < 0)
		return SOUP_REJECT_NO_SESSION;
	put_all(&s, n_insts);
	*stream = s.store;
	return 0;
}

static bool message(void *arg, uint32_t conn, const uint8_t *msg, uint32_t bytes)
{
	(void)arg;
	(void)conn;
	(void)msg;
	(void)bytes;
	return false; /* a snapshot has nothing to be told */
}

static void gone(void *arg, uint32_t conn)
{
	struct exchange *x = arg;

	store_fini(&x->snapshot[conn]);
}

static bool complete(void *arg, uint32_t conn)
{
	(void)arg;
	(void)conn;
	return true;
}

struct soup_server_hooks exchange_glimpse_hooks(struct exchange *x)
{
	return (struct soup_server_hooks){.arg = x, .login = login, .message = message, .gone = gone, .complete = complete};
}
