/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_FORMAT_H
#define JOURNAL_FORMAT_H

/**
 * @file
 * The journal's files. Numbers are little-endian, as the machine has them.
 *
 * A file is a head of two records' length, then records of 160 bytes. Each record carries its number, a CRC-32C (a torn
 * write is seen at once) and a BLAKE2b-256 hash of itself and of the hash of the record before it, so that a changed, dropped or
 * reordered record breaks the chain from there on. The chain goes on from file to file through their heads. With a key,
 * signature records vouch for the chain up to them, and a seal beside the journal holds the last one: a journal that
 * was cut off shorter than its seal is seen to be.
 */

#include <gannet/journal.h>

#define JOURNAL_MAGIC "GNJOURN1"
#define JOURNAL_SEAL_MAGIC "GNJSEAL1"
#define JOURNAL_VERSION 2u
#define JOURNAL_HASH_BYTES 32u
#define JOURNAL_KEY_BYTES 32u        /* public key, Ed25519 */
#define JOURNAL_SECRET_KEY_BYTES 64u
#define JOURNAL_SIGNATURE_BYTES 64u

enum journal_type {
	JOURNAL_NONE = 0,   /* zeroed memory is the end of what was written */
	JOURNAL_FACT,       /* .msg */
	JOURNAL_INSTRUMENT, /* .instrument: comes before the first fact that names it */
	JOURNAL_ANCHOR,     /* .anchor: what time it was at a tick of the counter */
	JOURNAL_SIGNATURE,  /* .signature: of the chain up to the record before */
	JOURNAL_LOST,       /* .lost: so many facts had no place since the last record */
	JOURNAL_CONTINUED,  /* .anchor: the last one of this file, there is a next */
	JOURNAL_END,        /* .anchor: closed in order */
	JOURNAL_TYPE_COUNT
};

/** One record of a file. */
struct journal_record {
	uint64_t seq;      /* from 1, over all files */
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
		uint8_t signature[JOURNAL_SIGNATURE_BYTES];
		uint64_t lost;
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
	uint64_t tsc, unix_ns, tsc_hz; /* the anchor that holds until the next one */
	uint64_t file;      /* index of this file, from 0 */
	uint8_t before[JOURNAL_HASH_BYTES];    /* hash of the last record of the file before; zero in the first */
	uint8_t public_key[JOURNAL_KEY_BYTES]; /* zero: nothing is signed */
	uint8_t reserved[168];
	uint8_t hash[JOURNAL_HASH_BYTES]; /* of all before: where the chain starts */
};
_Static_assert(sizeof(struct journal_head) == 2 * sizeof(struct journal_record), "records stay aligned");

/** PATH.seal: the last signature. */
struct journal_seal {
	char magic[8];
	uint64_t seq; /* of the last record that it vouches for */
	uint8_t hash[JOURNAL_HASH_BYTES]; /* of that record */
	uint8_t public_key[JOURNAL_KEY_BYTES];
	uint8_t signature[JOURNAL_SIGNATURE_BYTES];
};

#endif
