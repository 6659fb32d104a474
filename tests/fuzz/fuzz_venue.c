/* SPDX-License-Identifier: BSD-3-Clause */

/* Whatever a client sends to the exchange, in either dialect: its books stay whole, and another client notices nothing. */

#include "app/exchange/exchange.h"
#include "dataplane/codec/ouch42.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X) \
	X(LOGIN) X(LOGIN_REFUSED) X(ACCEPTED) X(FILLED) X(CANCELED) X(REJECTED) X(MALFORMED) X(BAD_MESSAGE) X(OUCH42) X(LOGOUT)
FUZZ_DECLARE_MARKERS(MARKERS);

#define PX UINT32_C(100000)
#define STEP_NS UINT64_C(1000000)

/* handles: what io is told of a connection */
static char strange, steady;
static bool steady_lost;
static uint64_t now_ns;

static const struct exchange_account accounts[] = {
	{.username = "FUZZ", .password = "x"}, {.username = "FUZ2", .password = "x", .dialect = EXCHANGE_OUCH42}, {.username = "GOOD"}};

static void io_datagram(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	(void)arg, (void)line, (void)data, (void)bytes;
}

static bool io_send(void *arg, void *handle, const void *data, uint32_t bytes)
{
	(void)arg, (void)data;
	FUZZ_CHECK(handle == &strange || handle == &steady);
	FUZZ_CHECK(bytes > 0);
	return true;
}

static void io_close(void *arg, void *handle)
{
	(void)arg;
	steady_lost |= handle == &steady;
}

static void work(struct exchange *x)
{
	now_ns += STEP_NS;
	while (exchange_work(x, now_ns))
		;
}

static void say(struct exchange *x, uint32_t conn, uint8_t type, const void *payload, uint32_t bytes)
{
	uint8_t out[SOUP_HEAD_BYTES + OUCH50_BYTES_MAX];

	exchange_bytes(x, conn, out, soup_build(out, type, payload, bytes), now_ns);
}

static struct ouch50_in order_of(uint32_t user_ref, char side, uint32_t qty, uint32_t px_e4)
{
	struct ouch50_in in = {.type = OUCH50_ENTER};

	in.enter = (struct ouch50_enter){.user_ref = user_ref, .qty = qty, .px = {.e9 = px_e4 * GN_PX_E9_PER_E4},
		.symbol = {.c = "AAAA"}, .side = side, .tif = OUCH50_TIF_DAY, .display = OUCH50_DISPLAY,
		.capacity = OUCH50_CAPACITY_PRINCIPAL, .iso = 'N', .cross = OUCH50_CROSS_CONTINUOUS,
		.clordid = ouch50_clordid_from_oid(gn_oid_make(0, user_ref))};
	return in;
}

static void steady_order(struct exchange *x, uint32_t conn, uint32_t user_ref)
{
	struct ouch50_in in = order_of(user_ref, OUCH50_BUY, 100, PX);
	uint8_t msg[OUCH50_BYTES_MAX];

	say(x, conn, SOUP_UNSEQUENCED, msg, ouch50_encode_in(&in, msg));
}

static uint32_t login(uint8_t *out, const char *user, const char *password)
{
	struct soup_login l = {.seq = 1};

	memcpy(l.username, user, strlen(user));
	memcpy(l.password, password, strlen(password));
	return soup_login_build(&l, out);
}

static uint32_t steady_login(struct exchange *x)
{
	uint8_t out[SOUP_LOGIN_41_BYTES];
	uint32_t conn = exchange_open(x, EXCHANGE_SERVICE_OUCH50, &steady, now_ns);

	FUZZ_CHECK(conn != EXCHANGE_CONN_NONE);
	exchange_bytes(x, conn, out, login(out, "GOOD", ""), now_ns);
	return conn;
}

static void check_books(const struct exchange *x)
{
	const struct clients *c = &exchange_orders(x)->clients;

	for (uint32_t i = 0; i < c->n_orders; i++) {
		const struct client_order *o = &c->order[i];
		FUZZ_CHECK(o->account < 3 && (o->inst == 0 || o->inst == GN_INST_NONE));
		FUZZ_CHECK((uint64_t)o->filled + o->canceled <= o->qty || o->state == CLIENT_REJECTED);
		FUZZ_CHECK((o->state == CLIENT_LIVE) == (o->state != CLIENT_REJECTED && client_open(o) > 0));
		FUZZ_CHECK(o->account != 2 || o->canceled == 0);
	}
}

static void mark(const struct exchange *x)
{
	const struct clients *c = &exchange_orders(x)->clients;
	struct exchange_counts n = exchange_counts(x);
	const struct soup_server_counts *a = &n.service[0], *b = &n.service[1];

	marker_hits[MARK_LOGIN] += a->logins + b->logins > 1;
	marker_hits[MARK_LOGIN_REFUSED] += a->rejected_name + b->rejected_name > 0;
	marker_hits[MARK_MALFORMED] += a->closed_malformed + b->closed_malformed > 0;
	marker_hits[MARK_BAD_MESSAGE] += a->closed_message + b->closed_message > 0;
	marker_hits[MARK_LOGOUT] += a->logouts + b->logouts > 0;
	marker_hits[MARK_OUCH42] += b->msgs_in > 0;
	for (uint32_t i = 0; i < c->n_orders; i++) {
		if (c->order[i].account == 2)
			continue;
		marker_hits[MARK_ACCEPTED] += c->order[i].state != CLIENT_REJECTED;
		marker_hits[MARK_FILLED] += c->order[i].filled > 0;
		marker_hits[MARK_CANCELED] += c->order[i].canceled > 0;
		marker_hits[MARK_REJECTED] += c->order[i].state == CLIENT_REJECTED;
	}
}

