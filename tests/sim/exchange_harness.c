/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"

#define STEP_NS UINT64_C(100000)

static void mix(struct harness *h, uint64_t who, const uint8_t *data, uint32_t bytes)
{
	uint64_t x = h->hash ^ who * UINT64_C(0x9e3779b97f4a7c15);

	for (uint32_t i = 0; i < bytes; i++)
		x = (x ^ data[i]) * UINT64_C(0x100000001b3);
	h->hash = x;
}

static void on_datagram(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct harness *h = arg;

	h->datagrams[line]++;
	mix(h, line, data, bytes);
	if (h->on_datagram)
		h->on_datagram(h->arg, line, data, bytes);
}

static bool on_send(void *arg, void *handle, const void *data, uint32_t bytes)
{
	struct harness_client *c = handle;

	(void)arg;
	if (bytes > c->room)
		return false;
	c->room -= bytes;
	cr_assert(c->up, "the exchange sent on a closed connection");
	cr_assert_leq(c->in_bytes + bytes, HARNESS_CLIENT_BYTES);
	memcpy(c->in + c->in_bytes, data, bytes);
	c->in_bytes += bytes;
	mix(c->h, 100 + (uint64_t)(c - c->h->client), data, bytes);
	return true;
}

static void on_close(void *arg, void *handle)
{
	struct harness_client *c = handle;

	(void)arg;
	cr_assert(c->up, "the exchange closed a connection twice");
	c->up = false;
}

void harness_start(struct harness *h)
{
	const struct exchange_io io = {.arg = h, .datagram = on_datagram, .send = on_send, .close = on_close};

	h->now_ns = UINT64_C(34200) * 1000 * HARNESS_NS_PER_MS;
	h->x = exchange_new(&h->config, &io, h->now_ns, 0);
	cr_assert_not_null(h->x, "%s", gn_err_text());
}

void harness_stop(struct harness *h)
{
	exchange_free(h->x);
	for (uint32_t i = 0; i < h->n_clients; i++)
		free(h->client[i].in);
	h->x = NULL;
	h->n_clients = 0;
}

void harness_run(struct harness *h, uint64_t ms)
{
	for (uint64_t end = h->now_ns + ms * HARNESS_NS_PER_MS; h->now_ns < end; h->now_ns += STEP_NS)
		while (exchange_work(h->x, h->now_ns))
			;
}

void harness_until(struct harness *h, enum exchange_phase phase)
{
	for (uint32_t i = 0; i < 60000 && exchange_phase(h->x) != phase; i++)
		harness_run(h, 1);
	cr_assert_eq(exchange_phase(h->x), phase);
}

struct harness_client *harness_connect(struct harness *h, enum exchange_service service)
{
	cr_assert_lt(h->n_clients, HARNESS_CLIENTS);
	struct harness_client *c = &h->client[h->n_clients];

	*c = (struct harness_client){.h = h, .up = true, .room = UINT32_MAX};
	c->conn = exchange_open(h->x, service, c, h->now_ns);
	if (c->conn == EXCHANGE_CONN_NONE)
		return NULL;
	c->in = malloc(HARNESS_CLIENT_BYTES);
	h->n_clients++;
	return c;
}

void harness_drop(struct harness_client *c)
{
	cr_assert(c->up);
	c->up = false;
	exchange_lost(c->h->x, c->conn, c->h->now_ns);
}

void harness_send(struct harness_client *c, const void *data, uint32_t bytes)
{
	cr_assert(c->up, "sending on a closed connection");
	exchange_bytes(c->h->x, c->conn, data, bytes, c->h->now_ns);
}

void harness_packet(struct harness_client *c, uint8_t type, const void *payload, uint32_t bytes)
{
	uint8_t out[SOUP_HEAD_BYTES + 2048];

	harness_send(c, out, soup_build(out, type, payload, bytes));
}

void harness_login(struct harness_client *c, const char *user, const char *password, uint64_t seq)
{
	struct soup_login login = {.seq = seq};
	uint8_t out[SOUP_LOGIN_41_BYTES];

	snprintf(login.username, sizeof(login.username), "%s", user);
	snprintf(login.password, sizeof(login.password), "%s", password);
	harness_send(c, out, soup_login_build(&login, out));
}

bool harness_next(struct harness_client *c, struct soup_packet *p)
{
	uint32_t left = c->in_bytes - c->at;
	const uint8_t *at = c->in + c->at;

	if (left < SOUP_HEAD_BYTES || left < 2u + wire_u16(at))
		return false;
	p->type = at[2];
	p->bytes = wire_u16(at) - 1u;
	p->payload = at + SOUP_HEAD_BYTES;
	c->at += 2u + wire_u16(at);
	return true;
}

struct soup_packet harness_expect(struct harness_client *c, uint8_t type)
{
	struct soup_packet p;

	do
		cr_assert(harness_next(c, &p), "no packet, expected '%c'", type);
	while (p.type == SOUP_SERVER_HEARTBEAT && type != SOUP_SERVER_HEARTBEAT);
	cr_assert_eq(p.type, type, "packet '%c', expected '%c'", p.type, type);
	return p;
}

void harness_ouch(struct harness_client *c, const struct ouch50_in *in)
{
	uint8_t msg[OUCH50_BYTES_MAX];

	harness_packet(c, SOUP_UNSEQUENCED, msg, ouch50_encode_in(in, msg));
}

struct ouch50_out harness_report(struct harness_client *c, uint8_t type)
{
	struct soup_packet p = harness_expect(c, SOUP_SEQUENCED);
	struct ouch50_out out;

	cr_assert_eq(ouch50_decode_out(p.payload, p.bytes, &out), OUCH50_OK);
	cr_assert_eq(out.type, type, "report '%c', expected '%c'", out.type, type);
	return out;
}

bool harness_quiet(struct harness_client *c)
{
	struct soup_packet p;
	uint32_t at = c->at;
	bool quiet = true;

	while (quiet && harness_next(c, &p))
		quiet = p.type == SOUP_SERVER_HEARTBEAT;
	c->at = at;
	return quiet;
}

struct ouch50_in harness_enter(const struct harness *h, uint32_t user_ref, char side, uint32_t qty, uint32_t px_e4, gn_inst inst)
{
	struct gn_instrument i;
	struct ouch50_in in = {
		.type = OUCH50_ENTER,
		.enter = {.user_ref = user_ref, .qty = qty, .px = {.e9 = px_e4 * GN_PX_E9_PER_E4}, .side = side, .tif = OUCH50_TIF_DAY,
			.display = OUCH50_DISPLAY, .capacity = 'P', .iso = 'N', .cross = OUCH50_CROSS_CONTINUOUS},
	};

	cr_assert(gn_instruments_get(exchange_instruments(h->x), inst, &i));
	in.enter.symbol = i.symbol;
	in.enter.clordid = ouch50_clordid_from_oid(gn_oid_make(0, user_ref));
	return in;
}
