/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "dataplane/codec/ouch42.h"
#include "dataplane/gateway/orders.h"

#define OID gn_oid_make(0, 1)
#define OID2 gn_oid_make(0, 2)
#define PX ((gn_px){.e9 = INT64_C(10) * 1000000000})

static struct sent_orders o;
static const struct dialect_config config;

static struct gn_order_req buy(gn_oid oid)
{
	return (struct gn_order_req){.kind = GN_REQ_NEW, .side = GN_BUY, .tif = GN_TIF_DAY, .inst = 3, .oid = oid, .px = PX, .qty = 100};
}

static void given_a_live_order_and_its_replacement(void)
{
	struct gn_order_req req = buy(OID);

	cr_assert_eq(sent_orders_init(&o, 64, -1), 0);
	sent_orders_add(&o, 1, &req, 0);
	o.order[1].state = SENT_LIVE;
	req.oid = OID2;
	sent_orders_add(&o, 2, &req, 1);
}

static struct gn_exec heard(const struct ouch42_out *m)
{
	uint8_t msg[OUCH42_BYTES_MAX];
	struct venue_report r;
	struct gn_exec exec;

	cr_assert(gateway_ouch42.decode(msg, ouch42_encode_out(m, msg), &r));
	cr_assert_eq(r.kind, REPORT_EXEC);
	cr_assert(sent_orders_apply(&o, &r, &exec), "type %c", m->type);
	return exec;
}

TestSuite(gateway_ouch42, .init = given_a_live_order_and_its_replacement, .timeout = 10);

Test(gateway_ouch42, is_found_by_name)
{
	cr_assert_eq(gateway_dialect_find("ouch42"), &gateway_ouch42);
	cr_assert_eq(gateway_dialect_find("ouch50"), &gateway_ouch50);
	cr_assert_eq(gateway_dialect_find("ouch"), NULL);
}

Test(gateway_ouch42, cannot_say_what_the_protocol_has_no_words_for)
{
	uint8_t out[DIALECT_BYTES_MAX];
	struct gn_order_req req = buy(OID), bad[9];
	struct dialect_request r = {.req = &req, .number = 1, .symbol = {.c = "ABC"}};

	cr_assert_eq(gateway_ouch42.encode(&config, &r, out), OUCH42_ENTER_BYTES);
	for (int i = 0; i < 9; i++)
		bad[i] = req;
	bad[0] = (struct gn_order_req){0};
	bad[1].side = 3;
	bad[2].tif = GN_TIF_NONE;
	bad[3].qty = 0;
	bad[4].qty = 1000000;
	bad[5].px.e9 = 0;
	bad[6].px.e9 = 1;
	bad[7].px.e9 = INT64_MAX / GN_PX_E9_PER_E4 * GN_PX_E9_PER_E4;
	bad[8].flags = GN_ORD_HIDDEN | GN_ORD_POST_ONLY;
	for (int i = 0; i < 9; i++) {
		r.req = &bad[i];
		cr_assert_eq(gateway_ouch42.encode(&config, &r, out), 0, "case %d", i);
	}
}

Test(gateway_ouch42, names_orders_by_their_token)
{
	uint8_t out[DIALECT_BYTES_MAX];
	struct gn_order_req req = buy(OID);
	struct dialect_request r = {.req = &req, .number = 1, .symbol = {.c = "ABC"}};
	struct ouch42_in in;

	req.flags = GN_ORD_POST_ONLY;
	gateway_ouch42.encode(&config, &r, out);
	cr_assert_eq(ouch42_decode_in(out, OUCH42_ENTER_BYTES, &in), OUCH42_OK);
	cr_assert_eq(ouch50_oid_from_clordid(in.enter.token), OID);
	cr_assert_eq(in.enter.tif_s, OUCH42_TIF_MARKET_HOURS);
	cr_assert_eq(in.enter.display, 'P');
	cr_assert_eq(in.enter.px.e9, PX.e9);
	req = (struct gn_order_req){.kind = GN_REQ_REPLACE, .tif = GN_TIF_DAY, .oid = OID2, .oid_prev = OID, .px = PX, .qty = 70};
	cr_assert_eq(gateway_ouch42.encode(&config, &r, out), OUCH42_REPLACE_BYTES);
	cr_assert_eq(ouch42_decode_in(out, OUCH42_REPLACE_BYTES, &in), OUCH42_OK);
	cr_assert_eq(ouch50_oid_from_clordid(in.replace.token_orig), OID);
	cr_assert_eq(ouch50_oid_from_clordid(in.replace.token), OID2);
	req = (struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = OID2, .qty = 5};
	cr_assert_eq(gateway_ouch42.encode(&config, &r, out), OUCH42_CANCEL_BYTES);
	cr_assert_eq(ouch42_decode_in(out, OUCH42_CANCEL_BYTES, &in), OUCH42_OK);
	cr_assert_eq(ouch50_oid_from_clordid(in.cancel.token), OID2);
	cr_assert_eq(in.cancel.qty, 5);
}

