/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_schema.h"

#define OPT CYAML_FLAG_OPTIONAL
#define REQ CYAML_FLAG_DEFAULT
#define LIST (CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL)
#define S struct exchange_section

static const cyaml_schema_field_t line_faults_fields[] = {
	CONFIG_FIELD_UINT(struct exchange_line_faults, loss_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_line_faults, duplicate_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_line_faults, reorder_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_line_faults, late_ns, OPT)
	CONFIG_FIELD_UINT(struct exchange_line_faults, silent_from_ns, OPT)
	CONFIG_FIELD_UINT(struct exchange_line_faults, silent_for_ns, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t line_fields[] = {
	CONFIG_FIELD_CHARS(struct exchange_line, group, REQ)
	CONFIG_FIELD_UINT(struct exchange_line, port, REQ)
	CYAML_FIELD_MAPPING("faults", OPT, struct exchange_line, faults, line_faults_fields),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t line_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct exchange_line, line_fields)};

static const cyaml_strval_t dialects[] = {{"ouch50", EXCHANGE_OUCH50}, {"ouch42", EXCHANGE_OUCH42}};

static const cyaml_schema_field_t account_fields[] = {
	CONFIG_FIELD_CHARS(struct exchange_account, username, REQ)
	CONFIG_FIELD_CHARS(struct exchange_account, password, OPT)
	CYAML_FIELD_ENUM("dialect", OPT, struct exchange_account, dialect, dialects, CYAML_ARRAY_LEN(dialects)),
	CONFIG_FIELD_BOOL(struct exchange_account, cancel_on_disconnect, OPT)
	CYAML_FIELD_END
};
static const cyaml_schema_value_t account_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct exchange_account, account_fields)};

static const cyaml_schema_value_t symbol_schema = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 1, 8)};

static const cyaml_schema_field_t flow_fields[] = {
	CONFIG_FIELD_BOOL(struct exchange_flow, off, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, rate_msgs_s, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, zipf_milli, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, orders_per_symbol, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, hidden_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, burst_msgs, OPT)
	CONFIG_FIELD_UINT(struct exchange_flow, burst_every_ms, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t faults_fields[] = {
	CONFIG_FIELD_UINT(struct exchange_faults, disconnect_every_ms, OPT)
	CONFIG_FIELD_UINT(struct exchange_faults, reject_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_faults, halt_every_ms, OPT)
	CONFIG_FIELD_UINT(struct exchange_faults, halt_for_ms, OPT)
	CONFIG_FIELD_UINT(struct exchange_faults, break_ppm, OPT)
	CONFIG_FIELD_UINT(struct exchange_faults, cancel_pending_ppm, OPT)
	CYAML_FIELD_END
};

static const cyaml_strval_t transports[] = {
	{"port", EXCHANGE_TRANSPORT_PORT},
	{"sockets", EXCHANGE_TRANSPORT_SOCKETS},
};

#define VENUE_UINT(name) CYAML_FIELD_UINT(#name, OPT, S, venue.name),
#define VENUE_BOOL(name) CYAML_FIELD_BOOL(#name, OPT, S, venue.name),
#define VENUE_CHARS(name) CYAML_FIELD_STRING(#name, OPT, S, venue.name, 0),
#define VENUE_TEXT(name) CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | OPT, S, venue.name, 0, CYAML_UNLIMITED),

const cyaml_schema_field_t exchange_schema_fields[] = {
	CONFIG_FIELD_TEXT(S, device, OPT)
	CONFIG_FIELD_TEXT(S, core, OPT)
	VENUE_UINT(seed)
	CYAML_FIELD_ENUM("transport", OPT, S, venue.transport, transports, CYAML_ARRAY_LEN(transports)),
	VENUE_BOOL(busy_poll)
	VENUE_CHARS(mac)
	VENUE_CHARS(ip)
	VENUE_CHARS(netmask)
	VENUE_CHARS(gateway)
	VENUE_UINT(mtu)
	VENUE_CHARS(session)
	CYAML_FIELD_SEQUENCE_COUNT("lines", LIST, S, venue.lines, venue.n_lines, &line_schema, 1, EXCHANGE_LINES_MAX),
	VENUE_UINT(datagram_bytes_max)
	VENUE_UINT(md_heartbeat_ns)
	VENUE_UINT(end_of_session_ns)
	VENUE_UINT(store_mib)
	VENUE_UINT(request_port)
	VENUE_UINT(glimpse_port)
	VENUE_UINT(order_port)
	VENUE_UINT(ouch42_port)
	CYAML_FIELD_SEQUENCE_COUNT("accounts", LIST, S, venue.accounts, venue.n_accounts, &account_schema, 1,
		EXCHANGE_ACCOUNTS_MAX),
	VENUE_UINT(heartbeat_ms)
	VENUE_UINT(dead_link_ms)
	VENUE_UINT(login_ms)
	VENUE_BOOL(self_match_prevention)
	VENUE_UINT(reports_mib)
	VENUE_UINT(start_logins)
	VENUE_UINT(start_after_ms)
	VENUE_BOOL(start_now)
	VENUE_UINT(opening_cross_ms)
	VENUE_UINT(run_ms)
	VENUE_UINT(n_symbols)
	CYAML_FIELD_SEQUENCE_COUNT("symbols", LIST, S, venue.symbols, venue.n_symbols, &symbol_schema, 1,
		EXCHANGE_SYMBOLS_MAX),
	VENUE_UINT(px_min_e4)
	VENUE_UINT(px_max_e4)
	VENUE_UINT(orders_max)
	VENUE_UINT(client_orders_max)
	CYAML_FIELD_MAPPING("flow", OPT, S, venue.flow, flow_fields),
	VENUE_TEXT(replay_file)
	VENUE_UINT(replay_speed_pct)
	VENUE_BOOL(replay_fast)
	CYAML_FIELD_MAPPING("faults", OPT, S, venue.faults, faults_fields),
	VENUE_TEXT(log_file)
	VENUE_TEXT(ledger_file)
	CYAML_FIELD_END
};
