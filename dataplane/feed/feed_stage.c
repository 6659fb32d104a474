/* SPDX-License-Identifier: BSD-3-Clause */
#include "feed_stage.h"

#include <errno.h>

#include "dataplane/net/frame.h"
#include "pinning/clock.h"

#define NS_PER_S UINT64_C(1000000000)
#define RATE_SHIFT 32

/* X(name, help) for each number of line L. */
#define LINE_COUNTERS(X, L)                                                             \
	X(line##L##_pkt, "datagrams of the session on this line")                       \
	X(line##L##_win, "datagrams that this line brought first")                      \
	X(line##L##_duplicate, "datagrams that brought nothing new")                    \
	X(line##L##_msg_lost, "messages that the line skipped and has not brought since") \
	X(line##L##_msg_late, "messages that came after the line had moved past them")  \
	X(line##L##_heartbeat, "heartbeats and ends of session")                        \
	X(line##L##_bad, "datagrams dropped: malformed, or not our session")            \
	X(line##L##_silence, "times that the line fell silent")                         \
	X(line##L##_silent, "1: it is silent now")                                      \
	X(line##L##_lead_p50_ns, "how far ahead of the second line it was when it won") \
	X(line##L##_lead_p99_ns, "the same, 99th percentile")                           \
	X(line##L##_lead_max_ns, "the same, maximum")
#define ALL_LINE_COUNTERS(X)                                                         \
	LINE_COUNTERS(X, 0) LINE_COUNTERS(X, 1) LINE_COUNTERS(X, 2) LINE_COUNTERS(X, 3) \
	LINE_COUNTERS(X, 4) LINE_COUNTERS(X, 5) LINE_COUNTERS(X, 6) LINE_COUNTERS(X, 7)

/* One line's numbers, in the order of LINE_COUNTERS. */
struct line_report {
	uint64_t pkt, win, duplicate, msg_lost, msg_late, heartbeat, bad, silence, silent, lead_p50_ns, lead_p99_ns,
		lead_max_ns;
};

struct feed_ctx {
	uint64_t rate; /* nanoseconds a tick, with RATE_SHIFT fraction bits; fixed, so that time never jumps */
	uint32_t line_at;
	struct {
		struct feed_counters feed;
		struct recovery_counters recovery;
		struct snapshot_counters snapshot;
		struct line_report line[ARBITER_LINES_MAX];
	} n; /* as published; the feed has its own */
	struct feed feed;
};
_Static_assert(ARBITER_LINES_MAX == 8, "ALL_LINE_COUNTERS names eight lines");

static uint64_t feed_ns(const struct feed_ctx *c, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * c->rate >> RATE_SHIFT);
}

static int feed_stage_init(void *arg, const struct gn_env *env)
{
	static const struct feed_config defaults;
	struct feed_ctx *c = arg;
	struct gn_link *out = gn_env_link(env, "feed_book");
	uint32_t n_gateways;
	struct gn_link *const *gateway = gn_env_links(env, "feed_gateway", &n_gateways);
	uint64_t ticks_per_s = gn_clock_ticks_from_ns(NS_PER_S);

	if (!out)
		return gn_err_in(-EINVAL, "%s: where to send events", env->instance);
	if (n_gateways > 1)
		return gn_err(EINVAL, "%s: %u gateways, at most one", env->instance, n_gateways);
	if (ticks_per_s == 0)
		return gn_err(EINVAL, "%s: the clock is not calibrated", env->instance);
	c->rate = (NS_PER_S << RATE_SHIFT) / ticks_per_s;
	int rc = feed_init(&c->feed, env->config ? env->config : &defaults, env->instruments, out,
		n_gateways ? gateway[0] : NULL);
	return rc < 0 ? gn_err_in(rc, "%s", env->instance) : 0;
}

static void feed_on_datagram(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct feed_ctx *c = arg;
	const struct gn_datagram *d = msg;

	(void)from;
	GN_ASSERT(bytes >= sizeof(*d) && d->bytes <= bytes - sizeof(*d));
	feed_datagram(&c->feed, &(struct arbiter_in){.payload = d->payload, .bytes = d->bytes, .line = d->line,
		.now_ns = feed_ns(c, d->rx_tsc), .tag = d->rx_tsc});
}

static void feed_on_reply(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct feed_ctx *c = arg;

	(void)from;
	feed_reply(&c->feed, msg, bytes, feed_ns(c, gn_tsc()));
}

static bool feed_stage_poll(void *arg)
{
	struct feed_ctx *c = arg;

	if (gn_likely(!feed_pending(&c->feed)))
		return false;
	uint64_t tsc = gn_tsc();
	return feed_poll(&c->feed, feed_ns(c, tsc), tsc);
}

static void feed_report_line(struct line_report *r, const struct line_card *card)
{
	*r = (struct line_report){
		.pkt = card->n_datagrams, .win = card->n_wins, .duplicate = card->n_duplicates,
		.msg_lost = card->n_lost, .msg_late = card->n_late, .heartbeat = card->n_heartbeats, .bad = card->n_bad,
		.silence = card->n_silences, .silent = card->silent,
		.lead_p50_ns = lead_percentile(&card->lead, 500), .lead_p99_ns = lead_percentile(&card->lead, 990),
		.lead_max_ns = card->lead.max_ns,
	};
}

/* One line a call: walking its histogram is the only thing here that takes longer than a few loads. */
static void feed_housekeeping(void *arg, uint64_t now_tsc)
{
	struct feed_ctx *c = arg;

	feed_watch(&c->feed, feed_ns(c, now_tsc));
	c->n.feed = c->feed.n;
	c->n.recovery = c->feed.recovery.n;
	c->n.snapshot = c->feed.recovery.snapshot.n;
	feed_report_line(&c->n.line[c->line_at], &c->feed.arbiter.line[c->line_at]);
	c->line_at = (c->line_at + 1) % c->feed.arbiter.n_lines;
}

static void feed_stage_fini(void *arg)
{
	struct feed_ctx *c = arg;

	feed_fini(&c->feed);
}

const struct gn_stage gn_stage_feed = {
	.name = "feed",
	.ctx_bytes = sizeof(struct feed_ctx),
	.burst = FEED_BURST,
	.in = (const struct gn_inlet[]){
		{"rx_feed", feed_on_datagram, sizeof(struct gn_datagram) + GN_FRAME_BYTES_MAX, NULL},
		{"gateway_feed", feed_on_reply, sizeof(struct feed_reply), NULL}, {0}},
	.out = (const char *const[]){"feed_book", "feed_gateway", NULL},
	.counters = (const struct gn_counter[]){FEED_COUNTERS(GN_COUNTER_DESC) RECOVERY_COUNTERS(GN_COUNTER_DESC)
		SNAPSHOT_COUNTERS(GN_COUNTER_DESC) ALL_LINE_COUNTERS(GN_COUNTER_DESC){0}},
	.counters_offset = offsetof(struct feed_ctx, n),
	.init = feed_stage_init,
	.poll = feed_stage_poll,
	.housekeeping = feed_housekeeping,
	.fini = feed_stage_fini,
};
