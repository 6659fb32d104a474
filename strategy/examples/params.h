/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXAMPLES_PARAMS_H
#define EXAMPLES_PARAMS_H

/**
 * @file
 * Parameters of a strategy: "key=value,key=value", whole numbers and words, for init only.
 *
 * A key that is not in the table, a value out of its limits and a key given twice are refused.
 */

#include <gannet/strategy.h>
#include <string.h>

#define PARAMS_ERROR_BYTES 160u

/** A word inside the parameter string: not terminated. */
struct param_word {
	const char *at;
	size_t bytes;
};

/** One key: either a number with limits or a word. A key of NULL ends the table, which holds at most 32. */
struct param {
	const char *key;
	int64_t *number;
	int64_t min, max;
	struct param_word *word;
};

/** A text that is put together piece by piece; what does not fit is left out. */
struct params_error {
	char c[PARAMS_ERROR_BYTES];
	size_t n;
};

static inline void params_put(struct params_error *e, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes && e->n + 1 < sizeof(e->c); i++)
		e->c[e->n++] = text[i];
	e->c[e->n] = '\0';
}

static inline void params_put_text(struct params_error *e, const char *text)
{
	params_put(e, text, strlen(text));
}

static inline void params_put_number(struct params_error *e, int64_t value)
{
	char digits[24];
	size_t n = sizeof(digits);
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

	do
		digits[--n] = (char)('0' + rest % 10);
	while ((rest /= 10) != 0);
	if (value < 0)
		digits[--n] = '-';
	params_put(e, digits + n, sizeof(digits) - n);
}

/** Whole decimal number, no blanks. Summed up below zero, where there is one number more. */
static inline bool params_number(struct param_word w, int64_t *value)
{
	bool negative = w.bytes && w.at[0] == '-';
	int64_t n = 0;

	if (w.bytes == (negative ? 1u : 0u))
		return false;
	for (size_t i = negative; i < w.bytes; i++) {
		if (w.at[i] < '0' || w.at[i] > '9' || __builtin_mul_overflow(n, INT64_C(10), &n)
			|| __builtin_sub_overflow(n, (int64_t)(w.at[i] - '0'), &n))
			return false;
	}
	if (!negative && n == INT64_MIN)
		return false;
	*value = negative ? n : -n;
	return true;
}

static inline const struct param *params_find(const struct param *table, struct param_word key)
{
	for (const struct param *p = table; p->key; p++)
		if (strlen(p->key) == key.bytes && memcmp(p->key, key.at, key.bytes) == 0)
			return p;
	return NULL;
}

static inline bool params_set(const struct param *p, struct param_word value, struct params_error *e)
{
	int64_t number;

	if (p->word && value.bytes) {
		*p->word = value;
		return true;
	}
	if (!p->word && params_number(value, &number) && number >= p->min && number <= p->max) {
		*p->number = number;
		return true;
	}
	params_put_text(e, p->word ? "a word" : "a whole number from ");
	if (!p->word) {
		params_put_number(e, p->min);
		params_put_text(e, " to ");
		params_put_number(e, p->max);
	}
	params_put_text(e, " is expected in ");
	return false;
}

/** One "key=value". */
static inline bool params_one(
	const struct param *table, struct param_word item, uint32_t *given, struct params_error *e)
{
	const char *equal = memchr(item.at, '=', item.bytes);
	struct param_word key = {item.at, equal ? (size_t)(equal - item.at) : item.bytes};
	const struct param *p = params_find(table, key);
	bool good = false;

	if (!equal)
		params_put_text(e, "key=value is expected, not ");
	else if (!p)
		params_put_text(e, "there is no such parameter: ");
	else if (*given >> (p - table) & 1)
		params_put_text(e, "given twice: ");
	else
		good = params_set(p, (struct param_word){equal + 1, item.bytes - key.bytes - 1}, e);
	if (good)
		*given |= UINT32_C(1) << (p - table);
	else
		params_put(e, item.at, item.bytes);
	return good;
}

/**
 * Fill in what the text gives; what it does not name keeps its value.
 *
 * @return
 *   False: refused; *e says why, and some values may have been set.
 */
static inline bool params_parse(const char *text, const struct param *table, struct params_error *e)
{
	uint32_t given = 0;

	*e = (struct params_error){0};
	while (*text) {
		const char *comma = strchr(text, ',');
		size_t bytes = comma ? (size_t)(comma - text) : strlen(text);
		if (!params_one(table, (struct param_word){text, bytes}, &given, e))
			return false;
		text += bytes + (comma ? 1 : 0);
	}
	return true;
}

/** Take the next part of "A:B:C" off the front of a word. False when none is left. */
static inline bool params_next_part(struct param_word *rest, struct param_word *part)
{
	if (rest->bytes == 0)
		return false;
	const char *colon = memchr(rest->at, ':', rest->bytes);
	size_t bytes = colon ? (size_t)(colon - rest->at) : rest->bytes;
	*part = (struct param_word){rest->at, bytes};
	rest->at += bytes + (colon ? 1 : 0);
	rest->bytes -= bytes + (colon ? 1 : 0);
	return true;
}

/** A symbol from a word; the empty symbol when it is too long. */
static inline gn_symbol params_symbol(struct param_word w)
{
	gn_symbol symbol = {.word = 0};

	if (w.bytes <= GN_SYMBOL_BYTES)
		memcpy(symbol.c, w.at, w.bytes);
	return symbol;
}

#endif
