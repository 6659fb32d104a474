/* SPDX-License-Identifier: BSD-3-Clause */
/* Captures of the running ports, begun and ended by operators. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "operator_impl.h"
#include "pinning/clock.h"

#define PHASE_NS UINT64_C(2000000000) /* within which the capture's thread must have opened or closed its file */

static json_t *status_of(struct operator *o, const struct capture_control *c)
{
	enum capture_phase phase = capture_phase(c);

	return json_pack("{s:b, s:s, s:b, s:b, s:s, s:s, s:I, s:I, s:I, s:I}", "ok", 1, "engine", engine_name(o->e), "runs",
		phase == CAPTURE_RUNS, "failed", phase == CAPTURE_FAILED, "path", phase == CAPTURE_ASKED ? "" : c->want.path, "error",
		phase == CAPTURE_FAILED ? c->error : "", "frames", (json_int_t)c->n_frames, "lost", (json_int_t)c->n_lost, "bytes",
		(json_int_t)c->n_bytes, "files", (json_int_t)c->n_files);
}

/* Wait while the phase is `from`. */
static int leave_phase(struct operator *o, const struct capture_control *c, enum capture_phase from)
{
	uint64_t end_ns = gn_clock_now_ns() + PHASE_NS;

	while (capture_phase(c) == from) {
		if (gn_clock_now_ns() > end_ns)
			return gn_err(ETIMEDOUT, "the capture's thread does not answer");
		operator_wait(o);
	}
	return 0;
}

static int take_number(const json_t *request, const char *key, uint64_t max, uint64_t *v)
{
	const json_t *j = json_object_get(request, key);
	json_int_t n = j ? json_integer_value(j) : 0;

	if ((j && !json_is_integer(j)) || n < 0 || (uint64_t)n > max)
		return gn_err(0, "request: %s: expected a number from 0 to %llu", key, (unsigned long long)max);
	*v = (uint64_t)n;
	return 0;
}

static int take_want(const json_t *request, struct pcapng_want *want)
{
	const char *path = json_string_value(json_object_get(request, "path"));
	uint64_t files = 0, snap = 0;

	*want = (struct pcapng_want){0};
	if (!path || path[0] != '/' || strlen(path) >= sizeof(want->path))
		return gn_err(0, "request: path: expected an absolute path of at most %zu bytes", sizeof(want->path) - 1);
	snprintf(want->path, sizeof(want->path), "%s", path);
	int rc = take_number(request, "rotate_bytes", INT64_MAX, &want->rotate_bytes);
	if (rc == 0)
		rc = take_number(request, "files_max", 99999, &files);
	if (rc == 0)
		rc = take_number(request, "snap_bytes", 2048, &snap);
	want->files_max = (uint32_t)files;
	want->snap_bytes = (uint32_t)snap;
	return rc;
}

static int capture_action(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	const char *action = json_string_value(json_object_get(request, "action"));
	struct capture_control *c = engine_capture(o->e);
	struct pcapng_want want;
	int rc = 0;

	if (action && strcmp(action, "begin") == 0) {
		rc = take_want(request, &want);
		if (rc == 0)
			rc = capture_begin(c, &want);
		if (rc == 0)
			rc = operator_note(o, "%s begins a capture", peer->who);
		if (rc == 0)
			rc = leave_phase(o, c, CAPTURE_ASKED);
	} else if (action && strcmp(action, "end") == 0) {
		capture_end(c);
		rc = leave_phase(o, c, CAPTURE_ENDING);
	} else if (!action || strcmp(action, "look") != 0) {
		rc = gn_err(0, "request: action: expected begin, end or look");
	}
	return rc;
}

json_t *operator_capture(struct operator *o, const json_t *request, const struct control_peer *peer)
{
	return capture_action(o, request, peer) < 0 ? NULL : status_of(o, engine_capture(o->e));
}
