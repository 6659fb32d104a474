/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_MOLDUDP64_H
#define CODEC_MOLDUDP64_H

/**
 * @file
 * MoldUDP64 1.00: sequenced messages in datagrams, and the request for lost ones. Pure functions, any thread.
 */

#include <stdbool.h>

#include "dataplane/codec/wire.h"
#include "dataplane/runtime/compiler.h"

#define MOLDUDP64_HEAD_BYTES 20u
#define MOLDUDP64_BLOCK_BYTES 2u /* the length in front of every message */
#define MOLDUDP64_REQUEST_BYTES 20u
#define MOLDUDP64_COUNT_END 0xffffu

/** Session name, padded with blanks on the right. Compare with moldudp64_session_equal(). */
struct moldudp64_session {
	char c[10];
};

/** What a datagram is. */
enum moldudp64_kind {
	MOLDUDP64_MALFORMED = 0, /* shorter than its head, or its sequence numbers would pass 2^64-1 */
	MOLDUDP64_MESSAGES,      /* one or more blocks follow: moldudp64_next() */
	MOLDUDP64_HEARTBEAT,     /* nothing new; seq is the next one expected */
	MOLDUDP64_END,           /* end of session; seq is the next one that would have come */
};

/** What the next block is. */
enum moldudp64_block {
	MOLDUDP64_BLOCK,    /* msg and bytes are set; a block may be empty and still has a sequence number */
	MOLDUDP64_DONE,     /* that was the last one, and the datagram ends where it should */
	MOLDUDP64_OVERRUN,  /* a block reaches past the datagram, or fewer blocks than counted */
	MOLDUDP64_TRAILING, /* bytes left over after the last block */
};

/** Cursor in one datagram. All members may be read; only the functions below write them. */
struct moldudp64_reader {
	const uint8_t *at, *end;
	const uint8_t *session; /* struct moldudp64_session in place */
	uint64_t seq;           /* of the block that moldudp64_next() returns next */
	uint64_t seq_end;       /* one past the last block */
};

/**
 * Check the head of a datagram. Hot path; reads 20 bytes.
 *
 * @param data
 *   The datagram's payload, any address; must stay until the last moldudp64_next().
 */
static inline enum moldudp64_kind moldudp64_open(struct moldudp64_reader *r, const uint8_t *data, uint32_t bytes)
{
	if (gn_unlikely(bytes < MOLDUDP64_HEAD_BYTES))
		return MOLDUDP64_MALFORMED;

	uint16_t count = wire_u16(data + 18);

	r->session = data;
	r->seq = r->seq_end = wire_u64(data + 10);
	r->at = data + MOLDUDP64_HEAD_BYTES;
	r->end = data + bytes;
	if (gn_unlikely(count == 0))
		return MOLDUDP64_HEARTBEAT;
	if (gn_unlikely(count == MOLDUDP64_COUNT_END))
		return MOLDUDP64_END;
	r->seq_end = r->seq + count;
	return gn_likely(r->seq_end > r->seq) ? MOLDUDP64_MESSAGES : MOLDUDP64_MALFORMED;
}

/**
 * The next block. Hot path; reads two bytes.
 *
 * After OVERRUN or TRAILING the blocks already returned were whole; the datagram as a whole is malformed. Who wants
 * all or nothing calls moldudp64_check() first. Also serves heartbeats and ends of session (DONE, or TRAILING).
 *
 * @param msg
 *   Points into the datagram.
 */
static inline enum moldudp64_block moldudp64_next(struct moldudp64_reader *r, const uint8_t **msg, uint32_t *bytes)
{
	uint64_t left = (uint64_t)(r->end - r->at);

	if (gn_unlikely(r->seq == r->seq_end))
		return left == 0 ? MOLDUDP64_DONE : MOLDUDP64_TRAILING;
	if (gn_unlikely(left < MOLDUDP64_BLOCK_BYTES))
		return MOLDUDP64_OVERRUN;

	uint32_t n = wire_u16(r->at);

	if (gn_unlikely(n > left - MOLDUDP64_BLOCK_BYTES))
		return MOLDUDP64_OVERRUN;
	*msg = r->at + MOLDUDP64_BLOCK_BYTES;
	*bytes = n;
	r->at = *msg + n;
	r->seq++;
	return MOLDUDP64_BLOCK;
}

/**
 * Skip blocks until the next one is `seq` or the blocks end: for a datagram that overlaps what is known. Hot path.
 *
 * @return
 *   BLOCK: the next block is `seq`. DONE, OVERRUN, TRAILING: as moldudp64_next().
 */
enum moldudp64_block moldudp64_skip_to(struct moldudp64_reader *r, uint64_t seq);

/** Walk a whole opened datagram without moving its cursor: DONE when every block is whole and nothing is left over. */
enum moldudp64_block moldudp64_check(const struct moldudp64_reader *r);

static inline bool moldudp64_session_equal(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct moldudp64_session)) == 0;
}

/** Session from text of at most 10 characters, padded with blanks; longer text is cut. Cold. */
struct moldudp64_session moldudp64_session_from(const char *text);

/** A datagram being written. */
struct moldudp64_writer {
	uint8_t *data;
	uint32_t bytes, bytes_max;
	uint16_t n; /* blocks so far */
};

/**
 * Begin a datagram.
 *
 * @param data
 *   Room for bytes_max, which is at least MOLDUDP64_HEAD_BYTES.
 * @param seq
 *   Of its first message.
 */
void moldudp64_begin(struct moldudp64_writer *w, uint8_t *data, uint32_t bytes_max, const struct moldudp64_session *session,
	uint64_t seq);

/** Room for one more message of exactly `bytes`, to be written in place; NULL: close this datagram first. */
uint8_t *moldudp64_claim(struct moldudp64_writer *w, uint32_t bytes);

/** Append a copy of a message. False: close this datagram first. */
bool moldudp64_append(struct moldudp64_writer *w, const void *msg, uint32_t bytes);

/** Finish: a datagram without a message is a heartbeat. @return its length. */
uint32_t moldudp64_close(struct moldudp64_writer *w);

/** Write a heartbeat (20 bytes); seq_next is the sequence number that the next message will have. @return its length. */
uint32_t moldudp64_heartbeat(uint8_t *out, const struct moldudp64_session *session, uint64_t seq_next);

/** Write an end of session (20 bytes). @return its length. */
uint32_t moldudp64_end(uint8_t *out, const struct moldudp64_session *session, uint64_t seq_next);

/** What a receiver asks a re-request server for; the reply is an ordinary datagram with what fits. */
struct moldudp64_request {
	struct moldudp64_session session;
	uint64_t seq;
	uint16_t count;
};

/** Write a request (MOLDUDP64_REQUEST_BYTES). @return its length. */
uint32_t moldudp64_request_encode(const struct moldudp64_request *req, uint8_t *out);

/** Read a request. False: not 20 bytes, or it asks for nothing. */
bool moldudp64_request_decode(const uint8_t *data, uint32_t bytes, struct moldudp64_request *req);

#endif
