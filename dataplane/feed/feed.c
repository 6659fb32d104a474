/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/trace.h"

#include "feed_decode.h"

#define WAIT_NS_DEFAULT (UINT64_C(1) * 1000 * 1000)
#define SILENCE_NS_DEFAULT (UINT64_C(3) * 1000 * 1000 * 1000)
#define HOLD_DATAGRAMS_DEFAULT 4096u
#define LATE_STREAK 256u /* datagrams of given-up messages, and none beyond, that prove a wrong number was believed */

int feed_init(struct feed *f, const struct feed_config *config, struct gn_instruments *table, struct gn_link *out,
	struct gn_link *gateway)
{
	uint32_t n_shards = config->n_shards ? config->n_shards : 1;
	struct arbiter_config a = {.n_lines = config->n_lines ? config->n_lines : 1, .reply_lines = config->reply_lines,
		.hold_datagrams = config->hold_datagrams ? config->hold_datagrams : HOLD_DATAGRAMS_DEFAULT,
		.silence_ns = config->silence_ns ? config->silence_ns : SILENCE_NS_DEFAULT,
		.seq_first = config->seq_first ? config->seq_first : 1};

	memset(f, 0, sizeof(*f));
	if (config->session[0])
		a.session = moldudp64_session_from(config->session);
	f->out = out;
	f->wait_ns = config->wait_ns ? config->wait_ns : WAIT_NS_DEFAULT;
	f->midnight_ns = config->midnight_ns;
	f->number_events = config->number_events;
	int rc = symbols_init(&f->symbols, table, config->shard, n_shards);
	if (rc < 0)
		return rc;
	rc = arbiter_init(&f->arbiter, &a);
	if (rc < 0)
		goto fail_arbiter;
	rc = recovery_init(&f->recovery, &config->recovery, config->shard, n_shards, gateway);
	if (rc == 0)
		return 0;
	arbiter_fini(&f->arbiter);
fail_arbiter:
	symbols_fini(&f->symbols);
	return rc;
}

void feed_fini(struct feed *f)
{
	recovery_fini(&f->recovery);
	arbiter_fini(&f->arbiter);
	symbols_fini(&f->symbols);
}

void feed_flush(struct feed *f)
{
	if (f->n_batch == 0)
		return;
	f->batch[f->n_batch - 1].flags |= GN_MD_F_LAST;
	feed_send(f);
}

void feed_message(struct feed *f, const uint8_t *msg, uint32_t bytes, uint64_t rx_tsc)
{
	f->rx_tsc = rx_tsc;
	feed_decode(f, msg, bytes);
}

static void feed_run_numbered(struct feed *f, struct moldudp64_reader *r)
{
	const uint8_t *msg;
	uint32_t bytes;

	while (moldudp64_next(r, &msg, &bytes) == MOLDUDP64_BLOCK)
		feed_message(f, msg, bytes, r->seq - 1);
	feed_flush(f);
}

static void feed_run(struct feed *f, struct moldudp64_reader *r, uint64_t rx_tsc)
{
	const uint8_t *msg;
	uint32_t bytes;

	gn_trace_stamp(GN_HOP_FEED, rx_tsc, GN_INST_NONE, 0);
	f->rx_tsc = rx_tsc;
	f->late_streak = 0;
	if (gn_unlikely(f->recovery.phase != RECOVERY_OFF)) {
		recovery_run(f, r, rx_tsc);
		return;
	}
	if (gn_unlikely(f->number_events)) {
		feed_run_numbered(f, r);
		return;
	}
	while (moldudp64_next(r, &msg, &bytes) == MOLDUDP64_BLOCK)
		feed_decode(f, msg, bytes);
	feed_flush(f);
}

static void feed_want_late(struct feed *f)
{
	struct losses_range e = losses_envelope(&f->losses);

	f->arbiter.late_from = e.from;
	f->arbiter.late_to = e.to;
}

/* Tell that every book may be wrong from here on. */
static void feed_tell_stale(struct feed *f)
{
	f->fresh_at = 0;
	losses_all_stale(&f->losses);
	if (f->all_stale)
		return;
	f->stale = f->all_stale = true;
	f->n.stale_sent++;
	feed_tell(f, GN_MD_STALE, GN_INST_NONE);
	feed_flush(f);
}

