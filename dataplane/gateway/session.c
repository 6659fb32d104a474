/* SPDX-License-Identifier: BSD-3-Clause */
#include "session.h"

#include <errno.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)

static const char *const state_text[] = {
	"idle", "waiting", "connecting", "login sent", "active", "closing", "ended", "failed",
};

#define SESSION_REASON_TEXT(name, text) text,
static const char *const reason_text[] = {SESSION_REASONS(SESSION_REASON_TEXT)};

const char *session_state_text(enum session_state state)
{
	return state < GN_ARRAY_SIZE(state_text) ? state_text[state] : "?";
}

const char *session_reason_text(enum session_reason why)
{
	return why < GN_ARRAY_SIZE(reason_text) ? reason_text[why] : "?";
}

static void default_u64(uint64_t *value, uint64_t fallback)
{
	if (*value == 0)
		*value = fallback;
}

static void set_defaults(struct session_config *c)
{
	if (c->tries_max == 0)
		c->tries_max = 20;
	default_u64(&c->seq_next, 1);
	default_u64(&c->connect_timeout_ns, 3 * S);
	default_u64(&c->login_timeout_ns, 5 * S);
	default_u64(&c->heartbeat_ns, 1 * S);
	default_u64(&c->dead_ns, 15 * S);
	default_u64(&c->backoff_min_ns, 100 * MS);
	default_u64(&c->backoff_max_ns, 10 * S);
	default_u64(&c->stable_ns, 10 * S);
	default_u64(&c->close_timeout_ns, 2 * S);
}

int session_init(struct session *s, const struct session_config *config, const struct session_ops *ops, void *arg)
{
	s->state = SESSION_IDLE;
	if (config->n_endpoints == 0 || config->n_endpoints > SESSION_ENDPOINTS_MAX)
		return gn_err(EINVAL, "session: %u endpoints, wanted 1 to %u", config->n_endpoints, SESSION_ENDPOINTS_MAX);
	if (!config->username[0])
		return gn_err(EINVAL, "session: no username");
	s->config = *config;
	set_defaults(&s->config);
	if (s->config.dead_ns <= s->config.heartbeat_ns)
		return gn_err(EINVAL, "session: dead-link time %llu ns is not above the heartbeat's %llu ns",
			(unsigned long long)s->config.dead_ns, (unsigned long long)s->config.heartbeat_ns);
	s->ops = ops;
	s->arg = arg;
	s->seq_next = s->config.seq_next;
	memcpy(s->name, s->config.session, sizeof(s->name));
	s->n = (struct session_counts){0};
	s->endpoint = 0;
	s->tries = 0;
	s->stop = false;
	s->probing = config->probe;
	s->seq_end = 0;
	return 0;
}

static void enter(struct session *s, enum session_state state, enum session_reason why, uint64_t now_ns)
{
	s->state = state;
	s->why = why;
	s->since_ns = now_ns;
	s->timer_ns = now_ns;
	if (why != SESSION_WHY_NONE)
		s->n.why[why]++;
	s->ops->on_state(s->arg, state, why);
}

void session_start(struct session *s, uint64_t now_ns)
{
	if (s->state != SESSION_IDLE)
		return;
	s->deadline_ns = now_ns;
	enter(s, SESSION_WAITING, SESSION_WHY_NONE, now_ns);
}

static uint64_t backoff_ns(const struct session *s)
{
	uint32_t round = s->tries / s->config.n_endpoints;
	uint64_t ns = s->config.backoff_min_ns;

	while (round-- && ns < s->config.backoff_max_ns)
		ns *= 2;
	return ns < s->config.backoff_max_ns ? ns : s->config.backoff_max_ns;
}

/* Why it ended was said, and counted, when it began to close. */
static void enter_ended(struct session *s, uint64_t now_ns)
{
	enum session_reason why = s->why;

	enter(s, SESSION_ENDED, SESSION_WHY_NONE, now_ns);
	s->why = why;
}

static void forget_stream(struct session *s)
{
	s->down = false;
	s->backlog_at = 0;
	s->backlog_bytes = 0;
}

