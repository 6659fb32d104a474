/* SPDX-License-Identifier: BSD-3-Clause */
#include "refmap.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

int refmap_init(struct refmap *m, uint32_t max)
{
	uint32_t n = gn_pow2_at_least(2 * max);

	*m = (struct refmap){.entry = calloc(n, sizeof(*m->entry)), .mask = n - 1, .max = max};
	return m->entry ? 0 : gn_err(ENOMEM, "exchange: %u references", max);
}

void refmap_fini(struct refmap *m)
{
	free(m->entry);
	m->entry = NULL;
}

static uint32_t home_of(const struct refmap *m, uint64_t ref)
{
	return (uint32_t)((ref * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & m->mask;
}

static uint32_t place_of(const struct refmap *m, uint64_t ref)
{
	uint32_t i = home_of(m, ref);

	while (m->entry[i].ref && m->entry[i].ref != ref)
		i = (i + 1) & m->mask;
	return i;
}

bool refmap_put(struct refmap *m, uint64_t ref, struct match_id id)
{
	uint32_t i = place_of(m, ref);

	if (!ref || m->entry[i].ref || m->n == m->max)
		return false;
	m->entry[i] = (struct refmap_entry){.ref = ref, .id = id};
	m->n++;
	return true;
}

struct match_id refmap_get(const struct refmap *m, uint64_t ref)
{
	const struct refmap_entry *e = &m->entry[place_of(m, ref)];

	return e->ref && ref ? e->id : (struct match_id){0};
}

bool refmap_remove(struct refmap *m, uint64_t ref)
{
	uint32_t hole = place_of(m, ref);

	if (!ref || !m->entry[hole].ref)
		return false;
	m->n--;
	/* whoever stands further on because this place was taken moves up, so that no search ends too early */
	for (uint32_t i = (hole + 1) & m->mask; m->entry[i].ref; i = (i + 1) & m->mask) {
		uint32_t home = home_of(m, m->entry[i].ref);

		if (((i - home) & m->mask) < ((i - hole) & m->mask))
			continue;
		m->entry[hole] = m->entry[i];
		hole = i;
	}
	m->entry[hole] = (struct refmap_entry){0};
	return true;
}
