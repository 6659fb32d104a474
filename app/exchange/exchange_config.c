/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_config.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"

static const struct exchange_line default_lines[] = {
	{.group = "239.192.1.1", .port = 26477},
	{.group = "239.192.1.2", .port = 26477},
};

static const struct exchange_account default_account = {.username = "GANNET", .password = "GANNET"};

struct range {
	const char *name;
	uint64_t value, min, max;
};

static int check_ranges(const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (r[i].value < r[i].min || r[i].value > r[i].max)
			return gn_err(ERANGE, "exchange: %s is %lu, expected %lu to %lu", r[i].name, r[i].value, r[i].min,
				r[i].max);
	return 0;
}

#define OR(member, value)                                      \
	do {                                                   \
		if (!out->member)                              \
			out->member = (value);                 \
	} while (0)

#define OR_TEXT(member, value)                                                  \
	do {                                                                    \
		if (!out->member[0])                                            \
			memcpy(out->member, value, sizeof(value));              \
	} while (0)

static void fill_port(struct exchange_config *out)
{
	if (out->transport == EXCHANGE_TRANSPORT_SOCKETS)
		OR_TEXT(ip, "0.0.0.0");
	OR_TEXT(mac, "02:67:6e:00:00:02");
	OR_TEXT(ip, "10.71.0.2");
	OR_TEXT(netmask, "255.255.255.0");
	OR(mtu, 1500);
	OR_TEXT(session, "GANNET0001");
	if (!out->n_lines) {
		out->lines = default_lines;
		out->n_lines = GN_ARRAY_SIZE(default_lines);
	}
	OR(datagram_bytes_max, 1400);
	OR(md_heartbeat_ns, UINT64_C(1000000000));
	OR(end_of_session_ns, UINT64_C(100) * 1000 * 1000);
	OR(store_mib, 64);
}

static void fill_orders(struct exchange_config *out)
{
	OR(order_port, 26400);
	if (!out->n_accounts) {
		out->accounts = &default_account;
		out->n_accounts = 1;
	}
	OR(heartbeat_ms, 1000);
	OR(dead_link_ms, 15000);
	OR(login_ms, 30000);
	OR(reports_mib, 16);
	OR(start_logins, 1);
}

static void fill_market(struct exchange_config *out)
{
	OR(seed, 1);
	OR(n_symbols, 128);
	OR(px_min_e4, 50000);
	OR(px_max_e4, 5000000);
	OR(orders_max, UINT32_C(1) << 18);
	OR(client_orders_max, UINT32_C(1) << 20);
	OR(flow.rate_msgs_s, 20000);
	OR(flow.zipf_milli, 900);
	OR(flow.orders_per_symbol, 60);
	OR(flow.burst_every_ms, 1000);
	OR(replay_speed_pct, 100);
	OR(faults.halt_for_ms, 500);
}

static int check_lines(const struct exchange_config *c)
{
	if (c->n_lines > EXCHANGE_LINES_MAX || !c->lines)
		return gn_err(EINVAL, "exchange: %u lines, expected at most %u", c->n_lines, EXCHANGE_LINES_MAX);
	for (uint32_t i = 0; i < c->n_lines; i++) {
		const struct exchange_line *l = &c->lines[i];
		uint32_t ip = exchange_config_ip(l->group);

		if (ip >> 28 != 0xe)
			return gn_err(EINVAL, "exchange: line %u: group \"%s\", expected a multicast address", i, l->group);
		const struct range r[] = {
			{"line port", l->port, 1, UINT16_MAX},
			{"line loss_ppm", l->faults.loss_ppm, 0, 1000000},
			{"line duplicate_ppm", l->faults.duplicate_ppm, 0, 1000000},
			{"line reorder_ppm", l->faults.reorder_ppm, 0, 1000000},
			{"line late_ns", l->faults.late_ns, 0, UINT64_C(1000000000)},
		};
		int rc = check_ranges(r, GN_ARRAY_SIZE(r));
		if (rc < 0)
			return gn_err_in(rc, "exchange: line %u", i);
	}
	return 0;
}

static int check_accounts(const struct exchange_config *c)
{
	if (c->n_accounts > EXCHANGE_ACCOUNTS_MAX || !c->accounts)
		return gn_err(EINVAL, "exchange: %u accounts, expected at most %u", c->n_accounts, EXCHANGE_ACCOUNTS_MAX);
	for (uint32_t i = 0; i < c->n_accounts; i++) {
		const struct exchange_account *a = &c->accounts[i];

		if (!a->username[0] || strnlen(a->username, sizeof(a->username)) == sizeof(a->username))
			return gn_err(EINVAL, "exchange: account %u: username, expected 1 to 6 characters", i);
		if (strnlen(a->password, sizeof(a->password)) == sizeof(a->password))
			return gn_err(EINVAL, "exchange: account %u: password, expected at most 10 characters", i);
		if (a->dialect > EXCHANGE_OUCH42)
			return gn_err(EINVAL, "exchange: account %u: dialect is %d, expected ouch50 or ouch42", i, a->dialect);
		for (uint32_t j = 0; j < i; j++)
			if (!strcasecmp(a->username, c->accounts[j].username))
				return gn_err(EEXIST, "exchange: accounts %u and %u are both \"%s\"", j, i, a->username);
	}
	return 0;
}

static bool symbol_ok(const char *s)
{
	size_t n = s ? strlen(s) : 0;

	for (size_t i = 0; i < n; i++)
		if (!isgraph((unsigned char)s[i]) || s[i] == ',')
			return false;
	return n >= 1 && n <= 8;
}

