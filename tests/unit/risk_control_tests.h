/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CONTROL_TESTS_H
#define RISK_CONTROL_TESTS_H

/** @file A test that proves one control of risk/controls.h: its existence is what test_risk_controls.c links against. CONTROL_SUITE: its suite. */

#define CONTROL_TEST_IN(suite, name) Test(suite, name)
#define CONTROL_TEST(control, sentence)                                                                                \
	extern const char control_test_##control[];                                                                    \
	const char control_test_##control[] = #sentence;                                                               \
	CONTROL_TEST_IN(CONTROL_SUITE, refuses_##sentence)

#endif
