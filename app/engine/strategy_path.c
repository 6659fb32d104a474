/* SPDX-License-Identifier: BSD-3-Clause */
#include "strategy_path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/config/config_file.h"
#include "dataplane/runtime/err.h"

static char *path_beside_executable(const char *word)
{
	char exe[PATH_MAX];
	char *path = NULL;
	ssize_t n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);

	if (n <= 0)
		return NULL;
	exe[n] = 0;
	char *slash = strrchr(exe, '/');
	if (slash)
		*slash = 0;
	return asprintf(&path, "%s/../strategy/%s.so", exe, word) < 0 ? NULL : path;
}

char *strategy_path_find(const char *config_path, const char *path)
{
	char *found;

	if (strchr(path, '/')) {
		found = config_file_relative(config_path, path);
		if (!found)
			gn_err(ENOMEM, "strategy %s", path);
		return found;
	}
	found = path_beside_executable(path);
	if (found && access(found, R_OK) == 0)
		return found;
	char *installed = NULL;
	if (asprintf(&installed, "%s/%s.so", GANNET_STRATEGY_DIR, path) < 0)
		installed = NULL;
	if (installed && access(installed, R_OK) == 0) {
		free(found);
		return installed;
	}
	gn_err(ENOENT, "strategy %s: neither %s nor %s", path, found ? found : "?", installed ? installed : "?");
	free(found);
	free(installed);
	return NULL;
}
