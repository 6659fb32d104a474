/* SPDX-License-Identifier: BSD-3-Clause */
#include "guard_watch.h"

static enum guard_verdict judge_gone(const struct guard_watch *w)
{
	if (!w->armed)
		return GUARD_ASLEEP;
	return w->n_open ? GUARD_DEAD : GUARD_ENDED;
}

enum guard_verdict guard_judge(struct guard_watch *w, const struct guard_look *look)
{
	uint64_t since_ns = w->last_ns ? look->now_ns - w->last_ns : 0;
	bool all = look->n_beats > 0;

	w->last_ns = look->now_ns;
	w->n_open = look->n_open;
	if (!look->alive && look->phase != ENGINE_HALTED)
		return w->armed ? GUARD_DEAD : GUARD_ASLEEP;
	if (look->phase == ENGINE_HALTED)
		return look->alive ? w->armed ? GUARD_FINE : GUARD_ASLEEP : judge_gone(w);
	if (since_ns > GUARD_LOOK_NS_MAX)
		since_ns = GUARD_LOOK_NS_MAX;
	for (uint32_t i = 0; i < look->n_beats && i < GUARD_BEATS_MAX; i++) {
		bool moved = look->beat[i] != w->beat[i] || look->beat[i] == 0;
		w->still_ns[i] = moved ? 0 : w->still_ns[i] + since_ns;
		w->beat[i] = look->beat[i];
		all &= look->beat[i] != 0;
		if (w->armed && w->still_ns[i] > w->hang_ns) {
			w->hung = i;
			return GUARD_HUNG;
		}
	}
	w->armed |= all && look->phase != ENGINE_STARTING;
	return w->armed ? GUARD_FINE : GUARD_ASLEEP;
}
