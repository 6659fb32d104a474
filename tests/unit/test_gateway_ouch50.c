/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/gateway/orders.h"

#define NOON_NS (UINT64_C(12) * 3600 * 1000000000)
#define OID gn_oid_make(0, 1)
#define OID2 gn_oid_make(0, 2)
#define PX(dollars) ((gn_px){.e9 = (dollars) * INT64_C(1000000000)})

static struct sent_orders o;
static const struct dialect_config config;

static struct gn_order_req buy(gn_oid oid)
{
	return (struct gn_order_req){
		.kind = GN_REQ_NEW, .side = GN_BUY, .tif = GN_TIF_DAY, .inst = 3, .oid = oid, .px = PX(10), .qty = 100, .tag = 77};
}

static void given_one_order(void)
{
	struct gn_order_req req = buy(OID);

	cr_assert_eq(sent_orders_init(&o, 64, -1), 0);
	sent_orders_add(&o, 1, &req, 0);
}

static void given_one_live_order(void)
{
	given_one_order();
	o.order[1].state = SENT_LIVE;
}

static void given_a_replacement_on_its_way(void)
{
	struct gn_order_req req = {.kind = GN_REQ_REPLACE, .oid = OID2, .oid_prev = OID, .qty = 50, .inst = 3, .side = GN_BUY};

	given_one_live_order();
	sent_orders_add(&o, 2, &req, 1);
}

/* What the venue says in `m`, as risk would hear it. */
static struct gn_exec heard(const struct ouch50_out *m)
{
	uint8_t msg[OUCH50_BYTES_MAX];
	uint32_t bytes = ouch50_encode_out(m, msg);
	struct venue_report r;
	struct gn_exec exec;

	cr_assert_neq(bytes, 0);
	cr_assert(gateway_ouch50.decode(msg, bytes, &r));
	cr_assert_eq(r.kind, REPORT_EXEC);
	sent_orders_apply(&o, &r, &exec);
	cr_assert_eq(exec.exch_ns, NOON_NS);
	return exec;
}

static struct ouch50_out accepted(uint8_t type, uint32_t number, gn_oid oid, char state)
{
	struct ouch50_out m = {.type = type, .ns = NOON_NS};

	m.accepted = (struct ouch50_accepted){
		.user_ref = number, .qty = 100, .px = PX(10), .side = 'B', .tif = '0', .display = 'Y', .capacity = 'P', .iso = 'N',
		.cross = 'N', .state = state, .order_ref = 9, .clordid = ouch50_clordid_from_oid(oid)};
	memcpy(m.accepted.symbol.c, "ABC", 3);
	return m;
}

TestSuite(gateway_ouch50, .timeout = 10);

Test(gateway_ouch50, cannot_say_what_the_protocol_has_no_words_for)
{
	uint8_t out[DIALECT_BYTES_MAX];
	struct gn_order_req req = buy(OID);
	struct dialect_request r = {.req = &req, .number = 1, .symbol = {.c = "ABC"}};

	cr_assert_eq(gateway_ouch50.encode(&config, &r, out), OUCH50_ENTER_BYTES);
	struct gn_order_req bad[] = {{0}, req, req, req, req, req, req, req, req, req};
	bad[1].side = 0;
	bad[2].side = 3;
	bad[3].tif = GN_TIF_NONE;
	bad[4].tif = 200;
	bad[5].qty = 0;
	bad[6].qty = OUCH50_QTY_MAX + 1;
	bad[7].px.e9 = 0;
	bad[8].px.e9 = GN_PX_E9_PER_E4 + 1;
	bad[9].px.e9 = INT64_C(200000) * 1000000000;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		r.req = &bad[i];
		cr_assert_eq(gateway_ouch50.encode(&config, &r, out), 0, "case %zu", i);
	}
	r = (struct dialect_request){.req = &req, .number = 1};
	cr_assert_eq(gateway_ouch50.encode(&config, &r, out), 0, "no symbol");
	req.kind = GN_REQ_CANCEL;
	req.qty = -1;
	cr_assert_eq(gateway_ouch50.encode(&config, &r, out), 0);
}

