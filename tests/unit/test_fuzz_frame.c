/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

extern const struct fuzz_target fuzz_target_frame;

TestSuite(fuzz_frame, .timeout = 120);

Test(fuzz_frame, sorting_holds_on_mutated_frames)
{
	drive(&fuzz_target_frame, 20000);
}
