/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_OUCH50_H
#define CODEC_OUCH50_H

/**
 * @file
 * NASDAQ OUCH 5.0: messages <> structs, both directions; the venue's letters stay letters. Pure functions, any thread.
 *
 * "In" goes to the venue (SoupBinTCP unsequenced), "out" comes from it (sequenced). Optional fields travel in an
 * appendage, kept as bytes in the structs: ouch50_options.h reads and writes them one by one.
 */

#include <gannet/types.h>

#include "dataplane/codec/symbol.h"
#include "dataplane/codec/wire.h"

#define OUCH50_QTY_MAX 999999u
#define OUCH50_PX_E4_MAX UINT64_C(0x7735939c) /* $199,999.99 */
#define OUCH50_PX_E4_MARKET UINT64_C(0x7fffffff)
#define OUCH50_CLORDID_BYTES 14u
#define OUCH50_ENTER_BYTES 47u /* without appendage, as all below */
#define OUCH50_REPLACE_BYTES 40u
#define OUCH50_CANCEL_BYTES 9u
#define OUCH50_MODIFY_BYTES 10u
#define OUCH50_QUERY_BYTES 1u
#define OUCH50_FIXED_BYTES_MAX 68u
#define OUCH50_APPENDAGE_BYTES_MAX 512u /* every tag once is 112; more is refused */
#define OUCH50_BYTES_MAX (OUCH50_FIXED_BYTES_MAX + OUCH50_APPENDAGE_BYTES_MAX)

/** Client order id: 14 letters or digits, padded with blanks. Not terminated. 16 bytes, which travel in two registers. */
struct ouch50_clordid {
	char c[OUCH50_CLORDID_BYTES];
	char reserved[2]; /* 0 */
};

/** The optional part of a message, in place: elements of length, tag, value. */
struct ouch50_appendage {
	const uint8_t *data;
	uint32_t bytes; /* at most OUCH50_APPENDAGE_BYTES_MAX */
};

enum ouch50_in_type {
	OUCH50_ENTER = 'O',
	OUCH50_REPLACE = 'U',
	OUCH50_CANCEL = 'X',
	OUCH50_MODIFY = 'M',
	OUCH50_QUERY = 'Q',
};

enum ouch50_out_type {
	OUCH50_SYSTEM = 'S',
	OUCH50_ACCEPTED = 'A',
	OUCH50_REPLACED = 'U',
	OUCH50_CANCELED = 'C',
	OUCH50_AIQ_CANCELED = 'D', /* self-match prevention */
	OUCH50_EXECUTED = 'E',
	OUCH50_BROKEN = 'B',
	OUCH50_REJECTED = 'J',
	OUCH50_CANCEL_PENDING = 'P',
	OUCH50_CANCEL_REJECTED = 'I',
	OUCH50_PRIORITY = 'T',
	OUCH50_MODIFIED = 'M',
	OUCH50_RESTATED = 'R',
	OUCH50_QUERY_REPLY = 'Q',
};

/** Letters used by both directions. */
enum {
	OUCH50_BUY = 'B', OUCH50_SELL = 'S', OUCH50_SELL_SHORT = 'T', OUCH50_SELL_SHORT_EXEMPT = 'E',
	OUCH50_TIF_DAY = '0', OUCH50_TIF_IOC = '3', OUCH50_TIF_GTX = '5', OUCH50_TIF_GTT = '6', OUCH50_TIF_AFTER = 'E',
	OUCH50_DISPLAY = 'Y', OUCH50_DISPLAY_HIDDEN = 'N', OUCH50_DISPLAY_ATTRIBUTABLE = 'A', OUCH50_DISPLAY_CONFORMANT = 'Z',
	OUCH50_CAPACITY_AGENCY = 'A', OUCH50_CAPACITY_PRINCIPAL = 'P', OUCH50_CAPACITY_RISKLESS = 'R', OUCH50_CAPACITY_OTHER = 'O',
	OUCH50_CROSS_CONTINUOUS = 'N',
	OUCH50_STATE_LIVE = 'L', OUCH50_STATE_DEAD = 'D',
	OUCH50_EVENT_START = 'S', OUCH50_EVENT_END = 'E',
};

struct ouch50_enter {
	uint32_t user_ref; /* per account: strictly increasing over the day */
	uint32_t qty;
	gn_px px;
	gn_symbol symbol;
	char side, tif, display, capacity, iso, cross;
	struct ouch50_clordid clordid;
	struct ouch50_appendage appendage;
};

struct ouch50_replace {
	uint32_t user_ref_orig, user_ref;
	uint32_t qty; /* total liability of the chain: executed shares included */
	gn_px px;
	char tif, display, iso;
	struct ouch50_clordid clordid;
	struct ouch50_appendage appendage;
};

