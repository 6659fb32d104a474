/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_SYMBOLS_H
#define FEED_SYMBOLS_H

/**
 * @file
 * The venue's instrument number (ITCH stock locate) > our dense index, for the instruments of one shard.
 *
 * One load a message. Filled from directory messages, and from any message that names its symbol when the directory
 * was missed, also of other shards: all shards must agree on whose a message is that names only a symbol. Numbers are the venue's for one day: symbols_forget() when a new session begins.
 */

#include "dataplane/runtime/instruments.h"

#define SYMBOLS_LOCATES 65536u

/* What inst_of holds beside indices and GN_INST_NONE (locate 0 in shard 0: no instrument). */
#define SYMBOLS_UNKNOWN (GN_INST_NONE - 1) /* nobody has said yet what it is */
#define SYMBOLS_REFUSED (GN_INST_NONE - 2) /* the table of instruments is full */
#define SYMBOLS_FOREIGN (GN_INST_NONE - 3) /* belongs to another shard */
#define SYMBOLS_STRANGE (GN_INST_NONE - 4) /* the same, and nobody has said yet what it is */
#define SYMBOLS_SPECIAL SYMBOLS_STRANGE    /* indices are below it */

struct symbols {
	gn_inst *inst_of;    /* by locate */
	uint16_t *locate_of; /* by index, of every shard; 0: not seen */
	struct gn_instruments *table;
	uint32_t shard, n_shards;
	uint32_t n_known;   /* of this shard, now */
	uint64_t n_refused; /* instruments that found no room */
	uint64_t n_moved;   /* a known locate was given another symbol: not supposed to happen within a day */
};

/** Cold. 0 or -errno. */
int symbols_init(struct symbols *s, struct gn_instruments *table, uint32_t shard, uint32_t n_shards);
void symbols_fini(struct symbols *s);

/** Forget every number. The instruments themselves stay. */
void symbols_forget(struct symbols *s);

/**
 * Learn a number from a message that names its symbol; adds the instrument when it is new.
 *
 * @return
 *   As inst_of: an index, SYMBOLS_REFUSED or SYMBOLS_FOREIGN; SYMBOLS_UNKNOWN for an empty symbol or locate 0.
 */
gn_inst symbols_learn(struct symbols *s, uint16_t locate, gn_symbol symbol);

/** The number under which this stream has named a symbol; 0: it has not. */
uint16_t symbols_locate(const struct symbols *s, gn_symbol symbol);

/**
 * Index of a symbol that comes without a number. It belongs to the shard of the number under which this stream has
 * named it; before it was named, to shard 0.
 *
 * @return
 *   As symbols_learn().
 */
gn_inst symbols_by_name(struct symbols *s, gn_symbol symbol);

#endif