/* The connection is gone already, or was never there. */
static void lost(struct session *s, enum session_reason why, uint64_t now_ns)
{
	forget_stream(s);
	if (s->stop) {
		enter(s, SESSION_ENDED, why, now_ns);
		return;
	}
	if (s->state == SESSION_ACTIVE && now_ns - s->since_ns >= s->config.stable_ns)
		s->tries = 0;
	if (s->tries >= s->config.tries_max) {
		s->n.why[why]++;
		enter(s, SESSION_FAILED, SESSION_WHY_BUDGET, now_ns);
		return;
	}
	s->deadline_ns = now_ns + backoff_ns(s);
	s->endpoint = (s->endpoint + 1) % s->config.n_endpoints;
	enter(s, SESSION_WAITING, why, now_ns);
}

static void drop(struct session *s, enum session_reason why, uint64_t now_ns)
{
	s->ops->abort(s->arg);
	lost(s, why, now_ns);
}

static void give_up(struct session *s, enum session_reason why, uint64_t now_ns)
{
	s->ops->abort(s->arg);
	forget_stream(s);
	enter(s, SESSION_FAILED, why, now_ns);
}

static void attempt(struct session *s, uint64_t now_ns)
{
	s->n.attempts++;
	s->tries++;
	s->deadline_ns = now_ns + s->config.connect_timeout_ns;
	soup_framer_init(&s->framer, s->packet, sizeof(s->packet));
	forget_stream(s);
	enter(s, SESSION_CONNECTING, SESSION_WHY_NONE, now_ns);
	if (!s->ops->connect(s->arg, s->endpoint))
		lost(s, SESSION_WHY_CONNECT, now_ns);
}

void session_on_up(struct session *s, uint64_t now_ns)
{
	struct soup_login login = {.seq = s->probing ? 0 : s->seq_next, .heartbeat_ms = s->config.login_heartbeat_ms};
	uint8_t out[SOUP_LOGIN_41_BYTES];

	if (s->state != SESSION_CONNECTING)
		return;
	memcpy(login.username, s->config.username, sizeof(login.username));
	memcpy(login.password, s->config.password, sizeof(login.password));
	memcpy(login.session, s->name, sizeof(login.session));
	if (!s->ops->send(s->arg, out, soup_login_build(&login, out))) {
		drop(s, SESSION_WHY_LOGIN_SEND, now_ns);
		return;
	}
	s->deadline_ns = now_ns + s->config.login_timeout_ns;
	enter(s, SESSION_LOGIN_SENT, SESSION_WHY_NONE, now_ns);
}

/* The same endpoint again, at once: nothing has gone wrong. */
static void finish_probe(struct session *s, uint64_t seq, uint64_t now_ns)
{
	uint8_t packet[SOUP_HEAD_BYTES];

	s->ops->send(s->arg, packet, soup_build(packet, SOUP_LOGOUT, NULL, 0));
	s->ops->abort(s->arg);
	forget_stream(s);
	s->probing = false;
	s->seq_end = seq;
	s->tries--;
	s->deadline_ns = now_ns;
	enter(s, SESSION_WAITING, SESSION_WHY_PROBED, now_ns);
}

static void on_accepted(struct session *s, const struct soup_packet *p, uint64_t now_ns)
{
	struct soup_accepted accepted;

	if (!soup_accepted_parse(p, &accepted) || accepted.seq == 0) {
		drop(s, SESSION_WHY_MALFORMED, now_ns);
		return;
	}
	if (s->name[0] && strcmp(s->name, accepted.session) != 0) {
		give_up(s, SESSION_WHY_OTHER_SESSION, now_ns);
		return;
	}
	if (s->probing) {
		finish_probe(s, accepted.seq, now_ns);
		return;
	}
	if (accepted.seq > s->seq_next) {
		give_up(s, SESSION_WHY_GAP, now_ns);
		return;
	}
	memcpy(s->name, accepted.session, sizeof(s->name));
	s->n.duplicates += s->seq_next - accepted.seq;
	s->n_skip = s->seq_next - accepted.seq;
	s->n.logins++;
	s->rx_ns = now_ns;
	s->tx_ns = now_ns;
	enter(s, SESSION_ACTIVE, SESSION_WHY_NONE, now_ns);
}

static void on_rejected(struct session *s, const struct soup_packet *p, uint64_t now_ns)
{
	char reason = soup_rejected_parse(p);

	if (reason == SOUP_REJECT_NOT_AUTHORISED)
		give_up(s, SESSION_WHY_NOT_AUTHORISED, now_ns);
	else if (reason == SOUP_REJECT_NO_SESSION)
		drop(s, SESSION_WHY_NO_SESSION, now_ns);
	else
		drop(s, SESSION_WHY_MALFORMED, now_ns);
}

