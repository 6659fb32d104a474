/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_PACE_H
#define RISK_PACE_H

/**
 * @file
 * A token bucket in a few words: the time at which it will be full again, what one token is worth, and how far that
 * time may lie ahead.
 *
 * Pure: the time is passed in. A reserve is a number of tokens that only some callers may touch.
 */

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t full_tsc; /* when every token taken so far has grown back */
	uint64_t token_tsc; /* time in which one token grows; 0: no limit */
	int64_t slack_tsc; /* a token is there while the bucket is full again within this */
	int64_t slack_kept_tsc; /* the same while the reserve stays in the bucket */
};

/** Set rate, burst and reserve; tokens taken so far stay taken. `per_s` INT64_MAX: no limit. Cold. */
void pace_set(struct pace *p, int64_t per_s, int64_t burst, int64_t reserve, uint64_t tsc_hz);

/** True when a token is there. */
static inline bool pace_ready(const struct pace *p, uint64_t now_tsc)
{
	return (int64_t)(p->full_tsc - now_tsc) <= p->slack_tsc;
}

/** True when a token beside the reserve is there. */
static inline bool pace_ready_kept(const struct pace *p, uint64_t now_tsc)
{
	return (int64_t)(p->full_tsc - now_tsc) <= p->slack_kept_tsc;
}

/** How long until a token beside the reserve and `n_ahead` others is there; 0: now. */
static inline uint64_t pace_wait_tsc(const struct pace *p, uint64_t now_tsc, uint64_t n_ahead)
{
	int64_t owed = p->full_tsc > now_tsc ? (int64_t)(p->full_tsc - now_tsc) : 0;
	int64_t wait = owed + (int64_t)(p->token_tsc * n_ahead) - p->slack_kept_tsc;

	return wait > 0 ? (uint64_t)wait : 0;
}

/** Take a token, whether it is there or not. */
static inline void pace_take(struct pace *p, uint64_t now_tsc)
{
	p->full_tsc = (p->full_tsc > now_tsc ? p->full_tsc : now_tsc) + p->token_tsc;
}

#endif
