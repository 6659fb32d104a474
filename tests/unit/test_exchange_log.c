/* SPDX-License-Identifier: BSD-3-Clause */
/* An exchange that dies at any moment knows afterwards everything that a client had heard of. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exchange/ledger.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/runtime/err.h"
#include "tests/sim/exchange_harness.h"

#define PX 100000u

static struct harness h;
static struct harness_client *alice, *bob;
static char dir[] = "/tmp/gannet-exchange-log-XXXXXX";
static char path[64], torn[64];
static char session[11];

static struct exchange_account accounts[] = {
	{.username = "ALICE", .password = "secret"},
	{.username = "BOB", .password = "hidden"},
	{.username = "CAROL", .dialect = EXCHANGE_OUCH42},
};

static void note_session(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	(void)arg, (void)line, (void)bytes;
	memcpy(session, data, 10);
}

static struct harness_client *login(const char *user, const char *password, uint64_t seq)
{
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_login(c, user, password, seq);
	harness_expect(c, SOUP_ACCEPTED);
	return c;
}

static void start(const char *log)
{
	memset(&h, 0, sizeof(h));
	h.on_datagram = note_session;
	h.config = (struct exchange_config){.n_symbols = 3, .orders_max = 1024, .client_orders_max = 64, .store_mib = 1,
		.reports_mib = 1, .flow.off = true, .start_now = true, .accounts = accounts, .n_accounts = 3, .ouch42_port = 9,
		.log_file = log};
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
}

static void given_a_log(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	snprintf(torn, sizeof(torn), "%s/torn", dir);
	start(path);
	alice = login("ALICE", "secret", 1);
	bob = login("BOB", "hidden", 1);
}

static void clean_up(void)
{
	harness_stop(&h);
	unlink(path);
	unlink(torn);
	rmdir(dir);
}

static void enter(struct harness_client *c, uint32_t user_ref, char side, uint32_t qty, uint32_t px_e4)
{
	struct ouch50_in in = harness_enter(&h, user_ref, side, qty, px_e4, 0);

	harness_ouch(c, &in);
}

/* Fills, a partial one, a cancel, a replacement, a rejection, a broken trade. */
static void when_they_trade(void)
{
	struct ouch50_in replace = {.type = OUCH50_REPLACE,
		.replace = {.user_ref_orig = 1, .user_ref = 3, .qty = 90, .px = {.e9 = PX * GN_PX_E9_PER_E4}, .tif = OUCH50_TIF_DAY,
			.display = OUCH50_DISPLAY, .iso = 'N', .clordid = ouch50_clordid_from_oid(gn_oid_make(0, 3))}};

	enter(alice, 1, 'B', 100, PX);
	enter(bob, 1, 'S', 30, PX);
	enter(alice, 2, 'B', 10, PX + 1);
	harness_ouch(alice, &replace);
	enter(bob, 2, 'S', 20, PX);
	enter(alice, 4, 'B', 50, PX - 100);
	harness_ouch(alice, &(struct ouch50_in){.type = OUCH50_CANCEL, .cancel = {.user_ref = 4, .qty = 20}});
	enter(alice, 5, 'B', 0, PX);
	harness_run(&h, 5);
}

static char *ledger(void)
{
	char *text;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	cr_assert_eq(ledger_write(exchange_orders(h.x), to), 0);
	fclose(to);
	return text;
}

static uint64_t reports_of(uint32_t account)
{
	return exchange_orders(h.x)->account[account].stream.seq_next;
}

/* Only a copy: whoever died did not close in order. */
static void copy_log(size_t bytes)
{
	static char data[1 << 20];
	FILE *f = fopen(path, "rb");
	size_t n = fread(data, 1, sizeof(data), f);

	fclose(f);
	f = fopen(torn, "wb");
	fwrite(data, 1, n < bytes ? n : bytes, f);
	fclose(f);
}

static size_t log_bytes(void)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	return (size_t)st.st_size;
}

TestSuite(exchange_log, .init = given_a_log, .fini = clean_up, .timeout = 60);

