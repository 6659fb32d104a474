/* SPDX-License-Identifier: BSD-3-Clause */
#include "symbols.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

static size_t symbols_map_bytes(const struct symbols *s)
{
	return SYMBOLS_LOCATES * sizeof(*s->inst_of) + gn_instruments_max(s->table) * sizeof(*s->locate_of);
}

int symbols_init(struct symbols *s, struct gn_instruments *table, uint32_t shard, uint32_t n_shards)
{
	*s = (struct symbols){.table = table, .shard = shard, .n_shards = n_shards};
	if (n_shards == 0 || shard >= n_shards)
		return gn_err(EINVAL, "feed: shard %u of %u does not exist", shard, n_shards);
	s->inst_of = gn_mem_alloc(symbols_map_bytes(s), GN_NODE_ANY);
	if (!s->inst_of)
		return gn_err_in(-ENOMEM, "feed: table of instrument numbers");
	s->locate_of = (uint16_t *)(s->inst_of + SYMBOLS_LOCATES);
	symbols_forget(s);
	return 0;
}

void symbols_fini(struct symbols *s)
{
	if (s->inst_of)
		gn_mem_free(s->inst_of, symbols_map_bytes(s));
	s->inst_of = NULL;
}

void symbols_forget(struct symbols *s)
{
	for (uint32_t i = 1; i < SYMBOLS_LOCATES; i++)
		s->inst_of[i] = i % s->n_shards == s->shard ? SYMBOLS_UNKNOWN : SYMBOLS_STRANGE;
	s->inst_of[0] = s->shard == 0 ? GN_INST_NONE : SYMBOLS_FOREIGN;
	memset(s->locate_of, 0, gn_instruments_max(s->table) * sizeof(*s->locate_of));
	s->n_known = 0;
}

gn_inst symbols_learn(struct symbols *s, uint16_t locate, gn_symbol symbol)
{
	gn_inst was = s->inst_of[locate];

	if (symbol.word == 0 || locate == 0)
		return SYMBOLS_UNKNOWN;
	gn_inst inst = gn_instruments_add(s->table, symbol);
	if (inst != GN_INST_NONE)
		s->locate_of[inst] = locate;
	if (was == SYMBOLS_FOREIGN || was == SYMBOLS_STRANGE)
		return s->inst_of[locate] = SYMBOLS_FOREIGN;
	if (inst == GN_INST_NONE) {
		s->n_refused += was != SYMBOLS_REFUSED;
		return s->inst_of[locate] = SYMBOLS_REFUSED;
	}
	s->n_moved += was < SYMBOLS_SPECIAL && was != inst;
	s->n_known += was >= SYMBOLS_SPECIAL;
	return s->inst_of[locate] = inst;
}

uint16_t symbols_locate(const struct symbols *s, gn_symbol symbol)
{
	gn_inst inst = gn_instruments_find(s->table, symbol);

	return inst == GN_INST_NONE ? 0 : s->locate_of[inst];
}

gn_inst symbols_by_name(struct symbols *s, gn_symbol symbol)
{
	if (symbol.word == 0)
		return SYMBOLS_UNKNOWN;
	if (symbols_locate(s, symbol) % s->n_shards != s->shard)
		return SYMBOLS_FOREIGN;
	gn_inst inst = gn_instruments_add(s->table, symbol);
	return inst == GN_INST_NONE ? SYMBOLS_REFUSED : inst;
}
