/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FUZZ_DRIVE_H
#define FUZZ_DRIVE_H

/** @file Drives a fuzz target without libFuzzer, for the unit tests: its seeds, and seeded mutations of them. */

#include "tests/fuzz/fuzz.h"
#include "tests/unit/codec_data.h"

static inline void drive_mutate(uint8_t *data, uint32_t *bytes, uint64_t *state)
{
	for (uint64_t k = data_random(state) % 4; k > 0; k--) {
		uint32_t at = *bytes != 0 ? (uint32_t)(data_random(state) % *bytes) : 0;

		switch (data_random(state) % 6) {
		case 0: data[at] = (uint8_t)data_random(state); break;
		case 1: data[at] ^= (uint8_t)(1u << data_random(state) % 8); break;
		case 2: *bytes = at; break;
		case 3: /* longer */
			for (uint64_t i = data_random(state) % 9; i > 0 && *bytes < FUZZ_SEED_BYTES_MAX; i--)
				data[(*bytes)++] = (uint8_t)data_random(state);
			break;
		case 4: data[at] = data_random(state) & 1 ? 0xff : 0; break;
		default: /* one byte less in the middle */
			if (*bytes > 1) {
				memmove(data + at, data + at + 1, *bytes - at - 1);
				(*bytes)--;
			}
			break;
		}
	}
}

/** Run n_mutations of every seed; the test fails unless every marker was reached. */
static inline void drive(const struct fuzz_target *t, uint32_t n_mutations)
{
	static uint8_t data[FUZZ_SEED_BYTES_MAX];
	uint64_t seed = data_seed(11), state = seed;
	int32_t n;

	cr_assert_geq(t->seed(0, data), 0, "%s has no seeds", t->name);
	for (uint32_t i = 0; (n = t->seed(i, data)) >= 0; i++) {
		uint8_t *exact = fuzz_exact(data, (size_t)n);

		t->one(exact, (size_t)n);
		free(exact);
		for (uint32_t k = 0; k < n_mutations; k++) {
			uint32_t bytes = (uint32_t)t->seed(i, data);

			drive_mutate(data, &bytes, &state);
			exact = fuzz_exact(data, bytes);
			t->one(exact, bytes);
			free(exact);
		}
	}
	t->one(NULL, 0);
	cr_expect_eq(fuzz_report(t, stderr), 0, "%s is not alive; seed %" PRIu64, t->name, seed);
}

#endif
