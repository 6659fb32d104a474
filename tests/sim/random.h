/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TESTS_RANDOM_H
#define TESTS_RANDOM_H

/** @file Random numbers of tests: from env GANNET_SEED, else from a fixed seed, so that a run can be repeated. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/** First seed of a test. */
static inline uint64_t random_seed(void)
{
	const char *text = getenv("GANNET_SEED");

	return text ? strtoull(text, NULL, 0) : 1;
}

/** Is there time for many seeds (env GANNET_LONG)? */
static inline bool random_long(void)
{
	return getenv("GANNET_LONG") != NULL;
}

/** splitmix64: any seed will do, neighbours too. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

/** Below n, which is not 0. */
static inline uint64_t random_below(uint64_t *state, uint64_t n)
{
	return random_next(state) % n;
}

#endif
