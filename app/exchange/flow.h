/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_FLOW_H
#define EXCHANGE_FLOW_H

/**
 * @file
 * The background participants: a seeded stream of orders around a wandering fair price of each instrument.
 *
 * Makers add, cancel, shrink and replace orders near the fair price, takers hit the best one; how often an instrument is
 * chosen follows Zipf's law. The number of live orders of an instrument is drawn back to a target and never passes four
 * times it. Pure: acts on a matching engine alone; the same seed gives the same orders. One thread.
 */

#include "app/exchange/exchange_config.h"
#include "app/exchange/match.h"
#include "app/exchange/rng.h"

#define FLOW_TICK_E4 100u

struct flow_counts {
	uint64_t actions, adds, cancels, shrinks, replaces, takes, bursts;
	uint64_t late;   /* times that it had fallen behind by more than a second and let the rest go */
	uint64_t halted; /* actions on an instrument that does not trade now: nothing was done */
};

struct flow;

/**
 * Cold.
 *
 * @param px_first_e4
 *   First fair price of each instrument; config->n_symbols of them.
 * @return
 *   NULL with gn_err_text().
 */
struct flow *flow_new(const struct exchange_config *config, struct match *match, const uint32_t *px_first_e4);
void flow_free(struct flow *f);

/** Fill the empty book of one instrument with its target number of orders. */
void flow_prime(struct flow *f, gn_inst inst);

/** Begin: the first action is due one waiting time after now. */
void flow_start(struct flow *f, uint64_t now_ns);

/** Do one action if one is due. False: nothing was due. */
bool flow_work(struct flow *f, uint64_t now_ns);

/** When the next action is due. */
uint64_t flow_due_ns(const struct flow *f);

/** For the matching engine's sink: an order of the flow rests (also one that replaced another), or one that rested is gone. */
void flow_rested(struct flow *f, struct match_order *o);
void flow_gone(struct flow *f, const struct match_order *o);

/** Fair price now: what a cross takes as its reference. */
uint32_t flow_fair_e4(const struct flow *f, gn_inst inst);

struct flow_counts flow_counts(const struct flow *f);

#endif
