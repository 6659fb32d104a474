/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "controls.h"
#include "dataplane/runtime/err.h"
#include "place.h"
#include "show.h"

/* How often the running engine has given each verdict; several controls may share one. */
static void add_counts(json_t *list, const struct gn_stats *s)
{
	uint64_t n;
	size_t i;
	json_t *j;

	json_array_foreach(list, i, j)
	{
		const char *verdict = json_string_value(json_object_get(j, "verdict"));
		if (verdict && gn_stats_find(s, "risk0", verdict, &n))
			json_object_set_new(j, "refused_with_this_verdict", json_integer((json_int_t)n));
	}
}

static const char *text_of(const json_t *j, const char *key)
{
	const char *text = json_string_value(json_object_get(j, key));

	return text ? text : "";
}

static void print_controls(const json_t *list)
{
	char words[128];
	size_t i, k;
	json_t *j, *word;

	printf("%-16s %-20s %9s %6s  %-44s %s\n", "control", "verdict", "refused", "instr.", "what",
		"config keys; test");
	json_array_foreach(list, i, j)
	{
		const json_t *n = json_object_get(j, "refused_with_this_verdict");
		words[0] = 0;
		json_array_foreach(json_object_get(j, "config_keys"), k, word) snprintf(words + strlen(words),
			sizeof(words) - strlen(words), "%s%s", k ? "," : "", json_string_value(word));
		printf("%-16s %-20s ", text_of(j, "control"), text_of(j, "verdict"));
		if (n)
			printf("%9lld", (long long)json_integer_value(n));
		else
			printf("%9s", "");
		printf(" %6s  %-44s %s; %s\n", text_of(j, "cost_instructions"), text_of(j, "what"),
			*words ? words : "always on", text_of(j, "test"));
	}
}

int show_controls(const struct show_options *o)
{
	struct control_place place;
	bool running = control_find(&place, o->name) == 0;

	if (!running && o->name) /* without a name no engine need run */
		return -EINVAL;
	struct gn_stats *s = running ? gn_stats_open(place.stats) : NULL;
	json_t *list = controls_json(controls_text);
	if (list && s)
		add_counts(list, s);
	gn_stats_close(s);
	if (!list)
		return -EINVAL;
	if (o->json)
		return show_json(json_pack("{s:b, s:s, s:s?, s:o}", "ok", 1, "version", GANNET_VERSION, "engine",
			running ? place.name : NULL, "controls", list));
	print_controls(list);
	json_decref(list);
	return 0;
}
