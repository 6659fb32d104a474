/* SPDX-License-Identifier: BSD-3-Clause */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/stats.h"

#define SHM "/dev/shm"
#define PREFIX "gannet-"
#define SUFFIX ".stats"

static int put(char *out, size_t bytes, const char *folder, const char *prefix, const char *name, const char *suffix)
{
	int n = snprintf(out, bytes, "%s/%s%s%s", folder, prefix, name, suffix);

	return n >= 0 && (size_t)n < bytes ? 0 : gn_err(ENAMETOOLONG, "engine %s: %s", name, folder);
}

static const char *word_of(const char *variable)
{
	const char *text = getenv(variable);

	return text && *text ? text : NULL;
}

static const char *own_folder(void)
{
	return word_of("GANNET_RUNTIME_DIR");
}

static void runtime_folder(char *out, size_t bytes)
{
	const char *xdg = word_of("XDG_RUNTIME_DIR");

	if (own_folder())
		snprintf(out, bytes, "%s", own_folder());
	else if (geteuid() == 0)
		snprintf(out, bytes, "/run/gannet");
	else if (xdg)
		snprintf(out, bytes, "%s/gannet", xdg);
	else
		snprintf(out, bytes, "/tmp/gannet-%u", geteuid());
}

static void state_folder(char *out, size_t bytes)
{
	const char *xdg = word_of("XDG_STATE_HOME"), *home = word_of("HOME");

	if (own_folder())
		snprintf(out, bytes, "%s", own_folder());
	else if (geteuid() == 0)
		snprintf(out, bytes, "/var/lib/gannet");
	else if (xdg)
		snprintf(out, bytes, "%s/gannet", xdg);
	else
		snprintf(out, bytes, "%s/.local/state/gannet", home ? home : "/tmp");
}

/* A folder in which nobody else can put a file of ours. */
static int make_folder(char *path)
{
	struct stat st;

	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		int rc = mkdir(path, 0755);
		*slash = '/';
		if (rc < 0 && errno != EEXIST)
			return gn_err(errno, "make folder for %s", path);
	}
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return gn_err(errno, "make folder %s", path);
	if (lstat(path, &st) < 0)
		return gn_err(errno, "folder %s", path);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 022))
		return gn_err(EPERM, "folder %s: expected a folder of user %u that nobody else may write to", path,
			geteuid());
	return 0;
}

static int check_name(const char *name)
{
	size_t n = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	if (n == 0 || name[n] || n >= PLACE_NAME_BYTES || name[0] == '.' || name[0] == '-')
		return gn_err(0, "name %.64s: expected up to %u letters, digits, '.', '_' and '-'", name,
			PLACE_NAME_BYTES - 1);
	return 0;
}

int control_place(struct control_place *p, const char *name, bool make)
{
	char run[PLACE_PATH_BYTES / 2], state[PLACE_PATH_BYTES / 2];
	const char *shm = own_folder() ? own_folder() : SHM;
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	memset(p, 0, sizeof(*p));
	memcpy(p->name, name, strlen(name));
	runtime_folder(run, sizeof(run));
	state_folder(state, sizeof(state));
	rc = put(p->stats, sizeof(p->stats), shm, PREFIX, name, SUFFIX);
	if (rc == 0)
		rc = put(p->block, sizeof(p->block), shm, PREFIX, name, ".block");
	if (rc == 0)
		rc = put(p->socket, sizeof(p->socket), run, "", name, ".sock");
	if (rc == 0)
		rc = put(p->kills, sizeof(p->kills), state, "", name, ".kills");
	if (rc == 0 && make)
		rc = make_folder(run);
	return rc == 0 && make ? make_folder(state) : rc;
}

static bool is_running(const char *stats_path)
{
	struct gn_stats *s = gn_stats_open(stats_path);
	struct gn_process owner = s ? gn_stats_owner(s) : (struct gn_process){0};

	gn_stats_close(s);
	return gn_process_alive(&owner);
}

/* NAME of gannet-NAME.stats in `out`; false: the file is called something else. */
static bool name_of(const char *file, char *out)
{
	size_t n = strlen(file), prefix = strlen(PREFIX), suffix = strlen(SUFFIX);

	if (n <= prefix + suffix || n - prefix - suffix >= PLACE_NAME_BYTES || strncmp(file, PREFIX, prefix) != 0
		|| strcmp(file + n - suffix, SUFFIX) != 0)
		return false;
	snprintf(out, PLACE_NAME_BYTES, "%.*s", (int)(n - prefix - suffix), file + prefix);
	return true;
}

static int find_only(struct control_place *p)
{
	char name[PLACE_NAME_BYTES], all[256] = "";
	struct control_place at;
	uint32_t n = 0;
	DIR *d = opendir(own_folder() ? own_folder() : SHM);

	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		size_t used = strlen(all);
		if (!name_of(e->d_name, name) || control_place(&at, name, false) < 0 || !is_running(at.stats))
			continue;
		snprintf(all + used, sizeof(all) - used, "%s%s", n++ ? ", " : "", name);
		*p = at;
	}
	if (d)
		closedir(d);
	if (n == 1)
		return 0;
	return n == 0 ? (gn_err(0, "no engine runs here"), -ENOENT) : gn_err(0, "say which engine by --name: %s", all);
}

int control_find(struct control_place *p, const char *name)
{
	int rc = name ? control_place(p, name, false) : find_only(p);

	if (rc < 0 || !name || is_running(p->stats))
		return rc;
	gn_err(0, "no engine of the name %s runs here", name);
	return -ENOENT;
}
