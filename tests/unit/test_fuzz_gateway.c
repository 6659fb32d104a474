/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

extern const struct fuzz_target fuzz_target_gateway;

TestSuite(fuzz_gateway, .timeout = 120);

Test(fuzz_gateway, an_account_holds_on_mutated_streams_of_the_venue)
{
	drive(&fuzz_target_gateway, 300);
}
