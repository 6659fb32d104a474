/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock() */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/net/eth_ip_udp.h"
#include "dataplane/net/frame.h"
#include "dataplane/nic/eal.h"
#include "dataplane/nic/port.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/board.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/wiring.h"
#include "pinning/clock.h"

#define GROUP 0xe9360c65u
#define UP_MS 20000u

TestSuite(port, .timeout = 120);

/*
 * A port that stamps and whose clock can be read. net_pcap stamps, with the microseconds of its capture, but says so nowhere,
 * and has no clock; so these two stand before DPDK's own. The clock counts per_us in a microsecond of true time, and showed
 * the capture's first second CAPTURE_AGO_NS before it was begun.
 */
#define CAPTURE_AGO_NS (INT64_C(3) * 1000 * 1000 * 1000)
#define CAPTURE_COUNT (UINT64_C(1700000000) * 1000000)
#define CAPTURE_LAST 9 /* counts later: its last datagram */
static struct {
	bool stamps, counts;
	int64_t per_us, begin_ns;
} port_clock;

int rte_eth_dev_info_get(uint16_t port, struct rte_eth_dev_info *info)
{
	int (*next)(uint16_t, struct rte_eth_dev_info *);
	void *symbol = dlsym(RTLD_NEXT, "rte_eth_dev_info_get");

	memcpy(&next, &symbol, sizeof(next));
	int rc = next(port, info);
	if (rc == 0 && port_clock.stamps)
		info->rx_offload_capa |= RTE_ETH_RX_OFFLOAD_TIMESTAMP;
	return rc;
}

static int64_t true_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int rte_eth_read_clock(uint16_t port, uint64_t *count)
{
	(void)port;
	if (!port_clock.counts)
		return -ENOTSUP;
	*count = CAPTURE_COUNT + (uint64_t)((true_ns() - port_clock.begin_ns + CAPTURE_AGO_NS) * port_clock.per_us / 1000);
	return 0;
}

static int eal_start(void)
{
	return gn_eal_init(&(struct gn_eal_config){.mem_mb = 128});
}

static void eal_or_fail(void)
{
	cr_assert_eq(eal_start(), 0, "%s", gn_err_text());
}

static struct gn_port *port_open(const char *device)
{
	return gn_port_open(
		&(struct gn_port_config){.device = device, .node = GN_NODE_ANY, .rx_descs = 512, .tx_descs = 512});
}

static struct gn_port *open_or_fail(const char *device)
{
	struct gn_port *p = port_open(device);
	cr_assert_not_null(p, "%s", gn_err_text());
	return p;
}

/*
 * A port that takes rules: no driver here does, so these too stand before DPDK's own. It takes rules_room of them and keeps
 * what they said.
 */
static struct {
	uint32_t room, n;
	struct gn_port_flow flow[8];
} rules;

struct rte_flow *rte_flow_create(uint16_t port, const struct rte_flow_attr *attr, const struct rte_flow_item pattern[],
	const struct rte_flow_action actions[], struct rte_flow_error *error)
{
	const struct rte_flow_item_ipv4 *ip = pattern[1].spec, *ip_mask = pattern[1].mask;
	const struct rte_flow_item_udp *udp = pattern[2].spec, *udp_mask = pattern[2].mask;

	(void)port;
	(void)error;
	if (rules.n == rules.room)
		return NULL;
	cr_assert(attr->ingress && !attr->egress);
	cr_assert_eq(pattern[0].type, RTE_FLOW_ITEM_TYPE_ETH);
	cr_assert_eq(pattern[1].type, RTE_FLOW_ITEM_TYPE_IPV4);
	cr_assert_eq(pattern[2].type, RTE_FLOW_ITEM_TYPE_UDP);
	cr_assert_eq(pattern[3].type, RTE_FLOW_ITEM_TYPE_END);
	cr_assert(ip_mask->hdr.dst_addr == UINT32_MAX && ip_mask->hdr.src_addr == 0, "from anywhere, to this address");
	cr_assert(udp_mask->hdr.dst_port == UINT16_MAX && udp_mask->hdr.src_port == 0);
	cr_assert_eq(actions[0].type, RTE_FLOW_ACTION_TYPE_QUEUE);
	cr_assert_eq(actions[1].type, RTE_FLOW_ACTION_TYPE_END);
	rules.flow[rules.n] = (struct gn_port_flow){rte_be_to_cpu_32(ip->hdr.dst_addr), rte_be_to_cpu_16(udp->hdr.dst_port),
		((const struct rte_flow_action_queue *)actions[0].conf)->index};
	return (struct rte_flow *)&rules.flow[rules.n++];
}

