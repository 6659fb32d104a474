/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_CORE_H
#define EXCHANGE_CORE_H

/** @file The inside of the exchange. Private to exchange*.c. */

#include "app/exchange/exchange.h"
#include "app/exchange/exchange_log.h"
#include "app/exchange/ouch42_port.h"

#define EXCHANGE_HALTS_MAX 64u
#define EXCHANGE_BREAKS_MAX 1024u

struct exchange_break {
	uint64_t due_ns, match;
	gn_inst inst;
};

struct exchange_halt {
	uint64_t due_ns;
	gn_inst inst;
};

/* what of the faults is under way; times are UINT64_MAX when a fault is off */
struct exchange_fault_state {
	struct rng rng;
	uint64_t disconnect_ns, halt_ns;
	struct exchange_halt halt[EXCHANGE_HALTS_MAX];
	uint32_t n_halts;
	struct exchange_break pending[EXCHANGE_BREAKS_MAX];
	uint64_t break_head, break_tail;
	struct exchange_fault_counts n;
};

struct exchange {
	struct exchange_config config;
	struct exchange_io io;
	enum exchange_phase phase;
	uint64_t now_ns, midnight_ns, start_ns, phase_ns, timers_ns;
	bool stop;
	gn_inst next_inst; /* SPIN, PRIMING: the next instrument to do */

	uint32_t n_symbols;
	struct gn_instruments *instruments;
	gn_symbol *symbol;     /* by instrument */
	uint32_t *px_first_e4; /* by instrument */
	struct match *match;
	struct flow *flow;           /* NULL when a file is replayed */
	struct flow_file *flow_file; /* NULL when flow is made up */
	struct publish publish;
	struct order_port orders;
	struct ouch42_port ouch42;
	struct exchange_log log;

	struct soup_server service[EXCHANGE_SERVICES];
	uint32_t conn_account[EXCHANGE_SERVICES][EXCHANGE_CONNS_MAX];
	uint32_t account_conn[EXCHANGE_ACCOUNTS_MAX]; /* number of its connection, or EXCHANGE_CONN_NONE */
	uint32_t sessions;
	struct store snapshot[EXCHANGE_CONNS_MAX]; /* of each GLIMPSE connection, while it lasts */
	struct exchange_fault_state fault;
};

/** Symbols, prices and instruments. 0 or -errno. */
int exchange_symbols_init(struct exchange *x);

/** The matching engine's sink: publishes what is displayed and tells the owners. */
struct match_sink exchange_sink(struct exchange *x);

/** Publish an event of one instrument, or of none (GN_INST_NONE). */
void exchange_publish(struct exchange *x, gn_inst inst, struct gn_md *md);

/** Publish a system event. */
void exchange_publish_event(struct exchange *x, char code);

/** What a day begins with for one instrument: directory, state, short-sale restriction. */
#define EXCHANGE_DIRECTORY_MSGS 3u
void exchange_directory(const struct exchange *x, gn_inst inst, struct gn_md md[EXCHANGE_DIRECTORY_MSGS]);

/** The event that adds a displayed order. */
struct gn_md exchange_add(const struct match_order *o);

/** Set and publish the trading state of one instrument. */
void exchange_state_set(struct exchange *x, gn_inst inst, enum match_state state, const char reason[4]);

/** The hooks of the snapshot server. */
struct soup_server_hooks exchange_glimpse_hooks(struct exchange *x);

/** Does a login name an account, whatever its dialect? */
bool exchange_knows(const struct exchange *x, const struct soup_login *login);

/** Begin to inject faults: when the market opens. */
void exchange_faults_start(struct exchange *x);
/** One fault, if one is due. */
bool exchange_faults_work(struct exchange *x);
/** A trade happened: it may be broken later. */
void exchange_faults_traded(struct exchange *x, const struct match_trade *t);

/** The servers of the order and snapshot sessions. 0 or -errno. */
int exchange_sessions_init(struct exchange *x);
void exchange_sessions_fini(struct exchange *x);

/** Every connection has been sent all that is in its stream. */
bool exchange_sessions_drained(const struct exchange *x);

/** One step of the opening auction: an indication, a cross, the end of the phase. False: nothing was due. */
bool exchange_opening(struct exchange *x);

#endif
