/* SPDX-License-Identifier: BSD-3-Clause */
/* The real books against the obvious ones of book_reference.h, after every event. */
#include <criterion/criterion.h>
#include <stdio.h>

#include "book/book.h"
#include "book_reference.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define N_BOOKS 4u
#define N_WATCHES 4u
#define LEVELS_ROOM 4096u
#define CENT INT64_C(10000000)

static struct book_set set;
static struct ref_set ref;
static struct gn_md history[4]; /* printed when something differs */
static uint64_t seed;

static uint64_t rng_state;
static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)((rng() >> 32) * n >> 32);
}

static uint64_t count_from_env(uint64_t normal, uint64_t longer)
{
	const char *text = getenv("GANNET_LONG");
	return text && *text && *text != '0' ? longer : normal;
}

static void seed_from_env(void)
{
	const char *text = getenv("GANNET_SEED");
	seed = text ? strtoull(text, NULL, 0) : UINT64_C(20240229);
	rng_state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
}

static void set_init(const struct book_config *cfg)
{
	cr_assert_eq(book_set_init(&set, cfg), 0, "%s", gn_err_text());
	ref_set_init(&ref, cfg->instruments_max);
}

static void set_fini(void)
{
	book_set_fini(&set);
	ref_set_fini(&ref);
}

#define SAME(what, i, got, want)                                                                                      \
	cr_assert_eq(got, want, "event %lu, GANNET_SEED=%lu, instrument %u, kind %u: " what ": got %ld, expected %ld", \
		(unsigned long)(i), (unsigned long)seed, history[0].inst, history[0].kind, (long)(got), (long)(want))

static void check_side(uint64_t i, gn_inst inst, gn_side side)
{
	static struct level level[LEVELS_ROOM];
	const struct ref_book *b = &ref.book[inst];
	uint32_t n = book_levels(&set, inst, side, level, LEVELS_ROOM);
	const struct ref_level *want = b->level[side - GN_BUY];

	SAME("number of levels", i, n, b->n_levels[side - GN_BUY]);
	for (uint32_t k = 0; k < n; k++) {
		if (book_level_px(side, &level[k]).e9 == want[k].px && level_qty(level[k].sum) == want[k].qty
			&& level_orders(level[k].sum) == want[k].n)
			continue;
		SAME("price of a level", i, book_level_px(side, &level[k]).e9, want[k].px);
		SAME("quantity of a level", i, level_qty(level[k].sum), want[k].qty);
		SAME("orders of a level", i, level_orders(level[k].sum), want[k].n);
	}
}

static void check_top(uint64_t i, gn_inst inst)
{
	const struct ref_book *b = &ref.book[inst];
	struct ref_level none = {0};
	struct ref_level bid = b->n_levels[0] ? b->level[0][0] : none, ask = b->n_levels[1] ? b->level[1][0] : none;
	struct book_bbo bbo = book_bbo(&set, inst);
	uint8_t flags = book_flags(&set, inst);

	SAME("best bid", i, bbo.bid_px.e9, bid.px);
	SAME("best ask", i, bbo.ask_px.e9, ask.px);
	SAME("best bid quantity", i, bbo.bid_qty, bid.qty);
	SAME("best ask quantity", i, bbo.ask_qty, ask.qty);
	SAME("locked", i, !!(flags & GN_VIEW_LOCKED), bid.px && bid.px == ask.px);
	SAME("crossed", i, !!(flags & GN_VIEW_CROSSED), bid.px && ask.px && bid.px > ask.px);
	SAME("volume", i, (int64_t)set.rest[inst].volume, b->volume);
	SAME("last price", i, set.rest[inst].last_px.e9, b->last_px);
}

static void check_queue(uint64_t i, gn_inst inst, const struct ref_order *mine)
{
	const struct ref_book *b = &ref.book[inst];
	struct book_queue q = {0};
	int64_t qty = 0;
	uint32_t n = 0;

	for (const struct ref_order *o = b->order; o < mine; o++) {
		if (o->side != mine->side || o->px != mine->px)
			continue;
		qty += o->qty;
		n++;
	}
	cr_assert(book_queue(&set, inst, mine->ref, &q), "event %lu, seed %lu: order is gone", (unsigned long)i,
		(unsigned long)seed);
	SAME("quantity ahead", i, q.qty_ahead, qty);
	SAME("orders ahead", i, q.orders_ahead, n);
}

