/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "app/exchange/rng.h"
#include "dataplane/codec/glimpse50.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/compiler.h"
#include "tests/sim/exchange_harness.h"

/* every message of line A by sequence number, and what each line brought */
#define MSGS_MAX (1u << 18)
struct kept {
	uint8_t data[ITCH50_BYTES_MAX];
	uint8_t bytes;
};

struct line_seen {
	uint64_t datagrams, duplicates, backwards, seq_max;
	uint64_t first_ns, last_ns, longest_gap_ns;
};

static struct harness h;
static struct kept *kept;
static uint64_t n_kept; /* sequence numbers 1 to n_kept are there */
static struct line_seen line_seen[EXCHANGE_LINES_MAX];
static uint64_t n_kind[GN_MD_KIND_COUNT];

static void keep(uint64_t seq, const uint8_t *msg, uint32_t bytes)
{
	struct gn_md md;
	uint16_t locate;

	cr_assert_lt(seq, MSGS_MAX);
	if (kept[seq].bytes) {
		cr_assert_eq(memcmp(kept[seq].data, msg, bytes), 0, "sequence %lu says two things", seq);
		return;
	}
	memcpy(kept[seq].data, msg, bytes);
	kept[seq].bytes = (uint8_t)bytes;
	cr_assert_eq(itch50_decode(msg, bytes, &md, &locate), ITCH50_OK);
	n_kind[md.kind]++;
	while (kept[n_kept + 1].bytes)
		n_kept++;
}

static void see(struct line_seen *l, const struct moldudp64_reader *r)
{
	l->datagrams++;
	l->duplicates += r->seq_end != r->seq && r->seq_end == l->seq_max;
	l->backwards += r->seq_end < l->seq_max;
	if (r->seq_end > l->seq_max)
		l->seq_max = r->seq_end;
	if (l->last_ns && h.now_ns - l->last_ns > l->longest_gap_ns)
		l->longest_gap_ns = h.now_ns - l->last_ns;
	l->last_ns = h.now_ns;
	if (!l->first_ns)
		l->first_ns = h.now_ns;
}

static void on_line(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes)
{
	struct moldudp64_reader r;
	const uint8_t *msg;
	uint32_t msg_bytes;

	(void)arg;
	cr_assert_neq(moldudp64_open(&r, data, bytes), MOLDUDP64_MALFORMED);
	see(&line_seen[line], &r);
	for (uint64_t seq = r.seq; moldudp64_next(&r, &msg, &msg_bytes) == MOLDUDP64_BLOCK; seq++)
		keep(seq, msg, msg_bytes);
}

static struct exchange_line lines[2];

static void given_exchange(void)
{
	memset(&h, 0, sizeof(h));
	kept = calloc(MSGS_MAX, sizeof(*kept));
	memcpy(lines, (struct exchange_line[]){{.group = "239.1.1.1", .port = 1}, {.group = "239.1.1.2", .port = 1}}, sizeof(lines));
	h.on_datagram = on_line;
	h.config.n_symbols = 10;
	h.config.orders_max = 16384;
	h.config.client_orders_max = 16384;
	h.config.store_mib = 1;
	h.config.reports_mib = 1;
	h.config.start_now = true;
	h.config.lines = lines;
	h.config.n_lines = 2;
	h.config.glimpse_port = 1;
	h.config.request_port = 1;
}

static void clean_up(void)
{
	if (h.x)
		harness_stop(&h);
	free(kept);
}

TestSuite(exchange_services, .init = given_exchange, .fini = clean_up, .timeout = 60);

/* orders by reference as the kept stream up to seq leaves them */
struct order_seen {
	uint32_t qty, px_e4;
	gn_inst inst;
	gn_side side;
};

static struct order_seen *replay_until(uint64_t seq_end, uint64_t *n_live)
{
	struct order_seen *o = calloc(MSGS_MAX, sizeof(*o));

	*n_live = 0;
	for (uint64_t seq = 1; seq < seq_end; seq++) {
		struct gn_md md;
		uint16_t locate;

		itch50_decode(kept[seq].data, kept[seq].bytes, &md, &locate);
		if (md.kind == GN_MD_ADD) {
			o[md.order.ref] = (struct order_seen){(uint32_t)md.order.qty, (uint32_t)(md.order.px.e9 / GN_PX_E9_PER_E4),
				locate, md.side};
			++*n_live;
		} else if (md.kind == GN_MD_REPLACE) {
			o[md.order.aux2] = (struct order_seen){(uint32_t)md.order.qty, (uint32_t)(md.order.px.e9 / GN_PX_E9_PER_E4),
				locate, o[md.order.ref].side};
			o[md.order.ref].qty = 0;
		} else if (md.kind == GN_MD_DELETE) {
			o[md.order.ref].qty = 0;
			--*n_live;
		} else if (md.kind == GN_MD_EXEC || md.kind == GN_MD_REDUCE) {
			o[md.order.ref].qty -= (uint32_t)md.order.qty;
			*n_live -= o[md.order.ref].qty == 0;
		}
	}
	return o;
}

