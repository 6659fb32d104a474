/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/moldudp64.h"

enum moldudp64_block moldudp64_skip_to(struct moldudp64_reader *r, uint64_t seq)
{
	const uint8_t *msg;
	uint32_t bytes;

	while (r->seq < seq) {
		enum moldudp64_block b = moldudp64_next(r, &msg, &bytes);

		if (b != MOLDUDP64_BLOCK)
			return b;
	}
	struct moldudp64_reader peek = *r;

	return moldudp64_next(&peek, &msg, &bytes);
}

enum moldudp64_block moldudp64_check(const struct moldudp64_reader *r)
{
	struct moldudp64_reader walk = *r;
	const uint8_t *msg;
	uint32_t bytes;

	for (;;) {
		enum moldudp64_block b = moldudp64_next(&walk, &msg, &bytes);

		if (b != MOLDUDP64_BLOCK)
			return b;
	}
}

struct moldudp64_session moldudp64_session_from(const char *text)
{
	struct moldudp64_session s;
	size_t n = strnlen(text, sizeof(s.c));

	memset(s.c, ' ', sizeof(s.c));
	memcpy(s.c, text, n);
	return s;
}

static uint32_t head(uint8_t *out, const struct moldudp64_session *session, uint64_t seq, uint16_t count)
{
	memcpy(out, session->c, sizeof(session->c));
	wire_put_u64(out + 10, seq);
	wire_put_u16(out + 18, count);
	return MOLDUDP64_HEAD_BYTES;
}

void moldudp64_begin(struct moldudp64_writer *w, uint8_t *data, uint32_t bytes_max, const struct moldudp64_session *session,
	uint64_t seq)
{
	w->data = data;
	w->bytes_max = bytes_max;
	w->n = 0;
	w->bytes = head(data, session, seq, 0);
}

uint8_t *moldudp64_claim(struct moldudp64_writer *w, uint32_t bytes)
{
	/* one count is the end of session's own */
	if (bytes > UINT16_MAX || w->n == MOLDUDP64_COUNT_END - 1 || MOLDUDP64_BLOCK_BYTES + bytes > w->bytes_max - w->bytes)
		return NULL;

	uint8_t *msg = w->data + w->bytes + MOLDUDP64_BLOCK_BYTES;

	wire_put_u16(w->data + w->bytes, (uint16_t)bytes);
	w->bytes += MOLDUDP64_BLOCK_BYTES + bytes;
	w->n++;
	return msg;
}

bool moldudp64_append(struct moldudp64_writer *w, const void *msg, uint32_t bytes)
{
	uint8_t *at = moldudp64_claim(w, bytes);

	if (at == NULL)
		return false;
	memcpy(at, msg, bytes);
	return true;
}

uint32_t moldudp64_close(struct moldudp64_writer *w)
{
	wire_put_u16(w->data + 18, w->n);
	return w->bytes;
}

uint32_t moldudp64_heartbeat(uint8_t *out, const struct moldudp64_session *session, uint64_t seq_next)
{
	return head(out, session, seq_next, 0);
}

uint32_t moldudp64_end(uint8_t *out, const struct moldudp64_session *session, uint64_t seq_next)
{
	return head(out, session, seq_next, MOLDUDP64_COUNT_END);
}

uint32_t moldudp64_request_encode(const struct moldudp64_request *req, uint8_t *out)
{
	return head(out, &req->session, req->seq, req->count);
}

bool moldudp64_request_decode(const uint8_t *data, uint32_t bytes, struct moldudp64_request *req)
{
	if (bytes != MOLDUDP64_REQUEST_BYTES || wire_u16(data + 18) == 0)
		return false;
	memcpy(req->session.c, data, sizeof(req->session.c));
	req->seq = wire_u64(data + 10);
	req->count = wire_u16(data + 18);
	return true;
}
