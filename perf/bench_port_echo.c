/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The floor of every round trip here: one frame to another process over net_memif and back, through rx stage and
 * transmit queue on both sides, nothing else. One frame is under way at a time. One JSON line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/histogram.h"
#include "perf/bench.h"
#include "perf/port_pair.h"

#define FRAME_BYTES 100u
#define WARM_UP 2000u

static struct gn_hist hist;
static uint64_t n_back;

static void send_frame(struct gn_tx *tx, const uint8_t *frame, uint32_t bytes)
{
	struct gn_tx_frame f;

	if (!gn_tx_claim(tx, &f))
		return;
	memcpy(f.data, frame, bytes);
	gn_tx_commit(tx, &f, bytes);
	gn_tx_flush(tx);
}

static void echo(void *arg, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	const struct port_side *side = arg;

	(void)rx_tsc;
	send_frame(side->tx, frame, bytes);
}

static void came_back(void *arg, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	(void)frame;
	(void)bytes;
	(void)rx_tsc;
	n_back++;
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : bench_short() ? 2000 : 100000;
	uint8_t frame[FRAME_BYTES] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5};
	struct port_side side = {.arg = &side};

	port_pair_start(&side);
	side.on_frame = side.is_peer ? echo : came_back;
	while (side.is_peer)
		port_side_poll(&side);
	double ticks_per_ns = 1 / bench_ns_per_tick();
	for (uint64_t i = 0; i < n + WARM_UP; i++) {
		uint64_t before = n_back, from = gn_tsc();
		send_frame(side.tx, frame, FRAME_BYTES);
		while (n_back == before && gn_tsc() - from < (uint64_t)(1e9 * ticks_per_ns))
			port_side_poll(&side);
		if (n_back == before) {
			fprintf(stderr, "bench_port_echo: frame %lu did not come back within a second\n",
				(unsigned long)i);
			return 1;
		}
		if (i >= WARM_UP)
			gn_hist_record(&hist, (uint64_t)((double)(gn_tsc() - from) / ticks_per_ns));
	}
	bench_print(&(struct bench_result){.name = "floor_port_echo", .n = hist.n, .hist = &hist, .extra = "\"port\":\"net_memif\""});
	port_pair_end(&side);
	return 0;
}
