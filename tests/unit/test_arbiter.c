/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/feed/arbiter.h"
#include "tests/sim/random.h"

#define HOLD 8u

static struct arbiter arbiter;
static struct moldudp64_reader reader;
static uint8_t payload[4096];
static uint32_t payload_bytes;
static uint64_t now_ns;

static void given(struct arbiter_config config)
{
	config.hold_datagrams = config.hold_datagrams ? config.hold_datagrams : HOLD;
	config.seq_first = config.seq_first ? config.seq_first : 1;
	config.n_lines = config.n_lines ? config.n_lines : 2;
	config.silence_ns = 1000;
	cr_assert_eq(arbiter_init(&arbiter, &config), 0);
}

static void given_two_lines(void)
{
	given((struct arbiter_config){0});
}

static void fini(void)
{
	arbiter_fini(&arbiter);
}

/* A datagram of n messages "m<seq>" from seq on. */
static void write_datagram(const char *session, uint64_t seq, uint32_t n)
{
	struct moldudp64_session s = moldudp64_session_from(session);
	struct moldudp64_writer w;
	char text[24];

	moldudp64_begin(&w, payload, sizeof(payload), &s, seq);
	for (uint32_t i = 0; i < n; i++) {
		int bytes = snprintf(text, sizeof(text), "m%llu", (unsigned long long)(seq + i));
		cr_assert(moldudp64_append(&w, text, (uint32_t)bytes));
	}
	payload_bytes = moldudp64_close(&w);
}

static enum arbiter_verdict take(uint32_t line)
{
	struct arbiter_in in = {.payload = payload, .bytes = payload_bytes, .line = line, .now_ns = now_ns, .tag = now_ns};

	return arbiter_accept(&arbiter, &in, &reader);
}

static enum arbiter_verdict take_messages(uint32_t line, uint64_t seq, uint32_t n)
{
	write_datagram("S", seq, n);
	return take(line);
}

static enum arbiter_verdict take_heartbeat(uint32_t line, uint64_t seq)
{
	struct moldudp64_session s = moldudp64_session_from("S");

	payload_bytes = moldudp64_heartbeat(payload, &s, seq);
	return take(line);
}

static enum arbiter_verdict take_end(uint32_t line, uint64_t seq)
{
	struct moldudp64_session s = moldudp64_session_from("S");

	payload_bytes = moldudp64_end(payload, &s, seq);
	return take(line);
}

/* The reader holds exactly the messages [seq, seq_end). */
static void expect_messages(uint64_t seq, uint64_t seq_end)
{
	const uint8_t *msg;
	uint32_t bytes;
	char text[24];

	for (; moldudp64_next(&reader, &msg, &bytes) == MOLDUDP64_BLOCK; seq++) {
		int want = snprintf(text, sizeof(text), "m%llu", (unsigned long long)seq);
		cr_assert_eq(bytes, (uint32_t)want);
		cr_assert_eq(memcmp(msg, text, bytes), 0);
	}
	cr_assert_eq(seq, seq_end);
}

TestSuite(arbiter, .init = given_two_lines, .fini = fini, .timeout = 20);

Test(arbiter, refuses_a_configuration_out_of_bounds)
{
	struct arbiter a;

	cr_assert_lt(arbiter_init(&a, &(struct arbiter_config){0}), 0);
	cr_assert_lt(arbiter_init(&a, &(struct arbiter_config){.n_lines = 9, .hold_datagrams = 1, .seq_first = 1}), 0);
	cr_assert_lt(arbiter_init(&a, &(struct arbiter_config){.n_lines = 1, .hold_datagrams = 0, .seq_first = 1}), 0);
	cr_assert_lt(arbiter_init(&a, &(struct arbiter_config){.n_lines = 1, .hold_datagrams = 1, .seq_first = 0}), 0);
}

Test(arbiter, drops_what_is_no_datagram)
{
	memset(payload, 0, sizeof(payload));
	for (payload_bytes = 0; payload_bytes < 64; payload_bytes++)
		cr_assert_eq(take(0), ARBITER_BAD);
	cr_assert_eq(arbiter.n.bad, 64);
	cr_assert_eq(arbiter.line[0].n_bad, 64);
	cr_assert_eq(arbiter.seq_next, 1);
}

