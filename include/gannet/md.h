/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GANNET_MD_H
#define GANNET_MD_H

/**
 * @file
 * The normalised market-data event: feed > book > strategy, journal, backtest.
 *
 * 56 bytes, so that an event and its ring header share one cache line. One layout for order events; the rarer
 * administrative ones reuse its last 32 bytes through the union, each by the kind that its comment names.
 */

#include "types.h"

/** What happened. Zero is nothing: zeroed memory is never an event. */
enum gn_md_kind {
	GN_MD_NONE = 0,
	/* the order book: .order */
	GN_MD_ADD,     /* ref, side, px, qty; aux2 = attribution (MPID, four letters as one big-endian number) or 0 */
	GN_MD_EXEC,    /* ref loses qty, traded at the order's own price; aux2 = match number */
	GN_MD_EXEC_PX, /* ref loses qty, traded at px; GN_MD_F_PRINTABLE says whether it counts as volume */
	GN_MD_REDUCE,  /* ref loses qty, cancelled in part */
	GN_MD_DELETE,  /* ref is gone */
	GN_MD_REPLACE, /* ref is gone, aux2 = new ref with px, qty and new time priority; side is inherited */
	/* trades that do not touch the displayed book: .order */
	GN_MD_TRADE,  /* hidden execution: side, px, qty, aux2 = match number */
	GN_MD_CROSS,  /* auction print: px, qty, aux2 = match number; code = cross type */
	GN_MD_BROKEN, /* aux2 = match number of the trade that is void */
	/* administrative */
	GN_MD_SYSTEM,       /* code = event code; no instrument */
	GN_MD_DIRECTORY,    /* .directory: an instrument is (re)defined */
	GN_MD_STATE,        /* .state: trading state of one instrument; code = state, .state.market = the venue's reserved byte */
	GN_MD_HALT,         /* .state: operational halt; code = H or T, .state.market = market */
	GN_MD_SHORT_SALE,   /* code = short-sale price test: '0' none, '1' in effect, '2' remains */
	GN_MD_PARTICIPANT,  /* .participant */
	GN_MD_MWCB_LEVELS,  /* .mwcb: market-wide circuit-breaker levels; no instrument */
	GN_MD_MWCB_STATUS,  /* code = breached level '1'..'3'; no instrument */
	GN_MD_IPO,          /* .ipo: quoting period update; code = release qualifier */
	GN_MD_COLLAR,       /* .collar: auction collar (LULD) */
	GN_MD_IMBALANCE,    /* .imbalance: net order imbalance (NOII) */
	GN_MD_RETAIL,       /* code = retail interest: B S A N */
	GN_MD_DISCOVERY,    /* .discovery: direct listing with capital raise; code = eligible Y or N */
	/* made by the engine, never by a venue */
	GN_MD_STALE, /* the book of inst may be wrong from here on; GN_INST_NONE: every book of the feed */
	GN_MD_CLEAR, /* forget every order of inst: a snapshot follows */
	GN_MD_FRESH, /* the book of inst is proven right again; GN_INST_NONE: every book of the feed */
	GN_MD_SESSION_END,
	GN_MD_KIND_COUNT
};

/** Bits of gn_md.flags. */
enum {
	GN_MD_F_LAST = 1,      /* last event of its datagram: a good moment to decide */
	GN_MD_F_PRINTABLE = 2, /* EXEC_PX: counts towards volume */
	/*
	 * Part of building a stale book anew: from a snapshot, or a live message that was sent before and is now applied on
	 * top of it. Changes the book and is no news to anybody else: no trade, no volume, no view until GN_MD_FRESH.
	 */
	GN_MD_F_SNAPSHOT = 4,
};

/** One normalised event. Prices are 1e-9 quote units, except the `_e4` fields, which keep the venue's four decimals. */
struct gn_md {
	uint8_t kind;  /* enum gn_md_kind */
	gn_side side;  /* GN_BUY or GN_SELL, 0 where it does not apply */
	uint8_t flags; /* GN_MD_F_* */
	char code;     /* the venue's letter, where the kind says so */
	gn_inst inst;  /* GN_INST_NONE where the event concerns no instrument */
	uint64_t rx_tsc;  /* when the datagram was returned by the port; also the trace id of all that it causes */
	uint64_t exch_ns; /* the venue's time stamp, since the Unix epoch (since midnight when the date is unknown) */
	union {
		struct {
			uint64_t ref;  /* venue's order reference */
			uint64_t aux2; /* new reference, match number or attribution: see the kind */
			gn_px px;
			gn_qty qty;
		} order;
		struct {
			gn_symbol symbol;
			uint32_t round_lot;
			char market_category, financial_status, round_lots_only, issue_class;
			char issue_subtype[2], authenticity, short_sale_threshold;
			char ipo, luld_tier, etp, inverse;
			uint32_t etp_leverage;
			uint32_t venue_id; /* the venue's own number for it (ITCH stock locate) */
		} directory;
		struct {
			char reason[4];
			char market;
		} state;
		struct {
			char mpid[4];
			char primary, mode, state;
		} participant;
		struct {
			gn_px level[3];
		} mwcb;
		struct {
			gn_px px;
			uint32_t release_s; /* seconds since midnight */
		} ipo;
		struct {
			gn_px reference, upper, lower;
			uint32_t extension;
		} collar;
		struct {
			uint64_t paired, imbalance;
			uint32_t far_e4, near_e4, reference_e4;
			char direction, cross, variation;
		} imbalance;
		struct {
			uint64_t near_time_ns; /* since midnight */
			uint32_t min_e4, max_e4, near_e4, collar_lower_e4, collar_upper_e4;
		} discovery;
	};
};
_Static_assert(sizeof(struct gn_md) == 56, "an event and its ring header share one cache line");

#endif
