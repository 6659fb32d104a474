/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/journal_cmd.h"
#include "app/journal_print.h"
#include "dataplane/journal/journal.h"
#include "dataplane/runtime/err.h"

static char dir[] = "/tmp/gannet-journal-XXXXXX";
static char path[64], key[80], pub[96];
static char text[1 << 16];

static void given_a_signed_journal(void)
{
	static struct journal journal;
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 16, .key_path = key};
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .verdict = GN_ACCEPTED, .tsc = 5000};

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(pub, sizeof(pub), "%s/key.pub", dir);
	cr_assert_eq(journal_key_make(key), 0);
	cr_assert_eq(journal_open(&journal, &config), 0);
	journal_append_instrument(&journal, 1, (gn_symbol){.c = "ABC"});
	m.req = (struct gn_order_req){.kind = GN_REQ_NEW, .side = GN_SELL, .inst = 1, .oid = 7, .px = {.e9 = 5}, .qty = 100, .rx_tsc = 4000};
	journal_append(&journal, &m);
	m.req.oid = 8;
	m.verdict = GN_REFUSED_QTY;
	journal_append(&journal, &m);
	m = (struct gn_journal_msg){.kind = GN_JOURNAL_SENT, .session = 2};
	m.sent.oid = 7;
	m.sent.venue_ref = 99;
	m.sent.bytes = 3;
	memcpy(m.sent.data, "OX\xff", 3);
	journal_append(&journal, &m);
	m = (struct gn_journal_msg){.kind = GN_JOURNAL_REPORT};
	m.exec = (struct gn_exec){.kind = GN_EXEC_FILLED, .oid = 7, .inst = 1, .side = GN_SELL, .qty = 60, .leaves = 40, .match = 3,
		.liquidity = 'A'};
	journal_append(&journal, &m);
	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_LIMIT, .text = "kill \"all\", by\nme"});
	cr_assert_eq(journal_close(&journal), 0);
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static const char *printed(gn_oid oid, enum journal_print_format format)
{
	FILE *to = fmemopen(text, sizeof(text), "w");

	text[0] = '\0';
	cr_assert_eq(journal_print(path, oid, format, to), 0, "%s", gn_err_text());
	fclose(to);
	return text;
}

static int run(const char *a, const char *b, const char *c, const char *d)
{
	char *argv[6] = {(char *)(uintptr_t)"journal", (char *)(uintptr_t)a, (char *)(uintptr_t)b, (char *)(uintptr_t)c,
		(char *)(uintptr_t)d};
	int argc = 1;

	while (argv[argc])
		argc++;
	return journal_main(argc, argv);
}

TestSuite(journal_cmd, .init = given_a_signed_journal, .fini = remove_all, .timeout = 10);

Test(journal_cmd, wrong_usage_is_two)
{
	cr_assert_eq(run(NULL, NULL, NULL, NULL), 2);
	cr_assert_eq(run("frobnicate", path, NULL, NULL), 2);
	cr_assert_eq(run("print", NULL, NULL, NULL), 2);
	cr_assert_eq(run("print", path, path, NULL), 2);
	cr_assert_eq(run("print", path, "--format", "xml"), 2);
	cr_assert_eq(run("print", path, "--order", "nonsense"), 2);
	cr_assert_eq(run("--help", NULL, NULL, NULL), 0);
}

Test(journal_cmd, what_cannot_be_read_is_one)
{
	cr_assert_eq(run("print", "/nowhere", NULL, NULL), 1);
	cr_assert_eq(run("verify", "/nowhere", NULL, NULL), 1);
	cr_assert_eq(run("verify", path, "--key", "/nowhere"), 1);
	cr_assert_eq(run("keygen", key, NULL, NULL), 1);
}

Test(journal_cmd, verifies_and_sees_a_change)
{
	FILE *f;

	cr_assert_eq(run("verify", path, NULL, NULL), 0);
	cr_assert_eq(run("verify", path, "--key", pub), 0);
	f = fopen(path, "r+b");
	fseek(f, 600, SEEK_SET);
	fputc('x', f);
	fclose(f);
	cr_assert_eq(run("verify", path, NULL, NULL), 1);
	cr_assert_eq(run("print", path, NULL, NULL), 1);
}

Test(journal_cmd, prints_one_line_a_record_as_csv)
{
	int lines = 0;

	for (const char *p = printed(0, JOURNAL_PRINT_CSV); *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 1 + 8, "head, instrument, five facts, signature, end:\n%s", text);
	cr_assert(strstr(text, ",request_new,00000000000007,,ABC,S,5,100,"));
	cr_assert(strstr(text, "REFUSED_QTY"));
	cr_assert(strstr(text, ",sent,00000000000007,"));
	cr_assert(strstr(text, ",4f58ff\n"));
	cr_assert(strstr(text, ",filled,00000000000007,,ABC,S,,60,40,0,3,A,"));
}

Test(journal_cmd, prints_the_life_of_one_order)
{
	int lines = 0;

	for (const char *p = printed(7, JOURNAL_PRINT_JSON); *p; p++)
		lines += *p == '\n';
	cr_assert_eq(lines, 3, "%s", text);
	cr_assert(strstr(text, "\"latency_ns\":1000"));
	cr_assert(strstr(text, "\"venue_ref\":99"));
	cr_assert_not(strstr(text, "REFUSED"));
	printed(9, JOURNAL_PRINT_JSON);
	cr_assert_str_eq(text, "");
}

Test(journal_cmd, no_text_of_a_journal_breaks_a_line)
{
	printed(0, JOURNAL_PRINT_JSON);
	cr_assert(strstr(text, "\"text\":\"kill \\\"all\\\", by?me\"}\n"), "%s", text);
}

Test(journal_cmd, knows_an_order_by_number_and_by_its_name_on_the_wire)
{
	cr_assert_eq(journal_print_oid("7"), 7);
	cr_assert_eq(journal_print_oid("0x10"), 16);
	cr_assert_eq(journal_print_oid("0000000000000Z"), 35);
	cr_assert_eq(journal_print_oid("7x"), 0);
	cr_assert_eq(journal_print_oid(""), 0);
	cr_assert_eq(journal_print_oid("-1"), 0);
	cr_assert_eq(journal_print_oid("99999999999999999999999"), 0);
}
