/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_ERR_H
#define GN_ERR_H

/**
 * @file
 * Errors of the cold path: 0 or a negative errno, with a text that each layer may add a line to.
 *
 * The text belongs to the calling thread. Never used on the hot path, where an outcome is a verdict and a counter.
 */

#include <stdint.h>

/**
 * Start a new error.
 *
 * @param errnum
 *   Positive errno; its text is appended. 0: unknown cause, -EINVAL is returned and no text is appended.
 * @return
 *   -errnum, to be returned by the caller.
 */
int gn_err(int errnum, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** Put a line of context in front of the error that rc reports, and return rc. */
int gn_err_in(int rc, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/** The calling thread's last error, one line a layer, outermost first; "" before the first. */
const char *gn_err_text(void);

/**
 * A broken invariant: stays on in release builds. Runs the hook given to gn_assert_hook() (the engine's kill switch), prints, aborts.
 */
#define GN_ASSERT(cond)                                                \
	do {                                                           \
		if (__builtin_expect(!(cond), 0))                      \
			gn_assert_failed(#cond, __FILE__, __LINE__);   \
	} while (0)

_Noreturn void gn_assert_failed(const char *cond, const char *file, int line);

/** Register what must happen before the process stops on a broken invariant. Called at most once, by the failing thread. */
void gn_assert_hook(void (*hook)(void *arg), void *arg);

#endif
