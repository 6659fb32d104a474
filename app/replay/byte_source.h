/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_BYTE_SOURCE_H
#define REPLAY_BYTE_SOURCE_H

/**
 * @file
 * The bytes of a file or of standard input, gzip and zstd undone on the way. Memory is bounded; one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define BYTE_SOURCE_PEEK_MAX (UINT32_C(1) << 17) /* most bytes one byte_source_peek() may ask for */

struct byte_unpack; /* private */

/** The members are read-only for others. */
struct byte_source {
	uint8_t *buf;
	size_t at, end;    /* what is in buf and not yet taken */
	uint64_t offset;   /* of buf[at] in the unpacked stream */
	const char *name;  /* for messages: the path, or "standard input" */
	int fd;
	bool at_end;       /* nothing more will come into buf */
	int rc;            /* error met; reported when buf is used up */
	uint64_t n_read;   /* bytes of the file so far, as they lie there */
	uint64_t n_file;   /* length of the file, 0 when it has none (a pipe) */
	uint64_t fill_ns;  /* spent reading and unpacking */
	struct byte_unpack *unpack; /* NULL: the file is not packed */
};

/** Open a path, or standard input for "-". The name must outlive the source. Cold. 0 or -errno. */
int byte_source_open(struct byte_source *s, const char *path);

/** As byte_source_open(), of an open file that the source then closes. */
int byte_source_open_fd(struct byte_source *s, int fd, const char *name);
void byte_source_close(struct byte_source *s);

/** byte_source_peek() when the buffer holds too little. */
ssize_t byte_source_fill(struct byte_source *s, size_t n);

/**
 * Have n bytes (at most BYTE_SOURCE_PEEK_MAX) at s->buf + s->at.
 *
 * @return
 *   How many there are: n or more, or fewer at the end; -errno when the file cannot be read or unpacked any further and
 *   fewer than n are left.
 */
static inline ssize_t byte_source_peek(struct byte_source *s, size_t n)
{
	return s->end - s->at >= n ? (ssize_t)(s->end - s->at) : byte_source_fill(s, n);
}

/** Go on by n bytes, which have been peeked. */
static inline void byte_source_take(struct byte_source *s, size_t n)
{
	s->at += n;
	s->offset += n;
}

#endif