Test(gateway_ouch42, hears_every_outcome_of_an_order)
{
	const struct ouch50_clordid t = ouch50_clordid_from_oid(OID);
	const struct {
		struct ouch42_out m;
		uint8_t kind, reason;
		uint16_t code, flags;
		gn_qty qty;
	} cases[] = {
		{{.type = 'C', .canceled = {.token = t, .qty = 1, .reason = 'U'}}, GN_EXEC_CANCELED, 'U', 0, 0, 1},
		{{.type = 'D', .canceled = {.token = t, .qty = 2, .reason = 'Q', .px = PX}}, GN_EXEC_CANCELED, 'Q', 0, GN_EXEC_F_PREVENTED, 2},
		{{.type = 'E', .executed = {.token = t, .qty = 3, .px = PX, .liquidity = 'A'}}, GN_EXEC_FILLED, 0, 0, 0, 3},
		{{.type = 'G', .executed = {.token = t, .qty = 4, .px = PX, .reference_px = PX, .reference_type = 'I'}}, GN_EXEC_FILLED, 0, 0, 0, 4},
		{{.type = 'F', .executed = {.token = t, .qty = 4, .px = PX, .reason = 'N'}}, GN_EXEC_RESTATED, 'F', 0, 0, 0},
		{{.type = 'B', .broken = {.token = t, .match = 9, .reason = 'E'}}, GN_EXEC_BROKEN, 'E', 0, 0, 0},
		{{.type = 'P', .token = t}, GN_EXEC_CANCEL_PENDING, 0, 0, 0, 0},
		{{.type = 'I', .token = t}, GN_EXEC_CANCEL_REJECTED, 0, 0, 0, 0},
		{{.type = 'T', .priority = {.token = t, .px = PX, .display = 'Y'}}, GN_EXEC_RESTATED, 'T', 0, 0, 0},
		{{.type = 'M', .modified = {.token = t, .qty = 50, .side = 'B'}}, GN_EXEC_RESTATED, 'M', 0, 0, 50},
		{{.type = 'J', .rejected = {.token = t, .reason = 'Z'}}, GN_EXEC_REJECTED, 0, 'Z', 0, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gn_exec exec = heard(&cases[i].m);
		cr_assert_eq(exec.kind, cases[i].kind, "case %zu", i);
		cr_assert_eq(exec.oid, OID, "case %zu", i);
		cr_assert_eq(exec.reason, cases[i].reason, "case %zu", i);
		cr_assert_eq(exec.code, cases[i].code, "case %zu", i);
		cr_assert_eq(exec.flags, cases[i].flags, "case %zu", i);
		cr_assert_eq(exec.qty, cases[i].qty, "case %zu", i);
	}
	cr_assert_eq(o.order[1].state, SENT_DEAD);
}

Test(gateway_ouch42, hears_accepted_and_replaced)
{
	struct ouch42_out m = {.type = 'U'};
	struct gn_exec exec;

	m.accepted = (struct ouch42_accepted){.token = ouch50_clordid_from_oid(OID2), .token_orig = ouch50_clordid_from_oid(OID),
		.symbol = {.c = "ABC"}, .px = PX, .qty = 40, .side = 'B', .state = 'L'};
	exec = heard(&m);
	cr_assert_eq(exec.kind, GN_EXEC_REPLACED);
	cr_assert_eq(exec.oid, OID2);
	cr_assert_eq(exec.oid_prev, OID);
	cr_assert_eq(exec.qty, 40);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
	cr_assert_eq(o.order[2].state, SENT_LIVE);
	m.type = 'A';
	m.accepted.state = 'D';
	exec = heard(&m);
	cr_assert_eq(exec.kind, GN_EXEC_ACCEPTED);
	cr_assert_eq(exec.flags, GN_EXEC_F_DEAD);
}

Test(gateway_ouch42, tokens_that_are_not_ours_name_no_order)
{
	struct ouch42_out m = {.type = 'E', .executed = {.token = {.c = "not our token"}, .qty = 1, .px = PX}};
	uint8_t msg[OUCH42_BYTES_MAX];
	struct venue_report r;
	struct gn_exec exec;

	cr_assert(gateway_ouch42.decode(msg, ouch42_encode_out(&m, msg), &r));
	cr_assert_not(sent_orders_apply(&o, &r, &exec));
	cr_assert_eq(exec.oid, 0);
	cr_assert_not(gateway_ouch42.decode((const uint8_t *)"E", 1, &r));
	cr_assert_not(gateway_ouch42.decode((const uint8_t *)"", 0, &r));
}
