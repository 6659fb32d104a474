/* SPDX-License-Identifier: BSD-3-Clause */
#include "process.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define STAT_STATE 3 /* fields of /proc/PID/stat, counted from 1 */
#define STAT_START 22

/* Start time of a process; 0: there is none, or it is a zombie. */
static uint64_t process_start(uint64_t pid)
{
	char path[48], text[1024];
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "/proc/%llu/stat", (unsigned long long)pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	ssize_t n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	char *at = strrchr(text, ')'); /* the name of the program may hold anything */
	if (!at || !at[1] || at[2] == 'Z' || at[2] == 'X')
		return 0;
	for (int field = STAT_STATE - 1; at && field < STAT_START; field++)
		at = strchr(at + 1, ' ');
	return at && sscanf(at, " %llu", &start) == 1 ? start : 0;
}

struct gn_process gn_process_self(void)
{
	struct gn_process p = {.pid = (uint64_t)getpid()};

	p.start = process_start(p.pid);
	return p.start ? p : (struct gn_process){0};
}

bool gn_process_alive(const struct gn_process *p)
{
	return p->pid && p->start && process_start(p->pid) == p->start;
}
