/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_TEXT_OUT_H
#define REPLAY_TEXT_OUT_H

/**
 * @file
 * Text to a file descriptor, fast: numbers and prices without printf, one write() per 64 KB. One thread.
 */

#include <gannet/types.h>
#include <string.h>

#define TEXT_OUT_BYTES 65536u
#define TEXT_OUT_ITEM_BYTES_MAX 64u /* longest number */

struct text_out {
	int fd;
	int rc; /* first error of write(), -errno; from then on all is dropped */
	size_t n;
	char buf[TEXT_OUT_BYTES];
};

void text_out_init(struct text_out *o, int fd);

/** Write what is buffered. @return 0, or the first -errno. */
int text_out_flush(struct text_out *o);

/** Room for bytes (at most TEXT_OUT_BYTES) at o->buf + o->n. */
static inline char *text_out_room(struct text_out *o, size_t bytes)
{
	if (__builtin_expect(sizeof(o->buf) - o->n < bytes, 0))
		text_out_flush(o);
	return o->buf + o->n;
}

static inline void text_put_char(struct text_out *o, char c)
{
	*text_out_room(o, 1) = c;
	o->n++;
}

static inline void text_put_bytes(struct text_out *o, const char *text, size_t bytes)
{
	memcpy(text_out_room(o, bytes), text, bytes);
	o->n += bytes;
}

/** A string of at most TEXT_OUT_BYTES. */
static inline void text_put(struct text_out *o, const char *text)
{
	text_put_bytes(o, text, strlen(text));
}

void text_put_u64(struct text_out *o, uint64_t v);

/** A decimal number of 1e-9 units without trailing zeros: 291.5, 100, -0.01. */
void text_put_px(struct text_out *o, gn_px px);

#endif
