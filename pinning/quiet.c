/* SPDX-License-Identifier: BSD-3-Clause */
#include "quiet.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#define HEAP_WARM_BYTES ((size_t)8 << 20)
#define PAGE_BYTES ((size_t)4096)

__attribute__((format(printf, 2, 3))) static void why_add(struct gn_quiet *q, const char *fmt, ...)
{
	size_t n = strlen(q->why);
	va_list ap;

	if (n)
		n += (size_t)snprintf(q->why + n, sizeof(q->why) - n, "; ");
	va_start(ap, fmt);
	if (n < sizeof(q->why))
		vsnprintf(q->why + n, sizeof(q->why) - n, fmt, ap);
	va_end(ap);
}

/* Freed memory stays with the process. */
static void heap_keep(void)
{
	mallopt(M_TRIM_THRESHOLD, -1);
	mallopt(M_MMAP_MAX, 0);
	gn_heap_warm(HEAP_WARM_BYTES);
}

void gn_heap_warm(size_t bytes)
{
	uint8_t *warm = malloc(bytes);

	for (size_t i = 0; warm && i < bytes; i += PAGE_BYTES)
		((volatile uint8_t *)warm)[i] = 0;
	free(warm);
}

static void memory_lock(struct gn_quiet *q)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	setrlimit(RLIMIT_MEMLOCK, &limit); /* works for root; else the lock below says what is missing */
	getrlimit(RLIMIT_MEMLOCK, &limit);
	/* with a finite limit a later mmap() would fail where it would not have without the lock */
	if (limit.rlim_cur != RLIM_INFINITY && geteuid() != 0)
		why_add(q,
			"memory is not locked: the memlock limit is %llu bytes (ulimit -l unlimited, or CAP_IPC_LOCK)",
			(unsigned long long)limit.rlim_cur);
	else if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		why_add(q, "memory is not locked: %s (CAP_IPC_LOCK)", strerror(errno));
	else
		q->memory_locked = true;
}

void gn_quiet_begin(struct gn_quiet *q)
{
	int32_t zero_us = 0;

	*q = (struct gn_quiet){.latency_fd = -1};
	heap_keep();
	memory_lock(q);
	q->latency_fd = open("/dev/cpu_dma_latency", O_RDWR | O_CLOEXEC);
	if (q->latency_fd >= 0 && write(q->latency_fd, &zero_us, sizeof(zero_us)) == (ssize_t)sizeof(zero_us))
		q->awake = true; /* for as long as the file is open */
	else
		why_add(q, "cores may fall asleep: /dev/cpu_dma_latency: %s", strerror(errno));
}

void gn_quiet_end(struct gn_quiet *q)
{
	if (q->latency_fd >= 0)
		close(q->latency_fd);
	if (q->memory_locked)
		munlockall();
	*q = (struct gn_quiet){.latency_fd = -1};
}
