/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/journal/journal.h"
#include "dataplane/journal/journal_reader.h"
#include "dataplane/runtime/err.h"

/* What the child has told: facts that journal_flush() had accepted when it was killed. */
struct shared {
	_Atomic uint64_t n_flushed;
};

static char dir[] = "/tmp/gannet-journal-XXXXXX";
static char path[64], key[80];
static struct shared *shared;
static struct journal journal;

static void given_a_directory(void)
{
	cr_assert(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/j", dir);
	snprintf(key, sizeof(key), "%s/key", dir);
	cr_assert_eq(journal_key_make(key), 0);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(shared, MAP_FAILED);
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

/* Writes numbered facts for ever: flushes, signs and changes files at every turn. */
static void write_until_killed(uint64_t first, unsigned seed)
{
	struct journal_config config = {.path = path, .tsc_hz = 1000000000, .file_bytes = 1 << 15, .sync = JOURNAL_SYNC_NEVER,
		.key_path = key, .sign_every = 97, .resume = true};

	srandom(seed);
	if (journal_open(&journal, &config) < 0)
		_exit(3);
	for (uint64_t i = first;; i++) {
		struct gn_journal_msg m = {.kind = GN_JOURNAL_REQUEST, .tsc = i};
		if (journal_append(&journal, &m) < 0)
			_exit(4);
		if (random() % 5)
			continue;
		if (journal_flush(&journal) < 0)
			_exit(5);
		atomic_store(&shared->n_flushed, i);
	}
}

/* The facts must be 1, 2, 3 ... without a hole; returns the last. */
static uint64_t verify(unsigned seed, int round)
{
	const struct journal_record *rec;
	struct journal_reader r;
	uint64_t last = 0;
	int rc;

	cr_assert_eq(journal_reader_open(&r, path, NULL), 0, "seed %u, round %d: %s", seed, round, gn_err_text());
	while ((rc = journal_reader_next(&r, &rec)) == 1) {
		if (rec->type != JOURNAL_FACT)
			continue;
		cr_assert_eq(rec->msg.tsc, last + 1, "seed %u, round %d", seed, round);
		last++;
	}
	cr_assert_eq(rc, 0, "seed %u, round %d: %s", seed, round, gn_err_text());
	cr_assert_not(r.closed);
	journal_reader_close(&r);
	return last;
}

static void sleep_us(long us)
{
	nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

TestSuite(journal_crash, .init = given_a_directory, .fini = remove_all, .timeout = 280);

/* The last record of a round may be lost with the buffer, never one that was flushed, and what is there is whole. */
Test(journal_crash, survives_kill_9_at_any_moment_with_at_most_the_tail_missing)
{
	unsigned seed = getenv("GANNET_SEED") ? (unsigned)atoi(getenv("GANNET_SEED")) : 1;
	int rounds = getenv("GANNET_LONG") ? 200 : 40, status;
	uint64_t last = 0;

	srandom(seed);
	for (int round = 0; round < rounds; round++) {
		long us = random() % 4000;
		unsigned child_seed = (unsigned)random();
		atomic_store(&shared->n_flushed, last);
		pid_t pid = fork();
		cr_assert_geq(pid, 0);
		if (pid == 0)
			write_until_killed(last + 1, child_seed);
		sleep_us(us);
		cr_assert_eq(kill(pid, SIGKILL), 0);
		cr_assert_eq(waitpid(pid, &status, 0), pid);
		cr_assert(WIFSIGNALED(status), "seed %u, round %d: exit %d", seed, round, WEXITSTATUS(status));
		if (access(path, F_OK) < 0)
			continue; /* killed before its first file was whole */
		last = verify(seed, round);
		cr_assert_geq(last, atomic_load(&shared->n_flushed), "seed %u, round %d: flushed records are gone", seed, round);
	}
	cr_assert_gt(last, 100, "seed %u", seed);
}
