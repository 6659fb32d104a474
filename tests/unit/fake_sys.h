/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

/**
 * @file
 * A fake /sys and /proc in a folder of its own, from a compact description (tests/data/sys).
 *
 * "path = value" makes a file, "path -> target" a link. A {list} of numbers in the path repeats the line for each of
 * them; {i}, {i+N} and {i-N} in the value stand for that number. \n and \t are what they are in C.
 */

#include <criterion/criterion.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pinning/cpu_list.h"

struct fake_sys {
	char root[64];
};

static inline void fake_dirs(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(path, 0755);
		*slash = '/';
	}
}

/** Write (or overwrite) one file, with the newline that /sys adds. */
static inline void fake_put(const struct fake_sys *s, const char *path, const char *value)
{
	char full[8192];

	snprintf(full, sizeof(full), "%s%s", s->root, path);
	fake_dirs(full);
	FILE *f = fopen(full, "w");
	cr_assert_not_null(f, "%s", full);
	fprintf(f, "%s\n", value);
	fclose(f);
}

static inline int fake_unlink(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

/** Remove a file or a whole folder. */
static inline void fake_drop(const struct fake_sys *s, const char *path)
{
	char full[8192];

	snprintf(full, sizeof(full), "%s%s", s->root, path);
	nftw(full, fake_unlink, 16, FTW_DEPTH | FTW_PHYS);
}

static inline void fake_free(const struct fake_sys *s)
{
	fake_drop(s, "");
}

/* Copies a value with {i}, {i+N}, {i-N}, \n and \t worked out. */
static inline void fake_expand(char *out, size_t out_bytes, const char *in, int i)
{
	size_t n = 0;

	while (*in && n + 16 < out_bytes) {
		if (in[0] == '{' && in[1] == 'i') {
			n += (size_t)snprintf(out + n, out_bytes - n, "%d", i + (in[2] == '}' ? 0 : atoi(in + 2)));
			in = strchr(in, '}') + 1;
		} else if (in[0] == '\\' && (in[1] == 'n' || in[1] == 't')) {
			out[n++] = in[1] == 'n' ? '\n' : '\t';
			in += 2;
		} else {
			out[n++] = *in++;
		}
	}
	out[n] = '\0';
}

static inline void fake_line(const struct fake_sys *s, const char *path, const char *value, bool link, int i)
{
	char text[4096], full[8192];

	fake_expand(text, sizeof(text), value, i);
	if (!link) {
		fake_put(s, path, text);
		return;
	}
	snprintf(full, sizeof(full), "%s%s", s->root, path);
	fake_dirs(full);
	cr_assert_eq(symlink(text, full), 0, "%s", full);
}

static inline void fake_lines(const struct fake_sys *s, const char *path, const char *value, bool link)
{
	const char *open = strchr(path, '{'), *close = open ? strchr(open, '}') : NULL;
	char list[128], one[4200];
	cpu_set_t numbers;

	if (!close) {
		fake_line(s, path, value, link, 0);
		return;
	}
	snprintf(list, sizeof(list), "%.*s", (int)(close - open - 1), open + 1);
	cr_assert_eq(gn_cpus_from_list(list, &numbers), 0, "%s", path);
	for (int i = gn_cpus_next(&numbers, 0); i >= 0; i = gn_cpus_next(&numbers, i + 1)) {
		snprintf(one, sizeof(one), "%.*s%d%s", (int)(open - path), path, i, close + 1);
		fake_line(s, one, value, link, i);
	}
}

/** An empty machine: no file at all. */
static inline struct fake_sys fake_empty(void)
{
	/* thousands of small files: in memory where there is room for that */
	struct fake_sys s = {"/dev/shm/gannet-sys-XXXXXX"};

	if (access("/dev/shm", W_OK) < 0)
		strcpy(s.root, "/tmp/gannet-sys-XXXXXX");
	cr_assert_not_null(mkdtemp(s.root));
	return s;
}

/** A machine from a description. */
static inline struct fake_sys fake_machine(const char *name)
{
	struct fake_sys s = fake_empty();
	char path[512], line[4096];

	snprintf(path, sizeof(path), FAKE_SYS_DIR "/%s.tree", name);
	FILE *f = fopen(path, "r");
	cr_assert_not_null(f, "%s", path);
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		char *equal = strstr(line, " ="), *arrow = strstr(line, " -> ");
		if (line[0] != '/')
			continue;
		bool link = arrow && (!equal || arrow < equal);
		char *sep = link ? arrow : equal;
		cr_assert_not_null(sep, "%s: %s", path, line);
		*sep = '\0';
		const char *value = sep + (link ? 4 : 2);
		fake_lines(&s, line, value + (*value == ' '), link);
	}
	fclose(f);
	return s;
}

#endif