static void on_sequenced(struct session *s, const struct soup_packet *p, uint64_t rx_tsc)
{
	if (s->n_skip) {
		s->n_skip--;
		return;
	}
	s->n.messages++;
	s->ops->on_message(s->arg, p->payload, p->bytes, s->seq_next++, rx_tsc);
}

static void on_end(struct session *s, uint64_t now_ns)
{
	s->stop = true;
	s->deadline_ns = now_ns + s->config.close_timeout_ns;
	enter(s, SESSION_CLOSING, SESSION_WHY_END, now_ns);
	s->ops->close(s->arg);
}

static void on_active_packet(struct session *s, const struct soup_packet *p, uint64_t now_ns, uint64_t rx_tsc)
{
	switch (p->type) {
	case SOUP_SEQUENCED: on_sequenced(s, p, rx_tsc); break;
	case SOUP_UNSEQUENCED:
		s->n.messages++;
		s->ops->on_message(s->arg, p->payload, p->bytes, 0, rx_tsc);
		break;
	case SOUP_SERVER_HEARTBEAT: s->n.heartbeats_in++; break;
	case SOUP_END: on_end(s, now_ns); break;
	case SOUP_ACCEPTED:
	case SOUP_REJECTED: drop(s, SESSION_WHY_UNEXPECTED, now_ns); break;
	default: s->n.unknown++;
	}
}

static void on_login_packet(struct session *s, const struct soup_packet *p, uint64_t now_ns)
{
	switch (p->type) {
	case SOUP_ACCEPTED: on_accepted(s, p, now_ns); break;
	case SOUP_REJECTED: on_rejected(s, p, now_ns); break;
	default: drop(s, SESSION_WHY_UNEXPECTED, now_ns);
	}
}

static void on_packet(struct session *s, const struct soup_packet *p, uint64_t now_ns, uint64_t rx_tsc)
{
	if (p->type == SOUP_DEBUG)
		s->n.debug++;
	else if (s->state == SESSION_ACTIVE)
		on_active_packet(s, p, now_ns, rx_tsc);
	else if (s->state == SESSION_LOGIN_SENT)
		on_login_packet(s, p, now_ns);
	else if (s->state == SESSION_CLOSING && s->why == SESSION_WHY_LOGOUT && p->type == SOUP_SEQUENCED)
		on_sequenced(s, p, rx_tsc); /* what the venue said before it read our logout still counts */
}

static bool takes_bytes(const struct session *s)
{
	return s->state == SESSION_ACTIVE || s->state == SESSION_LOGIN_SENT || s->state == SESSION_CLOSING;
}

/* One slice of the stream; the session may leave its state with any packet in it. */
static void slice(struct session *s, const uint8_t *data, uint32_t bytes, uint64_t now_ns, uint64_t rx_tsc)
{
	struct soup_packet p;

	s->rx_ns = now_ns;
	s->sliced = true;
	soup_framer_feed(&s->framer, data, bytes);
	while (takes_bytes(s)) {
		switch (soup_framer_next(&s->framer, &p)) {
		case SOUP_PACKET: on_packet(s, &p, now_ns, rx_tsc); break;
		case SOUP_MORE: return;
		case SOUP_MALFORMED:
		default: drop(s, SESSION_WHY_MALFORMED, now_ns); return;
		}
	}
}

static bool keep(struct session *s, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	if (s->backlog_at) {
		memmove(s->backlog, s->backlog + s->backlog_at, s->backlog_bytes - s->backlog_at);
		s->backlog_bytes -= s->backlog_at;
		s->backlog_at = 0;
	}
	if (bytes > sizeof(s->backlog) - s->backlog_bytes)
		return false;
	memcpy(s->backlog + s->backlog_bytes, data, bytes);
	s->backlog_bytes += bytes;
	s->backlog_tsc = rx_tsc;
	return true;
}

void session_on_bytes(struct session *s, const uint8_t *data, uint32_t bytes, uint64_t now_ns, uint64_t rx_tsc)
{
	if (!takes_bytes(s))
		return;
	if (gn_likely(s->backlog_bytes == 0 && bytes <= SESSION_SLICE_BYTES && !s->sliced)) {
		slice(s, data, bytes, now_ns, rx_tsc);
		return;
	}
	if (!keep(s, data, bytes, rx_tsc))
		drop(s, SESSION_WHY_BACKLOG, now_ns);
}

