/* SPDX-License-Identifier: BSD-3-Clause */
#include "core_claim.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpu_list.h"

static struct flock core_lock(short type, int core)
{
	return (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = core, .l_len = 1};
}

/* Somebody else's file in a sticky folder may be opened, but not with O_CREAT. */
static int claims_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 || errno != ENOENT)
		return fd < 0 ? -errno : fd;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
	if (fd < 0)
		return -errno;
	fchmod(fd, 0666); /* whatever the umask says: it is for every user of the machine */
	return fd;
}

static bool core_is_claimed(int fd, int core)
{
	struct flock lock = core_lock(F_WRLCK, core);

	return fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void gn_core_claims_read(const char *path, cpu_set_t *claimed)
{
	int fd = claims_open(path);

	CPU_ZERO(claimed);
	if (fd < 0)
		return;
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (core_is_claimed(fd, core))
			CPU_SET((size_t)core, claimed);
	close(fd);
}

int gn_core_claim(const char *path, const cpu_set_t *cores, cpu_set_t *taken)
{
	int fd = claims_open(path);

	if (taken)
		CPU_ZERO(taken);
	for (int core = gn_cpus_next(cores, 0); fd >= 0 && core >= 0; core = gn_cpus_next(cores, core + 1)) {
		struct flock lock = core_lock(F_WRLCK, core);
		if (fcntl(fd, F_OFD_SETLK, &lock) < 0 && taken)
			CPU_SET((size_t)core, taken);
	}
	return fd;
}
