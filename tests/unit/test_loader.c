/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "strategy/loader.h"

#define SO(name) STRATEGY_SO_DIR "/" name ".so"

TestSuite(loader, .timeout = 20);

static void refused(const char *path, const char *why)
{
	struct strategy_module m;

	cr_assert_lt(strategy_load(&m, path), 0, "%s was loaded", path);
	cr_assert_not_null(strstr(gn_err_text(), why), "expected \"%s\" in: %s", why, gn_err_text());
	strategy_unload(&m);
}

Test(loader, refuses_what_is_no_file)
{
	refused("", "no path");
	refused(NULL, "no path");
	refused("/nowhere/at/all.so", "/nowhere/at/all.so: No such file");
	refused("/tmp", "not a file");
	refused("/dev/null", "not a file");
}

Test(loader, refuses_a_fifo_without_hanging)
{
	char dir[] = "/tmp/gannet-loader-XXXXXX", path[64];

	cr_assert_not_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.so", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	refused(path, "not a file");
	unlink(path);
	rmdir(dir);
}

Test(loader, names_each_fault_of_a_strategy)
{
	refused(SO("fixture_wrong_abi"), "made for ABI 2, this engine has ABI 1");
	refused(SO("fixture_too_small"), ".size is 8, expected at least 64");
	refused(SO("fixture_lying_size"), "but gn_strategy_v1 has 72 bytes");
	refused(SO("fixture_no_symbol"), "exports no symbol gn_strategy_v1");
	refused(SO("fixture_no_name"), ".name must have");
	refused(SO("fixture_no_init"), ".init is missing");
	refused(SO("fixture_greedy"), ".state_bytes is");
}

static size_t file_read(const char *path, char *bytes, size_t bytes_max)
{
	int fd = open(path, O_RDONLY);

	cr_assert_geq(fd, 0, "%s", path);
	ssize_t n = read(fd, bytes, bytes_max);
	cr_assert(n > 0 && (size_t)n < bytes_max);
	close(fd);
	return (size_t)n;
}

static void file_write(const char *path, const char *bytes, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, bytes, n), (ssize_t)n);
	close(fd);
}

Test(loader, refuses_every_truncation_without_touching_what_is_not_there)
{
	static char bytes[1 << 20];
	char path[] = "/tmp/gannet-loader-XXXXXX";
	struct strategy_module m;
	size_t n = file_read(SO("fixture_good"), bytes, sizeof(bytes));

	close(mkstemp(path));
	for (size_t cut = 0; cut < 4096 && cut < n; cut += 61) {
		file_write(path, bytes, cut);
		cr_assert_lt(strategy_load(&m, path), 0, "%zu of %zu bytes were loaded", cut, n);
	}
	unlink(path);
}

Test(loader, refuses_a_text_file)
{
	char path[] = "/tmp/gannet-loader-XXXXXX";

	close(mkstemp(path));
	file_write(path, "#!/bin/sh\necho this is not a strategy, whatever its name may say about itself\n", 78);
	refused(path, "not a 64-bit ELF shared object");
	unlink(path);
}

Test(loader, loads_a_good_one_as_often_as_asked)
{
	struct strategy_module a, b;
	struct stat st;

	cr_assert_eq(strategy_load(&a, SO("fixture_good")), 0, "%s", gn_err_text());
	cr_assert_eq(strategy_load(&b, SO("fixture_good")), 0, "%s", gn_err_text());
	cr_assert_eq(stat(SO("fixture_good"), &st), 0);
	cr_assert_str_eq(a.api.name, "fixture");
	cr_assert_eq(a.identity.ino, st.st_ino);
	cr_assert_eq(a.identity.bytes, st.st_size);
	strategy_unload(&a);
	cr_assert_str_eq(b.api.name, "fixture", "the other user still has it");
	strategy_unload(&b);
	strategy_unload(&b);
}

Test(loader, refuses_a_file_that_changed_while_its_old_code_is_loaded)
{
	static char bytes[1 << 20];
	char path[] = "/tmp/gannet-loader-XXXXXX";
	struct strategy_module old, m;
	size_t n = file_read(SO("fixture_good"), bytes, sizeof(bytes));

	close(mkstemp(path));
	file_write(path, bytes, n);
	cr_assert_eq(strategy_load(&old, path), 0, "%s", gn_err_text());
	unlink(path);
	file_write(path, bytes, n);
	refused(path, "give a new version a new file name");
	strategy_unload(&old);
	cr_assert_eq(strategy_load(&m, path), 0, "after the old one is gone: %s", gn_err_text());
	strategy_unload(&m);
	unlink(path);
}

Test(loader, follows_links_to_the_real_file)
{
	char path[] = "/tmp/gannet-loader-XXXXXX";
	struct strategy_module m;

	close(mkstemp(path));
	unlink(path);
	cr_assert_eq(symlink(SO("fixture_good"), path), 0);
	cr_assert_eq(strategy_load(&m, path), 0, "%s", gn_err_text());
	cr_assert_not_null(strstr(m.identity.path, "fixture_good.so"), "%s", m.identity.path);
	strategy_unload(&m);
	unlink(path);
}
