/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "journal_hash.h"

uint64_t journal_unix_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int journal_write_all(int fd, const void *data, size_t bytes)
{
	const uint8_t *p = data;

	while (bytes) {
		ssize_t n = write(fd, p, bytes);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		bytes -= (size_t)n;
	}
	return 0;
}

static void beside(const struct journal *j, const char *suffix, char out[JOURNAL_NAME_BYTES])
{
	snprintf(out, JOURNAL_NAME_BYTES, "%s.%s", j->path, suffix);
}

static int reserve(int fd, uint64_t bytes)
{
	int rc;

	do
		rc = posix_fallocate(fd, 0, (off_t)bytes);
	while (rc == EINTR);
	return -rc;
}

static int write_head(struct journal *j)
{
	struct journal_head head = {
		.version = JOURNAL_VERSION,
		.record_bytes = sizeof(struct journal_record),
		.seq_first = j->seq + 1,
		.tsc = gn_tsc(),
		.unix_ns = journal_unix_now_ns(),
		.tsc_hz = j->config.tsc_hz,
		.file = j->file,
	};
	int rc;

	memcpy(head.magic, JOURNAL_MAGIC, sizeof(head.magic));
	memcpy(head.before, j->hash, sizeof(head.before));
	memcpy(head.public_key, j->public_key, sizeof(head.public_key));
	journal_head_hash(head.hash, &head);
	rc = journal_write_all(j->fd, &head, sizeof(head));
	if (rc == 0)
		memcpy(j->hash, head.hash, sizeof(j->hash));
	return rc;
}

int journal_file_spare(struct journal *j)
{
	char name[JOURNAL_NAME_BYTES];
	int rc;

	beside(j, "spare", name);
	j->fd_spare = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (j->fd_spare < 0)
		return -errno;
	rc = reserve(j->fd_spare, j->config.file_bytes);
	if (rc == 0)
		return 0;
	close(j->fd_spare);
	unlink(name);
	j->fd_spare = -1;
	return rc;
}

/* The head is written before the file gets its name: whoever finds the file, after any crash, finds a whole head in it. */
static int begin_in_spare(struct journal *j)
{
	char from[JOURNAL_NAME_BYTES], to[JOURNAL_NAME_BYTES];
	int rc;

	j->fd = j->fd_spare;
	j->fd_spare = -1;
	beside(j, "spare", from);
	journal_file_name(to, j->path, j->file);
	rc = write_head(j);
	if (rc == 0 && renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		rc = -errno;
	j->n_left = rc == 0 ? j->n_per_file : 0;
	return rc;
}

int journal_file_begin(struct journal *j)
{
	char name[JOURNAL_NAME_BYTES], spare[JOURNAL_NAME_BYTES];
	int rc;

	journal_file_name(name, j->path, j->file);
	if (access(name, F_OK) == 0)
		return gn_err(EEXIST, "journal: %s: a journal is never overwritten, name another or move it away", name);
	rc = journal_file_spare(j);
	if (rc < 0)
		return gn_err(-rc, "journal: reserve %llu bytes for %s", (unsigned long long)j->config.file_bytes, name);
	rc = begin_in_spare(j);
	if (rc == 0)
		return 0;
	beside(j, "spare", spare);
	unlink(spare);
	close(j->fd);
	j->fd = -1;
	return gn_err(-rc, "journal: begin %s", name);
}

int journal_file_switch(struct journal *j)
{
	if (j->fd_spare < 0)
		return -ENOSPC;
	close(j->fd);
	j->file++;
	return begin_in_spare(j);
}

int journal_file_seal(struct journal *j, const uint8_t signature[JOURNAL_SIGNATURE_BYTES])
{
	struct journal_seal seal = {.seq = j->seq};
	char name[JOURNAL_NAME_BYTES], made[JOURNAL_NAME_BYTES];
	int fd, rc;

	memcpy(seal.magic, JOURNAL_SEAL_MAGIC, sizeof(seal.magic));
	memcpy(seal.hash, j->hash, sizeof(seal.hash));
	memcpy(seal.public_key, j->public_key, sizeof(seal.public_key));
	memcpy(seal.signature, signature, sizeof(seal.signature));
	beside(j, "seal", name);
	beside(j, "seal.new", made);
	fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	rc = journal_write_all(fd, &seal, sizeof(seal));
	close(fd);
	if (rc == 0 && rename(made, name) < 0)
		rc = -errno;
	return rc;
}
