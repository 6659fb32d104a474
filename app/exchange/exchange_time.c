/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_time.h"

#include <time.h>

#define NS_PER_S UINT64_C(1000000000)

static uint64_t read_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

void exchange_clock_start(struct exchange_clock *c)
{
	c->epoch_ns = read_ns(CLOCK_REALTIME) - read_ns(CLOCK_MONOTONIC);
}

uint64_t exchange_clock_ns(const struct exchange_clock *c)
{
	return read_ns(CLOCK_MONOTONIC) + c->epoch_ns;
}

uint64_t exchange_clock_midnight_ns(const struct exchange_clock *c)
{
	time_t s = (time_t)(exchange_clock_ns(c) / NS_PER_S);
	struct tm day;

	localtime_r(&s, &day);
	day.tm_hour = day.tm_min = day.tm_sec = 0;
	return (uint64_t)mktime(&day) * NS_PER_S;
}
