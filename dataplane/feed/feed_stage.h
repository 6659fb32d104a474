/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef FEED_FEED_STAGE_H
#define FEED_FEED_STAGE_H

/**
 * @file
 * The feed stage: rx_feed (struct gn_datagram) > feed_book (struct gn_md).
 *
 * With a feed_gateway link (struct feed_request) and its answer gateway_feed (struct feed_reply), both lossy rings, it
 * recovers what was lost as its configuration says; without, it never does.
 *
 * Its configuration is struct feed_config (feed.h). With shards, every instance gets every datagram and its own
 * shard number. What is known of each line is among its counters, line0_... to line7_...: percentiles of the lead
 * are refreshed about every 10 ms.
 */

#include "dataplane/runtime/stage.h"

#include "feed.h"

extern const struct gn_stage gn_stage_feed;

#endif