Test(arbiter, drops_a_line_that_does_not_exist)
{
	write_datagram("S", 1, 1);
	cr_assert_eq(take(2), ARBITER_BAD);
	cr_assert_eq(take(UINT16_MAX), ARBITER_BAD);
	cr_assert_eq(arbiter.seq_next, 1);
}

Test(arbiter, drops_every_truncation_as_a_whole)
{
	write_datagram("S", 1, 3);
	for (uint32_t whole = payload_bytes; payload_bytes > 0; ) {
		payload_bytes--;
		cr_assert_eq(take(0), ARBITER_BAD, "cut to %u of %u", payload_bytes, whole);
	}
	cr_assert_eq(arbiter.seq_next, 1);
	cr_assert_eq(take_messages(1, 1, 3), ARBITER_RUN);
}

Test(arbiter, drops_trailing_bytes)
{
	write_datagram("S", 1, 3);
	payload_bytes++;
	cr_assert_eq(take(0), ARBITER_BAD);
	take_heartbeat(0, 1);
	payload_bytes++;
	cr_assert_eq(take(0), ARBITER_BAD);
}

Test(arbiter, drops_sequence_zero)
{
	cr_assert_eq(take_messages(0, 0, 2), ARBITER_BAD);
	cr_assert_eq(take_heartbeat(0, 0), ARBITER_BAD);
	cr_assert_eq(arbiter.seq_next, 1);
}

Test(arbiter, drops_messages_past_the_last_sequence_number)
{
	cr_assert_eq(take_messages(0, UINT64_MAX, 1), ARBITER_BAD);
	cr_assert_eq(take_messages(0, UINT64_MAX - 1, 2), ARBITER_BAD);
}

Test(arbiter, runs_up_to_the_last_sequence_number)
{
	fini();
	given((struct arbiter_config){.seq_first = UINT64_MAX - 3});
	cr_assert_eq(take_messages(0, UINT64_MAX - 2, 2), ARBITER_HELD);
	cr_assert_eq(take_messages(0, UINT64_MAX - 3, 1), ARBITER_RUN);
	expect_messages(UINT64_MAX - 3, UINT64_MAX - 2);
	uint64_t tag;
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(UINT64_MAX - 2, UINT64_MAX);
	cr_assert_eq(take_messages(1, UINT64_MAX - 2, 2), ARBITER_DUPLICATE);
	struct arbiter_gap gap;
	cr_assert_not(arbiter_gap(&arbiter, &gap));
}

Test(arbiter, hands_out_the_first_copy_only)
{
	cr_assert_eq(take_messages(0, 1, 3), ARBITER_RUN);
	expect_messages(1, 4);
	cr_assert_eq(take_messages(1, 1, 3), ARBITER_DUPLICATE);
	cr_assert_eq(take_messages(0, 1, 3), ARBITER_DUPLICATE);
	cr_assert_eq(take_messages(1, 4, 1), ARBITER_RUN);
	expect_messages(4, 5);
}

Test(arbiter, skips_the_known_part_of_an_overlapping_datagram)
{
	take_messages(0, 1, 3);
	cr_assert_eq(take_messages(1, 2, 5), ARBITER_RUN);
	expect_messages(4, 7);
	cr_assert_eq(arbiter.seq_next, 7);
}

Test(arbiter, counts_an_empty_message)
{
	struct moldudp64_session s = moldudp64_session_from("S");
	struct moldudp64_writer w;

	moldudp64_begin(&w, payload, sizeof(payload), &s, 1);
	for (int i = 0; i < 3; i++)
		cr_assert(moldudp64_append(&w, "", 0));
	payload_bytes = moldudp64_close(&w);
	cr_assert_eq(take(0), ARBITER_RUN);
	cr_assert_eq(arbiter.seq_next, 4);
}

