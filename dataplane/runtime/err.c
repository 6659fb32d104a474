/* SPDX-License-Identifier: BSD-3-Clause */
#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ERR_TEXT_BYTES 1024

static _Thread_local char err_text[ERR_TEXT_BYTES];
static void (*assert_hook)(void *arg);
static void *assert_arg;

int gn_err(int errnum, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(err_text, sizeof(err_text), fmt, ap);
	va_end(ap);
	if (errnum && n >= 0 && (size_t)n < sizeof(err_text))
		snprintf(err_text + n, sizeof(err_text) - (size_t)n, ": %s", strerror(errnum));
	return errnum ? -errnum : -EINVAL;
}

int gn_err_in(int rc, const char *fmt, ...)
{
	char inner[ERR_TEXT_BYTES];
	va_list ap;

	memcpy(inner, err_text, sizeof(inner));
	va_start(ap, fmt);
	int n = vsnprintf(err_text, sizeof(err_text), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(err_text))
		snprintf(err_text + n, sizeof(err_text) - (size_t)n, ": %s", inner);
	return rc;
}

const char *gn_err_text(void)
{
	return err_text;
}

void gn_assert_hook(void (*hook)(void *arg), void *arg)
{
	assert_arg = arg;
	assert_hook = hook;
}

void gn_assert_failed(const char *cond, const char *file, int line)
{
	void (*hook)(void *arg) = assert_hook;

	assert_hook = NULL; /* a hook that fails in turn must not come back here */
	fprintf(stderr, "gannet: broken invariant: %s at %s:%d\n", cond, file, line);
	if (hook)
		hook(assert_arg);
	abort();
}
