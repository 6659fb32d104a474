/* SPDX-License-Identifier: BSD-3-Clause */
#include "thread_usage.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys_file.h"

#define STAT_MINFLT 8 /* fields of /proc/PID/stat, counted from the one behind the name */
#define STAT_MAJFLT 10
#define STAT_CORE 37

/* The n-th number behind the name of the thread, which may hold blanks and brackets itself. */
static int64_t stat_field(const char *stat, int n)
{
	const char *at = strrchr(stat, ')');

	for (int i = 0; at && i < n; i++)
		at = strchr(at + 1, ' ');
	return at ? strtoll(at + 1, NULL, 10) : -1;
}

static uint64_t status_field(const char *root, const char *path, const char *key)
{
	char text[64];

	return gn_sys_field(root, path, key, text, sizeof(text)) == 0 ? strtoull(text, NULL, 10) : 0;
}

int gn_thread_usage_read(const char *root, pid_t tid, struct gn_thread_usage *u)
{
	char path[64], text[GN_SYS_TEXT_BYTES], *end;

	*u = (struct gn_thread_usage){.core = -1};
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)tid);
	int n = gn_sys_read(root, path, text, sizeof(text));
	if (n < 0)
		return n;
	int64_t minor = stat_field(text, STAT_MINFLT), major = stat_field(text, STAT_MAJFLT);
	if (minor < 0 || major < 0)
		return -EINVAL;
	u->n_faults = (uint64_t)minor + (uint64_t)major;
	u->core = (int)stat_field(text, STAT_CORE);
	snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
	u->n_gave_up = status_field(root, path, "voluntary_ctxt_switches:");
	u->n_switched_out = status_field(root, path, "nonvoluntary_ctxt_switches:");
	snprintf(path, sizeof(path), "/proc/self/task/%d/schedstat", (int)tid);
	if (gn_sys_read(root, path, text, sizeof(text)) > 0) {
		u->run_ns = strtoull(text, &end, 10);
		u->wait_ns = strtoull(end, NULL, 10);
	}
	return 0;
}
