/* SPDX-License-Identifier: BSD-3-Clause */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "app/exchange/exchange_sock.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/runtime/err.h"

static struct exchange_config config;
static struct exchange_line lines[2];
static struct exchange_sock *venue;
static atomic_bool stop;
static pthread_t thread;
static int run_rc;

static void *run(void *arg)
{
	run_rc = exchange_sock_run(arg, &stop);
	return NULL;
}

/* ports nobody else has now */
static void given_venue(void)
{
	uint32_t base = 20000 + (uint32_t)getpid() % 20000;

	config = (struct exchange_config){.transport = EXCHANGE_TRANSPORT_SOCKETS, .ip = "127.0.0.1", .n_symbols = 8,
		.orders_max = 8192, .client_orders_max = 1024, .store_mib = 4, .reports_mib = 1, .lines = lines, .n_lines = 2,
		.seed = 3};
	for (uint32_t i = 0; !venue && i < 200; i += 10) {
		for (uint32_t k = 0; k < 2; k++) {
			lines[k].port = (uint16_t)(base + i + k);
			snprintf(lines[k].group, sizeof(lines[k].group), "239.192.77.%u", k + 1);
		}
		config.order_port = (uint16_t)(base + i + 2);
		config.request_port = (uint16_t)(base + i + 3);
		venue = exchange_sock_new(&config);
	}
	cr_assert_not_null(venue, "%s", gn_err_text());
	cr_assert_eq(pthread_create(&thread, NULL, run, venue), 0);
}

static void stop_venue(void)
{
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	cr_assert_eq(run_rc, 0);
}

static int receiver(uint32_t line)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0), bytes = 4 << 20;
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(lines[line].port)};
	struct ip_mreq group = {.imr_interface.s_addr = htonl(INADDR_LOOPBACK)};

	inet_pton(AF_INET, lines[line].group, &group.imr_multiaddr);
	a.sin_addr = group.imr_multiaddr;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	cr_assert_eq(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	cr_assert_eq(setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group, sizeof(group)), 0);
	return fd;
}

