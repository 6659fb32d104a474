/* SPDX-License-Identifier: BSD-3-Clause */
#include "pace.h"

void pace_set(struct pace *p, int64_t per_s, int64_t burst, uint64_t tsc_hz)
{
	if (per_s == INT64_MAX || per_s <= 0) {
		p->token_tsc = p->bucket_tsc = 0;
		return;
	}
	p->token_tsc = tsc_hz / (uint64_t)per_s;
	if (p->token_tsc == 0)
		p->token_tsc = 1;
	/* a burst of more than a day's worth is a day's worth: keeps sums within the word */
	uint64_t burst_max = UINT64_C(86400) * (uint64_t)per_s;
	p->bucket_tsc = ((uint64_t)burst < burst_max ? (uint64_t)burst : burst_max) * p->token_tsc;
}
