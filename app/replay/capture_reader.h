/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_CAPTURE_READER_H
#define REPLAY_CAPTURE_READER_H

/**
 * @file
 * Recorded market data, one piece after the other: raw ITCH 5.0 files (u16 length and message), pcap and pcapng files
 * with MoldUDP64 over UDP; any of them gzip or zstd packed, from a path or standard input. Memory is bounded; one thread.
 *
 * What is wrong in a packet is a counter, what is wrong in the file is an error that names file and offset.
 */

#include "byte_source.h"
#include "packet.h"

#include "dataplane/runtime/counters.h"

#define CAPTURE_LINES_MAX 8u

#define CAPTURE_COUNTERS(X)                                                        \
	X(frame, "frames read")                                                    \
	X(datagram, "MoldUDP64 datagrams handed out")                              \
	X(message, "messages of raw files handed out")                             \
	X(frame_other, "frames that are not UDP over IPv4")                        \
	X(frame_fragment, "fragments of datagrams, dropped")                       \
	X(frame_cut, "frames captured only in part, dropped")                      \
	X(frame_bad, "frames with lengths that contradict each other, dropped")    \
	X(datagram_other, "datagrams that are not MoldUDP64, dropped")             \
	X(datagram_extra, "datagrams of too many destinations, dropped")

enum capture_kind {
	CAPTURE_MESSAGE,  /* one ITCH message of a raw file */
	CAPTURE_DATAGRAM, /* one MoldUDP64 datagram */
};

/** One piece. */
struct capture_record {
	enum capture_kind kind;
	const uint8_t *data; /* until the next call */
	uint32_t bytes;
	uint32_t line;   /* DATAGRAM: each destination address and port is a line */
	uint64_t index;  /* MESSAGE: from 1, over the file; DATAGRAM: number of the frame, from 1 */
	uint64_t offset; /* of the message's length, or of the frame's head, in the unpacked file */
	uint64_t ns;     /* DATAGRAM: when it was captured, since the Unix epoch */
};

struct capture_pcap; /* private */

struct capture_reader {
	struct byte_source source;
	struct capture_pcap *pcap; /* NULL: a raw file */
	uint64_t index;
	uint32_t n_lines;
	struct { uint32_t ip; uint16_t port; } line[CAPTURE_LINES_MAX];
	struct {
		CAPTURE_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

/**
 * Open a capture and look at what it is. The path must outlive the reader. Cold.
 *
 * @param path
 *   "-": standard input.
 * @return
 *   0, or -errno with gn_err_text(): it cannot be opened, or is none of the formats.
 */
int capture_open(struct capture_reader *c, const char *path);

/** As capture_open(), of an open file, which the reader then closes. */
int capture_open_fd(struct capture_reader *c, int fd, const char *name);
void capture_close(struct capture_reader *c);

/** Take over what an earlier file of the same stream has shown of destinations, so that a line keeps its number. */
void capture_continue(struct capture_reader *c, const struct capture_reader *earlier);

/** capture_next() for pcap, and for what is not a whole message in the buffer. */
int capture_next_slow(struct capture_reader *c, struct capture_record *r);

/**
 * The next piece.
 *
 * @return
 *   1; 0 at the end; -errno with gn_err_text(): file and offset of what is wrong.
 */
static inline int capture_next(struct capture_reader *c, struct capture_record *r)
{
	struct byte_source *s = &c->source;
	size_t have = s->end - s->at;

	if (c->pcap != NULL || have < 2)
		return capture_next_slow(c, r);

	const uint8_t *p = s->buf + s->at;
	uint32_t bytes = (uint32_t)p[0] << 8 | p[1];

	if (bytes == 0 || have < 2 + (size_t)bytes)
		return capture_next_slow(c, r);
	r->kind = CAPTURE_MESSAGE;
	r->data = p + 2;
	r->bytes = bytes;
	r->line = 0;
	r->index = ++c->index;
	r->offset = s->offset;
	r->ns = 0;
	c->n.message++;
	byte_source_take(s, 2 + (size_t)bytes);
	return 1;
}

#endif
