/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_SYS_FILE_H
#define GN_SYS_FILE_H

/**
 * @file
 * Small files of /sys and /proc, under a root folder that tests can fake ("" is the real machine). Cold path.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GN_SYS_TEXT_BYTES 4096

/**
 * Read a whole small file as text; trailing newlines are cut off.
 *
 * @return
 *   Its length, at most text_bytes - 1 (what does not fit is left out), or -errno; no error text is set.
 */
int gn_sys_read(const char *root, const char *path, char *text, size_t text_bytes);

/** The same with every byte as it is. */
int gn_sys_read_raw(const char *root, const char *path, char *text, size_t text_bytes);

/** Read a file that holds one decimal number. 0 or -errno; no error text is set. */
int gn_sys_read_i64(const char *root, const char *path, int64_t *value);

/**
 * Find the line of a file that starts with `key` and copy the rest of it, without blanks around it.
 *
 * @return 0, or -errno (-ENODATA: no such line).
 */
int gn_sys_field(const char *root, const char *path, const char *key, char *text, size_t text_bytes);

/** Whether a file or folder is there. */
bool gn_sys_exists(const char *root, const char *path);

/** Cut a text such as "always [madvise] never" down to the word in brackets; one without brackets stays as it is. */
void gn_sys_chosen(char *text);

/** Overwrite a file in one write, as /sys wants it. 0 or -errno with gn_err_text(). */
int gn_sys_write(const char *root, const char *path, const char *text);

#endif
