/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app/capture/capture_stage.h"
#include "app/replay/capture_reader.h"
#include "capture_files.h"
#include "dataplane/net/frame.h"
#include "dataplane/runtime/err.h"
#include "pinning/clock.h"

static char dir[] = "/tmp/gannet-capture-XXXXXX";
static struct capture_control control;
static struct pcapng_want want;
static uint32_t seq;
static void *ctx;

static void given_a_stage(void)
{
	const struct capture_stage_config config = {.control = &control, .device = "net_ring0"};
	const struct gn_env env = {.instance = "capture0", .node = -1, .config = &config};

	cr_assert(mkdtemp(dir));
	cr_assert_eq(gn_clock_calibrate(), 0);
	snprintf(want.path, sizeof(want.path), "%s/day.pcapng", dir);
	ctx = calloc(1, gn_stage_capture.ctx_bytes);
	cr_assert_eq(gn_stage_capture.init(ctx, &env), 0);
}

static void remove_all(void)
{
	char command[128];

	gn_stage_capture.fini(ctx);
	free(ctx);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(capture, .init = given_a_stage, .fini = remove_all, .timeout = 30);

static void begin(void)
{
	cr_assert_eq(capture_begin(&control, &want), 0);
	gn_stage_capture.poll(ctx);
}

static void end(void)
{
	capture_end(&control);
	for (uint32_t i = 0; i < 1000 && capture_phase(&control) == CAPTURE_ENDING; i++) {
		gn_stage_capture.poll(ctx);
		usleep(1000);
	}
}

/* A datagram with one message, as the port's stage copies it; inlet 1: as the transmit queue does. */
static void give_from(uint32_t inlet, uint32_t from, uint64_t tsc, uint64_t number)
{
	uint8_t msg[sizeof(struct gn_captured) + 256], datagram[64];
	struct gn_captured *c = (struct gn_captured *)(void *)msg;
	uint32_t n = capture_frame(c->data, 0, 26477, datagram, capture_datagram(datagram, number, 1));
	uint32_t snap = atomic_load(&control.snap_bytes), bytes = snap && snap < n ? snap : n;

	c->tsc = tsc;
	c->seq = seq++;
	c->wire_bytes = (uint16_t)n;
	c->bytes = (uint16_t)bytes;
	gn_stage_capture.in[inlet].on_msg(ctx, from, msg, (uint32_t)sizeof(*c) + bytes);
}

static void give(uint32_t inlet, uint64_t tsc, uint64_t number)
{
	give_from(inlet, 0, tsc, number);
}

static const char *file(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* Frames of a file; the message numbers must go on from *number. */
static uint32_t frames_of(const char *name, uint64_t *number)
{
	struct capture_reader c;
	struct capture_record r;
	uint32_t n = 0;

	cr_assert_eq(capture_open(&c, file(name)), 0, "%s", gn_err_text());
	for (; capture_next(&c, &r) == 1; n++)
		cr_assert_eq(wire_u64(r.data + 10), (*number)++);
	capture_close(&c);
	return n;
}

Test(capture, copies_nothing_until_it_is_asked)
{
	gn_stage_capture.poll(ctx);
	cr_assert_eq(control.snap_bytes, 0);
	give(0, gn_tsc(), 1);
	cr_assert_eq(control.n_frames, 0);
	cr_assert_neq(access(want.path, F_OK), 0);
}

Test(capture, writes_what_replay_reads_with_stamps_to_the_nanosecond)
{
	struct capture_reader c;
	struct capture_record r;
	uint64_t tsc[3], n = 0;

	begin();
	cr_assert_eq(capture_phase(&control), CAPTURE_RUNS);
	cr_assert_eq(control.snap_bytes, GN_FRAME_BYTES_MAX);
	for (uint64_t i = 0; i < 3; i++)
		give(0, tsc[i] = gn_tsc(), i + 1);
	end();
	cr_assert_eq(capture_phase(&control), CAPTURE_IDLE);
	cr_assert_eq(control.snap_bytes, 0);
	cr_assert_eq(control.n_frames, 3);
	cr_assert_eq(capture_open(&c, want.path), 0, "%s", gn_err_text());
	for (; capture_next(&c, &r) == 1; n++) {
		cr_assert_eq(r.kind, CAPTURE_DATAGRAM);
		cr_assert_eq(r.ns, gn_clock_ns_from_tsc(tsc[n]));
		cr_assert_eq(wire_u64(r.data + 10), n + 1);
	}
	cr_assert_eq(n, 3);
	capture_close(&c);
}

Test(capture, cuts_frames_at_the_length_asked_for)
{
	struct capture_reader c;
	struct capture_record r;

	want.snap_bytes = 60;
	begin();
	give(0, gn_tsc(), 1);
	end();
	cr_assert_eq(capture_open(&c, want.path), 0, "%s", gn_err_text());
	cr_assert_eq(capture_next(&c, &r), 0);
	cr_assert_eq(c.n.frame_cut, 1, "a reader must see that it was longer");
	capture_close(&c);
}

Test(capture, begins_new_files_and_drops_the_oldest)
{
	uint64_t number = 1, n = 0;
	char name[32];

	want.rotate_bytes = 20000;
	want.files_max = 3;
	begin();
	for (uint64_t i = 1; i <= 1000; i++)
		give(0, gn_tsc(), i);
	end();
	uint32_t files = (uint32_t)control.n_files;

	cr_assert_gt(files, 3);
	for (uint32_t i = 1; i + 3 <= files; i++) {
		snprintf(name, sizeof(name), "day-%05u.pcapng", i);
		cr_assert_neq(access(file(name), F_OK), 0, "%s", name);
	}
	/* what is left goes on without a hole to the end */
	for (uint32_t i = files - 2; i <= files; i++) {
		struct capture_reader c;
		struct capture_record r;

		snprintf(name, sizeof(name), "day-%05u.pcapng", i);
		if (i == files - 2) {
			cr_assert_eq(capture_open(&c, file(name)), 0, "%s", gn_err_text());
			cr_assert_eq(capture_next(&c, &r), 1);
			number = wire_u64(r.data + 10);
			n = 1001 - number;
			capture_close(&c);
		}
		n -= frames_of(name, &number);
	}
	cr_assert_eq(number, 1001);
	cr_assert_eq(n, 0);
}

Test(capture, counts_what_found_no_room)
{
	begin();
	give(0, gn_tsc(), 1);
	seq += 41;
	give(0, gn_tsc(), 2);
	seq = UINT32_MAX;
	give(1, gn_tsc(), 3);
	seq = 0; /* the number wraps: nothing is lost */
	give(1, gn_tsc(), 4);
	end();
	cr_assert_eq(control.n_frames, 4);
	cr_assert_eq(control.n_lost, 41);
}

Test(capture, counts_the_frames_of_each_receive_queue_by_themselves)
{
	begin();
	for (uint32_t queue = 0; queue < 3; queue++) {
		seq = 1000 * queue;
		give_from(0, queue, gn_tsc(), 1 + 2 * queue);
	}
	for (uint32_t queue = 0; queue < 3; queue++) {
		seq = 1000 * queue + 1 + queue; /* as many as its number are missing */
		give_from(0, queue, gn_tsc(), 2 + 2 * queue);
	}
	end();
	cr_assert_eq(control.n_frames, 6);
	cr_assert_eq(control.n_lost, 3);
}

Test(capture, refuses_a_second_one_while_one_runs)
{
	begin();
	cr_assert_eq(capture_begin(&control, &want), -EBUSY);
	end();
	cr_assert_eq(capture_begin(&control, &want), 0);
	capture_end(&control); /* called off before the stage saw it */
	cr_assert_eq(capture_phase(&control), CAPTURE_IDLE);
}

Test(capture, refuses_messages_of_a_wrong_length)
{
	struct gn_captured c = {.bytes = 100, .wire_bytes = 100};

	begin();
	gn_stage_capture.in[0].on_msg(ctx, 0, &c, sizeof(c));
	gn_stage_capture.in[0].on_msg(ctx, 0, &c, 3);
	end();
	cr_assert_eq(control.n_frames, 0);
}

Test(capture, says_why_a_file_cannot_be_opened)
{
	snprintf(want.path, sizeof(want.path), "%s/none/day.pcapng", dir);
	begin();
	cr_assert_eq(capture_phase(&control), CAPTURE_FAILED);
	cr_assert(strstr(control.error, "/none/day.pcapng"), "%s", control.error);
	cr_assert_eq(control.snap_bytes, 0);
	snprintf(want.path, sizeof(want.path), "%s/day.pcapng", dir);
	begin();
	cr_assert_eq(capture_phase(&control), CAPTURE_RUNS, "a failure is no end of all");
}

Test(capture, ends_when_the_disk_is_full)
{
	struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};

	signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	begin();
	for (uint64_t i = 1; i <= 10000 && capture_phase(&control) == CAPTURE_RUNS; i++)
		give(0, gn_tsc(), i);
	cr_assert_eq(capture_phase(&control), CAPTURE_FAILED);
	cr_assert(strstr(control.error, "day.pcapng"), "%s", control.error);
	limit.rlim_cur = RLIM_INFINITY;
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}
