/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef APP_COMMAND_H
#define APP_COMMAND_H

/**
 * @file
 * The subcommands of gannet. Each gets its own name as argv[0], writes data to standard output and words to standard
 * error, and returns the exit status: 0, 1 (failed) or 2 (usage).
 */

#include <stdatomic.h>
#include <stdbool.h>

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

int run_main(int argc, char **argv);
int exchange_main(int argc, char **argv);
int check_config_main(int argc, char **argv);
int reconcile_main(int argc, char **argv);
int journal_main(int argc, char **argv);
int check_host_main(int argc, char **argv);

/** Set by SIGINT and SIGTERM once command_catch_signals() was called; a second signal ends the process at once. */
extern atomic_bool command_interrupted;
void command_catch_signals(void);

/** Whole number of an option, from 0 to max; false and one line on standard error when it is none. */
bool command_number(const char *option, const char *text, unsigned long long max, unsigned long long *value);

/** Print gn_err_text() and return EXIT_FAILED. */
int command_failed(void);

#endif
