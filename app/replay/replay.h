/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_REPLAY_H
#define REPLAY_REPLAY_H

/** @file `gannet replay`: captures through the engine's own feed and book. */

#include "replay_options.h"

/**
 * Replay what the options say and write to out_fd.
 *
 * @return
 *   0, or -errno with gn_err_text(). What came before an error has been printed.
 */
int replay_run(const struct replay_options *o, int out_fd);

/** The subcommand. argv[0] is "replay". @return exit status: 0, 1 (failed), 2 (usage). */
int replay_main(int argc, char **argv);

#endif
