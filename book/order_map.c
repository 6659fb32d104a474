/* SPDX-License-Identifier: BSD-3-Clause */
#include "order_map.h"

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#include <errno.h>
#include <string.h>

#define WINDOW_MIN 1024u

static uint64_t map_window(uint64_t max)
{
	uint64_t window = WINDOW_MIN;

	while (window < max)
		window *= 2;
	return window;
}

int order_map_init(struct order_map *m, uint64_t max, int node)
{
	memset(m, 0, sizeof(*m));
	if (max == 0 || max > UINT64_C(1) << 32)
		return gn_err(EINVAL, "order map: %lu orders, expected 1 to 2^32", (unsigned long)max);
	m->max = max;
	m->window = map_window(max);
	m->window_bits = (uint32_t)__builtin_ctzll(m->window);
	m->n_slots = max + max / 2 + 64; /* two thirds full at most: a search stays short */
	m->rec = gn_mem_alloc(m->window * sizeof(*m->rec), node);
	m->tag = gn_mem_alloc((m->window >> ORDER_FRAME_BITS) * sizeof(*m->tag), node);
	m->old = gn_mem_alloc(m->n_slots * sizeof(*m->old), node);
	if (m->rec && m->tag && m->old)
		return 0;
	order_map_fini(m);
	return gn_err_in(-ENOMEM, "order map: %lu orders", (unsigned long)max);
}

void order_map_fini(struct order_map *m)
{
	gn_mem_free(m->rec, m->window * sizeof(*m->rec));
	gn_mem_free(m->tag, (m->window >> ORDER_FRAME_BITS) * sizeof(*m->tag));
	gn_mem_free(m->old, m->n_slots * sizeof(*m->old));
	memset(m, 0, sizeof(*m));
}

/* Where the search for ref begins: the high half of a product spreads any pattern of references over all slots. */
static uint64_t map_home(const struct order_map *m, uint64_t ref)
{
	uint64_t mixed = (ref ^ ref >> 32) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)((unsigned __int128)mixed * m->n_slots >> 64);
}

static uint64_t map_next(const struct order_map *m, uint64_t slot)
{
	return slot + 1 == m->n_slots ? 0 : slot + 1;
}

uint64_t *order_map_find_old(struct order_map *m, uint64_t ref)
{
	uint64_t own = ref >> m->window_bits;

	if (own > m->tag[order_map_frame(m, ref)] && own <= ORDER_TAG_MAX)
		return NULL; /* newer than all that was ever here */
	for (uint64_t s = map_home(m, ref); m->old[s].rec; s = map_next(m, s))
		if (m->old[s].ref == ref)
			return &m->old[s].rec;
	return NULL;
}

static void map_put_old(struct order_map *m, uint64_t ref, uint64_t rec)
{
	uint64_t s = map_home(m, ref);

	while (m->old[s].rec)
		s = map_next(m, s);
	m->old[s] = (struct order_old){ref, rec};
}

/* A newer frame takes the place: what still lives becomes old. All slots are asked for before the first is used. */
static void map_claim(struct order_map *m, uint64_t frame, uint32_t tag)
{
	uint64_t *rec = &m->rec[frame << ORDER_FRAME_BITS];
	uint64_t ref = (uint64_t)m->tag[frame] << m->window_bits | frame << ORDER_FRAME_BITS;
	uint32_t live[ORDER_FRAME], n = 0;

	for (uint32_t i = 0; i < ORDER_FRAME; i++) {
		if (gn_likely(!rec[i]))
			continue;
		gn_prefetch(&m->old[map_home(m, ref + i)]);
		live[n++] = i;
	}
	for (uint32_t k = 0; k < n; k++) {
		map_put_old(m, ref + live[k], rec[live[k]]);
		rec[live[k]] = 0;
	}
	m->tag[frame] = tag;
}

/* The frame that will be claimed next, when references go on as they do. */
static void map_prefetch_next(const struct order_map *m, uint64_t frame)
{
	const uint64_t *rec = &m->rec[(frame + 1) << ORDER_FRAME_BITS & (m->window - 1)];

	for (uint32_t i = 0; i < ORDER_FRAME; i += GN_LINE / sizeof(*rec))
		gn_prefetch(&rec[i]);
}

void order_map_put_slow(struct order_map *m, uint64_t ref, uint64_t rec)
{
	uint64_t frame = order_map_frame(m, ref), own = ref >> m->window_bits;

	if (own < m->tag[frame] || own > ORDER_TAG_MAX) {
		map_put_old(m, ref, rec);
		return;
	}
	map_claim(m, frame, (uint32_t)own);
	map_prefetch_next(m, frame);
	m->rec[ref & (m->window - 1)] = rec;
}

/* Close the gap: whatever a search would no longer reach past the free slot moves into it. */
void order_map_erase_old(struct order_map *m, uint64_t *rec)
{
	uint64_t hole = (uint64_t)((uint8_t *)rec - (uint8_t *)m->old) / sizeof(*m->old);

	for (uint64_t s = map_next(m, hole); m->old[s].rec; s = map_next(m, s)) {
		uint64_t home = map_home(m, m->old[s].ref);
		bool reached = hole < s ? home > hole && home <= s : home > hole || home <= s;
		if (reached)
			continue;
		m->old[hole] = m->old[s];
		hole = s;
	}
	m->old[hole] = (struct order_old){0};
}

uint64_t *order_map_at(struct order_map *m, uint64_t place, uint64_t *ref)
{
	uint64_t *rec = place < m->window ? &m->rec[place] : &m->old[place - m->window].rec;

	if (!*rec)
		return NULL;
	if (place < m->window)
		*ref = (uint64_t)m->tag[place >> ORDER_FRAME_BITS] << m->window_bits | place;
	else
		*ref = m->old[place - m->window].ref;
	return rec;
}
