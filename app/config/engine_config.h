/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_CONFIG_H
#define ENGINE_CONFIG_H

/**
 * @file
 * A config file, as loaded: what `gannet run`, `gannet exchange` and `gannet check-config` read. Units are in the keys.
 */

#include "app/config/config_file.h"
#include "app/config/exchange_schema.h"
#include "risk/limits.h"

struct port_section {
	char *device, *eal;
	char *mac, *ip, *netmask, *gateway;
	uint16_t mtu, rx_queues;
	uint32_t peer_wait_ms;
};

struct line_section {
	char *group;
	uint16_t port;
};

struct server_section {
	char *ip;
	uint16_t port;
};

struct feed_section {
	char *session;
	struct line_section *lines;
	uint32_t lines_count;
	uint64_t wait_ns, silence_ns, midnight_ns;
	uint32_t hold_datagrams, shards;
	struct server_section *request_servers, *snapshot_servers;
	uint32_t request_servers_count, snapshot_servers_count;
	uint16_t request_port;
	char *snapshot_username, *snapshot_password;
};

struct book_section {
	uint32_t instruments_max;
	uint64_t orders_max;
	bool tolerate_gaps;
};

struct account_section {
	char *name, *username, *password;
	struct server_section *gateways; /* primary first */
	uint32_t gateways_count;
	char *dialect, *firm;
	uint32_t orders_max;
	uint64_t heartbeat_ns, dead_ns, login_timeout_ns, pause_min_ns, pause_max_ns;
	uint32_t tries_max;
	struct risk_limits limits;
};

enum delivery { DELIVERY_LATEST, DELIVERY_ALL };

struct strategy_section {
	char *name, *path, *params, *account;
	char **symbols;
	uint32_t symbols_count;
	uint32_t depth, burst;
	bool events;
	enum delivery delivery;
	uint32_t may;
	struct risk_limits limits;
};

struct instrument_section {
	char *symbol;
	bool restricted;
	int64_t tick_e9, lot, locate_qty, reference_e9;
	struct risk_limits limits;
};

struct risk_section {
	uint32_t orders_max;
	int64_t tick_e9, tick_below_1_e9, lot, locate_qty;
	bool allow_unlisted, mark_shorts, allow_no_reference, loosen_by_two;
	int reference, self_match;
	int64_t venue_per_s, venue_burst, venue_reserve, patience_us;
	int64_t fee_add_e9, fee_remove_e9;
	char *fee_add_letters;
	int64_t soft_pct, stale_kill_ms, session_kill_ms, clock_jump_ms;
	struct risk_limits limits;            /* of the whole engine */
	struct risk_limits instrument_limits; /* of every instrument that is not listed */
	struct instrument_section *instruments;
	uint32_t instruments_count;
};

/** What becomes of orders that were open when the engine stopped. */
enum recovery_mode { RECOVERY_CANCEL = 0, RECOVERY_KEEP };

struct journal_section {
	char *path, *key_path;
	int sync; /* enum journal_sync */
	uint32_t sync_ms;
	uint64_t file_bytes, sign_every;
};

struct capture_section {
	char *path; /* "": only when asked for */
	uint64_t rotate_bytes;
	uint32_t files_max, snap_bytes;
};

/* `gannet guard` */
struct guard_section {
	uint32_t hang_ms, cancel_within_ms;
};

struct engine_section {
	char *topology; /* file */
	struct port_section port;
	struct feed_section feed;
	struct book_section book;
	struct account_section *accounts;
	uint32_t accounts_count;
	struct strategy_section *strategies;
	uint32_t strategies_count;
	struct risk_section risk;
	struct journal_section journal;
	struct capture_section capture;
	struct guard_section guard;
	enum recovery_mode recovery;
	bool batch;
};

struct config {
	char *name;
	struct engine_section *engine;     /* NULL: no such section */
	struct exchange_section *exchange; /* NULL: no such section */
};

extern const struct config_schema config_schema;

/* A topology file: which stages run on which thread. */
struct thread_section {
	char *core; /* "auto" or a number */
	uint32_t fifo_priority;
	char **stages;
	uint32_t stages_count;
};

struct link_section {
	char *link;
	uint32_t depth;
};

struct topology_config {
	uint32_t allow; /* GN_ALLOW_* */
	uint16_t rx_queues; /* in place of engine.port.rx_queues; 0: as that says */
	uint32_t shards; /* in place of engine.feed.shards; 0: as that says */
	struct thread_section *threads;
	uint32_t threads_count;
	struct link_section *links;
	uint32_t links_count;
};

extern const struct config_schema topology_schema;

#endif
