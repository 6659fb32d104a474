/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_LINES_H
#define EXCHANGE_LINES_H

/**
 * @file
 * The multicast lines: every datagram goes out on each, with the faults of each line drawn from its own seed. One thread.
 */

#include "app/exchange/exchange_config.h"
#include "app/exchange/rng.h"

#define LINES_DATAGRAM_BYTES_MAX 1472u

struct lines_counts {
	uint64_t sent, lost, duplicated, reordered, delayed, silenced;
	uint64_t delay_full; /* sent early, because too many were waiting already */
};

struct lines_waiting {
	uint64_t due_ns;
	uint32_t bytes;
	uint8_t data[LINES_DATAGRAM_BYTES_MAX];
};

struct lines_line {
	struct exchange_line_faults faults;
	struct rng rng;
	struct lines_waiting *held; /* one datagram that waits for the next one to overtake it; room for one */
	struct lines_waiting *late; /* ring of datagrams that wait for their time */
	uint64_t late_head, late_tail;
	struct lines_counts n;
};

struct lines {
	struct lines_line line[EXCHANGE_LINES_MAX];
	uint32_t n_lines;
	uint64_t start_ns;
	void (*out)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes);
	void *arg;
};

/** Cold. Memory for delayed datagrams is taken only for lines that delay. 0 or -errno. */
int lines_init(struct lines *l, const struct exchange_config *config, uint64_t now_ns,
	void (*out)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes), void *arg);
void lines_fini(struct lines *l);

/** Send a datagram on every line. */
void lines_send(struct lines *l, const uint8_t *data, uint32_t bytes, uint64_t now_ns);

/** Send one datagram whose time has come. False: there is none. */
bool lines_work(struct lines *l, uint64_t now_ns);

/** Send everything that still waits, now. */
void lines_drain(struct lines *l);

#endif