static void check_snapshot(struct harness_client *c)
{
	uint64_t seq, n_live, n_orders = 0, n_directory = 0;
	struct order_seen *o = replay_until(n_kept + 1, &n_live);
	struct soup_packet p;

	for (;;) {
		struct gn_md md;
		uint16_t locate;

		p = harness_expect(c, SOUP_SEQUENCED);
		if (glimpse50_end_decode(p.payload, p.bytes, &seq))
			break;
		cr_assert_eq(itch50_decode(p.payload, p.bytes, &md, &locate), ITCH50_OK);
		n_directory += md.kind == GN_MD_DIRECTORY;
		if (md.kind != GN_MD_ADD)
			continue;
		const struct order_seen *s = &o[md.order.ref];

		n_orders++;
		cr_assert_eq(s->qty, md.order.qty);
		cr_assert_eq(s->px_e4 * GN_PX_E9_PER_E4, md.order.px.e9);
		cr_assert_eq(s->inst, locate);
		cr_assert_eq(s->side, md.side);
	}
	cr_assert_eq(seq, n_kept + 1, "the first live message to apply");
	cr_assert_eq(n_orders, n_live);
	cr_assert_eq(n_directory, 10);
	harness_expect(c, SOUP_END);
	cr_assert_not(c->up);
	free(o);
}

Test(exchange_services, snapshot_is_the_stream_up_to_the_sequence_it_names)
{
	h.config.flow.hidden_ppm = 100000;
	h.config.flow.rate_msgs_s = 50000;
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
	for (uint32_t i = 0; i < 6; i++) {
		harness_run(&h, 37);
		struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_GLIMPSE);

		harness_login(c, "GANNET", "GANNET", 1);
		harness_expect(c, SOUP_ACCEPTED);
		check_snapshot(c);
	}
}

Test(exchange_services, snapshot_waits_for_a_slow_reader_and_stays_of_its_moment)
{
	harness_start(&h);
	harness_until(&h, EXCHANGE_OPEN);
	harness_run(&h, 50);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_GLIMPSE);
	uint64_t seq, moment = n_kept + 1;
	struct soup_packet p;

	harness_send(c, "\0\1+", 3); /* a debug packet before the login does no harm */
	c->room = 2000;
	harness_login(c, "GANNET", "GANNET", 1);
	harness_run(&h, 100);
	cr_assert(c->up);
	c->room = UINT32_MAX;
	harness_run(&h, 1);
	harness_expect(c, SOUP_ACCEPTED);
	do
		p = harness_expect(c, SOUP_SEQUENCED);
	while (!glimpse50_end_decode(p.payload, p.bytes, &seq));
	cr_assert_eq(seq, moment);
	cr_assert_gt(n_kept, moment);
}

Test(exchange_services, snapshot_before_the_day_says_begin_at_one_and_strangers_are_rejected)
{
	h.config.start_now = false;
	harness_start(&h);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_GLIMPSE);
	uint64_t seq = 0;

	harness_login(c, "GANNET", "GANNET", 1);
	harness_expect(c, SOUP_ACCEPTED);
	struct soup_packet p = harness_expect(c, SOUP_SEQUENCED);

	cr_assert(glimpse50_end_decode(p.payload, p.bytes, &seq));
	cr_assert_eq(seq, 1);
	c = harness_connect(&h, EXCHANGE_SERVICE_GLIMPSE);
	harness_login(c, "NOBODY", "GANNET", 1);
	harness_expect(c, SOUP_REJECTED);
	c = harness_connect(&h, EXCHANGE_SERVICE_GLIMPSE);
	harness_packet(c, SOUP_UNSEQUENCED, "Q", 1);
	cr_assert_not(c->up);
}

static uint32_t ask(uint64_t seq, uint16_t count, uint8_t *reply)
{
	struct moldudp64_request r = {.session = moldudp64_session_from("GANNET0001"), .seq = seq, .count = count};
	uint8_t request[MOLDUDP64_REQUEST_BYTES];

	return exchange_request(h.x, request, moldudp64_request_encode(&r, request), reply, h.now_ns);
}

