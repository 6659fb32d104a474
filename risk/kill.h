/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_KILL_H
#define RISK_KILL_H

/**
 * @file
 * Kill switches: one an engine, account, strategy, instrument. Thrown by a person or by a rule; released only by a
 * person who says why.
 */

#include "limits.h"

#define RISK_REASON_BYTES 48

/** Who throws a switch: X(NAME, word, text). */
#define RISK_CAUSES(X)                                                                                                 \
	X(NONE, "none", "not thrown")                                                                                  \
	X(PERSON, "person", "thrown by a person")                                                                      \
	X(LOSS, "loss", "daily loss limit")                                                                            \
	X(REJECTS, "rejects", "too many rejects by the venue within a second")                                         \
	X(STALE, "stale", "market data stood still beyond the limit while orders were open")                           \
	X(SESSION, "session", "order session lost while orders were open")                                             \
	X(CLOCK, "clock", "the clock jumped")                                                                          \
	X(INVARIANT, "invariant", "an invariant of the engine broke")                                                  \
	X(REPEATED, "repeated", "too many fills within the window")                                                    \
	X(PROTECTION, "protection", "market-maker protection")                                                         \
	X(QUARANTINE, "quarantine", "the strategy was quarantined")                                                    \
	X(SLOW, "slow", "the strategy did not take its reports")                                                       \
	X(GUARD, "guard", "the guard found the engine hanging")

#define RISK_CAUSE_NAME(name, word, text) RISK_CAUSE_##name,
enum risk_cause { RISK_CAUSES(RISK_CAUSE_NAME) RISK_CAUSE_COUNT };
#undef RISK_CAUSE_NAME

struct kill_switch {
	uint8_t cause; /* enum risk_cause; RISK_CAUSE_NONE: released */
	char reason[RISK_REASON_BYTES];
	uint64_t at_tsc;
};

struct kill {
	uint32_t n[RISK_LEVEL_COUNT];
	uint32_t n_on; /* switches thrown now */
	struct kill_switch *sw[RISK_LEVEL_COUNT];
	size_t map_bytes;
};

/** Switches for so many accounts, strategies and instruments, all released. 0 or -errno. Cold. */
int kill_init(struct kill *k, uint32_t n_accounts, uint32_t n_strategies, uint32_t n_insts, int node);
void kill_fini(struct kill *k);

/** The switch of a level and index; NULL when there is none. */
struct kill_switch *kill_at(struct kill *k, enum risk_level level, uint32_t index);

/** Throw a switch. The first cause stays. False: no such switch, or it was on. */
bool kill_throw(struct kill *k, enum risk_level level, uint32_t index, enum risk_cause cause, const char *reason,
	uint64_t now_tsc);

/** Release a switch. False: no such switch, it was off, or no reason was given. */
bool kill_release(struct kill *k, enum risk_level level, uint32_t index, const char *reason);

static inline bool kill_is_on(const struct kill *k, enum risk_level level, uint32_t index)
{
	return k->sw[level][index].cause != RISK_CAUSE_NONE;
}

const char *risk_cause_word(enum risk_cause cause);

/** Cause by word; RISK_CAUSE_COUNT when there is none. Cold. */
enum risk_cause risk_cause_find(const char *word);

#endif
