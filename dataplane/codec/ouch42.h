/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CODEC_OUCH42_H
#define CODEC_OUCH42_H

/**
 * @file
 * NASDAQ OUCH 4.2: messages <> structs, both directions; the venue's letters stay letters. Pure functions, any thread.
 *
 * Orders are known by a token of 14 characters, for which we use our order id as in OUCH 5.0. Every message has one
 * length. Prices have four decimals in 32 bits; what is finer or larger is cut.
 */

#include "dataplane/codec/ouch50.h"

#define OUCH42_PX_E4_MAX UINT32_C(0x7735939c) /* $199,999.99 */
#define OUCH42_PX_E4_MARKET UINT32_C(0x7fffffff)
#define OUCH42_TIF_IOC 0u
#define OUCH42_TIF_MARKET_HOURS 99998u
#define OUCH42_TIF_SYSTEM_HOURS 99999u
#define OUCH42_ENTER_BYTES 49u
#define OUCH42_REPLACE_BYTES 47u
#define OUCH42_CANCEL_BYTES 19u
#define OUCH42_MODIFY_BYTES 20u
#define OUCH42_TRADE_NOW_BYTES 15u
#define OUCH42_BYTES_MAX 80u

enum ouch42_in_type {
	OUCH42_ENTER = 'O',
	OUCH42_REPLACE = 'U',
	OUCH42_CANCEL = 'X',
	OUCH42_MODIFY = 'M',
	OUCH42_TRADE_NOW = 'N',
};

enum ouch42_out_type {
	OUCH42_SYSTEM = 'S',
	OUCH42_ACCEPTED = 'A',
	OUCH42_REPLACED = 'U',
	OUCH42_CANCELED = 'C',
	OUCH42_AIQ_CANCELED = 'D',
	OUCH42_EXECUTED = 'E',
	OUCH42_EXECUTED_REFERENCE = 'G',
	OUCH42_CORRECTED = 'F',
	OUCH42_BROKEN = 'B',
	OUCH42_REJECTED = 'J',
	OUCH42_CANCEL_PENDING = 'P',
	OUCH42_CANCEL_REJECTED = 'I',
	OUCH42_TRADE_NOW_REPLY = 'N',
	OUCH42_PRIORITY = 'T',
	OUCH42_MODIFIED = 'M',
};

struct ouch42_enter {
	struct ouch50_clordid token;
	gn_symbol symbol;
	gn_px px;
	uint32_t qty, min_qty;
	uint32_t tif_s; /* seconds, or OUCH42_TIF_* */
	char firm[4];
	char side, display, capacity, iso, cross, customer_type;
};

struct ouch42_replace {
	struct ouch50_clordid token_orig, token;
	gn_px px;
	uint32_t qty; /* total of the chain: executed shares included */
	uint32_t min_qty, tif_s;
	char display, iso;
};

struct ouch42_cancel {
	struct ouch50_clordid token;
	uint32_t qty; /* new intended total, 0 cancels all */
};

struct ouch42_modify {
	struct ouch50_clordid token;
	uint32_t qty;
	char side;
};

/** A message to the venue. */
struct ouch42_in {
	uint8_t type; /* enum ouch42_in_type */
	union {
		struct ouch42_enter enter;
		struct ouch42_replace replace;
		struct ouch42_cancel cancel;
		struct ouch42_modify modify;
		struct ouch50_clordid token; /* TRADE_NOW */
	};
};

/** ACCEPTED and REPLACED. */
struct ouch42_accepted {
	struct ouch50_clordid token;
	struct ouch50_clordid token_orig; /* REPLACED only: the order that is gone */
	gn_symbol symbol;
	gn_px px;
	uint64_t order_ref;
	uint32_t qty, min_qty, tif_s;
	char firm[4];
	char side, display, capacity, iso, cross, state, bbo_weight;
};

/** CANCELED and AIQ_CANCELED. */
struct ouch42_canceled {
	struct ouch50_clordid token;
	gn_px px;               /* AIQ_CANCELED only */
	uint32_t qty;           /* taken off by this message */
	uint32_t qty_prevented; /* AIQ_CANCELED only */
	char reason;
	char liquidity; /* AIQ_CANCELED only */
};

/** EXECUTED, EXECUTED_REFERENCE and CORRECTED. */
struct ouch42_executed {
	struct ouch50_clordid token;
	gn_px px;
	gn_px reference_px; /* EXECUTED_REFERENCE only */
	uint64_t match;
	uint32_t qty;
	char liquidity;
	char reference_type; /* EXECUTED_REFERENCE only */
	char reason;         /* CORRECTED only */
};

struct ouch42_broken {
	struct ouch50_clordid token;
	uint64_t match;
	char reason;
};

struct ouch42_rejected {
	struct ouch50_clordid token;
	char reason; /* ouch42_reject_reason() */
};

struct ouch42_priority {
	struct ouch50_clordid token;
	gn_px px;
	uint64_t order_ref; /* the new one */
	char display;
};

struct ouch42_modified {
	struct ouch50_clordid token;
	uint32_t qty;
	char side;
};

/** A message from the venue. */
struct ouch42_out {
	uint8_t type; /* enum ouch42_out_type */
	uint64_t ns;  /* since midnight */
	union {
		char event; /* SYSTEM */
		struct ouch42_accepted accepted;
		struct ouch42_canceled canceled;
		struct ouch42_executed executed;
		struct ouch42_broken broken;
		struct ouch42_rejected rejected;
		struct ouch42_priority priority;
		struct ouch42_modified modified;
		struct ouch50_clordid token; /* CANCEL_PENDING, CANCEL_REJECTED, TRADE_NOW_REPLY */
	};
};

enum ouch42_result {
	OUCH42_OK = 0,
	OUCH42_UNKNOWN,      /* no such type in this direction */
	OUCH42_WRONG_LENGTH, /* empty, or not the length of its type */
};

/** Length of a message to the venue; 0: no such type. */
uint32_t ouch42_in_bytes(uint8_t type);

/** Length of a message from the venue; 0: no such type. */
uint32_t ouch42_out_bytes(uint8_t type);

/** Decode a message to the venue. `in` is wholly written when the result is OUCH42_OK, else untouched. Letters are not judged. */
enum ouch42_result ouch42_decode_in(const uint8_t *msg, uint32_t bytes, struct ouch42_in *in);

/** Decode a message from the venue; as ouch42_decode_in(). */
enum ouch42_result ouch42_decode_out(const uint8_t *msg, uint32_t bytes, struct ouch42_out *out);

/** Encode a message to the venue into room for OUCH42_BYTES_MAX. Hot path. @return its length; 0: unknown type. */
uint32_t ouch42_encode_in(const struct ouch42_in *in, uint8_t *msg);

/** Encode a message from the venue into room for OUCH42_BYTES_MAX. @return its length; 0: unknown type. */
uint32_t ouch42_encode_out(const struct ouch42_out *out, uint8_t *msg);

/** Write one kind of message to the venue: stores at fixed places. Hot path. @return its length. */
uint32_t ouch42_encode_enter(const struct ouch42_enter *m, uint8_t *msg);
uint32_t ouch42_encode_replace(const struct ouch42_replace *m, uint8_t *msg);
uint32_t ouch42_encode_cancel(const struct ouch42_cancel *m, uint8_t *msg);
uint32_t ouch42_encode_modify(const struct ouch42_modify *m, uint8_t *msg);

/** What a code says, for people. Never NULL; "unknown" for one that is not in the specification. */
const char *ouch42_cancel_reason(char reason);
const char *ouch42_reject_reason(char reason);

#endif
