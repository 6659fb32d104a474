/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One order (OUCH Enter Order in a SoupBinTCP packet) from a struct to the port, three ways, in blocks that take
 * turns in one run: the fast send, lwIP's tcp_write + tcp_output, and the kernel's send(). Peer of the first two: a stack in
 * another process over net_memif (bench_send_memif), or a stub that costs no time (bench_send); of the third: a reading
 * thread over loopback. Between two groups of orders everything that is
 * under way comes to rest, outside of the measured time. One JSON line a way and one with the ratios.
 */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/codec/soupbintcp.h"
#include "dataplane/net/stack.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/histogram.h"
#include "perf/bench.h"
#include "perf/port_pair.h"

#define PORT 5000u
#define BLOCK 200u
#define ORDER_ROOM 96u
#define BATCH 32u

enum way { ENCODE, FAST, FAST_BURST, SETTLE, LWIP, KERNEL, N_WAYS };
static const char *const way_name[N_WAYS] = {
	"order_encode", "send_fast", "send_fast_burst_8", "send_settle", "send_lwip", "send_kernel"};
/* Warm: one order after the other. Cold: other work has used the caches in between, as books and strategies do. */
static struct gn_hist hist[2][N_WAYS];
static bool cold;
static double ticks_per_ns, tsc_ticks;

static struct port_side side;
static struct gn_stack *stack;
static struct gn_tcp *session;
static uint64_t n_received;
static const char *peer;

static _Noreturn void fail(const char *what)
{
	fprintf(stderr, "bench_send: %s\n", what);
	exit(1);
}

static void record(enum way w, uint64_t ticks, uint32_t n)
{
	double net = (double)ticks - tsc_ticks;

	gn_hist_record(&hist[cold][w], net > 0 ? (uint64_t)(10 * net / ticks_per_ns / n) : 0); /* tenths of a nanosecond */
}

static uint32_t order_encode(uint8_t *p, uint32_t user_ref)
{
	struct ouch50_enter e = {
		.user_ref = user_ref,
		.qty = 100,
		.px = {.e9 = INT64_C(2915200000000)},
		.side = 'B',
		.tif = '0',
		.display = 'Y',
		.capacity = 'P',
		.iso = 'N',
		.cross = 'N',
	};
	memcpy(&e.symbol, "AAPL    ", sizeof(e.symbol));
	uint32_t bytes = ouch50_encode_enter(&e, p + SOUP_HEAD_BYTES);
	soup_head(p, 'U', bytes);
	return SOUP_HEAD_BYTES + bytes;
}

static void on_up(void *arg, struct gn_tcp *t)
{
	(void)arg;
	session = t;
}

static void on_bytes(void *arg, struct gn_tcp *t, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	(void)t;
	(void)data;
	(void)rx_tsc;
	n_received += bytes;
}

static void on_down(void *arg, struct gn_tcp *t, int reason)
{
	(void)arg;
	(void)t;
	fprintf(stderr, "bench_send: connection lost: %s\n", strerror(reason));
	exit(1);
}

static const struct gn_tcp_handler handler = {on_up, on_bytes, on_down};

static void *let_in(void *arg, uint32_t ip, uint16_t port)
{
	(void)ip;
	(void)port;
	return arg;
}

static void on_frame(void *arg, const uint8_t *frame, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	gn_stack_input(stack, frame, bytes, rx_tsc);
}

static void turn(void)
{
	while (port_side_poll(&side))
		;
	gn_stack_poll(stack);
}

static void stack_start(void)
{
	uint8_t last = side.is_peer ? 1 : 2;

	stack = gn_stack_new(&(struct gn_stack_config){.mac = {2, 0, 0, 0, 0, last},
		.ip = 0x0a000000u + last,
		.netmask = 0xffffff00,
		.mtu = 1500,
		.tx = side.tx});
	side.on_frame = on_frame;
	if (!stack)
		fail(gn_err_text());
	if (side.is_peer) {
		gn_tcp_listen(stack, PORT, &handler, let_in, &side);
		for (;;)
			turn();
	}
	gn_tcp_connect(stack, 0x0a000001, PORT, &handler, &side);
	for (uint64_t end = gn_tsc() + (uint64_t)(5e9 * ticks_per_ns); !session && gn_tsc() < end;)
		turn();
}

static void other_work(void)
{
	static uint8_t work[4u << 20];
	static volatile uint8_t sum;

	for (uint32_t i = 0; cold && i < sizeof(work); i += 64)
		sum = (uint8_t)(sum + ++work[i]);
}

/* Until the peer has acknowledged everything: windows are as open as at the start. */
static void rest(uint32_t room)
{
	for (uint32_t i = 0; gn_tcp_room(session) < room || i < 20; i++)
		turn();
	other_work();
}

/* Orders between two rests: the counter's steps of 10 ns on some machines are too coarse for one. */
static uint32_t group(void)
{
	return cold ? 1 : 8;
}

static void block_fast(uint32_t room)
{
	for (uint32_t i = 0; i < BLOCK / group(); i++) {
		uint64_t from = gn_tsc();
		for (uint32_t k = 0; k < group(); k++) {
			uint8_t *p = gn_tcp_fast_claim(session, ORDER_ROOM);
			if (!p)
				fail("the connection takes no order");
			gn_tcp_fast_commit(session, order_encode(p, i + 1));
			gn_tx_flush(side.tx);
		}
		uint64_t to = gn_tsc();
		gn_stack_settle(stack);
		record(SETTLE, gn_tsc() - to, group());
		record(FAST, to - from, group());
		rest(room);
	}
}

