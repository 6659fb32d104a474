/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

extern const struct fuzz_target fuzz_target_capture;

TestSuite(fuzz_capture, .timeout = 120);

Test(fuzz_capture, reads_mutated_files_without_harm)
{
	drive(&fuzz_target_capture, 300);
}
