/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CONTROLS_H
#define RISK_CONTROLS_H

/**
 * @file
 * Every pre-trade control, in the order in which an order meets them: the one list behind the check itself, its
 * verdicts and counters, docs/controls.md, and the test that no control goes untested.
 */

/**
 * X(name, VERDICT, keys, text): `breaks_<name>()` in check.c says whether an order breaks it.
 *
 * The test named refuses_<name>... in tests/unit/test_risk_check.c proves it at its boundary.
 */
#define RISK_CONTROLS(X)                                                                                             \
	X(owner, REFUSED_STRATEGY, "", "order id belongs to the strategy that asks")                                 \
	X(fresh_id, REFUSED_DUPLICATE, "", "order ids only grow")                                                    \
	X(side, REFUSED_SIDE, "may", "side is known and permitted")                                                  \
	X(tif, REFUSED_TIF, "", "time in force is known")                                                            \
	X(quantity, REFUSED_QTY, "order_qty_max", "quantity of one order")                                           \
	X(price, REFUSED_PRICE, "", "price is positive and within what can be computed")                             \
	X(increment, REFUSED_TICK, "tick, lot", "price and quantity are multiples of tick and lot")                  \
	X(notional, REFUSED_NOTIONAL, "order_notional_max", "notional of one order")                                 \
	X(state, REFUSED_HALTED, "", "instrument trades now")                                                        \
	X(staleness, REFUSED_STALE, "stale_us_max", "market data is right and young")                                \
	X(reference, REFUSED_REFERENCE, "reference, allow_no_reference", "there is a reference price")               \
	X(collar, REFUSED_COLLAR, "collar_bps, collar_ticks", "price is near the reference")                         \
	X(short_sale, REFUSED_SHORT, "may, locate_qty, mark_shorts", "short sales are permitted, marked and located") \
	X(position, REFUSED_POSITION, "long_max, short_max", "worst-case position, long and short")                  \
	X(gross, REFUSED_GROSS, "gross_notional_max", "gross notional at worst")                                     \
	X(net, REFUSED_NET, "net_notional_max", "net notional at worst, long and short")                             \
	X(open_orders, REFUSED_OPEN, "open_orders_max", "orders open at once")                                       \
	X(rate, REFUSED_RATE, "orders_per_s_max, orders_burst_max", "message rate of the strategy")                  \
	X(ratio, REFUSED_RATIO, "orders_per_fill_max, orders_unfilled_max", "orders for each fill")                  \
	X(table, REFUSED_TABLE, "orders_max", "order table has room")                                                \
	X(journal, REFUSED_JOURNAL, "", "journal keeps up")                                                          \
	X(duplicate, REFUSED_DUPLICATE, "duplicate_window_us", "same order again within the window")                 \
	X(self_match, REFUSED_SELF_MATCH, "self_match", "does not trade with an order of our own")                   \
	X(patience, REFUSED_PATIENCE, "venue_per_s, patience_us", "does not wait too long for the venue's pace")

#endif
