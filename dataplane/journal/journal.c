/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "journal_format.h"

static uint64_t unix_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int write_all(int fd, const void *data, size_t bytes)
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

static int write_head(struct journal *j)
{
	struct journal_head head = {
		.version = JOURNAL_VERSION,
		.record_bytes = sizeof(struct journal_record),
		.seq_first = 1,
		.tsc = gn_tsc(),
		.unix_ns = unix_now_ns(),
		.tsc_hz = j->tsc_hz,
	};

	memcpy(head.magic, JOURNAL_MAGIC, sizeof(head.magic));
	journal_head_hash(head.hash, &head);
	memcpy(j->hash, head.hash, sizeof(j->hash));
	return write_all(j->fd, &head, sizeof(head));
}

int journal_open(struct journal *j, const struct journal_config *config)
{
	int rc;

	*j = (struct journal){.fd = -1, .tsc_hz = config->tsc_hz};
	if (!config->path || !config->path[0])
		return gn_err(EINVAL, "journal: no file name");
	if (!config->tsc_hz)
		return gn_err(EINVAL, "journal: rate of the time-stamp counter is unknown");
	if (sodium_init() < 0)
		return gn_err(0, "journal: libsodium does not start");
	j->fd = open(config->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (j->fd < 0 && errno == EEXIST)
		return gn_err(EEXIST, "journal: %s: a journal is never overwritten, name another or move it away", config->path);
	if (j->fd < 0)
		return gn_err(errno, "journal: make %s", config->path);
	rc = write_head(j);
	if (rc == 0)
		return 0;
	close(j->fd);
	unlink(config->path);
	j->fd = -1;
	return gn_err(-rc, "journal: write head of %s", config->path);
}

int journal_flush(struct journal *j)
{
	int rc;

	if (j->failed)
		return -j->failed;
	rc = write_all(j->fd, j->buffer, j->n_buffered * sizeof(j->buffer[0]));
	if (rc < 0)
		j->failed = -rc;
	j->n_buffered = 0;
	return rc;
}

static struct journal_record *record_begin(struct journal *j, enum journal_type type)
{
	struct journal_record *rec = &j->buffer[j->n_buffered];

	*rec = (struct journal_record){.seq = j->seq + 1, .type = type};
	return rec;
}

static int record_end(struct journal *j, struct journal_record *rec)
{
	if (j->failed)
		return -j->failed;
	rec->checksum = journal_checksum(rec);
	journal_chain(j->hash, rec);
	memcpy(rec->hash, j->hash, sizeof(rec->hash));
	j->seq++;
	return ++j->n_buffered == JOURNAL_BUFFER_RECORDS ? journal_flush(j) : 0;
}

int journal_append(struct journal *j, const struct gn_journal_msg *msg)
{
	struct journal_record *rec = record_begin(j, JOURNAL_FACT);

	rec->msg = *msg;
	return record_end(j, rec);
}

int journal_append_instrument(struct journal *j, gn_inst inst, gn_symbol symbol)
{
	struct journal_record *rec = record_begin(j, JOURNAL_INSTRUMENT);

	rec->instrument.inst = inst;
	rec->instrument.symbol = symbol;
	return record_end(j, rec);
}

static int append_time(struct journal *j, enum journal_type type)
{
	struct journal_record *rec = record_begin(j, type);

	rec->anchor.tsc = gn_tsc();
	rec->anchor.unix_ns = unix_now_ns();
	rec->anchor.tsc_hz = j->tsc_hz;
	return record_end(j, rec);
}

int journal_close(struct journal *j)
{
	int rc;

	if (j->fd < 0)
		return 0;
	rc = append_time(j, JOURNAL_END);
	if (rc == 0)
		rc = journal_flush(j);
	if (rc == 0 && fsync(j->fd) < 0)
		rc = -errno;
	close(j->fd);
	j->fd = -1;
	return rc < 0 ? gn_err(-rc, "journal: close after record %llu", (unsigned long long)j->seq) : 0;
}
