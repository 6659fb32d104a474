/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_REFMAP_H
#define EXCHANGE_REFMAP_H

/** @file Order references of a recorded file > ids of the matching engine. Bounded, open addressing. One thread. */

#include <gannet/types.h>

#include "app/exchange/match.h"

struct refmap_entry {
	uint64_t ref; /* 0: free; the reference 0 itself is never put */
	struct match_id id;
};

struct refmap {
	struct refmap_entry *entry;
	uint32_t mask, n, max;
};

/** Room for `max` references. Cold. 0 or -errno. */
int refmap_init(struct refmap *m, uint32_t max);
void refmap_fini(struct refmap *m);

/** False: it is there already, is 0, or there is no room. */
bool refmap_put(struct refmap *m, uint64_t ref, struct match_id id);

/** The id; its ref is 0 when the reference is not there. */
struct match_id refmap_get(const struct refmap *m, uint64_t ref);

/** False: it was not there. */
bool refmap_remove(struct refmap *m, uint64_t ref);

#endif
