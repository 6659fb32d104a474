/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CHECK_HOST_H
#define CHECK_HOST_H

/** `gannet check-host`. @return exit status: 0, 1 (a row is bad, or something failed), 2 (usage). */
int check_host_main(int argc, char **argv);

#endif
