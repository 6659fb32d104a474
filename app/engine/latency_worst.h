/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_LATENCY_WORST_H
#define ENGINE_LATENCY_WORST_H

/**
 * @file
 * The orders that took longest, with every stamp of every core around them, as they were read from the trace rings. Cold.
 */

#include <stdio.h>

#include "dataplane/runtime/trace.h"

#define WORST_MAX 16u
#define WORST_STAMPS 512u      /* kept of each; the earliest go first */
#define WORST_AROUND_NS 20000u /* before its datagram came and after its frame left */

/** One order. */
struct worst_order {
	uint64_t id, oid, ticks;
	uint32_t n;
	struct gn_stamp stamp[WORST_STAMPS]; /* thread in bits 16 to 30 of hop */
};

struct worst {
	uint32_t n;
	uint64_t ticks_around;
	struct worst_order order[WORST_MAX];
};

#define WORST_THREAD_SHIFT 16
#define WORST_TAKEN (UINT32_C(1) << 31) /* of hop: a collector's own mark, left out of what is kept here */

/**
 * An order was finished.
 *
 * @param batch
 *   Stamps of all cores in order of time, this order's among them.
 */
void worst_take(struct worst *w, uint64_t id, uint64_t oid, uint64_t tx_tsc, const struct gn_stamp *batch, size_t n);

/** Write them, worst first, as text: "order ID OID TICKS", then "TSC THREAD HOP ID INST OID" a stamp. 0 or -errno. */
int worst_write(const struct worst *w, const char *path, double ns_per_tick);

#endif
