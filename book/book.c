/* SPDX-License-Identifier: BSD-3-Clause */
#include "book.h"

#include "book_record.h"

/* BOOK_STATE when that is new. */
static uint32_t book_wrong(struct book_set *set, struct book *b)
{
	if (b->state & BOOK_STALE_OWN)
		return 0;
	set->n.stale++;
	b->state |= BOOK_STALE_OWN;
	return BOOK_STATE;
}

/* The event does not fit what the book holds. While the feed says stale, or starts mid-day, that proves nothing. */
static __attribute__((noinline, cold)) uint32_t book_contradicted(
	struct book_set *set, struct book *b, uint64_t *counter)
{
	(*counter)++;
	return set->cfg.tolerate_gaps || b->state & BOOK_STALE_FEED ? 0 : book_wrong(set, b);
}

static __attribute__((noinline, cold)) uint32_t book_refused(struct book_set *set, struct book *b, uint64_t *counter)
{
	(*counter)++;
	return book_wrong(set, b);
}

static void book_traded(struct book_set *set, gn_inst inst, int64_t px_e9, gn_qty qty)
{
	struct book_rest *r = &set->rest[inst];

	set->n.trade++;
	r->last_px.e9 = px_e9;
	r->last_qty = qty;
	r->volume += (uint64_t)qty;
}

static void wide_release(struct book_set *set, uint64_t rec)
{
	rec_wide(set, rec)->next_free = set->wide_free;
	set->wide_free = rec_px_bits(rec);
}

static void order_erase(struct book_set *set, uint64_t *rec)
{
	if (gn_unlikely(rec_is_wide(*rec)))
		wide_release(set, *rec);
	order_map_erase(&set->map, rec);
}

/* A record of a book that was cleared since. */
static bool order_is_dead(const struct book_set *set, uint64_t rec)
{
	return set->id_dead[rec_id(rec)] != 0;
}

static void id_release(struct book_set *set, uint32_t id)
{
	set->id_free[set->n_id_free++] = (uint16_t)id;
}

static void order_bury(struct book_set *set, uint64_t *rec)
{
	uint32_t id = rec_id(*rec);

	order_erase(set, rec);
	set->n_dead--;
	if (--set->id_dead[id] == 0)
		id_release(set, id);
}

void book_sweep(struct book_set *set, uint64_t n)
{
	uint64_t places = order_map_places(&set->map), ref;

	for (; n && set->n_dead; n--) {
		uint64_t *rec = order_map_at(&set->map, set->sweep_at, &ref);
		if (rec && order_is_dead(set, *rec))
			order_bury(set, rec); /* look again: another record may have moved here */
		else
			set->sweep_at = set->sweep_at + 1 == places ? 0 : set->sweep_at + 1;
	}
}

static void id_take(struct book_set *set, struct book *b)
{
	if (gn_unlikely(set->n_id_free == 0))
		book_sweep(set, UINT64_MAX); /* the books were cleared faster than anyone swept */
	b->id = set->id_free[--set->n_id_free];
}

/* Why there is no order of b under ref. */
static uint32_t order_missing(struct book_set *set, struct book *b, const uint64_t *rec)
{
	bool foreign = rec && !order_is_dead(set, *rec);

	return book_contradicted(set, b, foreign ? &set->n.ref_foreign : &set->n.ref_unknown);
}

/* An order that its record cannot tell, or that came late. */
static uint64_t record_wide(
	struct book_set *set, struct book *b, gn_inst inst, gn_side side, uint64_t ref, int64_t px_e9, gn_qty qty)
{
	uint32_t i = set->wide_free;

	if (i == WIDE_NONE)
		return 0;
	struct book_wide *w = &set->wide[i];
	set->wide_free = w->next_free;
	bool late = ref <= b->ref_high;
	b->ref_high = late ? b->ref_high : ref;
	set->rest[inst].n_late += late;
	*w = (struct book_wide){.px_e9 = px_e9, .qty = qty, .arrival = b->ref_high};
	w->late = late ? (uint32_t)set->rest[inst].n_late : 0;
	set->n.order_wide++;
	return rec_make(b->id, side, i, 0);
}

