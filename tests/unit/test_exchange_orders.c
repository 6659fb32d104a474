/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/exchange/ledger.h"
#include "dataplane/codec/ouch50_options.h"
#include "dataplane/runtime/compiler.h"
#include "tests/sim/exchange_harness.h"

#define PX 100000u /* ten dollars */

static struct harness h;
static struct harness_client *c;

static struct exchange_account accounts[] = {
	{.username = "ALICE", .password = "secret"},
	{.username = "BOB", .password = "hidden"},
};

static void login(struct harness_client *client, const char *user, const char *password)
{
	harness_login(client, user, password, 1);
	harness_expect(client, SOUP_ACCEPTED);
	harness_run(&h, 5);
	cr_assert_eq(harness_report(client, OUCH50_SYSTEM).event, 'S');
}

/* an empty market with one client in it */
static void given_client(void)
{
	memset(&h, 0, sizeof(h));
	h.config.n_symbols = 3;
	h.config.orders_max = 1024;
	h.config.client_orders_max = 64;
	h.config.store_mib = 1;
	h.config.reports_mib = 1;
	h.config.flow.off = true;
	h.config.start_now = true;
	h.config.accounts = accounts;
	h.config.n_accounts = 2;
	harness_start(&h);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	login(c, "ALICE", "secret");
	harness_until(&h, EXCHANGE_OPEN);
}

static void given_client_of(void (*change)(void))
{
	harness_stop(&h);
	given_client();
	harness_stop(&h);
	change();
	harness_start(&h);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	login(c, "ALICE", "secret");
	harness_until(&h, EXCHANGE_OPEN);
}

static void enter(uint32_t user_ref, char side, uint32_t qty, uint32_t px_e4)
{
	struct ouch50_in in = harness_enter(&h, user_ref, side, qty, px_e4, 0);

	harness_ouch(c, &in);
}

static void replace(uint32_t orig, uint32_t user_ref, uint32_t qty, uint32_t px_e4)
{
	struct ouch50_in in = {
		.type = OUCH50_REPLACE,
		.replace = {.user_ref_orig = orig, .user_ref = user_ref, .qty = qty, .px = {.e9 = px_e4 * GN_PX_E9_PER_E4},
			.tif = OUCH50_TIF_DAY, .display = OUCH50_DISPLAY, .iso = 'N',
			.clordid = ouch50_clordid_from_oid(gn_oid_make(0, user_ref))},
	};

	harness_ouch(c, &in);
}

static void cancel(uint32_t user_ref, uint32_t qty)
{
	harness_ouch(c, &(struct ouch50_in){.type = OUCH50_CANCEL, .cancel = {.user_ref = user_ref, .qty = qty}});
}

static uint32_t next_user_ref(void)
{
	harness_ouch(c, &(struct ouch50_in){.type = OUCH50_QUERY});
	return harness_report(c, OUCH50_QUERY_REPLY).user_ref;
}

static const struct order_port_counts *counts(void)
{
	return &exchange_orders(h.x)->n;
}

static const struct soup_server_counts *sessions(void)
{
	static struct exchange_counts n;

	n = exchange_counts(h.x);
	return &n.service[EXCHANGE_SERVICE_OUCH50];
}

static void clean_up(void)
{
	harness_stop(&h);
}

TestSuite(exchange_orders, .init = given_client, .fini = clean_up, .timeout = 30);

Test(exchange_orders, accepts_an_order_and_echoes_all_of_it)
{
	struct ouch50_in in = harness_enter(&h, 7, OUCH50_SELL_SHORT, 250, PX, 1);

	harness_ouch(c, &in);
	struct ouch50_accepted a = harness_report(c, OUCH50_ACCEPTED).accepted;

	cr_assert_eq(a.user_ref, 7);
	cr_assert_eq(a.side, OUCH50_SELL_SHORT);
	cr_assert_eq(a.qty, 250);
	cr_assert_eq(a.px.e9, PX * GN_PX_E9_PER_E4);
	cr_assert_eq(a.symbol.word, in.enter.symbol.word);
	cr_assert_eq(a.state, OUCH50_STATE_LIVE);
	cr_assert_eq(memcmp(&a.clordid, &in.enter.clordid, sizeof(a.clordid)), 0);
	cr_assert_neq(a.order_ref, 0);
	cr_assert(harness_quiet(c));
}

