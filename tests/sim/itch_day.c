/* SPDX-License-Identifier: BSD-3-Clause */
#include "itch_day.h"

#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/instruments.h"
#include "random.h"

gn_symbol day_symbol(uint32_t i)
{
	char text[16];

	snprintf(text, sizeof(text), "SYM%u", i);
	return gn_symbol_from(text, 8);
}

static void day_put(struct day *day, const struct gn_md *md, uint32_t symbol)
{
	struct day_message *m = &day->message[day->n_messages++];
	bool market = md->kind == GN_MD_SYSTEM || md->kind == GN_MD_MWCB_STATUS || md->kind == GN_MD_IPO;

	m->bytes = (uint8_t)itch50_encode(md, market ? 0 : day_locate(symbol), 0, day_symbol(symbol), m->data);
}

static void day_begin(struct day *day, uint32_t n_symbols)
{
	day_put(day, &(struct gn_md){.kind = GN_MD_SYSTEM, .code = 'O'}, 0);
	for (uint32_t i = 0; i < n_symbols; i++) {
		day_put(day, &(struct gn_md){.kind = GN_MD_DIRECTORY, .directory = {.round_lot = 100, .authenticity = 'P'}}, i);
		day_put(day, &(struct gn_md){.kind = GN_MD_STATE, .code = 'T'}, i);
		day_put(day, &(struct gn_md){.kind = GN_MD_SHORT_SALE, .code = '0'}, i);
	}
}

/* Everything that is not an order. */
static struct gn_md day_other(uint64_t *rng)
{
	static const struct gn_md other[] = {
		{.kind = GN_MD_SYSTEM, .code = 'Q'},
		{.kind = GN_MD_STATE, .code = 'H'},
		{.kind = GN_MD_STATE, .code = 'T'},
		{.kind = GN_MD_TRADE, .side = GN_BUY, .order = {.qty = 100, .px.e9 = 1000000000, .aux2 = 77}},
		{.kind = GN_MD_CROSS, .code = 'O', .order = {.qty = 100, .px.e9 = 1000000000, .aux2 = 78}},
		{.kind = GN_MD_RETAIL, .code = 'B'},
		{.kind = GN_MD_IPO, .code = 'A'},
		{.kind = GN_MD_MWCB_STATUS, .code = '1'},
		{.kind = GN_MD_IMBALANCE, .imbalance = {.paired = 100, .direction = 'B', .cross = 'O', .variation = 'L'}},
	};

	return other[random_below(rng, GN_ARRAY_SIZE(other))];
}

static struct gn_md day_add(uint64_t *rng, uint64_t ref)
{
	return (struct gn_md){.kind = GN_MD_ADD, .side = random_below(rng, 2) ? GN_BUY : GN_SELL, .order = {.ref = ref,
		.qty = 1 + (gn_qty)random_below(rng, 500), .px.e9 = INT64_C(1000000000) * (1 + (int64_t)random_below(rng, 50))}};
}

/* A change of a live order. */
static struct gn_md day_change(uint64_t *rng, const struct day_order *o, uint64_t ref_new)
{
	gn_qty part = 1 + (gn_qty)random_below(rng, (uint64_t)o->qty);
	struct gn_md md = {.order = {.ref = o->ref, .qty = part}};

	switch (random_below(rng, 6)) {
	case 0: md.kind = GN_MD_EXEC; md.order.aux2 = ref_new; break;
	case 1: md.kind = GN_MD_EXEC_PX; md.flags = GN_MD_F_PRINTABLE; md.order.px = o->px; break;
	case 2:
		md.kind = part < o->qty ? GN_MD_REDUCE : GN_MD_DELETE;
		md.order.qty = part < o->qty ? part : 0;
		break;
	case 3:
		md = day_add(rng, o->ref);
		md.kind = GN_MD_REPLACE;
		md.order.aux2 = ref_new;
		break;
	default: md.kind = GN_MD_DELETE; md.order.qty = 0; break;
	}
	return md;
}

