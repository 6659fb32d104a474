/* SPDX-License-Identifier: BSD-3-Clause */
#include "instruments.h"

#include <errno.h>
#include <string.h>

#include "compiler.h"
#include "err.h"
#include "mem.h"

#define INSTRUMENTS_MAX (UINT32_C(1) << 20)
#define HASH_MULTIPLIER UINT64_C(0x9e3779b97f4a7c15)

/* One entry. Words are atomic because a feed may define an entry while others read it; each word is true by itself. */
struct entry {
	_Atomic uint64_t symbol;
	_Atomic int64_t tick_e9;
	_Atomic uint32_t round_lot;
	_Atomic uint32_t venue_id;
	_Atomic char authenticity;
};

struct gn_instruments {
	uint32_t max;
	uint32_t hash_bits;
	size_t map_bytes;
	_Atomic uint32_t n;
	_Atomic uint32_t adding; /* spin word of those who add */
	struct entry *entry;
	_Atomic uint32_t *hash; /* index + 1; 0 is free */
};

struct gn_instruments *gn_instruments_new(uint32_t max)
{
	if (max == 0 || max > INSTRUMENTS_MAX) {
		gn_err(EINVAL, "instruments: %u is not within 1 .. %u", max, INSTRUMENTS_MAX);
		return NULL;
	}
	uint32_t slots = gn_pow2_at_least(max * 2 < 16 ? 16 : max * 2);
	size_t head_bytes = (sizeof(struct gn_instruments) + GN_LINE - 1) / GN_LINE * GN_LINE;
	size_t map_bytes = head_bytes + max * sizeof(struct entry) + slots * sizeof(_Atomic uint32_t);
	uint8_t *mem = gn_mem_alloc(map_bytes, GN_NODE_ANY);

	if (!mem)
		return NULL;
	struct gn_instruments *t = (struct gn_instruments *)(void *)mem;
	t->max = max;
	t->hash_bits = (uint32_t)__builtin_ctz(slots);
	t->map_bytes = map_bytes;
	t->entry = (struct entry *)(void *)(mem + head_bytes);
	t->hash = (_Atomic uint32_t *)(void *)(mem + head_bytes + max * sizeof(struct entry));
	return t;
}

void gn_instruments_free(struct gn_instruments *t)
{
	if (t)
		gn_mem_free(t, t->map_bytes);
}

uint32_t gn_instruments_count(const struct gn_instruments *t)
{
	return atomic_load_explicit(&t->n, memory_order_acquire);
}

uint32_t gn_instruments_max(const struct gn_instruments *t)
{
	return t->max;
}

/* The slot that holds the symbol, or the free one where it belongs: the hash is at most half full, so there is one. */
static uint32_t instruments_slot(const struct gn_instruments *t, gn_symbol symbol)
{
	uint32_t mask = (UINT32_C(1) << t->hash_bits) - 1;
	uint32_t i = (uint32_t)((symbol.word * HASH_MULTIPLIER) >> (64 - t->hash_bits));

	for (;; i = (i + 1) & mask) {
		/* acquire pairs with the release in gn_instruments_add(): the entry behind the slot is complete */
		uint32_t at = atomic_load_explicit(&t->hash[i], memory_order_acquire);
		if (at == 0 || atomic_load_explicit(&t->entry[at - 1].symbol, memory_order_relaxed) == symbol.word)
			return i;
	}
}

gn_inst gn_instruments_find(const struct gn_instruments *t, gn_symbol symbol)
{
	uint32_t at = atomic_load_explicit(&t->hash[instruments_slot(t, symbol)], memory_order_acquire);

	return at ? at - 1 : GN_INST_NONE;
}

gn_inst gn_instruments_add(struct gn_instruments *t, gn_symbol symbol)
{
	gn_inst inst = gn_instruments_find(t, symbol);

	if (inst != GN_INST_NONE || symbol.word == 0)
		return inst;
	while (atomic_exchange_explicit(&t->adding, 1, memory_order_acquire))
		gn_pause();
	uint32_t slot = instruments_slot(t, symbol); /* someone may have added it meanwhile */
	uint32_t at = atomic_load_explicit(&t->hash[slot], memory_order_relaxed);
	uint32_t n = atomic_load_explicit(&t->n, memory_order_relaxed);
	if (at == 0 && n < t->max) {
		at = n + 1;
		atomic_store_explicit(&t->entry[n].symbol, symbol.word, memory_order_relaxed);
		atomic_store_explicit(&t->n, n + 1, memory_order_release);
		atomic_store_explicit(&t->hash[slot], at, memory_order_release);
	}
	atomic_store_explicit(&t->adding, 0, memory_order_release);
	return at ? at - 1 : GN_INST_NONE;
}

bool gn_instruments_get(const struct gn_instruments *t, gn_inst inst, struct gn_instrument *out)
{
	if (inst >= gn_instruments_count(t))
		return false;
	const struct entry *e = &t->entry[inst];
	*out = (struct gn_instrument){
		.symbol.word = atomic_load_explicit(&e->symbol, memory_order_relaxed),
		.inst = inst,
		.round_lot = atomic_load_explicit(&e->round_lot, memory_order_relaxed),
		.tick.e9 = atomic_load_explicit(&e->tick_e9, memory_order_relaxed),
		.venue_id = atomic_load_explicit(&e->venue_id, memory_order_relaxed),
		.authenticity = atomic_load_explicit(&e->authenticity, memory_order_relaxed),
	};
	return true;
}

void gn_instruments_define(struct gn_instruments *t, gn_inst inst, const struct gn_instrument *def)
{
	if (inst >= gn_instruments_count(t))
		return;
	struct entry *e = &t->entry[inst];
	atomic_store_explicit(&e->round_lot, def->round_lot, memory_order_relaxed);
	atomic_store_explicit(&e->venue_id, def->venue_id, memory_order_relaxed);
	atomic_store_explicit(&e->authenticity, def->authenticity, memory_order_relaxed);
	if (def->tick.e9)
		atomic_store_explicit(&e->tick_e9, def->tick.e9, memory_order_relaxed);
}

gn_symbol gn_symbol_from(const char *text, size_t bytes_max)
{
	gn_symbol symbol = {.word = 0};
	size_t n = strnlen(text, bytes_max);

	while (n && text[n - 1] == ' ')
		n--;
	if (n <= GN_SYMBOL_BYTES)
		memcpy(symbol.c, text, n);
	return symbol;
}

struct gn_symbol_text gn_symbol_text(gn_symbol symbol)
{
	struct gn_symbol_text text = {{0}};

	memcpy(text.c, symbol.c, GN_SYMBOL_BYTES);
	return text;
}
