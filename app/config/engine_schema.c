/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine_config.h"

#include "dataplane/journal/journal.h"
#include "pinning/placement.h"
#include "risk/risk.h"

#define OPT CYAML_FLAG_OPTIONAL
#define REQ CYAML_FLAG_DEFAULT
#define LIST CYAML_FLAG_POINTER

static const cyaml_schema_value_t text_schema = {CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char, 0, CYAML_UNLIMITED)};

#define LIMIT_FIELD(name, levels, tighter, text) CONFIG_FIELD_INT(struct risk_limits, name, OPT)
static const cyaml_schema_field_t limits_fields[] = {RISK_LIMIT_KEYS(LIMIT_FIELD) CYAML_FIELD_END};

static const cyaml_schema_field_t port_fields[] = {
	CONFIG_FIELD_TEXT(struct port_section, device, REQ)
	CONFIG_FIELD_TEXT(struct port_section, eal, OPT)
	CONFIG_FIELD_TEXT(struct port_section, mac, OPT)
	CONFIG_FIELD_TEXT(struct port_section, ip, REQ)
	CONFIG_FIELD_TEXT(struct port_section, netmask, OPT)
	CONFIG_FIELD_TEXT(struct port_section, gateway, OPT)
	CONFIG_FIELD_UINT(struct port_section, mtu, OPT)
	CONFIG_FIELD_UINT(struct port_section, rx_queues, OPT)
	CONFIG_FIELD_UINT(struct port_section, peer_wait_ms, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t line_fields[] = {
	CONFIG_FIELD_TEXT(struct line_section, group, REQ)
	CONFIG_FIELD_UINT(struct line_section, port, REQ)
	CYAML_FIELD_END
};
static const cyaml_schema_value_t line_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct line_section, line_fields)};

static const cyaml_schema_field_t server_fields[] = {
	CONFIG_FIELD_TEXT(struct server_section, ip, REQ)
	CONFIG_FIELD_UINT(struct server_section, port, REQ)
	CYAML_FIELD_END
};
static const cyaml_schema_value_t server_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct server_section, server_fields)};

