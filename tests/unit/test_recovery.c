/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <string.h>

#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/feed/feed.h"
#include "tests/sim/random.h"

#define MS UINT64_C(1000000)

/* --- when to ask --- */

static struct rerequest rr;
static struct rerequest_ask ask;

static const struct rerequest_config two_servers = {.server = {{1, 10}, {2, 20}}, .n_servers = 2, .timeout_ns = 2 * MS,
	.timeout_ns_max = 5 * MS, .give_up_ns = 1000 * MS, .tries_max = 4, .messages_max = 100000, .rate_per_s = 1000, .burst = 50};

static void given_two_servers(void)
{
	cr_assert_eq(rerequest_init(&rr, &two_servers, 0), 0);
}

static enum rerequest_verdict step(uint64_t from, uint64_t to, uint64_t now_ns)
{
	return rerequest_step(&rr, &(struct arbiter_gap){.from = from, .to = to}, now_ns, &ask);
}

TestSuite(rerequest, .init = given_two_servers, .timeout = 10);

Test(rerequest, asks_nobody_when_there_is_nobody)
{
	cr_assert_eq(rerequest_init(&rr, &(struct rerequest_config){0}, 0), 0);
	cr_assert_eq(step(5, 6, 0), REREQUEST_HOPELESS);
}

Test(rerequest, refuses_a_configuration_out_of_bounds)
{
	cr_assert_lt(rerequest_init(&rr, &(struct rerequest_config){.n_servers = 5}, 0), 0);
	cr_assert_lt(rerequest_init(&rr, &(struct rerequest_config){.n_servers = 1, .rate_per_s = 2000000000}, 0), 0);
}

Test(rerequest, does_not_ask_for_more_than_it_may)
{
	cr_assert_eq(step(1, 100002, 0), REREQUEST_HOPELESS);
	cr_assert_eq(step(1, UINT64_MAX, 0), REREQUEST_HOPELESS);
	cr_assert_eq(step(1, 100001, 0), REREQUEST_ASK);
	cr_assert_eq(ask.count, 0xfffe, "and no request asks for what a request cannot say");
}

Test(rerequest, asks_one_server_after_the_other_ever_more_patiently_then_gives_up)
{
	const uint64_t at_ms[] = {0, 2, 6, 11}; /* 2, then 4, then no more than 5 */

	for (uint32_t i = 0; i < 4; i++) {
		if (i)
			cr_assert_eq(step(5, 9, at_ms[i] * MS - 1), REREQUEST_WAIT);
		cr_assert_eq(step(5, 9, at_ms[i] * MS), REREQUEST_ASK, "request %u", i);
		cr_assert_eq(ask.server.ip, 1 + i % 2);
		cr_assert_eq(ask.seq, 5);
		cr_assert_eq(ask.count, 4);
	}
	cr_assert_eq(step(5, 9, 16 * MS - 1), REREQUEST_WAIT);
	cr_assert_eq(step(5, 9, 16 * MS), REREQUEST_HOPELESS);
}

Test(rerequest, an_answer_is_followed_up_at_once_from_the_same_server)
{
	cr_assert_eq(step(5, 90, 0), REREQUEST_ASK);
	cr_assert_eq(step(5, 90, 1), REREQUEST_WAIT);
	cr_assert_eq(step(40, 90, 2), REREQUEST_ASK);
	cr_assert_eq(ask.seq, 40);
	cr_assert_eq(ask.count, 50);
	cr_assert_eq(ask.server.ip, 1);
}

Test(rerequest, another_gap_waits_for_its_turn)
{
	cr_assert_eq(rerequest_init(&rr, &(struct rerequest_config){.n_servers = 1, .timeout_ns = 7}, 1), 0);
	cr_assert_eq(step(5, 9, 0), REREQUEST_WAIT);
	cr_assert_eq(step(5, 9, 7), REREQUEST_ASK);
	cr_assert_eq(step(20, 30, 8), REREQUEST_WAIT);
	cr_assert_eq(step(20, 30, 15), REREQUEST_ASK);
}

