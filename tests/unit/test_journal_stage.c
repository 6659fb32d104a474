/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal/journal_reader.h"
#include "dataplane/journal/journal_stage.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"

#define PER_FILE (((1u << 15) - 320) / 160 - 3)

static char dir[] = "/tmp/gannet-journal-XXXXXX";
static char path[64], spare[80];
static struct journal_stage_config config;
static struct journal_health health;
static struct gn_env env;
static void *ctx;
static uint64_t tsc = 1000000000;

static void given_a_config(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
	snprintf(spare, sizeof(spare), "%s.spare", path);
	config = (struct journal_stage_config){
		.file = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 15, .sync = JOURNAL_SYNC_EVERY_MS, .sync_ms = 50},
		.health = &health};
	env = (struct gn_env){.node = -1, .config = &config, .instruments = gn_instruments_new(8)};
	gn_instruments_add(env.instruments, (gn_symbol){.c = "ABC"});
	ctx = calloc(1, gn_stage_journal.ctx_bytes);
}

static void given_a_stage(void)
{
	given_a_config();
	cr_assert_eq(gn_stage_journal.init(ctx, &env), 0, "%s", gn_err_text());
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
	gn_instruments_free(env.instruments);
	free(ctx);
}

static void send(uint32_t n, gn_inst inst)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .verdict = GN_ACCEPTED, .req = {.inst = inst}};

	for (uint32_t i = 0; i < n; i++)
		gn_stage_journal.in[0].on_msg(ctx, 0, &m, sizeof(m));
}

static void when_time_passes(uint32_t ms)
{
	while (ms--) {
		tsc += 1000000;
		gn_stage_journal.housekeeping(ctx, tsc);
		while (gn_stage_journal.poll(ctx))
			;
	}
}

static uint64_t n_facts, n_instruments, n_lost;

static void read_all(void)
{
	const struct journal_record *rec;
	struct journal_reader reader;
	int rc;

	n_facts = n_instruments = 0;
	cr_assert_eq(journal_reader_open(&reader, path, NULL), 0, "%s", gn_err_text());
	while ((rc = journal_reader_next(&reader, &rec)) == 1) {
		n_facts += rec->type == JOURNAL_FACT;
		n_instruments += rec->type == JOURNAL_INSTRUMENT;
	}
	cr_assert_eq(rc, 0, "%s", gn_err_text());
	n_lost = reader.n_lost;
	journal_reader_close(&reader);
}

TestSuite(journal_stage, .fini = remove_all, .timeout = 20);

Test(journal_stage, refuses_to_start_without_its_file, .init = given_a_config)
{
	config.file.path = "/nowhere/j";
	cr_assert_eq(gn_stage_journal.init(ctx, &env), -ENOENT);
	cr_assert(strstr(gn_err_text(), "/nowhere/j"));
	gn_stage_journal.fini(ctx);
}

Test(journal_stage, writes_when_it_has_nothing_else_to_do, .init = given_a_stage)
{
	send(3, 0);
	cr_assert_not(gn_stage_journal.poll(ctx), "there was a message since the last turn");
	cr_assert(gn_stage_journal.poll(ctx));
	read_all();
	cr_assert_eq(n_facts, 3);
	cr_assert_not(gn_stage_journal.poll(ctx));
	gn_stage_journal.fini(ctx);
}

Test(journal_stage, names_an_instrument_once_before_its_first_fact, .init = given_a_stage)
{
	send(5, 0);
	send(1, GN_INST_NONE);
	send(1, 7);
	gn_stage_journal.fini(ctx);
	read_all();
	cr_assert_eq(n_instruments, 1);
	cr_assert_eq(n_facts, 7);
}

Test(journal_stage, counts_what_is_no_message, .init = given_a_stage)
{
	struct gn_journal_msg m = {.kind = GN_JOURNAL_NONE};

	gn_stage_journal.in[0].on_msg(ctx, 0, &m, sizeof(m));
	m.kind = GN_JOURNAL_KIND_COUNT;
	gn_stage_journal.in[1].on_msg(ctx, 0, &m, sizeof(m));
	m.kind = GN_JOURNAL_REQUEST;
	gn_stage_journal.in[1].on_msg(ctx, 0, &m, sizeof(m) - 1);
	gn_stage_journal.fini(ctx);
	read_all();
	cr_assert_eq(n_facts, 0);
}

Test(journal_stage, new_orders_are_refused_while_there_is_still_room_and_taken_again_later, .init = given_a_stage)
{
	cr_assert_eq(mkdir(spare, 0700), 0); /* in the way of the next file, as a full disk would be */
	send(PER_FILE / 2 + 2, GN_INST_NONE);
	when_time_passes(150);
	cr_assert(atomic_load(&health.refusing));
	send(10, GN_INST_NONE);
	cr_assert_eq(atomic_load(&health.n_lost), 0);
	cr_assert_eq(rmdir(spare), 0);
	when_time_passes(150);
	cr_assert_not(atomic_load(&health.refusing));
	gn_stage_journal.fini(ctx);
	read_all();
	cr_assert_eq(n_facts, PER_FILE / 2 + 12);
}

Test(journal_stage, tells_how_much_was_lost_when_nothing_helped, .init = given_a_stage)
{
	cr_assert_eq(mkdir(spare, 0700), 0);
	send(PER_FILE + 9, GN_INST_NONE);
	when_time_passes(150);
	cr_assert(atomic_load(&health.refusing));
	cr_assert_eq(atomic_load(&health.n_lost), 9);
	gn_stage_journal.fini(ctx);
	read_all();
	cr_assert_eq(n_facts, PER_FILE);
	cr_assert_eq(n_lost, 9);
}
