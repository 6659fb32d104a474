/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONTROL_PLACE_H
#define CONTROL_PLACE_H

/**
 * @file
 * Where a running engine is to be found: its counters, its guard's word, its socket, and the file of its kill switches.
 *
 * Counters and word lie in /dev/shm; the socket in /run/gannet, $XDG_RUNTIME_DIR/gannet or /tmp/gannet-UID; the kill
 * switches, which outlive a reboot, in /var/lib/gannet, $XDG_STATE_HOME/gannet or ~/.local/state/gannet. With
 * $GANNET_RUNTIME_DIR all of them lie there. Cold.
 */

#include <stdbool.h>
#include <stdint.h>

#define PLACE_NAME_BYTES 32u /* an engine's name, NUL included */
#define PLACE_PATH_BYTES 512u

struct control_place {
	char name[PLACE_NAME_BYTES];
	char stats[PLACE_PATH_BYTES], block[PLACE_PATH_BYTES], kills[PLACE_PATH_BYTES];
	char socket[108]; /* as long as the kernel takes */
};

/**
 * @param make
 *   Make the folders that are missing, for this user alone.
 * @return
 *   0, or -errno with gn_err_text(): a name that is no plain word, a path too long, a folder of somebody else.
 */
int control_place(struct control_place *p, const char *name, bool make);

/**
 * The engine that a person means.
 *
 * @param name
 *   NULL: the only one that runs.
 * @return
 *   0, or -ENOENT, -EINVAL with gn_err_text(): none runs, none of that name, several.
 */
int control_find(struct control_place *p, const char *name);

#endif