Test(rerequest, never_spends_more_than_its_budget)
{
	uint32_t n = 0;

	rr.cfg.tries_max = UINT32_MAX;
	for (uint64_t us = 0; us < 1000000; us += 100) /* a second of gaps that answers open anew all the time */
		n += step(1 + us, 99999 + us, us * 1000) == REREQUEST_ASK;
	cr_assert_leq(n, 1000 + 50);
	cr_assert_geq(n, 1000);
	cr_assert_gt(rr.n_short, 0);
}

Test(rerequest, a_budget_that_stays_empty_ends_in_hopeless)
{
	rr.cfg.burst = 0;
	rr.budget_ns = 0;
	rr.cfg.rate_per_s = 1; /* a token takes a second to grow, and burst 0 lets none grow */
	uint64_t at_ns = 0;
	while (step(5, 9, at_ns) == REREQUEST_WAIT && at_ns < 10000 * MS)
		at_ns += MS;
	cr_assert(at_ns > 1000 * MS && at_ns <= 2000 * MS);
}

/* --- the log of live messages --- */

static struct live_log live;
static uint8_t payload[2048];
static struct moldudp64_writer writer;

static struct moldudp64_reader datagram(uint64_t seq, uint32_t n)
{
	struct moldudp64_session s = moldudp64_session_from("S");
	struct moldudp64_reader r;

	moldudp64_begin(&writer, payload, sizeof(payload), &s, seq);
	for (uint32_t i = 0; i < n; i++)
		cr_assert(moldudp64_append(&writer, &i, sizeof(i)));
	cr_assert_eq(moldudp64_open(&r, payload, moldudp64_close(&writer)), MOLDUDP64_MESSAGES);
	return r;
}

static void given_a_log(void)
{
	cr_assert_eq(live_log_init(&live, 256), 0);
	live_log_reset(&live, 10);
}

TestSuite(live_log, .init = given_a_log, .timeout = 10);

Test(live_log, gives_back_what_is_left_of_each_datagram)
{
	struct moldudp64_reader r = datagram(8, 4), out;
	uint64_t tsc;

	cr_assert_eq(moldudp64_skip_to(&r, 10), MOLDUDP64_BLOCK);
	cr_assert(live_log_append(&live, &r, 77));
	cr_assert(live_log_take(&live, &out, &tsc));
	cr_assert_eq(tsc, 77);
	cr_assert_eq(out.seq, 10);
	const uint8_t *msg;
	uint32_t bytes, value;
	for (uint32_t i = 2; i < 4; i++) {
		cr_assert_eq(moldudp64_next(&out, &msg, &bytes), MOLDUDP64_BLOCK);
		memcpy(&value, msg, sizeof(value));
		cr_assert_eq(value, i);
	}
	cr_assert_eq(moldudp64_next(&out, &msg, &bytes), MOLDUDP64_DONE);
	cr_assert_not(live_log_take(&live, &out, &tsc));
}

Test(live_log, knows_from_where_on_it_is_whole)
{
	struct moldudp64_reader r = datagram(10, 2);

	live_log_append(&live, &r, 0);
	cr_assert_eq(live.seq_contiguous, 10);
	r = datagram(12, 1);
	live_log_append(&live, &r, 0);
	cr_assert_eq(live.seq_contiguous, 10);
	r = datagram(15, 1);
	live_log_append(&live, &r, 0);
	cr_assert_eq(live.seq_contiguous, 15);
	cr_assert_eq(live.seq_end, 16);
}

