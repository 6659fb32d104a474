/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

#include "dataplane/codec/itch50.h"
#include "dataplane/feed/feed_stage.h"
#include "dataplane/net/frame.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/wiring.h"
#include "pinning/clock.h"

#define N_GOT 64u

/* --- a port, a book and a gateway of the test's own --- */

struct port {
	struct gn_link *out;
};

static int port_init(void *arg, const struct gn_env *env)
{
	struct port *p = arg;

	p->out = gn_env_link(env, "rx_feed");
	return p->out ? 0 : -EINVAL;
}

static bool nothing_to_do(void *arg)
{
	(void)arg;
	return false;
}

static const struct gn_stage stage_port = {
	.name = "port", .ctx_bytes = sizeof(struct port), .burst = 1, .out = (const char *const[]){"rx_feed", NULL},
	.init = port_init, .poll = nothing_to_do,
};

struct sink {
	uint32_t n;
	struct gn_md got[N_GOT];
};

static void sink_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct sink *s = arg;

	(void)from;
	cr_assert(s->n < N_GOT && bytes == sizeof(s->got[0]));
	memcpy(&s->got[s->n++], msg, bytes);
}

static const struct gn_stage stage_sink = {
	.name = "sink", .ctx_bytes = sizeof(struct sink), .burst = 1,
	.in = (const struct gn_inlet[]){{"feed_book", sink_on_msg, sizeof(struct gn_md), NULL}, {0}},
};

static struct gn_board board;
static struct gn_stats *stats;
static struct gn_instruments *table;
static struct gn_wiring *wiring;
static struct port *port;
static struct sink *sink;
static void *feed;

static void given_a_pipeline(void)
{
	static const struct feed_config config = {.n_lines = 2, .wait_ns = 1000, .hold_datagrams = 16};

	cr_assert_eq(gn_clock_calibrate(), 0);
	table = gn_instruments_new(16);
	stats = gn_stats_create(NULL, 1024);
	cr_assert_eq(gn_board_init(&board, 16, -1), 0);
	wiring = gn_wiring_new(table, &board, stats);
	cr_assert_eq(gn_wiring_stage(wiring, &stage_port, "port", 0, 0, -1, NULL), 0);
	cr_assert_eq(gn_wiring_stage(wiring, &gn_stage_feed, "feed0", 0, 0, -1, &config), 0);
	cr_assert_eq(gn_wiring_stage(wiring, &stage_sink, "sink", 0, 0, -1, NULL), 0);
	cr_assert_eq(gn_wiring_link(wiring, "rx_feed", "port", "feed0", NULL), 0);
	cr_assert_eq(gn_wiring_link(wiring, "feed_book", "feed0", "sink", NULL), 0);
	cr_assert_eq(gn_wiring_seal(wiring), 0, "%s", gn_err_text());
	port = gn_wiring_ctx(wiring, "port");
	sink = gn_wiring_ctx(wiring, "sink");
	feed = gn_wiring_ctx(wiring, "feed0");
}

static void fini(void)
{
	gn_wiring_free(wiring);
	gn_stats_close(stats);
	gn_board_fini(&board);
	gn_instruments_free(table);
}

static void send_add(uint16_t line, uint64_t seq, uint64_t rx_tsc)
{
	static uint8_t mem[sizeof(struct gn_datagram) + 200];
	struct gn_datagram *d = (struct gn_datagram *)mem;
	struct moldudp64_session session = moldudp64_session_from("S");
	struct gn_md add = {.kind = GN_MD_ADD, .side = GN_BUY, .order = {.ref = seq, .qty = 1, .px.e9 = 1000000000}};
	struct moldudp64_writer w;

	moldudp64_begin(&w, d->payload, 200, &session, seq);
	itch50_encode(&add, 1, 0, gn_symbol_from("A", 1), moldudp64_claim(&w, 36));
	*d = (struct gn_datagram){.rx_tsc = rx_tsc, .line = line, .bytes = (uint16_t)moldudp64_close(&w)};
	gn_link_send(port->out, d, (uint32_t)sizeof(*d) + d->bytes);
}

static uint64_t counter(const char *name)
{
	const struct gn_counter *c = gn_stage_feed.counters;
	const uint64_t *word = (const uint64_t *)(const void *)((const uint8_t *)feed + gn_stage_feed.counters_offset);

	for (; c->name; c++, word++)
		if (strcmp(c->name, name) == 0)
			return *word;
	cr_assert_fail("there is no counter %s", name);
	return 0;
}

TestSuite(feed_stage, .init = given_a_pipeline, .fini = fini, .timeout = 20);

Test(feed_stage, a_datagram_becomes_events_with_its_trace_id)
{
	send_add(0, 1, 4711);
	cr_assert_eq(sink->n, 2);
	cr_assert_eq(sink->got[0].kind, GN_MD_DIRECTORY);
	cr_assert_eq(sink->got[1].rx_tsc, 4711);
	cr_assert_eq(sink->got[1].flags, GN_MD_F_LAST);
}

Test(feed_stage, has_nothing_to_do_when_nothing_is_missing)
{
	send_add(0, 1, gn_tsc());
	cr_assert_not(gn_stage_feed.poll(feed));
}

Test(feed_stage, gives_a_gap_up_when_its_time_is_over)
{
	send_add(0, 2, gn_tsc());
	cr_assert_eq(sink->n, 0);
	while (sink->n < 2)
		gn_stage_feed.poll(feed);
	cr_assert_eq(sink->got[0].kind, GN_MD_STALE);
}

Test(feed_stage, publishes_what_it_counts_and_the_scorecard_of_each_line)
{
	uint64_t tsc = gn_tsc();

	send_add(0, 1, tsc);
	send_add(1, 1, tsc + gn_clock_ticks_from_ns(5000));
	send_add(1, 2, tsc + gn_clock_ticks_from_ns(9000));
	for (int i = 0; i < 3; i++)
		gn_stage_feed.housekeeping(feed, tsc);
	cr_assert_eq(counter("pkt_rx"), 3);
	cr_assert_eq(counter("pkt_duplicate"), 1);
	cr_assert_eq(counter("msg_event"), 2);
	cr_assert_eq(counter("line0_win"), 1);
	cr_assert_eq(counter("line1_win"), 1);
	cr_assert_eq(counter("line1_duplicate"), 1);
	uint64_t lead_ns = counter("line0_lead_max_ns");
	cr_assert(lead_ns >= 4990 && lead_ns <= 5010, "%llu", (unsigned long long)lead_ns);
	cr_assert_eq(counter("line7_pkt"), 0);
	cr_assert_eq(counter("snapshot_attempt"), 0);
}