static enum session_reason down_reason(const struct session *s, int errnum)
{
	if (s->state == SESSION_CONNECTING)
		return SESSION_WHY_CONNECT;
	return errnum ? SESSION_WHY_RESET : SESSION_WHY_PEER_CLOSED;
}

static void finish_down(struct session *s, uint64_t now_ns)
{
	switch (s->state) {
	case SESSION_CONNECTING:
	case SESSION_LOGIN_SENT:
	case SESSION_ACTIVE: lost(s, down_reason(s, s->down_errnum), now_ns); break;
	case SESSION_CLOSING: enter_ended(s, now_ns); break;
	default: break;
	}
}

void session_on_down(struct session *s, int errnum, uint64_t now_ns)
{
	s->down = true;
	s->down_errnum = errnum;
	if (s->backlog_bytes == 0)
		finish_down(s, now_ns);
}

bool session_drain(struct session *s, uint64_t now_ns)
{
	uint32_t left = s->backlog_bytes - s->backlog_at;
	uint32_t bytes = left < SESSION_SLICE_BYTES ? left : SESSION_SLICE_BYTES;

	if (left == 0)
		return false;
	s->backlog_at += bytes;
	slice(s, s->backlog + s->backlog_at - bytes, bytes, now_ns, s->backlog_tsc);
	if (s->backlog_at < s->backlog_bytes)
		return true;
	s->backlog_at = 0;
	s->backlog_bytes = 0;
	if (s->down)
		finish_down(s, now_ns);
	return true;
}

static void poll_active(struct session *s, uint64_t now_ns)
{
	uint8_t packet[SOUP_HEAD_BYTES];

	if (now_ns - s->rx_ns >= s->config.dead_ns) {
		drop(s, SESSION_WHY_SILENT, now_ns);
		return;
	}
	if (now_ns - s->tx_ns >= s->config.heartbeat_ns) {
		/* when there is no room for it, what fills the connection tells the venue that we live */
		s->n.heartbeats_out += s->ops->send(s->arg, packet, soup_build(packet, SOUP_CLIENT_HEARTBEAT, NULL, 0));
		s->tx_ns = now_ns;
	}
	uint64_t dead_at = s->rx_ns + s->config.dead_ns, beat_at = s->tx_ns + s->config.heartbeat_ns;
	s->timer_ns = dead_at < beat_at ? dead_at : beat_at;
}

static void poll_due(struct session *s, uint64_t now_ns)
{
	switch (s->state) {
	case SESSION_WAITING: attempt(s, now_ns); break;
	case SESSION_CONNECTING: drop(s, SESSION_WHY_CONNECT_TIMEOUT, now_ns); break;
	case SESSION_LOGIN_SENT: drop(s, SESSION_WHY_LOGIN_TIMEOUT, now_ns); break;
	case SESSION_CLOSING:
		s->ops->abort(s->arg);
		enter_ended(s, now_ns);
		break;
	default: break;
	}
}

bool session_poll(struct session *s, uint64_t now_ns)
{
	if (now_ns < s->timer_ns || s->state == SESSION_IDLE || session_over(s))
		return false;
	if (s->state == SESSION_ACTIVE) {
		poll_active(s, now_ns);
		return true;
	}
	if (now_ns < s->deadline_ns) {
		s->timer_ns = s->deadline_ns;
		return false;
	}
	poll_due(s, now_ns);
	return true;
}

void session_restart(struct session *s, enum session_reason why, uint64_t now_ns)
{
	if (s->state == SESSION_CONNECTING || s->state == SESSION_LOGIN_SENT || s->state == SESSION_ACTIVE)
		drop(s, why, now_ns);
}

void session_logout(struct session *s, uint64_t now_ns)
{
	uint8_t packet[SOUP_HEAD_BYTES];

	if (session_over(s) || s->state == SESSION_CLOSING)
		return;
	s->stop = true;
	if (s->state == SESSION_ACTIVE) {
		s->ops->send(s->arg, packet, soup_build(packet, SOUP_LOGOUT, NULL, 0));
		s->deadline_ns = now_ns + s->config.close_timeout_ns;
		enter(s, SESSION_CLOSING, SESSION_WHY_LOGOUT, now_ns);
		return;
	}
	if (s->state != SESSION_IDLE && s->state != SESSION_WAITING)
		s->ops->abort(s->arg);
	forget_stream(s);
	enter(s, SESSION_ENDED, SESSION_WHY_LOGOUT, now_ns);
}
