/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: relay DEVICE DEVICE SEED LOSS DUPLICATE REORDER DELAY_US: a bad cable. Frames of either device leave by the
 * other; so many per million are lost, doubled or held back, and each is late by up to DELAY_US. Runs until it is told to
 * stop, then prints what it did.
 */
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <arpa/inet.h>
#include <time.h>

#define HELD_MAX 16384u
#define FRAME_BYTES 9216u
#define REORDER_US 1000u

struct held {
	uint64_t due_us, order; /* equal times leave in the order of coming */
	uint32_t bytes;
	int to;
	uint8_t data[FRAME_BYTES];
};

static struct {
	int fd[2];
	uint64_t random, order;
	uint32_t loss, duplicate, reorder, delay_us;
	uint64_t n_frames, n_lost, n_doubled, n_held, n_dropped;
	struct held held[HELD_MAX], *heap[HELD_MAX];
	uint32_t n_heap;
} r;

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t dice(uint32_t below)
{
	r.random = r.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (uint32_t)(r.random >> 33) % below : 0;
}

static bool hits(uint32_t ppm)
{
	return dice(1000000) < ppm;
}

static int open_device(const char *name)
{
	struct sockaddr_ll at = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
	struct packet_mreq all = {.mr_ifindex = at.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), one = 1, bytes = 16 << 20;

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0
		|| setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)) < 0
		|| setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0) {
		perror(name);
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

static bool before(const struct held *a, const struct held *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

static void swap(uint32_t i, uint32_t j)
{
	struct held *h = r.heap[i];

	r.heap[i] = r.heap[j];
	r.heap[j] = h;
}

/* heap[n_heap ...] are the free ones. */
static void hold(const uint8_t *frame, uint32_t bytes, int to, uint64_t due_us)
{
	uint32_t i = r.n_heap;

	if (i == HELD_MAX) {
		r.n_dropped++;
		return;
	}
	struct held *h = r.heap[i];
	*h = (struct held){.due_us = due_us, .order = r.order++, .bytes = bytes, .to = to};
	memcpy(h->data, frame, bytes);
	for (r.n_heap++; i > 0 && before(r.heap[i], r.heap[(i - 1) / 2]); i = (i - 1) / 2)
		swap(i, (i - 1) / 2);
}

static void drop_first(void)
{
	swap(0, --r.n_heap);
	for (uint32_t i = 0, least = 0;; i = least) {
		for (uint32_t k = 2 * i + 1; k <= 2 * i + 2 && k < r.n_heap; k++)
			least = before(r.heap[k], r.heap[least]) ? k : least;
		if (least == i)
			return;
		swap(i, least);
	}
}

static bool take(int from)
{
	static uint8_t frame[FRAME_BYTES];
	ssize_t n = recv(r.fd[from], frame, sizeof(frame), MSG_DONTWAIT | MSG_TRUNC);

	if (n <= 0)
		return false;
	r.n_frames++;
	if (n > (ssize_t)sizeof(frame) || hits(r.loss)) {
		r.n_lost++;
		return true;
	}
	for (uint32_t copies = hits(r.duplicate) ? 2 : 1; copies > 0; copies--) {
		uint32_t late_us = dice(r.delay_us + 1);
		if (hits(r.reorder)) {
			r.n_held++;
			late_us += REORDER_US;
		}
		r.n_doubled += copies == 2;
		hold(frame, (uint32_t)n, r.fd[!from], now_us() + late_us);
	}
	return true;
}

static bool give(void)
{
	if (r.n_heap == 0 || r.heap[0]->due_us > now_us())
		return false;
	if (send(r.heap[0]->to, r.heap[0]->data, r.heap[0]->bytes, 0) < 0)
		r.n_dropped++;
	drop_first();
	return true;
}

int main(int argc, char **argv)
{
	if (argc != 8) {
		fprintf(stderr, "usage: relay DEVICE DEVICE SEED LOSS DUPLICATE REORDER DELAY_US\n");
		return 2;
	}
	r.fd[0] = open_device(argv[1]);
	r.fd[1] = open_device(argv[2]);
	r.random = strtoull(argv[3], NULL, 10);
	r.loss = (uint32_t)strtoul(argv[4], NULL, 10);
	r.duplicate = (uint32_t)strtoul(argv[5], NULL, 10);
	r.reorder = (uint32_t)strtoul(argv[6], NULL, 10);
	r.delay_us = (uint32_t)strtoul(argv[7], NULL, 10);
	for (uint32_t i = 0; i < HELD_MAX; i++)
		r.heap[i] = &r.held[i];
	signal(SIGTERM, stop);
	signal(SIGINT, stop);
	while (!stopped) {
		bool did = take(0);
		did |= take(1);
		did |= give();
		if (!did && r.n_heap == 0)
			poll((struct pollfd[]){{r.fd[0], POLLIN, 0}, {r.fd[1], POLLIN, 0}}, 2, 100);
	}
	printf("%lu frames, %lu lost, %lu doubled, %lu held back, %lu without room\n", r.n_frames, r.n_lost, r.n_doubled, r.n_held,
		r.n_dropped);
	return 0;
}
