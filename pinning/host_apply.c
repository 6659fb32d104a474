/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_apply.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "sys_file.h"

__attribute__((format(printf, 2, 3))) static void say(const struct gn_host_apply *a, const char *fmt, ...)
{
	char text[2 * GN_HOST_VALUE_BYTES + 512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (a->line)
		a->line(a->line_arg, text);
}

/* What a failed step needs. */
static const char *hint(int rc)
{
	switch (-rc) {
	case EACCES:
	case EPERM:
		if (geteuid() == 0)
			return " (refused even to root: the kernel or the hypervisor keeps this one to itself)";
		return " (needs root: CAP_DAC_OVERRIDE for the file, CAP_SYS_ADMIN or CAP_SYS_NICE for what it does)";
	case EROFS: return " (mounted read-only here: outside of the container it may be written)";
	case EIO: return " (the kernel manages this one itself)";
	default: return "";
	}
}

/* Every folder above a path. */
static void folders_make(const char *path)
{
	char part[PATH_MAX];

	snprintf(part, sizeof(part), "%s", path);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(part, 0755);
		*slash = '/';
	}
}

/* The steps that are remembered: an empty list when there is no file; NULL with an error when it cannot be read. */
static json_t *state_load(const struct gn_host_apply *a)
{
	json_error_t error;

	if (access(a->state, F_OK) < 0 && errno == ENOENT)
		return json_array();
	json_t *steps = json_load_file(a->state, 0, &error);
	if (!json_is_array(steps)) {
		gn_err(0, "host: %s: line %d: %s", a->state, error.line,
			steps ? "expected a list of steps" : error.text);
		json_decref(steps);
		return NULL;
	}
	return steps;
}

/* Written beside, synced, and put in place: a crash leaves the old list or the new one. */
static int state_store(const struct gn_host_apply *a, const json_t *steps)
{
	char beside[PATH_MAX];

	if (json_array_size(steps) == 0)
		return unlink(a->state) < 0 && errno != ENOENT ? gn_err(errno, "host: remove %s", a->state) : 0;
	if ((size_t)snprintf(beside, sizeof(beside), "%s.new", a->state) >= sizeof(beside))
		return gn_err(ENAMETOOLONG, "host: %s", a->state);
	folders_make(beside);
	int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return gn_err(errno, "host: make %s", beside);
	int rc = json_dumpfd(steps, fd, JSON_INDENT(1)) < 0 || fsync(fd) < 0 ? gn_err(errno, "host: write %s", beside)
	                                                                     : 0;
	close(fd);
	if (rc == 0 && rename(beside, a->state) < 0)
		rc = gn_err(errno, "host: put %s in place", a->state);
	return rc;
}

/* What is there now, as a step that can be undone; NULL when it cannot be read. */
static json_t *step_of(const struct gn_host_apply *a, const struct gn_host_change *c)
{
	char now[GN_HOST_VALUE_BYTES];

	if (c->value[0] == '\0')
		return json_pack("{s:s, s:s, s:b}", "row", c->row, "path", c->path, "folder", 1);
	int n = gn_sys_read_raw(a->root, c->path, now, sizeof(now));
	if (n < 0 || n >= (int)sizeof(now) - 1) {
		gn_err(n < 0 ? -n : EFBIG, "read %s", c->path);
		return NULL;
	}
	gn_sys_chosen(now); /* what the kernel takes back is the word, not the list */
	return json_pack("{s:s, s:s, s:s, s:s}", "row", c->row, "path", c->path, "before", c->undo[0] ? c->undo : now,
		"after", c->value);
}

static int change_make(const struct gn_host_apply *a, const struct gn_host_change *c)
{
	char full[PATH_MAX];

	if (c->value[0])
		return gn_sys_write(a->root, c->path, c->value);
	snprintf(full, sizeof(full), "%s%s", a->root, c->path);
	return mkdir(full, 0755) < 0 ? gn_err(errno, "make %s", full) : 0;
}

/* One step: remembered first, forgotten again when it fails. */
static int change_apply(const struct gn_host_apply *a, json_t *steps, const struct gn_host_change *c)
{
	json_t *step = step_of(a, c);

	if (!step) {
		say(a, "%s: left out: %s", c->row, gn_err_text());
		return 1;
	}
	json_array_append_new(steps, step);
	int rc = state_store(a, steps);
	if (rc < 0)
		return rc;
	rc = change_make(a, c);
	if (rc == 0) {
		say(a, "%s: %s%s%s", c->row, c->value[0] ? c->value : "new folder", c->value[0] ? " > " : " ", c->path);
		return 0;
	}
	say(a, "%s: failed: %s%s", c->row, gn_err_text(), hint(rc));
	json_array_remove(steps, json_array_size(steps) - 1);
	rc = state_store(a, steps);
	return rc < 0 ? rc : 1;
}

int gn_host_apply(const struct gn_host_apply *a, const struct gn_host_plan *p)
{
	json_t *steps = state_load(a);
	int n_failed = 0;

	if (!steps)
		return -EINVAL;
	for (size_t i = 0; i < p->n; i++) {
		int rc = change_apply(a, steps, &p->change[i]);
		if (rc < 0) {
			json_decref(steps);
			return rc;
		}
		n_failed += rc;
	}
	json_decref(steps);
	return n_failed;
}

static int step_undo(const struct gn_host_apply *a, const json_t *step)
{
	const char *row = json_string_value(json_object_get(step, "row")),
		   *path = json_string_value(json_object_get(step, "path"));
	const char *before = json_string_value(json_object_get(step, "before"));
	char full[PATH_MAX];

	if (!path || (strncmp(path, "/sys/", 5) != 0 && strncmp(path, "/proc/", 6) != 0) || strstr(path, "/..")) {
		say(a, "left out: a step that names no file of /sys or /proc");
		return -EINVAL;
	}
	snprintf(full, sizeof(full), "%s%s", a->root, path);
	int rc = before            ? gn_sys_write(a->root, path, before[0] ? before : "\n")
	         : rmdir(full) < 0 ? gn_err(errno, "remove %s", full)
	                           : 0;
	if (rc < 0)
		say(a, "%s: failed: %s%s", row ? row : "?", gn_err_text(), hint(rc));
	else
		say(a, "%s: %s: %.*s", row ? row : "?", path, before ? (int)strcspn(before, "\n") : 7, before ? before : "removed");
	return rc;
}

int gn_host_revert(const struct gn_host_apply *a)
{
	json_t *steps = state_load(a), *kept = json_array();
	int rc = 0;

	if (!steps || !kept) {
		json_decref(kept);
		return -EINVAL;
	}
	for (size_t i = json_array_size(steps); i-- > 0;) {
		json_t *step = json_array_get(steps, i);
		if (step_undo(a, step) < 0)
			json_array_insert(kept, 0, step);
	}
	int n_failed = (int)json_array_size(kept);
	rc = state_store(a, kept);
	json_decref(steps);
	json_decref(kept);
	return rc < 0 ? rc : n_failed;
}
