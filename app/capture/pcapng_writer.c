/* SPDX-License-Identifier: BSD-3-Clause */
#include "pcapng_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1u
#define BLOCK_STATISTICS 5u
#define BLOCK_PACKET 6u
#define MAGIC 0x1a2b3c4du
#define ETHERNET 1u
#define SNAP_ALL 262144u /* what the format's readers take at most */
#define BLOCK_BYTES_MAX 8192u /* larger than any block: a frame has 2048 bytes at most */
#define FRAME_BYTES_MAX 4096u

/* Of the options of each kind of block. */
enum { OPT_END = 0, OPT_IF_NAME = 2, OPT_IF_RESOLUTION = 9, OPT_PACKET_FLAGS = 2, OPT_RECEIVED = 4, OPT_DROPPED = 5 };

static void put(struct pcapng_writer *w, const void *data, size_t bytes)
{
	memcpy(w->buf + w->n_buf, data, bytes);
	w->n_buf += bytes;
}

static void put_u32(struct pcapng_writer *w, uint32_t v)
{
	put(w, &v, sizeof(v));
}

/* the high half first, whatever the byte order */
static void put_time(struct pcapng_writer *w, uint64_t ns)
{
	put_u32(w, (uint32_t)(ns >> 32));
	put_u32(w, (uint32_t)ns);
}

static void put_padded(struct pcapng_writer *w, const void *data, uint32_t bytes)
{
	static const uint8_t zero[4];

	put(w, data, bytes);
	put(w, zero, -bytes & 3);
}

static void put_option(struct pcapng_writer *w, uint16_t code, const void *value, uint16_t bytes)
{
	const uint16_t head[2] = {code, bytes};

	put(w, head, sizeof(head));
	put_padded(w, value, bytes);
}

/* Where its length goes is known at its end. */
static size_t block_begin(struct pcapng_writer *w, uint32_t type)
{
	size_t at = w->n_buf;

	put_u32(w, type);
	put_u32(w, 0);
	return at;
}

static void block_end(struct pcapng_writer *w, size_t at)
{
	uint32_t bytes = (uint32_t)(w->n_buf - at + sizeof(bytes));

	memcpy(w->buf + at + sizeof(bytes), &bytes, sizeof(bytes));
	put_u32(w, bytes);
}

static void put_heads(struct pcapng_writer *w)
{
	static const uint16_t version[2] = {1, 0}, link[2] = {ETHERNET, 0};
	static const uint8_t nanoseconds = 9;
	size_t at = block_begin(w, BLOCK_SECTION);

	put_u32(w, MAGIC);
	put(w, version, sizeof(version));
	put_u32(w, UINT32_MAX); /* length of the section: not known */
	put_u32(w, UINT32_MAX);
	block_end(w, at);
	at = block_begin(w, BLOCK_INTERFACE);
	put(w, link, sizeof(link));
	put_u32(w, w->want.snap_bytes ? w->want.snap_bytes : SNAP_ALL);
	put_option(w, OPT_IF_NAME, w->device, (uint16_t)strlen(w->device));
	put_option(w, OPT_IF_RESOLUTION, &nanoseconds, sizeof(nanoseconds));
	put_option(w, OPT_END, "", 0);
	block_end(w, at);
}

/* NAME.pcapng > NAME-00001.pcapng */
static void file_path(const struct pcapng_writer *w, uint32_t number, char *out, size_t bytes)
{
	const char *path = w->want.path, *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
	size_t stem = dot && dot > (slash ? slash + 1 : path) ? (size_t)(dot - path) : strlen(path);

	if (w->want.rotate_bytes == 0)
		snprintf(out, bytes, "%s", path);
	else
		snprintf(out, bytes, "%.*s-%05u%s", (int)stem, path, number, path + stem);
}

static int file_open(struct pcapng_writer *w)
{
	char path[PCAPNG_PATH_BYTES + 16];

	file_path(w, ++w->n_files, path, sizeof(path));
	w->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (w->fd < 0)
		return gn_err(errno, "capture: %s", path);
	w->file_bytes = 0;
	put_heads(w);
	return pcapng_flush(w); /* a disk that is full says so at once */
}

