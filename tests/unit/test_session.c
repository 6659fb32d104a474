/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/gateway/session.h"
#include "dataplane/runtime/err.h"

#define MS UINT64_C(1000000)
#define SEC (1000 * MS)

static struct session s;
static uint64_t now;
static uint8_t sent[4096];
static uint32_t sent_bytes, n_connects, n_closes, n_aborts, endpoint, n_messages;
static bool connect_ok, send_ok;
static uint64_t last_seq, last_tsc;
static char last_message[64];

static bool fake_connect(void *arg, uint32_t to)
{
	(void)arg;
	n_connects++;
	endpoint = to;
	return connect_ok;
}

static bool fake_send(void *arg, const void *data, uint32_t bytes)
{
	(void)arg;
	if (!send_ok)
		return false;
	memcpy(sent + sent_bytes, data, bytes);
	sent_bytes += bytes;
	return true;
}

static void fake_close(void *arg)
{
	(void)arg;
	n_closes++;
}

static void fake_abort(void *arg)
{
	(void)arg;
	n_aborts++;
}

static void fake_message(void *arg, const uint8_t *msg, uint32_t bytes, uint64_t seq, uint64_t rx_tsc)
{
	(void)arg;
	n_messages++;
	last_seq = seq;
	last_tsc = rx_tsc;
	bytes = bytes < sizeof(last_message) - 1 ? bytes : (uint32_t)sizeof(last_message) - 1;
	memcpy(last_message, msg, bytes);
	last_message[bytes] = '\0';
}

static void fake_state(void *arg, enum session_state state, enum session_reason why)
{
	(void)arg;
	(void)state;
	(void)why;
}

static const struct session_ops ops = {fake_connect, fake_send, fake_close, fake_abort, fake_message, fake_state};
static struct session_config config;

static void given_a_session(void)
{
	now = 100 * SEC;
	connect_ok = true;
	send_ok = true;
	config = (struct session_config){.username = "GANNET", .password = "SECRET", .n_endpoints = 2};
	cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
}

static void when_time_passes(uint64_t ns)
{
	for (uint64_t end = now + ns; now < end;) {
		now += MS;
		session_poll(&s, now);
	}
}

static void when_received(const void *data, size_t bytes)
{
	session_turn(&s);
	session_on_bytes(&s, data, (uint32_t)bytes, now, 7);
	while (session_drain(&s, now))
		;
}

static void when_accepted(const char *name, uint64_t seq)
{
	struct soup_accepted a = {.seq = seq};
	uint8_t packet[SOUP_ACCEPTED_BYTES];

	memcpy(a.session, name, strlen(name));
	when_received(packet, soup_accepted_build(&a, packet));
}

static void when_packet(uint8_t type, const char *payload)
{
	uint8_t packet[256];

	when_received(packet, soup_build(packet, type, payload, (uint32_t)strlen(payload)));
}

static void given_login_sent(void)
{
	session_start(&s, now);
	session_poll(&s, now);
	session_on_up(&s, now);
	cr_assert_eq(s.state, SESSION_LOGIN_SENT);
}

static void given_active(void)
{
	given_login_sent();
	when_accepted("DAY1", 1);
	cr_assert_eq(s.state, SESSION_ACTIVE);
	sent_bytes = 0;
}

TestSuite(session, .init = given_a_session, .timeout = 20);

Test(session, refuses_a_config_without_endpoint_user_or_with_impatient_dead_time)
{
	struct session_config bad = config;

	bad.n_endpoints = 0;
	cr_assert_eq(session_init(&s, &bad, &ops, NULL), -EINVAL);
	bad.n_endpoints = SESSION_ENDPOINTS_MAX + 1;
	cr_assert_eq(session_init(&s, &bad, &ops, NULL), -EINVAL);
	bad = config;
	bad.username[0] = '\0';
	cr_assert_eq(session_init(&s, &bad, &ops, NULL), -EINVAL);
	bad = config;
	bad.dead_ns = bad.heartbeat_ns = SEC;
	cr_assert_eq(session_init(&s, &bad, &ops, NULL), -EINVAL);
	cr_assert(strstr(gn_err_text(), "dead-link"));
}

