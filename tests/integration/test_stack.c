/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/stack.h"
#include "dataplane/runtime/err.h"
#include "tests/integration/wire.h"

/* Two stacks, one a process, as lwIP is one a process: ours has an even address, the other's is odd. */
#define OWN_IP 0x0a000002u
#define PEER_IP 0x0a000001u
#define PORT_ECHO 7u
#define PORT_CLOSED 8u
#define PORT_REFUSED 9u /* listened on, but nobody is let in */
#define PORT_HANGUP 10u /* closes at once */
#define PORT_RESET 11u /* resets when a byte comes */
#define STREAM_BYTES (1u << 20)

static struct gn_stack *stack;
static struct gn_tx *tx;
static pid_t peer;

static struct gn_stack *stack_start(int fd, uint32_t ip, const struct wire_faults *faults)
{
	struct gn_stack_config c = {
		.mac = {2, 0, 0, 0, 0, (uint8_t)ip},
		.ip = ip,
		.netmask = 0xffffff00,
		.mtu = 1500,
		.tx = tx = wire_open(fd, faults),
		.sequence = UINT32_MAX - 300000, /* so that every longer test wraps */
		.connect_ms = 3000,
		.linger_ms = 1000,
		.dead_ms = 3000,
	};

	return gn_stack_new(&c);
}

/* ---- the other process: sends back whatever comes, in pieces of odd sizes ---- */

struct echo {
	uint32_t bytes, at;
	uint8_t data[1u << 20];
};
static struct echo echo;

static void echo_push(struct gn_tcp *t)
{
	while (echo.at < echo.bytes) {
		uint32_t n = 1 + (echo.at * 7919u) % 3001, room = gn_tcp_room(t);
		if (n > echo.bytes - echo.at)
			n = echo.bytes - echo.at;
		if (n > room || !gn_tcp_send(t, echo.data + echo.at, n))
			return;
		echo.at += n;
	}
	echo.at = echo.bytes = 0;
}

static struct gn_tcp *echo_tcp;

static void echo_up(void *arg, struct gn_tcp *t)
{
	if (arg == &echo)
		echo_tcp = t;
	else
		gn_tcp_close(t);
}

static void echo_bytes(void *arg, struct gn_tcp *t, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	(void)rx_tsc;
	if (echo.bytes + bytes > sizeof(echo.data))
		_exit(3);
	memcpy(echo.data + echo.bytes, data, bytes);
	echo.bytes += bytes;
	echo_push(t);
}

static void echo_down(void *arg, struct gn_tcp *t, int reason)
{
	(void)arg;
	(void)reason;
	if (t == echo_tcp)
		echo_tcp = NULL;
	echo.bytes = echo.at = 0;
}

static void reset_bytes(void *arg, struct gn_tcp *t, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	(void)data;
	(void)bytes;
	(void)rx_tsc;
	gn_tcp_abort(t);
}

static void nothing_up(void *arg, struct gn_tcp *t)
{
	(void)arg;
	(void)t;
}

static const struct gn_tcp_handler echo_handler = {echo_up, echo_bytes, echo_down};
static const struct gn_tcp_handler reset_handler = {nothing_up, reset_bytes, echo_down};

static void *let_in(void *arg, uint32_t ip, uint16_t port)
{
	(void)port;
	return ip == OWN_IP ? arg : NULL;
}

static void *keep_out(void *arg, uint32_t ip, uint16_t port)
{
	(void)arg;
	(void)ip;
	(void)port;
	return NULL;
}

static _Noreturn void peer_run(int fd)
{
	static int other;
	struct gn_stack *s;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	s = stack_start(fd, PEER_IP, &(struct wire_faults){.seed = 5});
	if (!s || gn_tcp_listen(s, PORT_ECHO, &echo_handler, let_in, &echo) < 0
		|| gn_tcp_listen(s, PORT_REFUSED, &echo_handler, keep_out, &echo) < 0
		|| gn_tcp_listen(s, PORT_HANGUP, &echo_handler, let_in, &other) < 0
		|| gn_tcp_listen(s, PORT_RESET, &reset_handler, let_in, &other) < 0)
		_exit(2);
	for (;;) {
		uint32_t n = wire_poll(s);
		if (echo_tcp)
			echo_push(echo_tcp);
		gn_stack_poll(s);
		if (n == 0)
			usleep(50);
	}
}

