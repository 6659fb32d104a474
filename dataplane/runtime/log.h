/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_LOG_H
#define GN_LOG_H

/**
 * @file
 * Words for people, on standard error: `gannet: LEVEL: text`. Cold threads only: it takes a lock and writes.
 *
 * A line equal to the one before it is counted, not repeated; the count is printed with the next different line.
 */

enum gn_log_level { GN_LOG_ERROR, GN_LOG_WARN, GN_LOG_INFO, GN_LOG_DEBUG };

/** Lines above this level are dropped. The default is GN_LOG_INFO. */
void gn_log_level_set(enum gn_log_level level);

void gn_log(enum gn_log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define gn_error(...) gn_log(GN_LOG_ERROR, __VA_ARGS__)
#define gn_warn(...) gn_log(GN_LOG_WARN, __VA_ARGS__)
#define gn_info(...) gn_log(GN_LOG_INFO, __VA_ARGS__)
#define gn_debug(...) gn_log(GN_LOG_DEBUG, __VA_ARGS__)

#endif