Test(live_log, refuses_what_it_has_no_room_for_and_begins_at_the_front_when_empty)
{
	struct moldudp64_reader r = datagram(10, 20), out;
	uint64_t tsc;

	cr_assert(live_log_append(&live, &r, 0));
	cr_assert_not(live_log_append(&live, &r, 0));
	cr_assert_eq(live.seq_end, 30);
	cr_assert(live_log_take(&live, &out, &tsc));
	cr_assert(live_log_append(&live, &r, 0));
}

/* --- fetching a snapshot --- */

static struct snapshot snap;
static struct feed_request request;
static uint64_t now_ns;

static const struct snapshot_config two_glimpses = {.server = {{1, 10}, {2, 20}}, .n_servers = 2, .username = "user",
	.password = "secret", .bytes_max = 200, .answer_ns = 100 * MS, .backoff_ns = 10 * MS, .backoff_ns_max = 40 * MS,
	.attempts_max = 4};

static void given_glimpse(void)
{
	cr_assert_eq(snapshot_init(&snap, &two_glimpses, 1, 2), 0);
	now_ns = 1000 * MS;
}

static void glimpse_fini(void)
{
	snapshot_fini(&snap);
}

static enum feed_request_kind next_request(void)
{
	memset(&request, 0, sizeof(request));
	return snapshot_step(&snap, now_ns, &request) ? (enum feed_request_kind)request.kind : FEED_REQUEST_NONE;
}

static void reply_as(uint32_t conn, enum feed_reply_kind kind, const void *data, uint32_t bytes)
{
	struct feed_reply reply = {.kind = (uint8_t)kind, .bytes = (uint16_t)bytes, .conn = conn};

	if (bytes)
		memcpy(reply.data, data, bytes);
	snapshot_reply(&snap, &reply, (uint32_t)FEED_REPLY_HEAD_BYTES + bytes, now_ns);
}

static void reply(enum feed_reply_kind kind)
{
	reply_as(snap.conn, kind, NULL, 0);
}

static void reply_soup(enum soup_type type, const void *data, uint32_t bytes)
{
	uint8_t buf[300];

	reply_as(snap.conn, FEED_REPLY_BYTES, buf, soup_build(buf, (uint8_t)type, data, bytes));
}

static void accepted(void)
{
	uint8_t buf[SOUP_ACCEPTED_BYTES];

	reply_as(snap.conn, FEED_REPLY_BYTES, buf, soup_accepted_build(&(struct soup_accepted){.session = "G", .seq = 1}, buf));
}

static void logged_in(void)
{
	snapshot_start(&snap, now_ns);
	cr_assert_eq(next_request(), FEED_REQUEST_OPEN);
	reply(FEED_REPLY_UP);
	cr_assert_eq(next_request(), FEED_REQUEST_BYTES);
	accepted();
	cr_assert_eq(snap.state, SNAPSHOT_LOAD);
}

static void reply_message(struct gn_md md, uint16_t locate)
{
	uint8_t buf[ITCH50_BYTES_MAX];

	reply_soup(SOUP_SEQUENCED, buf, itch50_encode(&md, locate, 0, gn_symbol_from("A", 8), buf));
}

static const struct gn_md an_add = {.kind = GN_MD_ADD, .side = GN_BUY, .order = {.ref = 1, .qty = 1, .px.e9 = 1000000000}};

static void end_of_snapshot(uint64_t seq)
{
	uint8_t buf[GLIMPSE50_END_BYTES];

	reply_soup(SOUP_SEQUENCED, buf, glimpse50_end_encode(seq, buf));
}

TestSuite(snapshot, .init = given_glimpse, .fini = glimpse_fini, .timeout = 10);

Test(snapshot, does_nothing_without_a_server_or_before_it_is_started)
{
	cr_assert_eq(next_request(), FEED_REQUEST_NONE);
	snapshot_fini(&snap);
	cr_assert_eq(snapshot_init(&snap, &(struct snapshot_config){0}, 0, 1), 0);
	snapshot_start(&snap, now_ns);
	cr_assert_eq(snap.state, SNAPSHOT_IDLE);
}

