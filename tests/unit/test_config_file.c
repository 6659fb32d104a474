/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config/config_file.h"
#include "dataplane/runtime/err.h"

enum colour { RED, BLUE };

struct item {
	char *name;
	uint32_t n;
};

struct top {
	uint16_t port;
	int64_t signed_limit;
	bool on;
	enum colour colour;
	uint32_t set;
	char mac[8];
	struct item *items;
	uint32_t items_count;
};

static const cyaml_schema_field_t item_fields[] = {
	CONFIG_FIELD_TEXT(struct item, name, CONFIG_REQUIRED)
	CONFIG_FIELD_UINT(struct item, n, CONFIG_OPTIONAL)
	CYAML_FIELD_END
};
static const cyaml_schema_value_t item_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, struct item, item_fields)};
static const cyaml_strval_t colours[] = {{"red", RED}, {"blue", BLUE}};
static const cyaml_strval_t sets[] = {{"a", 1}, {"b", 2}};
static const cyaml_schema_field_t top_fields[] = {
	CONFIG_FIELD_UINT(struct top, port, CONFIG_REQUIRED)
	CONFIG_FIELD_INT(struct top, signed_limit, CONFIG_OPTIONAL)
	CONFIG_FIELD_BOOL(struct top, on, CONFIG_OPTIONAL)
	CYAML_FIELD_ENUM("colour", CYAML_FLAG_OPTIONAL, struct top, colour, colours, 2),
	CYAML_FIELD_FLAGS("set", CYAML_FLAG_OPTIONAL, struct top, set, sets, 2),
	CONFIG_FIELD_CHARS(struct top, mac, CONFIG_OPTIONAL)
	CYAML_FIELD_SEQUENCE("items", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, struct top, items, &item_schema, 1, 3),
	CYAML_FIELD_END
};
static const cyaml_schema_value_t top_schema = {CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, struct top, top_fields)};
static const struct config_key keys[] = {
	{"port", 1, 65535, NULL, "a port"},
	{"signed_limit", -5, INT64_MAX, "-3", "a limit"},
	{"on", 0, 1, "true", "a switch"},
	{"colour", 0, 0, "blue", "a colour"},
	{"set", 0, 0, NULL, "a set"},
	{"mac", 0, 7, "ab:cd", "a text in place"},
	{"items[].name", 1, 8, NULL, "a name"},
	{"items[].n", 0, 10, "7", "a number"},
	{0},
};
static const struct config_schema schema = {&top_schema, keys};

static struct top *t;

static int load(const char *text)
{
	char path[] = "/tmp/gannet-config-XXXXXX";
	int fd = mkstemp(path);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	int rc = config_file_load(path, &schema, (void **)&t);
	unlink(path);
	return rc;
}

static void refuses(const char *text, const char *line, const char *word)
{
	cr_assert_lt(load(text), 0, "accepted: %s", text);
	cr_assert(strstr(gn_err_text(), line), "expected line %s in: %s", line, gn_err_text());
	cr_assert(strstr(gn_err_text(), word), "expected \"%s\" in: %s", word, gn_err_text());
	cr_assert_null(t);
}

TestSuite(config_file, .timeout = 10);

Test(config_file, refuses_what_is_not_there)
{
	cr_assert_lt(config_file_load("/nonexistent/x.yaml", &schema, (void **)&t), 0);
	cr_assert(strstr(gn_err_text(), "/nonexistent/x.yaml"));
}

Test(config_file, names_line_path_and_expectation)
{
	refuses("", ":1:", "empty");
	refuses("port: 1\nprot: 2\n", ":2:", "unknown key prot");
	refuses("on: true\n", ":1:", "port: this key is missing");
	refuses("port: abc\n", ":1:", "port: abc: expected a whole number from 1 to 65535");
	refuses("on: true\nport: 65536\n", ":2:", "65535");
	refuses("port: 0\n", ":1:", "from 1");
	refuses("port: -1\n", ":1:", "from 1");
	refuses("port: 1e3\n", ":1:", "1e3");
	refuses("port: 010\n", ":1:", "010");
	refuses("port: 1\nsigned_limit: -6\n", ":2:", "from -5");
	refuses("port: 1\nsigned_limit: 9223372036854775808\n", ":2:", "9223372036854775807");
	refuses("port: 1\non: yes\n", ":2:", "true or false");
	refuses("port: 1\ncolour: green\n", ":2:", "red, blue");
	refuses("port: 1\nset: [a, c]\n", ":2:", "a, b");
	refuses("port: 1\nset: a\n", ":2:", "sequence of words");
	refuses("port: 1\nmac: too-long-text\n", ":2:", "7 characters");
	refuses("port: [1]\n", ":1:", "not a sequence");
	refuses("port: 1\nport: 2\n", ":2:", "twice");
	refuses("port: 1\nitems: 3\n", ":2:", "expected a sequence");
	refuses("port: 1\nitems: []\n", ":2:", "0 entries: expected 1 to 3");
	refuses("port: 1\nitems:\n  - {name: a}\n  - {n: 1}\n", ":4:", "items[].name: this key is missing");
	refuses("port: 1\nitems:\n  - {name: a}\n  - {name: b, n: 11}\n", ":4:", "items[].n: 11");
	refuses("- 1\n", ":1:", "expected a mapping");
	refuses("port: {\n", ":", "not YAML");
	refuses("port: \"\x01\"\n", ":", "not YAML");
}

Test(config_file, fills_defaults_where_a_key_is_absent)
{
	cr_assert_eq(load("port: 9\nitems:\n  - {name: a}\n  - {name: b, n: 0}\n"), 0, "%s", gn_err_text());
	cr_assert_eq(t->port, 9);
	cr_assert_eq(t->signed_limit, -3);
	cr_assert(t->on);
	cr_assert_eq(t->colour, BLUE);
	cr_assert_str_eq(t->mac, "ab:cd");
	cr_assert_eq(t->items_count, 2);
	cr_assert_eq(t->items[0].n, 7);
	cr_assert_eq(t->items[1].n, 0, "a value that is given stays, also zero");
	config_file_free(&schema, t);
}

Test(config_file, keeps_values_that_are_given)
{
	cr_assert_eq(load("{port: 1, on: false, colour: red, mac: x, set: [a, b], signed_limit: 9223372036854775807}"), 0);
	cr_assert_eq(t->signed_limit, INT64_MAX);
	cr_assert_not(t->on);
	cr_assert_eq(t->set, 3);
	cr_assert_eq(t->colour, RED);
	config_file_free(&schema, t);
}

Test(config_file, the_reference_has_a_line_for_every_key)
{
	char text[4096] = {0};
	FILE *f = fmemopen(text, sizeof(text), "w");
	config_file_reference(&schema, f);
	fclose(f);
	for (const struct config_key *k = keys; k->path; k++) {
		cr_assert(strstr(text, k->path), "%s", k->path);
		cr_assert(strstr(text, k->help), "%s", k->help);
	}
}

Test(config_file, relative_paths_start_at_the_config)
{
	char *p = config_file_relative("/etc/gannet/a.yaml", "fused.yaml");
	cr_assert_str_eq(p, "/etc/gannet/fused.yaml");
	free(p);
	p = config_file_relative("/etc/gannet/a.yaml", "/x.yaml");
	cr_assert_str_eq(p, "/x.yaml");
	free(p);
	p = config_file_relative("a.yaml", "b.yaml");
	cr_assert_str_eq(p, "b.yaml");
	free(p);
}
