/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_LIVE_LOG_H
#define FEED_LIVE_LOG_H

/**
 * @file
 * Messages handed out since a snapshot was asked for, kept to be applied on top of it. Bounded, reserved at start.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/codec/moldudp64.h"

struct live_log {
	uint8_t *mem;
	size_t bytes_max;
	size_t head, tail;       /* entries lie in [head, tail) */
	uint64_t seq_contiguous; /* from here to seq_end nothing is missing */
	uint64_t seq_end;
};

/** Reserve memory. Cold. 0 or -errno. */
int live_log_init(struct live_log *log, size_t bytes);
void live_log_fini(struct live_log *log);

/** Begin anew: the next message is `seq`. */
void live_log_reset(struct live_log *log, uint64_t seq);

/**
 * Keep the messages that are left in a reader (which is not moved); one copy.
 *
 * @return
 *   False: no room; nothing was kept.
 */
bool live_log_append(struct live_log *log, const struct moldudp64_reader *r, uint64_t rx_tsc);

/**
 * Take the oldest datagram.
 *
 * @param r
 *   Valid until the next live_log_append() or live_log_reset(). r->session is not set.
 * @return
 *   False: there is none.
 */
bool live_log_take(struct live_log *log, struct moldudp64_reader *r, uint64_t *rx_tsc);

static inline bool live_log_empty(const struct live_log *log)
{
	return log->head == log->tail;
}

#endif