Test(session, does_nothing_before_it_is_started)
{
	when_time_passes(20 * SEC);
	when_received("\0\1H", 3);
	session_on_up(&s, now);
	session_on_down(&s, 0, now);
	cr_assert_eq(s.state, SESSION_IDLE);
	cr_assert_eq(n_connects + sent_bytes, 0);
}

Test(session, logs_in_from_the_first_message_of_the_current_session)
{
	struct soup_packet p = {.type = SOUP_LOGIN, .bytes = SOUP_LOGIN_BYTES - SOUP_HEAD_BYTES, .payload = sent + SOUP_HEAD_BYTES};
	struct soup_login login;

	given_login_sent();
	cr_assert_eq(sent_bytes, SOUP_LOGIN_BYTES);
	cr_assert(soup_login_parse(&p, &login));
	cr_assert_str_eq(login.username, "GANNET");
	cr_assert_str_eq(login.password, "SECRET");
	cr_assert_str_eq(login.session, "");
	cr_assert_eq(login.seq, 1);
}

Test(session, counts_sequenced_messages_and_no_others)
{
	given_active();
	when_packet(SOUP_SEQUENCED, "one");
	when_packet(SOUP_SERVER_HEARTBEAT, "");
	when_packet(SOUP_DEBUG, "words");
	when_packet(SOUP_UNSEQUENCED, "free");
	cr_assert_eq(last_seq, 0);
	when_packet('?', "unknown");
	when_packet(SOUP_SEQUENCED, "two");
	cr_assert_eq(last_seq, 2);
	cr_assert_eq(last_tsc, 7);
	cr_assert_str_eq(last_message, "two");
	cr_assert_eq(n_messages, 3);
	cr_assert_eq(s.n.unknown, 1);
	cr_assert_eq(s.n.debug, 1);
	cr_assert_eq(s.seq_next, 3);
}

Test(session, reads_packets_split_at_every_byte_and_merged)
{
	static uint8_t stream[4096];
	uint32_t bytes = 0;
	char text[16];

	given_active();
	for (int i = 1; i <= 100; i++) {
		snprintf(text, sizeof(text), "m%d", i);
		bytes += soup_build(stream + bytes, SOUP_SEQUENCED, text, (uint32_t)strlen(text));
	}
	for (uint32_t i = 0; i < bytes; i++)
		when_received(stream + i, 1);
	cr_assert_eq(n_messages, 100);
	when_received(stream, bytes);
	cr_assert_eq(n_messages, 200);
	cr_assert_str_eq(last_message, "m100");
}

Test(session, handles_one_slice_a_turn_and_keeps_the_rest)
{
	static uint8_t stream[SESSION_BACKLOG_BYTES];
	uint32_t n = sizeof(stream) / 5;

	given_active();
	for (uint32_t i = 0; i < n; i++)
		soup_build(stream + 5 * i, SOUP_SEQUENCED, "xy", 2);
	session_turn(&s);
	session_on_bytes(&s, stream, 1000, now, 7);
	cr_assert_eq(n_messages, 200);
	session_on_bytes(&s, stream, 1000, now, 7);
	session_on_bytes(&s, stream, 5 * n - 1000, now, 7);
	cr_assert_eq(n_messages, 200, "a second segment in the same turn waits");
	cr_assert(session_drain(&s, now));
	cr_assert_leq(n_messages, 200 + SESSION_SLICE_MESSAGES);
	while (session_drain(&s, now))
		;
	cr_assert_eq(n_messages, 200 + n);
}

Test(session, drops_a_peer_that_sends_more_than_the_window)
{
	static uint8_t stream[SESSION_BACKLOG_BYTES + 1];

	given_active();
	session_on_bytes(&s, stream, sizeof(stream), now, 7);
	cr_assert_eq(s.state, SESSION_WAITING);
	cr_assert_eq(s.n.why[SESSION_WHY_BACKLOG], 1);
	cr_assert_eq(n_aborts, 1);
}

Test(session, hands_on_what_came_before_the_connection_closed)
{
	uint8_t stream[3 * 5];

	given_active();
	for (int i = 0; i < 3; i++)
		soup_build(stream + 5 * i, SOUP_SEQUENCED, "xy", 2);
	session_turn(&s);
	session_on_bytes(&s, stream, 5, now, 7);
	session_on_bytes(&s, stream + 5, 10, now, 7);
	session_on_down(&s, 0, now);
	cr_assert_eq(s.state, SESSION_ACTIVE);
	while (session_drain(&s, now))
		;
	cr_assert_eq(n_messages, 3);
	cr_assert_eq(s.state, SESSION_WAITING);
	cr_assert_eq(s.why, SESSION_WHY_PEER_CLOSED);
}

