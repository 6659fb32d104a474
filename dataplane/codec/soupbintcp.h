/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_SOUPBINTCP_H
#define CODEC_SOUPBINTCP_H

/**
 * @file
 * SoupBinTCP 3.00 to 4.10: packets in a TCP stream, both directions. Pure functions, any thread, no socket, no clock.
 *
 * On the wire: u16 length (type and payload, not itself), u8 type, payload.
 */

#include <stdbool.h>

#include "dataplane/codec/wire.h"

#define SOUP_HEAD_BYTES 3u /* length and type */
#define SOUP_PACKET_BYTES_MAX (2u + 0xffffu)
#define SOUP_LOGIN_BYTES 49u    /* whole packet, 3.x and 4.0 */
#define SOUP_LOGIN_41_BYTES 54u /* with the heartbeat field of 4.1 */
#define SOUP_ACCEPTED_BYTES 33u
#define SOUP_REJECTED_BYTES 4u

/** Packet types. U goes both ways. */
enum soup_type {
	SOUP_DEBUG = '+',            /* both: text, to be ignored */
	SOUP_ACCEPTED = 'A',         /* server: login accepted */
	SOUP_REJECTED = 'J',         /* server: login rejected, it then closes */
	SOUP_SEQUENCED = 'S',        /* server: one message, has a sequence number */
	SOUP_UNSEQUENCED = 'U',      /* client, and server since 4.0: one message */
	SOUP_SERVER_HEARTBEAT = 'H', /* server */
	SOUP_END = 'Z',              /* server: end of session */
	SOUP_LOGIN = 'L',            /* client */
	SOUP_CLIENT_HEARTBEAT = 'R', /* client */
	SOUP_LOGOUT = 'O',           /* client */
};

enum {
	SOUP_REJECT_NOT_AUTHORISED = 'A',
	SOUP_REJECT_NO_SESSION = 'S',
};

/** One packet, in place. */
struct soup_packet {
	uint8_t type;           /* enum soup_type, or one that is not known: to be ignored */
	uint32_t bytes;         /* of payload */
	const uint8_t *payload; /* valid until the next call on the framer */
};

enum soup_result {
	SOUP_MALFORMED = 0, /* length 0, or longer than the buffer: the stream cannot be followed any further */
	SOUP_PACKET,
	SOUP_MORE, /* all whole packets are out, the rest is kept: give it the next segment */
};

/** Cuts a TCP stream into packets. The members are the framer's own. */
struct soup_framer {
	uint8_t *buf; /* holds a packet that is spread over segments */
	uint32_t buf_bytes, held;
	const uint8_t *at, *end; /* what is left of the segment */
	bool held_out;           /* the held packet was handed out by the last call */
	bool broken;
};

/**
 * Begin a stream, or begin anew after a reconnect.
 *
 * @param buf
 *   The caller's, lives as long as the framer.
 * @param buf_bytes
 *   Longest packet to accept, length field included; at least SOUP_HEAD_BYTES.
 */
void soup_framer_init(struct soup_framer *f, uint8_t *buf, uint32_t buf_bytes);

/**
 * Give the next segment of the stream. Hot path; copies nothing.
 *
 * Only at the start or after soup_framer_next() has returned SOUP_MORE. The bytes must stay until it does so again.
 */
void soup_framer_feed(struct soup_framer *f, const uint8_t *data, uint32_t bytes);

/**
 * The next packet. Hot path: a packet that is whole in its segment is handed out in place; one that is spread over
 * segments is put together in the buffer.
 *
 * @return
 *   SOUP_MALFORMED is for ever, until soup_framer_init().
 */
enum soup_result soup_framer_next(struct soup_framer *f, struct soup_packet *p);

/** Write the three bytes in front of a payload that the caller puts at out + SOUP_HEAD_BYTES. Hot path. */
static inline void soup_head(uint8_t *out, uint8_t type, uint32_t payload_bytes)
{
	wire_put_u16(out, (uint16_t)(payload_bytes + 1));
	out[2] = type;
}

/**
 * Write any packet: sequenced, unsequenced, debug; with no payload heartbeats, end of session, logout.
 *
 * @param out
 *   Room for SOUP_HEAD_BYTES + bytes.
 * @param bytes
 *   At most 65534.
 * @return
 *   Bytes written; 0: too long.
 */
uint32_t soup_build(uint8_t *out, uint8_t type, const void *payload, uint32_t bytes);

/** A login request. Texts end with NUL; what is too long for the wire is cut. */
struct soup_login {
	char username[7];
	char password[11];
	char session[11];      /* "": the current one */
	uint64_t seq;          /* first wanted; 1: from the start, 0: only new ones */
	uint32_t heartbeat_ms; /* 4.1: silence after which the server may drop us; 0: no such field (3.x, 4.0) */
};

/** Write a login request. @return SOUP_LOGIN_BYTES or SOUP_LOGIN_41_BYTES. */
uint32_t soup_login_build(const struct soup_login *login, uint8_t *out);

/** Read a login request. False: another type or length, or a field that is no number. */
bool soup_login_parse(const struct soup_packet *p, struct soup_login *login);

/** Are two user names or passwords the same? Case does not count. */
bool soup_name_equal(const char *a, const char *b);

/** A login reply. */
struct soup_accepted {
	char session[11];
	uint64_t seq; /* of the first sequenced packet that follows */
};

/** Write a login reply. @return SOUP_ACCEPTED_BYTES. */
uint32_t soup_accepted_build(const struct soup_accepted *accepted, uint8_t *out);

/** Read a login reply. False: another type or length, or no number. */
bool soup_accepted_parse(const struct soup_packet *p, struct soup_accepted *accepted);

/** Write a login rejection. @return SOUP_REJECTED_BYTES. */
uint32_t soup_rejected_build(char reason, uint8_t *out);

/** Read a login rejection: its reason, or 0 when it is none. */
char soup_rejected_parse(const struct soup_packet *p);

/** What a rejection's reason says, for people. Never NULL. */
const char *soup_reject_reason(char reason);

#endif
