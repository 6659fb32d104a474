/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What a user would have without a bypassed port: the same feed, book, strategies, risk and order session on one spinning
 * thread, market data from UDP sockets and orders to a TCP socket of the kernel. Prints tick to trade by hop as
 * `gannet run --format json` does. perf/kernel_baseline runs it against the simulated exchange.
 *
 * usage: bench_kernel CONFIG SECONDS
 */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "app/engine/latency.h"
#include "app/engine/parts.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/runner.h"
#include "perf/bench.h"
#include "perf/kernel_stages.h"
#include "pinning/clock.h"

static struct {
	struct config *config;
	struct parts parts;
	struct kernel_rx_config rx;
	struct gn_instruments *instruments;
	struct gn_board board;
	struct gn_wiring *wiring;
	_Atomic bool stop;
} k;

static void must(int rc)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "bench_kernel: %s\n", gn_err_text());
	exit(1);
}

static void load(const char *path)
{
	must(gn_clock_calibrate());
	must(config_file_load(path, &config_schema, (void **)&k.config));
	const struct engine_section *s = k.config->engine;
	must(s ? 0 : gn_err(0, "%s: engine: this section is missing", path));
	k.instruments = gn_instruments_new(s->book.instruments_max);
	must(k.instruments ? 0 : -1);
	must(gn_board_init(&k.board, s->book.instruments_max, GN_NODE_ANY));
	must(parts_make(&k.parts, path, s, k.instruments));
	k.parts.risk.journal_refusing = NULL;
	k.rx = (struct kernel_rx_config){k.parts.subscription, s->feed.lines_count, k.parts.gateway.stack.ip};
	k.parts.feed[0].n_lines = s->feed.lines_count; /* no requests: the kernel's buffers lose nothing at these rates */
	k.parts.feed[0].reply_lines = 0;
	k.parts.feed[0].recovery = (struct recovery_config){0};
}

static void wire(void)
{
	static const struct gn_link_config back = {.back = true}, back_lossy = {.back = true, .lossy = true, .depth = 4096},
						 lossy = {.lossy = true};
	struct gn_wiring *w = k.wiring = gn_wiring_new(k.instruments, &k.board, gn_stats_create(NULL, 4096));
	const struct topology_shape *shape = &k.parts.shape;

	must(w ? 0 : -1);
	must(gn_wiring_stage(w, &stage_kernel_rx, "rx0", 0, 0, GN_NODE_ANY, &k.rx));
	must(gn_wiring_stage(w, &gn_stage_feed, "feed0", 0, 0, GN_NODE_ANY, &k.parts.feed[0]));
	must(gn_wiring_stage(w, &gn_stage_book, "book0", 0, 0, GN_NODE_ANY, &k.parts.book[0]));
	for (uint32_t i = 0; i < shape->n_strategies; i++)
		must(gn_wiring_stage(w, &gn_stage_strategy, shape->strategy[i], i, 0, GN_NODE_ANY, &k.parts.strategy[i]));
	must(gn_wiring_stage(w, &gn_stage_risk, "risk0", 0, 0, GN_NODE_ANY, &k.parts.risk));
	must(gn_wiring_stage(w, &stage_kernel_gateway, "gateway0", 0, 0, GN_NODE_ANY, &k.parts.gateway));
	must(gn_wiring_link(w, "rx_feed", "rx0", "feed0", NULL));
	must(gn_wiring_link(w, "feed_book", "feed0", "book0", NULL));
	for (uint32_t i = 0; i < shape->n_strategies; i++) {
		must(gn_wiring_link(w, "book_strategy", "book0", shape->strategy[i], &lossy));
		must(gn_wiring_link(w, "strategy_risk", shape->strategy[i], "risk0", &lossy));
		must(gn_wiring_link(w, "risk_strategy", "risk0", shape->strategy[i], &back_lossy));
	}
	must(gn_wiring_link(w, "risk_gateway", "risk0", "gateway0", NULL));
	must(gn_wiring_link(w, "gateway_risk", "gateway0", "risk0", &back));
	must(gn_wiring_seal(w));
}

static void *run(void *arg)
{
	struct gn_runner_config config = {.stop = &k.stop, .ticks_per_ms = gn_clock_ticks_from_ns(1000000)};

	bench_pin(0);
	gn_runner_run(k.wiring, 0, &config);
	return arg;
}

int main(int argc, char **argv)
{
	const struct timespec tick = {.tv_nsec = 1000000};
	pthread_t thread;

	bench_start(&argc, argv);
	uint64_t ms = argc == 3 ? strtoull(argv[2], NULL, 10) * 1000 : 0;
	if (ms == 0) {
		fputs("usage: bench_kernel CONFIG SECONDS\n", stderr);
		return 2;
	}
	load(argv[1]);
	wire();
	struct latency *latency = latency_new(k.wiring, 1e9 / (double)gn_clock_ticks_from_ns(1000000000));
	must(latency ? 0 : -1);
	if (pthread_create(&thread, NULL, run, NULL) != 0)
		return 1;
	for (uint64_t end = gn_clock_now_ns() + ms * 1000000; gn_clock_now_ns() < end;) {
		nanosleep(&tick, NULL);
		latency_collect(latency);
		gn_clock_update();
	}
	atomic_store(&k.stop, true);
	pthread_join(thread, NULL);
	latency_collect(latency);
	latency_print_json(latency, "", stdout);
	gn_wiring_free(k.wiring);
	return 0;
}
