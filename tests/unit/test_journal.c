/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal/journal.h"
#include "dataplane/journal/journal_reader.h"
#include "dataplane/runtime/err.h"

#define N 2000u
#define REC ((off_t)sizeof(struct journal_record))
#define HEAD ((off_t)sizeof(struct journal_head))

static char dir[] = "/tmp/gannet-journal-XXXXXX";
static char path[64];
static struct journal journal;
static struct journal_reader reader;

static void given_a_directory(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
}

static void remove_directory(void)
{
	unlink(path);
	rmdir(dir);
}

static struct gn_journal_msg fact(uint64_t i)
{
	return (struct gn_journal_msg){.kind = GN_JOURNAL_REQUEST, .verdict = GN_ACCEPTED, .tsc = i, .req = {.oid = i}};
}

static void given_a_journal(uint32_t n)
{
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 20};

	cr_assert_eq(journal_open(&journal, &config), 0, "%s", gn_err_text());
	cr_assert_eq(journal_append_instrument(&journal, 5, (gn_symbol){.c = "ABC"}), 0);
	for (uint32_t i = 2; i <= n; i++) {
		struct gn_journal_msg m = fact(i);
		cr_assert_eq(journal_append(&journal, &m), 0);
	}
}

static void given_a_closed_journal(void)
{
	given_a_journal(N - 1);
	cr_assert_eq(journal_close(&journal), 0);
}

static void damage(off_t at, const void *bytes, size_t n)
{
	FILE *f = fopen(path, "r+b");

	cr_assert(f);
	fseeko(f, at, SEEK_SET);
	cr_assert_eq(fwrite(bytes, 1, n, f), n);
	fclose(f);
}

/* Reads to the end: number of good records, *rc the last answer. */
static uint64_t read_all(int *rc)
{
	const struct journal_record *rec;

	cr_assert_eq(journal_reader_open(&reader, path, NULL), 0, "%s", gn_err_text());
	while ((*rc = journal_reader_next(&reader, &rec)) == 1)
		;
	return reader.seq;
}

TestSuite(journal, .init = given_a_directory, .fini = remove_directory, .timeout = 20);

Test(journal, refuses_a_file_that_cannot_be_made)
{
	struct journal_config config = {.path = "/proc/nowhere/j", .tsc_hz = 1};

	cr_assert_eq(journal_open(&journal, &config), -ENOENT);
	cr_assert(strstr(gn_err_text(), "/proc/nowhere/j"));
	config.path = "";
	cr_assert_eq(journal_open(&journal, &config), -EINVAL);
	config = (struct journal_config){.path = path};
	cr_assert_eq(journal_open(&journal, &config), -EINVAL, "no clock rate");
}

Test(journal, never_overwrites_another)
{
	struct journal_config config = {.path = path, .tsc_hz = 1};

	given_a_closed_journal();
	cr_assert_eq(journal_open(&journal, &config), -EEXIST);
	cr_assert(strstr(gn_err_text(), "never overwritten"));
}

Test(journal, gives_back_every_record_in_order)
{
	const struct journal_record *rec;

	given_a_closed_journal();
	cr_assert_eq(journal_reader_open(&reader, path, NULL), 0);
	cr_assert_eq(journal_reader_next(&reader, &rec), 1);
	cr_assert_eq(rec->type, JOURNAL_INSTRUMENT);
	cr_assert_eq(rec->instrument.inst, 5);
	cr_assert_eq(rec->instrument.symbol.word, ((gn_symbol){.c = "ABC"}).word);
	for (uint64_t i = 2; i < N; i++) {
		cr_assert_eq(journal_reader_next(&reader, &rec), 1);
		cr_assert_eq(rec->type, JOURNAL_FACT);
		cr_assert_eq(rec->msg.req.oid, i);
	}
	cr_assert_eq(journal_reader_next(&reader, &rec), 1);
	cr_assert_eq(rec->type, JOURNAL_END);
	cr_assert_eq(journal_reader_next(&reader, &rec), 0);
	cr_assert(reader.closed);
	cr_assert_not(reader.torn);
	journal_reader_close(&reader);
}

Test(journal, refuses_to_read_what_is_no_journal)
{
	given_a_closed_journal();
	cr_assert_lt(journal_reader_open(&reader, "/proc/self/status", NULL), 0);
	cr_assert_lt(journal_reader_open(&reader, "/tmp", NULL), 0);
	cr_assert_eq(journal_reader_open(&reader, "/nowhere", NULL), -ENOENT);
	truncate(path, HEAD - 1);
	cr_assert_lt(journal_reader_open(&reader, path, NULL), 0);
	cr_assert(strstr(gn_err_text(), "too short"));
}

