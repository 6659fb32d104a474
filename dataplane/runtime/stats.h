/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_STATS_H
#define GN_STATS_H

/**
 * @file
 * Published numbers: a flat array of 64-bit words with a name each, in memory that another process may map.
 *
 * Each word has one writer, which stores it about every millisecond with a relaxed atomic; anyone may read. The
 * words describe themselves, so a reader needs no header of the stage that wrote them. A reader in another process
 * copies (it never maps), so a file that is cut short under it is an error and not a signal.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process.h"

#define GN_STATS_NAME_BYTES 64u
#define GN_STATS_HELP_BYTES 96u

struct gn_stats;

/** Name of a word: owner ("feed0"), what is counted ("pkt_rx") and one line of help. */
struct gn_stats_name {
	char owner[GN_STATS_NAME_BYTES];
	char what[GN_STATS_NAME_BYTES];
	char help[GN_STATS_HELP_BYTES];
};

/**
 * @param path
 *   File to publish in (a path under /dev/shm), made new and removed by gn_stats_close(); NULL: this process only.
 *   What a dead process left there is removed; a file of a process that runs is an error.
 * @param words_max
 *   Room for this many words.
 * @return
 *   NULL with gn_err_text() on failure.
 */
struct gn_stats *gn_stats_create(const char *path, uint32_t words_max);

/**
 * Copy the names and numbers of another process. Every field is checked before it is used; texts end with NUL.
 *
 * @return
 *   NULL with gn_err_text(). Whether its process still runs is another question: gn_stats_owner().
 */
struct gn_stats *gn_stats_open(const char *path);

/** Copy the numbers again: about 20 us. A reader only; 0, or -errno with gn_err_text() when the file is cut short. */
int gn_stats_refresh(struct gn_stats *s);

/** The process that made the file. */
struct gn_process gn_stats_owner(const struct gn_stats *s);

void gn_stats_close(struct gn_stats *s);

/** Add a word; cold, before threads start. Index of the word, or UINT32_MAX when full (gn_err_text()). */
uint32_t gn_stats_add(struct gn_stats *s, const char *owner, const char *what, const char *help);

/** Names are complete: readers may trust the directory from here on. */
void gn_stats_seal(struct gn_stats *s);

uint32_t gn_stats_count(const struct gn_stats *s);
const struct gn_stats_name *gn_stats_name(const struct gn_stats *s, uint32_t word);

/** Store a word. Its one writer; relaxed. */
void gn_stats_set(struct gn_stats *s, uint32_t word, uint64_t value);

/** Store n words in a row. Their one writer; relaxed. */
void gn_stats_set_n(struct gn_stats *s, uint32_t word, const uint64_t *value, uint32_t n);

/** Read a word. Any thread, any process. */
uint64_t gn_stats_get(const struct gn_stats *s, uint32_t word);

/** Read a word by its name; false when there is none. Cold: walks the directory. */
bool gn_stats_find(const struct gn_stats *s, const char *owner, const char *what, uint64_t *value);

#endif
