/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H

/** @file The journal's reader: every record of all files, checked on the way. Cold path. */

#include "journal_format.h"

struct journal_reader {
	const char *path; /* the caller's */
	const uint8_t *map;
	size_t map_bytes, pos;
	uint32_t file;    /* index of the file that is being read */
	uint64_t seq;     /* of the last record that was read */
	uint64_t tsc, unix_ns, tsc_hz; /* anchor */
	uint64_t seq_signed; /* the last record that a signature vouches for; 0: none */
	uint64_t n_lost;     /* facts that the writer had no place for */
	bool closed;         /* its last record says that it was closed in order */
	bool torn;           /* the last write is incomplete: what a crash leaves behind */
	bool trust;          /* public_key is the caller's */
	uint8_t hash[JOURNAL_HASH_BYTES];
	uint8_t public_key[JOURNAL_KEY_BYTES]; /* zero: unsigned */
	bool sealed;         /* there is a seal, and its signature is good */
	bool seal_met;       /* and the chain had the sealed hash where the seal says */
	struct journal_seal seal;
};

/**
 * Open a journal and check its first head, and its seal if there is one.
 *
 * @param key
 *   Public key that must have signed it; NULL: whichever it names itself, which says nothing of who wrote it.
 * @return
 *   0, or -errno with gn_err_text().
 */
int journal_reader_open(struct journal_reader *r, const char *path, const uint8_t *key);

/**
 * The next record, checked: number, checksum, hash, signature, seal. Goes on into the next file by itself.
 *
 * @return
 *   1: *out is valid until the next call. 0: no more (see .closed and .torn). -errno with gn_err_text(): the journal is
 *   damaged or was changed from this record on, or ends before its seal.
 */
int journal_reader_next(struct journal_reader *r, const struct journal_record **out);

/** Unix time of a tick of the counter, by the reader's latest anchor. */
uint64_t journal_reader_ns(const struct journal_reader *r, uint64_t tsc);

void journal_reader_close(struct journal_reader *r);

#endif
