/* SPDX-License-Identifier: BSD-3-Clause */
/* What only the engine itself can answer. Whatever is missing in its answer prints as nothing. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "dataplane/runtime/err.h"
#include "show.h"

static json_t *ask(const struct show_options *o, const char *what)
{
	struct control_place place;

	if (control_find(&place, o->name) < 0)
		return NULL;
	return control_ask(&place, json_pack("{s:s, s:s*}", "do", what, "instrument", o->instrument));
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : "";
}

static long long number_of(const json_t *j, const char *key)
{
	return (long long)json_integer_value(json_object_get(j, key));
}

static double real_of(const json_t *j, const char *key)
{
	return json_number_value(json_object_get(j, key));
}

int show_latency(const struct show_options *o)
{
	static const char *const keys[] = {"n", "p50_ns", "p90_ns", "p99_ns", "p999_ns", "p9999_ns", "max_ns"};
	static const char *const titles[] = {"count", "p50", "p90", "p99", "p99.9", "p99.99", "max"};
	json_t *answer = ask(o, "latency"), *row;
	size_t i;

	if (!answer || o->json)
		return answer ? show_json(answer) : -EINVAL;
	printf("%-18s", "hop (ns)");
	for (size_t c = 0; c < GN_ARRAY_SIZE(titles); c++)
		printf(" %10s", titles[c]);
	printf("\n");
	json_array_foreach(json_object_get(answer, "rows"), i, row)
	{
		printf("%-18s", text_of(row, "hop"));
		for (size_t c = 0; c < GN_ARRAY_SIZE(keys); c++)
			printf(" %10lld", number_of(row, keys[c]));
		printf("\n");
	}
	if (number_of(answer, "stamps_lost"))
		printf("%lld stamps were overwritten before they were read: the figures are a sample\n",
			number_of(answer, "stamps_lost"));
	json_decref(answer);
	return 0;
}

int show_clock(const struct show_options *o)
{
	static const char *const keys[] = {"ticks_per_s", "now_ns", "offset_ns", "bound_ns", "bound_ns_max",
		"n_updates", "n_steps", "step_ns", "n_backwards"};
	static const char *const words[] = {"ticks a second", "now, ns since 1970", "offset from it, ns",
		"bound of that, ns", "worst bound so far, ns", "updates", "steps of it", "last step, ns",
		"counter ran backwards"};
	json_t *answer = ask(o, "clock");

	if (!answer || o->json)
		return answer ? show_json(answer) : -EINVAL;
	const json_t *kernel = json_object_get(answer, "kernel"), *cores = json_object_get(answer, "cores");
	const json_t *port = json_object_get(answer, "port");
	printf("%-28s %s%s\n", "source", text_of(answer, "source"),
		json_is_true(json_object_get(answer, "invariant")) ? "" : " (NOT invariant)");
	for (size_t i = 0; i < GN_ARRAY_SIZE(keys); i++)
		printf("%-28s %lld\n", words[i], number_of(answer, keys[i]));
	if (json_is_object(cores))
		printf("%-28s core %lld is off by %lld ticks, give or take %lld\n", "cores compared",
			number_of(cores, "worst_core"), number_of(cores, "offset_ticks"),
			number_of(cores, "bound_ticks"));
	if (json_is_object(port))
		printf("%-28s %lld ticks a second, off by %lld ns, bound %lld ns, %lld steps\n", "the port's clock",
			number_of(port, "ticks_per_s"), number_of(port, "offset_ns"), number_of(port, "bound_ns"),
			number_of(port, "n_steps"));
	else
		printf("%-28s none: it stamps nothing, or cannot be read\n", "the port's clock");
	printf("%-28s %s, by %s, %s, error at most %lld ns\n", "the kernel's clock", text_of(kernel, "source"),
		*text_of(kernel, "discipline") ? text_of(kernel, "discipline") : "nobody known",
		json_is_true(json_object_get(kernel, "synchronised")) ? "synchronised" : "NOT synchronised",
		number_of(kernel, "error_max_ns"));
	if (json_is_integer(json_object_get(answer, "utc_bound_ns")))
		printf("%-28s %lld ns\n", "distance from UTC, at most", number_of(answer, "utc_bound_ns"));
	else
		printf("%-28s unknown: the kernel's clock is not synchronised\n", "distance from UTC, at most");
	if (*text_of(answer, "trouble"))
		printf("%-28s %s\n", "trouble", text_of(answer, "trouble"));
	json_decref(answer);
	return 0;
}

static void print_number(const json_t *j)
{
	if (json_is_integer(j))
		printf(" %16lld", (long long)json_integer_value(j));
	else
		printf(" %16s", json_is_string(j) ? json_string_value(j) : "-");
}

static void print_owner(const json_t *owner)
{
	const char *kill = text_of(owner, "kill");
	json_t *limit;
	size_t i;

	printf("\n%s %s: open %lld", text_of(owner, "level"), text_of(owner, "name"), number_of(owner, "open"));
	if (json_object_get(owner, "position"))
		printf(", position %lld, gross %.2f, net %.2f / %.2f, P&L %.2f", number_of(owner, "position"),
			real_of(owner, "gross"), real_of(owner, "net_long"), real_of(owner, "net_short"),
			real_of(owner, "realised") + real_of(owner, "unrealised") - real_of(owner, "fees"));
	printf("%s%s%s%s\n", strcmp(kill, "none") ? ", KILLED by " : "", strcmp(kill, "none") ? kill : "",
		json_object_get(owner, "reason") ? ": " : "", text_of(owner, "reason"));
	printf("  %-22s %16s %16s %16s %6s\n", "limit", "now", "at the start", "used", "%");
	json_array_foreach(json_object_get(owner, "limits"), i, limit)
	{
		printf("  %-22s", text_of(limit, "key"));
		print_number(json_object_get(limit, "limit"));
		print_number(json_object_get(limit, "hard"));
		print_number(json_object_get(limit, "used"));
		if (json_object_get(limit, "used_pct"))
			printf(" %6lld", number_of(limit, "used_pct"));
		printf("%s\n", json_object_get(limit, "soft_passed") ? "  soft level passed" : "");
	}
}

static void print_kills(const json_t *answer)
{
	json_t *kill;
	size_t i;
	char when[32];

	json_array_foreach(json_object_get(answer, "kills"), i, kill)
	{
		time_t at = (time_t)(number_of(kill, "at_ns") / 1000000000);
		struct tm tm;
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&at, &tm));
		printf("killed until released: %s %s, by %s at %s: %s\n", text_of(kill, "level"), text_of(kill, "name"),
			text_of(kill, "who"), when, text_of(kill, "reason"));
	}
}

int show_risk(const struct show_options *o)
{
	json_t *answer = ask(o, "risk"), *owner, *count;
	const char *verdict;
	size_t i;

	if (!answer || o->json)
		return answer ? show_json(answer) : -EINVAL;
	printf("orders open %lld, waiting for the venue's pace %lld, kill switches thrown %lld\n",
		number_of(answer, "open"), number_of(answer, "waiting"), number_of(answer, "kills_thrown"));
	print_kills(answer);
	json_array_foreach(json_object_get(answer, "owners"), i, owner) print_owner(owner);
	printf("\n");
	json_object_foreach(json_object_get(answer, "verdicts"), verdict, count)
		printf("%-22s %16lld\n", verdict, (long long)json_integer_value(count));
	json_decref(answer);
	return 0;
}
