/* SPDX-License-Identifier: BSD-3-Clause */
#include "recovery.h"

#include <string.h>

#include "dataplane/runtime/err.h"

#include "feed_decode.h"

#define LOG_BYTES_DEFAULT ((size_t)64 << 20)
#define FILL_MESSAGES 128u /* snapshot messages in one unit of work: at most three events each */

int recovery_init(struct recovery *r, const struct recovery_config *config, uint32_t shard, uint32_t n_shards,
	struct gn_link *out)
{
	memset(r, 0, sizeof(*r));
	r->out = out;
	r->port_own = config->port_own;
	struct rerequest_config rerequest = config->rerequest;
	struct snapshot_config snapshot = config->snapshot;
	if (!out)
		rerequest.n_servers = snapshot.n_servers = 0;
	int rc = rerequest_init(&r->rerequest, &rerequest, shard);
	if (rc < 0)
		return rc;
	rc = snapshot_init(&r->snapshot, &snapshot, shard, n_shards);
	if (rc < 0 || snapshot.n_servers == 0)
		return rc;
	rc = live_log_init(&r->log, config->log_bytes ? config->log_bytes : LOG_BYTES_DEFAULT);
	if (rc < 0)
		snapshot_fini(&r->snapshot);
	return rc;
}

void recovery_fini(struct recovery *r)
{
	snapshot_fini(&r->snapshot);
	live_log_fini(&r->log);
}

static void recovery_send(struct recovery *r, const struct feed_request *request)
{
	gn_link_try_send(r->out, request, (uint32_t)FEED_REQUEST_HEAD_BYTES + request->bytes);
}

static void recovery_send_ask(struct feed *f, const struct rerequest_ask *ask)
{
	struct moldudp64_request wire = {.session = f->arbiter.session, .seq = ask->seq, .count = ask->count};
	struct feed_request request = {.kind = FEED_REQUEST_DATAGRAM, .ip = ask->server.ip, .port = ask->server.port,
		.port_own = f->recovery.port_own};

	request.bytes = (uint8_t)moldudp64_request_encode(&wire, request.data);
	recovery_send(&f->recovery, &request);
}

bool recovery_ask(struct feed *f, const struct arbiter_gap *gap, uint64_t now_ns)
{
	struct recovery *r = &f->recovery;
	struct rerequest_ask ask;

	switch (rerequest_step(&r->rerequest, gap, now_ns, &ask)) {
	case REREQUEST_HOPELESS:
		r->n.request_hopeless += r->rerequest.cfg.n_servers != 0;
		return false;
	case REREQUEST_ASK:
		recovery_send_ask(f, &ask);
		break;
	case REREQUEST_WAIT:
		break;
	}
	r->n.request_sent = r->rerequest.n_sent;
	r->n.request_short = r->rerequest.n_short;
	return true;
}

void recovery_lost(struct feed *f, uint64_t now_ns)
{
	struct recovery *r = &f->recovery;

	if (r->phase != RECOVERY_OFF || r->snapshot.cfg.n_servers == 0 || r->snapshot.state == SNAPSHOT_EXHAUSTED)
		return;
	r->phase = RECOVERY_LOAD;
	live_log_reset(&r->log, f->arbiter.seq_next);
	snapshot_start(&r->snapshot, now_ns);
}

static void recovery_unmark(struct feed *f)
{
	for (uint32_t i = 0; i < SYMBOLS_LOCATES; i++)
		f->losses.mark[i] &= LOSSES_STALE | LOSSES_TOUCHED;
}

void recovery_stop(struct feed *f)
{
	snapshot_stop(&f->recovery.snapshot);
	if (f->recovery.phase == RECOVERY_OFF)
		return;
	f->recovery.phase = RECOVERY_OFF;
	recovery_unmark(f);
}

/* This snapshot cannot be used: fetch another one. */
static void recovery_again(struct feed *f, uint64_t now_ns)
{
	f->recovery.n.rebuild_again++;
	f->recovery.phase = RECOVERY_LOAD;
	f->recovery.fit_ns = 0;
	recovery_unmark(f);
	snapshot_again(&f->recovery.snapshot, now_ns);
}

