/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exchange/rng.h"
#include "tests/sim/exchange_harness.h"

/* What a client knows from its reports alone must be what the exchange's ledger says. */

#define REFS_MAX 20000u
#define ACCOUNTS 3u

struct known_order {
	struct ouch50_clordid clordid;
	uint32_t qty, filled, canceled;
	char side;
	bool there, rejected, replaced;
};

struct random_client {
	struct harness_client *c;
	char name[7];
	uint32_t last_ref;
	uint64_t seq_next; /* of the next sequenced message */
	struct known_order order[REFS_MAX];
};

static struct harness h;
static struct exchange_account accounts[ACCOUNTS];
static struct random_client *client;
static uint64_t seed;

static void given_accounts(void)
{
	seed = getenv("GANNET_SEED") ? strtoull(getenv("GANNET_SEED"), NULL, 10) : 11;
	memset(&h, 0, sizeof(h));
	client = calloc(ACCOUNTS, sizeof(*client));
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		snprintf(accounts[i].username, sizeof(accounts[i].username), "USER%u", i);
		snprintf(client[i].name, sizeof(client[i].name), "user%u", i);
		client[i].seq_next = 1;
	}
	h.config = (struct exchange_config){.seed = seed, .n_symbols = 8, .orders_max = 65536, .client_orders_max = 65536,
		.store_mib = 1, .reports_mib = 8, .start_now = true, .accounts = accounts, .n_accounts = ACCOUNTS,
		.self_match_prevention = true, .faults = {.reject_ppm = 10000, .halt_every_ms = 40, .halt_for_ms = 20,
			.cancel_pending_ppm = 20000, .disconnect_every_ms = 60},
		.flow = {.rate_msgs_s = 20000, .hidden_ppm = 20000}};
	harness_start(&h);
}

static void clean_up(void)
{
	harness_stop(&h);
	free(client);
}

TestSuite(exchange_random, .init = given_accounts, .fini = clean_up, .timeout = 120);

static struct known_order *order(struct random_client *r, uint32_t user_ref)
{
	cr_assert(user_ref > 0 && user_ref < REFS_MAX && r->order[user_ref].there, "GANNET_SEED=%lu: report about order %u", seed,
		user_ref);
	return &r->order[user_ref];
}

static uint32_t open_of(const struct known_order *o)
{
	return o->qty - o->filled - o->canceled;
}

static struct known_order *born(struct random_client *r, const struct ouch50_accepted *a)
{
	struct known_order *o = &r->order[a->user_ref];

	cr_assert(!o->there, "GANNET_SEED=%lu: order %u accepted twice", seed, a->user_ref);
	*o = (struct known_order){.clordid = a->clordid, .qty = a->qty, .side = a->side, .there = true};
	return o;
}

static void on_report(struct random_client *r, const struct ouch50_out *out)
{
	struct known_order *o;

	switch (out->type) {
	case OUCH50_ACCEPTED: born(r, &out->accepted); break;
	case OUCH50_REPLACED:
		o = order(r, out->accepted.user_ref_orig);
		o->canceled += open_of(o);
		born(r, &out->accepted);
		break;
	case OUCH50_EXECUTED: order(r, out->executed.user_ref)->filled += out->executed.qty; break;
	case OUCH50_CANCELED:
	case OUCH50_AIQ_CANCELED: order(r, out->canceled.user_ref)->canceled += out->canceled.qty; break;
	case OUCH50_REJECTED:
		r->order[out->rejected.user_ref] = (struct known_order){.clordid = out->rejected.clordid, .there = true, .rejected = true};
		break;
	default: break;
	}
}

static void read_reports(struct random_client *r)
{
	struct soup_packet p;
	struct ouch50_out out;

	while (r->c && harness_next(r->c, &p)) {
		if (p.type != SOUP_SEQUENCED)
			continue;
		cr_assert_eq(ouch50_decode_out(p.payload, p.bytes, &out), OUCH50_OK);
		r->seq_next++;
		on_report(r, &out);
	}
	if (r->c) /* all is read: the memory serves again */
		r->c->in_bytes = r->c->at = 0;
}

/* a connection of the harness is made anew in place: it has few */
static void keep_connected(struct random_client *r)
{
	struct harness_client *old = r->c;

	if (old && old->up)
		return;
	read_reports(r);
	if (old) {
		old->up = true;
		old->conn = exchange_open(h.x, EXCHANGE_SERVICE_OUCH50, old, h.now_ns);
	} else {
		r->c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	}
	harness_login(r->c, r->name, "", r->seq_next);
}

static void send_enter(struct random_client *r, struct rng *g)
{
	gn_inst inst = rng_below(g, 8);
	uint32_t bid = 100000, px;
	uint64_t qty;
	char side = rng_below(g, 2) ? 'B' : 'S';

	match_best(exchange_match(h.x), inst, GN_BUY, &bid, &qty);
	px = bid - 500 + 100 * rng_below(g, 11);
	struct ouch50_in in = harness_enter(&h, ++r->last_ref, side, 1 + rng_below(g, 400), px, inst);

	in.enter.tif = rng_below(g, 4) ? OUCH50_TIF_DAY : OUCH50_TIF_IOC;
	in.enter.display = rng_below(g, 6) ? 'Y' : 'N';
	if (!rng_below(g, 50))
		in.enter.qty = 0;
	if (!rng_below(g, 50))
		in.enter.user_ref = rng_below(g, in.enter.user_ref + 1); /* used before: to be ignored */
	harness_ouch(r->c, &in);
}