int rte_flow_flush(uint16_t port, struct rte_flow_error *error)
{
	(void)port;
	(void)error;
	rules.n = 0;
	return 0;
}

/* What a stage behind rx saw. */
static struct {
	uint32_t n_queues, n_datagrams, n_frames;
	uint64_t rx_tsc_last[2], hw_ns_last; /* the time: of each queue */
	uint32_t in_order;
	uint16_t line_last;
} seen;

static void on_datagram(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	const struct gn_datagram *d = msg;
	uint32_t count;

	(void)ctx;
	cr_assert_eq(bytes, sizeof(*d) + d->bytes);
	cr_assert_gt(d->rx_tsc, seen.rx_tsc_last[from], "the time names the datagram: it must not repeat");
	cr_assert(seen.n_queues == 1 || d->rx_tsc % 2 == from, "not even over two queues");
	seen.rx_tsc_last[from] = d->rx_tsc;
	seen.hw_ns_last = d->hw_ns;
	seen.line_last = d->line;
	memcpy(&count, d->payload, 4);
	seen.in_order += count == seen.n_datagrams;
	seen.n_datagrams++;
}

static void on_frame(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	const struct gn_frame *f = msg;

	(void)ctx;
	(void)from;
	cr_assert_eq(bytes, sizeof(*f) + f->bytes);
	seen.n_frames++;
}

static const struct gn_stage stage_sink = {
	.name = "sink",
	.ctx_bytes = 8,
	.in = (const struct gn_inlet[]){{"rx_feed", on_datagram, 2048, NULL}, {"rx_gateway", on_frame, 2100, NULL},
		{0}},
};

static struct gn_stats *stats;

static struct gn_wiring *queues_into_sink(struct gn_port *p, uint16_t n_queues)
{
	static const struct rx_subscription subscription = {GROUP, 26477, 5};
	static struct rx_config config[2];
	struct gn_wiring *w = gn_wiring_new(NULL, NULL, stats = gn_stats_create(NULL, 512));

	seen.n_queues = n_queues;
	for (uint16_t q = 0; q < n_queues; q++) {
		config[q] = (struct rx_config){.port = p, .queue = q, .subscription = &subscription, .n_subscriptions = 1};
		cr_assert_eq(gn_wiring_stage(w, &gn_stage_rx, q ? "rx1" : "rx0", q, 0, GN_NODE_ANY, &config[q]), 0);
	}
	cr_assert_eq(gn_wiring_stage(w, &stage_sink, "sink0", 0, 0, GN_NODE_ANY, NULL), 0);
	for (uint16_t q = 0; q < n_queues; q++) {
		cr_assert_eq(gn_wiring_link(w, "rx_feed", q ? "rx1" : "rx0", "sink0", &(struct gn_link_config){0}), 0);
		cr_assert_eq(gn_wiring_link(w, "rx_gateway", q ? "rx1" : "rx0", "sink0", &(struct gn_link_config){0}), 0);
	}
	cr_assert_eq(gn_wiring_seal(w), 0, "%s", gn_err_text());
	return w;
}

static struct gn_wiring *rx_into_sink(struct gn_port *p)
{
	return queues_into_sink(p, 1);
}

static void rx_end(struct gn_wiring *w)
{
	gn_wiring_free(w);
	gn_stats_close(stats);
}

static uint64_t rx_counter(struct gn_wiring *w, const char *name)
{
	const uint64_t *words =
		(const uint64_t *)(const void *)((const char *)gn_wiring_ctx(w, "rx0") + gn_stage_rx.counters_offset);

	for (uint32_t i = 0; gn_stage_rx.counters[i].name; i++)
		if (strcmp(gn_stage_rx.counters[i].name, name) == 0)
			return words[i];
	cr_assert_fail("no counter %s", name);
	return 0;
}

