/* SPDX-License-Identifier: BSD-3-Clause */
#include "capture_reader.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/itch50.h"
#include "dataplane/codec/moldudp64.h"
#include "dataplane/runtime/err.h"

#define MAGIC_BYTES 4u

struct capture_pcap {
	pcap_t *handle;
	enum packet_link link;
};

/* libpcap reads through stdio, stdio through the source: so packed files and pipes are the same to it */
static ssize_t cookie_read(void *arg, char *to, size_t bytes)
{
	struct byte_source *s = arg;
	ssize_t have = byte_source_peek(s, 1);

	if (have < 0) {
		errno = (int)-have;
		return -1;
	}
	if ((size_t)have < bytes)
		bytes = (size_t)have;
	memcpy(to, s->buf + s->at, bytes);
	byte_source_take(s, bytes);
	return (ssize_t)bytes;
}

/* only tells where it is, for ftello() */
static int cookie_seek(void *arg, off64_t *to, int whence)
{
	if (whence != SEEK_CUR || *to != 0)
		return -1;
	*to = (off64_t)((const struct byte_source *)arg)->offset;
	return 0;
}

/* the source's own error says more than what libpcap makes of it */
static int pcap_failed(const struct capture_reader *c, uint64_t offset, const char *text)
{
	if (c->source.rc < 0 && c->source.at == c->source.end)
		return gn_err_in(c->source.rc, "%s: at byte %" PRIu64 " of the capture", c->source.name, offset);
	return gn_err(0, "%s: at byte %" PRIu64 ": %s", c->source.name, offset, text);
}

/* of the next frame */
static uint64_t pcap_offset(const struct capture_reader *c)
{
	off_t at = ftello(pcap_file(c->pcap->handle));

	return at < 0 ? c->source.offset : (uint64_t)at;
}

static int pcap_link(struct capture_reader *c)
{
	int dlt = pcap_datalink(c->pcap->handle);

	switch (dlt) {
	case DLT_EN10MB: c->pcap->link = PACKET_ETHERNET; return 0;
	case DLT_LINUX_SLL: c->pcap->link = PACKET_SLL; return 0;
	case DLT_LINUX_SLL2: c->pcap->link = PACKET_SLL2; return 0;
	case DLT_RAW:
	case DLT_IPV4: c->pcap->link = PACKET_IP; return 0;
	default:
		return gn_err(ENOTSUP, "%s: link type %d (%s), expected Ethernet, Linux cooked or IP", c->source.name, dlt,
			pcap_datalink_val_to_name(dlt) != NULL ? pcap_datalink_val_to_name(dlt) : "unknown");
	}
}

static int pcap_begin(struct capture_reader *c)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	FILE *f = fopencookie(&c->source, "r", (cookie_io_functions_t){.read = cookie_read, .seek = cookie_seek});

	c->pcap = calloc(1, sizeof(*c->pcap));
	if (f == NULL || c->pcap == NULL) {
		if (f != NULL)
			fclose(f);
		return gn_err(ENOMEM, "%s", c->source.name);
	}
	c->pcap->handle = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, text);
	if (c->pcap->handle == NULL) {
		fclose(f);
		return pcap_failed(c, 0, text);
	}
	return pcap_link(c);
}

/* the destination's number, CAPTURE_LINES_MAX: there are too many */
static uint32_t line_of(struct capture_reader *c, const struct packet_datagram *d)
{
	for (uint32_t i = 0; i < c->n_lines; i++)
		if (c->line[i].ip == d->dst_ip && c->line[i].port == d->dst_port)
			return i;
	if (c->n_lines == CAPTURE_LINES_MAX)
		return CAPTURE_LINES_MAX;
	c->line[c->n_lines].ip = d->dst_ip;
	c->line[c->n_lines].port = d->dst_port;
	return c->n_lines++;
}

/* is it, all of it? the feed would refuse it anyway, but here it must not take a line's place */
static bool is_moldudp64(const struct packet_datagram *d)
{
	struct moldudp64_reader r;

	return moldudp64_open(&r, d->payload, d->bytes) != MOLDUDP64_MALFORMED && moldudp64_check(&r) == MOLDUDP64_DONE;
}

/* false: counted and dropped */
static bool take_frame(struct capture_reader *c, const uint8_t *frame, uint32_t bytes, struct capture_record *r)
{
	struct packet_datagram d;

	c->n.frame++;
	switch (packet_parse(c->pcap->link, frame, bytes, &d)) {
	case PACKET_DATAGRAM: break;
	case PACKET_OTHER: c->n.frame_other++; return false;
	case PACKET_FRAGMENT: c->n.frame_fragment++; return false;
	case PACKET_CUT: c->n.frame_cut++; return false;
	case PACKET_BAD: c->n.frame_bad++; return false;
	}
	if (!is_moldudp64(&d)) {
		c->n.datagram_other++;
		return false;
	}
	r->line = line_of(c, &d);
	if (r->line == CAPTURE_LINES_MAX) {
		c->n.datagram_extra++;
		return false;
	}
	r->kind = CAPTURE_DATAGRAM;
	r->data = d.payload;
	r->bytes = d.bytes;
	c->n.datagram++;
	return true;
}

