/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/feed/feed.h"
#include "tests/sim/random.h"

#define EVENTS_MAX 200000u
#define WAIT_NS 1000u

static struct gn_instruments *table;
static struct feed feed;
static struct gn_md event[EVENTS_MAX];
static uint32_t n_events;
static uint8_t payload[2048];
static uint32_t payload_bytes;
static uint64_t now_ns = 1;

static void on_event(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	(void)from;
	cr_assert_eq(bytes, sizeof(struct gn_md));
	cr_assert_lt(n_events, EVENTS_MAX);
	memcpy(&event[n_events++], msg, bytes);
}

static struct feed_request request;
static uint32_t n_requests;

static void on_request(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	(void)ctx;
	(void)from;
	memset(&request, 0, sizeof(request));
	memcpy(&request, msg, bytes);
	n_requests++;
}

static struct gn_link gateway = {.on_msg = on_request, .msg_bytes_max = sizeof(struct feed_request)};
static struct gn_link out = {.on_msg = on_event, .msg_bytes_max = sizeof(struct gn_md)};

static void given(struct feed_config config, uint32_t instruments_max)
{
	config.hold_datagrams = config.hold_datagrams ? config.hold_datagrams : 64;
	config.n_lines = 2;
	config.wait_ns = WAIT_NS;
	table = gn_instruments_new(instruments_max);
	cr_assert_not_null(table);
	cr_assert_eq(feed_init(&feed, &config, table, &out, &gateway), 0);
	n_events = 0;
}

static void given_a_feed(void)
{
	given((struct feed_config){0}, 16);
}

static void fini(void)
{
	feed_fini(&feed);
	gn_instruments_free(table);
}

static void given_anew(struct feed_config config, uint32_t instruments_max)
{
	fini();
	given(config, instruments_max);
}

static struct moldudp64_writer writer;

static void begin(uint64_t seq)
{
	struct moldudp64_session s = moldudp64_session_from("S");

	moldudp64_begin(&writer, payload, sizeof(payload), &s, seq);
}

static void raw(const void *msg, uint32_t bytes)
{
	cr_assert(moldudp64_append(&writer, msg, bytes));
}

static void message(struct gn_md md, uint16_t locate, const char *symbol)
{
	uint8_t buf[ITCH50_BYTES_MAX];

	raw(buf, itch50_encode(&md, locate, 0, gn_symbol_from(symbol, 8), buf));
}

static void add(uint16_t locate, const char *symbol, uint64_t ref)
{
	message((struct gn_md){.kind = GN_MD_ADD, .side = GN_BUY, .exch_ns = 7,
		.order = {.ref = ref, .qty = 100, .px.e9 = 10 * INT64_C(1000000000)}}, locate, symbol);
}

static void delete(uint16_t locate, uint64_t ref)
{
	message((struct gn_md){.kind = GN_MD_DELETE, .order.ref = ref}, locate, "");
}

static void directory(uint16_t locate, const char *symbol)
{
	message((struct gn_md){.kind = GN_MD_DIRECTORY, .directory = {.round_lot = 100, .authenticity = 'P'}}, locate, symbol);
}

static void take(uint32_t line)
{
	feed_datagram(&feed, &(struct arbiter_in){.payload = payload, .bytes = payload_bytes, .line = line,
		.now_ns = now_ns, .tag = now_ns});
}

static void send_on(uint32_t line)
{
	payload_bytes = moldudp64_close(&writer);
	take(line);
}

static void send(void)
{
	send_on(0);
}

static void settle(void)
{
	while (feed_pending(&feed) && feed_poll(&feed, now_ns, now_ns)) { }
}

static void pass(uint64_t ns)
{
	now_ns += ns;
	settle();
}

static void send_add(uint64_t seq, uint16_t locate, const char *symbol, uint64_t ref)
{
	begin(seq);
	add(locate, symbol, ref);
	send();
}

