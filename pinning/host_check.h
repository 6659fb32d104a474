/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_HOST_CHECK_H
#define GN_HOST_CHECK_H

/**
 * @file
 * What the host takes away from a polling core: one row a setting, checked, explained, and put right where it can be.
 *
 * Rows only read. What a row would change is a plan, a list of files and values, which host_apply.h carries out. A file
 * that is not there makes a row unknown, never an error. Cold path; single thread.
 */

#include "cpu_topology.h"

enum gn_host_state { GN_HOST_OK, GN_HOST_UNKNOWN, GN_HOST_WARN, GN_HOST_BAD }; /* in the order of gravity */

#define GN_HOST_FOUND_BYTES 256u
#define GN_HOST_FIX_BYTES 512u

/** What the rows look at. */
struct gn_host_view {
	const char *root; /* "": the real machine */
	const struct gn_topology *topology;
	cpu_set_t cores; /* where threads poll */
	cpu_set_t rest; /* online, and not in cores: where everything else belongs */
};

/** What one row found. */
struct gn_host_finding {
	enum gn_host_state state;
	char found[GN_HOST_FOUND_BYTES];
	char fix[GN_HOST_FIX_BYTES]; /* empty when there is nothing to do */
};

#define GN_HOST_PATH_BYTES 128u
#define GN_HOST_VALUE_BYTES 1024u
#define GN_HOST_PLAN_MAX 8192u

/** One step of a plan: make a folder, or overwrite a file. */
struct gn_host_change {
	const char *row;
	char path[GN_HOST_PATH_BYTES];
	char value[GN_HOST_VALUE_BYTES]; /* empty: make a folder */
	char undo[32]; /* to write instead of what was there before, for files that take commands; else empty */
};

struct gn_host_plan {
	struct gn_host_change *change;
	size_t n, max;
};

/** One setting. Either .file and .want say all of it, or .check does. */
struct gn_host_row {
	const char *name;
	const char *costs; /* what a wrong setting costs, one line */
	const char *file; /* holds .want when all is well; the chosen word of "a [b] c" counts */
	const char *want;
	const char *also; /* is as good, or NULL */
	enum gn_host_state worse; /* state when the file holds something else */
	void (*check)(const struct gn_host_view *v, struct gn_host_finding *f);
	void (*plan)(
		const struct gn_host_view *v, struct gn_host_plan *p); /* NULL: .file and .want, or not at run time */
};

/** Every row, in the order of display; ends with a name of NULL. */
const struct gn_host_row *gn_host_rows(void);

/** Row by name; NULL when there is none. */
const struct gn_host_row *gn_host_row(const char *name);

/**
 * Set up a view.
 *
 * @param cores
 *   Where threads poll; NULL: the isolated cores, or, when none is, every usable core but the lowest.
 */
void gn_host_view_init(struct gn_host_view *v, const char *root, const struct gn_topology *t, const cpu_set_t *cores);

/** Check one row. */
void gn_host_check(const struct gn_host_view *v, const struct gn_host_row *row, struct gn_host_finding *f);

/** Whether a row can be put right at run time. */
bool gn_host_can_plan(const struct gn_host_row *row);

/** Add what a row would change; nothing when all is well or the row cannot be put right. False: the plan is full. */
bool gn_host_plan_row(const struct gn_host_view *v, const struct gn_host_row *row, struct gn_host_plan *p);

void gn_host_plan_free(struct gn_host_plan *p);

const char *gn_host_state_word(enum gn_host_state state);

/** Name of the process that disciplines the clock. -1: the machine tells no process; 0: none does; 1: copied. */
int gn_host_time_daemon(const char *root, char *name, size_t name_bytes);

/* For the rows themselves. */

void gn_host_found(struct gn_host_finding *f, enum gn_host_state state, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void gn_host_fix(struct gn_host_finding *f, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Add one file to a plan; not added when the file is missing or already holds the value. */
void gn_host_plan_write(const struct gn_host_view *v, struct gn_host_plan *p, const char *value, const char *path_fmt,
	...) __attribute__((format(printf, 4, 5)));

extern const struct gn_host_row gn_host_rows_cores[], gn_host_rows_power[], gn_host_rows_memory[],
	gn_host_rows_kernel[], gn_host_rows_nic[];

#endif
