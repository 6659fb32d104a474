/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_REPLAY_REFERENCE_H
#define TEST_REPLAY_REFERENCE_H

/**
 * @file
 * A slow, obvious reading of a raw ITCH 5.0 file: a list of orders that is searched from end to end after every message.
 * Shares nothing with the code under test, not even the codec. Prints what `--print bbo` and `--print levels` should.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFERENCE_ORDERS_MAX 20000u
#define REFERENCE_LOCATES 16384u

struct reference_order {
	uint64_t ref;
	uint32_t locate, qty, px;
	char side;
};

struct reference_level {
	uint64_t qty;
	uint32_t px, n;
};

struct reference {
	struct reference_order order[REFERENCE_ORDERS_MAX];
	uint32_t n;
	char symbol[REFERENCE_LOCATES][9]; /* "": not yet named */
	char last[REFERENCE_LOCATES][1024]; /* the row printed last, without what begins it */
	uint32_t depth; /* 0: bbo */
	const char *only; /* a symbol, NULL: all */
	FILE *out;
};

static inline uint64_t reference_number(const uint8_t *p, uint32_t bytes)
{
	uint64_t v = 0;

	for (uint32_t i = 0; i < bytes; i++)
		v = v * 256 + p[i];
	return v;
}

static inline struct reference_order *reference_find(struct reference *r, uint64_t ref)
{
	for (uint32_t i = 0; i < r->n; i++)
		if (r->order[i].ref == ref)
			return &r->order[i];
	return NULL;
}

/* keeps the others in their order */
static inline void reference_remove(struct reference *r, struct reference_order *o)
{
	uint32_t at = (uint32_t)(o - r->order);

	memmove(o, o + 1, (r->n - at - 1) * sizeof(*o));
	r->n--;
}

static inline void reference_add(struct reference *r, uint64_t ref, uint32_t locate, char side, uint32_t qty, uint32_t px)
{
	if ((side != 'B' && side != 'S') || qty == 0 || px == 0 || reference_find(r, ref) != NULL)
		return;
	if (r->n == REFERENCE_ORDERS_MAX)
		abort();
	r->order[r->n++] = (struct reference_order){.ref = ref, .locate = locate, .qty = qty, .px = px, .side = side};
}

static inline void reference_reduce(struct reference *r, uint64_t ref, uint32_t locate, uint32_t qty)
{
	struct reference_order *o = reference_find(r, ref);

	if (o == NULL || o->locate != locate || qty == 0)
		return;
	if (qty >= o->qty)
		reference_remove(r, o);
	else
		o->qty -= qty;
}

static inline void reference_apply(struct reference *r, const uint8_t *m)
{
	uint32_t locate = (uint32_t)reference_number(m + 1, 2);
	uint64_t ref = reference_number(m + 11, 8);
	struct reference_order *o;

	switch (m[0]) {
	case 'A':
	case 'F':
		reference_add(r, ref, locate, (char)m[19], (uint32_t)reference_number(m + 20, 4), (uint32_t)reference_number(m + 32, 4));
		break;
	case 'E':
	case 'C':
	case 'X': reference_reduce(r, ref, locate, (uint32_t)reference_number(m + 19, 4)); break;
	case 'D':
		o = reference_find(r, ref);
		if (o != NULL && o->locate == locate)
			reference_remove(r, o);
		break;
	case 'U':
		o = reference_find(r, ref);
		if (o != NULL && o->locate == locate) {
			char side = o->side;

			reference_remove(r, o);
			reference_add(r, reference_number(m + 19, 8), locate, side, (uint32_t)reference_number(m + 27, 4),
				(uint32_t)reference_number(m + 31, 4));
		}
		break;
	default: break;
	}
}