/* Is it a message of a book in work? A number that is not mapped yet is in work like the rest. */
static bool recovery_in_work(const struct feed *f, const uint8_t *msg, uint32_t bytes)
{
	if (bytes < ITCH50_HEAD_BYTES)
		return false;
	uint16_t locate = msg[0] == 'K' ? symbols_locate(&f->symbols, itch50_symbol(msg, bytes)) : itch50_locate(msg);
	return f->losses.mark[locate] & LOSSES_REBUILD;
}

/* Hand out a message that is no news to anybody but the book. */
static void recovery_decode_old(struct feed *f, const uint8_t *msg, uint32_t bytes)
{
	if (f->n_batch > FEED_BATCH - 3) /* room for all that one message can become */
		feed_send(f);
	uint32_t at = f->n_batch;
	feed_decode(f, msg, bytes);
	while (at < f->n_batch)
		f->batch[at++].flags |= GN_MD_F_SNAPSHOT;
}

/* What the log still holds of books in work has not been handed out, and now never will be. */
static void recovery_log_full(struct feed *f, uint64_t seq_next)
{
	struct recovery *r = &f->recovery;
	struct moldudp64_reader first;
	uint64_t rx_tsc;

	r->n.rebuild_log_full++;
	if (r->phase > RECOVERY_LOAD && r->log.seq_end > r->seq_told && live_log_take(&r->log, &first, &rx_tsc))
		r->n.rebuild_msg_dropped += r->log.seq_end - (first.seq > r->seq_told ? first.seq : r->seq_told);
	live_log_reset(&r->log, seq_next);
	recovery_again(f, f->now_ns);
}

void recovery_run(struct feed *f, struct moldudp64_reader *r, uint64_t rx_tsc)
{
	const uint8_t *msg;
	uint32_t bytes;

	if (!live_log_append(&f->recovery.log, r, rx_tsc))
		recovery_log_full(f, r->seq_end);
	while (moldudp64_next(r, &msg, &bytes) == MOLDUDP64_BLOCK)
		if (!recovery_in_work(f, msg, bytes))
			feed_decode(f, msg, bytes);
	feed_flush(f);
}

/* First live message from which on the log is whole. */
static uint64_t recovery_whole_from(const struct feed *f)
{
	const struct live_log *log = &f->recovery.log;

	return log->seq_end == f->arbiter.seq_next ? log->seq_contiguous : f->arbiter.seq_next;
}

/* Does the complete snapshot fit the live stream? If it is ahead, the live stream has some time to reach it. */
static bool recovery_load(struct feed *f, uint64_t now_ns)
{
	struct recovery *r = &f->recovery;
	uint64_t n = r->snapshot.seq_go_on;

	if (r->snapshot.state != SNAPSHOT_COMPLETE || f->fresh_at)
		return false;
	if (r->fit_ns == 0)
		r->fit_ns = now_ns;
	if (n > f->arbiter.seq_next && now_ns - r->fit_ns < r->snapshot.cfg.answer_ns)
		return false;
	if (n == 0 || n > f->arbiter.seq_next || n < recovery_whole_from(f)) {
		recovery_again(f, now_ns);
		return true;
	}
	r->fit_ns = 0;
	r->seq_told = f->arbiter.seq_next;
	r->phase = RECOVERY_CLEAR;
	r->at = 1;
	losses_rebuild(&f->losses);
	return true;
}

/* Next known book in work from r->at on that `skip` does not rule out; a bounded search. */
static bool recovery_next_book(struct feed *f, uint8_t need, uint8_t skip, gn_inst *inst)
{
	struct recovery *r = &f->recovery;

	for (uint32_t n = 0; n < FEED_TELL_LOCATES && r->at < SYMBOLS_LOCATES; n++) {
		uint32_t locate = r->at++;
		uint8_t mark = f->losses.mark[locate];
		*inst = f->symbols.inst_of[locate];
		if ((mark & need) == need && !(mark & skip) && *inst < SYMBOLS_SPECIAL)
			return true;
	}
	return false;
}

static void recovery_clear(struct feed *f)
{
	gn_inst inst;

	for (uint32_t n = 0; n < FEED_TELL_EVENTS && recovery_next_book(f, LOSSES_REBUILD, 0, &inst); n++)
		feed_tell(f, GN_MD_CLEAR, inst);
	if (f->recovery.at == SYMBOLS_LOCATES)
		f->recovery.phase = RECOVERY_FILL;
}