Test(exchange_orders, number_that_is_not_above_the_last_is_ignored)
{
	enter(5, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	enter(5, 'B', 100, PX);
	enter(4, 'B', 100, PX);
	cr_assert(harness_quiet(c));
	cr_assert_eq(counts()->ignored_number, 2);
	cr_assert_eq(next_user_ref(), 6);
	enter(9, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	cr_assert_eq(next_user_ref(), 10, "holes are allowed");
}

Test(exchange_orders, rejected_order_uses_its_number_up)
{
	enter(1, 'B', 0, PX);
	struct ouch50_rejected j = harness_report(c, OUCH50_REJECTED).rejected;

	cr_assert_eq(j.user_ref, 1);
	cr_assert_eq(j.reason, ORDER_REJECT_QTY);
	enter(1, 'B', 100, PX);
	cr_assert(harness_quiet(c));
	cr_assert_eq(next_user_ref(), 2);
}

Test(exchange_orders, rejects_what_makes_no_sense_with_the_reason)
{
	struct {
		struct ouch50_in in;
		uint16_t reason;
	} bad[10];

	for (uint32_t i = 0; i < GN_ARRAY_SIZE(bad); i++)
		bad[i].in = harness_enter(&h, i + 1, 'B', 100, PX, 0);
	bad[0].in.enter.side = 'X', bad[0].reason = ORDER_REJECT_SIDE;
	bad[1].in.enter.qty = 1000000, bad[1].reason = ORDER_REJECT_QTY;
	bad[2].in.enter.px.e9 = 0, bad[2].reason = ORDER_REJECT_PRICE;
	bad[3].in.enter.px.e9 += GN_PX_E9_PER_E4, bad[3].reason = ORDER_REJECT_PRICE; /* off the tick */
	bad[4].in.enter.tif = '6', bad[4].reason = ORDER_REJECT_TYPE;
	bad[5].in.enter.display = 'Q', bad[5].reason = ORDER_REJECT_DISPLAY;
	bad[6].in.enter.cross = 'O', bad[6].reason = ORDER_REJECT_CROSS;
	bad[7].in.enter.symbol.word = 0x5a5a5a5a, bad[7].reason = ORDER_REJECT_SYMBOL;
	bad[8].in.enter.px.e9 = (int64_t)OUCH50_PX_E4_MARKET * GN_PX_E9_PER_E4, bad[8].reason = ORDER_REJECT_PRICE; /* day */
	bad[9].in.enter.iso = ' ', bad[9].reason = ORDER_REJECT_ISO;
	for (uint32_t i = 0; i < GN_ARRAY_SIZE(bad); i++) {
		harness_ouch(c, &bad[i].in);
		cr_expect_eq(harness_report(c, OUCH50_REJECTED).rejected.reason, bad[i].reason, "case %u", i);
	}
}

Test(exchange_orders, fills_reach_both_sides_with_one_match_number)
{
	struct harness_client *bob = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	login(bob, "BOB", "hidden");
	enter(1, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	struct ouch50_in in = harness_enter(&h, 1, 'S', 60, PX - 100, 0);
	harness_ouch(bob, &in);
	harness_report(bob, OUCH50_ACCEPTED);
	struct ouch50_executed taker = harness_report(bob, OUCH50_EXECUTED).executed;
	struct ouch50_executed maker = harness_report(c, OUCH50_EXECUTED).executed;

	cr_assert_eq(taker.match, maker.match);
	cr_assert_eq(taker.qty, 60);
	cr_assert_eq(taker.px.e9, PX * GN_PX_E9_PER_E4, "at the price of the order that waited");
	cr_assert_eq(taker.liquidity, 'R');
	cr_assert_eq(maker.liquidity, 'A');
}

Test(exchange_orders, cancel_in_part_names_the_total_and_superfluous_ones_are_ignored)
{
	enter(1, 'B', 500, PX);
	harness_report(c, OUCH50_ACCEPTED);
	enter(2, 'S', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	harness_report(c, OUCH50_EXECUTED);
	harness_report(c, OUCH50_EXECUTED);
	cancel(1, 300);
	struct ouch50_canceled x = harness_report(c, OUCH50_CANCELED).canceled;

	cr_assert_eq(x.qty, 200, "100 filled and 200 open make 300");
	cr_assert_eq(x.reason, 'U');
	cancel(1, 300);
	cancel(1, 400);
	cancel(99, 0);
	cr_assert(harness_quiet(c));
	cancel(1, 50); /* below what is filled: all that is open goes */
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.qty, 200);
	cancel(1, 0);
	cr_assert(harness_quiet(c));
}

Test(exchange_orders, replace_counts_the_whole_chain)
{
	enter(1, 'B', 500, PX);
	harness_report(c, OUCH50_ACCEPTED);
	enter(2, 'S', 100, PX);
	for (uint32_t i = 0; i < 3; i++)
		harness_report(c, i ? OUCH50_EXECUTED : OUCH50_ACCEPTED);
	replace(1, 3, 400, PX + 100);
	struct ouch50_accepted r = harness_report(c, OUCH50_REPLACED).accepted;

	cr_assert_eq(r.user_ref_orig, 1);
	cr_assert_eq(r.user_ref, 3);
	cr_assert_eq(r.qty, 300, "400 in total, 100 of them are filled");
	cr_assert_eq(r.side, 'B');
	replace(3, 4, 100, PX); /* nothing would be left */
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.user_ref, 3);
	cr_assert_eq(next_user_ref(), 4, "the number is not used up");
}

Test(exchange_orders, replace_of_a_dead_order_or_with_a_used_number_is_ignored)
{
	enter(1, 'B', 500, PX);
	harness_report(c, OUCH50_ACCEPTED);
	replace(1, 1, 400, PX);
	replace(2, 3, 400, PX);
	cr_assert(harness_quiet(c));
	cancel(1, 0);
	harness_report(c, OUCH50_CANCELED);
	replace(1, 2, 400, PX);
	cr_assert(harness_quiet(c));
	cr_assert_eq(next_user_ref(), 2);
}

Test(exchange_orders, replace_with_bad_details_cancels_the_original)
{
	enter(1, 'B', 500, PX);
	harness_report(c, OUCH50_ACCEPTED);
	replace(1, 2, 1000000, PX);
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.qty, 500);
	cr_assert(harness_quiet(c));
	cr_assert_eq(next_user_ref(), 2);
}

Test(exchange_orders, modify_changes_side_and_shrinks)
{
	enter(1, 'S', 500, PX);
	harness_report(c, OUCH50_ACCEPTED);
	struct ouch50_in m = {.type = OUCH50_MODIFY, .modify = {.user_ref = 1, .qty = 200, .side = 'T'}};

	harness_ouch(c, &m);
	struct ouch50_modified done = harness_report(c, OUCH50_MODIFIED).modified;

	cr_assert_eq(done.side, 'T');
	cr_assert_eq(done.qty, 200);
	m.modify.side = 'B';
	harness_ouch(c, &m);
	cr_assert(harness_quiet(c), "a sale never becomes a buy");
}

Test(exchange_orders, post_only_and_ioc_end_as_they_should)
{
	uint8_t bytes[OUCH50_APPENDAGE_BYTES_MAX];
	struct ouch50_options o = {.present = 1u << OUCH50_TAG_POST_ONLY, .post_only = {'P'}};

	enter(1, 'S', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	struct ouch50_in in = harness_enter(&h, 2, 'B', 100, PX, 0);

	in.enter.appendage = ouch50_options_encode(&o, bytes);
	harness_ouch(c, &in);
	cr_assert_eq(harness_report(c, OUCH50_ACCEPTED).accepted.appendage.bytes, in.enter.appendage.bytes);
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.reason, 'G');
	in = harness_enter(&h, 3, 'B', 300, PX, 0);
	in.enter.tif = OUCH50_TIF_IOC;
	harness_ouch(c, &in);
	harness_report(c, OUCH50_ACCEPTED);
	harness_report(c, OUCH50_EXECUTED);
	harness_report(c, OUCH50_EXECUTED);
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.qty, 200);
}