Test(exchange_services, every_message_can_be_asked_for_again)
{
	uint8_t reply[LINES_DATAGRAM_BYTES_MAX];
	uint64_t seq = 1;

	harness_start(&h);
	harness_run(&h, 200);
	while (seq <= n_kept) {
		struct moldudp64_reader r;
		const uint8_t *msg;
		uint32_t bytes = ask(seq, 1000, reply), msg_bytes;

		cr_assert_gt(bytes, 0);
		cr_assert_eq(moldudp64_open(&r, reply, bytes), MOLDUDP64_MESSAGES);
		cr_assert_eq(r.seq, seq);
		for (; moldudp64_next(&r, &msg, &msg_bytes) == MOLDUDP64_BLOCK; seq++) {
			cr_assert_eq(msg_bytes, kept[seq].bytes);
			cr_assert_eq(memcmp(msg, kept[seq].data, msg_bytes), 0);
		}
	}
	cr_assert_eq(ask(1, 1, reply), 20u + 2 + 12, "as many as asked, not more");
}

Test(exchange_services, senseless_requests_get_no_answer_and_are_counted)
{
	uint8_t reply[LINES_DATAGRAM_BYTES_MAX], other[MOLDUDP64_REQUEST_BYTES];
	struct moldudp64_request r = {.session = moldudp64_session_from("YESTERDAY"), .seq = 1, .count = 1};

	harness_start(&h);
	harness_run(&h, 200);
	cr_assert_eq(ask(0, 5, reply), 0);
	cr_assert_eq(ask(n_kept + 1, 5, reply), 0);
	cr_assert_eq(ask(UINT64_MAX, 65535, reply), 0);
	cr_assert_eq(ask(1, 0, reply), 0);
	cr_assert_eq(exchange_request(h.x, other, moldudp64_request_encode(&r, other), reply, h.now_ns), 0);
	cr_assert_eq(exchange_request(h.x, other, 19, reply, h.now_ns), 0);
	struct publish_counts n = exchange_counts(h.x).publish;

	cr_assert_eq(n.requests, 6);
	cr_assert_eq(n.requests_malformed, 2);
	cr_assert_eq(n.requests_other_session, 1);
	cr_assert_eq(n.requests_gone + n.requests_ahead, 3);
}

Test(exchange_services, what_is_no_longer_kept_is_counted_as_gone)
{
	uint8_t reply[LINES_DATAGRAM_BYTES_MAX];

	h.config.flow.rate_msgs_s = 200000;
	harness_start(&h);
	harness_run(&h, 300);
	cr_assert_gt(n_kept, 40000);
	cr_assert_eq(ask(1, 1, reply), 0);
	cr_assert_eq(exchange_counts(h.x).publish.requests_gone, 1);
	cr_assert_gt(ask(n_kept, 1, reply), 0);
}

Test(exchange_services, lines_lose_duplicate_and_reorder_as_often_as_told_and_hold_the_stream_together)
{
	lines[0].faults = (struct exchange_line_faults){.loss_ppm = 100000, .reorder_ppm = 50000};
	lines[1].faults = (struct exchange_line_faults){.duplicate_ppm = 100000};
	harness_start(&h);
	harness_run(&h, 1000);
	struct exchange_counts n = exchange_counts(h.x);
	uint64_t made = n.publish.datagrams + n.publish.heartbeats;

	cr_assert_eq(n_kept, n.publish.msgs, "together the lines bring everything");
	cr_assert_gt(made, 10000);
	cr_assert(n.line[0].lost * 10 > made / 2 && n.line[0].lost * 10 < made * 2);
	cr_assert(n.line[0].reordered * 20 > made / 2 && n.line[0].reordered * 20 < made * 2);
	cr_assert_gt(line_seen[0].backwards, n.line[0].reordered / 2);
	cr_assert(n.line[1].duplicated * 10 > made / 2 && n.line[1].duplicated * 10 < made * 2);
	cr_assert_geq(line_seen[1].duplicates, n.line[1].duplicated);
	cr_assert_eq(line_seen[1].datagrams, made + n.line[1].duplicated);
	cr_assert_eq(line_seen[1].backwards, 0);
}

Test(exchange_services, late_line_is_late_and_complete_and_a_silent_one_is_silent)
{
	lines[0].faults = (struct exchange_line_faults){.late_ns = UINT64_C(5000000)};
	lines[1].faults = (struct exchange_line_faults){.silent_from_ns = UINT64_C(300000000), .silent_for_ns = UINT64_C(400000000)};
	harness_start(&h);
	harness_run(&h, 1000);
	cr_assert_eq(line_seen[0].first_ns, line_seen[1].first_ns + UINT64_C(5000000));
	cr_assert_eq(line_seen[0].backwards, 0);
	cr_assert_geq(line_seen[1].longest_gap_ns, UINT64_C(399000000));
	cr_assert_leq(line_seen[1].longest_gap_ns, UINT64_C(402000000));
	exchange_stop(h.x);
	harness_until(&h, EXCHANGE_STOPPED);
	cr_assert_eq(n_kept, exchange_counts(h.x).publish.msgs, "what was late is not lost at the end");
}

