/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_CAPTURE_FILES_H
#define TEST_CAPTURE_FILES_H

/** @file Capture files made in memory: raw, pcap, pcapng, packed; for tests and fuzz seeds. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "dataplane/codec/moldudp64.h"

#define CAPTURE_FILE_BYTES_MAX 65536u

/** A growing file. */
struct capture_file {
	uint8_t data[CAPTURE_FILE_BYTES_MAX];
	uint32_t bytes;
};

static inline void capture_put(struct capture_file *f, const void *data, uint32_t bytes)
{
	if (bytes > sizeof(f->data) - f->bytes)
		abort();
	memcpy(f->data + f->bytes, data, bytes);
	f->bytes += bytes;
}

static inline void capture_put_u16(struct capture_file *f, uint16_t v)
{
	capture_put(f, &v, sizeof(v));
}

static inline void capture_put_u32(struct capture_file *f, uint32_t v)
{
	capture_put(f, &v, sizeof(v));
}

/** One message of a raw file. */
static inline void capture_put_message(struct capture_file *f, const void *msg, uint32_t bytes)
{
	uint8_t length[2];

	wire_put_u16(length, (uint16_t)bytes);
	capture_put(f, length, 2);
	capture_put(f, msg, bytes);
}

/** The head of a pcap file, little endian; nano: stamps are nanoseconds. */
static inline void capture_put_pcap_head(struct capture_file *f, bool nano, uint32_t link_type)
{
	capture_put_u32(f, nano ? 0xa1b23c4d : 0xa1b2c3d4);
	capture_put_u16(f, 2);
	capture_put_u16(f, 4);
	capture_put_u32(f, 0);
	capture_put_u32(f, 0);
	capture_put_u32(f, 65535);
	capture_put_u32(f, link_type);
}

static inline void capture_put_pcap_frame(
	struct capture_file *f, uint32_t s, uint32_t fraction, const uint8_t *frame, uint32_t bytes, uint32_t captured)
{
	capture_put_u32(f, s);
	capture_put_u32(f, fraction);
	capture_put_u32(f, captured);
	capture_put_u32(f, bytes);
	capture_put(f, frame, captured);
}

/** Section and interface of a pcapng file, Ethernet, stamps in nanoseconds. */
static inline void capture_put_pcapng_head(struct capture_file *f)
{
	capture_put_u32(f, 0x0a0d0d0a);
	capture_put_u32(f, 28);
	capture_put_u32(f, 0x1a2b3c4d);
	capture_put_u16(f, 1);
	capture_put_u16(f, 0);
	capture_put_u32(f, UINT32_MAX);
	capture_put_u32(f, UINT32_MAX);
	capture_put_u32(f, 28);
	capture_put_u32(f, 1);
	capture_put_u32(f, 32);
	capture_put_u16(f, 1);
	capture_put_u16(f, 0);
	capture_put_u32(f, 0);
	capture_put_u16(f, 9); /* if_tsresol */
	capture_put_u16(f, 1);
	capture_put_u32(f, 9);
	capture_put_u32(f, 0);
	capture_put_u32(f, 32);
}

static inline void capture_put_pcapng_frame(struct capture_file *f, uint64_t ns, const uint8_t *frame, uint32_t bytes)
{
	uint32_t padded = (bytes + 3) & ~3u;

	capture_put_u32(f, 6);
	capture_put_u32(f, 32 + padded);
	capture_put_u32(f, 0);
	capture_put_u32(f, (uint32_t)(ns >> 32));
	capture_put_u32(f, (uint32_t)ns);
	capture_put_u32(f, bytes);
	capture_put_u32(f, bytes);
	capture_put(f, frame, bytes);
	capture_put(f, "\0\0\0", padded - bytes);
	capture_put_u32(f, 32 + padded);
}

/** An Ethernet frame with n_vlan tags around a UDP datagram to 233.54.12.111:port. @return its length. */
static inline uint32_t capture_frame(uint8_t *frame, uint32_t n_vlan, uint16_t port, const void *payload, uint32_t bytes)
{
	static const uint8_t dst_ip[4] = {233, 54, 12, 111};
	uint8_t *p = frame + 12;

	memset(frame, 0, 12 + 4 * n_vlan + 2 + 28);
	for (uint32_t i = 0; i < n_vlan; i++, p += 4)
		wire_put_u16(p, i == 0 && n_vlan > 1 ? 0x88a8 : 0x8100);
	wire_put_u16(p, 0x0800);
	p += 2;
	p[0] = 0x45;
	wire_put_u16(p + 2, (uint16_t)(28 + bytes));
	p[9] = 17;
	memcpy(p + 16, dst_ip, 4);
	wire_put_u16(p + 22, port);
	wire_put_u16(p + 24, (uint16_t)(8 + bytes));
	memcpy(p + 28, payload, bytes);
	return (uint32_t)(p + 28 - frame) + bytes;
}

/** A datagram of n deletes with references from seq on. @return its length. */
static inline uint32_t capture_datagram(uint8_t *out, uint64_t seq, uint32_t n)
{
	struct moldudp64_session session = moldudp64_session_from("000010059B");
	struct moldudp64_writer w;

	moldudp64_begin(&w, out, 1472, &session, seq);
	for (uint32_t i = 0; i < n; i++) {
		uint8_t *msg = moldudp64_claim(&w, 19);

		memset(msg, 0, 19);
		msg[0] = 'D';
		wire_put_u64(msg + 11, seq + i);
	}
	return moldudp64_close(&w);
}

static inline void capture_gzip(const struct capture_file *f, struct capture_file *out)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)f->data, .avail_in = f->bytes, .next_out = out->data + out->bytes,
		.avail_out = sizeof(out->data) - out->bytes};

	if (deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK || deflate(&z, Z_FINISH) != Z_STREAM_END)
		abort();
	out->bytes += (uint32_t)z.total_out;
	deflateEnd(&z);
}

static inline void capture_zstd(const struct capture_file *f, struct capture_file *out)
{
	size_t n = ZSTD_compress(out->data + out->bytes, sizeof(out->data) - out->bytes, f->data, f->bytes, 3);

	if (ZSTD_isError(n))
		abort();
	out->bytes += (uint32_t)n;
}

/** The file as an open descriptor. */
static inline int capture_fd(const void *data, size_t bytes)
{
	int fd = memfd_create("capture", 0);

	if (fd < 0 || write(fd, data, bytes) != (ssize_t)bytes || lseek(fd, 0, SEEK_SET) != 0)
		abort();
	return fd;
}

#endif
