/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_H
#define JOURNAL_H

/**
 * @file
 * The journal's writer: an append-only chain of fixed-size records in pre-allocated files.
 *
 * What may fail for want of disk fails early: the next file is made, with all its blocks, while half of this one is
 * still empty. When that does not succeed the journal is tight: new orders are to be refused, and what is left holds
 * the reports and cancels meanwhile. One thread; cold, but for journal_append().
 */

#include <limits.h>

#include "journal_format.h"

enum journal_sync {
	JOURNAL_SYNC_EVERY_MS = 0, /* every sync_ms: a power failure loses that much; a crash of the process loses none of it */
	JOURNAL_SYNC_NEVER,        /* the kernel writes when it likes */
	JOURNAL_SYNC_EACH,         /* after each write */
};

/** Zero of a number means its default. */
struct journal_config {
	const char *path;      /* of the first file; the others are PATH.1, PATH.2 ... */
	uint64_t tsc_hz;       /* ticks of the time-stamp counter in a second */
	uint64_t file_bytes;   /* of one file; default 128 MiB, at least 16 KiB */
	enum journal_sync sync;
	uint32_t sync_ms;      /* default 200 */
	const char *key_path;  /* secret key from journal_key_make(); NULL or "": nothing is signed */
	uint64_t sign_every;   /* records; default 2^16 */
	bool resume;           /* go on behind the journal that is there; else there must be none: it is never overwritten */
};

#define JOURNAL_BUFFER_RECORDS 512u

/** A journal that is being written. Members are private to journal.c and journal_file.c. */
struct journal {
	int fd, fd_spare;      /* spare: the next file; -1: none */
	int failed;            /* errno of the write that failed: nothing is written any more */
	int tight;             /* errno of the last attempt to make the next file; 0: there is one, or none is needed yet */
	uint32_t file;         /* index of the file that is being written */
	uint64_t seq;          /* of the last record */
	uint64_t seq_signed;
	uint64_t n_left;       /* records that the file still takes, less those that end it */
	uint64_t n_per_file;
	uint64_t n_lost, n_lost_told; /* facts that had no place; those that a record tells of */
	uint32_t n_buffered;
	bool dirty;            /* written, not yet synchronised */
	bool has_key;
	uint8_t hash[JOURNAL_HASH_BYTES];
	uint8_t secret_key[JOURNAL_SECRET_KEY_BYTES], public_key[JOURNAL_KEY_BYTES];
	struct journal_config config;
	char path[PATH_MAX];
	struct journal_record buffer[JOURNAL_BUFFER_RECORDS];
};

/**
 * Make the first file (or go on behind the last one) and the buffer.
 *
 * @return
 *   0, or -errno with gn_err_text(): -EEXIST when there is a journal and config->resume is not set.
 */
int journal_open(struct journal *j, const struct journal_config *config);

/**
 * Add one record behind all others. Hashes it; writes to the file only when the buffer is full.
 *
 * @return
 *   0, or -errno: the record is not in the journal; counted, and told by a record as soon as there is room again.
 */
int journal_append(struct journal *j, const struct gn_journal_msg *msg);

/** Say which symbol an instrument index stands for. As journal_append(). */
int journal_append_instrument(struct journal *j, gn_inst inst, gn_symbol symbol);

/** Hand all that is buffered to the file. 0 or -errno. */
int journal_flush(struct journal *j);

/** Flush, and wait until it is on the disk. 0 or -errno. */
int journal_sync(struct journal *j);

/** Make the next file if it is time to, or if the last attempt failed. Every second or so; may take milliseconds. */
void journal_prepare(struct journal *j);

/** Must new orders be refused, so that what is left of the journal lasts for reports and cancels? */
static inline bool journal_is_tight(const struct journal *j)
{
	return j->tight != 0 || j->failed != 0;
}

/** Sign all there is, seal it, close in order. 0 or -errno; the files are closed in any case. */
int journal_close(struct journal *j);

/** Make a pair of keys: PATH (secret, mode 0600) and PATH.pub, both as hexadecimal text. 0, or -errno with gn_err_text(). */
int journal_key_make(const char *path);

/** Read a public key, PATH.pub. 0, or -errno with gn_err_text(). */
int journal_key_read(const char *path, uint8_t key[JOURNAL_KEY_BYTES]);

#endif
