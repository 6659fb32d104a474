/* SPDX-License-Identifier: BSD-3-Clause */
#include "pace.h"

#define DAY_S UINT64_C(86400) /* a burst of more than a day's worth is a day's worth: keeps sums within the word */

void pace_set(struct pace *p, int64_t per_s, int64_t burst, int64_t reserve, uint64_t tsc_hz)
{
	if (per_s == INT64_MAX || per_s <= 0) {
		p->token_tsc = 0;
		p->slack_tsc = p->slack_kept_tsc = INT64_MAX / 2;
		return;
	}
	uint64_t rate = (uint64_t)per_s < tsc_hz ? (uint64_t)per_s : tsc_hz; /* a tick is the shortest time there is */
	uint64_t tokens = (uint64_t)burst < DAY_S * rate ? (uint64_t)burst : DAY_S * rate;

	p->token_tsc = tsc_hz / rate;
	p->slack_tsc = (int64_t)((tokens - 1) * p->token_tsc);
	p->slack_kept_tsc = p->slack_tsc - reserve * (int64_t)p->token_tsc;
}
