/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef WIRE_H
#define WIRE_H

/**
 * @file
 * A wire for tests of the stack: frames go through a file descriptor (a socket pair between two processes, or a packet
 * socket on one end of a veth pair), and both ways they may get lost, doubled, overtaken and delayed, as a seed says.
 *
 * Implements dataplane/nic/tx.h; one wire a process.
 */

#include "dataplane/net/stack.h"

struct wire_faults {
	uint32_t seed;
	/* per million frames, each way */
	uint32_t loss, duplicate, reorder;
	uint32_t delay_us_max; /* every frame waits up to this long, so frames overtake one another */
	bool deaf; /* nothing comes in any more */
	bool mute; /* nothing goes out any more */
};

/** Use a descriptor as the wire; non-blocking from now on. */
struct gn_tx *wire_open(int fd, const struct wire_faults *faults);

/** Change what goes wrong from here on. */
void wire_faults_set(const struct wire_faults *faults);

/** Deliver what has come in, and what was held back until now, to the stack. Returns the number of frames read. */
uint32_t wire_poll(struct gn_stack *s);

/** Called with each frame that goes out, before any fault, and with each that the stack gets, after all of them. */
void wire_tap(void (*tap)(bool out, const uint8_t *frame, uint32_t bytes));

struct wire_counts {
	uint64_t n_in, n_out, n_lost, n_doubled, n_held;
};
struct wire_counts wire_counts(void);

/**
 * A network namespace of this process alone with a veth pair in it: the kernel's TCP has WIRE_KERNEL_IP on one end, the
 * returned descriptor is the other. -1: not allowed here (the test is to be skipped).
 */
int wire_to_kernel(uint32_t mtu);

#define WIRE_KERNEL_IP 0x0a090001u /* 10.9.0.1 */
#define WIRE_OWN_IP 0x0a090002u
#define WIRE_NETMASK 0xffffff00u

/** Seed of this run: env GANNET_SEED, or the given one. */
uint32_t wire_seed(uint32_t otherwise);

/** Byte of a test's stream at a position: what was sent can be checked anywhere. */
static inline uint8_t wire_byte(uint64_t at)
{
	at *= UINT64_C(0x9e3779b97f4a7c15);
	return (uint8_t)(at >> 56 ^ at >> 24);
}

#endif