/* Record of a new order, 0 when there is no room. */
static inline uint64_t record_new(
	struct book_set *set, struct book *b, gn_inst inst, gn_side side, uint64_t ref, int64_t px_e9, gn_qty qty)
{
	uint64_t px_e4 = (uint64_t)px_e9 / GN_PX_E9_PER_E4;

	if (gn_unlikely(ref <= b->ref_high || qty > REC_QTY_MAX || px_e4 > REC_PX_E4_MAX
		    || px_e4 * GN_PX_E9_PER_E4 != (uint64_t)px_e9))
		return record_wide(set, b, inst, side, ref, px_e9, qty);
	b->ref_high = ref;
	return rec_make(b->id, side, px_e4, (uint64_t)qty);
}

/* Whether ref is free. A dead record under it is buried. */
static bool ref_is_free(struct book_set *set, uint64_t ref)
{
	uint64_t *rec = order_map_find(&set->map, ref);

	if (!rec)
		return true;
	if (order_is_dead(set, *rec)) {
		order_bury(set, rec);
		return true;
	}
	return false;
}

/* Put any new order into the book. */
static __attribute__((noinline)) uint32_t order_insert_any(
	struct book_set *set, struct book *b, gn_inst inst, gn_side side, uint64_t ref, gn_px px, gn_qty qty)
{
	int64_t key = levels_key(side, px.e9);

	if ((uint64_t)px.e9 - 1 >= (uint64_t)LEVEL_PX_E9_MAX)
		return book_contradicted(set, b, &set->n.px_bad);
	if ((uint64_t)qty - 1 >= (uint64_t)LEVEL_QTY_MAX)
		return book_contradicted(set, b, &set->n.qty_bad);
	if (!ref_is_free(set, ref))
		return book_contradicted(set, b, &set->n.ref_duplicate);
	if (!b->id)
		id_take(set, b); /* its first order */
	if (!order_map_has_room(&set->map))
		return book_refused(set, b, &set->n.limit_order);
	uint64_t rec = record_new(set, b, inst, side, ref, px.e9, qty);
	if (gn_unlikely(!rec))
		return book_refused(set, b, &set->n.limit_wide);
	struct levels_side levels = book_side(set, inst, side);
	enum levels_result result = levels_add(&levels, key, qty);
	if (gn_unlikely(result == LEVELS_FULL)) {
		if (rec_is_wide(rec))
			wide_release(set, rec);
		return book_refused(set, b, &set->n.limit_level);
	}
	order_map_put(&set->map, ref, rec);
	set->n.order_add++;
	if (gn_unlikely(b->state & BOOK_WATCHED))
		book_watch_added(set, inst, ref);
	set->changed_side = side;
	set->changed_key = key;
	return (uint32_t)result;
}

/* Take any order out of the book. */
static __attribute__((noinline)) uint32_t order_remove_any(
	struct book_set *set, struct book *b, gn_inst inst, uint64_t ref, uint64_t *rec, const struct rec_order *o)
{
	int64_t key = levels_key(o->side, o->px_e9);

	if (gn_unlikely(b->state & BOOK_WATCHED))
		book_watch_taken(set, inst, ref, *rec, o, o->qty, true);
	order_erase(set, rec);
	set->changed_side = o->side;
	set->changed_key = key;
	struct levels_side levels = book_side(set, inst, o->side);
	return (uint32_t)levels_take(&levels, key, o->qty, true);
}

/* Take qty, which is less than it has, off an order. */
static uint32_t order_reduce(
	struct book_set *set, struct book *b, gn_inst inst, uint64_t ref, uint64_t *rec, const struct rec_order *o, gn_qty qty)
{
	int64_t key = levels_key(o->side, o->px_e9);

	if (gn_unlikely(b->state & BOOK_WATCHED))
		book_watch_taken(set, inst, ref, *rec, o, qty, false);
	if (gn_unlikely(rec_is_wide(*rec)))
		rec_wide(set, *rec)->qty -= qty;
	else
		*rec -= (uint64_t)qty;
	set->changed_side = o->side;
	set->changed_key = key;
	struct levels_side levels = book_side(set, inst, o->side);
	return (uint32_t)levels_take(&levels, key, qty, false);
}

