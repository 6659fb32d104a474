/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/journal/journal.h"
#include "dataplane/journal/journal_reader.h"
#include "dataplane/runtime/err.h"

#define FILE_BYTES (1u << 15) /* 199 facts */
#define PER_FILE ((FILE_BYTES - 320) / 160 - 3)

static char dir[] = "/tmp/gannet-journal-XXXXXX";
static char path[64], spare[80], seal[80], key[80];
static struct journal journal;
static struct journal_config config;
static struct journal_reader reader;
static uint8_t public_key[JOURNAL_KEY_BYTES];

static void given_a_config(void)
{
	char pub[96];

	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
	snprintf(spare, sizeof(spare), "%s.spare", path);
	snprintf(seal, sizeof(seal), "%s.seal", path);
	snprintf(key, sizeof(key), "%s/key", dir);
	snprintf(pub, sizeof(pub), "%s.pub", key);
	cr_assert_eq(journal_key_make(key), 0, "%s", gn_err_text());
	cr_assert_eq(journal_key_read(pub, public_key), 0);
	config = (struct journal_config){.path = path, .tsc_hz = 1000000000, .file_bytes = FILE_BYTES, .sync = JOURNAL_SYNC_NEVER};
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

static void open_journal(void)
{
	cr_assert_eq(journal_open(&journal, &config), 0, "%s", gn_err_text());
}

static int append(uint32_t n)
{
	int rc = 0;

	for (uint32_t i = 0; i < n && rc == 0; i++)
		rc = journal_append(&journal, &(struct gn_journal_msg){.kind = GN_JOURNAL_REQUEST, .tsc = i});
	return rc;
}

static uint64_t n_facts;

static int read_all(const uint8_t *trusted)
{
	const struct journal_record *rec;
	int rc = journal_reader_open(&reader, path, trusted);

	n_facts = 0;
	if (rc < 0)
		return rc;
	while ((rc = journal_reader_next(&reader, &rec)) == 1)
		n_facts += rec->type == JOURNAL_FACT;
	journal_reader_close(&reader);
	return rc;
}

TestSuite(journal_files, .init = given_a_config, .fini = remove_all, .timeout = 30);

Test(journal_files, refuses_files_too_small_and_keys_it_cannot_read)
{
	config.file_bytes = 100;
	cr_assert_eq(journal_open(&journal, &config), -EINVAL);
	config.file_bytes = FILE_BYTES;
	config.key_path = "/nowhere/key";
	cr_assert_eq(journal_open(&journal, &config), -ENOENT);
	config.key_path = "/proc/self/status";
	cr_assert_eq(journal_open(&journal, &config), -EINVAL);
	cr_assert_eq(access(path, F_OK), -1, "nothing was begun");
	cr_assert_eq(journal_key_make(key), -EEXIST, "a key is never overwritten");
}

Test(journal_files, has_its_blocks_before_it_needs_them)
{
	struct stat st;

	open_journal();
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_size, FILE_BYTES);
	cr_assert_eq(append(PER_FILE / 2), 0);
	cr_assert_eq(access(spare, F_OK), -1);
	cr_assert_eq(append(2), 0);
	cr_assert_eq(stat(spare, &st), 0, "half full: the next one is there");
	cr_assert_eq(st.st_size, FILE_BYTES);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(access(spare, F_OK), -1);
	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq((st.st_size - 320) / 160, PER_FILE / 2 + 3, "what was not needed went back");
}

Test(journal_files, goes_on_from_file_to_file)
{
	char third[80];

	open_journal();
	cr_assert_eq(append(2 * PER_FILE + 5), 0);
	cr_assert_eq(journal_close(&journal), 0);
	snprintf(third, sizeof(third), "%s.2", path);
	cr_assert_eq(access(third, F_OK), 0);
	cr_assert_eq(read_all(NULL), 0, "%s", gn_err_text());
	cr_assert_eq(n_facts, 2 * PER_FILE + 5);
	cr_assert_eq(reader.file, 2);
	cr_assert(reader.closed);
	cr_assert_not(reader.torn);
}

Test(journal_files, finds_a_missing_a_swapped_and_a_foreign_file)
{
	char second[80], third[80], away[80];

	open_journal();
	cr_assert_eq(append(3 * PER_FILE), 0);
	cr_assert_eq(journal_close(&journal), 0);
	snprintf(second, sizeof(second), "%s.1", path);
	snprintf(third, sizeof(third), "%s.2", path);
	snprintf(away, sizeof(away), "%s.away", path);
	rename(second, away);
	cr_assert_eq(read_all(NULL), 0);
	cr_assert(reader.torn, "the last record says that there is another file");
	cr_assert_not(reader.closed);
	rename(third, second);
	cr_assert_eq(read_all(NULL), -EBADMSG);
	cr_assert(strstr(gn_err_text(), "does not follow"));
}

