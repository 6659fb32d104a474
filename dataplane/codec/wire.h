/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_WIRE_H
#define CODEC_WIRE_H

/**
 * @file
 * Big-endian integers at any address. Any thread; one load or store and a byte swap each.
 *
 * None of them checks bounds: the caller has proven that the bytes are there.
 */

#include <stdint.h>
#include <string.h>

static inline uint16_t wire_u16(const void *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap16(v);
}

static inline uint32_t wire_u32(const void *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap32(v);
}

static inline uint64_t wire_u64(const void *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return __builtin_bswap64(v);
}

/** Six bytes; reads exactly six. */
static inline uint64_t wire_u48(const void *p)
{
	return (uint64_t)wire_u16(p) << 32 | wire_u32((const uint8_t *)p + 2);
}

static inline void wire_put_u16(void *p, uint16_t v)
{
	v = __builtin_bswap16(v);
	memcpy(p, &v, sizeof(v));
}

static inline void wire_put_u32(void *p, uint32_t v)
{
	v = __builtin_bswap32(v);
	memcpy(p, &v, sizeof(v));
}

static inline void wire_put_u64(void *p, uint64_t v)
{
	v = __builtin_bswap64(v);
	memcpy(p, &v, sizeof(v));
}

/** The low six bytes of v; writes exactly six. */
static inline void wire_put_u48(void *p, uint64_t v)
{
	wire_put_u16(p, (uint16_t)(v >> 32));
	wire_put_u32((uint8_t *)p + 2, (uint32_t)v);
}

#endif