Test(gateway_ouch50, enters_an_order_byte_by_byte)
{
	static const uint8_t want[] = "O\0\0\0\5T\0\0\0\144ABC     \0\0\0\0\0\1\206\2403NPYN0007PS3QGY0WXT\0\11\5\2FIRM\2\14P";
	struct dialect_config firm = {.firm = "FIRM"};
	struct gn_order_req req = buy(0);
	struct dialect_request r = {.req = &req, .number = 5, .symbol = {.c = "ABC"}};
	uint8_t out[DIALECT_BYTES_MAX];
	struct ouch50_in in;

	req.oid = gn_oid_make(1, 123456789);
	req.side = GN_SELL;
	req.tif = GN_TIF_IOC;
	req.flags = GN_ORD_SHORT | GN_ORD_HIDDEN | GN_ORD_ISO | GN_ORD_POST_ONLY;
	cr_assert_eq(gateway_ouch50.encode(&firm, &r, out), sizeof(want) - 1);
	cr_assert_eq(ouch50_decode_in(out, sizeof(want) - 1, &in), OUCH50_OK);
	cr_assert_eq(ouch50_oid_from_clordid(in.enter.clordid), req.oid);
	cr_assert_arr_eq(out, want, 31);
	cr_assert_arr_eq(out + 45, want + 45, sizeof(want) - 1 - 45);
}

Test(gateway_ouch50, names_every_kind_of_sale)
{
	struct gn_order_req req = buy(OID);
	struct dialect_request r = {.req = &req, .number = 1, .symbol = {.c = "ABC"}};
	uint8_t out[DIALECT_BYTES_MAX];

	gateway_ouch50.encode(&config, &r, out);
	cr_assert_eq(out[5], 'B');
	req.side = GN_SELL;
	gateway_ouch50.encode(&config, &r, out);
	cr_assert_eq(out[5], 'S');
	req.flags = GN_ORD_SHORT;
	gateway_ouch50.encode(&config, &r, out);
	cr_assert_eq(out[5], 'T');
	req.flags = GN_ORD_SHORT | GN_ORD_SHORT_EXEMPT;
	gateway_ouch50.encode(&config, &r, out);
	cr_assert_eq(out[5], 'E');
}

Test(gateway_ouch50, replaces_and_cancels_by_number)
{
	struct gn_order_req req = {.kind = GN_REQ_REPLACE, .tif = GN_TIF_DAY, .oid = OID2, .oid_prev = OID, .px = PX(11), .qty = 70};
	struct dialect_request r = {.req = &req, .number = 8, .number_orig = 7};
	uint8_t out[DIALECT_BYTES_MAX];
	struct ouch50_in in;

	cr_assert_eq(gateway_ouch50.encode(&config, &r, out), OUCH50_REPLACE_BYTES);
	cr_assert_eq(ouch50_decode_in(out, OUCH50_REPLACE_BYTES, &in), OUCH50_OK);
	cr_assert_eq(in.replace.user_ref_orig, 7);
	cr_assert_eq(in.replace.user_ref, 8);
	cr_assert_eq(in.replace.qty, 70);
	cr_assert_eq(ouch50_oid_from_clordid(in.replace.clordid), OID2);
	req = (struct gn_order_req){.kind = GN_REQ_CANCEL, .oid = OID, .qty = 30};
	r.number = 7;
	cr_assert_eq(gateway_ouch50.encode(&config, &r, out), OUCH50_CANCEL_BYTES);
	cr_assert_arr_eq(out, "X\0\0\0\7\0\0\0\36", OUCH50_CANCEL_BYTES);
}

Test(gateway_ouch50, refuses_bytes_that_are_no_message)
{
	struct venue_report r;

	cr_assert_not(gateway_ouch50.decode((const uint8_t *)"", 0, &r));
	cr_assert_not(gateway_ouch50.decode((const uint8_t *)"Zzzzzzzzzz", 10, &r));
	cr_assert_not(gateway_ouch50.decode((const uint8_t *)"Azzzzzzzzz", 10, &r));
}

