/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ascii.h"

#include <string.h>

/* narrows [*begin, *end) to what stands between the blanks */
static void trim(const uint8_t *field, uint32_t *begin, uint32_t *end)
{
	while (*begin < *end && field[*begin] == ' ')
		(*begin)++;
	while (*begin < *end && field[*end - 1] == ' ')
		(*end)--;
}

bool ascii_u64(const uint8_t *field, uint32_t bytes, uint64_t *v)
{
	uint32_t begin = 0, end = bytes;
	uint64_t n = 0;

	trim(field, &begin, &end);
	if (begin == end)
		return false;
	for (; begin < end; begin++) {
		uint32_t digit = field[begin] - (uint32_t)'0';

		if (digit > 9 || __builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, digit, &n))
			return false;
	}
	*v = n;
	return true;
}

void ascii_put_u64(uint8_t *field, uint32_t bytes, uint64_t v)
{
	memset(field, ' ', bytes);
	do {
		field[--bytes] = (uint8_t)('0' + v % 10);
		v /= 10;
	} while (v != 0 && bytes != 0);
}

void ascii_text(const uint8_t *field, uint32_t bytes, char *text)
{
	uint32_t begin = 0, end = (uint32_t)strnlen((const char *)field, bytes);

	trim(field, &begin, &end);
	memset(text, 0, bytes + 1);
	memcpy(text, field + begin, end - begin);
}

void ascii_put_text(uint8_t *field, uint32_t bytes, const char *text)
{
	memset(field, ' ', bytes);
	memcpy(field, text, strnlen(text, bytes));
}

void ascii_put_text_right(uint8_t *field, uint32_t bytes, const char *text)
{
	uint32_t n = (uint32_t)strnlen(text, bytes);

	memset(field, ' ', bytes);
	memcpy(field + bytes - n, text, n);
}
