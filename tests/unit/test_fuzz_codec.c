/* SPDX-License-Identifier: BSD-3-Clause */
#include "tests/fuzz/drive.h"

#define MUTATIONS 3000u

extern const struct fuzz_target fuzz_target_itch50, fuzz_target_moldudp64, fuzz_target_glimpse50, fuzz_target_soupbintcp,
	fuzz_target_ouch50_in, fuzz_target_ouch50_out, fuzz_target_ouch42;

TestSuite(fuzz_codec, .timeout = 120);

Test(fuzz_codec, itch50_holds_on_mutated_messages)
{
	drive(&fuzz_target_itch50, MUTATIONS);
}

Test(fuzz_codec, moldudp64_holds_on_mutated_datagrams)
{
	drive(&fuzz_target_moldudp64, MUTATIONS);
}

Test(fuzz_codec, glimpse50_holds_on_mutated_snapshots)
{
	drive(&fuzz_target_glimpse50, MUTATIONS);
}

Test(fuzz_codec, soupbintcp_holds_on_mutated_streams)
{
	drive(&fuzz_target_soupbintcp, MUTATIONS);
}

Test(fuzz_codec, ouch50_holds_on_mutated_messages_to_the_venue)
{
	drive(&fuzz_target_ouch50_in, MUTATIONS);
}

Test(fuzz_codec, ouch50_holds_on_mutated_messages_from_the_venue)
{
	drive(&fuzz_target_ouch50_out, MUTATIONS);
}

Test(fuzz_codec, ouch42_holds_on_mutated_messages)
{
	drive(&fuzz_target_ouch42, MUTATIONS);
}
