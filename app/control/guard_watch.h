/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GUARD_WATCH_H
#define GUARD_WATCH_H

/**
 * @file
 * When an engine hangs or has died: judged from its heartbeats, as a guard sees them. Pure.
 *
 * A heartbeat that stands still counts only while the guard itself has looked at it: when the whole machine slept, both did.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUARD_BEATS_MAX 65u /* threads of the engine, and its cold thread */
#define GUARD_LOOK_NS_MAX UINT64_C(20000000) /* more between two looks is not held against the engine */

/** How far the engine is: the word "phase" that it publishes. */
enum engine_phase { ENGINE_STARTING = 0, ENGINE_RUNNING, ENGINE_STOPPING, ENGINE_HALTED };

enum guard_verdict {
	GUARD_ASLEEP = 0, /* it has not run yet */
	GUARD_FINE,
	GUARD_HUNG, /* a thread stands still */
	GUARD_DEAD, /* its process has gone in the middle of things */
	GUARD_ENDED, /* it has stopped in order */
};

/** One look. */
struct guard_look {
	uint64_t now_ns; /* monotonic */
	bool alive; /* its process runs */
	uint64_t phase, n_open;
	uint32_t n_beats;
	uint64_t beat[GUARD_BEATS_MAX];
};

struct guard_watch {
	uint64_t hang_ns;
	bool armed; /* it was seen running */
	uint64_t last_ns, n_open;
	uint64_t beat[GUARD_BEATS_MAX], still_ns[GUARD_BEATS_MAX];
	uint32_t hung; /* which one */
};

/** Look and judge. Of what has no heartbeat (0) nothing is expected yet. */
enum guard_verdict guard_judge(struct guard_watch *w, const struct guard_look *look);

#endif
