/* SPDX-License-Identifier: BSD-3-Clause */
#include "kill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/mem.h"

int kill_init(struct kill *k, uint32_t n_accounts, uint32_t n_strategies, uint32_t n_insts, int node)
{
	*k = (struct kill){.n = {1, n_accounts, n_strategies, n_insts}};
	k->map_bytes = ((size_t)1 + n_accounts + n_strategies + n_insts) * sizeof(struct kill_switch);
	struct kill_switch *sw = gn_mem_alloc(k->map_bytes, node);

	if (!sw)
		return -ENOMEM;
	for (unsigned level = 0; level < RISK_LEVEL_COUNT; sw += k->n[level], level++)
		k->sw[level] = sw;
	return 0;
}

void kill_fini(struct kill *k)
{
	gn_mem_free(k->sw[RISK_ENGINE], k->map_bytes);
	k->sw[RISK_ENGINE] = NULL;
}

struct kill_switch *kill_at(struct kill *k, enum risk_level level, uint32_t index)
{
	return (unsigned)level < RISK_LEVEL_COUNT && index < k->n[level] ? &k->sw[level][index] : NULL;
}

bool kill_throw(struct kill *k, enum risk_level level, uint32_t index, enum risk_cause cause, const char *reason,
	uint64_t now_tsc)
{
	struct kill_switch *s = kill_at(k, level, index);

	if (!s || s->cause != RISK_CAUSE_NONE || cause == RISK_CAUSE_NONE || (unsigned)cause >= RISK_CAUSE_COUNT)
		return false;
	s->cause = (uint8_t)cause;
	s->at_tsc = now_tsc;
	snprintf(s->reason, sizeof(s->reason), "%s", reason ? reason : "");
	k->n_on++;
	return true;
}

bool kill_release(struct kill *k, enum risk_level level, uint32_t index, const char *reason)
{
	struct kill_switch *s = kill_at(k, level, index);

	if (!s || s->cause == RISK_CAUSE_NONE || !reason || !reason[0])
		return false;
	*s = (struct kill_switch){0};
	k->n_on--;
	return true;
}

const char *risk_cause_word(enum risk_cause cause)
{
#define CAUSE_WORD(name, word, text) word,
	static const char *const words[RISK_CAUSE_COUNT] = {RISK_CAUSES(CAUSE_WORD)};
#undef CAUSE_WORD
	return (unsigned)cause < RISK_CAUSE_COUNT ? words[cause] : "?";
}

enum risk_cause risk_cause_find(const char *word)
{
	unsigned cause = 0;

	while (cause < RISK_CAUSE_COUNT && strcmp(word, risk_cause_word(cause)) != 0)
		cause++;
	return cause;
}