static uint32_t datagram_make(uint8_t *frame, uint32_t count, uint16_t bytes)
{
	static struct net_udp_flow flow;
	static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
	uint8_t group_mac[6];

	net_group_mac(group_mac, GROUP);
	if (count == 0)
		net_udp_flow_init(&flow, mac, group_mac, 0x0a000001, 4000, GROUP, 26477, 1);
	memset(frame + NET_UDP_HEAD_BYTES, 0, bytes);
	memcpy(frame + NET_UDP_HEAD_BYTES, &count, 4);
	return net_udp_seal(&flow, frame, bytes);
}

static void datagrams_send(struct gn_port *p, uint16_t queue, uint32_t first, uint32_t n)
{
	struct gn_tx *tx = gn_port_tx(p, queue);
	struct gn_tx_frame f;

	for (uint32_t i = 0; i < n; i++) {
		if (gn_tx_claim(tx, &f))
			gn_tx_commit(tx, &f, datagram_make(f.data, first + i, 100));
		if (i % 8 == 7)
			usleep(50);
	}
	while (gn_tx_flush(tx))
		;
}

/* Until n datagrams came or half a minute has passed. */
static void poll_until(struct gn_wiring *w, uint32_t n)
{
	time_t end = time(NULL) + 30;

	while (seen.n_datagrams < n && time(NULL) < end)
		if (!gn_stage_rx.poll(gn_wiring_ctx(w, "rx0")))
			gn_stage_rx.housekeeping(gn_wiring_ctx(w, "rx0"), gn_tsc());
}

static const char *memif_line(const char *role)
{
	static char line[200];

	snprintf(line, sizeof(line), "net_memif0,role=%s,socket=/tmp/gannet-test-%d.sock,socket-abstract=no", role,
		(int)getpgid(0));
	return line;
}

static void group_of_its_own(void)
{
	setpgid(0, 0);
}

TestSuite(port_memif, .timeout = 120, .init = group_of_its_own);

Test(port, eal_leaves_the_cores_of_its_caller_alone)
{
	cpu_set_t before, after;

	cr_assert_eq(sched_getaffinity(0, sizeof(before), &before), 0);
	eal_or_fail();
	cr_assert_eq(sched_getaffinity(0, sizeof(after), &after), 0);
	cr_assert(CPU_EQUAL(&before, &after));
	cr_assert_eq(gn_eal_init(&(struct gn_eal_config){0}), -EALREADY);
}

Test(port, eal_refuses_hugepages_that_are_not_there)
{
	cr_assert_eq(gn_eal_init(&(struct gn_eal_config){.mem_mb = 1u << 30, .huge = GN_HUGE_ALWAYS}), -ENOMEM);
	cr_assert(strstr(gn_err_text(), "hugepages"), "%s", gn_err_text());
}

Test(port, device_that_does_not_exist_is_one_clear_error)
{
	static const char *const bad[] = {"net_nothing0", "", ",x=1", "net_af_packet0,iface=no-such-if",
		"net_pcap0,rx_pcap=/nonexistent.pcap", "0000:7f:1f.7", "net_memif0,role=nobody",
		"net_ring0,nodeaction=%"};

	eal_or_fail();
	for (size_t i = 0; i < GN_ARRAY_SIZE(bad); i++) {
		cr_assert_null(gn_port_open(&(struct gn_port_config){.device = bad[i]}), "\"%s\" was opened", bad[i]);
		cr_assert(strstr(gn_err_text(), "port"), "%s", gn_err_text());
		cr_assert_null(strchr(gn_err_text(), '\n'), "%s", gn_err_text());
		cr_log_info("%s", gn_err_text());
	}
}

