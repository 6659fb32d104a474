/* SPDX-License-Identifier: BSD-3-Clause */
/* What the shared numbers say: works even when the engine's cold thread does not answer. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "place.h"
#include "show.h"

#define LINES_MAX 8u

static const struct {
	const char *what, *title;
} columns[] = {
	{"pkt", "packets"},
	{"win", "first"},
	{"lead_p50_ns", "lead p50"},
	{"lead_p99_ns", "p99 ns"},
	{"lead_max_ns", "max"},
	{"duplicate", "duplicate"},
	{"msg_lost", "msgs lost"},
	{"msg_late", "late"},
	{"silence", "silences"},
	{"heartbeat", "heartbeats"},
	{"bad", "bad"},
};

int show_json(json_t *answer)
{
	int rc = answer ? json_dumpf(answer, stdout, JSON_COMPACT) : -1;

	json_decref(answer);
	if (rc < 0)
		return gn_err(EIO, "show: write");
	putchar('\n');
	return 0;
}

static struct gn_stats *open_stats(const struct show_options *o, struct control_place *place)
{
	return control_find(place, o->name) < 0 ? NULL : gn_stats_open(place->stats);
}

static bool line_number(const struct gn_stats *s, const char *feed, uint32_t line, const char *what, uint64_t *value)
{
	char name[GN_STATS_NAME_BYTES];

	snprintf(name, sizeof(name), "line%u_%s", line, what);
	return gn_stats_find(s, feed, name, value);
}

static json_t *line_json(const struct gn_stats *s, const char *feed, uint32_t line)
{
	json_t *j = json_pack("{s:s, s:i}", "feed", feed, "line", (int)line);
	uint64_t value, silent = 0;

	for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
		if (line_number(s, feed, line, columns[c].what, &value))
			json_object_set_new(j, columns[c].what, json_integer((json_int_t)value));
	line_number(s, feed, line, "silent", &silent);
	json_object_set_new(j, "silent", json_boolean(silent));
	return j;
}

/* The share of what this line brought first among all lines of its feed, in percent. */
static void add_shares(json_t *list)
{
	size_t i, k;
	json_t *a, *b;

	json_array_foreach(list, i, a)
	{
		double wins = 0;
		json_array_foreach(list, k, b)
		{
			if (strcmp(json_string_value(json_object_get(a, "feed")),
				    json_string_value(json_object_get(b, "feed")))
				== 0)
				wins += json_number_value(json_object_get(b, "win"));
		}
		double own = json_number_value(json_object_get(a, "win"));
		json_object_set_new(a, "win_pct", json_real(wins > 0 ? 100 * own / wins : 0));
	}
}

json_t *show_lines_json(const struct gn_stats *s)
{
	json_t *list = json_array();

	for (uint32_t i = 0; i < gn_stats_count(s); i++) {
		const struct gn_stats_name *n = gn_stats_name(s, i);
		if (strcmp(n->what, "line0_pkt") != 0) /* one a feed */
			continue;
		for (uint32_t line = 0; line < LINES_MAX; line++) {
			uint64_t pkt = 0, silence = 0, bad = 0;
			line_number(s, n->owner, line, "pkt", &pkt);
			line_number(s, n->owner, line, "silence", &silence);
			line_number(s, n->owner, line, "bad", &bad);
			if (pkt || silence || bad)
				json_array_append_new(list, line_json(s, n->owner, line));
		}
	}
	add_shares(list);
	return list;
}

static void print_lines(const json_t *list)
{
	size_t i;
	json_t *j;

	printf("%-8s %4s %7s", "feed", "line", "share");
	for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
		printf(" %11s", columns[c].title);
	printf("\n");
	json_array_foreach(list, i, j)
	{
		printf("%-8s %4lld %6.2f%%", json_string_value(json_object_get(j, "feed")),
			(long long)json_integer_value(json_object_get(j, "line")),
			json_number_value(json_object_get(j, "win_pct")));
		for (size_t c = 0; c < GN_ARRAY_SIZE(columns); c++)
			printf(" %11lld", (long long)json_integer_value(json_object_get(j, columns[c].what)));
		printf("%s\n", json_is_true(json_object_get(j, "silent")) ? "  SILENT NOW" : "");
	}
	if (json_array_size(list) == 0)
		printf("no line has brought anything yet\n");
}

int show_lines(const struct show_options *o)
{
	struct control_place place;
	struct gn_stats *s = open_stats(o, &place);

	if (!s)
		return -EINVAL;
	json_t *list = show_lines_json(s);
	gn_stats_close(s);
	if (o->json)
		return show_json(json_pack("{s:b, s:s, s:o}", "ok", 1, "engine", place.name, "lines", list));
	print_lines(list);
	json_decref(list);
	return 0;
}

/* Numbers by owner, each owner an object. */
static json_t *stages_json(const struct gn_stats *s)
{
	json_t *all = json_object();

	for (uint32_t i = 0; i < gn_stats_count(s); i++) {
		const struct gn_stats_name *n = gn_stats_name(s, i);
		json_t *owner = json_object_get(all, n->owner);
		if (!owner) {
			owner = json_object();
			json_object_set_new(all, n->owner, owner);
			owner = json_object_get(all, n->owner); /* NULL: no name that JSON can say */
		}
		json_object_set_new(owner, n->what, json_integer((json_int_t)gn_stats_get(s, i)));
	}
	return all;
}

static int by_owner(const void *a, const void *b, void *arg)
{
	const struct gn_stats *s = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	int order = strcmp(gn_stats_name(s, x)->owner, gn_stats_name(s, y)->owner);

	return order ? order : (x > y) - (x < y);
}

static int print_stages(struct gn_stats *s, bool all)
{
	uint32_t n = gn_stats_count(s);
	uint32_t *at = calloc(n + 1, sizeof(*at));
	const char *owner = "";

	if (!at)
		return gn_err(ENOMEM, "show");
	for (uint32_t i = 0; i < n; i++)
		at[i] = i;
	qsort_r(at, n, sizeof(*at), by_owner, s);
	for (uint32_t i = 0; i < n; i++) {
		const struct gn_stats_name *name = gn_stats_name(s, at[i]);
		uint64_t value = gn_stats_get(s, at[i]);
		if (!value && !all)
			continue;
		printf("%-24s %-26s %20lld  %s\n", strcmp(owner, name->owner) == 0 ? "" : name->owner, name->what,
			(long long)value, name->help);
		owner = name->owner;
	}
	free(at);
	return 0;
}

int show_stages(const struct show_options *o)
{
	struct control_place place;
	struct gn_stats *s = open_stats(o, &place);
	int rc;

	if (!s)
		return -EINVAL;
	if (o->json)
		rc = show_json(json_pack("{s:b, s:s, s:o}", "ok", 1, "engine", place.name, "stages", stages_json(s)));
	else
		rc = print_stages(s, o->all);
	gn_stats_close(s);
	return rc;
}