static uint32_t count(enum gn_md_kind kind, gn_inst inst)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < n_events; i++)
		n += event[i].kind == kind && event[i].inst == inst;
	return n;
}

TestSuite(feed, .init = given_a_feed, .fini = fini, .timeout = 20);

Test(feed, a_directory_defines_the_instrument_before_its_first_order)
{
	struct gn_instrument def;

	begin(1);
	directory(7, "AAPL");
	add(7, "AAPL", 1);
	send();
	cr_assert_eq(n_events, 2);
	cr_assert_eq(event[0].kind, GN_MD_DIRECTORY);
	cr_assert_eq(event[0].directory.authenticity, 'P');
	cr_assert_eq(event[1].kind, GN_MD_ADD);
	cr_assert_eq(event[0].inst, event[1].inst);
	cr_assert(gn_instruments_get(table, event[1].inst, &def));
	cr_assert_eq(def.venue_id, 7);
	cr_assert_eq(def.round_lot, 100);
	cr_assert_eq(def.authenticity, 'P');
}

Test(feed, an_order_of_an_instrument_without_directory_introduces_it)
{
	send_add(1, 9, "MSFT", 1);
	cr_assert_eq(n_events, 2);
	cr_assert_eq(event[0].kind, GN_MD_DIRECTORY);
	cr_assert_eq(event[0].directory.authenticity, 0);
	cr_assert_eq(event[0].directory.symbol.word, gn_symbol_from("MSFT", 8).word);
	cr_assert_eq(event[0].directory.venue_id, 9);
	cr_assert_eq(event[1].inst, event[0].inst);
	send_add(2, 9, "MSFT", 2);
	cr_assert_eq(n_events, 3, "and only once");
	cr_assert_eq(feed.n.inst_learned, 1);
}

Test(feed, a_directory_after_the_first_order_defines_it_properly)
{
	struct gn_instrument def;

	send_add(1, 9, "MSFT", 1);
	begin(2);
	directory(9, "MSFT");
	send();
	cr_assert_eq(event[2].kind, GN_MD_DIRECTORY);
	cr_assert_eq(event[2].inst, event[0].inst);
	cr_assert(gn_instruments_get(table, event[0].inst, &def));
	cr_assert_eq(def.authenticity, 'P');
	cr_assert_eq(feed.n.inst_moved, 0);
}

Test(feed, a_number_that_nobody_explained_is_counted)
{
	begin(1);
	delete(5, 1);
	delete(0, 1);
	add(0, "AAPL", 1);
	add(5, "", 1);
	send();
	cr_assert_eq(n_events, 0);
	cr_assert_eq(feed.n.msg_unmapped, 4);
}

Test(feed, the_third_of_two_instruments_is_refused)
{
	given_anew((struct feed_config){0}, 2);
	begin(1);
	directory(1, "A");
	directory(2, "B");
	directory(3, "C");
	add(3, "C", 1);
	delete(3, 1);
	add(4, "D", 2);
	add(1, "A", 3);
	send();
	cr_assert_eq(n_events, 3);
	cr_assert_eq(feed.n.inst_refused, 2);
	cr_assert_eq(feed.n.msg_refused, 4);
	cr_assert_eq(feed.n.msg_event, 3);
}

Test(feed, skips_and_counts_what_itch_does_not_have)
{
	uint8_t junk[60] = {'?'};

	begin(1);
	raw(junk, 30);
	raw(junk, 0);
	raw(junk, 1);
	junk[0] = 'A';
	for (uint32_t bytes = 1; bytes < 60; bytes++)
		raw(junk, bytes == 36 ? 35 : bytes);
	add(7, "AAPL", 1);
	send();
	cr_assert_eq(feed.n.msg_unknown_type, 2);
	cr_assert_eq(feed.n.msg_empty, 1);
	cr_assert_eq(feed.n.msg_wrong_length, 59);
	cr_assert_eq(n_events, 2);
	cr_assert_eq(feed.arbiter.seq_next, 64, "each of them had its sequence number");
}

