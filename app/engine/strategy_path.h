/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef ENGINE_STRATEGY_PATH_H
#define ENGINE_STRATEGY_PATH_H

/**
 * Find the shared object of a strategy. Cold.
 *
 * A path with a slash is taken as it is; when relative, it starts at the folder of the config file. A bare word is
 * looked for as WORD.so beside the executable (../strategy, the build tree) and in the installed folder.
 *
 * @return
 *   Malloc'ed path, or NULL with gn_err_text() that names the places.
 */
char *strategy_path_find(const char *config_path, const char *path);

#endif