struct ouch50_cancel {
	uint32_t user_ref;
	uint32_t qty; /* new intended total, 0 cancels all */
};

struct ouch50_modify {
	uint32_t user_ref;
	uint32_t qty; /* new intended total */
	char side;
};

/** A message to the venue. */
struct ouch50_in {
	uint8_t type; /* enum ouch50_in_type; QUERY has no member */
	union {
		struct ouch50_enter enter;
		struct ouch50_replace replace;
		struct ouch50_cancel cancel;
		struct ouch50_modify modify;
	};
};

/** ACCEPTED and REPLACED. */
struct ouch50_accepted {
	uint32_t user_ref;
	uint32_t user_ref_orig; /* REPLACED only: the order that is gone */
	uint32_t qty;           /* ACCEPTED: as entered; REPLACED: shares left open */
	gn_px px;
	gn_symbol symbol;
	uint64_t order_ref; /* the venue's, as in ITCH */
	char side, tif, display, capacity, iso, cross, state;
	struct ouch50_clordid clordid;
	struct ouch50_appendage appendage;
};

/** CANCELED and AIQ_CANCELED. */
struct ouch50_canceled {
	uint32_t user_ref;
	uint32_t qty; /* taken off by this message */
	char reason;
	char liquidity, strategy; /* AIQ_CANCELED only; strategy 0: the message has none (31 bytes) */
	uint32_t qty_prevented;   /* AIQ_CANCELED only */
	gn_px px;                 /* AIQ_CANCELED only */
};

struct ouch50_executed {
	uint32_t user_ref;
	uint32_t qty; /* of this execution */
	gn_px px;
	uint64_t match;
	char liquidity;
	struct ouch50_appendage appendage;
};

struct ouch50_broken {
	uint32_t user_ref;
	char reason;
	uint64_t match;
	struct ouch50_clordid clordid;
};

struct ouch50_rejected {
	uint32_t user_ref;
	uint16_t reason; /* ouch50_reject_reason() */
	struct ouch50_clordid clordid;
};

struct ouch50_priority {
	uint32_t user_ref;
	gn_px px;
	uint64_t order_ref; /* the new one */
	char display;
};

struct ouch50_modified {
	uint32_t user_ref;
	uint32_t qty; /* outstanding */
	char side;
};

struct ouch50_restated {
	uint32_t user_ref;
	char reason; /* R refresh, P display price */
	struct ouch50_appendage appendage;
};

/** A message from the venue. */
struct ouch50_out {
	uint8_t type; /* enum ouch50_out_type */
	uint64_t ns;  /* since midnight */
	union {
		char event;                      /* SYSTEM */
		struct ouch50_accepted accepted; /* ACCEPTED, REPLACED */
		struct ouch50_canceled canceled; /* CANCELED, AIQ_CANCELED */
		struct ouch50_executed executed;
		struct ouch50_broken broken;
		struct ouch50_rejected rejected;
		struct ouch50_priority priority;
		struct ouch50_modified modified;
		struct ouch50_restated restated;
		uint32_t user_ref; /* CANCEL_PENDING, CANCEL_REJECTED; QUERY_REPLY: the next one to use */
	};
};

enum ouch50_result {
	OUCH50_OK = 0,
	OUCH50_UNKNOWN,       /* no such type in this direction */
	OUCH50_WRONG_LENGTH,  /* empty, not the length of its type and appendage, or too long an appendage */
	OUCH50_BAD_PRICE,     /* past what 63 bits hold in 1e-9: no price */
	OUCH50_BAD_APPENDAGE, /* ouch50_options_decode() only */
};

/** Length of a message to the venue without its appendage; 0: no such type. */
uint32_t ouch50_in_bytes(uint8_t type);

/** Length of a message from the venue without its appendage (AIQ_CANCELED: 32); 0: no such type. */
uint32_t ouch50_out_bytes(uint8_t type);

/**
 * Decode a message to the venue. Any thread; no allocation.
 *
 * @param msg
 *   Must outlive `in`, which points to its appendage. Letters are not judged: that is the venue's business.
 * @param in
 *   Wholly written when the result is OUCH50_OK, else undefined.
 */
enum ouch50_result ouch50_decode_in(const uint8_t *msg, uint32_t bytes, struct ouch50_in *in);

/** Decode a message from the venue; as ouch50_decode_in(). */
enum ouch50_result ouch50_decode_out(const uint8_t *msg, uint32_t bytes, struct ouch50_out *out);

/** Encode a message to the venue into room for OUCH50_BYTES_MAX. @return its length; 0: unknown type or too long an appendage. */
uint32_t ouch50_encode_in(const struct ouch50_in *in, uint8_t *msg);