Test(gateway_ouch50, hears_accepted, .init = given_one_order)
{
	struct ouch50_out m = accepted(OUCH50_ACCEPTED, 1, OID, 'L');
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_ACCEPTED);
	cr_assert_eq(exec.oid, OID);
	cr_assert_eq(exec.inst, 3);
	cr_assert_eq(exec.side, GN_BUY);
	cr_assert_eq(exec.tag, 77);
	cr_assert_eq(exec.strategy, 0);
	cr_assert_eq(exec.qty, 100);
	cr_assert_eq(exec.px.e9, PX(10).e9);
	cr_assert_eq(exec.flags, 0);
	cr_assert_eq(o.order[1].state, SENT_LIVE);
}

Test(gateway_ouch50, hears_accepted_dead_on_arrival, .init = given_one_order)
{
	struct ouch50_out m = accepted(OUCH50_ACCEPTED, 1, OID, 'D');
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.flags, GN_EXEC_F_DEAD);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
}

Test(gateway_ouch50, hears_replaced, .init = given_a_replacement_on_its_way)
{
	struct ouch50_out m = accepted(OUCH50_REPLACED, 2, OID2, 'L');
	struct gn_exec exec;

	m.accepted.user_ref_orig = 1;
	m.accepted.qty = 40;
	exec = heard(&m);
	cr_assert_eq(exec.kind, GN_EXEC_REPLACED);
	cr_assert_eq(exec.oid, OID2);
	cr_assert_eq(exec.oid_prev, OID);
	cr_assert_eq(exec.qty, 40);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
	cr_assert_eq(o.order[2].state, SENT_LIVE);
	cr_assert_eq(sent_orders_next_void(&o), 0, "the replacement that won is not void");
}

Test(gateway_ouch50, hears_replaced_dead_on_arrival, .init = given_a_replacement_on_its_way)
{
	struct ouch50_out m = accepted(OUCH50_REPLACED, 2, OID2, 'D');

	m.accepted.user_ref_orig = 1;
	cr_assert_eq(heard(&m).flags, GN_EXEC_F_DEAD);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
	cr_assert_eq(o.order[2].state, SENT_DEAD);
}

Test(gateway_ouch50, hears_canceled_in_part_and_in_whole, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_CANCELED, .ns = NOON_NS, .canceled = {.user_ref = 1, .qty = 30, .reason = 'U'}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_CANCELED);
	cr_assert_eq(exec.qty, 30);
	cr_assert_eq(exec.reason, 'U');
	cr_assert_eq(exec.flags, 0);
	cr_assert_eq(o.order[1].leaves, 70);
	m.canceled.qty = 70;
	heard(&m);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
}

Test(gateway_ouch50, hears_self_match_prevention, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_AIQ_CANCELED, .ns = NOON_NS,
		.canceled = {.user_ref = 1, .qty = 20, .reason = 'Q', .liquidity = 'A', .strategy = 'D', .qty_prevented = 20, .px = PX(10)}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_CANCELED);
	cr_assert_eq(exec.flags, GN_EXEC_F_PREVENTED);
	cr_assert_eq(exec.reason, 'Q');
	cr_assert_eq(exec.qty, 20);
	cr_assert_eq(o.order[1].leaves, 80);
}

Test(gateway_ouch50, hears_executed, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_EXECUTED, .ns = NOON_NS,
		.executed = {.user_ref = 1, .qty = 60, .px = PX(9), .match = 4711, .liquidity = 'R'}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_FILLED);
	cr_assert_eq(exec.qty, 60);
	cr_assert_eq(exec.px.e9, PX(9).e9);
	cr_assert_eq(exec.match, 4711);
	cr_assert_eq(exec.liquidity, 'R');
	cr_assert_eq(o.order[1].leaves, 40);
	m.executed.qty = 1000;
	heard(&m);
	cr_assert_eq(o.order[1].state, SENT_DEAD, "more than was open is no underflow");
}

