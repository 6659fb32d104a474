/* SPDX-License-Identifier: BSD-3-Clause */
#include "snapshot.h"

#include <errno.h>
#include <string.h>

#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define NS_PER_MS UINT64_C(1000000)
#define HEARTBEAT_NS (1000 * NS_PER_MS)

static uint64_t or_default(uint64_t value, uint64_t otherwise)
{
	return value ? value : otherwise;
}

int snapshot_init(struct snapshot *s, const struct snapshot_config *config, uint32_t shard, uint32_t n_shards)
{
	memset(s, 0, sizeof(*s));
	s->cfg = *config;
	s->shard = shard;
	s->n_shards = n_shards;
	if (config->n_servers == 0)
		return 0;
	if (config->n_servers > SNAPSHOT_SERVERS_MAX)
		return gn_err(EINVAL, "feed: %u snapshot servers, at most %u", config->n_servers, SNAPSHOT_SERVERS_MAX);
	s->cfg.bytes_max = or_default(config->bytes_max, (size_t)64 << 20);
	s->cfg.answer_ns = or_default(config->answer_ns, 5000 * NS_PER_MS);
	s->cfg.backoff_ns = or_default(config->backoff_ns, 100 * NS_PER_MS);
	s->cfg.backoff_ns_max = or_default(config->backoff_ns_max, 60000 * NS_PER_MS);
	s->cfg.attempts_max = (uint32_t)or_default(config->attempts_max, 20);
	s->store = gn_mem_alloc(s->cfg.bytes_max, GN_NODE_ANY);
	return s->store ? 0 : gn_err_in(-ENOMEM, "feed: %zu bytes for a snapshot", s->cfg.bytes_max);
}

void snapshot_fini(struct snapshot *s)
{
	gn_mem_free(s->store, s->cfg.bytes_max);
	s->store = NULL;
}

static void snapshot_forget(struct snapshot *s)
{
	s->stored = s->read_at = 0;
	s->seq_go_on = 0;
}

void snapshot_start(struct snapshot *s, uint64_t now_ns)
{
	if (s->state != SNAPSHOT_IDLE || s->cfg.n_servers == 0)
		return;
	s->state = SNAPSHOT_WAIT;
	s->due_ns = now_ns;
}

void snapshot_again(struct snapshot *s, uint64_t now_ns)
{
	uint64_t pause_ns = s->cfg.backoff_ns;

	if (s->state == SNAPSHOT_IDLE || s->state == SNAPSHOT_WAIT || s->state == SNAPSHOT_EXHAUSTED)
		return;
	s->n.snapshot_failed++;
	snapshot_forget(s);
	for (uint32_t i = 1; i < s->attempts && pause_ns < s->cfg.backoff_ns_max; i++)
		pause_ns *= 2;
	s->state = s->attempts < s->cfg.attempts_max ? SNAPSHOT_WAIT : SNAPSHOT_EXHAUSTED;
	s->due_ns = now_ns + (pause_ns < s->cfg.backoff_ns_max ? pause_ns : s->cfg.backoff_ns_max);
}

void snapshot_stop(struct snapshot *s)
{
	s->state = SNAPSHOT_IDLE;
	s->attempts = 0;
	snapshot_forget(s);
}

static bool snapshot_say(struct snapshot *s, struct feed_request *request, enum feed_request_kind kind, uint32_t bytes)
{
	const struct feed_server *to = &s->cfg.server[s->conn % s->cfg.n_servers];

	request->kind = (uint8_t)kind;
	request->bytes = (uint8_t)bytes;
	request->port_own = request->reserved = 0;
	request->ip = to->ip;
	request->port = to->port;
	request->conn = s->conn;
	return true;
}

static bool snapshot_open(struct snapshot *s, uint64_t now_ns, struct feed_request *request)
{
	s->conn++;
	s->attempts++;
	s->n.snapshot_attempt++;
	s->opened = true;
	s->state = SNAPSHOT_CONNECT;
	s->due_ns = now_ns + s->cfg.answer_ns;
	soup_framer_init(&s->framer, s->packet, sizeof(s->packet));
	return snapshot_say(s, request, FEED_REQUEST_OPEN, 0);
}

static bool snapshot_login(struct snapshot *s, uint64_t now_ns, struct feed_request *request)
{
	struct soup_login login = {.seq = 1};

	memcpy(login.username, s->cfg.username, sizeof(login.username));
	memcpy(login.password, s->cfg.password, sizeof(login.password));
	s->heartbeat_ns = now_ns + HEARTBEAT_NS;
	return snapshot_say(s, request, FEED_REQUEST_BYTES, soup_login_build(&login, request->data));
}

static bool snapshot_heartbeat(struct snapshot *s, uint64_t now_ns, struct feed_request *request)
{
	s->heartbeat_ns = now_ns + HEARTBEAT_NS;
	return snapshot_say(s, request, FEED_REQUEST_BYTES, soup_build(request->data, SOUP_CLIENT_HEARTBEAT, NULL, 0));
}

