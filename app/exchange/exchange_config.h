/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_CONFIG_H
#define EXCHANGE_CONFIG_H

/**
 * @file
 * Configuration of the simulated exchange, as a YAML schema can fill it: zeroed memory is a whole configuration.
 *
 * A member that is 0 (NULL, "") takes the default named beside it; exchange_config_complete() makes a copy with those
 * filled in and every limit checked. Addresses are text, so that the schema needs no conversion. Pointers belong to
 * whoever parsed the file and must stay valid as long as the exchange.
 */

#include <stdbool.h>
#include <stdint.h>

#define EXCHANGE_LINES_MAX 4u
#define EXCHANGE_ACCOUNTS_MAX 64u
#define EXCHANGE_CONNS_MAX 128u
#define EXCHANGE_SYMBOLS_MAX 20000u
#define EXCHANGE_IP_BYTES 16u
#define EXCHANGE_PX_E4_MAX 1999999900u /* 199,999.99: the venue's highest limit price */

enum exchange_transport {
	EXCHANGE_TRANSPORT_PORT = 0, /* a DPDK port and the TCP stack of this project */
	EXCHANGE_TRANSPORT_SOCKETS,  /* ordinary kernel sockets */
};

/** Faults of one multicast line, each drawn from the seed. Parts per million are of datagrams, 0 to 1,000,000. */
struct exchange_line_faults {
	uint32_t loss_ppm;      /* not sent */
	uint32_t duplicate_ppm; /* sent twice */
	uint32_t reorder_ppm;   /* held back until after the next one */
	uint64_t late_ns;       /* everything on this line is sent that much later; at most 1 s */
	uint64_t silent_from_ns; /* since the start of the exchange: the line falls silent ... */
	uint64_t silent_for_ns;  /* ... for so long; 0: never */
};

/** One multicast line. The lines carry the same datagrams. */
struct exchange_line {
	char group[EXCHANGE_IP_BYTES]; /* "233.54.12.111"; required */
	uint16_t port;                 /* UDP; required */
	struct exchange_line_faults faults;
};

enum exchange_dialect {
	EXCHANGE_OUCH50 = 0, /* on order_port */
	EXCHANGE_OUCH42,     /* on ouch42_port */
};

/** One order account: logged in once at a time, a new login takes the place of an old one. */
struct exchange_account {
	char username[7];  /* at most 6 characters, compared without case; required */
	char password[11]; /* at most 10 */
	enum exchange_dialect dialect;
	bool cancel_on_disconnect;
};

/** The exchange's own order flow of other participants. */
struct exchange_flow {
	bool off;
	uint32_t rate_msgs_s;       /* order actions a second, all symbols; 1 to 50,000,000; default 20,000 */
	uint32_t zipf_milli;        /* skew of activity over symbols, exponent * 1000; 0 to 3,000; 1 and up; default 900 */
	uint32_t orders_per_symbol; /* live orders a symbol hovers around; 8 to 10,000; default 60 */
	uint32_t hidden_ppm;        /* share of added orders that are not displayed; default 0 */
	uint32_t burst_msgs;        /* actions in a burst on one symbol, at once; default 0: no bursts; at most 10,000 */
	uint32_t burst_every_ms;    /* mean time between bursts; default 1,000 */
};

/** Faults of the venue itself, drawn from the seed. A period of 0 means never. */
struct exchange_faults {
	uint32_t disconnect_every_ms; /* mean: an order connection is cut */
	uint32_t reject_ppm;          /* of valid new orders and replaces: rejected with a random reason */
	uint32_t halt_every_ms;       /* mean: a random symbol is halted ... */
	uint32_t halt_for_ms;         /* ... and resumes after so long; default 500 */
	uint32_t break_ppm;           /* of executions: broken a moment later */
	uint32_t cancel_pending_ppm;  /* of cancels during a halt: answered by "pending" first */
};

struct exchange_config {
	uint64_t seed;                    /* default 1: the same seed, config and input give the same output */
	enum exchange_transport transport;

	bool busy_poll;                   /* sockets: spin rather than sleep */

	/* the port's own addresses; with sockets only `ip` is used, to bind to, and defaults to 0.0.0.0: any */
	char mac[18];                     /* "02:67:6e:00:00:02"; default that */
	char ip[EXCHANGE_IP_BYTES];       /* default 10.71.0.2 */
	char netmask[EXCHANGE_IP_BYTES];  /* default 255.255.255.0 */
	char gateway[EXCHANGE_IP_BYTES];  /* default none */
	uint16_t mtu;                     /* 576 to 9,000; default 1,500 */

