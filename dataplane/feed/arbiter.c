/* SPDX-License-Identifier: BSD-3-Clause */
#include "arbiter.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"

static const struct moldudp64_session session_none;

int arbiter_init(struct arbiter *a, const struct arbiter_config *config)
{
	memset(a, 0, sizeof(*a));
	a->n_lines = config->n_lines;
	a->silence_ns = config->silence_ns;
	a->session = config->session;
	if (config->n_lines == 0 || config->n_lines > ARBITER_LINES_MAX)
		return gn_err(EINVAL, "feed: %u lines is not within 1 .. %u", config->n_lines, ARBITER_LINES_MAX);
	if (config->seq_first == 0)
		return gn_err(EINVAL, "feed: sequence numbers begin at 1, not at 0");
	int rc = hold_init(&a->hold, config->hold_datagrams);
	if (rc < 0)
		return rc;
	a->any_session = moldudp64_session_equal(&config->session, &session_none);
	a->session_known = !a->any_session;
	a->seq_next = a->seq_known = config->seq_first;
	for (uint32_t i = 0; i < ARBITER_LINES_MAX; i++) {
		a->line[i].reply = config->reply_lines >> i & 1;
		line_card_restart(&a->line[i], config->seq_first);
	}
	return 0;
}

void arbiter_fini(struct arbiter *a)
{
	hold_fini(&a->hold);
}

static enum arbiter_verdict arbiter_bad(struct arbiter *a, struct line_card *card)
{
	a->n.bad++;
	card->n_bad++;
	return ARBITER_BAD;
}

/* Keep the first datagram of another session: if the session is real, its first messages are in it. */
static enum arbiter_verdict arbiter_candidate(struct arbiter *a, const struct arbiter_in *in)
{
	a->candidate = *in;
	if (in->bytes > HOLD_DATAGRAM_BYTES_MAX)
		a->candidate.bytes = MOLDUDP64_HEAD_BYTES; /* its session is all that is kept of it */
	memcpy(a->candidate_bytes, in->payload, a->candidate.bytes);
	a->candidate.payload = a->candidate_bytes;
	return ARBITER_DOUBTFUL;
}

static enum arbiter_verdict arbiter_other_session(struct arbiter *a, const struct arbiter_in *in, struct line_card *card)
{
	bool again = a->candidate.bytes && moldudp64_session_equal(a->candidate_bytes, in->payload);

	if (moldudp64_session_equal(&a->session_past, in->payload)) {
		a->n.past_session++;
		return ARBITER_BAD;
	}
	a->n.other_session++;
	if (!a->any_session) {
		card->n_bad++;
		return ARBITER_BAD;
	}
	if (!again && !arbiter_over(a))
		return arbiter_candidate(a, in);
	return ARBITER_SESSION;
}

/* Is this not our session? The first one seen becomes ours. */
static bool arbiter_is_other(struct arbiter *a, const struct arbiter_in *in)
{
	if (gn_likely(moldudp64_session_equal(&a->session, in->payload)))
		return false;
	if (a->session_known)
		return true;
	memcpy(&a->session, in->payload, sizeof(a->session));
	a->session_known = true;
	return false;
}

/* A sequence number out of all proportion: believed when another datagram says nearly the same. */
static bool arbiter_is_far(struct arbiter *a, const struct arbiter_in *in, uint64_t seq)
{
	if (gn_likely(seq <= a->seq_known || seq - a->seq_known <= ARBITER_JUMP_MAX))
		return false;
	uint64_t apart = seq > a->far_seq ? seq - a->far_seq : a->far_seq - seq;
	bool same = apart == 0 && in->line == a->far_line;
	if (a->far_seq && !same && apart <= ARBITER_JUMP_MAX)
		return false;
	a->far_seq = seq;
	a->far_line = in->line;
	a->n.far++;
	return true;
}

static void arbiter_known(struct arbiter *a, uint64_t seq_end, uint64_t now_ns)
{
	if (gn_unlikely(seq_end <= a->seq_known))
		return;
	a->seq_known = seq_end;
	a->known_ns = now_ns;
	a->far_seq = 0;
	a->ended = false;
}

/* A gap opens at seq_next: its clock starts with the first sign of it. */
static void arbiter_gap_note(struct arbiter *a, uint64_t now_ns)
{
	if (a->gap_seq == a->seq_next)
		return;
	a->gap_seq = a->seq_next;
	a->gap_ns = now_ns;
}

