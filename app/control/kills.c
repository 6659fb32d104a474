/* SPDX-License-Identifier: BSD-3-Clause */
#include "kills.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define PATH_BYTES 1024

enum risk_level control_level(const char *word)
{
	unsigned level = 0;

	while (level < RISK_LEVEL_COUNT && strcmp(word, risk_level_word(level)) != 0)
		level++;
	return level;
}

const struct kill_entry *kills_find(const struct kills *k, enum risk_level level, const char *name)
{
	for (uint32_t i = 0; i < k->n; i++)
		if (k->entry[i].level == level && strcmp(k->entry[i].name, name) == 0)
			return &k->entry[i];
	return NULL;
}

static bool entry_parse(struct kill_entry *e, const char *line)
{
	json_error_t error;
	json_t *j = json_loads(line, JSON_REJECT_DUPLICATES, &error);
	const char *level, *name, *who, *reason;
	json_int_t at_ns;
	bool good = j
	            && json_unpack_ex(j, &error, JSON_STRICT, "{s:s, s:s, s:s, s:s, s:I}", "level", &level, "name",
			       &name, "who", &who, "reason", &reason, "at_ns", &at_ns)
	                       == 0;

	good = good && control_level(level) < RISK_LEVEL_COUNT && strlen(name) < sizeof(e->name)
	       && strlen(who) < sizeof(e->who) && strlen(reason) < sizeof(e->reason) && at_ns >= 0;
	if (good) {
		*e = (struct kill_entry){.level = control_level(level), .at_ns = (uint64_t)at_ns};
		snprintf(e->name, sizeof(e->name), "%s", name);
		snprintf(e->who, sizeof(e->who), "%s", who);
		snprintf(e->reason, sizeof(e->reason), "%s", reason);
	}
	json_decref(j);
	return good;
}

int kills_load(struct kills *k, const char *path)
{
	char *line = NULL;
	size_t room = 0;
	uint32_t at = 0;
	int rc = 0;
	FILE *f = fopen(path, "re");

	memset(k, 0, sizeof(*k));
	k->path = path;
	if (!f)
		return errno == ENOENT ? 0 : gn_err(errno, "kill switches: %s", path);
	while (rc == 0 && getline(&line, &room, f) >= 0) {
		at++;
		line[strcspn(line, "\n")] = 0;
		if (k->n == KILLS_MAX || !entry_parse(&k->entry[k->n], line))
			rc = gn_err(0, "%s:%u: expected a kill switch: %.80s", path, at, line);
		else
			k->n++;
	}
	if (rc == 0 && ferror(f))
		rc = gn_err(EIO, "kill switches: %s", path);
	free(line);
	fclose(f);
	return rc;
}

static bool entry_write(FILE *f, const struct kill_entry *e)
{
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:I}", "level", risk_level_word(e->level), "name", e->name, "who",
		e->who, "reason", e->reason, "at_ns", (json_int_t)e->at_ns);
	bool good = j && json_dumpf(j, f, JSON_COMPACT) == 0 && fputc('\n', f) == '\n';

	json_decref(j);
	return good;
}

static int sync_folder(const char *path)
{
	char copy[PATH_BYTES];

	snprintf(copy, sizeof(copy), "%s", path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 || fsync(fd) < 0 ? gn_err(errno, "kill switches: sync the folder of %s", path) : 0;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int kills_write(const struct kills *k)
{
	char fresh[PATH_BYTES];

	if ((size_t)snprintf(fresh, sizeof(fresh), "%s.new", k->path) >= sizeof(fresh))
		return gn_err(ENAMETOOLONG, "kill switches: %s", k->path);
	int fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
	if (!f)
		return gn_err(errno, "kill switches: write %s", fresh);
	bool good = true;
	for (uint32_t i = 0; i < k->n; i++)
		good &= entry_write(f, &k->entry[i]);
	good = good && fflush(f) == 0 && fsync(fd) == 0;
	int errnum = errno;
	good &= fclose(f) == 0;
	if (!good)
		return gn_err(errnum ? errnum : EIO, "kill switches: write %s", fresh);
	if (rename(fresh, k->path) < 0)
		return gn_err(errno, "kill switches: rename %s", fresh);
	return sync_folder(k->path);
}

int kills_add(struct kills *k, const struct kill_entry *e)
{
	if (kills_find(k, e->level, e->name))
		return 0;
	if (k->n == KILLS_MAX)
		return gn_err(ENOSPC, "kill switches: %u are thrown already", KILLS_MAX);
	k->entry[k->n++] = *e;
	return kills_write(k);
}

int kills_remove(struct kills *k, enum risk_level level, const char *name)
{
	const struct kill_entry *e = kills_find(k, level, name);

	if (!e)
		return 0;
	k->entry[e - k->entry] = k->entry[--k->n];
	if (k->n)
		return kills_write(k);
	if (unlink(k->path) < 0 && errno != ENOENT)
		return gn_err(errno, "kill switches: remove %s", k->path);
	return sync_folder(k->path);
}
