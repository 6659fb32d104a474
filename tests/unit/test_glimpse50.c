/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/glimpse50.h"
#include "tests/unit/codec_data.h"

static uint8_t msg[32], want[32];
static uint64_t seq = 7;

TestSuite(glimpse50, .timeout = 10);

Test(glimpse50, writes_and_reads_the_end_of_a_snapshot)
{
	uint32_t n = data_hex("'G            14757721'", want);

	cr_assert_eq(n, GLIMPSE50_END_BYTES);
	cr_assert_eq(glimpse50_end_encode(14757721, msg), n);
	cr_expect_arr_eq(msg, want, n);
	cr_assert(glimpse50_end_decode(msg, n, &seq));
	cr_expect_eq(seq, 14757721);
}

Test(glimpse50, carries_every_sequence_number)
{
	for (uint64_t v = 1; v != 0; v = v > UINT64_MAX / 2 ? 0 : v * 2) {
		glimpse50_end_encode(~v, msg);
		cr_assert(glimpse50_end_decode(msg, GLIMPSE50_END_BYTES, &seq));
		cr_expect_eq(seq, ~v);
	}
}

Test(glimpse50, reads_blanks_on_either_side)
{
	data_hex("'G14757721            '", msg);
	cr_assert(glimpse50_end_decode(msg, GLIMPSE50_END_BYTES, &seq));
	cr_expect_eq(seq, 14757721);
	data_hex("'G   00000014757721   '", msg);
	cr_assert(glimpse50_end_decode(msg, GLIMPSE50_END_BYTES, &seq));
	cr_expect_eq(seq, 14757721);
}

Test(glimpse50, refuses_what_is_none)
{
	static const char *const bad[] = {"'g                   1'", "'G                    '", "'G                  0x'",
		"'G99999999999999999999'", "'G         1 1        '", "'G' 00 '                  1'"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		cr_assert_eq(data_hex(bad[i], msg), GLIMPSE50_END_BYTES);
		cr_expect_not(glimpse50_end_decode(msg, GLIMPSE50_END_BYTES, &seq), "%s", bad[i]);
	}
	glimpse50_end_encode(1, msg);
	for (uint32_t n = 0; n < sizeof(msg); n++)
		cr_expect_eq(glimpse50_end_decode(msg, n, &seq), n == GLIMPSE50_END_BYTES, "%u bytes", n);
}