/* ---- our side ---- */

static void start(const struct wire_faults *faults)
{
	int fd[2], bytes = 1 << 20;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	for (int i = 0; i < 2; i++)
		setsockopt(fd[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	peer = fork();
	if (peer == 0) {
		close(fd[0]);
		peer_run(fd[1]);
	}
	close(fd[1]);
	stack = stack_start(fd[0], OWN_IP, faults);
	cr_assert_not_null(stack, "%s", gn_err_text());
}

static void end(void)
{
	gn_stack_free(stack);
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
}

static struct {
	uint32_t n_up, n_down;
	int reason;
	uint64_t sent, received;
	bool wrong, abort_on_bytes, close_on_bytes, connect_again;
	uint64_t rx_tsc;
} our;

static struct gn_tcp *connect_to(uint16_t port);

static void our_up(void *arg, struct gn_tcp *t)
{
	(void)arg;
	(void)t;
	our.n_up++;
}

static void our_bytes(void *arg, struct gn_tcp *t, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	(void)arg;
	our.rx_tsc = rx_tsc;
	for (uint32_t i = 0; i < bytes; i++)
		our.wrong |= data[i] != wire_byte(our.received + i);
	our.received += bytes;
	if (our.abort_on_bytes)
		gn_tcp_abort(t);
	else if (our.close_on_bytes)
		gn_tcp_close(t);
}

static void our_down(void *arg, struct gn_tcp *t, int reason)
{
	(void)arg;
	(void)t;
	our.n_down++;
	our.reason = reason;
	if (our.connect_again) {
		our.connect_again = false;
		connect_to(PORT_ECHO);
	}
}

static const struct gn_tcp_handler our_handler = {our_up, our_bytes, our_down};

static struct gn_tcp *connect_to(uint16_t port)
{
	struct gn_tcp *t = gn_tcp_connect(stack, PEER_IP, port, &our_handler, &our);
	cr_assert_not_null(t, "%s", gn_err_text());
	return t;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
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
		cr_assert(condition, "not after %u ms: %s", (uint32_t)(limit_ms), #condition);                         \
	} while (0)

static void push(struct gn_tcp *t, uint64_t total, bool fast)
{
	uint8_t piece[3001];

	while (our.sent < total) {
		uint32_t n = 1 + (uint32_t)((our.sent * 104729) % (fast ? 300 : 3000));
		if (n > total - our.sent)
			n = (uint32_t)(total - our.sent);
		uint8_t *p = fast ? gn_tcp_fast_claim(t, n) : gn_tcp_room(t) >= n ? piece : NULL;
		if (!p)
			return;
		for (uint32_t i = 0; i < n; i++)
			p[i] = wire_byte(our.sent + i);
		if (fast)
			gn_tcp_fast_commit(t, n);
		else if (!gn_tcp_send(t, p, n))
			return;
		our.sent += n;
		if (fast && our.sent % 3 == 0)
			return; /* several messages a burst, then a turn of the loop */
	}
}

static void stream(struct gn_tcp *t, uint64_t total, bool fast, uint32_t limit_ms)
{
	uint64_t end_ms = now_ms() + limit_ms;

	while (our.received < total && !our.wrong && our.n_down == 0 && now_ms() < end_ms) {
		push(t, total, fast);
		gn_tx_flush(tx);
		turn();
	}
	cr_assert_not(our.wrong, "wrong byte before %lu", (unsigned long)our.received);
	cr_assert_eq(our.n_down, 0, "connection lost: %d", our.reason);
	cr_assert_eq(our.received, total, "after %u ms", limit_ms);
}

TestSuite(stack, .timeout = 120);

Test(stack, is_one_a_process_and_needs_an_address)
{
	start(&(struct wire_faults){0});
	cr_assert_null(gn_stack_new(&(struct gn_stack_config){.ip = 1, .tx = tx}));
	cr_assert(strstr(gn_err_text(), "one a process"), "%s", gn_err_text());
	cr_assert_null(gn_tcp_connect(stack, OWN_IP, 1, &our_handler, NULL));
	cr_assert_null(gn_tcp_connect(stack, PEER_IP, 0, &our_handler, NULL));
	cr_assert_eq(gn_stack_join(stack, 0x0a000001), -EINVAL);
	end();
}

Test(stack, a_port_nobody_listens_on_refuses)
{
	start(&(struct wire_faults){0});
	connect_to(PORT_CLOSED);
	RUN_UNTIL(our.n_down == 1, 2000);
	cr_assert_eq(our.reason, ECONNREFUSED);
	cr_assert_eq(our.n_up, 0);
	end();
}

Test(stack, a_listener_that_lets_nobody_in_resets)
{
	start(&(struct wire_faults){0});
	connect_to(PORT_REFUSED);
	RUN_UNTIL(our.n_down == 1, 2000);
	cr_assert_neq(our.reason, 0);
	end();
}

Test(stack, a_silent_peer_times_out)
{
	start(&(struct wire_faults){.deaf = true});
	uint64_t from_ms = now_ms();
	connect_to(PORT_ECHO);
	RUN_UNTIL(our.n_down == 1, 6000);
	cr_assert_eq(our.reason, ETIMEDOUT);
	cr_assert_geq(now_ms() - from_ms, 2500);
	end();
}

Test(stack, a_peer_that_falls_silent_is_given_up_within_the_bound)
{
	start(&(struct wire_faults){0});
	struct gn_tcp *t = connect_to(PORT_ECHO);
	stream(t, 1000, false, 3000);
	wire_faults_set(&(struct wire_faults){.deaf = true});
	for (uint64_t until = now_ms() + 500; now_ms() < until;)
		turn();
	cr_assert_eq(our.n_down, 0, "silence alone is no death: nothing is owed");
	push(t, 2000, false);
	RUN_UNTIL(our.n_down == 1, 8000);
	cr_assert_eq(our.reason, ETIMEDOUT);
	end();
}

Test(stack, an_idle_connection_stays)
{
	start(&(struct wire_faults){0});
	struct gn_tcp *t = connect_to(PORT_ECHO);
	stream(t, 1000, false, 3000);
	for (uint64_t until = now_ms() + 4500; now_ms() < until;)
		turn();
	stream(t, 2000, false, 3000);
	end();
}

Test(stack, a_mebibyte_goes_both_ways_across_a_sequence_wrap)
{
	start(&(struct wire_faults){0});
	stream(connect_to(PORT_ECHO), STREAM_BYTES, false, 20000);
	cr_assert_neq(our.rx_tsc, 0);
	cr_assert_eq(gn_stack_counts(stack).tcp_segs_retransmitted, 0);
	end();
}

Test(stack, a_mebibyte_goes_both_ways_by_fast_sends)
{
	start(&(struct wire_faults){0});
	stream(connect_to(PORT_ECHO), STREAM_BYTES, true, 20000);
	struct gn_stack_counts n = gn_stack_counts(stack);
	cr_assert_gt(n.tcp_fast_sent, n.tcp_fast_declined, "%lu fast, %lu not", (unsigned long)n.tcp_fast_sent,
		(unsigned long)n.tcp_fast_declined);
	cr_assert_eq(n.tcp_segs_retransmitted, 0);
	end();
}

Test(stack, a_bad_wire_changes_nothing_but_the_time)
{
	uint32_t seed = wire_seed(77);

	start(&(struct wire_faults){.seed = seed, .loss = 10000, .duplicate = 10000, .reorder = 20000});
	fprintf(stderr, "seed %u\n", seed);
	stream(connect_to(PORT_ECHO), STREAM_BYTES / 4, seed % 2, 60000);
	cr_assert_gt(wire_counts().n_lost, 0);
	cr_assert_gt(gn_stack_counts(stack).tcp_segs_retransmitted, 0);
	end();
}

Test(stack, closing_ends_with_one_last_call)
{
	start(&(struct wire_faults){0});
	struct gn_tcp *t = connect_to(PORT_ECHO);
	stream(t, 5000, false, 3000);
	gn_tcp_close(t);
	gn_tcp_close(t);
	cr_assert_eq(gn_tcp_room(t), 0);
	cr_assert_not(gn_tcp_send(t, "x", 1));
	cr_assert_null(gn_tcp_fast_claim(t, 1));
	RUN_UNTIL(our.n_down == 1, 3000);
	cr_assert_eq(our.reason, 0);
	for (int i = 0; i < 1000; i++)
		turn();
	cr_assert_eq(our.n_down, 1);
	end();
}

Test(stack, closing_before_the_answer_is_an_end_too)
{
	start(&(struct wire_faults){0});
	gn_tcp_close(connect_to(PORT_ECHO));
	RUN_UNTIL(our.n_down == 1, 1000);
	cr_assert_eq(our.n_up, 0);
	connect_to(PORT_ECHO);
	RUN_UNTIL(our.n_up == 1, 3000);
	end();
}

Test(stack, closing_against_a_silent_peer_ends_within_the_bound)
{
	start(&(struct wire_faults){0});
	struct gn_tcp *t = connect_to(PORT_ECHO);
	stream(t, 100, false, 3000);
	wire_faults_set(&(struct wire_faults){.deaf = true});
	gn_tcp_close(t);
	RUN_UNTIL(our.n_down == 1, 3000);
	cr_assert_eq(our.reason, ETIMEDOUT);
	end();
}

Test(stack, the_peer_may_close_first)
{
	start(&(struct wire_faults){0});
	connect_to(PORT_HANGUP);
	RUN_UNTIL(our.n_down == 1, 3000);
	cr_assert_eq(our.n_up, 1);
	cr_assert_eq(our.reason, 0);
	end();
}

Test(stack, a_reset_is_told_apart_from_a_close)
{
	start(&(struct wire_faults){0});
	struct gn_tcp *t = connect_to(PORT_RESET);
	RUN_UNTIL(our.n_up == 1, 3000);
	cr_assert(gn_tcp_send(t, "x", 1));
	RUN_UNTIL(our.n_down == 1, 3000);
	cr_assert_eq(our.reason, ECONNRESET);
	end();
}

Test(stack, abort_and_connect_again_inside_of_callbacks)
{
	start(&(struct wire_faults){0});
	our.abort_on_bytes = our.connect_again = true;
	struct gn_tcp *t = connect_to(PORT_ECHO);
	RUN_UNTIL(our.n_up == 1, 3000);
	push(t, 3000, true);
	RUN_UNTIL(our.n_down == 1, 3000);
	cr_assert_eq(our.reason, ECONNABORTED);
	our.abort_on_bytes = false;
	RUN_UNTIL(our.n_up == 2, 3000);
	end();
	cr_assert_eq(our.n_down, 2, "giving the stack up ends what is open");
}

Test(stack, close_inside_of_a_callback)
{
	start(&(struct wire_faults){0});
	our.close_on_bytes = true;
	struct gn_tcp *t = connect_to(PORT_ECHO);
	RUN_UNTIL(our.n_up == 1, 3000);
	push(t, 3000, true);
	RUN_UNTIL(our.n_down == 1, 3000);
	end();
}

Test(stack, more_connections_than_slots_are_refused)
{
	start(&(struct wire_faults){.deaf = true});
	for (uint32_t i = 0; i < GN_TCP_MAX; i++)
		connect_to(PORT_ECHO);
	cr_assert_null(gn_tcp_connect(stack, PEER_IP, PORT_ECHO, &our_handler, &our));
	uint64_t from_ms = now_ms();
	RUN_UNTIL(our.n_down == GN_TCP_MAX, 8000);
	cr_assert_geq(now_ms() - from_ms, 2500);
	end();
}

static uint32_t n_igmp, n_arp;

static void tap_count(bool out, const uint8_t *frame, uint32_t bytes)
{
	uint16_t type = net_get16(frame + 12);

	if (!out)
		return;
	n_igmp += type == NET_TYPE_IP && bytes > 34 && frame[23] == 2;
	n_arp += type == NET_TYPE_ARP;
}

Test(stack, joins_groups_and_finds_neighbours)
{
	uint8_t mac[6] = {0};

	start(&(struct wire_faults){0});
	wire_tap(tap_count);
	cr_assert_eq(gn_stack_join(stack, 0xe9360c65), 0);
	for (int i = 0; i < 100; i++)
		turn();
	cr_assert_gt(n_igmp, 0);
	RUN_UNTIL(gn_stack_neighbour(stack, PEER_IP, mac), 3000);
	cr_assert_arr_eq(mac, ((uint8_t[6]){2, 0, 0, 0, 0, 1}), 6);
	cr_assert_gt(n_arp, 0);
	n_arp = 0;
	for (uint64_t until = now_ms() + 250; now_ms() < until; turn())
		cr_assert_not(gn_stack_neighbour(stack, PEER_IP + 100, mac));
	cr_assert_leq(n_arp, 4, "asked %u times in a quarter of a second", n_arp);
	end();
}

static void frame_sums_again(uint8_t *f, uint32_t bytes)
{
	uint32_t head = (f[14] & 15u) * 4;

	if (head < 20 || 14 + head + 20 > bytes)
		return;
	net_put16(f + 24, 0);
	net_sum_store(f + 24, net_sum(f + 14, head, 0));
	const uint8_t pseudo[4] = {0, f[23], (uint8_t)((bytes - 14 - head) >> 8), (uint8_t)(bytes - 14 - head)};
	uint32_t at = 14 + head + (f[23] == NET_PROTO_TCP ? 16 : 6);
	net_put16(f + at, 0);
	net_sum_store(f + at, net_sum(f + 14 + head, bytes - 14 - head, net_sum(pseudo, 4, net_sum(f + 26, 8, 0))));
}

/* Frames of a living connection, changed here and there, half of them with right checksums so that they get further. */
Test(stack, no_frame_makes_it_stumble)
{
	uint32_t seed = wire_seed(4711), rounds = getenv("GANNET_LONG") ? 3000000 : 100000;
	uint8_t f[1600] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0, 0x45};

	start(&(struct wire_faults){.mute = true});
	fprintf(stderr, "seed %u\n", seed);
	cr_assert_eq(gn_tcp_listen(stack, 99, &our_handler, let_in, &our), 0);
	srandom(seed);
	for (uint32_t i = 0; i < rounds; i++) {
		static const uint8_t protos[] = {1, 2, 6, 6, 6, 17, 41, 0};
		uint32_t bytes = 14 + (uint32_t)random() % 120;
		for (uint32_t k = 15; k < bytes; k++)
			f[k] = (uint8_t)random();
		net_put16(f + 12, (uint16_t)(i % 50 == 0 ? random() : i % 11 == 0 ? NET_TYPE_ARP : NET_TYPE_IP));
		f[14] = (uint8_t)(random() % 8 ? 0x45 : random());
		net_put16(f + 16, (uint16_t)(random() % 8 ? bytes - 14 : (uint32_t)random()));
		f[20] &= random() % 8 ? 0x40 : 0xff;
		f[23] = protos[random() % 8];
		net_put32(f + 26, random() % 16 ? PEER_IP : (uint32_t)random());
		net_put32(f + 30, random() % 16 ? OWN_IP : (uint32_t)random());
		net_put16(f + 36, (uint16_t)(random() % 4 ? 99 : random()));
		f[46] = (uint8_t)(random() % 4 ? 0x50 : random());
		if (random() % 4)
			frame_sums_again(f, bytes);
		gn_stack_input(stack, f, bytes, i);
		if (i % 64 == 0)
			gn_stack_poll(stack);
	}
	for (uint32_t bytes = 0; bytes < 70; bytes++)
		gn_stack_input(stack, f, bytes, 1);
	cr_assert_gt(gn_stack_counts(stack).frames_in_bad, 0);
	end();
}
