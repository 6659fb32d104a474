/* SPDX-License-Identifier: BSD-3-Clause */
#include "config_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "dataplane/runtime/err.h"

#define PATH_BYTES 256

/* The walk over schema, document and (once loaded) struct: where it is. */
struct walk {
	const char *file;
	const struct config_schema *schema;
	yaml_document_t *doc;
	char path[PATH_BYTES];
};

static int walk_err(const struct walk *w, const yaml_node_t *at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static int walk_err(const struct walk *w, const yaml_node_t *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return gn_err(0, "%s:%zu: %s%s%s", w->file, at->start_mark.line + 1, w->path, *w->path ? ": " : "", text);
}

static const struct config_key *walk_key(const struct walk *w)
{
	for (const struct config_key *k = w->schema->keys; k->path; k++) {
		if (strcmp(k->path, w->path) == 0)
			return k;
	}
	return NULL;
}

/* Appends ".key" or "[]" to the path; returns the old length, to be given to walk_leave(). */
static size_t walk_enter(struct walk *w, const char *key)
{
	size_t n = strlen(w->path);

	snprintf(w->path + n, sizeof(w->path) - n, "%s%s", n && *key != '[' ? "." : "", key);
	return n;
}

static void walk_leave(struct walk *w, size_t n)
{
	w->path[n] = 0;
}

static const char *node_text(const yaml_node_t *n)
{
	return n->type == YAML_SCALAR_NODE ? (const char *)n->data.scalar.value : "";
}

static yaml_node_t *node_child(const struct walk *w, const yaml_node_t *map, const char *key)
{
	for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
		yaml_node_t *k = yaml_document_get_node(w->doc, p->key);
		if (strcmp(node_text(k), key) == 0)
			return yaml_document_get_node(w->doc, p->value);
	}
	return NULL;
}

/* libcyaml reads "1e9" as 1: a number is digits, with a sign where it may have one, and nothing else. */
static bool text_is_number(const char *text, bool sign, int64_t *value)
{
	const char *digits = sign && *text == '-' ? text + 1 : text;
	char *end;

	if (*digits < '0' || *digits > '9' || (digits[0] == '0' && digits[1] != 0))
		return false;
	errno = 0;
	*value = strtoll(text, &end, 10);
	return errno == 0 && *end == 0;
}

static bool text_is_bool(const char *text)
{
	return strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
}

static int check_enum(const struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	char words[256] = "";

	for (uint32_t i = 0; i < v->enumeration.count; i++) {
		const char *word = v->enumeration.strings[i].str;
		if (strcmp(word, node_text(node)) == 0)
			return 0;
		size_t n = strlen(words);
		snprintf(words + n, sizeof(words) - n, "%s%s", n ? ", " : "", word);
	}
	return walk_err(w, node, "%s: expected one of %s", node_text(node), words);
}

static int check_scalar(const struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	const struct config_key *k = walk_key(w);
	const char *text = node_text(node);
	int64_t value;

	if (node->type != YAML_SCALAR_NODE)
		return walk_err(w, node, "expected one value, not a %s",
			node->type == YAML_MAPPING_NODE ? "mapping" : "sequence");
	if (!k)
		return walk_err(w, node, "this key has no entry in the reference");
	switch (v->type) {
	case CYAML_INT:
	case CYAML_UINT:
		if (!text_is_number(text, v->type == CYAML_INT, &value) || value < k->min || value > k->max)
			return walk_err(w, node, "%s: expected a whole number from %" PRId64 " to %" PRId64, text, k->min, k->max);
		return 0;
	case CYAML_BOOL: return text_is_bool(text) ? 0 : walk_err(w, node, "%s: expected true or false", text);
	case CYAML_ENUM: return check_enum(w, v, node);
	default:
		if ((int64_t)strlen(text) < k->min || (int64_t)strlen(text) > k->max)
			return walk_err(w, node, "\"%s\": expected %" PRId64 " to %" PRId64 " characters", text, k->min, k->max);
		return 0;
	}
}

static int check_value(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node);

static int check_unknown(struct walk *w, const cyaml_schema_field_t *fields, const yaml_node_t *node)
{
	for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
		const yaml_node_t *key = yaml_document_get_node(w->doc, p->key);
		const cyaml_schema_field_t *f = fields;
		while (f->key && strcmp(f->key, node_text(key)) != 0)
			f++;
		if (!f->key)
			return walk_err(w, key, "unknown key %s", node_text(key));
		for (yaml_node_pair_t *q = node->data.mapping.pairs.start; q < p; q++) {
			if (strcmp(node_text(yaml_document_get_node(w->doc, q->key)), node_text(key)) == 0)
				return walk_err(w, key, "key %s is there twice", node_text(key));
		}
	}
	return 0;
}