static int check_symbols(const struct exchange_config *c)
{
	for (uint32_t i = 0; c->symbols && i < c->n_symbols; i++) {
		if (!symbol_ok(c->symbols[i]))
			return gn_err(EINVAL, "exchange: symbol %u is \"%s\", expected 1 to 8 characters", i,
				c->symbols[i] ? c->symbols[i] : "");
		for (uint32_t j = 0; j < i; j++)
			if (!strcmp(c->symbols[i], c->symbols[j]))
				return gn_err(EEXIST, "exchange: symbols %u and %u are both \"%s\"", j, i, c->symbols[i]);
	}
	return 0;
}

static int check_addresses(const struct exchange_config *c)
{
	uint8_t mac[6];

	if (!exchange_config_mac(c->mac, mac))
		return gn_err(EINVAL, "exchange: mac \"%s\", expected six bytes as in 02:67:6e:00:00:02", c->mac);
	if (!exchange_config_ip(c->ip) && !(c->transport == EXCHANGE_TRANSPORT_SOCKETS && !strcmp(c->ip, "0.0.0.0")))
		return gn_err(EINVAL, "exchange: ip \"%s\", expected an IPv4 address", c->ip);
	if (!exchange_config_ip(c->netmask))
		return gn_err(EINVAL, "exchange: netmask \"%s\", expected one as 255.255.255.0", c->netmask);
	if (c->gateway[0] && !exchange_config_ip(c->gateway))
		return gn_err(EINVAL, "exchange: gateway \"%s\", expected an IPv4 address", c->gateway);
	if (strnlen(c->session, sizeof(c->session)) == sizeof(c->session))
		return gn_err(EINVAL, "exchange: session, expected at most 10 characters");
	if (c->transport > EXCHANGE_TRANSPORT_SOCKETS)
		return gn_err(EINVAL, "exchange: transport is %d, expected port or sockets", c->transport);
	return 0;
}

static int check_numbers(const struct exchange_config *c)
{
	const struct range r[] = {
		{"mtu", c->mtu, 576, 9000},
		{"datagram_bytes_max", c->datagram_bytes_max, 128, 1472},
		{"datagram_bytes_max with 28 bytes of headers", c->datagram_bytes_max + 28, 0, c->mtu},
		{"md_heartbeat_ns", c->md_heartbeat_ns, 1000000, UINT64_C(60000000000)},
		{"end_of_session_ns", c->end_of_session_ns, 0, UINT64_C(60000000000)},
		{"store_mib", c->store_mib, 1, 65536},
		{"heartbeat_ms", c->heartbeat_ms, 10, 60000},
		{"dead_link_ms", c->dead_link_ms, c->heartbeat_ms + UINT64_C(1), 3600000},
		{"login_ms", c->login_ms, 10, 3600000},
		{"reports_mib", c->reports_mib, 1, 4096},
		{"start_logins", c->start_logins, 1, c->n_accounts},
		{"n_symbols", c->n_symbols, 1, EXCHANGE_SYMBOLS_MAX},
		{"px_min_e4", c->px_min_e4, 10000, EXCHANGE_PX_E4_MAX / 4},
		{"px_max_e4", c->px_max_e4, c->px_min_e4, EXCHANGE_PX_E4_MAX / 4},
		{"orders_max", c->orders_max, 1024, UINT32_C(1) << 28},
		{"client_orders_max", c->client_orders_max, 1, UINT32_C(1) << 28},
		{"flow rate_msgs_s", c->flow.rate_msgs_s, 1, 50000000},
		{"flow zipf_milli", c->flow.zipf_milli, 1, 3000},
		{"flow orders_per_symbol", c->flow.orders_per_symbol, 8, 10000},
		{"flow hidden_ppm", c->flow.hidden_ppm, 0, 1000000},
		{"flow burst_msgs", c->flow.burst_msgs, 0, 10000},
		{"replay_speed_pct", c->replay_speed_pct, 1, 100000000},
		{"faults reject_ppm", c->faults.reject_ppm, 0, 1000000},
		{"faults break_ppm", c->faults.break_ppm, 0, 1000000},
		{"faults cancel_pending_ppm", c->faults.cancel_pending_ppm, 0, 1000000},
	};

	return check_ranges(r, GN_ARRAY_SIZE(r));
}

int exchange_config_complete(struct exchange_config *out, const struct exchange_config *in)
{
	int (*const check[])(const struct exchange_config *) = {
		check_addresses, check_lines, check_accounts, check_numbers, check_symbols};

	*out = *in;
	fill_port(out);
	fill_orders(out);
	fill_market(out);
	for (size_t i = 0; i < GN_ARRAY_SIZE(check); i++) {
		int rc = check[i](out);
		if (rc < 0)
			return rc;
	}
	return 0;
}

uint32_t exchange_config_ip(const char *text)
{
	struct in_addr a;

	return inet_pton(AF_INET, text, &a) == 1 ? ntohl(a.s_addr) : 0;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;

	return at ? (int)(at - digits) : -1;
}

bool exchange_config_mac(const char *text, uint8_t mac[6])
{
	for (uint32_t i = 0; i < 6; i++) {
		int hi = hex_digit(text[3 * i]);
		int lo = hi < 0 ? -1 : hex_digit(text[3 * i + 1]);

		if (lo < 0 || text[3 * i + 2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}
