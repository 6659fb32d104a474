/* SPDX-License-Identifier: BSD-3-Clause */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DRAW_EVERY_NS (UINT64_C(100) * 1000 * 1000)
#define BAR_CHARS 30u

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void progress_begin(struct progress *p)
{
	*p = (struct progress){.on = isatty(STDERR_FILENO) == 1, .begin_ns = now_ns()};
}

void progress_draw(struct progress *p, const char *name, uint64_t done_bytes, uint64_t all_bytes, uint64_t n)
{
	uint64_t now = now_ns();
	double seconds = (double)(now - p->begin_ns) / 1e9;
	char bar[BAR_CHARS + 1] = "";

	if (now - p->drawn_ns < DRAW_EVERY_NS)
		return;
	p->drawn_ns = now;
	if (all_bytes != 0) {
		uint32_t full = (uint32_t)(done_bytes >= all_bytes ? BAR_CHARS : done_bytes * BAR_CHARS / all_bytes);

		memset(bar, '.', BAR_CHARS);
		memset(bar, '#', full);
		fprintf(stderr, "\r\033[K%s [%s] %3.0f%%  ", name, bar, 100.0 * (double)done_bytes / (double)all_bytes);
	} else {
		fprintf(stderr, "\r\033[K%s  %.0f MB  ", name, (double)done_bytes / 1e6);
	}
	fprintf(stderr, "%.1f M, %.1f M/s", (double)n / 1e6, seconds > 0 ? (double)n / 1e6 / seconds : 0);
}

void progress_end(struct progress *p)
{
	if (p->drawn_ns != 0)
		fputs("\r\033[K", stderr);
	p->on = false;
}