int pcapng_open(struct pcapng_writer *w, const struct pcapng_want *want, const char *device)
{
	*w = (struct pcapng_writer){.fd = -1, .want = *want, .buf = malloc(PCAPNG_BUFFER_BYTES)};
	snprintf(w->device, sizeof(w->device), "%s", device);
	if (!w->buf)
		return gn_err(ENOMEM, "capture: %s", want->path);
	int rc = file_open(w);

	if (rc == 0)
		return 0;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
	free(w->buf);
	return rc;
}

int pcapng_flush(struct pcapng_writer *w)
{
	for (size_t at = 0; at < w->n_buf;) {
		ssize_t n = write(w->fd, w->buf + at, w->n_buf - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gn_err(errno, "capture: write %s", w->want.path);
		at += (size_t)n;
	}
	w->file_bytes += w->n_buf;
	w->n_bytes += w->n_buf;
	w->n_buf = 0;
	return 0;
}

static int rotate(struct pcapng_writer *w)
{
	char old[PCAPNG_PATH_BYTES + 16];
	int rc = pcapng_flush(w);

	if (rc < 0)
		return rc;
	if (close(w->fd) < 0)
		return gn_err(errno, "capture: close %s", w->want.path);
	rc = file_open(w);
	if (rc == 0 && w->want.files_max && w->n_files > w->want.files_max) {
		file_path(w, w->n_files - w->want.files_max, old, sizeof(old));
		if (unlink(old) < 0 && errno != ENOENT) /* somebody may have taken it away */
			return gn_err(errno, "capture: remove %s", old);
	}
	return rc;
}

int pcapng_frame(
	struct pcapng_writer *w, uint64_t ns, bool sent, const void *data, uint32_t bytes, uint32_t wire_bytes)
{
	const uint32_t flags = sent ? 2 : 1;
	int rc = 0;

	if (bytes > FRAME_BYTES_MAX)
		return gn_err(EMSGSIZE, "capture: a frame of %u bytes, expected at most %u", bytes, FRAME_BYTES_MAX);
	if (w->want.rotate_bytes && w->file_bytes + w->n_buf >= w->want.rotate_bytes)
		rc = rotate(w);
	else if (PCAPNG_BUFFER_BYTES - w->n_buf < BLOCK_BYTES_MAX)
		rc = pcapng_flush(w);
	if (rc < 0)
		return rc;
	size_t at = block_begin(w, BLOCK_PACKET);

	put_u32(w, 0); /* of the only interface */
	put_time(w, ns);
	put_u32(w, bytes);
	put_u32(w, wire_bytes);
	put_padded(w, data, bytes);
	put_option(w, OPT_PACKET_FLAGS, &flags, sizeof(flags));
	put_option(w, OPT_END, "", 0);
	block_end(w, at);
	return 0;
}

static void put_statistics(struct pcapng_writer *w, uint64_t n_frames, uint64_t n_lost)
{
	size_t at = block_begin(w, BLOCK_STATISTICS);

	put_u32(w, 0);
	put_time(w, 0);
	put_option(w, OPT_RECEIVED, &n_frames, sizeof(n_frames));
	put_option(w, OPT_DROPPED, &n_lost, sizeof(n_lost));
	put_option(w, OPT_END, "", 0);
	block_end(w, at);
}

int pcapng_close(struct pcapng_writer *w, uint64_t n_frames, uint64_t n_lost)
{
	int rc = 0;

	if (w->fd < 0)
		return 0;
	if (PCAPNG_BUFFER_BYTES - w->n_buf < BLOCK_BYTES_MAX)
		rc = pcapng_flush(w);
	if (rc == 0) {
		put_statistics(w, n_frames, n_lost);
		rc = pcapng_flush(w);
	}
	if (close(w->fd) < 0 && rc == 0)
		rc = gn_err(errno, "capture: close %s", w->want.path);
	w->fd = -1;
	free(w->buf);
	w->buf = NULL;
	return rc;
}
