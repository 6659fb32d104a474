/* SPDX-License-Identifier: BSD-3-Clause */
#include "byte_source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "dataplane/runtime/err.h"

#define BUF_BYTES (size_t)(UINT32_C(1) << 20)
#define IN_BYTES (size_t)(UINT32_C(1) << 17)
#define MAGIC_BYTES 4u
#define GZIP_WINDOW (15 + 16) /* the largest window, gzip heads only */

struct byte_unpack {
	bool zstd;
	bool inside; /* of a member or frame that has not ended */
	z_stream z;
	ZSTD_DStream *d;
	size_t at, end;
	uint8_t in[IN_BYTES];
};

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* one read(); 0 at the end */
static ssize_t read_some(struct byte_source *s, void *to, size_t bytes)
{
	ssize_t n;

	do
		n = read(s->fd, to, bytes);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return gn_err(errno, "%s: read at byte %" PRIu64, s->name, s->n_read);
	s->n_read += (uint64_t)n;
	return n;
}

static int step_plain(struct byte_source *s)
{
	ssize_t n = read_some(s, s->buf + s->end, BUF_BYTES - s->end);

	if (n < 0)
		return (int)n;
	s->end += (size_t)n;
	s->at_end = n == 0;
	return 0;
}

static int step_gzip(struct byte_source *s, struct byte_unpack *u)
{
	if (!u->inside && inflateReset(&u->z) != Z_OK)
		return gn_err(EIO, "%s: cannot begin a gzip member", s->name);
	u->inside = true;
	u->z.next_in = u->in + u->at;
	u->z.avail_in = (uInt)(u->end - u->at);
	u->z.next_out = s->buf + s->end;
	u->z.avail_out = (uInt)(BUF_BYTES - s->end);

	int rc = inflate(&u->z, Z_NO_FLUSH);

	u->at = u->end - u->z.avail_in;
	s->end = BUF_BYTES - u->z.avail_out;
	if (rc == Z_STREAM_END)
		u->inside = false;
	else if (rc != Z_OK && rc != Z_BUF_ERROR)
		return gn_err(0, "%s: gzip data is damaged before byte %" PRIu64 ": %s", s->name,
			s->n_read - (u->end - u->at), u->z.msg != NULL ? u->z.msg : "not a gzip member");
	return 0;
}

static int step_zstd(struct byte_source *s, struct byte_unpack *u)
{
	ZSTD_inBuffer in = {.src = u->in, .size = u->end, .pos = u->at};
	ZSTD_outBuffer out = {.dst = s->buf, .size = BUF_BYTES, .pos = s->end};
	size_t rc = ZSTD_decompressStream(u->d, &out, &in);

	u->at = in.pos;
	s->end = out.pos;
	if (ZSTD_isError(rc))
		return gn_err(0, "%s: zstd data is damaged before byte %" PRIu64 ": %s", s->name,
			s->n_read - (u->end - u->at), ZSTD_getErrorName(rc));
	u->inside = rc != 0;
	return 0;
}

static int step_packed(struct byte_source *s)
{
	struct byte_unpack *u = s->unpack;
	size_t before = s->end;

	if (u->at == u->end) {
		ssize_t n = read_some(s, u->in, IN_BYTES);

		if (n < 0)
			return (int)n;
		u->at = 0;
		u->end = (size_t)n;
		if (n == 0) {
			/* what is still inside the decoder comes out without input */
			int rc = !u->inside ? 0 : u->zstd ? step_zstd(s, u) : step_gzip(s, u);

			if (rc < 0 || s->end != before)
				return rc;
			s->at_end = true;
			return u->inside ? gn_err(0, "%s: %s data ends too early, at byte %" PRIu64, s->name,
				u->zstd ? "zstd" : "gzip", s->n_read) : 0;
		}
	}
	return u->zstd ? step_zstd(s, u) : step_gzip(s, u);
}

ssize_t byte_source_fill(struct byte_source *s, size_t n)
{
	uint64_t begin = now_ns();

	GN_ASSERT(n <= BYTE_SOURCE_PEEK_MAX);
	memmove(s->buf, s->buf + s->at, s->end - s->at);
	s->end -= s->at;
	s->at = 0;
	while (s->end < n && !s->at_end && s->rc == 0)
		s->rc = s->unpack != NULL ? step_packed(s) : step_plain(s);
	s->fill_ns += now_ns() - begin;
	if (s->end >= n || s->rc == 0)
		return (ssize_t)s->end;
	return s->rc;
}

/* the first bytes are in buf: hand them to the decoder when they are packed */
static int unpack_begin(struct byte_source *s)
{
	bool gzip = s->end >= 2 && s->buf[0] == 0x1f && s->buf[1] == 0x8b;
	bool zstd = s->end >= MAGIC_BYTES && memcmp(s->buf, "\x28\xb5\x2f\xfd", MAGIC_BYTES) == 0;

	if (!gzip && !zstd)
		return 0;

	struct byte_unpack *u = calloc(1, sizeof(*u));

	if (u == NULL)
		return gn_err(ENOMEM, "%s", s->name);
	s->unpack = u;
	u->zstd = zstd;
	if (zstd ? (u->d = ZSTD_createDStream()) == NULL : inflateInit2(&u->z, GZIP_WINDOW) != Z_OK)
		return gn_err(ENOMEM, "%s: no memory to unpack it", s->name);
	memcpy(u->in, s->buf, s->end);
	u->end = s->end;
	s->end = 0;
	s->at_end = false;
	return 0;
}

/* just enough to know what it is, and no more than the decoder's input holds */
static int read_magic(struct byte_source *s)
{
	while (s->end < MAGIC_BYTES && !s->at_end) {
		ssize_t n = read_some(s, s->buf + s->end, MAGIC_BYTES - s->end);

		if (n < 0)
			return (int)n;
		s->end += (size_t)n;
		s->at_end = n == 0;
	}
	return 0;
}

int byte_source_open_fd(struct byte_source *s, int fd, const char *name)
{
	struct stat st;
	int rc;

	*s = (struct byte_source){.fd = fd, .name = name, .buf = malloc(BUF_BYTES)};
	if (s->buf == NULL) {
		rc = gn_err(ENOMEM, "%s", name);
		goto fail;
	}
	if (fstat(fd, &st) < 0) {
		rc = gn_err(errno, "%s", name);
		goto fail;
	}
	if (S_ISDIR(st.st_mode)) {
		rc = gn_err(EISDIR, "%s", name);
		goto fail;
	}
	s->n_file = S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	rc = read_magic(s);
	if (rc == 0)
		rc = unpack_begin(s);
	if (rc == 0)
		return 0;
fail:
	byte_source_close(s);
	return rc;
}

int byte_source_open(struct byte_source *s, const char *path)
{
	if (strcmp(path, "-") == 0)
		return byte_source_open_fd(s, dup(STDIN_FILENO), "standard input");

	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return gn_err(errno, "%s", path);
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL); /* only advice */
	return byte_source_open_fd(s, fd, path);
}

void byte_source_close(struct byte_source *s)
{
	if (s->unpack != NULL) {
		inflateEnd(&s->unpack->z);
		ZSTD_freeDStream(s->unpack->d);
		free(s->unpack);
	}
	free(s->buf);
	if (s->fd >= 0)
		close(s->fd);
	s->unpack = NULL;
	s->buf = NULL;
	s->fd = -1;
}
