/* SPDX-License-Identifier: BSD-3-Clause */
#include "losses.h"

#include <string.h>

#include "dataplane/codec/itch50.h"

/* Types that change a book or what may be traded; all others leave a book right when they are missed. */
static const bool losses_hurts[256] = {
	['A'] = true, ['F'] = true, ['E'] = true, ['C'] = true, ['X'] = true, ['D'] = true, ['U'] = true,
	['H'] = true, ['h'] = true, ['Y'] = true,
};

void losses_reset(struct losses *l)
{
	memset(l, 0, sizeof(*l));
}

void losses_all_stale(struct losses *l)
{
	for (uint32_t i = 1; i < SYMBOLS_LOCATES; i++) /* locate 0 is no instrument */
		l->mark[i] |= LOSSES_STALE;
}

void losses_untouched_fresh(struct losses *l)
{
	for (uint32_t i = 1; i < SYMBOLS_LOCATES; i++)
		if (!(l->mark[i] & LOSSES_TOUCHED))
			l->mark[i] &= (uint8_t)~LOSSES_STALE;
}

static void losses_mark_touched(struct losses *l, uint32_t locate)
{
	l->n_touched += !(l->mark[locate] & LOSSES_TOUCHED);
	l->mark[locate] |= LOSSES_TOUCHED;
}

void losses_rebuild(struct losses *l)
{
	for (uint32_t i = 1; i < SYMBOLS_LOCATES; i++) {
		if (!(l->mark[i] & LOSSES_STALE))
			continue;
		l->mark[i] |= LOSSES_REBUILD;
		losses_mark_touched(l, i);
	}
}

void losses_add(struct losses *l, uint64_t from, uint64_t to)
{
	if (l->n_ranges && l->range[l->n_ranges - 1].to == from)
		l->range[l->n_ranges - 1].to = to;
	else if (l->n_ranges < LOSSES_RANGES)
		l->range[l->n_ranges++] = (struct losses_range){from, to};
	else
		l->unprovable = true;
}

/* Take one number out of the ranges; a range that is cut in two needs a second place. */
static bool losses_take(struct losses *l, uint64_t seq)
{
	for (uint32_t i = 0; i < l->n_ranges; i++) {
		struct losses_range *r = &l->range[i];
		if (seq < r->from || seq >= r->to)
			continue;
		uint64_t to = r->to;
		if (seq == r->from)
			r->from++;
		else
			r->to = seq;
		if (r->from == r->to)
			*r = l->range[--l->n_ranges];
		else if (r->to == seq && seq + 1 < to) {
			if (l->n_ranges < LOSSES_RANGES)
				l->range[l->n_ranges++] = (struct losses_range){seq + 1, to};
			else
				l->unprovable = true;
		}
		return true;
	}
	return false;
}

static void losses_touch(struct losses *l, const uint8_t *msg, uint32_t bytes)
{
	if (bytes < ITCH50_HEAD_BYTES || !losses_hurts[msg[0]])
		return;
	if (itch50_locate(msg) != 0)
		losses_mark_touched(l, itch50_locate(msg));
}

bool losses_see(struct losses *l, uint64_t seq, const uint8_t *msg, uint32_t bytes)
{
	if (!losses_take(l, seq))
		return false;
	losses_touch(l, msg, bytes);
	return true;
}

struct losses_range losses_envelope(const struct losses *l)
{
	struct losses_range e = {0, 0};

	for (uint32_t i = 0; i < l->n_ranges; i++) {
		if (i == 0 || l->range[i].from < e.from)
			e.from = l->range[i].from;
		if (l->range[i].to > e.to)
			e.to = l->range[i].to;
	}
	return e;
}
