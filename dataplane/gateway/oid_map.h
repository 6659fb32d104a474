/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_OID_MAP_H
#define GATEWAY_OID_MAP_H

/**
 * @file
 * Order id > number of an account, two steps: pages of 4096 ids in a small hash, then an index.
 *
 * Ids are counts by strategy, so the ids of one moment lie side by side: the page and the cache line of the last one
 * serve the next, where a hash of the ids themselves would fetch a cold line for each. All memory is taken at start.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gannet/types.h>

#define OID_MAP_PAGE_BITS 12
#define OID_MAP_PAGE_IDS (1u << OID_MAP_PAGE_BITS)

struct oid_map_dir {
	uint64_t key;  /* id >> OID_MAP_PAGE_BITS; free when page is 0 */
	uint32_t page; /* from 1 */
	uint32_t reserved;
};

struct oid_map {
	uint64_t last_key; /* of the page that was used last */
	uint32_t *last;    /* that page; NULL: none yet */
	struct oid_map_dir *dir;
	uint32_t *pages;
	uint32_t dir_mask, n_pages, pages_max;
	size_t dir_bytes, pages_bytes;
};

/** Room for the ids of max orders of any strategies: twice the pages that they fill when none is left out. 0 or -errno. */
int oid_map_init(struct oid_map *m, uint32_t max, int node);
void oid_map_fini(struct oid_map *m);

/** The page of an id; NULL: none of its ids was ever added. */
uint32_t *oid_map_page(struct oid_map *m, gn_oid oid);

/** Number of an id; 0: unknown. */
static inline uint32_t oid_map_find(struct oid_map *m, gn_oid oid)
{
	uint32_t *page = m->last;

	if (__builtin_expect(!page || oid >> OID_MAP_PAGE_BITS != m->last_key, 0)) {
		page = oid_map_page(m, oid);
		if (!page)
			return 0;
	}
	return page[oid % OID_MAP_PAGE_IDS];
}

/** Make room for an id. False: there is no page left. */
bool oid_map_reserve(struct oid_map *m, gn_oid oid);

/** Set the number of an id; there must be room for it, as oid_map_reserve() says. */
void oid_map_set(struct oid_map *m, gn_oid oid, uint32_t number);

#endif