Test(port, sizes_out_of_range_are_refused)
{
	eal_or_fail();
	cr_assert_null(gn_port_open(&(struct gn_port_config){.device = "net_null0", .mtu = 9000}));
	cr_assert(strstr(gn_err_text(), "mtu 9000"), "%s", gn_err_text());
	cr_assert_null(gn_port_open(&(struct gn_port_config){.device = "net_null1", .n_rx = 99}));
	cr_assert(strstr(gn_err_text(), "99 receive"), "%s", gn_err_text());
	cr_assert_null(gn_port_open(&(struct gn_port_config){.device = "net_null2", .mac = {1, 2, 3, 4, 5, 6}}));
	cr_assert(strstr(gn_err_text(), "group address"), "%s", gn_err_text());
}

Test(port, the_same_device_cannot_be_opened_twice_but_again_after_closing)
{
	eal_or_fail();
	struct gn_port *p = open_or_fail("net_null0");
	cr_assert_null(gn_port_open(&(struct gn_port_config){.device = "net_null0"}));
	gn_port_close(p);
	gn_port_close(open_or_fail("net_null0"));
}

Test(port, frames_leave_in_order_and_the_oldest_are_dropped_when_nobody_takes_them)
{
	eal_or_fail();
	struct gn_port *p = open_or_fail(memif_line("server"));
	struct gn_tx *tx = gn_port_tx(p, 0);
	struct gn_tx_frame f;

	cr_assert_null(gn_port_tx(p, 1));
	for (uint32_t i = 0; i < 1000; i++) {
		cr_assert(gn_tx_claim(tx, &f));
		cr_assert_geq(f.room_bytes, 2048);
		gn_tx_commit(tx, &f, datagram_make(f.data, i, 64));
	}
	cr_assert_eq(gn_tx_counts(tx).dropped, 1000 - 512);
	cr_assert_eq(gn_tx_counts(tx).frames, 0);
	gn_port_close(p);
}

Test(port, an_empty_pool_is_counted_and_abandoned_frames_come_back)
{
	eal_or_fail();
	struct gn_port *p = open_or_fail("net_null0");
	struct gn_tx *tx = gn_port_tx(p, 0);
	static struct gn_tx_frame f[10000];
	uint32_t n = 0;

	while (n < GN_ARRAY_SIZE(f) && gn_tx_claim(tx, &f[n]))
		n++;
	cr_assert_lt(n, GN_ARRAY_SIZE(f));
	cr_assert_eq(gn_tx_counts(tx).no_frame, 1);
	for (uint32_t i = 0; i < n; i++)
		gn_tx_abandon(tx, &f[i]);
	cr_assert(gn_tx_claim(tx, &f[0]));
	gn_tx_abandon(tx, &f[0]);
	gn_port_close(p);
}

/* Which queues the port's hash spreads frames over. */
static uint64_t hash_queues(uint16_t port)
{
	struct rte_eth_rss_reta_entry64 reta[16] = {0};
	struct rte_eth_dev_info info;
	uint64_t queues = 0;

	cr_assert_eq(rte_eth_dev_info_get(port, &info), 0);
	cr_assert(info.reta_size > 0 && info.reta_size <= 1024);
	for (uint32_t i = 0; i < 16; i++)
		reta[i].mask = UINT64_MAX;
	cr_assert_eq(rte_eth_dev_rss_reta_query(port, reta, info.reta_size), 0);
	for (uint32_t i = 0; i < info.reta_size; i++)
		queues |= UINT64_C(1) << reta[i / 64].reta[i % 64];
	return queues;
}

static const struct gn_port_flow lines[] = {{GROUP, 26477, 1}, {GROUP + 1, 26478, 2}};

static struct gn_port *port_of_queues(const char *device, uint16_t n_rx)
{
	struct gn_port *p = gn_port_open(&(struct gn_port_config){
		.device = device, .n_rx = n_rx, .node = GN_NODE_ANY, .rx_descs = 512, .tx_descs = 512});

	cr_assert_not_null(p, "%s", gn_err_text());
	return p;
}