Test(feed, only_the_last_event_of_a_datagram_says_so)
{
	begin(1);
	for (uint64_t i = 0; i < 40; i++)
		add(7, "AAPL", i);
	raw("?", 1); /* what follows the last event is none */
	send();
	cr_assert_eq(n_events, 41);
	for (uint32_t i = 0; i < n_events; i++)
		cr_assert_eq(event[i].flags & GN_MD_F_LAST, i == 40 ? GN_MD_F_LAST : 0, "event %u", i);
}

Test(feed, events_carry_trace_id_and_time)
{
	given_anew((struct feed_config){.midnight_ns = 1000000}, 16);
	now_ns = 4711;
	send_add(1, 7, "AAPL", 1);
	cr_assert_eq(event[1].rx_tsc, 4711);
	cr_assert_eq(event[0].rx_tsc, 4711);
	cr_assert_eq(event[1].exch_ns, 1000007);
}

Test(feed, events_without_an_instrument_have_none)
{
	begin(1);
	message((struct gn_md){.kind = GN_MD_SYSTEM, .code = 'Q'}, 0, "");
	message((struct gn_md){.kind = GN_MD_MWCB_STATUS, .code = '1'}, 0, "");
	send();
	cr_assert_eq(count(GN_MD_SYSTEM, GN_INST_NONE), 1);
	cr_assert_eq(count(GN_MD_MWCB_STATUS, GN_INST_NONE), 1);
}

Test(feed, an_ipo_is_found_by_its_symbol)
{
	begin(1);
	directory(7, "NEWCO");
	message((struct gn_md){.kind = GN_MD_IPO, .code = 'A'}, 0, "NEWCO");
	send();
	cr_assert_eq(event[1].kind, GN_MD_IPO);
	cr_assert_eq(event[1].inst, event[0].inst);
}

Test(feed, held_datagrams_keep_their_own_trace_id)
{
	now_ns = 10;
	send_add(2, 7, "AAPL", 2);
	now_ns = 20;
	send_add(1, 7, "AAPL", 1);
	cr_assert_eq(n_events, 2);
	settle();
	cr_assert_eq(n_events, 3);
	cr_assert_eq(event[1].rx_tsc, 20);
	cr_assert_eq(event[2].rx_tsc, 10);
	cr_assert_eq(feed.n.stale_sent, 0);
}

Test(feed, a_gap_that_stays_makes_every_book_stale_and_goes_on)
{
	send_add(1, 7, "AAPL", 1);
	send_add(3, 7, "AAPL", 3);
	pass(WAIT_NS - 1);
	cr_assert_eq(n_events, 2, "the other line still has time");
	pass(1);
	cr_assert_eq(n_events, 4);
	cr_assert_eq(event[2].kind, GN_MD_STALE);
	cr_assert_eq(event[2].inst, GN_INST_NONE);
	cr_assert_eq(event[3].order.ref, 3);
	cr_assert_eq(feed.n.msg_lost, 1);
	cr_assert_not(feed_pending(&feed));
}

Test(feed, a_gap_at_the_end_shows_through_a_heartbeat)
{
	struct moldudp64_session s = moldudp64_session_from("S");

	send_add(1, 7, "AAPL", 1);
	payload_bytes = moldudp64_heartbeat(payload, &s, 4);
	take(0);
	pass(WAIT_NS);
	cr_assert_eq(count(GN_MD_STALE, GN_INST_NONE), 1);
	cr_assert_eq(feed.n.msg_lost, 2);
}