Test(snapshot, logs_in_from_the_first_message_of_the_present_session)
{
	snapshot_start(&snap, now_ns);
	cr_assert_eq(next_request(), FEED_REQUEST_OPEN);
	cr_assert(request.ip == 2 && request.port == 20, "connection 1 goes to server 1");
	cr_assert_eq(next_request(), FEED_REQUEST_NONE);
	reply(FEED_REPLY_UP);
	cr_assert_eq(next_request(), FEED_REQUEST_BYTES);
	struct soup_packet p = {.type = request.data[2], .bytes = request.bytes - SOUP_HEAD_BYTES,
		.payload = request.data + SOUP_HEAD_BYTES};
	struct soup_login login;
	cr_assert(soup_login_parse(&p, &login));
	cr_assert_eq(login.seq, 1);
	cr_assert_str_eq(login.session, "");
	cr_assert_str_eq(login.username, "user");
	cr_assert_str_eq(login.password, "secret");
}

Test(snapshot, keeps_what_concerns_its_shard_up_to_the_end_message)
{
	const uint8_t *msg;
	uint32_t bytes;

	logged_in();
	reply_message((struct gn_md){.kind = GN_MD_DIRECTORY}, 2);
	reply_message(an_add, 2);
	reply_message(an_add, 3);
	end_of_snapshot(4711);
	cr_assert_eq(snap.state, SNAPSHOT_COMPLETE);
	cr_assert_eq(snap.seq_go_on, 4711);
	cr_assert(snapshot_next(&snap, &msg, &bytes));
	cr_assert_eq(msg[0], 'R', "directories are everybody's");
	cr_assert(snapshot_next(&snap, &msg, &bytes));
	cr_assert_eq(itch50_locate(msg), 3);
	cr_assert_not(snapshot_next(&snap, &msg, &bytes));
	cr_assert_eq(next_request(), FEED_REQUEST_CLOSE);
	cr_assert_eq(next_request(), FEED_REQUEST_NONE);
}

Test(snapshot, skips_and_counts_messages_that_are_none)
{
	logged_in();
	reply_soup(SOUP_SEQUENCED, "", 0);
	reply_soup(SOUP_SEQUENCED, "A", 1);
	reply_soup(SOUP_SEQUENCED, "?????", 5);
	cr_assert_eq(snap.state, SNAPSHOT_LOAD);
	cr_assert_eq(snap.n.snapshot_msg_bad, 3);
	cr_assert_eq(snap.stored, 0);
}

Test(snapshot, a_snapshot_larger_than_its_memory_is_none)
{
	logged_in();
	for (int i = 0; i < 6; i++)
		reply_message(an_add, 3);
	cr_assert_eq(snap.n.snapshot_full, 1);
	cr_assert_eq(snap.state, SNAPSHOT_WAIT);
}

Test(snapshot, every_failure_is_followed_by_a_longer_pause_until_no_attempt_is_left)
{
	static const uint64_t pause_ms[] = {10, 20, 40};

	snapshot_start(&snap, now_ns);
	for (uint32_t i = 0; i < 4; i++) {
		cr_assert_eq(next_request(), FEED_REQUEST_OPEN, "attempt %u", i);
		cr_assert_eq(request.ip, i % 2 ? 1 : 2);
		reply(FEED_REPLY_DOWN);
		if (i == 3)
			break;
		now_ns += pause_ms[i] * MS - 1;
		cr_assert_eq(next_request(), FEED_REQUEST_NONE);
		now_ns++;
	}
	cr_assert_eq(snap.state, SNAPSHOT_EXHAUSTED);
	now_ns += 100000 * MS;
	cr_assert_eq(next_request(), FEED_REQUEST_NONE);
	snapshot_stop(&snap);
	snapshot_start(&snap, now_ns);
	cr_assert_eq(next_request(), FEED_REQUEST_OPEN, "another session has attempts of its own");
}

