/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "app/recover.h"
#include "dataplane/journal/journal.h"
#include "dataplane/runtime/err.h"

static char dir[] = "/tmp/gannet-recover-XXXXXX";
static char path[64];
static struct journal journal;
static struct gn_instruments *instruments;
static struct recover recovery;
static struct gn_journal_msg fact[64];
static size_t n_facts;

static void given_a_journal(void)
{
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 16};

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
	cr_assert_eq(journal_open(&journal, &config), 0);
	journal_append_instrument(&journal, 0, (gn_symbol){.c = "ABC"});
	journal_append_instrument(&journal, 2, (gn_symbol){.c = "XYZ"});
	instruments = gn_instruments_new(8);
}

static void remove_all(void)
{
	unlink(path);
	rmdir(dir);
	gn_instruments_free(instruments);
	recover_free(&recovery);
}

static int take(void *arg, const struct gn_journal_msg *m)
{
	(void)arg;
	fact[n_facts++] = *m;
	return 0;
}

static int refuse(void *arg, const struct gn_journal_msg *m)
{
	(void)arg, (void)m;
	return gn_err(EPROTO, "never");
}

static void asked(gn_oid oid, gn_inst inst, enum gn_verdict verdict)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .verdict = (uint16_t)verdict};

	m.req = (struct gn_order_req){.kind = GN_REQ_NEW, .oid = oid, .inst = inst, .side = GN_SELL, .qty = 10, .px = {.e9 = 5}};
	journal_append(&journal, &m);
}

static void heard(uint8_t kind, gn_oid oid, gn_inst inst, uint32_t seq, uint16_t code)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REPORT};

	m.exec = (struct gn_exec){.kind = kind, .oid = oid, .inst = inst, .side = GN_SELL, .qty = 10, .venue_seq = seq, .code = code};
	journal_append(&journal, &m);
}

static void when_killed_and_read(void)
{
	cr_assert_eq(journal_flush(&journal), 0);
	cr_assert_eq(recover_load(&recovery, path, instruments), 0, "%s", gn_err_text());
	cr_assert_eq(recover_facts(&recovery, take, NULL), 0, "%s", gn_err_text());
}

TestSuite(recover, .init = given_a_journal, .fini = remove_all, .timeout = 10);

Test(recover, nothing_is_taken_where_there_is_no_journal)
{
	struct account_config account = {0};

	cr_assert_eq(recover_load(&recovery, "/nowhere/j", instruments), 0);
	cr_assert_eq(recover_facts(&recovery, take, NULL), 0);
	cr_assert_eq(recover_oid_count(&recovery, 0), 0);
	cr_assert_eq(recover_account(&recovery, 0, 1, &account), 0);
	cr_assert_eq(account.n_asked + account.seq_handed + n_facts, 0);
}

Test(recover, stops_at_damage_and_at_what_risk_refuses)
{
	asked(gn_oid_make(0, 1), 0, GN_ACCEPTED);
	cr_assert_eq(journal_flush(&journal), 0);
	cr_assert_eq(recover_load(&recovery, path, instruments), 0);
	cr_assert_eq(recover_facts(&recovery, refuse, NULL), -EPROTO);
	cr_assert(strstr(gn_err_text(), "record 3"));
	recover_free(&recovery);
	FILE *f = fopen(path, "r+b");
	fseek(f, 400, SEEK_SET);
	fputc('x', f);
	fclose(f);
	cr_assert_eq(recover_load(&recovery, path, instruments), -EBADMSG);
}

Test(recover, hands_risks_facts_on_in_order_and_no_others)
{
	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_SENT});
	asked(gn_oid_make(0, 1), 0, GN_ACCEPTED);
	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_SESSION, .text = "active session=DAY1 seq=1"});
	heard(GN_EXEC_ACCEPTED, gn_oid_make(0, 1), 0, 3, 0);
	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_LIMIT, .text = "kill engine 0 operator: test"});
	when_killed_and_read();
	cr_assert_eq(n_facts, 3);
	cr_assert_eq(fact[0].kind, GN_JOURNAL_REQUEST);
	cr_assert_eq(fact[1].kind, GN_JOURNAL_REPORT);
	cr_assert_eq(fact[2].kind, GN_JOURNAL_LIMIT);
}