static void check_level_orders(uint64_t i, gn_inst inst)
{
	const struct ref_book *b = &ref.book[inst];
	struct book_order got[256];

	if (!b->n_orders)
		return;
	const struct ref_order *any = &b->order[below(b->n_orders)];
	uint32_t n = book_level_orders(&set, inst, any->side, (gn_px){any->px}, got, 256), k = 0;
	for (uint32_t j = 0; j < b->n_orders && k < 256; j++) {
		const struct ref_order *o = &b->order[j];
		if (o->side != any->side || o->px != any->px)
			continue;
		cr_assert_lt(k, n);
		SAME("order of a level", i, got[k].ref, o->ref);
		SAME("quantity of an order", i, got[k].qty, o->qty);
		k++;
	}
	SAME("orders on demand", i, n, k);
}

/* What changed within the first n levels, by comparing before and after. */
static bool top_differs(
	const struct ref_book *b, const struct ref_level before[2][10], const uint32_t n_before[2], uint32_t n)
{
	for (uint32_t s = 0; s < 2; s++) {
		uint32_t have = b->n_levels[s] < n ? b->n_levels[s] : n, had = n_before[s] < n ? n_before[s] : n;
		if (have != had)
			return true;
		for (uint32_t k = 0; k < have; k++)
			if (before[s][k].px != b->level[s][k].px || before[s][k].qty != b->level[s][k].qty
				|| before[s][k].n != b->level[s][k].n)
				return true;
	}
	return false;
}

static void apply_both(uint64_t i, const struct gn_md *md)
{
	const struct ref_book *b = &ref.book[md->inst];
	struct ref_level before[2][10];
	uint32_t n_before[2];

	history[0] = *md;
	for (uint32_t s = 0; s < 2; s++) {
		n_before[s] = b->n_levels[s];
		for (uint32_t k = 0; k < n_before[s] && k < 10; k++)
			before[s][k] = b->level[s][k];
	}
	uint32_t bits = book_apply(&set, md);
	ref_apply(&ref, md);
	if (md->kind == GN_MD_CLEAR)
		return;
	/* a replacement by the very same price and quantity changes the queue but no level: told all the same */
	bool same = md->kind == GN_MD_REPLACE;
	bool top = top_differs(b, before, n_before, 1), ten = top_differs(b, before, n_before, 10);
	cr_assert(top ? !!(bits & BOOK_TOP) : same || !(bits & BOOK_TOP), "event %lu seed %lu kind %u: top %d, bits %x",
		(unsigned long)i, (unsigned long)seed, md->kind, top, bits);
	bool told = bits & BOOK_LEVELS && book_changed_within(&set, md->inst, 10);
	cr_assert(ten ? told : same || !told, "event %lu seed %lu kind %u: ten %d", (unsigned long)i, (unsigned long)seed,
		md->kind, ten);
}

static void check_all(uint64_t i, gn_inst inst)
{
	check_top(i, inst);
	check_side(i, inst, GN_BUY);
	check_side(i, inst, GN_SELL);
}

/* --- random events --- */

static struct {
	uint64_t next;
	int64_t mid[N_BOOKS];
	uint64_t watched[N_WATCHES];
	gn_inst watched_inst[N_WATCHES];
} world;

static uint64_t new_ref(void)
{
	switch (below(64)) {
	case 0: return rng();                            /* anywhere */
	case 1: return world.next - below(2000);         /* late, perhaps a duplicate */
	case 2: return world.next += 64 * 1024 + below(100000); /* a jump */
	case 3: return UINT64_MAX - below(4);
	default: return world.next += 1 + below(5);
	}
}

