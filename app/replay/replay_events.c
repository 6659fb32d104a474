/* SPDX-License-Identifier: BSD-3-Clause */
#include <inttypes.h>
#include <stdio.h>

#include "dataplane/codec/itch50.h"
#include "replay_core.h"

#define DETAIL_BYTES 320u

const char *replay_kind_name(uint8_t kind)
{
	static const char *const name[GN_MD_KIND_COUNT] = {
		[GN_MD_ADD] = "add", [GN_MD_EXEC] = "exec", [GN_MD_EXEC_PX] = "exec_px", [GN_MD_REDUCE] = "reduce",
		[GN_MD_DELETE] = "delete", [GN_MD_REPLACE] = "replace", [GN_MD_TRADE] = "trade", [GN_MD_CROSS] = "cross",
		[GN_MD_BROKEN] = "broken", [GN_MD_SYSTEM] = "system", [GN_MD_DIRECTORY] = "directory", [GN_MD_STATE] = "state",
		[GN_MD_HALT] = "halt", [GN_MD_SHORT_SALE] = "short_sale", [GN_MD_PARTICIPANT] = "participant",
		[GN_MD_MWCB_LEVELS] = "mwcb_levels", [GN_MD_MWCB_STATUS] = "mwcb_status", [GN_MD_IPO] = "ipo",
		[GN_MD_COLLAR] = "collar", [GN_MD_IMBALANCE] = "imbalance", [GN_MD_RETAIL] = "retail",
		[GN_MD_DISCOVERY] = "discovery", [GN_MD_STALE] = "stale", [GN_MD_CLEAR] = "clear", [GN_MD_FRESH] = "fresh",
		[GN_MD_SESSION_END] = "session_end",
	};
	const char *text = kind < GN_MD_KIND_COUNT ? name[kind] : NULL;

	return text != NULL ? text : "unknown";
}

/* a price of four decimals, as text */
struct px_text {
	char c[32];
};

static struct px_text px_text(gn_px px)
{
	struct text_out o;
	struct px_text text;

	text_out_init(&o, -1);
	text_put_px(&o, px);
	memcpy(text.c, o.buf, o.n);
	text.c[o.n] = '\0';
	return text;
}

static struct px_text e4_text(uint32_t e4)
{
	return px_text((gn_px){.e9 = e4 * GN_PX_E9_PER_E4});
}

static char letter(char c)
{
	return c == '\0' || c == ' ' ? '-' : c;
}

static int detail_directory(const struct gn_md *md, char *to)
{
	return snprintf(to, DETAIL_BYTES,
		"locate=%" PRIu32 " category=%c status=%c round_lot=%" PRIu32 " round_lots_only=%c class=%c subtype=%c%c "
		"authenticity=%c short_sale_threshold=%c ipo=%c luld_tier=%c etp=%c leverage=%" PRIu32 " inverse=%c",
		md->directory.venue_id, letter(md->directory.market_category), letter(md->directory.financial_status),
		md->directory.round_lot, letter(md->directory.round_lots_only), letter(md->directory.issue_class),
		letter(md->directory.issue_subtype[0]), letter(md->directory.issue_subtype[1]),
		letter(md->directory.authenticity), letter(md->directory.short_sale_threshold), letter(md->directory.ipo),
		letter(md->directory.luld_tier), letter(md->directory.etp), md->directory.etp_leverage,
		letter(md->directory.inverse));
}

static int detail_imbalance(const struct gn_md *md, char *to)
{
	return snprintf(to, DETAIL_BYTES,
		"paired=%" PRIu64 " imbalance=%" PRIu64 " direction=%c far=%s near=%s reference=%s cross=%c variation=%c",
		md->imbalance.paired, md->imbalance.imbalance, letter(md->imbalance.direction), e4_text(md->imbalance.far_e4).c,
		e4_text(md->imbalance.near_e4).c, e4_text(md->imbalance.reference_e4).c, letter(md->imbalance.cross),
		letter(md->imbalance.variation));
}

static int detail_discovery(const struct gn_md *md, char *to)
{
	return snprintf(to, DETAIL_BYTES, "min=%s max=%s near=%s near_time_ns=%" PRIu64 " collar_lower=%s collar_upper=%s",
		e4_text(md->discovery.min_e4).c, e4_text(md->discovery.max_e4).c, e4_text(md->discovery.near_e4).c,
		md->discovery.near_time_ns, e4_text(md->discovery.collar_lower_e4).c, e4_text(md->discovery.collar_upper_e4).c);
}

