/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_H
#define EXCHANGE_H

/**
 * @file
 * The simulated exchange: matching, background flow, market data and order sessions in one object without clock or I/O.
 *
 * Time is told with every call, output leaves through functions, random numbers come from the configured seed: the same
 * calls give the same bytes. A transport (a stage on a DPDK port, kernel sockets, a test) drives it. One thread.
 */

#include "app/exchange/exchange_config.h"
#include "app/exchange/flow.h"
#include "app/exchange/flow_file.h"
#include "app/exchange/order_port.h"
#include "app/exchange/publish.h"
#include "app/exchange/soup_server.h"

struct exchange;

/** What a client connects to. */
enum exchange_service {
	EXCHANGE_SERVICE_OUCH50 = 0,
	EXCHANGE_SERVICE_OUCH42,
	EXCHANGE_SERVICE_GLIMPSE,
	EXCHANGE_SERVICES,
};

#define EXCHANGE_CONN_NONE UINT32_MAX

/** How output leaves. All members but ready are required. */
struct exchange_io {
	void *arg;
	/** A MoldUDP64 datagram for a line. It must be copied or sent before the call returns. */
	void (*datagram)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes);
	/** Bytes for a connection: all, or false when there is no room. */
	bool (*send)(void *arg, void *handle, const void *data, uint32_t bytes);
	/** Close a connection in order. The handle is not used any more; exchange_lost() must not follow. */
	void (*close)(void *arg, void *handle);
	/** Is the way out free? While it is not, the background flow waits. NULL: always. */
	bool (*ready)(void *arg);
};

enum exchange_phase {
	EXCHANGE_WAITING = 0, /* for order sessions */
	EXCHANGE_SPIN,        /* the start-of-day messages go out */
	EXCHANGE_PRIMING,     /* books are filled */
	EXCHANGE_OPENING,     /* opening auction */
	EXCHANGE_OPEN,
	EXCHANGE_CLOSING,     /* orders are cancelled, reports go out */
	EXCHANGE_ENDING,      /* "end of session" is repeated */
	EXCHANGE_STOPPED,
};

/**
 * Make an exchange. Cold.
 *
 * @param config
 *   As parsed: defaults are filled in here. What it points to must stay.
 * @param now_ns
 *   Since the Unix epoch, as in every call; never goes back.
 * @param midnight_ns
 *   The midnight that time stamps on the wire count from.
 * @return
 *   NULL with gn_err_text().
 */
struct exchange *exchange_new(const struct exchange_config *config, const struct exchange_io *io, uint64_t now_ns,
	uint64_t midnight_ns);
void exchange_free(struct exchange *x);

/** The configuration with all defaults. */
const struct exchange_config *exchange_config(const struct exchange *x);

/**
 * A client connected.
 *
 * @return its number for the calls below, or EXCHANGE_CONN_NONE: no room, close it.
 */
uint32_t exchange_open(struct exchange *x, enum exchange_service service, void *handle, uint64_t now_ns);

/** Bytes of a client, cut anywhere. io.close() may be called for it before this returns. */
void exchange_bytes(struct exchange *x, uint32_t conn, const uint8_t *data, uint32_t bytes, uint64_t now_ns);

/** The connection is gone, and not by io.close(). */
void exchange_lost(struct exchange *x, uint32_t conn, uint64_t now_ns);

/**
 * A MoldUDP64 re-request.
 *
 * @param reply
 *   Room for LINES_DATAGRAM_BYTES_MAX.
 * @return
 *   Bytes of the reply to be sent to whoever asked; 0: none.
 */
uint32_t exchange_request(struct exchange *x, const uint8_t *data, uint32_t bytes, uint8_t *reply, uint64_t now_ns);

/** Do one unit of work: a flow event, a timer, some start-of-day messages. False: nothing was due. */
bool exchange_work(struct exchange *x, uint64_t now_ns);

/** When the next unit of work is due at the latest, if nothing comes in; may lie in the past. */
uint64_t exchange_due_ns(const struct exchange *x);

/** Close the day: ends in EXCHANGE_STOPPED after some more exchange_work(). */
void exchange_stop(struct exchange *x);

enum exchange_phase exchange_phase(const struct exchange *x);

/** Write the ledger to the configured file, if any. Cold. 0 or -errno. */
int exchange_ledger(const struct exchange *x);

/** Faults of the venue itself that were injected. */
struct exchange_fault_counts {
	uint64_t disconnects, halts, resumes, breaks;
};

/** What is told of the exchange at its end and while it runs. */
struct exchange_counts {
	uint64_t now_ns;
	enum exchange_phase phase;
	uint32_t n_symbols, sessions; /* sessions: logged in now */
	struct match_counts match;
	struct flow_counts flow;
	struct flow_file_counts flow_file;
	struct publish_counts publish;
	struct lines_counts line[EXCHANGE_LINES_MAX];
	struct order_port_counts orders;
	struct exchange_fault_counts faults;
	struct soup_server_counts service[EXCHANGE_SERVICES];
};
struct exchange_counts exchange_counts(const struct exchange *x);

/* For tests and the snapshot server. */
const struct match *exchange_match(const struct exchange *x);
const struct gn_instruments *exchange_instruments(const struct exchange *x);
const struct order_port *exchange_orders(const struct exchange *x);

#endif
