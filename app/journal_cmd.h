/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_CMD_H
#define JOURNAL_CMD_H

/** `gannet journal print|verify|keygen`. Exit status: 0; 1 damaged, changed or unreadable; 2 usage. */
int journal_main(int argc, char **argv);

#endif
