/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/stats.h"
#include "dataplane/runtime/trace.h"

TestSuite(err, .timeout = 5);

Test(err, each_layer_adds_its_line_in_front)
{
	int rc = gn_err(ENOENT, "open %s", "x");

	cr_assert_eq(rc, -ENOENT);
	cr_assert_eq(gn_err_in(rc, "config"), -ENOENT);
	cr_assert_str_eq(gn_err_text(), "config: open x: No such file or directory");
}

Test(err, a_text_longer_than_the_buffer_is_cut_not_spilt)
{
	char text[4000];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	cr_assert_eq(gn_err(0, "%s", text), -EINVAL);
	cr_assert_lt(strlen(gn_err_text()), sizeof(text) - 1);
	cr_assert_eq(gn_err_in(-1, "%s", text), -1);
}

TestSuite(mem, .timeout = 30);

Test(mem, is_zeroed_and_aligned_small_and_large)
{
	const size_t sizes[] = {1, 4096, 5000, (2u << 20) - 1, 2u << 20, (4u << 20) + 1};

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		uint8_t *m = gn_mem_alloc(sizes[i], GN_NODE_ANY);
		cr_assert_not_null(m);
		cr_assert_eq((uintptr_t)m % 4096, 0);
		for (size_t b = 0; b < sizes[i]; b += 97)
			cr_assert_eq(m[b], 0);
		m[sizes[i] - 1] = 1;
		gn_mem_free(m, sizes[i]);
	}
	gn_mem_free(NULL, 10);
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_THREAD, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

Test(mem, shared_pages_that_were_made_ready_do_not_fault)
{
	const long pages = 64;
	const size_t bytes = (size_t)pages * 4096;
	int fd = memfd_create("gannet-test-ready", MFD_CLOEXEC);

	cr_assert_eq(ftruncate(fd, (off_t)bytes), 0);
	volatile uint8_t *m = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	cr_assert_neq((void *)m, MAP_FAILED);
	cr_assert_eq(gn_mem_ready_shared("/memfd:gannet-test-other"), 0);
	size_t ready = gn_mem_ready_shared("/memfd:gannet-test-ready");
	if (!ready)
		cr_skip("this kernel does not populate pages on request");
	cr_assert_eq(ready, bytes);
	long before = faults();

	for (size_t i = 0; i < bytes; i += 4096)
		m[i] = 1;
	cr_assert_lt(faults() - before, pages / 4, "a sanitizer's shadow of them may still fault");
	munmap((void *)m, bytes);
	close(fd);
}

TestSuite(instruments, .timeout = 30);

static gn_symbol sym(const char *text)
{
	return gn_symbol_from(text, strlen(text));
}

Test(instruments, symbols_lose_their_padding_and_refuse_to_be_too_long)
{
	cr_assert_eq(sym("AAPL    ").word, sym("AAPL").word);
	cr_assert_eq(sym("TOOLONGSYM").word, 0);
	cr_assert_str_eq(gn_symbol_text(sym("BRK.A")).c, "BRK.A");
	cr_assert_str_eq(gn_symbol_text(sym("ABCDEFGH")).c, "ABCDEFGH");
}

Test(instruments, refuses_sizes_out_of_range)
{
	cr_assert_null(gn_instruments_new(0));
	cr_assert_null(gn_instruments_new(UINT32_MAX));
}

Test(instruments, the_same_symbol_has_the_same_index_for_ever)
{
	struct gn_instruments *t = gn_instruments_new(100);
	char text[16];

	for (uint32_t i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "S%u", i);
		cr_assert_eq(gn_instruments_add(t, sym(text)), i);
	}
	for (uint32_t i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "S%u", i);
		cr_assert_eq(gn_instruments_find(t, sym(text)), i);
		cr_assert_eq(gn_instruments_add(t, sym(text)), i);
	}
	cr_assert_eq(gn_instruments_add(t, sym("ONEMORE")), GN_INST_NONE, "a full table refuses");
	cr_assert_eq(gn_instruments_add(t, sym("")), GN_INST_NONE);
	cr_assert_eq(gn_instruments_find(t, sym("ONEMORE")), GN_INST_NONE);
	cr_assert_eq(gn_instruments_count(t), 100);
	gn_instruments_free(t);
}