Test(recover, instruments_keep_their_symbols_not_their_numbers)
{
	gn_instruments_add(instruments, (gn_symbol){.c = "XYZ"});
	asked(gn_oid_make(0, 1), 2, GN_ACCEPTED);
	heard(GN_EXEC_UP, 0, GN_INST_NONE, 0, 0);
	journal_append_instrument(&journal, 2, (gn_symbol){.c = "ABC"}); /* another run numbered them otherwise */
	asked(gn_oid_make(0, 2), 2, GN_ACCEPTED);
	when_killed_and_read();
	cr_assert_eq(fact[0].req.inst, 0);
	cr_assert_eq(fact[1].exec.inst, GN_INST_NONE);
	cr_assert_eq(gn_instruments_find(instruments, (gn_symbol){.c = "ABC"}), 1);
	cr_assert_eq(fact[2].req.inst, 1);
}

Test(recover, adds_up_positions_by_strategy_and_symbol)
{
	struct recover_position *p;

	asked(gn_oid_make(0, 1), 0, GN_ACCEPTED);
	asked(gn_oid_make(1, 1), 0, GN_ACCEPTED);
	heard(GN_EXEC_ACCEPTED, gn_oid_make(0, 1), 0, 1, 0);
	heard(GN_EXEC_ACCEPTED, gn_oid_make(1, 1), 0, 2, 0);
	heard(GN_EXEC_FILLED, gn_oid_make(0, 1), 0, 3, 0);
	heard(GN_EXEC_FILLED, gn_oid_make(1, 1), 0, 4, 0);
	journal_append_instrument(&journal, 1, (gn_symbol){.c = "ABC"});
	asked(gn_oid_make(0, 2), 1, GN_ACCEPTED);
	heard(GN_EXEC_ACCEPTED, gn_oid_make(0, 2), 1, 5, 0);
	heard(GN_EXEC_FILLED, gn_oid_make(0, 2), 1, 6, 0);
	when_killed_and_read();
	cr_assert_eq(recover_positions(&recovery, &p), 2);
	cr_assert_eq(p[0].strategy, 0);
	cr_assert_eq(p[0].qty, -20);
	cr_assert_eq(p[0].inst, gn_instruments_find(instruments, (gn_symbol){.c = "ABC"}));
	cr_assert_eq(p[1].strategy, 1);
	cr_assert_eq(p[1].qty, -10);
	free(p);
}

Test(recover, order_ids_go_on_far_above_the_last)
{
	asked(gn_oid_make(1, 7), 0, GN_REFUSED_QTY);
	when_killed_and_read();
	cr_assert_gt(recover_oid_count(&recovery, 1), 7 + 20000, "refused ones count, and so does what the journal lost");
	cr_assert_gt(recover_oid_count(&recovery, 0), 20000, "all that it did may be lost");
}

#define TAIL_RECORDS 3u
#define RECORDS 6u

static uint8_t whole[1 << 16];

/* As a crash leaves it: cut there, and then nothing, or the zeroes that were reserved. */
static void leave(size_t bytes, bool reserved)
{
	FILE *f = fopen(path, "wb");

	cr_assert_eq(fwrite(whole, 1, bytes, f), bytes);
	cr_assert_eq(fflush(f), 0);
	cr_assert_eq(ftruncate(fileno(f), reserved ? (off_t)sizeof(whole) : (off_t)bytes), 0);
	fclose(f);
}

