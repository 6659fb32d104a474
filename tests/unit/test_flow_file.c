/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "tests/sim/exchange_harness.h"

static struct harness h;
static char path[] = "/tmp/gannet-flow-file-XXXXXX";
static FILE *file;
static uint64_t published[GN_MD_KIND_COUNT];
static const gn_symbol symbol = {.c = {'O', 'N', 'E'}};

static void count_messages(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct moldudp64_reader r;
	const uint8_t *msg;
	uint32_t msg_bytes;

	(void)arg;
	if (line != 0 || moldudp64_open(&r, data, bytes) != MOLDUDP64_MESSAGES)
		return;
	while (moldudp64_next(&r, &msg, &msg_bytes) == MOLDUDP64_BLOCK) {
		struct gn_md md;
		uint16_t locate;

		cr_assert_eq(itch50_decode(msg, msg_bytes, &md, &locate), ITCH50_OK);
		published[md.kind]++;
	}
}

static void given_file(void)
{
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	file = fdopen(fd, "w");
	memset(&h, 0, sizeof(h));
	h.on_datagram = count_messages;
	h.config.orders_max = 65536;
	h.config.client_orders_max = 1024;
	h.config.store_mib = 1;
	h.config.reports_mib = 1;
	h.config.start_now = true;
	h.config.replay_file = path;
	h.config.replay_fast = true;
}

static void remove_file(void)
{
	unlink(path);
	fclose(file);
	if (h.x)
		harness_stop(&h);
}

static void put_raw(const void *msg, uint32_t bytes)
{
	uint8_t length[2];

	wire_put_u16(length, (uint16_t)bytes);
	fwrite(length, 1, 2, file);
	fwrite(msg, 1, bytes, file);
}

static void put(struct gn_md md)
{
	uint8_t msg[ITCH50_BYTES_MAX];

	put_raw(msg, itch50_encode(&md, 77, 0, symbol, msg));
}

static void put_add(uint64_t ref, gn_side side, gn_qty qty, int64_t px_e4)
{
	put((struct gn_md){.kind = GN_MD_ADD, .side = side, .order = {.ref = ref, .qty = qty, .px = {.e9 = px_e4 * GN_PX_E9_PER_E4}}});
}

static void put_exec(uint64_t ref, gn_qty qty)
{
	put((struct gn_md){.kind = GN_MD_EXEC, .order = {.ref = ref, .qty = qty, .aux2 = 1}});
}

static bool starts(void)
{
	const struct exchange_io io = {0};

	fflush(file);
	struct exchange *x = exchange_new(&h.config, &io, 0, 0);
	bool ok = x != NULL;

	exchange_free(x);
	return ok;
}

TestSuite(flow_file, .init = given_file, .fini = remove_file, .timeout = 60);

Test(flow_file, missing_empty_and_cut_files_are_refused_with_the_offset)
{
	h.config.replay_file = "/nonexistent/file.itch";
	cr_assert_not(starts());
	cr_assert_not_null(strstr(gn_err_text(), "/nonexistent/file.itch"));
	h.config.replay_file = path;
	cr_assert_not(starts(), "an empty file");
	put_add(1, GN_BUY, 100, 100000);
	cr_assert(starts());
	fwrite("\0", 1, 1, file);
	cr_assert_not(starts());
	cr_assert_not_null(strstr(gn_err_text(), "offset 38"), "%s", gn_err_text());
	fwrite("\x24" "A", 1, 2, file);
	cr_assert_not(starts());
	cr_assert_not_null(strstr(gn_err_text(), "a message of 36 bytes, 1 are left"), "%s", gn_err_text());
}

Test(flow_file, message_of_a_wrong_length_is_refused_and_an_unknown_type_is_skipped)
{
	put_add(1, GN_BUY, 100, 100000);
	put_raw("zoo", 3);
	cr_assert(starts());
	put_raw("Axx", 3);
	cr_assert_not(starts());
	cr_assert_not_null(strstr(gn_err_text(), "message 'A' of 3 bytes, expected 36"), "%s", gn_err_text());
}

Test(flow_file, zero_length_ends_the_file)
{
	put_add(1, GN_BUY, 100, 100000);
	put_raw("", 0);
	put_raw("Axx", 3);
	cr_assert(starts());
}

static uint64_t shares(gn_side side)
{
	uint32_t px;
	uint64_t qty = 0;

	return match_best(exchange_match(h.x), 0, side, &px, &qty) ? qty : 0;
}

