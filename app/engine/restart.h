/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_RESTART_H
#define ENGINE_RESTART_H

/**
 * @file
 * A restart behind a journal: orders, positions, limits and kill switches as they were, before any thread runs. What
 * the journal does not know any more comes from the venue's replay, and no strategy trades before that is over.
 */

#include "app/recover.h"
#include "parts.h"

#define RESTART_CLEAN_STOP "clean stop" /* reason of the kill switch that a clean stop throws, and a start releases */

struct restart {
	struct recover recovery;
	enum recovery_mode mode;
};

/**
 * Read the journal; tell the order sessions and the strategies of it. Before the wiring is made.
 *
 * @return
 *   0, also when there is no journal yet; -errno with gn_err_text(). restart_free() in any case.
 */
int restart_load(struct restart *r, const char *path, enum recovery_mode mode, struct parts *p,
	struct gn_instruments *instruments);

/**
 * Where each strategy's order ids go on: above those of the journal, and above those of any run before now. Before the
 * wiring is made; with or without restart_load() before it.
 */
void restart_oids(const struct restart *r, struct parts *p);

/** Bring risk to where it was, and tell the strategies what they have. After every init. 0 or -errno with gn_err_text(). */
int restart_apply(const struct restart *r, struct risk *risk);

void restart_free(struct restart *r);

#endif