/* what only this kind of event has: name=value, blanks between */
static int detail(const struct gn_md *md, char *to)
{
	switch (md->kind) {
	case GN_MD_DIRECTORY: return detail_directory(md, to);
	case GN_MD_STATE: return snprintf(to, DETAIL_BYTES, "reason=%.4s", md->state.reason);
	case GN_MD_HALT: return snprintf(to, DETAIL_BYTES, "market=%c", letter(md->state.market));
	case GN_MD_PARTICIPANT:
		return snprintf(to, DETAIL_BYTES, "mpid=%.4s primary=%c mode=%c state=%c", md->participant.mpid,
			letter(md->participant.primary), letter(md->participant.mode), letter(md->participant.state));
	case GN_MD_MWCB_LEVELS:
		return snprintf(to, DETAIL_BYTES, "level_1=%s level_2=%s level_3=%s", px_text(md->mwcb.level[0]).c,
			px_text(md->mwcb.level[1]).c, px_text(md->mwcb.level[2]).c);
	case GN_MD_IPO:
		return snprintf(to, DETAIL_BYTES, "px=%s release_s=%" PRIu32, px_text(md->ipo.px).c, md->ipo.release_s);
	case GN_MD_COLLAR:
		return snprintf(to, DETAIL_BYTES, "reference=%s upper=%s lower=%s extension=%" PRIu32,
			px_text(md->collar.reference).c, px_text(md->collar.upper).c, px_text(md->collar.lower).c,
			md->collar.extension);
	case GN_MD_IMBALANCE: return detail_imbalance(md, to);
	case GN_MD_DISCOVERY: return detail_discovery(md, to);
	default: return 0;
	}
}

static bool has_order(const struct gn_md *md)
{
	return md != NULL && md->kind >= GN_MD_ADD && md->kind <= GN_MD_BROKEN;
}

static bool is_one_of(const struct gn_md *md, uint64_t kinds)
{
	return md != NULL && (kinds >> md->kind & 1) != 0;
}

#define KIND(name) (UINT64_C(1) << GN_MD_##name)
#define KINDS_REF (KIND(ADD) | KIND(EXEC) | KIND(EXEC_PX) | KIND(REDUCE) | KIND(DELETE) | KIND(REPLACE))
#define KINDS_PX (KIND(ADD) | KIND(EXEC_PX) | KIND(REPLACE) | KIND(TRADE) | KIND(CROSS))
#define KINDS_QTY (KINDS_PX | KIND(EXEC) | KIND(REDUCE))
#define KINDS_MATCH (KIND(EXEC) | KIND(EXEC_PX) | KIND(TRADE) | KIND(CROSS) | KIND(BROKEN))

static void put_u64_if(struct row *row, const char *name, bool there, uint64_t v)
{
	if (there)
		row_u64(row, name, 0, v);
	else
		row_none(row, name, 0);
}

static void put_order(struct row *row, const struct gn_md *md)
{
	uint64_t aux2 = has_order(md) ? md->order.aux2 : 0;
	char mpid[4];

	wire_put_u32(mpid, (uint32_t)aux2);
	put_u64_if(row, "ref", is_one_of(md, KINDS_REF), md != NULL ? md->order.ref : 0);
	put_u64_if(row, "ref_new", is_one_of(md, KIND(REPLACE)), aux2);
	if (is_one_of(md, KINDS_PX))
		row_px(row, "px", 0, md->order.px);
	else
		row_none(row, "px", 0);
	put_u64_if(row, "qty", is_one_of(md, KINDS_QTY), md != NULL ? (uint64_t)md->order.qty : 0);
	put_u64_if(row, "match", is_one_of(md, KINDS_MATCH), aux2);
	row_text(row, "attribution", mpid, is_one_of(md, KIND(ADD)) && aux2 != 0 ? sizeof(mpid) : 0);
	row_text(row, "printable", md != NULL && md->flags & GN_MD_F_PRINTABLE ? "Y" : "N", is_one_of(md, KIND(EXEC_PX)) ? 1 : 0);
}

void replay_print_event_row(struct replay *r, const struct gn_md *md)
{
	const char *kind = md != NULL ? replay_kind_name(md->kind) : "";
	bool side = md != NULL && (md->side == GN_BUY || md->side == GN_SELL);
	char text[DETAIL_BYTES];
	int n = md != NULL ? detail(md, text) : 0;

	replay_print_begin(r, md);
	row_text(&r->row, "kind", kind, strlen(kind));
	row_text(&r->row, "side", side && md->side == GN_BUY ? "B" : "S", side ? 1 : 0);
	row_text(&r->row, "code", md != NULL ? &md->code : "", md != NULL && md->code != '\0' ? 1 : 0);
	put_order(&r->row, md);
	row_text(&r->row, "detail", text, n > 0 ? (size_t)n : 0);
	row_end(&r->row);
}
