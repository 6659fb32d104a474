/* SPDX-License-Identifier: BSD-3-Clause */
#include "publish.h"

#include "dataplane/codec/itch50.h"

int publish_init(struct publish *p, const struct exchange_config *config, uint64_t now_ns, uint64_t midnight_ns,
	void (*out)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes), void *arg)
{
	*p = (struct publish){
		.session = moldudp64_session_from(config->session),
		.datagram_bytes_max = config->datagram_bytes_max,
		.heartbeat_ns = config->md_heartbeat_ns,
		.sent_ns = now_ns,
		.midnight_ns = midnight_ns,
	};
	int rc = lines_init(&p->lines, config, now_ns, out, arg);

	return rc < 0 ? rc : store_init(&p->store, (size_t)config->store_mib << 20);
}

void publish_fini(struct publish *p)
{
	lines_fini(&p->lines);
	store_fini(&p->store);
}

void publish_flush(struct publish *p, uint64_t now_ns)
{
	if (!p->open)
		return;
	uint32_t bytes = moldudp64_close(&p->writer);

	p->open = false;
	p->sent_ns = now_ns;
	p->n.datagrams++;
	lines_send(&p->lines, p->datagram, bytes, now_ns);
}

static void begin(struct publish *p)
{
	moldudp64_begin(&p->writer, p->datagram, p->datagram_bytes_max, &p->session, p->store.seq_next);
	p->open = true;
}

void publish_raw(struct publish *p, const uint8_t *msg, uint32_t bytes, uint64_t now_ns)
{
	if (!p->open)
		begin(p);
	if (!moldudp64_append(&p->writer, msg, bytes)) {
		publish_flush(p, now_ns);
		begin(p);
		moldudp64_append(&p->writer, msg, bytes);
	}
	store_put(&p->store, msg, bytes);
	p->n.msgs++;
}

void publish_md(struct publish *p, struct gn_md *md, uint16_t locate, gn_symbol symbol, uint64_t now_ns)
{
	uint8_t msg[ITCH50_BYTES_MAX];

	md->exch_ns = now_ns - p->midnight_ns;
	publish_raw(p, msg, itch50_encode(md, locate, 0, symbol, msg), now_ns);
}

static bool heartbeat(struct publish *p, uint64_t now_ns)
{
	uint8_t msg[MOLDUDP64_HEAD_BYTES];

	if (now_ns - p->sent_ns < p->heartbeat_ns)
		return false;
	p->sent_ns = now_ns;
	p->n.heartbeats++;
	lines_send(&p->lines, msg, moldudp64_heartbeat(msg, &p->session, p->store.seq_next), now_ns);
	return true;
}

bool publish_work(struct publish *p, uint64_t now_ns)
{
	return lines_work(&p->lines, now_ns) || heartbeat(p, now_ns);
}

void publish_end(struct publish *p, uint64_t now_ns)
{
	uint8_t msg[MOLDUDP64_HEAD_BYTES];

	publish_flush(p, now_ns);
	p->sent_ns = now_ns;
	lines_send(&p->lines, msg, moldudp64_end(msg, &p->session, p->store.seq_next), now_ns);
	lines_drain(&p->lines);
}

static bool request_ok(struct publish *p, const uint8_t *request, uint32_t bytes, struct moldudp64_request *r)
{
	p->n.requests++;
	if (!moldudp64_request_decode(request, bytes, r)) {
		p->n.requests_malformed++;
		return false;
	}
	if (!moldudp64_session_equal(&r->session, &p->session)) {
		p->n.requests_other_session++;
		return false;
	}
	if (r->seq < p->store.seq_first)
		p->n.requests_gone++;
	else if (r->seq >= p->store.seq_next)
		p->n.requests_ahead++;
	return r->seq >= p->store.seq_first && r->seq < p->store.seq_next;
}

uint32_t publish_reply(struct publish *p, const uint8_t *request, uint32_t bytes, uint8_t *out)
{
	struct moldudp64_request r;
	struct moldudp64_writer w;
	const uint8_t *msg;
	uint32_t msg_bytes;

	if (!request_ok(p, request, bytes, &r))
		return 0;
	moldudp64_begin(&w, out, p->datagram_bytes_max, &p->session, r.seq);
	for (uint64_t i = 0; i < r.count && store_get(&p->store, r.seq + i, &msg, &msg_bytes); i++)
		if (!moldudp64_append(&w, msg, msg_bytes))
			break;
	p->n.replies++;
	return moldudp64_close(&w);
}
