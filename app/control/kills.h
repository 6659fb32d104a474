/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_KILLS_H
#define CONTROL_KILLS_H

/**
 * @file
 * The kill switches that are thrown, in a file that outlives the engine: one line of JSON each. A switch stays thrown
 * until a person releases it, whatever happens to the process in between. Cold.
 *
 * Changes are written to a new file, synced, and put in the old one's place: there is always one whole file.
 */

#include <stdbool.h>
#include <stdint.h>

#include "risk/limits.h"

#define KILLS_MAX 200u /* all of them fit the mailbox of risk at once */
#define KILLS_TEXT_BYTES 128u

struct kill_entry {
	enum risk_level level;
	char name[32]; /* of the account or strategy; symbol; "" for the engine */
	char who[40];
	char reason[KILLS_TEXT_BYTES];
	uint64_t at_ns; /* since the Unix epoch */
};

struct kills {
	const char *path; /* the caller's */
	uint32_t n;
	struct kill_entry entry[KILLS_MAX];
};

/** Read the file; no file is no switch. 0, or -errno with gn_err_text(): it names line and value. */
int kills_load(struct kills *k, const char *path);

/** Remember a thrown switch and write the file. One that is there already stays as it is. 0 or -errno. */
int kills_add(struct kills *k, const struct kill_entry *e);

/** Forget one and write the file. 0, also when there is none; or -errno. */
int kills_remove(struct kills *k, enum risk_level level, const char *name);

/** The entry of an owner, or NULL. */
const struct kill_entry *kills_find(const struct kills *k, enum risk_level level, const char *name);

/** Level by its word; RISK_LEVEL_COUNT: there is none. */
enum risk_level control_level(const char *word);

#endif