Test(flow_file, book_follows_the_file)
{
	put_add(1, GN_BUY, 100, 100000);
	put_add(2, GN_BUY, 50, 100000);
	put_add(3, GN_SELL, 70, 100100);
	put_exec(1, 100);
	put_exec(2, 10);
	put((struct gn_md){.kind = GN_MD_REDUCE, .order = {.ref = 3, .qty = 20}});
	put((struct gn_md){.kind = GN_MD_REPLACE, .order = {.ref = 2, .aux2 = 9, .qty = 300, .px = {.e9 = 99000 * GN_PX_E9_PER_E4}}});
	put_exec(2, 1);                                                      /* gone */
	put((struct gn_md){.kind = GN_MD_DELETE, .order = {.ref = 12345}}); /* from before the file begins */
	fflush(file);
	harness_start(&h);
	harness_run(&h, 10);
	cr_assert_eq(shares(GN_BUY), 300);
	cr_assert_eq(shares(GN_SELL), 50);
	cr_assert_eq(exchange_counts(h.x).match.trades, 2);
	cr_assert_eq(exchange_counts(h.x).match.live, 2);
	cr_assert_eq(exchange_counts(h.x).flow_file.unknown_ref, 2);
}

Test(flow_file, execution_of_the_file_meets_a_client_that_stands_first)
{
	put_add(1, GN_BUY, 100, 100000);
	put((struct gn_md){.kind = GN_MD_SHORT_SALE, .code = '0', .exch_ns = UINT64_C(5000) * 1000 * 1000});
	put_exec(1, 100);
	fflush(file);
	h.config.replay_fast = false;
	/* the file's stamps: the add at 0, the rest from 5 s on */
	harness_start(&h);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_login(c, "GANNET", "GANNET", 1);
	harness_until(&h, EXCHANGE_OPEN);
	harness_run(&h, 1);
	harness_expect(c, SOUP_ACCEPTED);
	harness_report(c, OUCH50_SYSTEM);
	cr_assert_eq(shares(GN_BUY), 100);
	struct ouch50_in in = harness_enter(&h, 1, 'B', 40, 100100, 0);

	harness_ouch(c, &in);
	harness_report(c, OUCH50_ACCEPTED);
	harness_run(&h, 4500);
	cr_assert(harness_quiet(c), "not yet");
	harness_run(&h, 1000);
	cr_assert_eq(harness_report(c, OUCH50_EXECUTED).executed.qty, 40);
	cr_assert_eq(exchange_counts(h.x).match.live, 0, "what the file executed is gone");
	cr_assert_eq(exchange_counts(h.x).flow_file.short_fills, 1);
}

static bool copy_real(const char *name)
{
	char from[512], buf[65536];
	const char *data = getenv("GANNET_DATA");
	size_t n;

	snprintf(from, sizeof(from), "%s/nasdaq/%s", data ? data : "../shared/data", name);
	FILE *in = fopen(from, "r");

	if (!in)
		return false;
	while ((n = fread(buf, 1, sizeof(buf), in)) > 0)
		fwrite(buf, 1, n, file);
	fclose(in);
	fflush(file);
	return true;
}

Test(flow_file, recorded_middle_of_a_day_plays_through)
{
	if (!copy_real("aapl_20191230_first25000.itch"))
		cr_skip_test("no recorded data here");
	harness_start(&h);
	cr_assert_eq(exchange_counts(h.x).n_symbols, 1);
	harness_run(&h, 20);
	struct exchange_counts n = exchange_counts(h.x);

	cr_assert_eq(n.flow_file.msgs, 25000);
	cr_assert_eq(n.flow_file.no_room, 0);
	cr_assert_eq(n.flow_file.duplicate_ref, 0);
	cr_assert_lt(n.flow_file.unknown_ref, 2500);
	cr_assert_gt(n.match.trades, 500);
	uint32_t bid, ask;
	uint64_t qty;

	cr_assert(match_best(exchange_match(h.x), 0, GN_BUY, &bid, &qty));
	cr_assert(match_best(exchange_match(h.x), 0, GN_SELL, &ask, &qty));
	cr_assert_lt(bid, ask);
}

Test(flow_file, recorded_head_of_a_day_brings_its_directory)
{
	if (!copy_real("day_head_1000msg.itch"))
		cr_skip_test("no recorded data here");
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
	harness_run(&h, 20);
	struct exchange_counts n = exchange_counts(h.x);

	cr_assert_eq(n.flow_file.msgs, 1000);
	cr_assert_eq(published[GN_MD_DIRECTORY], n.n_symbols);
	cr_assert_gt(n.n_symbols, 100);
}
