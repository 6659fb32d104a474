/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_STORE_H
#define EXCHANGE_STORE_H

/**
 * @file
 * Sent messages by sequence number, in bounded memory: the oldest make room for the newest. For re-requests and for
 * resuming an order session. One thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_MSG_BYTES_MAX 2048u

struct store_entry {
	uint64_t offset; /* of the message in a byte stream without end; its place is that modulo the ring */
	uint32_t bytes;
	uint32_t reserved;
};

struct store {
	uint8_t *ring;
	struct store_entry *entry;
	size_t ring_bytes;
	uint64_t entries;  /* room */
	uint64_t seq_first; /* oldest kept */
	uint64_t seq_next;  /* the next one put */
	uint64_t offset;    /* of the next one */
};

/** Cold. The first message put has sequence number 1. 0 or -errno. */
int store_init(struct store *s, size_t bytes);
void store_fini(struct store *s);

/** Keep a copy of a message of at most STORE_MSG_BYTES_MAX. @return its sequence number. */
uint64_t store_put(struct store *s, const void *msg, uint32_t bytes);

/** A kept message; false: not sent yet, or gone. Valid until the next store_put(). */
bool store_get(const struct store *s, uint64_t seq, const uint8_t **msg, uint32_t *bytes);

#endif