static const cyaml_schema_field_t feed_fields[] = {
	CONFIG_FIELD_TEXT(struct feed_section, session, OPT)
	CYAML_FIELD_SEQUENCE("lines", LIST, struct feed_section, lines, &line_schema, 1, 8),
	CONFIG_FIELD_UINT(struct feed_section, wait_ns, OPT)
	CONFIG_FIELD_UINT(struct feed_section, silence_ns, OPT)
	CONFIG_FIELD_UINT(struct feed_section, midnight_ns, OPT)
	CONFIG_FIELD_UINT(struct feed_section, hold_datagrams, OPT)
	CONFIG_FIELD_UINT(struct feed_section, shards, OPT)
	CYAML_FIELD_SEQUENCE("request_servers", LIST | OPT, struct feed_section, request_servers, &server_schema, 1, 4),
	CONFIG_FIELD_UINT(struct feed_section, request_port, OPT)
	CYAML_FIELD_SEQUENCE("snapshot_servers", LIST | OPT, struct feed_section, snapshot_servers, &server_schema, 1, 2),
	CONFIG_FIELD_TEXT(struct feed_section, snapshot_username, OPT)
	CONFIG_FIELD_TEXT(struct feed_section, snapshot_password, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t book_fields[] = {
	CONFIG_FIELD_UINT(struct book_section, instruments_max, OPT)
	CONFIG_FIELD_UINT(struct book_section, orders_max, OPT)
	CONFIG_FIELD_BOOL(struct book_section, tolerate_gaps, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t account_fields[] = {
	CONFIG_FIELD_TEXT(struct account_section, name, REQ)
	CONFIG_FIELD_TEXT(struct account_section, username, REQ)
	CONFIG_FIELD_TEXT(struct account_section, password, OPT)
	CYAML_FIELD_SEQUENCE("gateways", LIST, struct account_section, gateways, &server_schema, 1, 2),
	CONFIG_FIELD_TEXT(struct account_section, dialect, OPT)
	CONFIG_FIELD_TEXT(struct account_section, firm, OPT)
	CONFIG_FIELD_UINT(struct account_section, orders_max, OPT)
	CONFIG_FIELD_UINT(struct account_section, heartbeat_ns, OPT)
	CONFIG_FIELD_UINT(struct account_section, dead_ns, OPT)
	CONFIG_FIELD_UINT(struct account_section, login_timeout_ns, OPT)
	CONFIG_FIELD_UINT(struct account_section, pause_min_ns, OPT)
	CONFIG_FIELD_UINT(struct account_section, pause_max_ns, OPT)
	CONFIG_FIELD_UINT(struct account_section, tries_max, OPT)
	CYAML_FIELD_MAPPING("limits", REQ, struct account_section, limits, limits_fields),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t account_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct account_section, account_fields)};

static const cyaml_strval_t deliveries[] = {{"latest", DELIVERY_LATEST}, {"all", DELIVERY_ALL}};
static const cyaml_strval_t rights[] = {{"buy", RISK_MAY_BUY}, {"sell", RISK_MAY_SELL}, {"short", RISK_MAY_SHORT}};

static const cyaml_schema_field_t strategy_fields[] = {
	CONFIG_FIELD_TEXT(struct strategy_section, name, REQ)
	CONFIG_FIELD_TEXT(struct strategy_section, path, REQ)
	CONFIG_FIELD_TEXT(struct strategy_section, params, OPT)
	CONFIG_FIELD_TEXT(struct strategy_section, account, REQ)
	CYAML_FIELD_SEQUENCE("symbols", LIST | OPT, struct strategy_section, symbols, &text_schema, 1, 65536),
	CONFIG_FIELD_UINT(struct strategy_section, depth, OPT)
	CONFIG_FIELD_UINT(struct strategy_section, burst, OPT)
	CONFIG_FIELD_BOOL(struct strategy_section, events, OPT)
	CYAML_FIELD_ENUM("delivery", OPT, struct strategy_section, delivery, deliveries, CYAML_ARRAY_LEN(deliveries)),
	CYAML_FIELD_FLAGS("may", REQ, struct strategy_section, may, rights, CYAML_ARRAY_LEN(rights)),
	CYAML_FIELD_MAPPING("limits", REQ, struct strategy_section, limits, limits_fields),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t strategy_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct strategy_section, strategy_fields)};

static const cyaml_schema_field_t instrument_fields[] = {
	CONFIG_FIELD_TEXT(struct instrument_section, symbol, REQ)
	CONFIG_FIELD_BOOL(struct instrument_section, restricted, OPT)
	CONFIG_FIELD_INT(struct instrument_section, tick_e9, OPT)
	CONFIG_FIELD_INT(struct instrument_section, lot, OPT)
	CONFIG_FIELD_INT(struct instrument_section, locate_qty, OPT)
	CONFIG_FIELD_INT(struct instrument_section, reference_e9, OPT)
	CYAML_FIELD_MAPPING("limits", OPT, struct instrument_section, limits, limits_fields),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t instrument_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct instrument_section, instrument_fields)};

static const cyaml_strval_t references[] = {
	{"mid", RISK_REFERENCE_MID}, {"last", RISK_REFERENCE_LAST}, {"static", RISK_REFERENCE_STATIC}};
static const cyaml_strval_t self_matches[] = {{"refuse", RISK_SELF_MATCH_REFUSE},
	{"cancel-resting", RISK_SELF_MATCH_CANCEL_RESTING}, {"decrement", RISK_SELF_MATCH_DECREMENT}};

static const cyaml_schema_field_t risk_fields[] = {
	CONFIG_FIELD_UINT(struct risk_section, orders_max, OPT)
	CONFIG_FIELD_INT(struct risk_section, tick_e9, REQ)
	CONFIG_FIELD_INT(struct risk_section, tick_below_1_e9, OPT)
	CONFIG_FIELD_INT(struct risk_section, lot, REQ)
	CONFIG_FIELD_INT(struct risk_section, locate_qty, OPT)
	CONFIG_FIELD_BOOL(struct risk_section, allow_unlisted, OPT)
	CONFIG_FIELD_BOOL(struct risk_section, mark_shorts, OPT)
	CONFIG_FIELD_BOOL(struct risk_section, allow_no_reference, OPT)
	CYAML_FIELD_ENUM("reference", REQ, struct risk_section, reference, references, CYAML_ARRAY_LEN(references)),
	CYAML_FIELD_ENUM("self_match", OPT, struct risk_section, self_match, self_matches, CYAML_ARRAY_LEN(self_matches)),
	CONFIG_FIELD_INT(struct risk_section, venue_per_s, REQ)
	CONFIG_FIELD_INT(struct risk_section, venue_burst, REQ)
	CONFIG_FIELD_INT(struct risk_section, venue_reserve, OPT)
	CONFIG_FIELD_INT(struct risk_section, patience_us, OPT)
	CONFIG_FIELD_INT(struct risk_section, fee_add_e9, OPT)
	CONFIG_FIELD_INT(struct risk_section, fee_remove_e9, OPT)
	CONFIG_FIELD_TEXT(struct risk_section, fee_add_letters, OPT)
	CONFIG_FIELD_INT(struct risk_section, soft_pct, OPT)
	CONFIG_FIELD_INT(struct risk_section, stale_kill_ms, OPT)
	CONFIG_FIELD_INT(struct risk_section, session_kill_ms, OPT)
	CONFIG_FIELD_BOOL(struct risk_section, loosen_by_two, OPT)
	CONFIG_FIELD_INT(struct risk_section, clock_jump_ms, OPT)
	CYAML_FIELD_MAPPING("limits", REQ, struct risk_section, limits, limits_fields),
	CYAML_FIELD_MAPPING("instrument_limits", REQ, struct risk_section, instrument_limits, limits_fields),
	CYAML_FIELD_SEQUENCE("instruments", LIST | OPT, struct risk_section, instruments, &instrument_schema, 1, 65536),
	CYAML_FIELD_END
};

static const cyaml_strval_t journal_syncs[] = {
	{"every", JOURNAL_SYNC_EVERY_MS}, {"never", JOURNAL_SYNC_NEVER}, {"each", JOURNAL_SYNC_EACH}};
static const cyaml_strval_t recoveries[] = {{"cancel", RECOVERY_CANCEL}, {"keep", RECOVERY_KEEP}};

static const cyaml_schema_field_t journal_fields[] = {
	CONFIG_FIELD_TEXT(struct journal_section, path, OPT)
	CONFIG_FIELD_TEXT(struct journal_section, key_path, OPT)
	CYAML_FIELD_ENUM("sync", OPT, struct journal_section, sync, journal_syncs, CYAML_ARRAY_LEN(journal_syncs)),
	CONFIG_FIELD_UINT(struct journal_section, sync_ms, OPT)
	CONFIG_FIELD_UINT(struct journal_section, file_bytes, OPT)
	CONFIG_FIELD_UINT(struct journal_section, sign_every, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t capture_fields[] = {
	CONFIG_FIELD_TEXT(struct capture_section, path, OPT)
	CONFIG_FIELD_UINT(struct capture_section, rotate_bytes, OPT)
	CONFIG_FIELD_UINT(struct capture_section, files_max, OPT)
	CONFIG_FIELD_UINT(struct capture_section, snap_bytes, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t guard_fields[] = {
	CONFIG_FIELD_UINT(struct guard_section, hang_ms, OPT)
	CONFIG_FIELD_UINT(struct guard_section, cancel_within_ms, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t engine_fields[] = {
	CONFIG_FIELD_TEXT(struct engine_section, topology, REQ)
	CYAML_FIELD_MAPPING("port", REQ, struct engine_section, port, port_fields),
	CYAML_FIELD_MAPPING("feed", REQ, struct engine_section, feed, feed_fields),
	CYAML_FIELD_MAPPING("book", OPT, struct engine_section, book, book_fields),
	CYAML_FIELD_SEQUENCE("accounts", LIST, struct engine_section, accounts, &account_schema, 1, 16),
	CYAML_FIELD_SEQUENCE("strategies", LIST, struct engine_section, strategies, &strategy_schema, 1, GN_STRATEGIES_MAX),
	CYAML_FIELD_MAPPING("risk", REQ, struct engine_section, risk, risk_fields),
	CYAML_FIELD_MAPPING("journal", OPT, struct engine_section, journal, journal_fields),
	CYAML_FIELD_MAPPING("capture", OPT, struct engine_section, capture, capture_fields),
	CYAML_FIELD_MAPPING("guard", OPT, struct engine_section, guard, guard_fields),
	CYAML_FIELD_ENUM("recovery", OPT, struct engine_section, recovery, recoveries, CYAML_ARRAY_LEN(recoveries)),
	CONFIG_FIELD_BOOL(struct engine_section, batch, OPT)
	CYAML_FIELD_END
};

static const cyaml_schema_field_t config_fields[] = {
	CONFIG_FIELD_TEXT(struct config, name, REQ)
	CYAML_FIELD_MAPPING_PTR("engine", LIST | OPT, struct config, engine, engine_fields),
	CYAML_FIELD_MAPPING_PTR("exchange", LIST | OPT, struct config, exchange, exchange_schema_fields),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t config_top = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct config, config_fields)};

#define ANY INT64_MIN, INT64_MAX
#define POSITIVE 0, INT64_MAX
#define LIMIT_KEY_AT(at, name, text) {at "." #name, 1, INT64_MAX, NULL, text},
#define ACCOUNT_LIMIT(name, levels, tighter, text) LIMIT_KEY_AT("engine.accounts[].limits", name, text)
#define STRATEGY_LIMIT(name, levels, tighter, text) LIMIT_KEY_AT("engine.strategies[].limits", name, text)
#define INSTRUMENT_LIMIT(name, levels, tighter, text) LIMIT_KEY_AT("engine.risk.instruments[].limits", name, text)
#define DEFAULT_LIMIT(name, levels, tighter, text) LIMIT_KEY_AT("engine.risk.instrument_limits", name, text)
#define ENGINE_LIMIT(name, levels, tighter, text) LIMIT_KEY_AT("engine.risk.limits", name, text)
#define EXCHANGE_KEY(path, min, max, fallback, help) {"exchange." path, min, max, fallback, help},

static const struct config_key config_keys[] = {
	{"name", 1, 31, NULL, "names the files in shared memory; one running engine a name"},
	{"engine.topology", 1, 1023, NULL, "topology file, relative to this one"},
	{"engine.port.device", 1, 255, NULL, "DPDK device line, or the PCI address of a NIC"},
	{"engine.port.eal", 0, 1023, "", "further EAL arguments, separated by blanks"},
	{"engine.port.mac", 0, 17, "", "empty: the port's own"},
	{"engine.port.ip", 7, 15, NULL, "our address"},
	{"engine.port.netmask", 7, 15, "255.255.255.0", "of our network"},
	{"engine.port.gateway", 0, 15, "", "empty: none"},
	{"engine.port.mtu", 576, 9000, "1500", "bytes"},
	{"engine.port.rx_queues", 1, 16, "1", "receive queues, each taken by a stage: rx0 and so on. With several, the lines come by the later "
		"ones and all else by queue 0, where the port takes rules; else as its hash or its driver has it"},
	{"engine.port.peer_wait_ms", 0, 3600000, "10000", "how long to wait for the link to come up"},
	{"engine.feed.session", 0, 10, "", "MoldUDP64 session; empty: whichever comes"},
	{"engine.feed.lines[].group", 7, 15, NULL, "multicast group of a line"},
	{"engine.feed.lines[].port", 1, 65535, NULL, "its UDP port"},
	{"engine.feed.wait_ns", 0, INT64_C(10000000000), "1000000", "how long another line may take to bring what one lost"},
	{"engine.feed.silence_ns", 0, INT64_C(3600000000000), "3000000000", "a line without a datagram for so long is silent"},
	{"engine.feed.midnight_ns", POSITIVE, "0", "of the venue's day, since the Unix epoch; 0: unknown"},
	{"engine.feed.hold_datagrams", 16, 1048576, "4096", "datagrams that came early and are held"},
	{"engine.feed.shards", 1, 32, "1", "feed handlers; instruments are spread by venue number"},
	{"engine.feed.request_servers[].ip", 7, 15, NULL, "a server to ask for lost messages (MoldUDP64)"},
	{"engine.feed.request_servers[].port", 1, 65535, NULL, "its UDP port"},
	{"engine.feed.request_port", 1, 65535, "26478", "UDP port of ours that asks, and gets the answers"},
	{"engine.feed.snapshot_servers[].ip", 7, 15, NULL, "a snapshot server (GLIMPSE), for losses that nobody can send again"},
	{"engine.feed.snapshot_servers[].port", 1, 65535, NULL, "its TCP port"},
	{"engine.feed.snapshot_username", 0, 6, "", "login at the snapshot servers"},
	{"engine.feed.snapshot_password", 0, 10, "", "password"},
	{"engine.book.instruments_max", 1, 32000, "16384", "instruments that can be known"},
	{"engine.book.orders_max", 1, 16777215, "1048576", "live orders of all books of a shard"},
	{"engine.book.tolerate_gaps", 0, 1, "false", "an unknown order reference does not make a book stale: mid-day starts"},
	{"engine.accounts[].name", 1, 31, NULL, "name of the account"},
	{"engine.accounts[].username", 1, 6, NULL, "login at the venue"},
	{"engine.accounts[].password", 0, 10, "", "password"},
	{"engine.accounts[].gateways[].ip", 7, 15, NULL, "venue's order gateway, primary first"},
	{"engine.accounts[].gateways[].port", 1, 65535, NULL, "its TCP port"},
	{"engine.accounts[].dialect", 1, 15, "ouch50", "protocol of the order session: ouch50 or ouch42"},
	{"engine.accounts[].firm", 0, 4, "", "firm identifier; empty: the account's default at the venue"},
	{"engine.accounts[].orders_max", 1, 268435456, "1048576", "orders of a day"},
	{"engine.accounts[].heartbeat_ns", POSITIVE, "0", "0: 1 s"},
	{"engine.accounts[].dead_ns", POSITIVE, "0", "silence of the venue; 0: 15 s"},
	{"engine.accounts[].login_timeout_ns", POSITIVE, "0", "0: 5 s"},
	{"engine.accounts[].pause_min_ns", POSITIVE, "0", "before the next connection attempt, doubled by each; 0: 100 ms"},
	{"engine.accounts[].pause_max_ns", POSITIVE, "0", "longest such pause; 0: 10 s"},
	{"engine.accounts[].tries_max", 0, 1000000, "0", "connection attempts in a row; 0: 20"},
	RISK_LIMIT_KEYS(ACCOUNT_LIMIT)
	{"engine.strategies[].name", 1, 15, NULL, "name of its stage and thread"},
	{"engine.strategies[].path", 1, 1023, NULL, "shared object: a path, relative to this file, or the name of an installed one"},
	{"engine.strategies[].params", 0, 4095, "", "handed to its init"},
	{"engine.strategies[].account", 1, 31, NULL, "account that it trades for"},
	{"engine.strategies[].symbols[]", 1, 8, NULL, "instruments it sees; absent: all"},
	{"engine.strategies[].depth", 1, 10, "1", "price levels in its views"},
	{"engine.strategies[].burst", 0, 64, "0", "requests in one callback; 0: 8"},
	{"engine.strategies[].events", 0, 1, "false", "whether it gets events that are no book change"},
	{"engine.strategies[].delivery", 0, 0, "latest", "when its ring is full: latest view of each instrument, or quarantine"},
	{"engine.strategies[].may", 0, 0, NULL, "buy, sell (what it holds), short"},
	RISK_LIMIT_KEYS(STRATEGY_LIMIT)
	{"engine.risk.orders_max", 16, 16777216, "65536", "open orders that fit the order table"},
	{"engine.risk.tick_e9", 1, INT64_MAX, NULL, "price tick, 1e-9"},
	{"engine.risk.tick_below_1_e9", POSITIVE, "0", "of prices below 1; 0: the same"},
	{"engine.risk.lot", 1, INT64_MAX, NULL, "quantity is a multiple of it"},
	{"engine.risk.locate_qty", POSITIVE, "0", "units that may be sold short; 0: none"},
	{"engine.risk.allow_unlisted", 0, 1, "false", "instruments that are not listed may be traded"},
	{"engine.risk.mark_shorts", 0, 1, "true", "a short sale must say so"},
	{"engine.risk.allow_no_reference", 0, 1, "false", "accept orders when there is no reference price"},
	{"engine.risk.reference", 0, 0, NULL, "reference price of the collar"},
	{"engine.risk.self_match", 0, 0, "refuse", "an order that would trade with one of ours"},
	{"engine.risk.venue_per_s", 1, INT64_MAX, NULL, "messages to the venue a second, paced"},
	{"engine.risk.venue_burst", 1, INT64_MAX, NULL, "messages to the venue at once"},
	{"engine.risk.venue_reserve", POSITIVE, "0", "part of the burst that only cancels may use"},
	{"engine.risk.patience_us", POSITIVE, "0", "longest wait of a new order for the venue's pace; 0: refused at once"},
	{"engine.risk.fee_add_e9", ANY, "0", "fee a unit that added liquidity; negative: rebate"},
	{"engine.risk.fee_remove_e9", ANY, "0", "fee a unit that removed liquidity"},
	{"engine.risk.fee_add_letters", 0, 15, "A", "liquidity letters that mean added"},
	{"engine.risk.soft_pct", 1, 100, "80", "share of a limit that warns"},
	{"engine.risk.stale_kill_ms", POSITIVE, "0", "open orders on stale data for so long trip the switch; 0: never"},
	{"engine.risk.session_kill_ms", POSITIVE, "0", "session down for so long with open orders trips the switch; 0: never"},
	{"engine.risk.loosen_by_two", 0, 1, "false", "a limit is loosened again only with a second person's name"},
	{"engine.risk.clock_jump_ms", POSITIVE, "0", "a jump of the clock that trips the switch; 0: never"},
	RISK_LIMIT_KEYS(ENGINE_LIMIT)
	RISK_LIMIT_KEYS(DEFAULT_LIMIT)
	{"engine.risk.instruments[].symbol", 1, 8, NULL, "an instrument that may be traded"},
	{"engine.risk.instruments[].restricted", 0, 1, "false", "it may not"},
	{"engine.risk.instruments[].tick_e9", POSITIVE, "0", "0: the default"},
	{"engine.risk.instruments[].lot", POSITIVE, "0", "0: the default"},
	{"engine.risk.instruments[].locate_qty", POSITIVE, "0", "units that may be sold short"},
	{"engine.risk.instruments[].reference_e9", POSITIVE, "0", "static reference price"},
	RISK_LIMIT_KEYS(INSTRUMENT_LIMIT)
	{"engine.journal.path", 0, 1023, "", "file to write, and to go on from after a restart; empty: a new "
		"gannet-NAME-DATE.journal in the output folder"},
	{"engine.journal.key_path", 0, 1023, "", "secret key of `gannet journal keygen`; empty: nothing is signed"},
	{"engine.journal.sync", 0, 0, "every", "to the disk: every sync_ms, never by us, or after each write"},
	{"engine.journal.sync_ms", 0, 3600000, "0", "0: 200"},
	{"engine.journal.file_bytes", 0, INT64_C(1) << 40, "0", "of one file, made ahead; 0: 128 MiB"},
	{"engine.journal.sign_every", POSITIVE, "0", "records; 0: 65536"},
	{"engine.capture.path", 0, 1023, "", "pcapng file of all frames that come and go, from the start on; empty: only when "
		"`gannet capture` asks"},
	{"engine.capture.rotate_bytes", POSITIVE, "0", "begin a new file when one is so long; 0: never"},
	{"engine.capture.files_max", 0, 99999, "0", "of the rotation: the oldest goes when there are more; 0: keep all"},
	{"engine.capture.snap_bytes", 0, 2048, "0", "of each frame; 0: all"},
	{"engine.guard.hang_ms", 1, 3600000, "1000", "a thread that stands still for so long hangs: `gannet guard` stops the engine"},
	{"engine.guard.cancel_within_ms", 1, 3600000, "5000", "in which a guard must have cancelled all open orders"},
	{"engine.recovery", 0, 0, "cancel", "orders that were open before a restart: cancel or keep them"},
	{"engine.batch", 0, 1, "false", "orders of one turn of the loop leave in one burst, rather than each at once"},
	EXCHANGE_KEYS(EXCHANGE_KEY)
	{0},
};

const struct config_schema config_schema = {&config_top, config_keys};

static const cyaml_schema_field_t thread_fields[] = {
	CONFIG_FIELD_TEXT(struct thread_section, core, OPT)
	CONFIG_FIELD_UINT(struct thread_section, fifo_priority, OPT)
	CYAML_FIELD_SEQUENCE("stages", LIST, struct thread_section, stages, &text_schema, 1, 256),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t thread_schema = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct thread_section, thread_fields)};

static const cyaml_schema_field_t link_fields[] = {
	CONFIG_FIELD_TEXT(struct link_section, link, REQ)
	CONFIG_FIELD_UINT(struct link_section, depth, REQ)
	CYAML_FIELD_END
};
static const cyaml_schema_value_t link_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct link_section, link_fields)};

static const cyaml_strval_t allows[] = {{"smt", GN_ALLOW_SMT}, {"cross-numa", GN_ALLOW_CROSS_NUMA},
	{"shared-core", GN_ALLOW_SHARED_CORE}, {"non-isolated", GN_ALLOW_NON_ISOLATED}};

static const cyaml_schema_field_t topology_fields[] = {
	CONFIG_FIELD_UINT(struct topology_config, rx_queues, OPT)
	CONFIG_FIELD_UINT(struct topology_config, shards, OPT)
	CYAML_FIELD_FLAGS("allow", OPT, struct topology_config, allow, allows, CYAML_ARRAY_LEN(allows)),
	CYAML_FIELD_SEQUENCE("threads", LIST, struct topology_config, threads, &thread_schema, 1, 64),
	CYAML_FIELD_SEQUENCE("links", LIST | OPT, struct topology_config, links, &link_schema, 1, 64),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t topology_top = {
	CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct topology_config, topology_fields)};

static const struct config_key topology_keys[] = {
	{"allow", 0, 0, "", "faults of placement that are warnings only: smt, cross-numa, shared-core, non-isolated"},
	{"rx_queues", 0, 16, "0", "receive queues, rx0 and so on; 0: engine.port.rx_queues"},
	{"shards", 0, 32, "0", "feed and book handlers that share the instruments, feed0 and book0 on; 0: engine.feed.shards"},
	{"threads[].core", 1, 8, "auto", "core of the thread: a number, or auto"},
	{"threads[].fifo_priority", 0, 99, "0", "SCHED_FIFO with this priority; 0: the kernel's default scheduler"},
	{"threads[].stages[]", 1, 31, NULL, "stages in the order in which they run: rx0, feed0, book0, names of strategies, "
		"`strategies` for all of them, risk0, gateway0, journal0, capture0 (absent: on the thread of journal0)"},
	{"links[].link", 1, 31, NULL, "kind of link"},
	{"links[].depth", 2, 1048576, NULL, "slots of its rings"},
	{0},
};

const struct config_schema topology_schema = {&topology_top, topology_keys};
