/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

#define MUTATIONS 60u /* each writes and reads a whole tree of files */

extern const struct fuzz_target fuzz_target_sys;

TestSuite(fuzz_sys, .timeout = 120);

Test(fuzz_sys, whatever_the_machine_tells_is_taken_or_unknown)
{
	drive(&fuzz_target_sys, MUTATIONS);
}
