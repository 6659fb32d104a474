/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_COMPILER_H
#define GN_COMPILER_H

/** @file What every file of the data path needs from the compiler and the processor. */

#include <stdatomic.h>
#include <stdint.h>
#include <x86intrin.h>

#define gn_likely(x) __builtin_expect(!!(x), 1)
#define gn_unlikely(x) __builtin_expect(!!(x), 0)
#define GN_ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define GN_CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr) - offsetof(type, member)))

#define GN_LINE 64u
#define GN_LINE_PAIR 128u /* the adjacent-line prefetcher pulls 64-byte lines in pairs */
#define GN_OWNED_BY(writer) _Alignas(GN_LINE_PAIR) /* grep this to learn who may write */

/** Raw ticks of the time-stamp counter. Any thread; about 10 ns; not ordered against the loads around it. */
static inline uint64_t gn_tsc(void)
{
	return __rdtsc();
}

/**
 * Start loading a line; any address. Not __builtin_prefetch(): GCC drops whole calls of a function that does nothing else.
 */
static inline void gn_prefetch(const void *p)
{
	__asm__ volatile("prefetcht0 %0" : : "m"(*(const uint8_t *)p));
}

/** Tells the processor that this is a spin loop. */
static inline void gn_pause(void)
{
	_mm_pause();
}

/** Smallest power of two that is not below x; x between 1 and 2^31. */
static inline uint32_t gn_pow2_at_least(uint32_t x)
{
	return x <= 1 ? 1 : UINT32_C(1) << (32 - __builtin_clz(x - 1));
}

#endif
