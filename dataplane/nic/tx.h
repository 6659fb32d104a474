/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_TX_H
#define GN_TX_H

/**
 * @file
 * One transmit queue of a port. Frames are built in place in the port's own memory and leave in bursts, in order.
 *
 * Includes nothing of DPDK, so that whoever builds frames needs to know nothing of it.
 */

#include <stdbool.h>
#include <stdint.h>

struct gn_tx; /* opaque; one thread owns it */

/** Where a frame is to be written. */
struct gn_tx_frame {
	uint8_t *data;
	uint32_t room_bytes;
	void *handle;
};

/** Borrow an empty frame. Owner thread; bounded, no allocation from the kernel. False, counted: the pool is empty. */
bool gn_tx_claim(struct gn_tx *tx, struct gn_tx_frame *out);

/** Queue a claimed frame of `bytes` bytes; it leaves with the next flush, or at once when the burst is full. */
void gn_tx_commit(struct gn_tx *tx, const struct gn_tx_frame *frame, uint32_t bytes);

/** Give back a claimed frame unsent. */
void gn_tx_abandon(struct gn_tx *tx, const struct gn_tx_frame *frame);

/**
 * Hand all queued frames to the port.
 *
 * @return
 *   Frames the port accepted. Frames it had no room for stay queued, in order, for the next flush; when the queue
 *   itself is full the oldest are dropped and counted (TCP will send them again).
 */
uint32_t gn_tx_flush(struct gn_tx *tx);

struct gn_link;

/**
 * Send a copy of each committed frame (struct gn_captured) over a lossy link, too. Owner thread, before it commits any.
 *
 * @param bytes
 *   Bytes of each frame to copy, 0: none; may change at any time.
 */
void gn_tx_tap(struct gn_tx *tx, struct gn_link *link, const _Atomic uint32_t *bytes);

struct gn_tx_counts {
	uint64_t frames, bytes, full, no_frame, dropped;
};
struct gn_tx_counts gn_tx_counts(const struct gn_tx *tx);

#endif