/* the n-th best level of a side (from 0); n is 0 when there is none */
static inline struct reference_level reference_level(const struct reference *r, uint32_t locate, char side, uint32_t nth)
{
	struct reference_level level = {0};
	uint32_t beyond = 0;
	bool bounded = false;

	for (uint32_t k = 0; k <= nth; k++) {
		level = (struct reference_level){0};
		for (uint32_t i = 0; i < r->n; i++) {
			const struct reference_order *o = &r->order[i];

			if (o->locate != locate || o->side != side || (bounded && (side == 'B' ? o->px >= beyond : o->px <= beyond)))
				continue;
			if (level.n == 0 || (side == 'B' ? o->px > level.px : o->px < level.px))
				level = (struct reference_level){.px = o->px};
			if (o->px == level.px) {
				level.qty += o->qty;
				level.n++;
			}
		}
		beyond = level.px;
		bounded = true;
		if (level.n == 0)
			return level;
	}
	return level;
}

static inline void reference_print_px(char *to, uint32_t px)
{
	int n = sprintf(to, "%u.%04u", px / 10000, px % 10000);

	while (to[n - 1] == '0')
		to[--n] = '\0';
	if (to[n - 1] == '.')
		to[n - 1] = '\0';
}

static inline void reference_put_level(const struct reference *r, uint32_t locate, char side, uint32_t nth, char *to)
{
	struct reference_level l = reference_level(r, locate, side, nth);
	char px[32];

	if (l.n == 0) {
		strcat(to, r->depth != 0 ? ",,," : ",,");
		return;
	}
	reference_print_px(px, l.px);
	to += strlen(to);
	to += sprintf(to, ",%s,%lu", px, (unsigned long)l.qty);
	if (r->depth != 0)
		sprintf(to, ",%u", l.n);
}

static inline void reference_learn(struct reference *r, const uint8_t *m)
{
	static const struct { char type; uint8_t at; } named[] = {{'R', 11}, {'H', 11}, {'Y', 11}, {'L', 15}, {'J', 11}, {'h', 11},
		{'A', 24}, {'F', 24}, {'P', 24}, {'Q', 19}, {'I', 28}, {'N', 11}, {'O', 11}};
	uint32_t locate = (uint32_t)reference_number(m + 1, 2);

	for (uint32_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
		if (m[0] != named[i].type || locate == 0 || (r->symbol[locate][0] != '\0' && m[0] != 'R'))
			continue;
		memcpy(r->symbol[locate], m + named[i].at, 8);
		for (int k = 7; k >= 0 && r->symbol[locate][k] == ' '; k--)
			r->symbol[locate][k] = '\0';
	}
}

static inline void reference_print(struct reference *r, uint64_t seq, const uint8_t *m)
{
	uint32_t locate = (uint32_t)reference_number(m + 1, 2);
	char now[1024] = "";

	if (r->symbol[locate][0] == '\0' || (r->only != NULL && strcmp(r->only, r->symbol[locate]) != 0))
		return;
	for (uint32_t i = 0; i < (r->depth != 0 ? r->depth : 1); i++) {
		reference_put_level(r, locate, 'B', i, now);
		reference_put_level(r, locate, 'S', i, now);
	}
	if (r->last[locate][0] == '\0') /* nothing printed yet: as if all had been empty */
		for (uint32_t i = 0; i < (r->depth != 0 ? r->depth * 6 : 4); i++)
			strcat(r->last[locate], ",");
	if (strcmp(now, r->last[locate]) == 0)
		return;
	strcpy(r->last[locate], now);
	fprintf(r->out, "%lu,%lu,%s%s\n", (unsigned long)seq, (unsigned long)reference_number(m + 5, 6), r->symbol[locate], now);
}

/** Messages of a raw file > rows, to out. depth 0: bbo. @return the number of messages. */
static inline uint64_t reference_run(const uint8_t *file, size_t bytes, uint32_t depth, const char *only, FILE *out)
{
	struct reference *r = calloc(1, sizeof(*r));
	uint64_t seq = 0;

	r->depth = depth;
	r->only = only;
	r->out = out;
	for (size_t at = 0; at + 2 <= bytes; at += 2 + reference_number(file + at, 2)) {
		const uint8_t *m = file + at + 2;

		seq++;
		reference_learn(r, m);
		if (r->symbol[reference_number(m + 1, 2)][0] != '\0') /* nobody can apply what nobody can name */
			reference_apply(r, m);
		reference_print(r, seq, m);
	}
	free(r);
	return seq;
}

#endif
