/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50.h"
#include "dataplane/runtime/compiler.h"

static const char *or_unknown(const char *name)
{
	return name != NULL ? name : "unknown";
}

const char *ouch50_cancel_reason(char reason)
{
	static const char *const name[256] = {
		['D'] = "regulatory restriction", ['E'] = "closed", ['F'] = "post-only order slid or would lock or cross",
		['G'] = "post-only order would lock or cross the best quote", ['H'] = "halted", ['I'] = "immediate or cancel",
		['K'] = "market collars", ['Q'] = "self-match prevention", ['S'] = "cancelled by supervision",
		['T'] = "time in force ran out", ['U'] = "by the user", ['X'] = "open protection", ['Z'] = "by the system",
		['e'] = "cancelled in a direct listing's price discovery",
	};

	return or_unknown(name[(uint8_t)reason]);
}

const char *ouch50_reject_reason(uint16_t reason)
{
	static const char *const name[] = {
		[0x01] = "quote unavailable", [0x02] = "destination closed", [0x03] = "invalid display", [0x04] = "invalid max floor",
		[0x05] = "invalid peg type", [0x06] = "fat finger", [0x07] = "halted", [0x08] = "ISO not allowed",
		[0x09] = "invalid side", [0x0a] = "processing error", [0x0b] = "cancel pending", [0x0c] = "firm not authorised",
		[0x0d] = "invalid minimum quantity", [0x0e] = "no closing reference price", [0x0f] = "other",
		[0x10] = "cancel not allowed", [0x11] = "pegging not allowed", [0x12] = "crossed market", [0x13] = "invalid quantity",
		[0x14] = "invalid cross order", [0x15] = "replace not allowed", [0x16] = "routing not allowed",
		[0x17] = "invalid symbol", [0x18] = "test", [0x19] = "late limit-on-close too aggressive",
		[0x1a] = "retail order not allowed", [0x1b] = "invalid midpoint post-only price", [0x1c] = "invalid destination",
		[0x1d] = "invalid price", [0x1e] = "shares above the threshold", [0x1f] = "notional above the maximum",
		[0x20] = "risk: aggregate exposure", [0x21] = "risk: market impact", [0x22] = "risk: restricted stock",
		[0x23] = "risk: short sale restricted", [0x24] = "risk: order type not allowed", [0x25] = "risk: exceeds average daily volume",
		[0x26] = "risk: fat finger", [0x27] = "risk: locate required", [0x28] = "risk: message rate of the symbol",
		[0x29] = "risk: message rate of the port", [0x2a] = "risk: rate of duplicate messages",
	};

	return or_unknown(reason < GN_ARRAY_SIZE(name) ? name[reason] : NULL);
}

const char *ouch50_broken_reason(char reason)
{
	switch (reason) {
	case 'E': return "erroneous";
	case 'C': return "consent of both sides";
	case 'S': return "supervisory";
	case 'X': return "external";
	default: return "unknown";
	}
}

const char *ouch50_liquidity(char flag)
{
	static const char *const name[256] = {
		['A'] = "added", ['R'] = "removed", ['C'] = "closing cross", ['L'] = "closing cross, imbalance-only",
		['O'] = "opening cross", ['M'] = "opening cross, imbalance-only", ['H'] = "halt cross", ['K'] = "halt cross, imbalance-only",
		['J'] = "added, not displayed", ['k'] = "added at the midpoint", ['m'] = "removed at the midpoint",
		['N'] = "passive midpoint", ['n'] = "midpoint extended life", ['0'] = "supplemental", ['7'] = "added, improved the national best",
		['8'] = "added, set the exchange's best", ['e'] = "by the venue's schedule: e", ['j'] = "by the venue's schedule: j",
		['p'] = "by the venue's schedule: p", ['q'] = "by the venue's schedule: q", ['r'] = "by the venue's schedule: r",
		['t'] = "by the venue's schedule: t", ['1'] = "by the venue's schedule: 1", ['i'] = "by the venue's schedule: i",
	};

	return or_unknown(name[(uint8_t)flag]);
}
