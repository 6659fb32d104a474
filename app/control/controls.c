/* SPDX-License-Identifier: BSD-3-Clause */
#include "controls.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/err.h"

#define CELLS_MAX 8u
#define CELL_BYTES 256u
#define HEAD "| control |"

/* The columns of a table of controls; the last one may be absent. */
static const char *const keys[CELLS_MAX] = {
	"control", "what", "asked_for", "where", "config_keys", "verdict", "test", "cost_instructions"};

struct row {
	uint32_t n;
	char cell[CELLS_MAX][CELL_BYTES];
};

/* Text between two bars, without blanks at its ends and without the marks of code. */
static bool take_cell(char *out, const char *from, const char *to)
{
	size_t n = 0;

	while (from < to && *from == ' ')
		from++;
	while (to > from && to[-1] == ' ')
		to--;
	for (; from < to; from++) {
		if (*from == '`')
			continue;
		if (n + 1 == CELL_BYTES)
			return false;
		out[n++] = *from;
	}
	out[n] = 0;
	return true;
}

static bool take_row(struct row *r, const char *line, const char *end)
{
	r->n = 0;
	for (const char *bar = memchr(line + 1, '|', (size_t)(end - line - 1)); bar && r->n < CELLS_MAX;
		bar = memchr(line + 1, '|', (size_t)(end - line - 1))) {
		if (!take_cell(r->cell[r->n++], line + 1, bar))
			return false;
		line = bar;
	}
	return line + 1 >= end;
}

/* "a / b / c": what each of the three texts asks for. */
static json_t *asked_for(const char *cell)
{
	static const char *const texts[] = {"SEC 15c3-5", "RTS 6", "FIA"};
	json_t *j = json_object();

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *end = strstr(cell, " / ");
		size_t n = end ? (size_t)(end - cell) : strlen(cell);
		bool none = n == strlen("—") && strncmp(cell, "—", n) == 0;
		json_object_set_new(j, texts[i], none ? json_null() : json_stringn(cell, n));
		cell += end ? n + 3 : n;
	}
	return j;
}

static json_t *words_of(const char *cell)
{
	json_t *list = json_array();
	size_t n;

	if (strncmp(cell, "none", 4) == 0)
		return list;
	for (; *cell; cell += strspn(cell, ", ")) {
		n = strcspn(cell, ", ");
		json_array_append_new(list, json_stringn(cell, n));
		cell += n;
	}
	return list;
}

static json_t *row_json(const struct row *r)
{
	json_t *j = json_object();

	for (uint32_t i = 0; i < r->n; i++) {
		json_t *value = i == 2   ? asked_for(r->cell[i])
		                : i == 4 ? words_of(r->cell[i])
		                         : json_string(r->cell[i]);
		json_object_set_new(j, keys[i], value);
	}
	return j;
}

json_t *controls_json(const char *text)
{
	json_t *list = json_array();
	uint32_t width = 0, at = 0;
	struct row row;

	for (const char *line = text; *line; at++) {
		const char *end = strchrnul(line, '\n');
		bool is_head = strncmp(line, HEAD, strlen(HEAD)) == 0, is_rule = strncmp(line, "|---", 4) == 0;
		if (*line != '|')
			width = 0;
		if ((is_head || width) && !is_rule) {
			bool good = take_row(&row, line, end);
			if (is_head)
				width = row.n;
			if (!good || row.n < CELLS_MAX - 1 || row.n != width) {
				gn_err(0, "controls: line %u: expected %u cells: %.60s", at + 1, width, line);
				json_decref(list);
				return NULL;
			}
			if (!is_head)
				json_array_append_new(list, row_json(&row));
		}
		line = *end ? end + 1 : end;
	}
	return list;
}
