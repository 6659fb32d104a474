/* SPDX-License-Identifier: BSD-3-Clause */
#include "oid_map.h"

#include <errno.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

int oid_map_init(struct oid_map *m, uint32_t max, int node)
{
	uint32_t full = max / OID_MAP_PAGE_IDS + 1;

	*m = (struct oid_map){.pages_max = 2 * full + GN_STRATEGIES_MAX};
	m->dir_mask = gn_pow2_at_least(2 * m->pages_max) - 1;
	m->dir_bytes = ((size_t)m->dir_mask + 1) * sizeof(m->dir[0]);
	m->pages_bytes = (size_t)m->pages_max * OID_MAP_PAGE_IDS * sizeof(m->pages[0]);
	m->dir = gn_mem_alloc(m->dir_bytes, node);
	m->pages = gn_mem_alloc(m->pages_bytes, node);
	if (m->dir && m->pages)
		return 0;
	oid_map_fini(m);
	return gn_err_in(-ENOMEM, "gateway: ids of %u orders", max);
}

void oid_map_fini(struct oid_map *m)
{
	gn_mem_free(m->dir, m->dir_bytes);
	gn_mem_free(m->pages, m->pages_bytes);
	m->dir = NULL;
	m->pages = NULL;
	m->last = NULL;
}

static struct oid_map_dir *entry_of(const struct oid_map *m, uint64_t key)
{
	uint32_t i = (uint32_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & m->dir_mask;

	while (m->dir[i].page && m->dir[i].key != key)
		i = (i + 1) & m->dir_mask;
	return &m->dir[i];
}

static uint32_t *use(struct oid_map *m, const struct oid_map_dir *entry)
{
	m->last = m->pages + (size_t)(entry->page - 1) * OID_MAP_PAGE_IDS;
	m->last_key = entry->key;
	return m->last;
}

uint32_t *oid_map_page(struct oid_map *m, gn_oid oid)
{
	const struct oid_map_dir *entry = entry_of(m, oid >> OID_MAP_PAGE_BITS);

	return entry->page ? use(m, entry) : NULL;
}

bool oid_map_reserve(struct oid_map *m, gn_oid oid)
{
	uint64_t key = oid >> OID_MAP_PAGE_BITS;
	struct oid_map_dir *entry;

	if (gn_likely(m->last && key == m->last_key))
		return true;
	entry = entry_of(m, key);
	if (!entry->page) {
		if (m->n_pages == m->pages_max)
			return false;
		*entry = (struct oid_map_dir){.key = key, .page = ++m->n_pages};
	}
	use(m, entry);
	return true;
}

void oid_map_set(struct oid_map *m, gn_oid oid, uint32_t number)
{
	GN_ASSERT(oid_map_reserve(m, oid));
	m->last[oid % OID_MAP_PAGE_IDS] = number;
}