Test(port, lines_come_by_the_queues_asked_for_and_all_else_by_the_first_where_a_port_takes_rules)
{
	eal_or_fail();
	struct gn_port *p = port_of_queues("net_null0", 3);
	uint16_t id;

	cr_assert_eq(rte_eth_dev_get_port_by_name("net_null0", &id), 0);
	rules.room = 8;
	cr_assert_eq(gn_port_steer(p, lines, 2), GN_PORT_BY_RULE);
	cr_assert_eq(rules.n, 2);
	for (uint32_t i = 0; i < 2; i++) {
		cr_assert_eq(rules.flow[i].ip, lines[i].ip);
		cr_assert_eq(rules.flow[i].port, lines[i].port);
		cr_assert_eq(rules.flow[i].queue, lines[i].queue);
	}
	cr_assert_eq(hash_queues(id), 1);
	gn_port_close(p);
}

Test(port, a_port_that_refuses_one_rule_keeps_none_and_spreads_by_hash)
{
	eal_or_fail();
	struct gn_port *p = port_of_queues("net_null0", 3);

	for (rules.room = 0; rules.room < 2; rules.room++) {
		cr_assert_eq(gn_port_steer(p, lines, 2), GN_PORT_BY_HASH);
		cr_assert_eq(rules.n, 0);
	}
	cr_assert_eq(gn_port_steer(p, &(struct gn_port_flow){GROUP, 26477, 3}, 1), GN_PORT_BY_HASH, "there is no queue 3");
	cr_assert_eq(gn_port_steer(p, NULL, 0), GN_PORT_BY_HASH);
	gn_port_close(p);
}

/* A classic capture file: one good datagram, one broken, one fragment, one ARP, one more good one. */
static const char *capture_make(void)
{
	static char path[32];
	static const uint32_t head[6] = {0xa1b2c3d4, 2 | 4 << 16, 0, 0, 65535, 1};
	uint8_t frame[2048];
	strcpy(path, "/tmp/gannet-test-XXXXXX");
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	fwrite(head, sizeof(head), 1, f);
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t bytes = datagram_make(frame, i == 4 ? 1 : 0, 300);
		if (i == 1)
			frame[14 + 10] ^= 1;
		if (i == 2) {
			frame[14 + 6] = 0x20;
			net_put16(frame + 24, 0);
			net_sum_store(frame + 24, net_sum(frame + 14, 20, 0));
		}
		if (i == 3)
			net_put16(frame + 12, NET_TYPE_ARP);
		fwrite((const uint32_t[4]){1700000000, 5 + i, bytes, bytes}, 16, 1, f);
		fwrite(frame, bytes, 1, f);
	}
	fclose(f);
	return path;
}

Test(port, rx_sorts_a_capture_and_counts_every_drop)
{
	char line[200];
	const char *path = capture_make();

	port_clock.stamps = true;
	eal_or_fail();
	snprintf(line, sizeof(line), "net_pcap0,rx_pcap=%s,tx_pcap=/dev/null", path);
	struct gn_port *p = open_or_fail(line);
	struct gn_wiring *w = rx_into_sink(p);
	cr_assert_eq(gn_port_wait_up(p, 1000, NULL), 0);
	poll_until(w, 2);
	unlink(path);
	cr_assert_eq(seen.n_datagrams, 2);
	cr_assert_eq(seen.in_order, 2);
	cr_assert_eq(seen.n_frames, 1);
	cr_assert_eq(seen.line_last, 5);
	cr_assert_eq(rx_counter(w, "frame_received"), 5);
	cr_assert_eq(rx_counter(w, "ip_bad"), 1);
	cr_assert_eq(rx_counter(w, "ip_fragment"), 1);
	cr_assert_not(gn_port_offloads(p).rx_time);
	cr_assert_not(gn_port_clock(p, &(struct gn_clock_status){0}));
	cr_assert_eq(seen.hw_ns_last, 0, "counts of a clock that nobody can read are no time");
	rx_end(w);
	gn_port_close(p);
}

static struct gn_port *stamping_port(int64_t per_us)
{
	char line[200];
	const char *path = capture_make();

	port_clock.stamps = port_clock.counts = true;
	port_clock.per_us = per_us;
	port_clock.begin_ns = true_ns();
	snprintf(line, sizeof(line), "net_pcap0,rx_pcap=%s,tx_pcap=/dev/null", path);
	struct gn_port *p = open_or_fail(line);
	cr_assert_eq(gn_port_wait_up(p, 1000, NULL), 0);
	unlink(path);
	return p;
}

