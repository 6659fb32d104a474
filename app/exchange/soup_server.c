/* SPDX-License-Identifier: BSD-3-Clause */
#include "soup_server.h"

#include <errno.h>
#include <stdlib.h>

#include "dataplane/runtime/err.h"

#define NS_PER_MS UINT64_C(1000000)
#define BATCH_BYTES 1400u /* sequenced packets are gathered up to this, or one larger packet */

int soup_server_init(struct soup_server *s, const struct exchange_config *config, const struct exchange_transport_ops *io,
	const struct soup_server_hooks *hooks)
{
	*s = (struct soup_server){
		.io = *io,
		.hooks = *hooks,
		.heartbeat_ns = config->heartbeat_ms * NS_PER_MS,
		.dead_ns = config->dead_link_ms * NS_PER_MS,
		.login_ns = config->login_ms * NS_PER_MS,
	};
	memcpy(s->session, config->session, sizeof(s->session));
	s->conn = calloc(EXCHANGE_CONNS_MAX, sizeof(*s->conn));
	return s->conn ? 0 : gn_err(ENOMEM, "exchange: %u connections", EXCHANGE_CONNS_MAX);
}

void soup_server_fini(struct soup_server *s)
{
	free(s->conn);
	s->conn = NULL;
	s->n_conns = 0;
}

uint32_t soup_server_open(struct soup_server *s, void *handle, uint64_t now_ns)
{
	uint32_t i = 0;

	while (i < EXCHANGE_CONNS_MAX && s->conn[i].state != SOUP_SERVER_FREE)
		i++;
	if (i == EXCHANGE_CONNS_MAX) {
		s->n.refused_full++;
		return SOUP_SERVER_CONN_NONE;
	}
	struct soup_server_conn *c = &s->conn[i];

	c->state = SOUP_SERVER_SILENT;
	c->handle = handle;
	c->stream = NULL;
	c->opened_ns = c->rx_ns = c->tx_ns = now_ns;
	c->dead_ns = s->dead_ns;
	soup_framer_init(&c->framer, c->buf, sizeof(c->buf));
	if (i >= s->n_conns)
		s->n_conns = i + 1;
	s->n.opened++;
	return i;
}

void soup_server_lost(struct soup_server *s, uint32_t conn)
{
	struct soup_server_conn *c = &s->conn[conn];
	bool active = c->state == SOUP_SERVER_ACTIVE;

	c->state = SOUP_SERVER_FREE;
	c->handle = NULL;
	if (active)
		s->hooks.gone(s->hooks.arg, conn);
}

void soup_server_close(struct soup_server *s, uint32_t conn)
{
	void *handle = s->conn[conn].handle;

	if (s->conn[conn].state == SOUP_SERVER_FREE)
		return;
	soup_server_lost(s, conn);
	s->io.close(s->io.arg, handle);
}

static bool send_packet(struct soup_server *s, struct soup_server_conn *c, const uint8_t *data, uint32_t bytes,
	uint64_t now_ns)
{
	if (!s->io.send(s->io.arg, c->handle, data, bytes)) {
		s->n.no_room++;
		return false;
	}
	c->tx_ns = now_ns;
	return true;
}

static void reject(struct soup_server *s, uint32_t conn, char reason, uint64_t now_ns)
{
	uint8_t msg[SOUP_REJECTED_BYTES];

	if (reason == SOUP_REJECT_NOT_AUTHORISED)
		s->n.rejected_name++;
	else
		s->n.rejected_session++;
	send_packet(s, &s->conn[conn], msg, soup_rejected_build(reason, msg), now_ns);
	soup_server_close(s, conn);
}

static bool session_ok(const struct soup_server *s, const struct soup_login *login)
{
	return !login->session[0] || soup_name_equal(login->session, s->session);
}

/* where the client's sequenced messages begin; 0: those it wants are no longer kept */
static uint64_t first_of(const struct store *stream, uint64_t wanted)
{
	if (wanted == 0 || wanted > stream->seq_next)
		return stream->seq_next;
	return wanted < stream->seq_first ? 0 : wanted;
}

static void welcome(struct soup_server *s, uint32_t conn, const struct soup_login *login, uint64_t now_ns)
{
	struct soup_server_conn *c = &s->conn[conn];
	struct soup_accepted accepted = {.seq = c->cursor};
	uint8_t msg[SOUP_ACCEPTED_BYTES];

	memcpy(accepted.session, s->session, sizeof(accepted.session));
	if (login->heartbeat_ms)
		c->dead_ns = login->heartbeat_ms * NS_PER_MS;
	c->state = SOUP_SERVER_ACTIVE;
	s->n.logins++;
	if (!send_packet(s, c, msg, soup_accepted_build(&accepted, msg), now_ns))
		soup_server_close(s, conn);
}

static void on_login(struct soup_server *s, uint32_t conn, const struct soup_packet *p, uint64_t now_ns)
{
	struct soup_server_conn *c = &s->conn[conn];
	struct soup_login login;

	if (!soup_login_parse(p, &login)) {
		s->n.closed_malformed++;
		soup_server_close(s, conn);
		return;
	}
	if (!session_ok(s, &login)) {
		reject(s, conn, SOUP_REJECT_NO_SESSION, now_ns);
		return;
	}
	char reason = s->hooks.login(s->hooks.arg, conn, &login, &c->stream);

	if (reason) {
		reject(s, conn, reason, now_ns);
		return;
	}
	c->cursor = first_of(c->stream, login.seq);
	if (!c->cursor) {
		s->hooks.gone(s->hooks.arg, conn);
		reject(s, conn, SOUP_REJECT_NO_SESSION, now_ns);
		return;
	}
	welcome(s, conn, &login, now_ns);
}

