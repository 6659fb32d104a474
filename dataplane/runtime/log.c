/* SPDX-License-Identifier: BSD-3-Clause */
#include "log.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static enum gn_log_level log_level = GN_LOG_INFO;
static char log_last[512];
static unsigned long log_repeats;

void gn_log_level_set(enum gn_log_level level)
{
	log_level = level;
}

void gn_log(enum gn_log_level level, const char *fmt, ...)
{
	static const char *const word[] = {"error", "warning", "info", "debug"};
	char line[sizeof(log_last)];
	va_list ap;

	if (level > log_level)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);

	pthread_mutex_lock(&log_lock);
	if (strcmp(line, log_last) == 0) {
		log_repeats++;
	} else {
		if (log_repeats)
			fprintf(stderr, "gannet: the line before came %lu more times\n", log_repeats);
		log_repeats = 0;
		memcpy(log_last, line, sizeof(log_last));
		fprintf(stderr, "gannet: %s: %s\n", word[level], line);
	}
	pthread_mutex_unlock(&log_lock);
}
