/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Our TCP against one that we did not write: Linux's, over a veth pair in a network namespace of the test's own. Every
 * stream is checked byte by byte on both sides. Needs root.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/stack.h"
#include "dataplane/net/tcp_fast.h"
#include "dataplane/runtime/err.h"
#include "tests/integration/wire.h"

#define PORT 5000u
#define OWN_PORT 6000u
#define STREAM_BYTES (1u << 18)

/* ---- the kernel's side, on a thread of its own ---- */

enum kernel_end { END_CLOSE, END_RESET, END_KEEP };

static struct kernel {
	pthread_t thread;
	int listening;
	/* what it is to do */
	bool echo, connects;
	int receive_buffer; /* 0: the system's */
	uint32_t sleep_ms_every_64k, sleep_ms_first;
	uint64_t stop_after; /* bytes; then the end below */
	enum kernel_end end;
	/* what came of it */
	atomic_ullong received;
	atomic_bool wrong, over;
	atomic_int fd;
	int error;
} kernel;

static uint32_t kernel_read_size(void)
{
	return kernel.receive_buffer ? 100 : 60000;
}

static void kernel_serve(int fd)
{
	static uint8_t data[65536];
	uint64_t at = 0;
	ssize_t n;

	usleep(kernel.sleep_ms_first * 1000);
	while (at < kernel.stop_after && (n = recv(fd, data, kernel_read_size(), 0)) > 0) {
		for (ssize_t i = 0; i < n; i++)
			if (data[i] != wire_byte(at + (uint64_t)i))
				kernel.wrong = true;
		if (at >> 16 != (at + (uint64_t)n) >> 16)
			usleep(kernel.sleep_ms_every_64k * 1000);
		at += (uint64_t)n;
		kernel.received = at;
		if (kernel.echo && send(fd, data, (size_t)n, MSG_NOSIGNAL) != n)
			break;
	}
	kernel.error = errno;
	if (kernel.end == END_RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &(struct linger){.l_onoff = 1}, sizeof(struct linger));
	if (kernel.end != END_KEEP)
		close(fd);
	kernel.over = true;
}

static void *kernel_run(void *arg)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(OWN_PORT), .sin_addr.s_addr = htonl(WIRE_OWN_IP)};
	int fd, one = 1;

	(void)arg;
	if (kernel.connects) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
			kernel.error = errno;
			kernel.over = true;
			return NULL;
		}
	} else {
		fd = accept(kernel.listening, NULL, NULL);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	kernel.fd = fd;
	kernel_serve(fd);
	return NULL;
}

static void kernel_start(void)
{
	struct sockaddr_in own = {
		.sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(WIRE_KERNEL_IP)};

	if (kernel.stop_after == 0)
		kernel.stop_after = UINT64_MAX;
	if (!kernel.connects) {
		kernel.listening = socket(AF_INET, SOCK_STREAM, 0);
		if (kernel.receive_buffer)
			setsockopt(kernel.listening, SOL_SOCKET, SO_RCVBUF, &kernel.receive_buffer, sizeof(int));
		cr_assert_eq(bind(kernel.listening, (struct sockaddr *)&own, sizeof(own)), 0);
		cr_assert_eq(listen(kernel.listening, 5), 0);
	}
	cr_assert_eq(pthread_create(&kernel.thread, NULL, kernel_run, NULL), 0);
}

/* ---- our side ---- */

static struct gn_stack *stack;
static struct gn_tx *tx;
static uint32_t seed, dead_ms = 20000, keepalive_ms;

static struct {
	struct gn_tcp *tcp;
	uint32_t n_up, n_down;
	int reason;
	uint64_t sent, received;
	bool wrong;
} our;

static void our_up(void *arg, struct gn_tcp *t)
{
	(void)arg;
	our.tcp = t;
	our.n_up++;
}

static void our_bytes(void *arg, struct gn_tcp *t, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	(void)t;
	(void)rx_tsc;
	for (uint32_t i = 0; i < bytes; i++)
		our.wrong |= data[i] != wire_byte(our.received + i);
	our.received += bytes;
}

static void our_down(void *arg, struct gn_tcp *t, int reason)
{
	(void)arg;
	(void)t;
	our.tcp = NULL;
	our.n_down++;
	our.reason = reason;
}

static const struct gn_tcp_handler our_handler = {our_up, our_bytes, our_down};