static void block_fast_burst(uint32_t room)
{
	for (uint32_t i = 0; i < BLOCK / 8; i++) {
		uint64_t from = gn_tsc();
		for (uint32_t k = 0; k < 8; k++)
			gn_tcp_fast_commit(session, order_encode(gn_tcp_fast_claim(session, ORDER_ROOM), i + 1));
		gn_tx_flush(side.tx);
		record(FAST_BURST, gn_tsc() - from, 8);
		rest(room);
	}
}

static void block_lwip(uint32_t room)
{
	uint8_t order[ORDER_ROOM];

	for (uint32_t i = 0; i < BLOCK / group(); i++) {
		uint64_t from = gn_tsc();
		for (uint32_t k = 0; k < group(); k++)
			if (!gn_tcp_send(session, order, order_encode(order, i + 1)))
				fail("lwIP takes no order");
		record(LWIP, gn_tsc() - from, group());
		rest(room);
	}
}

static void block_encode(void)
{
	static uint8_t frame[BATCH][256];
	static struct tcp_fast f;
	static const uint8_t mac[6] = {2};

	tcp_fast_init(&f, mac, 1, 2, 3, 4);
	for (uint32_t i = 0; i < BLOCK; i++) {
		f.n_pending = f.pending_bytes = 0;
		tcp_fast_allow(&f, &(struct tcp_fast_grant){i * 4000, 7, 60000, 1460, 100, 9000});
		uint64_t from = gn_tsc();
		for (uint32_t k = 0; k < BATCH; k++) {
			tcp_fast_open(&f, frame[k]);
			tcp_fast_seal(&f, frame[k], order_encode(frame[k] + TCP_FAST_HEAD_BYTES, i + k));
		}
		record(ENCODE, gn_tsc() - from, BATCH);
	}
}

static int kernel_fd = -1, kernel_peer_fd = -1;

static void *kernel_reader(void *arg)
{
	static char sink[4096];

	while (recv(kernel_peer_fd, sink, sizeof(sink), 0) > 0)
		;
	return arg;
}

static void kernel_start(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t bytes = sizeof(a);
	int listening = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	pthread_t thread;

	kernel_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listening, (struct sockaddr *)&a, bytes) < 0 || listen(listening, 1) < 0
		|| getsockname(listening, (struct sockaddr *)&a, &bytes) < 0
		|| connect(kernel_fd, (struct sockaddr *)&a, bytes) < 0
		|| (kernel_peer_fd = accept(listening, NULL, NULL)) < 0) {
		fail("no sockets of the kernel");
	}
	setsockopt(kernel_fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	pthread_create(&thread, NULL, kernel_reader, NULL);
}

static void block_kernel(void)
{
	uint8_t order[ORDER_ROOM];

	for (uint32_t i = 0; i < BLOCK; i++) {
		uint64_t from = gn_tsc();
		uint32_t bytes = order_encode(order, i + 1);
		if (send(kernel_fd, order, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
			fail("the kernel takes no order");
		record(KERNEL, gn_tsc() - from, 1);
		usleep(20);
		other_work();
	}
}

/* What reading the counter itself costs is in every duration. */
static void tsc_measure(void)
{
	uint64_t best = UINT64_MAX;

	for (uint32_t i = 0; i < 10000; i++) {
		uint64_t from = gn_tsc(), ticks = gn_tsc() - from;
		best = ticks < best ? ticks : best;
	}
	tsc_ticks = (double)best;
}

static double p50(enum way w)
{
	uint64_t ns = gn_hist_at(&hist[cold][w], 500000);

	return ns > 0 ? (double)ns : 1;
}

static void print_way(enum way w)
{
	const struct gn_hist *h = &hist[cold][w];
	char extra[96];
	int at = snprintf(extra, sizeof(extra), "\"caches\":\"%s\",\"peer\":\"%s\"", cold ? "cold" : "warm", peer);

	if (w > SETTLE)
		snprintf(extra + at, sizeof(extra) - (size_t)at, ",\"ours_ratio\":%.3f", p50(FAST) / p50(w));
	bench_print(&(struct bench_result){.name = way_name[w], .n = h->n, .hist = h, .hist_ns = 0.1, .extra = extra});
}

static void print_all(void)
{
	struct gn_stack_counts n = gn_stack_counts(stack);

	for (enum way w = 0; w < N_WAYS; w++)
		if (hist[cold][w].n > 0)
			print_way(w);
	if (n.tcp_fast_declined)
		fprintf(stderr, "bench_send: %lu of %lu fast sends were declined\n", (unsigned long)n.tcp_fast_declined,
			(unsigned long)(n.tcp_fast_declined + n.tcp_fast_sent));
}

int main(int argc, char **argv)
{
	bench_start(&argc, argv);
	uint32_t rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : bench_short() ? 1 : 5;
	peer = strstr(argv[0], "_memif") ? "process over net_memif" : "stub";

	port_pair_start(&side);
	ticks_per_ns = 1 / bench_ns_per_tick();
	stack_start();
	if (!session)
		fail("no connection to the other process");
	tsc_measure();
	kernel_start();
	uint32_t room = gn_tcp_room(session);
	for (uint32_t i = 0; i < 2 * rounds + 2; i++) {
		if (i == 2)
			memset(hist, 0, sizeof(hist)); /* the first round was for warming up */
		cold = i % 2;
		block_fast(room);
		block_lwip(room);
		block_kernel();
		block_fast_burst(room);
		if (!cold)
			block_encode();
	}
	for (int c = 0; c < 2; c++) {
		cold = c;
		print_all();
	}
	port_pair_end(&side);
	return 0;
}