static int next_datagram(struct capture_reader *c, struct capture_record *r)
{
	for (;;) {
		struct pcap_pkthdr *head;
		const uint8_t *frame;
		uint64_t offset = pcap_offset(c);
		int rc = pcap_next_ex(c->pcap->handle, &head, &frame);

		if (rc == PCAP_ERROR_BREAK && c->source.rc == 0)
			return 0;
		if (rc != 1)
			return pcap_failed(c, offset, rc == PCAP_ERROR ? pcap_geterr(c->pcap->handle) : "cannot be read");
		r->index = ++c->index;
		r->offset = offset;
		r->ns = (uint64_t)head->ts.tv_sec * 1000000000 + (uint64_t)head->ts.tv_usec; /* nanoseconds: we asked for them */
		if (take_frame(c, frame, head->caplen, r))
			return 1;
	}
}

static int after_end_mark(struct capture_reader *c)
{
	byte_source_take(&c->source, 2);

	ssize_t have = byte_source_peek(&c->source, 1);

	if (have < 0)
		return (int)have;
	if (have != 0)
		return gn_err(0, "%s: at byte %" PRIu64 ": bytes after the end mark (a message of length 0)",
			c->source.name, c->source.offset);
	return 0;
}

int capture_next_slow(struct capture_reader *c, struct capture_record *r)
{
	struct byte_source *s = &c->source;

	if (c->pcap != NULL)
		return next_datagram(c, r);

	ssize_t have = byte_source_peek(s, 2);

	if (have <= 0)
		return (int)have;
	if (have == 1)
		return gn_err(0, "%s: at byte %" PRIu64 ": ends within the length of a message", s->name, s->offset);

	size_t bytes = wire_u16(s->buf + s->at);

	if (bytes == 0)
		return after_end_mark(c);
	have = byte_source_peek(s, 2 + bytes);
	if (have < 0)
		return (int)have;
	if ((size_t)have < 2 + bytes)
		return gn_err(0, "%s: at byte %" PRIu64 ": ends within a message of %zu bytes, %zd of them missing", s->name,
			s->offset, bytes, (ssize_t)(2 + bytes) - have);
	return capture_next(c, r);
}

static bool is_pcap(const uint8_t *p)
{
	static const uint32_t magic[] = {0xa1b2c3d4, 0xd4c3b2a1, 0xa1b23c4d, 0x4d3cb2a1, 0x0a0d0d0a};

	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (wire_u32(p) == magic[i])
			return true;
	return false;
}

/* a raw file begins with a message; that one must be known, or anything at all would pass for a raw file */
static int check_raw(struct capture_reader *c)
{
	struct byte_source *s = &c->source;
	ssize_t have = byte_source_peek(s, 3);

	if (have < 0)
		return (int)have;

	const uint8_t *p = s->buf + s->at;
	bool empty = have == 0 || (have == 2 && wire_u16(p) == 0);

	if (!empty && (have < 3 || itch50_bytes(p[2]) == 0 || itch50_bytes(p[2]) != wire_u16(p)))
		return gn_err(0, "%s: neither pcap nor pcapng nor a raw ITCH 5.0 file (u16 length and message)", s->name);
	return 0;
}

static int begin(struct capture_reader *c)
{
	ssize_t have = byte_source_peek(&c->source, MAGIC_BYTES);

	if (have < 0)
		return (int)have;
	if (have >= (ssize_t)MAGIC_BYTES && is_pcap(c->source.buf + c->source.at))
		return pcap_begin(c);
	return check_raw(c);
}

static int open_source(struct capture_reader *c, int rc)
{
	if (rc < 0)
		return rc;
	rc = begin(c);
	if (rc < 0)
		capture_close(c);
	return rc;
}

int capture_open(struct capture_reader *c, const char *path)
{
	memset(c, 0, sizeof(*c));
	return open_source(c, byte_source_open(&c->source, path));
}

int capture_open_fd(struct capture_reader *c, int fd, const char *name)
{
	memset(c, 0, sizeof(*c));
	return open_source(c, byte_source_open_fd(&c->source, fd, name));
}

void capture_close(struct capture_reader *c)
{
	if (c->pcap != NULL) {
		if (c->pcap->handle != NULL)
			pcap_close(c->pcap->handle);
		free(c->pcap);
		c->pcap = NULL;
	}
	byte_source_close(&c->source);
}

void capture_continue(struct capture_reader *c, const struct capture_reader *earlier)
{
	memcpy(c->line, earlier->line, sizeof(c->line));
	c->n_lines = earlier->n_lines;
}
