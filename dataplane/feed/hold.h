/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_HOLD_H
#define FEED_HOLD_H

/**
 * @file
 * Datagrams that came before their turn, sorted by sequence, in memory reserved at start.
 *
 * Only used while something is missing. Appending at the end is the common case and costs a copy of the datagram; one
 * that belongs further in front moves the (small) entries behind it.
 */

#include <stdbool.h>
#include <stdint.h>

#define HOLD_DATAGRAM_BYTES_MAX 2048u
#define HOLD_DATAGRAMS_MAX (1u << 16)

/** One datagram that waits. */
struct hold_entry {
	uint64_t seq, seq_end; /* its messages: [seq, seq_end) */
	uint64_t at_ns;        /* when it came */
	uint64_t tag;          /* the caller's */
	uint32_t slot;         /* where its bytes are: hold_bytes() */
	uint16_t bytes;
	uint16_t line;
};

struct hold {
	struct hold_entry *entry; /* twice `max`, so that the window [head, head + n) seldom has to be moved back */
	uint32_t head, n, max;
	uint32_t *free_slot;
	uint32_t n_free;
	uint8_t *bytes;
};

enum hold_verdict {
	HOLD_FULL = 0,  /* no room, or the datagram is longer than a slot: nothing was kept */
	HOLD_DUPLICATE, /* all of it is here already */
	HOLD_KEPT,
};

/** Reserve room for `max` datagrams (1 to HOLD_DATAGRAMS_MAX). Cold. 0 or -errno. */
int hold_init(struct hold *h, uint32_t max);
void hold_fini(struct hold *h);

/** Keep a copy of a datagram. Bounded: one copy of it and one move of up to `max` entries. */
enum hold_verdict hold_keep(struct hold *h, const struct hold_entry *e, const uint8_t *data);

/** The entry with the lowest sequence; NULL when there is none. */
static inline const struct hold_entry *hold_head(const struct hold *h)
{
	return h->n ? &h->entry[h->head] : 0;
}

/** The bytes of an entry, valid until the next hold_keep() after it was popped. */
static inline const uint8_t *hold_bytes(const struct hold *h, const struct hold_entry *e)
{
	return h->bytes + (uint64_t)e->slot * HOLD_DATAGRAM_BYTES_MAX;
}

/** Take the head out. There must be one. */
struct hold_entry hold_pop(struct hold *h);

/** Forget everything. */
void hold_clear(struct hold *h);

#endif