Test(instruments, keeps_a_configured_tick_when_the_venue_gives_none)
{
	struct gn_instruments *t = gn_instruments_new(4);
	struct gn_instrument out;
	gn_inst inst = gn_instruments_add(t, sym("A"));

	gn_instruments_define(t, inst, &(struct gn_instrument){.tick.e9 = 10000000, .round_lot = 100});
	gn_instruments_define(t, inst, &(struct gn_instrument){.round_lot = 10, .authenticity = 'P'});
	cr_assert(gn_instruments_get(t, inst, &out));
	cr_assert_eq(out.tick.e9, 10000000);
	cr_assert_eq(out.round_lot, 10);
	cr_assert_not(gn_instruments_get(t, 1, &out));
	gn_instruments_free(t);
}

static struct gn_instruments *shared;

static void *add_all(void *arg)
{
	char text[16];

	(void)arg;
	for (uint32_t i = 0; i < 2000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		cr_assert_neq(gn_instruments_add(shared, sym(text)), GN_INST_NONE);
	}
	return NULL;
}

Test(instruments, two_threads_add_each_symbol_once)
{
	pthread_t t[2];

	shared = gn_instruments_new(2000);
	for (int i = 0; i < 2; i++)
		pthread_create(&t[i], NULL, add_all, NULL);
	for (int i = 0; i < 2; i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(gn_instruments_count(shared), 2000);
	gn_instruments_free(shared);
}

TestSuite(board, .timeout = 30);

static struct gn_board board;
static _Atomic bool board_done;

static void *board_writer(void *arg)
{
	(void)arg;
	for (int64_t i = 1; i < 200000; i++) {
		struct gn_quote q = {.bid.e9 = i, .ask.e9 = i + 1, .last.e9 = -i, .flags = (uint32_t)i, .tsc = (uint64_t)i};
		gn_board_write(&board, 1, &q);
	}
	atomic_store(&board_done, true);
	return NULL;
}

Test(board, a_reader_never_sees_half_a_quote)
{
	pthread_t t;

	cr_assert_eq(gn_board_init(&board, 2, GN_NODE_ANY), 0);
	cr_assert_eq(gn_board_read(&board, 0).tsc, 0, "never written");
	pthread_create(&t, NULL, board_writer, NULL);
	while (!atomic_load(&board_done)) {
		struct gn_quote q = gn_board_read(&board, 1);
		if (q.tsc)
			cr_assert(q.ask.e9 == q.bid.e9 + 1 && q.last.e9 == -q.bid.e9 && q.flags == (uint32_t)q.bid.e9);
	}
	pthread_join(t, NULL);
	gn_board_fini(&board);
}

TestSuite(stats, .timeout = 5);

Test(stats, another_mapping_reads_what_was_published)
{
	char path[] = "/tmp/gannet-stats-XXXXXX";
	uint64_t value;

	close(mkstemp(path));
	struct gn_stats *s = gn_stats_create(path, 2);
	cr_assert_not_null(s, "%s", gn_err_text());
	uint32_t word = gn_stats_add(s, "feed0", "pkt_rx", "packets");
	gn_stats_add(s, "feed0", "msg", "messages");
	cr_assert_eq(gn_stats_add(s, "feed0", "extra", "no room"), UINT32_MAX);
	gn_stats_seal(s);
	gn_stats_set(s, word, 42);
	struct gn_stats *r = gn_stats_open(path);
	cr_assert_not_null(r, "%s", gn_err_text());
	cr_assert(gn_stats_find(r, "feed0", "pkt_rx", &value));
	cr_assert_eq(value, 42);
	cr_assert_not(gn_stats_find(r, "feed1", "pkt_rx", &value));
	gn_stats_set(s, word, 43);
	cr_assert_eq(gn_stats_refresh(r), 0);
	cr_assert_eq(gn_stats_get(r, word), 43);
	struct gn_process owner = gn_stats_owner(r);
	cr_assert_eq(owner.pid, (uint64_t)getpid());
	cr_assert(gn_process_alive(&owner));
	gn_stats_close(r);
	gn_stats_close(s);
	cr_assert_null(gn_stats_open(path), "removed at close");
}

Test(stats, refuses_a_file_that_is_something_else)
{
	char path[] = "/tmp/gannet-stats-XXXXXX";
	char junk[4096];
	int fd = mkstemp(path);

	cr_assert_null(gn_stats_open(path), "empty");
	memset(junk, 0x5a, sizeof(junk));
	cr_assert_eq(write(fd, junk, sizeof(junk)), (ssize_t)sizeof(junk));
	cr_assert_null(gn_stats_open(path), "junk");
	close(fd);
	cr_assert_null(gn_stats_create(path, 2), "nor is it removed to make room for one");
	cr_assert_eq(unlink(path), 0);
}

Test(stats, a_file_cut_short_is_an_error_and_no_signal)
{
	char path[] = "/tmp/gannet-stats-XXXXXX";

	close(mkstemp(path));
	struct gn_stats *s = gn_stats_create(path, 16);
	gn_stats_add(s, "feed0", "pkt_rx", "packets");
	gn_stats_seal(s);
	struct gn_stats *r = gn_stats_open(path);
	cr_assert_not_null(r, "%s", gn_err_text());
	cr_assert_eq(truncate(path, 64), 0);
	cr_assert_lt(gn_stats_refresh(r), 0);
	cr_assert_null(gn_stats_open(path));
	cr_assert_eq(truncate(path, 1 << 20), 0);
	cr_assert_null(gn_stats_open(path), "longer than it says");
	gn_stats_close(r);
	unlink(path);
	gn_stats_close(s);
}

Test(stats, texts_of_a_strange_writer_end)
{
	char path[] = "/tmp/gannet-stats-XXXXXX";
	char junk[2 * GN_STATS_NAME_BYTES + GN_STATS_HELP_BYTES];

	close(mkstemp(path));
	struct gn_stats *s = gn_stats_create(path, 1);
	gn_stats_add(s, "feed0", "pkt_rx", "packets");
	gn_stats_seal(s);
	memset(junk, 'x', sizeof(junk));
	int fd = open(path, O_RDWR);
	cr_assert_eq(pwrite(fd, junk, sizeof(junk), 64 + 8), (ssize_t)sizeof(junk));
	close(fd);
	struct gn_stats *r = gn_stats_open(path);
	cr_assert_eq(strlen(gn_stats_name(r, 0)->owner), GN_STATS_NAME_BYTES - 1);
	cr_assert_eq(strlen(gn_stats_name(r, 0)->help), GN_STATS_HELP_BYTES - 1);
	gn_stats_close(r);
	gn_stats_close(s);
}

Test(stats, the_file_of_a_dead_process_is_replaced_and_that_of_a_live_one_is_not)
{
	char path[] = "/tmp/gannet-stats-XXXXXX";

	close(mkstemp(path));
	pid_t child = fork();
	if (child == 0)
		_exit(gn_stats_create(path, 2) ? 0 : 1);
	int status = 1;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	struct gn_stats *s = gn_stats_create(path, 2);
	cr_assert_not_null(s, "%s", gn_err_text());
	cr_assert_null(gn_stats_create(path, 2), "we run");
	cr_assert(strstr(gn_err_text(), "which runs"));
	gn_stats_close(s);
}

Test(process, a_number_with_another_start_is_another_process)
{
	struct gn_process p = gn_process_self();

	cr_assert(gn_process_alive(&p));
	p.start++;
	cr_assert_not(gn_process_alive(&p));
	cr_assert_not(gn_process_alive(&(struct gn_process){0}));
	cr_assert_not(gn_process_alive(&(struct gn_process){.pid = UINT64_MAX, .start = 1}));
}

TestSuite(trace, .timeout = 30);

Test(trace, reads_back_in_order_and_counts_what_was_overwritten)
{
	struct gn_trace *t = gn_mem_alloc(sizeof(*t), GN_NODE_ANY);
	struct gn_stamp out[128];
	uint64_t cursor = 0, lost = 0, next = 0;

	gn_trace_here = t;
	gn_trace_stamp(GN_HOP_RX, 1, 2, 3);
	cr_assert_eq(gn_trace_read(t, &cursor, out, 128, &lost), 0, "off by default");
	t->on = true;
	for (uint64_t i = 0; i < GN_TRACE_STAMPS + 1000; i++)
		gn_trace_stamp(GN_HOP_TX, i, 7, i * 2);
	for (size_t n; (n = gn_trace_read(t, &cursor, out, 128, &lost)) != 0;) {
		for (size_t i = 0; i < n; i++) {
			if (next == 0)
				next = out[i].id;
			cr_assert_eq(out[i].id, next++);
			cr_assert_eq(out[i].arg, out[i].id * 2);
			cr_assert_eq(out[i].hop, GN_HOP_TX);
			cr_assert_eq(out[i].inst, 7);
		}
	}
	cr_assert_eq(next, GN_TRACE_STAMPS + 1000);
	cr_assert_geq(lost, 1000);
	cr_assert_leq(lost, 1100);
	gn_mem_free(t, sizeof(*t));
}