static uint32_t day_symbol_of(uint16_t locate)
{
	return (locate - 1u) / 37u;
}

void day_make(struct day *day, uint64_t seed, uint32_t n_symbols, uint32_t n_messages, bool directory)
{
	static struct day_book book;
	uint64_t rng = seed, ref = 0;

	memset(&book, 0, sizeof(book));
	day->n_messages = 0;
	day->n_symbols = n_symbols;
	if (directory)
		day_begin(day, n_symbols);
	while (day->n_messages < n_messages) {
		uint64_t what = random_below(&rng, 20);
		uint32_t symbol = (uint32_t)random_below(&rng, n_symbols);
		struct gn_md md = what == 0 ? day_other(&rng) : day_add(&rng, ++ref);
		if (what > 9 && book.n) {
			const struct day_order *o = &book.order[random_below(&rng, book.n)];
			symbol = day_symbol_of(o->locate);
			md = day_change(&rng, o, ++ref);
		}
		day_put(day, &md, symbol);
		day_book_message(&book, &day->message[day->n_messages - 1]);
	}
}

static struct day_order *day_find(struct day_book *book, uint64_t ref, uint16_t locate)
{
	for (uint32_t i = 0; i < book->n; i++)
		if (book->order[i].ref == ref && book->order[i].locate == locate)
			return &book->order[i];
	return NULL;
}

static void day_remove(struct day_book *book, struct day_order *o)
{
	uint32_t i = (uint32_t)(o - book->order);

	memmove(o, o + 1, (--book->n - i) * sizeof(*o));
}

static void day_append(struct day_book *book, uint64_t ref, gn_side side, const struct gn_md *md, uint16_t locate)
{
	if (book->n < DAY_MESSAGES_MAX)
		book->order[book->n++] = (struct day_order){ref, md->order.px, md->order.qty, side, locate};
}

void day_book_apply(struct day_book *book, const struct gn_md *md, uint16_t locate)
{
	struct day_order *o = md->kind >= GN_MD_EXEC && md->kind <= GN_MD_REPLACE ? day_find(book, md->order.ref, locate) : NULL;

	if (md->kind == GN_MD_ADD)
		day_append(book, md->order.ref, md->side, md, locate);
	else if (md->kind == GN_MD_STATE)
		book->state[locate] = md->code;
	if (!o)
		return;
	gn_side side = o->side;
	if (md->kind == GN_MD_EXEC || md->kind == GN_MD_EXEC_PX || md->kind == GN_MD_REDUCE)
		o->qty -= md->order.qty;
	if (md->kind == GN_MD_DELETE || md->kind == GN_MD_REPLACE || o->qty <= 0)
		day_remove(book, o);
	if (md->kind == GN_MD_REPLACE)
		day_append(book, md->order.aux2, side, md, locate);
}

void day_book_clear(struct day_book *book, uint16_t locate)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < book->n; i++)
		if (book->order[i].locate != locate)
			book->order[n++] = book->order[i];
	book->n = n;
}

uint64_t day_book_hash(const struct day_book *book, uint16_t locate)
{
	uint64_t hash = (uint64_t)(unsigned char)book->state[locate];

	for (uint32_t i = 0; i < book->n; i++) {
		const struct day_order *o = &book->order[i];
		if (o->locate != locate)
			continue;
		uint64_t words[] = {hash, o->ref, (uint64_t)o->px.e9, (uint64_t)o->qty, o->side};
		for (uint32_t j = 0; j < GN_ARRAY_SIZE(words); j++) {
			hash ^= words[j];
			hash = random_next(&hash);
		}
	}
	return hash;
}

void day_book_message(struct day_book *book, const struct day_message *message)
{
	struct gn_md md;
	uint16_t locate;

	if (itch50_decode(message->data, message->bytes, &md, &locate) == ITCH50_OK)
		day_book_apply(book, &md, locate);
}
