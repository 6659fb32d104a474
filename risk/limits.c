/* SPDX-License-Identifier: BSD-3-Clause */
#include "limits.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"

#define LESS true
#define MORE false
#define KEY_INFO(name, levels, tighter, text) {#name, text, levels, tighter},
const struct risk_key_info risk_key_info[RISK_KEY_COUNT] = {RISK_LIMIT_KEYS(KEY_INFO)};
#undef KEY_INFO
#undef LESS
#undef MORE

const char *risk_level_word(enum risk_level level)
{
	static const char *const words[RISK_LEVEL_COUNT] = {"engine", "account", "strategy", "instrument"};

	return (unsigned)level < RISK_LEVEL_COUNT ? words[level] : "?";
}

enum risk_key risk_key_find(const char *name)
{
	unsigned key = 0;

	while (key < RISK_KEY_COUNT && strcmp(risk_key_info[key].name, name) != 0)
		key++;
	return key;
}

int risk_limits_validate(const struct risk_limits *l, enum risk_level level, const char *who)
{
	for (unsigned key = 0; key < RISK_KEY_COUNT; key++) {
		const struct risk_key_info *info = &risk_key_info[key];
		if (!(info->levels & (1u << level)))
			continue;
		int64_t value = risk_limit_get(l, key);
		if (value == 0)
			return gn_err(EINVAL, "risk: %s %s: limit %s is missing (%s)", risk_level_word(level), who,
				info->name, info->text);
		if (value < 0)
			return gn_err(ERANGE, "risk: %s %s: limit %s is %lld, expected a positive number",
				risk_level_word(level), who, info->name, (long long)value);
	}
	return 0;
}

void risk_limits_inherit(struct risk_limits *l, const struct risk_limits *base)
{
	for (unsigned key = 0; key < RISK_KEY_COUNT; key++)
		if (risk_limit_get(l, key) == 0)
			risk_limit_put(l, key, risk_limit_get(base, key));
}

struct risk_limits risk_limits_open(enum risk_level level)
{
	struct risk_limits l = {0};

	for (unsigned key = 0; key < RISK_KEY_COUNT; key++)
		if (risk_key_info[key].levels & (1u << level))
			risk_limit_put(&l, key, risk_key_info[key].less_is_tighter ? RISK_UNLIMITED : 1);
	return l;
}

bool risk_limit_allowed(enum risk_key key, int64_t value, int64_t hard)
{
	return value > 0 && (risk_key_info[key].less_is_tighter ? value <= hard : value >= hard);
}
