/* SPDX-License-Identifier: BSD-3-Clause */
#include "text_out.h"

#include <errno.h>
#include <unistd.h>

#define E9 UINT64_C(1000000000)

void text_out_init(struct text_out *o, int fd)
{
	o->fd = fd;
	o->rc = 0;
	o->n = 0;
}

int text_out_flush(struct text_out *o)
{
	for (size_t at = 0; at < o->n && o->rc == 0;) {
		ssize_t n = write(o->fd, o->buf + at, o->n - at);

		if (n >= 0)
			at += (size_t)n;
		else if (errno != EINTR)
			o->rc = -errno;
	}
	o->n = 0;
	return o->rc;
}

void text_put_u64(struct text_out *o, uint64_t v)
{
	char digits[20];
	uint32_t at = sizeof(digits);

	do
		digits[--at] = (char)('0' + v % 10);
	while ((v /= 10) != 0);
	text_put_bytes(o, digits + at, sizeof(digits) - at);
}

void text_put_px(struct text_out *o, gn_px px)
{
	uint64_t v = px.e9 < 0 ? 0 - (uint64_t)px.e9 : (uint64_t)px.e9, fraction = v % E9;
	char digits[10] = ".000000000";
	uint32_t n = sizeof(digits);

	if (px.e9 < 0)
		text_put_char(o, '-');
	text_put_u64(o, v / E9);
	if (fraction == 0)
		return;
	for (uint32_t at = sizeof(digits); at > 1; fraction /= 10)
		digits[--at] = (char)('0' + fraction % 10);
	while (digits[n - 1] == '0')
		n--;
	text_put_bytes(o, digits, n);
}