bool snapshot_step(struct snapshot *s, uint64_t now_ns, struct feed_request *request)
{
	bool connected = s->state == SNAPSHOT_LOGIN || s->state == SNAPSHOT_LOAD;

	if ((connected || s->state == SNAPSHOT_CONNECT) && now_ns > s->due_ns)
		snapshot_again(s, now_ns);
	else if (connected && s->heartbeat_ns == 0)
		return snapshot_login(s, now_ns, request);
	else if (connected && now_ns > s->heartbeat_ns)
		return snapshot_heartbeat(s, now_ns, request);
	if (s->opened && !(s->state >= SNAPSHOT_CONNECT && s->state <= SNAPSHOT_LOAD)) {
		s->opened = false;
		return snapshot_say(s, request, FEED_REQUEST_CLOSE, 0);
	}
	if (s->state == SNAPSHOT_WAIT && now_ns >= s->due_ns)
		return snapshot_open(s, now_ns, request);
	return false;
}

/* Only directories matter to every shard. */
static bool snapshot_wants(const struct snapshot *s, const uint8_t *msg, uint32_t bytes)
{
	return bytes >= ITCH50_HEAD_BYTES && (msg[0] == 'R' || itch50_locate(msg) % s->n_shards == s->shard);
}

static void snapshot_message(struct snapshot *s, const uint8_t *msg, uint32_t bytes, uint64_t now_ns)
{
	if (glimpse50_end_decode(msg, bytes, &s->seq_go_on)) {
		s->n.snapshot_complete++;
		s->state = SNAPSHOT_COMPLETE;
		return;
	}
	s->n.snapshot_msg++;
	if (bytes == 0 || itch50_bytes(msg[0]) != bytes) {
		s->n.snapshot_msg_bad++;
		return;
	}
	if (!snapshot_wants(s, msg, bytes))
		return;
	if (bytes + 1 > s->cfg.bytes_max - s->stored) {
		s->n.snapshot_full++;
		snapshot_again(s, now_ns);
		return;
	}
	s->store[s->stored] = (uint8_t)bytes;
	memcpy(s->store + s->stored + 1, msg, bytes);
	s->stored += bytes + 1;
}

static void snapshot_packet(struct snapshot *s, const struct soup_packet *p, uint64_t now_ns)
{
	struct soup_accepted accepted;

	s->due_ns = now_ns + s->cfg.answer_ns;
	if (p->type == SOUP_SEQUENCED && s->state == SNAPSHOT_LOAD)
		snapshot_message(s, p->payload, p->bytes, now_ns);
	else if (p->type == SOUP_ACCEPTED && s->state == SNAPSHOT_LOGIN && soup_accepted_parse(p, &accepted))
		s->state = SNAPSHOT_LOAD;
	else if (p->type == SOUP_REJECTED) {
		s->n.snapshot_rejected++;
		snapshot_again(s, now_ns);
	} else if (p->type == SOUP_END || p->type == SOUP_ACCEPTED || p->type == SOUP_SEQUENCED)
		snapshot_again(s, now_ns);
}

static void snapshot_bytes(struct snapshot *s, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	struct soup_packet p;
	enum soup_result result;

	soup_framer_feed(&s->framer, data, bytes);
	while ((result = soup_framer_next(&s->framer, &p)) == SOUP_PACKET) {
		snapshot_packet(s, &p, now_ns);
		if (s->state != SNAPSHOT_LOGIN && s->state != SNAPSHOT_LOAD)
			return;
	}
	if (result == SOUP_MALFORMED)
		snapshot_again(s, now_ns);
}

void snapshot_reply(struct snapshot *s, const struct feed_reply *reply, uint32_t bytes, uint64_t now_ns)
{
	bool connected = s->state == SNAPSHOT_LOGIN || s->state == SNAPSHOT_LOAD;

	if (bytes < FEED_REPLY_HEAD_BYTES || reply->bytes > bytes - FEED_REPLY_HEAD_BYTES || reply->conn != s->conn)
		return;
	switch ((enum feed_reply_kind)reply->kind) {
	case FEED_REPLY_UP:
		if (s->state != SNAPSHOT_CONNECT)
			return;
		s->state = SNAPSHOT_LOGIN;
		s->heartbeat_ns = 0;
		s->due_ns = now_ns + s->cfg.answer_ns;
		return;
	case FEED_REPLY_BYTES:
		if (connected)
			snapshot_bytes(s, reply->data, reply->bytes, now_ns);
		return;
	case FEED_REPLY_DOWN:
		s->opened = false;
		if (connected || s->state == SNAPSHOT_CONNECT)
			snapshot_again(s, now_ns);
		return;
	case FEED_REPLY_NONE:
		return;
	}
}

bool snapshot_next(struct snapshot *s, const uint8_t **msg, uint32_t *bytes)
{
	if (s->read_at >= s->stored)
		return false;
	*bytes = s->store[s->read_at];
	*msg = s->store + s->read_at + 1;
	s->read_at += *bytes + 1u;
	return true;
}
