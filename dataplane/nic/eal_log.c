/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/eal_log.h"

#include <errno.h>
#include <pthread.h>
#include <rte_log.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"

#define SAID_BYTES 512u

static pthread_mutex_t said_lock = PTHREAD_MUTEX_INITIALIZER;
static char said[SAID_BYTES];
static size_t said_bytes;
static bool said_verbose;

/* One line of text is what an error has room for: line ends become "; ". */
static void said_append(const char *text, size_t bytes)
{
	while (bytes > 0 && (text[bytes - 1] == '\n' || text[bytes - 1] == ' '))
		bytes--;
	if (bytes == 0)
		return;
	if (bytes > SAID_BYTES / 2)
		bytes = SAID_BYTES / 2;
	if (said_bytes + bytes + 3 > SAID_BYTES) {
		size_t keep = said_bytes / 4;
		memmove(said, said + said_bytes - keep, keep);
		said_bytes = keep;
	}
	if (said_bytes > 0) {
		memcpy(said + said_bytes, "; ", 2);
		said_bytes += 2;
	}
	memcpy(said + said_bytes, text, bytes);
	for (size_t i = said_bytes; i < said_bytes + bytes; i++)
		if (said[i] == '\n')
			said[i] = ' ';
	said_bytes += bytes;
	said[said_bytes] = '\0';
}

static ssize_t said_write(void *cookie, const char *text, size_t bytes)
{
	(void)cookie;
	pthread_mutex_lock(&said_lock);
	said_append(text, bytes);
	pthread_mutex_unlock(&said_lock);
	if (said_verbose)
		gn_debug("dpdk: %.*s", (int)(bytes > 0 && text[bytes - 1] == '\n' ? bytes - 1 : bytes), text);
	return (ssize_t)bytes;
}

int eal_log_catch(bool verbose)
{
	FILE *f = fopencookie(NULL, "w", (cookie_io_functions_t){.write = said_write});

	if (!f)
		return gn_err(errno, "eal: a stream for DPDK's log");
	setvbuf(f, NULL, _IOLBF, 1024);
	said_verbose = verbose;
	rte_log_set_global_level(verbose ? RTE_LOG_DEBUG : RTE_LOG_ERR);
	if (rte_openlog_stream(f) != 0)
		return gn_err(EIO, "eal: DPDK does not take a stream for its log");
	return 0;
}

void eal_log_forget(void)
{
	pthread_mutex_lock(&said_lock);
	said_bytes = 0;
	said[0] = '\0';
	pthread_mutex_unlock(&said_lock);
}

const char *eal_log_said(void)
{
	static _Thread_local char copy[SAID_BYTES];

	pthread_mutex_lock(&said_lock);
	memcpy(copy, said, SAID_BYTES);
	pthread_mutex_unlock(&said_lock);
	return copy[0] ? copy : "no reason given";
}