static int connected(int type, uint16_t port)
{
	int fd = socket(AF_INET, type, 0);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	cr_assert_eq(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static bool readable(int fd, int ms)
{
	return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, ms) == 1;
}

static void read_all(int fd, uint8_t *out, uint32_t bytes)
{
	for (uint32_t n = 0; n < bytes;) {
		cr_assert(readable(fd, 5000), "nothing comes");
		ssize_t got = recv(fd, out + n, bytes - n, 0);

		cr_assert_gt(got, 0);
		n += (uint32_t)got;
	}
}

static uint8_t packet_type(int fd, uint8_t *payload, uint32_t *bytes)
{
	uint8_t head[SOUP_HEAD_BYTES];

	do {
		read_all(fd, head, sizeof(head));
		*bytes = wire_u16(head) - 1u;
		read_all(fd, payload, *bytes);
	} while (head[2] == SOUP_SERVER_HEARTBEAT);
	return head[2];
}

static void send_packet(int fd, uint8_t type, const void *payload, uint32_t bytes)
{
	uint8_t out[1024];
	uint32_t n = soup_build(out, type, payload, bytes);

	cr_assert_eq(send(fd, out, n, 0), (ssize_t)n);
}

static int logged_in(void)
{
	int fd = connected(SOCK_STREAM, config.order_port);
	struct soup_login login = {.username = "GANNET", .password = "GANNET", .seq = 1};
	uint8_t out[SOUP_LOGIN_41_BYTES], in[1024];
	uint32_t bytes = soup_login_build(&login, out);

	cr_assert_eq(send(fd, out, bytes, 0), (ssize_t)bytes);
	cr_assert_eq(packet_type(fd, in, &bytes), SOUP_ACCEPTED);
	return fd;
}

static struct ouch50_out report(int fd)
{
	static uint8_t in[1024];
	struct ouch50_out out;
	uint32_t bytes;

	cr_assert_eq(packet_type(fd, in, &bytes), SOUP_SEQUENCED);
	cr_assert_eq(ouch50_decode_out(in, bytes, &out), OUCH50_OK);
	return out;
}

/* read a line until it holds sequence numbers 1 to `want` without a gap */
static void follow(int fd, uint64_t want)
{
	uint64_t next = 1;

	while (next <= want) {
		uint8_t data[2048];
		struct moldudp64_reader r;
		const uint8_t *msg;
		uint32_t bytes;

		cr_assert(readable(fd, 5000), "the line is silent after %lu", next);
		ssize_t n = recv(fd, data, sizeof(data), 0);

		cr_assert_neq(moldudp64_open(&r, data, (uint32_t)n), MOLDUDP64_MALFORMED);
		cr_assert_eq(r.seq, next);
		while (moldudp64_next(&r, &msg, &bytes) == MOLDUDP64_BLOCK)
			next++;
	}
}

TestSuite(exchange_sock, .init = given_venue, .timeout = 30);

Test(exchange_sock, taken_port_is_refused_and_named)
{
	cr_assert_null(exchange_sock_new(&config));
	cr_assert_not_null(strstr(gn_err_text(), "exchange: bind to 127.0.0.1 port"), "%s", gn_err_text());
	stop_venue();
	exchange_sock_free(venue);
}

Test(exchange_sock, trades_with_a_client_of_the_kernels_tcp_and_closes_in_order)
{
	uint8_t msg[OUCH50_BYTES_MAX], in[1024];
	uint32_t bytes;
	int fd = logged_in();

	cr_assert_eq(report(fd).type, OUCH50_SYSTEM);
	struct ouch50_in enter = {
		.type = OUCH50_ENTER,
		.enter = {.user_ref = 1, .qty = 100, .px = {.e9 = INT64_C(100000) * 1000000000}, .symbol = {.c = "AAAA"}, .side = 'B',
			.tif = '0', .display = 'Y', .capacity = 'P', .iso = 'N', .cross = 'N', .clordid = {.c = "00000000000001"}},
	};
	struct timespec pause = {.tv_nsec = 200 * 1000 * 1000};

	nanosleep(&pause, NULL);
	send_packet(fd, SOUP_UNSEQUENCED, msg, ouch50_encode_in(&enter, msg));
	cr_assert_eq(report(fd).type, OUCH50_ACCEPTED);
	cr_assert_eq(report(fd).type, OUCH50_EXECUTED, "somebody sells below 100,000 dollars");
	stop_venue();
	uint8_t type;

	while ((type = packet_type(fd, in, &bytes)) == SOUP_SEQUENCED)
		;
	cr_assert_eq(type, SOUP_END);
	cr_assert_eq(recv(fd, in, sizeof(in), 0), 0, "closed, not reset");
	exchange_sock_free(venue);
}

Test(exchange_sock, both_lines_carry_the_stream_from_its_beginning_and_the_past_can_be_asked_for)
{
	int a = receiver(0), b = receiver(1), fd = logged_in();

	follow(a, 200);
	follow(b, 200);
	struct moldudp64_request ask = {.session = moldudp64_session_from("GANNET0001"), .seq = 5, .count = 7};
	uint8_t request[MOLDUDP64_REQUEST_BYTES], data[2048];
	int udp = connected(SOCK_DGRAM, config.request_port);

	cr_assert_gt(send(udp, request, moldudp64_request_encode(&ask, request), 0), 0);
	cr_assert(readable(udp, 5000));
	ssize_t n = recv(udp, data, sizeof(data), 0);
	struct moldudp64_reader r;

	cr_assert_eq(moldudp64_open(&r, data, (uint32_t)n), MOLDUDP64_MESSAGES);
	cr_assert_eq(r.seq, 5);
	cr_assert_eq(r.seq_end, 12);
	cr_assert_eq(moldudp64_check(&r), MOLDUDP64_DONE);
	close(fd);
	stop_venue();
	cr_assert_eq(exchange_sock_counts(venue).datagrams_failed, 0);
	cr_assert_eq(exchange_sock_counts(venue).lost, 1);
	exchange_sock_free(venue);
}
