/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_PROGRESS_H
#define REPLAY_PROGRESS_H

/** @file A bar on the terminal while a capture is read; nothing when standard error is not a terminal. */

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;
	uint64_t begin_ns, drawn_ns;
	uint32_t n_calls;
};

void progress_begin(struct progress *p);

/** progress_step() when it may be time to draw. */
void progress_draw(struct progress *p, const char *name, uint64_t done_bytes, uint64_t all_bytes, uint64_t n);

/**
 * Tell how far we are; cheap enough for every message.
 *
 * @param all_bytes
 *   0: unknown.
 * @param n
 *   Pieces so far.
 */
static inline void progress_step(struct progress *p, const char *name, uint64_t done_bytes, uint64_t all_bytes, uint64_t n)
{
	if (__builtin_expect(p->on, 0) && (++p->n_calls & 0xffff) == 0)
		progress_draw(p, name, done_bytes, all_bytes, n);
}

/** Wipe the bar away. */
void progress_end(struct progress *p);

#endif