/* What the last datagram of the capture carries. */
static void expect_hw_ns(struct gn_port *p, int64_t want_ns, int64_t slack_ns)
{
	struct gn_wiring *w = rx_into_sink(p);

	poll_until(w, 2);
	cr_assert_leq(llabs((int64_t)seen.hw_ns_last - want_ns), slack_ns, "%ld ns off",
		(long)((int64_t)seen.hw_ns_last - want_ns));
	rx_end(w);
}

Test(port, the_time_stamps_of_a_port_are_mapped_to_our_clock)
{
	static const int64_t per_us[] = {1000, 312, 1250}; /* nanoseconds, and ticks of two oscillators */
	struct gn_clock_status s;

	eal_or_fail();
	cr_assert_eq(gn_clock_calibrate(), 0, "%s", gn_err_text());
	for (size_t i = 0; i < GN_ARRAY_SIZE(per_us); i++) {
		memset(&seen, 0, sizeof(seen));
		struct gn_port *p = stamping_port(per_us[i]);
		cr_assert(gn_port_clock(p, &s));
		cr_assert(s.calibrated && gn_port_offloads(p).rx_time);
		/* 3 s back along a line that 20 ms have fixed; a machine that takes its cores away meanwhile bends it more */
		expect_hw_ns(p, port_clock.begin_ns - CAPTURE_AGO_NS + CAPTURE_LAST * 1000 / per_us[i], 20 * 1000 * 1000);
		gn_port_close(p);
	}
}

Test(port, the_clock_of_a_port_is_followed_as_it_drifts_and_when_it_is_set)
{
	struct gn_clock_status s;

	eal_or_fail();
	cr_assert_eq(gn_clock_calibrate(), 0, "%s", gn_err_text());
	struct gn_port *p = stamping_port(1000);
	cr_assert(gn_port_clock(p, &s));
	port_clock.begin_ns -= INT64_C(7) * 1000 * 1000 * 1000; /* somebody sets it 7 s ahead: so are its later stamps */
	for (int i = 0; i < 2; i++, usleep(150000)) {
		gn_clock_update();
		gn_port_clock_keep_up(p);
	}
	cr_assert(gn_port_clock(p, &s));
	cr_assert_eq(s.n_steps, 1);
	expect_hw_ns(p, port_clock.begin_ns - CAPTURE_AGO_NS + CAPTURE_LAST, 20 * 1000 * 1000);
	gn_port_close(p);
}

Test(port, a_port_whose_clock_stands_still_stamps_nothing)
{
	struct gn_clock_status s;

	eal_or_fail();
	cr_assert_eq(gn_clock_calibrate(), 0, "%s", gn_err_text());
	struct gn_port *p = stamping_port(0);
	cr_assert(gn_port_clock(p, &s));
	cr_assert_not(s.calibrated);
	cr_assert_not(gn_port_offloads(p).rx_time);
	expect_hw_ns(p, 0, 0);
	gn_port_close(p);
}

static int child_server(uint32_t n, uint32_t life_ms, uint16_t n_queues)
{
	const struct gn_port_config config = {.device = memif_line("server"), .n_tx = n_queues, .node = GN_NODE_ANY,
		.rx_descs = 512, .tx_descs = 512};
	struct gn_port *p;

	/* not a process of the test framework: it must not assert */
	if (eal_start() < 0 || !(p = gn_port_open(&config)) || gn_port_wait_up(p, UP_MS, NULL) < 0) {
		fprintf(stderr, "%s\n", gn_err_text());
		return 1;
	}
	for (uint16_t q = 0; q < n_queues; q++)
		datagrams_send(p, q, q * n / n_queues, n / n_queues);
	usleep(life_ms * 1000);
	gn_port_close(p);
	return 0;
}

static pid_t queues_server_start(uint32_t n, uint32_t life_ms, uint32_t delay_ms, uint16_t n_queues)
{
	pid_t pid = fork();

	if (pid == 0) {
		usleep(delay_ms * 1000);
		_exit(child_server(n, life_ms, n_queues));
	}
	return pid;
}

