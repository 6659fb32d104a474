/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_STAGE_H
#define CAPTURE_STAGE_H

/**
 * @file
 * Capture as a stage, for a cold core: copies of frames in (`rx_capture`, `gateway_capture`: struct gn_captured, lossy
 * rings), pcapng files out. It waits until it is asked; while nobody asks, the data path makes no copies.
 */

#include <stdatomic.h>

#include "dataplane/runtime/stage.h"
#include "pcapng_writer.h"

enum capture_phase {
	CAPTURE_IDLE = 0, /* ended, or never asked */
	CAPTURE_ASKED,
	CAPTURE_RUNS,
	CAPTURE_ENDING,
	CAPTURE_FAILED, /* ended by an error: `error` says which */
};

/** Between whoever asks, one cold thread, and the stage. Owned by the engine, zeroed; outlives the stage. */
struct capture_control {
	_Atomic uint32_t snap_bytes; /* what the data path reads: bytes of each frame to copy; 0: none */
	_Atomic uint32_t phase;      /* enum capture_phase */
	struct pcapng_want want;     /* the asker's while the phase is IDLE or FAILED, else the stage's */
	char error[256];             /* the stage's, complete when the phase becomes FAILED */
	_Atomic uint64_t n_frames, n_lost, n_bytes, n_files; /* of the present or the last capture */
};

struct capture_stage_config {
	struct capture_control *control;
	const char *device; /* name of the port in the files */
};

/** Ask for a capture. 0, or -EBUSY, -EINVAL with gn_err_text(). It has begun when capture_phase() says RUNS. */
int capture_begin(struct capture_control *c, const struct pcapng_want *want);

/** Ask for its end. It has ended when capture_phase() says IDLE or FAILED; at once when none runs. */
void capture_end(struct capture_control *c);

static inline enum capture_phase capture_phase(const struct capture_control *c)
{
	/* acquire pairs with the stage's release: `error` is complete */
	return (enum capture_phase)atomic_load_explicit(&c->phase, memory_order_acquire);
}

extern const struct gn_stage gn_stage_capture;

#endif
