/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_SCHEMA_H
#define EXCHANGE_SCHEMA_H

/** @file The `exchange` section of a config file. */

#include "app/config/config_file.h"
#include "app/exchange/exchange_config.h"

/** What the section fills: the venue, and where it is plugged in. */
struct exchange_section {
	char *device; /* DPDK device line; "" with transport: sockets */
	char *core;   /* "auto" or a number */
	struct exchange_config venue;
};

extern const cyaml_schema_field_t exchange_schema_fields[];

/** Keys of the section, with `exchange.` in front, for the table of keys: X(path, min, max, fallback, help). */
#define EXCHANGE_KEYS(X)                                                                                             \
	X("device", 0, 255, "", "DPDK device line of the port; empty with transport: sockets")                       \
	X("core", 1, 8, "auto", "core of the one thread: a number, or auto")                                         \
	X("seed", 0, INT64_MAX, "1", "the same seed, config and input give the same output")                         \
	X("transport", 0, 0, "port", "a DPDK port with our own TCP, or ordinary kernel sockets")                     \
	X("busy_poll", 0, 1, "false", "sockets: spin rather than sleep")                                             \
	X("mac", 0, 17, "", "its own address; empty: 02:67:6e:00:00:02")                                             \
	X("ip", 0, 15, "", "its own address; empty: 10.71.0.2")                                                      \
	X("netmask", 0, 15, "", "empty: 255.255.255.0")                                                              \
	X("gateway", 0, 15, "", "empty: none")                                                                       \
	X("mtu", 0, 9000, "0", "0: 1500")                                                                            \
	X("session", 0, 10, "", "MoldUDP64 session; empty: GANNET0001")                                              \
	X("lines[].group", 7, 15, NULL, "multicast group")                                                           \
	X("lines[].port", 1, 65535, NULL, "UDP port")                                                                \
	X("lines[].faults.loss_ppm", 0, 1000000, "0", "datagrams not sent, per million")                             \
	X("lines[].faults.duplicate_ppm", 0, 1000000, "0", "datagrams sent twice, per million")                      \
	X("lines[].faults.reorder_ppm", 0, 1000000, "0", "datagrams sent after the next one, per million")           \
	X("lines[].faults.late_ns", 0, 1000000000, "0", "everything on this line is that much later")                \
	X("lines[].faults.silent_from_ns", 0, INT64_MAX, "0", "since the start: the line falls silent")              \
	X("lines[].faults.silent_for_ns", 0, INT64_MAX, "0", "for so long; 0: never")                                \
	X("datagram_bytes_max", 0, 1472, "0", "UDP payload; 0: 1400")                                                \
	X("md_heartbeat_ns", 0, INT64_MAX, "0", "idle time before a heartbeat; 0: 1 s")                              \
	X("end_of_session_ns", 0, INT64_C(60000000000), "0", "how long the end of session is repeated; 0: 100 ms")   \
	X("store_mib", 0, 65536, "0", "memory for re-requests; 0: 64")                                               \
	X("request_port", 0, 65535, "0", "UDP port of the re-request server; 0: none")                               \
	X("glimpse_port", 0, 65535, "0", "TCP port of the snapshot server; 0: none")                                 \
	X("order_port", 0, 65535, "0", "TCP port of OUCH 5.0; 0: 26400")                                             \
	X("ouch42_port", 0, 65535, "0", "TCP port of OUCH 4.2; 0: none")                                             \
	X("accounts[].username", 1, 6, NULL, "login name")                                                           \
	X("accounts[].password", 0, 10, "", "password")                                                              \
	X("accounts[].dialect", 0, 0, "ouch50", "on order_port, or ouch42 on ouch42_port")                           \
	X("accounts[].cancel_on_disconnect", 0, 1, "false", "its open orders die with its connection")               \
	X("heartbeat_ms", 0, 60000, "0", "order sessions; 0: 1000")                                                  \
	X("dead_link_ms", 0, 3600000, "0", "silence after which a client is cut off; 0: 15000")                      \
	X("login_ms", 0, 3600000, "0", "time a client has to log in; 0: 30000")                                      \
	X("self_match_prevention", 0, 1, "false", "orders of one account do not trade with each other")              \
	X("reports_mib", 0, 4096, "0", "memory of sequenced reports an account; 0: 16")                              \
	X("start_logins", 0, 64, "0", "logins to wait for before the day starts; 0: 1")                              \
	X("start_after_ms", 0, 3600000, "0", "starts after this time in any case; 0: only logins count")             \
	X("start_now", 0, 1, "false", "starts at once")                                                              \
	X("opening_cross_ms", 0, 3600000, "0", "length of an opening auction; 0: none")                              \
	X("run_ms", 0, 86400000, "0", "stops by itself that long after the start; 0: never")                         \
	X("n_symbols", 0, EXCHANGE_SYMBOLS_MAX, "0", "generated symbols AAAA, AAAB ...; 0: 128")                     \
	X("symbols[]", 1, 8, NULL, "names of the symbols, instead of generated ones")                                \
	X("px_min_e4", 0, EXCHANGE_PX_E4_MAX, "0", "lowest first price, in 1/10000; 0: 50000")                       \
	X("px_max_e4", 0, EXCHANGE_PX_E4_MAX, "0", "highest first price, in 1/10000; 0: 5000000")                    \
	X("orders_max", 0, 268435456, "0", "live orders of everybody; 0: 1048576")                                   \
	X("client_orders_max", 0, 268435456, "0", "orders entered in one day; 0: 1048576")                           \
	X("flow.off", 0, 1, "false", "no order flow of its own")                                                     \
	X("flow.rate_msgs_s", 0, 50000000, "0", "order actions a second; 0: 20000")                                  \
	X("flow.zipf_milli", 0, 3000, "0", "skew of activity over symbols; 0: 900")                                  \
	X("flow.orders_per_symbol", 0, 10000, "0", "live orders a symbol hovers around; 0: 60")                      \
	X("flow.hidden_ppm", 0, 1000000, "0", "orders that are not displayed, per million")                          \
	X("flow.burst_msgs", 0, 10000, "0", "actions in a burst; 0: no bursts")                                      \
	X("flow.burst_every_ms", 0, 3600000, "0", "mean time between bursts; 0: 1000")                               \
	X("replay_file", 0, 1023, "", "raw ITCH 5.0 file as background flow, instead of `flow`")                     \
	X("replay_speed_pct", 0, 1000000, "0", "of the recorded pace; 0: 100")                                       \
	X("replay_fast", 0, 1, "false", "as fast as possible, whatever the pace")                                    \
	X("faults.disconnect_every_ms", 0, 3600000, "0", "mean time between cut order connections; 0: never")        \
	X("faults.reject_ppm", 0, 1000000, "0", "valid requests rejected, per million")                              \
	X("faults.halt_every_ms", 0, 3600000, "0", "mean time between halts; 0: never")                              \
	X("faults.halt_for_ms", 0, 3600000, "0", "length of a halt; 0: 500")                                         \
	X("faults.break_ppm", 0, 1000000, "0", "executions broken a moment later, per million")                      \
	X("faults.cancel_pending_ppm", 0, 1000000, "0", "cancels during a halt answered by pending, per million")    \
	X("log_file", 0, 1023, "", "to go on from after a crash; empty: none")                                       \
	X("ledger_file", 0, 1023, "", "written at stop, for reconciliation; empty: none")

#endif
