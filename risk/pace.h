/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_PACE_H
#define RISK_PACE_H

/**
 * @file
 * A token bucket in two words: the time at which it will be full again, and what one token is worth.
 *
 * Pure: the time is passed in. A reserve is a number of tokens that only some callers may touch.
 */

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t full_tsc;   /* when every token taken so far has grown back */
	uint64_t token_tsc;  /* time in which one token grows; 0: no limit */
	uint64_t bucket_tsc; /* time in which an empty bucket fills: burst * token_tsc */
};

/** Set rate and burst; tokens taken so far stay taken. `per_s` INT64_MAX: no limit. Cold. */
void pace_set(struct pace *p, int64_t per_s, int64_t burst, uint64_t tsc_hz);

/** How long until a token may be taken while `reserve` tokens stay in the bucket; 0: now. */
static inline uint64_t pace_wait_tsc(const struct pace *p, uint64_t now_tsc, uint64_t reserve)
{
	uint64_t due = p->full_tsc + p->token_tsc * (reserve + 1);

	return due > now_tsc + p->bucket_tsc ? due - now_tsc - p->bucket_tsc : 0;
}

/** Take a token, whether it is there or not. */
static inline void pace_take(struct pace *p, uint64_t now_tsc)
{
	p->full_tsc = (p->full_tsc > now_tsc ? p->full_tsc : now_tsc) + p->token_tsc;
}

#endif
