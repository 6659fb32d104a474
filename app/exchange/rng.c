/* SPDX-License-Identifier: BSD-3-Clause */
#include "rng.h"

#include <math.h>

uint64_t rng_wait(struct rng *r, uint64_t mean)
{
	/* 1 to 2^53: never the logarithm of 0 */
	double u = (double)((rng_u64(r) >> 11) + 1) / 9007199254740992.0;
	double wait = -log(u) * (double)mean;

	return wait < 1.0 ? 1 : (uint64_t)wait;
}
