/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * From rte_eth_rx_burst() to the books: the real rx, feed and book stages on one core behind a port, ns a message. The
 * port is net_ring, whose wire is memory: frames of 40 messages are put on it in bursts, and what is timed is taking them
 * off. The market is that of bench_book: 8,000 symbols, Zipf, cold caches included.
 *
 *     bench_feed_port [--short] [messages]
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "book/book_stage.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/feed/feed_stage.h"
#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/nic/eal.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/wiring.h"
#include "itch_flow.h"
#include "perf/bench.h"
#include "pinning/clock.h"

#define GROUP 0xefc00101u
#define UDP_PORT 26477
#define PER_DATAGRAM 40u
#define BURST 32u
#define INSTRUMENTS 16384u
#define SYMBOLS 8000u
#define SAMPLES_MAX 65536u

static struct itch_flow flow;
static const uint8_t *at;
static uint64_t seq = 1;
static struct net_udp_flow udp;
static struct gn_port *port;
static void *rx;
static struct gn_instruments *instruments;
static double samples[SAMPLES_MAX];

static void must(bool ok)
{
	if (ok)
		return;
	fprintf(stderr, "bench_feed_port: %s\n", gn_err_text());
	exit(1);
}

static void wire(void)
{
	static const struct rx_subscription subscription = {GROUP, UDP_PORT, 0};
	static struct rx_config config = {.subscription = &subscription, .n_subscriptions = 1};
	static const struct feed_config feed = {.n_lines = 2};
	static const struct book_stage_config book = {
		.book = {.instruments_max = INSTRUMENTS, .orders_max = 4000000, .node = GN_NODE_ANY}};
	static struct gn_board board;

	instruments = gn_instruments_new(INSTRUMENTS);
	must(instruments && gn_board_init(&board, INSTRUMENTS, GN_NODE_ANY) == 0);
	struct gn_wiring *w = gn_wiring_new(instruments, &board, gn_stats_create(NULL, 4096));

	config.port = port;
	must(w && gn_wiring_stage(w, &gn_stage_rx, "rx0", 0, 0, GN_NODE_ANY, &config) == 0
		&& gn_wiring_stage(w, &gn_stage_feed, "feed0", 0, 0, GN_NODE_ANY, &feed) == 0
		&& gn_wiring_stage(w, &gn_stage_book, "book0", 0, 0, GN_NODE_ANY, &book) == 0
		&& gn_wiring_link(w, "rx_feed", "rx0", "feed0", NULL) == 0
		&& gn_wiring_link(w, "feed_book", "feed0", "book0", NULL) == 0 && gn_wiring_seal(w) == 0);
	rx = gn_wiring_ctx(w, "rx0");
}

/* One datagram onto the wire. Returns its messages, 0: the flow is at its end. */
static uint32_t put_datagram(struct gn_tx *tx)
{
	const struct moldudp64_session session = moldudp64_session_from("BENCH");
	const uint8_t *end = flow.data + flow.bytes;
	struct moldudp64_writer w;
	struct gn_tx_frame f;
	uint32_t n = 0;

	if (at >= end)
		return 0;
	must(gn_tx_claim(tx, &f));
	moldudp64_begin(&w, f.data + NET_UDP_HEAD_BYTES, f.room_bytes - (uint32_t)NET_UDP_HEAD_BYTES, &session, seq);
	for (; n < PER_DATAGRAM && at < end; n++) {
		uint32_t bytes = wire_u16(at);

		moldudp64_append(&w, at + 2, bytes);
		at += 2 + bytes;
	}
	seq += n;
	gn_tx_commit(tx, &f, net_udp_seal(&udp, f.data, (uint16_t)moldudp64_close(&w)));
	return n;
}

int main(int argc, char **argv)
{
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint8_t group_mac[6];
	uint32_t n_samples = 0;
	uint64_t n = 0, ticks = 0;

	bench_start(&argc, argv);
	bench_pin(0);
	must(gn_clock_calibrate() == 0 && gn_eal_init(&(struct gn_eal_config){.name = "bench_feed_port"}) == 0);
	port = gn_port_open(&(struct gn_port_config){.device = "net_ring0", .node = GN_NODE_ANY});
	must(port != NULL);
	net_group_mac(group_mac, GROUP);
	net_udp_flow_init(&udp, mac, group_mac, 0x0a000001, 4000, GROUP, UDP_PORT, 1);
	itch_flow_make(&flow, &(struct itch_flow_config){.n_symbols = SYMBOLS, .live = 100, .seed = 20240229,
				      .n_messages = argc > 1 ? strtoull(argv[1], NULL, 10) : bench_short() ? 200000 : 10000000});
	at = flow.data;
	wire();
	for (uint32_t burst = 1; burst && n_samples < SAMPLES_MAX;) {
		burst = 0;
		for (uint32_t i = 0, k = 1; i < BURST && k; i++)
			burst += k = put_datagram(gn_port_tx(port, 0));
		gn_tx_flush(gn_port_tx(port, 0));
		if (burst < BURST * PER_DATAGRAM)
			break; /* the last one, which is not whole */
		uint64_t t = gn_tsc();
		while (gn_stage_rx.poll(rx))
			;
		t = gn_tsc() - t;
		samples[n_samples++] = (double)t * bench_ns_per_tick() / burst;
		ticks += t;
		n += burst;
	}
	must(n > 0);
	if (gn_instruments_count(instruments) < SYMBOLS / 10) { /* Zipf: the rarest may not have come yet */
		fputs("bench_feed_port: the market is too small: its symbols share books\n", stderr);
		return 1;
	}
	bench_print(&(struct bench_result){.name = "feed_port", .n = n, .samples_ns = samples, .n_samples = n_samples});
	bench_print(&(struct bench_result){
		.name = "feed_port_rate", .n = n, .per_s = (double)n / ((double)ticks * bench_ns_per_tick()) * 1e9});
	itch_flow_free(&flow);
	return 0;
}
