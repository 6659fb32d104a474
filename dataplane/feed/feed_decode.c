/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed_decode.h"

static const bool kind_has_no_inst[GN_MD_KIND_COUNT] = {
	[GN_MD_SYSTEM] = true, [GN_MD_MWCB_LEVELS] = true, [GN_MD_MWCB_STATUS] = true,
};

void feed_put(struct feed *f, const struct gn_md *md, gn_inst inst)
{
	struct gn_md *out = feed_claim(f);

	*out = *md;
	out->inst = inst;
	out->rx_tsc = f->rx_tsc;
	f->n_batch++;
}

void feed_tell(struct feed *f, enum gn_md_kind kind, gn_inst inst)
{
	feed_put(f, &(struct gn_md){.kind = (uint8_t)kind}, inst);
}

static void feed_define(struct feed *f, const struct gn_md *md, gn_inst inst)
{
	gn_instruments_define(f->symbols.table, inst, &(struct gn_instrument){
		.round_lot = md->directory.round_lot, .venue_id = md->directory.venue_id,
		.authenticity = md->directory.authenticity});
}

/* An instrument is new to this session: a book must hear of it before its first event. */
static void feed_introduce(struct feed *f, const struct gn_md *directory, gn_inst inst, uint16_t locate)
{
	feed_define(f, directory, inst);
	feed_put(f, directory, inst);
	if (gn_unlikely(f->stale)) /* its book was told with all others, before it had a number */
		feed_tell(f, f->losses.mark[locate] & LOSSES_STALE ? GN_MD_STALE : GN_MD_FRESH, inst);
}

/* A number that nobody has explained, in a message that names its symbol: explain it to the books too. */
static gn_inst feed_learn(struct feed *f, const struct gn_md *md, uint16_t locate, gn_symbol symbol)
{
	gn_inst inst = symbols_learn(&f->symbols, locate, symbol);
	struct gn_md directory = {.kind = GN_MD_DIRECTORY, .exch_ns = md->exch_ns};

	f->n.inst_refused = f->symbols.n_refused;
	if (inst >= SYMBOLS_SPECIAL)
		return inst;
	directory.directory.symbol = symbol;
	directory.directory.venue_id = locate;
	f->n.inst_learned++;
	feed_introduce(f, &directory, inst, locate);
	return inst;
}

static void feed_directory(struct feed *f, const struct gn_md *md, uint16_t locate)
{
	gn_inst inst = symbols_learn(&f->symbols, locate, md->directory.symbol);

	f->n.inst_refused = f->symbols.n_refused;
	f->n.inst_moved = f->symbols.n_moved;
	if (inst == SYMBOLS_FOREIGN)
		f->n.msg_foreign++;
	else if (inst == SYMBOLS_REFUSED)
		f->n.msg_refused++;
	else if (inst == SYMBOLS_UNKNOWN)
		f->n.msg_unmapped++;
	else {
		f->n.msg_event++;
		feed_introduce(f, md, inst, locate);
	}
}

/* A message that names its instrument by symbol only; the books may not have heard of it. */
static gn_inst feed_named(struct feed *f, const struct gn_md *md, gn_symbol symbol)
{
	gn_inst inst = symbols_by_name(&f->symbols, symbol);
	struct gn_md directory = {.kind = GN_MD_DIRECTORY, .exch_ns = md->exch_ns, .directory.symbol = symbol};

	if (inst < SYMBOLS_SPECIAL && f->symbols.locate_of[inst] == 0)
		feed_put(f, &directory, inst);
	return inst;
}

/* Messages of locate 0, of a number that is not mapped, or without a number. */
static void feed_unmapped(struct feed *f, const struct gn_md *md, uint16_t locate, gn_symbol symbol)
{
	gn_inst inst = f->symbols.inst_of[locate];

	if (inst == SYMBOLS_STRANGE)
		inst = symbol.word ? symbols_learn(&f->symbols, locate, symbol) : SYMBOLS_FOREIGN;
	else if (kind_has_no_inst[md->kind])
		inst = GN_INST_NONE;
	else if (md->kind == GN_MD_IPO)
		inst = feed_named(f, md, symbol);
	else if (inst == SYMBOLS_UNKNOWN && symbol.word)
		inst = feed_learn(f, md, locate, symbol);
	else if (inst == GN_INST_NONE)
		inst = SYMBOLS_UNKNOWN;

	if (inst == SYMBOLS_FOREIGN)
		f->n.msg_foreign++;
	else if (inst == SYMBOLS_REFUSED)
		f->n.msg_refused++;
	else if (inst == SYMBOLS_UNKNOWN)
		f->n.msg_unmapped++;
	else {
		f->n.msg_event++;
		feed_put(f, md, inst);
	}
}

void feed_decode_late(struct feed *f, const uint8_t *msg, uint32_t bytes)
{
	struct gn_md md;
	uint16_t locate;

	if (itch50_decode(msg, bytes, &md, &locate) != ITCH50_OK || (f->symbols.inst_of[locate] != SYMBOLS_UNKNOWN
		&& f->symbols.inst_of[locate] != SYMBOLS_STRANGE))
		return;
	md.exch_ns += f->midnight_ns;
	if (md.kind == GN_MD_DIRECTORY)
		feed_directory(f, &md, locate);
	else
		feed_learn(f, &md, locate, itch50_symbol(msg, bytes));
}

void feed_decode_rare(struct feed *f, const uint8_t *msg, uint32_t bytes)
{
	struct gn_md md;
	uint16_t locate;

	if (bytes == 0) {
		f->n.msg_empty++;
		return;
	}
	switch (itch50_decode(msg, bytes, &md, &locate)) {
	case ITCH50_UNKNOWN:
		f->n.msg_unknown_type++;
		return;
	case ITCH50_WRONG_LENGTH:
		f->n.msg_wrong_length++;
		return;
	case ITCH50_OK:
		break;
	}
	md.exch_ns += f->midnight_ns;
	if (md.kind == GN_MD_DIRECTORY)
		feed_directory(f, &md, locate);
	else
		feed_unmapped(f, &md, locate, itch50_symbol(msg, bytes));
}
