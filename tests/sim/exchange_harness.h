/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_HARNESS_H
#define EXCHANGE_HARNESS_H

/**
 * @file
 * An exchange in a test: simulated time, a sink for each line that rebuilds the stream, and SoupBinTCP/OUCH clients
 * that are plain memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "app/exchange/exchange.h"

#define HARNESS_CLIENTS 8u
#define HARNESS_CLIENT_BYTES (4u << 20)
#define HARNESS_NS_PER_MS UINT64_C(1000000)

/** One end of a byte stream. */
struct harness_client {
	struct harness *h;
	uint32_t conn;
	bool up;           /* false: closed by the exchange or by harness_drop() */
	uint32_t room;     /* bytes that the connection still takes */
	uint8_t *in;       /* what the exchange sent */
	uint32_t in_bytes, at;
};

struct harness {
	struct exchange *x;
	struct exchange_config config;
	uint64_t now_ns;
	struct harness_client client[HARNESS_CLIENTS];
	uint32_t n_clients;
	/* what came over the lines, in any order; called for each datagram */
	void (*on_datagram)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes);
	void *arg;
	uint64_t datagrams[EXCHANGE_LINES_MAX];
	uint64_t hash; /* of every byte that left, with its line or client */
};

/** Start an exchange from h->config; fails the test when it refuses. */
void harness_start(struct harness *h);
void harness_stop(struct harness *h);

/** Let time pass in steps of 100 us, with all work that comes due. */
void harness_run(struct harness *h, uint64_t ms);

/** Run until the phase is reached; fails the test after 60 simulated seconds. */
void harness_until(struct harness *h, enum exchange_phase phase);

/** Connect; NULL when the exchange refuses. */
struct harness_client *harness_connect(struct harness *h, enum exchange_service service);

/** The connection is lost, from our side. */
void harness_drop(struct harness_client *c);

void harness_send(struct harness_client *c, const void *data, uint32_t bytes);

/** Send one SoupBinTCP packet. */
void harness_packet(struct harness_client *c, uint8_t type, const void *payload, uint32_t bytes);

/** Log in; does not look at the answer. */
void harness_login(struct harness_client *c, const char *user, const char *password, uint64_t seq);

/** Next packet from the exchange; false: none yet. */
bool harness_next(struct harness_client *c, struct soup_packet *p);

/** Next packet of a type, skipping heartbeats; fails the test when another or none comes. */
struct soup_packet harness_expect(struct harness_client *c, uint8_t type);

/** Send one OUCH 5.0 message. */
void harness_ouch(struct harness_client *c, const struct ouch50_in *in);

/** Next OUCH 5.0 report; fails the test when it is of another type. */
struct ouch50_out harness_report(struct harness_client *c, uint8_t type);

/** No report is waiting. */
bool harness_quiet(struct harness_client *c);

/** A plain limit order, day, displayed. */
struct ouch50_in harness_enter(const struct harness *h, uint32_t user_ref, char side, uint32_t qty, uint32_t px_e4, gn_inst inst);

#endif
