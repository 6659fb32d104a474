/* SPDX-License-Identifier: BSD-3-Clause */
#include "gate.h"

#include "pacing.h"
#include "setup.h"
#include "sweep.h"
#include "tell.h"
#include "window.h"

static uint8_t gate_of_switch(const struct kill *k, enum risk_level level, uint32_t index)
{
	switch (k->sw[level][index].cause) {
	case RISK_CAUSE_NONE: return GN_ACCEPTED;
	case RISK_CAUSE_LOSS: return GN_REFUSED_LOSS;
	case RISK_CAUSE_REPEATED:
	case RISK_CAUSE_PROTECTION: return GN_REFUSED_REPEATED;
	default: return GN_REFUSED_KILLED;
	}
}

static uint8_t gate_of_strategy(const struct risk *r, uint32_t index)
{
	uint8_t gate = gate_of_switch(&r->kill, RISK_ENGINE, 0);

	if (gate == GN_ACCEPTED)
		gate = gate_of_switch(&r->kill, RISK_ACCOUNT, r->strategy[index].account);
	if (gate == GN_ACCEPTED)
		gate = gate_of_switch(&r->kill, RISK_STRATEGY, index);
	return gate == GN_ACCEPTED && !risk_is_up(r, index) ? GN_REFUSED_SESSION : gate;
}

void gate_strategies(struct risk *r)
{
	for (uint32_t i = 0; i < r->n_strategies; i++) {
		r->strategy[i].gate = gate_of_strategy(r, i);
		setup_strategy_top(r, i);
	}
}

void gate_inst(struct risk *r, gn_inst inst)
{
	uint8_t gate = gate_of_switch(&r->kill, RISK_INSTRUMENT, inst);

	r->inst[inst].gate = r->inst[inst].permitted ? gate : GN_REFUSED_INSTRUMENT;
	setup_inst_top(r, inst);
}

static void gate_changed(struct risk *r, enum risk_level level, uint32_t index)
{
	if (level == RISK_INSTRUMENT)
		gate_inst(r, index);
	else
		gate_strategies(r);
}

bool risk_kill(struct risk *r, enum risk_level level, uint32_t index, enum risk_cause cause, const char *reason,
	uint64_t now_tsc)
{
	if (!kill_throw(&r->kill, level, index, cause, reason, now_tsc))
		return false;
	r->n.kill_thrown++;
	gate_changed(r, level, index);
	sweep_start(r);
	tell_change(r, now_tsc, "kill %s %u %s: %s", risk_level_word(level), index, risk_cause_word(cause), reason);
	return true;
}

bool risk_release(struct risk *r, enum risk_level level, uint32_t index, const char *reason, uint64_t now_tsc)
{
	if (!kill_release(&r->kill, level, index, reason))
		return false;
	r->n.kill_released++;
	if (level == RISK_STRATEGY) { /* what paused it must not pause it again at its first fill */
		window_clear(&r->strategy[index].repeat);
		window_clear(&r->strategy[index].protect);
		r->strategy[index].n_rejects = 0;
	}
	gate_changed(r, level, index);
	tell_change(r, now_tsc, "release %s %u: %s", risk_level_word(level), index, reason);
	return true;
}

void risk_cancel_all(struct risk *r, enum risk_level level, uint32_t index)
{
	for (uint32_t i = 0; level == RISK_ACCOUNT && i < r->n_strategies; i++)
		if (r->strategy[i].account == index)
			r->strategy[i].sweep = r->sweep_id;
	if (level == RISK_ENGINE)
		r->sweep_engine = true;
	else if (level == RISK_STRATEGY && index < r->n_strategies)
		r->strategy[index].sweep = r->sweep_id;
	else if (level == RISK_INSTRUMENT && index < r->n_insts)
		r->inst[index].sweep = r->sweep_id;
	sweep_start(r);
}

bool risk_poll(struct risk *r, uint64_t now_tsc)
{
	return sweep_poll(r, now_tsc) || pacing_poll(r, now_tsc);
}