static int check_mapping(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	if (node->type != YAML_MAPPING_NODE)
		return walk_err(w, node, "expected a mapping (key: value)");
	int rc = check_unknown(w, v->mapping.fields, node);
	for (const cyaml_schema_field_t *f = v->mapping.fields; rc == 0 && f->key; f++) {
		const yaml_node_t *child = node_child(w, node, f->key);
		size_t n = walk_enter(w, f->key);
		if (child)
			rc = check_value(w, &f->value, child);
		else if (!(f->value.flags & CYAML_FLAG_OPTIONAL))
			rc = walk_err(w, node, "this key is missing");
		walk_leave(w, n);
	}
	return rc;
}

static int check_sequence(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	int rc = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return walk_err(w, node, "expected a sequence ([a, b] or lines with -)");
	size_t n_items = (size_t)(node->data.sequence.items.top - node->data.sequence.items.start);
	if (n_items < v->sequence.min || n_items > v->sequence.max)
		return walk_err(w, node, "%zu entries: expected %u to %u", n_items, v->sequence.min, v->sequence.max);
	size_t n = walk_enter(w, "[]");
	for (size_t i = 0; rc == 0 && i < n_items; i++)
		rc = check_value(w, v->sequence.entry, yaml_document_get_node(w->doc, node->data.sequence.items.start[i]));
	walk_leave(w, n);
	return rc;
}

/* A set of words. */
static int check_flags(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	int rc = 0;

	if (node->type != YAML_SEQUENCE_NODE)
		return walk_err(w, node, "expected a sequence of words ([a, b])");
	for (yaml_node_item_t *i = node->data.sequence.items.start; rc == 0 && i < node->data.sequence.items.top; i++)
		rc = check_enum(w, v, yaml_document_get_node(w->doc, *i));
	return rc;
}

static int check_value(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node)
{
	if (v->type == CYAML_FLAGS)
		return check_flags(w, v, node);
	if (v->type == CYAML_MAPPING)
		return check_mapping(w, v, node);
	if (v->type == CYAML_SEQUENCE)
		return check_sequence(w, v, node);
	return check_scalar(w, v, node);
}

static int put_fallback(const struct config_key *k, const cyaml_schema_value_t *v, uint8_t *at)
{
	int64_t value = strtoll(k->fallback, NULL, 10);
	bool truth = strcmp(k->fallback, "true") == 0;

	switch (v->type) {
	case CYAML_INT:
	case CYAML_UINT: memcpy(at, &value, v->data_size); return 0; /* little-endian: the low bytes come first */
	case CYAML_BOOL: memcpy(at, &truth, sizeof(truth)); return 0;
	case CYAML_ENUM:
		for (uint32_t i = 0; i < v->enumeration.count; i++) {
			if (strcmp(v->enumeration.strings[i].str, k->fallback) == 0)
				memcpy(at, &v->enumeration.strings[i].val, v->data_size);
		}
		return 0;
	default: break;
	}
	if (!(v->flags & CYAML_FLAG_POINTER)) {
		snprintf((char *)at, v->string.max + 1, "%s", k->fallback);
		return 0;
	}
	char *text = strdup(k->fallback);
	memcpy(at, &text, sizeof(text));
	return text ? 0 : gn_err(ENOMEM, "config");
}

/* Fills the keys that the document lacks. node is NULL below a mapping that is absent altogether. */
static int fill_mapping(struct walk *w, const cyaml_schema_value_t *v, const yaml_node_t *node, uint8_t *base)
{
	int rc = 0;

	for (const cyaml_schema_field_t *f = v->mapping.fields; rc == 0 && f->key; f++) {
		const yaml_node_t *child = node ? node_child(w, node, f->key) : NULL;
		uint8_t *at = base + f->data_offset;
		size_t n = walk_enter(w, f->key);
		if (f->value.type == CYAML_MAPPING) {
			void *inner = at;
			if (f->value.flags & CYAML_FLAG_POINTER)
				memcpy(&inner, at, sizeof(inner));
			if (inner)
				rc = fill_mapping(w, &f->value, child, inner);
		} else if (f->value.type == CYAML_SEQUENCE) {
			const cyaml_schema_value_t *entry = f->value.sequence.entry;
			uint8_t *items;
			memcpy(&items, at, sizeof(items));
			size_t m = walk_enter(w, "[]");
			for (size_t i = 0; child && entry->type == CYAML_MAPPING
				&& i < (size_t)(child->data.sequence.items.top - child->data.sequence.items.start) && rc == 0; i++)
				rc = fill_mapping(w, entry,
					yaml_document_get_node(w->doc, child->data.sequence.items.start[i]),
					items + i * entry->data_size);
			walk_leave(w, m);
		} else if (!child) {
			const struct config_key *k = walk_key(w);
			if (k && k->fallback)
				rc = put_fallback(k, &f->value, at);
		}
		walk_leave(w, n);
	}
	return rc;
}

