/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STRATEGY_LOADER_H
#define STRATEGY_LOADER_H

/**
 * @file
 * From a path to a strategy that may be called: everything that can be wrong with the file is found here. Cold path.
 */

#include <gannet/strategy.h>
#include <limits.h>
#include <sys/types.h>

#define STRATEGY_NAME_BYTES 32u
#define STRATEGY_STATE_BYTES_MAX ((size_t)1 << 30)

/** Which file it really is. */
struct strategy_identity {
	char path[PATH_MAX]; /* without links */
	dev_t dev;
	ino_t ino;
	off_t bytes;
	int64_t mtime_ns;
};

/** A loaded strategy. */
struct strategy_module {
	void *handle;
	struct gn_strategy api; /* a copy: members that the file was too old to have are NULL */
	struct strategy_identity identity;
};

/**
 * Load a shared object and check that it is a strategy of our ABI.
 *
 * The same file may be loaded several times; each gets its own state, all share the code. A file that has changed since
 * its path was first loaded is refused, because the dynamic linker would hand out the old code.
 *
 * @return
 *   0 or -errno; the text names the path and what is wrong with it.
 */
int strategy_load(struct strategy_module *m, const char *path);

/** Give it up; nothing of it may be called any more. A module that was not loaded is left alone. */
void strategy_unload(struct strategy_module *m);

#endif
