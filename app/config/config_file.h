/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

/**
 * @file
 * YAML files into structs by one schema: libcyaml fills the struct; every key is checked against the table of keys
 * first, so that an error names file, line, path, value and what was expected. Cold.
 */

#include <cyaml/cyaml.h>
#include <stdint.h>
#include <stdio.h>

/**
 * What the schema cannot say of a scalar key.
 *
 * The table of keys is also the reference page: a key that is missing from it cannot be loaded.
 */
struct config_key {
	const char *path;     /* "engine.port.mtu"; entries of a sequence as "engine.strategies[].depth" */
	int64_t min, max;     /* of a number; of a text: its length */
	const char *fallback; /* value when the key is absent; NULL: what the schema's flags say */
	const char *help;
};

/** One kind of file. */
struct config_schema {
	const cyaml_schema_value_t *top;
	const struct config_key *keys; /* ends with {0} */
};

/* Writes one scalar key of struct S twice: into the libcyaml schema and into the table of keys. */
#define CONFIG_REQUIRED CYAML_FLAG_DEFAULT
#define CONFIG_OPTIONAL CYAML_FLAG_OPTIONAL
#define CONFIG_FIELD_UINT(S, name, need) CYAML_FIELD_UINT(#name, need, S, name),
#define CONFIG_FIELD_INT(S, name, need) CYAML_FIELD_INT(#name, need, S, name),
#define CONFIG_FIELD_BOOL(S, name, need) CYAML_FIELD_BOOL(#name, need, S, name),
#define CONFIG_FIELD_TEXT(S, name, need) \
	CYAML_FIELD_STRING_PTR(#name, CYAML_FLAG_POINTER | (need), S, name, 0, CYAML_UNLIMITED),
#define CONFIG_FIELD_CHARS(S, name, need) CYAML_FIELD_STRING(#name, need, S, name, 0),

/**
 * Load a file.
 *
 * @param out
 *   The struct, to be freed with config_file_free().
 * @return
 *   0, or -errno with gn_err_text(): "FILE:LINE: path: value: what was expected".
 */
int config_file_load(const char *path, const struct config_schema *schema, void **out);

void config_file_free(const struct config_schema *schema, void *config);

/** Print every key with its default, limits and meaning. */
void config_file_reference(const struct config_schema *schema, FILE *out);

/** Path of a file that a config file names: relative ones start at the folder of the config file. Malloc'ed, or NULL. */
char *config_file_relative(const char *config_path, const char *path);

#endif