Test(exchange_orders, full_memory_of_orders_rejects_and_goes_on)
{
	for (uint32_t i = 1; i <= 64; i++) {
		enter(i, 'B', 100, PX);
		harness_report(c, OUCH50_ACCEPTED);
	}
	enter(65, 'B', 100, PX);
	cr_assert_eq(harness_report(c, OUCH50_REJECTED).rejected.reason, ORDER_REJECT_PROCESSING);
	cancel(64, 0);
	harness_report(c, OUCH50_CANCELED);
}

Test(exchange_orders, wrong_name_password_port_and_session_are_rejected)
{
	static const char *const who[][2] = {{"NOBODY", "secret"}, {"ALICE", "wrong"}, {"BOB", "secret"}};

	for (uint32_t i = 0; i < 3; i++) {
		struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

		harness_login(n, who[i][0], who[i][1], 1);
		struct soup_packet p = harness_expect(n, SOUP_REJECTED);
		cr_expect_eq(soup_rejected_parse(&p), SOUP_REJECT_NOT_AUTHORISED);
		cr_expect_not(n->up);
	}
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	uint8_t out[SOUP_LOGIN_41_BYTES];
	struct soup_login l = {.username = "BOB", .password = "hidden", .session = "YESTERDAY", .seq = 1};

	harness_send(n, out, soup_login_build(&l, out));
	struct soup_packet p = harness_expect(n, SOUP_REJECTED);
	cr_assert_eq(soup_rejected_parse(&p), SOUP_REJECT_NO_SESSION);
	cr_assert_null(harness_connect(&h, EXCHANGE_SERVICE_OUCH42), "nobody listens there");
}

