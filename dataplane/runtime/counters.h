/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_COUNTERS_H
#define GN_COUNTERS_H

/**
 * @file
 * Counters of a stage: plain 64-bit words in its own context, named once in an X-macro list.
 *
 *     #define FEED_COUNTERS(X) X(pkt_rx, "datagrams consumed from either line") ...
 *     struct feed_ctx { ...; struct { FEED_COUNTERS(GN_COUNTER_FIELD) } n; };
 *     static const struct gn_counter feed_counters[] = {FEED_COUNTERS(GN_COUNTER_DESC) {0}};
 *
 * The owner increments them without any atomic; the runner copies them about every millisecond to where others may
 * read. The members of `n` and the descriptions have the same order because one list makes both.
 */

#include <stddef.h>
#include <stdint.h>

struct gn_counter {
	const char *name; /* <subject>_<what happened>, singular; NULL ends a list */
	const char *help;
};

#define GN_COUNTER_FIELD(name, help) uint64_t name;
#define GN_COUNTER_DESC(name, help) {#name, help},

#endif
