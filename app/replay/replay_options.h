/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef REPLAY_OPTIONS_H
#define REPLAY_OPTIONS_H

/** @file What the command line of `gannet replay` says. */

#include <gannet/types.h>

#define REPLAY_DEPTH_MAX 50u
#define REPLAY_SYMBOLS_MAX 1024u

enum replay_print {
	REPLAY_STATS,
	REPLAY_BBO,
	REPLAY_LEVELS,
	REPLAY_TRADES,
	REPLAY_EVENTS,
};

struct replay_options {
	enum replay_print print;
	bool json;
	uint32_t depth;        /* levels of REPLAY_LEVELS */
	uint64_t from_ns;      /* print what happens from here on; since midnight */
	uint64_t to_ns;        /* and stop after this; UINT64_MAX: never */
	uint64_t orders_max;   /* live orders; 0: from the size of the input */
	uint32_t n_symbols;    /* 0: all */
	gn_symbol symbol[REPLAY_SYMBOLS_MAX];
	char *const *files;
	uint32_t n_files;
	bool help;
};

/**
 * Read a command line.
 *
 * @return
 *   0, or -EINVAL with gn_err_text(): what is wrong with it.
 */
int replay_options_parse(struct replay_options *o, int argc, char **argv);

/** What --help prints. */
extern const char replay_usage[];

#endif