Test(exchange_orders, name_and_password_ignore_case)
{
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_login(n, "bob", "HIDDEN", 1);
	harness_expect(n, SOUP_ACCEPTED);
}

Test(exchange_orders, packets_may_be_split_and_merged_anywhere)
{
	uint8_t bytes[1024], msg[OUCH50_BYTES_MAX];
	uint32_t n = 0;

	for (uint32_t i = 1; i <= 4; i++) {
		struct ouch50_in in = harness_enter(&h, i, 'B', i * 100, PX, 0);

		n += soup_build(bytes + n, SOUP_UNSEQUENCED, msg, ouch50_encode_in(&in, msg));
	}
	for (uint32_t i = 0; i < n; i++)
		harness_send(c, bytes + i, 1);
	for (uint32_t i = 1; i <= 4; i++)
		cr_assert_eq(harness_report(c, OUCH50_ACCEPTED).accepted.qty, i * 100);
	n = 0;
	for (uint32_t i = 5; i <= 8; i++) {
		struct ouch50_in in = harness_enter(&h, i, 'B', i * 100, PX, 0);

		n += soup_build(bytes + n, SOUP_UNSEQUENCED, msg, ouch50_encode_in(&in, msg));
	}
	harness_send(c, bytes, n);
	for (uint32_t i = 5; i <= 8; i++)
		cr_assert_eq(harness_report(c, OUCH50_ACCEPTED).accepted.qty, i * 100);
}

Test(exchange_orders, malformed_streams_close_the_connection_and_say_why)
{
	static const uint8_t zero[] = {0, 0}, longer[] = {0xff, 0xff, 'U'};

	harness_send(c, zero, sizeof(zero));
	cr_assert_not(c->up);
	cr_assert_eq(sessions()->closed_malformed, 1);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	login(c, "ALICE", "secret");
	harness_send(c, longer, sizeof(longer));
	cr_assert_not(c->up, "longer than any message of ours");
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	login(c, "ALICE", "secret");
	harness_packet(c, SOUP_UNSEQUENCED, "O12", 3);
	cr_assert_not(c->up);
	cr_assert_eq(counts()->malformed_length, 1);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	login(c, "ALICE", "secret");
	harness_packet(c, SOUP_UNSEQUENCED, "?", 1);
	cr_assert_not(c->up);
	cr_assert_eq(counts()->malformed_type, 1);
	cr_assert_eq(sessions()->closed_message, 2);
}

