/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef RISK_CONTROLS_H
#define RISK_CONTROLS_H

/**
 * @file
 * Every pre-trade control, in the order in which an order meets them: the one list behind the check itself, its
 * verdicts and counters, docs/controls.md, and the test that no control goes untested.
 */

/**
 * X(name, VERDICT, keys, text): `breaks_<name>()` in check.h says whether an order breaks it.
 *
 * CONTROL_TEST(name, ...) in the unit tests proves it at its boundary; without one the tests do not link.
 */
#define RISK_CONTROLS(X)                                                                                               \
	X(owner, REFUSED_STRATEGY, "", "order id belongs to the strategy that asks")                                   \
	X(fresh_id, REFUSED_DUPLICATE, "", "order ids only grow")                                                      \
	X(side, REFUSED_SIDE, "may", "side is known and permitted")                                                    \
	X(tif, REFUSED_TIF, "", "time in force is known")                                                              \
	X(quantity, REFUSED_QTY, "order_qty_max", "quantity of one order")                                             \
	X(price, REFUSED_PRICE, "", "price is positive and within what can be computed")                               \
	X(increment, REFUSED_TICK, "tick, lot", "price and quantity are multiples of tick and lot")                    \
	X(notional, REFUSED_NOTIONAL, "order_notional_max", "notional of one order")                                   \
	X(state, REFUSED_HALTED, "", "instrument trades now")                                                          \
	X(staleness, REFUSED_STALE, "stale_us_max", "market data is right and young")                                  \
	X(reference, REFUSED_REFERENCE, "reference, allow_no_reference", "there is a reference price")                 \
	X(collar, REFUSED_COLLAR, "collar_bps, collar_ticks", "price is near the reference")                           \
	X(short_sale, REFUSED_SHORT, "may, locate_qty, mark_shorts", "short sales are permitted, marked and located")  \
	X(position, REFUSED_POSITION, "long_max, short_max", "worst-case position, long and short")                    \
	X(gross, REFUSED_GROSS, "gross_notional_max", "gross notional at worst")                                       \
	X(net, REFUSED_NET, "net_notional_max", "net notional at worst, long and short")                               \
	X(open_orders, REFUSED_OPEN, "open_orders_max", "orders open at once")                                         \
	X(rate, REFUSED_RATE, "orders_per_s_max, orders_burst_max", "message rate of the strategy")                    \
	X(ratio, REFUSED_RATIO, "orders_per_fill_max, orders_unfilled_max", "orders for each fill")                    \
	X(table, REFUSED_TABLE, "orders_max", "order table has room")                                                  \
	X(journal, REFUSED_JOURNAL, "", "journal keeps up")                                                            \
	X(duplicate, REFUSED_DUPLICATE, "duplicate_window_us", "same order again within the window")                   \
	X(self_match, REFUSED_SELF_MATCH, "self_match", "does not trade with an order of our own")                     \
	X(patience, REFUSED_PATIENCE, "venue_per_s, patience_us", "does not wait too long for the venue's pace")

/**
 * Controls that stand before any order is looked at: a kill switch or a state closes the gate of its owner.
 *
 * X(name, VERDICT, keys, text), tested in the same way.
 */
#define RISK_STANDING(X)                                                                                               \
	X(kind, REFUSED_KIND, "", "request is of a known kind: zeroed memory is none")                                 \
	X(strategy, REFUSED_STRATEGY, "strategies", "strategy exists")                                                 \
	X(instrument, REFUSED_INSTRUMENT, "allow_unlisted, restricted", "instrument exists and may be traded")         \
	X(session, REFUSED_SESSION, "", "order session is up")                                                         \
	X(target, REFUSED_UNKNOWN, "", "order to replace or cancel is open, its strategy's own, and not changing")     \
	X(kill_engine, REFUSED_KILLED, "", "kill switch of the engine")                                                \
	X(kill_account, REFUSED_KILLED, "", "kill switch of an account")                                               \
	X(kill_strategy, REFUSED_KILLED, "", "kill switch of a strategy")                                              \
	X(kill_instrument, REFUSED_KILLED, "", "kill switch of an instrument")                                         \
	X(loss, REFUSED_LOSS, "loss_max", "daily loss, of strategy, account and engine")                               \
	X(repeated, REFUSED_REPEATED, "repeat_fills_max, repeat_window_ms", "repeated automated execution")            \
	X(protection, REFUSED_REPEATED, "protect_fills_max, protect_qty_max, protect_delta_max, protect_window_ms",    \
		"market-maker protection")                                                                             \
	X(reject_storm, REFUSED_KILLED, "rejects_max", "too many rejects by the venue")                                \
	X(stale_data, REFUSED_KILLED, "stale_kill_ms", "market data wrong for too long where orders rest")             \
	X(lost_session, REFUSED_KILLED, "session_kill_ms", "order session lost for too long with orders open")         \
	X(clock_jump, REFUSED_KILLED, "clock_jump_ms", "time jumps")                                                   \
	X(deaf_strategy, REFUSED_KILLED, "", "strategy that does not take its reports")                                \
	X(limits_given, REFUSED, "", "every limit is given: a missing one refuses to start")                           \
	X(limits_live, REFUSED, "loosen_by_two", "limits tighten live, and never loosen beyond the start")             \
	X(pace, REFUSED_PATIENCE, "venue_per_s, venue_burst, venue_reserve, session_per_s_max, session_burst_max",     \
		"venue's pace, with a reserve for cancels")

#endif