/* a where `on` is all ones, b where it is 0. Opaque to the compiler, which would make a branch of it. */
static inline uint64_t either(uint64_t on, uint64_t a, uint64_t b)
{
	__asm__("" : "+r"(on));
	return b ^ ((b ^ a) & on);
}

/*
 * The way of nearly all orders that come and go, in one go, and without a branch on which of both it is: nobody can
 * predict that. The order came in order, a record can tell it, the store and the near end of the ladder have its place.
 * Whatever is unusual makes no change and returns 0. Side and price are in changed_side and changed_key then.
 */
static inline __attribute__((always_inline)) uint32_t order_usual(
	struct book_set *set, struct book *b, gn_inst inst, bool add, gn_side side, uint64_t ref, int64_t px_e9, gn_qty qty)
{
	uint64_t *slot = order_map_place(&set->map, ref), rec = *slot, on = levels_mask(add);
	uint64_t px_e4 = (uint64_t)px_e9 / GN_PX_E9_PER_E4, was_e9 = rec_px_bits(rec) * (uint64_t)GN_PX_E9_PER_E4;
	uint64_t more = LEVEL_ONE + either(on, (uint64_t)qty, rec & (uint64_t)REC_QTY_MAX);
	uint32_t s = (uint32_t)either(on, (uint64_t)side - GN_BUY, rec >> REC_SIDE_SHIFT) & 1, place;
	int64_t key = levels_key((gn_side)(GN_BUY + s), (int64_t)either(on, (uint64_t)px_e9, was_e9));
	struct levels *l = &b->levels[s];
	bool placed = levels_place_below(l, key, LEVELS_NEAR, &place), room = order_map_has_room(&set->map);
	bool own = order_map_is_own(&set->map, ref), wide = rec_is_wide(rec);
	bool known = placed & own & !(b->state & BOOK_WATCHED);
	bool fits = (rec == 0) & (ref > b->ref_high) & ((uint32_t)side - GN_BUY <= GN_SELL - GN_BUY)
		& ((uint64_t)qty - 1 < (uint64_t)REC_QTY_MAX) & (px_e4 - 1 < REC_PX_E4_MAX)
		& (px_e4 * GN_PX_E9_PER_E4 == (uint64_t)px_e9) & room;
	bool there = (rec_id(rec) == b->id) & !wide;

	if (gn_unlikely(!(known & ((fits & add) | (there & !add)))))
		return 0;
	uint64_t sum = b->near_sum[s][place];
	if (gn_unlikely(level_qty(sum) > LEVEL_QTY_MAX - REC_QTY_MAX))
		return 0;
	*slot = rec_make(b->id, side, px_e4, (uint64_t)qty) & on;
	b->ref_high ^= (b->ref_high ^ ref) & on;
	set->map.n += (on & 2) - 1;
	set->n.order_add += add;
	set->changed_side = (gn_side)(GN_BUY + s);
	set->changed_key = key;
	enum levels_result result = levels_put_near(l, b->near_sum[s], place, sum + ((more ^ ~on) - ~on));
	if (gn_likely(result != LEVELS_FULL))
		return (uint32_t)result;
	struct levels_side levels = book_side(set, inst, (gn_side)(GN_BUY + s));
	levels_follow(&levels);
	return LEVELS_TOP;
}

static inline uint32_t order_insert(
	struct book_set *set, struct book *b, gn_inst inst, gn_side side, uint64_t ref, gn_px px, gn_qty qty)
{
	uint32_t bits = order_usual(set, b, inst, true, side, ref, px.e9, qty);

	return gn_likely(bits) ? bits : order_insert_any(set, b, inst, side, ref, px, qty);
}

static __attribute__((noinline)) uint32_t apply_add_any(struct book_set *set, struct book *b, const struct gn_md *md)
{
	if (gn_unlikely(md->side != GN_BUY && md->side != GN_SELL))
		return book_contradicted(set, b, &set->n.side_bad);
	return order_insert_any(set, b, md->inst, md->side, md->order.ref, md->order.px, md->order.qty);
}

