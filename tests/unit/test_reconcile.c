/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <unistd.h>

#include "app/journal_view.h"
#include "app/reconcile.h"
#include "dataplane/codec/ouch50.h"
#include "dataplane/journal/journal.h"
#include "dataplane/runtime/err.h"

static char dir[] = "/tmp/gannet-reconcile-XXXXXX";
static char journal_path[64], ledger_path[64];
static struct journal journal;
static char text[1 << 16];

static void given_a_journal(void)
{
	struct journal_config config = {.path = journal_path, .tsc_hz = 1000000000, .file_bytes = 1 << 16};

	cr_assert(mkdtemp(dir));
	snprintf(journal_path, sizeof(journal_path), "%s/j", dir);
	snprintf(ledger_path, sizeof(ledger_path), "%s/l", dir);
	cr_assert_eq(journal_open(&journal, &config), 0);
	journal_append_instrument(&journal, 1, (gn_symbol){.c = "ABC"});
	journal_append_instrument(&journal, 2, (gn_symbol){.c = "XYZ"});
	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_ACCOUNT, .text = "GANNET"});
}

static void remove_files(void)
{
	unlink(journal_path);
	unlink(ledger_path);
	rmdir(dir);
}

static void asked(uint8_t kind, uint64_t oid, uint64_t prev, gn_inst inst, gn_side side, gn_qty qty, enum gn_verdict verdict)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .verdict = (uint16_t)verdict};

	m.req = (struct gn_order_req){.kind = kind, .oid = oid, .oid_prev = prev, .inst = inst, .side = side, .qty = qty,
		.px = {.e9 = 5000000000}};
	journal_append(&journal, &m);
	if (verdict != GN_ACCEPTED)
		return;
	m = (struct gn_journal_msg){.kind = GN_JOURNAL_SENT};
	m.sent.oid = oid;
	journal_append(&journal, &m);
}

static void heard(struct gn_exec e)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REPORT};

	m.exec = e;
	m.exec.px.e9 = 5000000000;
	journal_append(&journal, &m);
}

static void accepted(uint64_t oid, gn_inst inst, gn_side side, gn_qty qty)
{
	asked(GN_REQ_NEW, oid, 0, inst, side, qty, GN_ACCEPTED);
	heard((struct gn_exec){.kind = GN_EXEC_ACCEPTED, .oid = oid, .inst = inst, .side = side, .qty = qty});
}

static const char *view_text(void)
{
	struct journal_view v;
	FILE *to = fmemopen(text, sizeof(text), "w");

	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(journal_view_load(&v, journal_path), 0, "%s", gn_err_text());
	cr_assert_eq(journal_view_print(&v, to), 0);
	fclose(to);
	journal_view_free(&v);
	return text;
}

static int run(const char *ledger)
{
	char *argv[] = {"reconcile", journal_path, ledger_path, NULL};
	FILE *f = fopen(ledger_path, "w");

	fputs(ledger, f);
	fclose(f);
	return reconcile_main(3, argv);
}

#define ID(n) "0000000000000" #n

TestSuite(reconcile, .init = given_a_journal, .fini = remove_files, .timeout = 10);

Test(reconcile, an_empty_journal_agrees_with_an_empty_ledger_alone)
{
	cr_assert_str_eq(view_text(), "");
	cr_assert_eq(run(""), 0);
	cr_assert_eq(run("position,GANNET,ABC,0\n"), 1);
}

Test(reconcile, what_the_venue_never_saw_does_not_count)
{
	asked(GN_REQ_NEW, 1, 0, 1, GN_BUY, 100, GN_REFUSED_QTY);
	asked(GN_REQ_NEW, 2, 0, 1, GN_BUY, 100, GN_ACCEPTED);
	heard((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = 2, .code = GN_CODE_SESSION_DOWN});
	asked(GN_REQ_NEW, 3, 0, 1, GN_BUY, 100, GN_ACCEPTED);
	cr_assert_str_eq(view_text(), "");
}

Test(reconcile, a_run_may_number_the_instruments_anew)
{
	accepted(1, 1, GN_BUY, 100);
	journal_append_instrument(&journal, 1, (gn_symbol){.c = "XYZ"});
	accepted(2, 1, GN_BUY, 100);
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 1, .qty = 100, .match = 8});
	cr_assert_str_eq(view_text(),
		"order," ID(1) ",ABC,B,100,5000000000,100,0,filled\n"
		"order," ID(2) ",XYZ,B,100,5000000000,0,0,live\n"
		"fill," ID(1) ",8,100,5000000000\n"
		"position,GANNET,ABC,100\n");
}