Test(feed, an_instrument_first_seen_in_a_stale_feed_is_stale)
{
	send_add(1, 7, "AAPL", 1);
	send_add(3, 8, "MSFT", 3);
	pass(WAIT_NS);
	cr_assert_eq(event[n_events - 3].kind, GN_MD_DIRECTORY);
	cr_assert_eq(event[n_events - 2].kind, GN_MD_STALE);
	cr_assert_eq(event[n_events - 2].inst, event[n_events - 3].inst);
	cr_assert_eq(event[n_events - 1].kind, GN_MD_ADD);
}

Test(feed, when_the_lost_messages_come_too_late_exactly_those_they_touched_stay_stale)
{
	begin(1);
	add(1, "A", 1);
	add(2, "B", 2);
	add(3, "C", 3);
	send();
	gn_inst a = event[0].inst, b = event[2].inst, c = event[4].inst;
	send_add(6, 1, "A", 6);
	pass(WAIT_NS);
	cr_assert_eq(feed.n.msg_lost, 2);
	begin(4);
	delete(2, 2);
	message((struct gn_md){.kind = GN_MD_RETAIL, .code = 'B'}, 3, "C"); /* hurts no book */
	send_on(1);
	settle();
	cr_assert_eq(feed.n.msg_late, 2);
	cr_assert_eq(count(GN_MD_FRESH, a), 1);
	cr_assert_eq(count(GN_MD_FRESH, c), 1);
	cr_assert_eq(count(GN_MD_FRESH, b), 0);
	cr_assert_eq(count(GN_MD_FRESH, GN_INST_NONE), 0);
	cr_assert_eq(count(GN_MD_DELETE, b), 0, "what comes too late is not applied");
}

Test(feed, half_of_the_lost_messages_prove_nothing)
{
	send_add(1, 1, "A", 1);
	send_add(4, 1, "A", 4);
	pass(WAIT_NS);
	begin(3);
	delete(9, 2);
	send_on(1);
	settle();
	cr_assert_eq(feed.n.fresh_sent, 0);
	begin(2);
	delete(9, 2);
	send_on(1);
	settle();
	cr_assert_eq(count(GN_MD_FRESH, event[0].inst), 1);
}

Test(feed, late_messages_that_touched_nobody_make_all_books_right)
{
	send_add(1, 1, "A", 1);
	send_add(3, 1, "A", 3);
	pass(WAIT_NS);
	begin(2);
	message((struct gn_md){.kind = GN_MD_SYSTEM, .code = 'Q'}, 0, "");
	send_on(1);
	settle();
	cr_assert_eq(count(GN_MD_FRESH, GN_INST_NONE), 1);
	cr_assert_not(feed.stale);
}

Test(feed, a_touched_instrument_stays_stale_through_a_second_gap)
{
	begin(1);
	add(1, "A", 1);
	add(2, "B", 2);
	send();
	gn_inst a = event[0].inst, b = event[2].inst;
	for (uint64_t seq = 4; seq <= 6; seq += 2) { /* 3 and 5 are lost and come late; 3 touches A, 5 touches nobody */
		send_add(seq, 2, "B", seq);
		pass(WAIT_NS);
		begin(seq - 1);
		if (seq == 4)
			delete(1, 1);
		else
			message((struct gn_md){.kind = GN_MD_SYSTEM, .code = 'Q'}, 0, "");
		send_on(1);
		settle();
	}
	cr_assert_eq(count(GN_MD_STALE, GN_INST_NONE), 2);
	cr_assert_eq(count(GN_MD_FRESH, b), 2);
	cr_assert_eq(count(GN_MD_FRESH, a), 0);
}

static void end_of_session(uint64_t seq)
{
	struct moldudp64_session s = moldudp64_session_from("S");

	payload_bytes = moldudp64_end(payload, &s, seq);
	take(0);
	settle();
}

Test(feed, the_end_of_the_session_is_told_once_after_its_last_message)
{
	send_add(1, 1, "A", 1);
	end_of_session(3);
	cr_assert_eq(count(GN_MD_SESSION_END, GN_INST_NONE), 0);
	send_add(2, 1, "A", 2);
	settle();
	cr_assert_eq(event[n_events - 1].kind, GN_MD_SESSION_END);
	end_of_session(3);
	end_of_session(3);
	cr_assert_eq(count(GN_MD_SESSION_END, GN_INST_NONE), 1);
}

