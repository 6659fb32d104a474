/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_CMD_H
#define CONTROL_CMD_H

/** @file The subcommands with which a person watches and controls a running engine. As in app/command.h. */

#include <stdbool.h>

int show_main(int argc, char **argv);
int kill_main(int argc, char **argv);
int limits_main(int argc, char **argv);
int capture_main(int argc, char **argv);
int guard_main(int argc, char **argv);

/** "text" or "json"; false and one line on standard error when it is neither. */
bool control_format(const char *word, bool *json);

#endif
