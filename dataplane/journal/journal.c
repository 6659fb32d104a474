/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal.h"

#include <errno.h>
#include <unistd.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "journal_file.h"
#include "journal_hash.h"
#include "journal_reader.h"

#define FILE_BYTES_DEFAULT (UINT64_C(128) << 20)
#define FILE_BYTES_MIN (UINT64_C(16) << 10)
#define RECORDS_TO_END 3u /* what a full file must still take: LOST, SIGNATURE, and CONTINUED or END */

static int set_defaults(struct journal_config *c)
{
	if (!c->path || !c->path[0])
		return gn_err(EINVAL, "journal: no file name");
	if (!c->tsc_hz)
		return gn_err(EINVAL, "journal: rate of the time-stamp counter is unknown");
	if (!c->file_bytes)
		c->file_bytes = FILE_BYTES_DEFAULT;
	if (c->file_bytes < FILE_BYTES_MIN)
		return gn_err(EINVAL, "journal: files of %llu bytes, at least %llu", (unsigned long long)c->file_bytes,
			(unsigned long long)FILE_BYTES_MIN);
	if (!c->sync_ms)
		c->sync_ms = 200;
	if (!c->sign_every)
		c->sign_every = UINT64_C(1) << 16;
	return 0;
}

/* Reads the journal that is there to its end, and stands behind it. */
static int find_end(struct journal *j)
{
	const struct journal_record *rec;
	struct journal_reader r;
	int rc = journal_reader_open(&r, j->path, NULL);

	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	if (memcmp(r.public_key, j->public_key, sizeof(r.public_key)) != 0) {
		journal_reader_close(&r);
		return gn_err(EPERM, "journal: %s was begun with another key, or with none", j->path);
	}
	while ((rc = journal_reader_next(&r, &rec)) == 1)
		;
	j->seq = r.seq;
	j->seq_signed = r.seq_signed;
	j->file = r.file + 1;
	memcpy(j->hash, r.hash, sizeof(j->hash));
	journal_reader_close(&r);
	return rc;
}

int journal_open(struct journal *j, const struct journal_config *config)
{
	int rc;

	*j = (struct journal){.fd = -1, .fd_spare = -1, .config = *config};
	rc = set_defaults(&j->config);
	if (rc < 0)
		return rc;
	if ((size_t)snprintf(j->path, sizeof(j->path), "%s", config->path) >= sizeof(j->path) - 16)
		return gn_err(ENAMETOOLONG, "journal: %s", config->path);
	if (sodium_init() < 0)
		return gn_err(0, "journal: libsodium does not start");
	j->n_per_file = (j->config.file_bytes - sizeof(struct journal_head)) / sizeof(struct journal_record) - RECORDS_TO_END;
	rc = journal_key_load(j, config->key_path);
	if (rc == 0 && config->resume)
		rc = find_end(j);
	return rc < 0 ? rc : journal_file_begin(j);
}

int journal_flush(struct journal *j)
{
	int rc;

	if (j->failed)
		return -j->failed;
	if (!j->n_buffered)
		return 0;
	rc = journal_write_all(j->fd, j->buffer, j->n_buffered * sizeof(j->buffer[0]));
	j->n_buffered = 0;
	j->dirty = true;
	if (rc == 0 && j->config.sync == JOURNAL_SYNC_EACH)
		rc = fdatasync(j->fd) < 0 ? -errno : 0;
	if (rc < 0)
		j->failed = -rc;
	return rc;
}

int journal_sync(struct journal *j)
{
	int rc = journal_flush(j);

	if (rc < 0 || !j->dirty)
		return rc;
	j->dirty = false;
	if (fdatasync(j->fd) == 0)
		return 0;
	j->failed = errno;
	return -errno;
}

/* Chains one record behind the others, wherever it comes from. There is room for it. */
static int add(struct journal *j, struct journal_record *rec)
{
	rec->seq = j->seq + 1;
	rec->checksum = 0;
	rec->checksum = journal_checksum(rec);
	journal_chain(j->hash, rec);
	memcpy(rec->hash, j->hash, sizeof(rec->hash));
	j->seq++;
	return ++j->n_buffered == JOURNAL_BUFFER_RECORDS ? journal_flush(j) : 0;
}

static struct journal_record *next_record(struct journal *j, enum journal_type type)
{
	struct journal_record *rec = &j->buffer[j->n_buffered];

	rec->type = type;
	memset(rec->body, 0, sizeof(rec->body));
	return rec;
}

static int add_time(struct journal *j, enum journal_type type)
{
	struct journal_record *rec = next_record(j, type);

	rec->anchor.tsc = gn_tsc();
	rec->anchor.unix_ns = journal_unix_now_ns();
	rec->anchor.tsc_hz = j->config.tsc_hz;
	return add(j, rec);
}