static int64_t new_px(gn_inst inst, gn_side side)
{
	int64_t away = (int64_t)(below(16) ? below(12) : below(700)) * CENT * (side == GN_BUY ? -1 : 1);

	switch (below(256)) {
	case 0: return 100000;                           /* 0.0001 */
	case 1: return INT64_C(200000) * 1000000000;     /* 200,000 */
	case 2: return 0;
	case 3: return -CENT;
	case 4: return world.mid[inst] + away + 100000;  /* between the ticks */
	case 5: return world.mid[inst] + away + 1;       /* no venue's decimals */
	case 6: return world.mid[inst] - away * 3;       /* crosses */
	default: return world.mid[inst] + away;
	}
}

static int64_t new_qty(void)
{
	switch (below(128)) {
	case 0: return 0;
	case 1: return -5;
	case 2: return INT64_C(5000000000);
	case 3: return LEVEL_QTY_MAX / 4096;
	default: return 100 * (int64_t)(1 + below(20));
	}
}

static uint64_t some_ref(gn_inst inst)
{
	const struct ref_book *b = &ref.book[below(64) ? inst : below(N_BOOKS)];

	return below(64) && b->n_orders ? b->order[below(b->n_orders)].ref : rng() >> below(64);
}

static struct gn_md random_event(uint32_t orders_wanted)
{
	gn_inst inst = below(N_BOOKS);
	gn_side side = (gn_side)(below(200) ? GN_BUY + below(2) : below(256));
	bool grow = ref.book[inst].n_orders < orders_wanted;
	struct gn_md md = {.inst = inst, .side = side, .rx_tsc = 1, .order = {.qty = new_qty()}};

	if (below(50) == 0)
		world.mid[inst] += ((int64_t)below(41) - 20) * CENT;
	if (below(20000) == 0)
		world.mid[inst] += ((int64_t)below(1200) - 600) * CENT;
	if (world.mid[inst] < CENT)
		world.mid[inst] = 30 * CENT;
	if (below(1000) == 0) {
		md.kind = (uint8_t)(GN_MD_TRADE + below(GN_MD_KIND_COUNT - GN_MD_TRADE));
		md.kind = md.kind == GN_MD_CLEAR && below(20) ? GN_MD_TRADE : md.kind;
		md.order.px.e9 = world.mid[inst];
		return md;
	}
	if (below(100) < (grow ? 60u : 35u)) {
		md.kind = GN_MD_ADD;
		md.order.ref = new_ref();
		md.order.px.e9 = new_px(inst, side);
		return md;
	}
	static const uint8_t kinds[] = {GN_MD_DELETE, GN_MD_DELETE, GN_MD_EXEC, GN_MD_EXEC_PX, GN_MD_REDUCE, GN_MD_REPLACE};
	md.kind = kinds[below(sizeof(kinds))];
	md.order.ref = some_ref(inst);
	if (md.kind == GN_MD_EXEC_PX) {
		md.order.px.e9 = new_px(inst, side);
		md.flags = below(2) ? GN_MD_F_PRINTABLE : 0;
	}
	if (md.kind == GN_MD_REPLACE) {
		const struct ref_order *o = ref_find(&ref.book[inst], md.order.ref);
		md.order.aux2 = below(200) ? new_ref() : some_ref(inst);
		md.order.px.e9 = new_px(inst, o ? o->side : GN_BUY);
	}
	return md;
}

/* Follow some orders: before they come, and when they are there. */
static void rewatch(const struct gn_md *md)
{
	uint32_t w = below(N_WATCHES);

	book_unwatch(&set, world.watched[w]);
	world.watched[w] = md->kind == GN_MD_ADD ? md->order.ref : some_ref(md->inst);
	world.watched_inst[w] = md->inst;
	book_watch(&set, md->inst, world.watched[w]);
}

static void check_queues(uint64_t i, gn_inst inst)
{
	for (uint32_t w = 0; w < N_WATCHES; w++) {
		const struct ref_order *o = ref_find(&ref.book[world.watched_inst[w]], world.watched[w]);
		if (o)
			check_queue(i, world.watched_inst[w], o);
	}
	const struct ref_book *b = &ref.book[inst];
	if (i % 64 == 0 && b->n_orders)
		check_queue(i, inst, &b->order[below(b->n_orders)]);
	if (i % 64 == 1)
		check_level_orders(i, inst);
}

