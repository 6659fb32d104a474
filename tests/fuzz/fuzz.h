/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_H
#define FUZZ_H

/**
 * @file
 * What every fuzz target has: one entry, seeds that it makes itself, and markers that a live fuzzer must reach.
 *
 * fuzz_main.c turns a target into a libFuzzer executable; test_fuzz_*.c drive the same entry over mutated seeds, so that
 * a target which no longer reaches what it should is seen by the unit tests.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FUZZ_MARKERS_MAX 64u
#define FUZZ_SEED_BYTES_MAX 4096u

struct fuzz_target {
	const char *name;
	const char *const *markers; /* names, ends with NULL; at most FUZZ_MARKERS_MAX */
	uint64_t *hits;             /* one a marker */
	/** One input; stops the process when a property does not hold. */
	void (*one)(const uint8_t *data, size_t bytes);
	/** The n-th seed, written to out (FUZZ_SEED_BYTES_MAX). @return its length, or -1: there are only n. */
	int32_t (*seed)(uint32_t n, uint8_t *out);
};

/* MARKERS is an X list: X(NAME). Gives the enumeration, the names and the hit counts of a target. */
#define FUZZ_MARKER_ENUM(name) MARK_##name,
#define FUZZ_MARKER_NAME(name) #name,
#define FUZZ_DECLARE_MARKERS(MARKERS)                                            \
	enum { MARKERS(FUZZ_MARKER_ENUM) MARK_COUNT };                           \
	_Static_assert(MARK_COUNT <= FUZZ_MARKERS_MAX, "too many markers");      \
	static const char *const marker_names[] = {MARKERS(FUZZ_MARKER_NAME) NULL}; \
	static uint64_t marker_hits[MARK_COUNT]

#define FUZZ_REACH(name) (marker_hits[MARK_##name]++)

#define FUZZ_CHECK(cond)                                                                       \
	do {                                                                                   \
		if (!(cond)) {                                                                 \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #cond); \
			abort();                                                               \
		}                                                                              \
	} while (0)

/** Names of markers not reached, to `to`. @return how many. */
static inline uint32_t fuzz_report(const struct fuzz_target *t, FILE *to)
{
	uint32_t n = 0;

	for (uint32_t i = 0; t->markers[i] != NULL; i++) {
		if (t->hits[i] == 0) {
			fprintf(to, "%s: not reached: %s\n", t->name, t->markers[i]);
			n++;
		}
	}
	return n;
}

/** A copy that is just as long as it says, so that the sanitizer sees every read past it. The caller frees it. */
static inline uint8_t *fuzz_exact(const uint8_t *data, size_t bytes)
{
	uint8_t *p = malloc(bytes == 0 ? 1 : bytes);

	FUZZ_CHECK(p != NULL);
	if (bytes != 0)
		memcpy(p, data, bytes);
	return p;
}

#endif