static void arbiter_won(struct arbiter *a, struct line_card *card, const struct arbiter_in *in, uint64_t seq)
{
	card->n_wins++;
	a->recent[seq % ARBITER_RECENT] = (struct arbiter_recent){.seq = seq, .at_ns = in->now_ns, .line = in->line};
}

/* The second copy tells how far ahead the first one was; further copies tell nothing. */
static void arbiter_lost(struct arbiter *a, struct line_card *card, const struct arbiter_in *in, uint64_t seq)
{
	struct arbiter_recent *r = &a->recent[seq % ARBITER_RECENT];

	card->n_duplicates++;
	if (r->seq != seq || r->line == in->line)
		return;
	if (!card->reply)
		lead_count(&a->line[r->line].lead, in->now_ns > r->at_ns ? in->now_ns - r->at_ns : 0);
	r->seq = 0;
}

static enum arbiter_verdict arbiter_keep(struct arbiter *a, struct line_card *card, const struct arbiter_in *in,
	const struct moldudp64_reader *r)
{
	struct hold_entry e = {.seq = r->seq, .seq_end = r->seq_end, .at_ns = in->now_ns, .tag = in->tag,
		.bytes = (uint16_t)in->bytes, .line = (uint16_t)in->line};

	switch (in->bytes > HOLD_DATAGRAM_BYTES_MAX ? HOLD_FULL : hold_keep(&a->hold, &e, in->payload)) {
	case HOLD_KEPT:
		arbiter_won(a, card, in, r->seq);
		a->n.held++;
		return ARBITER_HELD;
	case HOLD_DUPLICATE:
		arbiter_lost(a, card, in, r->seq);
		a->n.duplicate++;
		return ARBITER_DUPLICATE;
	case HOLD_FULL:
		break;
	}
	a->n.full++;
	return ARBITER_FULL;
}

/* All of it is behind us: another line, or a hole that was given up, had it first. */
static enum arbiter_verdict arbiter_below(struct arbiter *a, struct line_card *card, const struct arbiter_in *in,
	const struct moldudp64_reader *r)
{
	if (gn_unlikely(r->seq < a->late_to && r->seq_end > a->late_from)) {
		if (moldudp64_check(r) != MOLDUDP64_DONE)
			return arbiter_bad(a, card);
		a->n.late++;
		return ARBITER_LATE;
	}
	arbiter_lost(a, card, in, r->seq);
	a->n.duplicate++;
	return ARBITER_DUPLICATE;
}

/* Messages that are not simply the next ones. */
static enum arbiter_verdict arbiter_out_of_order(struct arbiter *a, struct line_card *card, const struct arbiter_in *in,
	struct moldudp64_reader *r)
{
	if (r->seq_end <= a->seq_next)
		return arbiter_below(a, card, in, r);
	if (moldudp64_check(r) != MOLDUDP64_DONE)
		return arbiter_bad(a, card);
	arbiter_known(a, r->seq_end, in->now_ns);
	if (r->seq > a->seq_next || a->paused) {
		if (r->seq > a->seq_next)
			arbiter_gap_note(a, in->now_ns);
		return arbiter_keep(a, card, in, r);
	}
	arbiter_won(a, card, in, r->seq);
	moldudp64_skip_to(r, a->seq_next);
	a->seq_next = r->seq_end;
	a->n.run++;
	return ARBITER_RUN;
}

static enum arbiter_verdict arbiter_idle(struct arbiter *a, struct line_card *card, const struct arbiter_in *in,
	const struct moldudp64_reader *r, enum moldudp64_kind kind)
{
	if (moldudp64_check(r) != MOLDUDP64_DONE || r->seq == 0)
		return arbiter_bad(a, card);
	card->n_heartbeats++;
	a->n.idle++;
	if (r->seq > a->seq_next)
		arbiter_gap_note(a, in->now_ns);
	arbiter_known(a, r->seq, in->now_ns);
	a->ended |= kind == MOLDUDP64_END && r->seq == a->seq_known;
	return ARBITER_IDLE;
}