Test(feed, a_new_session_clears_every_book_before_its_first_message)
{
	struct moldudp64_session t = moldudp64_session_from("T");

	begin(1);
	add(1, "A", 1);
	add(2, "B", 2);
	send();
	send_add(9, 1, "A", 9);
	pass(WAIT_NS);
	gn_inst a = event[0].inst, b = event[2].inst;
	uint32_t before = n_events;
	moldudp64_begin(&writer, payload, sizeof(payload), &t, 1);
	add(2, "A", 1); /* numbers are anew */
	send();
	take(1);
	settle();
	cr_assert_eq(event[before].kind, GN_MD_SESSION_END);
	cr_assert_eq(event[before + 1].kind, GN_MD_CLEAR);
	cr_assert_eq(event[before + 2].kind, GN_MD_CLEAR);
	cr_assert_eq(count(GN_MD_CLEAR, a), 1);
	cr_assert_eq(count(GN_MD_CLEAR, b), 1);
	cr_assert_eq(event[before + 3].kind, GN_MD_FRESH);
	cr_assert_eq(event[before + 3].inst, GN_INST_NONE);
	cr_assert_eq(event[before + 4].kind, GN_MD_DIRECTORY);
	cr_assert_eq(event[before + 5].kind, GN_MD_ADD);
	cr_assert_eq(event[before + 5].inst, a);
	cr_assert_eq(n_events, before + 6);
}

static void given_recovery(void)
{
	given_anew((struct feed_config){.recovery = {
		.rerequest = {.server = {{9, 90}}, .n_servers = 1, .tries_max = 2, .timeout_ns = 100, .timeout_ns_max = 100},
		.snapshot = {.server = {{8, 80}}, .n_servers = 1, .bytes_max = 4096}, .log_bytes = 4096, .port_own = 5}}, 16);
	n_requests = 0;
}

Test(feed, while_lost_messages_are_asked_for_every_book_is_stale_and_then_right_again)
{
	struct moldudp64_request asked;

	given_recovery();
	send_add(1, 1, "A", 1);
	send_add(5, 1, "A", 5);
	pass(WAIT_NS);
	cr_assert_eq(count(GN_MD_STALE, GN_INST_NONE), 1);
	cr_assert_eq(request.kind, FEED_REQUEST_DATAGRAM);
	cr_assert(request.ip == 9 && request.port == 90 && request.port_own == 5);
	cr_assert(moldudp64_request_decode(request.data, request.bytes, &asked));
	cr_assert(asked.seq == 2 && asked.count == 3);
	begin(2);
	for (uint64_t ref = 2; ref < 5; ref++)
		add(1, "A", ref);
	send_on(1);
	cr_assert_eq(count(GN_MD_FRESH, GN_INST_NONE), 0, "what was held is still to come");
	settle();
	cr_assert_eq(event[n_events - 1].kind, GN_MD_FRESH);
	cr_assert_eq(event[n_events - 2].order.ref, 5);
	cr_assert_not(feed_pending(&feed));
}

static void glimpse(enum feed_reply_kind kind, const void *data, uint32_t bytes)
{
	struct feed_reply r = {.kind = (uint8_t)kind, .bytes = (uint16_t)bytes, .conn = request.conn};

	if (bytes)
		memcpy(r.data, data, bytes);
	feed_reply(&feed, &r, (uint32_t)FEED_REPLY_HEAD_BYTES + bytes, now_ns);
	settle();
}

static void glimpse_message(const void *msg, uint32_t bytes)
{
	uint8_t buf[64];

	glimpse(FEED_REPLY_BYTES, buf, soup_build(buf, SOUP_SEQUENCED, msg, bytes));
}