Test(exchange_orders, message_before_login_and_second_login_close_the_connection)
{
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_packet(n, SOUP_UNSEQUENCED, "Q", 1);
	cr_assert_not(n->up);
	harness_login(c, "ALICE", "secret", 1);
	cr_assert_not(c->up);
	cr_assert_eq(sessions()->closed_order, 2);
}

Test(exchange_orders, resumes_where_the_client_says)
{
	for (uint32_t i = 1; i <= 5; i++)
		enter(i, 'B', 100 * i, PX);
	harness_drop(c);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	harness_login(c, "ALICE", "secret", 4); /* 1 was the system event: this is the third order */
	struct soup_packet p = harness_expect(c, SOUP_ACCEPTED);
	struct soup_accepted a;

	cr_assert(soup_accepted_parse(&p, &a));
	cr_assert_eq(a.seq, 4);
	for (uint32_t i = 3; i <= 5; i++)
		cr_assert_eq(harness_report(c, OUCH50_ACCEPTED).accepted.user_ref, i);
	cr_assert(harness_quiet(c));
	cr_assert_eq(next_user_ref(), 6);
}

Test(exchange_orders, sequence_zero_gets_only_what_is_new_and_one_ahead_gets_the_next)
{
	enter(1, 'B', 100, PX);
	harness_drop(c);
	for (uint64_t seq = 0; seq <= 100; seq += 100) {
		c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
		harness_login(c, "ALICE", "secret", seq);
		struct soup_packet p = harness_expect(c, SOUP_ACCEPTED);
		struct soup_accepted a;

		cr_assert(soup_accepted_parse(&p, &a));
		cr_assert_eq(a.seq, 3);
		cr_assert(harness_quiet(c));
		harness_drop(c);
	}
}

Test(exchange_orders, reports_of_a_client_that_is_away_wait_for_it)
{
	struct harness_client *bob = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	login(bob, "BOB", "hidden");
	enter(1, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	harness_drop(c);
	struct ouch50_in in = harness_enter(&h, 1, 'S', 100, PX, 0);
	harness_ouch(bob, &in);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	harness_login(c, "ALICE", "secret", 3);
	harness_expect(c, SOUP_ACCEPTED);
	cr_assert_eq(harness_report(c, OUCH50_EXECUTED).executed.qty, 100);
}

Test(exchange_orders, connection_without_room_gets_everything_later_and_in_order)
{
	c->room = 0;
	for (uint32_t i = 1; i <= 40; i++)
		enter(i, 'B', 100, PX);
	c->room = UINT32_MAX;
	harness_run(&h, 1);
	for (uint32_t i = 1; i <= 40; i++)
		cr_assert_eq(harness_report(c, OUCH50_ACCEPTED).accepted.user_ref, i);
	cr_assert_gt(sessions()->no_room, 0);
}

Test(exchange_orders, newer_login_takes_the_place_of_the_older)
{
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_login(n, "ALICE", "secret", 0);
	harness_expect(n, SOUP_ACCEPTED);
	cr_assert_not(c->up);
	cr_assert(n->up);
	cr_assert_eq(sessions()->taken_over, 1);
	cr_assert_eq(exchange_counts(h.x).sessions, 1);
}

Test(exchange_orders, heartbeats_go_out_each_second_and_silence_ends_the_link)
{
	harness_run(&h, 3100);
	uint32_t n = 0;
	struct soup_packet p;

	while (harness_next(c, &p))
		n += p.type == SOUP_SERVER_HEARTBEAT;
	cr_assert_eq(n, 3);
	cr_assert(c->up);
	harness_packet(c, SOUP_CLIENT_HEARTBEAT, NULL, 0);
	harness_run(&h, 14900);
	cr_assert(c->up);
	harness_run(&h, 200);
	cr_assert_not(c->up);
	cr_assert_eq(sessions()->closed_dead, 1);
}

Test(exchange_orders, client_that_never_logs_in_is_cut_off)
{
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	for (uint32_t i = 0; i < 31; i++) {
		harness_packet(c, SOUP_CLIENT_HEARTBEAT, NULL, 0);
		harness_run(&h, 1000);
	}
	cr_assert_not(n->up);
	cr_assert(c->up);
	cr_assert_eq(sessions()->closed_no_login, 1);
}

Test(exchange_orders, logout_closes_and_leaves_the_orders)
{
	enter(1, 'B', 100, PX);
	harness_packet(c, SOUP_LOGOUT, NULL, 0);
	cr_assert_not(c->up);
	cr_assert_eq(exchange_counts(h.x).match.live, 1);
	cr_assert_eq(sessions()->logouts, 1);
}

static void cancels_on_disconnect(void)
{
	accounts[0].cancel_on_disconnect = true;
}

Test(exchange_orders, cancel_on_disconnect_cancels_and_tells_later)
{
	given_client_of(cancels_on_disconnect);
	enter(1, 'B', 100, PX);
	harness_drop(c);
	cr_assert_eq(exchange_counts(h.x).match.live, 0);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	harness_login(c, "ALICE", "secret", 3);
	harness_expect(c, SOUP_ACCEPTED);
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.reason, 'S');
}

