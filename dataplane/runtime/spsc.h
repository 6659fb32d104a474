/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_SPSC_H
#define GN_SPSC_H

/**
 * @file
 * Lock-free single-producer single-consumer ring whose slots carry sequence and payload in one cache line.
 *
 * A ring that publishes an index beside its data moves two cache lines a message between cores; here the consumer
 * polls the sequence in the very line that holds the message, so one line moves. The consumer's position is shared
 * back lazily, and read by the producer only when the ring looks full.
 */

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "compiler.h"
#include "err.h"

struct gn_slot {
	_Atomic uint32_t seq; /* written last, with release: the payload beside it is complete */
	uint32_t bytes;       /* of payload in use */
	uint8_t payload[];    /* up to 56 bytes travel in the same line as seq */
};

#define GN_SLOT_HEAD_BYTES 8u

struct gn_spsc {
	GN_OWNED_BY(init) uint8_t *slots;
	uint32_t mask;         /* slots - 1 */
	uint32_t slot_bytes;   /* 16 or a multiple of 64 */
	uint32_t share_every;  /* the consumer shares its position after this many slots */
	size_t map_bytes;
	GN_OWNED_BY(producer) uint64_t tail;
	uint64_t head_seen; /* the shared head is read only when this makes the ring look full */
	GN_OWNED_BY(consumer) uint64_t head;
	uint64_t head_told; /* what head_shared holds */
	GN_OWNED_BY(consumer_published) _Atomic uint64_t head_shared;
};
static_assert(offsetof(struct gn_spsc, tail) == 1 * GN_LINE_PAIR, "producer owns its pair");
static_assert(offsetof(struct gn_spsc, head) == 2 * GN_LINE_PAIR, "consumer owns its pair");
static_assert(offsetof(struct gn_spsc, head_shared) == 3 * GN_LINE_PAIR, "the shared head has its own pair");

/**
 * Set up a ring. Cold path; before either thread uses it.
 *
 * @param r
 *   Memory aligned to GN_LINE_PAIR.
 * @param depth
 *   Slots wanted, 2 to 2^24; rounded up to a power of two.
 * @param payload_bytes
 *   Largest message.
 * @param node
 *   NUMA node of the consumer, or GN_NODE_ANY.
 * @return
 *   0 or -errno with gn_err_text().
 */
int gn_spsc_init(struct gn_spsc *r, uint32_t depth, uint32_t payload_bytes, int node);

/** Give the slots back. Neither thread may use the ring any more. */
void gn_spsc_fini(struct gn_spsc *r);

static inline uint32_t gn_spsc_payload_bytes_max(const struct gn_spsc *r)
{
	return r->slot_bytes - GN_SLOT_HEAD_BYTES;
}

static inline struct gn_slot *gn_spsc_slot(const struct gn_spsc *r, uint64_t pos)
{
	return (struct gn_slot *)(void *)(r->slots + (pos & r->mask) * r->slot_bytes);
}

/**
 * Free slots, as far as the producer needs to know.
 *
 * Producer thread only. Touches a line of the consumer's only when fewer than `want` seem free.
 */
static inline uint64_t gn_spsc_credit(struct gn_spsc *r, uint64_t want)
{
	uint64_t depth = (uint64_t)r->mask + 1;

	if (gn_unlikely(depth - (r->tail - r->head_seen) < want))
		/* acquire pairs with the release in gn_spsc_share(): the slots' readers are done */
		r->head_seen = atomic_load_explicit(&r->head_shared, memory_order_acquire);
	return depth - (r->tail - r->head_seen);
}

/**
 * Borrow the next free slot, to be written in place.
 *
 * Producer thread only. Wait-free, no system call. The slot stays invisible until gn_spsc_publish().
 *
 * @return
 *   Slot, or NULL when full: count it and return, never spin here.
 */
static inline struct gn_slot *gn_spsc_claim(struct gn_spsc *r)
{
	return gn_likely(gn_spsc_credit(r, 1) != 0) ? gn_spsc_slot(r, r->tail) : NULL;
}

/** Make the claimed slot visible, with its first `bytes` bytes. Producer thread only. */
static inline void gn_spsc_publish(struct gn_spsc *r, struct gn_slot *slot, uint32_t bytes)
{
	slot->bytes = bytes;
	/* release pairs with the acquire in gn_spsc_peek() */
	atomic_store_explicit(&slot->seq, (uint32_t)++r->tail, memory_order_release);
}

/** Copy one message in. Producer thread only. False when full: nothing was written. */
static inline bool gn_spsc_push(struct gn_spsc *r, const void *msg, uint32_t bytes)
{
	struct gn_slot *slot = gn_spsc_claim(r);

	if (gn_unlikely(!slot))
		return false;
	memcpy(slot->payload, msg, bytes);
	gn_spsc_publish(r, slot, bytes);
	return true;
}

/**
 * Copy n messages of the same length in. Producer thread only.
 *
 * The first one becomes visible last: a consumer that waits for it finds them all, and does not pull a line away while
 * its other slots are still being written. That pays where several messages share a line.
 *
 * @return
 *   False when there is no room for all of them: nothing was written.
 */
static inline bool gn_spsc_push_burst(struct gn_spsc *r, const void *msgs, uint32_t bytes, uint32_t n)
{
	if (gn_unlikely(gn_spsc_credit(r, n) < n))
		return false;
	for (uint32_t i = n; i-- > 0;) {
		struct gn_slot *slot = gn_spsc_slot(r, r->tail + i);
		memcpy(slot->payload, (const uint8_t *)msgs + (size_t)i * bytes, bytes);
		slot->bytes = bytes;
		/* release pairs with the acquire in gn_spsc_peek(): each is complete, also for who looks ahead */
		atomic_store_explicit(&slot->seq, (uint32_t)(r->tail + i + 1), memory_order_release);
	}
	r->tail += n;
	return true;
}

/**
 * Look at the message `ahead` places behind the oldest one.
 *
 * Consumer thread only; ahead must be below the ring's depth. The slot stays valid until it is released.
 *
 * @return
 *   Slot, or NULL when it has not been published yet.
 */
static inline const struct gn_slot *gn_spsc_peek(const struct gn_spsc *r, uint32_t ahead)
{
	uint64_t pos = r->head + ahead;
	struct gn_slot *slot = gn_spsc_slot(r, pos);

	/* acquire pairs with the release in gn_spsc_publish() */
	if (atomic_load_explicit(&slot->seq, memory_order_acquire) != (uint32_t)(pos + 1))
		return NULL;
	return slot;
}

/** Tell the producer how far the consumer is. Consumer thread only; called by the runner when a ring runs empty. */
static inline void gn_spsc_share(struct gn_spsc *r)
{
	if (r->head_told == r->head)
		return;
	r->head_told = r->head;
	/* release pairs with the acquire in gn_spsc_credit(): our reads of the slots come before */
	atomic_store_explicit(&r->head_shared, r->head, memory_order_release);
}

/** Done with the oldest message. Consumer thread only. */
static inline void gn_spsc_release(struct gn_spsc *r)
{
	r->head++;
	if (gn_unlikely(r->head - r->head_told >= r->share_every))
		gn_spsc_share(r);
}

/** Messages in the ring, as the producer sees it; exact only when the consumer is idle. */
static inline uint64_t gn_spsc_depth(const struct gn_spsc *r)
{
	return r->tail - atomic_load_explicit(&r->head_shared, memory_order_relaxed);
}

#endif