/* What is read of it, and read again once a restart has gone on behind it. */
static void expect_facts(size_t n, size_t cut)
{
	char next[sizeof(path) + 4];
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 16, .resume = true};

	n_facts = 0;
	cr_assert_eq(recover_load(&recovery, path, instruments), 0, "cut at %zu: %s", cut, gn_err_text());
	cr_assert_eq(recover_facts(&recovery, take, NULL), 0, "cut at %zu: %s", cut, gn_err_text());
	cr_assert_eq(n_facts, n, "cut at %zu: %zu facts, wanted %zu", cut, n_facts, n);
	recover_free(&recovery);
	cr_assert_eq(journal_open(&journal, &config), 0, "cut at %zu: %s", cut, gn_err_text());
	asked(gn_oid_make(0, 99), 0, GN_ACCEPTED);
	cr_assert_eq(journal_close(&journal), 0);
	n_facts = 0;
	cr_assert_eq(recover_load(&recovery, path, instruments), 0, "cut at %zu: %s", cut, gn_err_text());
	cr_assert_eq(recover_facts(&recovery, take, NULL), 0);
	cr_assert_eq(n_facts, n + 1, "cut at %zu", cut);
	cr_assert_eq(fact[n].req.oid, gn_oid_make(0, 99));
	recover_free(&recovery);
	snprintf(next, sizeof(next), "%s.1", path);
	unlink(next);
}

Test(recover, cut_at_any_byte_of_its_tail_a_journal_goes_on_behind_the_last_whole_record, .timeout = 100)
{
	for (uint64_t i = 1; i <= RECORDS; i++)
		asked(gn_oid_make(0, i), 0, GN_ACCEPTED);
	cr_assert_eq(journal_flush(&journal), 0);
	FILE *f = fopen(path, "rb");
	cr_assert_eq(fread(whole, 1, sizeof(whole), f), sizeof(whole), "its blocks are reserved");
	fclose(f);
	size_t end = sizeof(struct journal_head) + (2 + RECORDS) * sizeof(struct journal_record);
	for (size_t cut = end - TAIL_RECORDS * sizeof(struct journal_record); cut <= end; cut++) {
		size_t n = (cut - sizeof(struct journal_head)) / sizeof(struct journal_record) - 2;
		leave(cut, false);
		expect_facts(n, cut);
		leave(cut, true);
		expect_facts(n, cut);
	}
	recovery = (struct recover){0};
}

Test(recover, refuses_when_the_instruments_do_not_fit)
{
	gn_instruments_free(instruments);
	instruments = gn_instruments_new(1);
	cr_assert_eq(journal_flush(&journal), 0);
	cr_assert_eq(recover_load(&recovery, path, instruments), -ENOSPC);
}

Test(recover, tells_each_session_where_its_news_begin_and_what_was_under_way)
{
	struct account_config first = {0}, second = {0};

	journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_SESSION, .text = "active session=DAY1 seq=1"});
	asked(gn_oid_make(0, 1), 0, GN_ACCEPTED);
	asked(gn_oid_make(0, 2), 0, GN_ACCEPTED);
	asked(gn_oid_make(0, 3), 2, GN_REFUSED_QTY);
	asked(gn_oid_make(0, 4), 0, GN_ACCEPTED);
	asked(gn_oid_make(2, 1), 0, GN_ACCEPTED);
	heard(GN_EXEC_ACCEPTED, gn_oid_make(0, 1), 0, 7, 0);
	heard(GN_EXEC_REJECTED, gn_oid_make(0, 4), 0, 0, GN_CODE_NO_ROOM);
	when_killed_and_read();
	cr_assert_eq(recover_account(&recovery, 0, 3, &first), 0);
	cr_assert_eq(first.n_asked, 1);
	cr_assert_eq(first.asked[0].oid, gn_oid_make(0, 2));
	cr_assert_eq(first.asked[0].side, GN_SELL);
	cr_assert_eq(first.seq_handed, 7);
	cr_assert_str_eq(first.session.session, "DAY1");
	cr_assert_eq(recover_account(&recovery, 1, 4, &second), 0);
	cr_assert_eq(second.n_asked, 1);
	cr_assert_eq(second.seq_handed, 0);
	cr_assert_eq(recovery.view.oid_strategy[0], gn_oid_make(0, 4), "refused ids are not given again either");
}