	/* market data */
	char session[11];                 /* MoldUDP64 session, up to 10 characters; default "GANNET0001" */
	const struct exchange_line *lines; /* default two: 239.192.1.1 and 239.192.1.2, port 26477, no faults */
	uint32_t n_lines;                 /* at most EXCHANGE_LINES_MAX */
	uint32_t datagram_bytes_max;      /* UDP payload, header included; 128 to 1,472; default 1,400 */
	uint64_t md_heartbeat_ns;         /* idle time after which a heartbeat is sent; default 1 s */
	uint64_t end_of_session_ns;       /* how long "end of session" is repeated at stop; default 100 ms, at most 60 s */
	uint32_t store_mib;               /* memory for re-requests; oldest go first; 1 to 65,536; default 64 */
	uint16_t request_port;            /* UDP port of the re-request server; 0: none */
	uint16_t glimpse_port;            /* TCP port of the snapshot server; 0: none */

	/* order sessions; the SoupBinTCP session has the name of the MoldUDP64 one */
	uint16_t order_port;              /* TCP, OUCH 5.0; default 26400 */
	uint16_t ouch42_port;             /* TCP, OUCH 4.2; 0: none */
	const struct exchange_account *accounts; /* default one: "GANNET", password "GANNET" */
	uint32_t n_accounts;              /* at most EXCHANGE_ACCOUNTS_MAX */
	uint32_t heartbeat_ms;            /* SoupBinTCP; 10 to 60,000; default 1,000 */
	uint32_t dead_link_ms;            /* silence after which a client is cut off; above heartbeat_ms; default 15,000 */
	uint32_t login_ms;                /* time a client has to log in; default 30,000 */
	bool self_match_prevention;       /* orders of one account do not trade with each other: both are decremented */
	uint32_t reports_mib;             /* memory of sequenced reports an account, oldest go first; 1 to 4,096; default 16 */

	/* when the day starts: nothing is published before, so that an engine sees the stream from sequence 1 */
	uint32_t start_logins;            /* order sessions that must have logged in; default 1; see start_after_ms */
	uint32_t start_after_ms;          /* starts after this time in any case; default 0: only the logins count */
	bool start_now;                   /* starts at once */
	uint32_t opening_cross_ms;        /* length of an opening auction, with NOII; 0: continuous trading at once */
	uint32_t run_ms;                  /* stops by itself that long after the start; 0: never */

	/* instruments and matching */
	uint32_t n_symbols;               /* generated symbols AAAA, AAAB ...; default 128, at most EXCHANGE_SYMBOLS_MAX */
	const char *const *symbols;                   /* or their names, up to 8 characters; then n_symbols is their number */
	uint32_t px_min_e4, px_max_e4;    /* range of first prices; default 5 to 500 dollars */
	uint32_t orders_max;              /* live orders of everybody; 1,024 to 2^28; default 262,144 */
	uint32_t client_orders_max;       /* orders entered in one day by all accounts; default 1,048,576, at most 2^28 */

	struct exchange_flow flow;
	const char *replay_file;                /* raw ITCH 5.0 file as background flow instead of `flow`; NULL: none */
	uint32_t replay_speed_pct;        /* of the recorded pace; default 100 */
	bool replay_fast;                 /* as fast as possible, whatever the pace */

	struct exchange_faults faults;
	const char *log_file;             /* to go on from after a crash (exchange_log.h); NULL: none */
	const char *ledger_file;                /* written at stop (ledger.h); NULL: none */
};

/**
 * Copy a configuration with the defaults filled in and every limit checked. Cold.
 *
 * @param out
 *   Points into the same lines, accounts and texts as in, or to static defaults: there is nothing to free.
 * @return
 *   0, or -errno with gn_err_text() naming the member, its value and what was expected.
 */
int exchange_config_complete(struct exchange_config *out, const struct exchange_config *in);

/** IPv4 address of text, host byte order; 0 when it is none. For members that exchange_config_complete() accepted. */
uint32_t exchange_config_ip(const char *text);

/** MAC address of text. False when it is none. */
bool exchange_config_mac(const char *text, uint8_t mac[6]);

#endif