/* The first byte says which port, and how the stream is cut. */
static void one(const uint8_t *data, size_t bytes)
{
	const struct exchange_config config = {.n_symbols = 1, .orders_max = 1024, .client_orders_max = 1024, .store_mib = 1,
		.reports_mib = 1, .flow.off = true, .start_now = true, .ouch42_port = 1, .accounts = accounts, .n_accounts = 3};
	const struct exchange_io io = {.datagram = io_datagram, .send = io_send, .close = io_close};

	if (bytes == 0)
		return;
	now_ns = UINT64_C(1000000000);
	steady_lost = false;
	struct exchange *x = exchange_new(&config, &io, now_ns, 0);
	FUZZ_CHECK(x != NULL);
	work(x);
	uint32_t good = steady_login(x);
	steady_order(x, good, 1);
	uint32_t conn = exchange_open(x, data[0] & 1 ? EXCHANGE_SERVICE_OUCH42 : EXCHANGE_SERVICE_OUCH50, &strange, now_ns);
	size_t cut = 1 + (size_t)data[0] * 8;
	for (size_t at = 1; at < bytes; at += cut) {
		exchange_bytes(x, conn, data + at, (uint32_t)(bytes - at < cut ? bytes - at : cut), now_ns);
		work(x);
	}
	uint32_t before = exchange_orders(x)->clients.n_orders;
	steady_order(x, good, 2);
	FUZZ_CHECK(!steady_lost);
	FUZZ_CHECK(before == config.client_orders_max || exchange_orders(x)->clients.n_orders == before + 1);
	check_books(x);
	mark(x);
	exchange_lost(x, conn, now_ns);
	exchange_free(x);
}

static uint32_t put50(uint8_t *out, const struct ouch50_in *in)
{
	uint8_t msg[OUCH50_BYTES_MAX];

	return soup_build(out, SOUP_UNSEQUENCED, msg, ouch50_encode_in(in, msg));
}

static uint32_t put42(uint8_t *out, const struct ouch42_in *in)
{
	uint8_t msg[OUCH42_BYTES_MAX];

	return soup_build(out, SOUP_UNSEQUENCED, msg, ouch42_encode_in(in, msg));
}

static uint32_t seed50(uint8_t *out)
{
	struct ouch50_in in[] = {order_of(1, OUCH50_SELL, 30, PX), order_of(2, OUCH50_BUY, 100, PX - 100),
		{.type = OUCH50_REPLACE, .replace = {.user_ref_orig = 2, .user_ref = 3, .qty = 90, .px = {.e9 = PX * GN_PX_E9_PER_E4},
			.tif = OUCH50_TIF_DAY, .display = OUCH50_DISPLAY, .iso = 'N'}},
		{.type = OUCH50_CANCEL, .cancel = {.user_ref = 3, .qty = 10}}, order_of(4, OUCH50_BUY, 0, PX),
		{.type = OUCH50_MODIFY, .modify = {.user_ref = 3, .side = 'B', .qty = 5}}, {.type = OUCH50_QUERY}};
	uint32_t at = 0;

	for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++)
		at += put50(out + at, &in[i]);
	return at;
}

static uint32_t seed42(uint8_t *out)
{
	struct ouch42_in in = {.type = OUCH42_ENTER};

	in.enter = (struct ouch42_enter){.token = ouch50_clordid_from_oid(gn_oid_make(0, 1)), .side = 'S', .qty = 20,
		.symbol = {.c = "AAAA"}, .px = {.e9 = PX * GN_PX_E9_PER_E4}, .tif_s = OUCH42_TIF_MARKET_HOURS, .firm = "    ",
		.display = 'Y', .capacity = 'P', .iso = 'N', .cross = 'N', .customer_type = ' '};
	return put42(out, &in);
}

/* 0, 1: orders, cut small and whole; 2: OUCH 4.2; 3: a wrong password; 4: log-out; 5: a bad message; 6: no SoupBinTCP. */
static int32_t seed(uint32_t n, uint8_t *out)
{
	uint32_t at = 1;

	if (n > 6)
		return -1;
	out[0] = n == 1 ? 254 : n == 2 ? 255 : 2;
	at += login(out + at, n == 2 ? "FUZ2" : "FUZZ", n == 3 ? "y" : "x");
	at += n == 2 ? seed42(out + at) : seed50(out + at);
	if (n == 4)
		at += soup_build(out + at, SOUP_LOGOUT, NULL, 0);
	if (n == 5)
		at += soup_build(out + at, SOUP_UNSEQUENCED, "?!", 2);
	if (n == 6) {
		memset(out + at, 0, 8);
		at += 8;
	}
	return (int32_t)at;
}

const struct fuzz_target fuzz_target_venue;
const struct fuzz_target fuzz_target_venue = {
	.name = "venue", .markers = marker_names, .hits = marker_hits, .one = one, .seed = seed};
