/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GATEWAY_FEED_PROXY_H
#define GATEWAY_FEED_PROXY_H

/**
 * @file
 * The feeds' way to the network: the other end of dataplane/feed/recovery_msg.h. The gateway's thread.
 */

#include "dataplane/feed/recovery_msg.h"
#include "dataplane/net/stack.h"
#include "dataplane/runtime/counters.h"
#include "dataplane/runtime/link.h"

#define FEED_PROXY_FEEDS_MAX 64u

#define FEED_PROXY_COUNTERS(X)                                                        \
	X(feed_datagram, "request datagrams sent for a feed")                         \
	X(feed_datagram_lost, "request datagrams that could not be sent now")         \
	X(feed_connection, "connections opened for a feed")                           \
	X(feed_reply_full, "connections cut because their feed did not keep up")      \
	X(feed_request_bad, "requests of a feed that make no sense")

struct feed_proxy;

/** One feed's connection. */
struct feed_proxy_conn {
	struct feed_proxy *proxy;
	struct gn_link *reply; /* gateway_feed N */
	struct gn_tcp *tcp, *doomed; /* doomed: to be reset in the next turn */
	uint32_t conn;
	bool down_due; /* the feed has still to hear that it is gone */
	uint8_t reason;
};

struct feed_proxy {
	struct gn_stack *stack;
	struct gn_tx *tx;
	uint8_t mac[6];
	uint32_t ip;
	uint32_t n_feeds, n_due;
	struct feed_proxy_conn feed[FEED_PROXY_FEEDS_MAX];
	struct { FEED_PROXY_COUNTERS(GN_COUNTER_FIELD) } n;
};

/** Set up. Cold. links: gateway_feed in wiring order. 0, or -EINVAL with gn_err_text(). */
int feed_proxy_init(struct feed_proxy *p, struct gn_stack *stack, const struct gn_stack_config *config, struct gn_link *const *links,
	uint32_t n_links);

/** A request of feed `from`. */
void feed_proxy_request(struct feed_proxy *p, uint32_t from, const void *msg, uint32_t bytes);

/** What could not be done at once. False: nothing was left to do. */
bool feed_proxy_work(struct feed_proxy *p);

#endif
