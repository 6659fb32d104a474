/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "app/exchange/exchange_config.h"
#include "dataplane/runtime/err.h"

static struct exchange_config in, out;

static void given_zeroed(void)
{
	memset(&in, 0, sizeof(in));
	memset(&out, 0xff, sizeof(out));
}

TestSuite(exchange_config, .init = given_zeroed, .timeout = 5);

Test(exchange_config, zeroed_memory_is_a_whole_configuration)
{
	cr_assert_eq(exchange_config_complete(&out, &in), 0, "%s", gn_err_text());
	cr_assert_eq(out.n_lines, 2);
	cr_assert_eq(out.n_symbols, 128);
	cr_assert_eq(out.n_accounts, 1);
	cr_assert_eq(out.start_logins, 1);
	cr_assert_str_eq(out.session, "GANNET0001");
}

Test(exchange_config, refuses_a_line_that_is_not_multicast)
{
	const struct exchange_line lines[] = {{.group = "10.0.0.1", .port = 1}};

	in.lines = lines;
	in.n_lines = 1;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
	cr_assert_not_null(strstr(gn_err_text(), "multicast"));
}

Test(exchange_config, refuses_values_past_their_limits_and_names_them)
{
	in.datagram_bytes_max = 1473;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
	cr_assert_not_null(strstr(gn_err_text(), "datagram_bytes_max is 1473, expected 128 to 1472"), "%s", gn_err_text());
}

Test(exchange_config, refuses_datagrams_that_do_not_fit_the_mtu)
{
	in.mtu = 1000;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
}

Test(exchange_config, refuses_two_accounts_of_one_name)
{
	const struct exchange_account accounts[] = {{.username = "abc"}, {.username = "ABC"}};

	in.accounts = accounts;
	in.n_accounts = 2;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
}

Test(exchange_config, refuses_duplicate_long_and_empty_symbols)
{
	const char *const duplicate[] = {"A", "B", "A"}, *const longer[] = {"ABCDEFGHI"}, *const empty[] = {""};

	in.symbols = duplicate;
	in.n_symbols = 3;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
	in.symbols = longer;
	in.n_symbols = 1;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
	in.symbols = empty;
	cr_assert_lt(exchange_config_complete(&out, &in), 0);
}

Test(exchange_config, reads_addresses_and_refuses_what_is_none)
{
	uint8_t mac[6];

	cr_assert_eq(exchange_config_ip("1.2.3.4"), 0x01020304);
	cr_assert_eq(exchange_config_ip("1.2.3"), 0);
	cr_assert(exchange_config_mac("02:67:6E:00:00:ff", mac));
	cr_assert_eq(mac[2], 0x6e);
	cr_assert_eq(mac[5], 0xff);
	cr_assert_not(exchange_config_mac("02:67:6e:00:00", mac));
	cr_assert_not(exchange_config_mac("02:67:6e:00:00:0", mac));
	cr_assert_not(exchange_config_mac("02:67:6e:00:00:ff:", mac));
	cr_assert_not(exchange_config_mac("", mac));
}