static pid_t server_start(uint32_t n, uint32_t life_ms, uint32_t delay_ms)
{
	return queues_server_start(n, life_ms, delay_ms, 1);
}

static void server_end(pid_t pid)
{
	int status = -1;

	waitpid(pid, &status, 0);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the other process ended with status %x",
		(unsigned int)status);
}

Test(port_memif, a_peer_that_never_comes_is_one_clear_error)
{
	atomic_bool stop = true;

	eal_or_fail();
	struct gn_port *p = open_or_fail(memif_line("client"));
	cr_assert_eq(gn_port_wait_up(p, 100, NULL), -ETIMEDOUT);
	cr_assert(strstr(gn_err_text(), "after 100 ms"), "%s", gn_err_text());
	cr_assert_eq(gn_port_wait_up(p, 100000, &stop), -ECANCELED);
	struct gn_wiring *w = rx_into_sink(p);
	cr_assert_not(gn_stage_rx.poll(gn_wiring_ctx(w, "rx0")), "polling a port without a peer is harmless");
	cr_assert_eq(gn_tx_flush(gn_port_tx(p, 0)), 0);
	rx_end(w);
	gn_port_close(p);
}

Test(port_memif, a_client_that_comes_first_gets_every_frame_of_a_late_server)
{
	pid_t pid = server_start(1000, 500, 700);

	eal_or_fail();
	struct gn_port *p = open_or_fail(memif_line("client"));
	struct gn_wiring *w = rx_into_sink(p);
	cr_assert_eq(gn_port_wait_up(p, UP_MS, NULL), 0, "%s", gn_err_text());
	poll_until(w, 1000);
	cr_assert_eq(seen.in_order, 1000);
	rx_end(w);
	gn_port_close(p);
	server_end(pid);
}

Test(port_memif, whichever_queue_brings_a_frame_it_is_handed_on)
{
	pid_t pid = queues_server_start(1000, 500, 0, 2);

	eal_or_fail();
	struct gn_port *p = port_of_queues(memif_line("client"), 2);
	struct gn_wiring *w = queues_into_sink(p, 2);
	uint64_t received[2] = {0};

	cr_assert_eq(gn_port_wait_up(p, UP_MS, NULL), 0, "%s", gn_err_text());
	cr_assert_eq(gn_port_steer(p, lines, 1), GN_PORT_BY_DRIVER, "shared memory takes no rules and has no hash");
	for (time_t end = time(NULL) + 30; seen.n_datagrams < 1000 && time(NULL) < end;)
		for (uint32_t q = 0; q < 2; q++)
			received[q] += gn_stage_rx.poll(gn_wiring_ctx(w, q ? "rx1" : "rx0"));
	cr_assert_eq(seen.n_datagrams, 1000);
	cr_assert_eq(received[0], 500);
	cr_assert_eq(received[1], 500);
	rx_end(w);
	gn_port_close(p);
	server_end(pid);
}

/* The second server has to be up in time: a busy machine does not promise that, so only in the long mode. */
Test(port_memif, a_server_that_dies_and_returns_is_joined_again)
{
	if (!getenv("GANNET_LONG"))
		cr_skip_test("only with GANNET_LONG=1");
	pid_t pid = server_start(100, 50, 0), pid_next = server_start(100, 500, 4000);

	eal_or_fail();
	struct gn_port *p = open_or_fail(memif_line("client"));
	struct gn_wiring *w = rx_into_sink(p);
	cr_assert_eq(gn_port_wait_up(p, UP_MS, NULL), 0, "%s", gn_err_text());
	poll_until(w, 100);
	server_end(pid);
	seen.in_order = 0;
	seen.n_datagrams = 0;
	poll_until(w, 100);
	cr_assert_eq(seen.in_order, 100);
	for (uint32_t ms = 0; ms < 2000 && rx_counter(w, "link_changed") < 2; ms++, usleep(1000))
		gn_stage_rx.housekeeping(gn_wiring_ctx(w, "rx0"), gn_tsc());
	cr_assert_eq(rx_counter(w, "link_changed"), 2, "down and up again");
	server_end(pid_next);
	rx_end(w);
	gn_port_close(p);
}