enum arbiter_verdict arbiter_accept(struct arbiter *a, const struct arbiter_in *in, struct moldudp64_reader *r)
{
	if (gn_unlikely(in->line >= a->n_lines)) {
		a->n.bad++;
		return ARBITER_BAD;
	}
	struct line_card *card = &a->line[in->line];
	enum moldudp64_kind kind = moldudp64_open(r, in->payload, in->bytes);
	if (gn_unlikely(kind == MOLDUDP64_MALFORMED || r->seq == 0))
		return arbiter_bad(a, card);
	if (gn_unlikely(arbiter_is_other(a, in)))
		return arbiter_other_session(a, in, card);
	if (gn_unlikely(arbiter_is_far(a, in, r->seq)))
		return ARBITER_DOUBTFUL;

	card->n_datagrams++;
	card->at_ns = in->now_ns;
	line_card_step(card, r->seq, r->seq_end);
	if (gn_unlikely(kind != MOLDUDP64_MESSAGES))
		return arbiter_idle(a, card, in, r, kind);
	if (gn_unlikely(r->seq != a->seq_next || a->paused))
		return arbiter_out_of_order(a, card, in, r);
	if (gn_unlikely(moldudp64_check(r) != MOLDUDP64_DONE))
		return arbiter_bad(a, card);
	arbiter_known(a, r->seq_end, in->now_ns);
	arbiter_won(a, card, in, r->seq);
	a->seq_next = r->seq_end;
	a->n.run++;
	return ARBITER_RUN;
}

bool arbiter_release(struct arbiter *a, struct moldudp64_reader *r, uint64_t *tag)
{
	const struct hold_entry *head;

	while (!a->paused && (head = hold_head(&a->hold)) && head->seq <= a->seq_next) {
		struct hold_entry e = hold_pop(&a->hold);
		if (e.seq_end <= a->seq_next)
			continue;
		moldudp64_open(r, hold_bytes(&a->hold, &e), e.bytes);
		moldudp64_skip_to(r, a->seq_next);
		a->seq_next = e.seq_end;
		*tag = e.tag;
		return true;
	}
	return false;
}

bool arbiter_gap_find(struct arbiter *a, struct arbiter_gap *gap)
{
	const struct hold_entry *head = hold_head(&a->hold);

	if (a->seq_next == a->seq_known || a->paused || (head && head->seq <= a->seq_next))
		return false;
	arbiter_gap_note(a, head ? head->at_ns : a->known_ns);
	*gap = (struct arbiter_gap){.from = a->seq_next, .to = head ? head->seq : a->seq_known, .since_ns = a->gap_ns};
	return true;
}

void arbiter_give_up(struct arbiter *a, const struct arbiter_gap *gap)
{
	GN_ASSERT(gap->from == a->seq_next && gap->to <= a->seq_known);
	a->n.given_up += gap->to - gap->from;
	a->seq_next = gap->to;
}

/* Start over at a number, with nothing held and nothing remembered. */
static void arbiter_restart(struct arbiter *a, uint64_t seq)
{
	a->ended = false;
	a->seq_next = a->seq_known = seq;
	a->gap_seq = a->far_seq = a->late_from = a->late_to = 0;
	hold_clear(&a->hold);
	memset(a->recent, 0, sizeof(a->recent));
	for (uint32_t i = 0; i < a->n_lines; i++)
		line_card_restart(&a->line[i], seq);
}

void arbiter_rewind(struct arbiter *a, uint64_t seq)
{
	GN_ASSERT(seq < a->seq_next);
	arbiter_restart(a, seq);
}

/* The datagram that was kept aside when the session was still in doubt: hold it, to be released in its turn. */
static void arbiter_take_candidate(struct arbiter *a)
{
	bool paused = a->paused;
	struct moldudp64_reader r;

	if (a->candidate.bytes && moldudp64_session_equal(a->candidate_bytes, &a->session)) {
		a->paused = true;
		arbiter_accept(a, &a->candidate, &r);
		a->paused = paused;
	}
	a->candidate.bytes = 0;
}

void arbiter_session_begin(struct arbiter *a, const struct arbiter_in *in)
{
	a->session_past = a->session;
	memcpy(&a->session, in->payload, sizeof(a->session));
	arbiter_restart(a, 1);
	arbiter_take_candidate(a);
}

void arbiter_watch(struct arbiter *a, uint64_t now_ns)
{
	for (uint32_t i = 0; i < a->n_lines; i++)
		line_card_watch(&a->line[i], now_ns, a->silence_ns);
}