/* If it is proven that some stale books are right, begin to say so. */
static void feed_begin_fresh(struct feed *f)
{
	if (!f->stale || f->late || !losses_proven(&f->losses))
		return;
	losses_untouched_fresh(&f->losses);
	f->all_stale = false;
	f->fresh_at = 1;
}

/* Lost messages that come too late to be applied still say whom they concerned. */
static void feed_late(struct feed *f, struct moldudp64_reader *r, uint64_t rx_tsc)
{
	const uint8_t *msg;
	uint32_t bytes;

	f->n.pkt_late++;
	f->rx_tsc = rx_tsc;
	for (uint64_t seq = r->seq; moldudp64_next(r, &msg, &bytes) == MOLDUDP64_BLOCK; seq++) {
		if (!losses_see(&f->losses, seq, msg, bytes))
			continue;
		f->n.msg_late++;
		feed_decode_late(f, msg, bytes);
	}
	feed_flush(f);
	feed_want_late(f);
	feed_begin_fresh(f);
}

/*
 * The stream goes on below the number where we are, and nothing comes beyond it: what brought us here was no part of
 * it. Go back, with every book unproven.
 */
static void feed_rewind(struct feed *f, uint64_t seq)
{
	f->n.rewind++;
	f->late_streak = 0;
	arbiter_rewind(&f->arbiter, seq);
	f->losses.unprovable = true;
	feed_tell_stale(f);
	recovery_stop(f);
	recovery_lost(f, f->now_ns);
}

/* Another session has begun: every book starts from nothing, before the first message of it. */
static void feed_session(struct feed *f, const struct arbiter_in *in)
{
	f->n.session_change++;
	f->rx_tsc = in->tag;
	if (!f->over_told)
		feed_tell(f, GN_MD_SESSION_END, GN_INST_NONE);
	feed_flush(f);
	f->over_told = f->late = false;
	f->fresh_at = 0;
	f->clear_at = 1;
	recovery_stop(f);
	f->arbiter.paused = true;
	arbiter_session_begin(&f->arbiter, in);
}

void feed_datagram(struct feed *f, const struct arbiter_in *in)
{
	struct moldudp64_reader r;
	enum arbiter_verdict verdict = arbiter_accept(&f->arbiter, in, &r);

	f->now_ns = in->now_ns;
	f->n.pkt_rx++;
	if (gn_unlikely(verdict == ARBITER_SESSION)) {
		feed_session(f, in);
		verdict = arbiter_accept(&f->arbiter, in, &r);
	}
	if (gn_unlikely(verdict == ARBITER_LATE && ++f->late_streak == LATE_STREAK)) {
		f->rx_tsc = in->tag;
		feed_rewind(f, r.seq);
		verdict = arbiter_accept(&f->arbiter, in, &r);
	}
	switch (verdict) {
	case ARBITER_RUN:
		f->n.pkt_run++;
		feed_run(f, &r, in->tag);
		break;
	case ARBITER_LATE:
		feed_late(f, &r, in->tag);
		break;
	case ARBITER_DUPLICATE:
		f->n.pkt_duplicate++;
		break;
	case ARBITER_HELD:
		f->n.pkt_held++;
		break;
	case ARBITER_IDLE:
		f->n.pkt_idle++;
		break;
	case ARBITER_FULL:
		f->n.pkt_full++;
		break;
	case ARBITER_DOUBTFUL:
		f->n.pkt_doubtful++;
		break;
	case ARBITER_BAD:
	case ARBITER_SESSION:
		f->n.pkt_bad++;
		break;
	}
}

static void feed_take_lost(struct feed *f, const struct arbiter_gap *gap)
{
	arbiter_give_up(&f->arbiter, gap);
	losses_add(&f->losses, gap->from, gap->to);
	feed_want_late(f);
	f->n.gap_seen++;
	f->n.msg_lost += gap->to - gap->from;
	feed_tell_stale(f);
	recovery_lost(f, f->now_ns);
}