static void on_alarm(int signum)
{
	(void)signum;
	kill(getpid(), SIGKILL);
}

/* Comes, sends without pause and is killed in the middle of it. */
static int child_killed(uint32_t life_us)
{
	struct gn_port *p;

	if (eal_start() < 0 || !(p = port_open(memif_line("client"))) || gn_port_wait_up(p, UP_MS, NULL) < 0) {
		fprintf(stderr, "%s\n", gn_err_text());
		return 1;
	}
	struct gn_wiring *w = rx_into_sink(p);
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &(struct itimerval){.it_value.tv_usec = life_us}, NULL);
	for (uint32_t first = 0;; first += 4) {
		datagrams_send(p, 0, first, 4);
		gn_stage_rx.poll(gn_wiring_ctx(w, "rx0"));
	}
}

/* One after the other; the status says how many were not killed in time. */
static pid_t killed_start(uint32_t rounds, unsigned int seed)
{
	pid_t all = fork(), one;

	if (all != 0)
		return all;
	int n_odd = 0, status;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0; i < rounds; i++) {
		uint32_t life_us = 1000 + (uint32_t)rand_r(&seed) % 30000;
		one = fork();
		if (one == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			_exit(child_killed(life_us));
		}
		waitpid(one, &status, 0);
		n_odd += !WIFSIGNALED(status);
	}
	_exit(n_odd);
}

/* The driver would unmap the rings under our bursts. */
Test(port_memif, peers_that_are_killed_under_load_do_not_take_us_along)
{
	const char *text = getenv("GANNET_SEED");
	unsigned int seed = text ? (unsigned int)strtoul(text, NULL, 0) : (unsigned int)time(NULL);
	int status = -1, n_ended = 0;
	uint32_t count = 0;
	struct gn_tx_frame f;

	cr_log_info("GANNET_SEED=%u", seed);
	pid_t pid = killed_start(getenv("GANNET_LONG") ? 30 : 5, seed);
	eal_or_fail();
	struct gn_port *p = open_or_fail(memif_line("server"));
	struct gn_wiring *w = rx_into_sink(p);
	while ((n_ended = waitpid(pid, &status, WNOHANG)) == 0) {
		for (uint32_t i = 0; i < 200; i++) {
			gn_stage_rx.poll(gn_wiring_ctx(w, "rx0"));
			if (gn_tx_claim(gn_port_tx(p, 0), &f))
				gn_tx_commit(gn_port_tx(p, 0), &f, datagram_make(f.data, count++, 100));
			gn_tx_flush(gn_port_tx(p, 0));
		}
		gn_stage_rx.housekeeping(gn_wiring_ctx(w, "rx0"), gn_tsc());
	}
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%d peers did not come, seed %u", WEXITSTATUS(status), seed);
	cr_assert_gt(seen.n_datagrams, 0);
	cr_assert_gt(gn_tx_counts(gn_port_tx(p, 0)).frames, 0);
	rx_end(w);
	gn_port_close(p);
}

Test(port, af_packet_talks_to_a_kernel_interface)
{
	if (geteuid() != 0 || system("ip link add gntest0 type veth peer name gntest1 >/dev/null 2>&1") != 0)
		cr_skip("needs root and veth interfaces");
	cr_assert_eq(system("ip link set gntest0 up && ip link set gntest1 up"), 0);
	eal_or_fail();
	struct gn_port *a = open_or_fail("net_af_packet0,iface=gntest0");
	struct gn_port *b = open_or_fail("net_af_packet1,iface=gntest1");
	struct gn_wiring *w = rx_into_sink(b);
	cr_expect_eq(gn_port_wait_up(a, 2000, NULL), 0, "%s", gn_err_text());
	cr_expect_eq(gn_port_wait_up(b, 2000, NULL), 0, "%s", gn_err_text());
	datagrams_send(a, 0, 0, 64);
	poll_until(w, 64);
	rx_end(w);
	gn_port_close(a);
	gn_port_close(b);
	cr_expect_eq(system("ip link del gntest0"), 0);
	cr_assert_eq(seen.in_order, 64);
}