/* The chain as it is gets signed, and sealed once it is written: a seal must never be ahead of its journal. */
static int sign(struct journal *j)
{
	uint8_t text[JOURNAL_SIGNED_BYTES], signature[JOURNAL_SIGNATURE_BYTES];
	struct journal_record *rec;
	int rc;

	if (!j->has_key)
		return 0;
	journal_signed(text, j->seq, j->hash);
	crypto_sign_detached(signature, NULL, text, sizeof(text), j->secret_key);
	rc = j->config.sync == JOURNAL_SYNC_NEVER ? journal_flush(j) : journal_sync(j);
	if (rc == 0)
		rc = journal_file_seal(j, signature);
	if (rc < 0)
		return rc;
	j->seq_signed = j->seq;
	j->n_left -= j->n_left > 0;
	rec = next_record(j, JOURNAL_SIGNATURE);
	memcpy(rec->signature, signature, sizeof(signature));
	return add(j, rec);
}

static int tell_lost(struct journal *j)
{
	struct journal_record *rec = next_record(j, JOURNAL_LOST);

	rec->lost = j->n_lost - j->n_lost_told;
	j->n_lost_told = j->n_lost;
	return add(j, rec);
}

static int rotate(struct journal *j)
{
	int rc = 0;

	if (j->fd_spare < 0)
		return -ENOSPC;
	rc = sign(j);
	if (rc == 0)
		rc = add_time(j, JOURNAL_CONTINUED);
	if (rc == 0)
		rc = j->config.sync == JOURNAL_SYNC_NEVER ? journal_flush(j) : journal_sync(j);
	if (rc == 0)
		rc = journal_file_switch(j);
	if (rc < 0)
		j->failed = -rc;
	else if (j->n_lost != j->n_lost_told)
		rc = tell_lost(j);
	return rc;
}

void journal_prepare(struct journal *j)
{
	int rc;

	if (j->fd_spare >= 0 || j->n_left > j->n_per_file / 2 || j->failed)
		return;
	rc = journal_file_spare(j);
	j->tight = -rc;
}

/* Whatever a fact needs before it can be added. */
static int make_room(struct journal *j)
{
	int rc = 0;

	if (gn_unlikely(j->failed))
		return -j->failed;
	if (gn_unlikely(j->n_left == j->n_per_file / 2))
		journal_prepare(j);
	if (gn_unlikely(j->n_left == 0))
		rc = rotate(j);
	else if (gn_unlikely(j->has_key && j->seq - j->seq_signed >= j->config.sign_every && j->n_left > 1))
		rc = sign(j);
	return rc;
}

static int add_fact(struct journal *j, struct journal_record *rec)
{
	j->n_left--;
	return add(j, rec);
}

int journal_append(struct journal *j, const struct gn_journal_msg *msg)
{
	int rc = make_room(j);

	if (gn_unlikely(rc < 0)) {
		j->n_lost++;
		return rc;
	}
	struct journal_record *rec = &j->buffer[j->n_buffered];
	rec->type = JOURNAL_FACT;
	rec->msg = *msg;
	return add_fact(j, rec);
}

int journal_append_instrument(struct journal *j, gn_inst inst, gn_symbol symbol)
{
	int rc = make_room(j);

	if (rc < 0)
		return rc;
	struct journal_record *rec = next_record(j, JOURNAL_INSTRUMENT);
	rec->instrument.inst = inst;
	rec->instrument.symbol = symbol;
	return add_fact(j, rec);
}

static int end(struct journal *j)
{
	int rc = j->n_lost != j->n_lost_told ? tell_lost(j) : 0;

	if (rc == 0)
		rc = sign(j);
	if (rc == 0)
		rc = add_time(j, JOURNAL_END);
	if (rc == 0)
		rc = journal_sync(j);
	/* what was reserved and not needed goes back to the disk */
	if (rc == 0 && ftruncate(j->fd, lseek(j->fd, 0, SEEK_CUR)) < 0)
		rc = -errno;
	return rc;
}

int journal_close(struct journal *j)
{
	char spare[JOURNAL_NAME_BYTES];
	int rc;

	if (j->fd < 0)
		return 0;
	rc = end(j);
	close(j->fd);
	j->fd = -1;
	if (j->fd_spare >= 0) {
		close(j->fd_spare);
		snprintf(spare, sizeof(spare), "%s.spare", j->path);
		unlink(spare);
		j->fd_spare = -1;
	}
	sodium_memzero(j->secret_key, sizeof(j->secret_key));
	return rc < 0 ? gn_err(-rc, "journal: close after record %llu", (unsigned long long)j->seq) : 0;
}