static __attribute__((noinline)) uint32_t apply_delete_any(struct book_set *set, struct book *b, const struct gn_md *md)
{
	uint64_t *rec = order_map_find(&set->map, md->order.ref);

	if (!rec || rec_id(*rec) != b->id)
		return order_missing(set, b, rec);
	struct rec_order o = rec_unfold(set, *rec);
	return order_remove_any(set, b, md->inst, md->order.ref, rec, &o);
}

static __attribute__((noinline)) uint32_t apply_replace(struct book_set *set, struct book *b, const struct gn_md *md)
{
	uint32_t bits = order_usual(set, b, md->inst, false, 0, md->order.ref, 0, 0);

	if (gn_unlikely(!bits))
		bits = apply_delete_any(set, b, md);
	if (gn_unlikely(!(bits & BOOK_LEVELS)))
		return bits; /* the side is unknown too, so the new order cannot be placed */
	gn_side side = set->changed_side;
	int64_t key = set->changed_key;
	bits |= order_insert(set, b, md->inst, side, md->order.aux2, md->order.px, md->order.qty);
	if (key < set->changed_key)
		set->changed_key = key;
	return bits;
}

/* An execution or a partial cancellation; *was is the order before it, px_e9 0 when there is none. */
static uint32_t apply_less(struct book_set *set, struct book *b, const struct gn_md *md, struct rec_order *was)
{
	uint64_t *rec = order_map_find(&set->map, md->order.ref);

	was->px_e9 = 0;
	if (gn_unlikely(!rec || rec_id(*rec) != b->id))
		return order_missing(set, b, rec);
	*was = rec_unfold(set, *rec);
	if (gn_unlikely(md->order.qty <= 0))
		return book_contradicted(set, b, &set->n.qty_bad);
	if (md->order.qty < was->qty)
		return order_reduce(set, b, md->inst, md->order.ref, rec, was, md->order.qty);
	uint32_t bits = 0;
	if (gn_unlikely(md->order.qty > was->qty))
		bits = book_contradicted(set, b, &set->n.qty_excess);
	return bits | order_remove_any(set, b, md->inst, md->order.ref, rec, was);
}

static __attribute__((noinline)) uint32_t apply_reduce(struct book_set *set, struct book *b, const struct gn_md *md)
{
	struct rec_order was;

	return apply_less(set, b, md, &was);
}

static __attribute__((noinline)) uint32_t apply_exec(struct book_set *set, struct book *b, const struct gn_md *md)
{
	struct rec_order was;
	uint32_t bits = apply_less(set, b, md, &was);
	bool news = !(md->flags & GN_MD_F_SNAPSHOT); /* what rebuilds a book was printed before */
	bool printed = news && md->order.qty > 0 && (md->kind == GN_MD_EXEC || md->flags & GN_MD_F_PRINTABLE);
	int64_t px_e9 = md->kind == GN_MD_EXEC ? was.px_e9 : md->order.px.e9;

	if (!printed || px_e9 <= 0)
		return bits; /* an unknown order's price is unknown too */
	book_traded(set, md->inst, px_e9, md->order.qty);
	return bits | BOOK_TRADE;
}

static __attribute__((noinline)) uint32_t apply_print(struct book_set *set, const struct gn_md *md)
{
	if (md->order.px.e9 <= 0 || md->order.qty <= 0 || md->flags & GN_MD_F_SNAPSHOT)
		return BOOK_EVENT; /* an auction without a trade prints nothing, nor does what rebuilds a book */
	book_traded(set, md->inst, md->order.px.e9, md->order.qty);
	return BOOK_EVENT | BOOK_TRADE;
}

