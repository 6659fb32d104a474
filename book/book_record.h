/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_BOOK_RECORD_H
#define GN_BOOK_RECORD_H

/** @file The 8-byte record of an order. Private to book/. */

#include "book.h"

/* qty 20 bits, side 1, price in 1e-4 28, book number 15. Quantity 0: the price bits number a wide record instead. */
#define REC_QTY_MAX ((INT64_C(1) << 20) - 1)
#define REC_PX_E4_MAX ((UINT64_C(1) << 28) - 1)
#define REC_SIDE_SHIFT 20u
#define REC_PX_SHIFT 21u
#define REC_ID_SHIFT 49u

#define WIDE_NONE UINT32_MAX

/** What a record cannot tell. */
struct book_wide {
	int64_t px_e9;
	gn_qty qty;
	uint64_t arrival; /* ref_high when it came */
	uint32_t late;    /* and its number among those that came late */
	uint32_t next_free;
};

struct book_watch {
	uint64_t ref;
	gn_inst inst;
	gn_side side; /* 0: the order has not come yet */
	int64_t px_e9;
	uint64_t arrival[2];
	struct book_queue ahead;
};

/* A record, unfolded. */
struct rec_order {
	int64_t px_e9;
	gn_qty qty;
	gn_side side;
};

static inline uint32_t rec_id(uint64_t rec)
{
	return (uint32_t)(rec >> REC_ID_SHIFT);
}

static inline bool rec_is_wide(uint64_t rec)
{
	return (rec & (uint64_t)REC_QTY_MAX) == 0;
}

static inline gn_side rec_side(uint64_t rec)
{
	return (gn_side)(GN_BUY + (rec >> REC_SIDE_SHIFT & 1));
}

static inline uint32_t rec_px_bits(uint64_t rec)
{
	return (uint32_t)(rec >> REC_PX_SHIFT & REC_PX_E4_MAX);
}

static inline struct book_wide *rec_wide(const struct book_set *set, uint64_t rec)
{
	return &set->wide[rec_px_bits(rec)];
}

static inline uint64_t rec_make(uint32_t id, gn_side side, uint64_t px_bits, uint64_t qty)
{
	return (uint64_t)id << REC_ID_SHIFT | px_bits << REC_PX_SHIFT | (uint64_t)(side - GN_BUY) << REC_SIDE_SHIFT | qty;
}

static inline struct rec_order rec_unfold(const struct book_set *set, uint64_t rec)
{
	if (gn_unlikely(rec_is_wide(rec))) {
		const struct book_wide *w = rec_wide(set, rec);
		return (struct rec_order){w->px_e9, w->qty, rec_side(rec)};
	}
	return (struct rec_order){
		(int64_t)rec_px_bits(rec) * GN_PX_E9_PER_E4, (gn_qty)(rec & (uint64_t)REC_QTY_MAX), rec_side(rec)};
}

/** Of book_queue.c, called only while the book has BOOK_WATCHED. */
void book_watch_added(struct book_set *set, gn_inst inst, uint64_t ref);
void book_watch_taken(
	struct book_set *set, gn_inst inst, uint64_t ref, uint64_t rec, const struct rec_order *o, gn_qty qty, bool gone);
void book_watch_cleared(struct book_set *set, gn_inst inst);
void book_arrival(const struct book_set *set, uint64_t ref, uint64_t rec, uint64_t arrival[2]);

#endif