static void glimpse_event(struct gn_md md, uint16_t locate, const char *symbol)
{
	uint8_t buf[ITCH50_BYTES_MAX];

	glimpse_message(buf, itch50_encode(&md, locate, 0, gn_symbol_from(symbol, 8), buf));
}

/* Message 2 is lost for good, 3 has come, and the feed has logged in to the snapshot server. */
static void given_a_snapshot_on_its_way(void)
{
	uint8_t buf[SOUP_ACCEPTED_BYTES];

	given_recovery();
	begin(1);
	add(1, "A", 1);
	send();
	send_add(3, 2, "B", 3);
	for (uint32_t i = 0; i < 5; i++)
		pass(WAIT_NS);
	cr_assert_eq(request.kind, FEED_REQUEST_OPEN);
	glimpse(FEED_REPLY_UP, NULL, 0);
	glimpse(FEED_REPLY_BYTES, buf, soup_accepted_build(&(struct soup_accepted){.session = "G", .seq = 1}, buf));
	n_events = 0;
}

static void glimpse_end(uint64_t seq)
{
	uint8_t buf[GLIMPSE50_END_BYTES];

	glimpse_message(buf, glimpse50_end_encode(seq, buf));
}

Test(feed, the_message_that_the_snapshot_names_is_the_first_to_be_applied_on_top)
{
	given_a_snapshot_on_its_way();
	send_add(4, 1, "A", 4);
	cr_assert_eq(n_events, 1, "the live stream goes on");
	n_events = 0;
	glimpse_event((struct gn_md){.kind = GN_MD_ADD, .side = GN_BUY, .order = {.ref = 3, .qty = 1}}, 2, "B");
	glimpse_end(4);
	cr_assert_eq(count(GN_MD_CLEAR, 0), 1);
	cr_assert_eq(count(GN_MD_CLEAR, 1), 1);
	uint32_t n = 0;
	for (uint32_t i = 0; i < n_events; i++) {
		if (event[i].kind != GN_MD_ADD)
			continue;
		cr_assert_eq(event[i].order.ref, 3 + n++);
		cr_assert(event[i].flags & GN_MD_F_SNAPSHOT);
	}
	cr_assert_eq(n, 2);
	cr_assert_eq(event[n_events - 1].kind, GN_MD_FRESH);
	cr_assert_eq(event[n_events - 1].inst, GN_INST_NONE);
	cr_assert_not(feed_pending(&feed));
}

Test(feed, what_a_snapshot_lists_without_a_trading_state_does_not_trade)
{
	given_a_snapshot_on_its_way();
	glimpse_event((struct gn_md){.kind = GN_MD_DIRECTORY, .directory.authenticity = 'P'}, 1, "A");
	glimpse_event((struct gn_md){.kind = GN_MD_DIRECTORY, .directory.authenticity = 'P'}, 2, "B");
	glimpse_event((struct gn_md){.kind = GN_MD_STATE, .code = 'T'}, 2, "B");
	glimpse_end(4);
	cr_assert_eq(count(GN_MD_STATE, 0), 1);
	cr_assert_eq(count(GN_MD_STATE, 1), 1);
	for (uint32_t i = 0; i < n_events; i++)
		if (event[i].kind == GN_MD_STATE)
			cr_assert_eq(event[i].code, event[i].inst == 0 ? 'H' : 'T');
}

Test(feed, a_snapshot_from_before_the_loss_is_of_no_use)
{
	given_a_snapshot_on_its_way();
	glimpse_end(2);
	cr_assert_eq(count(GN_MD_CLEAR, 0), 0);
	cr_assert_eq(feed.recovery.n.rebuild_again, 1);
	cr_assert(feed.stale);
}

