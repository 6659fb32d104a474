/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_SNAPSHOT_H
#define FEED_SNAPSHOT_H

/**
 * @file
 * Fetch one GLIMPSE snapshot: connect, log in, keep every message until the one that says where the live stream goes
 * on. Pure: requests go to the caller, replies and times come from it. Whatever goes wrong ends in another attempt
 * after a while that doubles, from one server after the other, until the attempts are used up.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/codec/soupbintcp.h"
#include "dataplane/runtime/counters.h"

#include "recovery_msg.h"
#include "rerequest.h"

#define SNAPSHOT_SERVERS_MAX 2u
#define SNAPSHOT_PACKET_BYTES_MAX 256u /* far above the longest message; a longer packet is a broken stream */

/** Zeroed memory fetches nothing. A member that is 0 takes the default named beside it. */
struct snapshot_config {
	struct feed_server server[SNAPSHOT_SERVERS_MAX];
	uint32_t n_servers;
	char username[7], password[11];
	size_t bytes_max;        /* memory for one snapshot: about 40 bytes a live order of this shard; default 64 MiB */
	uint64_t answer_ns;      /* time limit to connect, to log in, and of silence after that; default 5 s */
	uint64_t backoff_ns;     /* before the second attempt, doubled each time; default 100 ms */
	uint64_t backoff_ns_max; /* default 60 s */
	uint32_t attempts_max;   /* without a snapshot that could be used; default 20 */
};

enum snapshot_state {
	SNAPSHOT_IDLE = 0,
	SNAPSHOT_WAIT,      /* until the next attempt */
	SNAPSHOT_CONNECT,
	SNAPSHOT_LOGIN,
	SNAPSHOT_LOAD,
	SNAPSHOT_COMPLETE,  /* snapshot_next() has its messages, seq_go_on is known */
	SNAPSHOT_EXHAUSTED, /* no attempt is left */
};

#define SNAPSHOT_COUNTERS(X)                                                      \
	X(snapshot_attempt, "connections to a snapshot server that were asked for") \
	X(snapshot_failed, "attempts that ended without a usable snapshot")        \
	X(snapshot_rejected, "logins that a snapshot server rejected")             \
	X(snapshot_full, "snapshots larger than the memory for them")              \
	X(snapshot_msg, "messages of snapshots, other shards' included")           \
	X(snapshot_msg_bad, "messages of snapshots that are none of ITCH 5.0")     \
	X(snapshot_complete, "snapshots that came to their end")

struct snapshot_counters {
	SNAPSHOT_COUNTERS(GN_COUNTER_FIELD)
};

struct snapshot {
	struct snapshot_config cfg;
	uint32_t shard, n_shards;
	enum snapshot_state state;
	uint32_t conn;
	uint32_t attempts;
	bool opened;         /* the connection conn may exist */
	uint64_t due_ns;     /* WAIT: next attempt; else time limit of the present state */
	uint64_t heartbeat_ns;
	uint64_t seq_go_on;
	uint8_t *store;      /* length byte and message, one after the other */
	size_t stored, read_at;
	struct soup_framer framer;
	uint8_t packet[SNAPSHOT_PACKET_BYTES_MAX];
	struct snapshot_counters n;
};

/** Cold. 0 or -errno. */
int snapshot_init(struct snapshot *s, const struct snapshot_config *config, uint32_t shard, uint32_t n_shards);
void snapshot_fini(struct snapshot *s);

/** Begin, unless it has begun. */
void snapshot_start(struct snapshot *s, uint64_t now_ns);

/** The snapshot on its way, or the one that is here, is of no use: another one after a while. */
void snapshot_again(struct snapshot *s, uint64_t now_ns);

/** It is not needed any more, and the attempts begin anew. */
void snapshot_stop(struct snapshot *s);

/**
 * What time brings.
 *
 * @param request
 *   To be sent when true is returned. To be called until it returns false.
 */
bool snapshot_step(struct snapshot *s, uint64_t now_ns, struct feed_request *request);

/** Take a reply. Never trusts its bytes. Bounded by what one reply holds. */
void snapshot_reply(struct snapshot *s, const struct feed_reply *reply, uint32_t bytes, uint64_t now_ns);

/** The next message of a complete snapshot; of this shard, or a directory. False at its end. */
bool snapshot_next(struct snapshot *s, const uint8_t **msg, uint32_t *bytes);

#endif