Test(reconcile, follows_an_order_through_fills_and_cancels)
{
	accepted(1, 1, GN_BUY, 100);
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 1, .qty = 30, .match = 9});
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 1, .qty = 20, .match = 8});
	accepted(2, 1, GN_SELL, 50);
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 2, .qty = 50, .match = 10});
	accepted(3, 2, GN_SELL, 10);
	heard((struct gn_exec){.kind = GN_EXEC_CANCELED, .oid = 3, .qty = 10});
	cr_assert_str_eq(view_text(),
		"order," ID(1) ",ABC,B,100,5000000000,50,0,live\n"
		"order," ID(2) ",ABC,S,50,5000000000,50,0,filled\n"
		"order," ID(3) ",XYZ,S,10,5000000000,0,10,canceled\n"
		"fill," ID(1) ",8,20,5000000000\n"
		"fill," ID(1) ",9,30,5000000000\n"
		"fill," ID(2) ",10,50,5000000000\n"
		"position,GANNET,ABC,0\n");
	cr_assert_eq(run(text), 0);
}

Test(reconcile, follows_replacements_rejections_and_broken_trades)
{
	accepted(1, 1, GN_SELL, 100);
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 1, .qty = 30, .match = 9});
	asked(GN_REQ_REPLACE, 2, 1, 1, GN_SELL, 100, GN_ACCEPTED);
	heard((struct gn_exec){.kind = GN_EXEC_REPLACED, .oid = 2, .oid_prev = 1, .inst = 1, .side = GN_SELL, .qty = 70});
	asked(GN_REQ_REPLACE, 3, 2, 0, 0, 90, GN_ACCEPTED);
	heard((struct gn_exec){.kind = GN_EXEC_REJECTED, .oid = 3, .code = 0x15});
	heard((struct gn_exec){.kind = GN_EXEC_BROKEN, .oid = 1, .match = 9});
	cr_assert_str_eq(view_text(),
		"order," ID(1) ",ABC,S,100,5000000000,30,70,canceled\n"
		"order," ID(2) ",ABC,S,70,5000000000,0,0,live\n"
		"order," ID(3) ",ABC,S,90,5000000000,0,0,rejected\n"
		"fill," ID(1) ",9,30,5000000000\n"
		"broken," ID(1) ",9\n"
		"position,GANNET,ABC,0\n");
	cr_assert_eq(run(text), 0);
}

Test(reconcile, finds_every_kind_of_difference)
{
	static char changed[1 << 16];

	accepted(1, 1, GN_BUY, 100);
	heard((struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 1, .qty = 30, .match = 9});
	view_text();
	cr_assert_eq(run(text), 0);
	for (const char *digit = text; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			continue;
		strcpy(changed, text);
		changed[digit - text] = *digit == '9' ? '8' : (char)(*digit + 1);
		cr_assert_eq(run(changed), 1, "%s", changed);
	}
	for (char *line = text; *line; line = strchr(line, '\n') + 1) {
		size_t before = (size_t)(line - text);
		memcpy(changed, text, before);
		strcpy(changed + before, strchr(line, '\n') + 1);
		cr_assert_eq(run(changed), 1, "without a line:\n%s", changed);
	}
}

Test(reconcile, a_line_twice_is_a_difference)
{
	static char twice[2 * sizeof(text)];

	accepted(1, 1, GN_BUY, 100);
	view_text();
	snprintf(twice, sizeof(twice), "%s%s", text, text);
	cr_assert_eq(run(twice), 1);
}

Test(reconcile, the_order_of_lines_does_not_matter)
{
	accepted(1, 1, GN_BUY, 100);
	accepted(2, 1, GN_BUY, 100);
	view_text();
	cr_assert_eq(run("order," ID(2) ",ABC,B,100,5000000000,0,0,live\norder," ID(1) ",ABC,B,100,5000000000,0,0,live\n"), 0);
}

Test(reconcile, refuses_what_is_no_ledger_and_wrong_usage)
{
	char *none[] = {"reconcile", NULL}, *format[] = {"reconcile", "--format", "xml", "a", "b", NULL};
	char *missing[] = {"reconcile", journal_path, "/nowhere", NULL};

	view_text();
	cr_assert_eq(run("order\n"), 1);
	cr_assert_eq(run("something,else\n"), 1);
	cr_assert_eq(run("fill,x\n"), 1);
	cr_assert_eq(reconcile_main(1, none), 2);
	cr_assert_eq(reconcile_main(5, format), 2);
	cr_assert_eq(reconcile_main(3, missing), 1);
}

Test(reconcile, refuses_a_damaged_journal)
{
	FILE *f;

	accepted(1, 1, GN_BUY, 100);
	view_text();
	f = fopen(journal_path, "r+b");
	fseek(f, 500, SEEK_SET);
	fputc('x', f);
	fclose(f);
	cr_assert_eq(run(text), 1);
}
