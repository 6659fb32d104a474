/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXAMPLES_UNIVERSE_H
#define EXAMPLES_UNIVERSE_H

/** @file Which instruments a strategy trades: "all", or "AAPL:MSFT"; and what both examples ask of an instrument. */

#include "params.h"

#define UNIVERSE_MAX 4096u

struct universe {
	bool all;
	uint64_t wanted[UNIVERSE_MAX / 64];
};

/** Whether an instrument is to be traded; indices from UNIVERSE_MAX on never are. */
static inline bool universe_has(const struct universe *u, gn_inst inst)
{
	return inst < UNIVERSE_MAX && (u->all || (u->wanted[inst / 64] >> (inst % 64) & 1));
}

/** For init. False: the engine does not know one of the symbols; *e says which. */
static inline bool universe_init(
	struct universe *u, struct param_word symbols, const struct gn_host *host, struct params_error *e)
{
	struct param_word one;

	u->all = symbols.bytes == 3 && memcmp(symbols.at, "all", 3) == 0;
	while (!u->all && params_next_part(&symbols, &one)) {
		gn_symbol symbol = params_symbol(one);
		const struct gn_instrument *i = symbol.word ? host->find(host->engine, symbol) : NULL;
		if (!i || i->inst >= UNIVERSE_MAX) {
			*e = (struct params_error){0};
			params_put_text(e, "the engine does not know the symbol ");
			params_put(e, one.at, one.bytes);
			return false;
		}
		u->wanted[i->inst / 64] |= UINT64_C(1) << (i->inst % 64);
	}
	return true;
}

/** Tick of an instrument, or the fallback where the venue announces none. */
static inline int64_t tick_e9_of(const struct gn_host *host, gn_inst inst, int64_t fallback_e9)
{
	const struct gn_instrument *i = host->instrument(host->engine, inst);

	return i && i->tick.e9 > 0 ? i->tick.e9 : fallback_e9;
}

static inline gn_qty qty_min(gn_qty a, gn_qty b)
{
	return a < b ? a : b;
}

#endif