static void *let_in(void *arg, uint32_t ip, uint16_t port)
{
	(void)port;
	return ip == WIRE_KERNEL_IP ? arg : NULL;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void start(uint32_t mtu, struct wire_faults faults)
{
	int fd = wire_to_kernel(mtu);

	if (fd < 0)
		cr_skip("needs root, network namespaces and veth interfaces");
	seed = wire_seed(faults.seed ? faults.seed : 1);
	faults.seed = seed;
	fprintf(stderr, "seed %u\n", seed);
	tx = wire_open(fd, &faults);
	stack = gn_stack_new(&(struct gn_stack_config){
		.mac = {2, 0, 0, 0, 0, 2},
		.ip = WIRE_OWN_IP,
		.netmask = WIRE_NETMASK,
		.mtu = (uint16_t)mtu,
		.tx = tx,
		.sequence = UINT32_MAX - 100000,
		.connect_ms = 20000,
		.linger_ms = 5000,
		.dead_ms = dead_ms,
		.keepalive_ms = keepalive_ms,
	});
	cr_assert_not_null(stack, "%s", gn_err_text());
	cr_assert_eq(gn_tcp_listen(stack, OWN_PORT, &our_handler, let_in, &our), 0);
	srandom(seed);
	kernel_start();
}

static void turn(void)
{
	uint32_t n = wire_poll(stack);

	gn_stack_poll(stack);
	if (n == 0)
		usleep(20);
}

#define RUN_UNTIL(condition, limit_ms)                                                                                 \
	do {                                                                                                           \
		uint64_t end_ms = now_ms() + (limit_ms);                                                               \
		while (!(condition) && now_ms() < end_ms)                                                              \
			turn();                                                                                        \
		cr_assert(condition, "not after %u ms, seed %u: %s", (uint32_t)(limit_ms), seed, #condition);          \
	} while (0)

/* Orders of 20 to 120 bytes, mostly by fast sends, several a burst; some by ordinary ones in between. */
static void push(uint64_t total)
{
	uint8_t piece[128];
	bool fast = random() % 8 != 0;

	for (long burst = 1 + random() % 4; our.tcp && burst > 0 && our.sent < total; burst--) {
		uint32_t n = 20 + (uint32_t)random() % 100;
		if (n > total - our.sent)
			n = (uint32_t)(total - our.sent);
		uint8_t *p = fast                        ? gn_tcp_fast_claim(our.tcp, sizeof(piece))
		             : gn_tcp_room(our.tcp) >= n ? piece
		                                         : NULL;
		if (!p)
			return;
		for (uint32_t i = 0; i < n; i++)
			p[i] = wire_byte(our.sent + i);
		if (fast)
			gn_tcp_fast_commit(our.tcp, n);
		else if (!gn_tcp_send(our.tcp, p, n))
			return;
		our.sent += n;
	}
	gn_tx_flush(tx);
}

static void connect_up(void)
{
	if (kernel.connects) {
		RUN_UNTIL(our.n_up == 1, 20000);
		return;
	}
	cr_assert_not_null(gn_tcp_connect(stack, WIRE_KERNEL_IP, PORT, &our_handler, &our), "%s", gn_err_text());
	RUN_UNTIL(our.n_up == 1, 20000);
}

static void stream(uint64_t total, uint32_t limit_ms)
{
	uint64_t end_ms = now_ms() + limit_ms;

	while (our.n_down == 0 && !our.wrong && now_ms() < end_ms
		&& (kernel.received < total || (kernel.echo && our.received < total))) {
		push(total);
		turn();
	}
	cr_assert_not(our.wrong || kernel.wrong, "wrong byte, seed %u", seed);
	cr_assert_eq(our.n_down, 0, "connection lost, seed %u: %s", seed, strerror(our.reason));
	cr_assert_eq(kernel.received, total, "%llu of %lu bytes after %u ms, seed %u", kernel.received,
		(unsigned long)total, limit_ms, seed);
	if (kernel.echo)
		cr_assert_eq(our.received, total, "seed %u", seed);
}

static void close_and_end(void)
{
	gn_tcp_close(our.tcp);
	RUN_UNTIL(our.n_down == 1, 10000);
	cr_assert_eq(our.reason, 0, "%s, seed %u", strerror(our.reason), seed);
	pthread_join(kernel.thread, NULL);
	struct gn_stack_counts n = gn_stack_counts(stack);
	struct wire_counts w = wire_counts();
	fprintf(stderr,
		"fast %lu, declined %lu, sent again %lu; wire: %lu in, %lu out, %lu lost, %lu doubled, %lu held\n",
		n.tcp_fast_sent, n.tcp_fast_declined, n.tcp_segs_retransmitted, w.n_in, w.n_out, w.n_lost, w.n_doubled,
		w.n_held);
	gn_stack_free(stack);
}

static uint64_t stream_bytes(void)
{
	return getenv("GANNET_LONG") ? (uint64_t)STREAM_BYTES * 32 : STREAM_BYTES;
}

static void echo_through(uint32_t mtu, struct wire_faults faults, uint32_t limit_ms)
{
	kernel.echo = true;
	start(mtu, faults);
	connect_up();
	stream(stream_bytes(), getenv("GANNET_LONG") ? limit_ms * 20 : limit_ms);
	close_and_end();
}

TestSuite(stack_kernel, .timeout = 3000);

Test(stack_kernel, a_clean_wire)
{
	echo_through(1500, (struct wire_faults){0}, 20000);
}

Test(stack_kernel, one_in_a_thousand_lost)
{
	echo_through(1500, (struct wire_faults){.seed = 11, .loss = 1000}, 30000);
}

Test(stack_kernel, one_in_a_hundred_lost)
{
	echo_through(1500, (struct wire_faults){.seed = 12, .loss = 10000}, 60000);
}

Test(stack_kernel, one_in_twenty_lost)
{
	echo_through(1500, (struct wire_faults){.seed = 13, .loss = 50000}, 100000);
}

Test(stack_kernel, duplicates)
{
	echo_through(1500, (struct wire_faults){.seed = 14, .duplicate = 100000}, 30000);
}

Test(stack_kernel, frames_overtake_one_another)
{
	echo_through(1500, (struct wire_faults){.seed = 15, .reorder = 50000}, 60000);
}

Test(stack_kernel, delay_and_jitter)
{
	echo_through(1500, (struct wire_faults){.seed = 16, .delay_us_max = 2000}, 60000);
}

Test(stack_kernel, everything_at_once_with_small_frames)
{
	struct wire_faults f = {.seed = 17, .loss = 10000, .duplicate = 20000, .reorder = 20000, .delay_us_max = 300};

	echo_through(576, f, 100000);
}

Test(stack_kernel, the_kernel_may_connect)
{
	kernel.connects = true;
	echo_through(1500, (struct wire_faults){.seed = 18, .loss = 2000, .duplicate = 2000}, 60000);
}

Test(stack_kernel, a_tiny_window)
{
	kernel.receive_buffer = 1; /* the kernel makes it its minimum */
	start(1500, (struct wire_faults){.seed = 19, .loss = 2000});
	connect_up();
	stream(30000, 60000);
	close_and_end();
}

Test(stack_kernel, a_window_that_closes_and_opens)
{
	kernel.receive_buffer = 4096;
	kernel.sleep_ms_first = 1500;
	start(1500, (struct wire_faults){.seed = 20});
	connect_up();
	stream(100000, 60000);
	close_and_end();
}

Test(stack_kernel, a_reader_that_stops_now_and_then)
{
	kernel.sleep_ms_every_64k = 400;
	kernel.echo = true;
	start(1500, (struct wire_faults){.seed = 21, .loss = 3000});
	connect_up();
	stream(STREAM_BYTES, 60000);
	close_and_end();
}

Test(stack_kernel, a_wire_that_is_cut_for_a_while)
{
	kernel.echo = true;
	start(1500, (struct wire_faults){.seed = 22});
	connect_up();
	for (uint32_t i = 1; i <= 3; i++) {
		stream(i * 40000, 20000);
		push(i * 40000 + 5000);
		wire_faults_set(&(struct wire_faults){.seed = seed, .deaf = true, .mute = i % 2});
		for (uint64_t until = now_ms() + 200 * i; now_ms() < until; turn())
			push(i * 40000 + 10000);
		wire_faults_set(&(struct wire_faults){.seed = seed});
	}
	stream(STREAM_BYTES, 30000);
	cr_assert_gt(gn_stack_counts(stack).tcp_segs_retransmitted, 0);
	close_and_end();
}

Test(stack_kernel, closing_delivers_what_was_sent_before)
{
	start(1500, (struct wire_faults){.seed = 23, .loss = 20000});
	connect_up();
	while (our.sent < 20000) {
		push(20000);
		turn();
	}
	gn_tcp_close(our.tcp);
	RUN_UNTIL(our.n_down == 1, 10000);
	cr_assert_eq(our.reason, 0);
	pthread_join(kernel.thread, NULL);
	cr_assert_eq(kernel.received, 20000);
	cr_assert_not(kernel.wrong);
}

Test(stack_kernel, the_kernel_closes_first)
{
	kernel.stop_after = 10000;
	start(1500, (struct wire_faults){.seed = 24, .loss = 10000});
	connect_up();
	for (uint64_t until = now_ms() + 10000; our.n_down == 0 && now_ms() < until; turn())
		push(10000);
	cr_assert_eq(our.n_down, 1);
	cr_assert_eq(our.reason, 0, "%s", strerror(our.reason));
	cr_assert_eq(kernel.received, 10000);
	cr_assert_not(kernel.wrong);
}

Test(stack_kernel, the_kernel_resets)
{
	kernel.stop_after = 10000;
	kernel.end = END_RESET;
	start(1500, (struct wire_faults){.seed = 25});
	connect_up();
	for (uint64_t until = now_ms() + 10000; our.n_down == 0 && now_ms() < until; turn())
		push(1000000);
	cr_assert_eq(our.n_down, 1);
	cr_assert_eq(our.reason, ECONNRESET, "%s", strerror(our.reason));
}

Test(stack_kernel, our_reset_is_one_to_the_kernel)
{
	start(1500, (struct wire_faults){.seed = 27});
	connect_up();
	stream(5000, 5000);
	gn_tcp_abort(our.tcp);
	gn_tx_flush(tx);
	cr_assert_eq(our.n_down, 1);
	cr_assert_eq(our.reason, ECONNABORTED);
	RUN_UNTIL(kernel.over, 5000);
	cr_assert_eq(kernel.error, ECONNRESET, "%s", strerror(kernel.error));
}

Test(stack_kernel, both_may_close_at_once)
{
	kernel.stop_after = 10000;
	start(1500, (struct wire_faults){.seed = 28, .loss = 20000, .delay_us_max = 1000});
	connect_up();
	while (our.sent < 10000) {
		push(10000);
		turn();
	}
	gn_tcp_close(our.tcp); /* about when the kernel does */
	RUN_UNTIL(our.n_down == 1, 10000);
	cr_assert_eq(our.reason, 0, "%s", strerror(our.reason));
	pthread_join(kernel.thread, NULL);
	cr_assert_eq(kernel.received, 10000);
	cr_assert_not(kernel.wrong);
}

/* Neither a reset nor an end: the cable is gone. */
Test(stack_kernel, a_peer_that_dies_in_silence_is_given_up_within_the_bound)
{
	dead_ms = 1500;
	start(1500, (struct wire_faults){.seed = 29});
	connect_up();
	stream(20000, 5000);
	wire_faults_set(&(struct wire_faults){.seed = seed, .deaf = true, .mute = true});
	uint64_t from_ms = now_ms();
	push(25000);
	RUN_UNTIL(our.n_down == 1, 5000);
	cr_assert_eq(our.reason, ETIMEDOUT, "%s", strerror(our.reason));
	cr_assert_geq(now_ms() - from_ms, 1400);
	cr_assert_leq(now_ms() - from_ms, 3000);
}

Test(stack_kernel, an_idle_connection_is_asked_for_a_sign_of_life)
{
	keepalive_ms = 300;
	dead_ms = 1000;
	start(1500, (struct wire_faults){.seed = 30});
	connect_up();
	stream(1000, 5000);
	for (uint64_t until = now_ms() + 3000; now_ms() < until; turn())
		cr_assert_eq(our.n_down, 0, "the kernel answers");
	wire_faults_set(&(struct wire_faults){.seed = seed, .deaf = true, .mute = true});
	RUN_UNTIL(our.n_down == 1, 5000);
	cr_assert_eq(our.reason, ETIMEDOUT);
}

/* The kernel has forgotten the connection, we have not heard of it. */
Test(stack_kernel, a_half_open_connection_is_found_out)
{
	kernel.stop_after = 1000;
	kernel.end = END_RESET;
	start(1500, (struct wire_faults){.seed = 26});
	connect_up();
	push(900);
	RUN_UNTIL(kernel.received == our.sent, 5000);
	wire_faults_set(&(struct wire_faults){.seed = seed, .deaf = true});
	while (our.sent < 1500)
		push(1500);
	RUN_UNTIL(kernel.over, 5000);
	wire_faults_set(&(struct wire_faults){.seed = seed});
	RUN_UNTIL(our.n_down == 1, 5000);
	cr_assert_eq(our.reason, ECONNRESET, "%s", strerror(our.reason));
}

Test(stack_kernel, a_port_nobody_listens_on)
{
	start(1500, (struct wire_faults){0});
	cr_assert_not_null(gn_tcp_connect(stack, WIRE_KERNEL_IP, PORT + 1, &our_handler, &our));
	RUN_UNTIL(our.n_down == 1, 5000);
	cr_assert_eq(our.reason, ECONNREFUSED);
	cr_assert_eq(our.n_up, 0);
}

/* Every frame that we send, whoever built it, stands up to a check of all of its lengths and sums. */
static uint32_t n_checked, n_bad;

static void tap_check(bool out, const uint8_t *f, uint32_t bytes)
{
	struct tcp_seen seen;

	if (!out || net_get16(f + 12) != NET_TYPE_IP || f[23] != NET_PROTO_TCP)
		return;
	uint32_t ip_bytes = net_get16(f + 16), tcp_bytes = ip_bytes - 20;
	const uint8_t pseudo[4] = {0, NET_PROTO_TCP, (uint8_t)(tcp_bytes >> 8), (uint8_t)tcp_bytes};
	n_checked++;
	n_bad += !tcp_seen_read(&seen, f, bytes) || ip_bytes + 14 != bytes
	         || net_sum_fold(net_sum(f + 14, 20, 0)) != 0xffff
	         || net_sum_fold(net_sum(f + 34, tcp_bytes, net_sum(pseudo, 4, net_sum(f + 26, 8, 0)))) != 0xffff;
}

/* The right edge of what the kernel has allowed; a probe of a closed window may put one byte past it. */
static struct {
	bool known;
	uint32_t edge;
	uint8_t scale;
	uint32_t n_beyond;
} window;

static uint8_t scale_option(const uint8_t *f)
{
	const uint8_t *o = f + 54, *end = f + 34 + (f[46] >> 4) * 4;

	while (o < end && *o != 0 && *o != 3)
		o += *o == 1 ? 1 : o[1];
	return o < end && *o == 3 ? o[2] : 0;
}

static void tap_window(bool out, const uint8_t *f, uint32_t bytes)
{
	struct tcp_seen seen;

	if (!tcp_seen_read(&seen, f, bytes))
		return;
	if (out) {
		window.n_beyond += window.known && seen.bytes > 0 && (int32_t)(seen.seq + seen.bytes - window.edge) > 1;
		return;
	}
	bool syn = seen.flags & TCP_SEEN_SYN;
	uint32_t edge = net_get32(f + 42) + ((uint32_t)net_get16(f + 48) << (syn ? 0 : window.scale));
	if (syn)
		window.scale = scale_option(f);
	if (!window.known || (int32_t)(edge - window.edge) > 0)
		window.edge = edge;
	window.known = true;
}

Test(stack_kernel, never_sends_past_the_window)
{
	kernel.receive_buffer = 4096;
	kernel.sleep_ms_first = 500;
	start(1500, (struct wire_faults){.seed = 29});
	wire_tap(tap_window);
	connect_up();
	stream(100000, 60000);
	close_and_end();
	cr_assert_eq(window.n_beyond, 0, "%u frames", window.n_beyond);
}

/* What fast sends have put on the wire must not follow a second time when lwIP hears of it. */
static uint32_t seq_next, n_repeated;

static void tap_repeated(bool out, const uint8_t *f, uint32_t bytes)
{
	struct tcp_seen seen;

	if (!out || !tcp_seen_read(&seen, f, bytes) || seen.bytes == 0)
		return;
	n_repeated += seq_next != 0 && seen.seq != seq_next;
	seq_next = seen.seq + seen.bytes;
}

Test(stack_kernel, nothing_goes_out_twice_or_out_of_order_on_a_clean_wire)
{
	kernel.echo = true;
	start(1500, (struct wire_faults){.seed = 28});
	wire_tap(tap_repeated);
	connect_up();
	stream(STREAM_BYTES, 30000);
	cr_assert_gt(gn_stack_counts(stack).tcp_fast_sent, 1000);
	close_and_end();
	cr_assert_eq(n_repeated, 0, "%u frames", n_repeated);
}

Test(stack_kernel, every_frame_has_right_lengths_and_sums)
{
	kernel.echo = true;
	start(1500, (struct wire_faults){.seed = 27, .loss = 5000});
	wire_tap(tap_check);
	connect_up();
	stream(STREAM_BYTES, 30000);
	close_and_end();
	cr_assert_gt(n_checked, 2000);
	cr_assert_eq(n_bad, 0, "%u of %u frames", n_bad, n_checked);
}
