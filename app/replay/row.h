/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_ROW_H
#define REPLAY_ROW_H

/**
 * @file
 * One row of named values as CSV or as a JSON object. The same calls also print the CSV head, so the columns of a row and
 * their names cannot drift apart.
 */

#include "text_out.h"

enum row_mode {
	ROW_CSV,
	ROW_JSON,
	ROW_HEAD, /* only the names */
};

struct row {
	struct text_out *out;
	enum row_mode mode;
	uint32_t n; /* values so far */
};

static inline void row_begin(struct row *r)
{
	r->n = 0;
	if (r->mode == ROW_JSON)
		text_put_char(r->out, '{');
}

static inline void row_end(struct row *r)
{
	text_put(r->out, r->mode == ROW_JSON ? "}\n" : "\n");
}

/** The name of the next value, with a number behind it unless that is 0. @return whether a value is to follow. */
static inline bool row_name(struct row *r, const char *name, uint32_t number)
{
	if (r->n++ != 0)
		text_put_char(r->out, ',');
	if (r->mode == ROW_CSV)
		return true;
	if (r->mode == ROW_JSON)
		text_put_char(r->out, '"');
	text_put(r->out, name);
	if (number != 0) {
		text_put_char(r->out, '_');
		text_put_u64(r->out, number);
	}
	if (r->mode == ROW_JSON)
		text_put(r->out, "\":");
	return r->mode == ROW_JSON;
}

/** No value: empty, or null. */
static inline void row_none(struct row *r, const char *name, uint32_t number)
{
	if (row_name(r, name, number) && r->mode == ROW_JSON)
		text_put(r->out, "null");
}

static inline void row_u64(struct row *r, const char *name, uint32_t number, uint64_t v)
{
	if (row_name(r, name, number))
		text_put_u64(r->out, v);
}

static inline void row_px(struct row *r, const char *name, uint32_t number, gn_px px)
{
	if (row_name(r, name, number))
		text_put_px(r->out, px);
}

/** Text of the venue or of ours; what would break the format is replaced by '?'. Empty: no value. */
void row_text(struct row *r, const char *name, const char *text, size_t bytes);

#endif