static void keep_first_error(cyaml_log_t level, void *ctx, const char *fmt, va_list args)
{
	char *text = ctx;

	if (level == CYAML_LOG_ERROR && !*text)
		vsnprintf(text, PATH_BYTES, fmt, args);
}

static int load_checked(struct walk *w, void **out)
{
	char text[PATH_BYTES] = "";
	const cyaml_config_t config = {.log_fn = keep_first_error, .log_ctx = text, .log_level = CYAML_LOG_ERROR,
		.mem_fn = cyaml_mem};
	yaml_node_t *root = yaml_document_get_root_node(w->doc);

	if (!root)
		return gn_err(0, "%s:1: the file is empty", w->file);
	int rc = check_value(w, w->schema->top, root);
	if (rc < 0)
		return rc;
	cyaml_err_t err = cyaml_load_file(w->file, &config, w->schema->top, out, NULL);
	if (err != CYAML_OK)
		return gn_err(0, "%s: %s: %s", w->file, cyaml_strerror(err), text);
	rc = fill_mapping(w, w->schema->top, root, *out);
	if (rc < 0) {
		config_file_free(w->schema, *out);
		*out = NULL;
	}
	return rc;
}

int config_file_load(const char *path, const struct config_schema *schema, void **out)
{
	yaml_parser_t parser;
	yaml_document_t doc;
	struct walk w = {.file = path, .schema = schema, .doc = &doc};
	FILE *f = fopen(path, "r");
	int rc;

	*out = NULL;
	if (!f)
		return gn_err(errno, "config: open %s", path);
	if (!yaml_parser_initialize(&parser)) {
		fclose(f);
		return gn_err(ENOMEM, "config: %s", path);
	}
	yaml_parser_set_input_file(&parser, f);
	if (!yaml_parser_load(&parser, &doc)) {
		rc = gn_err(0, "%s:%zu: not YAML: %s", path, parser.problem_mark.line + 1,
			parser.problem ? parser.problem : "cannot be read");
	} else {
		rc = load_checked(&w, out);
		yaml_document_delete(&doc);
	}
	yaml_parser_delete(&parser);
	fclose(f);
	return rc;
}

void config_file_free(const struct config_schema *schema, void *config)
{
	const cyaml_config_t c = {.mem_fn = cyaml_mem};

	cyaml_free(&c, schema->top, config, 0);
}

static const char *type_word(const cyaml_schema_value_t *v)
{
	switch (v->type) {
	case CYAML_INT:
	case CYAML_UINT: return "number";
	case CYAML_BOOL: return "true|false";
	case CYAML_ENUM: return "word";
	case CYAML_FLAGS: return "words";
	default: return "text";
	}
}

static void reference_value(struct walk *w, const cyaml_schema_value_t *v, FILE *out)
{
	if (v->type == CYAML_MAPPING) {
		for (const cyaml_schema_field_t *f = v->mapping.fields; f->key; f++) {
			size_t n = walk_enter(w, f->key);
			reference_value(w, &f->value, out);
			walk_leave(w, n);
		}
		return;
	}
	if (v->type == CYAML_SEQUENCE) {
		size_t n = walk_enter(w, "[]");
		reference_value(w, v->sequence.entry, out);
		walk_leave(w, n);
		return;
	}
	const struct config_key *k = walk_key(w);
	fprintf(out, "%-44s %-10s", w->path, type_word(v));
	if (v->type == CYAML_ENUM || v->type == CYAML_FLAGS) {
		for (uint32_t i = 0; i < v->enumeration.count; i++)
			fprintf(out, "%s%s", i ? "|" : "", v->enumeration.strings[i].str);
		fputc(' ', out);
	} else if (k && (v->type == CYAML_INT || v->type == CYAML_UINT)) {
		fprintf(out, "%" PRId64 "..%" PRId64 " ", k->min, k->max);
	}
	if (k && k->fallback && *k->fallback)
		fprintf(out, "(default %s) ", k->fallback);
	else if (!(v->flags & CYAML_FLAG_OPTIONAL))
		fputs("(required) ", out);
	fprintf(out, "%s\n", k ? k->help : "");
}

void config_file_reference(const struct config_schema *schema, FILE *out)
{
	struct walk w = {.schema = schema};

	reference_value(&w, schema->top, out);
}

char *config_file_relative(const char *config_path, const char *path)
{
	const char *slash = strrchr(config_path, '/');
	char *joined = NULL;

	if (*path == '/' || !slash)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - config_path), config_path, path) < 0)
		return NULL;
	return joined;
}