Test(arbiter, holds_what_comes_early_until_the_other_line_fills_the_hole)
{
	uint64_t tag;
	struct arbiter_gap gap;

	take_messages(0, 1, 1);
	now_ns = 5;
	cr_assert_eq(take_messages(0, 5, 2), ARBITER_HELD);
	cr_assert_eq(take_messages(0, 3, 2), ARBITER_HELD);
	cr_assert_not(arbiter_release(&arbiter, &reader, &tag));
	cr_assert(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(gap.from, 2);
	cr_assert_eq(gap.to, 3);
	cr_assert_eq(gap.since_ns, 5);
	now_ns = 9;
	cr_assert_eq(take_messages(1, 1, 2), ARBITER_RUN);
	expect_messages(2, 3);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	cr_assert_eq(tag, 5);
	expect_messages(3, 5);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(5, 7);
	cr_assert_not(arbiter_release(&arbiter, &reader, &tag));
	cr_assert_not(arbiter_gap(&arbiter, &gap));
}

Test(arbiter, releases_only_the_new_part_of_held_datagrams_that_overlap)
{
	uint64_t tag;

	take_messages(0, 3, 3);
	take_messages(1, 4, 4);
	take_messages(1, 3, 1);
	take_messages(0, 1, 3);
	expect_messages(1, 4);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(4, 6);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(6, 8);
	cr_assert_not(arbiter_release(&arbiter, &reader, &tag));
	cr_assert_eq(arbiter.hold.n, 0);
}

Test(arbiter, the_longer_of_two_that_begin_alike_is_held)
{
	uint64_t tag;

	cr_assert_eq(take_messages(0, 2, 1), ARBITER_HELD);
	cr_assert_eq(take_messages(1, 2, 3), ARBITER_HELD);
	cr_assert_eq(take_messages(0, 2, 2), ARBITER_DUPLICATE);
	cr_assert_eq(arbiter.hold.n, 1);
	take_messages(0, 1, 1);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(2, 5);
}

Test(arbiter, refuses_to_hold_more_than_it_has_room_for)
{
	for (uint32_t i = 0; i < HOLD; i++)
		cr_assert_eq(take_messages(0, 3 + 2 * i, 1), ARBITER_HELD);
	cr_assert(arbiter_pressed(&arbiter));
	cr_assert_eq(take_messages(0, 3 + 2 * HOLD, 1), ARBITER_FULL);
	cr_assert_eq(take_messages(0, 3, 1), ARBITER_DUPLICATE);
	cr_assert_eq(arbiter.n.full, 1);
}

Test(arbiter, refuses_to_hold_a_datagram_longer_than_a_slot)
{
	write_datagram("S", 2, 1);
	struct moldudp64_session s = moldudp64_session_from("S");
	struct moldudp64_writer w;
	moldudp64_begin(&w, payload, sizeof(payload), &s, 2);
	cr_assert_not_null(memset(moldudp64_claim(&w, 3000), 0, 3000));
	payload_bytes = moldudp64_close(&w);
	cr_assert_eq(take(0), ARBITER_FULL);
	cr_assert_eq(arbiter.hold.n, 0);
}

Test(arbiter, gives_up_a_gap_and_goes_on_after_it)
{
	struct arbiter_gap gap;
	uint64_t tag;

	take_messages(0, 1, 1);
	take_messages(0, 4, 2);
	cr_assert(arbiter_gap(&arbiter, &gap));
	arbiter_give_up(&arbiter, &gap);
	cr_assert_eq(arbiter.n.given_up, 2);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(4, 6);
	cr_assert_eq(take_messages(1, 2, 2), ARBITER_DUPLICATE);
}

Test(arbiter, hands_back_late_messages_that_the_caller_still_wants)
{
	struct arbiter_gap gap;

	take_messages(0, 1, 1);
	take_messages(0, 4, 2);
	arbiter_gap(&arbiter, &gap);
	arbiter_give_up(&arbiter, &gap);
	arbiter.late_from = 2;
	arbiter.late_to = 4;
	cr_assert_eq(take_messages(1, 1, 1), ARBITER_DUPLICATE);
	cr_assert_eq(take_messages(1, 2, 2), ARBITER_LATE);
	expect_messages(2, 4);
	payload_bytes--;
	cr_assert_eq(take(1), ARBITER_BAD);
	cr_assert_eq(take_messages(1, 4, 2), ARBITER_RUN);
	uint64_t tag;
	cr_assert_not(arbiter_release(&arbiter, &reader, &tag), "the held copy came second");
}

Test(arbiter, a_heartbeat_reveals_a_gap)
{
	struct arbiter_gap gap;

	take_messages(0, 1, 2);
	now_ns = 7;
	cr_assert_eq(take_heartbeat(0, 3), ARBITER_IDLE);
	cr_assert_not(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(take_heartbeat(1, 5), ARBITER_IDLE);
	now_ns = 8;
	take_heartbeat(0, 5);
	cr_assert(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(gap.from, 3);
	cr_assert_eq(gap.to, 5);
	cr_assert_eq(gap.since_ns, 7);
	cr_assert_eq(take_messages(1, 3, 2), ARBITER_RUN);
	cr_assert_not(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(take_heartbeat(1, 2), ARBITER_IDLE, "an old heartbeat changes nothing");
	cr_assert_eq(arbiter.seq_next, 5);
}

Test(arbiter, the_clock_of_a_gap_does_not_start_again_with_what_comes_within_it)
{
	struct arbiter_gap gap;

	now_ns = 10;
	take_messages(0, 9, 1);
	now_ns = 20;
	take_messages(0, 5, 1);
	cr_assert(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(gap.since_ns, 10);
	cr_assert_eq(gap.to, 5);
}

Test(arbiter, the_session_is_over_when_its_last_message_was_handed_out)
{
	take_messages(0, 1, 1);
	cr_assert_eq(take_end(0, 3), ARBITER_IDLE);
	cr_assert_not(arbiter_over(&arbiter));
	take_messages(1, 2, 1);
	cr_assert(arbiter_over(&arbiter));
	cr_assert_eq(take_messages(1, 3, 1), ARBITER_RUN, "a venue that goes on after the end is believed");
	cr_assert_not(arbiter_over(&arbiter));
}

Test(arbiter, a_configured_session_is_the_only_one)
{
	fini();
	given((struct arbiter_config){.session = moldudp64_session_from("MINE")});
	for (int i = 0; i < 3; i++) {
		write_datagram("OTHER", 1, 1);
		cr_assert_eq(take(0), ARBITER_BAD);
	}
	cr_assert_eq(arbiter.n.other_session, 3);
	write_datagram("MINE", 1, 1);
	cr_assert_eq(take(0), ARBITER_RUN);
}

static void change_session(uint32_t line)
{
	struct arbiter_in in = {.payload = payload, .bytes = payload_bytes, .line = line, .now_ns = now_ns};

	cr_assert_eq(take(line), ARBITER_SESSION);
	arbiter_session_begin(&arbiter, &in);
}

Test(arbiter, another_session_is_believed_the_second_time_and_loses_nothing)
{
	uint64_t tag;

	take_messages(0, 1, 5);
	write_datagram("T", 1, 2);
	cr_assert_eq(take(0), ARBITER_DOUBTFUL);
	cr_assert_eq(take_messages(1, 6, 1), ARBITER_RUN, "the old one goes on meanwhile");
	write_datagram("T", 3, 1);
	change_session(0);
	cr_assert_eq(take(0), ARBITER_HELD);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(1, 3);
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(3, 4);
}

Test(arbiter, stragglers_of_the_past_session_do_not_bring_it_back)
{
	take_messages(0, 1, 5);
	write_datagram("T", 1, 1);
	take(0);
	change_session(1);
	for (int i = 0; i < 3; i++)
		cr_assert_eq(take_messages(1, 6, 1), ARBITER_BAD);
	cr_assert_eq(arbiter.n.past_session, 3);
	write_datagram("T", 2, 1);
	cr_assert_neq(take(0), ARBITER_BAD);
}

Test(arbiter, after_the_end_another_session_is_believed_at_once)
{
	take_messages(0, 1, 1);
	take_end(0, 2);
	write_datagram("T", 1, 2);
	change_session(0);
	cr_assert_eq(take(0), ARBITER_RUN);
	expect_messages(1, 3);
}

Test(arbiter, holds_everything_while_paused)
{
	uint64_t tag;

	arbiter.paused = true;
	cr_assert_eq(take_messages(0, 1, 1), ARBITER_HELD);
	cr_assert_eq(take_messages(1, 1, 1), ARBITER_DUPLICATE);
	cr_assert_not(arbiter_release(&arbiter, &reader, &tag));
	arbiter.paused = false;
	cr_assert(arbiter_release(&arbiter, &reader, &tag));
	expect_messages(1, 2);
}

Test(arbiter, one_stray_number_far_ahead_does_not_end_the_feed)
{
	struct arbiter_gap gap;

	take_messages(0, 1, 1);
	cr_assert_eq(take_messages(0, UINT64_MAX - 9, 1), ARBITER_DOUBTFUL);
	cr_assert_eq(take_messages(0, UINT64_MAX - 9, 1), ARBITER_DOUBTFUL, "the same datagram twice proves nothing");
	cr_assert_eq(take_heartbeat(1, UINT64_C(1) << 40), ARBITER_DOUBTFUL);
	cr_assert_not(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(take_messages(0, 2, 1), ARBITER_RUN);
}

Test(arbiter, two_numbers_far_ahead_that_agree_are_a_start_in_mid_day)
{
	struct arbiter_gap gap;

	cr_assert_eq(take_messages(0, 500000000, 2), ARBITER_DOUBTFUL);
	cr_assert_eq(take_messages(1, 500000000, 2), ARBITER_HELD);
	cr_assert(arbiter_gap(&arbiter, &gap));
	cr_assert_eq(gap.from, 1);
	cr_assert_eq(gap.to, 500000000);
}

Test(arbiter, the_scorecard_tells_who_won_and_by_how_much)
{
	for (uint64_t seq = 1; seq <= 100; seq++) {
		now_ns = seq * 1000;
		take_messages(seq % 4 == 0, seq, 1);
		now_ns += 100;
		take_messages(seq % 4 != 0, seq, 1);
	}
	cr_assert_eq(arbiter.line[0].n_wins, 75);
	cr_assert_eq(arbiter.line[1].n_wins, 25);
	cr_assert_eq(arbiter.line[0].n_duplicates, 25);
	cr_assert_eq(arbiter.line[0].lead.n, 75);
	cr_assert_eq(lead_percentile(&arbiter.line[0].lead, 500), 100);
	cr_assert_eq(arbiter.line[0].lead.max_ns, 100);
	cr_assert_eq(arbiter.line[0].n_lost + arbiter.line[1].n_lost, 0);
}

Test(arbiter, the_scorecard_tells_lost_from_late_from_repeated)
{
	take_messages(0, 1, 2);
	take_messages(1, 1, 2);
	take_messages(1, 5, 1); /* 3 and 4 are missing on line 1 */
	cr_assert_eq(arbiter.line[1].n_lost, 2);
	take_messages(1, 1, 2); /* repeated: not late */
	cr_assert_eq(arbiter.line[1].n_lost, 2);
	cr_assert_eq(arbiter.line[1].n_late, 0);
	take_messages(1, 4, 1);
	cr_assert_eq(arbiter.line[1].n_lost, 1);
	cr_assert_eq(arbiter.line[1].n_late, 1);
	take_messages(1, 3, 1);
	cr_assert_eq(arbiter.line[1].n_lost, 0);
	cr_assert_eq(arbiter.line[0].n_lost, 0);
}

Test(arbiter, a_line_falls_silent_once_and_comes_back)
{
	now_ns = 10;
	take_messages(0, 1, 1);
	arbiter_watch(&arbiter, 1010);
	cr_assert_not(arbiter.line[0].silent);
	arbiter_watch(&arbiter, 1011);
	arbiter_watch(&arbiter, 5000);
	cr_assert(arbiter.line[0].silent);
	cr_assert_eq(arbiter.line[0].n_silences, 1);
	now_ns = 5001;
	take_heartbeat(0, 2);
	arbiter_watch(&arbiter, 5002);
	cr_assert_not(arbiter.line[0].silent);
	cr_assert_eq(arbiter.line[1].n_silences, 1);
}

Test(arbiter, a_line_of_answers_cannot_lose_or_fall_silent)
{
	fini();
	given((struct arbiter_config){.reply_lines = 2});
	take_messages(1, 5, 1);
	take_messages(1, 9, 1);
	arbiter_watch(&arbiter, 100000);
	cr_assert_eq(arbiter.line[1].n_lost, 0);
	cr_assert_not(arbiter.line[1].silent);
	cr_assert(arbiter.line[0].silent);
}

Test(arbiter, a_lead_lies_in_a_bucket_that_is_at_most_an_eighth_too_wide)
{
	for (uint64_t ns = 0; ns < UINT64_C(1) << 33; ns = ns * 9 / 8 + 1) {
		struct lead_histogram h = {0};
		lead_count(&h, ns);
		h.max_ns = UINT64_MAX; /* which would hide the bucket's upper end */
		uint64_t p50 = lead_percentile(&h, 500);
		cr_assert(p50 >= ns && p50 <= ns + ns / 8, "%llu ns is shown as %llu", (unsigned long long)ns,
			(unsigned long long)p50);
	}
}

Test(arbiter, survives_random_bytes)
{
	uint64_t seed = random_seed(), rng = seed;

	for (uint32_t i = 0; i < 200000; i++) {
		payload_bytes = (uint32_t)random_below(&rng, 80);
		for (uint32_t j = 0; j < payload_bytes; j += 8) {
			uint64_t v = random_next(&rng);
			memcpy(payload + j, &v, sizeof(v));
		}
		if (random_below(&rng, 2)) { /* half of them look like ours */
			memset(payload, 0, 19);
			payload[17] = (uint8_t)random_below(&rng, 4);
			payload[19] = (uint8_t)random_below(&rng, 4);
		}
		uint64_t next = arbiter.seq_next, tag;
		struct arbiter_gap gap;
		enum arbiter_verdict v = take((uint32_t)random_below(&rng, 3));
		const uint8_t *msg;
		uint32_t bytes;
		if (v == ARBITER_SESSION)
			arbiter_session_begin(&arbiter, &(struct arbiter_in){.payload = payload, .bytes = payload_bytes});
		else
			cr_assert_geq(arbiter.seq_next, next, "seed %llu", (unsigned long long)seed);
		while (v == ARBITER_RUN && moldudp64_next(&reader, &msg, &bytes) == MOLDUDP64_BLOCK)
			cr_assert(msg >= payload && msg + bytes <= payload + payload_bytes, "seed %llu", (unsigned long long)seed);
		while (arbiter_release(&arbiter, &reader, &tag)) { }
		if (arbiter_gap(&arbiter, &gap) && random_below(&rng, 4) == 0)
			arbiter_give_up(&arbiter, &gap);
	}
}

/* The random test below: a stream, cut into datagrams differently on each line, lost, repeated and out of order. */
#define STREAM 3000u

struct flight {
	uint64_t seq, at_ns;
	uint32_t n, line;
};

static struct flight flight[8 * STREAM];
static uint32_t n_flights;

static int by_arrival(const void *a, const void *b)
{
	const struct flight *x = a, *y = b;

	return x->at_ns < y->at_ns ? -1 : x->at_ns > y->at_ns;
}

static void fly(uint64_t *rng, uint32_t line, uint64_t seq, uint32_t n)
{
	do {
		flight[n_flights++] = (struct flight){
			.seq = seq, .n = n, .line = line, .at_ns = seq * 100 + line * 300 + random_below(rng, 2000)};
	} while (random_below(rng, 10) == 0);
}

/* Each line loses what it wants, but no message is lost on both. */
static void fly_all(uint64_t *rng)
{
	static bool lost[STREAM + 20];

	n_flights = 0;
	memset(lost, 0, sizeof(lost));
	for (uint32_t line = 0; line < 2; line++) {
		for (uint64_t seq = 1; seq <= STREAM; ) {
			uint32_t n = 1 + (uint32_t)random_below(rng, 7);
			bool lose = random_below(rng, 5) == 0;
			n = seq + n > STREAM + 1 ? (uint32_t)(STREAM + 1 - seq) : n;
			for (uint32_t i = 0; line == 1 && i < n; i++)
				lose &= !lost[seq + i];
			for (uint32_t i = 0; line == 0 && i < n; i++)
				lost[seq + i] = lose;
			if (!lose)
				fly(rng, line, seq, n);
			seq += n;
		}
	}
	qsort(flight, n_flights, sizeof(flight[0]), by_arrival);
}

Test(arbiter, hands_out_every_message_once_in_order_whatever_two_lines_do_to_them)
{
	uint64_t seed = random_seed(), n_seeds = random_long() ? 2000 : 60;

	for (uint64_t s = seed; s < seed + n_seeds; s++) {
		uint64_t rng = s, next = 1, tag;
		fini();
		given((struct arbiter_config){.hold_datagrams = 4096});
		fly_all(&rng);
		for (uint32_t i = 0; i < n_flights; i++) {
			const struct flight *f = &flight[i];
			now_ns = f->at_ns;
			bool more = take_messages(f->line, f->seq, f->n) == ARBITER_RUN;
			while (more) {
				uint64_t from = next;
				next = arbiter.seq_next;
				expect_messages(from, next);
				more = arbiter_release(&arbiter, &reader, &tag);
			}
		}
		cr_assert_eq(next, STREAM + 1, "seed %llu stops at %llu", (unsigned long long)s, (unsigned long long)next);
		cr_assert_eq(arbiter.n.given_up + arbiter.n.full + arbiter.n.bad, 0);
		cr_assert_eq(arbiter.hold.n, 0);
	}
}
