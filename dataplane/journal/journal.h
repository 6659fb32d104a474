/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_H
#define JOURNAL_H

/**
 * @file
 * The journal's files: an append-only chain of fixed-size records, its writer and its reader.
 *
 * A file is a head of two records' length, then records of 160 bytes. Each record carries its number, a CRC-32C (a torn
 * write is seen at once) and the BLAKE2b-256 hash of the record before it and of itself, so that a changed, dropped or
 * reordered record breaks the chain from there on. Numbers are little-endian, as the machine has them.
 */

#include <stdio.h>

#include <gannet/journal.h>

#define JOURNAL_MAGIC "GNJOURN1"
#define JOURNAL_VERSION 1u
#define JOURNAL_HASH_BYTES 32u

enum journal_type {
	JOURNAL_NONE = 0,   /* zeroed memory is the end of what was written */
	JOURNAL_FACT,       /* .msg */
	JOURNAL_INSTRUMENT, /* .instrument: comes before the first fact that names it */
	JOURNAL_ANCHOR,     /* .anchor: what time it was at a tick of the counter */
	JOURNAL_END,        /* .anchor: closed in order; nothing follows */
	JOURNAL_TYPE_COUNT
};

/** One record of a file. */
struct journal_record {
	uint64_t seq;      /* from 1 */
	uint32_t type;     /* enum journal_type */
	uint32_t checksum; /* CRC-32C of the 128 bytes before .hash, taken with .checksum 0 */
	union {
		struct gn_journal_msg msg;
		struct {
			gn_symbol symbol;
			gn_inst inst;
		} instrument;
		struct {
			uint64_t tsc, unix_ns, tsc_hz;
		} anchor;
		uint8_t body[sizeof(struct gn_journal_msg)];
	};
	uint8_t hash[JOURNAL_HASH_BYTES];
};
_Static_assert(sizeof(struct journal_record) == 160, "the format fixes it");
_Static_assert(offsetof(struct journal_record, hash) == 128, "what is hashed is one block of BLAKE2b");

/** Head of a file. */
struct journal_head {
	char magic[8];
	uint32_t version;
	uint32_t record_bytes;
	uint64_t seq_first; /* number of the first record in this file */
	uint64_t tsc, unix_ns, tsc_hz; /* the anchor that holds until the first JOURNAL_ANCHOR */
	uint8_t reserved[240];
	uint8_t hash[JOURNAL_HASH_BYTES]; /* of all before: where the chain starts */
};
_Static_assert(sizeof(struct journal_head) == 2 * sizeof(struct journal_record), "records stay aligned");

#define JOURNAL_BUFFER_RECORDS 512u

struct journal_config {
	const char *path; /* must not exist yet: a journal is never overwritten */
	uint64_t tsc_hz;  /* ticks of the time-stamp counter in a second */
};

/** A journal that is being written. One thread. Members are private to journal.c. */
struct journal {
	int fd;
	int failed;         /* errno of the write that failed, for good */
	uint64_t seq;       /* of the last record */
	uint64_t tsc_hz;
	uint32_t n_buffered;
	uint8_t hash[JOURNAL_HASH_BYTES];
	struct journal_record buffer[JOURNAL_BUFFER_RECORDS];
};

/**
 * Make the file and write its head. Cold.
 *
 * @return
 *   0, or -errno with gn_err_text(): -EEXIST when there is a file already.
 */
int journal_open(struct journal *j, const struct journal_config *config);

/**
 * Add one record behind all others. Hashes it; writes to the file only when the buffer is full.
 *
 * @return
 *   0, or -errno: the record is not in the journal, nor will any other be.
 */
int journal_append(struct journal *j, const struct gn_journal_msg *msg);

/** Say which symbol an instrument index stands for. As journal_append(). */
int journal_append_instrument(struct journal *j, gn_inst inst, gn_symbol symbol);

/** Hand all that is buffered to the file. 0 or -errno. */
int journal_flush(struct journal *j);

/** Close in order: the last record says so. 0 or -errno; the file is closed in any case. */
int journal_close(struct journal *j);

/** A journal that is being read. */
struct journal_reader {
	const char *path; /* the caller's */
	const uint8_t *map;
	size_t map_bytes;
	size_t pos;
	uint64_t seq; /* of the last record that was read */
	uint64_t tsc, unix_ns, tsc_hz; /* anchor */
	bool closed; /* its last record is JOURNAL_END */
	bool torn;   /* the last write is incomplete: what a crash leaves behind */
	uint8_t hash[JOURNAL_HASH_BYTES];
};

/** Open a file and check its head. 0, or -errno with gn_err_text(). */
int journal_reader_open(struct journal_reader *r, const char *path);

/**
 * The next record, checked: number, checksum and hash.
 *
 * @return
 *   1: *out is valid until the reader is closed. 0: no more (see .closed and .torn). -errno with gn_err_text(): the
 *   journal is damaged or was changed from this record on.
 */
int journal_reader_next(struct journal_reader *r, const struct journal_record **out);

/** Unix time of a tick of the counter, by the reader's latest anchor. */
uint64_t journal_reader_ns(const struct journal_reader *r, uint64_t tsc);

void journal_reader_close(struct journal_reader *r);

#endif
