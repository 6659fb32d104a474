/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "sys_file.h"

#define ROWS_MAX 64

const struct gn_host_row *gn_host_rows(void)
{
	static const struct gn_host_row *const groups[] = {
		gn_host_rows_cores, gn_host_rows_power, gn_host_rows_memory, gn_host_rows_kernel, gn_host_rows_nic};
	static struct gn_host_row rows[ROWS_MAX + 1];
	size_t n = 0;

	if (rows[0].name)
		return rows;
	for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++) {
		for (const struct gn_host_row *r = groups[g]; r->name; r++) {
			GN_ASSERT(n < ROWS_MAX);
			rows[n++] = *r;
		}
	}
	return rows;
}

const struct gn_host_row *gn_host_row(const char *name)
{
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++)
		if (strcmp(r->name, name) == 0)
			return r;
	return NULL;
}

/* As good a guess as any where nothing is isolated: an engine of the whole machine but one core. */
static void view_guess(struct gn_host_view *v)
{
	const struct gn_topology *t = v->topology;

	CPU_AND(&v->cores, &t->isolated, &t->online);
	if (CPU_COUNT(&v->cores) > 0)
		return;
	CPU_AND(&v->cores, &t->online, &t->allowed);
	int first = gn_cpus_next(&v->cores, 0);
	if (CPU_COUNT(&v->cores) > 1)
		CPU_CLR((size_t)first, &v->cores);
}

void gn_host_view_init(struct gn_host_view *v, const char *root, const struct gn_topology *t, const cpu_set_t *cores)
{
	*v = (struct gn_host_view){.root = root, .topology = t};
	if (cores)
		v->cores = *cores;
	else
		view_guess(v);
	CPU_AND(&v->rest, &t->online, &v->cores);
	CPU_XOR(&v->rest, &v->rest, &t->online);
}

void gn_host_found(struct gn_host_finding *f, enum gn_host_state state, const char *fmt, ...)
{
	va_list ap;

	f->state = state;
	va_start(ap, fmt);
	vsnprintf(f->found, sizeof(f->found), fmt, ap);
	va_end(ap);
}

void gn_host_fix(struct gn_host_finding *f, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(f->fix, sizeof(f->fix), fmt, ap);
	va_end(ap);
}

static bool file_good(const struct gn_host_row *row, const char *text)
{
	return strcmp(text, row->want) == 0 || (row->also && strcmp(text, row->also) == 0);
}

static void check_file(const struct gn_host_view *v, const struct gn_host_row *row, struct gn_host_finding *f)
{
	char text[GN_HOST_FOUND_BYTES];
	int rc = gn_sys_read(v->root, row->file, text, sizeof(text));

	if (rc < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read %s: %s", row->file, strerror(-rc));
		return;
	}
	gn_sys_chosen(text);
	if (!text[0]) {
		gn_host_found(f, GN_HOST_UNKNOWN, "%s is empty", row->file);
		return;
	}
	if (file_good(row, text)) {
		gn_host_found(f, GN_HOST_OK, "%s", text);
		return;
	}
	gn_host_found(f, row->worse, "%s, expected %s", text, row->want);
	gn_host_fix(f, "echo %s > %s", row->want, row->file);
}

void gn_host_check(const struct gn_host_view *v, const struct gn_host_row *row, struct gn_host_finding *f)
{
	memset(f, 0, sizeof(*f));
	f->state = GN_HOST_UNKNOWN;
	if (row->check)
		row->check(v, f);
	else
		check_file(v, row, f);
}

bool gn_host_can_plan(const struct gn_host_row *row)
{
	return row->plan || row->file;
}

/* Room for one more step, its text cleared. */
static struct gn_host_change *plan_add(struct gn_host_plan *p)
{
	if (p->n == p->max) {
		size_t max = p->max ? p->max * 2 : 32;
		struct gn_host_change *more = max <= GN_HOST_PLAN_MAX ? realloc(p->change, max * sizeof(*more)) : NULL;
		if (!more)
			return NULL;
		p->change = more;
		p->max = max;
	}
	struct gn_host_change *c = &p->change[p->n++];
	memset(c, 0, sizeof(*c));
	return c;
}

void gn_host_plan_write(
	const struct gn_host_view *v, struct gn_host_plan *p, const char *value, const char *path_fmt, ...)
{
	char path[GN_HOST_PATH_BYTES], now[GN_HOST_VALUE_BYTES];
	va_list ap;

	va_start(ap, path_fmt);
	vsnprintf(path, sizeof(path), path_fmt, ap);
	va_end(ap);
	bool folder = value[0] == '\0';
	if (folder ? gn_sys_exists(v->root, path)
		   : gn_sys_read(v->root, path, now, sizeof(now)) >= 0 && strcmp(now, value) == 0)
		return;
	struct gn_host_change *c = plan_add(p);
	if (!c)
		return;
	snprintf(c->path, sizeof(c->path), "%s", path);
	snprintf(c->value, sizeof(c->value), "%s", value);
}

bool gn_host_plan_row(const struct gn_host_view *v, const struct gn_host_row *row, struct gn_host_plan *p)
{
	struct gn_host_finding f;
	size_t before = p->n;

	gn_host_check(v, row, &f);
	if (f.state == GN_HOST_OK || f.state == GN_HOST_UNKNOWN)
		return true;
	if (row->plan)
		row->plan(v, p);
	else if (row->file)
		gn_host_plan_write(v, p, row->want, "%s", row->file);
	for (size_t i = before; i < p->n; i++)
		p->change[i].row = row->name;
	return p->n < GN_HOST_PLAN_MAX;
}

void gn_host_plan_free(struct gn_host_plan *p)
{
	free(p->change);
	*p = (struct gn_host_plan){0};
}

const char *gn_host_state_word(enum gn_host_state state)
{
	static const char *const words[] = {"ok", "unknown", "warn", "bad"};

	return (unsigned)state <= GN_HOST_BAD ? words[state] : "?";
}