Test(journal_files, goes_on_behind_a_closed_journal_and_behind_a_crash)
{
	open_journal();
	cr_assert_eq(append(10), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(journal_open(&journal, &config), -EEXIST);
	config.resume = true;
	open_journal();
	cr_assert_eq(append(20), 0);
	cr_assert_eq(journal_flush(&journal), 0);
	open_journal(); /* as if the process before had been killed here */
	cr_assert_eq(append(30), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(NULL), 0, "%s", gn_err_text());
	cr_assert_eq(n_facts, 60);
	cr_assert_eq(reader.file, 2);
	cr_assert(reader.closed);
}

Test(journal_files, resuming_begins_one_where_there_is_none)
{
	config.resume = true;
	open_journal();
	cr_assert_eq(append(1), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(NULL), 0);
	cr_assert_eq(n_facts, 1);
}

Test(journal_files, does_not_go_on_behind_a_damaged_journal_or_with_another_key)
{
	int fd;

	open_journal();
	cr_assert_eq(append(100), 0);
	cr_assert_eq(journal_close(&journal), 0);
	config.resume = true;
	config.key_path = key;
	cr_assert_eq(journal_open(&journal, &config), -EPERM);
	config.key_path = NULL;
	fd = open(path, O_WRONLY);
	cr_assert_eq(pwrite(fd, "x", 1, 4000), 1);
	close(fd);
	cr_assert_eq(journal_open(&journal, &config), -EBADMSG);
}

Test(journal_files, is_tight_while_half_a_file_is_left_and_recovers)
{
	open_journal();
	cr_assert_eq(mkdir(spare, 0700), 0); /* in the way of the next file, as a full disk would be */
	cr_assert_eq(append(PER_FILE / 2), 0);
	cr_assert_not(journal_is_tight(&journal));
	cr_assert_eq(append(2), 0);
	cr_assert(journal_is_tight(&journal));
	cr_assert_eq(append(20), 0, "cancels and reports still have room");
	cr_assert_eq(rmdir(spare), 0);
	journal_prepare(&journal);
	cr_assert_not(journal_is_tight(&journal));
	cr_assert_eq(append(PER_FILE), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(NULL), 0);
	cr_assert_eq(reader.n_lost, 0);
}

Test(journal_files, counts_what_it_lost_and_says_so_in_the_journal)
{
	open_journal();
	cr_assert_eq(mkdir(spare, 0700), 0);
	cr_assert_eq(append(PER_FILE), 0);
	for (int i = 0; i < 7; i++)
		cr_assert_eq(append(1), -ENOSPC);
	cr_assert_eq(rmdir(spare), 0);
	journal_prepare(&journal);
	cr_assert_eq(append(5), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(NULL), 0, "%s", gn_err_text());
	cr_assert_eq(n_facts, PER_FILE + 5);
	cr_assert_eq(reader.n_lost, 7);
}

Test(journal_files, a_full_one_still_closes_in_order)
{
	config.key_path = key;
	open_journal();
	cr_assert_eq(mkdir(spare, 0700), 0);
	cr_assert_eq(append(PER_FILE), 0);
	cr_assert_eq(append(1), -ENOSPC);
	cr_assert_eq(journal_close(&journal), 0, "%s", gn_err_text());
	cr_assert_eq(read_all(public_key), 0, "%s", gn_err_text());
	cr_assert(reader.closed);
	cr_assert_eq(reader.n_lost, 1);
}

Test(journal_files, signs_now_and_then_at_the_end_and_at_every_change_of_file)
{
	config.key_path = key;
	config.sign_every = 50;
	open_journal();
	cr_assert_eq(append(500), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(public_key), 0, "%s", gn_err_text());
	cr_assert_eq(n_facts, 500);
	cr_assert(reader.sealed);
	cr_assert_eq(reader.seq_signed, reader.seq - 2, "all but the signature and the end");
	cr_assert_eq(reader.seal.seq, reader.seq_signed);
}

Test(journal_files, does_not_trust_another_key_or_an_unsigned_journal)
{
	uint8_t other[JOURNAL_KEY_BYTES] = {1};

	open_journal();
	cr_assert_eq(append(5), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(public_key), -EBADMSG);
	unlink(path);
	config.key_path = key;
	open_journal();
	cr_assert_eq(append(5), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(read_all(other), -EBADMSG);
	cr_assert_eq(read_all(public_key), 0);
}

Test(journal_files, sees_that_it_was_cut_off_before_its_seal)
{
	config.key_path = key;
	open_journal();
	cr_assert_eq(append(100), 0);
	cr_assert_eq(journal_close(&journal), 0);
	cr_assert_eq(truncate(path, 320 + 40 * 160), 0);
	cr_assert_eq(read_all(public_key), -EBADMSG);
	cr_assert(strstr(gn_err_text(), "cut off"));
	cr_assert_eq(unlink(seal), 0);
	cr_assert_eq(read_all(public_key), 0, "without its seal it cannot be known");
}

Test(journal_files, a_forged_seal_or_one_of_another_journal_is_no_seal)
{
	int fd;

	config.key_path = key;
	open_journal();
	cr_assert_eq(append(100), 0);
	cr_assert_eq(journal_close(&journal), 0);
	fd = open(seal, O_WRONLY);
	cr_assert_eq(pwrite(fd, "\7", 1, 8), 1);
	close(fd);
	cr_assert_eq(read_all(public_key), -EBADMSG);
	cr_assert_eq(truncate(seal, 20), 0);
	cr_assert_eq(read_all(public_key), -EBADMSG);
}

Test(journal_files, goes_on_signing_after_a_restart)
{
	config.key_path = key;
	config.resume = true;
	for (int i = 0; i < 3; i++) {
		open_journal();
		cr_assert_eq(append(30), 0);
		cr_assert_eq(journal_close(&journal), 0);
	}
	cr_assert_eq(read_all(public_key), 0, "%s", gn_err_text());
	cr_assert_eq(n_facts, 90);
	cr_assert(reader.sealed);
}