Test(gateway_ouch50, hears_rejected, .init = given_one_order)
{
	struct ouch50_out m = {.type = OUCH50_REJECTED, .ns = NOON_NS,
		.rejected = {.user_ref = 1, .reason = 0x17, .clordid = ouch50_clordid_from_oid(OID)}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_REJECTED);
	cr_assert_eq(exec.code, 0x17);
	cr_assert_eq(exec.oid, OID);
	cr_assert_eq(o.order[1].state, SENT_DEAD);
}

Test(gateway_ouch50, a_rejected_replacement_leaves_the_original_alone, .init = given_a_replacement_on_its_way)
{
	struct ouch50_out m = {.type = OUCH50_REJECTED, .ns = NOON_NS,
		.rejected = {.user_ref = 2, .reason = 0x15, .clordid = ouch50_clordid_from_oid(OID2)}};

	cr_assert_eq(heard(&m).oid, OID2);
	cr_assert_eq(o.order[1].state, SENT_LIVE);
	cr_assert_eq(o.order[2].state, SENT_DEAD);
	cr_assert_eq(sent_orders_next_void(&o), 0);
}

Test(gateway_ouch50, hears_broken, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_BROKEN, .ns = NOON_NS,
		.broken = {.user_ref = 1, .reason = 'E', .match = 4711, .clordid = ouch50_clordid_from_oid(OID)}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_BROKEN);
	cr_assert_eq(exec.match, 4711);
	cr_assert_eq(exec.reason, 'E');
	cr_assert_eq(o.order[1].leaves, 100);
}

Test(gateway_ouch50, hears_cancel_pending_and_cancel_reject, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_CANCEL_PENDING, .ns = NOON_NS, .user_ref = 1};

	o.order[1].flags = SENT_CANCEL_SENT;
	cr_assert_eq(heard(&m).kind, GN_EXEC_CANCEL_PENDING);
	cr_assert_eq(o.order[1].flags, SENT_CANCEL_SENT);
	m.type = OUCH50_CANCEL_REJECTED;
	cr_assert_eq(heard(&m).kind, GN_EXEC_CANCEL_REJECTED);
	cr_assert_eq(o.order[1].flags, 0);
	cr_assert_eq(o.order[1].state, SENT_LIVE);
}

Test(gateway_ouch50, hears_priority_update_modified_and_restated, .init = given_one_live_order)
{
	struct ouch50_out m = {.type = OUCH50_PRIORITY, .ns = NOON_NS, .priority = {.user_ref = 1, .px = PX(8), .display = 'Y'}};
	struct gn_exec exec = heard(&m);

	cr_assert_eq(exec.kind, GN_EXEC_RESTATED);
	cr_assert_eq(exec.reason, 'T');
	cr_assert_eq(exec.px.e9, PX(8).e9);
	m = (struct ouch50_out){.type = OUCH50_MODIFIED, .ns = NOON_NS, .modified = {.user_ref = 1, .qty = 55, .side = 'B'}};
	exec = heard(&m);
	cr_assert_eq(exec.reason, 'M');
	cr_assert_eq(exec.qty, 55);
	cr_assert_eq(o.order[1].leaves, 55);
	m = (struct ouch50_out){.type = OUCH50_RESTATED, .ns = NOON_NS, .restated = {.user_ref = 1, .reason = 'P'}};
	cr_assert_eq(heard(&m).reason, 'P');
}

Test(gateway_ouch50, system_events_are_nobodys_order_and_a_query_reply_names_a_number)
{
	struct ouch50_out m = {.type = OUCH50_SYSTEM, .ns = NOON_NS, .event = 'S'};
	uint8_t msg[OUCH50_BYTES_MAX];
	struct venue_report r;

	cr_assert(gateway_ouch50.decode(msg, ouch50_encode_out(&m, msg), &r));
	cr_assert_eq(r.kind, REPORT_NONE);
	m = (struct ouch50_out){.type = OUCH50_QUERY_REPLY, .ns = NOON_NS, .user_ref = 12};
	cr_assert(gateway_ouch50.decode(msg, ouch50_encode_out(&m, msg), &r));
	cr_assert_eq(r.kind, REPORT_NEXT);
	cr_assert_eq(r.number, 12);
}