Test(exchange_log, orders_fills_and_reports_are_there_again_and_what_was_open_is_cancelled)
{
	when_they_trade();
	uint64_t seq = reports_of(0);
	uint32_t n_orders = exchange_orders(h.x)->clients.n_orders;
	size_t n_fills = exchange_orders(h.x)->clients.n_fills;
	char *before = ledger();
	cr_assert(strstr(before, ",live\n"));
	copy_log(SIZE_MAX);
	harness_stop(&h);
	start(torn);
	char *after = ledger();
	cr_assert_eq(exchange_orders(h.x)->clients.n_orders, n_orders);
	cr_assert_eq(exchange_orders(h.x)->clients.n_fills, n_fills);
	cr_assert_not(strstr(after, ",live\n"), "%s", after);
	cr_assert_str_eq(strstr(after, "fill,"), strstr(before, "fill,"), "fills and positions are the same");
	cr_assert_gt(reports_of(0), seq);
	alice = login("ALICE", "secret", seq);
	struct ouch50_out out = harness_report(alice, OUCH50_CANCELED);
	cr_assert_eq(out.canceled.reason, 'Z');
	free(before);
	free(after);
}

Test(exchange_log, numbers_go_on_and_the_market_data_begins_anew)
{
	when_they_trade();
	char first[11];
	memcpy(first, session, sizeof(first));
	uint64_t last_match = 0;
	const struct clients *c = &exchange_orders(h.x)->clients;
	for (size_t i = 0; i < c->n_fills; i++)
		last_match = c->fill[i].match;
	copy_log(SIZE_MAX);
	harness_stop(&h);
	start(torn);
	cr_assert_str_eq(first, "GANNET0001");
	cr_assert_str_eq(session, "GANNET0002");
	alice = login("ALICE", "secret", reports_of(0));
	bob = login("BOB", "hidden", reports_of(1));
	harness_ouch(alice, &(struct ouch50_in){.type = OUCH50_QUERY});
	cr_assert_eq(harness_report(alice, OUCH50_QUERY_REPLY).user_ref, 6);
	enter(alice, 5, 'B', 10, PX);
	cr_assert(harness_quiet(alice), "the number was used before");
	enter(alice, 6, 'B', 10, PX);
	harness_report(alice, OUCH50_ACCEPTED);
	enter(bob, 3, 'S', 10, PX);
	cr_assert_gt(harness_report(alice, OUCH50_EXECUTED).executed.match, last_match);
}

Test(exchange_log, a_replay_after_the_restart_is_byte_by_byte_what_was_sent)
{
	static uint8_t sent[4096];
	uint32_t bytes;

	when_they_trade();
	bytes = alice->in_bytes;
	cr_assert_leq(bytes, sizeof(sent));
	memcpy(sent, alice->in, bytes);
	copy_log(SIZE_MAX);
	harness_stop(&h);
	start(torn);
	alice = login("ALICE", "secret", 1);
	cr_assert_geq(alice->in_bytes, bytes);
	cr_assert_arr_eq(alice->in, sent, bytes);
}

/* A block that is not whole never happened, and nobody was told of it. */
Test(exchange_log, cut_anywhere_it_stands_at_the_last_whole_block)
{
	size_t from = log_bytes();

	when_they_trade();
	size_t bytes = log_bytes();
	uint64_t seq = 0;
	harness_stop(&h);
	for (size_t cut = from; cut <= bytes; cut += getenv("GANNET_LONG") ? 1 : 11) {
		copy_log(cut);
		start(torn);
		cr_assert_geq(reports_of(0), seq, "cut at %zu", cut);
		const struct clients *c = &exchange_orders(h.x)->clients;
		for (uint32_t i = 0; i < c->n_orders; i++)
			cr_assert(c->order[i].state != CLIENT_LIVE);
		seq = reports_of(0) > 4 ? reports_of(0) - 4 : 0; /* less the cancels of the restart */
		harness_stop(&h);
	}
	start(path);
}

Test(exchange_log, another_configuration_or_no_log_is_refused)
{
	struct exchange_io io = {.arg = &h};

	copy_log(SIZE_MAX);
	h.config.n_symbols = 4;
	h.config.log_file = torn;
	cr_assert_null(exchange_new(&h.config, &io, 1, 0));
	cr_assert(strstr(gn_err_text(), "another configuration"), "%s", gn_err_text());
	FILE *f = fopen(torn, "wb");
	fputs("this is no log of anything at all", f);
	fclose(f);
	h.config.n_symbols = 3;
	cr_assert_null(exchange_new(&h.config, &io, 1, 0));
	h.config.log_file = "/nowhere/log";
	cr_assert_null(exchange_new(&h.config, &io, 1, 0));
}
