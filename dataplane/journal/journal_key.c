/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "journal_file.h"
#include "journal_hash.h"

static int write_key(const char *path, const uint8_t *key, size_t bytes, mode_t mode)
{
	char hex[2 * JOURNAL_SECRET_KEY_BYTES + 2];
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode), rc;

	if (fd < 0)
		return gn_err(errno, "journal: make key file %s", path);
	sodium_bin2hex(hex, sizeof(hex), key, bytes);
	hex[2 * bytes] = '\n';
	rc = journal_write_all(fd, hex, 2 * bytes + 1);
	close(fd);
	sodium_memzero(hex, sizeof(hex));
	return rc < 0 ? gn_err(-rc, "journal: write key file %s", path) : 0;
}

static int read_key(const char *path, uint8_t *key, size_t bytes)
{
	char hex[2 * JOURNAL_SECRET_KEY_BYTES + 2] = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, hex, sizeof(hex) - 1);
	size_t got = 0;

	if (n < 0) {
		int errnum = errno;
		if (fd >= 0)
			close(fd);
		return gn_err(errnum, "journal: read key file %s", path);
	}
	close(fd);
	if (sodium_hex2bin(key, bytes, hex, (size_t)n, "\n", &got, NULL) != 0 || got != bytes)
		return gn_err(EINVAL, "journal: key file %s: wanted %zu hexadecimal digits", path, 2 * bytes);
	return 0;
}

int journal_key_make(const char *path)
{
	uint8_t public_key[JOURNAL_KEY_BYTES], secret_key[JOURNAL_SECRET_KEY_BYTES];
	char name[PATH_MAX];
	int rc;

	if (sodium_init() < 0)
		return gn_err(0, "journal: libsodium does not start");
	crypto_sign_keypair(public_key, secret_key);
	snprintf(name, sizeof(name), "%s.pub", path);
	rc = write_key(path, secret_key, sizeof(secret_key), 0600);
	if (rc == 0)
		rc = write_key(name, public_key, sizeof(public_key), 0644);
	sodium_memzero(secret_key, sizeof(secret_key));
	return rc;
}

int journal_key_read(const char *path, uint8_t key[JOURNAL_KEY_BYTES])
{
	return read_key(path, key, JOURNAL_KEY_BYTES);
}

int journal_key_load(struct journal *j, const char *path)
{
	int rc;

	if (!path || !path[0])
		return 0;
	rc = read_key(path, j->secret_key, sizeof(j->secret_key));
	if (rc < 0)
		return rc;
	crypto_sign_ed25519_sk_to_pk(j->public_key, j->secret_key);
	j->has_key = true;
	return 0;
}
