/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_TIME_H
#define EXCHANGE_TIME_H

/** @file Time of the exchange's transports: since the Unix epoch, from the monotonic clock, so that it never goes back. */

#include <stdint.h>

struct exchange_clock {
	uint64_t epoch_ns; /* wall clock minus monotonic clock, at start */
};

/** Read both clocks. Cold. */
void exchange_clock_start(struct exchange_clock *c);

/** Now. Any thread; one read of the monotonic clock. */
uint64_t exchange_clock_ns(const struct exchange_clock *c);

/** The local midnight before now: what the venue's time stamps count from. Cold. */
uint64_t exchange_clock_midnight_ns(const struct exchange_clock *c);

#endif