Test(snapshot, silence_ends_every_state)
{
	for (uint32_t depth = 0; depth < 3; depth++) {
		snapshot_start(&snap, now_ns);
		cr_assert_eq(next_request(), FEED_REQUEST_OPEN);
		if (depth > 0)
			reply(FEED_REPLY_UP);
		if (depth > 0)
			cr_assert_eq(next_request(), FEED_REQUEST_BYTES);
		if (depth > 1)
			accepted();
		now_ns += 101 * MS;
		cr_assert_eq(next_request(), FEED_REQUEST_CLOSE, "depth %u", depth);
		cr_assert_eq(snap.state, SNAPSHOT_WAIT);
		snapshot_stop(&snap);
	}
}

Test(snapshot, keeps_the_connection_alive)
{
	logged_in();
	for (uint32_t i = 0; i < 30; i++) { /* three seconds */
		now_ns += 90 * MS;
		reply_soup(SOUP_SERVER_HEARTBEAT, NULL, 0);
		if (next_request() == FEED_REQUEST_BYTES)
			cr_assert_eq(request.data[2], SOUP_CLIENT_HEARTBEAT);
		cr_assert_eq(snap.state, SNAPSHOT_LOAD);
	}
	cr_assert_eq(snap.heartbeat_ns / MS, 3160 + 1000, "the second one was sent at 3160 ms");
}

Test(snapshot, rejections_ends_and_nonsense_end_the_attempt)
{
	static const enum soup_type type[] = {SOUP_REJECTED, SOUP_END, SOUP_ACCEPTED};

	for (uint32_t i = 0; i < GN_ARRAY_SIZE(type); i++) {
		logged_in();
		reply_soup(type[i], "A", 1);
		cr_assert_eq(snap.state, SNAPSHOT_WAIT, "type %c", type[i]);
		cr_assert_eq(next_request(), FEED_REQUEST_CLOSE);
		snapshot_stop(&snap);
	}
	logged_in();
	reply_as(snap.conn, FEED_REPLY_BYTES, "\0\0\0", 3);
	cr_assert_eq(snap.state, SNAPSHOT_WAIT);
}

Test(snapshot, what_belongs_to_an_earlier_connection_or_lies_about_its_length_is_ignored)
{
	struct feed_reply lie = {.kind = FEED_REPLY_DOWN, .bytes = 9};

	logged_in();
	reply_as(snap.conn - 1, FEED_REPLY_DOWN, NULL, 0);
	lie.conn = snap.conn;
	snapshot_reply(&snap, &lie, FEED_REPLY_HEAD_BYTES, now_ns);
	snapshot_reply(&snap, &lie, 3, now_ns);
	snapshot_reply(&snap, &lie, 0, now_ns);
	cr_assert_eq(snap.state, SNAPSHOT_LOAD);
}

Test(snapshot, survives_random_replies)
{
	uint64_t rng = random_seed();

	for (uint32_t i = 0; i < 100000; i++) {
		struct feed_reply r = {.kind = (uint8_t)random_below(&rng, 5), .bytes = (uint16_t)random_below(&rng, 80)};
		r.conn = snap.conn - (random_below(&rng, 8) == 0);
		for (uint32_t j = 0; j < 80; j++)
			r.data[j] = random_below(&rng, 3) ? (uint8_t)random_below(&rng, 3) : (uint8_t)"ASHRGZJ"[random_below(&rng, 7)];
		now_ns += random_below(&rng, 5 * MS);
		snapshot_start(&snap, now_ns);
		snapshot_reply(&snap, &r, (uint32_t)FEED_REPLY_HEAD_BYTES + (uint32_t)random_below(&rng, 90), now_ns);
		next_request();
		if (snap.state == SNAPSHOT_EXHAUSTED)
			snapshot_stop(&snap);
		cr_assert_leq(snap.stored, snap.cfg.bytes_max);
	}
}
