/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_PUBLISH_H
#define EXCHANGE_PUBLISH_H

/**
 * @file
 * The market-data stream: ITCH 5.0 messages get their sequence number, are kept for re-requests and leave in MoldUDP64
 * datagrams on all lines. One thread.
 */

#include <gannet/md.h>

#include "app/exchange/lines.h"
#include "app/exchange/store.h"
#include "dataplane/codec/moldudp64.h"

struct publish_counts {
	uint64_t msgs, datagrams, heartbeats;
	uint64_t requests, requests_malformed, requests_other_session, requests_ahead, requests_gone, replies;
};

struct publish {
	struct lines lines;
	struct store store;
	struct moldudp64_session session;
	struct moldudp64_writer writer;
	bool open; /* writer holds a datagram begun */
	uint32_t datagram_bytes_max;
	uint64_t heartbeat_ns, sent_ns;
	uint64_t midnight_ns;
	uint8_t datagram[LINES_DATAGRAM_BYTES_MAX];
	struct publish_counts n;
};

/** Cold. 0 or -errno. */
int publish_init(struct publish *p, const struct exchange_config *config, uint64_t now_ns, uint64_t midnight_ns,
	void (*out)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes), void *arg);
void publish_fini(struct publish *p);

/** Append one event to the stream; its exch_ns is set here. It leaves with the datagram: when that is full, or flushed. */
void publish_md(struct publish *p, struct gn_md *md, uint16_t locate, gn_symbol symbol, uint64_t now_ns);

/** Append one encoded ITCH message as it is. */
void publish_raw(struct publish *p, const uint8_t *msg, uint32_t bytes, uint64_t now_ns);

/** Send what was appended. At the end of each unit of work. */
void publish_flush(struct publish *p, uint64_t now_ns);

/** Send a heartbeat when nothing was sent for so long; or a datagram of a late line. False: nothing was due. */
bool publish_work(struct publish *p, uint64_t now_ns);

/** Send "end of session" on all lines, once. */
void publish_end(struct publish *p, uint64_t now_ns);

/** Sequence number that the next message will have. */
static inline uint64_t publish_seq_next(const struct publish *p)
{
	return p->store.seq_next;
}

/**
 * Answer one re-request.
 *
 * @param out
 *   Room for the configured datagram size.
 * @return
 *   Bytes of the reply; 0: none is sent (malformed, another session, not sent yet, no longer kept), counted.
 */
uint32_t publish_reply(struct publish *p, const uint8_t *request, uint32_t bytes, uint8_t *out);

#endif
