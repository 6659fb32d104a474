/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_DECODE_H
#define FEED_DECODE_H

/** @file Messages > events of a feed's batch. Private to the feed. */

#include "dataplane/codec/itch50.h"

#include "feed.h"

/** Hand the batch on. */
static inline void feed_send(struct feed *f)
{
	gn_link_send_burst(f->out, f->batch, sizeof(f->batch[0]), sizeof(f->batch[0]), f->n_batch);
	f->n_batch = 0;
}

/** A place for one more event; the batch is handed on first when it is full. */
static inline struct gn_md *feed_claim(struct feed *f)
{
	if (gn_unlikely(f->n_batch == FEED_BATCH))
		feed_send(f);
	return &f->batch[f->n_batch];
}

#define FEED_TELL_EVENTS 64u    /* books told in one unit of work */
#define FEED_TELL_LOCATES 4096u /* and numbers looked at for it */

/** Append a copy of an event, for inst, caused by the datagram in work. */
void feed_put(struct feed *f, const struct gn_md *md, gn_inst inst);

/** Every lost message is accounted for: tell so if any book was told to be stale. In feed.c. */
void feed_all_fresh(struct feed *f);

/** Append an event of the engine's own. */
void feed_tell(struct feed *f, enum gn_md_kind kind, gn_inst inst);

/** All that is not a well-formed message of a known instrument. */
void feed_decode_rare(struct feed *f, const uint8_t *msg, uint32_t bytes);

/** A message that comes too late to be applied: its instrument's name is still worth knowing. */
void feed_decode_late(struct feed *f, const uint8_t *msg, uint32_t bytes);

/** One message > at most three events in the batch. Directories teach every shard; an IPO names no number. Hot. */
static inline void feed_decode(struct feed *f, const uint8_t *msg, uint32_t bytes)
{
	if (gn_unlikely(bytes < ITCH50_HEAD_BYTES)) {
		feed_decode_rare(f, msg, bytes);
		return;
	}
	gn_inst inst = f->symbols.inst_of[itch50_locate(msg)];
	if (inst == SYMBOLS_FOREIGN && msg[0] != 'R' && msg[0] != 'K') {
		f->n.msg_foreign++;
		return;
	}
	struct gn_md *md = feed_claim(f);
	uint16_t locate;
	if (gn_unlikely(inst >= SYMBOLS_SPECIAL || msg[0] == 'R') ||
	    gn_unlikely(itch50_decode(msg, bytes, md, &locate) != ITCH50_OK)) {
		feed_decode_rare(f, msg, bytes);
		return;
	}
	md->inst = inst;
	md->rx_tsc = f->rx_tsc;
	md->exch_ns += f->midnight_ns;
	f->n_batch++;
	f->n.msg_event++;
}

#endif