static void recovery_fill(struct feed *f)
{
	const uint8_t *msg;
	uint32_t bytes;

	for (uint32_t n = 0; n < FILL_MESSAGES; n++) {
		if (!snapshot_next(&f->recovery.snapshot, &msg, &bytes)) {
			f->recovery.phase = RECOVERY_HALT;
			f->recovery.at = 1;
			return;
		}
		uint8_t *mark = &f->losses.mark[itch50_locate(msg)];
		*mark |= msg[0] == 'R' ? LOSSES_LISTED : msg[0] == 'H' ? LOSSES_HAS_STATE : 0;
		if (recovery_in_work(f, msg, bytes) || itch50_locate(msg) == 0)
			recovery_decode_old(f, msg, bytes);
	}
}

static void recovery_halt(struct feed *f)
{
	const struct gn_md halted = {.kind = GN_MD_STATE, .flags = GN_MD_F_SNAPSHOT, .code = 'H'};
	gn_inst inst;

	for (uint32_t n = 0; n < FEED_TELL_EVENTS; n++) {
		if (!recovery_next_book(f, LOSSES_REBUILD | LOSSES_LISTED, LOSSES_HAS_STATE, &inst))
			break;
		feed_put(f, &halted, inst);
	}
	if (f->recovery.at == SYMBOLS_LOCATES)
		f->recovery.phase = RECOVERY_REPLAY;
}

/* All that was logged has been applied: is every book proven right? */
static void recovery_end(struct feed *f, uint64_t now_ns)
{
	struct recovery *r = &f->recovery;

	r->n.rebuild++;
	if (recovery_whole_from(f) > r->snapshot.seq_go_on) {
		recovery_again(f, now_ns);
		live_log_reset(&r->log, f->arbiter.seq_next);
		return;
	}
	recovery_stop(f);
	feed_all_fresh(f);
}

/* One logged datagram. Below N it is in the snapshot. */
static void recovery_replay(struct feed *f, uint64_t now_ns)
{
	struct recovery *rec = &f->recovery;
	struct moldudp64_reader r;
	const uint8_t *msg;
	uint32_t bytes;
	uint64_t now_tsc = f->rx_tsc;

	if (!live_log_take(&rec->log, &r, &f->rx_tsc)) {
		f->rx_tsc = now_tsc;
		recovery_end(f, now_ns);
		return;
	}
	moldudp64_skip_to(&r, rec->snapshot.seq_go_on);
	bool old = r.seq < rec->seq_told; /* the books were cleared between two datagrams */
	while (moldudp64_next(&r, &msg, &bytes) == MOLDUDP64_BLOCK) {
		if (!recovery_in_work(f, msg, bytes))
			continue;
		if (old)
			recovery_decode_old(f, msg, bytes);
		else
			feed_decode(f, msg, bytes);
	}
}

bool recovery_poll(struct feed *f, uint64_t now_ns)
{
	struct feed_request request;

	if (f->recovery.snapshot.cfg.n_servers && snapshot_step(&f->recovery.snapshot, now_ns, &request)) {
		recovery_send(&f->recovery, &request);
		return true;
	}
	switch (f->recovery.phase) {
	case RECOVERY_OFF: return false;
	case RECOVERY_LOAD:
		if (f->recovery.snapshot.state == SNAPSHOT_EXHAUSTED)
			f->recovery.phase = RECOVERY_OFF; /* stale until another session begins */
		return recovery_load(f, now_ns);
	case RECOVERY_CLEAR: recovery_clear(f); break;
	case RECOVERY_FILL: recovery_fill(f); break;
	case RECOVERY_HALT: recovery_halt(f); break;
	case RECOVERY_REPLAY: recovery_replay(f, now_ns); break;
	}
	feed_flush(f);
	return true;
}

void recovery_reply(struct feed *f, const struct feed_reply *reply, uint32_t bytes, uint64_t now_ns)
{
	if (f->recovery.phase == RECOVERY_LOAD)
		snapshot_reply(&f->recovery.snapshot, reply, bytes, now_ns);
}
