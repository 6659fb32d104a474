/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * One target as a libFuzzer executable; FUZZ_TARGET names it.
 *
 * GANNET_FUZZ_SEEDS=DIR writes the seeds there and exits. GANNET_FUZZ_MARKERS=1 makes a run that did not reach all
 * markers fail.
 */

#include <unistd.h>

#include "tests/fuzz/fuzz.h"

extern const struct fuzz_target FUZZ_TARGET;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

static void check_markers(void)
{
	if (fuzz_report(&FUZZ_TARGET, stderr) != 0)
		_exit(3);
}

static void write_seeds(const char *dir)
{
	static uint8_t seed[FUZZ_SEED_BYTES_MAX];
	int32_t bytes;

	for (uint32_t n = 0; (bytes = FUZZ_TARGET.seed(n, seed)) >= 0; n++) {
		char path[4096];

		snprintf(path, sizeof(path), "%s/seed-%03u", dir, n);

		FILE *f = fopen(path, "wb");

		if (f == NULL || fwrite(seed, 1, (size_t)bytes, f) != (size_t)bytes || fclose(f) != 0) {
			perror(path);
			exit(1);
		}
	}
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const char *dir = getenv("GANNET_FUZZ_SEEDS");

	(void)argc;
	(void)argv;
	if (dir != NULL) {
		write_seeds(dir);
		exit(0);
	}
	if (getenv("GANNET_FUZZ_MARKERS") != NULL)
		atexit(check_markers);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
	FUZZ_TARGET.one(data, bytes);
	return 0;
}
