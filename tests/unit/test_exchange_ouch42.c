/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/codec/ouch42.h"
#include "tests/sim/exchange_harness.h"

static struct harness h;
static struct harness_client *c;
static const struct exchange_account accounts[] = {
	{.username = "NEW", .password = "x", .dialect = EXCHANGE_OUCH50},
	{.username = "OLD", .password = "x", .dialect = EXCHANGE_OUCH42},
};

static void send(const struct ouch42_in *in)
{
	uint8_t msg[OUCH42_BYTES_MAX];

	harness_packet(c, SOUP_UNSEQUENCED, msg, ouch42_encode_in(in, msg));
}

static struct ouch42_out report(uint8_t type)
{
	struct soup_packet p = harness_expect(c, SOUP_SEQUENCED);
	struct ouch42_out out;

	cr_assert_eq(ouch42_decode_out(p.payload, p.bytes, &out), OUCH42_OK);
	cr_assert_eq(out.type, type, "report '%c', expected '%c'", out.type, type);
	return out;
}

static struct ouch50_clordid token(const char *text)
{
	struct ouch50_clordid t = {.c = "              "};

	memcpy(t.c, text, strlen(text));
	return t;
}

static bool is_token(const struct ouch50_clordid *t, const char *text)
{
	struct ouch50_clordid other = token(text);

	return memcmp(t->c, other.c, OUCH50_CLORDID_BYTES) == 0;
}

static struct ouch42_in order(const char *name, char side, uint32_t qty)
{
	return (struct ouch42_in){
		.type = OUCH42_ENTER,
		.enter = {.token = token(name), .symbol = {.c = "AAAA"}, .px = {.e9 = INT64_C(10000000000)}, .qty = qty,
			.tif_s = OUCH42_TIF_MARKET_HOURS, .firm = "FIRM", .side = side, .display = 'Y', .capacity = 'A', .iso = 'N',
			.cross = 'N', .customer_type = 'R'},
	};
}

static void enter(const char *name, char side, uint32_t qty)
{
	struct ouch42_in in = order(name, side, qty);

	send(&in);
}

static void given_client(void)
{
	memset(&h, 0, sizeof(h));
	h.config = (struct exchange_config){.n_symbols = 1, .orders_max = 1024, .client_orders_max = 64, .store_mib = 1,
		.reports_mib = 1, .flow = {.off = true}, .start_now = true, .accounts = accounts, .n_accounts = 2,
		.ouch42_port = 26401};
	harness_start(&h);
	c = harness_connect(&h, EXCHANGE_SERVICE_OUCH42);
	harness_login(c, "OLD", "x", 1);
	harness_expect(c, SOUP_ACCEPTED);
	harness_until(&h, EXCHANGE_OPEN);
	cr_assert_eq(report(OUCH42_SYSTEM).event, 'S');
}

static void clean_up(void)
{
	harness_stop(&h);
}

TestSuite(exchange_ouch42, .init = given_client, .fini = clean_up, .timeout = 30);

Test(exchange_ouch42, account_of_the_other_dialect_is_rejected_on_either_port)
{
	struct harness_client *n = harness_connect(&h, EXCHANGE_SERVICE_OUCH42);

	harness_login(n, "NEW", "x", 1);
	harness_expect(n, SOUP_REJECTED);
	n = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	harness_login(n, "OLD", "x", 1);
	harness_expect(n, SOUP_REJECTED);
}

Test(exchange_ouch42, order_lives_trades_is_replaced_and_cancelled_by_its_tokens)
{
	enter("one", 'B', 500);
	struct ouch42_accepted a = report(OUCH42_ACCEPTED).accepted;

	cr_assert(is_token(&a.token, "one"));
	cr_assert_eq(a.qty, 500);
	cr_assert_eq(a.tif_s, OUCH42_TIF_MARKET_HOURS);
	cr_assert_eq(memcmp(a.firm, "FIRM", 4), 0);
	enter("two", 'S', 100);
	report(OUCH42_ACCEPTED);
	struct ouch42_executed e = report(OUCH42_EXECUTED).executed;

	cr_assert(is_token(&e.token, "one"));
	cr_assert_eq(e.liquidity, 'A');
	e = report(OUCH42_EXECUTED).executed;
	cr_assert(is_token(&e.token, "two"));
	struct ouch42_in r = {.type = OUCH42_REPLACE,
		.replace = {.token_orig = token("one"), .token = token("three"), .qty = 300, .px = {.e9 = INT64_C(9000000000)},
			.tif_s = OUCH42_TIF_SYSTEM_HOURS, .display = 'N', .iso = 'N'}};
	send(&r);
	a = report(OUCH42_REPLACED).accepted;
	cr_assert(is_token(&a.token, "three"));
	cr_assert(is_token(&a.token_orig, "one"));
	cr_assert_eq(a.qty, 200, "100 of the 300 are filled");
	cr_assert_eq(a.display, 'N');
	struct ouch42_in x = {.type = OUCH42_CANCEL, .cancel = {.token = token("three"), .qty = 0}};
	send(&x);
	struct ouch42_canceled gone = report(OUCH42_CANCELED).canceled;

	cr_assert(is_token(&gone.token, "three"));
	cr_assert_eq(gone.qty, 200);
	send(&x);
	cr_assert(harness_quiet(c));
}

Test(exchange_ouch42, used_token_is_ignored_even_after_a_rejection)
{
	enter("one", 'B', 100);
	report(OUCH42_ACCEPTED);
	enter("one", 'B', 100);
	enter("bad", 'B', 0);
	cr_assert_eq(report(OUCH42_REJECTED).rejected.reason, 'Z');
	enter("bad", 'B', 100);
	cr_assert(harness_quiet(c));
	cr_assert_eq(exchange_orders(h.x)->n.ignored_number, 2);
}

Test(exchange_ouch42, post_only_ioc_modify_and_trade_now_do_what_they_say)
{
	struct ouch42_in in = order("one", 'S', 100);

	send(&in);
	report(OUCH42_ACCEPTED);
	in = order("two", 'B', 100);
	in.enter.display = 'P';
	send(&in);
	cr_assert_eq(report(OUCH42_ACCEPTED).accepted.display, 'P');
	cr_assert_eq(report(OUCH42_CANCELED).canceled.reason, 'G');
	struct ouch42_in m = {.type = OUCH42_MODIFY, .modify = {.token = token("one"), .qty = 60, .side = 'T'}};
	send(&m);
	cr_assert_eq(report(OUCH42_MODIFIED).modified.qty, 60);
	struct ouch42_in now = {.type = OUCH42_TRADE_NOW, .token = token("one")};
	send(&now);
	report(OUCH42_TRADE_NOW_REPLY);
	now.token = token("none");
	send(&now);
	in = order("three", 'B', 100);
	in.enter.tif_s = OUCH42_TIF_IOC;
	send(&in);
	cr_assert_eq(report(OUCH42_ACCEPTED).accepted.tif_s, OUCH42_TIF_IOC);
	report(OUCH42_EXECUTED);
	report(OUCH42_EXECUTED);
	cr_assert_eq(report(OUCH42_CANCELED).canceled.qty, 40);
}

Test(exchange_ouch42, malformed_message_closes_the_connection)
{
	harness_packet(c, SOUP_UNSEQUENCED, "Oxx", 3);
	cr_assert_not(c->up);
	cr_assert_eq(exchange_orders(h.x)->n.malformed_length, 1);
}
