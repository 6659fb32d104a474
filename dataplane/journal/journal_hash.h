/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_HASH_H
#define JOURNAL_HASH_H

/** @file What the journal's writer and reader must compute alike. Private to dataplane/journal. */

#include <limits.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <x86intrin.h>

#include "journal_format.h"

#define JOURNAL_NAME_BYTES (PATH_MAX + 16)
#define JOURNAL_SIGNED_BYTES (8u + 8u + JOURNAL_HASH_BYTES)

/** CRC-32C of a record's 128 bytes, with its checksum field taken as 0. */
static inline uint32_t journal_checksum(const struct journal_record *rec)
{
	uint64_t word[offsetof(struct journal_record, hash) / sizeof(uint64_t)];
	uint64_t crc = UINT32_MAX;

	memcpy(word, rec, sizeof(word));
	word[1] &= UINT32_MAX;
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++)
		crc = _mm_crc32_u64(crc, word[i]);
	return (uint32_t)crc ^ UINT32_MAX;
}

_Static_assert(crypto_generichash_blake2b_SALTBYTES + crypto_generichash_blake2b_PERSONALBYTES == JOURNAL_HASH_BYTES,
	"the hash before fills BLAKE2b's parameters for salt and purpose");

/**
 * hash = BLAKE2b-256 of the record before its .hash, with the hash before as salt and purpose: those are part of the
 * function's parameters, so that a record is one block of input and costs one compression instead of two.
 */
static inline void journal_chain(uint8_t hash[JOURNAL_HASH_BYTES], const struct journal_record *rec)
{
	uint8_t before[JOURNAL_HASH_BYTES];

	memcpy(before, hash, sizeof(before));
	crypto_generichash_blake2b_salt_personal(hash, JOURNAL_HASH_BYTES, (const uint8_t *)rec,
		offsetof(struct journal_record, hash), NULL, 0, before, before + crypto_generichash_blake2b_SALTBYTES);
}

static inline void journal_head_hash(uint8_t hash[JOURNAL_HASH_BYTES], const struct journal_head *head)
{
	crypto_generichash(hash, JOURNAL_HASH_BYTES, (const uint8_t *)head, offsetof(struct journal_head, hash), NULL, 0);
}

/** What is signed of a chain that ends with record seq and this hash. */
static inline void journal_signed(uint8_t out[JOURNAL_SIGNED_BYTES], uint64_t seq, const uint8_t hash[JOURNAL_HASH_BYTES])
{
	memcpy(out, JOURNAL_SEAL_MAGIC, 8);
	memcpy(out + 8, &seq, 8);
	memcpy(out + 16, hash, JOURNAL_HASH_BYTES);
}

/** Name of file `index` of a journal. */
static inline void journal_file_name(char out[JOURNAL_NAME_BYTES], const char *path, uint32_t index)
{
	if (index == 0)
		snprintf(out, JOURNAL_NAME_BYTES, "%s", path);
	else
		snprintf(out, JOURNAL_NAME_BYTES, "%s.%u", path, index);
}

#endif