void feed_all_fresh(struct feed *f)
{
	losses_reset(&f->losses);
	feed_want_late(f);
	recovery_stop(f);
	if (f->late) { /* nothing is lost any more, but the books are still behind */
		losses_all_stale(&f->losses);
		return;
	}
	if (f->stale) {
		feed_tell(f, GN_MD_FRESH, GN_INST_NONE);
		f->n.fresh_sent++;
	}
	f->stale = f->all_stale = false;
}

/* Part of: clear every book, then let the new session in. */
static void feed_poll_clear(struct feed *f)
{
	uint32_t end = f->clear_at + FEED_TELL_LOCATES;

	for (uint32_t n = 0; f->clear_at < SYMBOLS_LOCATES && f->clear_at < end && n < FEED_TELL_EVENTS; f->clear_at++) {
		gn_inst inst = f->symbols.inst_of[f->clear_at];
		if (inst >= SYMBOLS_SPECIAL)
			continue;
		feed_tell(f, GN_MD_CLEAR, inst);
		n++;
	}
	if (f->clear_at == SYMBOLS_LOCATES) {
		symbols_forget(&f->symbols);
		feed_all_fresh(f);
		f->arbiter.paused = false;
		f->clear_at = 0;
	}
	feed_flush(f);
}

/* May this feed speak for an instrument? An instrument that has no number yet was told to be stale by every shard. */
static bool feed_speaks_for(const struct feed *f, uint16_t locate)
{
	return locate == 0 || locate % f->symbols.n_shards == f->symbols.shard;
}

/* Part of: all lost messages have been seen, so the books that none of them touched are right. */
static void feed_poll_fresh(struct feed *f)
{
	uint32_t n_insts = gn_instruments_count(f->symbols.table), n = 0;

	if (f->losses.n_touched == 0) {
		feed_all_fresh(f);
		n_insts = 0;
	}
	for (uint32_t looked = 0; f->fresh_at <= n_insts && looked < FEED_TELL_LOCATES && n < FEED_TELL_EVENTS; looked++) {
		gn_inst inst = f->fresh_at++ - 1;
		uint16_t locate = f->symbols.locate_of[inst];
		if (!feed_speaks_for(f, locate) || (f->losses.mark[locate] & LOSSES_STALE))
			continue;
		feed_tell(f, GN_MD_FRESH, inst);
		f->n.fresh_sent++;
		n++;
	}
	if (f->fresh_at > n_insts)
		f->fresh_at = 0;
	feed_flush(f);
}

/* Has something been missing for longer than another line may take to bring it? */
static bool feed_gap_waited(struct feed *f, struct arbiter_gap *gap)
{
	if (!arbiter_gap(&f->arbiter, gap))
		return false;
	return arbiter_pressed(&f->arbiter) ||
	       (f->now_ns > gap->since_ns && f->now_ns - gap->since_ns >= f->wait_ns);
}

/* Ask for what is missing, or give it up. */
static bool feed_poll_gap(struct feed *f, const struct arbiter_gap *gap)
{
	if (arbiter_pressed(&f->arbiter) || !recovery_ask(f, gap, f->now_ns)) {
		feed_take_lost(f, gap);
		return true;
	}
	if (f->late)
		return false;
	f->late = true;
	feed_tell_stale(f);
	return true;
}

bool feed_poll(struct feed *f, uint64_t now_ns, uint64_t now_tsc)
{
	struct moldudp64_reader r;
	struct arbiter_gap gap;
	uint64_t rx_tsc;

	f->rx_tsc = now_tsc;
	f->now_ns = now_ns;
	if (f->clear_at) {
		feed_poll_clear(f);
		return true;
	}
	if (arbiter_release(&f->arbiter, &r, &rx_tsc)) {
		f->n.pkt_released++;
		feed_run(f, &r, rx_tsc);
		return true;
	}
	if (feed_gap_waited(f, &gap)) {
		if (feed_poll_gap(f, &gap))
			return true;
	} else if (f->late) { /* what was asked for has come, and all that waited for it has been handed out */
		f->late = false;
		feed_begin_fresh(f);
	}
	if (f->fresh_at) {
		feed_poll_fresh(f);
		return true;
	}
	if (arbiter_over(&f->arbiter) && !f->over_told) {
		feed_tell(f, GN_MD_SESSION_END, GN_INST_NONE);
		feed_flush(f);
		f->over_told = true;
		return true;
	}
	return recovery_poll(f, now_ns);
}