static void on_message(struct soup_server *s, uint32_t conn, const struct soup_packet *p)
{
	s->n.msgs_in++;
	if (s->hooks.message(s->hooks.arg, conn, p->payload, p->bytes))
		return;
	s->n.closed_message++;
	soup_server_close(s, conn);
}

static void on_packet(struct soup_server *s, uint32_t conn, const struct soup_packet *p, uint64_t now_ns)
{
	bool active = s->conn[conn].state == SOUP_SERVER_ACTIVE;

	if (p->type == SOUP_DEBUG)
		return;
	if (active == (p->type == SOUP_LOGIN)) {
		s->n.closed_order++;
		soup_server_close(s, conn);
		return;
	}
	switch (p->type) {
	case SOUP_LOGIN: on_login(s, conn, p, now_ns); break;
	case SOUP_UNSEQUENCED: on_message(s, conn, p); break;
	case SOUP_CLIENT_HEARTBEAT: break;
	case SOUP_LOGOUT:
		s->n.logouts++;
		soup_server_close(s, conn);
		break;
	default: s->n.unknown_packet++;
	}
}

void soup_server_bytes(struct soup_server *s, uint32_t conn, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	struct soup_server_conn *c = &s->conn[conn];
	struct soup_packet p;
	enum soup_result r;

	if (c->state == SOUP_SERVER_FREE)
		return;
	c->rx_ns = now_ns;
	soup_framer_feed(&c->framer, data, bytes);
	while ((r = soup_framer_next(&c->framer, &p)) == SOUP_PACKET) {
		on_packet(s, conn, &p, now_ns);
		if (c->state == SOUP_SERVER_FREE)
			return;
	}
	if (r == SOUP_MALFORMED) {
		s->n.closed_malformed++;
		soup_server_close(s, conn);
	}
}

/* gather sequenced packets from the cursor on; @return messages gathered */
static uint32_t gather(const struct soup_server_conn *c, uint8_t *out, uint32_t *bytes)
{
	const uint8_t *msg;
	uint32_t n = 0, msg_bytes;

	*bytes = 0;
	while (store_get(c->stream, c->cursor + n, &msg, &msg_bytes)) {
		if (n && *bytes + SOUP_HEAD_BYTES + msg_bytes > BATCH_BYTES)
			break;
		*bytes += soup_build(out + *bytes, SOUP_SEQUENCED, msg, msg_bytes);
		n++;
	}
	return n;
}

static void pump_conn(struct soup_server *s, struct soup_server_conn *c, uint64_t now_ns)
{
	uint8_t out[BATCH_BYTES + SOUP_HEAD_BYTES + STORE_MSG_BYTES_MAX];
	uint32_t n, bytes;

	while ((n = gather(c, out, &bytes))) {
		if (!s->io.send(s->io.arg, c->handle, out, bytes)) {
			s->n.no_room++;
			return;
		}
		c->tx_ns = now_ns;
		c->cursor += n;
		s->n.msgs_out += n;
	}
}

static void end_conn(struct soup_server *s, uint32_t conn, uint64_t now_ns)
{
	uint8_t msg[SOUP_HEAD_BYTES];

	s->n.ended++;
	send_packet(s, &s->conn[conn], msg, soup_build(msg, SOUP_END, NULL, 0), now_ns);
	soup_server_close(s, conn);
}

void soup_server_pump(struct soup_server *s, uint64_t now_ns)
{
	for (uint32_t i = 0; i < s->n_conns; i++) {
		struct soup_server_conn *c = &s->conn[i];

		if (c->state != SOUP_SERVER_ACTIVE || c->cursor == c->stream->seq_next)
			continue;
		if (c->cursor < c->stream->seq_first) { /* a client so slow that its messages are no longer kept */
			s->n.closed_dead++;
			soup_server_close(s, i);
			continue;
		}
		pump_conn(s, c, now_ns);
		if (c->cursor == c->stream->seq_next && s->hooks.complete && s->hooks.complete(s->hooks.arg, i))
			end_conn(s, i, now_ns);
	}
}

static void conn_timers(struct soup_server *s, uint32_t conn, uint64_t now_ns)
{
	struct soup_server_conn *c = &s->conn[conn];
	uint8_t msg[SOUP_HEAD_BYTES];

	if (c->state == SOUP_SERVER_SILENT && now_ns - c->opened_ns > s->login_ns) {
		s->n.closed_no_login++;
		soup_server_close(s, conn);
	} else if (c->state == SOUP_SERVER_ACTIVE && now_ns - c->rx_ns > c->dead_ns) {
		s->n.closed_dead++;
		soup_server_close(s, conn);
	} else if (c->state == SOUP_SERVER_ACTIVE && now_ns - c->tx_ns >= s->heartbeat_ns) {
		send_packet(s, c, msg, soup_build(msg, SOUP_SERVER_HEARTBEAT, NULL, 0), now_ns);
	}
}

void soup_server_timers(struct soup_server *s, uint64_t now_ns)
{
	for (uint32_t i = 0; i < s->n_conns; i++)
		if (s->conn[i].state != SOUP_SERVER_FREE)
			conn_timers(s, i, now_ns);
}

void soup_server_end(struct soup_server *s, uint64_t now_ns)
{
	soup_server_pump(s, now_ns);
	for (uint32_t i = 0; i < s->n_conns; i++) {
		if (s->conn[i].state == SOUP_SERVER_ACTIVE)
			end_conn(s, i, now_ns);
		else
			soup_server_close(s, i);
	}
}
