/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_RNG_H
#define EXCHANGE_RNG_H

/** @file The exchange's random numbers: a 64-bit state stepped by a constant and mixed (SplitMix64). Same seed, same numbers. */

#include <stdbool.h>
#include <stdint.h>

#define RNG_PPM UINT32_C(1000000)

struct rng {
	uint64_t state;
};

static inline uint64_t rng_u64(struct rng *r)
{
	uint64_t z = r->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/** A generator of its own for each user, so that one does not disturb the numbers of another. */
static inline struct rng rng_fork(uint64_t seed, uint64_t user)
{
	struct rng r = {.state = seed * UINT64_C(0x9e3779b97f4a7c15) ^ user};

	rng_u64(&r);
	return r;
}

/** Below n; n at least 1. */
static inline uint32_t rng_below(struct rng *r, uint32_t n)
{
	return (uint32_t)((rng_u64(r) >> 32) * n >> 32);
}

/** From min to max, both included. */
static inline uint32_t rng_between(struct rng *r, uint32_t min, uint32_t max)
{
	return min + rng_below(r, max - min + 1);
}

/** True `ppm` times in a million. Draws nothing for 0, so that a fault that is off changes nothing. */
static inline bool rng_hit(struct rng *r, uint32_t ppm)
{
	return ppm && rng_below(r, RNG_PPM) < ppm;
}

/** How many further times a chance of 1 in 2 came out, at most max: 0 half of the time, 1 a quarter ... */
static inline uint32_t rng_halvings(struct rng *r, uint32_t max)
{
	uint64_t v = rng_u64(r);
	uint32_t n = v ? (uint32_t)__builtin_ctzll(v) : 63;

	return n < max ? n : max;
}

/** A waiting time with that mean and no memory (exponential), at least 1. */
uint64_t rng_wait(struct rng *r, uint64_t mean);

#endif