static uint32_t apply_clear(struct book_set *set, struct book *b, gn_inst inst)
{
	uint32_t bits = b->state & BOOK_STALE_OWN ? BOOK_EVENT | BOOK_STATE : BOOK_EVENT;

	set->n.clear++;
	b->state &= (uint8_t)~BOOK_STALE_OWN;
	if (!b->id)
		return bits;
	uint32_t n = 0;
	for (gn_side side = GN_BUY; side <= GN_SELL; side++) {
		struct levels_side levels = book_side(set, inst, side);
		n += levels_orders(&levels);
		levels_clear(&levels);
	}
	b->ref_high = set->rest[inst].n_late = 0;
	if (b->state & BOOK_WATCHED)
		book_watch_cleared(set, inst);
	if (n) { /* the orders stay in the map, dead under the old number */
		set->id_dead[b->id] = n;
		set->n_dead += n;
		id_take(set, b);
	}
	set->changed_side = GN_BUY;
	set->changed_key = INT64_MIN; /* better than all: everything changed */
	return bits | BOOK_LEVELS | BOOK_TOP;
}

static void state_set(struct book *b, uint8_t bit, bool on)
{
	b->state = (uint8_t)(on ? b->state | bit : b->state & ~bit);
}

/* Events that change the state of one instrument, or nothing. */
static __attribute__((noinline)) uint32_t apply_admin(struct book_set *set, struct book *b, const struct gn_md *md)
{
	uint8_t state = b->state;

	switch (md->kind) {
	case GN_MD_STATE: state_set(b, BOOK_TRADING, md->code == 'T'); break;
	case GN_MD_HALT:
		if (!set->cfg.market || md->state.market == set->cfg.market)
			state_set(b, BOOK_HALTED, md->code == 'H');
		break;
	case GN_MD_SHORT_SALE: state_set(b, BOOK_NO_SHORT, md->code == '1' || md->code == '2'); break;
	case GN_MD_STALE: state_set(b, BOOK_STALE_FEED, true); break;
	case GN_MD_FRESH: state_set(b, BOOK_STALE_FEED, false); break;
	case GN_MD_CLEAR: return apply_clear(set, b, md->inst);
	default: break;
	}
	return b->state == state ? BOOK_EVENT : BOOK_EVENT | BOOK_STATE;
}

/* Events that name no instrument of ours. */
static __attribute__((noinline)) uint32_t apply_global(struct book_set *set, const struct gn_md *md)
{
	uint32_t bits = BOOK_EVENT;

	if (md->kind >= GN_MD_ADD && md->kind <= GN_MD_CROSS) {
		set->n.inst_unknown++;
		return 0;
	}
	if (md->inst != GN_INST_NONE || (md->kind != GN_MD_STALE && md->kind != GN_MD_FRESH && md->kind != GN_MD_CLEAR))
		return bits;
	for (gn_inst i = 0; i < set->cfg.instruments_max; i++)
		apply_admin(set, &set->book[i], &(struct gn_md){.kind = md->kind, .inst = i});
	return bits | BOOK_STATE | BOOK_STATE_ALL;
}

/* All but the usual order that comes or goes. */
static __attribute__((noinline)) uint32_t apply_other(struct book_set *set, struct book *b, const struct gn_md *md)
{
	switch (md->kind) {
	case GN_MD_ADD: return apply_add_any(set, b, md);
	case GN_MD_DELETE: return apply_delete_any(set, b, md);
	case GN_MD_EXEC:
	case GN_MD_EXEC_PX: return apply_exec(set, b, md);
	case GN_MD_REDUCE: return apply_reduce(set, b, md);
	case GN_MD_REPLACE: return apply_replace(set, b, md);
	case GN_MD_TRADE:
	case GN_MD_CROSS: return apply_print(set, md);
	default: return apply_admin(set, b, md);
	}
}

uint32_t book_apply(struct book_set *set, const struct gn_md *md)
{
	if (gn_unlikely(md->kind == GN_MD_NONE || md->kind >= GN_MD_KIND_COUNT)) {
		set->n.event_unknown++;
		return 0;
	}
	set->n.event++;
	if (gn_unlikely(md->inst >= set->cfg.instruments_max))
		return apply_global(set, md);
	struct book *b = &set->book[md->inst];
	b->seq++;
	bool add = md->kind == GN_MD_ADD;
	if (gn_likely(add | (md->kind == GN_MD_DELETE))) {
		uint32_t bits = order_usual(
			set, b, md->inst, add, md->side, md->order.ref, md->order.px.e9, md->order.qty);
		if (gn_likely(bits))
			return bits;
	}
	return apply_other(set, b, md);
}
