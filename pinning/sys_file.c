/* SPDX-License-Identifier: BSD-3-Clause */
#include "sys_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

static int sys_open(const char *root, const char *path, int flags)
{
	char full[PATH_MAX];

	if ((size_t)snprintf(full, sizeof(full), "%s%s", root, path) >= sizeof(full))
		return -ENAMETOOLONG;
	int fd = open(full, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int gn_sys_read_raw(const char *root, const char *path, char *text, size_t text_bytes)
{
	int fd = sys_open(root, path, O_RDONLY);
	size_t n = 0;

	text[0] = '\0';
	if (fd < 0)
		return fd;
	while (n + 1 < text_bytes) {
		ssize_t got = read(fd, text + n, text_bytes - 1 - n);
		if (got < 0) {
			int rc = -errno;
			close(fd);
			return rc;
		}
		if (got == 0)
			break;
		n += (size_t)got;
	}
	close(fd);
	text[n] = '\0';
	return (int)n;
}

int gn_sys_read(const char *root, const char *path, char *text, size_t text_bytes)
{
	int n = gn_sys_read_raw(root, path, text, text_bytes);

	while (n > 0 && text[n - 1] == '\n')
		text[--n] = '\0';
	return n;
}

void gn_sys_chosen(char *text)
{
	char *open_at = strchr(text, '['), *close_at = open_at ? strchr(open_at, ']') : NULL;

	if (!close_at)
		return;
	*close_at = '\0';
	memmove(text, open_at + 1, strlen(open_at + 1) + 1);
}

int gn_sys_read_i64(const char *root, const char *path, int64_t *value)
{
	char text[64];
	char *end;
	int rc = gn_sys_read(root, path, text, sizeof(text));

	if (rc < 0)
		return rc;
	errno = 0;
	long long n = strtoll(text, &end, 10);
	if (end == text || errno || (*end && !isspace((unsigned char)*end)))
		return -EINVAL;
	*value = n;
	return 0;
}

int gn_sys_field(const char *root, const char *path, const char *key, char *text, size_t text_bytes)
{
	int fd = sys_open(root, path, O_RDONLY);
	char line[GN_SYS_TEXT_BYTES];
	int rc = -ENODATA;

	if (fd < 0)
		return fd;
	FILE *f = fdopen(fd, "r");
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	while (rc && fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, strlen(key)) != 0)
			continue;
		const char *from = line + strlen(key);
		from += strspn(from, " \t");
		size_t n = strlen(from);
		while (n && isspace((unsigned char)from[n - 1]))
			n--;
		snprintf(text, text_bytes, "%.*s", (int)n, from);
		rc = 0;
	}
	fclose(f);
	return rc;
}

bool gn_sys_exists(const char *root, const char *path)
{
	char full[PATH_MAX];

	return (size_t)snprintf(full, sizeof(full), "%s%s", root, path) < sizeof(full) && access(full, F_OK) == 0;
}

int gn_sys_write(const char *root, const char *path, const char *text)
{
	int fd = sys_open(root, path, O_WRONLY | O_TRUNC);

	if (fd < 0)
		return gn_err(-fd, "write \"%s\" to %s%s", text, root, path);
	ssize_t n = write(fd, text, strlen(text));
	int err = n < 0 ? errno : (size_t)n != strlen(text) ? EIO : 0;
	if (close(fd) < 0 && !err)
		err = errno;
	return err ? gn_err(err, "write \"%s\" to %s%s", text, root, path) : 0;
}
