/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PERF_ITCH_FLOW_H
#define PERF_ITCH_FLOW_H

/**
 * @file
 * A whole market's day of ITCH 5.0, made from a seed: what the benchmarks of decoding and of the book read.
 *
 * Symbols are drawn from a Zipf distribution; references are unique over all symbols, grow by small steps and leave
 * gaps; most orders rest near the touch and die young, some rest far away and stay. Never crossed: the generator keeps
 * books of its own.
 */

#include <stddef.h>
#include <stdint.h>

struct itch_flow_config {
	uint64_t n_messages;
	uint32_t n_symbols; /* 1 to 16000; locates 1 to n_symbols */
	uint32_t live;      /* orders that rest in a typical book of the middle */
	uint64_t seed;
};

struct itch_flow {
	uint8_t *data; /* u16 big-endian length and message, as in the venue's files */
	size_t bytes, room;
	uint64_t n_messages;
	uint64_t n_by_type[256];
	uint64_t n_live; /* orders at the end */
	uint64_t ref_last;
};

/** Make a flow; exits with a message when memory runs out. */
void itch_flow_make(struct itch_flow *flow, const struct itch_flow_config *cfg);
void itch_flow_free(struct itch_flow *flow);

#endif