Test(session, resumes_at_the_next_message_on_the_other_endpoint)
{
	struct soup_packet p = {.type = SOUP_LOGIN, .bytes = SOUP_LOGIN_BYTES - SOUP_HEAD_BYTES, .payload = sent + SOUP_HEAD_BYTES};
	struct soup_login login;

	given_active();
	when_packet(SOUP_SEQUENCED, "one");
	session_on_down(&s, ECONNRESET, now);
	cr_assert_eq(s.why, SESSION_WHY_RESET);
	when_time_passes(200 * MS);
	cr_assert_eq(s.state, SESSION_CONNECTING);
	cr_assert_eq(endpoint, 1);
	session_on_up(&s, now);
	cr_assert(soup_login_parse(&p, &login));
	cr_assert_str_eq(login.session, "DAY1");
	cr_assert_eq(login.seq, 2);
	when_accepted("DAY1", 2);
	when_packet(SOUP_SEQUENCED, "two");
	cr_assert_eq(last_seq, 2);
}

Test(session, drops_duplicates_when_the_venue_replays_from_earlier)
{
	given_active();
	for (int i = 0; i < 4; i++)
		when_packet(SOUP_SEQUENCED, "xy");
	session_on_down(&s, 0, now);
	when_time_passes(200 * MS);
	session_on_up(&s, now);
	when_accepted("DAY1", 3);
	when_packet(SOUP_SEQUENCED, "three");
	when_packet(SOUP_SEQUENCED, "four");
	cr_assert_eq(n_messages, 4);
	when_packet(SOUP_SEQUENCED, "five");
	cr_assert_eq(n_messages, 5);
	cr_assert_eq(last_seq, 5);
	cr_assert_eq(s.n.duplicates, 2);
}

Test(session, gives_up_on_a_gap_that_cannot_be_filled)
{
	given_login_sent();
	when_accepted("DAY1", 2);
	cr_assert_eq(s.state, SESSION_FAILED);
	cr_assert_eq(s.why, SESSION_WHY_GAP);
	when_time_passes(60 * SEC);
	cr_assert_eq(n_connects, 1);
}

Test(session, gives_up_when_it_lands_in_another_session)
{
	given_active();
	session_on_down(&s, 0, now);
	when_time_passes(200 * MS);
	session_on_up(&s, now);
	when_accepted("DAY2", 1);
	cr_assert_eq(s.state, SESSION_FAILED);
	cr_assert_eq(s.why, SESSION_WHY_OTHER_SESSION);
}

Test(session, gives_up_when_not_authorised_but_tries_again_when_not_available)
{
	uint8_t packet[SOUP_REJECTED_BYTES];

	given_login_sent();
	when_received(packet, soup_rejected_build(SOUP_REJECT_NO_SESSION, packet));
	cr_assert_eq(s.state, SESSION_WAITING);
	when_time_passes(200 * MS);
	cr_assert_eq(endpoint, 1);
	session_on_up(&s, now);
	when_received(packet, soup_rejected_build(SOUP_REJECT_NOT_AUTHORISED, packet));
	cr_assert_eq(s.state, SESSION_FAILED);
	cr_assert(session_over(&s));
}

Test(session, closes_on_malformed_and_on_unexpected_packets)
{
	given_active();
	when_received("\0\0", 2);
	cr_assert_eq(s.n.why[SESSION_WHY_MALFORMED], 1);
	cr_assert_eq(s.state, SESSION_WAITING);
	when_time_passes(200 * MS);
	session_on_up(&s, now);
	when_packet(SOUP_SEQUENCED, "before the login reply");
	cr_assert_eq(s.n.why[SESSION_WHY_UNEXPECTED], 1);
	cr_assert_eq(n_messages, 0);
	when_time_passes(400 * MS);
	session_on_up(&s, now);
	when_packet(SOUP_ACCEPTED, "short");
	cr_assert_eq(s.n.why[SESSION_WHY_MALFORMED], 2);
}