Test(exchange_services, halted_instruments_reject_orders_and_resume)
{
	h.config.n_symbols = 1;
	h.config.faults.halt_every_ms = 50;
	h.config.faults.halt_for_ms = 20;
	harness_start(&h);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
	uint32_t rejected = 0, ref = 0;

	harness_login(c, "GANNET", "GANNET", 1);
	harness_until(&h, EXCHANGE_OPEN);
	for (uint32_t i = 0; i < 200; i++) {
		struct ouch50_in in = harness_enter(&h, ++ref, 'B', 1, 100, 0);

		harness_run(&h, 5);
		harness_ouch(c, &in);
	}
	struct soup_packet p;
	struct ouch50_out out;

	while (harness_next(c, &p))
		if (p.type == SOUP_SEQUENCED && ouch50_decode_out(p.payload, p.bytes, &out) == OUCH50_OK && out.type == OUCH50_REJECTED) {
			cr_assert_eq(out.rejected.reason, ORDER_REJECT_HALTED);
			rejected++;
		}
	struct exchange_fault_counts n = exchange_counts(h.x).faults;

	cr_assert_gt(n.halts, 5);
	cr_assert_leq(n.halts - n.resumes, 1);
	cr_assert_gt(rejected, 10);
	cr_assert_lt(rejected, 150);
	cr_assert_eq(n_kind[GN_MD_STATE], 1 + n.halts + n.resumes);
}

Test(exchange_services, sessions_are_cut_and_orders_rejected_on_purpose)
{
	h.config.faults.disconnect_every_ms = 30;
	h.config.faults.reject_ppm = 200000;
	harness_start(&h);
	struct harness_client *c = NULL;
	uint32_t ref = 0;

	for (uint32_t i = 0; i < 1000; i++) {
		if ((!c || !c->up) && h.n_clients < HARNESS_CLIENTS) {
			c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);
			harness_login(c, "GANNET", "GANNET", 0);
		}
		struct ouch50_in in = harness_enter(&h, ++ref, 'B', 1, 100, 0);

		harness_run(&h, 1);
		if (c->up)
			harness_ouch(c, &in);
	}
	struct exchange_counts n = exchange_counts(h.x);

	cr_assert_eq(n.faults.disconnects, HARNESS_CLIENTS, "each of ours was cut");
	cr_assert_eq(n.service[EXCHANGE_SERVICE_OUCH50].closed_fault, HARNESS_CLIENTS);
	cr_assert_gt(n.orders.rejected_on_purpose * 10, n.orders.enters);
	cr_assert_lt(n.orders.rejected_on_purpose * 3, n.orders.enters);
}

Test(exchange_services, broken_trades_are_told_on_both_sides_and_leave_the_position)
{
	h.config.faults.break_ppm = 1000000;
	h.config.flow.off = true;
	harness_start(&h);
	struct harness_client *c = harness_connect(&h, EXCHANGE_SERVICE_OUCH50);

	harness_login(c, "GANNET", "GANNET", 1);
	harness_expect(c, SOUP_ACCEPTED);
	harness_until(&h, EXCHANGE_OPEN);
	harness_report(c, OUCH50_SYSTEM);
	struct ouch50_in buy = harness_enter(&h, 1, 'B', 100, 100000, 0), sell = harness_enter(&h, 2, 'S', 100, 100000, 0);

	harness_ouch(c, &buy);
	harness_ouch(c, &sell);
	harness_report(c, OUCH50_ACCEPTED);
	harness_report(c, OUCH50_ACCEPTED);
	uint64_t match = harness_report(c, OUCH50_EXECUTED).executed.match;

	harness_report(c, OUCH50_EXECUTED);
	cr_assert(harness_quiet(c));
	harness_run(&h, 20);
	for (uint32_t i = 0; i < 2; i++) {
		struct ouch50_broken b = harness_report(c, OUCH50_BROKEN).broken;

		cr_assert_eq(b.match, match);
		cr_assert_eq(b.reason, 'E');
	}
	cr_assert_eq(n_kind[GN_MD_BROKEN], 1);
	cr_assert(exchange_orders(h.x)->clients.fill[0].broken);
	cr_assert(exchange_orders(h.x)->clients.fill[1].broken);
}
