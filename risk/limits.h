/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_LIMITS_H
#define RISK_LIMITS_H

/**
 * @file
 * The limits: one list of keys, four levels. A limit that was not given refuses; it is never unlimited.
 *
 * A key is a word of 64 bits at every level. 0 means "not given". RISK_UNLIMITED must be written out by a person.
 */

#include <gannet/types.h>

#define RISK_UNLIMITED INT64_MAX

enum risk_level { RISK_ENGINE, RISK_ACCOUNT, RISK_STRATEGY, RISK_INSTRUMENT, RISK_LEVEL_COUNT };

/* Levels at which a key must be given. */
#define RISK_E 1
#define RISK_A 2
#define RISK_S 4
#define RISK_I 8

/**
 * Keys: X(name, levels, tighter, text). `tighter` is LESS when a smaller value is the tighter one, MORE otherwise.
 *
 * Notionals and losses are in whole quote units, quantities in the instrument's units.
 */
#define RISK_LIMIT_KEYS(X)                                                                                             \
	X(order_qty_max, RISK_E | RISK_A | RISK_S | RISK_I, LESS, "quantity of one order")                             \
	X(order_notional_max, RISK_E | RISK_A | RISK_S | RISK_I, LESS, "notional of one order")                        \
	X(long_max, RISK_S | RISK_I, LESS, "long position with every open buy filled")                                 \
	X(short_max, RISK_S | RISK_I, LESS, "short position with every open sell filled")                              \
	X(gross_notional_max, RISK_E | RISK_A | RISK_S, LESS, "positions without sign, and all open orders")           \
	X(net_notional_max, RISK_E | RISK_A | RISK_S, LESS, "positions with sign, and the open orders of a side")      \
	X(open_orders_max, RISK_E | RISK_A | RISK_S, LESS, "orders open at once")                                      \
	X(loss_max, RISK_E | RISK_A | RISK_S, LESS, "loss of the day, realised, unrealised and fees")                  \
	X(orders_per_s_max, RISK_S, LESS, "new orders and replacements a second, in the long run")                     \
	X(orders_burst_max, RISK_S, LESS, "new orders and replacements at once")                                       \
	X(orders_per_fill_max, RISK_S, LESS, "new orders and replacements that one fill earns")                        \
	X(orders_unfilled_max, RISK_S, LESS, "new orders and replacements before the first fill")                      \
	X(session_per_s_max, RISK_A, LESS, "messages a second over the account's order session; paced, not refused")   \
	X(session_burst_max, RISK_A, LESS, "messages at once over the account's order session")                        \
	X(duplicate_window_us, RISK_S, MORE, "the same order again within this time is refused")                       \
	X(repeat_fills_max, RISK_S, LESS, "fills within repeat_window_ms that pause the strategy")                     \
	X(repeat_window_ms, RISK_S, MORE, "window of repeat_fills_max")                                                \
	X(protect_fills_max, RISK_S, LESS, "fills within protect_window_ms that pull all quotes")                      \
	X(protect_qty_max, RISK_S, LESS, "quantity filled within protect_window_ms that pulls all quotes")             \
	X(protect_delta_max, RISK_S, LESS, "net quantity filled within protect_window_ms that pulls all quotes")       \
	X(protect_window_ms, RISK_S, MORE, "window of the protect_ limits")                                            \
	X(rejects_max, RISK_S, LESS, "rejects by the venue within a second that trip the kill switch")                 \
	X(collar_bps, RISK_I, LESS, "distance from the reference price, in 1/10000 of it")                             \
	X(collar_ticks, RISK_I, LESS, "distance from the reference price, in ticks")                                   \
	X(stale_us_max, RISK_I, LESS, "age of the quote behind a new order")

#define RISK_LIMIT_FIELD(name, levels, tighter, text) int64_t name;
struct risk_limits {
	RISK_LIMIT_KEYS(RISK_LIMIT_FIELD)
};
#undef RISK_LIMIT_FIELD

#define RISK_LIMIT_KEY(name, levels, tighter, text) RISK_KEY_##name,
enum risk_key { RISK_LIMIT_KEYS(RISK_LIMIT_KEY) RISK_KEY_COUNT };
#undef RISK_LIMIT_KEY
_Static_assert(sizeof(struct risk_limits) == RISK_KEY_COUNT * sizeof(int64_t), "keys index the words of the struct");

/** What a key is called, where it applies, and which way is tighter. */
struct risk_key_info {
	const char *name, *text;
	unsigned levels;
	bool less_is_tighter;
};
extern const struct risk_key_info risk_key_info[RISK_KEY_COUNT];

/** Word of a level: "engine", "account", "strategy", "instrument". */
const char *risk_level_word(enum risk_level level);

/** Key by name; RISK_KEY_COUNT when there is none. Cold. */
enum risk_key risk_key_find(const char *name);

static inline int64_t risk_limit_get(const struct risk_limits *l, enum risk_key key)
{
	return ((const int64_t *)(const void *)l)[key];
}

static inline void risk_limit_put(struct risk_limits *l, enum risk_key key, int64_t value)
{
	((int64_t *)(void *)l)[key] = value;
}

/** Refuse a level whose limits are not all given, or not positive: names level, owner and key. 0 or -errno. Cold. */
int risk_limits_validate(const struct risk_limits *l, enum risk_level level, const char *who);

/** Every key that `l` does not give is taken from `base`. Cold. */
void risk_limits_inherit(struct risk_limits *l, const struct risk_limits *base);

/** Every key that applies at a level, without a bound where it may be without. For tests and for levels unused. */
struct risk_limits risk_limits_open(enum risk_level level);

/** True when `value` may take effect under the hard limit given at start: no looser than it, and positive. */
bool risk_limit_allowed(enum risk_key key, int64_t value, int64_t hard);

#endif