static void run_random(uint64_t n, uint32_t orders_wanted)
{
	memset(&world, 0, sizeof(world));
	world.next = 5000;
	for (uint32_t b = 0; b < N_BOOKS; b++)
		world.mid[b] = (int64_t)(b == 0 ? 50 : 10000 * b) * CENT;
	for (uint64_t i = 0; i < n; i++) {
		struct gn_md md = random_event(orders_wanted);
		if (i % 32 == 0)
			rewatch(&md);
		apply_both(i, &md);
		check_all(i, md.inst);
		check_queues(i, md.inst);
		if (i % 4096 == 0)
			book_sweep(&set, 1000);
	}
}

TestSuite(book_reference, .init = seed_from_env, .timeout = 3000);

Test(book_reference, equals_the_obvious_book_after_every_random_event)
{
	set_init(&(struct book_config){.instruments_max = N_BOOKS, .orders_max = 8192, .wide_max = 8192, .node = GN_NODE_ANY});
	run_random(count_from_env(1000000, 10000000), 100);
	cr_assert_gt(set.n.ref_unknown, 0);
	cr_assert_gt(set.n.ref_duplicate, 0);
	cr_assert_gt(set.n.ref_foreign, 0);
	cr_assert_gt(set.n.side_bad, 0);
	cr_assert_gt(set.n.px_bad, 0);
	cr_assert_gt(set.n.qty_bad, 0);
	cr_assert_gt(set.n.qty_excess, 0);
	cr_assert_gt(set.n.order_wide, 0);
	cr_assert_gt(set.n.clear, 0);
	cr_assert_eq(set.n.limit_order + set.n.limit_wide + set.n.limit_level, 0);
	set_fini();
}

Test(book_reference, equals_the_obvious_book_when_it_is_deep)
{
	set_init(&(struct book_config){
		.instruments_max = N_BOOKS, .orders_max = 8192, .wide_max = 8192, .far_bytes = 1 << 21, .node = GN_NODE_ANY});
	run_random(count_from_env(20000, 1000000), 1500);
	set_fini();
}

/* --- recorded files --- */

static uint8_t *file_read(const char *name, size_t *bytes)
{
	const char *root = getenv("GANNET_DATA");
	char path[512];

	snprintf(path, sizeof(path), "%s/nasdaq/%s", root ? root : "../shared/data", name);
	FILE *f = fopen(path, "rb");
	if (!f)
		cr_skip("no recorded file %s", path);
	fseek(f, 0, SEEK_END);
	*bytes = (size_t)ftell(f);
	rewind(f);
	uint8_t *data = malloc(*bytes);
	cr_assert_eq(fread(data, 1, *bytes, f), *bytes);
	fclose(f);
	return data;
}

static uint64_t run_file(const char *name)
{
	size_t bytes, at = 0;
	uint8_t *data = file_read(name, &bytes);
	uint64_t n = 0;

	while (at + 2 <= bytes) {
		uint32_t len = wire_u16(data + at);
		struct gn_md md = {0};
		uint16_t locate;
		at += 2;
		cr_assert_leq(at + len, bytes);
		if (itch50_decode(data + at, len, &md, &locate) == ITCH50_OK && locate) {
			md.inst = locate;
			apply_both(n, &md);
			check_all(n, md.inst);
			const struct ref_book *b = &ref.book[locate];
			if (b->n_orders && n % 16 == 0)
				check_queue(n, locate, &b->order[below(b->n_orders)]);
		}
		at += len;
		n++;
	}
	free(data);
	return n;
}

Test(book_reference, equals_the_obvious_book_on_a_recorded_symbol)
{
	set_init(&(struct book_config){.instruments_max = 16384, .orders_max = 100000, .node = GN_NODE_ANY});
	cr_assert_eq(run_file("aapl_20191230_first25000.itch"), 25000);
	cr_assert_gt(set.n.order_add, 10000);
	cr_assert_gt(set.n.ref_unknown, 0, "the file starts mid-day");
	set_fini();
}

Test(book_reference, equals_the_obvious_book_on_the_head_of_a_day)
{
	set_init(&(struct book_config){.instruments_max = 16384, .orders_max = 100000, .node = GN_NODE_ANY});
	cr_assert_eq(run_file("day_head_1000msg.itch"), 1000);
	set_fini();
}