Test(gateway_ouch50, a_report_for_an_unknown_or_anothers_number_names_no_order, .init = given_one_order)
{
	static const uint32_t odd[] = {0, 2, 63, 64, 65, UINT32_MAX};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct ouch50_out m = {.type = OUCH50_EXECUTED, .ns = NOON_NS, .executed = {.user_ref = odd[i], .qty = 1, .px = PX(1)}};
		struct gn_exec exec = heard(&m);
		cr_assert_eq(exec.oid, 0);
		cr_assert_eq(exec.inst, GN_INST_NONE);
		cr_assert_eq(exec.qty, 1);
	}
	struct ouch50_out m = accepted(OUCH50_ACCEPTED, 1, OID2, 'L');
	cr_assert_eq(heard(&m).oid, 0, "our number, but not the order id that we gave it");
	cr_assert_eq(o.order[1].state, SENT_WAITING);
}

Test(gateway_ouch50, the_death_of_an_order_voids_its_whole_chain_of_replacements, .init = given_a_replacement_on_its_way)
{
	struct gn_order_req req = {.kind = GN_REQ_REPLACE, .oid = gn_oid_make(0, 3), .oid_prev = OID2, .qty = 50};
	struct ouch50_out m = {.type = OUCH50_EXECUTED, .ns = NOON_NS, .executed = {.user_ref = 1, .qty = 100, .px = PX(9)}};

	sent_orders_add(&o, 3, &req, 2);
	req.oid = gn_oid_make(0, 4);
	sent_orders_add(&o, 4, &req, 1);
	heard(&m);
	cr_assert_eq(sent_orders_next_void(&o), 4);
	cr_assert_eq(sent_orders_next_void(&o), 2);
	cr_assert_eq(sent_orders_next_void(&o), 3);
	cr_assert_eq(sent_orders_next_void(&o), 0);
}

Test(gateway_ouch50, a_replacement_that_wins_voids_its_rivals, .init = given_a_replacement_on_its_way)
{
	struct gn_order_req req = {.kind = GN_REQ_REPLACE, .oid = gn_oid_make(0, 3), .oid_prev = OID, .qty = 50};
	struct ouch50_out m = accepted(OUCH50_REPLACED, 2, OID2, 'L');

	sent_orders_add(&o, 3, &req, 1);
	m.accepted.user_ref_orig = 1;
	heard(&m);
	cr_assert_eq(sent_orders_next_void(&o), 3);
	cr_assert_eq(sent_orders_next_void(&o), 0);
}

Test(gateway_ouch50, finds_every_order_by_id_in_a_full_table)
{
	cr_assert_eq(sent_orders_init(&o, 5000, -1), 0);
	for (uint32_t n = 1; n <= 5000; n++) {
		struct gn_order_req req = buy(gn_oid_make(n % 7, n / 7 + 1));
		cr_assert_eq(sent_orders_next(&o, req.oid), n);
		sent_orders_add(&o, n, &req, 0);
	}
	cr_assert_eq(sent_orders_next(&o, 1), 0, "full");
	for (uint32_t n = 1; n <= 5000; n++)
		cr_assert_eq(sent_orders_find(&o, gn_oid_make(n % 7, n / 7 + 1)), n);
	cr_assert_eq(sent_orders_find(&o, gn_oid_make(8, 1)), 0);
	cr_assert_eq(sent_orders_find(&o, 0), 0);
	sent_orders_fini(&o);
}

Test(gateway_ouch50, refuses_a_table_of_no_or_of_too_many_orders)
{
	cr_assert_lt(sent_orders_init(&o, 0, -1), 0);
	cr_assert_lt(sent_orders_init(&o, UINT32_MAX, -1), 0);
}