Test(session, closes_on_a_second_login_reply)
{
	given_active();
	when_accepted("DAY1", 1);
	cr_assert_eq(s.n.why[SESSION_WHY_UNEXPECTED], 1);
	cr_assert_eq(s.state, SESSION_WAITING);
}

Test(session, times_out_a_login_reply_that_never_comes)
{
	given_login_sent();
	when_time_passes(4999 * MS);
	cr_assert_eq(s.state, SESSION_LOGIN_SENT);
	when_time_passes(2 * MS);
	cr_assert_eq(s.state, SESSION_WAITING);
	cr_assert_eq(s.why, SESSION_WHY_LOGIN_TIMEOUT);
	cr_assert_eq(n_aborts, 1);
}

Test(session, times_out_a_connection_that_never_comes_up)
{
	session_start(&s, now);
	when_time_passes(3002 * MS);
	cr_assert_eq(s.why, SESSION_WHY_CONNECT_TIMEOUT);
	cr_assert_eq(s.state, SESSION_WAITING);
}

Test(session, backs_off_exponentially_and_gives_up_at_its_budget)
{
	uint64_t pauses = 0;

	connect_ok = false;
	session_start(&s, now);
	for (uint64_t last = now; s.state != SESSION_FAILED; last = now) {
		uint32_t before = n_connects;
		while (n_connects == before && s.state != SESSION_FAILED)
			when_time_passes(MS);
		cr_assert_leq(now - last, 10 * SEC + MS);
		pauses += now - last;
	}
	cr_assert_eq(n_connects, 20);
	cr_assert_eq(s.why, SESSION_WHY_BUDGET);
	cr_assert_gt(pauses, 60 * SEC);
	when_time_passes(60 * SEC);
	cr_assert_eq(n_connects, 20);
}

Test(session, flapping_counts_against_the_budget_and_stability_forgives)
{
	session_start(&s, now);
	for (int i = 0; i < 10; i++) {
		while (s.state != SESSION_CONNECTING)
			when_time_passes(MS);
		session_on_up(&s, now);
		when_accepted("DAY1", 1);
		session_on_down(&s, 0, now);
	}
	cr_assert_eq(s.tries, 10);
	while (s.state != SESSION_CONNECTING)
		when_time_passes(MS);
	session_on_up(&s, now);
	when_accepted("DAY1", 1);
	for (int i = 0; i < 11; i++) {
		when_time_passes(SEC);
		when_packet(SOUP_SERVER_HEARTBEAT, "");
	}
	session_on_down(&s, 0, now);
	cr_assert_eq(s.tries, 0);
}

Test(session, sends_heartbeats_when_it_has_sent_nothing_else)
{
	given_active();
	when_time_passes(1001 * MS);
	cr_assert_eq(sent_bytes, 3);
	cr_assert_arr_eq(sent, "\0\1R", 3);
	for (int i = 0; i < 20; i++) {
		when_time_passes(500 * MS);
		session_sent(&s, now);
	}
	cr_assert_eq(sent_bytes, 3);
	cr_assert_eq(s.n.heartbeats_out, 1);
}

Test(session, declares_a_silent_link_dead_and_a_heartbeat_keeps_it)
{
	given_active();
	when_time_passes(14 * SEC);
	when_packet(SOUP_SERVER_HEARTBEAT, "");
	when_time_passes(14 * SEC);
	cr_assert_eq(s.state, SESSION_ACTIVE);
	when_time_passes(1001 * MS);
	cr_assert_eq(s.state, SESSION_WAITING);
	cr_assert_eq(s.why, SESSION_WHY_SILENT);
}

Test(session, ends_with_the_venues_end_of_session)
{
	given_active();
	when_packet(SOUP_END, "");
	cr_assert_eq(s.state, SESSION_CLOSING);
	cr_assert_eq(n_closes, 1);
	when_packet(SOUP_SEQUENCED, "too late");
	cr_assert_eq(n_messages, 0);
	session_on_down(&s, 0, now);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(s.why, SESSION_WHY_END);
	when_time_passes(60 * SEC);
	cr_assert_eq(n_connects, 1);
}

Test(session, logs_out_and_still_hears_what_the_venue_had_said)
{
	given_active();
	session_logout(&s, now);
	cr_assert_arr_eq(sent, "\0\1O", 3);
	when_packet(SOUP_SEQUENCED, "last words");
	cr_assert_eq(n_messages, 1);
	session_on_down(&s, 0, now);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(s.n.why[SESSION_WHY_LOGOUT], 1);
}

