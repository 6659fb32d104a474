/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/net/frame.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"
#include "pinning/clock.h"

#define FLUSH_NS UINT64_C(100000000) /* whoever follows a file waits no longer than this */
#define END_NS UINT64_C(5000000)     /* for copies that are under way when a capture ends */

#define CAPTURE_COUNTERS(X)                                                     \
	X(frame_written, "frames written to a capture")                         \
	X(frame_lost, "frames that a capture missed: its ring was full")        \
	X(frame_late, "frames that came after a capture had ended, dropped")    \
	X(msg_bad, "messages of a wrong length, dropped")                       \
	X(capture_begun, "captures that were begun")                            \
	X(capture_failed, "captures that an error ended")

#define SOURCES_MAX 32u /* a port's receive queues, and the gateways */

/* One end of the data path that copies its frames to us. */
struct source {
	bool seen;
	uint32_t seq; /* of the last frame */
};

struct capture_ctx {
	struct capture_control *control;
	const char *device;
	struct pcapng_writer writer;
	bool open;
	uint64_t flush_ns, end_ns; /* end_ns 0: no end was asked for */
	uint64_t n_frames, n_lost; /* of this capture */
	struct source received[SOURCES_MAX], sent[SOURCES_MAX];
	struct {
		CAPTURE_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

int capture_begin(struct capture_control *c, const struct pcapng_want *want)
{
	enum capture_phase phase = capture_phase(c);

	if (phase != CAPTURE_IDLE && phase != CAPTURE_FAILED)
		return gn_err(EBUSY, "capture: %s is being written", c->want.path);
	if (want->path[0] == '\0')
		return gn_err(EINVAL, "capture: no file is named");
	c->want = *want;
	/* release: the stage sees what is wanted */
	atomic_store_explicit(&c->phase, CAPTURE_ASKED, memory_order_release);
	return 0;
}

void capture_end(struct capture_control *c)
{
	uint32_t phase = CAPTURE_RUNS, asked = CAPTURE_ASKED;

	/* no copy from here on, also when the stage is slow to notice */
	if (!atomic_compare_exchange_strong(&c->phase, &asked, CAPTURE_IDLE)
		&& atomic_compare_exchange_strong(&c->phase, &phase, CAPTURE_ENDING))
		atomic_store_explicit(&c->snap_bytes, 0, memory_order_relaxed);
}

static void publish(struct capture_ctx *c)
{
	struct capture_control *k = c->control;

	atomic_store_explicit(&k->n_frames, c->n_frames, memory_order_relaxed);
	atomic_store_explicit(&k->n_lost, c->n_lost, memory_order_relaxed);
	atomic_store_explicit(&k->n_bytes, c->writer.n_bytes + c->writer.n_buf, memory_order_relaxed);
	atomic_store_explicit(&k->n_files, c->writer.n_files, memory_order_relaxed);
}

/* The end of a capture; rc: what ended it. */
static void finish(struct capture_ctx *c, int rc)
{
	struct capture_control *k = c->control;

	atomic_store_explicit(&k->snap_bytes, 0, memory_order_relaxed);
	if (rc < 0)
		snprintf(k->error, sizeof(k->error), "%s", gn_err_text());
	int close_rc = c->open ? pcapng_close(&c->writer, c->n_frames, c->n_lost) : 0;

	if (rc == 0 && close_rc < 0)
		snprintf(k->error, sizeof(k->error), "%s", gn_err_text());
	c->open = false;
	c->end_ns = 0;
	publish(c);
	if (rc < 0 || close_rc < 0) {
		c->n.capture_failed++;
		gn_error("%s", k->error);
	}
	/* release: the asker sees the error */
	atomic_store_explicit(&k->phase, rc < 0 || close_rc < 0 ? CAPTURE_FAILED : CAPTURE_IDLE, memory_order_release);
}

static void begin(struct capture_ctx *c)
{
	struct capture_control *k = c->control;
	uint32_t asked = CAPTURE_ASKED, snap = k->want.snap_bytes;

	c->n_frames = c->n_lost = 0;
	memset(c->received, 0, sizeof(c->received));
	memset(c->sent, 0, sizeof(c->sent));
	int rc = pcapng_open(&c->writer, &k->want, c->device);

	c->open = rc == 0;
	if (rc < 0) {
		finish(c, rc);
		return;
	}
	c->n.capture_begun++;
	if (atomic_compare_exchange_strong(&k->phase, &asked, CAPTURE_RUNS))
		atomic_store_explicit(&k->snap_bytes, snap && snap < GN_FRAME_BYTES_MAX ? snap : GN_FRAME_BYTES_MAX,
			memory_order_relaxed);
	else
		finish(c, 0); /* called off in between */
}

/* Numbers that are missing are frames that found the ring full. */
static void count_lost(struct capture_ctx *c, struct source *s, uint32_t seq)
{
	uint32_t lost = s->seen ? seq - s->seq - 1 : 0;

	s->seen = true;
	s->seq = seq;
	c->n_lost += lost;
	c->n.frame_lost += lost;
}

static void on_frame(struct capture_ctx *c, struct source *s, bool sent, const struct gn_captured *f, uint32_t bytes)
{
	if (gn_unlikely(bytes < sizeof(*f) || bytes - sizeof(*f) != f->bytes)) {
		c->n.msg_bad++;
		return;
	}
	if (!c->open) {
		c->n.frame_late++;
		return;
	}
	count_lost(c, s, f->seq);
	int rc = pcapng_frame(
		&c->writer, gn_clock_ns_from_tsc(f->tsc), sent, f->data, f->bytes, f->wire_bytes);
	if (rc < 0) {
		finish(c, rc);
		return;
	}
	c->n_frames++;
	c->n.frame_written++;
}

static void capture_on_received(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct capture_ctx *c = arg;

	GN_ASSERT(from < SOURCES_MAX);
	on_frame(c, &c->received[from], false, msg, bytes);
}

static void capture_on_sent(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct capture_ctx *c = arg;

	GN_ASSERT(from < SOURCES_MAX);
	on_frame(c, &c->sent[from], true, msg, bytes);
}

static bool capture_poll(void *arg)
{
	struct capture_ctx *c = arg;

	switch (capture_phase(c->control)) {
	case CAPTURE_ASKED: begin(c); return true;
	case CAPTURE_ENDING:
		if (c->end_ns == 0)
			c->end_ns = gn_clock_now_ns() + END_NS;
		else if (gn_clock_now_ns() >= c->end_ns)
			finish(c, 0);
		return false;
	default: return false;
	}
}

static void capture_housekeeping(void *arg, uint64_t now_tsc)
{
	struct capture_ctx *c = arg;
	uint64_t now_ns = gn_clock_ns_from_tsc(now_tsc);

	if (!c->open || now_ns < c->flush_ns)
		return;
	c->flush_ns = now_ns + FLUSH_NS;
	int rc = pcapng_flush(&c->writer);

	publish(c);
	if (rc < 0)
		finish(c, rc);
}

static int capture_init(void *arg, const struct gn_env *env)
{
	const struct capture_stage_config *config = env->config;
	struct capture_ctx *c = arg;

	if (!config || !config->control)
		return gn_err(EINVAL, "%s: nobody can ask it for anything", env->instance);
	c->control = config->control;
	c->device = config->device;
	return 0;
}

static void capture_fini(void *arg)
{
	struct capture_ctx *c = arg;

	if (c->open)
		finish(c, 0);
}

#define INLET_BYTES ((uint32_t)sizeof(struct gn_captured) + GN_FRAME_BYTES_MAX)

const struct gn_stage gn_stage_capture = {
	.name = "capture",
	.ctx_bytes = sizeof(struct capture_ctx),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"rx_capture", capture_on_received, INLET_BYTES, NULL, 0},
		{"gateway_capture", capture_on_sent, INLET_BYTES, NULL, 0}, {0}},
	.out = (const char *const[]){NULL},
	.counters = (const struct gn_counter[]){CAPTURE_COUNTERS(GN_COUNTER_DESC) {0}},
	.counters_offset = offsetof(struct capture_ctx, n),
	.init = capture_init,
	.poll = capture_poll,
	.housekeeping = capture_housekeeping,
	.fini = capture_fini,
};