/** Encode a message from the venue into room for OUCH50_BYTES_MAX. @return its length; 0: unknown type or too long an appendage. */
uint32_t ouch50_encode_out(const struct ouch50_out *out, uint8_t *msg);

/** Price in four decimals; what is finer is cut off. Hot path. */
static inline uint64_t ouch50_px_e4(gn_px px)
{
	return (uint64_t)px.e9 / (uint64_t)GN_PX_E9_PER_E4;
}

/** Write a client order id (OUCH50_CLORDID_BYTES). Hot path. */
static inline void ouch50_put_clordid(uint8_t *p, const struct ouch50_clordid *id)
{
	/* in the pieces it was written in: a load across two fresh stores would have to wait for both */
	memcpy(p, id->c, 8);
	memcpy(p + 8, id->c + 8, 4);
	memcpy(p + 12, id->c + 12, 2);
}

/**
 * Write an Enter. Hot path: stores at fixed places, then the appendage, if any.
 *
 * @param msg
 *   Room for OUCH50_ENTER_BYTES and the appendage.
 * @return
 *   Its length.
 */
static inline uint32_t ouch50_encode_enter(const struct ouch50_enter *m, uint8_t *msg)
{
	msg[0] = OUCH50_ENTER;
	wire_put_u32(msg + 1, m->user_ref);
	msg[5] = (uint8_t)m->side;
	wire_put_u32(msg + 6, m->qty);
	symbol_store(msg + 10, m->symbol);
	wire_put_u64(msg + 18, ouch50_px_e4(m->px));
	msg[26] = (uint8_t)m->tif;
	msg[27] = (uint8_t)m->display;
	msg[28] = (uint8_t)m->capacity;
	msg[29] = (uint8_t)m->iso;
	msg[30] = (uint8_t)m->cross;
	ouch50_put_clordid(msg + 31, &m->clordid);
	wire_put_u16(msg + 45, (uint16_t)m->appendage.bytes);
	if (m->appendage.bytes != 0)
		memcpy(msg + OUCH50_ENTER_BYTES, m->appendage.data, m->appendage.bytes);
	return OUCH50_ENTER_BYTES + m->appendage.bytes;
}

/** Write a Replace. Hot path; as ouch50_encode_enter(). */
static inline uint32_t ouch50_encode_replace(const struct ouch50_replace *m, uint8_t *msg)
{
	msg[0] = OUCH50_REPLACE;
	wire_put_u32(msg + 1, m->user_ref_orig);
	wire_put_u32(msg + 5, m->user_ref);
	wire_put_u32(msg + 9, m->qty);
	wire_put_u64(msg + 13, ouch50_px_e4(m->px));
	msg[21] = (uint8_t)m->tif;
	msg[22] = (uint8_t)m->display;
	msg[23] = (uint8_t)m->iso;
	ouch50_put_clordid(msg + 24, &m->clordid);
	wire_put_u16(msg + 38, (uint16_t)m->appendage.bytes);
	if (m->appendage.bytes != 0)
		memcpy(msg + OUCH50_REPLACE_BYTES, m->appendage.data, m->appendage.bytes);
	return OUCH50_REPLACE_BYTES + m->appendage.bytes;
}

/** Write a Cancel. Hot path. @return its length. */
static inline uint32_t ouch50_encode_cancel(const struct ouch50_cancel *m, uint8_t *msg)
{
	msg[0] = OUCH50_CANCEL;
	wire_put_u32(msg + 1, m->user_ref);
	wire_put_u32(msg + 5, m->qty);
	return OUCH50_CANCEL_BYTES;
}

/** Write a Modify. Hot path. @return its length. */
static inline uint32_t ouch50_encode_modify(const struct ouch50_modify *m, uint8_t *msg)
{
	msg[0] = OUCH50_MODIFY;
	wire_put_u32(msg + 1, m->user_ref);
	msg[5] = (uint8_t)m->side;
	wire_put_u32(msg + 6, m->qty);
	return OUCH50_MODIFY_BYTES;
}

/** Write an account query. @return its length. */
static inline uint32_t ouch50_encode_query(uint8_t *msg)
{
	msg[0] = OUCH50_QUERY;
	return OUCH50_QUERY_BYTES;
}

/** Our order id as a client order id: base 36, upper case, zero padded. Hot path: no division, no loop. */
struct ouch50_clordid ouch50_clordid_from_oid(gn_oid oid);

/** Back again; 0 when it was not made by ouch50_clordid_from_oid(). Any thread. */
gn_oid ouch50_oid_from_clordid(struct ouch50_clordid clordid);

/** What a code says, for people. Never NULL; "unknown" for one that is not in the specification. */
const char *ouch50_cancel_reason(char reason);
const char *ouch50_reject_reason(uint16_t reason);
const char *ouch50_broken_reason(char reason);
const char *ouch50_liquidity(char flag);

#endif