static void prevents_self_match(void)
{
	h.config.self_match_prevention = true;
}

Test(exchange_orders, prevented_match_decrements_both_and_says_so)
{
	given_client_of(prevents_self_match);
	enter(1, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	enter(2, 'S', 150, PX);
	harness_report(c, OUCH50_ACCEPTED);
	struct ouch50_canceled d = harness_report(c, OUCH50_AIQ_CANCELED).canceled;

	cr_assert_eq(d.user_ref, 1);
	cr_assert_eq(d.qty, 100);
	cr_assert_eq(d.qty_prevented, 100);
	d = harness_report(c, OUCH50_AIQ_CANCELED).canceled;
	cr_assert_eq(d.user_ref, 2);
	replace(2, 3, 150, PX);
	cr_assert_eq(harness_report(c, OUCH50_REPLACED).accepted.qty, 50, "what was prevented counts towards the total");
}

Test(exchange_orders, close_of_the_day_cancels_reports_and_ends)
{
	enter(1, 'B', 100, PX);
	harness_report(c, OUCH50_ACCEPTED);
	exchange_stop(h.x);
	harness_until(&h, EXCHANGE_STOPPED);
	cr_assert_eq(harness_report(c, OUCH50_CANCELED).canceled.reason, 'E');
	cr_assert_eq(harness_report(c, OUCH50_SYSTEM).event, 'E');
	harness_expect(c, SOUP_END);
	cr_assert_not(c->up);
}

Test(exchange_orders, ledger_tells_orders_fills_and_positions_sorted)
{
	char *text;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	enter(2, 'S', 100, PX);
	enter(5, 'B', 30, PX);
	enter(6, 'B', 30, PX);
	replace(2, 7, 80, PX + 100);
	enter(8, 'B', 0, PX);
	cr_assert_eq(ledger_write(exchange_orders(h.x), to), 0);
	fclose(to);
	cr_assert_str_eq(text,
		"order,00002RRVTHNXTU,AAAA,S,100,10000000000,60,40,canceled\n"
		"order,00002RRVTHNXTX,AAAA,B,30,10000000000,30,0,filled\n"
		"order,00002RRVTHNXTY,AAAA,B,30,10000000000,30,0,filled\n"
		"order,00002RRVTHNXTZ,AAAA,S,20,10010000000,0,0,live\n"
		"order,00002RRVTHNXU0,AAAA,B,0,10000000000,0,0,rejected\n"
		"fill,00002RRVTHNXTU,1,30,10000000000\n"
		"fill,00002RRVTHNXTU,2,30,10000000000\n"
		"fill,00002RRVTHNXTX,1,30,10000000000\n"
		"fill,00002RRVTHNXTY,2,30,10000000000\n"
		"position,ALICE,AAAA,0\n", "%s", text);
	free(text);
}
