/* SPDX-License-Identifier: BSD-3-Clause */
#include "row.h"

static bool is_plain(char c)
{
	return c >= ' ' && c <= '~' && c != '"' && c != '\\' && c != ',';
}

void row_text(struct row *r, const char *name, const char *text, size_t bytes)
{
	if (bytes == 0) {
		row_none(r, name, 0);
		return;
	}
	if (!row_name(r, name, 0))
		return;
	if (r->mode == ROW_JSON)
		text_put_char(r->out, '"');
	for (size_t i = 0; i < bytes; i++)
		text_put_char(r->out, is_plain(text[i]) ? text[i] : '?');
	if (r->mode == ROW_JSON)
		text_put_char(r->out, '"');
}
