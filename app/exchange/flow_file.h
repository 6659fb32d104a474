/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_FLOW_FILE_H
#define EXCHANGE_FLOW_FILE_H

/**
 * @file
 * A recorded day as background flow: a raw ITCH 5.0 file (u16 big-endian length, message; a zero length ends it).
 *
 * Its adds, cancels and replaces become orders of other participants; its executions become incoming IOC orders at the
 * price of the order executed, so they meet whoever stands first in our book, clients too. What such an IOC order then
 * leaves of the executed order is cancelled, so the book follows the file. Hidden trades, crosses, imbalances and
 * administrative messages are published as they are, under our instrument numbers. References that the file added before
 * it begins are counted and left alone. Timed by the file's stamps. One thread.
 */

#include <gannet/md.h>

#include "app/exchange/exchange_config.h"
#include "app/exchange/match.h"

struct exchange;

/** What the file asks for beside orders. */
struct flow_file_sink {
	struct exchange *arg;
	void (*publish)(struct exchange *arg, gn_inst inst, struct gn_md *md);
	void (*state)(struct exchange *arg, gn_inst inst, enum match_state state, const char reason[4]);
};

struct flow_file_counts {
	uint64_t msgs, adds, executions, cancels, replaces, published;
	uint64_t unknown_ref;  /* about an order that the file added before it begins, or that clients traded away */
	uint64_t duplicate_ref;
	uint64_t no_room;      /* adds that the matching engine had no room for */
	uint64_t short_fills;  /* executions that met others than the order that the file says */
	uint64_t skipped;      /* of an unknown type, or of no use here */
};

struct flow_file;

/**
 * Open a file and read it through: it must be whole, and its instruments become ours. Cold.
 *
 * @return
 *   NULL with gn_err_text() naming file, offset and what is wrong there.
 */
struct flow_file *flow_file_new(const struct exchange_config *config, const struct flow_file_sink *sink);
void flow_file_free(struct flow_file *f);

/** Its instruments, in order of first appearance. */
uint32_t flow_file_symbols(const struct flow_file *f);
gn_symbol flow_file_symbol(const struct flow_file *f, gn_inst inst);

/** The directory message that the file has for an instrument; false: none. */
bool flow_file_directory(const struct flow_file *f, gn_inst inst, struct gn_md *md);

/** Connect with the matching engine. Cold. 0 or -errno. */
int flow_file_start(struct flow_file *f, struct match *match, uint32_t orders_max);

/** Do what the next message says if its time has come; time begins with the first call. False: not yet, or at its end. */
bool flow_file_work(struct flow_file *f, uint64_t now_ns);

/** When the next message is due; UINT64_MAX: the file is at its end. */
uint64_t flow_file_due_ns(const struct flow_file *f);

/** For the matching engine's sink: an order of the file is gone. */
void flow_file_gone(struct flow_file *f, const struct match_order *o);

struct flow_file_counts flow_file_counts(const struct flow_file *f);

#endif