Test(journal, refuses_a_changed_head)
{
	given_a_closed_journal();
	damage(40, "x", 1);
	cr_assert_eq(journal_reader_open(&reader, path, NULL), -EBADMSG);
	damage(0, "NOTAJRNL", 8);
	cr_assert_eq(journal_reader_open(&reader, path, NULL), -EINVAL);
}

Test(journal, finds_a_changed_byte_anywhere)
{
	unsigned seed = getenv("GANNET_SEED") ? (unsigned)atoi(getenv("GANNET_SEED")) : 1;
	int rc;

	given_a_closed_journal();
	srandom(seed);
	for (int i = 0; i < 50; i++) {
		off_t at = HEAD + random() % ((off_t)(N - 1) * REC);
		FILE *f = fopen(path, "rb");
		fseeko(f, at, SEEK_SET);
		uint8_t was = (uint8_t)fgetc(f), now = was ^ (uint8_t)(1u << random() % 8);
		fclose(f);
		damage(at, &now, 1);
		cr_assert_eq(read_all(&rc), (uint64_t)((at - HEAD) / REC), "seed %u: byte %ld", seed, (long)at);
		cr_assert_eq(rc, -EBADMSG, "seed %u: byte %ld", seed, (long)at);
		journal_reader_close(&reader);
		damage(at, &was, 1);
	}
	cr_assert_eq(read_all(&rc), N);
	cr_assert_eq(rc, 0);
}

Test(journal, finds_a_dropped_and_a_reordered_record)
{
	static uint8_t all[N * sizeof(struct journal_record)];
	FILE *f;
	int rc;

	given_a_closed_journal();
	f = fopen(path, "rb");
	fseeko(f, HEAD, SEEK_SET);
	cr_assert_eq(fread(all, 1, sizeof(all), f), sizeof(all));
	fclose(f);
	damage(HEAD + 10 * REC, all + 11 * REC, (size_t)REC);
	cr_assert_eq(read_all(&rc), 10);
	cr_assert_eq(rc, -EBADMSG);
	damage(HEAD + 11 * REC, all + 10 * REC, (size_t)REC);
	cr_assert_eq(read_all(&rc), 10);
	cr_assert_eq(rc, -EBADMSG);
}

Test(journal, finds_a_record_that_was_forged_with_a_fitting_checksum)
{
	struct journal_record a, b;
	FILE *f;
	int rc;

	given_a_closed_journal();
	f = fopen(path, "rb");
	fseeko(f, HEAD + 10 * REC, SEEK_SET);
	cr_assert_eq(fread(&a, sizeof(a), 1, f), 1);
	cr_assert_eq(fread(&b, sizeof(b), 1, f), 1);
	fclose(f);
	memcpy(a.hash, b.hash, sizeof(a.hash));
	damage(HEAD + 10 * REC, &a, sizeof(a));
	cr_assert_eq(read_all(&rc), 10);
	cr_assert_eq(rc, -EBADMSG);
	cr_assert(strstr(gn_err_text(), "changed"));
}

Test(journal, tells_a_torn_tail_from_a_change)
{
	struct stat st;
	int rc;

	given_a_closed_journal();
	cr_assert_eq(stat(path, &st), 0);
	truncate(path, st.st_size - 100);
	cr_assert_eq(read_all(&rc), N - 1);
	cr_assert_eq(rc, 0);
	cr_assert(reader.torn);
	cr_assert_not(reader.closed);
	truncate(path, st.st_size + 5 * REC);
	cr_assert_eq(read_all(&rc), N - 1, "half a record, then nothing but zeros");
	cr_assert_eq(rc, 0);
	cr_assert(reader.torn);
}

Test(journal, reads_one_that_was_never_closed)
{
	int rc;

	given_a_journal(700);
	cr_assert_eq(read_all(&rc), JOURNAL_BUFFER_RECORDS, "what was handed over");
	cr_assert_eq(journal_flush(&journal), 0);
	cr_assert_eq(read_all(&rc), 700);
	cr_assert_eq(rc, 0);
	cr_assert_not(reader.closed);
	cr_assert_not(reader.torn);
}

Test(journal, knows_the_time_of_a_tick)
{
	int rc;

	given_a_closed_journal();
	read_all(&rc);
	cr_assert_eq(journal_reader_ns(&reader, reader.tsc), reader.unix_ns);
	cr_assert_eq(journal_reader_ns(&reader, reader.tsc + 1500), reader.unix_ns + 1500);
	cr_assert_eq(journal_reader_ns(&reader, reader.tsc - 1500), reader.unix_ns - 1500);
}
