/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/integration/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAMES_MAX 4096u
#define FRAME_BYTES 2048u

/* A frame that is held back. */
struct held {
	uint64_t due_us;
	uint32_t bytes;
	bool out;
	uint8_t data[FRAME_BYTES];
};

struct gn_tx {
	int fd;
	struct wire_faults faults;
	uint64_t random;
	struct wire_counts n;
	struct gn_tx_counts tx;
	void (*tap)(bool out, const uint8_t *frame, uint32_t bytes);
	uint32_t n_queue;
	struct {
		uint32_t bytes;
		uint8_t data[FRAME_BYTES];
	} queue[64];
	uint8_t claim[8][FRAME_BYTES];
	uint32_t n_claims;
	uint32_t n_held;
	struct held held[FRAMES_MAX];
};

static struct gn_tx wire;

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static uint32_t dice(uint32_t below)
{
	wire.random = wire.random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (uint32_t)(wire.random >> 33) % below : 0;
}

uint32_t wire_seed(uint32_t otherwise)
{
	const char *env = getenv("GANNET_SEED");

	return env ? (uint32_t)strtoul(env, NULL, 10) : otherwise;
}

void wire_faults_set(const struct wire_faults *faults)
{
	if (faults->seed != wire.faults.seed)
		wire.random = faults->seed;
	wire.faults = *faults;
}

struct gn_tx *wire_open(int fd, const struct wire_faults *faults)
{
	wire.fd = fd;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	wire_faults_set(faults);
	return &wire;
}

void wire_tap(void (*tap)(bool out, const uint8_t *frame, uint32_t bytes))
{
	wire.tap = tap;
}

struct wire_counts wire_counts(void)
{
	return wire.n;
}

static void pass(struct gn_stack *s, bool out, const uint8_t *data, uint32_t bytes)
{
	if (!out) {
		if (wire.tap)
			wire.tap(false, data, bytes);
		gn_stack_input(s, data, bytes, now_us());
		return;
	}
	for (int i = 0;
		i < 1000 && send(wire.fd, data, bytes, MSG_NOSIGNAL) < 0 && (errno == EAGAIN || errno == ENOBUFS); i++)
		usleep(20);
}

static void hold(bool out, const uint8_t *data, uint32_t bytes, uint64_t due_us)
{
	if (wire.n_held == FRAMES_MAX) {
		wire.n.n_lost++;
		return;
	}
	struct held *h = &wire.held[wire.n_held++];
	h->due_us = due_us;
	h->bytes = bytes;
	h->out = out;
	memcpy(h->data, data, bytes);
	wire.n.n_held++;
}

static void meddle(struct gn_stack *s, bool out, const uint8_t *data, uint32_t bytes)
{
	const struct wire_faults *f = &wire.faults;
	uint32_t copies = 1;

	if ((out ? f->mute : f->deaf) || dice(1000000) < f->loss) {
		wire.n.n_lost++;
		return;
	}
	if (dice(1000000) < f->duplicate) {
		wire.n.n_doubled++;
		copies = 2;
	}
	for (; copies > 0; copies--) {
		uint64_t delay = f->delay_us_max ? dice(f->delay_us_max) : 0;
		if (dice(1000000) < f->reorder)
			delay += 500 + dice(3000);
		if (delay > 0)
			hold(out, data, bytes, now_us() + delay);
		else
			pass(s, out, data, bytes);
	}
}

static void release_due(struct gn_stack *s)
{
	static struct held h;
	uint64_t now = wire.n_held > 0 ? now_us() : 0;

	for (uint32_t i = 0; i < wire.n_held;) {
		if (wire.held[i].due_us > now) {
			i++;
			continue;
		}
		h = wire.held[i];
		wire.held[i] = wire.held[--wire.n_held];
		pass(s, h.out, h.data, h.bytes);
	}
}

uint32_t wire_poll(struct gn_stack *s)
{
	uint8_t frame[FRAME_BYTES];
	uint32_t n = 0;
	ssize_t bytes;

	for (; n < 64 && (bytes = recv(wire.fd, frame, sizeof(frame), 0)) > 0; n++) {
		wire.n.n_in++;
		meddle(s, false, frame, (uint32_t)bytes);
	}
	release_due(s);
	return n;
}

bool gn_tx_claim(struct gn_tx *tx, struct gn_tx_frame *out)
{
	out->data = tx->claim[tx->n_claims++ % 8];
	out->room_bytes = FRAME_BYTES;
	out->handle = out->data;
	return true;
}

void gn_tx_commit(struct gn_tx *tx, const struct gn_tx_frame *frame, uint32_t bytes)
{
	if (tx->n_queue == sizeof(tx->queue) / sizeof(tx->queue[0]))
		gn_tx_flush(tx);
	tx->queue[tx->n_queue].bytes = bytes;
	memcpy(tx->queue[tx->n_queue++].data, frame->data, bytes);
}

void gn_tx_abandon(struct gn_tx *tx, const struct gn_tx_frame *frame)
{
	(void)tx;
	(void)frame;
}

uint32_t gn_tx_flush(struct gn_tx *tx)
{
	uint32_t n = tx->n_queue;

	for (uint32_t i = 0; i < n; i++) {
		tx->n.n_out++;
		tx->tx.frames++;
		if (tx->tap)
			tx->tap(true, tx->queue[i].data, tx->queue[i].bytes);
		meddle(NULL, true, tx->queue[i].data, tx->queue[i].bytes);
	}
	tx->n_queue = 0;
	return n;
}

struct gn_tx_counts gn_tx_counts(const struct gn_tx *tx)
{
	return tx->tx;
}

/* The kernel leaves checksums to the device's hardware, which a veth pair does not have. */
static bool checksums_by_kernel(const char *name)
{
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq r = {.ifr_data = (void *)&off};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	int rc = ioctl(fd, SIOCETHTOOL, &r);
	close(fd);
	return rc == 0;
}

static int packet_socket(const char *name)
{
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL)), one = 1, bytes = 8 << 20;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)if_nametoindex(name)};
	struct packet_mreq promiscuous = {.mr_ifindex = to.sll_ifindex, .mr_type = PACKET_MR_PROMISC};

	if (fd < 0 || bind(fd, (struct sockaddr *)&to, sizeof(to)) < 0
		|| setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof(promiscuous)) < 0
		|| setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)) < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes));
	return fd;
}

int wire_to_kernel(uint32_t mtu)
{
	char commands[600];

	if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0)
		return -1;
	snprintf(commands, sizeof(commands),
		"{ ip link set lo up && ip link add ours mtu %u type veth peer name kernels mtu %u &&"
		" ip addr add 10.9.0.1/24 dev kernels && ip link set kernels up && ip link set ours up; } >/dev/null "
	        "2>&1",
		mtu, mtu);
	if (system(commands) != 0 || !checksums_by_kernel("kernels"))
		return -1;
	return packet_socket("ours");
}