Test(feed, a_snapshot_ahead_of_the_live_stream_waits_for_it)
{
	given_a_snapshot_on_its_way();
	glimpse_end(6);
	cr_assert_eq(count(GN_MD_CLEAR, 0), 0);
	begin(4);
	add(1, "A", 4);
	add(1, "A", 5);
	send();
	settle();
	cr_assert_eq(count(GN_MD_CLEAR, 0), 1);
	cr_assert_eq(event[n_events - 1].kind, GN_MD_FRESH);
	cr_assert_eq(count(GN_MD_ADD, 0), 2, "both were told live, none again: the snapshot holds them");
}

Test(feed, another_session_ends_a_rebuild)
{
	struct moldudp64_session t = moldudp64_session_from("T");

	given_a_snapshot_on_its_way();
	moldudp64_begin(&writer, payload, sizeof(payload), &t, 1);
	add(7, "A", 1);
	send();
	take(1);
	settle();
	cr_assert_eq(feed.recovery.phase, RECOVERY_OFF);
	cr_assert_eq(request.kind, FEED_REQUEST_CLOSE);
	cr_assert_eq(count(GN_MD_FRESH, GN_INST_NONE), 1);
	glimpse_end(2);
	cr_assert_eq(event[n_events - 1].kind, GN_MD_ADD, "what comes of it now is too late");
}

Test(feed, goes_back_when_it_has_believed_a_number_that_leads_nowhere)
{
	send_add(1, 1, "A", 1);
	send_add(1000000, 1, "A", 2);
	pass(WAIT_NS);
	cr_assert_eq(feed.arbiter.seq_next, 1000001);
	for (uint64_t seq = 2; seq < 400; seq++)
		send_add(seq, 1, "A", seq);
	cr_assert_eq(feed.n.rewind, 1);
	cr_assert_eq(feed.arbiter.seq_next, 400);
	settle();
	cr_assert_eq(feed.n.fresh_sent, 0, "its books stay stale");
	cr_assert_eq(event[n_events - 1].order.ref, 399);
}

Test(feed, no_call_sends_more_than_its_burst)
{
	given_anew((struct feed_config){0}, 4096);
	send_add(2, 1, "X", 1); /* a gap first, so that every new instrument is stale too */
	pass(WAIT_NS);
	n_events = 0;
	begin(3);
	for (uint16_t i = 2; moldudp64_claim(&writer, 0); i++) { /* the shortest message that teaches an instrument */
		writer.bytes -= MOLDUDP64_BLOCK_BYTES;
		writer.n--;
		char symbol[8];
		snprintf(symbol, sizeof(symbol), "S%u", i);
		if (writer.bytes + 22 > sizeof(payload))
			break;
		message((struct gn_md){.kind = GN_MD_SHORT_SALE, .code = '0'}, i, symbol);
	}
	send();
	cr_assert_gt(n_events, 250);
	cr_assert_leq(n_events, FEED_BURST);
}

Test(feed, survives_random_messages)
{
	uint64_t rng = random_seed();

	for (uint64_t seq = 1; seq < 20000; ) {
		begin(seq);
		uint32_t n = 1 + (uint32_t)random_below(&rng, 30);
		for (uint32_t i = 0; i < n; i++) {
			uint8_t buf[64];
			for (uint32_t j = 0; j < sizeof(buf); j += 8) {
				uint64_t v = random_next(&rng);
				memcpy(buf + j, &v, sizeof(v));
			}
			buf[0] = (uint8_t)ITCH50_TYPES[random_below(&rng, sizeof(ITCH50_TYPES) - 1)];
			uint32_t bytes = random_below(&rng, 8) ? itch50_bytes(buf[0]) : (uint32_t)random_below(&rng, 64);
			raw(buf, bytes);
		}
		n_events = 0;
		send();
		seq += n;
		cr_assert_eq(feed.arbiter.seq_next, seq);
		for (uint32_t i = 0; i < n_events; i++)
			cr_assert(event[i].inst == GN_INST_NONE || event[i].inst < gn_instruments_count(table));
	}
}
