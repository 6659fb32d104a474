/* SPDX-License-Identifier: BSD-3-Clause */
/* No control without a test, and none that docs/controls.md does not know. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include <gannet/order.h>

#include "risk/controls.h"
#include "risk/limits.h"

struct row {
	const char *control, *test, *keys;
};

/* The declared symbols are defined by CONTROL_TEST(): a control without a test does not link. */
#define DECLARE(name, verdict, keys, text) extern const char control_test_##name[];
RISK_CONTROLS(DECLARE)
RISK_STANDING(DECLARE)
#define ROW(name, verdict, keys, text) {#name, control_test_##name, keys},
static const struct row rows[] = {RISK_CONTROLS(ROW) RISK_STANDING(ROW)};

static char docs[1 << 17];

static void given_docs(void)
{
	FILE *f = fopen(CONTROLS_MD, "r");

	cr_assert_not_null(f, "%s", CONTROLS_MD);
	docs[fread(docs, 1, sizeof(docs) - 1, f)] = 0;
	fclose(f);
}

TestSuite(risk_controls, .init = given_docs, .timeout = 30);

Test(risk_controls, every_control_has_a_row_that_names_its_test)
{
	char want[256];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(want, sizeof(want), "`%s`", rows[i].control);
		cr_expect(strstr(docs, want), "control %s", want);
		snprintf(want, sizeof(want), "`refuses_%s`", rows[i].test);
		cr_expect(strstr(docs, want), "test %s", want);
	}
}

Test(risk_controls, every_limit_key_is_in_the_table)
{
	char want[64];

	for (unsigned key = 0; key < RISK_KEY_COUNT; key++) {
		snprintf(want, sizeof(want), "`%s`", risk_key_info[key].name);
		cr_expect(strstr(docs, want), "key %s", want);
	}
}

Test(risk_controls, every_refusal_belongs_to_a_control)
{
	/* made by the strategy's host, before risk */
	bool used[GN_VERDICT_COUNT] = {[GN_ACCEPTED] = true, [GN_REFUSED_BURST] = true, [GN_REFUSED_LINK] = true};

#define USES(name, verdict, keys, text) used[GN_##verdict] = true;
	RISK_CONTROLS(USES)
	RISK_STANDING(USES)
	for (unsigned v = 0; v < GN_VERDICT_COUNT; v++)
		cr_expect(used[v], "verdict %u", v);
}
