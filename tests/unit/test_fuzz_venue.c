/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

extern const struct fuzz_target fuzz_target_venue;

TestSuite(fuzz_venue, .timeout = 120);

Test(fuzz_venue, the_exchange_holds_on_mutated_streams_of_a_client)
{
	drive(&fuzz_target_venue, 100);
}
