/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/soupbintcp.h"

#include <strings.h>

#include "dataplane/codec/ascii.h"
#include "dataplane/runtime/compiler.h"

#define LENGTH_BYTES 2u
#define USERNAME_BYTES 6u
#define PASSWORD_BYTES 10u
#define SESSION_BYTES 10u
#define SEQ_BYTES 20u
#define HEARTBEAT_BYTES 5u
#define HEARTBEAT_MS_MAX 99999u /* what five digits hold */

void soup_framer_init(struct soup_framer *f, uint8_t *buf, uint32_t buf_bytes)
{
	*f = (struct soup_framer){.buf = buf, .buf_bytes = buf_bytes};
}

void soup_framer_feed(struct soup_framer *f, const uint8_t *data, uint32_t bytes)
{
	f->at = data;
	f->end = data + bytes;
}

/* moves bytes of the segment behind the held ones until `want` are held; false: the segment is used up before */
static bool hold(struct soup_framer *f, uint32_t want)
{
	uint32_t left = (uint32_t)(f->end - f->at);
	uint32_t n = want > f->held ? want - f->held : 0;

	if (n > left)
		n = left;
	if (n != 0) /* an empty segment may be NULL */
		memcpy(f->buf + f->held, f->at, n);
	f->held += n;
	f->at += n;
	return f->held >= want;
}

static enum soup_result broken(struct soup_framer *f)
{
	f->broken = true;
	return SOUP_MALFORMED;
}

static enum soup_result hand_out(struct soup_packet *p, const uint8_t *packet, uint32_t length)
{
	p->type = packet[LENGTH_BYTES];
	p->bytes = length - 1;
	p->payload = packet + SOUP_HEAD_BYTES;
	return SOUP_PACKET;
}

static bool length_ok(const struct soup_framer *f, uint32_t length)
{
	return length != 0 && LENGTH_BYTES + length <= f->buf_bytes;
}

/* a packet of which a part came with an earlier segment */
static enum soup_result next_held(struct soup_framer *f, struct soup_packet *p)
{
	if (!hold(f, LENGTH_BYTES))
		return SOUP_MORE;

	uint32_t length = wire_u16(f->buf);

	if (!length_ok(f, length))
		return broken(f);
	if (!hold(f, LENGTH_BYTES + length))
		return SOUP_MORE;
	f->held_out = true;
	return hand_out(p, f->buf, length);
}

enum soup_result soup_framer_next(struct soup_framer *f, struct soup_packet *p)
{
	if (gn_unlikely(f->broken))
		return SOUP_MALFORMED;
	if (f->held_out) {
		f->held_out = false;
		f->held = 0;
	}

	uint32_t left = (uint32_t)(f->end - f->at);

	if (gn_unlikely(f->held != 0 || left < LENGTH_BYTES))
		return next_held(f, p);

	uint32_t length = wire_u16(f->at);

	if (gn_unlikely(!length_ok(f, length)))
		return broken(f);
	if (gn_unlikely(left < LENGTH_BYTES + length))
		return next_held(f, p);

	const uint8_t *packet = f->at;

	f->at += LENGTH_BYTES + length;
	return hand_out(p, packet, length);
}

uint32_t soup_build(uint8_t *out, uint8_t type, const void *payload, uint32_t bytes)
{
	if (bytes >= UINT16_MAX)
		return 0;
	soup_head(out, type, bytes);
	if (bytes != 0)
		memcpy(out + SOUP_HEAD_BYTES, payload, bytes);
	return SOUP_HEAD_BYTES + bytes;
}

uint32_t soup_login_build(const struct soup_login *login, uint8_t *out)
{
	uint32_t bytes = login->heartbeat_ms == 0 ? SOUP_LOGIN_BYTES : SOUP_LOGIN_41_BYTES;
	uint32_t ms = login->heartbeat_ms < HEARTBEAT_MS_MAX ? login->heartbeat_ms : HEARTBEAT_MS_MAX;

	soup_head(out, SOUP_LOGIN, bytes - SOUP_HEAD_BYTES);
	ascii_put_text(out + 3, USERNAME_BYTES, login->username);
	ascii_put_text(out + 9, PASSWORD_BYTES, login->password);
	ascii_put_text_right(out + 19, SESSION_BYTES, login->session);
	ascii_put_u64(out + 29, SEQ_BYTES, login->seq);
	if (bytes == SOUP_LOGIN_41_BYTES)
		ascii_put_u64(out + 49, HEARTBEAT_BYTES, ms);
	return bytes;
}

bool soup_login_parse(const struct soup_packet *p, struct soup_login *login)
{
	uint64_t ms = 0;

	if (p->type != SOUP_LOGIN || (p->bytes != SOUP_LOGIN_BYTES - SOUP_HEAD_BYTES && p->bytes != SOUP_LOGIN_41_BYTES - SOUP_HEAD_BYTES))
		return false;
	if (!ascii_u64(p->payload + 26, SEQ_BYTES, &login->seq))
		return false;
	if (p->bytes == SOUP_LOGIN_41_BYTES - SOUP_HEAD_BYTES && !ascii_u64(p->payload + 46, HEARTBEAT_BYTES, &ms))
		return false;
	login->heartbeat_ms = (uint32_t)ms;
	ascii_text(p->payload, USERNAME_BYTES, login->username);
	ascii_text(p->payload + 6, PASSWORD_BYTES, login->password);
	ascii_text(p->payload + 16, SESSION_BYTES, login->session);
	return true;
}

bool soup_name_equal(const char *a, const char *b)
{
	return strcasecmp(a, b) == 0;
}

uint32_t soup_accepted_build(const struct soup_accepted *accepted, uint8_t *out)
{
	soup_head(out, SOUP_ACCEPTED, SOUP_ACCEPTED_BYTES - SOUP_HEAD_BYTES);
	ascii_put_text_right(out + 3, SESSION_BYTES, accepted->session);
	ascii_put_u64(out + 13, SEQ_BYTES, accepted->seq);
	return SOUP_ACCEPTED_BYTES;
}

bool soup_accepted_parse(const struct soup_packet *p, struct soup_accepted *accepted)
{
	if (p->type != SOUP_ACCEPTED || p->bytes != SOUP_ACCEPTED_BYTES - SOUP_HEAD_BYTES)
		return false;
	if (!ascii_u64(p->payload + SESSION_BYTES, SEQ_BYTES, &accepted->seq))
		return false;
	ascii_text(p->payload, SESSION_BYTES, accepted->session);
	return true;
}

uint32_t soup_rejected_build(char reason, uint8_t *out)
{
	return soup_build(out, SOUP_REJECTED, &reason, 1);
}

char soup_rejected_parse(const struct soup_packet *p)
{
	return p->type == SOUP_REJECTED && p->bytes == 1 ? (char)p->payload[0] : '\0';
}

const char *soup_reject_reason(char reason)
{
	switch (reason) {
	case SOUP_REJECT_NOT_AUTHORISED: return "not authorised: user name or password is wrong";
	case SOUP_REJECT_NO_SESSION: return "the requested session is not available";
	default: return "unknown";
	}
}