static void send_change(struct random_client *r, struct rng *g)
{
	uint32_t about = 1 + rng_below(g, r->last_ref);
	struct ouch50_in x = {.type = OUCH50_CANCEL, .cancel = {.user_ref = about, .qty = rng_below(g, 2) ? 0 : rng_below(g, 300)}};
	struct ouch50_in u = {.type = OUCH50_REPLACE, .replace = {.user_ref_orig = about, .user_ref = ++r->last_ref,
		.qty = rng_below(g, 500), .px = {.e9 = (100000 + 100 * (int64_t)rng_below(g, 900)) * GN_PX_E9_PER_E4}, .tif = '0',
		.display = 'Y', .iso = 'N', .clordid = ouch50_clordid_from_oid(gn_oid_make(0, r->last_ref))}};

	harness_ouch(r->c, rng_below(g, 2) ? &x : &u);
}

static void check_against_ledger(const struct random_client *r, uint32_t account)
{
	const struct clients *c = &exchange_orders(h.x)->clients;
	uint32_t n = 0, known = 0;

	for (uint32_t i = 0; i < c->n_orders; i++) {
		const struct client_order *o = &c->order[i];

		if (o->account != account)
			continue;
		const struct known_order *k = &r->order[o->user_ref];

		n++;
		cr_assert(k->there, "GANNET_SEED=%lu: order %u is unknown to its client", seed, o->user_ref);
		cr_assert_eq(k->rejected, o->state == CLIENT_REJECTED);
		if (k->rejected)
			continue;
		cr_assert_eq(k->qty, o->qty);
		cr_assert_eq(k->filled, o->filled, "GANNET_SEED=%lu: order %u", seed, o->user_ref);
		cr_assert_eq(k->canceled, o->canceled, "GANNET_SEED=%lu: order %u", seed, o->user_ref);
		cr_assert_neq(o->state, CLIENT_LIVE, "the day is closed");
		cr_assert_eq(open_of(k), 0);
	}
	for (uint32_t i = 0; i < REFS_MAX; i++)
		known += r->order[i].there;
	cr_assert_eq(known, n);
	cr_assert_gt(n, 100);
}

Test(exchange_random, clients_know_what_the_ledger_says_after_cuts_rejects_halts_and_resumes)
{
	struct rng g = {.state = seed};
	uint32_t rounds = getenv("GANNET_LONG") ? 15000 : 3000;

	for (uint32_t i = 0; i < rounds; i++) {
		struct random_client *r = &client[rng_below(&g, ACCOUNTS)];

		keep_connected(r);
		if (r->last_ref < 10 || rng_below(&g, 3))
			send_enter(r, &g);
		else
			send_change(r, &g);
		if (r->c->up && !rng_below(&g, 200))
			harness_drop(r->c);
		read_reports(r);
		if (!rng_below(&g, 4))
			harness_run(&h, 1);
	}
	for (uint32_t i = 0; i < ACCOUNTS; i++)
		keep_connected(&client[i]);
	exchange_stop(h.x);
	harness_until(&h, EXCHANGE_STOPPED);
	for (uint32_t i = 0; i < ACCOUNTS; i++) {
		read_reports(&client[i]);
		check_against_ledger(&client[i], i);
	}
	struct exchange_counts n = exchange_counts(h.x);

	cr_assert_gt(n.orders.fills, 100);
	cr_assert_gt(n.orders.ignored_number, 5);
	cr_assert_gt(n.orders.rejected, 10);
	cr_assert_gt(n.faults.disconnects, 1);
	cr_assert_gt(n.faults.halts, 1);
}

Test(exchange_random, random_and_mutated_bytes_close_at_most_their_own_connection)
{
	struct rng g = {.state = seed};
	uint32_t rounds = getenv("GANNET_LONG") ? 300000 : 20000, closed = 0;
	uint8_t bytes[512], msg[OUCH50_BYTES_MAX];
	struct random_client *good = &client[0], *bad = &client[1];

	keep_connected(good);
	for (uint32_t i = 0; i < rounds; i++) {
		keep_connected(bad);
		struct ouch50_in in = harness_enter(&h, ++bad->last_ref % REFS_MAX, 'B', 100, 100000, rng_below(&g, 8));
		uint32_t n = soup_build(bytes, SOUP_UNSEQUENCED, msg, ouch50_encode_in(&in, msg));

		for (uint32_t k = rng_below(&g, 4); k; k--)
			bytes[rng_below(&g, n)] = (uint8_t)rng_u64(&g);
		if (!rng_below(&g, 8))
			n = rng_below(&g, n + 1);
		harness_send(bad->c, bytes, n);
		bad->c->in_bytes = bad->c->at = 0;
		if (bad->c->up && !rng_below(&g, 16))
			harness_drop(bad->c);
		closed += !bad->c->up;
	}
	cr_assert_gt(closed, rounds / 100);
	cr_assert(good->c->up);
	good->last_ref = 1;
	struct ouch50_in in = harness_enter(&h, 1, 'B', 1, 100, 0);

	harness_ouch(good->c, &in);
	harness_run(&h, 5);
	read_reports(good);
	cr_assert(good->order[1].there);
}
