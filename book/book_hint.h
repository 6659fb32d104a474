/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_BOOK_HINT_H
#define GN_BOOK_HINT_H

/**
 * @file
 * Loading ahead what an event will touch. Changes nothing, believes nothing: what a hint guesses wrong costs a line.
 *
 * No branch on what kind of event it is, since that is a coin toss.
 */

#include "book_record.h"

/** The level of a price. */
static inline void book_hint_level(const struct book_set *set, gn_inst inst, uint32_t s, int64_t px_e9)
{
	const struct book *b = &set->book[inst];
	const struct levels *l = &b->levels[s];
	uint64_t offset = (uint64_t)levels_key((gn_side)(GN_BUY + s), px_e9) - (uint64_t)levels_base(l);
	uint64_t place = (uint64_t)((unsigned __int128)(offset + 1) * levels_tick_of(l)->inverse >> 64);

	if (gn_unlikely(place >= LEVELS_WINDOW))
		return;
	uintptr_t near = (uintptr_t)b->near_sum[s], deep = (uintptr_t)set->rest[inst].ladder[s].deep_sum;
	deep -= LEVELS_NEAR * sizeof(uint64_t); /* both counted from the ladder's first place */
	near ^= (near ^ deep) & levels_mask(place >= LEVELS_NEAR);
	gn_prefetch((const void *)(near + place * sizeof(uint64_t)));
}

/** Some messages ahead: the order's record and the book. Hot; the books' one thread. */
static inline void book_hint_far(const struct book_set *set, const struct gn_md *md)
{
	if (gn_unlikely(md->inst >= set->cfg.instruments_max))
		return;
	order_map_prefetch(&set->map, md->order.ref);
	gn_prefetch(&set->book[md->inst]);
}

/** Fewer messages ahead: the level, which the record and the book tell. */
static inline void book_hint_near(const struct book_set *set, const struct gn_md *md)
{
	if (gn_unlikely(md->inst >= set->cfg.instruments_max))
		return;
	uint64_t rec = *order_map_place(&set->map, md->order.ref), add = levels_mask(md->kind == GN_MD_ADD);
	uint64_t resting_e9 = (uint64_t)rec_px_bits(rec) * GN_PX_E9_PER_E4, s = rec >> REC_SIDE_SHIFT;
	uint64_t px_e9 = resting_e9 ^ ((resting_e9 ^ (uint64_t)md->order.px.e9) & add);

	s = (s ^ ((s ^ (md->side - (uint64_t)GN_BUY)) & add)) & 1;
	book_hint_level(set, md->inst, (uint32_t)s, (int64_t)px_e9);
	if (md->kind == GN_MD_REPLACE)
		book_hint_level(set, md->inst, (uint32_t)s, md->order.px.e9);
}

/** A hint as links give it: step 0 is far, 1 is near. */
static inline void book_hint(const struct book_set *set, const struct gn_md *md, uint32_t step)
{
	if (step == 0)
		book_hint_far(set, md);
	else
		book_hint_near(set, md);
}

#endif