Test(session, does_not_wait_for_ever_for_the_connection_to_close)
{
	given_active();
	session_logout(&s, now);
	when_time_passes(2002 * MS);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(n_aborts, 1);
}

Test(session, logout_ends_every_other_state_at_once)
{
	session_logout(&s, now);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
	session_start(&s, now);
	session_logout(&s, now);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
	given_login_sent();
	session_logout(&s, now);
	cr_assert_eq(s.state, SESSION_ENDED);
	cr_assert_eq(n_aborts, 1);
	session_start(&s, now);
	when_time_passes(20 * SEC);
	cr_assert_eq(n_connects, 1);
}

Test(session, survives_random_bytes_in_every_state)
{
	const char *env = getenv("GANNET_SEED");
	unsigned seed = env ? (unsigned)atoi(env) : 1;
	uint8_t noise[300];

	srandom(seed);
	config.tries_max = 100000;
	cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
	session_start(&s, now);
	for (int i = 0; i < 3000; i++) {
		if (s.state == SESSION_CONNECTING)
			session_on_up(&s, now);
		if (s.state == SESSION_LOGIN_SENT && random() % 2)
			when_accepted("DAY1", 1);
		size_t bytes = (size_t)random() % sizeof(noise);
		for (size_t b = 0; b < bytes; b++)
			noise[b] = (uint8_t)(random() % 4 ? random() : random() % 3);
		when_received(noise, bytes);
		when_time_passes(20 * MS);
		sent_bytes = 0;
		cr_assert(s.state == SESSION_FAILED || s.state >= SESSION_WAITING, "seed %u, step %d", seed, i);
		if (session_over(&s)) {
			cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
			session_start(&s, now);
		}
	}
	cr_assert_gt(s.n.why[SESSION_WHY_MALFORMED] + s.n.unknown + s.n.why[SESSION_WHY_UNEXPECTED], 0, "seed %u", seed);
}

static void given_a_probe(void)
{
	given_a_session();
	config.probe = true;
	cr_assert_eq(session_init(&s, &config, &ops, NULL), 0);
}

Test(session, a_probe_learns_where_the_stream_ends_and_begins_anew, .init = given_a_probe)
{
	struct soup_login login;
	struct soup_packet p = {.type = SOUP_LOGIN, .payload = sent + SOUP_HEAD_BYTES, .bytes = SOUP_LOGIN_BYTES - SOUP_HEAD_BYTES};

	given_login_sent();
	cr_assert(soup_login_parse(&p, &login));
	cr_assert_eq(login.seq, 0);
	sent_bytes = 0;
	when_accepted("DAY1", 500);
	cr_assert_eq(s.seq_end, 500);
	cr_assert_eq(s.state, SESSION_WAITING);
	cr_assert_eq(s.why, SESSION_WHY_PROBED);
	cr_assert_eq(sent[2], SOUP_LOGOUT);
	cr_assert_eq(n_aborts, 1);
	sent_bytes = 0;
	session_poll(&s, now);
	cr_assert_eq(n_connects, 2);
	cr_assert_eq(endpoint, 0, "the same one");
	cr_assert_eq(s.tries, 1, "it was no failure");
	session_on_up(&s, now);
	cr_assert(soup_login_parse(&p, &login));
	cr_assert_eq(login.seq, 1);
	when_accepted("DAY1", 1);
	cr_assert_eq(s.state, SESSION_ACTIVE);
	cr_assert_eq(s.seq_next, 1);
}

Test(session, a_probe_that_fails_is_made_again, .init = given_a_probe)
{
	given_login_sent();
	session_on_down(&s, ECONNRESET, now);
	when_time_passes(SEC);
	cr_assert_eq(endpoint, 1, "at the backup");
	session_on_up(&s, now);
	cr_assert(s.probing);
	when_accepted("DAY1", 7);
	cr_assert_eq(s.seq_end, 7);
	session_poll(&s, now);
	session_on_up(&s, now);
	when_accepted("DAY1", 1);
	session_on_down(&s, 0, now);
	when_time_passes(SEC);
	cr_assert_not(s.probing, "once an engine's life");
}
